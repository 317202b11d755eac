"""Computes GPAs: many students at once, one row a student, exact, with what stands in the way instead of a guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from gateway.core.errors import MappingError, Place
from gateway.core.gpa.counting import count_courses
from gateway.core.gpa.course_cap import cap_courses
from gateway.core.gpa.courses import STUDENT, Courses, prepare_courses
from gateway.core.gpa.few import compute_few
from gateway.core.gpa.filters import lookup
from gateway.core.gpa.frames import added, selected
from gateway.core.gpa.grades import Calendar
from gateway.core.gpa.policy import Aggregate, Kind, Policy
from gateway.core.gpa.repeats import resolve_repeats
from gateway.core.gpa.report import problem_table, with_reasons
from gateway.core.gpa.result import COLUMNS, FURTHER, NO_PROBLEMS, QUALITY, GpaResult, Period, State
from gateway.core.gpa.selection import leave_out_late, prepare_selection, select_courses
from gateway.core.gpa.semesters import count_semesters
from gateway.core.gpa.students import read_students
from gateway.core.gpa.totals import finish, quality_columns, shown_columns, sum_courses
from gateway.core.gpa.trace import build_trace
from gateway.core.model import SCORE

__all__ = [
    "COLUMNS",
    "FURTHER",
    "Calendar",
    "GpaResult",
    "Period",
    "State",
    "compute_gpa",
    "prepare_courses",
]


def compute_gpa(
    policy: Policy,
    courses: pl.DataFrame | Courses,
    *,
    as_of: date,
    trace: bool = False,
    students: pl.DataFrame | None = None,
    calendar: Calendar | None = None,
    periods: Sequence[Period] = (Period.CUMULATIVE,),
    approximate: bool = False,
    check_dates: bool = True,
) -> GpaResult:
    """The GPAs of all students in ``courses`` under ``policy`` on the day ``as_of``.

    ``courses`` has the columns of a course file; prepare it once with :func:`prepare_courses` for several policies.
    ``students`` holds facts beside courses (see :data:`~gateway.core.gpa.students.FACTS`). ``approximate`` asks for the
    number where the policy gives one on request only; without ``check_dates`` a version need not be in force.

    Raises :class:`MappingError` (``policy.not-in-force``) when this version does not hold on ``as_of``.
    """
    if check_dates and not policy.in_force(as_of):
        raise MappingError(
            f"Version {policy.version} of the policy {policy.name} does not hold on {as_of}.",
            hint="Choose another version or date.",
            code="policy.not-in-force",
            place=Place(policy.file),
        )
    prepared = courses if isinstance(courses, Courses) else prepare_courses(courses)
    if policy.aggregate is Aggregate.ON_REQUEST_ONLY and not approximate:
        return _refused(policy, prepared)
    facts = read_students(students)
    few = None if trace or tuple(periods) != (Period.CUMULATIVE,) else compute_few(policy, prepared, facts)
    if few is not None:
        results = [GpaResult(policy, few, NO_PROBLEMS, None, storable=True)]
    else:
        results = [_one_period(policy, prepared, period, as_of, trace, facts, calendar) for period in periods]
    if policy.aggregate is Aggregate.ON_REQUEST_ONLY:
        results = [replace(each, gpas=_approximated(each.gpas), storable=False) for each in results]
    return results[0] if len(results) == 1 else _together(results)


def _approximated(gpas: pl.DataFrame) -> pl.DataFrame:
    known = pl.col("state").is_in([State.COMPUTED, State.SO_FAR])
    return added(gpas, pl.when(known).then(pl.lit(State.APPROXIMATION)).otherwise("state").alias("state"))


def _together(results: Sequence[GpaResult]) -> GpaResult:
    """The results of several periods as one."""
    traces = [each.trace for each in results if each.trace is not None]
    return replace(
        results[0],
        gpas=pl.concat([each.gpas for each in results]),
        problems=pl.concat([each.problems for each in results]).unique(maintain_order=True),
        trace=pl.concat(traces) if traces else None,
    )


def _one_period(
    policy: Policy,
    courses: Courses,
    period: Period,
    as_of: date,
    trace: bool,
    students: pl.DataFrame,
    calendar: Calendar | None,
) -> GpaResult:
    counted = count_courses(policy, courses, as_of=as_of, calendar=calendar, projected=period is Period.PROJECTED)
    counted = leave_out_late(policy, courses, counted, students)
    rows = cap_courses(policy, courses, resolve_repeats(policy, courses, counted))
    if policy.kind is Kind.SEMESTERS:
        rows = count_semesters(policy, courses, rows)
    if policy.kind is Kind.SELECTION:
        rows = prepare_selection(policy, courses, rows, students)
    rows = added(rows, *quality_columns(policy), _period_key(period, courses).alias("period"))
    sums = sum_courses(policy, rows, period, alone=len(courses.students) == 1 and rows[STUDENT].null_count() == 0)
    if policy.kind is Kind.SELECTION:
        rows, sums = select_courses(policy, courses, rows, sums, students, as_of=as_of, trace=trace)
    found = finish(policy, sums, courses, students)
    sound = not sums["problem"].any() and rows[STUDENT].null_count() == 0
    problems = NO_PROBLEMS if sound else problem_table(policy, rows, courses)
    gpas = selected(found if sound else with_reasons(found, problems), *shown_columns(policy))
    traced = build_trace(policy, courses, rows, counted.grades) if trace else None
    return GpaResult(policy, gpas, problems, traced, storable=True)


def _refused(policy: Policy, courses: Courses) -> GpaResult:
    reason = f"The school aggregates no GPA ({policy.title}); an approximation is made on request only."
    gpas = pl.DataFrame({"student_id": courses.students}, schema={"student_id": pl.String}).select(
        "student_id",
        pl.lit(policy.name).alias("policy"),
        pl.lit(policy.version).alias("version"),
        pl.lit(None, SCORE).alias("gpa"),
        pl.lit(State.REFUSED.value).alias("state"),
        pl.lit(None, SCORE).alias("credits"),
        pl.lit(None, QUALITY).alias("quality_points"),
        pl.lit(None, pl.Int64).alias("courses_used"),
        pl.lit(Period.CUMULATIVE.value).alias("period"),
        pl.lit(None, pl.String).alias("standing"),
        pl.lit(reason).alias("reason"),
        pl.lit(None, SCORE).alias("credits_earned"),
    )
    return GpaResult(policy, gpas, NO_PROBLEMS, None, storable=False)


def _period_key(period: Period, courses: Courses) -> pl.Expr:
    """The text that names the period of a row; rows without a year or a term belong to none of those."""
    if period in (Period.CUMULATIVE, Period.PROJECTED):
        return pl.lit(period.value)
    year = pl.col("year").cast(pl.String)
    if period is Period.YEAR:
        return year
    return year + " " + lookup("term_code", courses.vocabulary["term"], pl.String())
