"""The worker: each night once, whatever happens to it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.core.errors import LockedError
from gateway.schedule import Night
from gateway.settings import District, load_district
from gateway.shipped import shipped
from gateway.stopping import stop_on_signals
from gateway.store import Store, open_store
from gateway.store import runs as run_store
from gateway.store.runs import RunState
from gateway.worker import TRY_AGAIN_AFTER, Worker
from tests.schedule.test_schedule import sync_at, utc


@dataclass
class Clock:
    """Goes on a little with every look at it, as real ones do."""

    at: datetime

    def __call__(self) -> datetime:
        self.at += timedelta(microseconds=1)
        return self.at


@dataclass(frozen=True)
class Ended:
    state: str


@dataclass
class Runs:
    """Claims the run key in the database, as a sync does, and ends as told."""

    store: Store
    clock: Clock
    ends: list[RunState | Exception] = field(default_factory=list)
    nights: list[str] = field(default_factory=list)

    def __call__(self, night: Night) -> Ended:
        self.nights.append(night.key)
        end = self.ends.pop(0) if self.ends else RunState.DONE
        if isinstance(end, Exception):
            raise end
        run = run_store.by_key(self.store, "lakeside", night.sync, night.key) or run_store.begin(
            self.store, "lakeside", night.sync, now=self.clock(), since=None, run_key=night.key, until="push"
        )
        with self.store.begin() as connection:
            run_store.advance(connection, run, state=end.value)
        return Ended(end.value)


def district_in(folder: Path, schedule: str = "30 1 * * *") -> District:
    sync = sync_at(schedule)
    starter = (shipped("config") / "starter" / "gateway.yaml").read_text(encoding="utf-8")
    (folder / "gateway.yaml").write_text(starter, encoding="utf-8")
    loaded = load_district(folder / "gateway.yaml")
    zone = ZoneInfo("America/New_York")
    return replace(loaded, id="lakeside", time_zone=zone, data=folder, syncs={sync.name: sync})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'gateway.db'}")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock(utc("2026-11-22T06:29"))


@pytest.fixture
def runs(store: Store, clock: Clock) -> Runs:
    return Runs(store, clock)


@pytest.fixture
def new_worker(store: Store, clock: Clock, runs: Runs, tmp_path: Path) -> Callable[[], Worker]:
    return lambda: Worker(district_in(tmp_path), store, runs, now=clock, stop=threading.Event())


def look_for(worker: Worker, clock: Clock, period: timedelta) -> None:
    end = clock.at + period
    while clock.at < end:
        worker.look()
        clock.at += timedelta(minutes=5)


def test_a_night_is_run_once_when_it_is_due(new_worker: Callable[[], Worker], clock: Clock, runs: Runs) -> None:
    worker = new_worker()
    worker.look()
    assert runs.nights == []
    look_for(worker, clock, timedelta(hours=30))
    assert runs.nights == ["2026-11-22", "2026-11-23"]


def test_two_workers_and_a_restart_run_it_once(new_worker: Callable[[], Worker], clock: Clock, runs: Runs) -> None:
    clock.at += timedelta(minutes=2)
    for worker in (new_worker(), new_worker(), new_worker()):
        worker.look()
    assert runs.nights == ["2026-11-22"]


@pytest.mark.parametrize("day", ["2026-11-01", "2027-03-14"])
def test_a_night_on_which_clocks_change_is_run_once(
    new_worker: Callable[[], Worker], clock: Clock, runs: Runs, day: str
) -> None:
    clock.at = utc(f"{day}T04:00")
    look_for(new_worker(), clock, timedelta(hours=12))
    assert runs.nights == [day]


def test_a_machine_that_slept_catches_up_within_the_grace_and_tells_the_rest(
    new_worker: Callable[[], Worker], clock: Clock, runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    worker = new_worker()
    clock.at = utc("2026-11-22T06:31")
    worker.look()
    clock.at = utc("2026-11-25T11:00")
    worker.look()
    worker.look()
    assert runs.nights == ["2026-11-22", "2026-11-25"]
    missed = [record.__dict__["key"] for record in caplog.records if record.message == "A night was missed."]
    assert missed == ["2026-11-23", "2026-11-24"]


@pytest.mark.parametrize("end", [RunState.STOPPED, RunState.INCOMPLETE, LockedError("Another run works.")])
def test_what_could_not_be_finished_is_tried_again_after_a_rest(
    new_worker: Callable[[], Worker], clock: Clock, runs: Runs, end: RunState | Exception
) -> None:
    runs.ends = [end, RunState.DONE]
    clock.at = utc("2026-11-22T06:31")
    worker = new_worker()
    worker.look()
    clock.at += TRY_AGAIN_AFTER - timedelta(seconds=2)
    worker.look()
    assert runs.nights == ["2026-11-22"]
    clock.at += timedelta(seconds=3)
    look_for(worker, clock, timedelta(hours=1))
    assert runs.nights == ["2026-11-22", "2026-11-22"]


def test_a_new_worker_goes_on_at_once_with_a_run_that_was_stopped(
    new_worker: Callable[[], Worker], clock: Clock, runs: Runs
) -> None:
    runs.ends = [RunState.STOPPED, RunState.DONE]
    clock.at = utc("2026-11-22T06:31")
    new_worker().look()
    new_worker().look()
    assert runs.nights == ["2026-11-22", "2026-11-22"]


@pytest.mark.parametrize("end", [RunState.HELD, RunState.FAILED, RunState.DONE])
def test_what_waits_for_a_person_is_not_tried_again(
    new_worker: Callable[[], Worker], clock: Clock, runs: Runs, end: RunState
) -> None:
    runs.ends = [end]
    clock.at = utc("2026-11-22T06:31")
    look_for(new_worker(), clock, timedelta(hours=2))
    assert runs.nights == ["2026-11-22"]


def test_a_fault_of_ours_does_not_end_the_worker(
    new_worker: Callable[[], Worker], clock: Clock, runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    runs.ends = [ValueError("Ada"), RunState.DONE]
    clock.at = utc("2026-11-22T06:31")
    look_for(new_worker(), clock, timedelta(hours=1))
    assert runs.nights == ["2026-11-22", "2026-11-22"]
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.ERROR]


def test_a_signal_stops_it_in_mid_run_and_the_run_is_waited_for(store: Store, clock: Clock, tmp_path: Path) -> None:
    clock.at = utc("2026-11-22T06:31")
    ended = []
    with stop_on_signals() as stop:

        def run(night: Night) -> Ended:
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.wait(120)
            ended.append(night.key)
            return Ended("stopped")

        Worker(district_in(tmp_path), store, run, now=clock, stop=stop).work()
    assert ended == ["2026-11-22"]


def test_a_second_signal_ends_the_program_at_once() -> None:
    program = """
import os, signal, time
from gateway.stopping import stop_on_signals
with stop_on_signals() as stop:
    os.kill(os.getpid(), signal.SIGTERM)
    assert stop.wait(120)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(240)
"""
    ended = subprocess.run([sys.executable, "-c", program], timeout=240, check=False)
    assert ended.returncode == 128 + signal.SIGTERM
