"""Made-up scores for the mapping benchmark, the same for every program and every run.

The peers' task is a CSV file in no order: ``student_id``, ``section``, ``standard``, ``score``, ``scored_at``; students
are a fortieth of the rows. The kernel's are results of a state in Parquet files, cut by student as snapshots are.
Nothing is drawn: each cell follows from its row's number by mixing its bits.
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from gateway.core.partition import ROWS_PER_PART

ROWS_PER_STUDENT = 40
STANDARDS = 60
COMPETENCIES = 15
MARKS = {"7": ("A", "4.0"), "6": ("B+", "3.5"), "5": ("B", "3.0"), "4": ("C+", "2.5"), "3": ("C", "2.0"),
         "2": ("D", "1.0"), "1": ("F", "0.0")}  # fmt: skip
"""Seven score values, each with its letter and its points."""
CHUNK = 1_000_000
DOMAINS, GRADES, LEAVES = 4, 6, 4
"""Of the kernel's framework: domains, grades in each, and competencies in each grade. A student works in one grade, and
for every sixth result in the one after it."""
CATEGORIES = ("Summative", "Performance Task", "Quiz", "Homework")


def standard(number: int) -> str:
    return f"STD.{number:03}"


def competency(number: int) -> str:
    """What a standard belongs to: four standards make a competency."""
    return f"COMP.{number % COMPETENCIES:02}"


def leaves() -> list[str]:
    """The kernel's competencies with scores: domain, grade, number."""
    return [f"D{d}.{g}.{n}" for d in range(DOMAINS) for g in range(1, GRADES + 1) for n in range(1, LEAVES + 1)]


