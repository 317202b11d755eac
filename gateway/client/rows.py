"""The rows that calculations take: evidence, courses, and facts of students.

They are plain dictionaries; these types let an editor and a type checker know their columns. A decimal travels as text
with all its digits, so write ``Decimal`` or text rather than a float.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Required, TypeAlias, TypedDict

Number: TypeAlias = Decimal | int | str
Time: TypeAlias = datetime | date | str
"""A time with its zone, or a day."""


class Evidence(TypedDict, total=False):
    """One scored result. ``score``: a number, or a mark that the scales of the mapping know."""

    student_id: Required[str]
    score: Number | None
    score_text: str | None
    scored_at: Required[Time]
    standard: str | None
    competency: str | None
    class_id: str | None
    course_code: str | None
    category: str | None
    line_item_id: str | None
    result_id: str | None
    status: str | None
    late: bool | None
    missing: bool | None
    incomplete: bool | None
    in_progress: bool | None
    term: str | None
    scorer_id: str | None
    max_score: Number | None
    min_score: Number | None
    score_scale: str | None
    line_item_title: str | None
    line_item_description: str | None
    class_title: str | None
    course_title: str | None
    score_scale_value: Number | None
    subject: str | None
    school_id: str | None
    grade: str | None
    assigned_at: Time | None
    due_at: Time | None
    override_by: str | None
    override_reason: str | None


class Course(TypedDict, total=False):
    """One course attempt. ``grade``: the final grade as the scales of the policy write it."""

    student_id: Required[str]
    course_code: Required[str]
    title: str | None
    subject: str | None
    level: str | None
    credit: Number | None
    grade: str | None
    school_year: str | None
    term: str | None
    grade_level: str | None
    score: Number | None
    core: str | None
    ag: str | None
    repeat_of: str | None
    status: str | None
    school_id: str | None
    completed_on: Time | None


class StudentFacts(TypedDict, total=False):
    """What some policies ask for beside courses."""

    student_id: Required[str]
    residency: str | None
    top_half: bool | None
    act: Number | None
    sat: Number | None
    seventh_semester_on: Time | None
    graduated_on: Time | None


class CourseValues(TypedDict, total=False):
    """Values by column of a course, as text."""

    student_id: str | None
    course_code: str | None
    title: str | None
    subject: str | None
    level: str | None
    credit: str | None
    grade: str | None
    school_year: str | None
    term: str | None
    grade_level: str | None
    score: str | None
    core: str | None
    ag: str | None
    repeat_of: str | None
    status: str | None
    school_id: str | None
    completed_on: str | None


class ChangedCourse(TypedDict):
    """Other values for the course on a line; the first course is on line 1."""

    line: int
    values: CourseValues


class SandboxFault(TypedDict, total=False):
    """A fault of requests whose path begins with ``path``: of each ``every``-th, among the ``next`` so many."""

    kind: Required[str]
    path: str
    every: int
    next: int | None
    seconds: int
    retry_after: int
