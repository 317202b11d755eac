"""A row of evidence as rules see it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.mapping.prepare import NUMBERS
from gateway.core.mapping.rounding import from_micros


def facts(columns: Sequence[str], values: Sequence[object]) -> dict[str, object]:
    """The values of a combination by column; numbers, which are kept in micros, as decimals."""
    return {
        column: from_micros(value) if column in NUMBERS and isinstance(value, int) else value
        for column, value in zip(columns, values, strict=True)
    }
