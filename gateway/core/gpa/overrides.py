"""What a person decides: another GPA, or other values for one course; never without a name and a reason.

A decision on a course names it by its line, or (so that it holds for tomorrow's file too) by its code, and by school
year and term where the code alone does not tell. Where it no longer fits exactly one course, the student's GPA waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.errors import DataError
from gateway.core.gpa.cells import read_year
from gateway.core.gpa.changes import check_columns, with_values
from gateway.core.gpa.courses import OVERRIDE, OVERRIDE_PROBLEM, PROBLEM
from gateway.core.gpa.policy import Aggregate
from gateway.core.gpa.result import GpaResult, Period, State
from gateway.core.model import LINE, SCORE

COURSE_KEYS = ("course_code", "school_year", "term")
"""The columns by which an override can name a course."""


@dataclass(frozen=True, slots=True)
class Override:
    """A person's decision: another ``gpa`` (under ``policy``, or any), or other ``values`` for one course.

    The course is the one on ``line`` or, for decisions that are kept, the one with the values of ``course``
    (:data:`COURSE_KEYS`). Raises :class:`DataError` (``gpa.override``, ``gpa.columns``) where something is missing.
    """

    student_id: str
    person: str
    reason: str
    on: date
    gpa: Decimal | None = None
    line: int | None = None
    values: Mapping[str, Any] | None = None
    policy: str | None = None
    course: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.person.strip() or not self.reason.strip():
            raise DataError("An override needs a person and a reason.", hint="Fill both.", code="gpa.override")
        named = self.line is not None or self.course is not None
        if (self.gpa is None) == (self.values is None) or (self.values is not None) != named:
            raise DataError(
                "An override changes either the GPA, or the values of one course.",
                hint="Say one of the two.",
                code="gpa.override",
            )
        if self.gpa is not None and not self.gpa.is_finite():
            raise DataError("An override's GPA is no number.", hint="Write it such as 3.25.", code="gpa.override")
        check_columns([*(self.values or {}), *(self.course or {})])

    @property
    def words(self) -> str:
        """Who, when and why, for people."""
        return f"overridden by {self.person} on {self.on}: {self.reason}"

    @property
    def what(self) -> str:
        """The course that it changes, for people."""
        keys = self.course or {}
        return " ".join(keys[key] for key in COURSE_KEYS if keys.get(key)) or f"line {self.line}"


def override_courses(courses: pl.DataFrame, overrides: Sequence[Override]) -> pl.DataFrame:
    """``courses`` with other values; the column ``override`` says by whom, when and why, and what stood there.

    Raises :class:`DataError` (``gpa.line``) for a line that the student does not have. A decision that names its course
    otherwise, and finds none or several, makes the student's GPA wait; of students without a course it is not asked.
    """
    numbered = courses if LINE in courses.columns else courses.with_row_index(LINE, offset=1)
    numbered = numbered.with_columns(pl.col(LINE).cast(pl.Int64))
    for each in overrides:
        if each.values is None:
            continue
        mine = numbered.filter(pl.col("student_id").cast(pl.String).str.strip_chars() == each.student_id)
        found = mine.filter(_named(each, mine))
        if each.line is not None and found.is_empty():
            raise DataError(f"The student has no course on line {each.line}.", hint="Look again.", code="gpa.line")
        if found.height == 1:
            numbered = _overridden(numbered, each, found)
        elif mine.height:
            numbered = _waiting(numbered, each, (found if found.height else mine)[LINE].to_list()[0], found.height)
    return numbered


def _named(override: Override, courses: pl.DataFrame) -> pl.Expr:
    """Which of a student's courses the override means; a school year fits however it is written."""
    if override.course is None:
        return pl.col(LINE) == override.line
    fits = pl.lit(True)
    for name, value in override.course.items():
        if name not in courses.columns:
            return pl.lit(False)
        texts = courses[name].cast(pl.String).str.strip_chars().to_list()
        known = [text is not None and _plain(name, text) == _plain(name, value) for text in texts]
        fits = fits & pl.lit(pl.Series(known, dtype=pl.Boolean))
    return fits


