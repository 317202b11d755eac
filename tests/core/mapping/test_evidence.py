"""Evidence rules, states and alignment: what counts, for which competency, and why the rest does not."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gateway.core.mapping import CompiledMapping
from tests.core.mapping.conftest import BASE, compiled, evidence, make_framework


def result(mapping: CompiledMapping, rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Level, or state, by competency."""
    levels = mapping.apply(evidence(rows), **more).levels
    return {
        row["competency"]: row["state"] if row["level"] is None else row["level"] for row in levels.rows(named=True)
    }


def aside(mapping: CompiledMapping, rows: list[dict[str, Any]], **more: Any) -> dict[str, int]:
    return dict(mapping.apply(evidence(rows), **more).set_aside)


MEAN = BASE.replace("most_recent", "mean")
PS = {"standard": "MATH.7.PS"}


def ruled(rules: str, *, method: str = "mean", more: str = "") -> CompiledMapping:
    return compiled(BASE.replace("most_recent", method) + f"evidence:\n{rules}\n{more}")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"score": 3, "missing": True}, "missing"),
        ({"score": 0, "missing": True}, "missing"),
        ({"score": 3, "incomplete": True}, "incomplete"),
        ({"score": 3, "status": "exempt"}, "excused"),
        ({"score": 3, "status": "exempt", "missing": True}, "excused"),
        ({"score": None, "status": "not submitted"}, "missing"),
        ({"score": 3, "status": "partially graded"}, "pending"),
        ({"score": 3, "status": "fully graded"}, Decimal(3)),
        ({"score": 3, "late": True}, Decimal(3)),
        ({"score": 0}, Decimal(0)),
        ({"score": None}, "not_assessed"),
    ],
)
def test_a_state_is_never_a_zero_and_a_zero_is_a_score(row: dict[str, Any], expected: Any) -> None:
    assert result(compiled(), [{**PS, **row}]) == {"MATH.7.PS": expected}


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("{missing: set_aside}", Decimal(3)),
        ("{missing: {level: 0}}", Decimal("1.5")),
        ("{missing: count}", Decimal("2.5")),
        ("{missing: block}", "incomplete"),
    ],
)
def test_a_school_says_what_a_state_does(states: str, expected: Any) -> None:
    rows = [{**PS, "score": 3, "missing": False}, {**PS, "score": 2, "missing": True}]
    assert result(compiled(MEAN + f"states: {states}\n"), rows) == {"MATH.7.PS": expected}


def test_the_first_rule_that_fits_decides_and_what_fits_none_is_reported() -> None:
    mapping = ruled(
        "  - {when: {category: Summ*, late: [false, null]}}\n  - {when: {category: Quiz}, set_aside: practice}"
    )
    rows = [{**PS, "score": 3, "category": each} for each in ("Summative", "summary", "Quiz", "Homework")]
    assert result(mapping, rows) == {"MATH.7.PS": 3}
    assert aside(mapping, rows) == {"no rule fits": 1, "set aside by a rule": 1}
    unmatched = mapping.apply(evidence(rows)).unmatched
    assert unmatched.select("kind", "value", "rows").rows() == [("rule", "category Homework, late not filled in", 1)]


@pytest.mark.parametrize(
    ("when", "fitting"),
    [
        ("{scored_at: {from: 2026-09-02, to: 2026-09-03}}", {1, 2}),
        ("{score: {at_least: 2.5}}", {1, 2}),
        ("{score: {above: 1, below: 3}}", {0, 1}),
        ("{category: {not: [A, B]}}", {2}),
        ("{category: null}", {2}),
        ("{late: true}", {1}),
        ("{class_id: \"0012\"}", {0}),
        ("{category: \"a\", late: false}", {0}),
    ],
)  # fmt: skip
def test_conditions(when: str, fitting: set[int]) -> None:
    rows = [
        {"standard": code, "score": score, "category": category, "late": late, "class_id": section}
        for code, score, category, late, section in (
            ("MATH.7.PS", Decimal(2), "A", False, "0012"),
            ("MATH.7.RE", Decimal("2.5"), "B", True, "12"),
            ("MATH.8.PS", Decimal(3), None, None, None),
        )
    ]
    codes = [row["standard"] for row in rows]
    assert result(ruled(f"  - {{when: {when}}}"), rows).keys() == {codes[n] for n in fitting}


