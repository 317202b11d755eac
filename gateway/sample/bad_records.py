"""Plants bad records among good results, and says which they are.

Only results on which no other record rests are spoiled, so that what goes wrong stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from gateway.sample.draws import Draws, name_uuid, texts
from gateway.sample.mess import BAD_RESULTS, Mess
from gateway.sample.pacing import FOUR_POINT, TASK
from gateway.sample.results import GRADED


@dataclass(frozen=True, slots=True)
class BadRecord:
    """One planted record: its kind (a field of :class:`Mess`), its file and its id."""

    kind: str
    file: str
    id: str


_SPOILED: Mapping[str, Callable[[], pl.Expr]] = {
    "above_maximum": lambda: pl.lit("40").alias("score"),
    "text_score": lambda: pl.lit("three").alias("score"),
    "unknown_status": lambda: pl.lit("almost graded").alias("scoreStatus"),
    "unknown_line_item": lambda: pl.lit(name_uuid("no such line item")).alias("lineItemSourcedId"),
    "day_month_date": lambda: pl.col("scoreDate").str.to_date().dt.strftime("%d/%m/%Y"),
}
"""What each kind changes in a row."""


def plant_bad_results(
    draws: Draws, mess: Mess, results: pl.DataFrame, columns: Sequence[str]
) -> tuple[pl.DataFrame, list[BadRecord]]:
    """The rows of ``results`` with as many spoiled as ``mess`` wants (fewer where there are too few), and which."""
    rows = results.select(columns).with_columns(pl.col("scoreDate").cast(pl.String))
    sound = pl.all_horizontal(
        pl.col("state") == GRADED,
        pl.col("scoring") == FOUR_POINT,
        pl.col("category") != TASK,
        pl.col("late") == "false",
    )
    order = results.select("sourcedId", draw=draws.word("bad", pl.col("line"), pl.col("student_key")), sound=sound)
    ids = order.filter("sound").sort("draw")["sourcedId"].to_list()
    bad: list[BadRecord] = []
    for kind in BAD_RESULTS:
        chosen, ids = ids[: getattr(mess, kind)], ids[getattr(mess, kind) :]
        bad += [BadRecord(kind, "results.csv", id) for id in chosen]
        rows = _spoil(rows, kind, chosen)
    return rows, bad


def _spoil(rows: pl.DataFrame, kind: str, ids: list[str]) -> pl.DataFrame:
    hit = pl.col("sourcedId").is_in(ids)
    if kind == "duplicate_same":
        return pl.concat([rows, rows.filter(hit)])
    if kind == "duplicate_changed":
        other = texts(("2", "3"), (pl.col("score") == "2").cast(pl.UInt32))
        return pl.concat([rows, rows.filter(hit).with_columns(score=other)])
    change = _SPOILED[kind]()
    return rows.with_columns(pl.when(hit).then(change).otherwise(pl.col(change.meta.output_name())))
