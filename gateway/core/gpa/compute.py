"""Computes GPAs: many students at once, one row a student, exact, with what stands in the way instead of a guess."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

import polars as pl

from gateway.core.errors import MappingError, Place
from gateway.core.gpa.counting import Why, count_courses
from gateway.core.gpa.courses import PROBLEM, ROW, STUDENT, UNREAD, Courses, prepare_courses
from gateway.core.gpa.filters import lookup
from gateway.core.gpa.frames import added, built_once, selected
from gateway.core.gpa.grades import Calendar
from gateway.core.gpa.policy import Aggregate, Kind, Policy, Weigh
from gateway.core.gpa.problems import BY_NUMBER
from gateway.core.gpa.repeats import AVERAGED, resolve_repeats
from gateway.core.gpa.selection import prepare_selection, select_courses
from gateway.core.gpa.semesters import count_semesters
from gateway.core.gpa.standing import add_standing
from gateway.core.gpa.students import read_students
from gateway.core.gpa.trace import build_trace
from gateway.core.mapping.rounding import MICROS
from gateway.core.model import SCORE

COLUMNS = ("student_id", "policy", "version", "gpa", "state", "credits", "quality_points", "courses_used")
"""The documented columns of a result; :data:`FURTHER` follow them."""
FURTHER = ("period", "standing", "reason", "credits_earned")

_SHARES = 60
"""Averaged attempts share their credit: sixtieths make halves, thirds, quarters, fifths and sixths whole."""


class State(StrEnum):
    """What a GPA is. Only ``COMPUTED``, ``APPROXIMATION``, ``SO_FAR`` and ``OVERRIDDEN`` have a number."""

    COMPUTED = "computed"
    PENDING = "pending"
    NO_COURSES = "no_courses"
    SO_FAR = "so_far"
    REFUSED = "refused"
    APPROXIMATION = "approximation"
    OVERRIDDEN = "overridden"


class Period(StrEnum):
    """Over what a GPA is taken. ``PROJECTED`` is cumulative with the current grades of courses in progress."""

    CUMULATIVE = "cumulative"
    YEAR = "year"
    TERM = "term"
    PROJECTED = "projected"


@dataclass(frozen=True, slots=True)
class GpaResult:
    """GPAs under one policy.

    ``gpas``: one row a student (and period), columns :data:`COLUMNS` and :data:`FURTHER`. ``problems``: one row for
    everything that made a GPA wait: student, line, course, code, message, hint. ``trace``: one row a course, if asked
    for; its used rows recompute to the number. ``storable``: whether the GPAs may be kept and pushed at all.
    """

    policy: Policy
    gpas: pl.DataFrame
    problems: pl.DataFrame
    trace: pl.DataFrame | None
    storable: bool


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
) -> GpaResult:
    """The GPAs of all students in ``courses`` under ``policy`` on the day ``as_of``.

    ``courses`` has the columns of a course file; prepare it once with :func:`prepare_courses` for several policies.
    ``students`` holds facts beside courses (see :data:`~gateway.core.gpa.students.FACTS`). ``approximate`` asks for the
    number where the policy gives one on request only.

    Raises :class:`MappingError` (``policy.not-in-force``) when this version does not hold on ``as_of``.
    """
    if not policy.in_force(as_of):
        raise MappingError(
            f"Version {policy.version} of the policy {policy.name} does not hold on {as_of}.",
            hint="Choose another version or date.",
            code="policy.not-in-force",
            place=Place(policy.file),
        )
    return compute_version(
        policy, courses, as_of=as_of, trace=trace, students=students, calendar=calendar, periods=periods,
        approximate=approximate,
    )  # fmt: skip


def compute_version(
    policy: Policy,
    courses: pl.DataFrame | Courses,
    *,
    as_of: date,
    trace: bool = False,
    students: pl.DataFrame | None = None,
    calendar: Calendar | None = None,
    periods: Sequence[Period] = (Period.CUMULATIVE,),
    approximate: bool = False,
) -> GpaResult:
    """As :func:`compute_gpa`, whether or not this version is in force: for comparisons and examples."""
    prepared = courses if isinstance(courses, Courses) else prepare_courses(courses)
    if policy.aggregate is Aggregate.ON_REQUEST_ONLY and not approximate:
        return _refused(policy, prepared)
    facts = read_students(students)
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
    rows = resolve_repeats(policy, courses, counted)
    if policy.kind is Kind.SEMESTERS:
        rows = count_semesters(policy, courses, rows)
    if policy.kind is Kind.SELECTION:
        rows = prepare_selection(policy, courses, rows, students)
    rows = added(rows, *_quality(policy), _period_key(period, courses).alias("period"))
    sums = _sums(policy, rows, period, alone=len(courses.students) == 1 and rows[STUDENT].null_count() == 0)
    if policy.kind is Kind.SELECTION:
        rows, sums = select_courses(policy, courses, rows, sums, students, as_of=as_of, trace=trace)
    found = _finish(policy, sums, courses, students)
    sound = not sums["problem"].any() and rows[STUDENT].null_count() == 0
    problems = _NO_PROBLEMS if sound else _problems(policy, rows, courses)
    gpas = selected(found, *_shown(policy)) if problems.is_empty() else _with_reasons(policy, found, problems)
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
        pl.lit(None, SCORE).alias("quality_points"),
        pl.lit(None, pl.Int64).alias("courses_used"),
        pl.lit(Period.CUMULATIVE.value).alias("period"),
        pl.lit(None, pl.String).alias("standing"),
        pl.lit(reason).alias("reason"),
        pl.lit(None, SCORE).alias("credits_earned"),
    )
    return GpaResult(policy, gpas, pl.DataFrame(schema=PROBLEM_SCHEMA), None, storable=False)


def _period_key(period: Period, courses: Courses) -> pl.Expr:
    """The text that names the period of a row; rows without a year or a term belong to none of those."""
    if period in (Period.CUMULATIVE, Period.PROJECTED):
        return pl.lit(period.value)
    year = pl.col("year").cast(pl.String)
    if period is Period.YEAR:
        return year
    return year + " " + lookup("term_code", courses.vocabulary["term"], pl.String())


@built_once
def _quality(policy: Policy) -> list[pl.Expr]:
    """``quality`` (points × units; micros of micros, in sixtieths where attempts are averaged) and ``shares``."""
    shares = pl.lit(_shares(policy), pl.Int64) // pl.col(AVERAGED)
    quality = pl.col("points") * pl.col("units")
    if policy.kind is Kind.SEMESTERS:
        quality = quality + pl.col("bonus") * MICROS
    return [(quality * shares).alias("quality"), shares.alias("shares")]


def _shares(policy: Policy) -> int:
    return _SHARES if policy.repeats is not None and policy.repeats.keep == "average" else 1


def _sums(policy: Policy, rows: pl.DataFrame, period: Period, *, alone: bool) -> pl.DataFrame:
    """For each student and period the exact sums over the used courses, and whether there are problems.

    ``alone``: there is one student, and nothing to group.
    """
    parts = selected(rows, *_countable(policy, _wide(policy, len(rows))))
    totals = [pl.col("quality", "units", "after", "earned", "courses_used").sum(), pl.col("problem").any()]
    whole = period in (Period.CUMULATIVE, Period.PROJECTED)
    if whole and alone:
        return selected(parts, pl.col(STUDENT, "period").first(), *totals)
    if whole:
        sums = parts.group_by(STUDENT).agg(pl.col("period").first(), *totals)
    else:
        sums = parts.group_by(STUDENT, "period").agg(totals)
    return sums.drop_nulls([STUDENT, "period"]).sort(STUDENT, "period")


@built_once
def _countable(policy: Policy, wide: type[pl.DataType]) -> list[pl.Expr]:
    """What each row adds to its student's sums."""
    used = (pl.col("why") == int(Why.USED)) & (pl.col("fault") == 0)
    units = pl.col("units") if _shares(policy) == 1 else pl.col("units") * pl.col("shares")
    return [
        pl.col(STUDENT, "period", "earned"),
        pl.when(used).then("quality").cast(wide).alias("quality"),
        pl.when(used).then(units).cast(wide).alias("units"),
        pl.when(used).then("weight" if _after_mean(policy) else 0).cast(pl.Int64).alias("after"),
        used.cast(pl.Int64).alias("courses_used"),
        (pl.col("fault") > 0).alias("problem"),
    ]