def test_formative_evidence_is_capped() -> None:
    rules = "  - {when: {category: F}, cap: 0.15}\n  - {when: {category: S}}"
    mapping = ruled(rules, method="weighted_mean")
    rows = [{**PS, "score": 4, "category": "F"}] * 5 + [{**PS, "score": 2, "category": "S"}]
    assert result(mapping, rows) == {"MATH.7.PS": Decimal("2.30")}
    assert result(mapping, rows[:5]) == {"MATH.7.PS": "insufficient"}


def test_better_evidence_takes_precedence() -> None:
    mapping = ruled("  - {when: {category: Final}}\n  - {priority: 2}")
    rows = [{**PS, "score": 4, "category": "Final"}, {**PS, "score": 1, "category": "Quiz"}]
    assert result(mapping, rows) == {"MATH.7.PS": 4}
    assert result(mapping, rows[1:]) == {"MATH.7.PS": 1}
    assert aside(mapping, rows) == {"better evidence has priority": 1}


def test_a_named_person_with_a_reason_can_set_a_level() -> None:
    mapping = ruled("  - {when: {category: Override}, override: true}\n  - {}")
    given = {**PS, "score": 4, "category": "Override", "override_by": "A. Teacher", "override_reason": "portfolio"}
    rows = [{**PS, "score": 1, "category": "Quiz"}, given]
    levels = mapping.apply(evidence(rows)).levels.row(0, named=True)
    assert (levels["level"], levels["state"], levels["evidence_count"]) == (4, "overridden", 1)
    assert aside(mapping, [{**given, "override_reason": None}]) == {"override without name or reason": 1}


def test_what_is_dated_later_does_not_count_yet() -> None:
    rows = [{**PS, "score": 2}, {**PS, "score": 4}]
    day = datetime.date(2026, 9, 1)
    assert result(compiled(), rows, as_of=day) == {"MATH.7.PS": 2}
    assert aside(compiled(), rows, as_of=day) == {"dated after the day asked for": 1}


def test_equal_times_are_ordered_by_id() -> None:
    at = datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC)
    rows = [{**PS, "score": score, "scored_at": at, "result_id": id} for id, score in (("b", 4), ("c", 1), ("a", 2))]
    assert result(compiled(), rows) == {"MATH.7.PS": 1}


def test_a_result_without_a_time_is_the_oldest() -> None:
    rows = [{**PS, "score": 2}, {**PS, "score": 4, "scored_at": None}]
    assert result(compiled(), rows) == {"MATH.7.PS": 2}


def test_too_little_evidence_is_insufficient() -> None:
    text = BASE.replace("most_recent", "mean, at_least: 2")
    assert result(compiled(text), [{**PS, "score": 3}]) == {"MATH.7.PS": "insufficient"}


def crosswalk(**columns: list[str | None]) -> dict[str, pl.DataFrame]:
    return {"local.csv": pl.DataFrame(columns)}


def aligned(ways: str, tables: dict[str, pl.DataFrame] | None = None, **more: Any) -> CompiledMapping:
    head, tail = BASE.split("align:")
    return compiled(f"{head}align:\n{ways}\nsummarize:{tail.split('summarize:')[1]}", crosswalks=tables or {}, **more)


def test_learning_objectives_are_found_by_identifier_in_any_case() -> None:
    mapping = aligned("  - learning_objectives: case")
    assert result(mapping, [{"competency": "urn:uuid:M7PS", "score": 3}]) == {"MATH.7.PS": 3}


def test_a_crosswalk_finds_exact_codes_then_patterns_and_weighs() -> None:
    tables = crosswalk(
        standard=["L.1", "L.1", "L.*"], competency=["MATH.7.PS", "MATH.7.RE", "ELA.7.R"], weight=["1", "0.5", None]
    )
    mapping = aligned("  - crosswalk: local.csv", tables)
    assert result(mapping, [{"standard": "l.1", "score": 3}]) == {"MATH.7.PS": 3, "MATH.7.RE": 3}
    assert result(mapping, [{"standard": "L.27", "score": 2}]) == {"ELA.7.R": 2}


