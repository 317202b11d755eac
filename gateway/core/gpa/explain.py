"""A GPA opened to its lines, in plain words: what each course gave, what was set aside and why, and the sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.gpa.changes import WhatIf
from gateway.core.gpa.compute import GpaResult, compute_gpa
from gateway.core.gpa.grades import Calendar
from gateway.core.gpa.policy import Kind, Policy, Weigh
from gateway.core.gpa.result import State
from gateway.core.mapping.scales import plain


def explain_gpa(
    policy: Policy,
    courses: pl.DataFrame,
    student_id: str,
    *,
    as_of: date,
    students: pl.DataFrame | None = None,
    calendar: Calendar | None = None,
    approximate: bool = False,
) -> list[str]:
    """The worked lines of one student's GPA."""
    mine = courses.filter(pl.col("student_id").cast(pl.String) == student_id)
    result = compute_gpa(policy, mine, as_of=as_of, trace=True, students=students, calendar=calendar,
                         approximate=approximate)  # fmt: skip
    return list(explain_result(result))


def explain_result(result: GpaResult) -> Iterator[str]:
    """The worked lines of a result with a trace, student by student."""
    policy = result.policy
    for row in result.gpas.iter_rows(named=True):
        yield f"{policy.title} ({policy.name} {policy.version}, {policy.digest[:12]}): {_number(policy, row)}"
        yield from _lines(policy, row, result.trace)
        yield worked_sum(policy, row)
        if row["standing"]:
            yield f"Standing: {row['standing']}."
        if row["reason"] and row["gpa"] is not None:
            yield f"Note: {row['reason']}"
        yield f"Rules: {policy.source.name} ({policy.source.year})."
        if policy.label:
            yield policy.label


def explain_what_if(tried: WhatIf) -> Iterator[str]:
    """Before, after, and every course that counts otherwise, or is new."""
    for side, result in (("Before", tried.before), ("After", tried.after)):
        for row in result.gpas.iter_rows(named=True):
            yield f"{side}: {_number(result.policy, row)}; {worked_sum(result.policy, row)}"
    if tried.difference is not None:
        yield f"Difference: {tried.difference:+.{tried.before.policy.round_gpa.places}f}"
    for change in trace_changes(tried):
        yield f"  line {change['line']}: {change['before'] or 'not there'}"
        yield f"    now: {change['after'] or 'not there'}"
    if tried.after.policy.label:
        yield tried.after.policy.label


def trace_changes(tried: WhatIf) -> list[dict[str, Any]]:
    """``line``, ``before`` and ``after``: the worked line of each course that counts otherwise; ``None`` for none."""
    old, new = (_by_line(result) for result in (tried.before, tried.after))
    return [
        {"line": line, "before": old.get(line), "after": new.get(line)}
        for line in sorted(old.keys() | new.keys())
        if old.get(line) != new.get(line)
    ]


def _by_line(result: GpaResult) -> dict[int, str]:
    if result.trace is None:
        return {}
    return {
        course["line"]: f"{_course(course)}: {_worked(result.policy, course)}"
        for course in result.trace.iter_rows(named=True)
    }


def gpa_text(policy: Policy, gpa: Decimal | None) -> str:
    """A GPA with the places of its policy; empty for none."""
    return "" if gpa is None else f"{gpa:.{policy.round_gpa.places}f}"


def _number(policy: Policy, row: Mapping[str, Any]) -> str:
    state = str(row["state"]).replace("_", " ")
    return state if row["gpa"] is None else f"{gpa_text(policy, row['gpa'])} ({state})"


def _lines(policy: Policy, row: Mapping[str, Any], trace: pl.DataFrame | None) -> Iterator[str]:
    if trace is None:
        return
    mine = trace.filter((pl.col("student_id") == row["student_id"]) & (pl.col("period") == row["period"]))
    for course in mine.iter_rows(named=True):
        yield f"  line {course['line']}: {_course(course)}: {_worked(policy, course)}"


def _course(course: Mapping[str, Any]) -> str:
    when = " ".join(str(course[key]) for key in ("school_year", "term") if course[key])
    name = course["title"] or course["course_code"] or "?"
    return f"{name} ({when})" if when else str(name)


def _worked(policy: Policy, course: Mapping[str, Any]) -> str:
    note = f" [{course['override']}]" if course["override"] else ""
    shown = course["grade"] or (plain(course["number"]) if course["number"] is not None else "no grade")
    if not course["used"]:
        return f"{shown}, {course['why']} ({course['clause']}){note}"
    counted = course["counted_as"]
    said = str(shown) if counted in (None, course["grade"]) else f"{shown} counts as {counted}"
    weight = weight_words(policy, course["weight"])
    shares = "" if course["attempts_averaged"] == 1 else f", one of {course['attempts_averaged']} attempts averaged"
    unit = "grades" if policy.kind is Kind.SEMESTERS else "credit"
    return (
        f"{said}, {plain(course['points'])} points{weight} × {plain(course['units'])} {unit}"
        f" = {plain(course['quality_points'])}{shares} ({course['clause']}){note}"
    )


def weight_words(policy: Policy, weight: Decimal) -> str:
    """What a weight does to a course, in brackets; nothing for none."""
    how = policy.weighting.how if policy.weighting else None
    if how is None or weight == (1 if how is Weigh.MULTIPLY else 0):
        return ""
    if policy.kind is Kind.SEMESTERS:
        return f" (and {plain(weight)} bonus)"
    words = {
        Weigh.ADD: "with {} added",
        Weigh.MULTIPLY: "multiplied by {}",
        Weigh.ADD_AFTER_MEAN: "{} added at the end",
    }
    return f" ({words[how].format(plain(weight))})"


def worked_sum(policy: Policy, row: Mapping[str, Any]) -> str:
    """The last line: quality points over credits, rounded; or why there is no number."""
    if row["state"] == State.OVERRIDDEN:
        return f"Set by a person, not computed from the courses: {gpa_text(policy, row['gpa'])}"
    if row["gpa"] is None:
        return "No number: " + (row["reason"] or str(row["state"]).replace("_", " "))
    unit = "grade" if policy.kind is Kind.SEMESTERS else "credit"
    credits = plain(row["credits"])
    worked = f"{plain(row['quality_points'])} points ÷ {credits} {unit}{'' if credits == '1' else 's'}"
    return f"{worked}, {policy.round_gpa.words} = {gpa_text(policy, row['gpa'])}"
