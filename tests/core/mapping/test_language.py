"""A faulty mapping is refused with the line of every fault and what to do."""

from __future__ import annotations

import polars as pl
import pytest

from gateway.core.errors import MappingError
from tests.core.mapping.conftest import BASE, compiled, make_framework

START = BASE.count("\n") + 1
"""The line on which text added to ``BASE`` begins."""


def refused(text: str, **more: object) -> MappingError:
    with pytest.raises(MappingError) as caught:
        compiled(text, **more)
    return caught.value


@pytest.mark.parametrize(
    ("added", "line", "message", "hint"),
    [
        ("scale: four-pont", 0, '"four-pont" is not a known scale.', 'Did you mean "four-point"?'),
        ("sumarize: {}", 0, "sumarize", ""),
        ("evidence: [{when: {categry: A}}]", 0, '"categry" is not a known column of evidence.', '"category"'),
        ("evidence:\n  - {when: {category: A}, scale: none}", 1, '"none" is not a known scale.', "four-point"),
        ("evidence:\n  - {weight: -1}", 1, "The number must be at least 0.", ""),
        ("evidence:\n  - {cap: 0.1}\n  - {cap: 0.2}", 0, "The rules state several caps.", "one cap"),
        ("states: {mising: count}", 0, '"mising" is not a known state.', '"missing"'),
        ("states: {missing: zero}", 0, "This is not what a state can do.", "{level: 0}"),
        ("roll_up:\n  - {to: [MAHT], method: mean}", 1, '"MAHT" is no competency of Lakeside.', '"MATH"'),
        ("roll_up:\n  - {to: {type: Domian}, method: mean}", 1, '"Domian" is not a known type', '"Domain"'),
        ("roll_up:\n  - {to: top_level, method: mean, newest: 0.5}", 1, "mean has no use for `newest`.", ""),
        ("continuum: {domains: [NONE]}", 0, '"NONE" is no competency', ""),
        ("continuum: {levels: sometimes}", 0, "This does not say how", "education_level"),
        ("continuum: {baseline: yesterday}", 0, "This is not a baseline.", "first_evidence"),
        ("credits: {f: {parts: [MATH], minimum: high}}", 0, "Say `proficient`, or a level.", ""),
        ("credits: {f: {grid: {column: area, values: [a]}}}", 0, '"area" is not a known column', ""),
        ("framework_digest: abc", 0, "is not the one that this mapping was made for", "framework_digest"),
        ("effective: {from: soon}", 0, "A date such as 2026-08-15 is expected here.", ""),
        ("modified_scales: nowhere.csv", 0, '"nowhere.csv" is not a known table.', ""),
    ],
)
def test_each_fault_has_its_line_and_a_hint(added: str, line: int, message: str, hint: str) -> None:
    error = refused(f"{BASE}{added}\n")
    assert message in error.message
    assert hint in str(error)
    assert error.place is not None
    assert error.place.line == START + line


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("decaying_average", "needs `newest`"),
        ("power_law", "needs `zeros`"),
        ("mode", "needs `tie`"),
        ("mean_of_highest", "needs `count`"),
        ("power_law, zeros: floor", "`zeros: floor` needs `floor`."),
        ("times_at_mastery, count: 2, newest: 1", "has no use for `newest`"),
        ("avrage", "avrage"),
    ],
)
def test_a_method_that_needs_a_parameter_refuses_to_run_without(method: str, message: str) -> None:
    assert message in str(refused(BASE.replace("most_recent", method)))


def test_the_threshold_of_the_scale_is_the_mastery_of_times_at_mastery() -> None:
    mapping = compiled(BASE.replace("most_recent", "times_at_mastery, count: 2"))
    assert mapping.summarizer.summaries.rules[0].parameters.mastery == 3_000_000


def test_all_faults_are_told_at_once() -> None:
    error = refused(f"{BASE}scale: four\nstates: {{mising: count}}\n")
    assert len(error.problems) == 2
    assert [problem.place.line for problem in error.problems if problem.place] == [START, START + 1]


def test_a_circle_in_the_framework_is_named() -> None:
    framework = make_framework(associations=[("precedes", "m7ps", "m7re"), ("precedes", "m7re", "m7ps")])
    assert "circle of precedes" in str(refused(BASE, framework=framework))


@pytest.mark.parametrize(
    ("columns", "message", "line"),
    [
        ({"standard": ["L.1", "L.1"], "competency": ["MATH.7.PS"] * 2}, '"L.1" is mapped to MATH.7.PS twice.', 3),
        ({"standard": ["L.1"], "competency": ["MATH.7.PX"]}, "is no competency of Lakeside", 2),
        ({"standard": ["L.1"], "competency": ["MATH.7.PS"], "weight": ["much"]}, '"much" is not a positive number', 2),
        ({"standard": ["L.1"], "competency": ["MATH.7.PS"], "weight": ["0"]}, '"0" is not a positive number', 2),
        ({"standard": ["L.1"], "comp": ["MATH.7.PS"]}, 'has no column "competency"', 11),
        ({"standrd": ["L.1"], "competency": ["MATH.7.PS"]}, '"standrd" is not a known column', 11),
        ({"competency": ["MATH.7.PS"]}, "has no column to look up", 11),
    ],
)
def test_faults_of_a_crosswalk_are_named_with_their_line(
    columns: dict[str, list[str]], message: str, line: int
) -> None:
    text = BASE.replace("  - codes: standard", "  - crosswalk: local.csv").replace(
        "  - learning_objectives: case\n", ""
    )
    error = refused(text, crosswalks={"local.csv": pl.DataFrame(columns)})
    assert message in error.message
    assert error.place is not None
    assert error.place.line == line


def test_a_crosswalk_line_under_review_without_a_competency_is_passed_over() -> None:
    text = BASE.replace("  - codes: standard", "  - crosswalk: local.csv")
    table = pl.DataFrame({"standard": ["L.1", "L.2"], "competency": ["MATH.7.PS", None]})
    assert compiled(text, crosswalks={"local.csv": table}).name == "lakeside"


def test_a_way_without_a_condition_would_align_everything() -> None:
    text = BASE.replace("  - codes: standard", "  - competency: MATH.7.PS")
    assert "would align every result" in str(refused(text))


def test_a_mapping_with_several_scales_of_its_own_says_which_is_reported() -> None:
    text = BASE.replace("align:", "  other: {marks: {A: 1}}\nalign:")
    assert "on which scale levels are reported" in str(refused(text))


def test_the_digest_covers_the_file_the_tables_and_the_framework() -> None:
    text = BASE.replace("  - codes: standard", "  - crosswalk: local.csv")
    tables = {"local.csv": pl.DataFrame({"standard": ["L.1"], "competency": ["MATH.7.PS"]})}
    other = {"local.csv": pl.DataFrame({"standard": ["L.1"], "competency": ["MATH.7.RE"]})}
    framework = make_framework(associations=[("precedes", "m7ps", "m7re")])
    digests = {
        compiled(text, crosswalks=tables).digest,
        compiled(text, crosswalks=other).digest,
        compiled(text.replace("most_recent", "mean"), crosswalks=tables).digest,
        compiled(text, framework, crosswalks=tables).digest,
    }
    assert len(digests) == 4
    assert compiled(text, crosswalks=tables).digest in digests
