"""Computed GPAs on their way back: a plan against the ledger, the guards, and the push, as for the records of a sync.

The rows are those of the canonical table ``gpas``. Nothing is withdrawn: one course file says nothing of the GPAs that
others told of. A push that was killed is simply started again; what was accepted is not sent again.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.errors import ConfigurationError
from gateway.core.exchange import Target
from gateway.core.gpa.policy import Policy
from gateway.core.gpa.result import Period, State
from gateway.core.gpa.scale_range import gpa_range
from gateway.core.guard import Guards, judge_plan
from gateway.core.model import TABLES
from gateway.core.plan import count_actions
from gateway.core.records import NAMESPACE
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

ENTITY = "gpas"
_PREFIX = "gpas to "
_TOLD = (State.COMPUTED.value, State.OVERRIDDEN.value)
"""The states of a GPA that may be told to another system: whole ones."""


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Where the values belong: school year and term of the academic record, and the school of students for whom the
    table of students names none."""

    school_year: str
    term: str
    as_of: date
    school_id: str | None = None


def desired_gpas(
    results: pl.DataFrame,
    students: pl.DataFrame | None,
    policies: Sequence[Policy],
    place: RecordPlace,
    *,
    district: str,
) -> pl.DataFrame:
    """The rows of ``gpas`` for cumulative ``results``. Values of a policy whose school aggregates no GPA are none.

    Raises :class:`ConfigurationError` (``gpa.no-school``) when the school of a student is not known.
    """
    kept = {each.name: str(gpa_range(each)[1]) for each in policies if each.aggregate == "always"}
    rows = results.filter(
        pl.col("state").is_in(_TOLD)
        & (pl.col("period") == Period.CUMULATIVE.value)
        & pl.col("policy").is_in(list(kept))
    ).select("student_id", "policy", "version", pl.col("gpa").alias("value"))
    rows = _with_schools(rows, students, place).with_columns(
        pl.lit("active").alias("status"),
        pl.lit(place.school_year).alias("school_year"),
        pl.lit(place.term).alias("term"),
        pl.col("policy").alias("type"),
        pl.col("policy").replace_strict(kept, return_dtype=pl.String).alias("maximum"),
        pl.lit(True).alias("cumulative"),
        pl.lit(place.as_of).alias("as_of"),
    )
    about = [
        str(uuid.uuid5(NAMESPACE, "/".join((district, "gpa", student, school, place.school_year, place.term))))
        for student, school in rows.select("student_id", "school_id").iter_rows()
    ]
    rows = rows.with_columns(
        pl.concat_str(pl.Series(about, dtype=pl.String), pl.col("policy"), separator=".").alias("id")
    )
    declared = TABLES[ENTITY].schema
    return rows.select(
        pl.col(name).cast(dtype) if name in rows.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in declared.items()
    ).sort("id")


def _with_schools(rows: pl.DataFrame, students: pl.DataFrame | None, place: RecordPlace) -> pl.DataFrame:
    own = pl.lit(place.school_id, pl.String)
    if students is not None and "school_id" in students.columns:
        schools = students.select("student_id", pl.col("school_id").cast(pl.String)).unique("student_id")
        rows = rows.join(schools, on="student_id", how="left").with_columns(pl.col("school_id").fill_null(own))
    else:
        rows = rows.with_columns(own.alias("school_id"))
    lacking = rows["school_id"].null_count()
    if lacking:
        raise ConfigurationError(
            f"The school of {lacking:,} GPAs is not known.",
            hint="Give a table of students with school_id (--students), or one school for all (--school).",
            code="gpa.no-school",
        )
    return rows


def push_gpas(
    district: District,
    connection: str,
    rows: pl.DataFrame,
    *,
    store: Store,
    now: Callable[[], datetime],
    dry_run: bool = False,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    adapters: Mapping[str, Any] | None = None,
) -> RunReport:
    """Plan and push ``rows`` of ``gpas`` to a connection; ``dry_run``: the plan alone, which ``apply`` pushes later.

    Raises :class:`ConfigurationError` (``gpa.target``) for a connection that takes no GPAs.
    """
    target = open_connection(district, connection, now=now, adapters=adapters)
    with closing(target), hold(store, district.id, [connection], now) as lease:
        if not isinstance(target, Target) or ENTITY not in target.entities():
            raise ConfigurationError(
                f'The connection "{connection}" takes no GPAs.',
                hint="Name a connection that does, such as one of the connector edfi.",
                code="gpa.target",
            )
        sync = gpa_sync(connection)
        run = run_store.begin(
            store, district.id, sync.name, now=now(), since=None, run_key=None, until="plan" if dry_run else "push"
        )
        work = Work(district, sync, store, lease, run, now, progress or _silent, stop or threading.Event())
        return finish(work, lambda: _steps(work, rows, target, dry_run=dry_run))


def gpa_sync(connection: str) -> SyncSettings:
    """What a push of GPAs to a connection is called, and how it goes: nothing is inactivated."""
    return SyncSettings(
        name=f"{_PREFIX}{connection}", source=connection, framework=None, mapping=Path(), target=connection,
        push=PushSettings(category="", inactivate=False), schedule=None, grace=timedelta(0), overlap=timedelta(0),
        missing_pulls=1, read_back=20, guards=Guards(),
    )  # fmt: skip


def sync_of(district: District, plan: SavedPlan) -> SyncSettings:
    """The settings by which a plan was made: those of its sync, or of a push of GPAs."""
    if plan.sync == f"{_PREFIX}{plan.target}":
        return gpa_sync(plan.target)
    return district.sync(plan.sync)


def _steps(work: Work, rows: pl.DataFrame, target: Target, *, dry_run: bool) -> RunState:
    write_desired(work.folder / "desired", ENTITY, 0, rows)
    changes = write_changes(work, None)
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


def _silent(step: str, done: int, total: int | None) -> None:
    """No progress is shown."""
