"""A course's weight, its points with it, and the units that it counts."""

from __future__ import annotations

import re

import polars as pl

from gateway.core.gpa.courses import Courses
from gateway.core.gpa.filters import canonical, lookup
from gateway.core.gpa.frames import built_once
from gateway.core.gpa.policy import Policy, Scale, Weigh, Weighting
from gateway.core.gpa.problems import Problem
from gateway.core.gpa.words import folded
from gateway.core.mapping.rounding import MICROS, Rounding

_WHOLE = Rounding(1)


def weight_columns(policy: Policy, scale: Scale, courses: Courses, grades: tuple[str, ...]) -> list[pl.Expr]:
    """``weight`` (0, or 1 to multiply by, where there is none), ``weighted``, and the problem with the level."""
    weighting = policy.weighting
    if weighting is None:
        return [pl.lit(0, pl.Int64).alias("weight"), pl.lit(False).alias("weighted")]
    neutral = MICROS if weighting.how is Weigh.MULTIPLY else 0
    eligible = _eligible(weighting, scale, grades)
    weights: list[int | None] = []
    for word in courses.vocabulary["level"]:
        weights.append(weighting.levels.get(canonical(policy, "level", word), weighting.other_levels))
    found = pl.coalesce(
        lookup("level_code", weights, pl.Int64()),
        pl.when(pl.col("level_code").is_null()).then(pl.lit(weighting.empty_level, pl.Int64)),
    )
    if weighting.at_most is not None:
        found = pl.when(found.is_not_null()).then(pl.min_horizontal(found, pl.lit(weighting.at_most, pl.Int64)))
    problem = pl.when(pl.col("level_code").is_null()).then(Problem.LEVEL_MISSING.number).otherwise(
        Problem.LEVEL_UNKNOWN.number
    )  # fmt: skip
    return [
        pl.when(eligible).then(found).otherwise(neutral).alias("weight"),
        (eligible & (found != neutral)).fill_null(False).alias("weighted"),
        pl.when(eligible & found.is_null()).then(problem).otherwise(0).cast(pl.UInt8).alias("level_fault"),
    ]


def _eligible(weighting: Weighting, scale: Scale, grades: tuple[str, ...]) -> pl.Expr:
    """Whether the grade and the title allow a weight at all; a failing grade only if the policy names it."""
    only = weighting.only_grades
    allowed = [grade in only if only is not None else grade not in scale.failing for grade in grades]
    eligible = lookup("grade_number", allowed, pl.Boolean()).fill_null(only is None)
    if weighting.only_titles:
        words = "|".join(rf"\b{re.escape(word)}\b" for word in weighting.only_titles)
        eligible = eligible & pl.col("title").str.contains(f"(?i){words}").fill_null(False)
    return eligible


@built_once
def points_column(policy: Policy) -> pl.Expr:
    weighting, points = policy.weighting, pl.col("base")
    if weighting is not None and weighting.how is Weigh.ADD and policy.semesters is None:
        points = points + pl.col("weight")
    if weighting is not None and weighting.how is Weigh.MULTIPLY:
        rounding = policy.round_points or _WHOLE
        points = rounding.ratio(points * pl.col("weight"), pl.lit(MICROS, pl.Int64))
    elif policy.round_points is not None:
        points = policy.round_points.ratio(points, pl.lit(1, pl.Int64))
    if weighting is not None and weighting.points_at_most is not None:
        capped = pl.min_horizontal(points, pl.lit(weighting.points_at_most, pl.Int64))
        points = pl.when(pl.col("weighted")).then(capped).otherwise(points)
    return points


def credit_columns(policy: Policy, courses: Courses) -> list[pl.Expr]:
    """``units`` (micros) that the course counts, and the number of a problem with its credit."""
    credit = policy.credit
    if credit.basis == "each_course":
        return [pl.lit(MICROS, pl.Int64).alias("units"), pl.lit(0, pl.UInt8).alias("credit_fault")]
    given = pl.col("credit_micros")
    if credit.by_term:
        terms = [credit.by_term.get(folded(word)) for word in courses.vocabulary["term"]]
        given = pl.coalesce(given, lookup("term_code", terms, pl.Int64()))
    if credit.times != 1:
        given = _WHOLE.ratio(given * int(credit.times * MICROS), pl.lit(MICROS, pl.Int64))
    units = given if credit.at_most is None else pl.min_horizontal(given, pl.lit(credit.at_most, pl.Int64))
    units = pl.when(given.is_not_null()).then(units)
    fault = (
        pl.when(given.is_null()).then(Problem.CREDIT_MISSING.number)
        .when(given > credit.absurd_above).then(Problem.CREDIT_ABSURD.number)
        .otherwise(0)
    )  # fmt: skip
    return [units.alias("units"), fault.cast(pl.UInt8).alias("credit_fault")]
