"""What the cells of a course file say: numbers as micros, flags, years, grade levels and days."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.mapping.rounding import to_micros

NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,6})?0*")
_YEARS = re.compile(r"(\d{4})(?:\s*[-/–]\s*(?:\d{2})?(\d{2}))?")
_GRADE_LEVEL = re.compile(r"0?(\d{1,2})(?:th|\.0)?", re.IGNORECASE)
_YES = ("true", "1", "yes", "y", "x", "t")
_NO = ("false", "0", "no", "n", "f")

UNREADABLE = -2 * 10**15
"""Stands in a column of micros for a text that is no number; no number of a file is so small."""
UNCLEAR = -1
"""Stands in a flag's column (1 yes, 0 no, empty for an empty cell) for a text that is neither."""


def read_micros(text: str) -> int:
    """A number in micros; :data:`UNREADABLE` for anything that is no number of at most six places."""
    return to_micros(Decimal(text)) if NUMBER.fullmatch(text) else UNREADABLE


def _read_flag(text: str) -> int:
    word = text.lower()
    return 1 if word in _YES else 0 if word in _NO else UNCLEAR


def _read_ag(text: str) -> int:
    """An a–g subject is a letter from A to G, or a plain yes or no (the letter F is a subject, not a no)."""
    return 1 if text.lower() in tuple("abcdefg") else _read_flag(text)


def read_year(text: str) -> int | None:
    """The year in which the school year ends: ``2025-2026``, ``2025-26``, ``2025/26`` and ``2026`` are 2026."""
    match = _YEARS.fullmatch(text)
    if match is None:
        return None
    first, second = int(match[1]), match[2]
    if second is None:
        return first
    return first + 1 if int(second) == (first + 1) % 100 else None


def _read_grade_level(text: str) -> int | None:
    match = _GRADE_LEVEL.fullmatch(text)
    return int(match[1]) if match else None


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


READ: tuple[tuple[str, str, Callable[[str], Any], pl.DataType], ...] = (
    ("credit", "credit_micros", read_micros, pl.Int64()),
    ("score", "score_micros", read_micros, pl.Int64()),
    ("core", "core_flag", _read_flag, pl.Int8()),
    ("ag", "ag_flag", _read_ag, pl.Int8()),
    ("school_year", "year", read_year, pl.Int32()),
    ("grade_level", "level_of_student", _read_grade_level, pl.Int32()),
    ("completed_on", "completed", _read_day, pl.Date()),
)
