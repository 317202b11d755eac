"""The summary methods once more, written from their published formulas and from nothing of the program.

Plain Python over exact fractions (60 decimal digits where a logarithm comes in). ``levels`` are s1 … sn, oldest first;
nothing is what cannot be calculated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, TypeAlias

Levels: TypeAlias = Sequence[Fraction]


def half_up(value: Fraction, step: Fraction = Fraction(1, 100)) -> Fraction:
    """``value`` rounded to a multiple of ``step``; halves go away from zero. The logarithms' last digits are noise."""
    exact = Fraction(round(value * 10**40), 10**40)
    whole = math.floor(abs(exact) / step + Fraction(1, 2)) * step
    return -whole if value < 0 else whole


def most_recent(levels: Levels, weights: Levels) -> Fraction:
    return levels[-1]


def highest(levels: Levels, weights: Levels) -> Fraction:
    return max(levels)


def mean(levels: Levels, weights: Levels) -> Fraction:
    return sum(levels, Fraction()) / len(levels)


def weighted_mean(levels: Levels, weights: Levels) -> Fraction:
    return sum((s * w for s, w in zip(levels, weights, strict=True)), Fraction()) / sum(weights)


def median(levels: Levels, weights: Levels) -> Fraction:
    t, n = sorted(levels), len(levels)
    return (t[(n - 1) // 2] + t[n // 2]) / 2


def mode(levels: Levels, weights: Levels, *, tie: str) -> Fraction:
    times = {level: levels.count(level) for level in levels}
    tied = [level for level, count in times.items() if count == max(times.values())]
    newest = max(tied, key=lambda level: max(n for n, each in enumerate(levels) if each == level))
    return {"highest": max(tied), "lowest": min(tied), "mean": mean(tied, ()), "most_recent": newest}[tie]


def mean_of_most_recent(levels: Levels, weights: Levels, *, count: int) -> Fraction:
    return mean(levels[-count:], ())


def median_of_most_recent(levels: Levels, weights: Levels, *, count: int) -> Fraction:
    return median(levels[-count:], ())


def mean_of_highest(levels: Levels, weights: Levels, *, count: int) -> Fraction:
    return mean(sorted(levels, reverse=True)[:count], ())


def times_at_mastery(levels: Levels, weights: Levels, *, count: int, mastery: int) -> Fraction | None:
    kept = [level for level in levels if level >= mastery]
    return mean(kept, ()) if len(kept) >= count else None


def total(levels: Levels, weights: Levels) -> Fraction:
    return sum(levels, Fraction())


def decaying_average(levels: Levels, weights: Levels, *, newest: Fraction) -> Fraction:
    """a1 = s1; a = a·(1 − r) + s·r, where a weight makes r greater or smaller, at most 1."""
    average = levels[0]
    for s, w in zip(levels[1:], weights[1:], strict=True):
        r = min(newest * w, Fraction(1))
        average = average * (1 - r) + s * r
    return average


def weighted_average(levels: Levels, weights: Levels, *, newest: Fraction) -> Fraction:
    if len(levels) == 1:
        return levels[0]
    return levels[-1] * newest + weighted_mean(levels[:-1], weights[:-1]) * (1 - newest)


def line(levels: Levels) -> list[Fraction]:
    """The straight line of least squares, by the normal equations."""
    n, i = len(levels), range(1, len(levels) + 1)
    if n == 1:
        return list(levels)
    sx, sxx, sy = sum(i), sum(x * x for x in i), sum(levels)
    sxy = sum((x * y for x, y in zip(i, levels, strict=True)), Fraction())
    slope = (n * sxy - sx * sy) / (n * sxx - sx * sx)
    return [(sy - slope * sx) / n + slope * x for x in i]


def curve(levels: Levels) -> list[Fraction]:
    """The power law of least squares of ln(s) on ln(i): the line above through logarithms."""
    if len(levels) == 1:
        return list(levels)
    with localcontext() as context:
        context.prec = 70
        x = [Decimal(i).ln() for i in range(1, len(levels) + 1)]
        y = [(Decimal(s.numerator) / s.denominator).ln() for s in levels]
        mx, my = sum(x) / len(x), sum(y) / len(y)
        slope = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / sum((a - mx) ** 2 for a in x)
        return [Fraction((my + slope * (a - mx)).exp()) for a in x]


def positive(levels: Levels, zeros: str, floor: Fraction | None) -> list[Fraction]:
    """The levels that have a logarithm; none if the mapping wants no number then."""
    if zeros == "floor":
        assert floor is not None
        return [s if s > 0 else floor for s in levels]
    return [s for s in levels if s > 0] if zeros == "drop" or min(levels) > 0 else []


def power_law(levels: Levels, weights: Levels, *, zeros: str, floor: Fraction | None = None) -> Fraction | None:
    kept = positive(levels, zeros, floor)
    return curve(kept)[-1] if kept else None


def linear_trend(levels: Levels, weights: Levels) -> Fraction:
    return line(levels)[-1]


def best_fit(levels: Levels, weights: Levels, *, zeros: str, floor: Fraction | None = None) -> Fraction | None:
    """Of line, curve and mean the one with the least sum of absolute differences; the first of them on a tie."""
    kept = positive(levels, zeros, floor)
    if not kept:
        return None
    fits = [line(kept), curve(kept), [mean(kept, ())] * len(kept)]
    errors = [half_up(sum((abs(a - b) for a, b in zip(fit, kept, strict=True)), Fraction()), TINY) for fit in fits]
    return fits[errors.index(min(errors))][-1]


TINY = Fraction(1, 10**12)


def higher_of_mean_and_power_law(
    levels: Levels, weights: Levels, *, zeros: str, floor: Fraction | None = None
) -> Fraction:
    power = power_law(levels, weights, zeros=zeros, floor=floor)
    return mean(levels, ()) if power is None else max(mean(levels, ()), power)


FORMULAS: dict[str, Callable[..., Any]] = {
    "most_recent": most_recent, "highest": highest, "mean": mean, "weighted_mean": weighted_mean, "median": median,
    "mode": mode, "mean_of_most_recent": mean_of_most_recent, "median_of_most_recent": median_of_most_recent,
    "mean_of_highest": mean_of_highest, "times_at_mastery": times_at_mastery, "sum": total,
    "decaying_average": decaying_average, "weighted_average": weighted_average, "power_law": power_law,
    "linear_trend": linear_trend, "best_fit": best_fit,
    "higher_of_mean_and_power_law": higher_of_mean_and_power_law,
}  # fmt: skip
"""By the method's name in the language."""
