"""The precise, slow way through a CSV buffer: one record at a time, with its line, losing no neighbour of a bad one.

:mod:`gateway.transport.csv_file` comes here only for the parts of a file that the fast way cannot prove to be well
formed: bytes that are not UTF-8, NUL, bare CR, ragged rows, quotation marks in odd places, overlong cells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_CELL = 1 << 20
"""The longest cell that is read, in bytes."""
MAX_RECORD = 1 << 24
"""The longest record that is looked at, in bytes; of a longer one only the place is reported."""
MAX_CELL_LINES = 500
"""The most line breaks in one cell; beyond that a quotation mark is missing."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_QUOTED = re.compile(rb'[ \t]*"([^"]*+(?:""[^"]*+)*+)"[ \t]*')
_OPENS = re.compile(rb'[ \t]*"')
_CELL_END = re.compile(rb"[,\r\n]")

UNBALANCED = "csv.unbalanced-quote"
NOT_UTF8 = "csv.not-utf8"
NUL = "csv.nul"
TOO_FEW = "csv.too-few-cells"
TOO_MANY = "csv.too-many-cells"
TOO_LONG = "csv.cell-too-long"
RECORD_TOO_LONG = "csv.record-too-long"

EMPTY_ROW = "empty-row"
EXTRA_EMPTY_CELLS = "extra-empty-cells"
STRAY_QUOTE = "stray-quote"
OTHER_ENCODING = "other-encoding"


