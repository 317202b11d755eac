"""The list of exceptions: by hand, and against the tables of two days."""

from __future__ import annotations

import datetime
from collections import defaultdict
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given, settings

from gateway.core.mapping import CompiledMapping
from gateway.core.reports.pace import (
    EXCEPTIONS,
    Thresholds,
    count_exceptions,
    find_exceptions,
    sorted_exceptions,
)
from gateway.core.reports.standing import students_of_evidence, students_of_roster
from tests.core.mapping.conftest import typed
from tests.core.reports.conftest import START, evidence_rows, frame, mapping

AS_OF = datetime.date(2027, 2, 1)
MAPPING = mapping()


def listed(
    rows: list[dict[str, Any]], limits: Thresholds | None = None, rules: CompiledMapping = MAPPING
) -> pl.DataFrame:
    evidence = frame(rows)
    return find_exceptions(rules, evidence, students_of_evidence(evidence), AS_OF, limits)


def scores(*given: tuple[str, str, int], grade: str = "07", student: str = "S1") -> list[dict[str, Any]]:
    """Scores by (code, score, days before the day of the report)."""
    return [
        {"student_id": student, "standard": code, "score": score, "grade": grade, "class_id": f"K-{code[0]}",
         "scorer_id": f"T-{code[0]}", "school_id": "A",
         "scored_at": datetime.datetime(2027, 2, 1, tzinfo=datetime.UTC) - datetime.timedelta(days=ago)}
        for code, score, ago in given
    ]  # fmt: skip


def reasons(rows: list[dict[str, Any]], **limits: Any) -> list[str]:
    """Why somebody is on the list; whoever advances is left out."""
    return sorted(set(listed(rows, Thresholds(**limits))["exception"].to_list()) - {"advancing"})


def test_who_stands_where_they_stood_is_on_the_list_with_the_facts() -> None:
    rows = scores(("MATH.7.PS", "3", 100), ("MATH.7.PS", "3", 3))
    found = listed(rows)
    assert found["exception"].to_list() == ["no_progress"]
    row = found.row(0, named=True)
    assert (row["earlier_performance_level"], row["earlier_progress"]) == ("07", Decimal("0.50"))
    assert (row["performance_level"], row["progress"]) == ("07", Decimal("0.50"))
    assert (row["school_id"], row["class_id"], row["teacher_id"], row["grade"]) == ("A", "K-M", "T-M", "07")
    assert row["last_scored_at"].date() == datetime.date(2027, 1, 29)


def test_six_weeks_are_six_weeks() -> None:
    grown = scores(("MATH.7.PS", "3", 100), ("MATH.7.RE", "3", 43))  # before the end of the day 42 days ago
    assert reasons(grown, not_scored_weeks=20) == ["no_progress"]
    assert reasons(scores(("MATH.7.PS", "3", 100), ("MATH.7.RE", "3", 41)), not_scored_weeks=20) == []
    assert reasons(grown, no_progress_weeks=7, not_scored_weeks=20) == []


def test_who_is_done_or_new_is_not_without_progress() -> None:
    done = [(code, "3", 100) for code in ("MATH.7.PS", "MATH.7.RE", "MATH.8.PS", "MATH.8.RE")]
    assert reasons(scores(*done, grade="08"), not_scored_weeks=20) == []
    assert reasons(scores(("MATH.7.PS", "3", 10))) == []


def test_two_levels_below_the_grade_are_behind_and_one_is_not() -> None:
    assert reasons(scores(("MATH.7.PS", "1", 5), grade="09")) == ["behind"]
    assert reasons(scores(("MATH.7.PS", "1", 5), grade="08")) == []
    assert reasons(scores(("MATH.7.PS", "1", 5), grade="08"), levels_behind=Decimal(1)) == ["behind"]


def test_gaps_are_counted() -> None:
    rows = scores(("MATH.7.PS", "2", 5), ("MATH.8.PS", "3", 5))
    assert listed(rows)["gaps"].to_list() == ["MATH.7.PS; MATH.7.RE"]
    assert reasons(rows, gaps=2) == ["gaps"]
    assert reasons(rows, gaps=3) == []


def test_nothing_scored_since_a_day() -> None:
    rows = scores(("MATH.7.PS", "2", 28), ("ELA.7.R", "2", 29))
    found = listed(rows)
    assert found.filter(pl.col("exception") == "nothing_scored")["domain"].to_list() == ["ELA"]
    day = datetime.date(2027, 1, 10)
    assert reasons(rows, not_scored_since=day) == ["nothing_scored"]


def test_a_student_on_the_rosters_without_any_score_is_on_the_list() -> None:
    evidence = frame(scores(("MATH.7.PS", "2", 5)))
    known = pl.DataFrame(
        [("S1", "A", "07", "T1"), ("S2", "A", "08", "T2")], schema=students_of_evidence(evidence).schema, orient="row"
    )
    row = find_exceptions(MAPPING, evidence, known, AS_OF).row(0, named=True)
    assert (row["student_id"], row["exception"], row["domain"], row["advisor_id"]) == (
        "S2",
        "nothing_scored",
        None,
        "T2",
    )


