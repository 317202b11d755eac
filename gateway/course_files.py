"""Course files in, GPA files out: CSV, XLSX and Parquet, columns found by name, formulas made harmless."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import polars as pl

from gateway.core.errors import ConfigurationError, DataError
from gateway.core.gpa.columns import ColumnMatch, match_columns
from gateway.core.gpa.compute import COLUMNS, FURTHER, GpaResult
from gateway.core.gpa.courses import PROBLEM, UNREAD
from gateway.core.model import LINE
from gateway.table_file import read_table
from gateway.transport.atomic import atomic_file
from gateway.transport.csv_file import CsvBatch, CsvTable, open_csv, read_batches

if TYPE_CHECKING:
    import xlsxwriter

FORMATS = (".csv", ".xlsx", ".parquet")
_FORMULA = r"^[=+\-@\t\r]"
_NUMBERS = ("credits", "quality_points", "credits_earned", "points", "weight", "credit", "units", "number")


def open_courses(path: Path) -> ColumnMatch:
    """Which column of the course file at ``path`` is which; nothing else is read of a large file.

    Raises :class:`DataError` (``gpa.columns``, ``gpa.file``) when it cannot be used as one.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist.", hint="Check the path.", code="gpa.file")
    if path.suffix.lower() not in FORMATS:
        raise DataError(f"{path} is no course file.", hint=f"Use one of {', '.join(FORMATS)}.", code="gpa.file")
    return match_columns(_names(path), str(path))


def _names(path: Path) -> Sequence[str]:
    if path.suffix.lower() == ".parquet":
        return _parquet_names(path)
    if path.suffix.lower() == ".xlsx":
        return _xlsx(path).columns
    with tempfile.TemporaryDirectory() as work:
        return open_csv(path, name=str(path), work=Path(work)).columns


def _parquet_names(path: Path) -> list[str]:
    try:
        return list(pl.read_parquet_schema(path))
    except (pl.exceptions.ComputeError, OSError) as error:
        raise DataError(f"{path} cannot be read as Parquet.", hint="Save it again.", code="gpa.file") from error


def _xlsx(path: Path) -> pl.DataFrame:
    try:
        return read_table(path)
    except ConfigurationError as error:
        raise DataError(error.message, hint=error.hint, code=error.code, place=error.place) from error


def read_courses(path: Path, match: ColumnMatch) -> pl.DataFrame:
    """The whole course file with the documented columns and ``_line``; see :func:`course_batches` for large ones."""
    batches = list(course_batches(path, match))
    return pl.concat(batches, how="diagonal") if batches else pl.DataFrame(schema=_schema(match))


def course_batches(path: Path, match: ColumnMatch, *, rows: int = 1_000_000) -> Iterator[pl.DataFrame]:
    """The rows of a course file in batches. A row that cannot be read stays as a row that says so."""
    if path.suffix.lower() == ".parquet":
        for start in range(0, parquet_rows(path), rows):
            yield parquet_slice(path, match, start, rows)
    elif path.suffix.lower() == ".xlsx":
        yield renamed(_xlsx(path), match)
    else:
        with tempfile.TemporaryDirectory() as work:
            table = open_csv(path, name=str(path), work=Path(work))
            for batch in read_batches(table):
                yield _csv_rows(table, batch, match)


def parquet_rows(path: Path) -> int:
    """How many rows a Parquet file has."""
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def parquet_slice(path: Path, match: ColumnMatch, start: int, rows: int) -> pl.DataFrame:
    """Some rows of a Parquet file; ``_line`` is the number of the row, from 1."""
    rows_of = pl.scan_parquet(path)
    noted = [PROBLEM] if PROBLEM in rows_of.collect_schema() else []
    frame = rows_of.select(*match.matched, *noted).slice(start, rows).collect()
    return renamed(frame.with_row_index(LINE, offset=start + 1), match)


def renamed(frame: pl.DataFrame, match: ColumnMatch) -> pl.DataFrame:
    """The matched columns under their documented names, and ``_line``."""
    columns = [pl.col(name).alias(column) for name, column in match.matched.items()]
    noted = [PROBLEM] if PROBLEM in frame.columns else []
    return frame.select(*columns, *noted, pl.col(LINE).cast(pl.Int64))


def _schema(match: ColumnMatch) -> dict[str, pl.DataType]:
    return {**dict.fromkeys(match.matched.values(), pl.String()), LINE: pl.Int64()}


