"""What is wrong with a mapping is named when the file is checked, with its place and what to do."""

from __future__ import annotations

import polars as pl
import pytest

from gateway.core.errors import MappingError
from tests.core.mapping.conftest import BASE, compiled, everywhere, evidence, make_framework

START = BASE.count("\n") + 1
NUMERIC = "numeric: {from: 0, to: 4, step: 0.5}"


def refused(text: str, **more: object) -> MappingError:
    with pytest.raises(MappingError) as caught:
        compiled(text, **more)
    return caught.value


@pytest.mark.parametrize(
    ("scale", "code", "said"),
    [
        ("numeric: {from: 4, to: 0}", "scale", "The scale ends at 0, before it begins. Exchange `from` and `to`."),
        ("numeric: {from: 0, to: 4, step: 0.3}", "scale", "No number of steps of 0.3 leads from 0 to 4."),
        ("marks: {a: 3, A: 4}", "scale", 'The mark "a" stands there 2 times.'),
        ("numeric: {from: 0, to: 4}\n    maximum: 10", "scale", "Nothing is divided by this `maximum`."),
        (f"{NUMERIC}\n    names: {{'5': Beyond}}", "level-beyond-scale", "The level 5 is beyond the scale."),
        ("percent_of_maximum: true\n    bands: [{from: 50, to: 90, level: 4}, {from: 0, to: 49, level: 3}]\n"
         "    round_score: {places: 0}", "bands-gap", "Percents above 90 fall into no band."),
    ],
)  # fmt: skip
def test_a_faulty_scale(scale: str, code: str, said: str) -> None:
    error = refused(BASE.replace(NUMERIC, scale))
    assert said in str(error)
    assert error.code == f"mapping.{code}"
    assert error.place is not None
    assert error.place.source == "lakeside.yaml"
    assert error.place.line is not None
    assert 6 <= error.place.line <= 10


@pytest.mark.parametrize(
    ("added", "code", "said"),
    [
        ("states: {missing: {level: -1}}", "level-beyond-scale", "The level -1 is beyond every scale. Correct it."),
        ("evidence: [{set_aside: practice, weight: 2}]", "evidence", "What is set aside has no use for `weight`."),
        ("continuum: {complete_at: 5}", "level-beyond-scale", 'The level 5 is beyond the scale "four-point" (0 to 4).'),
        ("continuum: {complete_at: often}", "continuum", "Say `proficient`, or a level."),
        ("credits: {f: {parts: [MATH], minimum: 9}}", "level-beyond-scale", "The level 9 is beyond the scale"),
        ("credits: {f: {parts: [MATH], required: {ELA: 2}}}", "credits", '"ELA" is no part of this credit.'),
        ("effective: {from: 2026-08-15, to: 2026-08-01}", "invalid", "The time ends before it begins"),
        ("report_windows: [{from: 2026-08-15, to: 2026-08-01}]", "invalid", "The time ends before it begins"),
    ],
)
def test_a_faulty_word_elsewhere(added: str, code: str, said: str) -> None:
    error = refused(f"{BASE}{added}\n")
    assert said in str(error)
    assert error.code == f"mapping.{code}"
    assert error.place is not None
    assert error.place.line == START


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("times_at_mastery, count: 2, mastery: 5", "The level 5 is beyond the scale"),
        ("power_law, zeros: floor, floor: 9", "The level 9 is beyond the scale"),
        ("decaying_average, newest: 0", "The number must be at least 0.01."),
    ],
)
def test_a_faulty_parameter_of_a_method(method: str, said: str) -> None:
    assert said in str(refused(BASE.replace("most_recent", method)))


@pytest.mark.parametrize(
    ("part", "code"), [("continuum: {domains: [MATH]}", "continuum"), ("credits: {f: {parts: [MATH]}}", "credits")]
)
def test_nobody_is_ever_proficient_on_a_scale_without_a_threshold(part: str, code: str) -> None:
    error = refused(BASE.replace("proficient: 3\n    ", "") + part + "\n")
    assert 'Nothing is ever proficient on the scale "four-point".' in str(error)
    assert error.code == f"mapping.{code}"


