"""CSV files of any size, read in batches of text with exact line numbers, in bounded memory.

A file is read in stretches of a few megabytes that end with a record. Each is first proved to be well formed by
counting (bytes, line ends, commas outside quotes); then Polars parses it. A stretch that fails the proof is read record
by record (:mod:`gateway.transport.csv_rows`), so that a bad record is reported with its line and its neighbours stay.

Text is UTF-8 with or without a byte order mark, or UTF-16 with one (transcoded to a file in the work folder). Any other
encoding is never guessed: rows with such bytes are faults, unless the caller names the encoding to read them with.

Source: RFC 4180; OneRoster CSV Binding 1.2.1.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import IO

import polars as pl

from gateway.core.errors import DataError, IncompletePullError, Place
from gateway.core.model import LINE
from gateway.transport.atomic import atomic_file
from gateway.transport.csv_rows import (
    MAX_CELL,
    Layout,
    Records,
    RowFault,
    read_first,
    read_records,
)

STRETCH = 4 << 20
"""Bytes per batch: about 50,000 results."""
_HEADER_LIMIT = 1 << 20
_MOST_COLUMNS = 2000
_LINE_END = re.compile(rb"\r\n|\n|\r")
_CELL = r'(?:"(?:[^"]|"")*"|[^",]*)'
_WIDEST_PATTERN = 100
_BOM = codecs.BOM_UTF8
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True, slots=True)
class Position:
    """Where to go on: the byte in the (UTF-8) file and the number of the line that begins there, from 1."""

    offset: int
    line: int


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file whose header was read. ``columns`` are the header's cells, trimmed; ``()`` for an empty file.

    ``name`` is what people call the file; ``path`` holds its text as UTF-8; ``start`` is where the records begin.
    """

    name: str
    path: Path
    columns: tuple[str, ...]
    start: Position
    fallback_encoding: str | None = None


@dataclass(frozen=True, slots=True)
class CsvBatch:
    """Some records: text in columns ``"0"``, ``"1"``, … in the file's order, and ``_line``; and the faulty ones.

    ``next`` is where the following batch begins. ``notes``: the line on which each tolerated oddity first occurred.
    """

    frame: pl.DataFrame
    faults: tuple[RowFault, ...]
    next: Position
    notes: Mapping[str, int]


def open_csv(path: Path, *, name: str, work: Path, fallback_encoding: str | None = None) -> CsvTable:
    """Read the header of ``path``. A UTF-16 file is transcoded into the folder ``work`` first.

    Raises :class:`DataError`: ``csv.header`` when the first line cannot be read as a header, ``csv.separator`` when its
    cells are not separated by commas, ``csv.encoding`` for UTF-16 without a byte order mark.
    """
    path = _as_utf8(path, work)
    with path.open("rb") as file:
        head = file.read(_HEADER_LIMIT)
        whole = len(head) < _HEADER_LIMIT
    bom = len(_BOM) if head.startswith(_BOM) else 0
    blank = re.match(rb"(?:[ \t]*(?:\r\n|\n|\r))*", head[bom:])
    skipped = blank.end() if blank else 0
    lines = len(_LINE_END.findall(head[bom : bom + skipped]))
    body = head[bom + skipped :]
    start = Position(bom + skipped, 1 + lines)
    if not body.strip():
        return CsvTable(name, path, (), start, fallback_encoding)
    return _with_header(CsvTable(name, path, (), start, fallback_encoding), body, whole=whole)


