"""What a person tries: other courses or grades for one student."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

import polars as pl

from gateway.core.errors import DataError, did_you_mean
from gateway.core.gpa.compute import GpaResult, Period, compute_gpa
from gateway.core.gpa.grades import Calendar
from gateway.core.gpa.language import COURSE_COLUMNS
from gateway.core.gpa.policy import Policy
from gateway.core.model import LINE


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
    approximate: bool = False,
) -> WhatIf:
    """What the changes would do to one student's GPA. Raises :class:`DataError` (``gpa.line``) for an unknown line.

    ``approximate`` as in :func:`~gateway.core.gpa.compute.compute_gpa`.
    """
    numbered = courses if LINE in courses.columns else courses.with_row_index(LINE, offset=1)
    mine = numbered.filter(pl.col("student_id").cast(pl.String) == student_id).with_columns(pl.col(LINE).cast(pl.Int64))
    changed = mine
    for change in changes:
        changed = _changed(changed, student_id, change)
    period = (Period.PROJECTED,) if _any_in_progress(changes) else (Period.CUMULATIVE,)
    before, after = (
        compute_gpa(policy, each, as_of=as_of, trace=True, students=students, calendar=calendar, periods=period,
                    approximate=approximate)
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
        return with_values(courses, change.line, change.values)
    first = courses.filter(pl.col(LINE) == change.line).row(0, named=True)
    first = {name: value for name, value in first.items() if name in COURSE_COLUMNS}
    repeated = {"repeat_of": first["course_code"], "school_year": None, "term": None}
    return _with_row(courses, {**first, **repeated, **change.values})


def _with_row(courses: pl.DataFrame, values: Mapping[str, Any]) -> pl.DataFrame:
    check_columns(values)
    texts = courses.with_columns(pl.col(c).cast(pl.String) for c in courses.columns if c in COURSE_COLUMNS)
    line = int(courses[LINE].max() or 0) + 1  # type: ignore[arg-type]
    row = pl.DataFrame(
        {**{name: [None if value is None else str(value)] for name, value in values.items()}, LINE: [line]},
        schema_overrides={**dict.fromkeys(values, pl.String), LINE: pl.Int64},
    )
    return pl.concat([texts, row], how="diagonal")


def with_values(courses: pl.DataFrame, line: int, values: Mapping[str, Any]) -> pl.DataFrame:
    """Other values for the course on ``line``."""
    check_columns(values)
    here = pl.col(LINE) == line
    changed = []
    for name, value in values.items():
        old = pl.col(name).cast(pl.String) if name in courses.columns else pl.lit(None, pl.String)
        changed.append(
            pl.when(here).then(pl.lit(None if value is None else str(value), pl.String)).otherwise(old).alias(name)
        )
    return courses.with_columns(changed)


def check_columns(values: Iterable[str]) -> None:
    """Raises :class:`DataError` (``gpa.columns``) for a name that is no column of a course file."""
    for name in values:
        if name not in COURSE_COLUMNS:
            raise DataError(
                f"There is no column {name}.{did_you_mean(name, COURSE_COLUMNS)}",
                hint=f"Columns: {', '.join(COURSE_COLUMNS)}.",
                code="gpa.columns",
            )
