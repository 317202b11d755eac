"""What a grade cell and a status mean under a policy: a grade, a number, a mark with its consequence, or unknown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

import polars as pl

from gateway.core.gpa.courses import Courses
from gateway.core.gpa.filters import canonical, lookup
from gateway.core.gpa.policy import Action, Do, NumberBand, Policy, Scale
from gateway.core.gpa.words import plain_grade
from gateway.core.mapping.rounding import MICROS, Rounding, to_micros
from gateway.core.mapping.scales import read_number

_WHOLE = Rounding(1)


class Cell(IntEnum):
    """What a grade cell, or a status, turns out to be."""

    GRADE = 0
    NUMBER = 1
    LEAVE_OUT = 2
    CREDIT_ONLY = 3
    WAIT = 4
    DEADLINE = 5
    UNKNOWN = 6
    EMPTY = 7


_DO = {Do.LEAVE_OUT: Cell.LEAVE_OUT, Do.CREDIT_ONLY: Cell.CREDIT_ONLY, Do.WAIT: Cell.WAIT, Do.DEADLINE: Cell.DEADLINE}
_DEFAULT_STATUS = {"completed": Do.COUNT, "repeat": Do.COUNT, "in_progress": Do.LEAVE_OUT, "audit": Do.LEAVE_OUT}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days without school beside Saturdays and Sundays, known until ``until``."""

    closed: frozenset[date]
    until: date

    def school_days(self, after: date, through: date) -> int:
        """School days after ``after``, through ``through``."""
        days = (after + timedelta(days=n + 1) for n in range((through - after).days))
        return sum(1 for day in days if day.weekday() < 5 and day not in self.closed)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one text means: the grade of the table or the number (micros) that it counts as, if any."""

    cell: Cell
    grade: str | None = None
    number: int | None = None
    marked: bool = False


def read_grade(policy: Policy, scale: Scale, text: str) -> Reading:
    """The meaning of one grade text."""
    plain = plain_grade(text)
    action = policy.marks.get(plain)
    if action is not None:
        return read_action(policy, scale, action)
    if scale.ignore_signs and len(plain) > 1 and plain.rstrip("+-") in scale.points:
        plain = plain.rstrip("+-")
    if plain in scale.points:
        return Reading(Cell.GRADE, plain)
    number = read_number(plain)
    if number is not None and scale.reads_numbers:
        return Reading(Cell.NUMBER, number=to_micros(number))
    return Reading(Cell.UNKNOWN)


def read_action(policy: Policy, scale: Scale, action: Action) -> Reading:
    """The meaning of a mark or a status with this consequence."""
    if action.grade is None:
        return Reading(_DO[action.do], marked=True)
    target = read_grade(policy, scale, action.grade)
    cell = Cell.DEADLINE if action.do is Do.DEADLINE else target.cell
    return Reading(cell, target.grade, target.number, marked=True)


def read_status(policy: Policy, scale: Scale, word: str, *, projected: bool) -> Reading | None:
    """The meaning of one status; ``None`` leaves it to the grade."""
    status = canonical(policy, "status", word)
    action = policy.status.get(status) or (Action(_DEFAULT_STATUS[status]) if status in _DEFAULT_STATUS else None)
    if action is None:
        return Reading(Cell.UNKNOWN, marked=True)
    if action.do is Do.COUNT or (projected and status == "in_progress"):
        return None
    return read_action(policy, scale, action)


def grade_readings(policy: Policy, scale: Scale, courses: Courses) -> list[Reading]:
    """What each grade text of the courses means; the last one is for an empty cell."""
    readings = [read_grade(policy, scale, text) for text in courses.vocabulary["grade"]]
    return [*readings, Reading(Cell.EMPTY if scale.empty is Do.WAIT else Cell.LEAVE_OUT)]


def status_readings(policy: Policy, scale: Scale, courses: Courses, *, projected: bool) -> list[Reading | None]:
    """What each status text means; ``None`` leaves it to the grade."""
    return [read_status(policy, scale, word, projected=projected) for word in courses.vocabulary["status"]]


def reading_columns(
    readings: Sequence[Reading | None], codes: str, prefix: str, grades: Sequence[str]
) -> list[pl.Expr]:
    """``<prefix>_cell``, ``_grade`` (a position in ``grades``), ``_number`` and ``_marked``, by code.

    The last reading of grades is for an empty cell; an empty status leaves all columns empty.
    """
    if not readings:
        return []
    position = {grade: number for number, grade in enumerate(grades)}
    cells = [None if each is None else int(each.cell) for each in readings]
    counted = [None if each is None or each.grade is None else position.get(each.grade) for each in readings]
    numbers = [None if each is None else each.number for each in readings]
    marked = [None if each is None else each.marked for each in readings]
    return [
        lookup(codes, cells, pl.UInt8()).alias(f"{prefix}_cell"),
        lookup(codes, counted, pl.Int16()).alias(f"{prefix}_grade"),
        lookup(codes, numbers, pl.Int64()).alias(f"{prefix}_number"),
        lookup(codes, marked, pl.Boolean()).alias(f"{prefix}_marked"),
    ]


def deadline_passed(policy: Policy, courses: Courses, as_of: date, calendar: Calendar | None) -> pl.Expr:
    """Whether the deadline of the row's mark (or else of its status) has passed; empty where that is not known."""
    passed = pl.lit(None, pl.Boolean)
    for code, word in enumerate(courses.vocabulary["status"]):
        action = policy.status.get(canonical(policy, "status", word))
        if action is not None and action.do is Do.DEADLINE:
            fits = (pl.col("status_code") == code).fill_null(False)
            passed = pl.when(fits).then(_has_passed(action, courses, as_of, calendar)).otherwise(passed)
    for code, text in enumerate(courses.vocabulary["grade"]):
        action = policy.marks.get(plain_grade(text))
        if action is not None and action.do is Do.DEADLINE:
            fits = (pl.col("grade_code") == code).fill_null(False)
            passed = pl.when(fits).then(_has_passed(action, courses, as_of, calendar)).otherwise(passed)
    return passed


