"""What people decide for single students: levels that they set, and scales that they modify."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from gateway.core.errors import MappingError
from gateway.core.mapping import CompiledMapping, explain
from tests.core.mapping.conftest import BASE, compiled, everywhere, evidence

PS, RE = {"standard": "MATH.7.PS"}, {"standard": "MATH.7.RE"}
BY_HAND = "evidence:\n  - {when: {category: Override}, override: true}\n  - {}\n"
SIGNED = {"category": "Override", "override_by": "A. Lead", "override_reason": "portfolio"}


def table(**columns: list[str | None]) -> dict[str, pl.DataFrame]:
    return {"people.csv": pl.DataFrame(columns)}


def overriding(more: str, competency: str, level: str) -> CompiledMapping:
    given = table(
        student_id=["S1"], competency=[competency], level=[level], by=["A. Lead"], reason=["seen"], on=["2026-09-03"]
    )
    return compiled(f"{BASE}overrides: people.csv\n{more}", crosswalks=given)


ROLL_UP = "roll_up:\n  - {to: [MATH], method: mean}\n"


@pytest.mark.parametrize("more", [ROLL_UP, ROLL_UP.replace("method", "of: children, method")])
def test_a_level_that_a_person_has_set_stands_where_levels_are_rolled_up(more: str) -> None:
    mapping = overriding(more, "MATH", "4")
    frame = evidence([{**PS, "score": 2}, {**RE, "score": 1}])
    assert everywhere(mapping, frame)["S1", "MATH"] == (4, "overridden")
    (level,) = explain(mapping, frame, "S1", competency="MATH").as_dict()["levels"]
    assert (level["override"]["calculated"], level["override"]["by"]) == ("1.5", "A. Lead")


def test_a_level_that_a_person_has_set_is_rolled_up() -> None:
    frame = evidence([{**PS, "score": 2}])
    assert everywhere(overriding(ROLL_UP, "MATH.7.RE", "4"), frame)["S1", "MATH"] == (3, "calculated")


def test_a_level_that_a_person_has_set_is_complete_on_the_continuum_also_without_evidence() -> None:
    mapping = overriding("continuum: {domains: [MATH]}\n", "MATH.7.RE", "3")
    row = mapping.apply(evidence([{**PS, "score": 3}])).continuum.row(0, named=True)
    assert (row["complete"], row["performance_level"]) == ("MATH.7.PS; MATH.7.RE", "08")


def test_an_override_does_not_count_before_its_day() -> None:
    frame = evidence([{**PS, "score": 2}])
    mapping = overriding("", "MATH.7.PS", "4")
    assert everywhere(mapping, frame, datetime.date(2026, 9, 2))["S1", "MATH.7.PS"] == (2, "calculated")
    assert everywhere(mapping, frame, datetime.date(2026, 9, 3))["S1", "MATH.7.PS"] == (4, "overridden")


@pytest.mark.parametrize("column", ["override_by", "override_reason"])
@pytest.mark.parametrize("blank", [None, "", "  "])
def test_an_override_without_a_name_or_a_reason_does_not_count(column: str, blank: str | None) -> None:
    rows = [{**PS, "score": 2, "category": "Quiz"}, {**PS, "score": 4, **SIGNED, column: blank}]
    assert everywhere(compiled(BASE + BY_HAND), evidence(rows)) == {("S1", "MATH.7.PS"): (2, "calculated")}


def test_the_newest_of_several_overrides_counts() -> None:
    rows = [{**PS, "score": score, **SIGNED} for score in (4, 1, 3)]
    assert everywhere(compiled(BASE + BY_HAND), evidence(rows)) == {("S1", "MATH.7.PS"): (3, "overridden")}


EASIER = '  easier: {onto: four-point, marks: {"1": 3, M1: 2}}\n'


def modifying(more: str = "", scales: str = EASIER, competency: str | None = "MATH.7.PS") -> CompiledMapping:
    given = table(student_id=["S1"], competency=[competency], scale=["easier"], by=["A. Lead"], reason=["plan"])
    text = BASE.replace("align:", f"{scales}align:") + "modified_scales: people.csv\n"
    return compiled(text + (more or "evidence: [{scale: four-point}]\n"), crosswalks=given)


def test_a_modified_scale_for_all_that_a_student_does_needs_no_competency() -> None:
    frame = evidence([{**each, "score": 1, "student_id": who} for each in (PS, RE) for who in ("S1", "S2")])
    assert everywhere(modifying(competency=None), frame) == {
        ("S1", "MATH.7.PS"): (3, "modified"), ("S1", "MATH.7.RE"): (3, "modified"),
        ("S2", "MATH.7.PS"): (1, "calculated"), ("S2", "MATH.7.RE"): (1, "calculated"),
    }  # fmt: skip


def test_a_result_of_weight_0_does_not_count_on_a_modified_scale_either() -> None:
    rules = "evidence:\n  - {when: {category: Practice}, scale: four-point, weight: 0}\n  - {scale: four-point}\n"
    rows = [{**PS, "score": "1", "category": "Test"}, {**PS, "score": "M1", "category": "Practice"}]
    assert everywhere(modifying(rules), evidence(rows)) == {("S1", "MATH.7.PS"): (3, "modified")}


def test_what_a_modified_scale_cannot_read_is_reported_with_its_name() -> None:
    rows = [{**PS, "score": "4", "student_id": student} for student in ("S1", "S2")]
    rows += [{**PS, "score": "X", "student_id": "S2"}]
    unmatched = modifying().apply(evidence(rows)).unmatched
    assert unmatched.select("column", "value", "reason", "rows").rows() == [
        ("easier", "4", "the scale has no such mark", 1),
        ("four-point", "X", "the scale has no such mark", 1),
    ]


def test_parts_that_a_modified_scale_reads_keep_their_own_level() -> None:
    scales = EASIER + "  parts: {onto: four-point, numeric: {from: 0, to: 4}, rescale: true}\n"
    mapping = modifying("evidence: [{scale: parts, pool: line_item_id}]\n", scales)
    rows = [
        {**PS, "score": score, "max_score": 4, "line_item_id": "quiz", "student_id": student}
        for student in ("S1", "S2") for score in (1, 3)
    ]  # fmt: skip
    found = everywhere(mapping, evidence(rows))
    assert found == {("S1", "MATH.7.PS"): (3, "modified"), ("S2", "MATH.7.PS"): (2, "calculated")}


def test_a_scale_named_for_a_student_is_flagged_even_if_it_is_the_usual_one() -> None:
    given = table(student_id=["S1"], competency=[None], scale=["four-point"], by=["A. Lead"], reason=["plan"])
    mapping = compiled(BASE + "modified_scales: people.csv\n", crosswalks=given)
    assert everywhere(mapping, evidence([{**PS, "score": 2}])) == {("S1", "MATH.7.PS"): (2, "modified")}


def test_no_line_of_a_person_counts_without_name_and_reason() -> None:
    given: dict[str, Any] = {"student_id": "S1", "competency": "MATH.7.PS", "level": "4", "on": "2026-09-03"}
    for by, reason in ((None, "seen"), ("A. Lead", None)):
        frame = pl.DataFrame([{**given, "by": by, "reason": reason}])
        with pytest.raises(Exception, match=r"people\.csv:2: There is no (by|reason)"):
            compiled(f"{BASE}overrides: people.csv\n", crosswalks={"people.csv": frame})


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ("5", 'The level 5 is beyond the scale "four-point" (0 to 4). Correct it.'),
        ("3.999", "The level 3.999 would be rounded to 2 places, half up. Write a level that is published."),
        ("good", '"good" is not a level. Write a number such as 3.5.'),
    ],
)
def test_a_level_that_the_competency_cannot_have_is_refused_with_its_line(level: str, message: str) -> None:
    with pytest.raises(MappingError) as refused:
        overriding("", "MATH.7.PS", level)
    assert str(refused.value) == f"people.csv:2: {message}"


def test_a_level_that_a_result_sets_is_rounded_like_all_others() -> None:
    text = BASE.replace("step: 0.5", "step: 0.25").replace("most_recent", "mean, round: {step: 0.5}")
    rows = [{**PS, "score": Decimal("3.25"), **SIGNED}]
    assert everywhere(compiled(text + BY_HAND), evidence(rows)) == {("S1", "MATH.7.PS"): (Decimal("3.5"), "overridden")}
