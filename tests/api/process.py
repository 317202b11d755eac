"""``mastery-gateway serve`` as a process of its own, for tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("mastery-gateway")


def gateway(folder: Path, *arguments: str) -> dict[str, Any]:
    """What a command tells as JSON."""
    done = subprocess.run([PROGRAM, "--json", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its process, its address, its log."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=200)


@contextmanager
def served(folder: Path, *arguments: str, files: Sequence[Path] = ()) -> Iterator[Server]:
    """A server on a free port, ready; stopped at the end if it still runs."""
    log = folder / "serve.log"
    command = [str(PROGRAM), "serve", "--port", "0", *arguments, *map(str, files)]
    with (
        log.open("wb") as stream,
        subprocess.Popen(command, cwd=folder, stderr=stream, env=dict(os.environ)) as process,
    ):
        try:
            yield Server(process, _address(process, log), log)
        finally:
            process.terminate()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 200
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_text(encoding="utf-8").splitlines():
            if '"The API listens."' in line:
                return str(json.loads(line)["key"])
        time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8"))
