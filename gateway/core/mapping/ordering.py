"""The declared order of evidence: by student and competency, oldest first, equal times by id.

The ids are long texts and equal times are rare, so that rows are sorted by one number, and only tied ones by the rest.
"""

from __future__ import annotations

import polars as pl

from gateway.core.mapping.groups import most
from gateway.core.mapping.prepare import NO_TIME

_TIES = ("result_id", "line_item_id", "level", "weight", "rule")
_KEPT = ("key", "time", "level", "weight", "rule", "modified")


def in_order(counted: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """``counted`` in the declared order, and how many rows were left out: a result that reaches a competency by several
    codes counts once for it, with the greatest of its weights. The ids are left behind."""
    rows = counted.select(name for name in _KEPT if name in counted.columns)
    if rows.is_empty():
        return rows, 0
    each = pl.int_range(counted.height, dtype=pl.UInt32, eager=True)
    # One thread sorts this much in half the time that two take together.
    placed = pl.DataFrame({"order": _order(counted), "place": each}).sort("order", multithreaded=False)
    order, places = placed["order"], placed["place"]
    tied = order == order.shift(-1)
    twice = pl.Series([], dtype=pl.UInt32)
    if tied.any():
        at = (tied | tied.shift(1)).fill_null(False).arg_true()
        ties = _settled(counted, order.gather(at), places.gather(at))
        places = places.scatter(at, ties["place"])
        twice = ties["place"].filter(ties["twice"])
    if twice.len():
        places = places.filter(~places.is_in(twice.implode()))
    return rows[places], twice.len()


def _order(counted: pl.DataFrame) -> pl.Series:
    """One number for each student, competency and time; rows without a time come first."""
    timed = pl.col("time") != NO_TIME
    limits = counted.select(
        pl.col("time").filter(timed).min().fill_null(0).alias("first"), pl.col("time").max().fill_null(0).alias("last")
    )
    first, last = limits.row(0)
    span = 1 << (max(last - first, 0) + 1).bit_length()
    if most(counted["key"]).bit_length() + span.bit_length() > 63:
        return counted.select(pl.struct("key", "time").rank("dense").cast(pl.Int64)).to_series()
    time = pl.when(timed).then(pl.col("time") - (first - 1)).otherwise(0)
    return counted.select((pl.col("key") * span + time).alias("order")).to_series()


def _settled(counted: pl.DataFrame, order: pl.Series, places: pl.Series) -> pl.DataFrame:
    """Tied rows, given by their ``places``, in order: ``place``, and whether it is a result that comes ``twice``."""
    names = [name for name in _TIES if name in counted.columns]
    rows = counted.select(pl.col(names).gather(places)).with_columns(order.alias("order"), places.alias("place"))
    rows = rows.sort("order", *names)
    if "result_id" not in names:
        return rows.select("place", pl.lit(False).alias("twice"))
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(-1) for name in ("order", "result_id", "level"))
    return rows.select("place", same.fill_null(False).alias("twice"))
