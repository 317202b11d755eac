"""Results: a growth curve for each student and subject, read at the day of each line item, with the mess of real life.

All arithmetic is in whole hundredths. A student stands at ``gap`` against the class's grade on the first day (in
hundredths of a performance level) and gains ``pace`` over the year; a line item assesses a performance level; who
stands right at the level that is assessed scores 3 (300).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from gateway.sample.calendar import Calendar
from gateway.sample.draws import Draws, texts
from gateway.sample.mess import Mess
from gateway.sample.pacing import COMMON, FOUR_POINT, HIGHEST, LETTER, LOWEST, PERCENT, RETAKE, SUMMATIVE, TASK
from gateway.sample.targets import TargetPool

PROFICIENT = 300
_HALVES = (None, "0.5", "1", "1.5", "2", "2.5", "3", "3.5", "4")
LETTERS = (None, "F", "D", "D+", "C", "C+", "B", "B+", "A")
"""Letters by half points; what the letter scale says."""
_MILLION = 1_000_000
GRADED, EXCUSED, MISSING, UNGRADED = range(4)
_STATUS = ("fully graded", "exempt", "not submitted", "submitted")
_OF_STUDENT = ("student_key", "student_id", "kind", "gap", "pace", "begin", "end", "class", "slot")
_OF_ITEM = (
    "line", "line_id", "class_id", "category", "scoring", "retake", "aims", "aim_0", "aim_1", "aim_2", "due",
    "item_gap",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scoring:
    """What results are drawn with. ``last_day`` is the number of the day up to which scores are known."""

    draws: Draws
    mess: Mess
    calendar: Calendar
    pool: TargetPool
    last_day: int


def with_standing(draws: Draws, memberships: pl.DataFrame) -> pl.DataFrame:
    """``memberships`` (``student_key``, ``kind``) with where each student stands: ``gap``, ``pace`` and the ``variant``
    of the differentiated line items that fit."""
    keys = pl.col("student_key"), pl.col("kind")
    drawn = memberships.with_columns(
        gap=pl.sum_horizontal([draws.below(160, f"gap {n}", *keys) for n in range(3)]) - 300,
        pace=draws.below(111, "pace", *keys) + 45,
    )
    step = ((pl.col("gap") + 60 + 350) // 100 - 3).clip(LOWEST, HIGHEST)
    return drawn.with_columns(fitting=step - LOWEST)


def make_results(scoring: Scoring, slots: pl.DataFrame, memberships: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """The results of ``memberships`` (with standing; ``begin`` and ``end`` are day numbers, the end exclusive).

    Those of re-takes stand last. Among the columns are those of ``results.csv``, under their names there.
    """
    given = (
        memberships.join(slots, on="kind", maintain_order="left_right")
        .with_columns(variant=pl.when("differentiated").then("fitting").otherwise(COMMON))
        .join(items, on=["class", "slot", "variant"], maintain_order="left")
        .filter(pl.col("due") >= pl.col("begin"), pl.col("due") < pl.col("end"))
    )
    first = _scored(scoring, given, bonus=0)
    again = _scored(scoring, _retaken(scoring, first, items), bonus=40)
    results = pl.concat([first.select(again.columns), again])
    results = results.filter(pl.col("score_day") <= scoring.last_day)
    results = scoring.draws.with_uuid(results, "sourcedId", "results", pl.col("line"), pl.col("student_key"))
    return _with_cells(results, scoring.calendar)


def _retaken(scoring: Scoring, first: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """The memberships of those who repeat a summative line item, with its second line item."""
    chosen = scoring.draws.chance(scoring.mess.retake, "retake", pl.col("line"), pl.col("student_key"))
    again = first.filter(
        pl.col("category") == SUMMATIVE, pl.col("state") == GRADED, pl.col("points") < PROFICIENT - 25, chosen
    ).select(*_OF_STUDENT, pl.col("variant") + RETAKE)
    again = again.join(items, on=["class", "slot", "variant"], maintain_order="left")
    return again.filter(pl.col("due") < pl.col("end"))


def _scored(scoring: Scoring, given: pl.DataFrame, *, bonus: int) -> pl.DataFrame:
    draws, keys = scoring.draws, (pl.col("line"), pl.col("student_key"))
    frame = given.select(*_OF_STUDENT, "variant", *_OF_ITEM).with_columns(
        number=draws.below(_MILLION, "state", *keys),
        late=draws.chance(scoring.mess.late, "late", *keys),
        base=PROFICIENT + bonus + pl.col("gap") + pl.col("pace") * pl.col("due") // scoring.calendar.days
        - 100 * pl.col("item_gap"),
    )  # fmt: skip
    frame = frame.with_columns(state=_state(scoring.mess, pl.col("number"))).drop("number")
    frame = frame.with_columns(
        late=pl.col("late") & (pl.col("state") == GRADED),
        points=(pl.col("base") + _strength(scoring, "aim_0") + _noise(scoring, "noise")).clip(50, 400),
    )
    delay = draws.below(6, "delay", *keys) + pl.when("late").then(5).otherwise(0)
    day = pl.when(pl.col("state") == GRADED).then(pl.col("due") + delay).otherwise("due")
    return frame.with_columns(score_day=scoring.calendar.school_days(day))


def _state(mess: Mess, number: pl.Expr) -> pl.Expr:
    state, bound = pl.lit(GRADED), 0
    for value, rate in ((EXCUSED, mess.excused), (MISSING, mess.missing), (UNGRADED, mess.ungraded)):
        upper = bound + round(rate * _MILLION)
        state = pl.when((number >= bound) & (number < upper)).then(value).otherwise(state)
        bound = upper
    return state


def _strength(scoring: Scoring, aim: str) -> pl.Expr:
    """How much better or worse than on the whole a student is in a strand."""
    strand = pl.lit(scoring.pool.rows["strand"]).gather(pl.col(aim))
    return scoring.draws.below(121, "strength", strand, pl.col("student_key")) - 60


def _noise(scoring: Scoring, purpose: str) -> pl.Expr:
    return scoring.draws.below(101, purpose, pl.col("line"), pl.col("student_key")) - 50


def _halves(points: pl.Expr) -> pl.Expr:
    """Points as half points, half up."""
    return (points + 25) // 50


def _with_cells(results: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    graded = pl.col("state") == GRADED
    halves = _halves(pl.col("points"))
    percent = (40 + pl.col("points") * 15 // 100).cast(pl.String)
    score = (
        pl.when(~graded | (pl.col("scoring") == LETTER)).then(None)
        .when(pl.col("scoring") == PERCENT).then(percent)
        .otherwise(texts(_HALVES, halves))
    )  # fmt: skip
    return results.with_columns(
        lineItemSourcedId=pl.col("line_id"),
        studentSourcedId=pl.col("student_id"),
        scoreStatus=texts(_STATUS, pl.col("state")),
        score=score,
        scoreDate=calendar.dates(pl.col("score_day")),
        textScore=pl.when(graded & (pl.col("scoring") == LETTER)).then(texts(LETTERS, halves)),
        classSourcedId=pl.col("class_id"),
        inProgress=pl.lit("false"),
        incomplete=pl.lit("false"),
        late=_flag(pl.col("late")),
        missing=_flag(pl.col("state") == MISSING),
    )


def _flag(condition: pl.Expr) -> pl.Expr:
    return texts(("false", "true"), condition.cast(pl.UInt32))


def objective_scores(scoring: Scoring, results: pl.DataFrame) -> pl.DataFrame:
    """``resultLearningObjectiveIds.csv``: performance tasks are scored on each of their targets."""
    tasks = results.filter(
        pl.col("category") == TASK, pl.col("state") == GRADED, pl.col("scoring") == FOUR_POINT, pl.col("aims") > 1
    )
    parts = []
    for number in range(3):
        points = pl.col("base") + _strength(scoring, f"aim_{number}") + _noise(scoring, f"noise {number}")
        part = tasks.filter(pl.col("aims") > number).select(
            *("line", "student_key", pl.col("sourcedId").alias("resultSourcedId")),
            number=pl.lit(number, dtype=pl.UInt64),
            learningObjectiveId=objective(scoring.pool, f"aim_{number}"),
            score=texts(_HALVES, _halves(points.clip(50, 400))),
        )
        parts.append(part)
    keys = (pl.col("line"), pl.col("student_key"), pl.col("number"))
    rows = scoring.draws.with_uuid(pl.concat(parts), "sourcedId", "resultLearningObjectiveIds", *keys)
    return rows.select("sourcedId", "resultSourcedId", "learningObjectiveId", "score", source=pl.lit("case"))


def objective(pool: TargetPool, aim: str) -> pl.Expr:
    """The target in column ``aim`` as the CSV binding writes it."""
    return pl.lit("urn:uuid:") + pl.lit(pool.rows["objective"]).gather(pl.col(aim))