def _has_passed(action: Action, courses: Courses, as_of: date, calendar: Calendar | None) -> pl.Expr:
    days = courses.rows["completed"].unique().drop_nulls().to_list()
    answers = pl.Series([_passed(action, day, as_of, calendar) for day in days], dtype=pl.Boolean)
    if not days:
        return pl.lit(None, pl.Boolean)
    return pl.col("completed").replace_strict(days, answers, default=None, return_dtype=pl.Boolean)


def _passed(action: Action, day: date, as_of: date, calendar: Calendar | None) -> bool | None:
    if not action.school_days:
        return (as_of - day).days > action.days
    if calendar is not None and calendar.until >= as_of:
        return calendar.school_days(day, as_of) > action.days
    # Without a calendar only this is sure: there are never more school days than weekdays.
    weekdays = Calendar(frozenset(), as_of).school_days(day, as_of)
    return False if weekdays <= action.days else None


def number_band(scale: Scale) -> pl.Expr:
    """The position of the band that the column ``number`` falls into; empty if none."""
    return _first_band(scale.bands, lambda position, band: pl.lit(position, pl.Int64))


def number_points(scale: Scale) -> pl.Expr:
    """The points that the scale gives to ``number`` itself: a band's, interpolated, or of the linear formula."""
    if scale.times is not None:
        return _WHOLE.ratio(pl.col("number") * scale.times, pl.lit(MICROS, pl.Int64)) + scale.plus
    return _first_band(scale.bands, lambda position, band: _points_in(band))


def _points_in(band: NumberBand) -> pl.Expr:
    if band.points_low is None or band.points is None or band.high is None or band.high == band.low:
        return pl.lit(band.points, pl.Int64)
    low = band.low or 0
    share = (pl.col("number") - low) * (band.points - band.points_low)
    return _WHOLE.ratio(share, pl.lit(band.high - low, pl.Int64)) + band.points_low


def _first_band(bands: Sequence[NumberBand], value: Callable[[int, NumberBand], pl.Expr]) -> pl.Expr:
    found = pl.lit(None, pl.Int64)
    for position, band in reversed(list(enumerate(bands))):
        fits = pl.lit(True) if band.low is None else pl.col("number") >= band.low
        if band.high is not None:
            fits = fits & (pl.col("number") <= band.high)
        found = pl.when(fits.fill_null(False)).then(value(position, band)).otherwise(found)
    return found
