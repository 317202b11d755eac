"""Selections: from the courses that can be chosen to the best choice of each student.

Many students are answered by columns (:mod:`gateway.core.gpa.selection_bulk`); a few, and those whom the columns cannot
prove, one by one (:mod:`gateway.core.gpa.selection_exact`). Both find the same choice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

import polars as pl

from gateway.core.gpa.counting import Why
from gateway.core.gpa.courses import ROW, STUDENT, Courses
from gateway.core.gpa.filters import canonical, lookup
from gateway.core.gpa.policy import Policy, Progression
from gateway.core.gpa.problems import Problem
from gateway.core.gpa.repeats import ATTEMPTS
from gateway.core.gpa.selection_bulk import GRIDS, MOST_QUALITY_BITS, best_selections, grid_of
from gateway.core.gpa.selection_exact import Item, TooHardError, best_selection
from gateway.core.gpa.selection_plan import COUNT_BITS, EARLY_BITS, HUNDREDTH, Plan, make_plan
from gateway.core.mapping.rounding import MICROS

FEW = 30
"""Up to so many students are solved one by one: the columns' fixed cost would be larger."""


def prepare_selection(policy: Policy, courses: Courses, rows: pl.DataFrame, students: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with ``early`` (completed before the lock) and ``cell``, and the problems that only selections have."""
    assert policy.selection is not None  # noqa: S101
    plan = make_plan(policy.selection)
    cells = [plan.cell_of.get(canonical(policy, "subject", word)) for word in courses.vocabulary["subject"]]
    early = _early(policy.selection.progression, courses, students)
    usable = pl.col("why").is_in([int(Why.USED), int(Why.REPEATED)]) & (pl.col("fault") == 0)
    rows = rows.with_columns(early.alias("early"), lookup("subject_code", cells, pl.Int8()).alias("cell"))
    fault = (
        pl.when(usable & (pl.col("units") % HUNDREDTH != 0)).then(Problem.CREDIT_TOO_FINE.number)
        .when(usable & pl.col("early").is_null()).then(Problem.GRADE_LEVEL_MISSING.number)
        .otherwise("fault")
    )  # fmt: skip
    return rows.with_columns(fault.cast(pl.UInt8).alias("fault"))


def _early(progression: Progression | None, courses: Courses, students: pl.DataFrame) -> pl.Expr:
    """Whether a course was completed before the lock: by dates where both are known, else by grade level."""
    if progression is None:
        return pl.lit(False)
    by_level = pl.col("level_of_student") <= progression.last_grade_level
    starts = _seventh_semesters(courses, students)
    if starts is None:
        return by_level
    return pl.coalesce(pl.col("completed") < pl.lit(starts).gather(pl.col(STUDENT)), by_level)


def _seventh_semesters(courses: Courses, students: pl.DataFrame) -> pl.Series | None:
    """When each student's seventh semester begins, in the order of ``courses.students``; ``None`` if none is known."""
    if students["seventh_semester_on"].null_count() == len(students):
        return None
    ordered = pl.DataFrame({"student_id": courses.students}, schema={"student_id": pl.String})
    return ordered.join(students, on="student_id", how="left", maintain_order="left")["seventh_semester_on"]


def select_courses(
    policy: Policy,
    courses: Courses,
    rows: pl.DataFrame,
    sums: pl.DataFrame,
    students: pl.DataFrame,
    *,
    as_of: date,
    trace: bool,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``rows`` (with a trace: the courses not chosen set aside) and ``sums`` with the best selections in them.

    ``sums`` gains ``selection_met`` and ``progression_met``. Where no selection meets the requirements, the sums stay
    those over all courses: the GPA so far.
    """
    assert policy.selection is not None  # noqa: S101
    plan = make_plan(policy.selection)
    ready = sums.filter(~pl.col("problem"))[STUDENT]
    items, scale = _items(rows, ready, plan)
    answers, chosen = _answers(plan, items, one_by_one=trace or len(ready) <= FEW)
    sums = _with_answers(
        sums, answers, scale, policy.selection.progression, _seventh_semesters(courses, students), as_of
    )
    if not trace:
        return rows, sums
    solved = answers.filter(pl.col("quality").is_not_null())[STUDENT]
    left = (
        pl.col(STUDENT).is_in(solved.implode())
        & pl.col("why").is_in([int(Why.USED), int(Why.REPEATED)])
        & (pl.col("fault") == 0)
    )
    picked = pl.col(ROW).is_in(chosen.implode())
    why = (
        pl.when(left & picked)
        .then(int(Why.USED))
        .when(left & (pl.col("why") == int(Why.USED)))
        .then(int(Why.NOT_CHOSEN))
    )
    return rows.with_columns(why.otherwise("why").cast(pl.UInt8).alias("why")), sums


def _items(rows: pl.DataFrame, ready: pl.Series, plan: Plan) -> tuple[pl.DataFrame, int]:
    """The attempts that can be chosen, packed, and the micros that one whole point of theirs stands for."""
    alternative = (pl.col("why") == int(Why.REPEATED)) & pl.col("early") & pl.col(ATTEMPTS).is_not_null()
    able = ((pl.col("why") == int(Why.USED)) | alternative) & (pl.col("fault") == 0)
    able = able & pl.col(STUDENT).is_in(ready.implode()) & (pl.col("units") > 0) & pl.col("cell").is_not_null()
    items = rows.filter(able).select(
        STUDENT, ROW, "cell", "early", ATTEMPTS, "points", "course_code", "year", "term_code", "line",
        (pl.col("units") // HUNDREDTH).alias("hundredths"), (pl.col("why") == int(Why.USED)).alias("best"),
    )  # fmt: skip
    scale = math.gcd(MICROS, *items["points"].unique().to_list())
    early = pl.when(pl.col("early") & plan.binds).then("hundredths").otherwise(0)
    locked = pl.when(pl.col("cell").is_in(sorted(plan.locked_cells))).then(early).otherwise(0)
    points = pl.col("points") // scale
    packed = ((points * pl.col("hundredths") * (1 << EARLY_BITS) + locked) * (1 << EARLY_BITS) + early) * (
        1 << COUNT_BITS
    ) - 1
    return items.with_columns(points.alias("points"), packed.alias("packed")), scale


def _answers(plan: Plan, items: pl.DataFrame, *, one_by_one: bool) -> tuple[pl.DataFrame, pl.Series]:
    """For each student ``quality``, ``hundredths``, ``chosen``, ``locked`` and ``hard``; and the chosen rows."""
    bits = int(items["points"].max() or 0).bit_length() + 11  # type: ignore[arg-type]
    if one_by_one or bits > MOST_QUALITY_BITS:
        return _exact(plan, items)
    grids = items.group_by(STUDENT).agg(grid_of("hundredths")).sort(STUDENT)
    parts = []
    for position, grid in enumerate(GRIDS):
        served = grids.filter(pl.col("grid") == position)[STUDENT]
        if len(served):
            mine = items.filter(pl.col(STUDENT).is_in(served.implode()) & pl.col("best"))
            parts.append(best_selections(plan, grid, mine))
    left = grids.filter(pl.col("grid").is_null())[STUDENT]
    if parts:
        found = pl.concat(parts)
        if plan.binds:
            met = (pl.col("early") >= plan.early_units) & (pl.col("early_subject") >= plan.early_subject_units)
        else:
            met = pl.col(STUDENT).is_in(_with_enough_early(plan, items.filter("best")).implode())
        found = found.with_columns(met.alias("locked"), pl.lit(False).alias("hard"))
        open_ = found.filter(pl.col("quality").is_not_null() & ~pl.col("locked"))[STUDENT]
        unproven = open_.filter(open_.is_in(_with_enough_early(plan, items).implode()))
        found = found.filter(~pl.col(STUDENT).is_in(unproven.implode()))
        left = pl.concat([left, unproven])
        parts = [found.select(STUDENT, "quality", "hundredths", "chosen", "locked", "hard")]
    rest, _ = _exact(plan, items.filter(pl.col(STUDENT).is_in(left.implode())))
    return pl.concat([*parts, rest]), pl.Series(dtype=pl.UInt32)


def _with_enough_early(plan: Plan, items: pl.DataFrame) -> pl.Series:
    """The students whose early attempts among ``items`` are together enough."""
    subject = pl.col("hundredths").filter(pl.col("cell").is_in(sorted(plan.locked_cells))).sum()
    early = items.filter("early").group_by(STUDENT).agg(pl.col("hundredths").sum(), subject.alias("subject"))
    enough = (pl.col("hundredths") >= plan.early_units) & (pl.col("subject") >= plan.early_subject_units)
    return early.filter(enough)[STUDENT] if plan.early_units else items[STUDENT].unique()


_ANSWER = {STUDENT: pl.UInt32(), "quality": pl.Int64(), "hundredths": pl.Int64(), "chosen": pl.Int64(),
           "locked": pl.Boolean(), "hard": pl.Boolean()}  # fmt: skip


def _exact(plan: Plan, items: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    answers: list[tuple[int, int | None, int | None, int | None, bool, bool]] = []
    rows: list[int] = []
    for student, mine, numbers in _by_student(items):
        try:
            best = best_selection(plan, mine)
        except TooHardError:
            answers.append((student, None, None, None, False, True))
            continue
        if best is None:
            answers.append((student, None, None, None, False, False))
            continue
        rows.extend(numbers[position] for position in best.rows)
        totals = best.totals
        answers.append((student, totals.quality, best.units, totals.courses, best.locked_met, False))
    return pl.DataFrame(answers, schema=_ANSWER, orient="row"), pl.Series(rows, dtype=pl.UInt32)


def _by_student(items: pl.DataFrame) -> Iterator[tuple[int, list[Item], list[int]]]:
    """Each student's items in an order that does not depend on the order of the input, and their rows."""
    ordered = items.sort([STUDENT, "course_code", "year", "term_code", "packed", "line"], nulls_last=True)
    columns = ordered.select("cell", "hundredths", "points", "early", ATTEMPTS, "best").rows()
    students, rows = ordered[STUDENT].to_list(), ordered[ROW].to_list()
    start = 0
    for end in range(1, len(students) + 1):
        if end == len(students) or students[end] != students[start]:
            mine = [Item(position, *values) for position, values in enumerate(columns[start:end])]
            yield students[start], mine, rows[start:end]
            start = end


def _with_answers(
    sums: pl.DataFrame,
    answers: pl.DataFrame,
    scale: int,
    progression: Progression | None,
    seventh: pl.Series | None,
    as_of: date,
) -> pl.DataFrame:
    joined = sums.join(answers, on=STUDENT, how="left", maintain_order="left", suffix="_best")
    met = pl.col("quality_best").is_not_null()
    locked = pl.col("locked").fill_null(False)
    if progression is not None and seventh is not None:
        due = (pl.lit(seventh).gather(pl.col(STUDENT)) <= as_of).fill_null(True)
        locked = pl.when(due | locked).then(locked)
    return joined.with_columns(
        pl.when(met).then(pl.col("quality_best") * (scale * HUNDREDTH)).otherwise("quality").alias("quality"),
        pl.when(met).then(pl.col("hundredths") * HUNDREDTH).otherwise("units").alias("units"),
        pl.when(met).then("chosen").otherwise("courses_used").alias("courses_used"),
        met.alias("selection_met"),
        locked.alias("progression_met"),
        (pl.col("problem") | pl.col("hard").fill_null(False)).alias("problem"),
    ).drop("quality_best", "hundredths", "chosen", "locked", "hard")
