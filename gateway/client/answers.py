"""What the API answers, as frozen values: decimals as :class:`~decimal.Decimal`, times with their zone.

The names are those of the contract (``/v1/openapi.json``). Fields that a newer server adds are passed over.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a call gives."""


class Identity(Answer, frozen=True, kw_only=True):
    """Which version a number is of."""

    name: str
    version: str
    digest: str


class FrameworkIdentity(Answer, frozen=True, kw_only=True):
    """A framework of the district."""

    id: str
    title: str
    version: str | None
    digest: str


class FrameworkList(Answer, frozen=True, kw_only=True):
    """A whole list."""

    frameworks: tuple[FrameworkIdentity, ...]


class Scale(Answer, frozen=True, kw_only=True):
    """A scale of a mapping: its range, its marks, and what its levels are called."""

    name: str
    report: str
    lowest: Decimal
    highest: Decimal
    proficient: Decimal | None
    marks: dict[str, Decimal]
    names: dict[str, str]


class ScaleOfMapping(Scale, frozen=True, kw_only=True):
    """A scale, with the mapping that it belongs to."""

    mapping: str
    mapping_version: str
    mapping_digest: str


class ScaleList(Answer, frozen=True, kw_only=True):
    """A whole list."""

    scales: tuple[ScaleOfMapping, ...]


class MappingSummary(Identity, frozen=True, kw_only=True):
    """A version of a mapping. ``digest``: SHA-256 over all that the numbers depend on."""

    framework: FrameworkIdentity


class MappingList(Answer, frozen=True, kw_only=True):
    """A whole list."""

    mappings: tuple[MappingSummary, ...]


class Mapping(MappingSummary, frozen=True, kw_only=True):
    """A mapping in full; ``content`` is its file."""

    scales: tuple[Scale, ...]
    content: dict[str, Any]


class Counts(Answer, frozen=True, kw_only=True):
    """How many results came, were used, and were set aside, by reason."""

    evidence: int
    used: int
    set_aside: dict[str, int]


class Level(Answer, frozen=True, kw_only=True):
    """The level of a student in a competency, and what it stands on."""

    student_id: str
    competency: str
    level: Decimal | None
    proficient: bool | None
    state: str
    evidence_count: int
    first_scored_at: datetime | None
    last_scored_at: datetime | None
    mapping: str
    version: str


class Continuum(Answer, frozen=True, kw_only=True):
    """Where a student stands in a domain."""

    student_id: str
    domain: str
    performance_level: str | None
    progress: Decimal | None
    complete: str | None
    next: str | None
    gaps: str | None
    baseline: Decimal | None
    growth: Decimal | None
    pace: Decimal | None


class Credit(Answer, frozen=True, kw_only=True):
    """What a student has of a credit."""

    student_id: str
    credit: str
    part: str | None
    earned: Decimal | None
    required: Decimal | None
    remaining: Decimal | None
    complete: bool | None


class Unmatched(Answer, frozen=True, kw_only=True):
    """Evidence that found no competency or no level, and why."""

    kind: str
    column: str | None
    value: str | None
    reason: str
    suggestion: str | None
    rows: int
    students: int
    first_scored_at: datetime | None
    last_scored_at: datetime | None


class Mapped(Answer, frozen=True, kw_only=True):
    """What a mapping makes of evidence."""

    mapping: Identity
    counts: Counts
    levels: tuple[Level, ...]
    continuum: tuple[Continuum, ...]
    credits: tuple[Credit, ...]
    unmatched: tuple[Unmatched, ...]


class Explanation(Answer, frozen=True, kw_only=True):
    """All that the levels stand on: as data, and for people."""

    explanation: dict[str, Any]
    text: str


class Remark(Answer, frozen=True, kw_only=True):
    """A fault or an oddity of a mapping file."""

    code: str
    message: str
    hint: str
    line: int | None


class FailedExample(Answer, frozen=True, kw_only=True):
    """An example of a mapping file that does not come out."""

    example: str
    message: str
    line: int | None


class LintResult(Answer, frozen=True, kw_only=True):
    """Whether a mapping file is sound."""

    ok: bool
    problems: tuple[Remark, ...]
    remarks: tuple[Remark, ...]
    failed_examples: tuple[FailedExample, ...]


class Source(Answer, frozen=True, kw_only=True):
    """Whose rules a policy follows."""

    name: str
    year: str
    url: str


class Policy(Identity, frozen=True, kw_only=True):
    """A version of a GPA policy. ``label`` must stand beside every number of it."""

    title: str
    kind: str
    first_day: date
    last_day: date | None
    source: Source
    label: str
    approved_by: str
    open_questions: tuple[str, ...]
    on_request_only: bool


class PolicyList(Answer, frozen=True, kw_only=True):
    """A whole list."""

    policies: tuple[Policy, ...]


class Gpa(Answer, frozen=True, kw_only=True):
    """The GPA of a student, or why there is none."""

    student_id: str
    policy: str
    version: str
    gpa: Decimal | None
    state: str
    credits: Decimal | None
    quality_points: Decimal | None
    courses_used: int | None
    period: str | None
    standing: str | None
    reason: str | None
    credits_earned: Decimal | None


class GpaProblem(Answer, frozen=True, kw_only=True):
    """What made a GPA wait."""

    student_id: str
    policy: str
    version: str
    line: int | None
    course_code: str | None
    code: str
    message: str
    hint: str


class TracedCourse(Answer, frozen=True, kw_only=True):
    """What one course gave to a GPA."""

    student_id: str
    policy: str
    version: str
    digest: str
    period: str | None
    line: int | None
    course_code: str | None
    title: str | None
    subject: str | None
    level: str | None
    school_year: str | None
    term: str | None
    grade_level: str | None
    grade: str | None
    counted_as: str | None
    number: Decimal | None
    points: Decimal | None
    weight: Decimal | None
    credit: Decimal | None
    units: Decimal | None
    quality_points: Decimal | None
    attempts_averaged: int | None
    used: bool
    why: str | None
    clause: str | None
    override: str | None


class GpaResult(Answer, frozen=True, kw_only=True):
    """GPAs under one policy. ``storable``: whether they may be kept at all."""

    policy: Policy
    storable: bool
    gpas: tuple[Gpa, ...]
    problems: tuple[GpaProblem, ...]
    trace: tuple[TracedCourse, ...] = ()
    text: tuple[str, ...] = ()


class Computed(Answer, frozen=True, kw_only=True):
    """GPAs under several policies."""

    results: tuple[GpaResult, ...]


class ComparedStudent(Answer, frozen=True, kw_only=True):
    """The GPAs of a student under two policies."""

    student_id: str
    school_id: str | None
    old_gpa: Decimal | None
    new_gpa: Decimal | None
    difference: Decimal | None
    old_state: str | None
    new_state: str | None
    old_standing: str | None
    new_standing: str | None
    changed: bool
    why: str | None


class Compared(Answer, frozen=True, kw_only=True):
    """Who has another GPA under the one policy than under the other."""

    old: Identity
    new: Identity
    students: tuple[ComparedStudent, ...]


class WhatIfResult(Answer, frozen=True, kw_only=True):
    """A GPA before and after some changes."""

    before: GpaResult
    after: GpaResult
    difference: Decimal | None