def test_a_crosswalk_can_look_up_several_columns() -> None:
    tables = crosswalk(course_code=["M7", "E7"], standard=["1", "1"], competency=["MATH.7.PS", "ELA.7.R"])
    mapping = aligned("  - crosswalk: local.csv", tables)
    assert result(mapping, [{"course_code": "E7", "standard": "1", "score": 2}]) == {"ELA.7.R": 2}


def test_a_code_can_stand_inside_a_text() -> None:
    tables = crosswalk(standard=["L.1"], competency=["MATH.7.PS"])
    mapping = aligned('  - {crosswalk: local.csv, from: {column: line_item_title, after: "[", before: "]"}}', tables)
    rows = [{"line_item_title": "Unit 1 quiz [L.1]", "score": 3}, {"line_item_title": "Unit 2 [L.2]", "score": 3}]
    assert result(mapping, rows) == {"MATH.7.PS": 3}
    assert mapping.apply(evidence(rows)).unmatched.select("column", "value", "suggestion").rows() == [
        ("line_item_title", "L.2", 'Did you mean "L.1"?')
    ]


def test_the_first_way_that_finds_anything_decides() -> None:
    ways = '  - {when: {standard: "MATH.*"}, competencies: {MATH.7.RE: 1, ELA.7.R: 0.5}}\n  - codes: standard'
    rows = [{"standard": "MATH.7.PS", "score": 3}, {"standard": "ELA.8.R", "score": 2}]
    assert result(aligned(ways), rows) == {"MATH.7.RE": 3, "ELA.7.R": 3, "ELA.8.R": 2}


STATE = [("s1", "ST.1", None, "Standard", None), ("s1a", "ST.1.a", "s1", "Standard", None),
         ("s2", "ST.2", None, "Standard", None)]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "code", "expected"),
    [
        ("types: [exactMatchOf]", "ST.1", {"MATH.7.PS": 3}),
        ("types: [exactMatchOf]", "ST.1.a", {}),
        ("types: [exactMatchOf, isChildOf], depth: 2, direction: forward", "ST.1.a", {"MATH.7.PS": 3}),
        ("types: [isRelatedTo]", "ST.2", {"MATH.7.RE": 3, "ELA.7.R": 3}),
        ("types: [isRelatedTo], direction: backward", "ST.2", {}),
    ],
)
def test_associations_are_followed_across_frameworks_to_the_stated_depth(
    rule: str, code: str, expected: dict[str, int]
) -> None:
    edges = [("exactMatchOf", "s1", "m7ps"), ("isRelatedTo", "s2", "m7re"), ("isRelatedTo", "s2", "e7r")]
    state = make_framework(STATE, edges, id="state", title="State")
    ways = f"  - {{associations: {{from: state, {rule}}}}}"
    text = "other_frameworks: {state: state.json}\n"
    head, tail = (BASE + text).split("align:")
    mapping = compiled(
        f"{head}align:\n{ways}\nsummarize:{tail.split('summarize:')[1]}", other_frameworks={"state": state}
    )
    assert result(mapping, [{"standard": code, "score": 3}]) == expected


def test_what_matches_nothing_is_reported_by_code_with_counts_and_the_nearest() -> None:
    rows = [{"standard": "MATH.7.PSS", "score": 3, "student_id": student} for student in ("S1", "S1", "S2")]
    rows += [{"standard": None, "score": 3}]
    unmatched = compiled().apply(evidence(rows)).unmatched
    assert unmatched.select("kind", "column", "value", "suggestion", "rows", "students").rows() == [
        ("code", "standard", "MATH.7.PSS", 'Did you mean "MATH.7.PS"?', 3, 2),
        ("code", None, None, None, 1, 1),
    ]


def test_a_result_counts_once_for_a_competency_however_many_codes_lead_there() -> None:
    tables = crosswalk(standard=["L.1", "L.2"], competency=["MATH.7.PS", "MATH.7.PS"])
    mapping = aligned("  - crosswalk: local.csv", tables)
    at = datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC)
    rows = [{"standard": code, "score": 3, "result_id": "r", "scored_at": at} for code in ("L.1", "L.2")]
    assert mapping.apply(evidence(rows)).levels["evidence_count"].to_list() == [1]


