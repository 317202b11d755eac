"""What the district's webhooks are told of a run, in the transaction that ends it: states and counts, nobody's data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from gateway.store.runs import RunState
from gateway.store.webhooks import Event, announce
from gateway.sync.work import Work

_ENDS = {
    RunState.DONE: Event.RUN_FINISHED,
    RunState.FAILED: Event.RUN_FINISHED,
    RunState.INCOMPLETE: Event.RUN_FINISHED,
    RunState.HELD: Event.RUN_HELD,
}


def announce_end(connection: Connection, work: Work, state: RunState, report: Mapping[str, Any]) -> None:
    """Tell how a run ended, and that levels changed where the target took any."""
    event = _ENDS.get(state)
    if event is None:
        return
    about = {"district": work.district.id, "sync": work.sync.name, "run": work.run.run_id, "state": state.value}
    problem = report.get("problem")
    at = work.now()
    announce(connection, work.district.id, event, about | {"code": problem["code"] if problem else None}, now=at)
    pushed = report.get("push", {}).get("accepted", 0)
    if state is RunState.DONE and pushed and "map" in report:
        announce(connection, work.district.id, Event.LEVELS_CHANGED, about | {"records": pushed}, now=at)
