"""The HTTP API: a warm server in one process, asked over loopback by authenticated clients in other processes.

    python -m benchmarks.api calls [--count 300]
    python -m benchmarks.api lists [--count 50]
    python -m benchmarks.api oneroster [--students 10000] [--folder DIR]
    python -m benchmarks.api inbox [--students 10000] [--folder DIR]
    python -m benchmarks.api callers [--callers 50] [--seconds 60] [--folder DIR]
    python -m benchmarks.api upload [--megabytes 1024] [--job]

One JSON line for each figure. Wall times are those of the client; ``cpu_ms`` is what the server's process spent on a
request, which other work on the machine changes less. ``callers`` needs wrk (a package of Debian).
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.api_server import Memory, Server, plain_district, pulled_district, served
from benchmarks.measure import print_line

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
GRADEBOOK = "/ims/oneroster/gradebook/v1p2"
RESULTS = f"{GRADEBOOK}/results"
CASE = "/ims/case/v1p1"
LISTS = ("/v1/mappings", "/v1/policies", "/v1/frameworks", "/v1/scales", "/v1/jobs", "/v1/webhooks", "/v1/openapi.json",
         f"{CASE}/CFDocuments")  # fmt: skip
OVERLAID = 5_000
PER_POST = 1_000
PAGE = 10_000
GZIP = {"Accept-Encoding": "gzip"}

_SCRIPT = """
local calls, n = {}, 0
for line in io.lines("calls.txt") do
  local method, path, body = line:match("^(%S+) (%S+) ?(.*)$")
  table.insert(calls, {method, path, body})
end
request = function()
  n = n + 1
  local call = calls[n % #calls + 1]
  return wrk.format(call[1], call[2], nil, call[3] ~= "" and call[3] or nil)
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests": %d, "p50_ms": %.1f, "p99_ms": %.1f, "seconds": %.1f, "not_2xx": %d, ' ..
    '"broken": %d, "timeouts": %d}\\n', summary.requests, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.duration / 1e6, e.status, e.connect + e.read + e.write, e.timeout))
