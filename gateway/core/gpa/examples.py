"""A policy's examples, run as its tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

from gateway.core.document import Document
from gateway.core.errors import MappingError
from gateway.core.gpa.compute import compute_gpa
from gateway.core.gpa.conversion import convert_levels, grade_of_levels
from gateway.core.gpa.language import COURSE_COLUMNS
from gateway.core.gpa.policy import Policy

_NUMBERS = ("gpa", "credits", "quality_points", "courses_used")


def check_examples(policy: Policy, document: Document) -> list[MappingError]:
    """Every example that does not come out as it says, as an error on its line."""
    return [
        MappingError(
            f"The example {example.get('name') or number + 1!r} gives {what} {found}, not {wanted}.",
            hint="Correct the example or the rule that it tests.",
            code="policy.example",
            place=document.place("examples", number, "expect"),
        )
        for number, example in enumerate(policy.examples)
        for what, wanted, found in _differences(policy, example)
    ]


def _differences(policy: Policy, example: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    found = _outcome(policy, example)
    for what, wanted in example["expect"].items():
        got = found.get(what)
        if not (_number(wanted) == _number(got) if what in _NUMBERS else wanted == got):
            yield what, wanted, got


def _outcome(policy: Policy, example: Mapping[str, Any]) -> dict[str, Any]:
    if "levels" in example:
        grade, problem = grade_of_levels(policy, example["levels"])
        return {"grade": grade, "pending": problem}
    courses = pl.DataFrame(
        [{"student_id": "s", **{k: _text(v) for k, v in row.items() if k != "levels"}} for row in example["courses"]],
        schema_overrides=dict.fromkeys(COURSE_COLUMNS, pl.String),
        infer_schema_length=None,
    )
    levels = _levels(example["courses"])
    if levels is not None:
        courses = convert_levels(policy, courses, levels)
    students = pl.DataFrame([{"student_id": "s", **example.get("student", {})}])
    day = example.get("as_of") or policy.first_day
    result = compute_gpa(policy, courses, as_of=day, students=students, approximate=True, check_dates=False)
    if result.gpas.is_empty():
        return {"state": "pending", "pending": next(iter(result.problems["code"]), None)}
    row: dict[str, Any] = result.gpas.row(0, named=True)
    return {**row, "pending": next(iter(result.problems["code"]), None)}


def _levels(rows: list[dict[str, Any]]) -> pl.DataFrame | None:
    found = [
        {"student_id": "s", "course_code": str(row["course_code"]), "competency": str(number), "level": _text(level)}
        for row in rows
        for number, level in enumerate(row.get("levels", ()))
    ]
    return pl.DataFrame(found, schema_overrides={"level": pl.String}) if found else None


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    return None if value is None else str(value)


def _number(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None
