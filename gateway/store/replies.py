"""What was answered to a write with an idempotency key, so that the same write sent again takes effect once.

Kept for 24 hours. A key belongs to one client and one request; a request that failed on the gateway's side is
forgotten, so that it can be tried again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from gateway.store.api_schema import api_replies
from gateway.store.database import Store

KEPT_FOR = timedelta(hours=24)
AT_WORK_FOR = timedelta(minutes=15)
"""A request that has not been answered for so long died with its process."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An earlier request under the key. ``status`` is ``None`` while it is at work."""

    request: str
    status: int | None
    body: str
    content_type: str
    location: str | None


def begin(store: Store, district: str, client_id: str, key: str, request: str, *, now: datetime) -> Reply | None:
    """Claim ``key`` for ``request`` (a digest); what is known of an earlier request under it, if there is one."""
    mine = _of(district, client_id, key)
    old = (api_replies.c.at <= now - KEPT_FOR) | (
        api_replies.c.status.is_(None) & (api_replies.c.at <= now - AT_WORK_FOR)
    )
    try:
        with store.begin() as connection:
            connection.execute(api_replies.delete().where(api_replies.c.district == district, old))
            connection.execute(
                api_replies.insert().values(district=district, client_id=client_id, key=key, request=request, at=now)
            )
    except IntegrityError:
        row = store.row(sa.select(api_replies).where(mine))
        if row is None:  # it was forgotten in the meantime
            return begin(store, district, client_id, key, request, now=now)
        return Reply(
            row["request"], row["status"], row["body"] or "", row["content_type"] or "application/json", row["location"]
        )
    return None


def keep(store: Store, district: str, client_id: str, key: str, reply: Reply) -> None:
    """Keep the answer to the request that claimed ``key``."""
    values = {"status": reply.status, "body": reply.body, "content_type": reply.content_type}
    with store.begin() as connection:
        connection.execute(
            api_replies.update().where(_of(district, client_id, key)).values(**values, location=reply.location)
        )


def forget(store: Store, district: str, client_id: str, key: str) -> None:
    """Give up the claim: the request took no effect."""
    with store.begin() as connection:
        connection.execute(api_replies.delete().where(_of(district, client_id, key)))


def _of(district: str, client_id: str, key: str) -> sa.ColumnElement[bool]:
    return sa.and_(api_replies.c.district == district, api_replies.c.client_id == client_id, api_replies.c.key == key)
