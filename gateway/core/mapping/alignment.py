"""Alignment: which competencies a result speaks of, and with what weight.

The ways are tried in the order of the file; the first that finds any competency decides. Each is asked once for each
distinct combination of the columns that it looks at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

import polars as pl

from gateway.core.errors import MappingError, Place, did_you_mean
from gateway.core.framework import Direction, Framework, normal_id
from gateway.core.graph import Edges, reach
from gateway.core.mapping.conditions import When, compile_when, pattern_of
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import MICROS, to_micros
from gateway.core.mapping.scales import read_number

Path: TypeAlias = tuple[str | int, ...]
Target: TypeAlias = tuple[str, int]
"""A competency's id, and a weight in micros."""
Row: TypeAlias = Mapping[str, object]
Find: TypeAlias = Callable[[Row], Sequence[Target]]

CROSSWALK_COLUMNS = (
    "competency", "weight", "statement", "domain", "results", "students", "suggestion", "review", "note",
)  # fmt: skip
"""Columns of a crosswalk that are no columns of evidence to look up; all but the first two are for people."""

WAYS = ("learning_objectives", "codes", "crosswalk", "associations", "competency", "competencies")


@dataclass(frozen=True, slots=True)
class Code:
    """Where a code stands: in a column, or inside its text between ``after`` and ``before``."""

    column: str
    after: str = ""
    before: str = ""

    def read(self, row: Row) -> str | None:
        value = row.get(self.column)
        text = "" if value is None else str(value).strip()
        if self.after:
            _, found, text = text.partition(self.after)
            if not found:
                return None
        if self.before:
            text, found, _ = text.partition(self.before)
            if not found:
                return None
        return text.strip() or None


