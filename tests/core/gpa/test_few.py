"""Few students are computed course by course, many in tables: both give the same GPAs."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.gpa.compute import compute_gpa
from gateway.core.gpa.courses import prepare_courses
from gateway.core.gpa.few import compute_few
from gateway.core.gpa.policy import Policy
from gateway.core.gpa.students import read_students
from tests.core.gpa.builders import HEAD, SHIPPED, TODAY, policy_of, shipped

OWN = (
    """
repeats: {same: [course_code], keep: average}
credit: {times: 0.1, absurd_above: 30}
round: {gpa: {places: 3, mode: half_even}, points: {places: 1}}
""",
    """
repeats: {same: [title, term], keep: latest, only_after: ["D", "F"]}
weight: {how: multiply, levels: {ap: 1.15, honors: 1.1, regular: 1}, only_grades: ["A", "B"], points_at_most: 3.9}
marks: {"P": credit_only, "W": leave_out, "I": wait, "WF": {count_as: "F"}, "NG": leave_out}
round: {gpa: {places: 2, mode: down}, points: {places: 2}}
""",
    """
repeats: {same: [course_code, term], keep: latest}
weight: {how: add_after_mean, levels: {ap: 0.02, honors: 0.01}, other_levels: 0, empty_level: honors, at_most: 0.015}
credit: {basis: earned, by_term: {S1: 0.5, Y: 1}}
compare: rounded
standing:
  - {name: top, gpa_at_least: 3.2, at_least: 1, of: [{residency: in}, {top_half: true}]}
  - {name: some, any_test: {act: 20, sat: 1000}}
  - {name: rest}
""",
    """
grades: {linear: {times: 0.05, plus: -1}, lowest: 0, highest: 100, prefer: score, round: {places: 0}, empty: leave_out}
courses: {only: {subject: [english, mathematics], grade_level: [9, 10]}, leave_out: {term: [Summer], core: false}}
""",
    """
grades:
  points: {"A": 4, "B": 3, "C": 2, "F": 0}
  failing: ["F"]
  lowest: 0
  highest: 100
  bands:
    - {at_least: 90, grade: "A"}
    - {at_least: 80, grade: "B"}
    - {from: 70, to: 79.999999, points_from: 2, points_to: 3}
    - {at_least: 0, grade: "F"}
""",
    HEAD.replace("kind: mean", "kind: semesters")
    + """
