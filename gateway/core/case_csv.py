"""The spreadsheet form of a framework that OpenSALT writes and reads, as the same tables as a CASE package.

Columns are found by their names without blanks and signs, in any case. The tree stands either in ``isChildOf`` (or
``parent``) or in ``smartLevel`` (``1.2.3``); the other ends of associations are identifiers, codes or web addresses,
several separated by ``|``.

Source: OpenSALT sample files and its importer's known headers; there is no official standard.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core.case import CasePackages, Rows, association_type, education_levels
from gateway.core.competency import generated_id, normal_id
from gateway.core.errors import DataError, Place

_ASSOCIATIONS = (
    "ischildof", "ispartof", "replacedby", "exemplar", "precedes", "ispeerof", "hasskilllevel", "isrelatedto",
    "isexactmatchof", "exactmatchof",
)  # fmt: skip
_OTHER_NAMES = {"parent": "ischildof", "order": "sequencenumber"}


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    cells: Mapping[str, str]
    id: str

    def __getitem__(self, column: str) -> str | None:
        return self.cells.get(column) or None


@dataclass(slots=True)
class _Sheet:
    """The lines of a file, and how its cells name them."""

    lines: list[_Line] = field(default_factory=list)
    by_id: set[str] = field(default_factory=set)
    by_code: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    by_level: dict[str, str] = field(default_factory=dict)

    def add(self, line: _Line) -> None:
        self.lines.append(line)
        self.by_id.add(line.id)
        if code := line["humancodingscheme"]:
            self.by_code[code.casefold()].append(line.id)
        if level := line["smartlevel"]:
            self.by_level.setdefault(level.strip("."), line.id)


def read_opensalt_csv(content: str, *, source: str, title: str, framework_id: str | None = None) -> CasePackages:
    """The text of an OpenSALT item file as framework tables.

    The file does not name its framework: ``title`` does, and ``framework_id``, made from the title when there is none.
    Items without an identifier get one made from the framework and their code. Raises :class:`DataError` if the file
    is no such table.
    """
    framework = normal_id(framework_id) if framework_id else generated_id("opensalt", title)
    rows = Rows(source)
    rows.add("frameworks", 1, id=framework, title=title)
    sheet = _Sheet()
    repeated: Counter[tuple[str, ...]] = Counter()
    for number, cells in _read_cells(content, rows):
        sheet.add(_Line(number, cells, _id_of(cells, framework, repeated, rows)))
    for line in sheet.lines:
        _add_item(line, framework, rows)
        _add_associations(line, framework, sheet, rows)
    return rows.finish()


def _read_cells(content: str, rows: Rows) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line that is not blank as cells by column; lines with cells beyond the header are rejected."""
    reader = csv.reader(io.StringIO(content.removeprefix("\ufeff"), newline=""), strict=True)
    number = 1
    try:
        columns = [_column(name) for name in next(reader, [])]
        _check_header(columns, rows.source)
        number = reader.line_num + 1
        for row in reader:
            if any(row[len(columns) :]):
                reason = "The line has more cells than the header; a text with commas may lack its quotes."
                rows.reject("competencies", "case.extra-cells", reason, number)
            elif any(cell.strip() for cell in row):
                yield number, {name: cell.strip() for name, cell in zip(columns, row, strict=False) if cell.strip()}
            number = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            "The file cannot be read as comma-separated values from here on.",
            hint="Look for a quote that is not closed.",
            code="case.not-csv",
            place=Place(rows.source, number),
            detail=str(error),
        ) from error


def _column(name: str) -> str:
    letters = "".join(letter for letter in name.lower() if letter.isalpha())
    return _OTHER_NAMES.get(letters, letters)


def _check_header(columns: Sequence[str], source: str) -> None:
    twice = [
        name for name, count in Counter(columns).items() if count > 1 and name in (*_ASSOCIATIONS, "fullstatement")
    ]
    if "fullstatement" not in columns or twice:
        missing = "has no column fullStatement" if not twice else f"has the column {twice[0]} twice"
        raise DataError(
            f"The file is not an OpenSALT item table: its header {missing}.",
            hint="The first line must name the columns: fullStatement at least, and identifier, humanCodingScheme, "
            "isChildOf or smartLevel where there are.",
            code="case.not-opensalt",
            place=Place(source, 1),
        )


def _id_of(cells: Mapping[str, str], framework: str, repeated: Counter[tuple[str, ...]], rows: Rows) -> str:
    if own := cells.get("identifier"):
        return normal_id(own)
    names = ("humancodingscheme", "smartlevel", "fullstatement")
    key = next(((name, cells[name]) for name in names if name in cells), ())
    repeated[key] += 1
    rows.tolerated["Items without an identifier: COUNT; each got one made from the framework and its code."] += 1
    return generated_id(framework, *key, *([str(repeated[key])] if repeated[key] > 1 else []))


def _add_item(line: _Line, framework: str, rows: Rows) -> None:
    rows.add(
        "competencies", line.number, id=line.id, date_last_modified=line["lastchangedatetime"], framework_id=framework,
        code=line["humancodingscheme"], statement=line["fullstatement"],
        abbreviated_statement=line["abbreviatedstatement"], item_type=line["cfitemtype"],
        list_enumeration=line["listenumeration"], education_levels=education_levels(line["educationlevel"] or ""),
        language=line["language"],
    )  # fmt: skip


def _add_associations(line: _Line, framework: str, sheet: _Sheet, rows: Rows) -> None:
    for column in _ASSOCIATIONS:
        for word in (line[column] or "").split("|"):
            if word.strip():
                _associate(line, column, _end(word.strip(), sheet, rows), framework, rows, line["sequencenumber"])
    if line["ischildof"] is None:
        parent, sequence = _by_smart_level(line, sheet)
        _associate(line, "ischildof", parent or framework, framework, rows, line["sequencenumber"] or sequence)


def _associate(line: _Line, column: str, destination: str, framework: str, rows: Rows, sequence: str | None) -> None:
    kind = association_type(column) or column
    rows.add(
        "associations", line.number, id=generated_id(framework, kind, line.id, destination),
        date_last_modified=line["lastchangedatetime"], framework_id=framework, type=kind, origin_id=line.id,
        destination_id=destination, sequence_number=sequence if kind == "isChildOf" else None,
    )  # fmt: skip


def _end(word: str, sheet: _Sheet, rows: Rows) -> str:
    """The item that ``word`` names by identifier or code, or ``word`` itself for what lies outside the file."""
    id = normal_id(word)
    named = sheet.by_code.get(word.casefold(), [])
    if id in sheet.by_id or len(named) != 1:
        if id not in sheet.by_id and named:
            rows.tolerated["Associations that name a code of several items: COUNT; they lead outside."] += 1
        return id
    return named[0]


def _by_smart_level(line: _Line, sheet: _Sheet) -> tuple[str | None, str | None]:
    """The item at the nearest level above that the file has, and the number among its siblings."""
    above, _, last = (line["smartlevel"] or "").strip(".").rpartition(".")
    while above:
        if above in sheet.by_level:
            return sheet.by_level[above], last or None
        above = above.rpartition(".")[0]
    return None, last or None
