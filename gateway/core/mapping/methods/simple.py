"""Methods that pick or average levels. All of them calculate with whole numbers only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

import polars as pl

from gateway.core.mapping.groups import Runs
from gateway.core.mapping.methods.base import Exact, Levels, Method, Parameters, Tie, listed, show
from gateway.core.mapping.rounding import Rounding


def _ratio(rounding: Rounding, sums: pl.DataFrame, numerator: pl.Expr, denominator: pl.Expr | int) -> pl.Series:
    """``numerator / denominator`` (micros) of ``sums`` rounded; null where there is nothing to divide by."""
    if isinstance(denominator, pl.Expr):
        denominator = pl.when(denominator > 0).then(denominator)
    return sums.select(rounding.ratio(numerator, denominator).cast(pl.Int64).alias("level")).to_series()


def _picked(rounding: Rounding, levels: pl.Series) -> pl.Series:
    """Levels that are themselves the result; rounding leaves the steps of a scale as they are."""
    if (levels % rounding.unit == 0).all():
        return levels
    return _ratio(rounding, levels.to_frame("level"), pl.col("level"), 1)


def _exact_most_recent(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    return levels[-1], f"newest of {listed(levels)}"


def _most_recent(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    return _picked(rounding, runs.newest("level"))


def _exact_highest(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    return max(levels), f"highest of {listed(levels)}"


def _highest(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    return _picked(rounding, runs.by_level().newest("level"))


def _mean_of(levels: Levels, what: str = "") -> tuple[Fraction, str]:
    total = " + ".join(show(level) for level in levels) if len(levels) <= 12 else show(sum(levels, Fraction()))
    return sum(levels, Fraction()) / len(levels), f"{what}({total}) / {len(levels)}"


def _exact_mean(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    return _mean_of(levels)


def _mean(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    sums = runs.sums(level=pl.col("level")).with_columns(runs.counts)
    return _ratio(rounding, sums, pl.col("level"), pl.col("count"))


def _exact_median(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    ordered = sorted(levels)
    middle = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return sum(middle, Fraction()) / 2, f"middle of {listed(ordered, 99)}"


def _median(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    levels, start, count = pl.lit(runs.by_level().rows["level"]), pl.col("start"), pl.col("count")
    middle = levels.gather(start + (count - 1) // 2) + levels.gather(start + count // 2)
    return _ratio(rounding, runs.each, middle, 2)


def _exact_mode(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    counts = Counter(levels)
    most = max(counts.values())
    often = [level for level, count in counts.items() if count == most]
    words = f"most frequent of {listed(levels)} ({most} times)"
    if len(often) == 1:
        return often[0], words
    if given.tie is Tie.MEAN:
        return sum(often, Fraction()) / len(often), f"{words}, mean of {listed(sorted(often))}"
    if given.tie is Tie.MOST_RECENT:
        return next(level for level in reversed(levels) if level in often), f"{words}, most recent of the tied"
    best = max(often) if given.tie is Tie.HIGHEST else min(often)
    return best, f"{words}, {given.tie} of the tied"


def _mode(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    frame = runs.rows.select("run", "level").with_row_index("row")
    counted = frame.group_by("run", "level").agg(pl.len().alias("times"), pl.col("row").max())
    often = counted.filter(pl.col("times") == pl.col("times").max().over("run"))
    if given.tie is Tie.MEAN:
        means = often.group_by("run").agg(pl.col("level").sum(), pl.len().cast(pl.Int64).alias("of")).sort("run")
        return _ratio(rounding, means, pl.col("level"), pl.col("of"))
    order = {Tie.MOST_RECENT: "row", Tie.HIGHEST: "level", Tie.LOWEST: "level"}[given.tie or Tie.MOST_RECENT]
    ordered = often.sort("run", order, descending=[False, given.tie is not Tie.LOWEST])
    return _picked(rounding, ordered.unique("run", keep="first", maintain_order=True)["level"])


def _exact_mean_of_most_recent(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    return _mean_of(levels[-_count(given) :], f"newest {min(_count(given), len(levels))} of {len(levels)}: ")


def _mean_of_most_recent(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    kept, _ = runs.keep(runs.newer < _count(given))
    return _mean(kept, given, rounding, grid)


def _exact_median_of_most_recent(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    return _exact_median(levels[-_count(given) :], (), (), given)


def _median_of_most_recent(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    kept, _ = runs.keep(runs.newer < _count(given))
    return _median(kept, given, rounding, grid)


def _exact_mean_of_highest(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    best = sorted(levels)[-_count(given) :]
    return _mean_of(best, f"highest {len(best)} of {len(levels)}: ")


def _mean_of_highest(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    return _mean_of_most_recent(runs.by_level(), given, rounding, grid)


def _exact_times_at_mastery(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    """All scores at mastery count, not only ``count`` of them (Canvas ``n_mastery``)."""
    kept = [level for level in levels if level >= Fraction(given.mastery or 0, 10**6)]
    if len(kept) < _count(given):
        return None
    return _mean_of(kept, f"{len(kept)} of {len(levels)} at mastery: ")


def _times_at_mastery(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    at_mastery = pl.col("level") >= (given.mastery or 0)
    sums = runs.sums(level=pl.when(at_mastery).then("level").otherwise(0), kept=at_mastery)
    enough = pl.when(pl.col("kept") >= _count(given)).then(pl.col("kept"))
    return _ratio(rounding, sums, pl.col("level"), enough)


def _exact_sum(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    return sum(levels, Fraction()), f"sum of {listed(levels, 99)}"


def _sum(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    return _picked(rounding, runs.sums(level=pl.col("level"))["level"])


def _exact_weighted_mean(levels: Levels, weights: Levels, capped: Sequence[bool], given: Parameters) -> Exact:
    limited, words = _limited(weights, capped, given)
    if limited is None:
        return None
    total = sum(limited, Fraction())
    parts = " + ".join(f"{show(level)}·{show(weight)}" for level, weight in zip(levels, limited, strict=True))
    value = sum((level * weight for level, weight in zip(levels, limited, strict=True)), Fraction()) / total
    return value, f"({parts}) / {show(total)}{words}"


def _limited(weights: Levels, capped: Sequence[bool], given: Parameters) -> tuple[Levels | None, str]:
    """The weights with those of the capped evidence scaled down to its share of the total, if it has more."""
    if given.cap is None or not any(capped):
        return weights, ""
    inside = sum((weight for weight, each in zip(weights, capped, strict=True) if each), Fraction())
    others = sum(weights, Fraction()) - inside
    if not others:
        return (weights, "") if given.cap_alone else (None, "")
    if inside * (1 - given.cap) <= others * given.cap:
        return weights, ""
    factor = others * given.cap / ((1 - given.cap) * inside)
    scaled = [weight * factor if each else weight for weight, each in zip(weights, capped, strict=True)]
    return scaled, f", capped evidence limited to {show(given.cap * 100)} % of the weight"


def _weighted_mean(runs: Runs, given: Parameters, rounding: Rounding, grid: int) -> pl.Series:
    (product, dtype), weight = runs.weighed(), pl.col("weight")
    if given.cap is None or "capped" not in runs.rows.columns or not runs.rows["capped"].any():
        return _ratio(rounding, runs.sums(dtype, level=product, weight=weight), pl.col("level"), pl.col("weight"))
    capped = pl.col("capped").cast(pl.Int64)
    sums = runs.sums(dtype, all_levels=product, all=weight, in_levels=product * capped, inside=weight * capped)
    a, b = given.cap.numerator, given.cap.denominator
    others = pl.col("all") - pl.col("inside")
    over = pl.col("inside") * (b - a) > others * a
    # (A + B·f) / (O + P·f) with f = O·a / ((b - a)·P), without fractions: (A·(b-a)·P + B·O·a) / (O·b·P)
    outside = pl.col("all_levels") - pl.col("in_levels")
    levels = outside * (b - a) * pl.col("inside") + pl.col("in_levels") * others * a
    limited = (others > 0) & over
    denominator = pl.when(limited).then(others * b * pl.col("inside")).otherwise(pl.col("all"))
    if not given.cap_alone:
        denominator = pl.when(others > 0).then(denominator)
    numerator = pl.when(limited).then(levels).otherwise(pl.col("all_levels"))
    return _ratio(rounding, sums.cast(pl.Int128), numerator, denominator)


def _count(given: Parameters) -> int:
    assert given.count is not None, "the compiler sees to it that a count is stated"  # noqa: S101
    return given.count


SIMPLE = (
    Method("most_recent", "sn", _exact_most_recent, _most_recent),
    Method("highest", "max(s1 … sn)", _exact_highest, _highest, ordered=False),
    Method("mean", "(s1 + … + sn) / n", _exact_mean, _mean, ordered=False),
    Method("weighted_mean", "(s1·w1 + … + sn·wn) / (w1 + … + wn)", _exact_weighted_mean, _weighted_mean, (), True,
           ordered=False),
    Method("median", "the middle level, or the mean of the two middle ones", _exact_median, _median, ordered=False),
    Method("mode", "the most frequent level", _exact_mode, _mode, ("tie",)),
    Method("mean_of_most_recent", "mean of the last `count` (or of all, if fewer)",
           _exact_mean_of_most_recent, _mean_of_most_recent, ("count",)),
    Method("median_of_most_recent", "median of the last `count` (or of all, if fewer)",
           _exact_median_of_most_recent, _median_of_most_recent, ("count",)),
    Method("mean_of_highest", "mean of the highest `count` (or of all, if fewer)",
           _exact_mean_of_highest, _mean_of_highest, ("count",), ordered=False),
    Method("times_at_mastery", "mean of all levels at mastery, if there are at least `count`",
           _exact_times_at_mastery, _times_at_mastery, ("count", "mastery"), ordered=False),
    Method("sum", "s1 + … + sn", _exact_sum, _sum, ordered=False),
)  # fmt: skip
