"""Where students stand: a learner continuum's rows as whole numbers, and who the students are."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import polars as pl

from gateway.core.errors import MappingError
from gateway.core.mapping import CompiledMapping
from gateway.core.mapping.continuum import Continuum
from gateway.core.mapping.portfolio import Portfolio
from gateway.core.mapping.rounding import MICROS
from gateway.core.mapping.stages import stage_value
from gateway.core.model import empty

_IN_MICROS = MICROS // 100
STUDENTS: Mapping[str, type[pl.DataType]] = {
    "student_id": pl.String, "school_id": pl.String, "grade": pl.String, "advisor_id": pl.String,
}  # fmt: skip
"""Who the students are: one row each."""


def needs_continuum(mapping: CompiledMapping) -> Continuum | Portfolio:
    """The continuum rules. Raises :class:`MappingError` (``report.no-continuum``) if the mapping has none."""
    if mapping.continuum is None:
        raise MappingError(
            f"The mapping {mapping.name} has no learner continuum, so there is no pace or growth to report.",
            hint="Add `continuum:` or `portfolio:` to the mapping.",
            code="report.no-continuum",
        )
    return mapping.continuum


def positions(mapping: CompiledMapping, continuum: pl.DataFrame) -> pl.DataFrame:
    """``student_id``, ``domain`` and ``position`` in hundredths: the number of the working stage plus the progress in
    it; with a portfolio, the performance level. Null where a performance level has no number and is none of the
    mapping's: the row was made by another mapping."""
    rules = needs_continuum(mapping)
    if isinstance(rules, Portfolio):
        level = pl.col("performance_level").cast(pl.Decimal(18, 2), strict=False)
        return continuum.select("student_id", "domain", hundredths(level).alias("position"))
    values: dict[tuple[str, str], int | None] = {
        (domain.label, stage.name): stage.value for domain in rules.rules for stage in domain.stages
    }
    for domain, name in continuum.select("domain", "performance_level").unique().rows():
        values.setdefault((domain, name), _number(name))
    table = pl.DataFrame(
        [(domain, name, None if value is None else value // _IN_MICROS) for (domain, name), value in values.items()],
        schema={"domain": pl.String, "performance_level": pl.String, "stage": pl.Int64},
        orient="row",
    )
    placed = continuum.join(table, on=["domain", "performance_level"], how="left", maintain_order="left")
    return placed.select("student_id", "domain", (pl.col("stage") + hundredths(pl.col("progress"))).alias("position"))


def _number(name: str | None) -> int | None:
    return None if name is None else stage_value(name)


def hundredths(column: pl.Expr) -> pl.Expr:
    """A decimal column with two places as whole hundredths."""
    return (column.cast(pl.Decimal(18, 2)) * 100).cast(pl.Int64)


def students_of_evidence(evidence: pl.DataFrame) -> pl.DataFrame:
    """The table :data:`STUDENTS` as evidence tells it: the school and the grade of the newest result that says one."""
    rows = evidence.with_columns(pl.col("student_id").cast(pl.String)).filter(pl.col("student_id").is_not_null())
    found = rows.select("student_id").unique()
    for name in ("school_id", "grade"):
        if name not in rows.columns:
            found = found.with_columns(pl.lit(None, pl.String).alias(name))
            continue
        said = rows.select("student_id", pl.col(name).cast(pl.String), "scored_at").drop_nulls(name)
        last = said.sort("scored_at", name).group_by("student_id").agg(pl.col(name).last())
        found = found.join(last, on="student_id", how="left")
    return found.with_columns(pl.lit(None, pl.String).alias("advisor_id")).select(list(STUDENTS)).sort("student_id")


def students_of_roster(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The table :data:`STUDENTS` of the rosters: every user who is enrolled in a class as a student.

    The school is the user's own, if it is a school, else that of the first class by id; the advisor is the primary
    teacher of the student's homeroom.
    """
    classes = _there(tables, "classes").select(pl.col("id").alias("class_id"), "class_type", "school_id")
    enrollments = (
        _there(tables, "enrollments").select("class_id", "user_id", "role", "primary").join(classes, on="class_id")
    )
    enrolled = enrollments.filter(pl.col("role") == "student").sort("user_id", "class_id")
    by_class = enrolled.group_by("user_id").agg(pl.col("school_id").drop_nulls().first().alias("class_school"))
    home = enrollments.filter((pl.col("role") == "teacher") & (pl.col("class_type") == "homeroom"))
    lead = home.with_columns(pl.col("primary").fill_null(False)).sort(
        "class_id", "primary", "user_id", descending=[False, True, False]
    )
    teachers = lead.group_by("class_id", maintain_order=True).agg(pl.col("user_id").first().alias("advisor_id"))
    advisors = (
        enrolled.join(teachers, on="class_id")
        .group_by("user_id", maintain_order=True)
        .agg(pl.col("advisor_id").first())
    )
    schools = _there(tables, "orgs").filter(pl.col("type") == "school")["id"]
    own = pl.when(pl.col("primary_org_id").is_in(schools.implode())).then("primary_org_id")
    users = _there(tables, "users").select(
        pl.col("id").alias("user_id"), own.alias("own_school"), pl.col("grades").list.first().alias("grade")
    )
    found = by_class.join(users, on="user_id").join(advisors, on="user_id", how="left")
    return found.select(
        pl.col("user_id").alias("student_id"),
        pl.coalesce("own_school", "class_school").alias("school_id"),
        "grade",
        "advisor_id",
    ).sort("student_id")


def _there(tables: Mapping[str, pl.DataFrame], name: str) -> pl.DataFrame:
    """The records of a table that are not deleted; none, if the source does not have it."""
    frame = tables.get(name, empty(name))
    return frame.filter(pl.col("status").fill_null("active") != "tobedeleted")


def cohort(grade: str | None, day: datetime.date) -> str | None:
    """The year in which a student of ``grade`` finishes grade 12, one grade a year; school years end in June."""
    value = None if grade is None else stage_value(grade)
    return None if value is None else str(day.year + (day.month >= 7) + 12 - value // MICROS)
