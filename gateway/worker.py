"""The worker: looks every few seconds what is due, and runs it; APScheduler is nothing but the timer.

What is due is decided from the wall clock and the database (:mod:`gateway.schedule`), so a machine that slept, a timer
that fired late and a second worker change nothing: a night belongs to who claims its run key in the database, and a
connection to who holds its lease. Syncs run one after the other, which bounds memory.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Protocol

from apscheduler.schedulers.background import BackgroundScheduler

from gateway.core.errors import GatewayError
from gateway.schedule import Due, LastRun, Night, due
from gateway.settings import District
from gateway.store import Store
from gateway.store import runs as run_store

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=15)
TRY_AGAIN_AFTER = timedelta(minutes=10)
"""How long a sync rests that was locked or could not get all it needs; it is tried again within its grace."""


class Outcome(Protocol):
    """What the worker wants to know of a run's report."""

    @property
    def state(self) -> str: ...


Run = Callable[[Night], Outcome]


class Worker:
    """Runs the nights of one district. ``run`` does one night, and stops early when ``stop`` is set."""

    def __init__(
        self, district: District, store: Store, run: Run, *, now: Callable[[], datetime], stop: threading.Event
    ) -> None:
        self.district = district
        self.store = store
        self.run = run
        self.now = now
        self.stop = stop
        self._rest_until: dict[str, datetime] = {}
        self._told: set[Night] = set()

    def work(self) -> None:
        """Look what is due until ``stop`` is set; then wait for the run at hand to stop."""
        timer = BackgroundScheduler(timezone="UTC")
        timer.add_job(
            self.look,
            "interval",
            seconds=LOOK_EVERY.total_seconds(),
            next_run_time=datetime.now(UTC),
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
        timer.start()
        log.info("The worker has started.", extra={"district": self.district.id})
        self.stop.wait()
        timer.shutdown(wait=True)
        log.info("The worker has stopped.", extra={"district": self.district.id})

    def look(self) -> None:
        """Start what is due now, earliest first. No fault of one run ends the worker."""
        try:
            for night in sorted(self._due()):
                if not self.stop.is_set():
                    self._run_night(night)
        except GatewayError as error:
            log.error("%s", error, extra={"district": self.district.id, "code": error.code})
        except Exception:
            log.exception("The worker met a fault of its own.", extra={"district": self.district.id})

    def _due(self) -> Iterator[Night]:
        now = self.now()
        for sync in self.district.syncs.values():
            found = due(sync, self.district.time_zone, now, self._last(sync.name))
            self._tell_missed(found)
            if found.start and now >= self._rest_until.get(sync.name, now):
                yield found.start

    def _last(self, sync: str) -> LastRun | None:
        key = run_store.last_keys(self.store, self.district.id).get(sync)
        run = run_store.by_key(self.store, self.district.id, sync, key) if key else None
        return LastRun(key, run is None or run.state not in run_store.UNFINISHED) if key else None

    def _tell_missed(self, found: Due) -> None:
        """Once for each night. An alarm will hang here."""
        for night in found.missed:
            if night not in self._told:
                self._told.add(night)
                log.warning("A night was missed.", extra=self._fields(night))

    def _run_night(self, night: Night) -> None:
        log.info("A run starts.", extra=self._fields(night))
        try:
            state = self.run(night).state
            log.info("The run has ended.", extra={**self._fields(night), "state": state})
        except GatewayError as error:
            log.error("%s", error, extra={**self._fields(night), "code": error.code})
        finally:
            self._rest_until[night.sync] = self.now() + TRY_AGAIN_AFTER

    def _fields(self, night: Night) -> dict[str, str]:
        return {"district": self.district.id, "sync": night.sync, "key": night.key}
