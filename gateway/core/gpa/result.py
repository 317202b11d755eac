"""What comes out of a computation: GPAs, problems and a trace."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from gateway.core.gpa.policy import Policy

COLUMNS = ("student_id", "policy", "version", "gpa", "state", "credits", "quality_points", "courses_used")
"""The documented columns of a result; :data:`FURTHER` follow them."""
FURTHER = ("period", "standing", "reason", "credits_earned")


QUALITY = pl.Decimal(38, 6)
"""Sums of quality points, which can be larger than a score."""


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


PROBLEM_SCHEMA = {
    "student_id": pl.String(), "policy": pl.String(), "version": pl.String(), "line": pl.Int64(),
    "course_code": pl.String(), "code": pl.String(), "message": pl.String(), "hint": pl.String(),
}  # fmt: skip


NO_PROBLEMS = pl.DataFrame(schema=PROBLEM_SCHEMA)
