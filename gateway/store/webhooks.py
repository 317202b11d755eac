"""Webhooks: who is told of which events, and every delivery with its attempts.

An event becomes one delivery for each webhook that wants it, written in the database by whoever causes it; a sender
takes the deliveries from there, so that none is lost when a process ends. Payloads hold no personal data.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.store.api_schema import deliveries, webhooks
from gateway.store.database import Store

RETRY_AFTER = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long after each failed attempt the next one follows (Standard Webhooks, "Retry schedule")."""

KEPT_FOR = timedelta(days=30)
AT_WORK_FOR = timedelta(minutes=2)


class Event(StrEnum):
    """What a district can be told of."""

    RUN_FINISHED = "run.finished"
    RUN_HELD = "run.held"
    LEVELS_CHANGED = "levels.changed"
    GPA_ISSUED = "gpa.issued"
    JOB_DONE = "job.done"
    PING = "ping"


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told of ``events``. ``secret_number`` grows when the signing secret is changed."""

    district: str
    webhook_id: str
    client_id: str
    url: str
    events: tuple[Event, ...]
    secret_number: int
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook. ``status`` and ``failure`` are of the last attempt."""

    district: str
    delivery_id: str
    webhook_id: str
    event_id: str
    event: Event
    payload: Mapping[str, Any]
    state: DeliveryState
    attempts: int
    next_at: datetime | None
    status: int | None
    failure: str | None
    created_at: datetime
    ended_at: datetime | None


def create(store: Store, webhook: Webhook) -> None:
    with store.begin() as connection:
        connection.execute(
            webhooks.insert().values(
                district=webhook.district, webhook_id=webhook.webhook_id, client_id=webhook.client_id, url=webhook.url,
                events=[str(each) for each in webhook.events], secret_number=webhook.secret_number,
                created_at=webhook.created_at,
            )
        )  # fmt: skip


def new_id(kind: str) -> str:
    """An id that nobody can guess: ``hook``, ``event`` or ``delivery``."""
    return f"{kind}_{secrets.token_hex(12)}"


def listed(store: Store, district: str, client_id: str | None = None) -> list[Webhook]:
    """The district's webhooks that were not removed (of one client), oldest first."""
    query = sa.select(webhooks).where(webhooks.c.district == district)
    if client_id is not None:
        query = query.where(webhooks.c.client_id == client_id)
    return [_webhook(row) for row in store.rows(query.order_by(webhooks.c.created_at, webhooks.c.webhook_id))]


def find(store: Store, district: str, webhook_id: str) -> Webhook | None:
    row = store.row(sa.select(webhooks).where(_hook(district, webhook_id)))
    return _webhook(row) if row else None


def change(store: Store, webhook: Webhook, **values: Any) -> None:
    """Store columns of a webhook."""
    with store.begin() as connection:
        connection.execute(webhooks.update().where(_hook(webhook.district, webhook.webhook_id)).values(**values))


def remove(store: Store, webhook: Webhook) -> None:
    """Remove a webhook and its deliveries."""
    with store.begin() as connection:
        mine = (deliveries.c.district == webhook.district) & (deliveries.c.webhook_id == webhook.webhook_id)
        connection.execute(deliveries.delete().where(mine))
        connection.execute(webhooks.delete().where(_hook(webhook.district, webhook.webhook_id)))


def announce(
    connection: Connection,
    district: str,
    event: Event,
    data: Mapping[str, Any],
    *,
    now: datetime,
    client_id: str | None = None,
) -> int:
    """Tell every webhook that wants it (of one client) of an event, in the transaction of what caused it; returns how
    many there are."""
    query = sa.select(webhooks).where(webhooks.c.district == district, webhooks.c.disabled_at.is_(None))
    if client_id is not None:
        query = query.where(webhooks.c.client_id == client_id)
    wanting = [each for each in map(_webhook, connection.execute(query).mappings()) if event in each.events]
    event_id = new_id("event")
    for webhook in wanting:
        add_delivery(connection, webhook, event, event_id, data, now=now)
    return len(wanting)


def add_delivery(
    connection: Connection, webhook: Webhook, event: Event, event_id: str, data: Mapping[str, Any], *, now: datetime
) -> str:
    """One event for one webhook, to be sent now; returns the delivery's id."""
    delivery_id = new_id("delivery")
    payload = {"type": str(event), "timestamp": now.isoformat(timespec="milliseconds"), "data": dict(data)}
    connection.execute(
        deliveries.insert().values(
            district=webhook.district, delivery_id=delivery_id, webhook_id=webhook.webhook_id, event_id=event_id,
            event=str(event), payload=payload, state=DeliveryState.WAITING, attempts=0, next_at=now, created_at=now,
        )
    )  # fmt: skip
    return delivery_id


