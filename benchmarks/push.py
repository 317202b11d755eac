"""How much of the client's CPU a pushed result costs: PUT requests over real sockets to a fake provider.

    python -m benchmarks.push [--results 5000] [--concurrency 4]

The fake runs in a process of its own, so that only the client's time is counted. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.core.connector import Context
from gateway.core.exchange import Action, Change, OutcomeState, Target
from gateway.registry import load_connector
from gateway.testing.fake_auth import Entry, Gate
from gateway.testing.fake_oneroster import FakeOneRoster
from gateway.testing.wsgi import serve

TOKEN = "benchmark"
BAR = 800
"""Results a second on one core's worth of client CPU."""


def run_provider(pipe: Connection) -> None:
    """The fake provider's process: tell the address, and at the end how many results had an effect."""
    fake = FakeOneRoster(gate=Gate(Entry.BEARER, bearer=TOKEN))
    with serve(fake) as address:
        pipe.send(address)
        pipe.recv()
        pipe.send(sum(1 for name, _ in fake.effects if name == "results"))


def changes(count: int) -> Iterator[Change]:
    """New results as the mapping makes them, each with one learning objective."""
    for number in range(count):
        record = {
            "id": f"benchmark-{number:08d}",
            "line_item_id": f"l-{number % 8}",
            "student_id": f"u-s{number % 12:02d}",
            "class_id": f"k-{number % 4}",
            "score_status": "fully graded",
            "score": Decimal("3.530000"),
            "score_date": date(2026, 9, 16),
            "text_score": "Proficient",
            "result_learning_objectives": [
                {
                    "source": "case",
                    "learning_objective_id": f"0bb3f5d6-7c1a-4c2f-8a4e-{number % 6:012d}",
                    "score": Decimal("3.500000"),
                    "text_score": "Proficient",
                }
            ],
        }
        yield Change("results", str(record["id"]), Action.CREATE, str(record["id"]), record)


def open_target(address: str, concurrency: int, folder: Path) -> Target:
    connector = load_connector("oneroster")
    settings = connector.Settings().load(
        {
            "base_url": address,
            "auth": {"type": "bearer", "token": TOKEN},
            "profile": {"push_concurrency": concurrency},
        }
    )
    target = connector(settings, Context("benchmark", "target", folder, folder, lambda: datetime.now(UTC)))
    assert isinstance(target, Target)
    return target


def measure(count: int, concurrency: int) -> dict[str, object]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_provider, args=(theirs,), daemon=True)
    process.start()
    with TemporaryDirectory() as folder:
        target = open_target(ours.recv(), concurrency, Path(folder))
        started, cpu_started = time.perf_counter(), time.process_time()
        accepted = sum(outcome.state is OutcomeState.ACCEPTED for outcome in target.push(changes(count)))
        cpu, wall = time.process_time() - cpu_started, time.perf_counter() - started
    ours.send("stop")
    effects = ours.recv()
    process.join()
    return {
        "benchmark": "push",
        "results": count,
        "accepted": accepted,
        "effects": effects,
        "concurrency": concurrency,
        "cpu_ms_per_result": round(cpu / count * 1000, 3),
        "results_per_cpu_second": round(count / cpu),
        "results_per_second": round(count / wall),
        "bar": BAR,
        "ok": accepted == effects == count and count / cpu >= BAR,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=5000)
    parser.add_argument("--concurrency", type=int, default=4)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.results, arguments.concurrency)))


if __name__ == "__main__":
    main()
