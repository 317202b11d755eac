"""How the values of records are written in the bodies of an Ed-Fi host."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_CENT = Decimal("0.01")
_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
Row = Mapping[str, Any]


def rounded(value: Decimal | None) -> Decimal | None:
    """A score with the two decimals that Ed-Fi keeps, rounded half up, without needless zeros."""
    if value is None:
        return None
    short = value.quantize(_CENT, ROUND_HALF_UP).normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short


def step_of(levels: Mapping[str, str], score: Decimal | None) -> str | None:
    """The value of the highest numbered step that ``score`` reaches; below the lowest one its value."""
    steps = {Decimal(name): value for name, value in levels.items() if _NUMBER.fullmatch(name)}
    if score is None or not steps:
        return None
    return steps[max((step for step in steps if step <= score), default=min(steps))]


def parts_of(record: Row, table: str) -> Sequence[Row]:
    return record.get(table) or ()


def scored(record: Row) -> list[Row]:
    """The learning objectives of a result that have a level."""
    rows = parts_of(record, "result_learning_objectives")
    return [row for row in rows if row.get("text_score") is not None or row.get("score") is not None]


def day_of(value: datetime | None) -> date | None:
    return None if value is None else value.date()


def cut(text: str | None, longest: int) -> str | None:
    return text[:longest].strip() or None if text else None
