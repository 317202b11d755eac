"""Snapshots: one complete, checked pull of a source as Parquet files, immutable once it is written.

``<folder>/<table>/part-000.parquet`` holds the typed rows (with :data:`gateway.core.presence.MISSING` for records),
student tables in ``parts`` partitions; ``<folder>/quarantine/<table>.parquet`` the quarantine rows, and
``<folder>/set-aside/<table>.parquet`` the raw rows behind them, to be checked again. ``manifest.json`` comes last.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.core.check import QUARANTINE_SCHEMA
from gateway.core.guard import Churn
from gateway.core.partition import PARTITIONED_TABLES, part_of
from gateway.core.presence import present
from gateway.store.database import Store
from gateway.store.schema import snapshots
from gateway.transport.atomic import atomic_file

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A finished snapshot on disk: rows by table, the churn against the snapshot before it, and what was tolerated."""

    folder: Path
    parts: int
    rows: Mapping[str, int]
    churn: Mapping[str, Churn] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.folder.name

    def has(self, table: str) -> bool:
        return table in self.rows

    def part_path(self, table: str, part: int) -> Path:
        return part_path(self.folder, table, part)

    def all_rows(self, table: str) -> pl.LazyFrame:
        """Every row of a table with the bookkeeping column."""
        return pl.scan_parquet(sorted((self.folder / table).glob("part-*.parquet")), missing_columns="raise")

    def read(self, table: str, *, gone_after: int, part: int | None = None) -> pl.DataFrame:
        """The rows of a table that count as present, of one part or all."""
        frame = self.all_rows(table) if part is None else pl.scan_parquet(self.part_path(table, part))
        return present(frame, gone_after=gone_after).collect()

    def previous_rows(self, table: str, part: int, parts: int) -> pl.DataFrame:
        """All rows that belong into ``part`` of ``parts``, for the next snapshot, however this one was cut."""
        if table not in PARTITIONED_TABLES:
            return self.all_rows(table).collect()
        if parts == self.parts:
            return pl.read_parquet(self.part_path(table, part))
        rows = self.all_rows(table).collect()
        if "student_id" in rows.columns:
            return rows.filter(part_of(rows["student_id"], parts) == part)
        results = self.all_rows("results").select("id", "student_id").collect()
        mine = results.filter(part_of(results["student_id"], parts) == part)["id"]
        return rows.filter(pl.col("result_id").is_in(mine.implode()))

    def quarantine(self) -> pl.DataFrame:
        """All quarantine rows, by table, source and line."""
        files = sorted((self.folder / "quarantine").glob("*.parquet"))
        if not files:
            return pl.DataFrame(schema=dict(QUARANTINE_SCHEMA))
        return pl.concat([pl.read_parquet(file) for file in files]).sort("table", "_source", "_line", "field")

    def set_aside(self, table: str) -> pl.DataFrame | None:
        """The raw rows of a table that are in quarantine."""
        path = self.folder / "set-aside" / f"{table}.parquet"
        return pl.read_parquet(path) if path.exists() else None


def part_path(folder: Path, table: str, part: int) -> Path:
    return folder / table / f"part-{part:03}.parquet"


def write_manifest(snapshot: Snapshot) -> None:
    """The last file: a folder without it is no snapshot."""
    content = {
        "parts": snapshot.parts,
        "rows": dict(snapshot.rows),
        "churn": {table: asdict(churn) for table, churn in snapshot.churn.items()},
        "notes": dict(snapshot.notes),
        "quarantined": dict(snapshot.quarantined),
        "warnings": list(snapshot.warnings),
    }
    with atomic_file(snapshot.folder / MANIFEST) as file:
        file.write(json.dumps(content, indent=1, sort_keys=True).encode())


def read_snapshot(folder: Path) -> Snapshot | None:
    """The snapshot in ``folder``, or ``None`` if it was not finished."""
    try:
        content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Snapshot(
        folder,
        content["parts"],
        content["rows"],
        {table: Churn(**churn) for table, churn in content["churn"].items()},
        content["notes"],
        content["quarantined"],
        tuple(content["warnings"]),
    )


def register(
    connection: Connection, district: str, source: str, snapshot_id: str, run_id: str, *, state: str, now: datetime
) -> None:
    """Note a snapshot as a ``candidate`` or as ``good``; a good one is what the next pull is compared with."""
    key = {"district": district, "connection": source, "snapshot_id": snapshot_id}
    mine = sa.and_(*(snapshots.c[name] == value for name, value in key.items()))
    if connection.execute(sa.update(snapshots).where(mine).values(state=state)).rowcount == 0:
        connection.execute(sa.insert(snapshots).values(**key, run_id=run_id, state=state, taken_at=now))


def last_good(store: Store, district: str, source: str) -> dict[str, Any] | None:
    """The row of the latest good snapshot of a source: what ``base`` means in a plan."""
    return store.row(_LAST_GOOD, {"of": district, "source": source})


_LAST_GOOD = (
    sa.select(snapshots)
    .where(
        snapshots.c.district == sa.bindparam("of"),
        snapshots.c.connection == sa.bindparam("source"),
        snapshots.c.state == "good",
    )
    .order_by(snapshots.c.taken_at.desc(), snapshots.c.snapshot_id.desc())
    .limit(1)
)


def forget_old(store: Store, district: str, source: str, root: Path, *, keep: int) -> list[str]:
    """Delete all snapshots of a source but the last ``keep`` good ones and the newest of any state."""
    query = sa.select(snapshots).where(snapshots.c.district == district, snapshots.c.connection == source)
    rows = store.rows(query.order_by(snapshots.c.taken_at.desc(), snapshots.c.snapshot_id.desc()))
    good = [row["snapshot_id"] for row in rows if row["state"] == "good"]
    kept = {*good[:keep], *(row["snapshot_id"] for row in rows[:1])}
    gone = [row["snapshot_id"] for row in rows if row["snapshot_id"] not in kept]
    for snapshot_id in gone:
        shutil.rmtree(root / snapshot_id, ignore_errors=True)
        with store.begin() as connection:
            connection.execute(
                sa.delete(snapshots).where(
                    snapshots.c.district == district,
                    snapshots.c.connection == source,
                    snapshots.c.snapshot_id == snapshot_id,
                )
            )
    return gone
