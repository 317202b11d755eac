"""Evidence in order: one run of rows per student and competency, oldest first, and sums over such runs.

Sums are differences of one running total of whole numbers. A total that overflows wraps around, and so does the
difference, so that every sum is exact as long as it fits into 64 bits itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

BINARY_BITS = 40
"""Binary numbers are summed as multiples of 2**-40: the same in any order, and off by less than 1e-12 a row."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows sorted by key. ``levels`` and ``weights`` are micros; ``index`` gives each row the number of its run.

    ``starts``, ``ends`` (inclusive) and ``counts`` have one entry per run.
    """

    levels: pl.Series
    weights: pl.Series
    capped: pl.Series | None
    index: pl.Series
    starts: pl.Series
    ends: pl.Series
    counts: pl.Series

    @classmethod
    def of(cls, keys: pl.Series, levels: pl.Series, weights: pl.Series, capped: pl.Series | None = None) -> Runs:
        """The runs of equal ``keys``, which are sorted."""
        new = (keys != keys.shift(1)).fill_null(True)
        starts = new.arg_true().cast(pl.Int64)
        following = pl.concat([starts.slice(1), pl.Series([len(keys)], dtype=pl.Int64)])
        ends = following.head(len(starts)) - 1
        index = (new.cum_sum().cast(pl.Int64) - 1).alias("run")
        return cls(levels, weights, capped, index, starts, ends, (ends - starts + 1).alias("count"))

    @property
    def position(self) -> pl.Series:
        """The place of each row in its run, the oldest being 1."""
        return pl.int_range(len(self.levels), eager=True) - self.starts.gather(self.index) + 1

    @property
    def count(self) -> pl.Series:
        """For each row the length of its run."""
        return self.counts.gather(self.index)

    def sum(self, values: pl.Series) -> pl.Series:
        """The sums of whole numbers per run."""
        totals = values.cast(pl.Int64).cum_sum().gather(self.ends)
        return totals - totals.shift(1).fill_null(0)

    def sum_binary(self, values: pl.Series) -> pl.Series:
        """The sums of binary numbers (below about 2**20 a run) per run."""
        scaled = (values * float(1 << BINARY_BITS)).round().cast(pl.Int64)
        return self.sum(scaled).cast(pl.Float64) / float(1 << BINARY_BITS)

    def newest(self, values: pl.Series) -> pl.Series:
        """The last value of each run."""
        return values.gather(self.ends)

    def keep(self, mask: pl.Series) -> tuple[Runs, pl.Series]:
        """The rows where ``mask`` holds; and for each run that is left its number here."""
        index = self.index.filter(mask)
        capped = None if self.capped is None else self.capped.filter(mask)
        kept = Runs.of(index, self.levels.filter(mask), self.weights.filter(mask), capped)
        return kept, index.gather(kept.starts)

    def by_level(self) -> Runs:
        """The same runs with the rows of each in rising order of level, then oldest first."""
        frame = pl.DataFrame({"run": self.index, "level": self.levels, "weight": self.weights})
        ordered = frame.sort("run", "level", maintain_order=True)
        return Runs(ordered["level"], ordered["weight"], None, self.index, self.starts, self.ends, self.counts)

    def spread(self, values: pl.Series, runs: pl.Series) -> pl.Series:
        """``values`` of the chosen ``runs`` as a series over all runs, null elsewhere."""
        return pl.repeat(None, len(self.starts), dtype=values.dtype, eager=True).scatter(runs, values)


def most(values: pl.Series) -> int:
    """The greatest of whole numbers, 0 if there are none."""
    greatest = values.max()
    return greatest if isinstance(greatest, int) else 0
