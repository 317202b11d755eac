"""The worker as a process of its own: stopped in mid-run by a signal, and started again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.store import open_store
from gateway.store import runs as run_store
from gateway.store.runs import Run, RunState
from tests.cli.conftest import Call
from tests.cli.test_life import delivered

__all__ = ["delivered"]
PROGRAM = Path(sys.executable).with_name("mastery-gateway")
TELLING = {**os.environ, "PYTHONFAULTHANDLER": "1"}


LONGEST = 280  # seconds; a test may take 300


@dataclass(frozen=True, slots=True)
class Due:
    """A district whose night was due an hour or two ago, and that night's key."""

    folder: Path
    key: str


@pytest.fixture
def due(call: Call, delivered: Path, tmp_path: Path) -> Due:
    assert call("init", "--id", "lakeside", "--time-zone", "UTC").code == 0
    shutil.copytree(delivered, tmp_path / "incoming", dirs_exist_ok=True)
    path = tmp_path / "gateway.yaml"
    night = datetime.now(UTC) - timedelta(hours=1)
    path.write_text(path.read_text().replace('"30 1 * * mon-fri"', f'"0 {night.hour} * * *"'))
    return Due(tmp_path, night.date().isoformat())


def runs(folder: Path) -> list[Run]:
    if not (folder / "data/gateway.db").exists():
        return []
    with closing(open_store(f"sqlite:///{folder / 'data/gateway.db'}")) as store:
        return run_store.listed(store, "lakeside")


@contextmanager
def working(folder: Path, log: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker; at the end it stands nowhere in the way of a failed test."""
    with (
        (folder / log).open("wb") as stream,
        subprocess.Popen([PROGRAM, "worker"], cwd=folder, stderr=stream, env=TELLING) as worker,
    ):
        try:
            yield worker
        finally:
            worker.kill()


def lines(folder: Path, log: str) -> list[dict[str, str]]:
    """The whole lines of a log."""
    text = (folder / log).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def wait_until(seen: Callable[[], bool], worker: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + LONGEST / 2
    while not seen() and worker.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


def stop(worker: subprocess.Popen[bytes], folder: Path, log: str) -> int:
    """Send SIGTERM to a worker that has started; return its exit code."""
    wait_until(lambda: any(line["message"] == "The worker has started." for line in lines(folder, log)), worker)
    worker.send_signal(signal.SIGTERM)
    try:
        return worker.wait(timeout=LONGEST / 2)
    except subprocess.TimeoutExpired:
        worker.send_signal(signal.SIGABRT)  # which writes where each thread stands
        return worker.wait()


def work_until(folder: Path, seen: Callable[[list[Run]], bool], log: str) -> None:
    """Start a worker, wait until ``seen``, and stop it."""
    with working(folder, log) as worker:
        wait_until(lambda: seen(runs(folder)), worker)
        assert stop(worker, folder, log) == 0, (folder / log).read_text()


@pytest.mark.slow
def test_a_worker_that_is_stopped_in_mid_run_goes_on_when_it_is_started_again(due: Due) -> None:
    work_until(due.folder, lambda found: bool(found), "first.log")
    assert [run.state for run in runs(due.folder)] == [RunState.STOPPED]

    work_until(due.folder, lambda found: found[0].state is RunState.DONE, "second.log")
    (run,) = runs(due.folder)
    assert (run.state, run.run_key) == (RunState.DONE, due.key)
    told = [line["message"] for line in lines(due.folder, "second.log") if "key" in line]
    assert told == ["A run starts.", "The run has ended."]
    assert (due.folder / "outgoing/results.csv").is_file()


@pytest.mark.slow
def test_two_workers_run_one_night_once(due: Due) -> None:
    with working(due.folder, "other.log") as other:
        work_until(due.folder, lambda found: bool(found) and found[0].state is RunState.DONE, "one.log")
        assert stop(other, due.folder, "other.log") == 0, (due.folder / "other.log").read_text()
    assert [run.state for run in runs(due.folder)] == [RunState.DONE]