def test_a_rubric_and_a_mark_that_contradict_each_other() -> None:
    rubrics = {
        "rubrics": [{"id": "r", "framework_id": "fw", "title": "Steps"}],
        "rubric_criteria": [{"id": "c", "rubric_id": "r", "competency_id": "m7ps"}],
        "rubric_levels": [{"id": "l1", "criterion_id": "c", "quality": "Proficient", "score": 3}],
    }
    text = BASE.replace(NUMERIC, "rubric: Steps\n    marks: {proficient: 4}")
    assert 'The rubric has another level for "proficient".' in str(
        refused(text, framework=make_framework(rubrics=rubrics))
    )


def test_a_state_that_stands_for_a_level_is_set_aside_on_scales_without_that_level() -> None:
    text = BASE.replace("summarize:", "summarize:\n  HOW: {method: mean, scale: habits}").replace(
        "align:", "  habits: {proficient: 2, numeric: {from: 1, to: 3}}\nscale: four-point\nalign:"
    )
    rules = (
        "evidence:\n  - {when: {category: H}, scale: habits}\n  - {scale: four-point}\nstates: {missing: {level: 0}}\n"
    )
    rows = [
        {"standard": code, "missing": True, "category": kind} for code, kind in (("HOW.1", "H"), ("MATH.7.PS", "S"))
    ]
    assert everywhere(compiled(text + rules), evidence(rows)) == {
        ("S1", "HOW.1"): (None, "missing"), ("S1", "MATH.7.PS"): (0, "calculated"),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["precedes", "isChildOf", "isPartOf"])
def test_a_circle_in_the_framework_is_named_with_its_items_and_what_to_do(kind: str) -> None:
    edges = [(kind, "m7ps", "m7re"), (kind, "m7re", "m7ps")]
    error = refused(BASE, framework=make_framework(associations=edges))
    assert error.code == "mapping.framework-cycle"
    assert str(error).startswith("lakeside.yaml:4 (framework): ")
    assert "MATH.7.PS" in error.message
    assert f"Remove one of these {kind} associations" in error.hint


def test_a_framework_that_changed_under_a_mapping_is_refused_until_a_person_has_looked() -> None:
    before, after = make_framework(), make_framework(associations=[("precedes", "m7ps", "m7re")])
    text = f"{BASE}framework_digest: {before.digest}\n"
    assert compiled(text, before).name == "lakeside"
    error = refused(text, framework=after)
    assert (error.code, error.place and error.place.line) == ("mapping.framework-changed", START)
    assert after.digest in error.hint


def test_a_mapping_without_a_usual_summary_is_refused_also_where_levels_are_rolled_up() -> None:
    text = BASE.replace("default:", "MATH:") + "roll_up: [{to: [MATH], method: mean}]\ncontinuum: {}\n"
    assert "There is no `default`." in str(refused(text))


def test_all_lines_of_tables_are_told_at_once_with_what_to_do() -> None:
    table = pl.DataFrame({
        "standard": ["L.1", "l.1 ", None, "L.4"], "competency": ["MATH.7.PS", "math.7.ps", "MATH.7.PS", "MATH.7.PSS"],
        "weight": ["1", "1", "1", "-1"],
    })  # fmt: skip
    error = refused(BASE.replace("  - codes: standard", "  - crosswalk: local.csv"), crosswalks={"local.csv": table})
    assert [(str(each.place), each.code, bool(each.hint)) for each in error.problems] == [
        ("local.csv:3", "mapping.crosswalk-duplicate", True),
        ("local.csv:4", "mapping.crosswalk", True),
        ("local.csv:5", "mapping.unknown-competency", True),
        ("local.csv:5", "mapping.crosswalk", True),
    ]
