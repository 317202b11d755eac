"""Runs in the database: begin, go on, finish; exactly one run per sync and local date."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.store.database import Store
from gateway.store.schema import runs


class RunState(StrEnum):
    """``RUNNING`` also stands on a run that was killed: the next one of its sync goes on with it."""

    RUNNING = "running"
    STOPPED = "stopped"
    INCOMPLETE = "incomplete"
    HELD = "held"
    PLANNED = "planned"
    PULLED = "pulled"
    DONE = "done"
    FAILED = "failed"
    DISCARDED = "discarded"
    SUPERSEDED = "superseded"
    ABANDONED = "abandoned"


class Step(StrEnum):
    """The steps in their order; a run's ``step`` is the last finished one."""

    BEGIN = "begin"
    PULL = "pull"
    CHECK = "check"
    MAP = "map"
    PLAN = "plan"
    GUARD = "guard"
    PUSH = "push"
    VERIFY = "verify"


UNFINISHED = (RunState.RUNNING, RunState.STOPPED, RunState.INCOMPLETE)
RESUME_WITHIN = timedelta(hours=12)
"""A pull that stands still for longer is begun anew: its pages would be from two different days."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run as stored. ``since``: what a delta pull asks for. ``report`` grows step by step."""

    district: str
    run_id: str
    sync: str
    run_key: str | None
    state: RunState
    step: Step
    until: str
    started_at: datetime
    ended_at: datetime | None
    since: datetime | None
    plan_id: str | None
    report: dict[str, Any]


def new_id(now: datetime) -> str:
    """An id that sorts by time: ``20261122T013000-1f2e3d``."""
    return f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"


def unfinished(store: Store, district: str, sync: str, *, pulled: bool = False) -> Run | None:
    """The latest run of a sync if it was interrupted (or, with ``pulled``, only pulled so far). The caller holds the
    leases, so nobody else works on it."""
    run = latest(store, district, sync)
    wanted = (*UNFINISHED, RunState.PULLED) if pulled else UNFINISHED
    return run if run and run.state in wanted else None


def latest(store: Store, district: str, sync: str | None = None) -> Run | None:
    return next(iter(listed(store, district, sync=sync, most=1)), None)


def listed(store: Store, district: str, *, sync: str | None = None, most: int = 30) -> list[Run]:
    """The runs of a district, newest first."""
    query = sa.select(runs).where(runs.c.district == district)
    if sync is not None:
        query = query.where(runs.c.sync == sync)
    return [_run(row) for row in store.rows(query.order_by(runs.c.started_at.desc(), runs.c.run_id.desc()).limit(most))]


def done_ids(store: Store, district: str, sync: str) -> list[str]:
    """The runs of a sync that were finished lately, newest first."""
    return [row["run_id"] for row in store.rows(_DONE, {"of": district, "named": sync})]


_DONE = (
    sa.select(runs.c.run_id)
    .where(runs.c.district == sa.bindparam("of"), runs.c.sync == sa.bindparam("named"), runs.c.state == RunState.DONE)
    .order_by(runs.c.started_at.desc(), runs.c.run_id.desc())
    .limit(50)
)


def found(store: Store, district: str, run_id: str) -> Run | None:
    row = store.row(sa.select(runs).where(runs.c.district == district, runs.c.run_id == run_id))
    return _run(row) if row else None


def by_key(store: Store, district: str, sync: str, run_key: str) -> Run | None:
    """The run of a local date, if it was claimed."""
    row = store.row(sa.select(runs).where(runs.c.district == district, runs.c.sync == sync, runs.c.run_key == run_key))
    return _run(row) if row else None


def last_keys(store: Store, district: str) -> Mapping[str, str]:
    """The latest run key of each sync."""
    query = sa.select(runs.c.sync, sa.func.max(runs.c.run_key).label("key")).where(runs.c.district == district)
    return {row["sync"]: row["key"] for row in store.rows(query.group_by(runs.c.sync)) if row["key"]}


def begin(
    store: Store,
    district: str,
    sync: str,
    *,
    now: datetime,
    since: datetime | None,
    run_key: str | None,
    until: str,
    retry: bool = False,
) -> Run:
    """A new run. ``retry``: nothing is pulled, what is in quarantine is checked again. Raises SQLAlchemy's
    ``IntegrityError`` if the key was claimed before."""
    report = {"retry": True} if retry else {}
    run = Run(district, new_id(now), sync, run_key, RunState.RUNNING, Step.BEGIN, until, now, None, since, None, report)
    with store.begin() as connection:
        connection.execute(sa.insert(runs).values({name: getattr(run, name) for name in Run.__slots__}))
    return run


def advance(connection: Connection, run: Run, **values: Any) -> None:
    """Change columns of a run within the caller's transaction."""
    connection.execute(
        sa.update(runs).where(runs.c.district == run.district, runs.c.run_id == run.run_id).values(**values)
    )


def _run(row: Mapping[str, Any]) -> Run:
    return Run(**{**row, "state": RunState(row["state"]), "step": Step(row["step"])})
