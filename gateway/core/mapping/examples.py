"""The examples of a mapping file are its tests: evidence in, levels, continuum and credits out.

An example speaks of one student. Rows of evidence may leave out what does not matter: they are then dated one day after
the other, from 2026-09-01 on, and numbered. What an example does not expect is not checked.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from gateway.core.errors import Place
from gateway.core.mapping.prepare import FLAGS, NUMBERS
from gateway.core.mapping.scales import plain
from gateway.core.model import SCORE

if TYPE_CHECKING:
    from gateway.core.mapping.compiled import CompiledMapping

STUDENT = "example"
_FIRST_DAY = datetime.date(2026, 9, 1)


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that did not come true. ``message`` is a plain sentence."""

    example: str
    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.example}: {self.message}"


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation of an example: what it speaks of, what was expected and what was found, in words."""

    about: str
    expected: str
    found: str
    place: Place
    message: str = ""
    """What is wrong, as a plain sentence; empty if nothing is."""


@dataclass(frozen=True, slots=True)
class Example:
    """One example, run."""

    name: str
    place: Place
    checks: Sequence[Check]

    @property
    def failures(self) -> list[Failure]:
        return [Failure(self.name, each.place, each.message) for each in self.checks if each.message]


def check_examples(mapping: CompiledMapping) -> list[Example]:
    """All examples of the mapping, run, with everything that they expect."""
    return [
        Example(example.get("name") or f"example {n + 1}", mapping.document.place("examples", n), [*_run(mapping, n)])
        for n, example in enumerate(mapping.examples)
    ]


def run_examples(mapping: CompiledMapping) -> list[Failure]:
    """All expectations of the mapping's examples that do not come true."""
    return [failure for example in check_examples(mapping) for failure in example.failures]


def example_evidence(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The evidence of an example as a frame: text, numbers and flags by column."""
    filled = [
        {"student_id": STUDENT, "score": None, "scored_at": str(_FIRST_DAY + datetime.timedelta(days=n)),
         "result_id": f"result {n + 1}", **row}
        for n, row in enumerate(rows)
    ]  # fmt: skip
    names = dict.fromkeys(name for row in filled for name in row)
    return pl.DataFrame([_column(name, [row.get(name) for row in filled]) for name in names])


def _column(name: str, values: list[Any]) -> pl.Series:
    if name in FLAGS:
        return pl.Series(name, values, dtype=pl.Boolean)
    if name in NUMBERS and name != "score":
        return pl.Series(name, [None if v is None else Decimal(str(v)) for v in values], dtype=SCORE)
    return pl.Series(name, [None if v is None else str(v) for v in values], dtype=pl.String)


def _run(mapping: CompiledMapping, n: int) -> Iterator[Check]:
    example = mapping.examples[n]
    mapped = mapping.apply(example_evidence(example["evidence"]), as_of=example.get("as_of"))
    levels = {row["competency"]: row for row in mapped.levels.rows(named=True)}
    for word, wanted in example.get("expect", {}).items():
        place = mapping.document.place("examples", n, "expect", word)
        found = mapping.framework.find(word)
        if found is None:
            said = f'"{word}" is no competency of {mapping.framework.title}.{mapping.framework.suggest(word)}'
            yield Check(word, _say(wanted), "no such competency", place, f"{word}: {said}")
        else:
            yield from _level_checks(word, wanted, levels.get(mapping.label(found.id)), place)
    rows = {row["domain"]: row for row in mapped.continuum.rows(named=True)}
    credits = {f"{row['credit']}/{row['part']}": row for row in mapped.credits.rows(named=True)}
    for part, found_rows in (("continuum", rows), ("credits", credits)):
        for word, wanted in example.get(part, {}).items():
            yield from _row_checks(
                word, wanted, found_rows.get(word), mapping.document.place("examples", n, part, word)
            )
    if "unmatched" in example:
        values = sorted(value or "" for value in mapped.unmatched["value"].to_list())
        place = mapping.document.place("examples", n, "unmatched")
        found_words, wanted_words = (", ".join(each) or "none" for each in (values, sorted(example["unmatched"])))
        wrong = "" if values == sorted(example["unmatched"]) else f"unmatched are {found_words}."
        yield Check("unmatched", wanted_words, found_words, place, wrong)


def _level_checks(word: str, wanted: Any, row: Mapping[str, Any] | None, place: Place) -> Iterator[Check]:
    """``wanted`` is a number, a state, ``null`` for "no level", or several of a row's columns."""
    if isinstance(wanted, dict):
        yield from _row_checks(word, wanted, row, place)
        return
    if row is None:
        found, same = None, wanted is None
    elif wanted is None:
        found, same = row["level"], row["level"] is None
    else:
        found = row["state"] if isinstance(wanted, str) or row["level"] is None else row["level"]
        same = _same(wanted, found)
    expected = "no level" if wanted is None else _say(wanted)
    said = "no evidence" if row is None else "no level" if found is None else _say(found)
    wrong = "" if same else f"{word}: expected {expected}, found {said}."
    yield Check(word, expected, said, place, wrong)


def _row_checks(word: str, wanted: Mapping[str, Any], row: Mapping[str, Any] | None, place: Place) -> Iterator[Check]:
    if row is None:
        yield Check(word, "a row", "none", place, f"{word}: expected a row, found none.")
        return
    for column, value in wanted.items():
        about = f"{word} {column}"
        if column not in row:
            yield Check(about, _say(value), "no column", place, f'{word}: there is no column "{column}".')
            continue
        found = row[column]
        wrong = "" if _same(value, found) else f"{word}: expected {column} {_say(value)}, found {_say(found)}."
        yield Check(about, _say(value), _say(found), place, wrong)


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, list):
        return "; ".join(str(each) for each in wanted) == (found or "")
    if isinstance(wanted, int | Decimal) and isinstance(found, int | Decimal):
        return Decimal(wanted) == Decimal(found)
    return bool(wanted == found)


def _say(value: Any) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, list):
        return "; ".join(str(each) for each in value)
    return "nothing" if value is None else str(value)
