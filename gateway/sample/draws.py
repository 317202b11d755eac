"""Numbers that look random and depend on nothing but a seed, a purpose and keys.

A draw is the splitmix64 finaliser over keys that are mixed in one after the other, over columns of ``UInt64`` (which
wrap around) and, number for number the same, in plain Python. No draw depends on another, on the order of rows, on the
machine or on the version of a library: a district that grows keeps what it had.

Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014), for the constants.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import polars as pl

_WORD = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_HEX = {after: pl.Series([f"{after}{n:04x}" for n in range(1 << 16)], dtype=pl.String) for after in ("", "-")}
_MILLION = 1_000_000


def mix(value: pl.Series) -> pl.Series:
    """The splitmix64 finaliser; a one-to-one map of 64-bit words."""
    z = value + _GOLDEN
    z = (z ^ (z // (1 << 30))) * _FIRST
    z = (z ^ (z // (1 << 27))) * _SECOND
    return z ^ (z // (1 << 31))


def mix_number(value: int) -> int:
    """:func:`mix` of one number."""
    z = (value + _GOLDEN) & _WORD
    z = ((z ^ (z >> 30)) * _FIRST) & _WORD
    z = ((z ^ (z >> 27)) * _SECOND) & _WORD
    return z ^ (z >> 31)


def key_of(text: str) -> int:
    """A 64-bit key of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def name_uuid(name: str) -> str:
    """A UUID that depends on ``name`` only."""
    return str(UUID(bytes=hashlib.blake2b(name.encode(), digest_size=16).digest(), version=5))


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of one seed. ``purpose`` keeps draws for different things apart; keys are ``UInt64`` expressions."""

    seed: int

    def _key(self, purpose: str) -> int:
        return key_of(f"{self.seed}/{purpose}")

    def word(self, purpose: str, *keys: pl.Expr) -> pl.Expr:
        """64 random bits. An expression that uses the draw twice computes it twice: make it a column first."""
        start = self._key(purpose)

        def fold(columns: Sequence[pl.Series]) -> pl.Series:
            value = mix(columns[0] ^ start)
            for column in columns[1:]:
                value = mix(value ^ column)
            return value

        return pl.map_batches([key.cast(pl.UInt64) for key in keys], fold, return_dtype=pl.UInt64)

    def below(self, limit: int, purpose: str, *keys: pl.Expr) -> pl.Expr:
        """A whole number from 0 to ``limit`` - 1."""
        return (self.word(purpose, *keys) % limit).cast(pl.Int64)

    def chance(self, rate: float, purpose: str, *keys: pl.Expr) -> pl.Expr:
        """True in ``rate`` of all cases; the rate counts to six places."""
        return self.word(purpose, *keys) % _MILLION < round(rate * _MILLION)

    def number_below(self, limit: int, purpose: str, *keys: int) -> int:
        """:meth:`below` of plain numbers."""
        value = self._key(purpose)
        for key in keys:
            value = mix_number(value ^ key)
        return value % limit

    def with_uuid(self, frame: pl.DataFrame, name: str, table: str, *keys: pl.Expr) -> pl.DataFrame:
        """``frame`` with a column of ids: a UUID a row (its version says name-based) of the seed, ``table``, the keys.

        The second word holds the last key apart, so that two records of a table share an id only if 60 bits collide
        twice.
        """
        words = frame.select(high=self.word(table, *keys), last=self.word(f"{table}/last", keys[-1]))
        words = words.with_columns(low=(pl.col("high") * pl.lit(_SECOND, pl.UInt64)) ^ pl.col("last"))
        return frame.with_columns(words.select(_uuid(pl.col("high"), pl.col("low")).alias(name)).to_series())

    def uuid_of(self, table: str, *keys: int) -> str:
        """The id that :meth:`with_uuid` gives for plain numbers."""
        row = pl.DataFrame([keys], schema=[(str(n), pl.UInt64) for n in range(len(keys))], orient="row")
        return str(self.with_uuid(row, "id", table, *(pl.col(name) for name in row.columns))["id"].item())


def _uuid(high: pl.Expr, low: pl.Expr) -> pl.Expr:
    version = high % (1 << 12) + 0x5000
    variant = low // (1 << 48) % (1 << 14) + 0x8000
    return pl.concat_str(
        [
            *(_hex(high // (1 << 48)), _hex(high // (1 << 32)), _hex(high // (1 << 16), after="-")),
            *(_hex(version, after="-"), _hex(variant, after="-")),
            *(_hex(low // (1 << 32), after="-"), _hex(low // (1 << 16)), _hex(low)),
        ]
    )


def _hex(value: pl.Expr, *, after: str = "") -> pl.Expr:
    return pl.lit(_HEX[after]).gather((value % (1 << 16)).cast(pl.UInt32))


def texts(choices: Sequence[str | None], index: pl.Expr) -> pl.Expr:
    """The text at ``index`` in each row."""
    return pl.lit(pl.Series(choices, dtype=pl.String)).gather(index)
