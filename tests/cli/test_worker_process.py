"""The worker as a process of its own: stopped in mid-run by a signal, and started again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
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


@pytest.fixture
def due_now(call: Call, delivered: Path, tmp_path: Path) -> Path:
    """A district whose night was due an hour or two ago."""
    assert call("init", "--id", "lakeside", "--time-zone", "UTC").code == 0
    shutil.copytree(delivered, tmp_path / "incoming", dirs_exist_ok=True)
    path = tmp_path / "gateway.yaml"
    hour = (datetime.now(UTC).hour - 1) % 24
    path.write_text(path.read_text().replace('"30 1 * * mon-fri"', f'"0 {hour} * * *"'))
    return tmp_path


def runs(folder: Path) -> list[Run]:
    if not (folder / "data/gateway.db").exists():
        return []
    with closing(open_store(f"sqlite:///{folder / 'data/gateway.db'}")) as store:
        return run_store.listed(store, "lakeside")


def work_until(folder: Path, seen: Callable[[list[Run]], bool]) -> tuple[int, str]:
    """Start a worker, wait until ``seen``, send SIGTERM, and return its exit code and its log."""
    with (
        (folder / "log.txt").open("w+") as log,
        subprocess.Popen([PROGRAM, "worker"], cwd=folder, stderr=log, env=TELLING) as worker,
    ):
        deadline = time.monotonic() + 120
        while not seen(runs(folder)) and worker.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        try:
            code = worker.wait(timeout=60)
        except subprocess.TimeoutExpired:
            worker.send_signal(signal.SIGABRT)  # which writes where each thread stands
            code = worker.wait()
        log.seek(0)
        return code, log.read()


@pytest.mark.slow
def test_a_worker_that_is_stopped_in_mid_run_goes_on_when_it_is_started_again(due_now: Path) -> None:
    code, log = work_until(due_now, lambda found: bool(found))
    assert code == 0, log
    assert [run.state for run in runs(due_now)] == [RunState.STOPPED]

    code, log = work_until(due_now, lambda found: found[0].state is RunState.DONE)
    assert code == 0, log
    (run,) = runs(due_now)
    assert (run.state, run.run_key) == (RunState.DONE, run.started_at.date().isoformat())
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["message"] for line in lines if "key" in line] == ["A run starts.", "The run has ended."]
    assert (due_now / "outgoing/results.csv").is_file()


@pytest.mark.slow
def test_two_workers_run_one_night_once(due_now: Path) -> None:
    with subprocess.Popen([PROGRAM, "worker"], cwd=due_now, stderr=subprocess.DEVNULL) as other:
        code, log = work_until(due_now, lambda found: bool(found) and found[0].state is RunState.DONE)
        other.send_signal(signal.SIGTERM)
        assert other.wait(timeout=120) == 0
    assert code == 0, log
    assert [run.state for run in runs(due_now)] == [RunState.DONE]
