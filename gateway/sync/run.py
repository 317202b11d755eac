"""A run from begin to end: pull, check, map, plan, guard, push, verify; each step goes on from what the last one left.

The step that a run has finished stands in the database; a run that was killed is continued by the next start of its
sync, at the step, page or batch that it had reached.
"""

from __future__ import annotations

import errno
import logging
import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from gateway.core.errors import (
    AuthorizationError,
    ConfigurationError,
    GatewayError,
    IncompletePullError,
    TransientError,
)
from gateway.core.exchange import Source, Target
from gateway.core.guard import judge_plan, judge_pull
from gateway.core.plan import count_actions
from gateway.settings import District, SyncSettings, open_connection
from gateway.store import Store, ledger, plans, snapshots
from gateway.store import runs as run_store
from gateway.store.leases import hold
from gateway.store.plans import PlanState, SavedPlan
from gateway.store.runs import RESUME_WITHIN, Run, RunState, Step
from gateway.store.snapshots import Snapshot, read_snapshot
from gateway.store.staging import staged
from gateway.sync.check import Check, Rules, streams_to_retry
from gateway.sync.events import announce_end
from gateway.sync.framework import pull_framework
from gateway.sync.mapping import map_snapshot
from gateway.sync.planning import save, write_changes
from gateway.sync.promote import promote
from gateway.sync.pull import pull
from gateway.sync.push import push
from gateway.sync.report import RunReport, write_report
from gateway.sync.verify import verify
from gateway.sync.work import Progress, StopRequested, Work
from gateway.transport.crash import crash_point

log = logging.getLogger(__name__)

_ORDER = list(Step)


def _silent(step: str, done: int, total: int | None) -> None:
    """No progress is shown."""


def run_sync(
    district: District,
    sync_name: str | None,
    *,
    store: Store,
    now: Callable[[], datetime],
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    until: str = "push",
    run_key: str | None = None,
    retry: bool = False,
    adapters: Mapping[str, Any] | None = None,
) -> RunReport:
    """Run a sync, or go on with its interrupted run, as far as ``until`` (``pull``, ``plan`` or ``push``).

    ``run_key`` (a local date) makes it the scheduled run of that date: a second call returns the first one's report.
    ``retry`` pulls nothing and checks again what is in quarantine.
    Problems of one run are in its report; raised are only errors before a run exists (:class:`LockedError`,
    :class:`ConfigurationError`).
    """
    sync = district.sync(sync_name)
    source, target = (
        open_connection(district, name, now=now, adapters=adapters) for name in (sync.source, sync.target)
    )
    if not isinstance(source, Source) or not isinstance(target, Target):
        raise ConfigurationError("The sync's connections are not a source and a target.", code="sync.roles")
    with closing(source), closing(target), hold(store, district.id, _connections(sync), now) as lease:
        run = _claim(store, district, sync, now=now, until=until, run_key=run_key, retry=retry)
        if run.state is not RunState.RUNNING:
            return RunReport(run, district.data / "runs" / run.run_id)
        work = Work(district, sync, store, lease, run, now, progress or _silent, stop or threading.Event())
        return finish(work, lambda: _steps(work, source, target, until, adapters or {}))


def _connections(sync: SyncSettings) -> list[str]:
    """The connections that nobody else may work on meanwhile."""
    return [name for name in (sync.source, sync.framework, sync.target) if name is not None]


def _claim(
    store: Store,
    district: District,
    sync: SyncSettings,
    *,
    now: Callable[[], datetime],
    until: str,
    run_key: str | None,
    retry: bool,
) -> Run:
    """The run to work on: the interrupted one, the finished one of this date, or a new one."""
    if run_key is not None:
        done = run_store.by_key(store, district.id, sync.name, run_key)
        if done is not None and done.state not in run_store.UNFINISHED:
            return done
    waiting = run_store.unfinished(store, district.id, sync.name, pulled=until == "plan")
    if waiting is not None:
        fresh = now() - waiting.started_at <= RESUME_WITHIN and run_key in (None, waiting.run_key)
        state = RunState.RUNNING if fresh else RunState.ABANDONED
        with store.begin() as connection:
            run_store.advance(connection, waiting, state=state.value, until=until)
        if fresh:
            return _stored(store, waiting)
        shutil.rmtree(district.data / "runs" / waiting.run_id / "stage", ignore_errors=True)
    good = snapshots.last_good(store, district.id, sync.source)
    before = run_store.found(store, district.id, good["run_id"]) if good else None
    since = before.started_at - sync.overlap if before else None
    try:
        return run_store.begin(
            store, district.id, sync.name, now=now(), since=since, run_key=run_key, until=until, retry=retry
        )
    except IntegrityError:
        found = run_store.by_key(store, district.id, sync.name, run_key or "")
        if found is None:
            raise
        return found


