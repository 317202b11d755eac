"""Columns as small whole numbers: every look-up is resolved once over distinct values, then read by position."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from math import prod
from typing import TypeAlias, TypeVar

import polars as pl

T = TypeVar("T")
Values: TypeAlias = tuple[object, ...]

CODED = "#"

_DENSE = 1 << 22
"""Up to so many possible combinations are looked up in an array; more by a join."""


class Codes:
    """The columns of a frame as codes: for each row the position of its value among the column's distinct values,
    which are sorted, null last. Columns that the frame lacks count as not filled in; a time counts as its day.

    ``frame`` has the codes of the columns that vary, under their names with :data:`CODED` in front.
    """

    def __init__(self, frame: pl.DataFrame, names: Iterable[str]) -> None:
        present = [name for name in dict.fromkeys(names) if name in frame.columns]
        plain = {name: _plain(name, frame.schema[name]) for name in present}
        distinct = frame.select(plain[name].unique().sort(nulls_last=True).implode() for name in present)
        self.distinct = {name: distinct[name][0] for name in present}
        self.varying = {name: values for name, values in self.distinct.items() if len(values) > 1}
        coded = [_coded(plain[name], values).alias(CODED + name) for name, values in self.varying.items()]
        height = frame.to_series(0).is_null().alias(CODED)  # a frame without columns would have no rows either
        self.frame = frame.select(height, *coded)

    def rows(self, places: pl.Series) -> Codes:
        """The codes of chosen rows."""
        chosen = copy(self)
        chosen.distinct, chosen.varying = dict(self.distinct), dict(self.varying)
        chosen.frame = self.frame.select(pl.all().gather(places))
        return chosen

    def key(self, names: Sequence[str], sizes: Sequence[int]) -> pl.Expr:
        """One number for each combination of some columns that vary."""
        if not names:
            return pl.lit(0, pl.Int64)
        name = CODED * 2 + CODED.join(names)
        if name not in self.frame.columns:
            self.frame = self.frame.with_columns(_key(names, sizes).alias(name))
        return pl.col(name)

    def add(self, name: str, values: Sequence[object], codes: pl.Expr) -> None:
        """Know a further column: its distinct values, and for each row the code of its own."""
        self.distinct[name] = pl.Series(values)
        if len(values) > 1:
            self.varying[name] = self.distinct[name]
            self.frame = self.frame.with_columns(codes.alias(CODED + name))


class Combined:
    """The distinct combinations of values of some columns. ``rows`` are the values, in the order of the combinations;
    :meth:`answer` makes answers to them readable by row of the codes."""

    def __init__(self, codes: Codes, names: Sequence[str]) -> None:
        varying = [name for name in names if name in codes.varying]
        sizes = [len(codes.varying[name]) for name in varying]
        self.possible = prod(sizes)
        self._key = codes.key(varying, sizes)
        seen = self._seen = _occurring(codes.frame.select(self._key).to_series(), self.possible)
        constant = {name: _first(codes.distinct[name]) if name in codes.distinct else None for name in names}
        values = {name: codes.varying[name].to_list() for name in varying}
        self.rows: list[Values] = []
        for key in seen.to_list():
            digits = _digits(key, varying, sizes)
            self.rows.append(tuple(values[name][digits[name]] if name in digits else constant[name] for name in names))

    def answer(self, answers: Sequence[object], dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
        """For each row the answer to its combination; ``answers`` are in the order of :attr:`rows`."""
        if all(each == answers[0] for each in answers):
            return pl.lit(answers[0], dtype)
        table = pl.Series(answers, dtype=dtype)
        if self.possible > _DENSE:
            return self._key.replace_strict(self._seen, table, return_dtype=dtype)
        if self.possible > len(answers):
            table = pl.repeat(None, self.possible, dtype=dtype, eager=True).scatter(self._seen, table)
        return pl.lit(table).gather(self._key)


def _plain(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column as values that compare: days for times, text for categories."""
    if dtype.is_temporal():
        return pl.col(name).cast(pl.Date)
    if dtype in (pl.Categorical, pl.Enum):
        return pl.col(name).cast(pl.String)
    return pl.col(name)


def _coded(column: pl.Expr, values: pl.Series) -> pl.Expr:
    known = values.drop_nulls()
    numbers = pl.int_range(len(known), dtype=pl.UInt32, eager=True)
    if len(known) <= 2:
        codes: pl.Expr = (column != known[0]).cast(pl.UInt32)
    elif values.dtype == pl.String:
        codes = column.cast(pl.Enum(known)).to_physical().cast(pl.UInt32)
    else:
        codes = column.replace_strict(known, numbers, default=None, return_dtype=pl.UInt32)
    return codes.fill_null(len(known)) if len(known) < len(values) else codes


def _occurring(keys: pl.Series, possible: int) -> pl.Series:
    """The distinct keys, sorted."""
    if possible > _DENSE:
        return keys.unique().sort()
    return pl.repeat(False, possible, dtype=pl.Boolean, eager=True).scatter(keys, True).arg_true()


def _key(names: Sequence[str], sizes: Sequence[int]) -> pl.Expr:
    """One number for each combination."""
    key = pl.col(CODED + names[0]).cast(pl.Int64)
    for name, size in zip(names[1:], sizes[1:], strict=True):
        key = key * size + pl.col(CODED + name)
    return key


def _digits(key: int, names: Sequence[str], sizes: Sequence[int]) -> dict[str, int]:
    digits = {}
    for name, size in zip(reversed(names), reversed(sizes), strict=True):
        key, digits[name] = divmod(key, size)
    return digits


def _first(values: pl.Series) -> object:
    return values[0] if len(values) else None


class Memory(dict[Values, T]):
    """Answers given before, none of them ``None``; forgets all when it grows beyond reason."""

    _ROOM = 200_000

    def ask(self, key: Values, question: Callable[..., T], *about: object) -> T:
        answer = self.get(key)
        if answer is None:
            answer = question(*about)
            if len(self) >= self._ROOM:
                self.clear()
            self[key] = answer
        return answer  # never read back: another thread may just have forgotten all
