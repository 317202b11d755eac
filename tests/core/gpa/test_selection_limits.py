"""What a selection may not take: more than a course can count, more than one unit after graduation, or for ever."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.core.gpa import selection
from gateway.core.gpa.selection_exact import Item, TooHardError, best_selection
from gateway.core.gpa.selection_plan import make_plan
from tests.core.gpa.builders import compute, only, shipped
from tests.core.gpa.test_selection import PLANS, attempts, search, subsets, valued

OPEN = replace(PLANS["repeats"], after_units=100, early_units=0, early_subject_units=0)
FULL = (("ENG", 4), ("MATH", 3), ("SCI", 3), ("SOC", 2), ("LANG", 4))


def sixteen(**changed: Any) -> list[dict[str, Any]]:
    """Sixteen core units with a B each."""
    return [
        {"course_code": f"{area}{n}", "subject": area, "grade": "B", "core": "yes", "grade_level": 10,
         "school_year": 2022, **changed}
        for area, count in FULL
        for n in range(count)
    ]  # fmt: skip


@settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(attempts([34, 50, 100]), st.sets(st.integers(0, 9)))
def test_one_unit_after_graduation_is_chosen_as_well_as_a_search_through_all_sets(
    items: list[Item], after: set[int]
) -> None:
    alone = [replace(i, after=i.row in after, early=False) for i in items if i.best and i.attempts is None]
    allowed = [chosen for chosen in subsets(alone) if sum(item.units for item in chosen if item.after) <= 100]
    ratios = [found.ratio for chosen in allowed if (found := valued(chosen))]
    best = best_selection(OPEN, alone)
    assert (best is None) == (not ratios)
    if best is not None:
        assert Fraction(best.totals.quality, best.units) == max(ratios)
        assert sum(item.units for item in alone if item.after and item.row in best.rows) <= 100


@pytest.mark.parametrize("binds", ["repeats", "selection"])
def test_many_repeats_of_odd_sizes_are_solved_as_a_search_through_all_sets_does(binds: str) -> None:
    plan = PLANS[binds]
    chance = random.Random(5)
    for _ in range(40):
        items: list[Item] = []
        for group in range(4):
            cell, units, points = group % 3, chance.choice([34, 50, 67, 100]), chance.randint(1, 4)
            items.append(Item(len(items), cell, units, points, True, group, False))
            items.append(Item(len(items), cell, units, points + 1, False, group, True))
        items += [Item(len(items) + n, n, chance.choice([50, 100]), chance.randint(1, 4), n == 0) for n in range(4)]
        found, wanted = best_selection(plan, items), search(plan, items)
        assert (found is None) == (wanted is None)
        if found is not None and wanted is not None:
            assert (Fraction(found.totals.quality, found.units), found.units) == (wanted.ratio, wanted.units)


def test_whoever_would_take_minutes_waits_for_a_person() -> None:
    plan = make_plan(shipped("ncaa-d1").selection)  # type: ignore[arg-type]
    chance = random.Random(1)
    items: list[Item] = []
    for group in range(40):
        cell, units = chance.randint(0, 4), chance.randint(10, 100)
        items.append(Item(len(items), cell, units, 1, True, group, False))
        items.append(Item(len(items), cell, chance.randint(10, 100), chance.randint(2, 4), False, group, True))
    with pytest.raises(TooHardError):
        best_selection(plan, items)


@pytest.mark.parametrize("few", [0, 30])
def test_of_courses_after_graduation_one_unit_counts(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "FEW", few)
    policy = shipped("ncaa-d1")
    more = [{"course_code": f"PG{n}", "subject": "ENG", "grade": "A", "core": "yes", "credit": "0.5",
             "school_year": 2026} for n in range(4)]  # fmt: skip
    before = sixteen()
    assert only(compute(policy, before, trace=False))["quality_points"] == 48
    by_level = [{**row, "grade_level": 13} for row in more]
    row = only(compute(policy, [*before, *by_level], trace=False))
    assert (row["quality_points"], row["credits"]) == (49, 16)
    dated = [{**row, "completed_on": "2026-01-10"} for row in more]
    students = pl.DataFrame({"student_id": ["s"], "graduated_on": ["2025-06-10"]})
    graded = [{**row, "grade_level": 12} for row in dated]
    assert only(compute(policy, [*before, *graded], trace=False))["quality_points"] == 50
    assert only(compute(policy, [*before, *graded], students=students, trace=False))["quality_points"] == 49
    late = [{**row, "completed_on": "2026-09-10"} for row in graded]
    result = compute(policy, [*before, *late], students=students)
    assert only(result)["quality_points"] == 48
    assert result.trace is not None
    told = result.trace.filter(pl.col("course_code") == "PG0").select("why", "clause").row(0)
    assert told == ("too long after graduation", "select.after_graduation")


def test_a_course_taken_again_too_late_does_not_replace_the_one_before() -> None:
    policy = shipped("ncaa-d1")
    students = pl.DataFrame({"student_id": ["s"], "graduated_on": ["2025-06-10"]})
    again = {"course_code": "X", "repeat_of": "ENG0", "subject": "ENG", "grade": "A", "core": "yes",
             "grade_level": 12, "school_year": 2027, "completed_on": "2027-01-10"}  # fmt: skip
    row = only(compute(policy, [*sixteen(), again], students=students))
    assert (row["quality_points"], row["state"]) == (48, "computed")
    soon = {**again, "completed_on": "2026-01-10", "school_year": 2026}
    assert only(compute(policy, [*sixteen(), soon], students=students))["quality_points"] == 49


def test_where_two_repeats_after_graduation_do_not_both_fit_the_other_course_stays() -> None:
    policy = shipped("ncaa-d1")
    again = [
        {"course_code": f"X{n}", "repeat_of": f"ENG{n}", "subject": "ENG", "grade": "A", "core": "yes",
         "grade_level": 13, "school_year": 2026}
        for n in range(2)
    ]  # fmt: skip
    rows = sixteen(grade_level=12)
    row = only(compute(policy, [*rows, *again]))
    assert (row["quality_points"], row["credits"]) == (49, 16)


@pytest.mark.parametrize(
    ("grades", "points", "credits"), [("AAA", "4", "1"), ("ABC", "3.02", "1"), ("AA", "2.72", "0.68")]
)
def test_the_parts_of_one_course_count_one_unit_at_most(grades: str, points: str, credits: str) -> None:
    rows = [
        {"course_code": "ENG9", "subject": "ENG", "grade": grade, "core": "yes", "credit": "0.34", "grade_level": 9,
         "school_year": 2023, "term": f"T{n}"}
        for n, grade in enumerate(grades)
    ]  # fmt: skip
    result = compute(shipped("ncaa-d1"), rows)
    row = only(result)
    assert (row["quality_points"], row["credits"]) == (Decimal(points), Decimal(credits))
    assert row["credits_earned"] == row["credits"]
    other = {**rows[0], "school_year": 2024, "course_code": "ENG10"}
    assert only(compute(shipped("ncaa-d1"), [*rows, other]))["credits"] == row["credits"] + Decimal("0.34")


def test_a_part_for_which_there_is_no_room_is_set_aside() -> None:
    rows = [{"course_code": "ENG9", "subject": "ENG", "grade": grade, "core": "yes", "credit": "0.5", "grade_level": 9,
             "school_year": 2023, "term": term} for grade, term in (("C", "S1"), ("B", "S2"), ("A", "SU"))]  # fmt: skip
    result = compute(shipped("ncaa-d1"), rows)
    assert only(result)["quality_points"] == Decimal("3.5")
    assert result.trace is not None
    assert result.trace.filter(~pl.col("used"))["why"].to_list() == ["the course counts in full without it"]
