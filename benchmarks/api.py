"""The HTTP API: a warm server in one process, asked over loopback by an authenticated client in another.

    python -m benchmarks.api calls [--count 300]
    python -m benchmarks.api oneroster [--students 10000] [--folder DIR]
    python -m benchmarks.api callers [--callers 50] [--seconds 60]
    python -m benchmarks.api upload [--megabytes 1024]

One JSON line for each figure. Wall times are those of the client; ``cpu_ms`` is what the server's process spent on a
request, which other work on the machine changes less.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from benchmarks.measure import print_line
from benchmarks.nightly import PROGRAM, SETTINGS

SHIPPED = Path(__file__).parent.parent / "mappings"
EVIDENCE = {
    "evidence": [
        {"student_id": f"s{n % 5}", "score": str(n % 4 + 1), "scored_at": f"2026-10-{n % 28 + 1:02}",
         "standard": f"LKS.MATH.1.NQ.{n % 3 + 1}", "category": "Summative"}
        for n in range(100)
    ]
}  # fmt: skip
UNKNOWN = {"evidence": [row | {"standard": f"LKS.MATH.99.NQ.{n}"} for n, row in enumerate(EVIDENCE["evidence"])]}
COURSES = {
    "policies": ["school-weighted"],
    "courses": [
        {"student_id": "s1", "course_code": f"C{n}", "title": f"Course {n}", "grade": "ABCB"[n % 4], "credit": "1",
         "level": "honors" if n % 5 == 0 else "regular", "school_year": str(2023 + n // 10), "term": "S1",
         "subject": "MATH", "grade_level": str(9 + n // 10)}
        for n in range(40)
    ],
}  # fmt: skip
APPLY, COMPUTE = "/v1/mappings/lakeside/apply", "/v1/gpa/compute"
RESULTS = "/ims/oneroster/gradebook/v1p2/results"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and a credential for it."""

    process: psutil.Process
    host: str
    key: str

    def cpu(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def ask(self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> bytes:
        """The answer's body. Raises :class:`RuntimeError` for anything but 2xx."""
        kind = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path, body, {"Authorization": f"Bearer {self.key}", **kind})
        answer = connection.getresponse()
        told = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {told[:300]!r}")
        return told

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, timeout=300)


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """A server over the district in ``folder``."""
    made = subprocess.run([PROGRAM, "--json", "keys", "create", f"b{time.time_ns()}", "--role", "product"], cwd=folder,
                          capture_output=True, check=True)  # fmt: skip
    command = [PROGRAM, "--json", "serve", "--port", "0", "--requests-per-minute", "100000000"]
    log = folder / "serve.log"
    with log.open("wb") as stream, subprocess.Popen(command, cwd=folder, stderr=stream) as process:
        try:
            while b"The API listens." not in log.read_bytes():
                if process.poll() is not None:
                    raise RuntimeError(log.read_text())
                time.sleep(0.1)
            address = json.loads(log.read_text().splitlines()[-1])["key"]
            yield Server(psutil.Process(process.pid), urlsplit(address).netloc, json.loads(made.stdout)["key"])
        finally:
            process.terminate()


def plain_district(folder: Path) -> Path:
    subprocess.run([PROGRAM, "init", "--id", "benchmark", "--time-zone", "UTC"], cwd=folder, check=True,
                   capture_output=True)  # fmt: skip
    shutil.copytree(SHIPPED, folder / "mappings", dirs_exist_ok=True)
    return folder


def pulled_district(folder: Path, students: int) -> Path:
    """A district whose sample of 100 results a student was pulled and mapped; used again if it is there."""
    if not (folder / "data").exists():
        sample = ["--students", str(students), "--results-per-student", "100", "--out", "sample"]
        subprocess.run([PROGRAM, "sample-district", *sample], cwd=folder, check=True, capture_output=True)
        (folder / "out").mkdir(exist_ok=True)
        (folder / "gateway.yaml").write_text(SETTINGS, encoding="utf-8")
        shutil.copytree(SHIPPED, folder / "mappings", dirs_exist_ok=True)
        subprocess.run([PROGRAM, "sync"], cwd=folder, check=False, capture_output=True)
    return folder