@dataclass(frozen=True, slots=True)
class Way:
    """One way of alignment. ``codes`` are where it looks; ``columns`` all that it looks at beside its condition."""

    words: str
    when: When
    codes: tuple[Code, ...]
    columns: tuple[str, ...]
    find: Find
    known: Callable[[], Collection[str]] = tuple
    """The codes that it knows, for "did you mean"."""
    table: str | None = None
    """The crosswalk that it looks into."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """All ways, in order, and all columns that any of them looks at."""

    ways: tuple[Way, ...]
    columns: tuple[str, ...]

    def find(self, row: Row) -> tuple[Sequence[Target], Way | None]:
        """The competencies of one combination of values, and the way that found them."""
        for way in self.ways:
            if way.when.fits(row):
                targets = way.find(row)
                if targets:
                    return targets, way
        return (), None

    def code_of(self, row: Row) -> tuple[str, str] | None:
        """The first code that stands in ``row``, with its column."""
        for way in self.ways:
            for code in way.codes:
                value = code.read(row)
                if value:
                    return code.column, value
        return None

    def suggest(self, word: str) -> str:
        """The nearest code that any way knows, as a sentence, or nothing."""
        first = word.strip()[:1].casefold()
        known = {code for way in self.ways for code in way.known() if code[:1].casefold() == first}
        return did_you_mean(word, sorted(known)[:5000]).strip()


def compile_alignment(
    data: Sequence[dict[str, Any]],
    reader: Reader,
    columns: Collection[str],
    framework: Framework,
    crosswalks: Mapping[str, pl.DataFrame],
    others: Mapping[str, Framework],
) -> Alignment:
    """The ways that a mapping states under ``align``."""
    ways = []
    for n, item in enumerate(data):
        path: Path = ("align", n)
        kinds = [kind for kind in WAYS if kind in item]
        if len(kinds) != 1:
            reader.note(path, "Each item of `align` says exactly one way.", f"Use one of: {', '.join(WAYS)}.", "align")
            continue
        when = compile_when(item.get("when"), (*path, "when"), reader, columns)
        compiler = _Compiler(reader, columns, framework, crosswalks, others)
        way = compiler.compile(kinds[0], item, path, when)
        if way:
            ways.append(way)
    looked_at = dict.fromkeys(name for way in ways for name in (*way.columns, *way.when.columns))
    return Alignment(tuple(ways), tuple(looked_at))


@dataclass(frozen=True, slots=True)
class _Compiler:
    reader: Reader
    columns: Collection[str]
    framework: Framework
    crosswalks: Mapping[str, pl.DataFrame]
    others: Mapping[str, Framework]

    def compile(self, kind: str, item: dict[str, Any], path: Path, when: When) -> Way | None:
        compiler = {
            "learning_objectives": self._learning_objectives,
            "codes": self._codes,
            "crosswalk": self._crosswalk,
            "associations": self._associations,
            "competency": self._fixed,
            "competencies": self._fixed,
        }[kind]
        return compiler(item, path, when)

    def _learning_objectives(self, item: dict[str, Any], path: Path, when: When) -> Way:
        return self._by_code("learning objective", Code("competency"), item, when)

    def _codes(self, item: dict[str, Any], path: Path, when: When) -> Way | None:
        stated = item["codes"]
        data = {"column": stated} if isinstance(stated, str) else stated
        code = self._code((*path, "codes"), data)
        return self._by_code(f"code in {code.column}", code, item, when) if code else None

    def _by_code(self, words: str, code: Code, item: dict[str, Any], when: When) -> Way:
        weight = to_micros(item.get("weight", Decimal(1)))

        def find(row: Row) -> Sequence[Target]:
            value = code.read(row)
            id = _quietly(self.framework, value) if value else None
            return ((id, weight),) if id else ()

        return Way(words, when, (code,), (code.column,), find, self._own_codes)

    def _code(self, path: Path, data: Any) -> Code | None:
        if not isinstance(data, dict) or "column" not in data or not {"column", "after", "before"}.issuperset(data):
            hint = 'Say a column, or `{column: line_item_title, after: "[", before: "]"}`.'
            self.reader.note(path, "This does not say where the code stands.", hint, "align")
            return None
        if data["column"] not in self.columns:
            word = str(data["column"])
            self.reader.unknown((*path, "column"), "column of evidence", word, self.columns, "unknown-column")
            return None
        return Code(str(data["column"]), str(data.get("after") or ""), str(data.get("before") or ""))

    def _fixed(self, item: dict[str, Any], path: Path, when: When) -> Way | None:
        named = item.get("competencies") or {item["competency"]: item.get("weight", Decimal(1))}
        targets = []
        for word, weight in named.items():
            at = (*path, "competencies", word) if "competencies" in item else (*path, "competency")
            id = self._competency(word, self.reader.document.place(*at))
            if id:
                targets.append((id, to_micros(weight)))
        if not when.conditions:
            hint = "Say with `when` which results are meant."
            self.reader.note(path, "This way would align every result to the same competency.", hint, "align")
        return Way(f"rule {when.words}", when, (), (), lambda row: targets)

    def _crosswalk(self, item: dict[str, Any], path: Path, when: When) -> Way | None:
        name = item["crosswalk"]
        table = self.reader.one_of((*path, "crosswalk"), "crosswalk", name, self.crosswalks, "unknown-crosswalk")
        if table is None:
            return None
        keys = self._crosswalk_columns(name, table, path)
        if not keys:
            return None
        where = [Code(key) for key in keys]
        if "take" in item:
            taken = self._code((*path, "from"), item["take"])
            if taken is None:
                return None
            if len(keys) > 1:
                hint = "Only a crosswalk with one column to look up can take its code from a text."
                self.reader.note(
                    (*path, "from"), f'The crosswalk "{name}" looks up {len(keys)} columns.', hint, "align"
                )
            where = [taken]
        exact, patterns = self._crosswalk_rows(name, table, keys)

        def find(row: Row) -> Sequence[Target]:
            key = tuple(_folded(code.read(row)) for code in where)
            if not any(key):
                return ()
            if key in exact:
                return exact[key]
            return next((targets for test, targets in patterns if test(key)), ())

        known = tuple(str(value) for value in table[keys[0]].drop_nulls())
        columns = tuple(code.column for code in where)
        return Way(f"crosswalk {name}", when, tuple(where), columns, find, lambda: known, name)

    def _crosswalk_columns(self, name: str, table: pl.DataFrame, path: Path) -> tuple[str, ...]:
        keys, unknown = [], False
        if "competency" not in table.columns:
            message = f'The crosswalk "{name}" has no column "competency".'
            self.reader.note((*path, "crosswalk"), message, "Its first line must name the columns.", "crosswalk")
            return ()
        for column in table.columns:
            if column in CROSSWALK_COLUMNS or column.startswith("_"):
                continue
            if column not in self.columns:
                unknown = True
                known = (*self.columns, *CROSSWALK_COLUMNS)
                self.reader.unknown((*path, "crosswalk"), f"column of {name}", column, known, "unknown-column")
            else:
                keys.append(column)
        if not keys and not unknown:
            message = f'The crosswalk "{name}" has no column to look up, such as "standard".'
            self.reader.note((*path, "crosswalk"), message, "", "crosswalk")
        return tuple(keys)

    def _crosswalk_rows(
        self, name: str, table: pl.DataFrame, keys: tuple[str, ...]
    ) -> tuple[dict[tuple[str, ...], list[Target]], list[tuple[Callable[[tuple[str, ...]], bool], list[Target]]]]:
        """Exact keys, and patterns (keys with ``*``) in the order of the file."""
        found: dict[tuple[str, ...], dict[str, int]] = {}
        for n, row in enumerate(table.rows(named=True)):
            place = Place(name, row.get("_line") or n + 2)
            word = str(row["competency"] or "").strip()
            if not word:
                continue  # a line still under review names no competency yet
            id = self._competency(word, place)
            weight = _weight(row.get("weight"))
            if weight is None:
                message = f'The weight "{row.get("weight")}" is not a positive number.'
                self._note(place, message, "crosswalk", "Write a number such as 0.5, or leave it empty for 1.")
            if id is None or weight is None:
                continue
            key = tuple(_folded(row[column]) for column in keys)
            if not any(key):
                self._note(place, f"{word} is mapped from nothing: the line names no code.", "crosswalk", "Fill it in.")
                continue
            if id in found.setdefault(key, {}):
                shown = ", ".join(str(row[column]) for column in keys)
                message = f'"{shown}" is mapped to {word} twice.'
                self._note(place, message, "crosswalk-duplicate", "Delete one of the lines.")
            found[key][id] = weight
        exact = {key: list(targets.items()) for key, targets in found.items() if "*" not in "".join(key)}
        patterns = [(_fits(key), list(ids.items())) for key, ids in found.items() if "*" in "".join(key)]
        return exact, patterns

    def _associations(self, item: dict[str, Any], path: Path, when: When) -> Way | None:
        rule = item["associations"]
        at = (*path, "associations", "from")
        other = self.reader.one_of(at, "other framework", rule["framework"], self.others, "unknown-framework")
        if other is None:
            return None
        weight = to_micros(item.get("weight", Decimal(1)))

        edges = self._edges(other, rule)

        def find(row: Row) -> Sequence[Target]:
            for column in ("competency", "standard"):
                if row.get(column):
                    code = str(row[column])
                    start = _quietly(other, code) or normal_id(code)
                    targets = self._reached(start, edges, rule["depth"], weight)
                    if targets:
                        return targets
            return ()

        known = tuple(item.code for item in other.competencies.values() if item.code)
        codes = (Code("competency"), Code("standard"))
        columns = ("competency", "standard")
        return Way(f"associations from {other.title}", when, codes, columns, find, lambda: known)

    def _edges(self, other: Framework, rule: dict[str, Any]) -> list[Edges]:
        """The associations that may be followed, of whatever framework of the mapping: a way from a state's standards
        over national ones to the school's own is told by two or three packages."""
        direction = Direction(rule["direction"])
        frameworks = {id(each): each for each in (other, self.framework, *self.others.values())}.values()
        return [edges for each in frameworks for edges in each.followed(rule["types"], direction)]

    def _reached(self, start: str, edges: Sequence[Edges], depth: int, weight: int) -> list[Target]:
        """What lies nearest: all own competencies that are reached with the fewest steps."""
        ways = reach(start, edges, max_depth=depth)
        steps = {id: len(way) for id, way in ways.items() if id in self.framework.competencies}
        least = min(steps.values(), default=0)
        return sorted((id, weight) for id, count in steps.items() if count == least)

    def _own_codes(self) -> Collection[str]:
        return [item.code for item in self.framework.competencies.values() if item.code]

    def _competency(self, word: str, place: Place) -> str | None:
        try:
            found = self.framework.find(word, place=place)
        except MappingError as error:
            self.reader.problems.append(error)
            return None
        if found is None:
            hint = self.framework.suggest(word)
            message = f'"{word}" is no competency of {self.framework.title}.'
            self._note(place, message, "unknown-competency", hint)
        return found.id if found else None

    def _note(self, place: Place, message: str, code: str, hint: str = "") -> None:
        self.reader.problems.append(MappingError(message, hint=hint.strip(), code=f"mapping.{code}", place=place))


def _quietly(framework: Framework, code: str) -> str | None:
    """The id of a code that stands in data: an ambiguous one matches nothing, and is reported as such."""
    id = normal_id(code)
    if id in framework.competencies:
        return id
    try:
        found = framework.find(code)
    except MappingError:
        return None
    return found.id if found else None


def _folded(value: object) -> str:
    return "" if value is None else str(value).strip().casefold()


def _fits(key: tuple[str, ...]) -> Callable[[tuple[str, ...]], bool]:
    patterns = [re.compile(pattern_of(part)) for part in key]
    return lambda values: all(p.fullmatch(v) for p, v in zip(patterns, values, strict=True))


def _weight(value: object) -> int | None:
    if value is None or value == "":
        return MICROS
    number = value if isinstance(value, int | Decimal) else read_number(str(value).strip())
    if number is None or isinstance(number, bool) or number <= 0:
        return None
    return to_micros(Fraction(number))
