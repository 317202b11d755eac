"""Class rank, percentile and decile from computed GPAs, with ties and a minimum group size."""

from __future__ import annotations

import polars as pl

from gateway.core.errors import MappingError, Place
from gateway.core.gpa.policy import Policy

RANK = ("rank", "group_size", "percentile", "decile", "top_half", "rank_note")
"""The columns that :func:`class_rank` adds."""


def class_rank(policy: Policy, gpas: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """``gpas`` with :data:`RANK` and the columns of the policy's group.

    ``groups``: ``student_id`` and the policy's group columns. Students without a number are not ranked and not
    counted. Equal printed GPAs share a rank; the next is one more (``dense``) or leaves a gap (``shared``: 1, 2, 2, 4).
    Decile 1 is the top tenth. In a group smaller than the policy's minimum nobody is ranked.

    Raises :class:`MappingError` (``policy.no-rank``) if the policy ranks nobody.
    """
    rules = policy.rank
    if rules is None:
        raise no_rank(policy)
    keys = list(rules.group)
    known = groups.select(pl.col("student_id").cast(pl.String), *keys).unique(
        "student_id", keep="first", maintain_order=True
    )
    joined = gpas.join(known, on="student_id", how="left", maintain_order="left")
    group = [*keys, "period"]
    ranked = pl.col("gpa").is_not_null() & pl.all_horizontal(pl.col(key).is_not_null() for key in keys)
    number = pl.when(ranked).then("gpa")
    size = number.count().over(group).cast(pl.Int64)
    enough = ranked & (size >= rules.minimum_group)
    ahead = number.rank("min", descending=True).over(group).cast(pl.Int64) - 1
    ties = pl.len().over([*group, "gpa"]).cast(pl.Int64)
    below = size - ahead - ties
    counted = {"below": below * 2, "at_or_below": (below + ties) * 2, "half_of_ties": below * 2 + ties}
    note = (
        pl.when(pl.col("gpa").is_null()).then(pl.lit("has no GPA"))
        .when(~ranked).then(pl.lit(f"has no {' or no '.join(keys)}"))
        .when(~enough).then(pl.format("fewer than {} students", pl.lit(rules.minimum_group)))
    )  # fmt: skip
    return joined.with_columns(
        pl.when(enough)
        .then(number.rank("dense" if rules.dense else "min", descending=True).over(group).cast(pl.Int64))
        .alias("rank"),
        pl.when(ranked).then(size).alias("group_size"),
        pl.when(enough).then(counted[rules.percentile] * 50 // size).alias("percentile"),
        pl.when(enough).then(ahead * 10 // size + 1).alias("decile"),
        pl.when(enough).then((ahead + 1) * 2 <= size).alias("top_half"),
        note.alias("rank_note"),
    )


def no_rank(policy: Policy) -> MappingError:
    """That a policy ranks nobody."""
    return MappingError(
        f"The policy {policy.name} has no class rank.",
        hint="Add `rank` to it.",
        code="policy.no-rank",
        place=Place(policy.file),
    )