def _wide(policy: Policy, rows: int) -> type[pl.DataType]:
    """The width in which sums over so many rows, and their rounding, cannot overflow."""
    return pl.Int64 if _largest(policy) * rows < 2**60 and not _after_mean(policy) else pl.Int128


@functools.lru_cache(maxsize=512)
def _largest(policy: Policy) -> int:
    """More than any course can add to a sum of points × units."""
    points = [MICROS]
    for scale in policy.scales:
        points += [abs(each) for each in (*scale.points.values(), scale.highest, scale.plus)]
        points += [abs(band.points or 0) for band in scale.bands]
    weights = policy.weighting.levels.values() if policy.weighting else ()
    return (max(points) * 2 + max(map(abs, weights), default=0)) * policy.credit.absurd_above * _shares(policy)


def _after_mean(policy: Policy) -> bool:
    return policy.weighting is not None and policy.weighting.how is Weigh.ADD_AFTER_MEAN


def _finish(policy: Policy, sums: pl.DataFrame, courses: Courses, students: pl.DataFrame) -> pl.DataFrame:
    names = pl.lit(courses.students).gather(pl.col(STUDENT)).alias("student_id")
    found = added(added(sums, names, *_exact(policy)), _micros(policy), _NO_REASON)
    return add_standing(policy, found, students)