def _plain(column: str, text: str) -> str | int | None:
    return read_year(text) or text if column == "school_year" else text


def _overridden(courses: pl.DataFrame, override: Override, found: pl.DataFrame) -> pl.DataFrame:
    values, line = override.values or {}, int(found[LINE][0])
    was = ", ".join(f"{name} was {found[name][0] if name in found.columns else None}" for name in values)
    if PROBLEM in courses.columns and {"grade", "score"} & values.keys():
        courses = _noted(courses, PROBLEM, line, None)
    return _noted(with_values(courses, line, values), OVERRIDE, line, f"{override.words} ({was})")


def _waiting(courses: pl.DataFrame, override: Override, line: int, found: int) -> pl.DataFrame:
    said = f"An override names {override.what}, which fits {found} courses ({override.words})."
    return _noted(courses, OVERRIDE_PROBLEM, line, said)


def _noted(courses: pl.DataFrame, column: str, line: int, note: str | None) -> pl.DataFrame:
    old = pl.col(column) if column in courses.columns else pl.lit(None, pl.String)
    return courses.with_columns(
        pl.when(pl.col(LINE) == line).then(pl.lit(note, pl.String)).otherwise(old).alias(column)
    )


def override_gpas(result: GpaResult, overrides: Sequence[Override]) -> GpaResult:
    """``result`` with the overridden cumulative GPAs; the computed number stays in ``reason``.

    A GPA that the school does not aggregate is not overridden either: it would look like one that may be kept.
    """
    policy = result.policy
    rows = [
        (each.student_id, each.gpa, each.words)
        for each in overrides
        if each.gpa is not None and each.policy in (None, policy.name)
    ]
    if not rows or policy.aggregate is Aggregate.ON_REQUEST_ONLY:
        return result
    schema = {"student_id": pl.String(), "new_gpa": SCORE, "words": pl.String()}
    decided = pl.DataFrame(rows, schema=schema, orient="row").unique("student_id", keep="last", maintain_order=True)
    joined = result.gpas.join(decided, on="student_id", how="left", maintain_order="left")
    here = pl.col("new_gpa").is_not_null() & (pl.col("period") == Period.CUMULATIVE.value)
    shown = pl.col("gpa").cast(pl.Decimal(18, policy.round_gpa.places)).cast(pl.String)
    computed = shown.fill_null(pl.col("state"))
    return replace(
        result,
        gpas=joined.with_columns(
            pl.when(here).then("new_gpa").otherwise("gpa").alias("gpa"),
            pl.when(here).then(pl.lit(State.OVERRIDDEN.value)).otherwise("state").alias("state"),
            pl.when(here).then(pl.format("{} (computed: {})", "words", computed)).otherwise("reason").alias("reason"),
        ).drop("new_gpa", "words"),
    )


def note_course_overrides(result: GpaResult, overrides: Sequence[Override]) -> GpaResult:
    """``result`` with every decision on a course told in the ``reason`` of its student's GPAs."""
    rows = [(each.student_id, f"{each.what} {each.words}") for each in overrides if each.values is not None]
    if not rows:
        return result
    said = pl.DataFrame(rows, schema={"student_id": pl.String(), "said": pl.String()}, orient="row")
    said = said.group_by("student_id", maintain_order=True).agg(pl.col("said").str.join("; "))
    joined = result.gpas.join(said, on="student_id", how="left", maintain_order="left")
    reason = pl.concat_str("reason", "said", separator="; ", ignore_nulls=True)
    return replace(
        result,
        gpas=joined.with_columns(
            pl.when(pl.col("said").is_not_null()).then(reason).otherwise("reason").alias("reason")
        ).drop("said"),
    )
