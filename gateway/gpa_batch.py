"""Computes the GPAs of a whole course file, part by part and on several processes, in bounded memory.

A part holds whole students. A Parquet file in which each student's rows stand together is cut between students; any
other large file is first partitioned by a hash of the student into temporary files. Parts do not depend on each other,
and results come in the order of parts, so that the number of processes changes nothing in them.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import polars as pl

from gateway.core.errors import DataError
from gateway.core.gpa.catalogue import apply_catalogue
from gateway.core.gpa.columns import ColumnMatch
from gateway.core.gpa.compute import Period, compute_gpa
from gateway.core.gpa.courses import prepare_courses
from gateway.core.gpa.grades import Calendar
from gateway.core.gpa.overrides import Override, note_course_overrides, override_courses, override_gpas
from gateway.core.gpa.policy import Policy
from gateway.core.partition import part_of
from gateway.course_files import (
    append_csv,
    check_ending,
    course_batches,
    open_courses,
    parquet_rows,
    parquet_slice,
    result_rows,
    write_table,
)
from gateway.transport.atomic import atomic_file
from gateway.transport.environment import environment

ROWS_PER_PART = 500_000
MOST_XLSX_ROWS = 1_048_575
_NEIGHBOURS = 4096
_BYTES_PER_ROW = 64
"""About as short as a row of a CSV course file gets, to estimate how many there are."""


@dataclass(frozen=True, slots=True)
class Options:
    """What holds for every part; see :func:`~gateway.core.gpa.compute.compute_gpa`."""

    policies: tuple[Policy, ...]
    as_of: date
    students: pl.DataFrame | None = None
    calendar: Calendar | None = None
    periods: tuple[Period, ...] = (Period.CUMULATIVE,)
    approximate: bool = False
    trace: bool = False
    catalogue: pl.DataFrame | None = None
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """Where the rows of some whole students are: slices of the file itself, or temporary files."""

    path: Path
    match: ColumnMatch
    start: int = 0
    rows: int = 0
    files: tuple[Path, ...] = ()

    def read(self) -> pl.DataFrame:
        if self.files:
            return pl.concat([pl.read_parquet(file) for file in self.files], how="diagonal")
        return parquet_slice(self.path, self.match, self.start, self.rows)


@dataclass(frozen=True, slots=True)
class Computed:
    """What became of a course file: how its columns were read, and how many GPAs of each policy have which state.

    ``problems`` is the file that lists every problem by student, line and course; ``None`` when there is none.
    ``unknown_courses`` are codes that the catalogue does not have.
    """

    match: ColumnMatch
    states: Mapping[str, Mapping[str, int]]
    rows: int
    problems: Path | None
    storable: bool
    unknown_courses: tuple[str, ...] = ()


class _ScatteredError(Exception):
    """A student's rows stand in several parts."""


def compute_file(
    options: Options,
    courses: Path,
    out: Path,
    *,
    trace: Path | None = None,
    workers: int = 1,
    rows: int = ROWS_PER_PART,
) -> Computed:
    """Compute the GPAs of the file ``courses`` into ``out`` (and the trace), each CSV, XLSX or Parquet by its ending.

    Problems go to a CSV beside ``out``. Raises :class:`DataError` when the file cannot be read as a course file.
    """
    for path in (out, trace) if trace else (out,):
        check_ending(path)
    match = open_courses(courses)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".gpa-") as folder:
        work = Path(folder)
        try:
            done = _run(options, _standing_together(courses, match, rows), work / "1", workers)
        except _ScatteredError:
            done = _run(options, _partitioned(courses, match, work / "parts", rows), work / "2", workers)
        _assemble(done, "results", out)
        if trace is not None:
            _assemble(done, "trace", trace)
        return Computed(
            match=match,
            states=_states(done),
            rows=sum(pl.scan_parquet(each).select(pl.len()).collect().item() for each in _files(done, "results")),
            problems=_problems(done, out),
            storable=all(policy.aggregate == "always" for policy in options.policies),
            unknown_courses=_unknown_courses(done),
        )


def _standing_together(path: Path, match: ColumnMatch, rows: int) -> list[Part]:
    """A Parquet file cut between students. Raises :class:`_ScatteredError` for any other file."""
    if path.suffix.lower() != ".parquet":
        raise _ScatteredError
    total = parquet_rows(path)
    starts = [0]
    while starts[-1] + rows < total:
        starts.append(_next_student(path, match, starts[-1] + rows, total))
    ends = [*starts[1:], total]
    return [Part(path, match, start, end - start) for start, end in zip(starts, ends, strict=True) if end > start]


def _next_student(path: Path, match: ColumnMatch, start: int, total: int) -> int:
    """The first row from ``start`` on that belongs to another student than the row before it."""
    name = next(name for name, column in match.matched.items() if column == "student_id")
    while start < total:
        ids = pl.scan_parquet(path).select(name).slice(start - 1, _NEIGHBOURS + 1).collect().to_series()
        changed = (ids != ids.shift(1)).fill_null(True).slice(1).arg_true()
        if len(changed):
            return start + int(changed[0])
        start += _NEIGHBOURS
    return total


def _partitioned(path: Path, match: ColumnMatch, folder: Path, rows: int) -> list[Part]:
    """The rows of a file in temporary files, each part with all rows of some students."""
    folder.mkdir()
    parts = _part_count(path, rows)
    files: dict[int, list[Path]] = {}
    for number, group in enumerate(_gathered(course_batches(path, match, rows=rows), rows)):
        numbered = group.with_columns(part_of(group["student_id"].cast(pl.String).fill_null(""), parts).alias("_part"))
        for part, mine in numbered.partition_by("_part", as_dict=True, include_key=False).items():
            file = folder / f"{part[0]}-{number}.parquet"
            mine.write_parquet(file, compression="lz4")
            files.setdefault(int(str(part[0])), []).append(file)
    return [Part(path, match, files=tuple(files[number])) for number in sorted(files)]


