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
from gateway.core.mapping.conditions import When, compile_when, pattern_of
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import MICROS, to_micros
from gateway.core.mapping.scales import read_number

Path: TypeAlias = tuple[str | int, ...]
Target: TypeAlias = tuple[str, int]
"""A competency's id, and a weight in micros."""
Row: TypeAlias = Mapping[str, object]
Find: TypeAlias = Callable[[Row], Sequence[Target]]

WAYS = ("learning_objectives", "codes", "extract", "crosswalk", "associations", "competency", "competencies")


@dataclass(frozen=True, slots=True)
class Way:
    """One way of alignment. ``codes`` are the columns whose values it takes as codes; ``words`` says it to people."""

    words: str
    when: When
    codes: tuple[str, ...]
    find: Find
    known: Callable[[], Collection[str]] = tuple
    """The codes that it knows, for "did you mean"."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """All ways, in order."""

    ways: tuple[Way, ...]
    columns: tuple[str, ...]
    """All columns that any way looks at."""
    codes: tuple[str, ...]
    """The columns that hold codes, in the order in which they are asked."""

    def find(self, row: Row) -> tuple[Sequence[Target], Way | None]:
        """The competencies of one combination of values, and the way that found them."""
        for way in self.ways:
            if way.when.fits(row):
                targets = way.find(row)
                if targets:
                    return targets, way
        return (), None

    def code_of(self, row: Row) -> tuple[str, str] | None:
        """The first code that stands in ``row``: its column and value."""
        return next(((column, str(row[column])) for column in self.codes if row.get(column)), None)

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
    looked_at = dict.fromkeys(name for way in ways for name in (*way.codes, *way.when.columns))
    codes = dict.fromkeys(name for way in ways for name in way.codes)
    if "standard" in looked_at:
        codes.setdefault("standard")
    return Alignment(tuple(ways), tuple(looked_at), tuple(codes))


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
            "extract": self._extract,
            "crosswalk": self._crosswalk,
            "associations": self._associations,
            "competency": self._fixed,
            "competencies": self._fixed,
        }[kind]
        return compiler(item, path, when)

    def _learning_objectives(self, item: dict[str, Any], path: Path, when: When) -> Way:
        weight = to_micros(item.get("weight", Decimal(1)))
        find = _by_column("competency", lambda code: self._named(code, weight))
        return Way("learning objective", when, ("competency",), find, self._own_codes)

    def _codes(self, item: dict[str, Any], path: Path, when: When) -> Way | None:
        column = self._column((*path, "codes"), item["codes"])
        if column is None:
            return None
        weight = to_micros(item.get("weight", Decimal(1)))
        find = _by_column(column, lambda code: self._named(code, weight))
        return Way(f"code in {column}", when, (column,), find, self._own_codes)

    def _extract(self, item: dict[str, Any], path: Path, when: When) -> Way | None:
        rule = item["extract"]
        column = self._column((*path, "extract", "column"), rule["column"])
        if column is None:
            return None
        weight = to_micros(item.get("weight", Decimal(1)))

        def find(text: str) -> Sequence[Target]:
            code = cut(text, rule.get("after", ""), rule.get("before", ""))
            return self._named(code, weight) if code else ()

        return Way(f"code inside {column}", when, (column,), _by_column(column, find), self._own_codes)

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
        return Way(f"rule {when.words}", when, (), lambda row: targets)

    def _crosswalk(self, item: dict[str, Any], path: Path, when: When) -> Way | None:
        name = item["crosswalk"]
        table = self.reader.one_of((*path, "crosswalk"), "crosswalk", name, self.crosswalks, "unknown-crosswalk")
        if table is None:
            return None
        keys = self._crosswalk_columns(name, table, path)
        if not keys:
            return None
        exact, patterns = self._crosswalk_rows(name, table, keys)

        def find(row: Row) -> Sequence[Target]:
            key = tuple(_folded(row.get(column)) for column in keys)
            if key in exact:
                return exact[key]
            return next((targets for test, targets in patterns if test(key)), ())

        known = tuple(str(value) for value in table[keys[0]].drop_nulls())
        return Way(f"crosswalk {name}", when, keys, find, lambda: known)

    def _crosswalk_columns(self, name: str, table: pl.DataFrame, path: Path) -> tuple[str, ...]:
        keys = []
        if "competency" not in table.columns:
            message = f'The crosswalk "{name}" has no column "competency".'
            self.reader.note((*path, "crosswalk"), message, "Its first line must name the columns.", "crosswalk")
            return ()
        for column in table.columns:
            if column in ("competency", "weight", "note") or column.startswith("_"):
                continue
            if column not in self.columns:
                known = (*self.columns, "weight", "note")
                self.reader.unknown((*path, "crosswalk"), f"column of {name}", column, known, "unknown-column")
            else:
                keys.append(column)
        if not keys:
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
                self._note(place, f'The weight "{row.get("weight")}" is not a positive number.', "crosswalk")
            if id is None or weight is None:
                continue
            key = tuple(_folded(row[column]) for column in keys)
            if id in found.setdefault(key, {}):
                shown = ", ".join(str(row[column]) for column in keys)
                self._note(place, f'"{shown}" is mapped to {word} twice.', "crosswalk-duplicate")
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

        def find(row: Row) -> Sequence[Target]:
            for column in ("competency", "standard"):
                start = _quietly(other, str(row[column])) if row.get(column) else None
                if start:
                    return self._reached(other, start, rule, weight)
            return ()

        known = tuple(item.code for item in other.competencies.values() if item.code)
        return Way(f"associations from {other.title}", when, ("competency", "standard"), find, lambda: known)

    def _reached(self, other: Framework, start: str, rule: dict[str, Any], weight: int) -> list[Target]:
        """What lies nearest: all own competencies that are reached with the fewest steps."""
        nearest: dict[str, int] = {}
        for framework in (other, self.framework):
            for match in framework.matches(
                start, rule["types"], max_depth=rule["depth"], direction=Direction(rule["direction"])
            ):
                if match.id in self.framework.competencies:
                    nearest[match.id] = min(match.depth, nearest.get(match.id, match.depth))
        least = min(nearest.values(), default=0)
        return sorted((id, weight) for id, depth in nearest.items() if depth == least)

    def _named(self, code: str, weight: int) -> Sequence[Target]:
        id = _quietly(self.framework, code)
        return ((id, weight),) if id else ()

    def _own_codes(self) -> Collection[str]:
        return [item.code for item in self.framework.competencies.values() if item.code]

    def _column(self, path: Path, name: str) -> str | None:
        if name in self.columns:
            return name
        self.reader.unknown(path, "column of evidence", name, self.columns, "unknown-column")
        return None

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


def cut(text: str, after: str, before: str) -> str | None:
    """What stands in ``text`` behind the first ``after`` and in front of the next ``before``; ``None`` without them."""
    if after:
        _, found, text = text.partition(after)
        if not found:
            return None
    if before:
        text, found, _ = text.partition(before)
        if not found:
            return None
    return text.strip() or None


def _by_column(column: str, find: Callable[[str], Sequence[Target]]) -> Find:
    return lambda row: find(str(row[column])) if row.get(column) else ()


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
