"""Finds the binding's columns in a real header row: tolerant of spelling, order and extras, and saying so.

Tolerated: capitals, spaces and underscores; one letter too many, too few or wrong; names that vendors use instead;
extension columns anywhere; empty names at the end; any order; columns of the other version. What the gateway cannot do
without is never guessed at: a missing required column is an error that says what stands there instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.sdk import TABLES, DataError, Place, did_you_mean, oneroster

_EXTENSION = re.compile(r"(?i)metadata\b|ext[._:]")
_ALIASES: Mapping[tuple[str, str], str] = {("demographics", "usersourcedid"): "sourcedId"}
_SHORTEST_FOR_TYPOS = 5
_LONGEST_SHOWN = 40
_MOST_SHOWN = 30


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """Where each known column stands in the file, by header as the binding spells it; and what was tolerated."""

    places: Mapping[str, int]
    warnings: tuple[str, ...]


def merged_file(name: str, version: str) -> oneroster.CsvFile:
    """The file as ``version`` declares it, with the columns of the other version after them, none of those required."""
    found = [files[name] for key, files in oneroster.CSV_FILES.items() if name in files and key == version]
    found += [files[name] for key, files in oneroster.CSV_FILES.items() if name in files and key != version]
    first, *others = found
    known = set(first.header)
    extra = (replace(c, required=False) for other in others for c in other.columns if c.header not in known)
    return replace(first, columns=(*first.columns, *extra))


def match_header(file: oneroster.CsvFile, cells: Sequence[str], *, name: str, line: int, version: str) -> HeaderMatch:
    """Match the header ``cells`` of the file called ``name`` to the columns of ``file``.

    Raises :class:`DataError`: ``csv.missing-column``, ``csv.other-file`` when it holds the rows of another file,
    ``csv.header`` when its first line is no header at all.
    """
    matcher = _Matcher(file, name)
    matcher.match(cells)
    missing = [c for c in file.columns if c.header not in matcher.places]
    indispensable = [c for c in missing if c.required and _is_indispensable(file, c)]
    if indispensable:
        raise _missing(file, cells, matcher, indispensable[0].header, Place(name, line), version)
    own = set(oneroster.CSV_FILES[version][file.name].header) if file.name in oneroster.CSV_FILES[version] else set()
    absent = [c.header for c in missing if c.header in own]
    if absent:
        matcher.warn(f"has no {_columns(absent)}; read as empty")
    return HeaderMatch(matcher.places, tuple(matcher.warnings))


def _is_indispensable(file: oneroster.CsvFile, column: oneroster.CsvColumn) -> bool:
    table = column.table or file.table
    if table is None:
        return False
    return column.column is None or TABLES[table].column(column.column).required


def _columns(names: Sequence[str]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {', '.join(names)}"


class _Matcher:
    """Collects which cell is which column, in passes from sure to tolerant."""

    def __init__(self, file: oneroster.CsvFile, name: str) -> None:
        self.file = file
        self.name = name
        self.places: dict[str, int] = {}
        self.warnings: list[str] = []
        self.unknown: list[str] = []

    def warn(self, what: str) -> None:
        self.warnings.append(f"{self.name} {what}.")

    def match(self, cells: Sequence[str]) -> None:
        named = {index: cell for index, cell in enumerate(cells) if cell}
        self._note_unnamed(cells, named)
        exact = set(self.file.header)
        left: dict[int, str] = {}
        for index, cell in named.items():
            if cell not in exact:
                left[index] = cell
            elif cell in self.places:
                self.warn(f"has the column {cell} twice; the first is read")
            else:
                self.places[cell] = index
        self._match_respelled(left)
        self._note_order()

    def _note_unnamed(self, cells: Sequence[str], named: Mapping[int, str]) -> None:
        last = max(named, default=-1)
        if last + 1 < len(cells):
            self.warn("has columns without a name at the end; they are passed over")
        if any(index not in named for index in range(last)):
            self.warn("has a column without a name; it is passed over")

    def _match_respelled(self, left: Mapping[int, str]) -> None:
        extensions = {index for index, cell in left.items() if _EXTENSION.match(cell)}
        for index, cell in left.items():
            if index in extensions:
                continue
            header = self._respelled(cell)
            if header is None:
                self.unknown.append(cell)
                self.warn(f'has a column "{_shown(cell)}", which OneRoster does not know; it is not taken in')
            else:
                self.places[header] = index
                self.warn(f'spells the column {header} "{_shown(cell)}"')
        if extensions and min(extensions) < max(self.places.values(), default=-1):
            self.warn("has extension columns before the end; they are passed over")

    def _respelled(self, cell: str) -> str | None:
        """The column that is meant by ``cell``, of those that were not found as they should be."""
        word = _normal(cell)
        open_headers = {_normal(header): header for header in self.file.header if header not in self.places}
        alias = _ALIASES.get((self.file.name, word))
        if alias in open_headers.values():
            return alias
        if word in open_headers:
            return open_headers[word]
        if len(word) < _SHORTEST_FOR_TYPOS:
            return None
        near = [header for normal, header in open_headers.items() if _one_edit_apart(word, normal)]
        return near[0] if len(near) == 1 else None

    def _note_order(self) -> None:
        found = [self.places[header] for header in self.file.header if header in self.places]
        if found != sorted(found):
            self.warn("has its columns in another order than OneRoster; they are read by name")


def _normal(header: str) -> str:
    return re.sub(r"[^a-z0-9]", "", header.lower())


def _one_edit_apart(one: str, other: str) -> bool:
    """Whether a letter was added, left out or changed, or two neighbours were exchanged."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, other_rest = one[start:], other[start:]
    return (
        rest[1:] == other_rest
        or rest == other_rest[1:]
        or rest[1:] == other_rest[1:]
        or (rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:])
    )


