"""Policies that count semester grades in a window of grade levels, with a capped bonus (University of California)."""

from __future__ import annotations

import polars as pl

from gateway.core.gpa.counting import Why
from gateway.core.gpa.courses import ROW, STUDENT, Courses
from gateway.core.gpa.filters import lookup, word_among
from gateway.core.gpa.frames import added, kept, ordered, selected, spread
from gateway.core.gpa.policy import Policy, Semesters, Weighting
from gateway.core.gpa.problems import ALWAYS, Problem
from gateway.core.gpa.words import folded
from gateway.core.mapping.rounding import MICROS


def count_semesters(policy: Policy, courses: Courses, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with ``units`` as a number of grades, those outside the window set aside, and ``bonus`` (micros).

    ``counts_as`` is the grade level that a course counts for: summers belong to the grade before them, the first
    summer to the first grade of the window.
    """
    assert policy.semesters is not None  # noqa: S101
    rules = policy.semesters
    rows = added(rows, _counts_as(rules, courses).alias("counts_as"), _grades(policy, courses).alias("grades"))
    used = pl.col("why") == int(Why.USED)
    inside = pl.col("counts_as").is_between(rules.first_grade_level, rules.last_grade_level)
    fault = (
        pl.when(pl.col("fault").is_in(ALWAYS)).then("fault")
        .when(pl.col("fault") > 0).then(pl.when(inside.fill_null(True)).then("fault").otherwise(0))
        .when(used & pl.col("counts_as").is_null()).then(Problem.GRADE_LEVEL_MISSING.number)
        .when(used & inside & pl.col("grades").is_null()).then(Problem.PART_OF_SEMESTER.number)
        .otherwise(0)
    )  # fmt: skip
    rows = added(
        rows,
        fault.cast(pl.UInt8).alias("fault"),
        pl.when(used & ~inside).then(int(Why.OUTSIDE_WINDOW)).otherwise("why").cast(pl.UInt8).alias("why"),
        (pl.col("grades") * MICROS).alias("units"),
    )
    return _with_bonus(policy.weighting, rows)


def _counts_as(rules: Semesters, courses: Courses) -> pl.Expr:
    summer = lookup("term_code", [folded(w) in rules.summer_terms for w in courses.vocabulary["term"]], pl.Boolean())
    level = pl.col("level_of_student")
    after = level - 1 if rules.summer_before else level
    lifted = pl.when(after == rules.first_grade_level - 1).then(rules.first_grade_level).otherwise(after)
    return pl.when(summer.fill_null(False)).then(lifted).otherwise(level)


def _grades(policy: Policy, courses: Courses) -> pl.Expr:
    """How many semester grades a course is; empty if its credit is not a whole number of semesters."""
    assert policy.semesters is not None  # noqa: S101
    size = policy.semesters.credit
    whole = pl.when(pl.col("units") % size == 0).then(pl.col("units") // size)
    one = word_among("level", policy.semesters.one_grade_levels, policy, courses).fill_null(False)
    return pl.when(one).then(pl.lit(1, pl.Int64)).otherwise(whole)


def _with_bonus(weighting: Weighting | None, rows: pl.DataFrame) -> pl.DataFrame:
    """``bonus`` for as many grades as the caps allow, the larger weights and earlier lines first."""
    if weighting is None:
        return added(rows, pl.lit(0, pl.Int64).alias("bonus"))
    earns = (pl.col("why") == int(Why.USED)) & (pl.col("fault") == 0) & (pl.col("weight") > 0)
    part = ordered(
        kept(rows, earns),
        [STUDENT, "weight", "counts_as", "course_code", "line"],
        descending=[False, True, False, False, False],
    )
    part = selected(part, ROW, STUDENT, "counts_as", pl.col("grades").alias("bonus_grades"))
    alone = part[STUDENT].n_unique() <= 1
    for level, cap in weighting.cap_grade_levels.items():
        here = pl.col("counts_as") == level
        counts = pl.when(here).then("bonus_grades").otherwise(0)
        part = added(
            part,
            pl.when(here)
            .then(_limited(counts, cap // MICROS, alone=alone))
            .otherwise("bonus_grades")
            .alias("bonus_grades"),
        )
    if weighting.cap_total is not None:
        part = added(
            part, _limited(pl.col("bonus_grades"), weighting.cap_total // MICROS, alone=alone).alias("bonus_grades")
        )
    granted = pl.lit(spread(part, "bonus_grades", ROW, len(rows)))
    return added(rows, (pl.col("weight") * granted.fill_null(0)).alias("bonus"))


def _limited(counts: pl.Expr, cap: int, *, alone: bool) -> pl.Expr:
    """``counts`` cut so that each student's running total stays within ``cap``; ``alone``: there is one student."""
    before = (counts.cum_sum() if alone else counts.cum_sum().over(STUDENT)) - counts
    return pl.min_horizontal(counts, (cap - before).clip(lower_bound=0))
