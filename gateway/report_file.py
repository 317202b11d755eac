"""Reports as files: one workbook with a sheet a table, or a CSV or Parquet file a table. No cell acts as a formula."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import polars as pl
import xlsxwriter

from gateway.core.errors import ConfigurationError
from gateway.course_files import write_table
from gateway.transport.atomic import atomic_file

ENDINGS = (".csv", ".parquet", ".xlsx")
_TIMES = "%Y-%m-%dT%H:%M:%SZ"
_MOST_ROWS = 1_048_575
_SAFE: Mapping[str, Any] = {
    "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd",
}  # fmt: skip


def check_report_path(path: Path) -> None:
    """Raises :class:`ConfigurationError` (``report.file``) for an ending that no report can be written with."""
    if path.suffix.lower() not in ENDINGS:
        raise ConfigurationError(
            f"{path.name} has no ending of a report.", hint=f"Use one of {', '.join(ENDINGS)}.", code="report.file"
        )


def write_report(tables: Mapping[str, pl.DataFrame], about: Mapping[str, str], path: Path) -> list[Path]:
    """Write ``tables``, the main one first, by the ending of ``path``; returns the files that were written.

    A workbook has a sheet for each table and one for ``about``. In CSV and Parquet the main table is ``path``, and each
    other stands beside it, with its name behind the file's. Equal tables are equal files.

    Raises :class:`ConfigurationError` (``report.file``, ``report.rows``).
    """
    check_report_path(path)
    if path.suffix.lower() == ".xlsx":
        _check_rows(tables)
        with atomic_file(path) as file:
            _write_workbook(tables, about, file)
        return [path]
    written = []
    for n, (name, table) in enumerate(tables.items()):
        written.append(path if n == 0 else path.with_name(f"{path.stem}-{name}{path.suffix}"))
        write_table(table if path.suffix.lower() == ".parquet" else _with_times(table), written[-1])
    return written


def _check_rows(tables: Mapping[str, pl.DataFrame]) -> None:
    for name, table in tables.items():
        if table.height > _MOST_ROWS:
            raise ConfigurationError(
                f'The table "{name}" has {table.height:,} rows; a sheet holds {_MOST_ROWS:,}.',
                hint="Write it as .csv or .parquet.",
                code="report.rows",
            )


def _with_times(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(
        pl.col(name).dt.strftime(_TIMES) for name, dtype in table.schema.items() if isinstance(dtype, pl.Datetime)
    )


def _write_workbook(tables: Mapping[str, pl.DataFrame], about: Mapping[str, str], file: IO[bytes]) -> None:
    with xlsxwriter.Workbook(file, dict(_SAFE)) as book:
        book.set_properties({"created": datetime.datetime(2000, 1, 1)})  # equal tables are equal files
        for name, table in tables.items():
            _write_sheet(book, name, table)
        rows = pl.DataFrame(
            {"what": list(about), "value": list(about.values())}, schema=dict.fromkeys(("what", "value"), pl.String)
        )
        _write_sheet(book, "about", rows)


def _write_sheet(book: xlsxwriter.Workbook, name: str, table: pl.DataFrame) -> None:
    sheet = book.add_worksheet(name)
    head = book.add_format({"bold": True, "bottom": 1})
    for column, (title, dtype) in enumerate(table.schema.items()):
        sheet.set_column(column, column, _width(title, table[title]), book.add_format(_format(title, dtype)))
        sheet.write_string(0, column, title, head)
    for line, row in enumerate(table.iter_rows(), start=1):
        for column, value in enumerate(row):
            _write_cell(sheet, line, column, value)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(table.height, 1), max(table.width - 1, 0))


def _width(title: str, values: pl.Series) -> int:
    longest = values.head(200).str.len_chars().max() if values.dtype == pl.String else None
    return max(len(title) + 3, min(int(str(longest or 0)) + 1, 38))


def _format(title: str, dtype: pl.DataType) -> dict[str, str]:
    if title.endswith("share"):
        return {"num_format": "0.0%"}
    if isinstance(dtype, pl.Decimal):
        return {"num_format": "0.00"}
    if isinstance(dtype, pl.Datetime):
        return {"num_format": "yyyy-mm-dd"}
    return {"num_format": "@"} if dtype == pl.String else {}


def _write_cell(sheet: xlsxwriter.worksheet.Worksheet, line: int, column: int, value: object) -> None:
    """Text is written as text, whatever it looks like."""
    if isinstance(value, bool):
        sheet.write_boolean(line, column, value)
    elif isinstance(value, datetime.datetime):
        sheet.write_datetime(line, column, value.replace(tzinfo=None))
    elif isinstance(value, str):
        sheet.write_string(line, column, value)
    elif value is not None:
        sheet.write_number(line, column, float(str(value)))