def _missing(
    file: oneroster.CsvFile, cells: Sequence[str], matcher: _Matcher, header: str, place: Place, version: str
) -> DataError:
    other = _holds_another(file, cells, version)
    if other:
        return DataError(
            f"The file holds the columns of {other}.csv.",
            hint=f"Export {file.file_name} again; its former content is kept.",
            code="csv.other-file",
            place=place,
        )
    if not matcher.places:
        return DataError(
            "The first line is not a header row: it names none of the file's columns.",
            hint=f"The file must begin with the line: {','.join(file.header[:6])},…",
            code="csv.header",
            place=place,
        )
    there = [_shown(cell) for cell in cells if cell][:_MOST_SHOWN]
    return DataError(
        f'The column "{header}" is missing.{_nearest(header, matcher.unknown)}',
        hint=f"The file has: {', '.join(there)}.",
        code="csv.missing-column",
        place=replace(place, field=header),
    )


def _nearest(header: str, unknown: Sequence[str]) -> str:
    by_normal = {_normal(cell): cell for cell in unknown}
    suggestion = did_you_mean(_normal(header), by_normal)
    for normal, cell in by_normal.items():
        suggestion = suggestion.replace(f'"{normal}"', f'"{_shown(cell)}"')
    return suggestion.replace("Did you mean", "Is it meant by")


def _holds_another(file: oneroster.CsvFile, cells: Iterable[str], version: str) -> str | None:
    there = set(cells)
    fitting = {
        other.name: len(there & set(other.header))
        for other in oneroster.CSV_FILES[version].values()
        if other.name != file.name and all(c.header in there for c in other.columns if c.required)
    }
    own = len(there & set(file.header))
    best = max(fitting, key=lambda name: fitting[name], default=None)
    return best if best is not None and fitting[best] > own else None


def _shown(cell: str) -> str:
    return cell if len(cell) <= _LONGEST_SHOWN else cell[: _LONGEST_SHOWN - 1] + "…"
