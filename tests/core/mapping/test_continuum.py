"""The learner continuum: where each student works in each domain, what is done, what is next, growth and pace."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.core.mapping.conftest import BASE, compiled, evidence, make_framework

ITEMS = [
    ("m", "M", None, "Domain", None),
    *((f"m{g}{c}", f"M.{g}.{c}", "m", "Competency", f"{g:02}") for g in range(6, 10) for c in "ABCD"),
]


def placed(text: str, rows: list[tuple[str, int]], *, dates: bool = False, **more: Any) -> dict[str, Any]:
    """The continuum of a student with (code, score) per day."""
    framework = make_framework(ITEMS, more.pop("associations", []))
    mapping = compiled(f"{BASE}{text}\n", framework)
    frame = evidence([{"standard": code, "score": score, **more.pop("extra", {})} for code, score in rows])
    return mapping.apply(frame, **more).continuum.row(0, named=True)


def all_of(grade: int, score: int = 3) -> list[tuple[str, int]]:
    return [(f"M.{grade}.{c}", score) for c in "ABCD"]


CONTINUUM = "continuum: {domains: top_level}"


def test_a_student_works_at_the_highest_level_with_evidence_with_progress_and_what_comes_next() -> None:
    row = placed(CONTINUUM, [*all_of(7), ("M.8.A", 3), ("M.8.B", 2)])
    assert (row["performance_level"], row["progress"]) == ("08", Decimal("0.25"))
    assert row["complete"] == "M.7.A; M.7.B; M.7.C; M.7.D; M.8.A"
    assert (row["next"], row["gaps"]) == ("M.8.B; M.8.C; M.8.D", "")


def test_gaps_below_the_working_level_are_listed_also_where_there_is_no_evidence() -> None:
    row = placed(CONTINUUM, [("M.6.A", 3), ("M.6.B", 1), ("M.8.A", 3)])
    assert row["performance_level"] == "08"
    assert row["gaps"] == "M.6.B; M.6.C; M.6.D; M.7.A; M.7.B; M.7.C; M.7.D"


def test_a_complete_level_leads_to_the_next_and_the_last_level_stays() -> None:
    assert placed(CONTINUUM, all_of(7))["performance_level"] == "08"
    last = placed(CONTINUUM, all_of(9))
    assert (last["performance_level"], last["progress"], last["next"]) == ("09", Decimal(1), "")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([*all_of(6), *all_of(7), ("M.8.A", 3)], "08"),
        ([*all_of(6), ("M.7.A", 3), *all_of(8)], "07"),
        ([*all_of(6), ("M.8.A", 3)], "07"),
        (all_of(9), "09"),
    ],
)
def test_a_school_can_choose_the_lowest_incomplete_level(rows: list[tuple[str, int]], expected: str) -> None:
    text = "continuum: {work_at: lowest_incomplete}"
    assert placed(text, rows)["performance_level"] == expected


def test_a_level_can_be_complete_with_a_share_of_its_competencies() -> None:
    assert placed("continuum: {complete_share: 0.75}", all_of(7)[:3])["performance_level"] == "08"
    assert placed("continuum: {complete_share: 0.76}", all_of(7)[:3])["performance_level"] == "07"


def test_the_threshold_of_completion_can_be_another_than_proficient() -> None:
    assert placed("continuum: {complete_at: 4}", all_of(7))["performance_level"] == "07"


def test_what_comes_next_waits_for_what_precedes_it() -> None:
    edges = [("precedes", "m7C", "m7A"), ("precedes", "m7B", "m7D")]
    row = placed("continuum: {next: 2}", [("M.7.B", 1)], associations=edges)
    assert row["next"] == "M.7.B; M.7.C"


def test_growth_is_the_way_from_the_baseline_and_pace_is_growth_per_school_year() -> None:
    rows = [*all_of(7), ("M.8.A", 3)]
    row = placed("continuum: {pace: {days: 180}}", rows, as_of=datetime.date(2026, 11, 30))
    assert (row["baseline"], row["growth"]) == (7, Decimal("1.25"))
    assert row["pace"] == Decimal("2.50")  # 1.25 in 90 of 180 days


def test_pace_is_not_told_before_enough_days_have_passed() -> None:
    assert placed(CONTINUUM, [*all_of(7), ("M.8.A", 3)], as_of=datetime.date(2026, 9, 20))["pace"] is None


def test_the_baseline_can_be_where_the_student_worked_on_a_day() -> None:
    text = "continuum: {baseline: {on: 2026-09-02}}"
    row = placed(text, [("M.7.A", 3), ("M.7.B", 3), ("M.7.C", 3), ("M.7.D", 3)])
    assert (row["baseline"], row["growth"]) == (Decimal("7.50"), Decimal("0.50"))


def test_stages_can_be_told_by_code_by_type_or_by_list() -> None:
    for levels in (
        "{code_part: 2}",
        "[{level: six, competencies: M.6.*}, {level: seven, competencies: [M.7.*]}, {level: rest, competencies: M.*}]",
    ):
        row = placed(f"continuum: {{levels: {levels}}}", [*all_of(6), ("M.7.A", 3)])
        assert row["performance_level"] in ("7", "seven")


def test_habits_take_no_part() -> None:
    text = "continuum: {domains: top_level, apart: [M.9.*]}"
    row = placed(text, [*all_of(8), ("M.9.A", 3)])
    assert (row["performance_level"], row["progress"]) == ("08", Decimal(1))


def test_age_grade_stands_beside_the_performance_level() -> None:
    mapping = compiled(f"{BASE}{CONTINUUM}\n", make_framework(ITEMS))
    rows = [{"standard": "M.6.A", "score": 3, "grade": "07"}, {"standard": "M.7.A", "score": 3, "grade": "08"}]
    found = mapping.apply(evidence(rows)).placement.row(0, named=True)
    assert found == {
        "student_id": "S1", "domain": "M", "grade": "08", "performance_level": "07", "lowest": "06", "highest": "07",
        "ahead": Decimal(-1),
    }  # fmt: skip


def test_a_stage_with_more_competencies_than_a_machine_word_has_bits() -> None:
    many = [(f"x{n:03}", f"X.{n:03}", "x", "Competency", "07") for n in range(150)]
    framework = make_framework([("x", "X", None, "Domain", None), *many])
    mapping = compiled(f"{BASE}{CONTINUUM}\n", framework)
    frame = evidence([{"standard": f"X.{n:03}", "score": 3} for n in (0, 61, 62, 149)])
    row = mapping.apply(frame).continuum.row(0, named=True)
    assert (row["complete"], row["progress"]) == ("X.000; X.061; X.062; X.149", Decimal("0.03"))