end
"""


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


def lists(folder: Path, count: int) -> None:
    """The lists of ``/v1``, and the largest framework that ships, whole."""
    with served(plain_district(folder)) as server:
        _, told = server.ask(server.connect(), "GET", f"{CASE}/CFDocuments")
        packages = [f"{CASE}/CFPackages/{each['identifier']}" for each in json.loads(told)["CFDocuments"]]
        largest = max(packages, key=lambda path: len(server.ask(server.connect(), "GET", path)[1]))
        for path in (*LISTS, largest):
            shown = "largest-framework" if path == largest else path.strip("/").replace("/", "-")
            timed(server, f"api.lists.{shown}", count, lambda on, path=path: server.ask(on, "GET", path, None, GZIP),
                  bar_ms=100)  # fmt: skip


def oneroster(folder: Path, students: int, count: int) -> None:
    with served(pulled_district(folder, students)) as server:
        _, first_s = _first_page(server)
        for name, offset, more in (("shallow", 5_000, {}), ("deep", students * 100 - 5_000, {}),
                                   ("shallow-gzip", 5_000, GZIP)):  # fmt: skip
            page = f"{RESULTS}?limit=1000&offset={offset}"
            timed(server, f"api.oneroster.page-1000.{name}", count,
                  lambda on, page=page, more=more: server.ask(on, "GET", page, None, more), bar_ms=40)  # fmt: skip
        rows, offset, total, connection = 0, 0, 1, server.connect()
        with Memory(server) as memory:
            started, before = time.perf_counter(), server.cpu()
            while offset < total:
                headers, told = server.ask(connection, "GET", f"{RESULTS}?limit={PAGE}&offset={offset}")
                rows, offset = (
                    rows + told.count(b'{"sourcedId":"'),
                    offset + PAGE,
                )  # as no object inside a record begins
                total = int(headers["X-Total-Count"])
            wall, cpu = time.perf_counter() - started, server.cpu() - before
        print_line("api.oneroster.pull", rows=rows, total=total, different_ids=_different_ids(server, total),
                   first_page_s=first_s, wall_s=round(wall, 1), cpu_s=round(cpu, 1), rows_per_s=round(rows / wall),
                   rows_per_cpu_s=round(rows / cpu), bar=30_000, memory_mb=memory.told())  # fmt: skip


def _first_page(server: Server) -> tuple[int, float]:
    """How many results there are, and the seconds that the first page takes: the table is written for it."""
    started = time.perf_counter()
    headers, _ = server.ask(server.connect(), "GET", f"{RESULTS}?limit=1")
    return int(headers["X-Total-Count"]), round(time.perf_counter() - started, 1)


def _different_ids(server: Server, total: int) -> int:
    """Asked a second time and parsed, outside of what is measured."""
    found: set[str] = set()
    for offset in range(0, total, PAGE):
        _, told = server.ask(server.connect(), "GET", f"{RESULTS}?fields=sourcedId&limit={PAGE}&offset={offset}")
        found |= {each["sourcedId"] for each in json.loads(told)["results"]}
    return len(found)


def inbox(folder: Path, students: int, count: int) -> None:
    """Pages for a client without records of its own, and for one with thousands of them."""
    with served(pulled_district(folder, students)) as server:
        connection, mine = server.connect(), {"Authorization": f"Bearer {server.writer}"}
        total, _ = _first_page(server)
        page = f"{RESULTS}?limit=1000&offset={total // 2}"
        timed(server, "api.inbox.page-without", count, lambda on: server.ask(on, "GET", page, None, mine))
        _, told = server.ask(connection, "GET", f"{RESULTS}?limit={OVERLAID}&fields=lineItem,student")
        given = [each | {"sourcedId": f"b-{n}", "score": 1, "scoreStatus": "submitted", "scoreDate": "2026-03-04"}
                 for n, each in enumerate(json.loads(told)["results"])]  # fmt: skip
        where, started = f"{GRADEBOOK}/lineItems/{given[0]['lineItem']['sourcedId']}/results", time.perf_counter()
        for start in range(0, OVERLAID, PER_POST):
            body = json.dumps({"results": given[start : start + PER_POST]}).encode()
            server.ask(connection, "POST", where, body, mine)
        posted = round(time.perf_counter() - started, 1)
        headers, _ = server.ask(connection, "GET", page, None, mine)
        timed(server, "api.inbox.page-with", count, lambda on: server.ask(on, "GET", page, None, mine),
              records=OVERLAID, posted_s=posted, shown=int(headers["X-Total-Count"]) - total)  # fmt: skip
        one = json.dumps(given[0] | {"sourcedId": "b-one"}).encode()

        def write_and_read(on: http.client.HTTPConnection) -> None:
            server.ask(on, "PUT", f"{RESULTS}/b-one", one, mine)
            server.ask(on, "GET", page, None, mine)

        timed(server, "api.inbox.put-and-page", count, write_and_read, records=OVERLAID)


def callers(folder: Path, students: int, number: int, seconds: float) -> None:
    """So many callers at a time, each one request after the other: mapping, GPA and pages of results in turn."""
    with served(pulled_district(folder, students)) as server:
        total, _ = _first_page(server)
        pages = [f"GET {RESULTS}?limit=1000&offset={total * part // 10}" for part in range(10)]
        bodies = (f"POST {APPLY} {json.dumps(EVIDENCE)}", f"POST {COMPUTE} {json.dumps(COURSES)}")
        (folder / "calls.txt").write_text("\n".join(call for page in pages for call in (*bodies, page)) + "\n")
        (folder / "calls.lua").write_text(_SCRIPT)
        for call in (*bodies, pages[0]):
            method, path, *body = call.split(" ", 2)
            server.ask(server.connect(), method, path, body[0].encode() if body else None)
        command = ["wrk", "-t", "2", "-c", str(number), "-d", f"{seconds:g}s", "--timeout", "30s", "-s", "calls.lua",
                   "-H", f"Authorization: Bearer {server.key}", "-H", "Content-Type: application/json",
                   f"http://{server.host}"]  # fmt: skip
        with Memory(server) as memory:
            before = server.cpu()
            done = subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True)
            cpu = server.cpu() - before
        told = json.loads(done.stdout.splitlines()[-1])
        print_line("api.callers", callers=number, **told, cpu_ms=round(cpu / max(1, told["requests"]) * 1000, 2),
                   requests_per_s=round(told["requests"] / told["seconds"]), memory_mb=memory.told(),
                   locked=(folder / "serve.log").read_text().count("locked"))  # fmt: skip


def upload(folder: Path, megabytes: int, *, job: bool) -> None:
    """A CSV file as a job; with ``job`` until it has ended."""
    line = b"s%07d,3,2026-10-01,LKS.MATH.1.NQ.1,Summative\n"
    piece = b"".join(line % n for n in range(20_000))
    pieces = megabytes * 2**20 // len(piece)
    head = b"student_id,score,scored_at,standard,category\n"
    with served(plain_district(folder)) as server:
        connection, started, before = server.connect(), time.perf_counter(), server.cpu()
        with Memory(server) as memory:
            connection.putrequest("POST", "/v1/mapping-jobs?mapping=lakeside")
            for name, value in (("Authorization", f"Bearer {server.key}"), ("Content-Type", "text/csv"),
                                ("Content-Length", str(len(head) + pieces * len(piece)))):  # fmt: skip
                connection.putheader(name, value)
            connection.endheaders(head)
            for _ in range(pieces):
                connection.send(piece)
            answer = connection.getresponse()
            queued = json.loads(answer.read())
        wall, cpu = time.perf_counter() - started, server.cpu() - before
        print_line("api.upload", status=answer.status, megabytes=queued["bytes"] >> 20, wall_s=round(wall, 1),
                   cpu_s=round(cpu, 1), bar_mb=150, memory_mb=memory.told())  # fmt: skip
        where = f"/v1/jobs/{queued['id']}"
        if job:
            with Memory(server) as memory:
                while (state := json.loads(server.ask(server.connect(), "GET", where)[1]))["state"] in _AT_WORK:
                    time.sleep(0.5)
            print_line("api.job", state=state["state"], rows=state["rows_done"], results=state["results"],
                       wall_s=round(time.perf_counter() - started - wall, 1), memory_mb=memory.told())  # fmt: skip
        server.ask(server.connect(), "DELETE", where)


_AT_WORK = ("queued", "running")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("calls", "lists", "oneroster", "inbox", "callers", "upload"))
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--students", type=int, default=10_000)
    parser.add_argument("--callers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--job", action="store_true", help="wait until the job over the upload has ended")
    parser.add_argument("--folder", type=Path, help="where the pulled district lies, or is made")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gateway-api-") as made:
        folder = asked.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        run = {
            "calls": lambda: calls(Path(made), asked.count),
            "lists": lambda: lists(Path(made), asked.count),
            "oneroster": lambda: oneroster(folder, asked.students, asked.count),
            "inbox": lambda: inbox(folder, asked.students, asked.count),
            "callers": lambda: callers(folder, asked.students, asked.callers, asked.seconds),
            "upload": lambda: upload(Path(made), asked.megabytes, job=asked.job),
        }
        run[asked.what]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