def write_peers_csv(path: Path, rows: int) -> None:
    """The file of the peers' task."""
    with path.open("wb") as file:
        for start in range(0, rows, CHUNK):
            frame = _draws(start, min(CHUNK, rows - start)).select(
                _student(_draw(1, max(rows // ROWS_PER_STUDENT, 1))),
                pl.format("SEC-{}", _draw(7_919, 4_000)).alias("section"),
                _named(_draw(104_729, STANDARDS), [standard(n) for n in range(STANDARDS)]).alias("standard"),
                _named(_draw(1_299_709, len(MARKS)), list(MARKS)).alias("score"),
                _day(15_485_863, 180).cast(pl.Datetime("ms")).dt.date().alias("scored_at"),
            )
            frame.write_csv(file, include_header=start == 0)


def write_kernel_parts(folder: Path, rows: int) -> None:
    """The kernel's results: one Parquet file for each part of the students, about :data:`ROWS_PER_PART` rows each."""
    folder.mkdir(parents=True, exist_ok=True)
    students = max(rows // ROWS_PER_STUDENT, 1)
    parts = max(1, rows // ROWS_PER_PART)
    for part in range(parts):
        start, end = rows * part // parts, rows * (part + 1) // parts
        own = _draw(1, max(students // parts, 1))
        frame = _draws(start, end - start)
        grade = own % (GRADES - 1) + (_draw(86_028_121, 6) == 0)
        leaf = (_draw(7_919, DOMAINS) * GRADES + grade) * LEAVES + _draw(122_949_823, LEAVES)
        category = _draw(104_729, len(CATEGORIES))
        points = pl.when(category == 3).then(_draw(1_299_709, 101)).otherwise(_draw(1_299_709, 9) / 2)
        frame = frame.select(
            _student(own * parts + part),
            _named(leaf, [f"S.{code}" for code in leaves()]).alias("standard"),
            _named(category, list(CATEGORIES)).alias("category"),
            pl.when(_draw(32_452_843, 50) > 0).then(points.cast(pl.Decimal(18, 6))).alias("score"),
            pl.when(category == 3).then(100).otherwise(4).cast(pl.Decimal(18, 6)).alias("max_score"),
            pl.when(_draw(32_452_843, 50) == 0)
            .then(pl.lit("exempt"))
            .otherwise(pl.lit("fully graded"))
            .alias("status"),
            (_day(15_485_863, 180) + _draw(49_979_687, 86_400).cast(pl.Int64) * 1000)
            .cast(pl.Datetime("ms", "UTC"))
            .alias("scored_at"),
            pl.format("line-item-{}", leaf * 180 + _draw(15_485_863, 180)).alias("line_item_id"),
        )
        frame.write_parquet(folder / f"part-{part:05}.parquet", compression="zstd")


def write_mappings(folder: Path) -> None:
    """The mappings of both tasks, with frameworks and crosswalks."""
    folder.mkdir(parents=True, exist_ok=True)
    codes = [f"COMP.{n:02}" for n in range(COMPETENCIES)]
    _write_framework(folder / "peers-framework.csv", [(code, "Competency", "", "") for code in codes])
    pairs = [(standard(n), competency(n)) for n in range(STANDARDS)]
    _write_crosswalk(folder / "peers-crosswalk.csv", pairs)
    marks = json.dumps({mark: float(points) for mark, (_, points) in MARKS.items()})
    names = json.dumps({f"{float(points):g}": letter for letter, points in MARKS.values()})
    for name, method in (("mean", "mean, round: {places: 6}"), ("latest", "most_recent")):
        text = _PEERS.format(name=name, marks=marks, names=names, method=method)
        (folder / f"peers-{name}.yaml").write_text(text, encoding="utf-8")
    rows = []
    for d in range(DOMAINS):
        rows.append((f"D{d}", "Domain", "", ""))
        for g in range(1, GRADES + 1):
            rows.append((f"D{d}.{g}", "Grade", f"{g:02}", f"D{d}"))
            rows += [(f"D{d}.{g}.{n}", "Standard", f"{g:02}", f"D{d}.{g}") for n in range(1, LEAVES + 1)]
    _write_framework(folder / "kernel-framework.csv", rows)
    _write_crosswalk(folder / "kernel-crosswalk.csv", [(f"S.{code}", code) for code in leaves()])
    (folder / "kernel.yaml").write_text(_KERNEL, encoding="utf-8")


def _write_framework(path: Path, items: list[tuple[str, str, str, str]]) -> None:
    lines = ["identifier,humanCodingScheme,fullStatement,CFItemType,educationLevel,isChildOf,sequenceNumber"]
    lines += [
        f"id-{code},{code},Statement of {code},{kind},{level},{above},{n}"
        for n, (code, kind, level, above) in enumerate(items, start=1)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_crosswalk(path: Path, pairs: list[tuple[str, str]]) -> None:
    lines = ["standard,competency", *(f"{code},{target}" for code, target in pairs)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _draws(start: int, rows: int) -> pl.DataFrame:
    """For each row 64 well mixed bits that follow from its number."""

    def mixed(value: pl.Expr, shift: int, factor: int) -> pl.Expr:
        return (value ^ (value // 2**shift)) * pl.lit(factor, pl.UInt64)

    number = pl.int_range(start + 1, start + rows + 1, dtype=pl.UInt64, eager=True).alias("n")
    bits = pl.col("n") * pl.lit(0x9E3779B97F4A7C15, pl.UInt64)
    bits = mixed(mixed(bits, 30, 0xBF58476D1CE4E5B9), 27, 0x94D049BB133111EB)
    return pl.DataFrame(number).select((bits ^ (bits // 2**31)).alias("bits"))


def _draw(divisor: int, of: int) -> pl.Expr:
    return pl.col("bits") // divisor % of


def _student(number: pl.Expr) -> pl.Expr:
    return ("S" + (number + 10_000_000).cast(pl.String)).alias("student_id")


def _named(number: pl.Expr, names: list[str]) -> pl.Expr:
    return pl.lit(pl.Series(names, dtype=pl.String)).gather(number.cast(pl.UInt32))


def _day(divisor: int, days: int) -> pl.Expr:
    """A midnight of a school year, in milliseconds."""
    return (_draw(divisor, days).cast(pl.Int64) + 20_330) * 86_400_000


_PEERS = """mapping: peers-{name}
version: "1"
framework: peers-framework.csv
scales:
  points: {{proficient: 3, marks: {marks}, names: {names}}}
align:
  - crosswalk: peers-crosswalk.csv
summarize:
  default: {{method: {method}}}
"""

_KERNEL = """mapping: kernel
version: "1"
framework: kernel-framework.csv
scale: four-point
scales:
  four-point: {proficient: 3, numeric: {from: 0, to: 4, step: 0.5}}
  percent:
    onto: four-point
    percent_of_maximum: true
    bands: [{at_least: 93, level: 4}, {at_least: 80, level: 3}, {at_least: 65, level: 2}, {at_least: 0, level: 1}]
evidence:
  - {name: homework, when: {category: Homework}, scale: percent, weight: 0.15}
  - {name: tests, when: {category: [Summative, "Performance*", Quiz]}, scale: four-point}
align:
  - crosswalk: kernel-crosswalk.csv
summarize:
  D0: {method: power_law, zeros: floor, floor: 0.5}
  default: {method: decaying_average, newest: 0.65}
roll_up:
  - {to: {type: Grade}, of: children, method: mean}
continuum:
  domains: top_level
  levels: education_level
  complete_share: 0.66
"""
