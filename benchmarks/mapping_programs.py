"""What the mapping benchmark measures of ours, each run in a process of its own.

python -m benchmarks.mapping_programs task MAPPINGS SCORES OUT       # the peers' task, as the peers write it
python -m benchmarks.mapping_programs floor FOLDER                   # scan and group by two keys
python -m benchmarks.mapping_programs kernel MAPPINGS FOLDER OUT     # parts in, parts out
python -m benchmarks.mapping_programs floor-csv SCORES
python -m benchmarks.mapping_programs call MAPPINGS                  # one API call of 100 scores, milliseconds
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import polars as pl

from benchmarks.mapping_data import MARKS, leaves

CALLS = 300


def task(mappings: Path, scores: Path, out: Path) -> None:
    """Two mappings, one for the mean and one for the newest score, over the same evidence, which is read and judged
    once; a line of JSON for each student and competency."""
    from gateway.evidence_file import open_evidence
    from gateway.mappings import load_mapping

    mean, latest = (load_mapping(mappings / f"peers-{name}.yaml") for name in ("mean", "latest"))
    letters = {float(points): letter for letter, points in MARKS.values()}
    with out.open("wb") as file, open_evidence(scores) as parts:
        for part in parts:
            collected = mean.collect(part)
            means = mean.summarise(collected, evidence=part.height).levels
            newest = latest.summarise(collected, evidence=part.height).levels["level"].cast(pl.Float64)
            means.select(
                "student_id",
                "competency",
                pl.col("evidence_count").alias("n"),
                pl.col("level").cast(pl.Float64).alias("mean"),
                newest.alias("points"),
                newest.replace_strict(letters, return_dtype=pl.String).alias("letter"),
                pl.col("last_scored_at").dt.date().alias("date"),
            ).write_ndjson(file)


def floor(parts: Path) -> None:
    """The least that any program has to do: read the scores and group them by student and standard."""
    _grouped(pl.scan_parquet(parts / "*.parquet"))


def floor_csv(scores: Path) -> None:
    _grouped(pl.scan_csv(scores, schema_overrides={"score": pl.Int64}))


def _grouped(scores: pl.LazyFrame) -> None:
    grouped = scores.group_by("student_id", "standard").agg(pl.len(), pl.col("score").sum())
    print(json.dumps({"groups": grouped.collect(engine="streaming").height}))


def kernel(mappings: Path, parts: Path, out: Path) -> None:
    """Every part through the whole mapping, its tables written as a part each, as in a night."""
    from gateway.mappings import load_mapping

    mapping = load_mapping(mappings / "kernel.yaml")
    out.mkdir(parents=True, exist_ok=True)
    rows = dict.fromkeys(("levels", "continuum", "placement"), 0)
    used = 0
    for file in sorted(parts.glob("*.parquet")):
        mapped = mapping.apply(pl.read_parquet(file))
        used += mapped.used
        for name in rows:
            table: pl.DataFrame = getattr(mapped, name)
            rows[name] += table.height
            table.write_parquet(out / f"{name}-{file.name}", compression="lz4", statistics=False)
    print(json.dumps({"used": used, **rows}))


def call(mappings: Path) -> None:
    """100 scores of four students in one grade through the kernel's mapping, as an API call brings them."""
    from gateway.mappings import load_mapping

    mapping = load_mapping(mappings / "kernel.yaml")
    codes = [code for code in leaves() if code.split(".")[1] == "3"]
    taken, busy = [], []
    for n in range(CALLS):
        scores = pl.DataFrame(
            {
                "student_id": [f"S{n}-{row % 4}" for row in range(100)],
                "standard": [f"S.{codes[(n + row * 7) % len(codes)]}" for row in range(100)],
                "category": ["Summative", "Quiz"] * 50,
                "score": [(n + row * row) % 9 / 2 for row in range(100)],
                "scored_at": [f"2026-{row % 9 + 1:02}-{n % 28 + 1:02}T08:00:00Z" for row in range(100)],
                "result_id": [f"r{row}" for row in range(100)],
            }
        )
        started, used = time.perf_counter(), time.process_time()
        mapping.apply(scores)
        taken.append((time.perf_counter() - started) * 1000)
        busy.append((time.process_time() - used) * 1000)
    warm = taken[20:]
    told = {
        "p50_ms": statistics.median(warm), "p99_ms": statistics.quantiles(warm, n=100)[98],
        "p50_cpu_ms": statistics.median(busy[20:]), "first_ms": taken[0],
    }  # fmt: skip
    print(json.dumps({name: round(value, 2) for name, value in told.items()}))


PROGRAMS = {"task": task, "floor": floor, "floor-csv": floor_csv, "kernel": kernel, "call": call}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*map(Path, sys.argv[2:]))
