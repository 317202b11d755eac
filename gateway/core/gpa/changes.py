"""What a person tries or decides: what-if changes, two policies compared, and overrides with a name and a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

import polars as pl

from gateway.core.errors import DataError, did_you_mean
from gateway.core.gpa.compute import GpaResult, Period, State, compute_gpa
from gateway.core.gpa.courses import OVERRIDE
from gateway.core.gpa.grades import Calendar
from gateway.core.gpa.language import COURSE_COLUMNS
from gateway.core.gpa.policy import Policy
from gateway.core.model import LINE, SCORE


@dataclass(frozen=True, slots=True)
class AddCourse:
    """One more attempt, by column."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChangeCourse:
    """Other values for the course on ``line``."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RepeatCourse:
    """The course on ``line`` once more, with a new grade and, as a rule, a later year or term."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RemoveCourse:
    """Without the course on ``line``."""

    line: int


Change: TypeAlias = AddCourse | ChangeCourse | RepeatCourse | RemoveCourse


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A student's GPA before and after some changes, each with its trace; nothing is kept."""

    before: GpaResult
    after: GpaResult

    @property
    def difference(self) -> Decimal | None:
        """After less before, if both are numbers."""
        old, new = (each.gpas["gpa"][0] if len(each.gpas) else None for each in (self.before, self.after))
        return None if old is None or new is None else Decimal(new) - Decimal(old)


def what_if(
    policy: Policy,
    courses: pl.DataFrame,
    student_id: str,
    changes: Sequence[Change],
    *,
    as_of: date,
    students: pl.DataFrame | None = None,
    calendar: Calendar | None = None,
) -> WhatIf:
    """What the changes would do to one student's GPA. Raises :class:`DataError` (``gpa.line``) for an unknown line."""
    numbered = courses if LINE in courses.columns else courses.with_row_index(LINE, offset=1)
    mine = numbered.filter(pl.col("student_id").cast(pl.String) == student_id).with_columns(pl.col(LINE).cast(pl.Int64))
    changed = mine
    for change in changes:
        changed = _changed(changed, student_id, change)
    period = (Period.PROJECTED,) if _any_in_progress(changes) else (Period.CUMULATIVE,)
    before, after = (
        compute_gpa(policy, each, as_of=as_of, trace=True, students=students, calendar=calendar, periods=period,
                    approximate=True)
        for each in (mine, changed)
    )  # fmt: skip
    return WhatIf(before, after)


def _any_in_progress(changes: Sequence[Change]) -> bool:
    return any(
        str(change.values.get("status", "")).replace(" ", "_") == "in_progress"
        for change in changes
        if not isinstance(change, RemoveCourse)
    )


def _changed(courses: pl.DataFrame, student_id: str, change: Change) -> pl.DataFrame:
    if isinstance(change, AddCourse):
        return _with_row(courses, {"student_id": student_id, **change.values})
    if change.line not in courses[LINE]:
        raise DataError(
            f"The student has no course on line {change.line}.",
            hint="Look at the lines with `gpa explain`.",
            code="gpa.line",
        )
    if isinstance(change, RemoveCourse):
        return courses.filter(pl.col(LINE) != change.line)
    if isinstance(change, ChangeCourse):
        return _with_values(courses, change.line, change.values)
    first = courses.filter(pl.col(LINE) == change.line).row(0, named=True)
    first = {name: value for name, value in first.items() if name in COURSE_COLUMNS}
    repeated = {"repeat_of": first["course_code"], "school_year": None, "term": None}
    return _with_row(courses, {**first, **repeated, **change.values})


def _with_row(courses: pl.DataFrame, values: Mapping[str, Any]) -> pl.DataFrame:
    _check_columns(values)
    texts = courses.with_columns(pl.col(c).cast(pl.String) for c in courses.columns if c in COURSE_COLUMNS)
    line = int(courses[LINE].max() or 0) + 1  # type: ignore[arg-type]
    row = pl.DataFrame(
        {**{name: [None if value is None else str(value)] for name, value in values.items()}, LINE: [line]},
        schema_overrides={**dict.fromkeys(values, pl.String), LINE: pl.Int64},
    )
    return pl.concat([texts, row], how="diagonal")


def _with_values(courses: pl.DataFrame, line: int, values: Mapping[str, Any]) -> pl.DataFrame:
    _check_columns(values)
    here = pl.col(LINE) == line
    changed = []
    for name, value in values.items():
        old = pl.col(name).cast(pl.String) if name in courses.columns else pl.lit(None, pl.String)
        changed.append(
            pl.when(here).then(pl.lit(None if value is None else str(value), pl.String)).otherwise(old).alias(name)
        )
    return courses.with_columns(changed)


