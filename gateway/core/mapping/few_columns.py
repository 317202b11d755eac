"""The columns of few results as plain values: what :mod:`gateway.core.mapping.prepare` makes of tables."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from gateway.core.mapping.prepare import NO_TIME, TIMES, prepared, prepared_names

_PLAIN_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?(?:Z|(?!-00:00)[+-][0-9]{2}:[0-9]{2})?)?"
)
"""Times as most systems write them; all others are left to Polars."""
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND = datetime.timedelta(milliseconds=1)


def plain_columns(evidence: pl.DataFrame, names: Sequence[str], *, numbers: bool) -> Mapping[str, list[Any]]:
    """The prepared columns ``names``, times as days; a column that is not there is nothing in every row.

    Raises :class:`MappingError` (``mapping.evidence-columns``) if a required one is missing.
    """
    schema = evidence.schema
    there = prepared_names(schema)
    found: dict[str, list[Any]] = {name: [None] * evidence.height for name in names if name not in there}
    made = []
    for name in (name for name in names if name in there):
        column = prepared(name, schema, numbers=numbers)
        if name in TIMES or schema.get(name, pl.Null()).is_temporal():
            made.append((pl.col(name) if column is None else column).cast(pl.Date))
        elif column is not None:
            made.append(column)
        else:
            found[name] = evidence[name].to_list()
    if made:
        found |= evidence.select_seq(made).to_dict(as_series=False)
    return found


def plain_times(evidence: pl.DataFrame) -> list[int]:
    """``scored_at`` in milliseconds, :data:`NO_TIME` for none."""
    column = evidence["scored_at"]
    if column.dtype == pl.String:
        texts = column.to_list()
        known: dict[str | None, int | None] = {text: NO_TIME if text is None else _read(text) for text in set(texts)}
        times = [known[text] for text in texts]
        if None not in times:
            return [NO_TIME if time is None else time for time in times]
    time = prepared("scored_at", evidence.schema, numbers=False)
    assert time is not None, "times are always brought into one form"  # noqa: S101
    return evidence.select_seq(time.to_physical().cast(pl.Int64).fill_null(NO_TIME)).to_series().to_list()


def _read(text: str) -> int | None:
    """A time in milliseconds, UTC unless it says otherwise; nothing if only Polars can tell."""
    if not _PLAIN_TIME.fullmatch(text):
        return None
    try:
        time = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return ((time if time.tzinfo else time.replace(tzinfo=datetime.UTC)) - _EPOCH) // _MILLISECOND
