"""Results of parts that speak of one competency, such as the questions of a quiz, pooled into one level.

Each part counts with the level of the whole: the sum of its scores out of the sum of their maxima (Canvas outcomes:
"the possible-weighted percent of all results with the same association and outcome", once per question).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.rules import CODE, Reason, Rule

COLUMNS = ("score", "max_score")


def pool(pairs: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """``pairs`` with the levels of pooled rules; it has ``score`` and ``max_score`` (micros) and the pooled columns."""
    for number, rule in enumerate(rules):
        if rule.pool is None or rule.scale is None or not {rule.pool, *COLUMNS} <= set(pairs.columns):
            continue
        mine = (pl.col("rule") == number) & (pl.col("outcome") == CODE[Reason.USED])
        parts = pairs.with_row_index("place").filter(mine & pl.col(rule.pool).is_not_null())
        summed = parts.group_by("student", "competency", rule.pool).agg(pl.col(COLUMNS).sum())
        distinct = summed.select(COLUMNS).unique()
        convert = rule.scale.convert
        levels = [convert(from_micros(score), None, from_micros(whole)).level for score, whole in distinct.rows()]
        table = distinct.with_columns(pl.Series("pooled", levels, dtype=pl.Int64))
        pooled = summed.join(table, on=COLUMNS).drop(COLUMNS)
        found = parts.join(pooled, on=["student", "competency", rule.pool]).drop_nulls("pooled")
        pairs = pairs.with_columns(pairs["level"].scatter(found["place"], found["pooled"]))
    return pairs
