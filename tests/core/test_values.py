"""Reading raw text: tolerant where nothing can go wrong, strict where it can."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import DTYPES, Column, Kind
from gateway.core.values import DateOrder, mask, read_values


def read(kind, values, *, dates=None, **column):
    column.setdefault("name", "field")
    dtype = pl.List(pl.String) if kind is Kind.TEXT_LIST else pl.String
    reading = read_values(pl.Series(values, dtype=dtype), Column(kind=kind, **column), dates)
    assert reading.values.dtype == DTYPES[kind]
    bad = reading.bad.to_list() if reading.bad is not None else [False] * len(values)
    return reading.values.to_list(), bad, dict(reading.notes)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", "3"),
        ("3.50", "3.5"),
        (" 2.5 ", "2.5"),
        ("-1", "-1"),
        ("0", "0"),
        ("1.2345675", "1.234568"),
        ("1.2345665", "1.234567"),
    ],
)
def test_plain_decimals_are_exact_and_beyond_six_places_rounded_half_up(text, value):
    values, bad, notes = read(Kind.DECIMAL, [text])
    assert values == [Decimal(value)]
    assert bad == [False]
    assert ("value.rounded" in notes) is (len(text.strip()) > 8)


@pytest.mark.parametrize("text", ["3,5", "NaN", "1e309", "1e5", "inf", "A", "--1", "1.", "9" * 13, "٣"])
def test_what_is_not_a_plain_number_is_never_coerced(text):
    values, bad, _ = read(Kind.DECIMAL, [text, "1"])
    assert (values, bad) == ([None, Decimal(1)], [True, False])


@pytest.mark.parametrize("kind", [Kind.DECIMAL, Kind.DATE, Kind.TIME, Kind.BOOLEAN, Kind.TEXT, Kind.INTEGER])
def test_blank_is_null_and_not_bad(kind):
    assert read(kind, [None, "", "  "])[:2] == ([None] * 3, [False] * 3)


@pytest.mark.parametrize(
    ("text", "order", "value"),
    [
        ("2026-09-01", None, date(2026, 9, 1)),
        ("2026-09-01T10:00:00.000Z", None, date(2026, 9, 1)),
        ("3/4/2026", None, None),
        ("3/4/2026", DateOrder.DAY_FIRST, date(2026, 4, 3)),
        ("3/4/2026", DateOrder.MONTH_FIRST, date(2026, 3, 4)),
        ("31.12.2026", DateOrder.DAY_FIRST, date(2026, 12, 31)),
        ("2026-02-30", None, None),
        ("30/2/2026", DateOrder.DAY_FIRST, None),
        ("September 1", None, None),
    ],
)
def test_dates_are_read_only_when_they_can_mean_one_day(text, order, value):
    values, bad, _ = read(Kind.DATE, [text], dates=order)
    assert (values, bad) == ([value], [value is None])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-09-01T10:00:00.000Z", datetime(2026, 9, 1, 10, tzinfo=UTC)),
        ("2026-09-01T10:00:00+00:00Z", datetime(2026, 9, 1, 10, tzinfo=UTC)),
        ("2026-09-01T10:00:00-05:00", datetime(2026, 9, 1, 15, tzinfo=UTC)),
        ("2026-09-01T10:00:00+0530", datetime(2026, 9, 1, 4, 30, tzinfo=UTC)),
        ("2026-09-01Z", datetime(2026, 9, 1, tzinfo=UTC)),
        ("2026-09-01", datetime(2026, 9, 1, tzinfo=UTC)),
        ("2017-05-06 08:01:05", datetime(2017, 5, 6, 8, 1, 5, tzinfo=UTC)),
        ("2026-13-01", None),
        ("yesterday", None),
    ],
)
def test_times_become_utc(text, value):
    values, bad, _ = read(Kind.TIME, [text, "2026-01-01T00:00:00Z"])
    assert (values[0], bad) == (value, [value is None, False])


def test_a_time_without_a_zone_is_noted():
    times = ["2026-09-01 10:00:00", "2026-09-01", "2026-09-01T10:00:00Z"]
    assert read(Kind.TIME, times)[2] == {"value.time-without-zone": 1}


def test_booleans_in_any_dress():
    values, bad, notes = read(Kind.BOOLEAN, ["true", "FALSE", "1", "No", "maybe"])
    assert (values, bad) == ([True, False, True, False, None], [False] * 4 + [True])
    assert notes == {"value.respelled": 3}


def test_an_unknown_word_is_kept_where_harmless_and_bad_where_strict():
    words = ("scheduled", "homeroom")
    assert read(Kind.TEXT, ["Scheduled", "club", "ext:lab"], vocabulary=words) == (
        ["scheduled", "club", "ext:lab"],
        [False] * 3,
        {"value.respelled": 1, "value.unknown-word": 1},
    )
    assert read(Kind.TEXT, ["club"], vocabulary=words, strict=True)[:2] == ([None], [True])


def test_inactive_means_tobedeleted():
    assert read(Kind.TEXT, ["Inactive"], name="status", vocabulary=("active", "tobedeleted"))[0] == ["tobedeleted"]


@pytest.mark.parametrize("damaged", ["1E+05", "9.1e+12", "a\x00b", "x" * 256])
def test_a_damaged_id_is_bad(damaged):
    assert read(Kind.TEXT, [damaged, "0123"], name="id")[:2] == ([None, "0123"], [True, False])


def test_lists_lose_blanks_and_become_null_when_empty():
    assert read(Kind.TEXT_LIST, [["a ", "", "b"], [" "], None])[0] == [["a", "b"], None, None]


@given(st.decimals(min_value=-(10**11), max_value=10**11, places=6, allow_nan=False))
def test_every_decimal_of_six_places_survives(number):
    assert read(Kind.DECIMAL, [f"{number:f}"])[0] == [number]


@given(st.text(max_size=60))
def test_a_mask_tells_no_letter_and_no_digit(text):
    masked = mask(text)
    assert masked is not None
    assert not any(c.isdigit() and c != "9" for c in masked)
    assert all(c in "aA" for c in masked if c.isalpha())
