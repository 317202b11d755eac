"""Bad input makes one student's GPA wait, with student, course and line; it never makes a wrong number."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from gateway.core.errors import DataError
from gateway.core.gpa.columns import match_columns
from gateway.core.gpa.compute import compute_gpa
from gateway.core.gpa.courses import prepare_courses
from tests.core.gpa.builders import TODAY, compute, gpa, only, policy_of, problem, shipped, transcript

WEIGHTED = "weight: {how: add, levels: {ap: 1, regular: 0}}\n"
CAPPED = "weight: {how: add, levels: {ap: 1, regular: 0}, at_most: 1}\n"
PERCENT = "grades: {linear: {times: 1}, lowest: 0, highest: 100}\n"
GOOD = {"grade": "A"}


@pytest.mark.parametrize(
    ("policy", "row", "code"),
    [
        ("", {"grade": "Z"}, "grade-unknown"),
        ("", {"grade": None}, "grade-missing"),
        ("", {"grade": "93"}, "grade-unknown"),
        (PERCENT, {"grade": "101"}, "grade-outside-scale"),
        (PERCENT, {"grade": "-1"}, "grade-outside-scale"),
        (PERCENT, {"grade": "A"}, "grade-unknown"),
        (PERCENT, {"grade": None, "score": "9O"}, "score-unreadable"),
        ("", {**GOOD, "credit": "-1"}, "credit-negative"),
        ("", {**GOOD, "credit": "100"}, "credit-absurd"),
        ("", {**GOOD, "credit": "half"}, "credit-unreadable"),
        ("", {**GOOD, "credit": "0.1234567"}, "credit-unreadable"),
        ("", {**GOOD, "credit": "1e3"}, "credit-unreadable"),
        ("", {**GOOD, "credit": None}, "credit-missing"),
        ("", {**GOOD, "course_code": None}, "no-course-code"),
        ("", {**GOOD, "status": "vanished"}, "status-unknown"),
        ("", {**GOOD, "status": "withdrawn"}, "status-unknown"),
        (WEIGHTED, {**GOOD, "level": None}, "level-missing"),
        (WEIGHTED, {**GOOD, "level": "Galactic"}, "level-unknown"),
        (CAPPED, {**GOOD, "level": "Galactic"}, "level-unknown"),
        (CAPPED, {**GOOD, "level": None}, "level-missing"),
        ('marks: {"I": wait}\n', {"grade": "I"}, "grade-waits"),
        ('marks: {"I": {leave_out_days: 9, days: calendar, then: "F"}}\n', {"grade": "I"}, "deadline-unknown"),
        ("repeats: {same: [course_code], keep: highest}\n", {**GOOD, "repeat_of": "NONE"}, "repeat-without-first"),
        ("repeats: {same: [course_code], keep: highest}\n", {**GOOD, "status": "repeat"}, "repeat-without-first"),
        ("courses: {only: {core: true}}\n", GOOD, "column-missing"),
        ("courses: {only: {core: true}}\n", {**GOOD, "core": "perhaps"}, "flag-unreadable"),
        ("courses: {leave_out: {subject: [physical_education]}}\n", {**GOOD, "subject": None}, "subject-unknown"),
        ("courses: {only: {grade_level: [9]}}\n", {**GOOD, "grade_level": "?"}, "grade-level-missing"),
    ],
)  # fmt: skip
def test_one_bad_course_makes_the_gpa_wait(policy: str, row: dict[str, Any], code: str) -> None:
    assert problem(policy_of(policy), [row]) == code


def test_the_others_go_on_and_the_report_names_student_course_and_line() -> None:
    rows = [{**GOOD, "student_id": "a"}, {"grade": "Z", "student_id": "b", "course_code": "ALG"},
            {**GOOD, "student_id": "b"}, {**GOOD, "student_id": "c"}]  # fmt: skip
    result = compute(policy_of(), rows)
    assert result.gpas["state"].to_list() == ["computed", "pending", "computed"]
    reported = result.problems.row(0, named=True)
    assert (reported["student_id"], reported["course_code"], reported["line"]) == ("b", "ALG", 2)
    assert result.gpas["reason"][1] == "line 2, ALG: The policy does not know this grade."


def test_two_courses_in_the_same_slot() -> None:
    rows = [{**GOOD, "course_code": "ALG", "school_year": 2025, "term": "S1"} for _ in range(2)]
    assert problem(policy_of(), rows) == "same-slot"
    assert problem(policy_of(), [rows[0], {**rows[1], "term": "S2"}]) is None


def test_a_row_without_student_is_reported_and_harms_nobody() -> None:
    result = compute(policy_of(), [GOOD, {**GOOD, "student_id": None}])
    assert result.gpas["student_id"].to_list() == ["s"]
    assert result.problems["code"].to_list() == ["no-student"]


def test_a_problem_outside_the_policy_does_not_matter() -> None:
    policy = policy_of("courses: {only: {core: true}}\n")
    assert gpa(policy, [{**GOOD, "core": "yes"}, {"grade": "Z", "core": "no", "credit": "-3"}]) == "4.0000"


@pytest.mark.parametrize(
    ("marks", "row", "expected"),
    [
        ('{"P": leave_out}', {"grade": "P"}, "4.0000"),
        ('{"P": credit_only}', {"grade": "p"}, "4.0000"),
        ('{"WF": {count_as: "F"}}', {"grade": "WF"}, "2.0000"),
        ('{"P": {count_as: "D"}}', {"grade": "P"}, "2.5000"),
        ("{}", {"grade": "F", "status": "in progress"}, "4.0000"),
        ("{}", {"grade": None, "status": "IP"}, "4.0000"),
        ("{}", {"grade": "F", "status": "audit"}, "4.0000"),
        ("{}", {"grade": " b − "}, "3.5000"),
        ("{}", {"grade": "F", "credit": 0}, "4.0000"),
    ],
)
def test_marks_and_statuses(marks: str, row: dict[str, Any], expected: str) -> None:
    assert gpa(policy_of(f"marks: {marks}\n"), [GOOD, row]) == expected


def test_nothing_that_counts_is_no_gpa_and_not_zero() -> None:
    row = only(compute(policy_of('marks: {"P": credit_only}\n'), [{"grade": "P"}]))
    assert (row["gpa"], row["state"], row["credits_earned"]) == (None, "no_courses", 1)


@pytest.mark.parametrize("wrong", [{"credit": -1}, {"credit": 100}, {"grade": "Q"}])
def test_what_waits_earns_nothing_outside_the_years_that_count(wrong: dict[str, Any]) -> None:
    course = {"course_code": "ENG", "subject": "english", "level": "regular", "school_year": 2024, "ag": "B"}
    early = {**course, "grade": "A", "credit": 1, "grade_level": 9}
    assert only(compute(shipped("uc"), [early]))["credits_earned"] == 1
    assert only(compute(shipped("uc"), [{**early, **wrong}]))["credits_earned"] == 0


def test_types_of_a_workbook_read_like_text() -> None:
    frame = pl.DataFrame({
        "student_id": [1001, 1001], "course_code": ["A", "B"], "credit": [0.34, 1.0], "grade": [4.0, 3.0],
        "school_year": [2025, 2025], "core": [True, False],
    })  # fmt: skip
    policy = policy_of('grades: {points: {"4": 4, "3": 3}}\n')
    row = only(compute_gpa(policy, frame, as_of=TODAY))
    assert (row["student_id"], f"{row['gpa']:.4f}") == ("1001", "3.2537")


@pytest.mark.parametrize(
    ("written", "year"),
    [("2025-2026", 2026), ("2025-26", 2026), ("2025/26", 2026), ("2026", 2026), ("2025-27", None), ("soon", None)],
)
def test_school_years_are_named_by_the_year_in_which_they_end(written: str, year: int | None) -> None:
    rows = prepare_courses(transcript([{"grade": "A", "school_year": written}])).rows
    assert rows["year"][0] == year


def test_columns_are_found_by_name_and_the_match_is_reported() -> None:
    match = match_columns(["Student ID", "Course", "Credits", "Final Grade", "Locker", "GRADE_LEVEL"])
    assert match.matched == {
        "Student ID": "student_id", "GRADE_LEVEL": "grade_level", "Course": "course_code", "Credits": "credit",
        "Final Grade": "grade",
    }  # fmt: skip
    assert '"Locker" is not used' in match.report()
    with pytest.raises(DataError, match="credit"):
        match_columns(["student_id", "course_code", "grade"])
    with pytest.raises(DataError, match="Two columns"):
        match_columns(["student_id", "Student_ID", "course_code", "grade", "credit"])


def test_large_and_small_tables_are_cleaned_alike() -> None:
    row = {
        "grade": "  A ",
        "credit": " 1 ",
        "level": "AP ",
        "term": " ",
        "school_year": " 2025",
        "course_code": " ENG ",
    }
    policy = policy_of(WEIGHTED)
    rows = [{**row, "student_id": f" s{n} "} for n in range(600)]
    small = compute_gpa(policy, transcript(rows[:3]), as_of=TODAY).gpas
    large = compute_gpa(policy, transcript(rows), as_of=TODAY).gpas
    assert small["gpa"].to_list() == [5, 5, 5]
    assert large.filter(pl.col("student_id").is_in(small["student_id"].implode())).equals(small)
    prepared = prepare_courses(transcript(rows))
    assert prepared.vocabulary["term"] == []
    assert prepared.vocabulary["grade"] == ["A"]


def test_scores_of_many_values_are_read_exactly() -> None:
    policy = policy_of("grades: {linear: {times: 1}, lowest: 0, highest: 100000, prefer: score}\n")
    rows = [{"student_id": f"s{n:05}", "score": f"{n}.{n % 7}"} for n in range(10_001)] + [{"score": "1O"}]
    result = compute_gpa(policy, transcript(rows), as_of=TODAY)
    last = result.gpas.filter(pl.col("student_id") == "s10000")
    assert f"{last['gpa'][0]:.1f}" == "10000.4"
    assert result.problems["code"].to_list() == ["score-unreadable"]
