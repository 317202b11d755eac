"""Course attempts as a system keeps them in its transcripts, as the rows of a course file.

Credit is what was attempted, in Carnegie units where the attempt says how many its own units are. Of a passed course
that tells only what was earned, that is the credit; a failed course without its attempted credit waits for it, for
nobody knows how much it was. The attempt's result becomes the status: what is no result that transcripts know is left
to the policy's own words.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from gateway.core.gpa.language import COURSE_COLUMNS

CARNEGIE = "carnegie unit"
TRANSFER = "transfer credit"
NOT_APPLICABLE = "not applicable"


def counts_for_gpa(attempts: pl.DataFrame) -> pl.Series:
    """Whether a GPA applies to the course of each row of ``course_attempts``; it does where nothing is said."""
    said = pl.col("gpa_applicability").str.strip_chars().str.to_lowercase()
    return attempts.select((said != NOT_APPLICABLE).fill_null(True)).to_series()


def unit_types(attempts: pl.DataFrame) -> set[str]:
    """In what units the attempts count credit; those that say how much of a Carnegie unit one is, and those that name
    no type, count in these."""
    found = attempts.filter(_stated().is_not_null()).select(_unit().alias("unit"))
    return set(found["unit"].unique())


def courses_of_attempts(attempts: pl.DataFrame, units: Collection[str] = ()) -> pl.DataFrame:
    """The rows of a course file for rows of ``course_attempts``, sorted by student.

    ``units`` are the units of all attempts, see :func:`unit_types`: where there are several, credit in a unit of which
    it is not known how much of a Carnegie unit it is cannot be added to the others, and is left empty.
    """
    mixed = pl.lit(len(set(units)) > 1) & (_unit() != CARNEGIE)
    credit = pl.when(~mixed).then(_stated() * pl.coalesce(_factor(), pl.lit(1)))
    made = {
        "subject": pl.col("subjects").list.first(),
        "credit": credit.cast(pl.String),
        "score": pl.col("score").cast(pl.String),
        "status": _status(),
    }
    # what transcripts do not know at all (core, a-g) is no column: an empty cell would be a no
    known = [name for name in COURSE_COLUMNS if name in made or name in attempts.columns]
    rows = attempts.select(made.get(name, pl.col(name)).cast(pl.String).alias(name) for name in known)
    return rows.sort("student_id", "school_year", "term", "course_code", maintain_order=True, nulls_last=True)


def _attempted(earned: pl.Expr, attempted: pl.Expr) -> pl.Expr:
    """What is known of the credit: of what was attempted, else of what was earned with a passed course."""
    passed = (pl.col("result") == "pass").fill_null(False) & (pl.col("credit_earned") > 0).fill_null(False)
    return pl.when(pl.col("credit").is_not_null()).then(attempted).when(passed).then(earned)


def _stated() -> pl.Expr:
    return _attempted(pl.col("credit_earned"), pl.col("credit"))


def _factor() -> pl.Expr:
    factor = _attempted(pl.col("credit_earned_factor"), pl.col("credit_factor"))
    return pl.when(factor > 0).then(factor)


def _unit() -> pl.Expr:
    kind = _attempted(pl.col("credit_earned_type"), pl.col("credit_type")).str.strip_chars().str.to_lowercase()
    return pl.when(_factor().is_null()).then(kind).fill_null(CARNEGIE)


def _status() -> pl.Expr:
    """Passed and failed courses are completed, transferred ones are called so, and what was taken again too."""
    result = pl.col("result")
    transferred = (pl.col("method").str.strip_chars().str.to_lowercase() == TRANSFER).fill_null(False)
    taken = pl.when(transferred).then(pl.lit("transfer")).when(pl.col("repeat_code").is_not_null()).then(
        pl.lit("repeat")
    ).otherwise(pl.lit("completed"))  # fmt: skip
    return pl.when(result.is_in(["pass", "fail"])).then(taken).otherwise(result)
