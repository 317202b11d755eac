"""How fast scores reach an Ed-Fi host, and that none is lost: over real sockets to the fake host.

    python -m benchmarks.edfi_push [--records 20000] [--concurrency 8] [--peers]

The fake runs in a process of its own. Three pushes: plain; with every tenth answer a 429; and the whole night again
through the ledger's comparison, which sends nothing. ``--peers``: lightbeam sends the same bodies to a fake of the
same kind, in the same run, from its own environment. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from benchmarks.measure import print_line
from benchmarks.measure import run as run_command
from gateway.core.connector import Context
from gateway.core.digest import content_digests
from gateway.core.exchange import Action, Change, OutcomeState, Target
from gateway.core.model import TABLES
from gateway.core.plan import KNOWN_SCHEMA, compare, count_actions
from gateway.registry import load_connector
from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.wsgi import serve

NAMESPACE = "uri://example.org/Gateway"
STUDENTS = 200
BAR = 1000
"""Records a second."""


def run_host(pipe: Connection, throttled: bool) -> None:
    """The fake host's process: tell address and credentials, and at the end what it holds."""
    fake = furnished(FakeEdFi("7.3"), students=STUDENTS)
    if throttled:
        fake.inject(Fault(FaultKind.THROTTLED, "0", path="/data/v3", method="POST", share=0.1, times=None))
    with serve(fake) as address:
        pipe.send((address, fake.gate.key, fake.gate.secret))
        pipe.recv()
        scores = [n for (resource, _), n in fake.effects.items() if resource == "studentGradebookEntries"]
        pipe.send((len(scores), max(scores, default=0)))


@contextmanager
def host(*, throttled: bool = False) -> Iterator[tuple[Connection, tuple[str, str, str]]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_host, args=(theirs, throttled), daemon=True)
    process.start()
    try:
        yield ours, ours.recv()
    finally:
        process.terminate()
        process.join()


