"""Course attempts of a transcript as a course file, and stated GPAs beside computed ones."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gateway.core.errors import ConfigurationError
from gateway.core.gpa.attempt_results import attempts_of_courses
from gateway.core.gpa.compute import compute_gpa
from gateway.core.gpa.stated import beside_stated
from gateway.core.gpa.transcript import counts_for_gpa, courses_of_attempts, unit_types
from gateway.core.model import TABLES, empty
from gateway.policies import find_policy

DAY = date(2026, 12, 18)


def attempts(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "student_id": "s", "course_code": "ENG", "school_year": "2026", "term": "Fall", "result": "pass", "grade": "B",
        "level": "regular",
    }  # fmt: skip
    filled = [{**usual, "id": str(number), **row} for number, row in enumerate(rows)]
    return pl.DataFrame(filled, schema=TABLES["course_attempts"].schema, strict=False)


def course(**row: Any) -> dict[str, Any]:
    return courses_of_attempts(attempts(row)).row(0, named=True)


def credit(*rows: dict[str, Any]) -> list[str | None]:
    made = attempts(*({name: _exact(value) for name, value in row.items()} for row in rows))
    return courses_of_attempts(made, unit_types(made))["credit"].to_list()


def _exact(value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) and value[:1].isdigit() else value


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"result": "pass"}, "completed"),
        ({"result": "fail"}, "completed"),
        ({"result": "pass", "repeat_code": "Repeat NotCounted"}, "repeat"),
        ({"result": "pass", "method": "Transfer credit"}, "transfer"),
        ({"result": "incomplete"}, "incomplete"),
        ({"result": "withdrawn", "method": "Transfer credit"}, "withdrawn"),
        ({"result": "In Progress"}, "In Progress"),
        ({"result": None}, None),
    ],
)
def test_a_result_becomes_a_status(said: dict[str, Any], status: str | None) -> None:
    assert course(**said)["status"] == status


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ({"credit": "0.5", "credit_earned": "0"}, "0.500000"),
        ({"credit": "0.5", "credit_factor": "0.33"}, "0.165000"),
        ({"credit": "3", "credit_factor": "0"}, "3.000000"),
        ({"credit": "0"}, "0.000000"),
        ({"credit_earned": "0.25"}, "0.250000"),
        ({"credit_earned": "2", "credit_earned_factor": "0.5", "credit_factor": "9"}, "1.000000"),
        ({"credit_earned": "0.5", "result": "fail"}, None),
        ({"credit_earned": "0"}, None),
        ({}, None),
    ],
)
def test_credit_is_what_was_attempted_and_never_a_guess(said: dict[str, Any], counted: str | None) -> None:
    assert credit(said) == [counted]


def test_credits_of_different_units_are_not_added() -> None:
    hours = {"credit": "3", "credit_type": "Semester hour credit"}
    assert credit(hours, hours) == ["3.000000", "3.000000"]
    carnegie = {"credit": "1", "credit_type": "Carnegie unit"}
    assert credit(hours, carnegie, {"credit": "1"}) == [None, "1.000000", "1.000000"]
    assert credit({**hours, "credit_factor": "0.25"}, carnegie) == ["0.750000", "1.000000"]


def test_what_a_transcript_does_not_know_is_no_column() -> None:
    row = course(subjects=["Mathematics", "Science"], score=Decimal("86.25"))
    assert (row["subject"], row["score"]) == ("Mathematics", "86.250000")
    assert not {"core", "ag", "repeat_of"} & row.keys()
    assert courses_of_attempts(empty("course_attempts")).is_empty()


def test_a_course_to_which_no_gpa_applies_does_not_count() -> None:
    said = attempts(*({"gpa_applicability": each} for each in (None, "Applicable", "Weighted", "Not Applicable")))
    assert counts_for_gpa(said).to_list() == [True, True, True, False]


def test_failed_repeated_and_withdrawn_attempts_count_as_the_policy_says() -> None:
    half = {"credit": Decimal("0.5")}
    rows = attempts(
        {"course_code": "ALG", "result": "fail", "grade": "F", "school_year": "2025", **half},
        {"course_code": "ALG", "result": "pass", "grade": "B", "repeat_code": "Replacement Counted", **half},
        {"course_code": "BIO", "result": "withdrawn", "grade": None, **half},
        {"course_code": "ENG", "result": "pass", "grade": "A", **half},
    )
    policy = find_policy("school-weighted", [Path("mappings/gpa")], DAY)
    found = compute_gpa(policy, courses_of_attempts(rows), as_of=DAY).gpas.row(0, named=True)
    assert (found["state"], str(found["gpa"]), str(found["credits"])) == ("computed", "3.500000", "1.000000")


def results(**gpas: str | None) -> pl.DataFrame:
    rows = [
        {"student_id": student, "policy": "p", "version": "1", "gpa": gpa, "state": "computed", "period": "cumulative"}
        for student, gpa in gpas.items()
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))


def stated(*rows: tuple[str, str, str, bool | None]) -> pl.DataFrame:
    made = [
        {"id": str(n), "student_id": student, "school_year": year, "type": "Unweighted", "value": Decimal(value),
         "cumulative": cumulative}
        for n, (student, year, value, cumulative) in enumerate(rows)
    ]  # fmt: skip
    return pl.DataFrame(made, schema=TABLES["gpas"].schema)


def test_the_newest_stated_gpa_stands_beside_the_computed_one() -> None:
    told = stated(
        ("a", "2025", "2.0", True), ("a", "2026", "3.25", None), ("a", "2027", "4", False),
        ("b", "2026", "3.125", True), ("c", "2026", "3.1", True), ("e", "2026", "3", True),
    )  # fmt: skip
    found = beside_stated(results(a="3.2471", b="3.1244", c="3.14", d="2", e=None), told, {"p": "Unweighted"})
    assert dict(found.select("student_id", "found").iter_rows()) == {
        "a": "agrees", "b": "differs", "c": "differs", "d": "only computed", "e": "only stated",
    }  # fmt: skip
    assert str(found.filter(student_id="c")["difference"].item()) == "0.040000"


def test_a_type_of_which_nothing_is_stated_is_named() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean") as caught:
        beside_stated(results(a="3"), stated(("a", "2026", "3", True)), {"p": "Unweightd"})
    assert caught.value.code == "gpa.stated"


@pytest.mark.parametrize(
    ("row", "result"),
    [
        ({"grade": "B"}, "pass"),
        ({"grade": "B", "level": "a level that nobody knows"}, "pass"),
        ({"grade": "F"}, "fail"),
        ({"grade": "P"}, "pass"),
        ({"grade": "WF"}, "fail"),
        ({"grade": "W"}, "withdrawn"),
        ({"grade": "I"}, "incomplete"),
        ({"grade": None, "status": "dropped"}, "withdrawn"),
        ({"grade": "B", "status": "incomplete"}, "incomplete"),
        ({"grade": "B", "status": "transfer"}, "pass"),
        ({"grade": None, "status": "in progress"}, None),
        ({"grade": "AU", "status": "audit"}, None),
        ({"grade": "NG"}, "untold"),
        ({"grade": "??"}, "untold"),
        ({"grade": None}, "untold"),
        ({"grade": "B", "credit": None}, "pass"),
        ({"grade": "P", "credit": "0"}, "pass"),
        ({"grade": "B", "credit": "half"}, "untold"),
    ],
)
def test_the_result_of_an_attempt_is_told_by_status_mark_and_grade(row: dict[str, Any], result: str | None) -> None:
    usual = {"student_id": "s", "course_code": "ENG", "credit": "0.5", "school_year": "2025-26", "status": None}
    policy = find_policy("school-weighted", [Path("mappings/gpa")], DAY)
    schema = dict.fromkeys((*usual, "grade", "level"), pl.String)
    made = attempts_of_courses(pl.DataFrame([{**usual, **row}], schema=schema), policy, as_of=DAY).row(0, named=True)
    assert (made["result"], made["school_year"]) == (result, "2026")
    assert made["credit_earned"] == (made["credit"] if result == "pass" else 0)
