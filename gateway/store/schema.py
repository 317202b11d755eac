"""The database tables. A district is part of every primary key; times are UTC.

The migrations under ``migrations/versions`` build exactly these tables; a test compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData()


class UtcTime(TypeDecorator[datetime]):
    """An aware time, stored as UTC without a zone: SQLite has no zones, and PostgreSQL shall not convert."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None


def named(column: str) -> Column[str]:
    """A text column that is part of the primary key."""
    return Column(column, String(255), primary_key=True)


runs = Table(
    "runs",
    metadata,
    named("district"),
    named("run_id"),
    Column("sync", String(255), nullable=False),
    Column("run_key", String(64)),
    Column("state", String(32), nullable=False),
    Column("step", String(32), nullable=False),
    Column("until", String(32), nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("since", UtcTime),
    Column("plan_id", String(64)),
    Column("report", JSON, nullable=False),
    UniqueConstraint("district", "sync", "run_key"),
)
"""One row per run. ``run_key``: the local date of a scheduled run, one run each. ``step``: the last one finished."""

streams = Table(
    "staged_streams",
    metadata,
    named("district"),
    named("run_id"),
    named("stream"),
    Column("mode", String(16), nullable=False),
    Column("tables", JSON, nullable=False),
    Column("complete", Boolean, nullable=False),
)

pages = Table(
    "staged_pages",
    metadata,
    named("district"),
    named("run_id"),
    named("stream"),
    Column("page", Integer, primary_key=True, autoincrement=False),
    Column("files", JSON, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("resume", Text),
    Column("warnings", JSON, nullable=False),
)
"""One row per staged page. The page's files and the cursor behind it (``resume``) become valid in one commit."""

snapshots = Table(
    "snapshots",
    metadata,
    named("district"),
    named("connection"),
    named("snapshot_id"),
    Column("run_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("taken_at", UtcTime, nullable=False),
)

plans = Table(
    "plans",
    metadata,
    named("district"),
    named("plan_id"),
    Column("run_id", String(64), nullable=False),
    Column("sync", String(255), nullable=False),
    Column("target", String(255), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(32), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("base", String(64)),
    Column("snapshot", String(64), nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    named("district"),
    named("plan_id"),
    Column("decision", String(32), nullable=False),
    Column("by", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)
"""Who decided on a held plan, once: the primary key lets nobody decide twice."""

ledger = Table(
    "ledger",
    metadata,
    named("district"),
    named("target"),
    named("entity"),
    named("id"),
    Column("state", String(16), nullable=False),
    Column("digest", String(64)),
    Column("accepted_digest", String(64)),
    Column("remote_id", String(255)),
    Column("run_id", String(64), nullable=False),
    Column("code", String(128)),
    Column("message", Text),
    Column("sent_at", UtcTime, nullable=False),
    Column("answered_at", UtcTime),
)
Index("ledger_state", ledger.c.district, ledger.c.target, ledger.c.state)

disclosures = Table(
    "disclosures",
    metadata,
    named("district"),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("code", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("student_id", String(255)),
    Column("rules", JSON, nullable=False),
    Column("approximate", Boolean, nullable=False),
    Column("inputs_digest", String(64), nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("recipient", String(255), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("issued_by", String(255), nullable=False),
    Column("issued_at", UtcTime, nullable=False),
    Column("replaces", String(32)),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    UniqueConstraint("district", "code"),
)
Index("disclosures_student", disclosures.c.district, disclosures.c.student_id)
"""Every document that was issued, in order. ``digest`` covers the row and ``previous``, the digest of the row before:
what is changed or removed later shows. Triggers refuse to change or delete a row."""

leases = Table(
    "leases",
    metadata,
    named("district"),
    named("connection"),
    Column("owner", String(255), nullable=False),
    Column("fencing", Integer, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)
"""Who works on a connection. Every commit of a run renews its lease under its fencing number, or fails."""