def _stored(store: Store, run: Run) -> Run:
    return run_store.found(store, run.district, run.run_id) or run


def finish(work: Work, steps: Callable[[], RunState]) -> RunReport:
    """Carry the steps out, and store and write how the run ended."""
    problem: GatewayError | None = None
    try:
        state = steps()
    except StopRequested as error:
        state, problem = RunState.STOPPED, error
    except (IncompletePullError, TransientError, AuthorizationError) as error:
        state, problem = RunState.INCOMPLETE, error
    except GatewayError as error:
        state, problem = RunState.FAILED, error
    except OSError as error:
        state, problem = RunState.INCOMPLETE, _disk(error)
    report = {**_stored(work.store, work.run).report}
    report.pop("problem", None)
    if problem is not None:
        report["problem"] = problem.as_dict()
    if state is RunState.DONE:
        crash_point("run.before-done")
    with work.commit() as connection:
        run_store.advance(connection, work.run, state=state.value, report=report, ended_at=work.now())
        announce_end(connection, work, state, report)
    found = RunReport(_stored(work.store, work.run), work.folder)
    write_report(found)
    _log(work, state, problem)
    return found


def _disk(error: OSError) -> TransientError:
    return TransientError(
        f"A file of the run could not be read or written: {error.strerror or type(error).__name__}.",
        hint="See whether the disk is full and the data folder may be written; then run again, it goes on here.",
        code="disk.full" if error.errno == errno.ENOSPC else "disk",
        detail=str(error),
    )


def _log(work: Work, state: RunState, problem: GatewayError | None) -> None:
    """How the run ended, without personal data: states and codes only."""
    about = {"district": work.district.id, "sync": work.sync.name, "run": work.run.run_id, "state": state.value}
    if problem is None:
        log.info("A run has ended.", extra=about)
    else:
        log.error("A run has ended with a problem.", extra={**about, "code": problem.code})


def _steps(work: Work, source: Source, target: Target, until: str, adapters: Mapping[str, Any]) -> RunState:
    """All steps that are not done yet."""
    if _ORDER.index(work.run.step) < _ORDER.index(Step.PULL):
        _pull(work, source)
    snapshot = _check(work)
    if until == "pull":
        return RunState.PULLED
    if _ORDER.index(_stored(work.store, work.run).step) < _ORDER.index(Step.MAP):
        takes = "competencies" in target.entities()
        mapped = map_snapshot(work, snapshot, pull_framework(work, adapters), competencies=takes)
        _note(work, Step.MAP, "map", mapped)
        work.breathe()
    plan = plans.found(work.store, work.district.id, work.run.run_id) or _plan(work, snapshot)
    if plan.state is PlanState.HELD:
        return RunState.HELD
    if until == "plan":
        return RunState.PLANNED
    return push_plan(work, plan, target)


def _note(work: Work, step: Step, name: str, found: Mapping[str, Any], **values: Any) -> None:
    """Add a step's counts to the run's report and mark the step done, in one commit."""
    report = {**_stored(work.store, work.run).report, name: dict(found)}
    work.advance(step=step.value, report=report, **values)


def _pull(work: Work, source: Source) -> None:
    found = {} if work.run.report.get("retry") else pull(work, source)
    streams = {
        name: {"rows": one.rows, "pages": one.pages, "mode": one.stream.mode.value} for name, one in found.items()
    }
    warnings = [warning for one in found.values() for warning in one.warnings]
    _note(work, Step.PULL, "pull", {"streams": streams, "warnings": list(dict.fromkeys(warnings))})


