"""The values of scalar members: what the host takes for each type, and how it keeps it.

*Not verified*: that numbers with more decimals than declared are rounded (half away from zero), and that a text in the
place of a number is refused; some hosts convert it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

Check = Callable[[Any], Any]
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DANGEROUS = re.compile(r"<[A-Za-z!/?]|&#")
_INT32, _INT64 = 2**31, 2**63


class BadValue(Exception):
    """A value that the host refuses; the text says why, without the value."""


@cache
def check_for(kind: str, *, key: bool = False) -> Check:
    """The check of a type: it returns the value as the host keeps it, or raises :class:`BadValue`."""
    if kind.startswith("str"):
        return _text(int(kind[3:]), key)
    if kind.startswith("dec"):
        digits, places = (int(part) for part in kind[4:-1].split(","))
        return _decimal(digits, places)
    if kind in ("int32", "int64"):
        return _integer(_INT32 if kind == "int32" else _INT64)
    return {"boolean": _boolean, "date": _date, "datetime": _datetime, "time": _time, "descriptor": _descriptor}[kind]


def _text(most: int, key: bool) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise BadValue("must be a text")
        if len(value) > most:
            raise BadValue(f"must be at most {most} characters in length")
        if ("<" in value or "&" in value) and _DANGEROUS.search(value):
            raise BadValue("contains a value that could be dangerous for downstream systems")
        if key and value != value.strip():
            raise BadValue("cannot contain leading or trailing spaces")
        return sys.intern(value) if key else value

    return check


def _decimal(digits: int, places: int) -> Check:
    unit = Decimal(1).scaleb(-places)
    bound = Decimal(10) ** (digits - places)

    def check(value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise BadValue("must be a number")
        kept = Decimal(value)
        if not kept.is_finite() or abs(kept) >= bound:
            raise BadValue(f"must be between -{bound - unit} and {bound - unit}")
        return kept.quantize(unit, ROUND_HALF_UP)

    return check


def _integer(bound: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadValue("must be a whole number")
        if not -bound <= value < bound:
            raise BadValue("is out of range")
        return value

    return check


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadValue("must be true or false")
    return value


def _date(value: Any) -> str:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise BadValue("must be a date such as 2026-05-23")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise BadValue("must be a date of the calendar") from None
    return value


def _datetime(value: Any) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadValue("must be a date with a time") from None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment.tzinfo is None or not moment.utcoffset() else value


def _time(value: Any) -> str:
    try:
        return time.fromisoformat(value).strftime("%H:%M:%S")
    except (TypeError, ValueError):
        raise BadValue("must be a time of the day") from None


def _descriptor(value: Any) -> str:
    if not isinstance(value, str) or "#" not in value:
        raise BadValue("must be a descriptor such as uri://ed-fi.org/TermDescriptor#Fall Semester")
    return sys.intern(value)  # 100,000 rows name the same few
