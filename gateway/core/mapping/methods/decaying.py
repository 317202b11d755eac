"""The two averages that vendors call "decaying", each under a name of its own.

``decaying_average`` folds: a1 = s1, then a = a·(1 − r) + s·r for each further level (PowerSchool; Canvas'
"standard decaying average"). ``weighted_average`` sets the newest against the mean of all others (Canvas' "decaying
average" and "weighted average"). They agree for one and two levels: 2, 3, 4 gives 3.53 and 3.48 at 65 %.

Evidence of weight w moves a decaying average by r·w instead of r (at most by 1); in the mean of the others it counts
w times.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from fractions import Fraction
from math import ceil, lcm, log2

import polars as pl

from gateway.core.mapping.groups import Runs, most
from gateway.core.mapping.methods.base import Exact, Levels, Method, Parameters, listed, settle, show
from gateway.core.mapping.rounding import MICROS, Rounding

_ROOM = 62
"""Sums per run stay below 2**62."""


def _rate(given: Parameters) -> Fraction:
    assert given.newest is not None, "the compiler sees to it that the share of the newest is stated"  # noqa: S101
    return given.newest


def _exact_decaying(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    rate = _rate(given)
    value = levels[0]
    steps = [show(value)]
    for level, weight in zip(levels[1:], weights[1:], strict=True):
        share = min(rate * weight, Fraction(1))
        steps.append(f"{show(value)}·{show(1 - share)} + {show(level)}·{show(share)}")
        value = value * (1 - share) + level * share
    return value, "; ".join(steps if len(steps) <= 6 else [steps[0], "…", *steps[-4:]])


def fold(levels: Sequence[int], weights: Sequence[int], rate: Fraction) -> tuple[int, int]:
    """The same value as :func:`_exact_decaying`, in whole numbers and without words: micros, and what to divide by."""
    numerator, denominator = levels[0], 1
    for level, weight in zip(levels[1:], weights[1:], strict=True):
        share, whole = rate.numerator, rate.denominator
        if weight != MICROS:
            share, whole = share * weight, whole * MICROS
        if share >= whole:
            numerator, denominator = level, 1
        else:
            numerator = numerator * (whole - share) + level * share * denominator
            denominator *= whole
    return numerator, denominator


def _decaying(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    rate = _rate(given)
    kinds = runs.rows["weight"].unique().sort().to_list()
    bits = _ROOM - (most(runs.rows["level"].abs()) // grid + 1).bit_length()
    first = pl.int_range(pl.len()) == pl.lit(runs.each["start"]).gather(pl.col("run"))
    if kinds == [MICROS]:
        shares = _powers(1 - rate, runs.newer, runs) * pl.when(first).then(1.0).otherwise(float(rate))
    else:
        runs, shares = _uneven(runs, rate, kinds, first)
    scaled = (shares * float(1 << bits)).round().cast(pl.Int64) * (pl.col("level") // grid)
    denominator = lcm(*((rate * Fraction(kind, MICROS)).denominator for kind in kinds))
    values = runs.sums(value=scaled).select(
        pl.col("value").cast(pl.Float64) / (float(1 << bits) / grid),
        (pl.lit(runs.counts) <= _longest_certain(rounding, grid, denominator)).alias("certain"),
    )
    return settle(lambda levels, weights: rounding.of(*fold(levels, weights, rate)), runs, rounding, values)


def _powers(base: Fraction, exponents: pl.Expr, runs: Runs) -> pl.Expr:
    """``base`` (from 0 to 1) to the power of ``exponents``; from where it is below 2**-62 on it stays as it is."""
    vanished = 1 if base in (0, 1) else ceil(_ROOM / -log2(base))
    longest = min(most(runs.counts), vanished)
    table = pl.Series([float(base) ** n for n in range(longest + 1)], dtype=pl.Float64)
    return pl.lit(table).gather(exponents.clip(0, longest))


def _uneven(runs: Runs, rate: Fraction, kinds: Sequence[int], first: pl.Expr) -> tuple[Runs, pl.Expr]:
    """The share of each level when weights differ: its own r·w times (1 − r·w) of every newer one."""
    end = pl.lit(runs.each["end"]).gather(pl.col("run"))
    until = [(pl.col("weight") == kind).cast(pl.Int64).cum_sum().alias(f"newer{n}") for n, kind in enumerate(kinds[1:])]
    runs = runs.with_columns(end.alias("end"), *until)
    others = [pl.col(f"newer{n}") for n in range(len(until))]
    runs = runs.with_columns(*(each.gather("end") - each for each in others))
    first_kind = pl.col("end") - pl.int_range(pl.len()) - pl.sum_horizontal(0, *others)
    shares = pl.when(first).then(1.0).otherwise((pl.col("weight") * (float(rate) / MICROS)).clip(upper_bound=1.0))
    for kind, newer in zip(kinds, (first_kind, *others), strict=True):
        shares = shares * _powers(1 - min(rate * Fraction(kind, MICROS), Fraction(1)), newer, runs)
    return runs, shares


@functools.lru_cache(maxsize=256)
def _longest_certain(rounding: Rounding, grid: int, denominator: int) -> int:
    """Up to which length of a run exact results on a boundary can be told from near ones."""
    longest = 1
    while longest < 16 and rounding.certain(grid, denominator**longest):
        longest += 1
    return longest


def _exact_weighted(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    rate = _rate(given)
    if len(levels) == 1:
        return levels[0], f"only {show(levels[0])}"
    others = sum((s * w for s, w in zip(levels[:-1], weights[:-1], strict=True)), Fraction()) / sum(weights[:-1])
    words = f"{show(levels[-1])}·{show(rate)} + mean({listed(levels[:-1])})·{show(1 - rate)}"
    return levels[-1] * rate + others * (1 - rate), words


def _weighted(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    rate = _rate(given)
    product, dtype = runs.weighed()
    sums = runs.sums(dtype, levels=product, weights=pl.col("weight")).cast(pl.Int128)
    newest, last = pl.lit(runs.newest("level").cast(pl.Int128)), pl.lit(runs.newest("weight").cast(pl.Int128))
    weights = pl.col("weights") - last
    p, q = rate.numerator, rate.denominator
    numerator = newest * p * weights + (pl.col("levels") - newest * last) * (q - p)
    one = weights == 0
    value = rounding.ratio(
        pl.when(one).then(newest).otherwise(numerator), pl.when(one).then(1).otherwise(weights * q).cast(pl.Int128)
    )
    return sums.select(value.cast(pl.Int64).alias("level")).to_series()


DECAYING = (
    Method("decaying_average", "a1 = s1, then a = a·(1 − newest) + s·newest",
           _exact_decaying, _decaying, ("newest",), True),
    Method("weighted_average", "sn·newest + mean(s1 … s(n−1))·(1 − newest)",
           _exact_weighted, _weighted, ("newest",), True),
)  # fmt: skip
