"""Reads raw text as typed values, column by column: tolerant where nothing can go wrong, strict where it can.

What is tolerated is OneRoster's reference of real-life deviations (booleans in capitals, ``inactive``, dates with a
time, double time zones); each tolerance that changes a value is counted as a note for the run's report. What cannot be
read is marked bad; :mod:`gateway.core.check` decides between quarantine and warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import polars as pl

from gateway.core.model import DTYPES, SCORE, SCORE_PLACES, TIME, Column, Kind


class DateOrder(StrEnum):
    """How a source writes dates that are not ISO 8601; a person must say so, because 3/4/2026 cannot be guessed."""

    DAY_FIRST = "d/m/y"
    MONTH_FIRST = "m/d/y"


@dataclass(frozen=True, slots=True)
class Reading:
    """A typed series, which of its raw values could not be read, and notes by code with counts."""

    values: pl.Series
    bad: pl.Series | None = None
    notes: Mapping[str, int] = field(default_factory=dict)


_DECIMAL = r"^[+-]?\d{1,12}(\.\d{1,20})?$"
_LONG_FRACTION = rf"\.\d{{{SCORE_PLACES + 1},}}"
_DAMAGED_ID = r"[\x00-\x1f\x7f]|^\d(\.\d+)?[Ee]\+\d+$"
"""Control characters, or what a spreadsheet makes of a long number (1E+05)."""
_ISO = r"^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(\.\d+)?)?((?:[+-]\d{2}:?\d{2})?)(Z?)$"
_SLASHED = r"^(\d{1,2})[/.](\d{1,2})[/.](\d{4})$"

_STATUS_SYNONYMS = {"inactive": "tobedeleted"}
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def clean(raw: pl.Series) -> pl.Series:
    """Text without surrounding white space; empty text is null."""
    text = raw.str.strip_chars()
    return text.set(text == "", None) if (text == "").any() else text


def read_values(raw: pl.Series, column: Column, dates: DateOrder | None = None) -> Reading:
    """``raw`` (text, or lists of text) as the kind that ``column`` declares."""
    if raw.null_count() == len(raw):
        return Reading(pl.repeat(None, len(raw), dtype=DTYPES[column.kind], eager=True))
    if column.kind is Kind.TEXT_LIST:
        return _read_list(raw)
    return _READERS[column.kind](clean(raw), column, dates)


def _bad(text: pl.Series, values: pl.Series) -> pl.Series | None:
    bad = text.is_not_null() & values.is_null()
    return bad if bad.any() else None


def _read_text(text: pl.Series, column: Column, dates: DateOrder | None) -> Reading:
    if column.vocabulary:
        return _read_word(text, column)
    if column.name == "id":  # a damaged reference is found out by what it does not refer to
        damaged = text.str.contains(_DAMAGED_ID) | (text.str.len_bytes() > 255)
        if damaged.any():
            return Reading(text.set(damaged, None), damaged.fill_null(False))
    return Reading(text)


def _read_word(text: pl.Series, column: Column) -> Reading:
    """A word of a vocabulary, in any case; ``ext:`` words and, where that is harmless, unknown ones are kept."""
    exact = text.is_in(list(column.vocabulary))
    if exact.all():
        return Reading(text)
    known = {word.lower(): word for word in column.vocabulary}
    if column.name == "status":
        known |= _STATUS_SYNONYMS
    distinct = text.unique().drop_nulls()
    words = {word: known.get(word.lower(), word if word.startswith("ext:") else None) for word in distinct}
    values = text.replace_strict(words, default=None, return_dtype=pl.String)
    bad = _bad(text, values)
    changed = int(((values != text) & values.is_not_null()).sum() or 0)
    notes = {"value.respelled": changed} if changed else {}
    if bad is not None and not column.strict:
        notes["value.unknown-word"] = int(bad.sum())
        return Reading(values.fill_null(text), None, notes)
    return Reading(values, bad, notes)


def _read_list(raw: pl.Series) -> Reading:
    trimmed = raw.list.eval(pl.element().str.strip_chars().filter(pl.element().str.strip_chars() != ""))
    return Reading(trimmed.set(trimmed.list.len() == 0, None))


def _read_integer(text: pl.Series, column: Column, dates: DateOrder | None) -> Reading:
    values = text.cast(pl.Int64, strict=False)
    return Reading(values, _bad(text, values))


def _read_decimal(text: pl.Series, column: Column, dates: DateOrder | None) -> Reading:
    """Plain decimals only: no exponent, no decimal comma, no infinity. Beyond six places half up, counted."""
    plain = text.set(~text.str.contains(_DECIMAL), None)
    long = plain.str.contains(_LONG_FRACTION)
    if not long.any():
        values = plain.cast(SCORE, strict=False)
        return Reading(values, _bad(text, values))
    wide = plain.cast(pl.Decimal(38, 20), strict=False)
    values = wide.round(SCORE_PLACES, mode="half_away_from_zero").cast(SCORE, strict=False)
    return Reading(values, _bad(text, values), {"value.rounded": int(long.sum() or 0)})


def _read_date(text: pl.Series, column: Column, dates: DateOrder | None) -> Reading:
    values = text.str.to_date("%Y-%m-%d", strict=False)
    left = text.is_not_null() & values.is_null()
    if not left.any():
        return Reading(values)
    parts = text.str.extract_groups(_ISO).struct
    values = values.fill_null(parts.field("1").str.to_date("%Y-%m-%d", strict=False))
    if dates is not None:
        day, month = ("1", "2") if dates is DateOrder.DAY_FIRST else ("2", "1")
        slashed = text.str.extract_groups(_SLASHED).struct
        frame = pl.DataFrame({"d": slashed.field(day), "m": slashed.field(month), "y": slashed.field("3")})
        iso = frame.select(pl.format("{}-{}-{}", "y", pl.col("m").str.zfill(2), pl.col("d").str.zfill(2))).to_series()
        values = values.fill_null(iso.str.to_date("%Y-%m-%d", strict=False))
    bad = _bad(text, values)
    respelled = int(left.sum()) - (int(bad.sum()) if bad is not None else 0)
    return Reading(values, bad, {"value.date-respelled": respelled} if respelled else {})


def _read_time(text: pl.Series, column: Column, dates: DateOrder | None) -> Reading:
    """ISO 8601 with a zone; without one UTC is taken and noted; a bare date is its midnight in UTC."""
    values = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms", strict=False).dt.replace_time_zone("UTC")
    left = text.is_not_null() & values.is_null()
    if not left.any():
        return Reading(values)
    rest = pl.DataFrame({"text": text.filter(left).unique()})
    parts = rest["text"].str.extract_groups(_ISO).struct
    frame = pl.DataFrame({name: parts.field(str(n)) for n, name in enumerate("dtsfoz", start=1)})
    zone = pl.when(pl.col("o") == "").then(pl.lit("+00:00")).otherwise(pl.col("o"))
    whole = pl.format(
        "{}T{}{}{}{}", "d", *(pl.col(c).fill_null(v) for c, v in (("t", "00:00"), ("s", ":00"), ("f", ".0"))), zone
    )
    parsed = frame.select(
        whole.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="ms", strict=False)
        .dt.convert_time_zone("UTC")
        .alias("v"),
        ((pl.col("o") == "") & (pl.col("z") == "") & pl.col("t").is_not_null()).alias("zoneless"),
    )
    table = rest.with_columns(parsed.get_columns())
    known = table.drop_nulls("v")
    values = values.fill_null(text.replace_strict(known["text"], known["v"], default=None, return_dtype=TIME))
    zoneless = int((text.is_in(known.filter("zoneless")["text"].implode()) & left).sum() or 0)
    return Reading(values, _bad(text, values), {"value.time-without-zone": zoneless} if zoneless else {})


def _read_boolean(text: pl.Series, column: Column, dates: DateOrder | None) -> Reading:
    values = text.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    if _bad(text, values) is None:
        return Reading(values)
    respelled = text.str.to_lowercase().replace_strict(_BOOLEANS, default=None, return_dtype=pl.Boolean)
    count = int((respelled.is_not_null() & values.is_null()).sum())
    return Reading(respelled, _bad(text, respelled), {"value.respelled": count} if count else {})


_READERS: Mapping[Kind, Callable[[pl.Series, Column, DateOrder | None], Reading]] = {
    Kind.TEXT: _read_text,
    Kind.INTEGER: _read_integer,
    Kind.DECIMAL: _read_decimal,
    Kind.DATE: _read_date,
    Kind.TIME: _read_time,
    Kind.BOOLEAN: _read_boolean,
}


def mask(value: str | None) -> str | None:
    """The shape of a value without the value: letters become ``a``/``A``, digits ``9``, at most 40 characters."""
    if value is None:
        return None
    shape = "".join("9" if c.isdigit() else "A" if c.isupper() else "a" if c.isalpha() else c for c in value[:40])
    return "".join(c if c.isprintable() else "·" for c in shape) + ("…" if len(value) > 40 else "")
