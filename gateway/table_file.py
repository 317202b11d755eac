"""Reads the small tables that people keep: CSV and XLSX, every cell as text, every row with its line."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.errors import ConfigurationError, DataError, GatewayError, Place, raise_problems
from gateway.core.model import LINE
from gateway.transport.csv_file import open_csv, read_batches


def read_table(path: Path) -> pl.DataFrame:
    """The rows of ``path`` (``.csv`` or ``.xlsx``, first sheet) as text, empty cells as null, with their ``_line``.

    Raises :class:`ConfigurationError` naming the file and line of every row that cannot be read.
    """
    if not path.is_file():
        raise ConfigurationError(f"{path} does not exist.", hint="Check the path.", code="table.missing")
    frame = _read_xlsx(path) if path.suffix.lower() == ".xlsx" else _read_csv(path)
    texts = pl.col(pl.String).str.strip_chars()
    return frame.with_columns(pl.when(texts != "").then(texts).name.keep())


def _read_csv(path: Path) -> pl.DataFrame:
    with tempfile.TemporaryDirectory() as work:
        try:
            table = open_csv(path, name=str(path), work=Path(work))
        except GatewayError as error:
            raise _as_configuration(error) from error
        _check_header(path, table.columns)
        frames, problems = [], []
        for batch in read_batches(table):
            frames.append(batch.frame)
            problems += [_problem(path, fault.line, fault.reason) for fault in batch.faults]
    raise_problems(problems)
    names = {str(n): name for n, name in enumerate(table.columns)}
    schema = {**dict.fromkeys(names, pl.String), LINE: pl.UInt32}
    return pl.concat([pl.DataFrame(schema=schema), *frames]).rename(names)


def _read_xlsx(path: Path) -> pl.DataFrame:
    return pl.concat(list(read_workbook(path)))


def read_workbook(path: Path, *, sheet: int | str = 0, rows: int = 50_000) -> Iterator[pl.DataFrame]:
    """The sheet of a workbook with this number or name as text with its ``_line``, in batches of so many ``rows``; at
    least one, which may be empty. Rows without any text are passed over.

    Raises :class:`ConfigurationError` (``table.xlsx``, ``table.header``).
    """
    from python_calamine import CalamineError, CalamineWorkbook  # most tables are no workbooks

    try:
        book = CalamineWorkbook.from_path(path)
        found = book.get_sheet_by_index(sheet) if isinstance(sheet, int) else book.get_sheet_by_name(sheet)
        numbered = enumerate(found.iter_rows(), start=1)
    except (CalamineError, OSError) as error:
        message = f"{path} cannot be read as a workbook."
        raise ConfigurationError(message, hint="Save it as .xlsx or as CSV.", code="table.xlsx") from error
    header = next((row for _, row in numbered if any(cell != "" for cell in row)), [])
    columns = tuple(str(cell).strip() for cell in header)
    _check_header(path, columns)
    yield _cells(columns, list(islice(numbered, rows)))
    while batch := list(islice(numbered, rows)):
        yield _cells(columns, batch)


def _cells(columns: tuple[str, ...], batch: list[tuple[int, list[Any]]]) -> pl.DataFrame:
    cells = [(line, [_text(cell) for cell in row]) for line, row in batch]
    filled = [(line, row) for line, row in cells if any(row)]
    data = {name: [row[at] for _, row in filled] for at, name in enumerate(columns)}
    schema = {**dict.fromkeys(columns, pl.String), LINE: pl.UInt32}
    return pl.DataFrame({**data, LINE: [line for line, _ in filled]}, schema=schema)


def _text(cell: object) -> str:
    """A cell as it is meant: whole numbers lose the ``.0`` that a workbook gives them."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _check_header(path: Path, columns: tuple[str, ...]) -> None:
    if not columns or not any(columns):
        raise ConfigurationError(
            f"{path} has no line of column names.", hint="Its first line must name the columns.", code="table.header"
        )
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        message = f'{path} has the column "{twice[0]}" twice.'
        raise ConfigurationError(message, hint="Rename or delete one of them.", code="table.header")


def _problem(path: Path, line: int | None, reason: str) -> ConfigurationError:
    return ConfigurationError(reason, code="table.row", place=Place(str(path), line))


def _as_configuration(error: GatewayError) -> ConfigurationError | DataError:
    return ConfigurationError(error.message, hint=error.hint, code=error.code, place=error.place)