def test_questions_of_a_quiz_are_pooled_as_published(shared_data: Path) -> None:
    path = shared_data / "vectors" / "canvas_quiz_alignment.json"
    cases = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    assert len(cases) == 3
    for case in cases:
        weighted = f"weighted_average, newest: {Decimal(case['weight']) / 100}"
        method = {"latest": "most_recent", "weighted_average": weighted}[case["method"]]
        text = f"""
mapping: quiz
version: "1"
framework: f.json
scales: {{points: {{numeric: {{from: 0, to: {case["points_possible"]}}}, rescale: true}}}}
evidence: [{{pool: line_item_id}}]
align: [{{codes: standard}}]
summarize: {{default: {{method: {method}}}}}
"""
        rows = [
            {**PS, "score": Decimal(str(percent)) * points, "max_score": Decimal(points), "line_item_id": f"quiz {n}",
             "scored_at": datetime.datetime(2026, 9, 1 + n, tzinfo=datetime.UTC), "result_id": f"{n}.{m}"}
            for n, quiz in enumerate(case["quizzes_oldest_first"])
            for m, (percent, points) in enumerate(quiz)
        ]  # fmt: skip
        assert result(compiled(text), rows) == {"MATH.7.PS": Decimal(str(case["expected"]))}, case


def test_a_modified_scale_is_flagged_in_every_level_that_used_it() -> None:
    easier = 'easier: {onto: four-point, marks: {"1": 3}, modified: true}'
    text = BASE.replace("align:", f"  {easier}\nevidence: [{{scale: four-point}}]\nalign:")
    text += "scale: four-point\nmodified_scales: modified.csv\nroll_up: [{to: [MATH], method: mean}]\n"
    table = pl.DataFrame(
        {"student_id": ["S1"], "competency": ["MATH.7.PS"], "scale": ["easier"], "by": ["T"], "reason": ["IEP"]}
    )
    mapping = compiled(text, crosswalks={"modified.csv": table})
    rows = [{**PS, "score": 1, "student_id": student} for student in ("S1", "S2")]
    rows.append({"standard": "MATH.8.PS", "score": 3})
    levels = mapping.apply(evidence(rows)).levels
    assert levels.select("student_id", "competency", "level", "state").rows() == [
        ("S1", "MATH", 3, "modified"),
        ("S1", "MATH.7.PS", 3, "modified"),
        ("S1", "MATH.8.PS", 3, "calculated"),
        ("S2", "MATH", 1, "calculated"),
        ("S2", "MATH.7.PS", 1, "calculated"),
    ]


def test_a_modified_scale_finer_than_all_others_stays_exact() -> None:
    text = BASE.replace("most_recent", "decaying_average, newest: 0.5").replace(
        "align:", "  fine: {onto: four-point, marks: {x: 2.3}, modified: true}\nevidence: [{scale: four-point}]\nalign:"
    )
    table = pl.DataFrame(
        {"student_id": ["S1"], "competency": ["MATH.7.PS"], "scale": ["fine"], "by": ["T"], "reason": ["IEP"]}
    )
    mapping = compiled(text + "modified_scales: m.csv\n", crosswalks={"m.csv": table})
    assert result(mapping, [{**PS, "score": "x"}, {**PS, "score": "x"}]) == {"MATH.7.PS": Decimal("2.30")}


def test_a_code_that_a_way_of_another_column_knows_is_told_as_such() -> None:
    unmatched = aligned(
        "  - codes: competency\n  - crosswalk: local.csv", crosswalk(standard=["L.1"], competency=["MATH.7.PS"])
    )
    found = unmatched.apply(evidence([{"standard": "ELA.8.R", "score": 3}])).unmatched
    assert found["suggestion"].to_list() == ['Another way of alignment knows it, but does not read it in "standard".']


def test_only_a_mark_that_a_scale_lacks_is_proposed_for_the_scale() -> None:
    found = compiled().apply(evidence([{"standard": "MATH.7.PS", "score": score} for score in ("X", "2.7", "9")]))
    assert found.unmatched.select("value", "suggestion").rows() == [
        ("2.7", None),
        ("9", None),
        ("X", 'Add it to the scale "four-point".'),
    ]
