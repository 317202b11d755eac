"""Jobs: large calculations that a caller asks for and fetches later. One row a job; its files lie beside.

A job is claimed by one worker at a time. A worker that has not been heard of for a minute is taken for dead, and its
job is begun anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gateway.store.api_schema import jobs
from gateway.store.database import Store

KEPT_FOR = timedelta(days=7)
SILENT_FOR = timedelta(minutes=1)


class JobState(StrEnum):
    """``CANCELLED`` stands at once; the worker sees it and stops."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED)


@dataclass(frozen=True, slots=True)
class Job:
    """One job. ``done`` and ``total`` count students or rows, ``total`` once it is known; ``results`` has the rows of
    each table; ``error`` is what :meth:`GatewayError.as_dict` gives."""

    district: str
    job_id: str
    client_id: str
    kind: str
    state: JobState
    request: Mapping[str, Any]
    bytes: int
    done: int
    total: int | None
    results: Mapping[str, int]
    error: Mapping[str, Any] | None
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime


def new_id() -> str:
    """An id that nobody can guess, in the order of time to the second."""
    return f"job_{secrets.token_hex(12)}"


def add(store: Store, job: Job) -> None:
    """A new job, waiting for a worker."""
    with store.begin() as connection:
        connection.execute(
            jobs.insert().values(
                district=job.district, job_id=job.job_id, client_id=job.client_id, kind=job.kind, state=job.state,
                request=dict(job.request), bytes=job.bytes, done=0, total=None, results={}, created_at=job.created_at,
                expires_at=job.expires_at,
            )
        )  # fmt: skip


def find(store: Store, district: str, job_id: str, client_id: str | None = None) -> Job | None:
    """The job, if it is the district's (and the client's)."""
    query = sa.select(jobs).where(jobs.c.district == district, jobs.c.job_id == job_id)
    row = store.row(query if client_id is None else query.where(jobs.c.client_id == client_id))
    return _job(row) if row else None


def listed(store: Store, district: str, client_id: str, *, after: tuple[datetime, str] | None, limit: int) -> list[Job]:
    """A client's jobs, the newest first, behind the one that ``after`` names."""
    query = sa.select(jobs).where(jobs.c.district == district, jobs.c.client_id == client_id)
    if after is not None:
        at, job_id = after
        query = query.where((jobs.c.created_at < at) | ((jobs.c.created_at == at) & (jobs.c.job_id < job_id)))
    rows = store.rows(query.order_by(jobs.c.created_at.desc(), jobs.c.job_id.desc()).limit(limit))
    return [_job(row) for row in rows]


def claim(store: Store, district: str, worker: str, *, now: datetime) -> Job | None:
    """The oldest job of a district that waits, or whose worker is silent; it is ``worker``'s from now on."""
    free = (jobs.c.state == JobState.QUEUED) | (
        (jobs.c.state == JobState.RUNNING) & (jobs.c.seen_at <= now - SILENT_FOR)
    )
    query = sa.select(jobs).where(jobs.c.district == district, free).order_by(jobs.c.created_at, jobs.c.job_id).limit(1)
    if store.row(query) is None:  # no write lock while there is nothing to do
        return None
    with store.begin() as connection:
        row = connection.execute(query.with_for_update(skip_locked=True)).mappings().first()
        if row is None:
            return None
        taken = {"state": JobState.RUNNING, "worker": worker, "seen_at": now, "done": 0, "total": None}
        connection.execute(jobs.update().where(_of(district, row["job_id"])).values(**taken))
        return _job({**row, **taken})


def report(store: Store, job: Job, worker: str, done: int, total: int | None, *, now: datetime) -> bool:
    """Tell how far a job is; false if it is this worker's no longer: it was cancelled, or given to another one."""
    return _if_mine(store, job, worker, {"done": done, "total": total, "seen_at": now})


def finish(
    store: Store, job: Job, worker: str, *, results: Mapping[str, int] | None = None,
    error: Mapping[str, Any] | None = None, now: datetime,
) -> bool:  # fmt: skip
    """The job is done, or has failed; false if it is this worker's no longer."""
    values: dict[str, Any] = {"ended_at": now, "expires_at": now + KEPT_FOR}
    if error is not None:
        return _if_mine(store, job, worker, values | {"state": JobState.FAILED, "error": dict(error)})
    return _if_mine(store, job, worker, values | {"state": JobState.DONE, "results": dict(results or {})})


def cancel(store: Store, district: str, job_id: str, *, now: datetime) -> None:
    """Stop a job that has not ended."""
    with store.begin() as connection:
        connection.execute(
            jobs.update()
            .where(_of(district, job_id), jobs.c.state.not_in(ENDED))
            .values(state=JobState.CANCELLED, ended_at=now, expires_at=now + KEPT_FOR)
        )


def expire(store: Store, district: str, *, now: datetime) -> list[str]:
    """The jobs whose time is over, marked as such: their files can go."""
    due = (jobs.c.district == district) & (jobs.c.expires_at <= now) & (jobs.c.state != JobState.EXPIRED)
    found = [row["job_id"] for row in store.rows(sa.select(jobs.c.job_id).where(due, jobs.c.state.in_(ENDED)))]
    for job_id in found:
        with store.begin() as connection:
            connection.execute(jobs.update().where(_of(district, job_id)).values(state=JobState.EXPIRED, results={}))
    return found


def _if_mine(store: Store, job: Job, worker: str, values: Mapping[str, Any]) -> bool:
    mine = _of(job.district, job.job_id) & (jobs.c.worker == worker) & (jobs.c.state == JobState.RUNNING)
    with store.begin() as connection:
        return bool(connection.execute(jobs.update().where(mine).values(**values)).rowcount)


def _of(district: str, job_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.district == district, jobs.c.job_id == job_id)


_FIELDS = tuple(Job.__dataclass_fields__)


def _job(row: Mapping[str, Any]) -> Job:
    fields: dict[str, Any] = {name: row[name] for name in _FIELDS}
    return Job(**fields | {"state": JobState(row["state"])})
