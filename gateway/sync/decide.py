"""What a person does with a plan: discard it, allow a part of it, approve it once, apply it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

from gateway.core.errors import ConfigurationError, HeldError, did_you_mean
from gateway.core.exchange import Target
from gateway.settings import District, open_connection
from gateway.store import Store, plans, snapshots
from gateway.store import runs as run_store
from gateway.store.leases import hold
from gateway.store.plans import APPLICABLE, PlanState, SavedPlan
from gateway.store.runs import RunState
from gateway.sync.report import RunReport
from gateway.sync.run import finish, push_plan
from gateway.sync.telling import sync_of
from gateway.sync.work import Progress, Work

DECISIONS = {
    "discard": PlanState.DISCARDED,
    "additions-and-updates": PlanState.ADDITIONS,
    "approve": PlanState.APPROVED,
}
"""What can be decided: push nothing; push all but the inactivations, and let absences not count; push all, once."""


def decide(
    store: Store,
    district: District,
    plan_id: str,
    decision: str,
    *,
    by: str,
    reason: str,
    now: Callable[[], datetime],
) -> SavedPlan:
    """Record a named person's decision on a held plan, once. Only :func:`apply_plan` pushes.

    Raises :class:`ConfigurationError`: ``plan.unknown``, ``plan.decided`` (by whom is in the run), ``plan.not-held``,
    ``plan.decision``, ``plan.nameless``.
    """
    if decision not in DECISIONS:
        raise ConfigurationError(
            f'There is no decision "{decision}".{did_you_mean(decision, DECISIONS)}',
            hint=f"Use one of: {', '.join(DECISIONS)}.",
            code="plan.decision",
        )
    if not by.strip() or not reason.strip():
        raise ConfigurationError(
            "A decision needs the name of a person and a reason.",
            hint="They are kept with the plan, so that anyone can see later who allowed it and why.",
            code="plan.nameless",
        )
    plan = find_plan(store, district, plan_id)
    state = DECISIONS[decision]
    with store.begin() as connection:
        if not plans.set_state(connection, district.id, plan.plan_id, state, of=PlanState.HELD):
            _refuse_undecidable(plan)
        plans.record_decision(connection, district.id, plan.plan_id, state, by=by, reason=reason, now=now())
        run = run_store.found(store, district.id, plan.run_id)
        if run is not None:
            note = {"decision": decision, "by": by, "reason": reason, "at": now().isoformat()}
            ended = RunState.DISCARDED if state is PlanState.DISCARDED else RunState.PLANNED
            run_store.advance(connection, run, state=ended.value, report={**run.report, "decision": note})
    return find_plan(store, district, plan_id)


def find_plan(store: Store, district: District, plan_id: str) -> SavedPlan:
    """The saved plan of that id. Raises :class:`ConfigurationError` (``plan.unknown``) with those that wait."""
    plan = plans.found(store, district.id, plan_id)
    if plan is None:
        held = ", ".join(p.plan_id for p in plans.waiting(store, district.id)) or "none"
        raise ConfigurationError(
            f"There is no plan {plan_id}.", hint=f"Plans that wait for a decision: {held}.", code="plan.unknown"
        )
    return plan


def _refuse_undecidable(plan: SavedPlan) -> None:
    if plan.state in DECISIONS.values():
        raise ConfigurationError(
            f"The plan {plan.plan_id} has been decided already ({plan.state.value}).",
            hint=f"See `mastery-gateway runs show {plan.run_id}`.",
            code="plan.decided",
        )
    raise ConfigurationError(
        f"The plan {plan.plan_id} is {plan.state.value}, not held: there is nothing to decide.",
        hint="See `mastery-gateway runs list` for the plans that wait.",
        code="plan.not-held",
    )


def apply_plan(
    district: District,
    plan_id: str,
    *,
    store: Store,
    now: Callable[[], datetime],
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    adapters: Mapping[str, Any] | None = None,
) -> RunReport:
    """Push a plan that is ready or was approved; an interrupted push goes on.

    Raises :class:`HeldError` while it waits for a decision, :class:`ConfigurationError` (``plan.stale``) when a newer
    pull has become the good one since, or the plan was discarded, superseded or applied.
    """
    plan = find_plan(store, district, plan_id)
    sync = sync_of(district, plan)
    target = open_connection(district, plan.target, now=now, adapters=adapters)
    if not isinstance(target, Target):
        raise ConfigurationError("The plan's connection is no target any more.", code="sync.roles")
    with closing(target), hold(store, district.id, (sync.source, plan.target), now) as lease:
        plan = find_plan(store, district, plan_id)
        _refuse_unfit(store, district, plan, source=sync.source)
        run = run_store.found(store, district.id, plan.run_id)
        if run is None:
            raise ConfigurationError(f"The run {plan.run_id} is no longer known.", code="run.unknown")
        with store.begin() as connection:
            run_store.advance(connection, run, state=RunState.RUNNING.value)
        work = Work(district, sync, store, lease, run, now, progress or _silent, stop or threading.Event())
        return finish(work, lambda: push_plan(work, plan, target))


def _silent(step: str, done: int, total: int | None) -> None:
    """No progress is shown."""


def _refuse_unfit(store: Store, district: District, plan: SavedPlan, *, source: str) -> None:
    if plan.state is PlanState.HELD:
        raise HeldError(
            f"The plan {plan.plan_id} is held: {' '.join(reason.message for reason in plan.reasons)}",
            hint=f"Decide first: mastery-gateway approve {plan.plan_id} --by NAME --reason TEXT.",
        )
    if plan.state not in APPLICABLE:
        raise ConfigurationError(
            f"The plan {plan.plan_id} is {plan.state.value}.", hint="Start a new run.", code="plan.stale"
        )
    good = snapshots.last_good(store, district.id, source)
    if (good["snapshot_id"] if good else None) != plan.base:
        raise ConfigurationError(
            f"Since the plan {plan.plan_id} was made, another pull has become the good one.",
            hint="Start a new run; it makes a new plan.",
            code="plan.stale",
        )
