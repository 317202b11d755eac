"""The end of a good run: its snapshot becomes the one that the next pull is compared with."""

from __future__ import annotations

import shutil

import polars as pl

from gateway.core.presence import MISSING
from gateway.store import plans, snapshots
from gateway.store import runs as run_store
from gateway.store.plans import PlanState, SavedPlan
from gateway.store.snapshots import read_snapshot
from gateway.sync.work import Work


def promote(work: Work, plan: SavedPlan) -> None:
    """Make the plan's snapshot the good one, mark the plan applied, and clear away what is no longer needed.

    A plan that comes from no pull has no snapshot."""
    if not plan.snapshot:
        with work.commit() as connection:
            plans.set_state(connection, work.district.id, plan.plan_id, PlanState.APPLIED)
        _clear_away_runs(work)
        return
    if plan.state is PlanState.ADDITIONS:
        _forgive_absences(work, plan)
    with work.commit() as connection:
        snapshots.register(
            connection, work.district.id, work.sync.source, plan.snapshot, plan.run_id,
            state="good", now=work.run.started_at,
        )  # fmt: skip
        plans.set_state(connection, work.district.id, plan.plan_id, PlanState.APPLIED)
    _clear_away(work)


BULKY = ("stage", "check", "desired", "plan", "told")
"""What a run leaves behind that nobody needs once newer runs are good; its levels and its report stay."""


def _clear_away(work: Work) -> None:
    """Keep as many snapshots, and as many runs with all their files, as the district's file says."""
    keep = work.district.retention.snapshots
    snapshots.forget_old(work.store, work.district.id, work.sync.source, work.snapshots, keep=keep)
    _clear_away_runs(work)


def _clear_away_runs(work: Work) -> None:
    keep = work.district.retention.snapshots
    older = run_store.listed(work.store, work.district.id, sync=work.sync.name, most=10_000)
    for number, run in enumerate(older):
        for name in BULKY if number >= keep else ("stage", "check"):
            shutil.rmtree(work.district.data / "runs" / run.run_id / name, ignore_errors=True)


def _forgive_absences(work: Work, plan: SavedPlan) -> None:
    """Whoever allowed additions and updates only said that the missing are not gone: absences count as they did in
    the snapshot before. Each file is replaced whole, and doing it twice gives the same."""
    candidate = read_snapshot(work.snapshots / plan.snapshot)
    base = read_snapshot(work.snapshots / plan.base) if plan.base else None
    if candidate is None or base is None:
        return
    for table in candidate.rows:
        if not base.has(table) or MISSING not in base.all_rows(table).collect_schema().names():
            continue
        was = base.all_rows(table).filter(pl.col(MISSING) > 0).select("id", pl.col(MISSING).alias("_was")).collect()
        for file in sorted((candidate.folder / table).glob("part-*.parquet")):
            rows = pl.read_parquet(file, memory_map=False).join(was, on="id", how="left", maintain_order="left")
            forgiven = pl.when(pl.col(MISSING) > 0).then(pl.col("_was").fill_null(0)).otherwise(0).cast(pl.UInt8)
            part = file.with_suffix(".part")
            rows.with_columns(forgiven.alias(MISSING)).drop("_was").write_parquet(part, compression="zstd")
            part.replace(file)