def line_items(count: int) -> Iterator[dict[str, object]]:
    for number in range(-(-count // STUDENTS)):
        yield {
            "id": f"entry-{number:06d}", "title": f"Domain {number}", "class_id": "ALG-1-01",
            "assign_date": datetime(2026, 8, 24, tzinfo=UTC), "due_date": datetime(2026, 12, 17, tzinfo=UTC),
        }  # fmt: skip


def results(count: int) -> Iterator[dict[str, object]]:
    for number in range(count):
        yield {
            "id": f"result-{number:08d}", "line_item_id": f"entry-{number // STUDENTS:06d}",
            "student_id": f"{604800 + number % STUDENTS}", "class_id": "ALG-1-01", "score_status": "fully graded",
            "score": Decimal("3.5"), "text_score": "Proficient", "score_date": date(2026, 9, 16),
        }  # fmt: skip


def changes(entity: str, records: Iterator[dict[str, object]]) -> Iterator[Change]:
    for record in records:
        yield Change(entity, str(record["id"]), Action.CREATE, str(record["id"]), record)


def open_target(access: tuple[str, str, str], concurrency: int, folder: Path) -> Target:
    address, key, secret = access
    kind = load_connector("edfi")
    settings = kind.Settings().load(
        {
            "base_url": address,
            "auth": {"client_id": key, "client_secret": secret},
            "push_concurrency": concurrency,
            "write": ["gradebook"],
            "target": {"namespace": NAMESPACE, "levels": {"Proficient": "Proficient"}},
        }
    )
    made = kind(settings, Context("benchmark", "ods", folder, folder, lambda: datetime.now(UTC)))
    assert isinstance(made, Target)
    return made


def pushed(count: int, concurrency: int, *, throttled: bool) -> dict[str, object]:
    with host(throttled=throttled) as (pipe, access), TemporaryDirectory() as folder:
        target = open_target(access, concurrency, Path(folder))
        list(target.push(changes("line_items", line_items(count))))
        started, cpu = time.perf_counter(), time.process_time()
        states = [outcome.state for outcome in target.push(changes("results", results(count)))]
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        pipe.send("stop")
        there, most = pipe.recv()
    return {
        "accepted": states.count(OutcomeState.ACCEPTED),
        "at_host": there,
        "most_effects_each": most,
        "seconds": round(wall, 2),
        "records_per_second": round(count / wall),
        "cpu_ms_per_record": round(cpu / count * 1000, 3),
    }


def unchanged(count: int) -> dict[str, object]:
    """The plan of a night in which nothing changed: digests of all records, compared with the ledger's."""
    declared = TABLES["results"].schema
    rows = pl.DataFrame(list(results(count)))
    rows = rows.select(
        pl.col(name).cast(dtype) if name in rows.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in declared.items()
    )
    started = time.perf_counter()
    desired = rows.select("id").with_columns(content_digests(rows, "results"))
    known = desired.select(
        "id", pl.lit("accepted").alias("state"), "digest", pl.col("digest").alias("accepted_digest"),
        pl.lit(None, pl.String).alias("remote_id"),
    ).select(list(KNOWN_SCHEMA))  # fmt: skip
    counts = count_actions(compare(desired, known, prefix="d/t/results"))
    return {"seconds": round(time.perf_counter() - started, 3), "to_send": count - counts.get(Action.KEEP, 0)}


LIGHTBEAM = """\
state_dir: ./state
data_dir: ./data
edfi_api:
  base_url: {address}
  version: 3
  mode: shared_instance
  client_id: {key}
  client_secret: {secret}
connection:
  pool_size: {concurrency}
  timeout: 60
  num_retries: 10
  backoff_factor: 1.5
  retry_statuses: [429, 500, 501, 503, 504]
  verify_ssl: false
show_stacktrace: true
"""


def lightbeam(count: int, concurrency: int, *, throttled: bool) -> dict[str, object]:
    """The same bodies through lightbeam's ``send``."""
    from tests.testing.edfi_peer_environment import peer_programs

    program = peer_programs() / "lightbeam"
    with host(throttled=throttled) as (pipe, access), TemporaryDirectory() as name:
        folder = Path(name)
        target = open_target(access, concurrency, folder)
        list(target.push(changes("line_items", line_items(count))))
        (folder / "data").mkdir()
        with (folder / "data" / "studentGradebookEntries.jsonl").open("w", encoding="utf-8") as stream:
            for record in results(count):
                body = {
                    "gradebookEntryReference": {
                        "gradebookEntryIdentifier": record["line_item_id"], "namespace": NAMESPACE,
                    },
                    "studentReference": {"studentUniqueId": record["student_id"]},
                    "numericGradeEarned": 3.5,
                    "letterGradeEarned": "Proficient",
                    "dateFulfilled": "2026-09-16",
                    "competencyLevelDescriptor": "uri://ed-fi.org/CompetencyLevelDescriptor#Proficient",
                }  # fmt: skip
                stream.write(f"{json.dumps(body)}\n")
        address, key, secret = access
        text = LIGHTBEAM.format(address=address, key=key, secret=secret, concurrency=concurrency)
        (folder / "lightbeam.yaml").write_text(text, encoding="utf-8")
        cost = run_command([program, "send", "-c", "lightbeam.yaml"], cwd=folder, environment={"HOME": name})
        pipe.send("stop")
        there, _ = pipe.recv()
    return {
        "exit_code": cost.exit_code,
        "at_host": there,
        "lost": count - there,
        "seconds": cost.wall_s,
        "records_per_second": round(count / cost.wall_s),
        "peak_mb": cost.peak_mb,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--peers", action="store_true")
    arguments = parser.parse_args()
    count, concurrency = arguments.records, arguments.concurrency
    plain = pushed(count, concurrency, throttled=False)
    throttled = pushed(min(count, 2_000), concurrency, throttled=True)
    again = unchanged(count)
    figures = {"records": count, "concurrency": concurrency, "push": plain, "with_429": throttled, "unchanged": again}
    if arguments.peers:
        figures["lightbeam"] = lightbeam(count, concurrency, throttled=False)
        figures["lightbeam_with_429"] = lightbeam(min(count, 2_000), concurrency, throttled=True)
    print_line("edfi_push", bar=BAR, **figures)


if __name__ == "__main__":
    main()
