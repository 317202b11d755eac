"""From a result to competencies: across frameworks, by tables with gaps, by several codes of one result."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from gateway.core.errors import MappingError
from gateway.core.framework import Framework
from gateway.core.mapping import CompiledMapping
from tests.core.mapping.conftest import BASE, compiled, everywhere, evidence, make_framework

HEAD, TAIL = BASE.split("align:")
TAIL = "summarize:" + TAIL.split("summarize:")[1]


def aligned(ways: str, table: dict[str, list[Any]] | None = None, **more: Any) -> CompiledMapping:
    tables = {"local.csv": pl.DataFrame(table)} if table else {}
    return compiled(f"{HEAD}align:\n{ways}\n{TAIL}", crosswalks=tables, **more)


def found(mapping: CompiledMapping, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {code: level for (_, code), (level, _) in everywhere(mapping, evidence(rows)).items()}


def standards(id: str, *edges: tuple[str, str, str]) -> Framework:
    items = [(f"{id}{n}", f"{id.upper()}.{n}", None, "Standard", None) for n in (1, 2)]
    return make_framework(items, list(edges), id=id, title=id)


ACROSS = "  - {associations: {from: state, types: [exactMatchOf, isRelatedTo], depth: %d, direction: %s}}"


@pytest.mark.parametrize("told_by", ["state", "nation", "own"])
@pytest.mark.parametrize(
    ("depth", "direction", "expected"),
    [(1, "forward", {}), (2, "forward", {"MATH.7.PS": 3}), (2, "backward", {}), (2, "both", {"MATH.7.PS": 3})],
)
def test_a_way_may_lead_over_several_frameworks_whoever_tells_its_steps(
    depth: int, direction: str, expected: dict[str, int], told_by: str
) -> None:
    first, second = ("exactMatchOf", "state1", "nation1"), ("isRelatedTo", "nation1", "m7ps")
    others = {
        "state": standards("state", first, *([second] if told_by == "state" else [])),
        "nation": standards("nation", *([second] if told_by == "nation" else [])),
    }
    own = make_framework(associations=[second] if told_by == "own" else [])
    text = f"{HEAD}align:\n{ACROSS % (depth, direction)}\n{TAIL}other_frameworks: {{state: s.json, nation: n.json}}\n"
    mapping = compiled(text, own, other_frameworks=others)
    assert found(mapping, [{"standard": "STATE.1", "score": 3}]) == expected


def test_an_identifier_that_only_an_association_knows_is_followed() -> None:
    own = make_framework(associations=[("exactMatchOf", "m7ps", "elsewhere-9")])
    text = f"{HEAD}align:\n{ACROSS % (1, 'both')}\n{TAIL}other_frameworks: {{state: s.json}}\n"
    mapping = compiled(text, own, other_frameworks={"state": standards("state")})
    assert found(mapping, [{"competency": "urn:uuid:ELSEWHERE-9", "score": 2}]) == {"MATH.7.PS": 2}


def test_the_nearest_competencies_are_meant_and_farther_ones_are_not() -> None:
    edges = [("isRelatedTo", "state1", "m7ps"), ("isRelatedTo", "state1", "state2"), ("isRelatedTo", "state2", "m8ps")]
    text = f"{HEAD}align:\n{ACROSS % (3, 'forward')}\n{TAIL}other_frameworks: {{state: s.json}}\n"
    mapping = compiled(text, other_frameworks={"state": standards("state", *edges)})
    assert found(mapping, [{"standard": "STATE.1", "score": 3}]) == {"MATH.7.PS": 3}


def test_a_line_of_a_crosswalk_that_names_no_code_is_refused() -> None:
    with pytest.raises(MappingError, match=r"local\.csv:3: MATH\.7\.RE is mapped from nothing"):
        aligned("  - crosswalk: local.csv", {"standard": ["L.1", None], "competency": ["MATH.7.PS", "MATH.7.RE"]})


def test_a_pattern_never_takes_a_result_without_a_code() -> None:
    mapping = aligned("  - crosswalk: local.csv", {"standard": ["*"], "competency": ["MATH.7.PS"]})
    assert found(mapping, [{"standard": None, "score": 3}]) == {}
    assert found(mapping, [{"standard": "any", "score": 3}]) == {"MATH.7.PS": 3}


def test_one_of_several_codes_of_a_line_may_be_empty() -> None:
    table = {"course_code": ["M7", "M7"], "standard": ["1", None], "competency": ["MATH.7.PS", "MATH.7.RE"]}
    mapping = aligned("  - crosswalk: local.csv", table)
    rows = [{"course_code": "M7", "standard": code, "score": score} for code, score in (("1", 3), (None, 2))]
    assert found(mapping, rows) == {"MATH.7.PS": 3, "MATH.7.RE": 2}


WEIGHED = BASE.replace("most_recent", "weighted_mean").replace("  - codes: standard", "  - crosswalk: local.csv")


@pytest.mark.parametrize("weights", [["0.5", "2"], ["2", "0.5"]])
def test_a_result_that_two_codes_lead_to_a_competency_counts_once_with_the_greater_weight(weights: list[str]) -> None:
    table = pl.DataFrame({"standard": ["L.1", "L.2"], "competency": ["MATH.7.PS"] * 2, "weight": weights})
    rows = [{"standard": code, "score": 4, "result_id": "r", "scored_at": "2026-09-01"} for code in ("L.1", "L.2")]
    rows += [{"standard": "MATH.7.PS", "competency": "m7ps", "score": 1, "result_id": "s", "scored_at": "2026-09-02"}]
    mapping = compiled(WEIGHED, crosswalks={"local.csv": table})
    assert found(mapping, rows) == {"MATH.7.PS": Decimal("3.00")}  # (4 · 2 + 1) / 3
    assert mapping.apply(evidence(rows)).set_aside == {"the same result already counts": 1}


def test_one_result_counts_for_several_competencies_with_a_weight_for_each() -> None:
    table = {"standard": ["L.1", "L.1"], "competency": ["MATH.7.PS", "MATH.7.RE"], "weight": ["3", "1"]}
    text = WEIGHED.replace("  - crosswalk", "  - codes: standard\n  - crosswalk")
    rows = [{"standard": code, "score": score} for code, score in (("L.1", 4), ("MATH.7.PS", 0), ("MATH.7.RE", 0))]
    mapping = compiled(text, crosswalks={"local.csv": pl.DataFrame(table)})
    assert found(mapping, rows) == {"MATH.7.PS": 3, "MATH.7.RE": 2}


def test_a_way_can_weigh_all_that_it_finds() -> None:
    table = {"standard": ["L.1"], "competency": ["MATH.7.PS"], "weight": ["1.5"]}
    ways = "  - {crosswalk: local.csv, weight: 2}\n  - codes: standard"
    text = f"{HEAD}align:\n{ways}\n{TAIL}".replace("most_recent", "weighted_mean")
    mapping = compiled(text, crosswalks={"local.csv": pl.DataFrame(table)})
    rows = [{"standard": "L.1", "score": 4}, {"standard": "MATH.7.PS", "score": 0}]
    assert found(mapping, rows) == {"MATH.7.PS": 3}


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("{when: {category: A}, competencies: {ELA.7.R: 2}, weight: 2}", "`competencies` has no use for `weight`."),
        ("{codes: standard, from: standard}", "`codes` has no use for `from`."),
    ],
)
def test_a_word_that_a_way_does_not_know_is_refused(way: str, said: str) -> None:
    with pytest.raises(MappingError, match=said):
        aligned(f"  - {way}")


def test_conflicting_ways_are_settled_by_their_order() -> None:
    table = {"standard": ["MATH.7.PS"], "competency": ["ELA.7.R"]}
    row = [{"standard": "MATH.7.PS", "competency": "e8r", "score": 3}]
    ways = ["  - crosswalk: local.csv", "  - codes: standard", "  - learning_objectives: case"]
    for n, expected in enumerate(("ELA.7.R", "MATH.7.PS", "ELA.8.R")):
        assert found(aligned("\n".join(ways[n:] + ways[:n]), table), row) == {expected: 3}
