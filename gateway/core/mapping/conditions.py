"""``when``: conditions on the columns of evidence, asked once for each distinct value of a column.

All columns named must fit. Within a column any of the listed values fits; ``*`` stands for any text; letters fit in
either case; ``null`` fits what is not filled in.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from gateway.core.mapping.reading import Reader

Path: TypeAlias = tuple[str | int, ...]
Test: TypeAlias = Callable[[object], bool]

_LIMITS = ("from", "to", "at_least", "at_most", "below", "above")


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one column's values; ``words`` is how an explanation says it."""

    column: str
    test: Test
    words: str


@dataclass(frozen=True, slots=True)
class When:
    """Conditions that must all fit; without any it always fits."""

    conditions: tuple[Condition, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(condition.column for condition in self.conditions)

    @property
    def words(self) -> str:
        return " and ".join(condition.words for condition in self.conditions) or "always"

    def fits(self, row: Mapping[str, object]) -> bool:
        return all(condition.test(row.get(condition.column)) for condition in self.conditions)


def compile_when(data: Mapping[str, Any] | None, path: Path, reader: Reader, columns: Collection[str]) -> When:
    """The conditions of a ``when``; unknown columns and impossible values are noted with ``reader``."""
    found = []
    for column, wanted in (data or {}).items():
        at = (*path, column)
        if column not in columns:
            reader.unknown(at, "column of evidence", column, columns, "unknown-column")
            continue
        test = _compile_test(wanted, at, reader)
        if test:
            found.append(Condition(column, test, f"{column} {_words(wanted)}"))
    return When(tuple(found))


def _compile_test(wanted: Any, path: Path, reader: Reader) -> Test | None:
    if isinstance(wanted, dict):
        if set(wanted) == {"not"}:
            test = _compile_test(wanted["not"], (*path, "not"), reader)
            return (lambda value: not test(value)) if test else None
        return _compile_limits(wanted, path, reader)
    tests = [_compile_value(item, path, reader) for item in (wanted if isinstance(wanted, list) else [wanted])]
    if not tests:
        reader.note(path, "At least one value is expected here.", "", "condition")
        return None
    return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)


def _compile_value(wanted: Any, path: Path, reader: Reader) -> Test:
    if wanted is None:
        return lambda value: value is None or value == ""
    if isinstance(wanted, bool):
        return lambda value: value is wanted
    if isinstance(wanted, int | Decimal):
        number = Decimal(wanted)
        return lambda value: _number(value) == number
    if isinstance(wanted, str):
        pattern = re.compile(pattern_of(wanted), re.DOTALL)
        return lambda value: value is not None and pattern.fullmatch(str(value).strip().casefold()) is not None
    reader.note(path, "A text, a number, true, false or null is expected here.", "", "condition")
    return lambda value: False


def pattern_of(text: str) -> str:
    """The regular expression of a text with ``*`` in it, for casefolded values."""
    return ".*".join(re.escape(part) for part in text.strip().casefold().split("*"))


def _compile_limits(wanted: dict[str, Any], path: Path, reader: Reader) -> Test | None:
    tests: list[Test] = []
    for word, limit in wanted.items():
        at = (*path, word)
        if word not in _LIMITS:
            reader.unknown(at, "condition", word, (*_LIMITS, "not"), "condition")
            continue
        bound = _bound(limit)
        if bound is None:
            reader.note(at, "A number or a date such as 2026-08-15 is expected here.", "", "condition")
            continue
        tests.append(_limit(word, bound))
    return (lambda value: all(test(value) for test in tests)) if tests else None


def _bound(limit: Any) -> Decimal | datetime.date | None:
    if isinstance(limit, int | Decimal) and not isinstance(limit, bool):
        return Decimal(limit)
    try:
        return datetime.date.fromisoformat(limit)
    except (TypeError, ValueError):
        return None


def _limit(word: str, bound: Decimal | datetime.date) -> Test:
    def test(value: object) -> bool:
        comparable = _comparable(value, bound)
        if comparable is None:
            return False
        order = (comparable > bound) - (comparable < bound)  # type: ignore[operator]  # both are of bound's kind
        return {
            "from": order >= 0, "at_least": order >= 0, "to": order <= 0, "at_most": order <= 0,
            "below": order < 0, "above": order > 0,
        }[word]  # fmt: skip

    return test


def _comparable(value: object, bound: Decimal | datetime.date) -> Decimal | datetime.date | None:
    """``value`` as the kind of ``bound``; a time counts as its day, and a text as the number or day that it writes."""
    if isinstance(bound, Decimal):
        return _number(value)
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, str):
        with suppress(ValueError):
            return datetime.date.fromisoformat(value.strip()[:10])
    return value if isinstance(value, datetime.date) else None


_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?")


def _number(value: object) -> Decimal | None:
    """The number that a value is or writes. ``0012`` writes none: it is a name."""
    if isinstance(value, str):
        text = value.strip()
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return Decimal(str(value)) if is_number else None


def _words(wanted: Any) -> str:
    if isinstance(wanted, list):
        return " or ".join(_words(item) for item in wanted)
    if isinstance(wanted, dict):
        return " and ".join(f"{word.replace('_', ' ')} {_words(limit)}" for word, limit in wanted.items())
    if wanted is None:
        return "not filled in"
    return str(wanted).lower() if isinstance(wanted, bool) else str(wanted)
