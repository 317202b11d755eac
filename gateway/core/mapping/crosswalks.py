"""Crosswalks: tables that say which competencies a school's own codes stand for, one line per code and competency."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

import polars as pl

from gateway.core.errors import Place
from gateway.core.framework import Framework
from gateway.core.mapping.choice import find_at
from gateway.core.mapping.conditions import pattern_of
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import MICROS, to_micros
from gateway.core.mapping.scales import read_number

Path: TypeAlias = tuple[str | int, ...]
Target: TypeAlias = tuple[str, int]
"""A competency's id, and a weight in micros."""
Key: TypeAlias = tuple[str, ...]
"""What stands in the columns to look up, folded; nothing as an empty text."""

CROSSWALK_COLUMNS = (
    "competency", "weight", "statement", "domain", "results", "students", "suggestion", "review", "note",
)  # fmt: skip
"""Columns of a crosswalk that are no columns of evidence to look up; all but the first two are for people."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a crosswalk: exact keys, and patterns (keys with ``*``) in the order of the file."""

    exact: Mapping[Key, Sequence[Target]]
    patterns: Sequence[tuple[Callable[[Key], bool], Sequence[Target]]]

    def find(self, key: Key) -> Sequence[Target]:
        """What a key stands for; nothing for one that names no code at all."""
        if not any(key):
            return ()
        if key in self.exact:
            return self.exact[key]
        return next((targets for test, targets in self.patterns if test(key)), ())


def folded(value: object) -> str:
    """A cell as it is compared."""
    return "" if value is None else str(value).strip().casefold()


def key_columns(
    name: str, table: pl.DataFrame, path: Path, reader: Reader, columns: Collection[str]
) -> tuple[str, ...]:
    """The columns of ``table`` to look up; noted if there is none, or one that evidence does not have."""
    if "competency" not in table.columns:
        message = f'The crosswalk "{name}" has no column "competency".'
        reader.note(path, message, "Its first line must name the columns.", "crosswalk")
        return ()
    own = [each for each in table.columns if each not in CROSSWALK_COLUMNS and not each.startswith("_")]
    unknown = [each for each in own if each not in columns]
    for column in unknown:
        reader.unknown(path, f"column of {name}", column, (*columns, *CROSSWALK_COLUMNS), "unknown-column")
    if not own:
        message = f'The crosswalk "{name}" has no column to look up, such as "standard".'
        reader.note(path, message, "Add one with the codes of the gradebook.", "crosswalk")
    return tuple(each for each in own if each not in unknown)


def compile_lines(
    name: str, table: pl.DataFrame, keys: Sequence[str], weight: int, reader: Reader, framework: Framework
) -> Lines:
    """The lines of ``table``, their weights times ``weight`` (micros); every fault is noted with its line."""
    found: dict[Key, dict[str, int]] = {}
    for n, row in enumerate(table.rows(named=True)):
        place = Place(name, row.get("_line") or n + 2)
        line = _line(row, keys, place, reader, framework)
        if line is None:
            continue
        key, (id, own) = line
        if id in found.setdefault(key, {}):
            shown = ", ".join(str(row[column] or "") for column in keys)
            message = f'"{shown}" is mapped to {row["competency"]} twice.'
            reader.note_at(place, message, "Delete one of the lines.", "crosswalk-duplicate")
        found[key][id] = own * weight // MICROS
    exact = {key: list(targets.items()) for key, targets in found.items() if "*" not in "".join(key)}
    patterns = [(_fits(key), list(targets.items())) for key, targets in found.items() if "*" in "".join(key)]
    return Lines(exact, patterns)


def _line(
    row: Mapping[str, Any], keys: Sequence[str], place: Place, reader: Reader, framework: Framework
) -> tuple[Key, Target] | None:
    """What one line says, or nothing: a line still under review names no competency yet."""
    word = str(row["competency"] or "").strip()
    if not word:
        return None
    found, weight = find_at(word, place, reader, framework), _weight(row.get("weight"))
    key = tuple(folded(row[column]) for column in keys)
    if weight is None:
        hint = "Write a number such as 0.5, or leave it empty for 1."
        reader.note_at(place, f'The weight "{row.get("weight")}" is not a positive number.', hint, "crosswalk")
    elif not any(key):
        message = f"{word} is mapped from nothing: the line names no code."
        reader.note_at(place, message, "Fill it in.", "crosswalk")
    elif found is not None:
        return key, (found.id, weight)
    return None


def _fits(key: Key) -> Callable[[Key], bool]:
    patterns = [re.compile(pattern_of(part)) for part in key]
    return lambda values: all(p.fullmatch(v) for p, v in zip(patterns, values, strict=True))


def _weight(value: object) -> int | None:
    if value is None or value == "":
        return MICROS
    number = value if isinstance(value, int | Decimal) else read_number(str(value).strip())
    if number is None or isinstance(number, bool) or number <= 0:
        return None
    return to_micros(Fraction(number))