def test_who_gains_two_levels_a_year_is_advancing() -> None:
    rows = scores(("MATH.7.PS", "3", 100), ("MATH.7.RE", "3", 5))
    found = listed(rows).filter(pl.col("exception") == "advancing")
    assert found["pace"].to_list() == [Decimal("3.65")]  # a level in 100 days
    assert "advancing" not in listed(rows, Thresholds(advancing_pace=Decimal(4)))["exception"].to_list()


@settings(max_examples=40, deadline=None)
@given(evidence_rows)
def test_the_list_is_what_the_tables_of_two_days_say(rows: list[dict[str, Any]]) -> None:
    found, evidence = listed(rows), frame(rows)
    now = MAPPING.apply(evidence, as_of=AS_OF)
    then = MAPPING.apply(evidence, as_of=AS_OF - datetime.timedelta(weeks=6)).continuum
    before = {(row["student_id"], row["domain"]): row for row in then.rows(named=True)}
    ahead = {(row["student_id"], row["domain"]): row["ahead"] for row in now.placement.rows(named=True)}
    newest: dict[tuple[str, str], datetime.datetime] = defaultdict(lambda: START)
    for row in rows:
        if row["scored_at"].date() <= AS_OF:
            key = (row["student_id"], row["standard"].split(".")[0])
            newest[key] = max(newest[key], row["scored_at"])
    expected = set()
    for row in now.continuum.rows(named=True):
        key = (row["student_id"], row["domain"])
        was = before.get(key)
        left = row["progress"] < 1 or row["gaps"]
        position = (int(row["performance_level"]), row["progress"])
        if was and left and position <= (int(was["performance_level"]), was["progress"]):
            expected.add((*key, "no_progress"))
        if ahead[key] is not None and ahead[key] <= -2:
            expected.add((*key, "behind"))
        if newest[key].date() < AS_OF - datetime.timedelta(weeks=4):
            expected.add((*key, "nothing_scored"))
        if row["gaps"]:
            expected.add((*key, "gaps"))
        if row["pace"] is not None and row["pace"] >= 2:
            expected.add((*key, "advancing"))
    placed = {row["student_id"] for row in now.continuum.rows(named=True)}
    expected |= {(row["student_id"], None, "nothing_scored") for row in rows if row["student_id"] not in placed}
    assert set(found.select("student_id", "domain", "exception").rows()) == expected
    assert found.height == len(expected)
    assert found.schema == dict(EXCEPTIONS)
    counts = count_exceptions(found).filter(pl.col("by") == "school")
    for row in counts.rows(named=True):
        mine = found.filter(pl.col("school_id") == row["id"], pl.col("exception") == row["exception"])
        assert (row["students"], row["rows"]) == (mine["student_id"].n_unique(), mine.height)


@settings(max_examples=20, deadline=None)
@given(evidence_rows)
def test_the_list_does_not_depend_on_the_cut(rows: list[dict[str, Any]]) -> None:
    whole = listed(rows)
    parts = [[row for row in rows if row["student_id"] == student] for student in {row["student_id"] for row in rows}]
    numbered = {id(row): n for n, row in enumerate(rows)}
    cut = [listed([{**row, "result_id": f"r{numbered[id(row)]:04}"} for row in part]) for part in parts]
    assert sorted_exceptions(pl.concat(cut)).equals(whole)


def test_rosters_tell_school_grade_and_advisor() -> None:
    tables = {
        "orgs": typed("orgs", [{"id": id, "type": "district" if id == "D" else "school"} for id in "ABD"]),
        "classes": typed("classes", [
            {"id": "home", "class_type": "homeroom", "school_id": "A"}, {"id": "math", "school_id": "B"},
            {"id": "old", "school_id": "B", "status": "tobedeleted"},
        ]),
        "users": typed("users", [
            {"id": "S1", "grades": ["07"], "primary_org_id": "B"},
            {"id": "S2", "grades": ["08"], "primary_org_id": "D"}, {"id": "S3"}, {"id": "T1"}, {"id": "T2"},
        ]),
        "enrollments": typed("enrollments", [
            *({"class_id": each, "user_id": user, "role": "student"}
              for each, user in (("home", "S1"), ("math", "S2"), ("old", "S3"))),
            {"class_id": "home", "user_id": "T1", "role": "teacher", "primary": False},
            {"class_id": "home", "user_id": "T2", "role": "teacher", "primary": True},
        ]),
    }  # fmt: skip
    assert students_of_roster(tables).rows() == [("S1", "B", "07", "T2"), ("S2", "B", "08", None)]


def test_rosters_without_a_table_have_nobody_in_it() -> None:
    assert students_of_roster({}).is_empty()
