"""Evidence in and tables out as files: CSV, XLSX, NDJSON and Parquet.

Evidence of any size is read in parts that each hold all results of their students, in the order of the students' ids,
and the tables are written part by part: memory does not grow with the file, and the bytes are the same however it was
cut.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import polars as pl

from gateway.core.errors import ConfigurationError, DataError, Place
from gateway.core.mapping import Mapped
from gateway.core.mapping.result import sum_unmatched
from gateway.core.model import LINE
from gateway.table_file import read_table

ROWS_PER_PART = 250_000
TABLES = ("levels", "continuum", "credits", "unmatched", "placement")
_BY_STUDENT = ("levels", "continuum", "credits", "placement")
_PART = "_part"
_GROUP = 100_000
_STUDENT = "student_id"
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TIMES = "%Y-%m-%dT%H:%M:%SZ"


class Format(StrEnum):
    """How tables are written."""

    CSV = "csv"
    PARQUET = "parquet"


@contextmanager
def open_evidence(path: Path, *, rows_per_part: int = ROWS_PER_PART) -> Iterator[Iterator[pl.DataFrame]]:
    """The evidence in ``path`` (``.csv``, ``.xlsx``, ``.ndjson``, ``.jsonl``, ``.parquet``, or a folder of Parquet
    files) in parts, by rising student id; a small file is one part. Column names may be written in any case and with
    blanks.

    Raises :class:`ConfigurationError` (``evidence.missing``, ``evidence.kind``) or :class:`DataError`
    (``evidence.unreadable``).
    """
    if not path.exists():
        raise ConfigurationError(f"{path} does not exist.", hint="Check the path.", code="evidence.missing")
    if path.suffix.lower() == ".xlsx":
        yield iter([_renamed(read_table(path).drop(LINE).lazy()).collect()])
        return
    with _readable(path):
        lazy = _renamed(_scan(path))
        rows = int(lazy.select(pl.len()).collect(engine="streaming").item())
    if rows <= rows_per_part or _STUDENT not in lazy.collect_schema().names():
        with _readable(path):
            yield iter([lazy.collect()])
        return
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder, _readable(path):
        _partition(lazy, rows, rows_per_part, Path(folder))
        files = sorted(Path(folder).rglob("*.parquet"), key=_number)
        yield (pl.read_parquet(file) for file in files)


class TableWriter:
    """Writes the tables of one part after the other into a folder, one file each; used as a context manager.

    The parts come by rising student id, as :func:`open_evidence` gives them. ``evidence``, ``used``, ``set_aside`` and
    ``rows`` (by table) sum up what was written.
    """

    def __init__(self, folder: Path, form: Format = Format.CSV) -> None:
        self.folder = folder
        self.form = form
        self.evidence = 0
        self.used = 0
        self.set_aside: dict[str, int] = {}
        self.rows = dict.fromkeys(TABLES, 0)
        self._unmatched: list[pl.DataFrame] = []
        self._parts = 0
        self._work: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> TableWriter:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._work = tempfile.TemporaryDirectory(prefix="tables-", dir=self.folder)
        return self

    def add(self, mapped: Mapped) -> None:
        """Take the tables of one part."""
        for name in _BY_STUDENT:
            frame: pl.DataFrame = getattr(mapped, name)
            frame.write_parquet(self._part(name, self._parts), compression="lz4", statistics=False)
            self.rows[name] += frame.height
        self._unmatched.append(mapped.unmatched)
        self._parts += 1
        self.evidence += mapped.evidence
        self.used += mapped.used
        for reason, count in mapped.set_aside.items():
            self.set_aside[reason] = self.set_aside.get(reason, 0) + count

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Put the parts together, unless something failed."""
        assert self._work is not None, "the writer was entered"  # noqa: S101
        with self._work:
            if kind is not None or not self._parts:
                return
            unmatched = sum_unmatched(pl.concat(self._unmatched))
            self.rows["unmatched"] = unmatched.height
            self._write("unmatched", unmatched.lazy())
            for name in _BY_STUDENT:
                self._write(name, pl.scan_parquet([self._part(name, n) for n in range(self._parts)]))

    def _part(self, name: str, number: int) -> Path:
        assert self._work is not None, "the writer was entered"  # noqa: S101
        return Path(self._work.name) / f"{name}-{number:06}.parquet"

    def _write(self, name: str, table: pl.LazyFrame) -> None:
        path = self.folder / f"{name}.{self.form}"
        if self.form is Format.CSV:
            table.sink_csv(path, datetime_format=_TIMES, engine="streaming")
        else:
            table.sink_parquet(path, compression="zstd", statistics=False, row_group_size=_GROUP, engine="streaming")


def _scan(path: Path) -> pl.LazyFrame:
    kind = path.suffix.lower()
    if path.is_dir():
        return pl.scan_parquet(path / "*.parquet")
    if kind == ".parquet":
        return pl.scan_parquet(path)
    if kind == ".csv":
        return pl.scan_csv(path, infer_schema=False)
    if kind in (".ndjson", ".jsonl"):
        return pl.scan_ndjson(path, infer_schema_length=10_000)
    raise ConfigurationError(
        f"{path.name} is no file of evidence.", hint="Use .csv, .xlsx, .ndjson or .parquet.", code="evidence.kind"
    )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"{path.name} cannot be read as a table.",
            hint="Each line needs as many cells as the first one, separated by commas.",
            code="evidence.unreadable",
            place=Place(str(path)),
            detail=str(error)[:500],
        ) from error


def _renamed(frame: pl.LazyFrame) -> pl.LazyFrame:
    names = frame.collect_schema().names()
    return frame.rename({name: column_name(name) for name in names if column_name(name) != name})


def column_name(written: str) -> str:
    """``Student ID``, ``studentId`` and ``student_id`` are one column."""
    return re.sub(r"[\s\-]+", "_", _CAMEL.sub("_", written.strip().removeprefix("\ufeff"))).lower()


def _partition(lazy: pl.LazyFrame, rows: int, rows_per_part: int, folder: Path) -> None:
    """Write the rows into one file per range of students, in one pass and in bounded memory."""
    student = pl.col(_STUDENT).cast(pl.String)
    counts = lazy.group_by(student).agg(pl.len()).collect(engine="streaming").sort(_STUDENT)
    part = ((counts["len"].cast(pl.Int64).cum_sum() - 1) // rows_per_part).alias(_PART)
    ranges = counts.select(pl.col(_STUDENT), part).lazy()
    target = pl.PartitionBy(folder, key=_PART, include_key=False)
    numbered = lazy.with_columns(student).join(ranges, on=_STUDENT, how="left", nulls_equal=True)
    numbered.sink_parquet(target, compression="lz4", statistics=False, engine="streaming")


def _number(file: Path) -> int:
    """The number of the part in which a file stands."""
    return int(next(part for part in file.parts if part.startswith(f"{_PART}=")).removeprefix(f"{_PART}="))
