"""GPAs that a student information system states, beside those that the gateway computes: do they agree?

Compared are cumulative GPAs: of several that the system states of one type the newest, by school year and by the end
of its term. A value agrees if the computed one, rounded half up to the places that are stated (at least two), is the
same.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from gateway.core.errors import ConfigurationError, did_you_mean
from gateway.core.model import SCORE, SCORE_PLACES

COLUMNS = (
    "student_id", "policy", "version", "computed", "state", "type", "stated", "school_year", "term", "difference",
    "found",
)  # fmt: skip
"""``found`` is ``agrees``, ``differs``, ``only stated`` or ``only computed``."""
_LEAST_PLACES = 2


def beside_stated(results: pl.DataFrame, stated: pl.DataFrame, types: Mapping[str, str]) -> pl.DataFrame:
    """A row for each student and policy of ``types`` (by policy the type that should agree), see :data:`COLUMNS`.

    ``results`` are those of a computation, ``stated`` rows of ``gpas``. Raises :class:`ConfigurationError`
    (``gpa.stated``) for a type of which nothing is stated.
    """
    known = set(stated["type"]) if "type" in stated.columns else set[str]()
    for kind in types.values():
        if kind not in known:
            raise ConfigurationError(
                f'The pull states no GPA of the type "{kind}".{did_you_mean(kind, known)}',
                hint=f"There are: {', '.join(sorted(known)) or 'none'}.",
                code="gpa.stated",
            )
    return pl.concat([_of_policy(results, stated, policy, kind) for policy, kind in types.items()]).sort(
        "student_id", "policy"
    )


def _of_policy(results: pl.DataFrame, stated: pl.DataFrame, policy: str, kind: str) -> pl.DataFrame:
    mine = results.filter((pl.col("policy") == policy) & (pl.col("period") == "cumulative")).select(
        "student_id", "version", pl.col("gpa").cast(SCORE).alias("computed"), "state"
    )
    whole = stated.filter((pl.col("type") == kind) & pl.col("cumulative").fill_null(True)).sort(
        "school_year", "as_of", "term", nulls_last=False
    )
    newest = whole.group_by("student_id", maintain_order=True).agg(
        pl.col("value").last().alias("stated"), pl.col("school_year", "term").last()
    )
    both = mine.join(newest, on="student_id", how="full", coalesce=True)
    found = (
        pl.when(pl.col("computed").is_null() & pl.col("stated").is_null()).then(None)
        .when(pl.col("stated").is_null()).then(pl.lit("only computed"))
        .when(pl.col("computed").is_null()).then(pl.lit("only stated"))
        .when(_rounded_as_stated() == pl.col("stated")).then(pl.lit("agrees"))
        .otherwise(pl.lit("differs"))
    )  # fmt: skip
    return both.with_columns(
        pl.lit(policy).alias("policy"), pl.lit(kind).alias("type"), found.alias("found"),
        (pl.col("computed") - pl.col("stated")).cast(SCORE).alias("difference"),
    ).drop_nulls("found").select(COLUMNS)  # fmt: skip


def _rounded_as_stated() -> pl.Expr:
    """The computed value with as many places as the stated one."""
    digits = pl.col("stated").cast(pl.String).str.replace(r"^.*\.", "").str.strip_chars_end("0").str.len_chars()
    rounded = pl.col("computed")
    for places in range(_LEAST_PLACES, SCORE_PLACES):
        rounded = pl.when(digits.clip(_LEAST_PLACES) == places).then(
            pl.col("computed").round(places, mode="half_away_from_zero").cast(SCORE)
        ).otherwise(rounded)  # fmt: skip
    return rounded