def timed(server: Server, name: str, count: int, ask: Callable[[http.client.HTTPConnection], object],
          **bars: object) -> None:  # fmt: skip
    """Ask so often, after some calls that warm the server up."""
    connection = server.connect()
    for _ in range(10):
        ask(connection)
    spans, before = [], server.cpu()
    for _ in range(count):
        started = time.perf_counter()
        ask(connection)
        spans.append((time.perf_counter() - started) * 1000)
    cpu = (server.cpu() - before) / count * 1000
    spans.sort()
    figures = {"least_ms": spans[0], "p50_ms": spans[count // 2], "p99_ms": spans[int(count * 0.99)], "cpu_ms": cpu}
    print_line(name, count=count, **{each: round(value, 2) for each, value in figures.items()}, **bars)


def calls(folder: Path, count: int) -> None:
    with served(plain_district(folder)) as server:
        for name, path, body, bars in (
            ("api.mapping.100", APPLY, EVIDENCE, {"bar_p50_ms": 8, "bar_p99_ms": 40}),
            ("api.mapping.100-unknown-codes", APPLY, UNKNOWN, {}),
            ("api.gpa.one-student", COMPUTE, COURSES, {"bar_p50_ms": 6}),
        ):
            data = json.dumps(body).encode()
            timed(server, name, count, lambda on, path=path, data=data: server.ask(on, "POST", path, data), **bars)
        timed(server, "api.catalogue", count, lambda on: server.ask(on, "GET", "/v1/scales"))


def oneroster(folder: Path, students: int, count: int) -> None:
    with served(pulled_district(folder, students)) as server:
        page = f"{RESULTS}?limit=1000&offset=5000"
        timed(server, "api.oneroster.page-1000", count, lambda on: server.ask(on, "GET", page), bar_ms=40)
        rows, offset, connection = 0, 0, server.connect()
        started, before = time.perf_counter(), server.cpu()
        while True:
            found = server.ask(connection, "GET", f"{RESULTS}?limit=10000&offset={offset}").count(b'"sourcedId":"') // 4
            if not found:
                break
            rows, offset = rows + min(found, 10_000), offset + 10_000
        wall, cpu = time.perf_counter() - started, server.cpu() - before
        print_line("api.oneroster.pull", pages=offset // 10_000, wall_s=round(wall, 1), cpu_s=round(cpu, 1),
                   rows=rows, rows_per_s=round(rows / wall), rows_per_cpu_s=round(rows / cpu), bar=30_000,
                   memory_mb=round(server.process.memory_info().rss / 2**20))  # fmt: skip


def callers(folder: Path, number: int, seconds: float) -> None:
    """So many callers at a time, each one request after the other, from a process of their own."""
    with served(plain_district(folder)) as server:
        data, end = json.dumps(EVIDENCE).encode(), time.monotonic() + seconds
        done, failed, memory = [0] * number, [], [server.process.memory_info().rss]

        def call(n: int) -> None:
            connection = server.connect()
            while time.monotonic() < end:
                try:
                    server.ask(connection, "POST", APPLY, data)
                    done[n] += 1
                except Exception as error:
                    failed.append(repr(error)[:200])
                    connection = server.connect()

        before = server.cpu()
        threads = [threading.Thread(target=call, args=(n,)) for n in range(number)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            memory.append(server.process.memory_info().rss)
            time.sleep(0.5)
        half = memory[len(memory) // 2]
        print_line("api.callers", callers=number, seconds=seconds, requests=sum(done), failed=len(failed),
                   first_failures=failed[:3], cpu_ms=round((server.cpu() - before) / max(1, sum(done)) * 1000, 2),
                   least_by_a_caller=min(done), memory_mb={"start": memory[0] >> 20, "half": half >> 20,
                                                           "peak": max(memory) >> 20})  # fmt: skip


def upload(folder: Path, megabytes: int) -> None:
    line = b"s%07d,3,2026-10-01,LKS.MATH.1.NQ.1,Summative\n"
    piece = b"".join(line % n for n in range(20_000))
    pieces = megabytes * 2**20 // len(piece)
    head = b"student_id,score,scored_at,standard,category\n"
    with served(plain_district(folder)) as server:
        connection, memory, stop = server.connect(), [server.process.memory_info().rss], threading.Event()

        def watch() -> None:
            while not stop.wait(0.05):
                memory.append(server.process.memory_info().rss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        started, before = time.perf_counter(), server.cpu()
        connection.putrequest("POST", "/v1/mapping-jobs?mapping=lakeside")
        for name, value in (("Authorization", f"Bearer {server.key}"), ("Content-Type", "text/csv"),
                            ("Content-Length", str(len(head) + pieces * len(piece)))):  # fmt: skip
            connection.putheader(name, value)
        connection.endheaders(head)
        for _ in range(pieces):
            connection.send(piece)
        answer = connection.getresponse()
        job, wall = json.loads(answer.read()), time.perf_counter() - started
        stop.set()
        watcher.join()
        server.ask(server.connect(), "DELETE", f"/v1/jobs/{job['id']}")
        print_line("api.upload", status=answer.status, megabytes=job["bytes"] >> 20, wall_s=round(wall, 1),
                   cpu_s=round(server.cpu() - before, 1), bar_mb=150,
                   memory_mb={"start": memory[0] >> 20, "peak": max(memory) >> 20})  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("calls", "oneroster", "callers", "upload"))
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--students", type=int, default=10_000)
    parser.add_argument("--callers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--folder", type=Path, help="where the pulled district lies, or is made (oneroster)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gateway-api-") as made:
        folder = Path(made)
        if asked.folder:
            asked.folder.mkdir(parents=True, exist_ok=True)
        run = {
            "calls": lambda: calls(folder, asked.count),
            "oneroster": lambda: oneroster(asked.folder or folder, asked.students, asked.count),
            "callers": lambda: callers(folder, asked.callers, asked.seconds),
            "upload": lambda: upload(folder, asked.megabytes),
        }
        run[asked.what]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
