"""Class rank, what-if, comparison of policies, overrides and explanations."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from gateway.core.errors import DataError, MappingError
from gateway.core.gpa.changes import (
    AddCourse,
    ChangeCourse,
    RemoveCourse,
    RepeatCourse,
    what_if,
)
from gateway.core.gpa.comparison import compare_policies
from gateway.core.gpa.compute import compute_gpa
from gateway.core.gpa.explain import explain_gpa
from gateway.core.gpa.overrides import Override, override_courses, override_gpas
from gateway.core.gpa.rank import class_rank
from tests.core.gpa.builders import TODAY, compute, only, policy_of, shipped, transcript


def ranked(rule: str, grades: str) -> pl.DataFrame:
    policy = policy_of(f"rank: {{{rule}}}\n")
    rows = [{"student_id": f"s{n}", "grade": grade} for n, grade in enumerate(grades)]
    groups = pl.DataFrame({"student_id": [f"s{n}" for n in range(len(grades))]}).with_columns(
        pl.lit("HS").alias("school_id"), pl.lit(12).alias("grade_level")
    )
    return class_rank(policy, compute(policy, rows).gpas, groups)


def test_ties_share_a_rank_and_leave_a_gap_or_not() -> None:
    assert ranked("minimum_group: 1", "ABBC")["rank"].to_list() == [1, 2, 2, 4]
    assert ranked("minimum_group: 1, ties: dense", "ABBC")["rank"].to_list() == [1, 2, 2, 3]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("below", [75, 25, 25, 0]), ("at_or_below", [100, 75, 75, 25]), ("half_of_ties", [87, 50, 50, 12])],
)
def test_percentiles(rule: str, expected: list[int]) -> None:
    assert ranked(f"minimum_group: 1, percentile: {rule}", "ABBC")["percentile"].to_list() == expected


def test_deciles_and_the_top_half() -> None:
    found = ranked("minimum_group: 1", "A" + "B" * 4 + "C" * 5)
    assert found["decile"].to_list() == [1, *[2] * 4, *[6] * 5]
    assert found["top_half"].to_list() == [True] * 5 + [False] * 5


def test_small_groups_and_students_without_a_number_are_not_ranked() -> None:
    found = ranked("minimum_group: 4", "ABQC")
    assert found["rank"].to_list() == [None] * 4
    assert found["group_size"].to_list() == [3, 3, None, 3]
    few, none = "fewer than 4 students", "has no GPA"
    assert found["rank_note"].to_list() == [few, few, none, few]
    gpas = compute(policy_of("rank: {minimum_group: 1}\n"), [{"student_id": "s0", "grade": "A"}]).gpas
    alone = class_rank(policy_of("rank: {minimum_group: 1}\n"), gpas, pl.DataFrame({
        "student_id": ["s0"], "school_id": pl.Series([None], dtype=pl.String), "grade_level": [12]}))  # fmt: skip
    assert alone["rank_note"].to_list() == ["has no school_id or no grade_level"]
    with pytest.raises(MappingError, match="no class rank"):
        class_rank(policy_of(), found, found)


COURSES = transcript([
    {"course_code": "ENG", "grade": "B", "school_year": 2024},
    {"course_code": "ALG", "grade": "F", "school_year": 2024},
])  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "after"),
    [
        ([AddCourse({"course_code": "ART", "grade": "A", "credit": "2"})], "2.7500"),
        ([ChangeCourse(1, {"grade": "A"})], "2.0000"),
        ([RemoveCourse(2)], "3.0000"),
        ([RepeatCourse(2, {"grade": "B", "school_year": "2025"})], "3.0000"),
        ([RemoveCourse(2), AddCourse({"course_code": "ART", "grade": "A", "credit": "1"})], "3.5000"),
    ],
)
def test_what_if(changes: list[Any], after: str) -> None:
    policy = policy_of("repeats: {same: [course_code], keep: highest}\n")
    tried = what_if(policy, COURSES, "s", changes, as_of=TODAY)
    assert f"{only(tried.before)['gpa']:.4f}" == "1.5000"
    assert f"{only(tried.after)['gpa']:.4f}" == after
    assert tried.difference == Decimal(after) - Decimal("1.5")


def test_what_if_refuses_lines_and_columns_that_are_not_there() -> None:
    with pytest.raises(DataError, match="line 9"):
        what_if(policy_of(), COURSES, "s", [RemoveCourse(9)], as_of=TODAY)
    with pytest.raises(DataError, match="no column"):
        what_if(policy_of(), COURSES, "s", [AddCourse({"colour": "red"})], as_of=TODAY)


def test_comparing_two_policies_shows_who_changes() -> None:
    rows = [{"student_id": "a", "grade": "A"}, {"student_id": "b", "grade": "B+"}, {"student_id": "c", "grade": "?"}]
    found = compare_policies(shipped("school-unweighted"), shipped("plus-minus-4.0"), transcript(rows), as_of=TODAY)
    assert found["changed"].to_list() == [False, True, False]
    assert found.row(1, named=True)["difference"] == Decimal("0.3")


def test_an_override_of_a_gpa_is_kept_and_shown() -> None:
    override = Override("s", "R. Registrar", "transfer record found", date(2026, 1, 9), gpa=Decimal("3.9"))
    row = only(override_gpas(compute(policy_of(), [{"grade": "B"}]), [override]))
    assert (row["gpa"], row["state"]) == (Decimal("3.9"), "overridden")
    assert row["reason"] == "overridden by R. Registrar on 2026-01-09: transfer record found (computed: 3.0000)"


def test_an_override_of_a_course_is_kept_and_shown() -> None:
    override = Override("s", "R. Registrar", "wrong scan", date(2026, 1, 9), line=2, values={"grade": "A"})
    result = compute_gpa(policy_of(), override_courses(COURSES, [override]), as_of=TODAY, trace=True)
    assert only(result)["gpa"] == Decimal("3.5")
    assert result.trace is not None
    assert "wrong scan (grade was F)" in result.trace["override"][1]


@pytest.mark.parametrize(("person", "reason"), [("", "because"), ("R. Registrar", " ")])
def test_no_override_without_a_person_and_a_reason(person: str, reason: str) -> None:
    with pytest.raises(DataError, match="person and a reason"):
        Override("s", person, reason, TODAY, gpa=Decimal(4))


def test_an_override_says_one_thing() -> None:
    with pytest.raises(DataError, match="either the GPA"):
        Override("s", "R. Registrar", "because", TODAY)


def test_an_explanation_can_be_followed_by_hand() -> None:
    biology = {"course_code": "BIO", "title": "AP Biology", "level": "AP", "school_year": 2025}
    rows = [{**biology, "grade": "A-", "credit": "0.5"},
            {"course_code": "PE", "grade": "P"}, {"course_code": "ART", "grade": "C", "level": "regular"}]  # fmt: skip
    lines = explain_gpa(shipped("school-weighted"), transcript(rows), "s", as_of=TODAY)
    assert lines[0].startswith("Weighted grade point average (school-weighted 2026.1, ")
    assert lines[0].endswith("3.000 (computed)")
    assert lines[1] == (
        "  line 1: AP Biology (2025): A- counts as A, 5 points (with 1 added) × 0.5 credit = 2.5"
        ' (grades.points."A" weight)'
    )
    assert lines[2] == '  line 2: PE: P, gives credit, not points (marks."P")'
    assert lines[4] == "4.5 points ÷ 1.5 credits, 3 places, half up = 3.000"


def test_an_estimate_says_that_it_is_one() -> None:
    rows = [{"subject": "ENG", "grade": "A", "core": "yes", "grade_level": 9}]
    lines = explain_gpa(shipped("ncaa-d1"), transcript(rows), "s", as_of=TODAY)
    assert lines[-1] == "Estimate: only the NCAA Eligibility Center certifies."
    assert "Standing: non-qualifier." in lines
