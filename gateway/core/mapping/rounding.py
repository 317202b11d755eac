"""Levels as scaled integers, and rounding that is exact.

A level is kept as a whole number of *micros* (millionths), as the canonical tables keep scores. A published level is
rounded once, from its exact value, by the rule that the mapping states: 4.125 becomes 4.13, never 4.12.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

import polars as pl

MICROS = 10**6

NEAR = 1e-6
"""How near to a rounding boundary, in units of the last place, a binary result is looked at again. Binary results here
are off by less than 1e-9 of a unit, so that everything farther away is certain."""


def to_micros(value: Decimal | Fraction | int) -> int:
    """``value`` in micros, half up beyond six places."""
    return round_half_up(Fraction(value) * MICROS)


def from_micros(micros: int, places: int = 6) -> Decimal:
    """``micros`` as a decimal number with ``places`` places."""
    return (Decimal(micros) / MICROS).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def round_half_up(value: Fraction) -> int:
    """The nearest whole number; halves go away from zero."""
    magnitude = math.floor(abs(value) + Fraction(1, 2))
    return -magnitude if value < 0 else magnitude


class Mode(StrEnum):
    """What becomes of halves; ``DOWN`` cuts towards zero."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Rounding:
    """Round to multiples of ``unit`` micros."""

    unit: int = 10_000
    mode: Mode = Mode.HALF_UP

    @property
    def places(self) -> int:
        """How many decimal places a rounded level needs."""
        return next(places for places in range(7) if self.unit % 10 ** (6 - places) == 0)

    @property
    def words(self) -> str:
        """The rule in words, for explanations."""
        mode = {Mode.HALF_UP: "half up", Mode.HALF_EVEN: "half to even", Mode.DOWN: "cut off"}[self.mode]
        if self.unit == 10 ** (6 - self.places):
            return f"{self.places} place{'' if self.places == 1 else 's'}, {mode}"
        return f"steps of {from_micros(self.unit, self.places)}, {mode}"

    def exactly(self, value: Fraction) -> int:
        """``value`` (in micros) rounded, in micros."""
        units = value / self.unit
        if self.mode is Mode.HALF_UP:
            return round_half_up(units) * self.unit
        if self.mode is Mode.HALF_EVEN:
            return round(units) * self.unit
        return math.trunc(units) * self.unit

    def of(self, numerator: int, denominator: int) -> int:
        """``numerator / denominator`` (micros; denominator > 0) rounded, in micros."""
        magnitude, divisor = abs(numerator), denominator * self.unit
        if self.mode is Mode.DOWN:
            units = magnitude // divisor
        else:
            units, rest = divmod(2 * magnitude + divisor, 2 * divisor)
            units -= self.mode is Mode.HALF_EVEN and rest == 0 and units % 2
        return (-units if numerator < 0 else units) * self.unit

    def of_binary(self, value: float) -> int | None:
        """A binary ``value`` (in micros) rounded; nothing if it lies so near to a boundary that only exact numbers can
        tell."""
        units = abs(value) / self.unit + (0 if self.mode is Mode.DOWN else 0.5)
        if abs(units - round(units)) <= 2 * NEAR:
            return None
        return math.floor(units) * self.unit * (-1 if value < 0 else 1)

    def ratio(self, numerator: pl.Expr, denominator: pl.Expr | int) -> pl.Expr:
        """Whole-number ``numerator / denominator`` (micros; denominator > 0) rounded exactly, in micros."""
        magnitude, divisor = numerator.abs(), denominator * pl.lit(self.unit, pl.Int64)
        if self.mode is Mode.DOWN:
            units = magnitude // divisor
        else:
            doubled, twice = magnitude * 2 + divisor, divisor * 2
            units = doubled // twice
            if self.mode is Mode.HALF_EVEN:
                units = units - ((doubled % twice == 0) & (units % 2 == 1)).cast(pl.Int64)
        return pl.when(numerator < 0).then(0 - units).otherwise(units) * self.unit

    def binary(self, value: pl.Expr) -> pl.Expr:
        """A binary ``value`` (in micros) rounded, in micros; results near a boundary count as lying on it."""
        units = value.abs() / self.unit
        if self.mode is Mode.DOWN:
            rounded = (units + NEAR).floor()
        else:
            rounded = (units + (0.5 + NEAR)).floor()
            if self.mode is Mode.HALF_EVEN:
                tie = ((units + 0.5) - (units + 0.5).round()).abs() <= NEAR
                rounded = pl.when(tie & (rounded % 2 == 1)).then(rounded - 1).otherwise(rounded)
        return (rounded * value.sign()).cast(pl.Int64) * self.unit

    def doubtful(self, value: pl.Expr) -> pl.Expr:
        """Whether a binary ``value`` (in micros) lies so near to a boundary that only exact numbers can tell."""
        units = value.abs() / self.unit + (0 if self.mode is Mode.DOWN else 0.5)
        return (units - units.round()).abs() <= 2 * NEAR

    def certain(self, grid: int, multiplier: int) -> bool:
        """Whether multiples of ``grid / multiplier`` micros are on a boundary or clearly away from it.

        Then a doubtful binary result is on the boundary: the gap between such a value and the nearest boundary is
        nothing or at least ``gcd(2·grid, multiplier·unit) / (2·multiplier)``.
        """
        gap = Fraction(math.gcd(2 * grid, multiplier * self.unit), 2 * multiplier * self.unit)
        return gap > 4 * NEAR


def read_rounding(data: dict[str, Any] | None, default: Rounding | None = None) -> Rounding:
    """The rounding that a mapping's ``round`` states; two places half up when it states none."""
    if data is None:
        return default or Rounding()
    unit = to_micros(data["step"]) if "step" in data else 10 ** (6 - data["places"])
    return Rounding(unit, Mode(data.get("mode", Mode.HALF_UP)))


def as_decimal(micros: pl.Expr, places: int) -> pl.Expr:
    """Micros that have at most ``places`` places as decimal numbers. Those are kept as whole numbers of 128 bits, so
    that nothing needs to be divided."""
    whole = (micros // 10 ** (6 - places)).cast(pl.Int128)
    scaled: pl.Expr = whole.reinterpret(dtype=pl.Decimal(38, places))
    return scaled.cast(pl.Decimal(18, places))
