"""Transcripts of many students through three policies, NCAA selection included: one JSON line.

    python benchmarks/gpa.py                       # 1,000,000 students with 40 courses each, two processes
    python benchmarks/gpa.py --students 50000
    python benchmarks/gpa.py --one                 # one student through the library, milliseconds

Memory is the largest sum of the resident sets of all processes, sampled.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from datetime import date
from pathlib import Path

import polars as pl
import psutil

from gateway.core.gpa.compute import compute_gpa
from gateway.gpa_batch import Options, compute_file
from gateway.policies import load_policy

POLICIES = ("school-weighted", "ncaa-d1", "uc")
FOLDER = Path(__file__).resolve().parent.parent / "mappings" / "gpa"
AS_OF = date(2026, 6, 15)
CHUNK = 50_000


def transcripts(first: int, students: int, kind: str) -> pl.DataFrame:
    """40 courses a student: five a semester, some repeats and failures; credits by ``kind`` of school."""
    index = pl.int_range(first * 40, (first + students) * 40, dtype=pl.UInt64, eager=True).alias("i")
    frame = pl.DataFrame(index).with_columns(
        (pl.col("i") // 40).alias("student"), (pl.col("i") % 40).alias("n"), pl.col("i").hash(7).alias("chance")
    )

    def draw(divisor: int, of: int) -> pl.Expr:
        return (pl.col("chance") // divisor) % of

    semester, slot = pl.col("n") // 5, pl.col("n") % 5
    areas = ["ENG", "MATH", "SCI", "SOC", "LANG"]
    area = slot.replace_strict(list(range(5)), areas, return_dtype=pl.String)
    area = pl.when((slot == 4) & (draw(1000, 3) == 0)).then(pl.lit("ART")).otherwise(area)
    grades = ["A"] * 6 + ["A-"] * 2 + ["B+"] * 3 + ["B"] * 4 + ["C"] * 3 + ["D", "P"]
    grade = draw(1, 20).replace_strict(list(range(20)), grades, return_dtype=pl.String)
    grade = pl.when(draw(97, 40) == 0).then(pl.lit("F")).otherwise(grade)
    level = draw(77, 6).replace_strict([0, 1], ["AP", "Honors"], default="Regular", return_dtype=pl.String)
    repeats = (draw(5003, 25) == 0) & (semester >= 2)
    code = pl.when(repeats).then(semester - 2).otherwise(semester)
    half = pl.when(draw(991, 4) == 0).then(pl.lit("1.0")).otherwise(pl.lit("0.5"))
    credit = {"semesters": pl.lit("0.5"), "mixed": half}[kind]
    return frame.select(
        pl.format("S{}", pl.col("student") + 10_000_000).alias("student_id"),
        pl.format("{}{}", area, code).alias("course_code"),
        pl.format("{} {}", area, code).alias("title"),
        area.alias("subject"),
        level.alias("level"),
        credit.alias("credit"),
        grade.alias("grade"),
        (semester // 2 + 2023).cast(pl.String).alias("school_year"),
        pl.when(semester % 2 == 0).then(pl.lit("S1")).otherwise(pl.lit("S2")).alias("term"),
        (semester // 2 + 9).cast(pl.String).alias("grade_level"),
        pl.when(area == "ART").then(pl.lit("no")).otherwise(pl.lit("yes")).alias("core"),
        pl.when(area == "ART").then(pl.lit("F")).otherwise(pl.lit("yes")).alias("ag"),
    )


def write_transcripts(path: Path, students: int, kind: str) -> None:
    """One Parquet file, students together, written chunk by chunk."""
    parts = []
    for first in range(0, students, CHUNK):
        part = path.with_name(f"part-{first:09}.parquet")
        transcripts(first, min(CHUNK, students - first), kind).write_parquet(part)
        parts.append(part)
    pl.scan_parquet(parts).sink_parquet(path, row_group_size=500_000)
    for part in parts:
        part.unlink()


class Memory(threading.Thread):
    """The largest resident set of this process and its children, in megabytes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0.0
        self.running = True

    def run(self) -> None:
        me = psutil.Process()
        while self.running:
            total = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.most = max(self.most, total / 1e6)
            time.sleep(0.05)


def cpu_seconds() -> float:
    me = psutil.Process().cpu_times()
    return me.user + me.system + me.children_user + me.children_system


def many(students: int, kind: str, workers: int) -> dict[str, object]:
    policies = tuple(load_policy(FOLDER / f"{name}.yaml") for name in POLICIES)
    with tempfile.TemporaryDirectory() as folder:
        courses = Path(folder) / "courses.parquet"
        write_transcripts(courses, students, kind)
        memory, before, started = Memory(), cpu_seconds(), time.perf_counter()
        memory.start()
        done = compute_file(Options(policies, AS_OF), courses, Path(folder) / "gpa.csv", workers=workers)
        seconds = time.perf_counter() - started
        memory.running = False
    return {
        "benchmark": "gpa", "kind": kind, "students": students, "courses": students * 40, "policies": len(policies),
        "workers": workers, "seconds": round(seconds, 1), "cpu_seconds": round(cpu_seconds() - before, 1),
        "peak_mb": round(memory.most), "rows": done.rows, "states": done.states,
    }  # fmt: skip


def one() -> dict[str, object]:
    courses = transcripts(0, 1, "semesters")
    times = {}
    for name in (*POLICIES, "ncaa-d2"):
        policy = load_policy(FOLDER / f"{name}.yaml")
        found = []
        for _ in range(200):
            started = time.perf_counter()
            compute_gpa(policy, courses, as_of=AS_OF)
            found.append((time.perf_counter() - started) * 1000)
        times[name] = round(statistics.median(found), 2)
    return {"benchmark": "gpa-one", "milliseconds": times}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=1_000_000)
    parser.add_argument("--kind", choices=["semesters", "mixed"], default="semesters")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--one", action="store_true")
    given = parser.parse_args()
    print(json.dumps(one() if given.one else many(given.students, given.kind, given.workers)))


if __name__ == "__main__":
    main()