semesters: {credit: 0.5, grade_levels: [9, 11], summer_terms: [Summer], summer_before: true, one_grade_levels: [ap]}
weight: {how: add, levels: {ap: 1, honors: 0.5, regular: 0}, cap: {total: 6, grade_levels: {"9": 1, "10": 3}}}
repeats: {same: [course_code, term], keep: highest}
""",
)
FACTS = [None, {"residency": "in", "act": 25}, {"top_half": False, "sat": 900, "residency": "out"}, {"act": 5},
         {"graduated_on": "2025-06-10"}, {"seventh_semester_on": "2025-09-01"}]  # fmt: skip


STRANGE: dict[str, list[str | None]] = {
    "grade": ["", None, "Z", "I", "101"], "credit": ["", "half", "-1", "0", "99", "0.335", None],
    "level": [None, "???"], "subject": [None, "Basketry"], "grade_level": [None, "13", "x"],
    "school_year": [None, "soon"],
    "status": ["in_progress", "withdrawn", "repeat", "gone"], "repeat_of": ["C1"], "score": ["88", "", "9O", None],
    "course_code": [""], "core": ["maybe", None], "ag": [None, "no"], "title": [None], "student_id": [None],
}  # fmt: skip
POLICIES = [*(shipped(path.stem) for path in sorted(SHIPPED.glob("*.yaml"))), *map(policy_of, OWN)]

DEEP = [shipped(name) for name in ("ncaa-d1", "ncaa-d2", "uc", "uc-fully-weighted")]
"""Policies that look at several courses of a student."""


def courses(chance: random.Random, policy: Policy, students: int, *, odd: float) -> list[dict[str, Any]]:
    """Transcripts with repeats, halves of a year, summers and marks; ``odd`` is how often a cell is out of order."""
    scale, marks = policy.scales[0], [mark for mark in policy.marks if mark != "I"]
    grades = (
        ["95", "88.5", "72", "61"] if scale.reads_numbers else [*scale.points, *chance.sample(marks, len(marks) // 2)]
    )
    if odd and chance.random() < 0.1:
        grades = [*scale.points, *chance.sample(marks, len(marks) // 2)]
    if scale.reads_numbers:
        grades = [
            str(Decimal(chance.randint(scale.lowest, scale.highest) // 10_000 * 10_000) / 10**6) for _ in range(5)
        ]
    if odd and chance.random() < 0.1:
        grades = ["A", "B", "C-", "F", "P", "4", "W"]
    credits: list[str | None] = chance.choice([["0.5"], ["0.5", "1"], ["1", "0.25", "0"], ["5", "10"], ["1", None]])
    subjects, fewest, often = ["ENG", "MATH", "SCI", "SOC", "LANG", "ART"], 1, 1.0
    if chance.random() < 0.5:
        grades, credits = [each for each in grades if each in scale.points and each != "F"] or grades, ["1", "0.5"]
        subjects, fewest, often = subjects[:5], 35, 0.2
    scores = chance.choice([[None], [None], [None, "88", "64.5"]])
    levels = [*(policy.weighting.levels if policy.weighting else ["honors"]), "Regular"]
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for student in range(students):
        for n in range(chance.randrange(fewest, 45)):
            year, code = chance.randrange(4), chance.randrange(25) if chance.random() < often else n
            row = {
                "student_id": f"s{student}", "course_code": f"C{code}", "title": f"T{n % 15}",
                "subject": chance.choice(subjects), "grade": chance.choice(grades),
                "level": chance.choice(levels), "school_year": str(2022 + year),
                "credit": chance.choice(credits), "term": chance.choice(["S1", "S2", "Summer", None]),
                "grade_level": str(9 + year), "score": chance.choice(scores), "status": None, "repeat_of": None,
                "core": chance.choice(["yes"] * 9 + ["no"]), "ag": chance.choice(["a", "yes", "no"]),
                "completed_on": chance.choice([None, f"{2022 + year}-06-0{chance.randrange(1, 4)}"]),
            }  # fmt: skip
            if chance.random() < odd:
                name = chance.choice(list(STRANGE))
                row[name] = chance.choice(STRANGE[name])
            slot = tuple(row[name] for name in ("student_id", "course_code", "school_year", "term"))
            rows[slot if chance.random() < 0.999 else (n,)] = row
    return list(rows.values())


def assert_same(policy: Policy, frame: pl.DataFrame, students: pl.DataFrame | None) -> bool:
    """Whether the courses could be computed one by one; a trace is always made from tables."""
    options: dict[str, Any] = {"as_of": TODAY, "students": students, "approximate": True, "check_dates": False}
    prepared = prepare_courses(frame)
    one_by_one = compute_gpa(policy, prepared, **options)
    in_tables = compute_gpa(policy, prepared, trace=True, **options)
    assert one_by_one.gpas.schema == in_tables.gpas.schema
    assert one_by_one.gpas.equals(in_tables.gpas), (policy.name, one_by_one.gpas.rows(), in_tables.gpas.rows())
    assert one_by_one.problems.equals(in_tables.problems)
    assert one_by_one.storable == in_tables.storable
    return compute_few(policy, prepared, read_students(students)) is not None


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_course_by_course_and_in_tables_give_the_same(seed: int) -> None:
    chance = random.Random(seed)
    policy = chance.choice(chance.choice([POLICIES, POLICIES[-len(OWN) :], DEEP]))
    rows = courses(chance, policy, chance.choice([1, 1, 3]), odd=chance.choice([0, 0, 0.01, 0.05]))
    facts = chance.choice(FACTS)
    students = None if facts is None else pl.DataFrame([{"student_id": "s0", **facts}])
    frame = pl.DataFrame(rows, infer_schema_length=None).select(chance.sample(list(rows[0]), len(rows[0])))
    if chance.random() < 0.1:
        frame = frame.drop(chance.choice(["core", "term", "level", "subject", "school_year", "ag"]))
    assert_same(policy, frame, students)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_a_plain_transcript_needs_no_tables(policy: Policy) -> None:
    assert assert_same(policy, pl.DataFrame(plain_rows(policy)), None)


@pytest.mark.parametrize("policy", [shipped("ncaa-d1"), shipped("uc"), *POLICIES[-5:-2]], ids=lambda each: each.name)
def test_a_cell_out_of_order_is_judged_alike(policy: Policy) -> None:
    for name, values in STRANGE.items():
        for value in values:
            rows = plain_rows(policy)
            rows[3] |= {name: value}
            assert_same(policy, pl.DataFrame(rows, schema_overrides={name: pl.String}), None)


def plain_rows(policy: Policy) -> list[dict[str, Any]]:
    """The transcript of a student who took one course of each subject a year."""
    scale = policy.scales[0]
    grades = [f"{scale.highest // 10**6}"] if scale.reads_numbers else sorted(scale.points)
    return [
        {"student_id": "s", "course_code": f"{area}{n}", "title": f"{area} {n}", "subject": area, "level": level,
         "grade": grades[n % len(grades)], "credit": "1", "school_year": str(2022 + n), "term": "Y", "core": "yes",
         "grade_level": str(9 + n), "ag": "yes", "score": grades[0] if scale.reads_numbers else "88"}
        for area, level in (("ENG", "AP"), ("MATH", "Regular"), ("SCI", "Regular"), ("SOC", "Honors"), ("LANG", "AP"))
        for n in range(4)
    ]  # fmt: skip
