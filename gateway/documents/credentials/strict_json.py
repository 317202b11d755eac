"""JSON as a credential must be: UTF-8, one object, no key twice, no ``NaN``, not deeper or larger than reason."""

from __future__ import annotations

import json
from typing import Any

from gateway.core.errors import DataError

LARGEST = 8_000_000
DEEPEST = 60


def read_object(content: bytes, what: str) -> dict[str, Any]:
    """The object in ``content``. Raises :class:`DataError` (``credentials.unreadable``)."""
    if len(content) > LARGEST:
        raise _unreadable(f"{what} is larger than {LARGEST:,} bytes.")
    try:
        found = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, _Doubled) else "it is no sound JSON"
        raise _unreadable(f"{what} cannot be read: {reason}.") from error
    if not isinstance(found, dict):
        raise _unreadable(f"{what} is no JSON object.")
    if _depth(found) > DEEPEST:
        raise _unreadable(f"{what} is nested deeper than {DEEPEST} levels.")
    return found


class _Doubled(ValueError):
    """A key stands twice: readers would differ in which one they take."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Doubled("one of its objects has a key twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(name)


def _depth(value: object) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        part, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(part, dict):
            waiting += [(each, depth + 1) for each in part.values()]
        elif isinstance(part, list):
            waiting += [(each, depth + 1) for each in part]
    return deepest


def _unreadable(message: str) -> DataError:
    return DataError(message, hint="Ask for the file again.", code="credentials.unreadable")