def _with_header(table: CsvTable, body: bytes, *, whole: bool) -> CsvTable:
    place = Place(table.name, table.start.line)
    end = _LINE_END.search(body)
    first = body if end is None else body[: end.start()]
    if b"\0" in first:
        raise DataError(
            "The file is not text as UTF-8: its first line holds NUL bytes.",
            hint="Save it as UTF-8 (it may be UTF-16 without a byte order mark, or no CSV file at all).",
            code="csv.encoding",
            place=place,
        )
    header = read_first(body, at_end=whole)
    if header is None or len(header[0]) > _MOST_COLUMNS:
        raise DataError(
            "The first line cannot be read as a row of column names.",
            hint="The file must begin with a line of column names, separated by commas.",
            code="csv.header",
            place=place,
        )
    cells, length, lines = header
    columns = tuple(cell.decode(errors="replace").strip() for cell in cells)
    if len(columns) == 1 and (separator := re.search(r"[;\t|]", columns[0])):
        shown = {"\t": "tabulators"}.get(separator[0], f'"{separator[0]}"')
        raise DataError(
            f"The cells are separated by {shown} and not by commas.",
            hint="Export the file with commas between the cells.",
            code="csv.separator",
            place=place,
        )
    return replace(table, columns=columns, start=Position(table.start.offset + length, table.start.line + lines))


def _as_utf8(path: Path, work: Path) -> Path:
    """``path``, or a UTF-8 copy of a UTF-16 file. What is not UTF-16 becomes a byte that is not UTF-8 either."""
    with path.open("rb") as file:
        encoding = _UTF16.get(file.read(2))
        if encoding is None:
            return path
        state = path.stat()
        copy = work / f"{path.stem}-{state.st_size}-{state.st_mtime_ns}.utf8"
        if not copy.exists():
            decoder = codecs.getincrementaldecoder(encoding)("gateway-mark")
            with atomic_file(copy) as out:
                while data := file.read(STRETCH):
                    out.write(decoder.decode(data).encode("utf-8", "gateway-mark"))
                out.write(decoder.decode(b"", True).encode("utf-8", "gateway-mark"))
        return copy


