"""What looks at several courses of one student: repeats, the cap of a course, windows and their bonus, one by one.

The same as :mod:`~gateway.core.gpa.repeats`, :mod:`~gateway.core.gpa.course_cap` and
:mod:`~gateway.core.gpa.semesters` do with columns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from gateway.core.gpa.few_courses import Course, Judge, OddError
from gateway.core.gpa.policy import Policy, Repeats, Weighting
from gateway.core.gpa.repeats import MOST_AVERAGED, season
from gateway.core.gpa.words import folded
from gateway.core.mapping.rounding import MICROS


def resolve(repeats: Repeats, courses: Iterable[Course]) -> None:
    """Mark the attempts that do not count, and those that share their credit. Raises :class:`OddError`."""
    groups: dict[tuple[str, bool, str], list[Course]] = defaultdict(list)
    for course in courses:
        name = course.attempt.course_code if "course_code" in repeats.same else course.attempt.title
        term = course.attempt.term if "term" in repeats.same else None
        if course.used and name is not None:
            groups[name, term is not None, term or ""].append(course)
    several = [groups[key] for key in sorted(groups) if len(groups[key]) > 1]
    for number, tries in enumerate(several, start=1):
        _decide(repeats, sorted(tries, key=_turn), number)


def _turn(course: Course) -> tuple[object, ...]:
    """The order of attempts: by time, as far as it is known; what is not known comes last."""
    attempt = course.attempt
    return (*_time(course), course.units, course.base, attempt.line)


def _time(course: Course) -> tuple[object, ...]:
    attempt = course.attempt
    season_of = (0, "") if attempt.term is None else (season(attempt.term), attempt.term)
    completed = "" if attempt.completed is None else attempt.completed.isoformat()
    return attempt.year is None, attempt.year or 0, not completed, completed, attempt.term is None, *season_of


def _decide(repeats: Repeats, tries: Sequence[Course], number: int) -> None:
    """Which of the attempts (in their order) counts, if the rule applies to them."""
    if repeats.keep == "latest" or repeats.only_after is not None:
        undated = any(each.attempt.year is None and each.attempt.completed is None for each in tries)
        if undated or len({_time(each) for each in tries}) < len(tries):
            raise OddError
    if repeats.only_after is not None and tries[0].grade not in repeats.only_after:
        return
    kept = list(tries)
    if repeats.keep == "latest":
        kept = [tries[-1]]
    elif repeats.keep == "highest":
        kept = [max(tries, key=lambda each: (each.points, each.base, each.units))]
    elif len(tries) > MOST_AVERAGED:
        raise OddError
    credited = max(kept, key=lambda each: each.earned)
    for each in tries:
        each.attempts = number
        each.averaged = len(tries) if repeats.keep == "average" else 1
        each.repeated = each not in kept
        each.earned = each.earned if each is credited else 0


def check_cap(most: int, courses: Iterable[Course]) -> None:
    """Raises :class:`OddError` where the parts of one course are together more than it can count."""
    units: dict[tuple[str, int | None], int] = defaultdict(int)
    for course in courses:
        if course.used and not course.repeated and course.averaged == 1 and course.attempt.shared:
            units[course.attempt.course_code, course.attempt.year] += course.units
    if any(each > most for each in units.values()):
        raise OddError


def count_window(judge: Judge, courses: Iterable[Course]) -> None:
    """``units`` as a number of grades, courses outside the window not used, and ``bonus``. Raises :class:`OddError`."""
    rules, counted = judge.policy.semesters, []
    assert rules is not None  # noqa: S101
    for course in courses:
        if not course.used or course.repeated:
            continue
        level = _counts_as(judge.policy, course)
        course.used = rules.first_grade_level <= level <= rules.last_grade_level
        if course.used:
            grades = _grades(judge, course)
            course.units = grades * MICROS
            counted.append((course, level, grades))
    if judge.policy.weighting is not None:
        _grant(judge.policy.weighting, counted)


def _counts_as(policy: Policy, course: Course) -> int:
    """The grade level that a course counts for."""
    rules, attempt = policy.semesters, course.attempt
    if rules is None or attempt.grade_level is None:
        raise OddError
    if attempt.term is None or folded(attempt.term) not in rules.summer_terms:
        return attempt.grade_level
    after = attempt.grade_level - rules.summer_before
    return after + (after == rules.first_grade_level - 1)


def _grades(judge: Judge, course: Course) -> int:
    """How many semester grades a course is."""
    rules, level = judge.policy.semesters, course.attempt.level
    if rules is None:
        raise OddError
    if level is not None and judge.word("level", level) in rules.one_grade_levels:
        return 1
    grades, rest = divmod(course.units, rules.credit)
    if rest:
        raise OddError
    return grades


def _grant(weighting: Weighting, counted: Iterable[tuple[Course, int, int]]) -> None:
    """``bonus`` for as many grades as the caps allow, the larger weights and earlier lines first."""
    earning = sorted(
        (each for each in counted if each[0].weight > 0),
        key=lambda each: (-each[0].weight, each[1], each[0].attempt.course_code, each[0].attempt.line),
    )
    left = {level: cap // MICROS for level, cap in weighting.cap_grade_levels.items()}
    whole = None if weighting.cap_total is None else weighting.cap_total // MICROS
    for course, level, grades in earning:
        granted = grades
        if level in left:
            granted = min(granted, max(left[level], 0))
            left[level] -= grades
        if whole is not None:
            granted, whole = min(granted, max(whole, 0)), whole - granted
        course.bonus = course.weight * granted