def _csv_rows(table: CsvTable, batch: CsvBatch, match: ColumnMatch) -> pl.DataFrame:
    names = {str(number): name for number, name in enumerate(table.columns)}
    rows = renamed(batch.frame.rename(names), match)
    if not batch.faults:
        return rows
    position = {column: table.columns.index(name) for name, column in match.matched.items()}
    known: dict[str, list[Any]] = {
        column: [f.cells[position[column]] if position[column] < len(f.cells) else None for f in batch.faults]
        for column in ("student_id", "course_code")
        if column in position
    }
    known |= {LINE: [fault.line for fault in batch.faults], UNREAD: [fault.reason for fault in batch.faults]}
    faults = pl.DataFrame(known, schema={name: pl.Int64() if name == LINE else pl.String() for name in known})
    return pl.concat([rows, faults], how="diagonal")


def result_rows(results: Sequence[GpaResult]) -> pl.DataFrame:
    """All results in one table as files show it: each GPA with the places of its policy."""
    tables = [
        each.gpas.select(*COLUMNS, *FURTHER).with_columns(
            pl.col("gpa").cast(pl.Decimal(18, each.policy.round_gpa.places)).cast(pl.String).alias("gpa")
        )
        for each in results
    ]
    return pl.concat(tables)


def check_ending(path: Path) -> str:
    """The ending of an output file. Raises :class:`DataError` (``gpa.file``) for one that cannot be written."""
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise DataError(f"{path} has no known ending.", hint=f"Use one of {', '.join(FORMATS)}.", code="gpa.file")
    return ending


def write_table(rows: pl.DataFrame, path: Path, *, title: str = "GPA") -> None:
    """Write ``rows`` by the ending of ``path``. In CSV and XLSX no cell acts as a formula; Parquet keeps the types."""
    ending = check_ending(path)
    with atomic_file(path) as file:
        if ending == ".parquet":
            rows.write_parquet(file)
        elif ending == ".xlsx":
            _write_xlsx(rows, file, title)
        else:
            append_csv(rows, file, header=True)


def append_csv(rows: pl.DataFrame, file: IO[bytes], *, header: bool) -> None:
    """Write ``rows`` as CSV behind what ``file`` holds already."""
    harmless(_shown(rows)).write_csv(file, include_header=header)


def harmless(rows: pl.DataFrame) -> pl.DataFrame:
    """Texts that a spreadsheet would take for a formula get an apostrophe in front. GPAs and other numbers stay."""
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String and name not in ("gpa", *_NUMBERS)]
    return rows.with_columns(
        pl.when(pl.col(name).str.contains(_FORMULA)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in texts
    )


def _shown(rows: pl.DataFrame) -> pl.DataFrame:
    """Numbers as people write them: no trailing zeros."""
    numbers = [name for name in rows.columns if isinstance(rows.schema[name], pl.Decimal)]
    return rows.with_columns(pl.col(name).cast(pl.String).str.replace(r"\.?0+$", "") for name in numbers)


def _write_xlsx(rows: pl.DataFrame, file: IO[bytes], title: str) -> None:
    """A sheet with a frozen header and a filter; texts are never read as formulas, links or numbers."""
    import xlsxwriter  # the API's server, which writes none, would hold it in memory

    options: Mapping[str, bool] = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet(title[:31])
        bold = book.add_format({"bold": True})
        for column, name in enumerate(rows.columns):
            sheet.write_string(0, column, name, bold)
            sheet.set_column(column, column, max(10, min(40, len(name) + 4)))
        formats = {places: book.add_format({"num_format": f"0.{'0' * places}"}) for places in range(1, 7)}
        for line, row in enumerate(rows.iter_rows(), start=1):
            for column, value in enumerate(row):
                _write_cell(sheet, line, column, rows.columns[column], value, formats)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, rows.height), max(0, rows.width - 1))


def _write_cell(
    sheet: xlsxwriter.worksheet.Worksheet, line: int, column: int, name: str, value: object, formats: Mapping[int, Any]
) -> None:
    """A GPA is a number that shows the places of its policy."""
    if value is None:
        return
    if name == "gpa" and isinstance(value, str):
        sheet.write_number(line, column, float(value), formats.get(len(value.partition(".")[2])))
    elif isinstance(value, str):
        sheet.write_string(line, column, value)
    elif isinstance(value, bool):
        sheet.write_boolean(line, column, value)
    else:
        sheet.write_number(line, column, float(str(value)))
