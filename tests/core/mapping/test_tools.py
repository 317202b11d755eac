"""Working with a mapping: remarks, coverage, differences, and the schema for editors."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import jsonschema
import polars as pl
import pytest
from ruamel.yaml import YAML

from gateway.core.mapping import coverage, diff, json_schema, lint
from tests.core.mapping.conftest import BASE, compiled, evidence

MAPPINGS = Path(__file__).parent.parent.parent.parent / "mappings"


def codes(text: str, frame: pl.DataFrame | None = None, **more: object) -> dict[str, int | None]:
    """The remarks' codes with their lines."""
    return {remark.code: remark.place.line for remark in lint(compiled(text, **more), frame)}


START = BASE.count("\n") + 1


def test_a_mapping_without_oddities_has_no_remarks() -> None:
    assert codes(BASE) == {}


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (f"{BASE}evidence:\n  - {{}}\n  - {{when: {{category: Quiz}}}}\n", "lint.unreachable-rule", START + 2),
        (f"{BASE}evidence:\n  - {{cap: 0.15}}\n", "lint.cap", START + 1),
        (f"{BASE}evidence:\n  - {{weight: 0.15}}\n", "lint.weight", START + 1),
        (BASE.replace("align:", "  other: {onto: four-point, marks: {A: 4}}\nevidence: [{scale: four-point}]\nalign:"),
         "lint.unused-scale", 10),
        (f"{BASE}  MATH: {{method: mean}}\n  MATH.7.PS: {{method: mean}}\n", "lint.unused-summary", START + 1),
        (BASE.replace("numeric: {from: 0, to: 4, step: 0.5}",
                      "percent_of_maximum: true\n    bands: [{at_least: 101, level: 4}, {at_least: 0, level: 1}]"),
         "lint.unreachable-band", 9),
        (BASE.replace("numeric: {from: 0, to: 4, step: 0.5}",
                      "bands: [{at_least: 50, level: 1}, {at_least: 10, level: 3}, {at_least: 0, level: 0}]"),
         "lint.unreachable-band", 8),
    ],
)  # fmt: skip
def test_what_is_most_likely_not_meant_is_remarked_with_its_line(text: str, code: str, line: int) -> None:
    assert codes(text)[code] == line


def test_evidence_shows_rules_codes_and_competencies_that_nothing_uses() -> None:
    text = BASE.replace("  - codes: standard", "  - crosswalk: local.csv") + (
        "evidence:\n  - {when: {category: Quiz}}\n  - {when: {category: null}}\n"
    )
    table = pl.DataFrame({"standard": ["L.1", "L.2"], "competency": ["MATH.7.PS", "MATH.7.RE"]})
    frame = evidence([{"standard": "l.1", "score": 3, "category": None}, {"standard": "L.3", "score": 3}])
    remarks = lint(compiled(text, crosswalks={"local.csv": table}), frame)
    assert {remark.code: remark.message for remark in remarks} == {
        "lint.unused-rule": 'The rule "rule 1" fits no result here.',
        "lint.unused-code": "1 codes of the crosswalk local.csv match no result here: L.2.",
        "lint.no-evidence": "6 of 7 competencies have no evidence here: "
        "MATH.7.RE, MATH.8.PS, MATH.8.RE, ELA.7.R, ELA.8.R and 1 more.",
        "lint.unmatched": "1 codes of 1 results match nothing.",
    }


def test_coverage_counts_results_students_and_levels_also_where_there_are_none() -> None:
    rows = [
        {"standard": "MATH.7.PS", "score": score, "student_id": s} for s, score in (("S1", 3), ("S1", 2), ("S2", 4))
    ]
    rows.append({"standard": "ELA.7.R", "score": None, "student_id": "S1"})
    table = coverage(compiled(BASE + "continuum: {domains: [MATH]}\n"), evidence(rows))
    shown = {row[0]: row[1:] for row in table.select(
        "competency", "domain", "results", "students", "with_level", "proficient").rows()}  # fmt: skip
    assert shown["MATH.7.PS"] == ("MATH", 3, 2, 2, 1)
    assert shown["ELA.7.R"] == (None, 0, 1, 0, 0)
    assert shown["MATH.8.RE"] == ("MATH", 0, 0, 0, 0)
    assert table.height == 10


def test_a_difference_says_who_changes_by_how_much_by_school_and_competency() -> None:
    rows = [
        {"standard": "MATH.7.PS", "score": score, "student_id": student, "school_id": school}
        for student, school, scores in (("S1", "north", (4, 2)), ("S2", "north", (2, 4)), ("S3", "south", (3, 3)))
        for score in scores
    ]
    found = diff(compiled(BASE), compiled(BASE.replace("most_recent", "mean, at_least: 2")), evidence(rows))
    assert found.changes.select("student_id", "school_id", "before", "after", "change").rows() == [
        ("S1", "north", 2, 3, 1),
        ("S2", "north", 4, 3, -1),
    ]
    assert found.summary.row(0, named=True) == {
        "school_id": "north", "competency": "MATH.7.PS", "students": 2, "up": 1, "down": 1, "gained": 0, "lost": 0,
        "newly_proficient": 1, "no_longer_proficient": 0, "least": Decimal(-1), "greatest": Decimal(1),
    }  # fmt: skip


def test_a_level_that_is_lost_or_gained_is_a_difference() -> None:
    frame = evidence([{"standard": "MATH.7.PS", "score": 3}])
    strict = compiled(BASE.replace("most_recent", "mean, at_least: 2"))
    assert diff(compiled(BASE), strict, frame).summary.select("lost", "gained").row(0) == (1, 0)
    assert diff(strict, compiled(BASE), frame).summary.select("lost", "gained").row(0) == (0, 1)


def test_the_same_mapping_makes_no_difference() -> None:
    frame = evidence([{"standard": "MATH.7.PS", "score": 3}])
    assert diff(compiled(BASE), compiled(BASE), frame).changes.is_empty()


@pytest.mark.parametrize("path", sorted((MAPPINGS / "schools").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_schema_for_editors_accepts_every_school(path: Path) -> None:
    data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(json_schema())
    faults = [error.message for error in validator.iter_errors(_plain(data))]
    assert faults == []


def _plain(value: object) -> object:
    """Dates as text, as the gateway's own reader gives them."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def test_the_schema_for_editors_refuses_a_misspelt_word() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    jsonschema.Draft202012Validator.check_schema(json_schema())
    data = {"mapping": "m", "version": "1", "framework": "f", "scales": {}, "align": [], "sumarize": {}}
    assert {error.validator for error in validator.iter_errors(data)} == {"required", "additionalProperties"}