def _mark(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    if isinstance(error, UnicodeEncodeError):
        return b"\xff" * (error.end - error.start), error.end
    raise error


codecs.register_error("gateway-mark", _mark)


def read_batches(table: CsvTable, position: Position | None = None, *, stretch: int = STRETCH) -> Iterator[CsvBatch]:
    """The records of ``table`` from ``position`` (the beginning, if not given), about ``stretch`` bytes at a time.

    Raises :class:`IncompletePullError` (``csv.changed``) when the file shrinks below the position.
    """
    layout = Layout(len(table.columns), table.fallback_encoding)
    at = position or table.start
    with table.path.open("rb") as file:
        if file.seek(0, 2) < at.offset:
            raise IncompletePullError("The file is shorter than before.", code="csv.changed", place=Place(table.name))
        file.seek(at.offset)
        yield from _batches(file, layout, at, stretch)


def _batches(file: IO[bytes], layout: Layout, at: Position, stretch: int) -> Iterator[CsvBatch]:
    buffer, at_end = b"", False
    while buffer or not at_end:
        if not at_end:
            more = file.read(stretch)
            at_end = len(more) < stretch
            buffer += more
        batch, in_overlong = _read(buffer, layout, at, at_end=at_end)
        if in_overlong:
            batch = replace(batch, next=_next_line(file, batch.next))
            at_end = False
        buffer = buffer[batch.next.offset - at.offset :]
        at = batch.next
        if batch.frame.height or batch.faults or batch.notes:
            yield batch


def _next_line(file: IO[bytes], at: Position) -> Position:
    """Pass over the rest of the line in which ``at`` (and ``file``) stands."""
    offset = at.offset
    while more := file.read(STRETCH):
        end = more.find(b"\n") + 1
        if end:
            file.seek(offset + end)
            return Position(offset + end, at.line + 1)
        offset += len(more)
    return Position(offset, at.line)


def _read(buffer: bytes, layout: Layout, at: Position, *, at_end: bool) -> tuple[CsvBatch, bool]:
    """The whole records of the buffer, and whether it was given up within an overlong record."""
    end = len(buffer) if at_end else buffer.rfind(b"\n") + 1
    lines = buffer[:end].decode(errors="replace").split("\n")
    if not lines[-1]:
        del lines[-1]
    good = _well_formed(pl.Series(lines, dtype=pl.String), layout.width)
    if end == 0:
        return _precise(buffer, layout, at, at_end=at_end)
    if not good.all():
        return _mixed(buffer, lines, good, layout, at, at_end=at_end)
    frame = _parse(buffer[:end], layout.width)
    if frame is None or frame.height != len(lines):
        return _precise(buffer, layout, at, at_end=at_end)
    frame = frame.with_columns(pl.int_range(at.line, at.line + len(lines), dtype=pl.UInt32).alias(LINE))
    return CsvBatch(frame, (), Position(at.offset + end, at.line + len(lines)), {}), False


def _well_formed(lines: pl.Series, width: int) -> pl.Series:
    """Which lines are, as they stand, one record of ``width`` cells. (U+FFFD stands for bytes that are no UTF-8.)"""
    if width > _WIDEST_PATTERN:
        shaped = (lines.str.count_matches(",", literal=True) == width - 1) & ~lines.str.contains('"', literal=True)
    else:
        shaped = lines.str.contains(rf"^{_CELL}(?:,{_CELL}){{{width - 1}}}\r?$")
    doubtful = lines.str.contains(r'[\x00\x{fffd}]|\r.|^[\s,"]*$') | (lines.str.len_bytes() > MAX_CELL)
    return shaped & ~doubtful & (lines.str.len_bytes() > 1)


def _parse(text: bytes, width: int) -> pl.DataFrame | None:
    try:
        return pl.read_csv(
            text, has_header=False, infer_schema=False, empty_string_is_null=False, schema=_schema(width)
        )
    except pl.exceptions.PolarsError:
        return None


def _schema(width: int) -> dict[str, pl.DataType]:
    return {str(index): pl.String() for index in range(width)}


def _precise(buffer: bytes, layout: Layout, at: Position, *, at_end: bool) -> tuple[CsvBatch, bool]:
    found = read_records(buffer, layout, line=at.line, at_end=at_end)
    after = Position(at.offset + found.consumed, found.next_line)
    return CsvBatch(_frame(found.rows, found.lines, layout), tuple(found.faults), after, found.notes), found.in_overlong


def _frame(rows: list[list[str]], lines: list[int], layout: Layout) -> pl.DataFrame:
    columns = list(zip(*rows, strict=True)) or [()] * layout.width
    return pl.DataFrame(
        {**{str(index): column for index, column in enumerate(columns)}, LINE: lines},
        schema={**_schema(layout.width), LINE: pl.UInt32()},
    )


def _mixed(
    buffer: bytes, lines: list[str], good: pl.Series, layout: Layout, at: Position, *, at_end: bool
) -> tuple[CsvBatch, bool]:
    """Well-formed lines by Polars, and what begins on any other line record by record.

    A line that is a record as it stands is one wherever a record begins there; so only the others need to be followed.
    """
    starts = [0, *accumulate(len(line) + 1 for line in buffer.split(b"\n"))]
    whole = good.to_list()
    numbers: list[int] = []
    found = Records(next_line=at.line)
    index = 0
    while index < len(lines):
        if whole[index]:
            numbers.append(found.next_line)
            found.next_line += 1
            found.consumed = min(starts[index + 1], len(buffer))
            index += 1
            continue
        part = read_records(buffer, layout, start=starts[index], line=found.next_line, at_end=at_end, one_line=True)
        next_index = min(bisect_left(starts, part.consumed), len(lines))
        whole[index:next_index] = [False] * (next_index - index)
        found.add(part)
        if part.cut_off or part.in_overlong:
            whole[index:] = [False] * (len(whole) - index)
            break
        index = next_index
    text = "\n".join(line for line, one in zip(lines, whole, strict=True) if one)
    frame = _parse(text.encode() + b"\n", layout.width) if numbers else _frame([], [], layout).drop(LINE)
    if frame is None or frame.height != len(numbers):
        return _precise(buffer, layout, at, at_end=at_end)
    frame = frame.with_columns(pl.Series(LINE, numbers, pl.UInt32))
    frame = pl.concat([frame, _frame(found.rows, found.lines, layout)]).sort(LINE)
    after = Position(at.offset + found.consumed, found.next_line)
    return CsvBatch(frame, tuple(found.faults), after, found.notes), found.in_overlong
