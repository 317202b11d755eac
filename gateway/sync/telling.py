"""Records that are told to a connection outside a sync (GPAs, course attempts): a plan against the ledger, the guards,
and the push, as for the records of a sync.

Each push tells of some records only: of a term, of a school. What earlier pushes told stays, and is remembered with
its content (``told/`` of the run), so that a record that is no longer among those of its own kind can be withdrawn
when a person says so. A push that was killed is simply started again; what was accepted is not sent again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.errors import ConfigurationError
from gateway.core.exchange import Target
from gateway.core.guard import Guards, judge_plan
from gateway.core.plan import count_actions
from gateway.settings import District, SyncSettings, open_connection
from gateway.settings.district import PushSettings
from gateway.store import Store
from gateway.store import runs as run_store
from gateway.store.leases import hold
from gateway.store.plans import PlanState, SavedPlan
from gateway.store.runs import RunState, Step
from gateway.sync.planning import save, write_changes, write_desired
from gateway.sync.report import RunReport
from gateway.sync.run import finish, push_plan
from gateway.sync.work import Progress, Work


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record that is told so. ``people``: what the records are called; ``scope``: the columns of which a push
    tells the whole; ``slot``: those of which a new record takes the place of an earlier one, with another id."""

    entity: str
    people: str
    scope: tuple[str, ...]
    slot: tuple[str, ...] = ()

    def sync_name(self, connection: str) -> str:
        """What a push of these to a connection is called."""
        return f"{self.people} to {connection}"


GPAS = Kind("gpas", "gpas", ("school_id", "school_year", "term", "type", "cumulative"))
ATTEMPTS = Kind(
    "course_attempts", "transcripts", ("school_id", "school_year", "term"),
    slot=("school_id", "school_year", "term", "student_id", "course_code"),
)  # fmt: skip
_KINDS = (GPAS, ATTEMPTS)


def tell(
    district: District,
    connection: str,
    kind: Kind,
    rows: pl.DataFrame,
    *,
    store: Store,
    now: Callable[[], datetime],
    withdraw: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    adapters: Mapping[str, Any] | None = None,
) -> RunReport:
    """Plan and push ``rows`` to a connection; ``dry_run``: the plan alone, which ``apply`` pushes later. ``withdraw``:
    what we told earlier of the same scope, and is not among ``rows``, goes.

    Raises :class:`ConfigurationError` (``gpa.target``) for a connection that does not take them.
    """
    target = open_connection(district, connection, now=now, adapters=adapters)
    with closing(target), hold(store, district.id, [connection], now) as lease:
        if not isinstance(target, Target) or kind.entity not in target.entities():
            raise ConfigurationError(
                f'The connection "{connection}" takes no {"GPAs" if kind is GPAS else kind.people}.',
                hint="Name a connection that does, such as one of the connector edfi whose `target` says so.",
                code="gpa.target",
            )
        sync = telling_sync(kind, connection, withdraw=withdraw)
        run = run_store.begin(
            store, district.id, sync.name, now=now(), since=None, run_key=None, until="plan" if dry_run else "push"
        )
        work = Work(district, sync, store, lease, run, now, progress or _silent, stop or threading.Event())
        return finish(work, lambda: _steps(work, kind, rows, target, withdraw=withdraw, dry_run=dry_run))


def telling_sync(kind: Kind, connection: str, *, withdraw: bool = False) -> SyncSettings:
    """How such a push goes, as a sync."""
    return SyncSettings(
        name=kind.sync_name(connection), source=connection, framework=None, mapping=Path(), target=connection,
        push=PushSettings(category="", inactivate=withdraw or bool(kind.slot)),
        schedule=None, grace=timedelta(0), overlap=timedelta(0),
        missing_pulls=1, read_back=20, guards=Guards(),
    )  # fmt: skip


def sync_of(district: District, plan: SavedPlan) -> SyncSettings:
    """The settings by which a plan was made: those of its sync, or of what was told."""
    for kind in _KINDS:
        if plan.sync == kind.sync_name(plan.target):
            return telling_sync(kind, plan.target)
    return district.sync(plan.sync)


def _steps(work: Work, kind: Kind, rows: pl.DataFrame, target: Target, *, withdraw: bool, dry_run: bool) -> RunState:
    before = _told_before(work)
    earlier = pl.read_parquet(before / kind.entity / "*.parquet").drop("digest") if before else rows.clear()
    earlier = earlier.join(rows.select("id"), on="id", how="anti")
    write_desired(work.folder / "desired", kind.entity, 0, rows)
    write_desired(work.folder / "told", kind.entity, 0, pl.concat([rows, earlier], how="diagonal"))
    replaced = kind.scope if withdraw else kind.slot
    gone = _alike(earlier, rows, replaced)["id"] if replaced else earlier["id"].clear()
    changes = write_changes(work, work.folder / "told", gone=gone)
    counts = {entity: count_actions(changed) for entity, changed in changes.items()}
    reasons = judge_plan(counts, work.sync.guards)
    plan = save(work, changes, reasons=reasons, base=None, snapshot="")
    told = {
        "digest": plan.digest,
        "base": None,
        "counts": {entity: {a.value: n for a, n in actions.items()} for entity, actions in counts.items()},
        "reasons": [asdict(reason) for reason in reasons],
    }
    work.advance(step=Step.GUARD.value, report={"plan": told}, plan_id=plan.plan_id)
    if plan.state is PlanState.HELD:
        return RunState.HELD
    return RunState.PLANNED if dry_run else push_plan(work, plan, target)


def _alike(earlier: pl.DataFrame, rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The earlier records that are of a scope, or in a slot, of the present ones."""
    return earlier.join(rows.select(columns).unique(), on=columns, how="semi", nulls_equal=True)


def _told_before(work: Work) -> Path | None:
    """Where the newest earlier push keeps all that was told so far; only one that came as far as a plan is whole."""
    earlier: Sequence[run_store.Run] = run_store.listed(work.store, work.district.id, sync=work.sync.name, most=50)
    for run in earlier:
        folder = work.district.data / "runs" / run.run_id / "told"
        if run.run_id != work.run.run_id and run.plan_id is not None and folder.is_dir():
            return folder
    return None


def _silent(step: str, done: int, total: int | None) -> None:
    """No progress is shown."""
