"""From counted courses to the exact sums of each student, and from those to the GPA, rounded once."""

from __future__ import annotations

import functools

import polars as pl

from gateway.core.gpa.counting import Why
from gateway.core.gpa.courses import STUDENT, Courses
from gateway.core.gpa.frames import added, built_once, selected
from gateway.core.gpa.policy import Kind, Policy, Weigh
from gateway.core.gpa.repeats import AVERAGED
from gateway.core.gpa.result import QUALITY, Period, State
from gateway.core.gpa.standing import add_standing
from gateway.core.mapping.rounding import MICROS
from gateway.core.model import SCORE

SHARES = 2520
"""Averaged attempts share their credit: in 2,520 parts, every share of up to ten attempts is a whole number."""

_NO_REASON = pl.lit(None, pl.String).alias("reason")


@built_once
def quality_columns(policy: Policy) -> list[pl.Expr]:
    """``quality`` (points × units; micros of micros, in sixtieths where attempts are averaged) and ``shares``."""
    shares = pl.lit(shares_of(policy), pl.Int64) // pl.col(AVERAGED)
    points = pl.col("points") if _largest(policy) < 2**60 else pl.col("points").cast(pl.Int128)
    quality = points * pl.col("units")
    if policy.kind is Kind.SEMESTERS:
        quality = quality + pl.col("bonus") * MICROS
    return [(quality * shares).alias("quality"), shares.alias("shares")]


def shares_of(policy: Policy) -> int:
    """In how many parts the credit of a course is counted."""
    return SHARES if policy.repeats is not None and policy.repeats.keep == "average" else 1


def sum_courses(policy: Policy, rows: pl.DataFrame, period: Period, *, alone: bool) -> pl.DataFrame:
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
    units = pl.col("units") if shares_of(policy) == 1 else pl.col("units") * pl.col("shares")
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
        if scale.times is not None:
            points.append(abs(scale.times) * max(abs(scale.highest), abs(scale.lowest)) // MICROS + abs(scale.plus))
    weight = max(map(abs, policy.weighting.levels.values()), default=0) if policy.weighting else 0
    most = max(max(points) + weight, max(points) * weight // MICROS)
    return (most + MICROS) * policy.credit.absurd_above * shares_of(policy)


def _after_mean(policy: Policy) -> bool:
    return policy.weighting is not None and policy.weighting.how is Weigh.ADD_AFTER_MEAN


def finish(policy: Policy, sums: pl.DataFrame, courses: Courses, students: pl.DataFrame) -> pl.DataFrame:
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
def shown_columns(policy: Policy) -> list[pl.Expr]:
    shares = shares_of(policy)
    return [
        pl.col("student_id"),
        pl.lit(policy.name).alias("policy"),
        pl.lit(policy.version).alias("version"),
        _decimal(pl.col("micros")).alias("gpa"),
        pl.col("state"),
        _told(_decimal(pl.col("units") // shares)).alias("credits"),
        _told(_decimal(pl.col("quality") // (MICROS * shares), QUALITY)).alias("quality_points"),
        _told(pl.col("courses_used")).alias("courses_used"),
        pl.col("period", "standing", "reason"),
        _told(_decimal(pl.col("earned"))).alias("credits_earned"),
    ]


def _told(number: pl.Expr) -> pl.Expr:
    """A number that is not told while a course waits: it would be a part taken for the whole."""
    return pl.when(pl.col("state") != State.PENDING).then(number)


def _state(policy: Policy) -> pl.Expr:
    state = pl.when("problem").then(pl.lit(State.PENDING)).when(pl.col("units") == 0).then(pl.lit(State.NO_COURSES))
    if policy.kind is Kind.SELECTION:
        state = state.when(~pl.col("selection_met")).then(pl.lit(State.SO_FAR))
    return state.otherwise(pl.lit(State.COMPUTED))


def _decimal(micros: pl.Expr, dtype: pl.DataType = SCORE) -> pl.Expr:
    return (micros.cast(pl.Decimal(38, 6)) / MICROS).cast(dtype)
