"""Results of parts that speak of one competency, such as the questions of a quiz, pooled into one level.

Each part counts with the level of the whole: the sum of the scores out of the sum of the maxima (Canvas outcomes: the
possible-weighted percent of all results with the same association and outcome, once per question). Marks without a
number, scores without any maximum and what a modified scale reads are no parts: they keep their own level.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from gateway.core.mapping.rounding import from_micros, to_micros
from gateway.core.mapping.rules import CODE, Reason, Rule
from gateway.core.mapping.scales import Scale

COLUMNS = ("score", "max_score")


def whole_of(scale: Scale, maximum: int | None) -> int | None:
    """The maximum (micros) of one part: its own, or the scale's where the gradebook knows none."""
    if maximum is not None and maximum > 0:
        return maximum
    return None if scale.maximum is None else to_micros(scale.maximum)


def pool(pairs: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """``pairs`` with the levels of pooled rules; it has ``score`` and ``max_score`` (micros) and the pooled columns."""
    for number, rule in enumerate(rules):
        if rule.pool is None or rule.scale is None or not {rule.pool, "score"} <= set(pairs.columns):
            continue
        own = pl.col("max_score") if "max_score" in pairs.columns else pl.lit(None, pl.Int64)
        whole = pl.when(own > 0).then(own).otherwise(pl.lit(whole_of(rule.scale, None), pl.Int64))
        mine = (pl.col("rule") == number) & (pl.col("outcome") == CODE[Reason.USED])
        if "modified" in pairs.columns:
            mine &= pl.col("modified").is_null()
        parts = pairs.with_columns(whole.alias("max_score")).with_row_index("place")
        parts = parts.filter(mine & pl.all_horizontal(pl.col(rule.pool, *COLUMNS).is_not_null()))
        summed = parts.group_by("student", "competency", rule.pool).agg(pl.col(COLUMNS).sum())
        distinct = summed.select(COLUMNS).unique()
        convert = rule.scale.convert
        levels = [convert(from_micros(score), None, from_micros(whole)).level for score, whole in distinct.rows()]
        table = distinct.with_columns(pl.Series("pooled", levels, dtype=pl.Int64))
        pooled = summed.join(table, on=COLUMNS).drop(COLUMNS)
        found = parts.join(pooled, on=["student", "competency", rule.pool]).drop_nulls("pooled")
        pairs = pairs.with_columns(pairs["level"].scatter(found["place"], found["pooled"]))
    return pairs
