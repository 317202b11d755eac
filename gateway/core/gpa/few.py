"""GPAs of few students, course by course: what one API call needs, where tables would only be overhead.

It asks the same tables of grades, words and selections as the calculation for all students at once, and gives the same
rows; a property test holds the two together. A trace, dates of students and whatever makes a GPA wait are left to the
tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.gpa.attempts import Attempt
from gateway.core.gpa.courses import FEW_ROWS, Courses
from gateway.core.gpa.few_courses import Course, Judge, OddError
from gateway.core.gpa.few_groups import check_cap, count_window, resolve
from gateway.core.gpa.policy import Policy, Selection, Weigh
from gateway.core.gpa.result import COLUMNS, FURTHER, QUALITY, Period, State
from gateway.core.gpa.selection import LAST_GRADE
from gateway.core.gpa.selection_exact import Best, Item, TooHardError, best_selection
from gateway.core.gpa.selection_plan import HUNDREDTH, make_plan
from gateway.core.gpa.standing import standing_of
from gateway.core.gpa.totals import shares_of
from gateway.core.mapping.rounding import MICROS
from gateway.core.model import SCORE


@dataclass(slots=True)
class _Sums:
    """The exact sums of one student, as :func:`~gateway.core.gpa.totals.sum_courses` makes them."""

    quality: int = 0
    units: int = 0
    after: int = 0
    earned: int = 0
    courses_used: int = 0
    selection_met: bool | None = None
    progression_met: bool | None = None


def compute_few(policy: Policy, courses: Courses, students: pl.DataFrame) -> pl.DataFrame | None:
    """The cumulative GPAs, one row a student; nothing where only tables can judge."""
    attempts = courses.attempts
    if not attempts or len(students) > FEW_ROWS or not _plain(policy, attempts, students):
        return None
    facts = {row["student_id"]: row for row in students.iter_rows(named=True)}
    judge = Judge(policy, courses.given)
    of_student: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        of_student[attempt.student_id].append(attempt)
    try:
        rows = [
            _row(policy, student, _sums(judge, of_student[student]), facts.get(student, {}))
            for student in sorted(of_student)
        ]
    except (OddError, TooHardError):
        return None
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _plain(policy: Policy, attempts: Sequence[Attempt], students: pl.DataFrame) -> bool:
    """Whether neither the policy nor the courses have what only tables know."""
    scale = policy.scales[0]
    if len(policy.scales) > 1 or scale.first_year is not None or scale.last_year is not None:
        return False
    if policy.weighting is not None and policy.weighting.only_titles:
        return False
    selection = policy.selection
    if selection is None:
        return True
    dates = students["seventh_semester_on"].null_count() + students["graduated_on"].null_count()
    late = selection.after_units is not None and any((each.grade_level or 0) > LAST_GRADE for each in attempts)
    return not late and dates == 2 * len(students)


def _sums(judge: Judge, attempts: Sequence[Attempt]) -> _Sums:
    policy = judge.policy
    courses = [course for attempt in attempts if (course := judge.judge(attempt)) is not None]
    if policy.repeats is not None:
        if any(each.status is not None and judge.word("status", each.status) == "repeat" for each in attempts):
            raise OddError
        resolve(policy.repeats, courses)
    if policy.credit.at_most is not None:
        check_cap(policy.credit.at_most, courses)
    if policy.semesters is not None:
        count_window(judge, courses)
    sums = _added_up(policy, courses)
    return sums if policy.selection is None else _selected(judge, policy.selection, courses, sums)


def _added_up(policy: Policy, courses: Sequence[Course]) -> _Sums:
    sums, whole = _Sums(), shares_of(policy)
    for course in courses:
        sums.earned += course.earned
        if course.used and not course.repeated:
            shares = whole // course.averaged
            sums.quality += (course.points * course.units + course.bonus * MICROS) * shares
            sums.units += course.units * shares
            sums.after += course.weight
            sums.courses_used += 1
    return sums


def _selected(judge: Judge, selection: Selection, courses: Sequence[Course], sums: _Sums) -> _Sums:
    """``sums`` of the best selection; where none meets the requirements, those over all courses."""
    plan = make_plan(selection)
    best = best_selection(plan, list(_items(judge, selection, plan.cell_of, courses)))
    sums.selection_met, sums.progression_met = best is not None, best is not None and best.locked_met
    return sums if best is None else _of_selection(best, sums)


def _of_selection(best: Best, sums: _Sums) -> _Sums:
    sums.quality, sums.units = best.totals.quality * HUNDREDTH, best.units * HUNDREDTH
    sums.courses_used = best.totals.courses
    return sums


def _items(judge: Judge, selection: Selection, cells: Mapping[str, int], courses: Sequence[Course]) -> Iterator[Item]:
    """The attempts that can be chosen, in an order that does not depend on that of the input."""
    for row, course in enumerate(sorted((each for each in courses if each.used), key=_in_order)):
        attempt, early = course.attempt, False
        if selection.progression is not None:
            if attempt.grade_level is None:
                raise OddError
            early = attempt.grade_level <= selection.progression.last_grade_level
        hundredths, finer = divmod(course.units, HUNDREDTH)
        if finer or attempt.subject is None:
            raise OddError
        if not course.repeated or early:
            cell = cells[judge.word("subject", attempt.subject)]
            yield Item(row, cell, hundredths, course.points, early, course.attempts, not course.repeated)


def _in_order(course: Course) -> tuple[object, ...]:
    attempt = course.attempt
    year = attempt.year is None, attempt.year or 0
    return attempt.course_code, *year, attempt.term is None, attempt.term or "", course.points, attempt.line


def _row(policy: Policy, student: str, sums: _Sums, facts: Mapping[str, Any]) -> tuple[Any, ...]:
    exact, micros, state = sums.quality, None, State.NO_COURSES
    if policy.weighting is not None and policy.weighting.how is Weigh.ADD_AFTER_MEAN:
        exact += sums.after * sums.units
    if sums.units:
        micros = policy.round_gpa.of(exact, sums.units)
        state = State.SO_FAR if sums.selection_met is False else State.COMPUTED
    known = {**facts, "selection_met": sums.selection_met, "progression_met": sums.progression_met}
    shares = shares_of(policy)
    return (
        student, policy.name, policy.version, _decimal(micros), state.value, _decimal(sums.units // shares),
        _decimal(sums.quality // (MICROS * shares)), sums.courses_used, Period.CUMULATIVE.value,
        None if micros is None else standing_of(policy, exact, sums.units, micros, known), None, _decimal(sums.earned),
    )  # fmt: skip


def _decimal(micros: int | None) -> Decimal | None:
    return None if micros is None else Decimal(micros).scaleb(-6)


_TYPES: dict[str, pl.DataType] = {
    "gpa": SCORE, "credits": SCORE, "quality_points": QUALITY, "courses_used": pl.Int64(), "credits_earned": SCORE,
}  # fmt: skip
_SCHEMA = {name: _TYPES.get(name, pl.String()) for name in (*COLUMNS, *FURTHER)}
