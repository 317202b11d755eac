"""Looking at quarantine, and giving what is in it another chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from gateway.core.check import empty_quarantine
from gateway.core.errors import ConfigurationError
from gateway.core.model import LINE, SOURCE
from gateway.settings import District
from gateway.store import Store
from gateway.store import runs as run_store
from gateway.store.snapshots import Snapshot, read_snapshot


def latest_snapshot(store: Store, district: District, sync_name: str | None) -> Snapshot | None:
    """The newest checked pull of a sync, good or not."""
    sync = district.sync(sync_name)
    for run in run_store.listed(store, district.id, sync=sync.name):
        snapshot = read_snapshot(district.data / "snapshots" / sync.source / run.run_id)
        if snapshot is not None:
            return snapshot
    return None


def list_quarantine(
    store: Store, district: District, sync_name: str | None = None, *, table: str | None = None, code: str | None = None
) -> pl.DataFrame:
    """The quarantine rows of the newest pull: record, fault, reason, place; filtered by table and by code."""
    snapshot = latest_snapshot(store, district, sync_name)
    rows = snapshot.quarantine() if snapshot else empty_quarantine()
    for column, wanted in (("table", table), ("code", code)):
        if wanted is not None:
            rows = rows.filter(pl.col(column) == wanted)
    return rows


def summarise(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Quarantine grouped by cause, most frequent first, each with its first place."""
    return (
        rows.group_by("table", "code", "field")
        .agg(
            pl.struct(SOURCE, LINE).n_unique().alias("records"),
            pl.col("reason").first(),
            pl.concat_str(pl.col(SOURCE), pl.lit(":"), pl.col(LINE).cast(pl.String), ignore_nulls=True)
            .first()
            .alias("first"),
        )
        .sort(["records", "table", "code", "field"], descending=[True, False, False, False])
        .to_dicts()
    )


def show_quarantine(
    store: Store, district: District, table: str, record_id: str, sync_name: str | None = None
) -> Mapping[str, Any]:
    """One record in quarantine: its faults, the fields that the source delivered (masked where they failed), the last
    good version's presence, and which records wait for it.

    Raises :class:`ConfigurationError` (``quarantine.unknown``).
    """
    rows = list_quarantine(store, district, sync_name)
    mine = rows.filter((pl.col("table") == table) & (pl.col("id") == record_id))
    if mine.is_empty():
        raise ConfigurationError(
            f"There is no record {record_id} of {table} in quarantine.",
            hint="See `mastery-gateway quarantine list`.",
            code="quarantine.unknown",
        )
    snapshot = latest_snapshot(store, district, sync_name)
    good = False
    if snapshot is not None and snapshot.has(table) and "id" in snapshot.all_rows(table).collect_schema().names():
        good = not snapshot.all_rows(table).filter(pl.col("id") == record_id).head(1).collect().is_empty()
    waiting = rows.filter(pl.col("waits_for") == f"{table}/{record_id}")
    return {
        "table": table,
        "id": record_id,
        "faults": mine.drop("table", "id").to_dicts(),
        "last_good_version": good,
        "waiting": waiting.select("table", "id").to_dicts(),
    }
