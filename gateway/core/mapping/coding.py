"""Columns as small whole numbers: every look-up is resolved once over distinct values, then read by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import polars as pl

Values: TypeAlias = list[tuple[object, ...]]

_DENSE = 1 << 22
"""Up to so many possible combinations are numbered through an array; more are numbered by a join."""


class Coder:
    """The columns of one frame as codes, each made once. A column that the frame lacks counts as not filled in."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self._codes: dict[str, tuple[pl.Series, list[object]]] = {}

    def column(self, name: str) -> tuple[pl.Series, list[object]]:
        """For each row the position of its value in the list of distinct values (sorted, null last if there is one)."""
        if name not in self._codes:
            self._codes[name] = encode(self.frame[name]) if name in self.frame.columns else self._absent()
        return self._codes[name]

    def add(self, name: str, values: pl.Series) -> None:
        """Know a further column."""
        self._codes[name] = encode(values)

    def _absent(self) -> tuple[pl.Series, list[object]]:
        return pl.zeros(self.frame.height, pl.UInt32, eager=True), [None]

    def distinct(self, names: Sequence[str]) -> tuple[pl.Series, Values]:
        """For each row the position of its combination of values in the list of distinct combinations."""
        several = [(codes, values) for codes, values in map(self.column, names) if len(values) > 1]
        if len(several) <= 1:
            codes = several[0][0] if several else pl.zeros(self.frame.height, pl.UInt32, eager=True)
            seen: list[tuple[int, ...]] = [(n,) for n in range(len(several[0][1]) if several else 1)]
        else:
            codes, seen = _combine([codes for codes, _ in several], [len(values) for _, values in several])
        return codes, self._values(names, seen)

    def _values(self, names: Sequence[str], seen: list[tuple[int, ...]]) -> Values:
        """The combinations ``seen`` (codes of the columns that vary) as the columns' values."""
        columns = []
        varying = 0
        for name in names:
            values = self.column(name)[1]
            if len(values) > 1:
                columns.append([values[combination[varying]] for combination in seen])
                varying += 1
            else:
                columns.append([values[0] if values else None] * len(seen))
        return list(zip(*columns, strict=True)) if columns else [()] * len(seen)


def encode(series: pl.Series) -> tuple[pl.Series, list[object]]:
    """The codes of one column and its distinct values; a time counts as its day."""
    if series.dtype.is_temporal():
        series = series.cast(pl.Date)
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    distinct = series.unique().drop_nulls().sort()
    values = distinct.to_list()
    if series.dtype == pl.String:
        codes = series.cast(pl.Enum(distinct)).to_physical().cast(pl.UInt32)
    else:
        table = pl.DataFrame({"value": distinct, "code": pl.int_range(len(values), dtype=pl.UInt32, eager=True)})
        codes = pl.DataFrame({"value": series}).join(table, on="value", how="left", maintain_order="left")["code"]
    if series.null_count():
        codes = codes.fill_null(len(values))
        values.append(None)
    return codes, values or [None]


def _combine(codes: list[pl.Series], sizes: list[int]) -> tuple[pl.Series, list[tuple[int, ...]]]:
    key = codes[0].cast(pl.Int64)
    for each, size in zip(codes[1:], sizes[1:], strict=True):
        key = key * size + each
    distinct = key.unique().sort()
    numbers = pl.int_range(len(distinct), dtype=pl.UInt32, eager=True)
    possible = 1
    for size in sizes:
        possible *= size
    if possible <= _DENSE:
        combined = pl.zeros(possible, pl.UInt32, eager=True).scatter(distinct, numbers).gather(key)
    else:
        table = pl.DataFrame({"key": distinct, "code": numbers})
        combined = pl.DataFrame({"key": key}).join(table, on="key", how="left", maintain_order="left")["code"]
    return combined, [_digits(each, sizes) for each in distinct.to_list()]


def _digits(key: int, sizes: list[int]) -> tuple[int, ...]:
    digits = []
    for size in reversed(sizes):
        key, digit = divmod(key, size)
        digits.append(digit)
    return tuple(reversed(digits))
