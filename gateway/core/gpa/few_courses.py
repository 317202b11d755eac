"""Single courses judged by a policy, one by one: what :mod:`gateway.core.gpa.counting` does with columns.

Only courses that count, or plainly do not, are judged here. Whatever makes a GPA wait is left to the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from gateway.core.gpa.attempts import Attempt
from gateway.core.gpa.cells import UNCLEAR
from gateway.core.gpa.filters import canonical
from gateway.core.gpa.grades import Cell, Reading, read_grade, read_status
from gateway.core.gpa.policy import Do, NumberBand, Policy, Weigh
from gateway.core.gpa.words import folded
from gateway.core.mapping.rounding import MICROS, Rounding

Word: TypeAlias = "tuple[str, str | None]"
"""A column and what stands there."""

_WHOLE = Rounding(1)


class OddError(Exception):
    """Something that only the calculation in tables can judge or tell of."""


@dataclass(slots=True, eq=False)
class Course:
    """A course that counts, or gives credit only (then not ``used``); numbers are micros.

    ``repeated``: another attempt counts. ``averaged``: how many attempts share the credit. ``attempts``: the number
    that the attempts of one course have in common.
    """

    attempt: Attempt
    earned: int
    used: bool = False
    grade: str | None = None
    base: int = 0
    weight: int = 0
    points: int = 0
    units: int = 0
    repeated: bool = False
    averaged: int = 1
    attempts: int | None = None
    bonus: int = 0


class Judge:
    """What one policy makes of courses; each word is asked once."""

    def __init__(self, policy: Policy, given: frozenset[str]) -> None:
        self.policy = policy
        self.scale = policy.scales[0]
        self._given = given
        self._filters = [
            *((column, values, True) for column, values in policy.courses.only.items()),
            *((column, values, False) for column, values in policy.courses.leave_out.items()),
        ]
        self._known: dict[Word, str] = {}
        self._grades: dict[str | None, Reading] = {}
        self._states: dict[str | None, Reading | None] = {None: None}
        self._subjects = frozenset(policy.words["subject"].values())

    def judge(self, attempt: Attempt) -> Course | None:
        """The course, or nothing if it is left out. Raises :class:`OddError`."""
        if not self._can_count(attempt):
            return None
        reading = self._reading(attempt)
        if reading.cell is Cell.LEAVE_OUT:
            return None
        units = self._units(attempt)
        if reading.cell is Cell.CREDIT_ONLY:
            return Course(attempt, units or 0)
        if units == 0:
            return None
        grade, base = self._worth(reading)
        weight, weighted = self._weight(attempt, grade)
        if units is None:
            raise OddError
        failed = grade in self.scale.failing
        if failed and self.policy.credit.basis == "earned":
            return None
        points = self._points(base, weight, weighted=weighted)
        return Course(attempt, 0 if failed else units, True, grade, base, weight, points, units)

    def word(self, column: str, word: str) -> str:
        """The word used here for one of the file."""
        known = self._known.get((column, word))
        if known is None:
            known = self._known[column, word] = canonical(self.policy, column, word)
        return known

    def _can_count(self, attempt: Attempt) -> bool:
        """Whether no filter leaves the course out."""
        unclear = False
        for column, values, wanted in self._filters:
            among = self._among(attempt, column, values)
            if among is (not wanted):
                return False
            unclear |= among is None
        if self.policy.selection is not None:
            subject = None if attempt.subject is None else self.word("subject", attempt.subject)
            if subject in self._subjects and subject not in self.policy.selection.subjects:
                return False
            unclear |= subject not in self._subjects
        if unclear:
            raise OddError
        return True

    def _among(self, attempt: Attempt, column: str, values: frozenset[str]) -> bool | None:
        """Whether the course has one of the values; nothing where that cannot be told."""
        if column not in self._given:
            return None
        if column in ("core", "ag"):
            flag = attempt.core if column == "core" else attempt.ag
            return None if flag == UNCLEAR else bool(flag) is ("true" in values)
        if column in ("grade_level", "school_year"):
            number = attempt.grade_level if column == "grade_level" else attempt.year
            return None if number is None else number in {int(value) for value in values}
        word: str | None = getattr(attempt, column)
        if word is None:
            return None
        if column == "term":
            return folded(word) in {folded(value) for value in values}
        return (self.word(column, word) if column in ("subject", "level") else word) in values

    def _reading(self, attempt: Attempt) -> Reading:
        """A mark with a consequence decides, then the status, then the grade, or the score in its place."""
        scale = self.scale
        if attempt.grade not in self._grades:
            blank = Reading(Cell.EMPTY if scale.empty is Do.WAIT else Cell.LEAVE_OUT)
            read = blank if attempt.grade is None else read_grade(self.policy, scale, attempt.grade)
            self._grades[attempt.grade] = read
        reading = self._grades[attempt.grade]
        if attempt.status not in self._states:
            self._states[attempt.status] = read_status(self.policy, scale, attempt.status or "", projected=False)
        state = self._states[attempt.status]
        if reading.marked or state is not None or not scale.reads_numbers or attempt.score is None:
            return reading if reading.marked or state is None else state
        replaces = attempt.grade is None or (scale.prefer_score and reading.cell in (Cell.GRADE, Cell.UNKNOWN))
        if replaces or (scale.prefer_score and reading.cell is Cell.NUMBER):
            return Reading(Cell.NUMBER, number=attempt.score)
        return reading

    def _units(self, attempt: Attempt) -> int | None:
        """What the course counts; nothing where its credit is missing or absurd."""
        credit = self.policy.credit
        if credit.basis == "each_course":
            return MICROS
        given = attempt.credit
        if given is None and attempt.term is not None:
            given = credit.by_term.get(folded(attempt.term))
        if given is not None and credit.times != 1:
            given = _WHOLE.of(given * int(credit.times * MICROS), MICROS)
        if given is None or given > credit.absurd_above:
            return None
        return given if credit.at_most is None else min(given, credit.at_most)

    def _worth(self, reading: Reading) -> tuple[str | None, int]:
        """The grade that the course counts as, if it is one of the table, and its points."""
        scale, grade, number = self.scale, reading.grade, None
        if reading.cell is Cell.NUMBER:
            grade, number = self._of_number(reading.number)
        elif reading.cell is not Cell.GRADE:
            raise OddError
        base = number if grade is None else scale.points.get(grade, number)
        if base is None:
            raise OddError
        return grade, base

    def _of_number(self, given: int | None) -> tuple[str | None, int | None]:
        """The grade and the points of a number grade."""
        scale = self.scale
        number = given if given is None or scale.round is None else scale.round.of(given, 1)
        if number is None or not scale.lowest <= number <= scale.highest:
            raise OddError
        if scale.times is not None:
            return None, _WHOLE.of(number * scale.times, MICROS) + scale.plus
        band = next((band for band in scale.bands if _falls(number, band)), None)
        if band is None or band.wait:
            raise OddError
        return band.grade, _points_in(number, band)

    def _weight(self, attempt: Attempt, grade: str | None) -> tuple[int, bool]:
        """The weight of the course's level, and whether it changes anything."""
        weighting = self.policy.weighting
        if weighting is None:
            return 0, False
        neutral = MICROS if weighting.how is Weigh.MULTIPLY else 0
        only = weighting.only_grades
        eligible = grade not in self.scale.failing if only is None else grade in only
        if not eligible:
            return neutral, False
        found = weighting.empty_level
        if attempt.level is not None:
            found = weighting.levels.get(self.word("level", attempt.level), weighting.other_levels)
        if found is None:
            raise OddError
        if weighting.at_most is not None:
            found = min(found, weighting.at_most)
        return found, found != neutral

    def _points(self, base: int, weight: int, *, weighted: bool) -> int:
        """The points of the course with its weight."""
        policy, weighting, points = self.policy, self.policy.weighting, base
        if weighting is not None and weighting.how is Weigh.ADD and policy.semesters is None:
            points += weight
        if weighting is not None and weighting.how is Weigh.MULTIPLY:
            points = (policy.round_points or _WHOLE).of(points * weight, MICROS)
        elif policy.round_points is not None:
            points = policy.round_points.of(points, 1)
        if weighted and weighting is not None and weighting.points_at_most is not None:
            points = min(points, weighting.points_at_most)
        return points


def _falls(number: int, band: NumberBand) -> bool:
    return (band.low is None or number >= band.low) and (band.high is None or number <= band.high)


def _points_in(number: int, band: NumberBand) -> int | None:
    if band.points_low is None or band.points is None or band.high is None or band.high == band.low:
        return band.points
    low = band.low or 0
    return _WHOLE.of((number - low) * (band.points - band.points_low), band.high - low) + band.points_low
