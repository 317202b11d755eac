"""The most used methods for one run at a time, in plain whole numbers: what an API call of some scores needs.

Each agrees with its exact form, which is asked wherever a binary result is too near to a rounding boundary, and for all
methods that are not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import exp, log
from typing import TypeAlias

from gateway.core.mapping.methods.base import Method, Parameters, Zeros
from gateway.core.mapping.methods.decaying import fold
from gateway.core.mapping.rounding import MICROS, Rounding

Numbers: TypeAlias = Sequence[int]
Few: TypeAlias = Callable[[Numbers, Numbers, Parameters], "tuple[int, int] | None"]
"""Levels and weights in micros to a numerator and a denominator (in micros), or nothing if it is not sure."""


def summarize_one(
    method: Method, levels: Numbers, weights: Numbers, capped: Sequence[bool], given: Parameters, rounding: Rounding
) -> int | None:
    """The rounded level of one run in micros; nothing if it cannot be calculated."""
    if method.name == "power_law":
        near = _power(_with_logarithm(levels, given), rounding)
        if near is not None:
            return near
    quick = _FEW.get(method.name)
    if quick is not None and not (given.cap is not None and any(capped)):
        found = quick(levels, weights, given)
        if found is not None:
            return rounding.of(*found)
    exact = method.exact(
        [Fraction(level, MICROS) for level in levels], [Fraction(weight, MICROS) for weight in weights], capped, given
    )
    return None if exact is None else rounding.exactly(exact[0] * MICROS)


def _most_recent(levels: Numbers, weights: Numbers, given: Parameters) -> tuple[int, int]:
    return levels[-1], 1


def _highest(levels: Numbers, weights: Numbers, given: Parameters) -> tuple[int, int]:
    return max(levels), 1


def _mean(levels: Numbers, weights: Numbers, given: Parameters) -> tuple[int, int]:
    return sum(levels), len(levels)


def _weighted_mean(levels: Numbers, weights: Numbers, given: Parameters) -> tuple[int, int]:
    return sum(level * weight for level, weight in zip(levels, weights, strict=True)), sum(weights)


def _median(levels: Numbers, weights: Numbers, given: Parameters) -> tuple[int, int]:
    ordered = sorted(levels)
    return ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2], 2


def _decaying(levels: Numbers, weights: Numbers, given: Parameters) -> tuple[int, int]:
    return fold(levels, weights, given.newest or Fraction(0))


def _weighted_average(levels: Numbers, weights: Numbers, given: Parameters) -> tuple[int, int]:
    if len(levels) == 1:
        return levels[0], 1
    rate = given.newest or Fraction(0)
    others, weight = _weighted_mean(levels[:-1], weights[:-1], given)
    share, whole = rate.numerator, rate.denominator
    return levels[-1] * share * weight + others * (whole - share), whole * weight


def _with_logarithm(levels: Numbers, given: Parameters) -> Numbers:
    """The levels above 0; others dropped or lifted, as the mapping wants it."""
    if min(levels) > 0:
        return levels
    if given.zeros is Zeros.FLOOR:
        return [max(level, given.floor or 1) for level in levels]
    return [level for level in levels if level > 0] if given.zeros is Zeros.DROP else []


def _power(levels: Numbers, rounding: Rounding) -> int | None:
    """The power law in binary numbers; nothing where no level is left or the result is near a boundary."""
    n = len(levels)
    if n == 0:
        return None
    if n <= 2:
        return rounding.of(levels[-1], 1)
    x = [log(i) for i in range(1, n + 1)]
    y = [log(level / MICROS) for level in levels]
    sum_x, sum_y = sum(x), sum(y)
    xy, xx = sum(a * b for a, b in zip(x, y, strict=True)), sum(a * a for a in x)
    slope = (n * xy - sum_x * sum_y) / (n * xx - sum_x * sum_x)
    return rounding.of_binary(exp((sum_y - slope * sum_x) / n + slope * x[-1]) * MICROS)


_FEW: Mapping[str, Few] = {
    "most_recent": _most_recent,
    "highest": _highest,
    "mean": _mean,
    "weighted_mean": _weighted_mean,
    "median": _median,
    "decaying_average": _decaying,
    "weighted_average": _weighted_average,
}
