"""Selections: from the courses that can be chosen to the best choice of each student.

Many students are answered by columns (:mod:`gateway.core.gpa.selection_bulk`); a few, and those whom the columns cannot
prove, one by one (:mod:`gateway.core.gpa.selection_exact`). Both find the same choice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import polars as pl

from gateway.core.gpa.counting import Counted, Why
from gateway.core.gpa.courses import ROW, STUDENT, Courses
from gateway.core.gpa.filters import canonical, lookup
from gateway.core.gpa.frames import added, kept, selected
from gateway.core.gpa.policy import Policy, Progression, Selection
from gateway.core.gpa.problems import ALWAYS, Problem
from gateway.core.gpa.repeats import ATTEMPTS
from gateway.core.gpa.selection_bulk import GRIDS, MOST_QUALITY_BITS, best_selections, grid_of
from gateway.core.gpa.selection_exact import Item, TooHardError, best_selection
from gateway.core.gpa.selection_plan import COUNT_BITS, EARLY_BITS, HUNDREDTH, Plan, make_plan
from gateway.core.mapping.rounding import MICROS

LAST_GRADE = 12
"""The grade after which a student graduates on time."""

FEW = 30
"""Up to so many students are solved one by one: the columns' fixed cost would be larger."""


def prepare_selection(policy: Policy, courses: Courses, rows: pl.DataFrame, students: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with ``early`` (completed before the lock) and ``cell``, and the problems that only selections have."""
    assert policy.selection is not None  # noqa: S101
    plan = make_plan(policy.selection)
    cells = [plan.cell_of.get(canonical(policy, "subject", word)) for word in courses.vocabulary["subject"]]
    early = _early(policy.selection.progression, courses, students)
    after, _ = _after_graduation(policy.selection, courses, students)
    sound = (pl.col("fault") == 0) & ((pl.col("why") == int(Why.USED)) | (pl.col("why") == int(Why.REPEATED)))
    fault = (
        pl.when(sound & (pl.col("units") % HUNDREDTH != 0)).then(pl.lit(Problem.CREDIT_TOO_FINE.number, pl.UInt8))
        .when(sound & early.is_null()).then(pl.lit(Problem.GRADE_LEVEL_MISSING.number, pl.UInt8))
        .otherwise("fault")
    )  # fmt: skip
    cell = lookup("subject_code", cells, pl.Int8())
    return added(rows, early.alias("early"), cell.alias("cell"), fault.alias("fault"), after.alias("after"))


def leave_out_late(policy: Policy, courses: Courses, counted: Counted, students: pl.DataFrame) -> Counted:
    """The courses without those too long after graduation, which can be no repeat of an earlier one either."""
    if policy.selection is None or policy.selection.after_units is None:
        return counted
    dated = students["graduated_on"].null_count() < len(students)
    if not dated and (courses.rows["level_of_student"].max() or 0) <= LAST_GRADE:  # type: ignore[operator]
        return counted
    _, late = _after_graduation(policy.selection, courses, students)
    late = late & ((pl.col("why") == int(Why.USED)) | (pl.col("why") == int(Why.NOT_EARNED)))
    why = pl.when(late).then(int(Why.AFTER_GRADUATION)).otherwise("why").cast(pl.UInt8)
    fault = pl.when(late & ~pl.col("fault").is_in(ALWAYS)).then(0).otherwise("fault").cast(pl.UInt8)
    return replace(counted, rows=added(counted.rows, why.alias("why"), fault.alias("fault")))


def _after_graduation(selection: Selection, courses: Courses, students: pl.DataFrame) -> tuple[pl.Expr, pl.Expr]:
    """Whether a course was completed after the student graduated, and whether too long after: by dates where both are
    known, else by grade level."""
    if selection.after_units is None or selection.after_years is None:
        return pl.lit(False), pl.lit(False)
    grade = pl.col("level_of_student").fill_null(0)
    after, late = grade > LAST_GRADE, grade > LAST_GRADE + selection.after_years
    days = _days(courses, students, "graduated_on")
    if days is None:
        return after, late
    day = pl.lit(days).gather(pl.col(STUDENT))
    end = pl.lit(days.dt.offset_by(f"{selection.after_years}y")).gather(pl.col(STUDENT))
    return pl.coalesce(pl.col("completed") > day, after), pl.coalesce(pl.col("completed") > end, late)


def _early(progression: Progression | None, courses: Courses, students: pl.DataFrame) -> pl.Expr:
    """Whether a course was completed before the lock: by dates where both are known, else by grade level."""
    if progression is None:
        return pl.lit(False)
    by_level = pl.col("level_of_student") <= progression.last_grade_level
    starts = _days(courses, students, "seventh_semester_on")
    if starts is None:
        return by_level
    return pl.coalesce(pl.col("completed") < pl.lit(starts).gather(pl.col(STUDENT)), by_level)


def _days(courses: Courses, students: pl.DataFrame, fact: str) -> pl.Series | None:
    """A date of each student, in the order of ``courses.students``; ``None`` if none is known."""
    if students[fact].null_count() == len(students):
        return None
    ordered = pl.DataFrame({"student_id": courses.students}, schema={"student_id": pl.String})
    return ordered.join(students, on="student_id", how="left", maintain_order="left")[fact]


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
    items = _items(rows, sums)
    answers, chosen = _exact(plan, items) if trace or len(sums) <= FEW else (_in_columns(plan, items), None)
    seventh = _days(courses, students, "seventh_semester_on")
    sums = _with_answers(sums, answers, policy.selection.progression, seventh, as_of)
    rows = _with_too_hard(rows, answers)
    return _with_chosen(rows, answers, chosen) if trace and chosen is not None else rows, sums


_COUNTS = pl.col("why") == int(Why.USED)
_BEFORE = (pl.col("why") == int(Why.REPEATED)) & pl.col(ATTEMPTS).is_not_null()
_ALTERNATIVE = _BEFORE & pl.col("early")
_SPARE = _BEFORE & ~pl.col("after") & (pl.col("after") & _COUNTS).any().over(ATTEMPTS)
_SOUND = pl.col("fault") == 0
_ITEM = (
    pl.col(STUDENT, ROW, "cell"),
    (pl.col("units") // HUNDREDTH).alias("hundredths"),
    pl.col("points", "early", ATTEMPTS),
    _COUNTS.alias("best"),
    "after",
    pl.col("course_code", "year", "term_code", "line"),
)


def _items(rows: pl.DataFrame, sums: pl.DataFrame) -> pl.DataFrame:
    """The attempts that can be chosen: those that count, and earlier ones whose repeat might have to stand back, for
    the lock or because too much was taken after graduation."""
    can = _COUNTS | _ALTERNATIVE
    able = kept(rows, (can | _SPARE if rows["after"].any() else can) & _SOUND)
    if sums["problem"].any():
        able = able.filter(~pl.col(STUDENT).is_in(sums.filter("problem")[STUDENT].implode()))
    return selected(able, *_ITEM)


_ANSWER = {STUDENT: pl.UInt32(), "best_quality": pl.Int64(), "hundredths": pl.Int64(), "chosen": pl.Int64(),
           "locked": pl.Boolean(), "hard": pl.Boolean()}  # fmt: skip
"""The best selection of a student: quality is points (micros) × hundredths; empty numbers where there is none."""


def _exact(plan: Plan, items: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
    """The answers found one by one, and the rows chosen."""
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
        answers.append((student, best.totals.quality, best.units, best.totals.courses, best.locked_met, False))
    return pl.DataFrame(answers, schema=_ANSWER, orient="row"), rows


def _by_student(items: pl.DataFrame) -> Iterator[tuple[int, list[Item], list[int]]]:
    """Each student's items in an order that does not depend on the order of the input, and their rows."""
    by = [items[name].to_list() for name in (STUDENT, "course_code", "year", "term_code", "points", "line")]
    order = sorted(range(len(items)), key=lambda row: [(column[row] is None, column[row]) for column in by])
    columns = [items[name].to_list() for name in ("cell", "hundredths", "points", "early", ATTEMPTS, "best", "after")]
    every = list(zip(*columns, strict=True))
    numbers = items[ROW].to_list()
    values, students = [every[row] for row in order], [by[0][row] for row in order]
    rows: list[int] = [numbers[row] for row in order]
    start = 0
    for end in range(1, len(students) + 1):
        if end == len(students) or students[end] != students[start]:
            mine = [Item(position, *each) for position, each in enumerate(values[start:end])]
            yield students[start], mine, rows[start:end]
            start = end


def _in_columns(plan: Plan, items: pl.DataFrame) -> pl.DataFrame:
    """The answers by columns for all whom they can prove, and one by one for the others."""
    scale = math.gcd(MICROS, *items["points"].unique().to_list())
    if (int(items["points"].max() or 0) // scale).bit_length() + 11 > MOST_QUALITY_BITS:  # type: ignore[arg-type]
        return _exact(plan, items)[0]
    fits = pl.when(~_beyond(plan)).then(grid_of("hundredths")).alias("grid")
    grids = items.group_by(STUDENT).agg(fits).sort(STUDENT)
    packed = items.filter("best").with_columns(_packed(plan, scale).alias("packed"))
    parts = [pl.DataFrame(schema=_ANSWER)]
    left = [grids.filter(pl.col("grid").is_null())[STUDENT]]
    for position, grid in enumerate(GRIDS):
        served = grids.filter(pl.col("grid") == position)[STUDENT]
        if len(served):
            mine = pl.col(STUDENT).is_in(served.implode())
            found = best_selections(plan, grid, packed.filter(mine))
            proven, unproven = _proven(plan, found, items.filter(mine))
            parts.append(proven.with_columns(pl.col("best_quality") * scale))
            left.append(unproven)
    rest = items.filter(pl.col(STUDENT).is_in(pl.concat(left).implode()))
    return pl.concat([*parts, _exact(plan, rest)[0]])


def _beyond(plan: Plan) -> pl.Expr:
    """Whether a student has more units after graduation than can count, so that the columns cannot choose."""
    if plan.after_units is None:
        return pl.lit(False)
    return pl.col("hundredths").filter("after").sum() > plan.after_units


def _packed(plan: Plan, scale: int) -> pl.Expr:
    """As :func:`~gateway.core.gpa.selection_plan.pack`, with points in units of ``scale`` micros."""
    early = pl.when(pl.col("early") & plan.binds).then("hundredths").otherwise(0)
    locked = pl.when(pl.col("cell").is_in(sorted(plan.locked_cells))).then(early).otherwise(0)
    quality = pl.col("points") // scale * pl.col("hundredths")
    return ((quality * (1 << EARLY_BITS) + locked) * (1 << EARLY_BITS) + early) * (1 << COUNT_BITS) - 1


def _proven(plan: Plan, found: pl.DataFrame, items: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Answers that the lock cannot change, and the students of whom that is not sure."""
    if plan.binds:
        met = (pl.col("early") >= plan.early_units) & (pl.col("early_subject") >= plan.early_subject_units)
    else:
        met = pl.col(STUDENT).is_in(_with_enough_early(plan, items.filter("best")).implode())
    met = met.fill_null(False) | (plan.early_units == 0)
    found = added(found, met.alias("locked"), pl.lit(False).alias("hard"))
    hopeful = pl.col(STUDENT).is_in(_with_enough_early(plan, items).implode())
    unsure = found.filter(pl.col("quality").is_not_null() & ~pl.col("locked") & hopeful)[STUDENT]
    sure = found.filter(~pl.col(STUDENT).is_in(unsure.implode()))
    return sure.rename({"quality": "best_quality"}).select(_ANSWER.keys()), unsure


def _with_enough_early(plan: Plan, items: pl.DataFrame) -> pl.Series:
    """The students whose early attempts among ``items`` are together enough."""
    subject = pl.col("hundredths").filter(pl.col("cell").is_in(sorted(plan.locked_cells))).sum()
    early = items.filter("early").group_by(STUDENT).agg(pl.col("hundredths").sum(), subject.alias("subject"))
    enough = (pl.col("hundredths") >= plan.early_units) & (pl.col("subject") >= plan.early_subject_units)
    return early.filter(enough)[STUDENT]


def _with_answers(
    sums: pl.DataFrame, answers: pl.DataFrame, progression: Progression | None, seventh: pl.Series | None, as_of: date
) -> pl.DataFrame:
    if sums[STUDENT].equals(answers[STUDENT]):
        joined = sums.hstack(answers.drop(STUDENT))
    else:
        joined = sums.join(answers, on=STUDENT, how="left", maintain_order="left")
    if progression is None or seventh is None:
        return added(joined, *_ANSWERED, _LOCKED.alias("progression_met"))
    due = (pl.lit(seventh).gather(pl.col(STUDENT)) <= as_of).fill_null(True)
    return added(joined, *_ANSWERED, pl.when(due | _LOCKED).then(_LOCKED).alias("progression_met"))


_LOCKED = pl.col("locked").fill_null(False)
_MET = pl.col("best_quality").is_not_null()
_ANSWERED = (
    pl.when(_MET).then(pl.col("best_quality") * HUNDREDTH).otherwise("quality").alias("quality"),
    pl.when(_MET).then(pl.col("hundredths") * HUNDREDTH).otherwise("units").alias("units"),
    pl.when(_MET).then("chosen").otherwise("courses_used").alias("courses_used"),
    _MET.alias("selection_met"),
    (pl.col("problem") | pl.col("hard").fill_null(False)).alias("problem"),
)


def _with_too_hard(rows: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """Where no selection could be proven best, the student's first course says so."""
    if not answers["hard"].any():
        return rows
    hard = answers.filter("hard")[STUDENT]
    first = pl.col(STUDENT).is_in(hard.implode()) & (pl.col("line") == pl.col("line").min().over(STUDENT))
    return added(rows, pl.when(first).then(Problem.TOO_HARD.number).otherwise("fault").cast(pl.UInt8).alias("fault"))


def _with_chosen(rows: pl.DataFrame, answers: pl.DataFrame, chosen: list[int]) -> pl.DataFrame:
    """The chosen rows used, the others of the same students set aside."""
    solved = answers.filter(pl.col("best_quality").is_not_null())[STUDENT]
    mine = pl.col(STUDENT).is_in(solved.implode()) & (pl.col("fault") == 0)
    picked = pl.col(ROW).is_in(chosen)
    why = (
        pl.when(mine & picked).then(int(Why.USED))
        .when(mine & (pl.col("why") == int(Why.USED))).then(int(Why.NOT_CHOSEN))
        .otherwise("why")
    )  # fmt: skip
    return added(rows, why.cast(pl.UInt8).alias("why"))
