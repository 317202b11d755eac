"""The audit: who did what, when; append-only, each row chained to the one before it, so that a change shows.

A row is written before the act that it tells of. It holds no personal data: a number of students, never their names or
marks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.store.api_schema import audit
from gateway.store.database import Store, lock_of

FIRST = "0" * 64
"""What the first row of a district holds as the digest before it."""

_PER_READ = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. ``subjects`` is how many students it was about; ``detail`` further facts, without personal data."""

    at: datetime
    actor: str
    action: str
    subjects: int = 0
    detail: Mapping[str, Any] | None = None


def note(store: Store, district: str, entry: Entry) -> int:
    """Append an entry, and return its number."""
    with store.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_of(f"audit/{district}"))))
        return _append(connection, district, entry)


def _append(connection: Connection, district: str, entry: Entry) -> int:
    last = connection.execute(_LAST, {"of": district}).first()
    number, previous = (last.number + 1, last.digest) if last else (1, FIRST)
    row = {
        "district": district, "number": number, "at": entry.at, "actor": entry.actor, "action": entry.action,
        "subjects": entry.subjects, "detail": dict(entry.detail or {}), "previous": previous,
    }  # fmt: skip
    connection.execute(_INSERT, row | {"digest": digest(row)})
    return number


_LAST = (
    sa.select(audit.c.number, audit.c.digest)
    .where(audit.c.district == sa.bindparam("of"))
    .order_by(audit.c.number.desc())
    .limit(1)
)
_INSERT = audit.insert()


def read(store: Store, district: str, *, after: int = 0, limit: int = _PER_READ) -> list[dict[str, Any]]:
    """The entries behind number ``after``, oldest first."""
    query = sa.select(audit).where(audit.c.district == district, audit.c.number > after)
    return store.rows(query.order_by(audit.c.number).limit(limit))


def last_number(store: Store, district: str) -> int:
    """The number of the newest entry; 0 if there is none."""
    found = store.row(sa.select(sa.func.max(audit.c.number).label("last")).where(audit.c.district == district))
    return int(found["last"] or 0) if found else 0


def first_break(store: Store, district: str) -> int | None:
    """The number of the first entry that does not fit the one before it; ``None`` if the chain is whole."""
    number, previous = 0, FIRST
    while rows := read(store, district, after=number):
        for row in rows:
            if row["number"] != number + 1 or row["previous"] != previous or row["digest"] != digest(row):
                return int(row["number"])
            number, previous = row["number"], row["digest"]
    return None


def digest(row: Mapping[str, Any]) -> str:
    """The SHA-256 of a row's content, the digest before it included."""
    content = {name: row[name] for name in ("district", "number", "actor", "action", "subjects", "detail", "previous")}
    content["at"] = row["at"].astimezone(UTC).isoformat()
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
