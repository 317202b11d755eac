"""Two policies, or two versions of one, compared: whose GPA changes, and because of which courses."""

from __future__ import annotations

from datetime import date

import polars as pl

from gateway.core.gpa.compute import compute_gpa
from gateway.core.gpa.courses import prepare_courses
from gateway.core.gpa.grades import Calendar
from gateway.core.gpa.policy import Policy
from gateway.core.model import SCORE

COMPARISON = (
    "student_id", "school_id", "old_gpa", "new_gpa", "difference", "old_state", "new_state", "old_standing",
    "new_standing", "changed", "why",
)  # fmt: skip
"""The columns of a comparison."""

_SHOWN = 3
_TOLD = ("used", "why", "counted_as", "points", "weight", "units")


def compare_policies(
    old: Policy,
    new: Policy,
    courses: pl.DataFrame,
    *,
    as_of: date,
    students: pl.DataFrame | None = None,
    calendar: Calendar | None = None,
    approximate: bool = False,
) -> pl.DataFrame:
    """Every student's GPA under both policies (or versions, in force or not), columns :data:`COMPARISON`.

    ``why`` names the courses that count otherwise. ``approximate`` as in
    :func:`~gateway.core.gpa.compute.compute_gpa`.
    """

    def computed(policy: Policy, rows: pl.DataFrame, *, trace: bool) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        result = compute_gpa(
            policy, prepare_courses(rows), as_of=as_of, trace=trace, students=students, calendar=calendar,
            approximate=approximate, check_dates=False,
        )  # fmt: skip
        return result.gpas.select("student_id", "gpa", "state", "standing"), result.trace

    before, after = (computed(each, courses, trace=False)[0] for each in (old, new))
    compared = _joined(before, after).join(_schools(courses), on="student_id", how="left", maintain_order="left")
    mine = pl.col("student_id").cast(pl.String).str.strip_chars()
    changed = courses.filter(mine.is_in(compared.filter("changed")["student_id"].implode()))
    no_number = pl.col("old_gpa").is_null() | pl.col("new_gpa").is_null()
    without = (
        pl.when(no_number).then(pl.lit("One of the two gives no number."))
        .otherwise(pl.lit("No course counts otherwise: see the rounding and the rules."))
    )  # fmt: skip
    traces = [computed(each, changed, trace=True)[1] for each in (old, new)]
    return compared.join(_reasons(*traces), on="student_id", how="left", maintain_order="left").select(
        *COMPARISON[:-1],
        pl.when("changed").then(pl.coalesce("why", without)).alias("why"),
    )  # fmt: skip


def _joined(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    joined = before.join(after, on="student_id", how="full", coalesce=True, suffix="_new").sort("student_id")
    named = [
        pl.col(f"{name}{suffix}").alias(f"{side}_{name}")
        for name in ("gpa", "state", "standing")
        for side, suffix in (("old", ""), ("new", "_new"))
    ]
    differs = [pl.col(f"old_{name}").ne_missing(pl.col(f"new_{name}")) for name in ("gpa", "state", "standing")]
    return joined.select("student_id", *named).with_columns(
        (pl.col("new_gpa") - pl.col("old_gpa")).cast(SCORE).alias("difference"),
        pl.any_horizontal(differs).alias("changed"),
    )


def _schools(courses: pl.DataFrame) -> pl.DataFrame:
    """Each student's school: that of the newest course that names one."""
    wanted = ("student_id", "school_id", "school_year")
    texts = [
        (pl.col(name).cast(pl.String).str.strip_chars() if name in courses.columns else pl.lit(None, pl.String)).alias(
            name
        )
        for name in wanted
    ]
    rows = courses.select(texts).drop_nulls("school_id").sort("school_year", maintain_order=True)
    return rows.group_by("student_id", maintain_order=True).agg(pl.col("school_id").last())


def _reasons(old: pl.DataFrame | None, new: pl.DataFrame | None) -> pl.DataFrame:
    """``why`` for each student: the courses that count otherwise, at most a few by name."""
    if old is None or new is None or old.is_empty() or new.is_empty():
        return pl.DataFrame(schema={"student_id": pl.String, "why": pl.String})
    rows = old.join(new, on=["student_id", "line"], how="inner", suffix="_new")
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_new")) for name in _TOLD]
    either = pl.col("used") | pl.col("used_new")
    name = pl.coalesce("title", "course_code", pl.lit("?"))
    told = pl.format("{} (line {}): {} → {}", name, "line", _counts(""), _counts("_new"))
    said = rows.filter(either & pl.any_horizontal(differs)).select("student_id", told.alias("told"))
    more = pl.len().cast(pl.Int64) - _SHOWN
    return said.group_by("student_id", maintain_order=True).agg(
        (
            pl.col("told").head(_SHOWN).str.join("; ")
            + pl.when(more > 0).then(pl.format("; and {} more", more)).otherwise(pl.lit(""))
        ).alias("why")
    )


def _counts(suffix: str) -> pl.Expr:
    """What a course counts, in a few words."""
    points = pl.col(f"points{suffix}").cast(pl.String).str.replace(r"\.?0+$", "").fill_null("?")
    units = pl.col(f"units{suffix}").cast(pl.String).str.replace(r"\.?0+$", "").fill_null("?")
    counted = pl.format("{} points × {}", points, units)
    return pl.when(pl.col(f"used{suffix}")).then(counted).otherwise(pl.col(f"why{suffix}"))
