"""The fake Ed-Fi host in a process of its own, the records that the benchmark sends to it, and nights of a district.

The nights take the steps of a run that come after the mapping: digests, comparison with the ledger, saved plan, push in
batches with the ledger before and after each, reading a sample back.
"""

from __future__ import annotations

import multiprocessing
import resource
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.exchange import Target
from gateway.core.model import TABLES
from gateway.settings import District, database_url, load_district, open_connection
from gateway.store import open_store
from gateway.store import runs as run_store
from gateway.store.leases import hold
from gateway.store.runs import RunState
from gateway.sync.planning import save, write_changes, write_desired
from gateway.sync.run import finish, push_plan
from gateway.sync.telling import GPAS, telling_sync
from gateway.sync.work import Work
from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.wsgi import serve

NAMESPACE = "uri://example.org/Gateway"
CLASS = "ALG-1-01"
STUDENTS = 200
SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Host:
    """A served host: where it is, who may call, and the pipe to its process."""

    address: str
    key: str
    secret: str
    pipe: Connection

    def told(self) -> dict[str, int]:
        """What the host has seen so far: ``there``, how many scores it holds, ``most``, the most effects that one had,
        ``writes``, the requests that write."""
        self.pipe.send("tell")
        told: dict[str, int] = self.pipe.recv()
        return told


@contextmanager
def host(version: str = "7.3", *, students: int = STUDENTS, throttled: bool = False) -> Iterator[Host]:
    """A host in a process of its own; ``throttled``: every tenth POST is answered 429."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_serve, args=(theirs, version, students, throttled), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Host(*ours.recv(), pipe=ours)
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Connection, version: str, students: int, throttled: bool) -> None:
    fake = furnished(FakeEdFi(version), students=students)
    if throttled:
        fake.inject(Fault(FaultKind.THROTTLED, "0", path="/data/v3", method="POST", share=0.1, times=None))
    with serve(fake) as address:
        pipe.send((f"{address}{fake.addresses.root}", fake.gate.key, fake.gate.secret))
        while pipe.recv():
            scores = [n for (resource, _), n in fake.effects.items() if resource == "studentGradebookEntries"]
            pipe.send({"there": len(scores), "most": max(scores, default=0), "writes": fake.writes})


def entries(count: int) -> pl.DataFrame:
    """The line items of so many results, each of all students."""
    numbers = range(-(-count // STUDENTS))
    begins, ends = datetime(2026, 8, 24, tzinfo=UTC), datetime(2026, 12, 17, tzinfo=UTC)
    rows = [
        {"id": f"entry-{n:06d}", "title": f"Domain {n}", "class_id": CLASS, "assign_date": begins, "due_date": ends}
        for n in numbers
    ]
    return _typed("line_items", pl.DataFrame(rows))


def results(count: int) -> pl.DataFrame:
    """Results as a mapping makes them: score, label, day."""
    number = pl.int_range(count, eager=True).alias("number")
    rows = number.to_frame().select(
        pl.format("result-{}", pl.col("number").cast(pl.String).str.zfill(8)).alias("id"),
        pl.format("entry-{}", (pl.col("number") // STUDENTS).cast(pl.String).str.zfill(6)).alias("line_item_id"),
        (604800 + pl.col("number") % STUDENTS).cast(pl.String).alias("student_id"),
        pl.lit(CLASS).alias("class_id"), pl.lit("fully graded").alias("score_status"),
        pl.lit(Decimal("3.5")).alias("score"), pl.lit("Proficient").alias("text_score"),
        pl.lit(date(2026, 9, 16)).alias("score_date"),
    )  # fmt: skip
    return _typed("results", rows)


def _typed(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        pl.col(name).cast(kind) if name in rows.columns else pl.lit(None, kind).alias(name)
        for name, kind in TABLES[table].schema.items()
    )


DISTRICT = """\
district: benchmark
name: Benchmark
time_zone: America/New_York
connections:
  ods:
    connector: edfi
    settings:
      base_url: "{host.address}"
      auth: {{client_id: "${{file:key}}", client_secret: "${{file:secret}}"}}
      push_concurrency: {concurrency}
      write: [gradebook]
      target: {{namespace: "{namespace}", levels: {{Proficient: Proficient}}}}
"""


def district(folder: Path, to: Host, *, concurrency: int = 8) -> District:
    """A district whose one connection is the host."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("key", to.key), ("secret", to.secret)):
        (folder / name).write_text(text, encoding="utf-8")
    text = DISTRICT.format(host=to, concurrency=concurrency, namespace=NAMESPACE)
    (folder / "gateway.yaml").write_text(text, encoding="utf-8")
    return load_district(folder / "gateway.yaml")


def night(of: District, tables: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """Plan and push these records; the report of the run, and the largest resident set before the push
    (``planned_mb``)."""
    planned: list[int] = []
    store = open_store(database_url(of))
    with closing(store), closing(open_connection(of, "ods", now=_now)) as target:
        assert isinstance(target, Target)
        with hold(store, of.id, ["ods"], _now) as lease:
            sync = replace(telling_sync(GPAS, "ods"), name="benchmark")
            run = run_store.begin(store, of.id, sync.name, now=_now(), since=None, run_key=None, until="push")
            work = Work(of, sync, store, lease, run, _now, lambda *progress: None, threading.Event())
            report = finish(work, lambda: _plan_and_push(work, target, tables, planned))
    if report.run.state is not RunState.DONE:
        raise RuntimeError("\n".join(report.lines()))
    return {**report.as_dict(), "planned_mb": planned[0]}


def _plan_and_push(work: Work, target: Target, tables: Mapping[str, pl.DataFrame], planned: list[int]) -> RunState:
    for name, rows in tables.items():
        write_desired(work.folder / "desired", name, 0, rows)
    plan = save(work, write_changes(work, None), reasons=(), base=None, snapshot="")
    planned.append(peak_mb())
    return push_plan(work, plan, target)


def peak_mb() -> int:
    """The largest resident set of this process so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _now() -> datetime:
    return datetime.now(UTC)
