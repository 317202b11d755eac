"""The plan step: desired records against the ledger; every change with its content as a Parquet file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from gateway.core.digest import content_digests
from gateway.core.exchange import Action
from gateway.core.guard import Reason
from gateway.core.plan import CHANGES_SCHEMA, compare, count_actions, plan_digest
from gateway.store import plans
from gateway.store.ledger import known
from gateway.store.plans import PlanState, SavedPlan
from gateway.sync.work import Work
from gateway.transport.crash import crash_point


def write_desired(folder: Path, entity: str, part: int, rows: pl.DataFrame) -> None:
    """Some of the records that the target shall hold, with their digests; all parts of an entity are its records."""
    (folder / entity).mkdir(parents=True, exist_ok=True)
    digested = rows.with_columns(content_digests(rows, entity))
    digested.write_parquet(folder / entity / f"part-{part:03}.parquet", compression="zstd")


def write_changes(
    work: Work, last_desired: Path | None, *, gone: pl.Series | None = None
) -> Mapping[str, pl.DataFrame]:
    """Compare entity by entity and write the changes with their content; the changes alone are returned.

    ``gone``: the only ids that may be inactivated, where what is desired is not all that the target holds of us."""
    folder = work.folder / "plan"
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, pl.DataFrame] = {}
    for desired in sorted((work.folder / "desired").iterdir()):
        entity = desired.name
        prefix = f"{work.district.id}/{work.sync.target}/{entity}"
        changes = compare(
            pl.scan_parquet(desired / "*.parquet").select("id", "digest").collect(),
            known(work.store, work.district.id, work.sync.target, entity),
            prefix=prefix,
        )
        if not work.sync.push.inactivate:
            changes = changes.filter(pl.col("action") != Action.INACTIVATE.value)
        elif gone is not None:
            changes = changes.filter((pl.col("action") != Action.INACTIVATE.value) | pl.col("id").is_in(gone.implode()))
        before = last_desired / entity if last_desired is not None else None
        content = _content(desired, before, changes)
        changes.lazy().join(content, on="id", how="left", maintain_order="left").sink_parquet(
            folder / f"{entity}.parquet", row_group_size=plans.CHANGES_A_READ
        )
        found[entity] = changes
    return found


def _content(desired: Path, before: Path | None, changes: pl.DataFrame) -> pl.LazyFrame:
    """The records by id; what is inactivated has the content that was last desired, if that is known."""
    content = pl.scan_parquet(desired / "*.parquet").drop("digest")
    gone = changes.filter(pl.col("action") == Action.INACTIVATE.value).select("id")
    if before is None or gone.is_empty() or not before.exists():
        return content
    last = pl.scan_parquet(before / "*.parquet").drop("digest").join(gone.lazy(), on="id", how="semi")
    if last.collect_schema() != content.collect_schema():
        return content
    return pl.concat([content, last])


def save(
    work: Work, changes: Mapping[str, pl.DataFrame], *, reasons: Sequence[Reason], base: str | None, snapshot: str
) -> SavedPlan:
    """Save the plan: what it would do, and whether a guard holds it."""
    plan = SavedPlan(
        district=work.district.id,
        plan_id=work.run.run_id,
        run_id=work.run.run_id,
        sync=work.sync.name,
        target=work.sync.target,
        digest=plan_digest(changes),
        state=PlanState.HELD if reasons else PlanState.READY,
        created_at=work.now(),
        counts={entity: count_actions(rows) for entity, rows in changes.items()},
        reasons=tuple(reasons),
        base=base,
        snapshot=snapshot,
    )
    with work.commit() as connection:
        plans.supersede(connection, work.district.id, work.sync.name, plan.plan_id)
        plans.insert(connection, plan)
        crash_point("plan.in-transaction")
    crash_point("plan.after-save")
    return plan


def changes_of(folder: Path) -> dict[str, pl.DataFrame]:
    """The saved changes by entity, without their content."""
    files = {file.stem: file for file in (folder / "plan").glob("*.parquet")}
    return {
        entity: pl.read_parquet(files[entity], columns=list(CHANGES_SCHEMA)) for entity in plans.in_order(list(files))
    }
