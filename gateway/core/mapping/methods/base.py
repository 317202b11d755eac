"""Summary methods: how the evidence of one competency becomes one level.

Each method is named by its formula and has two forms that must agree: :meth:`Method.exact` works on the exact levels
of one student and is what an explanation shows; :meth:`Method.rounded` works on all students at once. Where the second
uses binary numbers, results too near to a rounding boundary are taken from the first.

``s1 … sn`` are the levels, oldest first; ``w1 … wn`` their weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

import polars as pl

from gateway.core.mapping.groups import Runs
from gateway.core.mapping.rounding import MICROS, Rounding

Levels: TypeAlias = Sequence[Fraction]
Exact: TypeAlias = "tuple[Fraction, str] | None"
"""A value and its formula with the numbers in it, or nothing if it cannot be calculated."""


class Zeros(StrEnum):
    """What the logarithm of a power law does about levels of 0 or below, which have none."""

    DROP = "drop"
    NOT_CALCULABLE = "not_calculable"
    FLOOR = "floor"


class Tie(StrEnum):
    """Which of several equally frequent levels the mode is."""

    MOST_RECENT = "most_recent"
    HIGHEST = "highest"
    LOWEST = "lowest"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a mapping states beside the method's name; ``mastery`` and ``floor`` are micros."""

    newest: Fraction | None = None
    count: int | None = None
    mastery: int | None = None
    tie: Tie | None = None
    zeros: Zeros | None = None
    floor: int | None = None
    cap: Fraction | None = None
    cap_alone: bool = False


OfRun: TypeAlias = "Callable[[Sequence[int], Sequence[int]], int | None]"
"""From the levels and weights of one run (micros) to its rounded level (micros)."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method. ``needs`` are the parameters that a mapping must state, as no default would be honest."""

    name: str
    formula: str
    exact: Callable[[Levels, Levels, Sequence[bool], Parameters], Exact]
    rounded: Callable[[Runs, Parameters, Rounding, int], pl.Series]
    needs: tuple[str, ...] = ()
    weighted: bool = False
    beyond: bool = False
    """Whether the result can leave the scale and is brought back to its end."""
    ordered: bool = True
    """Whether the order of the levels matters."""


def show(value: Fraction) -> str:
    """A number for a formula: up to six places, no trailing zeros."""
    text = f"{float(value):.6f}" if abs(value) < 10**9 else str(value)
    return text.rstrip("0").rstrip(".")


def listed(levels: Levels, shown: int = 12) -> str:
    """The newest levels, oldest first."""
    left_out = "…, " if len(levels) > shown else ""
    return left_out + ", ".join(show(level) for level in levels[-shown:])


def settle(one: OfRun, runs: Runs, rounding: Rounding, values: pl.DataFrame) -> pl.Series:
    """Binary results rounded; doubtful ones that are not certain come from ``one``.

    ``values`` has a row per run: ``value`` (micros, null where not calculable) and ``certain``, which says where a
    doubtful result is known to lie on the boundary.
    """
    found = values.select(
        rounding.binary(pl.col("value")).alias("rounded"),
        (rounding.doubtful(pl.col("value")) & ~pl.col("certain")).fill_null(False).alias("doubtful"),
    )
    rounded, doubtful = found["rounded"], found["doubtful"]
    if not doubtful.any():
        return rounded
    again = doubtful.arg_true()
    return rounded.scatter(again, one_by_one(one, runs, again))


def one_by_one(one: OfRun, runs: Runs, chosen: pl.Series) -> list[int | None]:
    """The results of the chosen runs."""
    levels, weights = runs.rows["level"], runs.rows["weight"]
    bounds = zip(runs.each["start"].gather(chosen), runs.counts.gather(chosen), strict=True)
    return [one(levels.slice(start, count).to_list(), weights.slice(start, count).to_list()) for start, count in bounds]


def exactly(
    method: Callable[[Levels, Levels, Sequence[bool], Parameters], Exact], parameters: Parameters, rounding: Rounding
) -> OfRun:
    """The exact result of a run by ``method``."""

    def one(levels: Sequence[int], weights: Sequence[int]) -> int | None:
        found = method(_fractions(levels), _fractions(weights), (), parameters)
        return None if found is None else rounding.exactly(found[0] * MICROS)

    return one


def _fractions(micros: Sequence[int]) -> Levels:
    return [Fraction(each, MICROS) for each in micros]
