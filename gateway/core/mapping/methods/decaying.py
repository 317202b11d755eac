"""The two averages that vendors call "decaying", each under a name of its own.

``decaying_average`` folds: a1 = s1, then a = a·(1 − r) + s·r for each further level (PowerSchool; Canvas'
"standard decaying average"). ``weighted_average`` sets the newest against the mean of all others (Canvas' "decaying
average" and "weighted average"). They agree for one and two levels: 2, 3, 4 gives 3.53 and 3.48 at 65 %.

Evidence of weight w moves a decaying average by r·w instead of r (at most by 1); in the mean of the others it counts
w times.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

import polars as pl

from gateway.core.mapping.groups import Runs, most
from gateway.core.mapping.methods.base import Exact, Levels, Method, Parameters, listed, settle, show
from gateway.core.mapping.rounding import MICROS, Rounding

_ROOM = 62
"""Sums per run stay below 2**62."""
_LONGEST = 4096
"""Weights beyond so many newer levels are nothing at this precision, for any rate from 1 %."""


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


def _decaying(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    rate = _rate(given)
    kinds = runs.weights.unique().sort().to_list()
    after = runs.count - runs.position
    first = runs.position == 1
    if kinds == [MICROS]:
        shares = _powers(1 - rate, after) * pl.select(pl.when(first).then(1.0).otherwise(float(rate))).to_series()
    else:
        shares = _uneven(runs, rate, kinds, first)
    bits = _ROOM - (most(runs.levels.abs()) // grid + 1).bit_length()
    scaled = (shares * float(1 << bits)).round().cast(pl.Int64) * (runs.levels // grid)
    value = runs.sum(scaled).cast(pl.Float64) / float(1 << bits) * grid
    certain = _certain(runs, rounding, grid, lcm(*((rate * Fraction(k, MICROS)).denominator for k in kinds)))
    return settle(_exact_decaying, runs, given, rounding, value, certain)


def _powers(base: Fraction, exponents: pl.Series) -> pl.Series:
    table = [float(base) ** n for n in range(min(most(exponents), _LONGEST) + 1)]
    return pl.Series(table, dtype=pl.Float64).gather(exponents.clip(0, len(table) - 1))


def _uneven(runs: Runs, rate: Fraction, kinds: Sequence[int], first: pl.Series) -> pl.Series:
    """The share of each level when weights differ: its own r·w times (1 − r·w) of every newer one."""
    shares = pl.select(
        pl.when(first).then(1.0).otherwise((runs.weights * (float(rate) / MICROS)).clip(upper_bound=1.0))
    ).to_series()
    for kind in kinds:
        is_kind = (runs.weights == kind).cast(pl.Int64)
        until = is_kind.cum_sum()
        newer = until.gather(runs.ends).gather(runs.index) - until
        shares = shares * _powers(1 - min(rate * Fraction(kind, MICROS), Fraction(1)), newer)
    return shares


def _certain(runs: Runs, rounding: Rounding, grid: int, denominator: int) -> pl.Series:
    """For which runs exact results on a boundary can be told from near ones: the short ones."""
    longest = 1
    while longest < 16 and rounding.certain(grid, denominator**longest):
        longest += 1
    return runs.counts <= longest


def _exact_weighted(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    rate = _rate(given)
    if len(levels) == 1:
        return levels[0], f"only {show(levels[0])}"
    others = sum((s * w for s, w in zip(levels[:-1], weights[:-1], strict=True)), Fraction()) / sum(weights[:-1])
    words = f"{show(levels[-1])}·{show(rate)} + mean({listed(levels[:-1])})·{show(1 - rate)}"
    return levels[-1] * rate + others * (1 - rate), words


def _weighted(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    rate = _rate(given)
    newest, last = runs.newest(runs.levels), runs.newest(runs.weights)
    frame = pl.DataFrame(
        {
            "newest": newest,
            "levels": runs.sum(runs.levels * runs.weights) - newest * last,
            "weights": runs.sum(runs.weights) - last,
        }
    ).cast(pl.Int128)
    p, q = rate.numerator, rate.denominator
    numerator = pl.col("newest") * p * pl.col("weights") + pl.col("levels") * (q - p)
    one = pl.col("weights") == 0
    value = rounding.ratio(
        pl.when(one).then(pl.col("newest")).otherwise(numerator),
        pl.when(one).then(1).otherwise(pl.col("weights") * q).cast(pl.Int128),
    )
    return frame.select(value.cast(pl.Int64)).to_series()


DECAYING = (
    Method("decaying_average", "a1 = s1, then a = a·(1 − newest) + s·newest",
           _exact_decaying, _decaying, ("newest",), True),
    Method("weighted_average", "sn·newest + mean(s1 … s(n−1))·(1 − newest)",
           _exact_weighted, _weighted, ("newest",), True),
)  # fmt: skip