def _part_count(path: Path, rows: int) -> int:
    if path.suffix.lower() == ".parquet":
        return -(-parquet_rows(path) // rows)
    return path.stat().st_size // (_BYTES_PER_ROW * rows) + 1


def _gathered(batches: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """Batches put together until they have so many rows."""
    held: list[pl.DataFrame] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= rows:
            yield pl.concat(held, how="diagonal")
            held = []
    if held:
        yield pl.concat(held, how="diagonal")


def _run(options: Options, parts: Sequence[Part], folder: Path, workers: int) -> list[Path]:
    """Compute every part into a folder of its own. Raises :class:`_ScatteredError` if a student has several parts."""
    folders = [folder / f"{number:05}" for number in range(max(1, len(parts)))]
    for each in folders:
        each.mkdir(parents=True)
    if not parts:
        _write(options, pl.DataFrame(schema={"student_id": pl.String}), folders[0])
    elif workers == 1 or len(parts) == 1:
        for part, each in zip(parts, folders, strict=True):
            _compute_part(options, part, each)
    else:
        with _one_thread_each(), ProcessPoolExecutor(min(workers, len(parts)), get_context("spawn")) as pool:
            list(pool.map(_compute_part, [options] * len(parts), parts, folders))
    if len(parts) > 1:
        students = pl.concat(
            [pl.read_parquet(each / "results.parquet", columns=["student_id"]).unique() for each in folders]
        )
        if students["student_id"].n_unique() != len(students):
            raise _ScatteredError
    return folders


def _one_thread_each() -> AbstractContextManager[None]:
    """Processes started inside use one thread each: they are as many as they should be already."""
    return environment("POLARS_MAX_THREADS", "1")


def _compute_part(options: Options, part: Part, folder: Path) -> None:
    _write(options, part.read(), folder)


def _write(options: Options, courses: pl.DataFrame, folder: Path) -> None:
    """The tables of one part, for all policies, in ``folder``."""
    courses, overrides, unknown = _completed(options, courses)
    prepared = prepare_courses(courses)
    tables: dict[str, list[pl.DataFrame]] = {"results": [], "problems": [], "trace": [], "unknown": [unknown]}
    for policy in options.policies:
        result = compute_gpa(
            policy, prepared, as_of=options.as_of, trace=options.trace, students=options.students,
            calendar=options.calendar, periods=options.periods, approximate=options.approximate,
        )  # fmt: skip
        if overrides:
            result = note_course_overrides(override_gpas(result, overrides), overrides)
        tables["results"].append(result_rows([result]))
        tables["problems"].append(result.problems)
        if result.trace is not None:
            tables["trace"].append(result.trace)
    for name, made in tables.items():
        if made:
            table = pl.concat(made)
            by_student = ["student_id"] if name == "results" else []
            table.sort(by_student, maintain_order=True).write_parquet(folder / f"{name}.parquet", compression="lz4")


def _completed(options: Options, courses: pl.DataFrame) -> tuple[pl.DataFrame, list[Override], pl.DataFrame]:
    """The courses with what the catalogue and people say of them, their overrides, and codes not in the catalogue."""
    unknown: list[str] = []
    if options.catalogue is not None:
        courses, unknown = apply_catalogue(courses, options.catalogue)
    overrides: list[Override] = []
    if options.overrides:
        here = set(courses["student_id"].cast(pl.String).str.strip_chars().unique())
        overrides = [each for each in options.overrides if each.student_id in here]
        courses = override_courses(courses, overrides)
    return courses, overrides, pl.DataFrame({"course_code": unknown}, schema={"course_code": pl.String})


def _unknown_courses(folders: Sequence[Path]) -> tuple[str, ...]:
    codes = [pl.read_parquet(file)["course_code"] for file in _files(folders, "unknown")]
    return tuple(pl.concat(codes).unique().sort()) if codes else ()


def _files(folders: Sequence[Path], table: str) -> list[Path]:
    return [file for folder in folders if (file := folder / f"{table}.parquet").is_file()]


def _assemble(folders: Sequence[Path], table: str, out: Path) -> None:
    """Put a table of all parts together, in their order."""
    files = _files(folders, table)
    if out.suffix.lower() == ".csv":
        with atomic_file(out) as stream:
            for number, file in enumerate(files):
                append_csv(pl.read_parquet(file), stream, header=number == 0)
        return
    rows = pl.scan_parquet(files)
    if out.suffix.lower() == ".xlsx" and rows.select(pl.len()).collect().item() > MOST_XLSX_ROWS:
        raise DataError(f"{out} would be longer than a sheet can be.", hint="Write .csv or .parquet.", code="gpa.file")
    write_table(rows.collect(), out, title=table)


def _problems(folders: Sequence[Path], out: Path) -> Path | None:
    path = out.with_name(f"{out.stem}.problems.csv")
    found = pl.scan_parquet(_files(folders, "problems")).collect()
    if found.is_empty():
        path.unlink(missing_ok=True)
        return None
    write_table(found, path)
    return path


def _states(folders: Sequence[Path]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for file in _files(folders, "results"):
        counted = pl.read_parquet(file, columns=["policy", "state"]).group_by("policy", "state").len()
        for policy, state, number in counted.sort("policy", "state").rows():
            counts.setdefault(policy, Counter())[state] += number
    return {policy: dict(states) for policy, states in counts.items()}
