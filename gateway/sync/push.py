"""The push step: the saved changes to the target, the ledger before and after each batch.

Creations and updates go parents first, inactivations children first. The plan that is applied is the plan that was
saved: its digest is compared again. A run killed here knows from the ledger what may be in effect, and sends the rest
(and what had no answer) under the same keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeAlias

from gateway.core.errors import InternalError
from gateway.core.exchange import Action, Change, Outcome, Target
from gateway.core.plan import LedgerState, plan_digest
from gateway.store import ledger
from gateway.store.plans import PlanState, SavedPlan, in_order, read_changes
from gateway.sync.planning import changes_of
from gateway.sync.work import Work
from gateway.transport.crash import crash_point

BATCH = 100
"""Changes a ledger commit: enough to be fast, few enough to have little in doubt after a crash."""

Pending: TypeAlias = "dict[str, tuple[Change, str | None]]"


@dataclass(slots=True)
class Pushed:
    """Outcomes by entity, action and state."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def total(self, state: str) -> int:
        return sum(count for (_, _, s), count in self.counts.items() if s == state)


def push(work: Work, plan: SavedPlan, target: Target) -> Pushed:
    """Bring every change of ``plan`` that is not in effect yet to the target.

    Raises what the target raises for all records at once (credentials, host down); the ledger is up to date then.
    """
    _verify_saved(work, plan)
    done = Pushed()
    total = sum(n for actions in plan.counts.values() for action, n in actions.items() if action is not Action.KEEP)
    if total == 0:
        return done
    entities = in_order([name for name in plan.counts if name in target.entities()])
    _refuse_unpushable(plan, target)
    pending: Pending = {}
    changes = _announced(work, _changes(work, plan, entities, target), pending)
    answered: list[tuple[Change, str | None, Outcome]] = []
    try:
        for outcome in target.push(changes):
            crash_point("push.after-answer")
            change, digest = pending.pop(outcome.key)
            answered.append((change, digest, outcome))
            done.counts[(change.entity, change.action.value, outcome.state.value)] += change.action is not Action.KEEP
            if len(answered) >= BATCH:
                _record(work, answered)
                work.progress("push", sum(done.counts.values()), total)
    finally:
        _record(work, answered)
    if pending:
        raise InternalError(
            f"The target left {len(pending)} changes without an outcome.",
            hint="This is a fault of the connector. The next run sends them again; report it if it stays.",
            code="push.no-outcome",
        )
    return done


def _verify_saved(work: Work, plan: SavedPlan) -> None:
    if plan_digest(changes_of(work.folder)) != plan.digest:
        raise InternalError(
            "The plan's files are not the ones that were saved.",
            hint="Someone changed them after the plan was made. Start a new run.",
            code="plan.changed",
        )


def _refuse_unpushable(plan: SavedPlan, target: Target) -> None:
    lost = [entity for entity in plan.counts if entity not in target.entities()]
    if lost:
        raise InternalError(
            f"The target cannot take {', '.join(lost)}.",
            hint="Use a target that takes them, such as OneRoster 1.2.",
            code="push.entity",
        )


def _changes(
    work: Work, plan: SavedPlan, entities: Sequence[str], target: Target
) -> Iterator[tuple[Change, str | None]]:
    """All changes in the order of sending, less what an interrupted push of this plan already brought into effect.

    A target that writes whole files gets that once more, as unchanged, and so it gets what must not be inactivated
    because a person allowed additions and updates only: what is not in its file is deleted.
    """
    whole, withheld = target.wants_unchanged, plan.state is PlanState.ADDITIONS
    remote_ids = ledger.remote_ids(work.store, work.district.id, work.sync.target)
    for entity in entities:
        forward = (Action.CREATE, Action.UPDATE, *((Action.KEEP,) if whole else ()))
        for change, digest in _undone(work, entity, forward, whole=whole):
            yield replace(change, remote_references=_references(change, remote_ids)), digest
        if whole and withheld:
            for change, digest in _undone(work, entity, (Action.INACTIVATE,), whole=False):
                yield replace(change, action=Action.KEEP), digest
    if not withheld:
        for entity in reversed(entities):
            yield from _undone(work, entity, (Action.INACTIVATE,), whole=False)


def _references(change: Change, remote_ids: Mapping[str, str]) -> Mapping[str, str]:
    """The ids that the target allocated for the records to which this one refers, by our id."""
    if not remote_ids:
        return {}
    parts = [part for part in change.record.values() if isinstance(part, list)]
    rows = [change.record, *(row for part in parts for row in part if isinstance(row, Mapping))]
    values = {value for row in rows for value in row.values() if isinstance(value, str)}
    return {value: remote_ids[value] for value in values if value in remote_ids}


def _undone(
    work: Work, entity: str, actions: tuple[Action, ...], *, whole: bool
) -> Iterator[tuple[Change, str | None]]:
    state = _state_now(work, entity)
    for change, digest in read_changes(work.folder / "plan" / f"{entity}.parquet", entity, actions):
        known = state.get(change.id)
        if known in ((LedgerState.ACCEPTED, digest), (LedgerState.INACTIVE, digest)):
            if whole:
                yield replace(change, action=Action.KEEP), digest
        else:
            yield replace(change, attempted=change.attempted or known == (LedgerState.SENDING, digest)), digest


def _state_now(work: Work, entity: str) -> Mapping[str, tuple[str, str | None]]:
    """What this run has already sent: state and digest by id. Rows of earlier runs do not count."""
    rows = ledger.sent_by(work.store, work.district.id, work.sync.target, entity, work.run.run_id)
    return {row[0]: (row[1], row[2]) for row in rows}


def _announced(work: Work, changes: Iterator[tuple[Change, str | None]], pending: Pending) -> Iterator[Change]:
    """Write a batch into the ledger as on its way, then hand it over change by change."""
    while batch := list(islice(changes, BATCH)):
        work.breathe()
        sent = [item for item in batch if item[0].action is not Action.KEEP]
        if sent:
            with work.commit() as connection:
                ledger.mark_sending(connection, work.district.id, work.sync.target, work.run.run_id, sent, work.now())
        for change, digest in batch:
            pending[change.key] = (change, digest)
            crash_point("push.before-send")
            yield change


def _record(work: Work, answered: list[tuple[Change, str | None, Outcome]]) -> None:
    """The answers so far, in one commit."""
    sent = [answer for answer in answered if answer[0].action is not Action.KEEP]
    answered.clear()
    if not sent:
        return
    with work.commit() as connection:
        ledger.mark_answered(connection, work.district.id, work.sync.target, sent, work.now())
        crash_point("mark.in-transaction")
    crash_point("mark.after-commit")