def _check(work: Work) -> Snapshot:
    """The candidate snapshot of this run, made now or by an earlier start."""
    folder = work.snapshots / work.run.run_id
    done = read_snapshot(folder)
    if done is not None:
        return done
    good = snapshots.last_good(work.store, work.district.id, work.sync.source)
    previous = read_snapshot(work.snapshots / good["snapshot_id"]) if good else None
    connection = work.district.connection(work.sync.source)
    retry = previous is not None and bool(work.run.report.get("retry"))
    rules = Rules(work.sync.missing_pulls, connection.dates, connection.extra_credit, absence_counts=not retry)
    pulled = staged(work.store, work.district.id, work.run.run_id, work.folder / "stage")
    if previous is not None and retry:
        pulled = streams_to_retry(previous)
    check = Check(pulled, previous, rules, work=work.folder / "check", folder=folder)
    for number, table in enumerate(check.run()):
        work.progress(f"check {table}", number, None)
        work.breathe()
    snapshot = read_snapshot(folder)
    if snapshot is None:
        raise FileNotFoundError(folder)
    with work.commit() as database:
        snapshots.register(
            database, work.district.id, work.sync.source, snapshot.id, work.run.run_id,
            state="candidate", now=work.run.started_at,
        )  # fmt: skip
    tables = {name: {"rows": snapshot.rows.get(name, 0), **asdict(churn)} for name, churn in snapshot.churn.items()}
    _note(work, Step.CHECK, "check", {"tables": tables, "notes": dict(snapshot.notes), "warnings": []})
    return snapshot


def _plan(work: Work, snapshot: Snapshot) -> SavedPlan:
    changes = write_changes(work, last_desired(work))
    counts = {entity: count_actions(rows) for entity, rows in changes.items()}
    pulled = {} if work.run.report.get("retry") else snapshot.churn
    reasons = [*judge_pull(pulled, work.sync.guards), *judge_plan(counts, work.sync.guards)]
    good = snapshots.last_good(work.store, work.district.id, work.sync.source)
    base = good["snapshot_id"] if good else None
    plan = save(work, changes, reasons=reasons, base=base, snapshot=snapshot.id)
    told = {
        "digest": plan.digest,
        "base": base,
        "counts": {entity: {a.value: n for a, n in actions.items()} for entity, actions in counts.items()},
        "reasons": [asdict(reason) for reason in reasons],
    }
    _note(work, Step.GUARD, "plan", told, plan_id=plan.plan_id)
    return plan


def last_desired(work: Work) -> Any:
    """Where the last finished run of this sync keeps the records that it desired."""
    for run in run_store.listed(work.store, work.district.id, sync=work.sync.name, most=50):
        folder = work.district.data / "runs" / run.run_id / "desired"
        if run.state is RunState.DONE and run.run_id != work.run.run_id and folder.is_dir():
            return folder
    return None


def push_plan(work: Work, plan: SavedPlan, target: Target) -> RunState:
    """Push a plan that may be applied, read a sample back, and make its snapshot the good one."""
    done = push(work, plan, target)
    answered = {name: done.total(name) for name in ("accepted", "rejected", "failed")}
    failures = (
        ledger.failures(work.store, work.district.id, work.sync.target, work.run.run_id)
        if done.total("accepted") != sum(answered.values())
        else []
    )
    _note(work, Step.PUSH, "push", {**answered, "target": work.sync.target, "failures": failures})
    read = verify(work, plan, target)
    warnings = [warning for one in read for warning in one.warnings]
    _note(work, Step.VERIFY, "verify", {"read": sum(one.read for one in read), "warnings": warnings})
    promote(work, plan)
    return RunState.DONE


def list_runs(store: Store, district: District, *, sync: str | None = None, most: int = 30) -> list[RunReport]:
    """The reports of a district's runs, newest first."""
    found = run_store.listed(store, district.id, sync=sync, most=most)
    return [RunReport(run, district.data / "runs" / run.run_id) for run in found]


def show_run(store: Store, district: District, run_id: str) -> RunReport:
    """The report of one run. Raises :class:`ConfigurationError` (``run.unknown``)."""
    run = run_store.found(store, district.id, run_id)
    if run is None:
        raise ConfigurationError(
            f"There is no run {run_id}.", hint="See `mastery-gateway runs list`.", code="run.unknown"
        )
    return RunReport(run, district.data / "runs" / run.run_id)
