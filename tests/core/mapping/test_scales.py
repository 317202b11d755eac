"""Scales: what a score becomes, and the faults of a scale that are found when the file is checked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.core.errors import MappingError
from tests.core.mapping.conftest import BASE, compiled, evidence, make_framework

HEAD = """
mapping: m
version: "1"
framework: f.json
"""
TAIL = """
align: [{codes: standard}]
summarize: {default: {method: most_recent}}
"""


def mapping(scales: str, *, more: str = "", **given: Any) -> Any:
    return compiled(f"{HEAD}{scales}{more}{TAIL}", **given)


def level(compiled_mapping: Any, **row: Any) -> Any:
    mapped = compiled_mapping.apply(evidence([{"standard": "MATH.7.PS", **row}]))
    found = mapped.levels.row(0, named=True)
    return found["state"] if found["level"] is None else found["level"]


@pytest.mark.parametrize(
    ("scale", "row", "expected"),
    [
        ("numeric: {from: 0, to: 4, step: 0.5}", {"score": Decimal("2.5")}, Decimal("2.5")),
        ("numeric: {from: 0, to: 4, step: 0.5}", {"score": Decimal("2.3")}, "not_assessed"),
        ("numeric: {from: 0, to: 4}", {"score": Decimal("2.31")}, Decimal("2.31")),
        ("numeric: {from: 0, to: 4}", {"score": Decimal("4.01")}, "not_assessed"),
        ("numeric: {from: 0, to: 4, step: 0.5}", {"score": 3.5}, Decimal("3.5")),
        ("numeric: {from: 0, to: 4, step: 0.5}", {"score": "3.5"}, Decimal("3.5")),
        ("numeric: {from: 0, to: 4}, states: {M: missing}", {"score": "m"}, "missing"),
        ("numeric: {from: 0, to: 4}, states: {\"0\": missing}", {"score": 0}, "missing"),
        ("numeric: {from: 0, to: 4}, states: {NYA: not_assessed}", {"score_text": " NYA "}, "not_assessed"),
        ("marks: {meeting: 2, near: 1}", {"score_text": "Meeting"}, Decimal(2)),
        ("marks: {\"1\": 1, \"1.5\": 1.5}", {"score": Decimal("1.500000")}, Decimal("1.5")),
        ("marks: {A+: 4, A: 3.7, insufficient: 0}", {"score_text": "insufficient"}, Decimal(0)),
        ("marks: {A: 4}", {"score_text": "B"}, "not_assessed"),
        ("marks: {A: 4}, numeric: {from: 0, to: 4}", {"score": 3, "score_text": "see comment"}, Decimal(3)),
        ("bands: [{at_least: 80, level: 3}, {at_least: 0, level: 1}]", {"score": 80}, Decimal(3)),
        ("bands: [{at_least: 80, level: 3}, {at_least: 0, level: 1}]", {"score": Decimal("79.999999")}, Decimal(1)),
        ("percent_of_maximum: true, bands: [{at_least: 80, level: 3}, {at_least: 0, level: 1}]",
         {"score": 8, "max_score": 10}, Decimal(3)),
        ("percent_of_maximum: true, bands: [{at_least: 80, level: 3}, {at_least: 0, level: 1}]",
         {"score": 8, "max_score": None}, "not_assessed"),
        ("percent_of_maximum: true, maximum: 20, bands: [{at_least: 80, level: 3}, {at_least: 0, level: 1}]",
         {"score": 8, "max_score": None}, Decimal(1)),
        ("numeric: {from: 0, to: 4}, rescale: true", {"score": 2, "max_score": 5}, Decimal("1.6")),
        ("numeric: {from: 0, to: 4}, rescale: true, maximum: 5", {"score": 2, "max_score": 0}, Decimal("1.6")),
        ("round_score: {places: 2}, bands: [{from: 3.75, to: 4, level: 4}, {from: 0, to: 3.74, level: 3}]",
         {"score": Decimal("3.745")}, Decimal(4)),
    ],
)  # fmt: skip
def test_a_score_becomes_a_level_or_a_state(scale: str, row: dict[str, Any], expected: Any) -> None:
    assert level(mapping(f"scales: {{s: {{{scale}}}}}"), **row) == expected


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        ("bands: [{at_least: 80, level: 3}, {at_least: 60, level: 1}]", "Scores below 60 fall into no band."),
        ("bands: [{at_least: 80, level: 3}, {at_least: 80, level: 1}, {at_least: 0, level: 0}]",
         "Two bands start at 80."),
        ("bands: [{from: 60, to: 100, level: 3}, {from: 0, to: 60, level: 1}]", "The bands overlap from 60 to 60."),
        ("bands: [{from: 61, to: 100, level: 3}, {from: 0, to: 60, level: 1}]",
         "Scores between 60 and 61 fall into no band."),
        ("round_score: {places: 2}, bands: [{from: 3.76, to: 4, level: 4}, {from: 0, to: 3.74, level: 3}]",
         "Scores between 3.74 and 3.76 fall into no band."),
        ("proficient: 5, marks: {A: 4, B: 3}", "The threshold is beyond the scale."),
        ("marks: {A: 4}, states: {A: missing}", 'The mark "a" is a level and a state.'),
        ("proficient: 3", 'The scale "s" says no levels.'),
        ("marks: {A: high}", '"A": A number is expected here.'),
        ("numeric: {from: 0, to: 4, stepp: 1}", '"stepp"'),
        ("marks: {A: 4}, rescale: true", "`rescale` needs `numeric`."),
        ("rubric: Nowhere", '"Nowhere" is not a known rubric'),
    ],
)  # fmt: skip
def test_a_faulty_scale_is_refused_with_its_line(scale: str, said: str) -> None:
    with pytest.raises(MappingError) as refused:
        mapping(f"scales: {{s: {{{scale}}}}}")
    assert said.removeprefix('"A": ') in str(refused.value)
    assert "lakeside.yaml:5" in str(refused.value)


def test_a_band_beyond_the_scale_it_converts_onto_is_refused() -> None:
    scales = """
