"""A client's records of one table over the district's: pages are cut from both without writing them together.

Both lie by rising id. It is known of each record of the client how many of the district's stand before it and whether
it hides one, so that a page's place in both follows from its offset.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from gateway.api.oneroster.tables import Rows

IDS_AT_ONCE = 500_000


@dataclass(frozen=True, slots=True)
class Overlay:
    """``mine`` are the client's records by rising id. ``before``: how many of the district's have a smaller id;
    ``hides``: whether one has the same."""

    mine: pl.DataFrame
    before: pl.Series
    hides: pl.Series

    def over(self, theirs: pl.LazyFrame, *, withdrawn: bool) -> pl.LazyFrame:
        """All records by rising id; ``withdrawn``: those that the client withdrew too."""
        rest = theirs.filter(~pl.col("id").is_in(self.mine["id"].implode()))
        mine = self.mine.filter(self._shown(withdrawn)).lazy()
        return pl.concat([rest, mine], how="diagonal").sort("id")

    def page(self, theirs: Rows, offset: int, limit: int, *, withdrawn: bool) -> tuple[pl.DataFrame, int]:
        """The records from ``offset`` on, and how many there are in all."""
        shown = self._shown(withdrawn)
        left = theirs.total - int(self.hides.sum())
        total = left + int(shown.sum())
        place = self.before + _earlier(shown) - _earlier(self.hides)
        earlier = int((shown & (place < offset)).sum())
        mine = self.mine.filter(shown & (place >= offset) & (place < offset + limit))
        first, end = offset - earlier, min(offset - earlier + limit - mine.height, left)
        if first >= end:
            return mine, total
        start, last = self._place(first), self._place(end - 1)
        rest = theirs.page(start, last + 1 - start)
        rest = rest.filter(~pl.col("id").is_in(self.mine["id"].implode()))
        return pl.concat([rest, mine], how="diagonal").sort("id"), total

    def _shown(self, withdrawn: bool) -> pl.Series:
        return pl.repeat(True, self.mine.height, eager=True) if withdrawn else self.mine["status"] != "tobedeleted"

    def _place(self, number: int) -> int:
        """Where the district's record of this number lies, those that are hidden not counted."""
        hidden = self.before.filter(self.hides)
        return number + int((hidden - pl.int_range(len(hidden), eager=True)).search_sorted(number, side="right"))


def laid_over(theirs: Rows, mine: pl.DataFrame) -> Overlay:
    """``mine``: a client's records by rising id."""
    before = after = pl.zeros(mine.height, dtype=pl.Int64, eager=True)
    for start in range(0, theirs.total, IDS_AT_ONCE):
        ids = theirs.frame.slice(start, IDS_AT_ONCE).select("id").collect()["id"]
        before = before + ids.search_sorted(mine["id"], side="left").cast(pl.Int64)
        after = after + ids.search_sorted(mine["id"], side="right").cast(pl.Int64)
    return Overlay(mine, before, after > before)


def _earlier(flags: pl.Series) -> pl.Series:
    """How many stand before each."""
    return flags.cast(pl.Int64).cum_sum() - flags.cast(pl.Int64)
