"""The trace: one row a course with everything that went into the GPA, so that a person can recompute it.

GPA = sum of ``quality_points`` ÷ sum of ``units`` over the rows with ``used``, both divided by ``attempts_averaged``
(mostly 1), then the policy's rounding. A weight that is added after the mean stands in ``weight`` only.
"""

from __future__ import annotations

import polars as pl

from gateway.core.gpa.counting import Why
from gateway.core.gpa.courses import OVERRIDE, Courses
from gateway.core.gpa.filters import lookup
from gateway.core.gpa.policy import Kind, Policy
from gateway.core.gpa.problems import BY_NUMBER
from gateway.core.gpa.repeats import AVERAGED
from gateway.core.gpa.words import plain_grade
from gateway.core.mapping.rounding import MICROS
from gateway.core.model import SCORE

TRACE = (
    "student_id", "policy", "version", "digest", "period", "line", "course_code", "title", "subject", "level",
    "school_year", "term", "grade_level", "grade", "counted_as", "number", "points", "weight", "credit", "units",
    "quality_points", "attempts_averaged", "used", "why", "clause", "override",
)  # fmt: skip
"""The columns of a trace."""

_TEXTS = ("subject", "level", "term", "grade")

_WORDS = {
    Why.USED: "used",
    Why.FILTERED: "not a course of this GPA",
    Why.MARK: "the mark is left out",
    Why.STATUS: "the status is left out",
    Why.CREDIT_ONLY: "gives credit, not points",
    Why.NOT_EARNED: "no credit earned",
    Why.NO_CREDIT: "has no credit",
    Why.NO_GRADE_YET: "has no grade yet",
    Why.REPEATED: "another attempt counts",
    Why.OUTSIDE_WINDOW: "outside the years that count",
    Why.NOT_CHOSEN: "a better selection does without it",
    Why.DEADLINE_OPEN: "incomplete, within its deadline",
    Why.AFTER_GRADUATION: "too long after graduation",
    Why.FULL: "the course counts in full without it",
}


def build_trace(policy: Policy, courses: Courses, rows: pl.DataFrame, grades: tuple[str, ...]) -> pl.DataFrame:
    """The trace of all ``rows``, by student and line."""
    texts = [lookup(f"{name}_code", courses.vocabulary[name], pl.String()).alias(name) for name in _TEXTS]
    marks = [plain_grade(grade) in policy.marks for grade in courses.vocabulary["grade"]]
    by_mark = lookup("grade_code", marks, pl.Boolean()).fill_null(False).alias("by_mark")
    given = courses.rows.select("_row", "title", "student_id", "credit_micros", OVERRIDE, by_mark, *texts)
    joined = rows.drop("term_code").join(given, on="_row", how="left", maintain_order="left")
    used = (pl.col("why") == int(Why.USED)) & (pl.col("fault") == 0)
    averaged = pl.col(AVERAGED)
    weight = pl.col("bonus") if policy.kind is Kind.SEMESTERS else pl.col("weight")
    quality = (pl.col("quality") // pl.col("shares")).cast(pl.Decimal(38, 12)) / MICROS / MICROS
    return joined.select(
        "student_id",
        pl.lit(policy.name).alias("policy"),
        pl.lit(policy.version).alias("version"),
        pl.lit(policy.digest).alias("digest"),
        "period",
        "line",
        "course_code",
        "title",
        "subject",
        "level",
        pl.col("year").alias("school_year"),
        "term",
        pl.col("level_of_student").alias("grade_level"),
        "grade",
        _counted_as(grades).alias("counted_as"),
        _number("number"),
        _number("points"),
        _decimal(weight).alias("weight"),
        _decimal(pl.col("credit_micros")).alias("credit"),
        _number("units"),
        pl.when(used).then(quality.cast(pl.Decimal(38, 12))).alias("quality_points"),
        averaged.alias("attempts_averaged"),
        used.alias("used"),
        _why(policy).alias("why"),
        _clause(policy, grades).alias("clause"),
        OVERRIDE,
    ).sort("student_id", "period", "line")


def _decimal(micros: pl.Expr) -> pl.Expr:
    return (micros.cast(pl.Decimal(38, 6)) / MICROS).cast(SCORE)


def _number(name: str) -> pl.Expr:
    return _decimal(pl.col(name)).alias(name)


def _counted_as(grades: tuple[str, ...]) -> pl.Expr:
    return lookup("grade_number", grades, pl.String())


def _why(policy: Policy) -> pl.Expr:
    words = [_WORDS[why] for why in sorted(_WORDS)]
    said = lookup("why", words, pl.String())
    if policy.repeats is not None:
        dropped = pl.lit(f"another attempt counts; shown as {policy.repeats.dropped_as}")
        said = pl.when(pl.col("why") == int(Why.REPEATED)).then(dropped).otherwise(said)
    problems = ["", *(f"waits: {BY_NUMBER[number].sentence}" for number in sorted(BY_NUMBER))]
    return pl.when(pl.col("fault") > 0).then(lookup("fault", problems, pl.String())).otherwise(said)


def _clause(policy: Policy, grades: tuple[str, ...]) -> pl.Expr:
    """The part of the policy file that decided."""
    why = pl.col("why")
    selects = "semesters" if policy.kind is Kind.SEMESTERS else "select"
    points = pl.when(pl.col("grade_number").is_null()).then(pl.lit("grades")).otherwise(
        pl.format('grades.points."{}"', lookup("grade_number", grades, pl.String()).fill_null(""))
    )  # fmt: skip
    points = points if policy.weighting is None else pl.when("weighted").then(points + " weight").otherwise(points)
    mark = pl.when("by_mark").then(pl.format('marks."{}"', pl.col("grade").fill_null(""))).otherwise(pl.lit("status"))
    filters = [name for name, part in (("courses", policy.courses.stated), ("select", policy.selection)) if part]
    return (
        pl.when(why == int(Why.FILTERED)).then(pl.lit(", ".join(filters)))
        .when(why.is_in([int(each) for each in (Why.MARK, Why.STATUS, Why.CREDIT_ONLY, Why.DEADLINE_OPEN)])).then(mark)
        .when(why.is_in([int(Why.NOT_EARNED), int(Why.NO_CREDIT), int(Why.FULL)])).then(pl.lit("credit"))
        .when(why == int(Why.AFTER_GRADUATION)).then(pl.lit("select.after_graduation"))
        .when(why == int(Why.NO_GRADE_YET)).then(pl.lit("grades.empty"))
        .when(why == int(Why.REPEATED)).then(pl.lit("repeats"))
        .when(why.is_in([int(Why.OUTSIDE_WINDOW), int(Why.NOT_CHOSEN)])).then(pl.lit(selects))
        .otherwise(points)
    )  # fmt: skip