@dataclass(frozen=True, slots=True)
class RowFault:
    """A record that cannot be read: the line on which it begins, a code, a plain reason.

    ``cell`` is the index of the guilty cell, where there is one; ``cells`` are the leading cells that could still be
    read, so that the record can be named.
    """

    line: int
    code: str
    reason: str
    cell: int | None = None
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What every record of a file has to look like."""

    width: int
    fallback_encoding: str | None = None


@dataclass(slots=True)
class Records:
    """What a stretch of a buffer held, up to the byte ``consumed``. ``notes``: the line on which each tolerated oddity
    first occurred."""

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    consumed: int = 0
    next_line: int = 1
    cut_off: bool = False
    in_overlong: bool = False

    def add(self, later: Records) -> None:
        """Append what was found after this."""
        self.rows += later.rows
        self.lines += later.lines
        self.faults += later.faults
        self.notes = {**later.notes, **self.notes}
        self.consumed, self.next_line = later.consumed, later.next_line
        self.cut_off, self.in_overlong = later.cut_off, later.in_overlong


class _UnreadableError(Exception):
    """``cells`` are those before the place where reading stopped."""

    def __init__(self, cells: list[bytes]) -> None:
        super().__init__()
        self.cells = cells


class _UnbalancedError(_UnreadableError):
    """A quotation mark opens a cell and never closes it."""


class _CutOffError(_UnreadableError):
    """The buffer ends before it is clear where the record ends."""


@dataclass(frozen=True, slots=True)
class _Record:
    cells: list[bytes]
    after: int
    lines: int = 1
    stray_quote: bool = False


def read_records(
    buffer: bytes, layout: Layout, *, start: int = 0, line: int, at_end: bool, one_line: bool = False
) -> Records:
    """The complete records of ``buffer`` from ``start`` on, where a record begins, on ``line``.

    Unless ``at_end``, a record that the end of the buffer may have cut off is left unconsumed (``cut_off``);
    ``in_overlong`` says that the buffer was given up within an overlong record: the rest of its line is to be passed
    over. ``one_line`` ends the reading with the first record that ends with LF.
    """
    found = Records(next_line=line, consumed=start)
    while found.consumed < len(buffer):
        try:
            record = _record(buffer, found.consumed, layout.width, at_end=at_end)
        except _CutOffError as error:
            if len(buffer) - found.consumed < MAX_RECORD:
                found.cut_off = True
            else:
                _give_up(buffer, error.cells, layout, found)
            return found
        except _UnbalancedError as error:
            _give_up(buffer, error.cells, layout, found)
        else:
            if record.stray_quote:
                found.notes.setdefault(STRAY_QUOTE, found.next_line)
            _take(record.cells, layout, found)
            found.consumed, found.next_line = record.after, found.next_line + record.lines
        if one_line and buffer[found.consumed - 1 : found.consumed] == b"\n":
            return found
    return found


def read_first(buffer: bytes, *, at_end: bool) -> tuple[list[bytes], int, int] | None:
    """The cells of the first record, its length in bytes and in lines; ``None`` if it is no readable record."""
    try:
        record = _record(buffer, 0, 0, at_end=at_end)
    except (_CutOffError, _UnbalancedError):
        return None
    return record.cells, record.after, record.lines


def _give_up(buffer: bytes, before: list[bytes], layout: Layout, found: Records) -> None:
    """Report the record and go on with the next line, since a bad record must not take its neighbours along."""
    cells = tuple(_readable(before, layout))
    end = _LINE_END.search(buffer, found.consumed)
    if end is None and len(buffer) - found.consumed >= MAX_RECORD:
        reason = f"The record is longer than {MAX_RECORD >> 20} MiB: a line break is missing."
        found.faults.append(RowFault(found.next_line, RECORD_TOO_LONG, reason, None, cells))
        found.consumed, found.in_overlong = len(buffer), True
        return
    reason = "A quotation mark opens a cell and is not closed before the cell's end."
    guilty = min(len(before), layout.width - 1)
    found.faults.append(RowFault(found.next_line, UNBALANCED, reason, guilty, cells))
    found.consumed = len(buffer) if end is None else end.end()
    found.next_line += 1


def _record(buffer: bytes, start: int, width: int, *, at_end: bool) -> _Record:
    end = _line_end(buffer, start, at_end=at_end)
    if buffer.find(b'"', start, end[0]) < 0:
        return _Record(buffer[start : end[0]].split(b","), end[1])
    return _quoted_record(buffer, start, width, at_end=at_end)


def _line_end(buffer: bytes, start: int, *, at_end: bool) -> tuple[int, int]:
    """Where the line ends and the next begins. A CR at the end of the buffer may be half of a CRLF."""
    match = _LINE_END.search(buffer, start)
    if not at_end and (match is None or (match.end() == len(buffer) and match[0] == b"\r")):
        raise _CutOffError([])
    return match.span() if match else (len(buffer), len(buffer))


def _quoted_record(buffer: bytes, start: int, width: int, *, at_end: bool) -> _Record:
    cells: list[bytes] = []
    position, lines, stray_quote = start, 1, False
    while True:
        if _OPENS.match(buffer, position):
            content, position = _quoted_cell(buffer, position, cells, at_end=at_end)
            breaks = len(_LINE_END.findall(content))
            if breaks and swallows_records(content, breaks, width):
                raise _UnbalancedError(cells)
            lines += breaks
        else:
            content, position = _plain_cell(buffer, position)
            stray_quote |= b'"' in content
        cells.append(content)
        if buffer[position : position + 1] != b",":
            after = _line_end(buffer, position, at_end=at_end)[1]
            return _Record(cells, after, lines, stray_quote)
        position += 1


def _quoted_cell(buffer: bytes, position: int, before: list[bytes], *, at_end: bool) -> tuple[bytes, int]:
    """The content of the cell and the position after it."""
    match = _QUOTED.match(buffer, position)
    if not at_end and (match is None or match.end() == len(buffer)):
        raise _CutOffError(before)
    if match is None or buffer[match.end() : match.end() + 1] not in (b",", b"\n", b"\r", b""):
        raise _UnbalancedError(before)
    return match[1].replace(b'""', b'"'), match.end()


def _plain_cell(buffer: bytes, position: int) -> tuple[bytes, int]:
    end = _CELL_END.search(buffer, position)
    after = len(buffer) if end is None else end.start()
    return buffer[position:after], after


def swallows_records(content: bytes, breaks: int, width: int) -> bool:
    """Whether a cell with line breaks looks as if two stray quotation marks enclosed whole records."""
    if breaks > MAX_CELL_LINES:
        return True
    inner = _LINE_END.split(content)[1:-1]
    return width > 3 and any(text.count(b",") == width - 1 for text in inner)


def _readable(cells: Sequence[bytes], layout: Layout) -> list[str]:
    """The leading cells that can be decoded."""
    texts: list[str] = []
    for cell in cells[: layout.width]:
        try:
            texts.append(cell.decode())
        except UnicodeDecodeError:
            break
    return texts


def _take(cells: list[bytes], layout: Layout, found: Records) -> None:
    """Add the record, note it as faulty, or pass over an empty one."""
    if not any(cell.strip() for cell in cells):
        if len(cells) > 1 or cells[0]:
            found.notes.setdefault(EMPTY_ROW, found.next_line)
        return
    fault = _fault(cells, layout, found)
    if isinstance(fault, RowFault):
        found.faults.append(fault)
        return
    found.rows.append(fault)
    found.lines.append(found.next_line)


def _fault(cells: list[bytes], layout: Layout, found: Records) -> RowFault | list[str]:
    """What is wrong with the record, or its text."""
    width, line = layout.width, found.next_line
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        found.notes.setdefault(EXTRA_EMPTY_CELLS, line)
        cells = cells[:width]
    if len(cells) != width:
        code, why = (TOO_FEW, "") if len(cells) < width else (TOO_MANY, " A comma inside a cell must stand in quotes.")
        reason = f"The record has {len(cells)} cells and the header {width}.{why}"
        return RowFault(line, code, reason, None, tuple(_readable(cells, layout)))
    texts: list[str] = []
    for index, cell in enumerate(cells):
        problem = _cell_problem(cell)
        if problem is None:
            try:
                texts.append(cell.decode())
                continue
            except UnicodeDecodeError:
                if layout.fallback_encoding is not None:
                    found.notes.setdefault(OTHER_ENCODING, line)
                    texts.append(cell.decode(layout.fallback_encoding, errors="replace"))
                    continue
                problem = (NOT_UTF8, "The cell holds bytes that are not UTF-8 text.")
        return RowFault(line, problem[0], problem[1], index, tuple(texts))
    return texts


def _cell_problem(cell: bytes) -> tuple[str, str] | None:
    if len(cell) > MAX_CELL:
        return TOO_LONG, f"The cell has {len(cell):,} bytes; the most is {MAX_CELL:,}."
    if b"\0" in cell:
        return NUL, "The cell holds a NUL byte, which no text has."
    return None