def claim(store: Store, district: str, *, now: datetime) -> Delivery | None:
    """The delivery that is due longest; nobody else takes it for two minutes."""
    due = (deliveries.c.district == district) & (deliveries.c.next_at <= now)
    open_states = deliveries.c.state.in_((DeliveryState.WAITING, DeliveryState.SENDING))
    query = sa.select(deliveries).where(due, open_states).order_by(deliveries.c.next_at).limit(1)
    if store.row(query) is None:
        return None
    with store.begin() as connection:
        row = connection.execute(query.with_for_update(skip_locked=True)).mappings().first()
        if row is None:
            return None
        taken = {"state": DeliveryState.SENDING, "next_at": now + AT_WORK_FOR, "attempts": row["attempts"] + 1}
        connection.execute(deliveries.update().where(_delivery_row(district, row["delivery_id"])).values(**taken))
        return _delivery({**row, **taken})


def record(store: Store, delivery: Delivery, *, status: int | None, failure: str | None, now: datetime) -> None:
    """What became of an attempt: it arrived, is tried again later, or is given up."""
    values: dict[str, Any] = {"status": status, "failure": failure}
    if failure is None:
        values |= {"state": DeliveryState.DELIVERED, "ended_at": now, "next_at": None}
    elif delivery.attempts > len(RETRY_AFTER):
        values |= {"state": DeliveryState.FAILED, "ended_at": now, "next_at": None}
    else:
        values |= {"state": DeliveryState.WAITING, "next_at": now + RETRY_AFTER[delivery.attempts - 1]}
    with store.begin() as connection:
        mine = _delivery_row(delivery.district, delivery.delivery_id)
        connection.execute(deliveries.update().where(mine).values(**values))


def replay(store: Store, delivery: Delivery, *, now: datetime) -> None:
    """Send a delivery again, from the first attempt on; its event keeps its id."""
    values = {"state": DeliveryState.WAITING, "attempts": 0, "next_at": now, "ended_at": None}
    with store.begin() as connection:
        mine = _delivery_row(delivery.district, delivery.delivery_id)
        connection.execute(deliveries.update().where(mine).values(**values))


def log(store: Store, webhook: Webhook, *, after: tuple[datetime, str] | None, limit: int) -> Sequence[Delivery]:
    """The deliveries of a webhook, the newest first, behind the one that ``after`` names."""
    query = sa.select(deliveries).where(
        deliveries.c.district == webhook.district, deliveries.c.webhook_id == webhook.webhook_id
    )
    if after is not None:
        at, delivery_id = after
        same = (deliveries.c.created_at == at) & (deliveries.c.delivery_id < delivery_id)
        query = query.where((deliveries.c.created_at < at) | same)
    order = (deliveries.c.created_at.desc(), deliveries.c.delivery_id.desc())
    return [_delivery(row) for row in store.rows(query.order_by(*order).limit(limit))]


def find_delivery(store: Store, webhook: Webhook, delivery_id: str) -> Delivery | None:
    mine = _delivery_row(webhook.district, delivery_id) & (deliveries.c.webhook_id == webhook.webhook_id)
    row = store.row(sa.select(deliveries).where(mine))
    return _delivery(row) if row else None


def sweep(store: Store, district: str, *, now: datetime) -> None:
    """Forget deliveries that ended long ago."""
    if store.row(sa.select(deliveries.c.delivery_id).where(old := _old(district, now)).limit(1)):
        with store.begin() as connection:
            connection.execute(deliveries.delete().where(old))


def _old(district: str, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(deliveries.c.district == district, deliveries.c.ended_at <= now - KEPT_FOR)


def _hook(district: str, webhook_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(webhooks.c.district == district, webhooks.c.webhook_id == webhook_id)


def _delivery_row(district: str, delivery_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(deliveries.c.district == district, deliveries.c.delivery_id == delivery_id)


def _webhook(row: Mapping[Any, Any]) -> Webhook:
    fields: dict[str, Any] = {name: row[name] for name in Webhook.__dataclass_fields__}
    return Webhook(**fields | {"events": tuple(Event(each) for each in row["events"])})


def _delivery(row: Mapping[str, Any]) -> Delivery:
    fields: dict[str, Any] = {name: row[name] for name in Delivery.__dataclass_fields__}
    return Delivery(**fields | {"event": Event(row["event"]), "state": DeliveryState(row["state"])})
