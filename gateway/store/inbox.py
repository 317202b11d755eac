"""The inbox: gradebook records that clients of the API wrote, each client's by itself.

What came is kept as it came. A record that cannot be used yet has a reason; its last good content stays in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from gateway.store.api_schema import inbox
from gateway.store.database import Store, lock_of

_PER_QUERY = 5_000


class InboxState(StrEnum):
    """``WAITING``: it refers to a record that nobody has delivered yet. ``QUARANTINED``: it cannot be used."""

    ACCEPTED = "accepted"
    WAITING = "waiting"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was made of a record. ``record``: its canonical columns as text, with its parts under their tables' names;
    ``None`` if it cannot be read. ``waits_for`` is ``table/id`` of the record that is lacking."""

    state: InboxState
    record: Mapping[str, Any] | None = None
    code: str | None = None
    field: str | None = None
    reason: str | None = None
    waits_for: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A record as a client wrote it: its table and id, and the JSON object that came."""

    entity: str
    record_id: str
    received: str
    verdict: Verdict
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One record of the inbox. ``verdict.record`` may be older than ``received``: the last good content."""

    client_id: str
    entity: str
    record_id: str
    received: str
    verdict: Verdict
    withdrawn: bool
    created_at: datetime
    changed_at: datetime


def put(store: Store, district: str, client_id: str, written: Sequence[Written], *, now: datetime) -> list[bool]:
    """Keep records, each of another id; for each of them whether it is new to the inbox. All are kept, or none."""
    try:
        return _put(store, district, client_id, written, now)
    except IntegrityError:  # another request wrote one of them for the first time, just now
        return _put(store, district, client_id, written, now)


def _put(store: Store, district: str, client_id: str, written: Sequence[Written], now: datetime) -> list[bool]:
    with store.begin() as connection:
        if connection.dialect.name == "postgresql":  # a number stands for one write, seen in its order
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_of(f"inbox/{district}/{client_id}"))))
        revision = (connection.execute(_LAST_REVISION, {"of": district, "client": client_id}).scalar() or 0) + 1
        theirs = [*_places(district, client_id, written)]
        before = {
            (row.entity, row.record_id): row
            for place in theirs
            for row in connection.execute(sa.select(inbox).where(place).with_for_update())
        }
        owner = {"district": district, "client_id": client_id, "changed_at": now, "revision": revision}
        rows = [owner | _row(each, before.get((each.entity, each.record_id)), now) for each in written]
        for place in theirs:
            connection.execute(inbox.delete().where(place))
        if rows:
            connection.execute(inbox.insert(), rows)
    return [(each.entity, each.record_id) not in before for each in written]


def _row(written: Written, before: Any, now: datetime) -> dict[str, Any]:
    verdict, record = written.verdict, written.verdict.record
    if verdict.state is InboxState.QUARANTINED:
        record = before.record if before and before.state != InboxState.WAITING else None
    return {
        "entity": written.entity, "record_id": written.record_id, "state": verdict.state,
        "withdrawn": written.withdrawn, "received": written.received, "record": record, "code": verdict.code,
        "field": verdict.field, "reason": verdict.reason, "waits_for": verdict.waits_for,
        "created_at": before.created_at if before else now,
    }  # fmt: skip


def find(store: Store, district: str, client_id: str, entity: str, record_id: str) -> Item | None:
    """The record, if the client wrote one of this id."""
    row = store.row(_query(district, client_id, entity).where(inbox.c.record_id == record_id))
    return _item(row) if row else None


def listed(
    store: Store, district: str, client_id: str | None = None, *, entity: str | None = None,
    state: InboxState | None = None, after: tuple[str, str, str] | None = None, limit: int | None = None,
) -> list[Item]:  # fmt: skip
    """Records by client, table and id, behind the one that ``after`` names."""
    query = _query(district, client_id, entity)
    if state is not None:
        query = query.where(inbox.c.state == state)
    if after is not None:
        query = query.where(sa.tuple_(*_ORDER) > sa.tuple_(*map(sa.literal, after)))
    return [_item(row) for row in store.rows(query.order_by(*_ORDER).limit(limit))]


def among(store: Store, district: str, client_id: str, entity: str, ids: Sequence[str]) -> list[Item]:
    """Those of these records that the client wrote."""
    query = _query(district, client_id, entity)
    parts = (ids[start : start + _PER_QUERY] for start in range(0, len(ids), _PER_QUERY))
    return [_item(row) for part in parts for row in store.rows(query.where(inbox.c.record_id.in_(part)))]


def waiting_for(store: Store, district: str, client_id: str, waits_for: Sequence[str]) -> list[Item]:
    """The client's records that wait for one of these."""
    query = _query(district, client_id, None).order_by(*_ORDER)
    parts = (waits_for[start : start + _PER_QUERY] for start in range(0, len(waits_for), _PER_QUERY))
    return [_item(row) for part in parts for row in store.rows(query.where(inbox.c.waits_for.in_(part)))]


def last_revision(store: Store, district: str, client_id: str) -> int:
    """A number that grows with every write of the client; 0 before the first."""
    found = store.row(_LAST_REVISION, {"of": district, "client": client_id})
    return int(found["revision"] or 0) if found else 0


def since(store: Store, district: str, client_id: str, revision: int) -> list[Item]:
    """The client's records that were written after this revision."""
    query = _query(district, client_id, None).where(inbox.c.revision > revision)
    return [_item(row) for row in store.rows(query)]


def count(store: Store, district: str, client_id: str) -> int:
    """How many records the client has."""
    mine = (inbox.c.district == district) & (inbox.c.client_id == client_id)
    found = store.row(sa.select(sa.func.count().label("records")).select_from(inbox).where(mine))
    return int(found["records"]) if found else 0


def counts(store: Store, district: str) -> list[dict[str, Any]]:
    """How many records there are of each client, table and state."""
    names = (inbox.c.client_id, inbox.c.entity, inbox.c.state)
    query = sa.select(*names, sa.func.count().label("records")).where(inbox.c.district == district)
    return store.rows(query.group_by(*names).order_by(*names))


_ORDER = (inbox.c.client_id, inbox.c.entity, inbox.c.record_id)


def _query(district: str, client_id: str | None, entity: str | None) -> sa.Select[Any]:
    query = sa.select(inbox).where(inbox.c.district == district)
    query = query if client_id is None else query.where(inbox.c.client_id == client_id)
    return query if entity is None else query.where(inbox.c.entity == entity)


_LAST_REVISION = sa.select(sa.func.max(inbox.c.revision).label("revision")).where(
    inbox.c.district == sa.bindparam("of"), inbox.c.client_id == sa.bindparam("client")
)


def _places(district: str, client_id: str, written: Sequence[Written]) -> Iterator[sa.ColumnElement[bool]]:
    """Where the rows of these records are, some thousands at a time."""
    for start in range(0, len(written), _PER_QUERY):
        ids: dict[str, list[str]] = {}
        for each in written[start : start + _PER_QUERY]:
            ids.setdefault(each.entity, []).append(each.record_id)
        for entity, mine in ids.items():
            yield sa.and_(
                inbox.c.district == district, inbox.c.client_id == client_id, inbox.c.entity == entity,
                inbox.c.record_id.in_(mine),
            )  # fmt: skip


def _item(row: Mapping[str, Any]) -> Item:
    verdict = Verdict(
        InboxState(row["state"]), row["record"], row["code"], row["field"], row["reason"], row["waits_for"]
    )
    names = ("client_id", "entity", "record_id", "received", "withdrawn", "created_at", "changed_at")
    return Item(verdict=verdict, **{name: row[name] for name in names})
