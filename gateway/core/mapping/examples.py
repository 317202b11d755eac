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


def run_examples(mapping: CompiledMapping) -> list[Failure]:
    """All expectations of the mapping's examples that do not come true."""
    return [failure for n in range(len(mapping.examples)) for failure in _run(mapping, n)]


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


def _run(mapping: CompiledMapping, n: int) -> Iterator[Failure]:
    example = mapping.examples[n]
    name = example.get("name") or f"example {n + 1}"
    mapped = mapping.apply(example_evidence(example["evidence"]), as_of=example.get("as_of"))
    levels = {row["competency"]: row for row in mapped.levels.rows(named=True)}
    for word, wanted in example.get("expect", {}).items():
        found = mapping.framework.find(word)
        label = mapping.label(found.id) if found else word
        if found is None:
            said = f'"{word}" is no competency of {mapping.framework.title}.{mapping.framework.suggest(word)}'
        else:
            said = _compare_level(wanted, levels.get(label))
        if said:
            yield Failure(name, mapping.document.place("examples", n, "expect", word), f"{word}: {said}")
    rows = {row["domain"]: row for row in mapped.continuum.rows(named=True)}
    credits = {f"{row['credit']}/{row['part']}": row for row in mapped.credits.rows(named=True)}
    for part, found_rows in (("continuum", rows), ("credits", credits)):
        for word, wanted in example.get(part, {}).items():
            for said in _compare_row(wanted, found_rows.get(word)):
                yield Failure(name, mapping.document.place("examples", n, part, word), f"{word}: {said}")
    if "unmatched" in example:
        values = sorted(value or "" for value in mapped.unmatched["value"].to_list())
        if values != sorted(example["unmatched"]):
            place = mapping.document.place("examples", n, "unmatched")
            yield Failure(name, place, f"unmatched are {', '.join(values) or 'none'}.")


def _compare_level(wanted: Any, row: Mapping[str, Any] | None) -> str:
    """What is wrong with a level; ``wanted`` is a number, a state, ``null`` for "no level", or several of a row's
    columns."""
    if isinstance(wanted, dict):
        return " ".join(_compare_row(wanted, row))
    if wanted is None:
        return "" if row is None or row["level"] is None else f"expected no level, found {_say(row['level'])}."
    if row is None:
        return f"expected {_say(wanted)}, found no evidence."
    found = row["state"] if isinstance(wanted, str) else row["level"]
    if found is None:
        found = row["state"]
    return "" if _same(wanted, found) else f"expected {_say(wanted)}, found {_say(found)}."


def _compare_row(wanted: Mapping[str, Any], row: Mapping[str, Any] | None) -> Iterator[str]:
    if row is None:
        yield "expected a row, found none."
        return
    for column, value in wanted.items():
        if column not in row:
            yield f'there is no column "{column}".'
        elif not _same(value, row[column]):
            yield f"expected {column} {_say(value)}, found {_say(row[column])}."


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, list):
        return "; ".join(str(each) for each in wanted) == (found or "")
    if isinstance(wanted, int | Decimal) and isinstance(found, int | Decimal):
        return Decimal(wanted) == Decimal(found)
    return bool(wanted == found)


def _say(value: Any) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return "nothing" if value is None else str(value)
