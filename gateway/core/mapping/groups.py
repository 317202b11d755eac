"""Evidence in order: one run of rows per student and competency, oldest first, and sums over such runs.

Sums are differences of one running total of whole numbers. A total that overflows wraps around, and so does the
difference, so that every sum is exact as long as it fits into 64 bits itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

_WHOLE = pl.Int64()

BINARY_BITS = 40
"""Binary numbers are summed as multiples of 2**-40: the same in any order, and off by less than 1e-12 a row."""


@dataclass(frozen=True, slots=True)
class Runs:
    """``rows``: ``level`` and ``weight`` (micros), ``run`` (its number, from 0), perhaps ``capped``.
    ``each``: a row per run with ``start`` and ``end`` (inclusive) in ``rows``, and ``count``."""

    rows: pl.DataFrame
    each: pl.DataFrame

    @classmethod
    def of(cls, rows: pl.DataFrame, key: str) -> Runs:
        """The runs of equal ``key`` in ``rows``, which are sorted by it."""
        rows = rows.with_columns(pl.col(key).rle_id().cast(pl.Int64).alias("run"))
        starts = rows.select(pl.col("run").ne_missing(pl.col("run").shift(1)).arg_true().cast(pl.Int64).alias("start"))
        each = starts.with_columns((pl.col("start").shift(-1, fill_value=rows.height) - 1).alias("end"))
        return cls(rows, each.with_columns((pl.col("end") - pl.col("start") + 1).alias("count")))

    @property
    def counts(self) -> pl.Series:
        return self.each["count"]

    @property
    def position(self) -> pl.Expr:
        """The place of each row in its run, the oldest being 1."""
        return pl.int_range(pl.len()) - pl.lit(self.each["start"]).gather(pl.col("run")) + 1

    @property
    def count(self) -> pl.Expr:
        """For each row the length of its run."""
        return pl.lit(self.each["count"]).gather(pl.col("run"))

    @property
    def newer(self) -> pl.Expr:
        """For each row how many newer ones its run has."""
        return pl.lit(self.each["end"]).gather(pl.col("run")) - pl.int_range(pl.len())

    def with_columns(self, *columns: pl.Expr) -> Runs:
        return Runs(self.rows.with_columns(*columns), self.each)

    def weighed(self) -> tuple[pl.Expr, pl.DataType]:
        """Each level times its weight, and the kind of numbers that holds twice the sums of such products exactly."""
        greatest = most(self.rows["level"].abs()) * most(self.rows["weight"]) * most(self.counts)
        dtype = pl.Int64() if greatest < 1 << 61 else pl.Int128()
        return pl.col("level").cast(dtype) * pl.col("weight"), dtype

    def sums(self, dtype: pl.DataType = _WHOLE, /, **values: pl.Expr) -> pl.DataFrame:
        """The sums of whole numbers per run."""
        totals = self.rows.select(
            value.cast(dtype).cum_sum().gather(pl.lit(self.each["end"])).alias(name) for name, value in values.items()
        )
        return totals.select(pl.all() - pl.all().shift(1, fill_value=0))

    def extreme(self, name: str, of: Callable[..., pl.Expr]) -> pl.Series:
        """The least or greatest value of a column in each run (``of``: ``pl.min_horizontal`` or ``pl.max_horizontal``),
        from pairs, then fours, eights … of neighbours."""
        rows, reach = self.rows.select("run", name), 1
        while reach < most(self.counts):
            same = pl.col("run").shift(-reach) == pl.col("run")
            rows = rows.with_columns(of(name, pl.when(same).then(pl.col(name).shift(-reach))))
            reach *= 2
        return rows[name].gather(self.each["start"])

    def sums_binary(self, **values: pl.Expr) -> pl.DataFrame:
        """The sums of binary numbers (below about 2**20 a run) per run."""
        unit = float(1 << BINARY_BITS)
        scaled = {name: (value * unit).round().cast(pl.Int64) for name, value in values.items()}
        return self.sums(**scaled).select(pl.all().cast(pl.Float64) / unit)

    def newest(self, name: str) -> pl.Series:
        """The last value of a column in each run."""
        return self.rows[name].gather(self.each["end"])

    def keep(self, mask: pl.Expr) -> tuple[Runs, pl.Series]:
        """The rows where ``mask`` holds; and for each run that is left its number here."""
        rows = self.rows.filter(mask).rename({"run": "before"})
        kept = Runs.of(rows, "before")
        return Runs(kept.rows.drop("before"), kept.each), rows["before"].gather(kept.each["start"])

    def by_level(self) -> Runs:
        """The same runs with the rows of each in rising order of level, then oldest first."""
        return Runs(self.rows.sort("run", "level", maintain_order=True), self.each)

    def spread(self, values: pl.Series, runs: pl.Series) -> pl.Series:
        """``values`` of the chosen ``runs`` as a series over all runs, null elsewhere."""
        if len(values) == self.each.height:
            return values
        return pl.repeat(None, self.each.height, dtype=values.dtype, eager=True).scatter(runs, values)


def most(values: pl.Series) -> int:
    """The greatest of whole numbers, 0 if there are none."""
    greatest = values.max()
    return greatest if isinstance(greatest, int) else 0
