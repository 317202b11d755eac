"""How much CPU a result costs on its way from the bytes of a page to checked records, and on to raw frames.

    python -m benchmarks.json_pages [--page 1000] [--pages 10]

The pages are OneRoster 1.2 results with all that the standard requires, a score, two flags and a learning objective
(about 640 bytes each), read as strictly as in a pull: no NaN, no key twice. The best of many short rounds counts, so
that neighbours on the machine do not. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from connectors.oneroster.endpoints import ENDPOINTS
from connectors.oneroster.frames import frames_of
from gateway.transport.json_body import Records, decode_records

BAR = 2.0
"""Microseconds of CPU a result, from bytes to records."""
ROUNDS = 25
RESULTS = ENDPOINTS["results"]


def page(number: int, size: int) -> bytes:
    """One page as a provider sends it."""
    return json.dumps({"results": [result(number * size + row) for row in range(size)]}, separators=(",", ":")).encode()


def result(number: int) -> dict[str, object]:
    return {
        "sourcedId": f"result-{number:09d}",
        "status": "active",
        "dateLastModified": "2026-09-16T08:01:05.000Z",
        "lineItem": _ref("gradebook", "lineItems", "lineItem", f"line-item-{number % 4000:06d}"),
        "student": _ref("rostering", "users", "user", f"student-{number % 10000:06d}"),
        "scoreStatus": "fully graded",
        "score": (number % 9) / 2,
        "scoreDate": "2026-09-16",
        "late": "false",
        "missing": "false",
        "learningObjectiveSet": [
            {
                "source": "case",
                "learningObjectiveResults": [
                    {
                        "learningObjectiveId": f"0bb3f5d6-7c1a-4c2f-8a4e-{number % 300:012d}",
                        "score": (number % 9) / 2,
                    }
                ],
            }
        ],
    }


def _ref(service: str, collection: str, kind: str, id_: str) -> dict[str, str]:
    href = f"https://sis.example/ims/oneroster/{service}/v1p2/{collection}/{id_}"
    return {"href": href, "sourcedId": id_, "type": kind}


def read(body: bytes) -> Records[object]:
    return decode_records(body, RESULTS.record, (RESULTS.name,), source="results page 1")


def read_into_frames(body: bytes) -> None:
    frames_of(RESULTS, read(body), "results page 1", {})


def best(work: Callable[[bytes], object], bodies: list[bytes]) -> float:
    """The least CPU seconds of several rounds over all pages."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for body in bodies:
            work(body)
        rounds.append(time.process_time() - started)
    return min(rounds)


def measure(size: int, pages: int) -> dict[str, object]:
    bodies = [page(number, size) for number in range(pages)]
    count = size * pages
    decoding, framing = (best(work, bodies) * 1e6 / count for work in (read, read_into_frames))
    return {
        "benchmark": "json_pages",
        "results": count,
        "page": size,
        "bytes_per_result": round(sum(map(len, bodies)) / count),
        "cpu_us_per_result": round(decoding, 3),
        "cpu_us_per_result_with_frames": round(framing, 3),
        "bar": BAR,
        "ok": decoding <= BAR,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=int, default=1000)
    parser.add_argument("--pages", type=int, default=10)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.page, arguments.pages)))


if __name__ == "__main__":
    main()
