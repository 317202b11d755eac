"""The GPA report: every GPA of a student with its worked lines, so that a reader can compute it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.gpa.compute import GpaResult
from gateway.core.gpa.explain import gpa_text, weight_words, worked_sum
from gateway.core.gpa.policy import Kind, Policy
from gateway.core.gpa.result import State
from gateway.core.mapping.scales import plain
from gateway.documents.issue import Rules, rules_of
from gateway.documents.policy_words import range_words

STATES = {
    State.COMPUTED: "computed",
    State.PENDING: "waits: there is no number yet",
    State.NO_COURSES: "no course counts yet",
    State.SO_FAR: "so far: the requirements are not met yet",
    State.REFUSED: "not given",
    State.APPROXIMATION: "approximation",
    State.OVERRIDDEN: "set by a person",
}


@dataclass(frozen=True, slots=True)
class Student:
    """Whom a document is about; the name may be unknown."""

    id: str
    name: str = ""
    grade_level: str = ""

    @property
    def shown(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


@dataclass(frozen=True, slots=True)
class Line:
    """One course as the report shows it, everything as text but the ``number`` of its line in the file."""

    number: int
    course: str
    code: str
    when: str
    level: str
    grade: str
    points: str
    credit: str
    quality: str
    why: str
    clause: str
    note: str


@dataclass(frozen=True, slots=True)
class Part:
    """One GPA with its lines. ``number`` is empty where there is none; ``reason`` says why."""

    policy: str
    title: str
    number: str
    scale: str
    state: str
    credits: str
    courses: str
    unit: str
    levels: bool
    used: tuple[Line, ...]
    aside: tuple[Line, ...]
    quality: str
    worked: str
    standing: str
    reason: str
    label: str
    source: str
    approved_by: str
    rules: Rules


def report_parts(results: Sequence[GpaResult]) -> dict[str, list[Part]]:
    """For each student the GPAs of all ``results`` (which have traces), in their order."""
    parts: dict[str, list[Part]] = {}
    for result in results:
        lines = _by_student(result.trace)
        for row in result.gpas.filter(pl.col("student_id").is_not_null()).iter_rows(named=True):
            student = str(row["student_id"])
            parts.setdefault(student, []).append(_part(result.policy, row, lines.get(student, [])))
    return parts


def _by_student(trace: pl.DataFrame | None) -> dict[str, list[Mapping[str, Any]]]:
    lines: dict[str, list[Mapping[str, Any]]] = {}
    for row in trace.iter_rows(named=True) if trace is not None else ():
        lines.setdefault(str(row["student_id"]), []).append(row)
    return lines


def _part(policy: Policy, row: Mapping[str, Any], courses: Sequence[Mapping[str, Any]]) -> Part:
    ordered = sorted(courses, key=lambda each: (each["school_year"] or 0, str(each["term"] or ""), each["line"] or 0))
    used = tuple(_line(policy, each) for each in ordered if each["used"])
    return Part(
        policy=policy.name,
        title=policy.title,
        number=gpa_text(policy, row["gpa"]),
        scale=range_words(policy),
        state=STATES[State(row["state"])],
        credits=_text(row["credits"]),
        courses=_text(row["courses_used"]),
        unit="Grades" if policy.kind is Kind.SEMESTERS else "Credit",
        levels=policy.weighting is not None,
        used=used,
        aside=tuple(_line(policy, each) for each in ordered if not each["used"]),
        quality=_text(row["quality_points"]),
        worked=worked_sum(policy, row),
        standing=row["standing"] or "",
        reason=row["reason"] or "",
        label=policy.label,
        source=f"{policy.source.name} ({policy.source.year})",
        approved_by=policy.approved_by,
        rules=rules_of(policy),
    )


def _line(policy: Policy, row: Mapping[str, Any]) -> Line:
    given = row["grade"] or _text(row["number"])
    counted = row["counted_as"]
    shares = row["attempts_averaged"] or 1
    notes = [row["override"] or "", f"one of {shares} attempts averaged" if shares > 1 and row["used"] else ""]
    return Line(
        number=row["line"] or 0,
        course=row["title"] or row["course_code"] or "?",
        code=(row["course_code"] or "") if row["title"] else "",
        when=" ".join(_when(row)),
        level=row["level"] or "",
        grade=given if counted in (None, given) else f"{given} as {counted}",
        points=_points(policy, row),
        credit=_text(row["units"] if row["used"] else row["credit"]),
        quality=_text(row["quality_points"]),
        why=row["why"] or "",
        clause=row["clause"] or "",
        note="; ".join(each for each in notes if each),
    )


def _points(policy: Policy, row: Mapping[str, Any]) -> str:
    if row["points"] is None:
        return ""
    return _text(row["points"]) + (weight_words(policy, row["weight"]) if row["weight"] is not None else "")


def _when(row: Mapping[str, Any]) -> list[str]:
    """``2025-26 S1``: a school year is named by both of its years."""
    year = row["school_year"]
    named = [f"{year - 1}-{year % 100:02}"] if year else []
    return named + ([str(row["term"])] if row["term"] else [])


def _text(number: Decimal | int | None) -> str:
    return "" if number is None else plain(Decimal(number))