@built_once
def _exact(policy: Policy) -> list[pl.Expr]:
    """The GPA as the fraction ``exact`` ÷ ``over`` (micros), and the state."""
    exact = pl.col("quality")
    if _after_mean(policy):
        exact = exact + pl.col("after") * pl.col("units")
    over = pl.when(pl.col("units") > 0).then("units")
    return [exact.alias("exact"), over.alias("over"), _state(policy).alias("state")]


@built_once
def _micros(policy: Policy) -> pl.Expr:
    known = (pl.col("state") != State.PENDING) & (pl.col("state") != State.NO_COURSES)
    micros = policy.round_gpa.ratio(pl.col("exact"), pl.col("over")).cast(pl.Int64)
    return pl.when(known).then(micros).alias("micros")


@built_once
def _shown(policy: Policy) -> list[pl.Expr]:
    shares = _shares(policy)
    return [
        pl.col("student_id"),
        pl.lit(policy.name).alias("policy"),
        pl.lit(policy.version).alias("version"),
        _decimal(pl.col("micros")).alias("gpa"),
        pl.col("state"),
        _decimal(pl.col("units") // shares).alias("credits"),
        _decimal(pl.col("quality") // (MICROS * shares)).alias("quality_points"),
        pl.col("courses_used", "period", "standing", "reason"),
        _decimal(pl.col("earned")).alias("credits_earned"),
    ]


def _state(policy: Policy) -> pl.Expr:
    state = pl.when("problem").then(pl.lit(State.PENDING)).when(pl.col("units") == 0).then(pl.lit(State.NO_COURSES))
    if policy.kind is Kind.SELECTION:
        state = state.when(~pl.col("selection_met")).then(pl.lit(State.SO_FAR))
    return state.otherwise(pl.lit(State.COMPUTED))


def _decimal(micros: pl.Expr) -> pl.Expr:
    return (micros.cast(pl.Decimal(38, 6)) / MICROS).cast(SCORE)


PROBLEM_SCHEMA = {
    "student_id": pl.String(), "policy": pl.String(), "version": pl.String(), "line": pl.Int64(),
    "course_code": pl.String(), "code": pl.String(), "message": pl.String(), "hint": pl.String(),
}  # fmt: skip


_NO_REASON = pl.lit(None, pl.String).alias("reason")
_NO_PROBLEMS = pl.DataFrame(schema=PROBLEM_SCHEMA)


def _problems(policy: Policy, rows: pl.DataFrame, courses: Courses) -> pl.DataFrame:
    faulty = rows.filter(pl.col("fault") > 0)
    if faulty.is_empty():
        return _NO_PROBLEMS
    problems = [BY_NUMBER[number] for number in faulty["fault"]]
    said = selected(courses.rows, pl.coalesce(UNREAD, PROBLEM)).to_series()
    detail = said.gather(faulty[ROW]).to_list()
    names = courses.students.gather(faulty[STUDENT]) if len(courses.students) else faulty[STUDENT].cast(pl.String)
    return pl.DataFrame(
        {
            "student_id": names,
            "line": faulty["line"],
            "course_code": faulty["course_code"],
            "code": [problem.value for problem in problems],
            "message": [said or problem.sentence for problem, said in zip(problems, detail, strict=True)],
            "hint": [problem.hint for problem in problems],
        },
        schema_overrides={"code": pl.String, "message": pl.String, "hint": pl.String},
    ).select("student_id", pl.lit(policy.name).alias("policy"), pl.lit(policy.version).alias("version"),
             "line", "course_code", "code", "message", "hint").sort("student_id", "line")  # fmt: skip


def _with_reasons(policy: Policy, found: pl.DataFrame, problems: pl.DataFrame) -> pl.DataFrame:
    """The first problem of each waiting student in words, and how many more there are."""
    first = problems.group_by("student_id").agg(
        pl.format("line {}, {}: {}", pl.col("line").first(), pl.col("course_code").first().fill_null("?"),
                  pl.col("message").first()).first().alias("first"),
        (pl.len() - 1).alias("more"),
    )  # fmt: skip
    also = pl.when(pl.col("more") > 0).then(pl.format(" And {} more.", "more")).otherwise(pl.lit(""))
    first = first.select("student_id", (pl.col("first") + also).alias("first"))
    joined = found.join(first, on="student_id", how="left", maintain_order="left")
    reason = pl.when(pl.col("state") == State.PENDING).then("first").alias("reason")
    return selected(added(joined, reason), *_shown(policy))
