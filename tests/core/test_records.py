"""From a learner continuum to gradebook records."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from gateway.core.digest import content_digests
from gateway.core.model import SCORE, TABLES, TIME
from gateway.core.records import Continuum, Gradebook, Naming, ScaleValue

SCALE = (ScaleValue("1", "Beginning"), ScaleValue("4", "Exceeding"))
NAMING = Naming("lakeside", "nightly", "Learner continuum", "lakeside", SCALE)


def table(name, *rows):
    schema = TABLES[name].schema
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def tables(**changes):
    found = {
        "academic_sessions": table(
            "academic_sessions",
            {"id": "t1", "start_date": date(2026, 9, 1), "end_date": date(2027, 1, 16)},
            {"id": "t2", "start_date": date(2027, 1, 16), "end_date": date(2027, 6, 12)},
        ),
        "classes": table("classes", {"id": "c1", "school_id": "o1", "term_ids": ["t1", "t2"]}),
        "users": table("users", {"id": "s1"}, {"id": "s2"}),
        "enrollments": table(
            "enrollments",
            {"id": "e1", "class_id": "c1", "user_id": "s1", "role": "student"},
            {"id": "e2", "class_id": "c1", "user_id": "s2", "role": "student"},
            {"id": "e3", "class_id": "c1", "user_id": "t9", "role": "teacher"},
        ),
    }
    return found | changes


def continuum(taught=(("s1", "c1", "MATH"),)):
    scored = datetime(2026, 10, 5, 9, tzinfo=UTC)
    return Continuum(
        levels=pl.DataFrame(
            [("s1", "MATH", "uuid-b", Decimal("2.5"), None), ("s1", "MATH", "uuid-a", Decimal(3), "proficient")],
            schema={
                "student_id": pl.String,
                "domain": pl.String,
                "competency_id": pl.String,
                "level": SCORE,
                "label": pl.String,
            },
            orient="row",
        ),
        domains=pl.DataFrame(
            [(s, "MATH", Decimal("2.75"), "8", scored) for s in ("s1", "s2", "s3")],
            schema={
                "student_id": pl.String,
                "domain": pl.String,
                "score": SCORE,
                "label": pl.String,
                "last_scored_at": TIME,
            },
            orient="row",
        ),
        taught=pl.DataFrame(
            taught, schema={"student_id": pl.String, "class_id": pl.String, "domain": pl.String}, orient="row"
        ),
    )


def gradebook_records(found, given, naming):
    gradebook = Gradebook(given, {"MATH": "Mathematics"}, naming)
    results = gradebook.results(found)
    return {**gradebook.frame(), "results": results}


def test_one_result_per_student_class_and_domain_with_its_levels():
    records = gradebook_records(continuum(), tables(), NAMING)
    (result,) = records["results"].to_dicts()
    (line_item,) = records["line_items"].to_dicts()
    (category,) = records["categories"].to_dicts()
    assert result["line_item_id"] == line_item["id"]
    assert line_item["category_id"] == category["id"]
    assert (result["student_id"], result["score"], result["text_score"]) == ("s1", Decimal("2.75"), "8")
    assert (result["score_status"], result["score_date"]) == ("fully graded", date(2026, 10, 5))
    assert result["result_learning_objectives"] == [
        {"source": "case", "learning_objective_id": "uuid-a", "score": Decimal(3), "text_score": "proficient"},
        {"source": "case", "learning_objective_id": "uuid-b", "score": Decimal("2.5"), "text_score": None},
    ]


def test_a_line_item_is_dated_by_its_terms_and_ends_are_exclusive():
    (line_item,) = gradebook_records(continuum(), tables(), NAMING)["line_items"].to_dicts()
    assert line_item["title"] == "Mathematics – Learner continuum"
    assert line_item["assign_date"] == datetime(2026, 9, 1, tzinfo=UTC)
    assert line_item["due_date"] == datetime(2027, 6, 11, tzinfo=UTC)
    assert (line_item["academic_session_id"], line_item["school_id"]) == ("t2", "o1")
    assert (line_item["result_value_min"], line_item["result_value_max"]) == (Decimal(1), Decimal(4))
    assert [o["learning_objective_id"] for o in line_item["line_item_learning_objectives"]] == ["uuid-a", "uuid-b"]


def test_the_scale_stands_once_per_class_and_the_line_item_names_it():
    records = gradebook_records(continuum(), tables(), NAMING)
    (scale,) = records["score_scales"].to_dicts()
    assert scale["class_id"] == "c1"
    assert scale["score_scale_values"] == [
        {"position": 1, "lhs": "1", "rhs": "Beginning"},
        {"position": 2, "lhs": "4", "rhs": "Exceeding"},
    ]
    assert records["line_items"]["line_item_score_scales"].to_list() == [[{"score_scale_id": scale["id"]}]]


@pytest.mark.parametrize(
    "taught",
    [
        pytest.param(("s3", "c1", "MATH"), id="not enrolled"),
        pytest.param(("s1", "c9", "MATH"), id="class unknown"),
        pytest.param(("s1", "c1", "ELA"), id="no level in the domain"),
    ],
)
def test_no_record_without_enrolment_class_or_level(taught):
    assert gradebook_records(continuum([taught]), tables(), NAMING)["results"].is_empty()


def test_a_student_who_is_not_there_has_no_record():
    gone = tables(users=table("users", {"id": "s2"}))
    assert gradebook_records(continuum(), gone, NAMING)["results"].is_empty()


def test_ids_are_stable_and_tell_nothing_and_differ_between_districts():
    one, two = (gradebook_records(continuum(), tables(), NAMING)["results"] for _ in range(2))
    other = gradebook_records(continuum(), tables(), Naming("other", "nightly", "x", "y", SCALE))["results"]
    assert one.equals(two)
    assert content_digests(one, "results").equals(content_digests(two, "results"))
    assert set(one["id"]).isdisjoint(other["id"])
    assert "s1" not in one["id"][0]


def test_records_fit_the_canonical_tables():
    for name, rows in gradebook_records(continuum(), tables(), NAMING).items():
        declared = TABLES[name].schema
        assert {column: rows.schema[column] for column in declared} == declared
