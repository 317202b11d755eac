"""Credits: earned, remaining, per part and per cell of a grid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.core.mapping.conftest import BASE, compiled, evidence


def credits(text: str, rows: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[Any, ...]]:
    mapped = compiled(BASE + text).apply(evidence(rows))
    return {
        (row["credit"], row["part"]): (row["earned"], row["required"], row["remaining"], row["complete"])
        for row in mapped.credits.rows(named=True)
    }


def test_each_competency_at_the_minimum_earns_a_credit() -> None:
    text = "credits: {foundation: {parts: [MATH, ELA], required: {MATH: 3, ELA: 1}}}"
    found = credits(
        text,
        [
            {"standard": "MATH.7.PS", "score": 3},
            {"standard": "MATH.8.PS", "score": 2},
            {"standard": "ELA.7.R", "score": 4},
            {"standard": "ELA.8.R", "score": 4},
        ],
    )
    assert found == {
        ("foundation", "MATH"): (1, 3, 2, False),
        ("foundation", "ELA"): (2, 1, 0, True),
        ("foundation", "total"): (3, 4, 1, False),
    }


def test_a_part_can_earn_as_a_whole() -> None:
    text = "credits: {units: {parts: [ELA], rule: all, worth: 0.5}}"
    both = [{"standard": "ELA.7.R", "score": 3}, {"standard": "ELA.8.R", "score": 3}]
    assert credits(text, both[:1])["units", "ELA"] == (0, Decimal("0.5"), Decimal("0.5"), False)
    assert credits(text, both)["units", "ELA"] == (Decimal("0.5"), Decimal("0.5"), 0, True)


def test_advanced_credits_have_a_minimum_of_their_own() -> None:
    text = "credits: {foundation: {parts: [MATH]}, advanced: {parts: [MATH], minimum: 4}}"
    found = credits(text, [{"standard": "MATH.7.PS", "score": 4}, {"standard": "MATH.8.PS", "score": 3}])
    assert (found["foundation", "MATH"][0], found["advanced", "MATH"][0]) == (2, 1)


def test_without_a_requirement_nothing_remains_unknown_and_nothing_is_called_complete() -> None:
    found = credits("credits: {f: {parts: [MATH]}}", [{"standard": "MATH.7.PS", "score": 4}])
    assert found["f", "MATH"] == (1, None, None, None)


GRID = """
columns: [area]
credits:
  artifacts:
    parts: [MATH, ELA]
    grid: {column: area, values: [academics, community]}
"""


def test_each_cell_of_a_grid_needs_one_accepted_result() -> None:
    found = credits(
        GRID,
        [
            {"standard": "MATH.7.PS", "score": 3, "area": "Academics"},
            {"standard": "MATH.8.PS", "score": 4, "area": "academics"},
            {"standard": "MATH.7.PS", "score": 2, "area": "community"},
            {"standard": "ELA.7.R", "score": 3, "area": "community"},
            {"standard": "ELA.7.R", "score": 3, "area": "elsewhere"},
        ],
    )
    assert {part: row[0] for (_, part), row in found.items()} == {
        "MATH × academics": 1,
        "MATH × community": 0,
        "ELA × academics": 0,
        "ELA × community": 1,
        "total": 2,
    }
    assert found["artifacts", "total"] == (2, 4, 2, False)


def test_the_same_activity_counts_in_the_area_of_each_student() -> None:
    rows = [
        {"student_id": student, "standard": "MATH.7.PS", "score": 3, "area": area, "line_item_id": "project"}
        for student, area in (("S1", "academics"), ("S2", "community"))
    ]
    mapped = compiled(BASE + GRID).apply(evidence(rows)).credits
    filled = mapped.filter((mapped["earned"] > 0) & (mapped["part"] != "total"))
    assert filled.select("student_id", "part").rows() == [("S1", "MATH × academics"), ("S2", "MATH × community")]


def test_an_area_that_the_grid_does_not_know_is_reported_with_the_nearest() -> None:
    areas = ("comunity", "comunity", None, "Academics")
    rows = [{"standard": "MATH.7.PS", "score": 3, "area": area, "student_id": f"S{n}"} for n, area in enumerate(areas)]
    unmatched = compiled(BASE + GRID).apply(evidence(rows)).unmatched
    assert unmatched.select("kind", "column", "value", "reason", "suggestion", "rows", "students").rows() == [
        ("cell", "area", "comunity", 'no cell of the credit "artifacts"', 'Did you mean "community"?', 2, 2),
        ("cell", "area", None, 'no cell of the credit "artifacts"', None, 1, 1),
    ]
