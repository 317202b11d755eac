"""Alignment: which competencies a result speaks of, and with what weight.

The ways are tried in the order of the file; the first that finds any competency decides. Each is asked once for each
distinct combination of the columns that it looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

import polars as pl

from gateway.core.errors import MappingError, did_you_mean
from gateway.core.framework import Direction, Framework, normal_id
from gateway.core.graph import Edges, reach
from gateway.core.mapping.choice import find as find_competency
from gateway.core.mapping.conditions import When, compile_when
from gateway.core.mapping.crosswalks import Target, compile_lines, folded, key_columns
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import to_micros
from gateway.core.nearest import Nearest

Path: TypeAlias = tuple[str | int, ...]
Row: TypeAlias = Mapping[str, object]
Find: TypeAlias = Callable[[Row], Sequence[Target]]

WAYS = ("learning_objectives", "codes", "crosswalk", "associations", "competency", "competencies")
_USES: Mapping[str, set[str]] = {"crosswalk": {"weight", "from"}, "competencies": set()}
"""Which of `weight` and `from` a way knows; all others know `weight`."""


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


MOST_SUGGESTED = 1_000
MOST_SEARCHED = 5_000
"""Among so many codes of one first sign the nearest is looked for."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """All ways, in order, and all columns that any of them looks at."""

    ways: tuple[Way, ...]
    columns: tuple[str, ...]
    _by_sign: dict[str, list[str]] = field(default_factory=dict, init=False, compare=False, repr=False)
    """The codes that all ways know, in order, by their first sign; made when a code is first missed."""
    _suggested: dict[tuple[str, str], str] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What was suggested for the last missed codes."""
    _near: dict[str, Nearest] = field(default_factory=dict, init=False, compare=False, repr=False)

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

    def suggest(self, column: str, word: str) -> str:
        """The nearest code that any way knows, as a sentence, or nothing. A code that only a way of another column
        knows is told as such."""
        found = self._suggested.get((column, word))
        if found is None:
            if len(self._suggested) >= MOST_SUGGESTED:
                self._suggested.clear()
            found = self._suggested[column, word] = self._nearest(column, word)
        return found

    def _nearest(self, column: str, word: str) -> str:
        sign = word.strip()[:1].casefold()
        known = self._known(sign)
        if word in known:
            return f'Another way of alignment knows it, but does not read it in "{column}".'
        if sign not in self._near:
            self._near[sign] = Nearest(known[:MOST_SEARCHED])
        nearest = self._near[sign].find(word)
        return did_you_mean(word, [nearest]).strip() if nearest else ""

    def _known(self, sign: str) -> list[str]:
        if not self._by_sign:
            found: dict[str, set[str]] = {"": set()}
            for way in self.ways:
                for code in way.known():
                    found.setdefault(code[:1].casefold(), set()).add(code)
            self._by_sign.update({first: sorted(codes) for first, codes in found.items()})
        return self._by_sign.get(sign, [])


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
        for word in sorted({"weight", "from"} & _words(item) - _USES.get(kinds[0], {"weight"})):
            message = f"`{kinds[0]}` has no use for `{word}`."
            reader.note((*path, word), message, "Delete it.", "align")
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
            found = find_competency(word, at, self.reader, self.framework)
            if found:
                targets.append((found.id, to_micros(weight)))
        if not when.conditions:
            hint = "Say with `when` which results are meant."
            self.reader.note(path, "This way would align every result to the same competency.", hint, "align")
        return Way(f"rule {when.words}", when, (), (), lambda row: targets)

    def _crosswalk(self, item: dict[str, Any], path: Path, when: When) -> Way | None:
        name = item["crosswalk"]
        table = self.reader.one_of((*path, "crosswalk"), "crosswalk", name, self.crosswalks, "unknown-crosswalk")
        if table is None:
            return None
        keys = key_columns(name, table, (*path, "crosswalk"), self.reader, self.columns)
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
        lines = compile_lines(name, table, keys, to_micros(item.get("weight", Decimal(1))), self.reader, self.framework)

        def find(row: Row) -> Sequence[Target]:
            return lines.find(tuple(folded(code.read(row)) for code in where))

        known = tuple(str(value) for value in table[keys[0]].drop_nulls())
        columns = tuple(code.column for code in where)
        return Way(f"crosswalk {name}", when, tuple(where), columns, find, lambda: known, name)

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


def _words(item: Mapping[str, Any]) -> set[str]:
    """The words of an item as the file has them."""
    return {"from" if word == "take" else word for word in item}


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
