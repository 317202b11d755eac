"""Levels of the items above: of which levels they are made, with what weights, and under which conditions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import MappingError
from gateway.core.mapping import CompiledMapping, explain
from tests.core.mapping.conftest import BASE, compiled, everywhere, evidence, make_framework

START = BASE.count("\n") + 1


def rolled(roll_up: str, **scores: Any) -> Any:
    """Level, or state, of MATH; ``scores`` by the end of the code, such as ``PS7``."""
    return shown(everywhere(mapping(roll_up), frame(**scores)).get(("S1", "MATH")))


def mapping(roll_up: str) -> CompiledMapping:
    return compiled(f"{BASE}roll_up:\n  - {{to: [MATH], {roll_up}}}\n")


def frame(**scores: Any) -> Any:
    return evidence([{"standard": f"MATH.{name[2]}.{name[:2]}", "score": score} for name, score in scores.items()])


def shown(found: tuple[Any, str] | None) -> Any:
    return found and (found[1] if found[0] is None else found[0])


@pytest.mark.parametrize(
    ("roll_up", "expected"),
    [
        ("method: mean", Decimal("2.33")),
        ("method: mean, of: children", Decimal("2.33")),
        ("method: median", 2),
        ("method: highest", 4),
        ("method: sum", 7),
        ("method: mode, tie: lowest", 1),
        ("method: most_recent", 4),
        ("method: weighted_mean, weights: {MATH.7.*: 2}", 2),
        ("method: weighted_mean, weights: {MATH.8.PS: 0}", Decimal("1.50")),
        ("method: weighted_mean, shares: {MATH.7.PS: 0.25, MATH.8.PS: 0.75}", Decimal("3.25")),
        ("method: weighted_mean, shares: {MATH.7.PS: 0.25, MATH.8.RE: 0.75}", 1),
        ("method: times_at_mastery, count: 1", 4),
        ("method: mean, at_least: 4", "insufficient"),
    ],
)
def test_levels_are_rolled_up_by_any_method(roll_up: str, expected: Any) -> None:
    assert rolled(roll_up, PS7=1, RE7=2, PS8=4) == expected


@pytest.mark.parametrize(
    ("roll_up", "expected"),
    [
        ("required: [MATH.7.PS]", 3),
        ("required: [MATH.7.PS, MATH.8.RE]", "insufficient"),
        ("required: \"MATH.7.*\"", 3),
        ("required: \"MATH.*.*\"", "insufficient"),
        ("minimum: 2", 3),
        ("minimum: 2.5", "insufficient"),
        ("required: [MATH.8.PS], minimum: 4", 3),
        ("required: [MATH.7.RE], minimum: 2.5", "insufficient"),
    ],
)  # fmt: skip
def test_a_roll_up_can_require_competencies_and_a_minimum(roll_up: str, expected: Any) -> None:
    assert rolled(f"method: mean, {roll_up}", PS7=3, RE7=2, PS8=4) == expected


def test_what_is_required_of_one_item_is_not_asked_of_another() -> None:
    roll_up = "roll_up:\n  - {to: [MATH, ELA], method: mean, required: [MATH.7.RE], minimum: 3}\n"
    rows = [{"standard": "MATH.7.PS", "score": 4}, {"standard": "ELA.7.R", "score": 1}]
    found = everywhere(compiled(BASE + roll_up), evidence(rows))
    assert (found["S1", "MATH"], found["S1", "ELA"]) == ((None, "insufficient"), (1, "calculated"))


def test_an_explanation_names_what_is_not_met() -> None:
    def unmet(roll_up: str) -> str:
        found = explain(mapping(f"method: mean, {roll_up}"), frame(PS7=3, RE7=2), "S1", competency="MATH")
        assert found.as_dict()["levels"][0]["unmet"] in found.text()
        return str(found.as_dict()["levels"][0]["unmet"])

    assert unmet("required: [MATH.8.RE]") == "MATH.8.RE is required and has no level"
    assert unmet("minimum: 2.5") == "MATH.7.RE is 2, and at least 2.5 is required"


@settings(max_examples=40, deadline=None)
@given(
    scores=st.dictionaries(st.sampled_from(["PS7", "RE7", "PS8", "RE8"]), st.integers(0, 4), min_size=1),
    required=st.lists(st.sampled_from(["MATH.7.PS", "MATH.7.RE", "MATH.8.RE"]), max_size=2, unique=True),
    minimum=st.sampled_from([None, 1, 3]),
)
def test_conditions_hold_in_every_form(scores: dict[str, int], required: list[str], minimum: int | None) -> None:
    stated = f", required: [{', '.join(required)}]" if required else ""
    stated += f", minimum: {minimum}" if minimum else ""
    levels = {f"MATH.{name[2]}.{name[:2]}": score for name, score in scores.items()}
    asked = required or list(levels)
    met = all(code in levels and levels[code] >= (minimum or 0) for code in asked)
    mean = Decimal(sum(levels.values())) / len(levels)
    expected = mean.quantize(Decimal("0.01"), "ROUND_HALF_UP") if met else "insufficient"
    assert rolled(f"method: mean{stated}", **scores) == expected


LEVELS = [
    ("m", "M", None, "Domain", None), ("m7", "M.7", "m", "Grade", "07"), ("m8", "M.8", "m", "Grade", "08"),
    *((f"m{g}{c}", f"M.{g}.{c}", f"m{g}", "Standard", f"{g:02}") for g in (7, 8) for c in "AB"),
]  # fmt: skip


def test_levels_are_summed_up_per_competency_per_performance_level_and_per_domain() -> None:
    text = (
        "roll_up:\n  - {to: {type: Grade}, of: children, method: mean}\n  - {to: {type: Domain}, of: {type: Standard}"
    )
    found = everywhere(
        compiled(f"{BASE}{text}, method: mean}}\n", make_framework(LEVELS)),
        evidence([{"standard": f"M.{each}", "score": n} for n, each in enumerate(("7.A", "7.B", "8.A"), start=1)]),
    )
    assert {code: level for (_, code), (level, _) in found.items()} == {
        "M": 2, "M.7": Decimal("1.5"), "M.7.A": 1, "M.7.B": 2, "M.8": 3, "M.8.A": 3,
    }  # fmt: skip


HABITS = BASE.replace(
    "summarize:", "summarize:\n  HOW: {method: most_recent, scale: habits}"
).replace("align:", "  habits: {proficient: 2, marks: {good: 3, poor: 1}}\nscale: four-point\nalign:") + (
    "evidence:\n  - {when: {category: Habits}, scale: habits}\n  - {scale: four-point}\n"
)  # fmt: skip
ABOVE = [
    ("top", "ALL", None, "Domain", None),
    ("m", "M.1", "top", "Competency", None),
    ("h", "HOW.1", "top", None, None),
]


def test_habits_are_never_mixed_into_an_academic_level() -> None:
    text = HABITS.replace("HOW:", "HOW.1:") + "roll_up:\n  - {to: [ALL], method: mean}\n"
    rows = [{"standard": "M.1", "score": "4"}, {"standard": "HOW.1", "score": "poor", "category": "Habits"}]
    found = everywhere(compiled(text, make_framework(ABOVE)), evidence(rows))  # type: ignore[arg-type]
    assert found["S1", "ALL"] == (4, "calculated")
    assert found["S1", "HOW.1"] == (1, "calculated")


def test_academic_evidence_says_nothing_of_a_habit_and_the_reverse() -> None:
    rows = [{"standard": "HOW.1", "score": "4"}, {"standard": "MATH.7.PS", "score": "good", "category": "Habits"}]
    mapped = compiled(HABITS).apply(evidence(rows))
    assert mapped.levels.is_empty()
    assert dict(mapped.set_aside) == {"the competency is on another scale": 2}


@pytest.mark.parametrize(
    ("roll_up", "code", "said"),
    [
        ("method: mean, weights: {MATH.7.PS: 2}", "parameter", "mean has no use for `weights`."),
        ("method: weighted_mean, shares: {MATH.7.PS: 0.5, MATH.7.RE: 0.4}", "weights",
         "The shares of MATH add up to 0.9, not to 1."),
        ("method: weighted_mean, shares: {MATH.7.PS: 1}, weights: {MATH.7.PS: 1}", "weights", "Keep one"),
        ("method: mean, required: [ELA.7.R]", "roll-up", "ELA.7.R is required, but not among"),
        ("method: mean, required: [MATH.9]", "unknown-competency", '"MATH.9" is no competency'),
        ("method: mean, minimum: 5", "level-beyond-scale", 'The level 5 is beyond the scale "four-point" (0 to 4)'),
        ("method: mean, of: nephews", "roll-up", "Say `descendants`"),
    ],
)  # fmt: skip
def test_a_faulty_roll_up_is_refused_with_its_line(roll_up: str, code: str, said: str) -> None:
    with pytest.raises(MappingError) as refused:
        mapping(roll_up)
    assert said in str(refused.value)
    assert refused.value.code == f"mapping.{code}"
    assert refused.value.place is not None
    assert refused.value.place.line == START + 1


def test_a_sum_never_adds_habits_to_academics() -> None:
    text = HABITS.replace("HOW:", "HOW.1:") + "roll_up:\n  - {to: [ALL], method: sum}\n"
    with pytest.raises(MappingError, match=r"The sum for ALL mixes levels of the scales four-point, habits\."):
        compiled(text, make_framework(ABOVE))  # type: ignore[arg-type]
