"""Methods that fit a line or a curve through the levels and read it at the newest one.

``power_law`` is Marzano's: least squares of ln(s) on ln(i), i = 1 … n, read at n. A level of 0 has no logarithm, so
the mapping says what happens to it. ``best_fit`` is Empower's "true score": of the straight line, the power law and the
mean the one with the least sum of absolute differences; on a tie the first of the three (ours: Empower does not say).
``higher_of_mean_and_power_law`` is Ascender's.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

import polars as pl

from gateway.core.mapping.groups import Runs, most
from gateway.core.mapping.methods.base import (
    Exact,
    Levels,
    Method,
    Parameters,
    Zeros,
    exactly,
    listed,
    one_by_one,
    settle,
    show,
)
from gateway.core.mapping.rounding import MICROS, Rounding

_DIGITS = 60
_KEPT = 40
"""Irrational results are calculated to 60 digits and rounded to 40: nearer than that to a boundary is on it."""

_TIED = Fraction(1, 10**9)
"""Sums of differences that are no farther apart than this are equal."""


def _line(levels: Levels) -> list[Fraction]:
    """The straight line of least squares at 1 … n."""
    n = len(levels)
    mean = sum(levels, Fraction()) / n
    if n == 1:
        return [mean]
    middle = Fraction(n + 1, 2)
    slope = sum(((i - middle) * level for i, level in enumerate(levels, 1)), Fraction()) * 12 / (n * (n * n - 1))
    return [mean + slope * (i - middle) for i in range(1, n + 1)]


def _exact_linear(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    return _line(levels)[-1], f"straight line through {listed(levels)}, read at {len(levels)}"


def _linear(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    """At n the line is the sum of s·(6i − 2n − 2), divided by n(n + 1)."""
    sums = runs.sums(level=pl.col("level") * (runs.position * 6 - runs.count * 2 - 2)).with_columns(runs.counts)
    value = rounding.ratio(pl.col("level"), pl.col("count") * (pl.col("count") + 1))
    return sums.select(value.cast(pl.Int64)).to_series()


def _positive(levels: Levels, given: Parameters) -> Levels | None:
    """The levels that have a logarithm, as the mapping wants it; nothing if then nothing can be calculated."""
    if all(level > 0 for level in levels):
        return levels
    if given.zeros is Zeros.FLOOR:
        floor = Fraction(given.floor or 1, MICROS)
        return [max(level, floor) for level in levels]
    kept = [level for level in levels if level > 0] if given.zeros is Zeros.DROP else []
    return kept or None


def _curve(levels: Levels) -> list[Fraction]:
    """The power law at 1 … n; through one or two levels it runs exactly."""
    n = len(levels)
    if n <= 2:
        return list(levels)
    with localcontext() as context:
        context.prec = _DIGITS
        x = [Decimal(i).ln() for i in range(1, n + 1)]
        y = [(Decimal(level.numerator) / level.denominator).ln() for level in levels]
        sum_x, sum_y = sum(x, Decimal()), sum(y, Decimal())
        xy = sum((a * b for a, b in zip(x, y, strict=True)), Decimal())
        xx = sum((a * a for a in x), Decimal())
        slope = (n * xy - sum_x * sum_y) / (n * xx - sum_x * sum_x)
        start = (sum_y - slope * sum_x) / n
        return [Fraction(round((start + slope * each).exp(), _KEPT)) for each in x]


def _exact_power(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    kept = _positive(levels, given)
    if kept is None:
        return None
    return _curve(kept)[-1], f"power law through {listed(kept)}, read at {len(kept)}"


def _with_logarithm(runs: Runs, given: Parameters) -> tuple[Runs, pl.Series]:
    """The rows that a power law uses, and the runs that are left."""
    every = pl.int_range(runs.each.height, eager=True)
    zero = pl.col("level") <= 0
    if not (runs.rows["level"] <= 0).any():
        return runs, every
    if given.zeros is Zeros.DROP:
        return runs.keep(~zero)
    if given.zeros is Zeros.FLOOR:
        return runs.with_columns(pl.col("level").clip(lower_bound=given.floor or 1)), every
    zeros = runs.sums(zeros=zero)["zeros"]
    return runs.keep(pl.lit(zeros == 0).gather(pl.col("run")))


def _power_fit(runs: Runs) -> pl.DataFrame:
    """Per run ``start`` (a logarithm), ``slope`` (0 for runs of one), ``n``, and ``value``: the curve at n in micros,
    which is the last level itself for runs of one or two."""
    longest = max(most(runs.counts), 1)
    table = pl.int_range(1, longest + 1, eager=True).cast(pl.Float64).log()
    sum_of_x, sum_of_xx = pl.lit(table.cum_sum()), pl.lit((table * table).cum_sum())
    y = (pl.col("level").cast(pl.Float64) / MICROS).log()
    sums = runs.sums_binary(y=y, xy=y * pl.lit(table).gather(runs.position - 1))
    sums = sums.with_columns(
        runs.counts.cast(pl.Float64).alias("n"),
        sum_of_x.gather(pl.lit(runs.counts - 1)).alias("x"),
        sum_of_xx.gather(pl.lit(runs.counts - 1)).alias("xx"),
    )
    n, x, y = pl.col("n"), pl.col("x"), pl.col("y")
    slope = pl.when(n > 1).then((n * pl.col("xy") - x * y) / (n * pl.col("xx") - x * x)).otherwise(0.0)
    fitted = sums.select("n", "x", "y", slope.alias("slope")).with_columns(
        ((y - pl.col("slope") * x) / n).alias("start")
    )
    newest = pl.lit(runs.newest("level").cast(pl.Float64))
    curve = (pl.col("start") + pl.col("slope") * n.log()).exp() * MICROS
    return fitted.select("n", "start", "slope", pl.when(n <= 2).then(newest).otherwise(curve).alias("value"))


def _power(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    kept, chosen = _with_logarithm(runs, given)
    values = _power_fit(kept).select("value", (pl.col("n") <= 2).alias("certain"))
    return runs.spread(settle(exactly(_exact_power, given, rounding), kept, rounding, values), chosen)


def _candidates(levels: Levels) -> list[tuple[str, list[Fraction]]]:
    mean = sum(levels, Fraction()) / len(levels)
    return [("straight line", _line(levels)), ("power law", _curve(levels)), ("mean", [mean] * len(levels))]


def _exact_best_fit(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    kept = _positive(levels, given)
    if kept is None:
        return None
    candidates = _candidates(kept)
    errors = [sum((abs(a - b) for a, b in zip(fit, kept, strict=True)), Fraction()) for _, fit in candidates]
    best = next(n for n, error in enumerate(errors) if error - min(errors) <= _TIED)
    named = ", ".join(f"{name} {show(error)}" for (name, _), error in zip(candidates, errors, strict=True))
    return candidates[best][1][-1], f"sums of differences: {named}; {candidates[best][0]} read at {len(kept)}"


def _best_fit(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    kept, chosen = _with_logarithm(runs, given)
    n, middle = pl.col("n"), (pl.col("n") + 1) / 2
    sums = kept.sums(level=pl.col("level"), moment=pl.col("level") * kept.position).cast(pl.Float64)
    fitted = _power_fit(kept).hstack(sums).with_columns((pl.col("level") / n).alias("mean"))
    tilt = (pl.col("moment") - pl.col("level") * middle) * 12 / (n * (n * n - 1))
    fitted = fitted.with_columns(pl.when(n > 1).then(tilt).otherwise(0.0).alias("tilt"))
    values = fitted.select(
        (pl.col("mean") + pl.col("tilt") * (n - 1) / 2).alias("line"), pl.col("value").alias("power"), "mean"
    )

    def of_run(name: str) -> pl.Expr:
        return pl.lit(fitted[name]).gather(pl.col("run"))

    i = kept.position.cast(pl.Float64)
    fits = {
        "line": of_run("mean") + of_run("tilt") * (i - (of_run("n") + 1) / 2),
        "power": (of_run("start") + of_run("slope") * i.log()).exp() * MICROS,
        "mean": of_run("mean"),
    }
    errors = kept.sums_binary(**{name: (fit - pl.col("level")).abs() / MICROS for name, fit in fits.items()})
    least, tied = pl.lit(errors.min_horizontal()), float(_TIED)
    above = [errors.select(pl.col(name) - least).to_series() for name in fits]
    value = pl.coalesce(
        pl.when(pl.lit(each) <= tied).then(pl.col(name)) for name, each in zip(fits, above, strict=True)
    )
    found = values.select(value.alias("value"), pl.lit(False).alias("certain"))
    close = pl.select(pl.any_horizontal(*(pl.lit(each).is_between(tied / 100, tied * 100) for each in above)))
    one, again = exactly(_exact_best_fit, given, rounding), close.to_series().arg_true()
    rounded = settle(one, kept, rounding, found)
    if len(again):
        rounded = rounded.scatter(again, one_by_one(one, kept, again))
    return runs.spread(rounded, chosen)


def _exact_higher(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    mean = sum(levels, Fraction()) / len(levels)
    power = _exact_power(levels, weights, capped, given)
    if power is None or mean > power[0]:
        return mean, f"mean {show(mean)}, not less than {power[1] if power else 'no power law'}"
    return power[0], f"{power[1]} = {show(power[0])}, not less than the mean {show(mean)}"


def _higher(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    """Rounding keeps order, so that the higher of both is rounded by taking the higher rounded one."""
    sums = runs.sums(level=pl.col("level")).with_columns(runs.counts)
    mean = rounding.ratio(pl.col("level"), pl.col("count")).cast(pl.Int64)
    power = pl.lit(_power(runs, given, rounding, grid))
    return sums.select(pl.max_horizontal(mean, power)).to_series()


TRENDS = (
    Method("power_law", "e^a · n^b, where ln(s) = a + b·ln(i) fits best", _exact_power, _power, ("zeros",),
           beyond=True),
    Method("linear_trend", "a + b·n, where s = a + b·i fits best", _exact_linear, _linear, beyond=True),
    Method("best_fit", "the best fitting of straight line, power law and mean, at n", _exact_best_fit, _best_fit,
           ("zeros",), beyond=True),
    Method("higher_of_mean_and_power_law", "max(mean, power law)", _exact_higher, _higher, ("zeros",), beyond=True),
)  # fmt: skip
