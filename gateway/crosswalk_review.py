"""A reviewed crosswalk read back: checked line by line, compared with what was given out, and made a CSV again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.errors import ConfigurationError, MappingError, Place, did_you_mean, raise_problems
from gateway.core.mapping.crosswalks import CROSSWALK_COLUMNS
from gateway.core.mapping.scales import read_number
from gateway.core.model import LINE
from gateway.crosswalk_file import BEFORE, COMPETENCIES, REVIEW
from gateway.table_file import read_table, read_workbook

_KEPT = ("competency", "weight", "review", "note")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A line that the review changed: ``kind`` is ``added``, ``removed``, ``competency``, ``weight``, ``review`` or
    ``note``."""

    line: int | None
    code: str
    kind: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.kind in ("added", "removed"):
            return f"{self.code}: {self.kind}" + (f", {self.after or self.before}" if self.after or self.before else "")
        return f"{self.code}: {self.kind} {self.before or '(none)'} → {self.after or '(none)'}"


@dataclass(frozen=True, slots=True)
class Review:
    """A crosswalk after a review. ``table`` holds the columns to look up, ``competency``, ``weight``, ``review`` and
    ``note``; ``counts`` says how many lines are in each state; ``changes`` are ``None`` where the file does not know
    what it was made of."""

    table: pl.DataFrame
    counts: Mapping[str, int]
    changes: Sequence[Change] | None
    withdrawn: int
    """Lines marked ``wrong``: they are kept without their competency, which is open again."""


def read_review(path: Path) -> Review:
    """The crosswalk in the workbook (or CSV) at ``path``.

    Raises :class:`ConfigurationError` with the line of every fault: an unknown column, a code that the framework does
    not have, a weight that is no positive number, a line that stands twice, a word for the review that is unknown.
    """
    found = read_table(path)
    keys = _keys(path, found)
    known, before = (_sheet(path, name) for name in (COMPETENCIES, BEFORE))
    rows = [row for row in found.rows(named=True) if any(row[name] for name in (*keys, "competency"))]
    raise_problems([fault for row in rows for fault in _faults(path, row, keys, known)] + _doubles(path, rows, keys))
    changes = None if before is None else _changes(keys, before.rows(named=True), rows)
    withdrawn = [row for row in rows if _state(row) == "wrong" and row["competency"]]
    gone = {row[LINE] for row in withdrawn}
    table = pl.DataFrame(
        [
            {**{key: row[key] for key in keys}, "competency": None if row[LINE] in gone else row["competency"],
             "weight": _cell(row, "weight"), "review": _state(row), "note": row.get("note")}
            for row in rows
        ],
        schema=dict.fromkeys((*keys, *_KEPT), pl.String),
    )  # fmt: skip
    counts = {state: table.filter(pl.col("review") == state).height for state in REVIEW}
    return Review(table, counts, changes, len(withdrawn))


def write_crosswalk_csv(table: pl.DataFrame, path: Path) -> None:
    """Write the crosswalk as the CSV that a mapping names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.write_csv(path)


def _keys(path: Path, table: pl.DataFrame) -> list[str]:
    if "competency" not in table.columns:
        message = f'{path} has no column "competency".'
        raise ConfigurationError(message, hint="It must be an exported crosswalk.", code="mapping.crosswalk")
    keys = [name for name in table.columns if name not in CROSSWALK_COLUMNS and name != LINE]
    if not keys:
        message = f'{path} has no column to look up, such as "standard".'
        raise ConfigurationError(message, hint="It must be an exported crosswalk.", code="mapping.crosswalk")
    return keys


def _sheet(path: Path, name: str) -> pl.DataFrame | None:
    if path.suffix.lower() != ".xlsx":
        return None
    try:
        found = pl.concat(list(read_workbook(path, sheet=name)))
    except ConfigurationError:
        return None
    texts = pl.col(pl.String).str.strip_chars()
    return found.with_columns(pl.when(texts != "").then(texts).name.keep())


def _faults(path: Path, row: Row, keys: Sequence[str], known: pl.DataFrame | None) -> list[ConfigurationError]:
    place = Place(str(path), row[LINE])
    found = []
    codes = [] if known is None else known["competency"].drop_nulls().to_list()
    word = row["competency"]
    if word and not any(row[key] for key in keys):
        found.append(MappingError("The line names no code.", code="mapping.crosswalk", place=place))
    if word and codes and word.casefold() not in {code.casefold() for code in codes}:
        message, hint = f'"{word}" is no competency of the framework.', did_you_mean(word, codes).strip()
        found.append(MappingError(message, hint=hint, code="mapping.unknown-competency", place=place))
    weight = read_number(str(row.get("weight") or "1"))
    if weight is None or weight <= Decimal(0):
        message = f'The weight "{row["weight"]}" is not a positive number.'
        found.append(MappingError(message, code="mapping.crosswalk", place=place))
    if row.get("review") and row["review"].casefold() not in REVIEW:
        message, hint = f'"{row["review"]}" is no word of a review.', f"Use one of {', '.join(REVIEW)}."
        found.append(MappingError(message, hint=hint, code="mapping.crosswalk", place=place))
    return list(found)


def _doubles(path: Path, rows: Sequence[Row], keys: Sequence[str]) -> list[ConfigurationError]:
    seen: dict[tuple[str, ...], int] = {}
    found: list[ConfigurationError] = []
    for row in rows:
        what = tuple((row[name] or "").casefold() for name in (*keys, "competency"))
        if row["competency"] and what in seen:
            message = f"{_code(row, keys)} is mapped to {row['competency']} twice, here and in line {seen[what]}."
            place = Place(str(path), row[LINE])
            found.append(MappingError(message, hint="Delete one.", code="mapping.crosswalk-duplicate", place=place))
        seen.setdefault(what, row[LINE])
    return found


def _code(row: Row, keys: Sequence[str]) -> str:
    return ", ".join(row[key] or "" for key in keys)


def _state(row: Row) -> str:
    """What the review says of a line; one that was open and has a competency now is agreed."""
    said = (row.get("review") or "").casefold()
    return said if said not in ("", "open") else "agreed" if row["competency"] else "open"


def _cell(row: Row, name: str) -> str | None:
    if name == "review":
        return _state(row)
    return row.get(name) or ("1" if name == "weight" else None)


def _changes(keys: Sequence[str], before: Sequence[Row], after: Sequence[Row]) -> list[Change]:
    """Lines of one code are compared in their order."""
    old, new = (_by_code(rows, keys) for rows in (before, after))
    found = []
    for code in dict.fromkeys([*new, *old]):
        was, now = old.get(code, []), new.get(code, [])
        for one, other in zip(was, now, strict=False):
            for name in _KEPT:
                left, right = _cell(one, name), _cell(other, name)
                if left != right:
                    found.append(Change(other[LINE], code, name, left, right))
        found += [Change(None, code, "removed", row["competency"], None) for row in was[len(now) :]]
        found += [Change(row[LINE], code, "added", None, row["competency"]) for row in now[len(was) :]]
    return found


def _by_code(rows: Sequence[Row], keys: Sequence[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(_code(row, keys), []).append(row)
    return found
