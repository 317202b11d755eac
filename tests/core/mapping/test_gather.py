"""Evidence from the canonical tables."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.mapping import gather_evidence
from tests.core.mapping.conftest import BASE, compiled, evidence, typed

DAY = datetime.date(2026, 9, 1)
DUE = datetime.datetime(2026, 9, 9, 12, tzinfo=datetime.UTC)

TABLES: dict[str, list[dict[str, Any]]] = {
    "academic_sessions": [{"id": "t1", "title": "Fall"}],
    "categories": [{"id": "c1", "title": "Summative"}],
    "courses": [{"id": "k1", "title": "Mathematics 7", "course_code": "M7", "subjects": ["Mathematics"]}],
    "classes": [{"id": "s1", "title": "M7-2", "course_id": "k1", "school_id": "school"}],
    "users": [{"id": "S1", "grades": ["07"]}],
    "enrollments": [
        {"id": "e1", "class_id": "s1", "user_id": "T2", "role": "teacher", "primary": True},
        {"id": "e2", "class_id": "s1", "user_id": "T1", "role": "teacher", "primary": False},
        {"id": "e3", "class_id": "s1", "user_id": "S1", "role": "student"},
    ],
    "line_items": [
        {"id": "l1", "title": "Test", "class_id": "s1", "category_id": "c1", "academic_session_id": "t1",
         "result_value_max": Decimal(4), "due_date": DUE},
        {"id": "l2", "title": "Quiz", "class_id": "s1"},
    ],
    "line_item_learning_objectives": [
        {"line_item_id": "l1", "source": "case", "learning_objective_id": "m7ps"},
        {"line_item_id": "l1", "source": "local", "learning_objective_id": "L.1"},
    ],
    "results": [
        {"id": "r1", "line_item_id": "l1", "student_id": "S1", "score": Decimal(3), "score_date": DAY},
        {"id": "r2", "line_item_id": "l1", "student_id": "S1", "score": Decimal(2)},
        {"id": "r3", "line_item_id": "l2", "student_id": "S1", "text_score": "M", "late": True},
        {"id": "r4", "line_item_id": "l2", "student_id": "S1", "score": Decimal(4), "status": "tobedeleted"},
    ],
    "result_learning_objectives": [
        {"result_id": "r2", "source": "case", "learning_objective_id": "m7re", "score": Decimal(4)},
        {"result_id": "r2", "source": "case", "learning_objective_id": "e7r"},
    ],
    "score_scales": [{"id": "x", "title": "Letters"}, {"id": "y", "title": "Numbers"}],
    "line_item_score_scales": [{"line_item_id": "l2", "score_scale_id": "x"}],
}  # fmt: skip


def gathered(**changed: list[dict[str, Any]]) -> pl.DataFrame:
    return gather_evidence({name: typed(name, rows) for name, rows in {**TABLES, **changed}.items()})


def test_a_result_has_its_own_learning_objectives_or_those_of_its_line_item() -> None:
    rows = gathered().select("result_id", "competency", "standard", "score").rows()
    assert sorted(rows, key=str) == [
        ("r1", "m7ps", None, Decimal(3)),
        ("r1", None, "L.1", Decimal(3)),
        ("r2", "e7r", None, Decimal(2)),
        ("r2", "m7re", None, Decimal(4)),
        ("r3", None, None, None),
    ]


def test_what_rules_may_ask_for_comes_along() -> None:
    row = gathered().filter(pl.col("result_id") == "r1").row(0, named=True)
    assert {name: row[name] for name in ("category", "term", "course_code", "subject", "school_id", "grade")} == {
        "category": "Summative", "term": "Fall", "course_code": "M7", "subject": "Mathematics", "school_id": "school",
        "grade": "07",
    }  # fmt: skip
    assert (row["scorer_id"], row["max_score"], row["line_item_title"]) == ("T2", Decimal(4), "Test")


def test_without_a_score_date_the_due_date_counts() -> None:
    found = dict(gathered().select("result_id", "scored_at").unique().rows())
    assert found == {"r1": datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC), "r2": DUE, "r3": None}


def test_the_score_scale_of_a_result_goes_before_that_of_its_line_item() -> None:
    frame = gathered(result_score_scales=[{"result_id": "r3", "score_scale_id": "y"}])
    assert frame.filter(pl.col("result_id") == "r3")["score_scale"].to_list() == ["Numbers"]
    assert gathered().filter(pl.col("result_id") == "r3")["score_scale"].to_list() == ["Letters"]


def test_a_mark_is_worth_what_its_score_scale_says() -> None:
    values = [("x", 0, "93.5", "A"), ("x", 1, "80 - 93", "B"), ("y", 0, "1", "A")]
    table = [dict(zip(("score_scale_id", "position", "lhs", "rhs"), value, strict=True)) for value in values]
    marks = [
        {"id": f"r{n}", "line_item_id": "l2", "student_id": "S1", "text_score": mark}
        for n, mark in enumerate([" a", "B", "C", None])
    ]
    frame = gathered(score_scale_values=table, results=marks, result_learning_objectives=[])
    assert frame["score_scale_value"].to_list() == [Decimal("93.5"), Decimal(80), None, None]


def test_a_scale_can_read_marks_by_the_score_scale_of_the_gradebook() -> None:
    scale = "percent: {onto: four-point, score_scale: true, bands: [{at_least: 85, level: 4}, {at_least: 0, level: 2}]}"
    text = BASE.replace("align:", f"  {scale}\nevidence: [{{scale: percent}}]\nalign:")
    rows = [{"standard": "MATH.7.PS", "score": None, "score_text": "A", "score_scale_value": Decimal("93.5")}]
    rows.append({"standard": "MATH.7.RE", "score": Decimal(50), "score_text": None, "score_scale_value": None})
    mapping = compiled(text)
    for mapped in (mapping.apply(evidence(rows)), mapping.summarise(mapping.collect(evidence(rows)), evidence=2)):
        assert dict(mapped.levels.select("competency", "level").rows()) == {"MATH.7.PS": 4, "MATH.7.RE": 2}


def test_a_missing_table_counts_as_empty() -> None:
    frame = gather_evidence({"results": typed("results", TABLES["results"])})
    assert frame["result_id"].to_list() == ["r1", "r2", "r3"]
    assert gather_evidence({}).is_empty()


def test_gathered_evidence_goes_through_a_mapping() -> None:
    mapped = compiled(BASE).apply(gathered())
    assert {row["competency"]: row["level"] for row in mapped.levels.rows(named=True)} == {
        "MATH.7.PS": 3, "MATH.7.RE": 4, "ELA.7.R": 2,
    }  # fmt: skip
    assert mapped.unmatched.select("value", "rows").rows() == [("L.1", 1), (None, 1)]
