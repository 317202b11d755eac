"""Evidence in and tables out as files: CSV, XLSX, NDJSON and Parquet.

Evidence of any size is read in parts that each hold all results of their students, so that memory does not grow with
the file; the tables that come out are the same bytes however it was cut.
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
from gateway.core.model import LINE
from gateway.table_file import read_table

ROWS_PER_PART = 500_000
TABLES = ("levels", "continuum", "credits", "unmatched", "placement")
_PART = "_part"
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
    files) in parts; small files are one part. Column names may be written in any case and with blanks.

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
    parts = -(-rows // rows_per_part)
    if parts <= 1 or _STUDENT not in lazy.collect_schema().names():
        with _readable(path):
            yield iter([lazy.collect()])
        return
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder, _readable(path):
        _partition(lazy, parts, Path(folder))
        yield (pl.read_parquet(file).drop(_PART, strict=False) for file in sorted(Path(folder).rglob("*.parquet")))


def write_tables(mapped: Mapped, folder: Path, form: Format = Format.CSV) -> list[Path]:
    """Write the tables of ``mapped`` into ``folder``, one file each; equal results are equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in TABLES:
        frame: pl.DataFrame = getattr(mapped, name)
        path = folder / f"{name}.{form}"
        if form is Format.CSV:
            frame.write_csv(path, datetime_format=_TIMES)
        else:
            frame.write_parquet(path, compression="zstd", statistics=False)
        written.append(path)
    return written


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


def _partition(lazy: pl.LazyFrame, parts: int, folder: Path) -> None:
    """Write the rows into one file per part of the students, in one pass and in bounded memory."""
    part = pl.col(_STUDENT).cast(pl.String).hash(0) % parts
    target = pl.PartitionBy(folder, key=part.alias(_PART), include_key=False)
    lazy.sink_parquet(target, compression="zstd", compression_level=1, statistics=False, engine="streaming")
