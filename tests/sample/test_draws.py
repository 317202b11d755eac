"""Draws depend on seed, purpose and keys, and on nothing else."""

from __future__ import annotations

import re

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from gateway.sample.draws import Draws, mix, mix_number

WORDS = st.integers(0, 2**64 - 1)


@given(st.lists(WORDS, min_size=1, max_size=20))
def test_columns_and_plain_numbers_mix_alike(numbers: list[int]) -> None:
    assert mix(pl.Series(numbers, dtype=pl.UInt64)).to_list() == [mix_number(number) for number in numbers]


@given(WORDS, WORDS, st.integers(1, 1_000_000))
def test_a_draw_of_columns_is_the_draw_of_plain_numbers(first: int, second: int, limit: int) -> None:
    keys = pl.DataFrame({"a": [first], "b": [second]}, schema={"a": pl.UInt64, "b": pl.UInt64})
    drawn = keys.select(Draws(3).below(limit, "purpose", pl.col("a"), pl.col("b"))).item()
    assert drawn == Draws(3).number_below(limit, "purpose", first, second)


def test_draws_do_not_change_between_versions() -> None:
    """A change here changes every sample district in the world."""
    assert mix_number(0) == 0xE220A8397B1DCDAF
    assert Draws(1).number_below(1_000_000, "purpose", 1, 2) == 182_585
    assert Draws(1).uuid_of("users", 7) == "b4984dff-05f7-5c6c-a41e-312d23240666"


def test_seed_purpose_and_keys_all_matter() -> None:
    numbers = {
        Draws(seed).number_below(2**60, purpose, *keys)
        for seed in (1, 2)
        for purpose in ("a", "b")
        for keys in ((1,), (2,), (1, 2), (2, 1))
    }
    assert len(numbers) == 16


def test_ids_are_distinct_uuids_of_the_name_based_kind() -> None:
    frame = pl.select(a=pl.int_range(0, 400, dtype=pl.UInt64)).join(
        pl.select(b=pl.int_range(0, 400, dtype=pl.UInt64)), how="cross"
    )
    ids = Draws(1).with_uuid(frame, "id", "results", pl.col("a"), pl.col("b"))["id"]
    assert ids.n_unique() == 160_000
    assert ids.str.contains(r"^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$").all()
    assert re.fullmatch(r"[0-9a-f-]{36}", Draws(1).uuid_of("results", 1, 2))


def test_a_chance_is_met_about_as_often_as_its_rate_says() -> None:
    frame = pl.select(key=pl.int_range(0, 100_000, dtype=pl.UInt64))
    for rate in (0.0, 0.03, 0.5, 1.0):
        met = frame.select(Draws(1).chance(rate, "test", pl.col("key"))).to_series().sum()
        assert abs(met - rate * 100_000) < 600
