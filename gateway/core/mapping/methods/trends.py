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
from gateway.core.mapping.methods.base import Exact, Levels, Method, Parameters, Zeros, listed, settle, show
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
    factors = runs.position * 6 - runs.count * 2 - 2
    frame = pl.DataFrame({"sum": runs.sum(runs.levels * factors), "n": runs.counts})
    return frame.select(rounding.ratio(pl.col("sum"), pl.col("n") * (pl.col("n") + 1)).cast(pl.Int64)).to_series()


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
    every = pl.int_range(len(runs.starts), eager=True)
    zero = runs.levels <= 0
    if not zero.any():
        return runs, every
    if given.zeros is Zeros.DROP:
        return runs.keep(~zero)
    if given.zeros is Zeros.FLOOR:
        raised = runs.levels.clip(lower_bound=given.floor or 1)
        kept = Runs(raised, runs.weights, None, runs.index, runs.starts, runs.ends, runs.counts)
        return kept, every
    return runs.keep((runs.sum(zero.cast(pl.Int64)) == 0).gather(runs.index))


def _power_fit(runs: Runs) -> tuple[pl.Series, pl.Series]:
    """Logarithm of the start, and slope, per run (0 for runs of one)."""
    longest = max(most(runs.counts), 1)
    table = pl.int_range(1, longest + 1, eager=True).cast(pl.Float64).log()
    x, y = table.gather(runs.position - 1), (runs.levels.cast(pl.Float64) / MICROS).log()
    n = runs.counts.cast(pl.Float64)
    sum_x = table.cum_sum().gather(runs.counts - 1)
    sum_xx = (table * table).cum_sum().gather(runs.counts - 1)
    sum_y, sum_xy = runs.sum_binary(y), runs.sum_binary(x * y)
    slope = ((n * sum_xy - sum_x * sum_y) / (n * sum_xx - sum_x * sum_x)).set(runs.counts == 1, 0.0)
    return (sum_y - slope * sum_x) / n, slope


def _power_value(runs: Runs) -> pl.Series:
    """The power law at n in micros; the last level itself for runs of one or two."""
    start, slope = _power_fit(runs)
    value = (start + slope * runs.counts.cast(pl.Float64).log()).exp() * MICROS
    short = runs.counts <= 2
    return value.zip_with(~short, runs.newest(runs.levels).cast(pl.Float64))


def _power(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    kept, chosen = _with_logarithm(runs, given)
    rounded = settle(_exact_power, kept, given, rounding, _power_value(kept), kept.counts <= 2)
    return runs.spread(rounded, chosen)


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
    n, i = kept.counts.cast(pl.Float64), kept.position.cast(pl.Float64)
    mean = kept.sum(kept.levels).cast(pl.Float64) / n
    sums = kept.sum(kept.levels * kept.position).cast(pl.Float64)
    line_slope = ((sums - mean * n * (n + 1) / 2) * 12 / (n * (n * n - 1))).set(kept.counts == 1, 0.0)
    start, slope = _power_fit(kept)
    by_row = kept.index
    fits = {
        "line": mean.gather(by_row) + line_slope.gather(by_row) * (i - (kept.count.cast(pl.Float64) + 1) / 2),
        "power": (start.gather(by_row) + slope.gather(by_row) * i.log()).exp() * MICROS,
        "mean": mean.gather(by_row),
    }
    errors = pl.DataFrame({name: kept.sum_binary((fit - kept.levels).abs() / MICROS) for name, fit in fits.items()})
    least = errors.min_horizontal()
    values = {"line": mean + line_slope * (n - 1) / 2, "power": _power_value(kept), "mean": mean}
    frame = pl.DataFrame({f"{name}_value": value for name, value in values.items()}).hstack(errors)
    above = {name: pl.col(name) - pl.lit(least) for name in fits}
    tied = float(_TIED)
    value = pl.coalesce(pl.when(above[name] <= tied).then(pl.col(f"{name}_value")) for name in fits)
    close = pl.any_horizontal(*(above[name].is_between(tied / 100, tied * 100) for name in fits))
    found = frame.select(value.alias("value"), close.alias("close"))
    rounded = settle(_exact_best_fit, kept, given, rounding, found["value"], False)
    again = found["close"].arg_true().to_list()
    if again:
        exact = [_exact_best_fit(_run(kept, run), (), (), given) for run in again]
        rounded = rounded.scatter(again, [e and rounding.exactly(e[0] * MICROS) for e in exact])
    return runs.spread(rounded, chosen)


def _run(runs: Runs, run: int) -> Levels:
    return [Fraction(each, MICROS) for each in runs.levels.slice(runs.starts[run], runs.counts[run]).to_list()]


def _exact_higher(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    mean = sum(levels, Fraction()) / len(levels)
    power = _exact_power(levels, weights, capped, given)
    if power is None or mean > power[0]:
        return mean, f"mean {show(mean)}, not less than {power[1] if power else 'no power law'}"
    return power[0], f"{power[1]} = {show(power[0])}, not less than the mean {show(mean)}"


def _higher(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    """Rounding keeps order, so that the higher of both is rounded by taking the higher rounded one."""
    kept, chosen = _with_logarithm(runs, given)
    power = settle(_exact_power, kept, given, rounding, _power_value(kept), kept.counts <= 2)
    frame = pl.DataFrame({"sum": runs.sum(runs.levels), "n": runs.counts, "power": runs.spread(power, chosen)})
    mean = rounding.ratio(pl.col("sum"), pl.col("n")).cast(pl.Int64)
    return frame.select(pl.max_horizontal(mean, "power")).to_series()


TRENDS = (
    Method("power_law", "e^a · n^b, where ln(s) = a + b·ln(i) fits best", _exact_power, _power, ("zeros",),
           beyond=True),
    Method("linear_trend", "a + b·n, where s = a + b·i fits best", _exact_linear, _linear, beyond=True),
    Method("best_fit", "the best fitting of straight line, power law and mean, at n", _exact_best_fit, _best_fit,
           ("zeros",), beyond=True),
    Method("higher_of_mean_and_power_law", "max(mean, power law)", _exact_higher, _higher, ("zeros",), beyond=True),
)  # fmt: skip
