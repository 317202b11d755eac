"""Runs a command and measures what it costs: wall seconds, CPU seconds of it and its children, peak memory."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took. ``peak_mb`` is the largest resident set of the process tree, sampled every 20 ms."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    exit_code: int
    output: str


def run(command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run ``command`` to its end."""
    before, started = os.times(), time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process, peak))
    watcher.start()
    output, _ = process.communicate()
    watcher.join()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(
        round(time.monotonic() - started, 2), round(cpu, 2), round(peak[0] / 2**20, 1), process.returncode, output
    )


def _watch(process: subprocess.Popen[str], peak: list[int]) -> None:
    root = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak[0] = max(peak[0], sum(p.memory_info().rss for p in (root, *root.children(recursive=True))))
        except psutil.NoSuchProcess:
            continue
        time.sleep(0.02)


def machine() -> dict[str, object]:
    """Which machine and when, for the results' page."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
    }


def print_line(benchmark: str, **figures: object) -> None:
    """The one JSON line of a benchmark."""
    told = {name: asdict(value) if isinstance(value, Cost) else value for name, value in figures.items()}
    for value in told.values():
        if isinstance(value, dict):
            value.pop("output", None)
    print(json.dumps({"benchmark": benchmark, **machine(), **told}, default=str))