def _check_columns(values: Mapping[str, Any]) -> None:
    for name in values:
        if name not in COURSE_COLUMNS:
            raise DataError(
                f"There is no column {name}.{did_you_mean(name, COURSE_COLUMNS)}",
                hint=f"Columns: {', '.join(COURSE_COLUMNS)}.",
                code="gpa.columns",
            )


COMPARISON = ("student_id", "old_gpa", "new_gpa", "difference", "old_state", "new_state", "changed")
"""The columns of a comparison."""


def compare_policies(
    old: Policy,
    new: Policy,
    courses: pl.DataFrame,
    *,
    as_of: date,
    students: pl.DataFrame | None = None,
    calendar: Calendar | None = None,
) -> pl.DataFrame:
    """Every student's GPA under both policies (or versions, in force or not), columns :data:`COMPARISON`."""
    results = [
        compute_gpa(
            each, courses, as_of=as_of, students=students, calendar=calendar, approximate=True, check_dates=False
        ).gpas
        for each in (old, new)
    ]
    before, after = (each.select("student_id", "gpa", "state", "standing") for each in results)
    joined = before.join(after, on="student_id", how="full", coalesce=True, suffix="_new").sort("student_id")
    return joined.select(
        "student_id",
        pl.col("gpa").alias("old_gpa"),
        pl.col("gpa_new").alias("new_gpa"),
        (pl.col("gpa_new") - pl.col("gpa")).cast(SCORE).alias("difference"),
        pl.col("state").alias("old_state"),
        pl.col("state_new").alias("new_state"),
        (
            pl.col("gpa").ne_missing(pl.col("gpa_new"))
            | pl.col("state").ne_missing(pl.col("state_new"))
            | pl.col("standing").ne_missing(pl.col("standing_new"))
        ).alias("changed"),
    )


@dataclass(frozen=True, slots=True)
class Override:
    """A person's decision: another GPA, or other values for the course on ``line``; never without a reason."""

    student_id: str
    person: str
    reason: str
    on: date
    gpa: Decimal | None = None
    line: int | None = None
    values: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.person.strip() or not self.reason.strip():
            raise DataError("An override needs a person and a reason.", hint="Fill both.", code="gpa.override")
        if (self.gpa is None) == (self.values is None) or (self.values is None) != (self.line is None):
            raise DataError(
                "An override changes either the GPA, or the values of the course on one line.",
                hint="Say one of the two.",
                code="gpa.override",
            )

    @property
    def words(self) -> str:
        """Who, when and why, for people."""
        return f"overridden by {self.person} on {self.on}: {self.reason}"


def override_courses(courses: pl.DataFrame, overrides: Sequence[Override]) -> pl.DataFrame:
    """``courses`` with other values; the column ``override`` says by whom, when and why, and what stood there."""
    numbered = courses if LINE in courses.columns else courses.with_row_index(LINE, offset=1)
    for each in overrides:
        if each.line is None or each.values is None:
            continue
        mine = (pl.col(LINE) == each.line) & (pl.col("student_id").cast(pl.String) == each.student_id)
        found = numbered.filter(mine)
        if found.is_empty():
            raise DataError(f"The student has no course on line {each.line}.", hint="Look again.", code="gpa.line")
        was = ", ".join(f"{name} was {found[name][0] if name in found.columns else None}" for name in each.values)
        note = f"{each.words} ({was})"
        old = pl.col(OVERRIDE) if OVERRIDE in numbered.columns else pl.lit(None, pl.String)
        numbered = _with_values(numbered, each.line, each.values).with_columns(
            pl.when(mine).then(pl.lit(note)).otherwise(old).alias(OVERRIDE)
        )
    return numbered


def override_gpas(result: GpaResult, overrides: Sequence[Override]) -> GpaResult:
    """``result`` with the overridden cumulative GPAs; the computed number stays in ``reason``."""
    rows = [(each.student_id, each.gpa, each.words) for each in overrides if each.gpa is not None]
    if not rows:
        return result
    schema = {"student_id": pl.String(), "new_gpa": SCORE, "words": pl.String()}
    decided = pl.DataFrame(rows, schema=schema, orient="row").unique("student_id", keep="last", maintain_order=True)
    joined = result.gpas.join(decided, on="student_id", how="left", maintain_order="left")
    here = pl.col("new_gpa").is_not_null() & (pl.col("period") == Period.CUMULATIVE.value)
    computed = pl.col("gpa").cast(pl.String).fill_null(pl.col("state"))
    return replace(
        result,
        gpas=joined.with_columns(
            pl.when(here).then("new_gpa").otherwise("gpa").alias("gpa"),
            pl.when(here).then(pl.lit(State.OVERRIDDEN.value)).otherwise("state").alias("state"),
            pl.when(here).then(pl.format("{} (computed: {})", "words", computed)).otherwise("reason").alias("reason"),
        ).drop("new_gpa", "words"),
    )
