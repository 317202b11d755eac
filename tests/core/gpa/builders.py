"""Small policies and transcripts for the tests of GPA policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.gpa.compile import compile_policy
from gateway.core.gpa.compute import GpaResult, compute_gpa
from gateway.core.gpa.policy import Policy
from gateway.policies import load_policy
from gateway.transport.yaml_file import parse_document

SHIPPED = Path(__file__).resolve().parents[3] / "mappings" / "gpa"
TODAY = date(2026, 1, 15)

HEAD = """
policy: test
version: "1"
title: Test
kind: mean
effective: {from: 2020-01-01}
source: {name: test, year: "2026"}
"""
LETTERS = """
grades:
  points: {"A": 4, "B": 3, "C": 2, "D": 1, "F": 0}
  plus_minus: ignore
  failing: ["F"]
"""
ROUND = """
round: {gpa: {places: 4, mode: half_up}}
"""


def policy_of(*parts: str) -> Policy:
    """A policy from YAML text; what is not given is a plain 4.0 mean with four places."""
    text = "".join(parts)
    for needed, default in (("policy:", HEAD), ("\ngrades:", LETTERS), ("round: {gpa", ROUND)):
        if needed not in text:
            text = default + text
    return compile_policy(parse_document(text, "test.yaml"))


def shipped(name: str) -> Policy:
    return load_policy(SHIPPED / f"{name}.yaml")


def transcript(rows: Sequence[Mapping[str, Any]], student: str = "s") -> pl.DataFrame:
    """Rows as text, as a course file has them; ``student_id``, ``course_code`` and ``credit`` may be left out."""
    filled = [
        {"student_id": student, "course_code": f"C{number}", "credit": 1, **row} for number, row in enumerate(rows)
    ]
    names = list(dict.fromkeys(name for row in filled for name in row))
    return pl.DataFrame(
        {name: [None if row.get(name) is None else str(row[name]) for row in filled] for name in names},
        schema=dict.fromkeys(names, pl.String),
    )


def compute(policy: Policy, rows: Sequence[Mapping[str, Any]], **options: Any) -> GpaResult:
    return compute_gpa(policy, transcript(rows), **{"as_of": TODAY, "trace": True, **options})


def only(result: GpaResult) -> dict[str, Any]:
    """The one GPA of a result."""
    assert result.gpas.height == 1
    return result.gpas.row(0, named=True)


def gpa(policy: Policy, rows: Sequence[Mapping[str, Any]], **options: Any) -> str | None:
    """The printed GPA of one student, or nothing."""
    value = only(compute(policy, rows, **options))["gpa"]
    return None if value is None else f"{value:.{policy.round_gpa.places}f}"


def problem(policy: Policy, rows: Sequence[Mapping[str, Any]], **options: Any) -> str | None:
    """The code of the first problem; the GPA must wait exactly if there is one."""
    result = compute(policy, rows, **options)
    codes = result.problems["code"].to_list()
    assert (only(result)["state"] == "pending") == bool(codes)
    assert not codes or only(result)["gpa"] is None
    return codes[0] if codes else None
