"""What one policy makes of each course: used or set aside and why, its points, weight and units, or a problem.

Everything is an expression over columns. What depends on a grade, a level, a subject or a status alone is asked once
for each distinct value and looked up by its code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import polars as pl

from gateway.core.gpa.courses import ROW, SHARED, STUDENT, Courses
from gateway.core.gpa.filters import filter_expressions, lookup, word_among
from gateway.core.gpa.frames import added, built_once, selected
from gateway.core.gpa.grades import (
    Calendar,
    Cell,
    deadline_passed,
    grade_readings,
    number_band,
    number_points,
    reading_columns,
    status_readings,
)
from gateway.core.gpa.points import credit_columns, points_column, weight_columns
from gateway.core.gpa.policy import Do, Policy, Scale
from gateway.core.gpa.problems import ALWAYS, Problem

_WAITING = {
    Cell.EMPTY: Problem.GRADE_MISSING, Cell.WAIT: Problem.GRADE_WAITS, Cell.DEADLINE: Problem.DEADLINE_UNKNOWN,
}  # fmt: skip


class Why(IntEnum):
    """Why a course is not in the GPA; ``USED`` is in it."""

    USED = 0
    FILTERED = 1
    MARK = 2
    STATUS = 3
    CREDIT_ONLY = 4
    NOT_EARNED = 5
    NO_CREDIT = 6
    NO_GRADE_YET = 7
    REPEATED = 8
    OUTSIDE_WINDOW = 9
    NOT_CHOSEN = 10
    DEADLINE_OPEN = 11
    AFTER_GRADUATION = 12
    FULL = 13


@dataclass(frozen=True, slots=True)
class Counted:
    """One row a course: ``why``, ``fault``, ``grade_number`` (a position in ``grades``), ``base``, ``weight``,
    ``points``, ``units``, ``earned`` (micros), beside student, row and what the next steps need."""

    rows: pl.DataFrame
    grades: tuple[str, ...]


def count_courses(
    policy: Policy, courses: Courses, *, as_of: date, calendar: Calendar | None = None, projected: bool = False
) -> Counted:
    """Judge every course by ``policy``, except for repeats, windows and selections, which look at several rows."""
    grades = tuple(sorted({grade for scale in policy.scales for grade in scale.points}))
    dated = [scale for scale in policy.scales if scale.first_year is not None or scale.last_year is not None]
    if not dated:
        rows = courses.rows
        return Counted(_count(policy, policy.scales[0], courses, rows, grades, as_of, calendar, projected), grades)
    parts, left = [], pl.lit(True)
    for scale in policy.scales:
        holds = _holds(scale)
        rows = courses.rows.filter(left & holds)
        left = left & ~holds
        parts.append(_count(policy, scale, courses, rows, grades, as_of, calendar, projected))
    outside = _count(policy, policy.scales[0], courses, courses.rows.filter(left), grades, as_of, calendar, projected)
    undated = pl.when(pl.col("why") != int(Why.FILTERED)).then(Problem.YEAR_OUTSIDE.number).otherwise(pl.col("fault"))
    parts.append(outside.with_columns(undated.cast(pl.UInt8).alias("fault")))
    return Counted(pl.concat(parts).sort(ROW), grades)


def _holds(scale: Scale) -> pl.Expr:
    year = pl.col("year")
    first = True if scale.first_year is None else year >= scale.first_year
    last = True if scale.last_year is None else year <= scale.last_year
    return (year.is_not_null() & first & last).fill_null(False)


def _count(
    policy: Policy,
    scale: Scale,
    courses: Courses,
    rows: pl.DataFrame,
    grades: tuple[str, ...],
    as_of: date,
    calendar: Calendar | None,
    projected: bool,
) -> pl.DataFrame:
    readings = grade_readings(policy, scale, courses)
    states = status_readings(policy, scale, courses, projected=projected)
    cells = frozenset(each.cell for each in (*readings, *states) if each is not None)
    filtered, filter_fault = filter_expressions(policy, courses)
    first = (
        []
        if filtered is None or filter_fault is None
        else [filtered.alias("filtered"), filter_fault.alias("filter_fault")]
    )
    if projected:
        first.append(
            word_among("status", frozenset({"in_progress"}), policy, courses).fill_null(False).alias("in_progress")
        )
    if Cell.DEADLINE in cells:
        first.append(deadline_passed(policy, courses, as_of, calendar).alias("passed"))
    frame = added(
        rows,
        pl.col("grade_code").fill_null(len(readings) - 1).alias("grade_slot"),
        *reading_columns(states, "status_code", "state", grades),
        *credit_columns(policy, courses),
        *first,
    )
    frame = added(frame, *reading_columns(readings, "grade_slot", "grade", grades))
    frame = added(frame, *_decide(scale, by_status=bool(states), deadlines=Cell.DEADLINE in cells))
    if scale.reads_numbers:
        frame = added(frame, number_band(scale).alias("band"), number_points(scale).alias("number_points"))
    frame = added(frame, _grade_number(scale, grades).alias("grade_number"))
    frame = added(frame, _base(scale, grades).alias("base"), *weight_columns(policy, scale, courses, grades))
    why = _why(policy, scale, grades, cells, filtered=filtered is not None, projected=projected)
    frame = added(frame, points_column(policy).alias("points"), why.alias("why"))
    fault = _fault(scale, cells, filtered=filtered is not None, weighted=policy.weighting is not None)
    return selected(frame, *_results(scale, grades), fault.alias("fault"))


@built_once
def _decide(scale: Scale, *, by_status: bool, deadlines: bool) -> list[pl.Expr]:
    """``cell`` and ``number``: a mark with a consequence decides, then the status, then the grade."""
    cell, grade, number = pl.col("grade_cell"), pl.col("grade_grade"), pl.col("grade_number")
    marked = pl.col("grade_marked")
    by_state = pl.lit(False)
    if by_status:
        by_state = pl.col("state_cell").is_not_null() & ~marked
        cell = pl.when(by_state).then("state_cell").otherwise(cell)
        grade = pl.when(by_state).then("state_grade").otherwise(grade)
        number = pl.when(by_state).then("state_number").otherwise(number)
        marked = marked | by_state
    if scale.reads_numbers:
        score = pl.when(~marked).then("score_micros")
        value = pl.coalesce(score, number) if scale.prefer_score else pl.coalesce(number, score)
        replaces = pl.col("grade_code").is_null()
        if scale.prefer_score:
            replaces = replaces | cell.is_in([int(Cell.GRADE), int(Cell.UNKNOWN)])
        cell = pl.when(score.is_not_null() & replaces).then(pl.lit(int(Cell.NUMBER), pl.UInt8)).otherwise(cell)
        number = value if scale.round is None else scale.round.ratio(value, pl.lit(1, pl.Int64))
    if deadlines:
        due = (cell == int(Cell.DEADLINE)) & pl.col("passed").fill_null(False)
        target = pl.when(grade.is_not_null()).then(int(Cell.GRADE)).otherwise(int(Cell.NUMBER)).cast(pl.UInt8)
        cell = pl.when(due).then(target).otherwise(cell)
    return [cell.alias("cell"), grade.alias("decided_grade"), number.alias("number"), by_state.alias("by_state")]


@built_once
def _grade_number(scale: Scale, grades: tuple[str, ...]) -> pl.Expr:
    """The grade of the table that the course counts as; empty for points that come straight from a number."""
    given = pl.when(pl.col("cell") == int(Cell.GRADE)).then("decided_grade")
    if not scale.bands:
        return given
    position = {grade: number for number, grade in enumerate(grades)}
    of_band = [None if band.grade is None else position.get(band.grade) for band in scale.bands]
    return given.when(pl.col("cell") == int(Cell.NUMBER)).then(lookup("band", of_band, pl.Int16()))


@built_once
def _base(scale: Scale, grades: tuple[str, ...]) -> pl.Expr:
    table = [scale.points.get(grade) for grade in grades]
    by_grade = lookup("grade_number", table, pl.Int64())
    if not scale.reads_numbers:
        return by_grade
    return pl.coalesce(by_grade, pl.when(pl.col("cell") == int(Cell.NUMBER)).then("number_points"))


@built_once
def _why(
    policy: Policy, scale: Scale, grades: tuple[str, ...], cells: frozenset[Cell], *, filtered: bool, projected: bool
) -> pl.Expr:
    """Why a course is set aside. Only what can occur among ``cells`` is asked."""
    cell = pl.col("cell")
    asked: list[tuple[pl.Expr, pl.Expr | Why]] = []
    if filtered:
        asked.append((pl.col("filtered"), Why.FILTERED))
    if Cell.LEAVE_OUT in cells:
        aside = pl.when(pl.col("by_state")).then(int(Why.STATUS)).otherwise(int(Why.MARK))
        if scale.empty is Do.LEAVE_OUT:
            blank = pl.col("grade_code").is_null() & ~pl.col("by_state")
            aside = pl.when(blank).then(int(Why.NO_GRADE_YET)).otherwise(aside)
        asked.append((cell == int(Cell.LEAVE_OUT), aside))
    if Cell.CREDIT_ONLY in cells:
        asked.append((cell == int(Cell.CREDIT_ONLY), Why.CREDIT_ONLY))
    if Cell.DEADLINE in cells:
        asked.append(((cell == int(Cell.DEADLINE)) & ~pl.col("passed"), Why.DEADLINE_OPEN))
    if projected:
        asked.append(((cell == int(Cell.EMPTY)) & pl.col("in_progress"), Why.NO_GRADE_YET))
    asked.append((pl.col("units") == 0, Why.NO_CREDIT))
    if policy.credit.basis == "earned":
        asked.append((_failed(scale, grades), Why.NOT_EARNED))
    return _first_of(asked, int(Why.USED))


def _first_of(asked: Sequence[tuple[pl.Expr, pl.Expr | IntEnum]], otherwise: int | pl.Expr) -> pl.Expr:
    """The answer of the first question that holds."""
    answer: pl.Expr = pl.lit(otherwise, pl.UInt8) if isinstance(otherwise, int) else otherwise
    for holds, said in reversed(asked):
        answer = (
            pl.when(holds).then(said if isinstance(said, pl.Expr) else pl.lit(int(said), pl.UInt8)).otherwise(answer)
        )
    return answer.cast(pl.UInt8)


def _failed(scale: Scale, grades: tuple[str, ...]) -> pl.Expr:
    return lookup("grade_number", [grade in scale.failing for grade in grades], pl.Boolean()).fill_null(False)


@built_once
def _fault(scale: Scale, cells: frozenset[Cell], *, filtered: bool, weighted: bool) -> pl.Expr:
    """The number of the problem of a course that would count; 0 is none. Only what can occur is asked."""
    cell, why = pl.col("cell"), pl.col("why")
    nothing = pl.lit(0, pl.UInt8)
    asked: list[tuple[pl.Expr, pl.Expr]] = [(pl.col("fault").is_in(ALWAYS), pl.col("fault"))]
    if filtered:
        asked.append((why == int(Why.FILTERED), nothing))
        asked.append((pl.col("filter_fault") > 0, pl.col("filter_fault")))
    asked.append((pl.col("fault") > 0, pl.col("fault")))
    asked.append(((why > 0) & (why != int(Why.NOT_EARNED)), nothing))
    if Cell.UNKNOWN in cells:
        unknown = pl.when("by_state").then(Problem.STATUS_UNKNOWN.number).otherwise(Problem.GRADE_UNKNOWN.number)
        asked.append((cell == int(Cell.UNKNOWN), unknown))
    for which, problem in _WAITING.items():
        if which in cells:
            asked.append((cell == int(which), pl.lit(problem.number, pl.UInt8)))
    if scale.reads_numbers:
        number = cell == int(Cell.NUMBER)
        outside = (~pl.col("number").is_between(scale.lowest, scale.highest)).fill_null(True)
        asked.append((number & outside, pl.lit(Problem.GRADE_OUTSIDE.number, pl.UInt8)))
        if scale.bands:
            wait = lookup("band", [band.wait for band in scale.bands], pl.Boolean()).fill_null(True)
            asked.append((number & wait, pl.lit(Problem.GRADE_UNDEFINED.number, pl.UInt8)))
    asked.append((pl.col("base").is_null(), pl.lit(Problem.GRADE_UNKNOWN.number, pl.UInt8)))
    asked.append((pl.col("credit_fault") > 0, pl.col("credit_fault")))
    return _first_of(asked, pl.col("level_fault") if weighted else 0)


@built_once
def _results(scale: Scale, grades: tuple[str, ...]) -> list[pl.Expr]:
    passed = (pl.col("why") == int(Why.USED)) & ~_failed(scale, grades)
    graded = passed & pl.col("base").is_not_null()
    sound = (pl.col("fault") == 0) & (pl.col("credit_fault") == 0)
    earned = pl.when(sound & (graded | (pl.col("why") == int(Why.CREDIT_ONLY)))).then("units").otherwise(0).fill_null(0)
    return [
        pl.col(
            ROW, STUDENT, SHARED, "line", "course_code", "repeat_of", "year", "term_code", "subject_code", "level_code"
        ),
        pl.col("status_code", "level_of_student", "completed", "why", "grade_number", "number", "base", "weight"),
        pl.col("weighted", "points", "units"),
        earned.alias("earned"),
    ]
