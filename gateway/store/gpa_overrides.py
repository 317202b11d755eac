"""Decisions of people on GPAs and courses: kept for good, shown in every later result, withdrawn but never erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.core.errors import ConfigurationError, DataError
from gateway.core.gpa.overrides import Override
from gateway.store.database import Store
from gateway.store.schema import UtcTime, metadata

gpa_overrides = sa.Table(
    "gpa_overrides",
    metadata,
    sa.Column("district", sa.String(255), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("student_id", sa.String(255), nullable=False),
    sa.Column("policy", sa.String(255)),
    sa.Column("gpa", sa.String(32)),
    sa.Column("course", sa.JSON(none_as_null=True)),
    sa.Column("course_values", sa.JSON(none_as_null=True)),
    sa.Column("person", sa.String(255), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("decided_on", sa.String(10), nullable=False),
    sa.Column("recorded_at", UtcTime, nullable=False),
    sa.Column("withdrawn_by", sa.String(255)),
    sa.Column("withdrawn_why", sa.Text),
    sa.Column("withdrawn_at", UtcTime),
)
"""Decisions of people. Rows are added, and withdrawn once; nothing else changes."""


@dataclass(frozen=True, slots=True)
class KeptOverride:
    """An override as kept; ``withdrawn_by``, ``withdrawn_why`` and ``withdrawn_at`` are set once it no longer holds."""

    number: int
    override: Override
    recorded_at: datetime
    withdrawn_by: str | None = None
    withdrawn_why: str | None = None
    withdrawn_at: datetime | None = None


def record_overrides(store: Store, district: str, overrides: Sequence[Override], *, now: datetime) -> list[int]:
    """Keep decisions; returns their numbers. One that holds already with the same words is not kept twice.

    Raises :class:`DataError` (``gpa.override``) for one that names its course by line: tomorrow's file has other lines.
    """
    if any(each.line is not None for each in overrides):
        raise DataError("A line holds for one file only.", hint="Name the course by its code.", code="gpa.override")
    with store.begin() as connection:
        known = {_words(each.override): each.number for each in _kept(connection, district, withdrawn=False)}
        last = sa.select(sa.func.coalesce(sa.func.max(gpa_overrides.c.number), 0))
        number = int(connection.execute(last.where(gpa_overrides.c.district == district)).scalar_one())
        numbers = []
        for each in overrides:
            if _words(each) not in known:
                number += 1
                known[_words(each)] = number
                row = {"district": district, "number": number, "recorded_at": now, **_row(each)}
                connection.execute(gpa_overrides.insert().values(row))
            numbers.append(known[_words(each)])
    return numbers


def kept_overrides(store: Store, district: str, *, withdrawn: bool = False) -> list[KeptOverride]:
    """The overrides that hold, in the order in which they were recorded; with ``withdrawn``, the others too."""
    with store.begin(read=True) as connection:
        return _kept(connection, district, withdrawn=withdrawn)


def withdraw_override(store: Store, district: str, number: int, *, person: str, reason: str, now: datetime) -> None:
    """Let a decision no longer hold. Raises :class:`ConfigurationError` (``gpa.override-unknown``)."""
    if not person.strip() or not reason.strip():
        raise DataError("A withdrawal needs a person and a reason.", hint="Fill both.", code="gpa.override")
    mine = (gpa_overrides.c.district == district) & (gpa_overrides.c.number == number)
    with store.begin() as connection:
        changed = connection.execute(
            gpa_overrides.update()
            .where(mine & gpa_overrides.c.withdrawn_at.is_(None))
            .values(withdrawn_by=person, withdrawn_why=reason, withdrawn_at=now)
        )
    if changed.rowcount != 1:
        raise ConfigurationError(
            f"There is no override {number} that holds.",
            hint="See `mastery-gateway gpa override list`.",
            code="gpa.override-unknown",
        )


def _kept(connection: Connection, district: str, *, withdrawn: bool) -> list[KeptOverride]:
    query = sa.select(gpa_overrides).where(gpa_overrides.c.district == district).order_by(gpa_overrides.c.number)
    if not withdrawn:
        query = query.where(gpa_overrides.c.withdrawn_at.is_(None))
    return [_override(dict(row)) for row in connection.execute(query).mappings()]


def _words(override: Override) -> tuple[Any, ...]:
    return tuple(str(value) for value in _row(override).values())


def _row(override: Override) -> dict[str, Any]:
    return {
        "student_id": override.student_id,
        "policy": override.policy,
        "gpa": None if override.gpa is None else str(override.gpa),
        "course": dict(override.course) if override.course else None,
        "course_values": dict(override.values) if override.values else None,
        "person": override.person,
        "reason": override.reason,
        "decided_on": override.on.isoformat(),
    }


def _override(row: dict[str, Any]) -> KeptOverride:
    return KeptOverride(
        number=row["number"],
        override=Override(
            student_id=row["student_id"],
            person=row["person"],
            reason=row["reason"],
            on=datetime.fromisoformat(row["decided_on"]).date(),
            gpa=None if row["gpa"] is None else Decimal(row["gpa"]),
            values=row["course_values"],
            policy=row["policy"],
            course=row["course"],
        ),
        recorded_at=row["recorded_at"],
        withdrawn_by=row["withdrawn_by"],
        withdrawn_why=row["withdrawn_why"],
        withdrawn_at=row["withdrawn_at"],
    )