scales:
  four: {proficient: 3, numeric: {from: 0, to: 4}}
  percent: {onto: four, bands: [{at_least: 90, level: 5}, {at_least: 0, level: 1}]}
"""
    with pytest.raises(MappingError, match="The level 5 is beyond the scale"):
        mapping(scales, more="evidence: [{scale: percent}]")


def test_a_rubric_of_the_framework_is_a_scale() -> None:
    rubrics = {
        "rubrics": [{"id": "r", "framework_id": "fw", "title": "Four steps"}],
        "rubric_criteria": [{"id": "c", "rubric_id": "r", "competency_id": "m7ps"}],
        "rubric_levels": [
            {"id": f"l{n}", "criterion_id": "c", "quality": quality, "score": Decimal(n)}
            for n, quality in enumerate(["Beginning", "Developing", "Proficient", "Extending"], start=1)
        ],
    }
    found = mapping("scales: {s: {proficient: 3, rubric: Four steps}}", framework=make_framework(rubrics=rubrics))
    assert level(found, score_text="Proficient") == Decimal(3)
    assert level(found, score=4) == Decimal(4)
    assert level(found, score=Decimal("2.5")) == "not_assessed"


def test_what_does_not_fit_a_scale_is_reported_with_its_value() -> None:
    mapped = compiled(BASE).apply(
        evidence([{"standard": "MATH.7.PS", "score": "7"}, {"standard": "MATH.7.PS", "score": "B"}])
    )
    rows = mapped.unmatched.select("kind", "column", "value", "reason", "rows").rows()
    assert sorted(rows) == [
        ("score", "four-point", "7", "the score is beyond the scale", 1),
        ("score", "four-point", "B", "the scale has no such mark", 1),
    ]
