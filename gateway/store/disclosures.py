"""The record of disclosures: which document about whom was given to whom, why, by whom and when.

Rows are only ever added. Each carries a digest of its content and of the row before it, per district, so that a row
that was changed, removed or put in between shows. Whoever can write the database could make the whole chain anew: keep
the digest of the newest row (:func:`newest`) elsewhere to notice that too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.store.database import Store
from gateway.store.schema import disclosures

START = "0" * 64
"""What the first row of a district names as the digest before it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a document was made by: a policy or a mapping, its version and digest."""

    name: str
    version: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.digest[:12]})"


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """One issued document as recorded.

    ``code`` is the verification code without hyphens. ``inputs_digest``: of the data that it was made from;
    ``content_sha256``: of the file itself. ``student_id`` is ``None`` for a document about no student, such as a
    letter. ``replaces``: the code of the older document that this one takes the place of.
    """

    code: str
    kind: str
    student_id: str | None
    rules: tuple[Rules, ...]
    approximate: bool
    inputs_digest: str
    content_sha256: str
    file_name: str
    recipient: str
    purpose: str
    issued_by: str
    issued_at: datetime
    replaces: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The record for JSON."""
        return {**asdict(self), "issued_at": self.issued_at.astimezone(UTC).isoformat()}


_COLUMNS = tuple(field.name for field in fields(DocumentRecord))


def add(connection: Connection, district: str, records: Sequence[DocumentRecord]) -> None:
    """Add rows within the caller's transaction; others who add to the same district wait for its end."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_lock(district))))
    table = disclosures.c
    last = connection.execute(
        sa.select(table.sequence, table.digest)
        .where(table.district == district)
        .order_by(table.sequence.desc())
        .limit(1)
    ).first()
    sequence, previous = (last.sequence, last.digest) if last else (0, START)
    rows = []
    for record in records:
        sequence += 1
        digest = _digest(district, sequence, previous, record)
        values = {name: getattr(record, name) for name in _COLUMNS} | {"rules": [asdict(each) for each in record.rules]}
        rows.append({**values, "district": district, "sequence": sequence, "previous": previous, "digest": digest})
        previous = digest
    if rows:
        connection.execute(sa.insert(disclosures), rows)


def found(store: Store, district: str, code: str) -> DocumentRecord | None:
    """The document with this verification code (without hyphens)."""
    row = store.row(sa.select(disclosures).where(disclosures.c.district == district, disclosures.c.code == code))
    return _record(row) if row else None


def found_by_content(store: Store, district: str, sha256: str) -> DocumentRecord | None:
    """The newest document whose file has this digest."""
    query = sa.select(disclosures).where(disclosures.c.district == district, disclosures.c.content_sha256 == sha256)
    row = store.row(query.order_by(disclosures.c.sequence.desc()))
    return _record(row) if row else None


def replaced_by(store: Store, district: str, code: str) -> DocumentRecord | None:
    """The newest document that names this one as the older one."""
    query = sa.select(disclosures).where(disclosures.c.district == district, disclosures.c.replaces == code)
    row = store.row(query.order_by(disclosures.c.sequence.desc()))
    return _record(row) if row else None


def listed(
    store: Store,
    district: str,
    *,
    student_id: str | None = None,
    kind: str | None = None,
    recipient: str | None = None,
    most: int | None = 100,
) -> list[DocumentRecord]:
    """The documents of a district, newest first."""
    query = sa.select(disclosures).where(disclosures.c.district == district)
    for column, wanted in (("student_id", student_id), ("kind", kind), ("recipient", recipient)):
        if wanted is not None:
            query = query.where(disclosures.c[column] == wanted)
    return [_record(row) for row in store.rows(query.order_by(disclosures.c.sequence.desc()).limit(most))]


def newest(store: Store, district: str) -> tuple[int, str]:
    """How many rows a district has, and the digest of the newest."""
    table = disclosures.c
    row = store.row(
        sa.select(table.sequence, table.digest).where(table.district == district).order_by(table.sequence.desc())
        .limit(1)
    )  # fmt: skip
    return (row["sequence"], row["digest"]) if row else (0, START)


def first_broken(store: Store, district: str) -> int | None:
    """The number of the first row that is not as it was written (or after which one is missing); ``None`` if the
    record is whole."""
    query = sa.select(disclosures).where(disclosures.c.district == district).order_by(disclosures.c.sequence)
    previous, number = START, 0
    with store.begin(read=True) as connection:
        for row in connection.execution_options(yield_per=1000).execute(query).mappings():
            number += 1
            sound = row["sequence"] == number and row["previous"] == previous
            if not sound or row["digest"] != _digest(district, number, previous, _record(row)):
                return number
            previous = row["digest"]
    return None


def _record(row: Mapping[Any, Any]) -> DocumentRecord:
    rules = tuple(Rules(**each) for each in row["rules"])
    return DocumentRecord(**{**{name: row[name] for name in _COLUMNS}, "rules": rules})


def _digest(district: str, sequence: int, previous: str, record: DocumentRecord) -> str:
    content = {"district": district, "sequence": sequence, "previous": previous, **record.as_dict()}
    return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _lock(district: str) -> int:
    """A number for the lock of a district's record."""
    return int.from_bytes(sha256(f"disclosures/{district}".encode()).digest()[:8], "big", signed=True)
