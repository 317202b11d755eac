"""Evidence from files: CSV, XLSX, NDJSON and Parquet of any size, read in parts that each hold all results of their
students, so that memory does not grow with the file.
"""

from __future__ import annotations

import datetime
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from gateway.core.errors import ConfigurationError, DataError, MappingError, Place, did_you_mean
from gateway.core.mapping import CompiledMapping, Mapped
from gateway.core.mapping.language import EVIDENCE_COLUMNS
from gateway.core.mapping.prepare import REQUIRED
from gateway.core.model import LINE
from gateway.engine import Engine, LocalEngine
from gateway.evidence_notes import STUDENT, Note, RowNotes, column_notes
from gateway.table_file import read_workbook
from gateway.transport.csv_file import open_csv, read_batches

ROWS_PER_PART = 250_000
_PART = "_part"
_ROW = "_row"
_BUFFERED = 16_384
"""Rows of each part that wait in memory to be written."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def map_parts(
    mapping: CompiledMapping,
    parts: Iterable[pl.DataFrame],
    *,
    as_of: datetime.date | None = None,
    engine: Engine | None = None,
) -> Iterator[Mapped]:
    """What ``mapping`` makes of each part, in their order; each part holds all results of its students. The ``engine``
    says where; here, without one."""
    yield from (engine or LocalEngine()).each(_map_part, (mapping, as_of), parts)


def _map_part(shared: tuple[CompiledMapping, datetime.date | None], part: pl.DataFrame) -> Mapped:
    mapping, as_of = shared
    return mapping.apply(part, as_of=as_of)


@dataclass(slots=True)
class Evidence:
    """An opened file: an iterator over its parts, by rising student id. ``columns`` are the columns as written, by the
    names under which they are read."""

    path: Path
    columns: Mapping[str, str]
    rows: RowNotes
    _lazy: pl.LazyFrame = field(repr=False)
    _parts: Iterator[pl.DataFrame] = field(repr=False)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return self

    def __next__(self) -> pl.DataFrame:
        return self.rows.take(next(self._parts))

    def notes(self, declared: Iterable[str] = ()) -> list[Note]:
        """What is odd in the columns and in the parts that were read so far; ``declared`` are columns that a mapping
        knows. To be asked while the file is open."""
        return [*column_notes(self.columns, declared, Place(str(self.path))), *self.rows.notes(self._find)]

    def _find(self, odd: pl.Expr) -> Place:
        """The line of a CSV or XLSX file, or the number of the row, from 1, of another one."""
        has_lines = LINE in self._lazy.collect_schema()
        numbered = self._lazy.with_row_index(_ROW, offset=2 if self.path.suffix.lower() == ".csv" else 1)
        rows = numbered.filter(odd).select(LINE if has_lines else _ROW).head(1).collect().rows()
        return Place(str(self.path), rows[0][0] if rows else None)


@contextmanager
def open_evidence(
    path: Path,
    *,
    rows_per_part: int = ROWS_PER_PART,
    student: str | None = None,
    today: datetime.date | None = None,
) -> Iterator[Evidence]:
    """The evidence in ``path`` (``.csv``, ``.xlsx``, ``.ndjson``, ``.jsonl``, ``.parquet``, or a folder of Parquet
    files) in parts, by rising student id; a small file is one part. Column names may be written in any case and with
    blanks. ``student``: only this student's. ``today``: note what is dated later.

    Raises :class:`ConfigurationError` (``evidence.missing``, ``evidence.kind``, ``evidence.column-twice``,
    ``mapping.evidence-columns``) or :class:`DataError` (``evidence.unreadable``, ``evidence.empty``).
    """
    if not path.exists():
        raise ConfigurationError(f"{path} does not exist.", hint="Check the path.", code="evidence.missing")
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder, _readable(path):
        work = Path(folder)
        columns, lazy = _scan(path, work)
        end = _end_of(today) if today else None
        wanted = lazy.drop(LINE, strict=False)
        if student is not None:
            wanted = wanted.filter(pl.col(STUDENT) == student)
        rows = 0 if student is not None else int(wanted.select(pl.len()).collect(engine="streaming").item())
        parts = _one(wanted) if rows <= rows_per_part else _several(wanted, rows_per_part, work)
        yield Evidence(path, columns, RowNotes(end), lazy, parts)


def _end_of(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC) + datetime.timedelta(days=1)


def _one(lazy: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    yield lazy.collect(engine="streaming")


def _several(lazy: pl.LazyFrame, rows_per_part: int, work: Path) -> Iterator[pl.DataFrame]:
    """Write the rows into one file per range of students, in one pass and in bounded memory, and read these."""
    counts = lazy.group_by(STUDENT).agg(pl.len()).collect(engine="streaming").sort(STUDENT)
    part = ((counts["len"].cast(pl.Int64).cum_sum() - 1) // rows_per_part).alias(_PART)
    ranges = counts.select(pl.col(STUDENT), part).lazy()
    target = pl.PartitionBy(work / "parts", key=_PART, include_key=False)
    numbered = lazy.join(ranges, on=STUDENT, how="left", nulls_equal=True)
    numbered.sink_parquet(
        target, compression="lz4", statistics=False, row_group_size=_BUFFERED, engine="streaming", mkdir=True
    )
    for file in sorted((work / "parts").rglob("*.parquet"), key=_number):
        yield pl.read_parquet(file)


def _number(file: Path) -> int:
    """The number of the part in which a file stands."""
    return int(next(part for part in file.parts if part.startswith(f"{_PART}=")).removeprefix(f"{_PART}="))


def _scan(path: Path, work: Path) -> tuple[dict[str, str], pl.LazyFrame]:
    """The columns as written by our names, and the rows under our names; workbooks with their lines."""
    kind = path.suffix.lower()
    if path.is_dir() or kind == ".parquet":
        lazy = pl.scan_parquet(path / "*.parquet" if path.is_dir() else path)
        names = lazy.collect_schema().names()
    elif kind == ".csv":
        names, lazy = _scan_csv(path, work)
    elif kind in (".ndjson", ".jsonl"):
        names, lazy = _scan_ndjson(path)
    elif kind == ".xlsx":
        names, lazy = _scan_xlsx(path, work)
    else:
        hint = "Use .csv, .xlsx, .ndjson or .parquet."
        raise ConfigurationError(f"{path.name} is no file of evidence.", hint=hint, code="evidence.kind")
    columns = _our_names(path, names)
    here = lazy.collect_schema().names()
    lazy = lazy.rename({was: name for was, name in zip(here, columns, strict=False) if was != name})
    student = pl.col(STUDENT).cast(pl.String).str.strip_chars()
    return columns, lazy.with_columns(pl.when(student != "").then(student).alias(STUDENT))


def _scan_csv(path: Path, work: Path) -> tuple[list[str], pl.LazyFrame]:
    table = open_csv(path, name=str(path), work=work)
    if not table.columns:
        raise _empty(path)
    return list(table.columns), pl.scan_csv(table.path, infer_schema=False)


def _scan_ndjson(path: Path) -> tuple[list[str], pl.LazyFrame]:
    """Every value as its text, so that numbers keep their digits and marks may stand among them."""
    if path.stat().st_size == 0:
        raise _empty(path)
    names = pl.scan_ndjson(path, infer_schema_length=None).collect_schema().names()
    return names, pl.scan_ndjson(path, schema=dict.fromkeys(names, pl.String()))


def _scan_xlsx(path: Path, work: Path) -> tuple[list[str], pl.LazyFrame]:
    texts = pl.col(pl.String).str.strip_chars()
    names: list[str] = []
    for n, batch in enumerate(read_workbook(path)):
        names = [name for name in batch.columns if name != LINE]
        filled = batch.with_columns(pl.when(texts != "").then(texts).name.keep())
        filled.write_parquet(work / f"sheet-{n:05}.parquet", compression="lz4", statistics=False)
    return names, pl.scan_parquet(work / "sheet-*.parquet")


def _our_names(path: Path, written: Iterable[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for was in written:
        name = column_name(was)
        if name in named:
            message = f'{path.name} has the column {name} twice: "{named[name]}" and "{was}".'
            hint = "Rename or delete one of them."
            raise ConfigurationError(message, hint=hint, code="evidence.column-twice", place=Place(str(path)))
        named[name] = was
    missing = [name for name in REQUIRED if name not in named and not (name == "score" and "score_text" in named)]
    if missing:
        others = [was for name, was in named.items() if name not in EVIDENCE_COLUMNS]
        near = {name: did_you_mean(name, others).strip() for name in missing}
        meant = [f"{name}: {found}" for name, found in near.items() if found]
        there = f"It has: {', '.join(named.values())}."
        raise MappingError(
            f"The evidence has no column {' and no column '.join(missing)}.",
            hint=" ".join([*meant, f"{', '.join(REQUIRED)} are needed, in any order.", there]),
            code="mapping.evidence-columns",
            place=Place(str(path)),
        )
    return named


def column_name(written: str) -> str:
    """``Student ID``, ``studentId`` and ``student_id`` are one column."""
    return re.sub(r"[\s\-]+", "_", _CAMEL.sub("_", written.strip().removeprefix("\ufeff"))).lower()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, detail: str) -> DataError:
    """What is wrong with a file that Polars gave up: of CSV the first bad line."""
    kind = path.suffix.lower()
    place, message, hint = Place(str(path)), f"{path.name} cannot be read as a table.", "Save or export it again."
    if kind == ".csv":
        with tempfile.TemporaryDirectory() as work:
            batches = read_batches(open_csv(path, name=str(path), work=Path(work)))
            fault = next((fault for batch in batches for fault in batch.faults), None)
        if fault is not None:
            place, message = Place(str(path), fault.line), fault.reason
            hint = "Mend the line, or export the file again as CSV in UTF-8, its cells separated by commas."
    elif kind in (".ndjson", ".jsonl"):
        place, hint = Place(str(path), _bad_line(path)), "Each line must be one JSON object, in UTF-8."
    return DataError(message, hint=hint, code="evidence.unreadable", place=place, detail=detail[:500])


def _bad_line(path: Path) -> int | None:
    """The first line of NDJSON that is no object."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                if line.strip() and not isinstance(json.loads(line), dict):
                    return number
            except ValueError:
                return number
    return None


def _empty(path: Path) -> DataError:
    hint = f"Its first line must name the columns, among them {', '.join(REQUIRED)}."
    return DataError(f"{path.name} is empty.", hint=hint, code="evidence.empty", place=Place(str(path)))
