"""A server of the HTTP API for the benchmarks: over a district of its own, in a process of its own, watched."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import psutil

from benchmarks.nightly import PROGRAM, SETTINGS

SHIPPED = Path(__file__).parent.parent / "mappings"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and credentials for it: ``key`` reads, ``writer`` writes into the inbox."""

    process: psutil.Process
    host: str
    key: str
    writer: str

    def cpu(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, timeout=300)

    def ask(self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None,
            headers: Mapping[str, str] = MappingProxyType({})) -> tuple[Mapping[str, str], bytes]:  # fmt: skip
        """The answer's headers and body. Raises :class:`RuntimeError` for anything but 2xx."""
        kind = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path, body, {"Authorization": f"Bearer {self.key}", **kind, **headers})
        answer = connection.getresponse()
        told = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {told[:300]!r}")
        return answer.headers, told


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """A server over the district in ``folder``."""
    reader, writer = _key(folder, "product"), _key(folder, "gradebook")
    command = [PROGRAM, "--json", "serve", "--port", "0", "--requests-per-minute", "100000000"]
    log = folder / "serve.log"
    with log.open("wb") as stream, subprocess.Popen(command, cwd=folder, stderr=stream) as process:
        try:
            while b"The API listens." not in log.read_bytes():
                if process.poll() is not None:
                    raise RuntimeError(log.read_text())
                time.sleep(0.1)
            address = json.loads(log.read_text().splitlines()[-1])["key"]
            yield Server(psutil.Process(process.pid), urlsplit(address).netloc, reader, writer)
        finally:
            process.terminate()


def _key(folder: Path, role: str) -> str:
    command = [PROGRAM, "--json", "keys", "create", f"b{time.time_ns()}", "--role", role]
    made = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return str(json.loads(made.stdout)["key"])


def plain_district(folder: Path) -> Path:
    """A district without data."""
    _run(folder, "init", "--id", "benchmark", "--time-zone", "UTC")
    shutil.copytree(SHIPPED, folder / "mappings", dirs_exist_ok=True)
    return folder


def pulled_district(folder: Path, students: int) -> Path:
    """A district whose sample of 100 results a student was pulled and mapped; used again if it is there."""
    if not (folder / "data").exists():
        _run(folder, "sample-district", "--students", str(students), "--results-per-student", "100", "--out", "sample")
        (folder / "out").mkdir(exist_ok=True)
        (folder / "gateway.yaml").write_text(f"{SETTINGS}api: {{inbox: true}}\n", encoding="utf-8")
        shutil.copytree(SHIPPED, folder / "mappings", dirs_exist_ok=True)
        subprocess.run([PROGRAM, "sync"], cwd=folder, check=False, capture_output=True)
    return folder


def _run(folder: Path, *words: str) -> None:
    subprocess.run([PROGRAM, *words], cwd=folder, check=True, capture_output=True)


class Memory:
    """Megabytes of a server: at the start, half-way, at the end, and the most; of its jobs' processes the most."""

    def __init__(self, server: Server) -> None:
        self._process = server.process
        self._seen: list[int] = [self._process.memory_info().rss]
        self._jobs = 0
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def __enter__(self) -> Memory:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self._seen.append(self._process.memory_info().rss)
            self._jobs = max(self._jobs, sum(map(_rss, self._process.children())))

    def told(self) -> dict[str, int]:
        seen: Sequence[int] = self._seen
        figures = {"start": seen[0], "half": seen[len(seen) // 2], "end": seen[-1], "peak": max(seen)}
        return {name: value >> 20 for name, value in (figures | {"job_peak": self._jobs}).items() if value}


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
