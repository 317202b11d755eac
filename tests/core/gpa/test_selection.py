"""NCAA selections against exhaustive search, and the columns against the one-by-one solver."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.core.gpa import selection
from gateway.core.gpa.compute import compute_gpa
from gateway.core.gpa.policy import Policy
from gateway.core.gpa.selection_exact import Item, best_selection
from gateway.core.gpa.selection_plan import Plan, make_plan, pack, unpack
from tests.core.gpa.builders import HEAD, TODAY, compute, only, policy_of, problem, shipped, transcript

SMALL = """
select:
  units: {at_least: 4, below: 5}
  requirements:
    - {subjects: [english], units: 1}
    - {subjects: [mathematics], units: 1}
    - {subjects: [english, mathematics], units: 0.5, extra: true}
    - {subjects: [social_science], units: 0.5}
    - {subjects: [english, mathematics, social_science, world_language], units: 1, extra: true}
  locked_in:
    units: 2
    of_these: {subjects: [english, mathematics], units: 1}
    before: seventh_semester
    last_grade_level: 11
    binds: BINDS
"""


def small(binds: str) -> Policy:
    return policy_of(HEAD.replace("mean", "selection"), "credit: {basis: earned}\n", SMALL.replace("BINDS", binds))


PLANS = {binds: make_plan(small(binds).selection) for binds in ("repeats", "selection")}  # type: ignore[arg-type]


@dataclass(frozen=True)
class Found:
    """A selection as the search by hand finds it."""

    ratio: Fraction
    units: int


def search(plan: Plan, items: Sequence[Item]) -> Found | None:
    """Try every set of attempts. Written from the rules alone, for the small policy above."""
    groups: dict[object, list[Item]] = {}
    for item in items:
        groups.setdefault(item.attempts if item.attempts is not None else ("alone", item.row), []).append(item)
    ways = list(itertools.product(*groups.values()))
    locked: list[Found] = []
    for kept in ways:
        on_record = enough_early(kept)
        if on_record or plan.binds:
            locked += [found for chosen in subsets(kept) if (found := valued(chosen))
                       and (not plan.binds or enough_early(chosen))]  # fmt: skip
    kept = [item for item in items if item.best]
    free = [found for chosen in subsets(kept) if (found := valued(chosen))]
    pool = locked or free
    return max(pool, key=lambda found: (found.ratio, -found.units)) if pool else None


def subsets(items: Sequence[Item]) -> Iterator[tuple[Item, ...]]:
    return (chosen for size in range(len(items) + 1) for chosen in itertools.combinations(items, size))


CELLS = {word[0]: cell for word, cell in PLANS["repeats"].cell_of.items()}
ENGLISH, MATH, SOCIAL = CELLS["e"], CELLS["m"], CELLS["s"]


def enough_early(items: Sequence[Item]) -> bool:
    early = [item for item in items if item.early]
    return sum(i.units for i in early) >= 200 and sum(i.units for i in early if i.cell in (ENGLISH, MATH)) >= 100


def valued(chosen: Sequence[Item]) -> Found | None:
    total = sum(item.units for item in chosen)
    if not 400 <= total < 500:
        return None
    english, math, social = (sum(i.units for i in chosen if i.cell == cell) for cell in (ENGLISH, MATH, SOCIAL))
    if english < 100 or math < 100 or english + math < 250 or social < 50:
        return None
    return Found(Fraction(sum(i.points * i.units for i in chosen), total), total)


@st.composite
def attempts(draw: st.DrawFn, sizes: Sequence[int]) -> list[Item]:
    items: list[Item] = []
    for group in range(draw(st.integers(3, 8))):
        cell = draw(st.integers(0, 3))
        units = draw(st.sampled_from(sizes))
        points = draw(st.integers(1, 5))
        if draw(st.integers(0, 4)) == 0:
            items.append(Item(len(items), cell, units, max(points - 1, 1), True, group, False))
            items.append(Item(len(items), cell, units, points, False, group, True))
        else:
            items.append(Item(len(items), cell, units, points, draw(st.booleans()), None, True))
    return items


@pytest.mark.parametrize("binds", ["repeats", "selection"])
@pytest.mark.parametrize("sizes", [[50, 100], [34, 68, 102], [25, 50, 100], [34, 50, 100], [33, 47, 60]])
def test_no_selection_beats_the_one_that_is_found(binds: str, sizes: list[int]) -> None:
    plan = PLANS[binds]

    @settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.generate))
    @given(attempts(sizes))
    def check(items: list[Item]) -> None:
        found, wanted = best_selection(plan, items), search(plan, items)
        assert (found is None) == (wanted is None)
        if found is not None and wanted is not None:
            assert Fraction(found.totals.quality, found.units) == wanted.ratio
            assert found.units == wanted.units
            chosen = [item for item in items if item.row in found.rows]
            assert sum(item.points * item.units for item in chosen) == found.totals.quality
            assert len({item.attempts or -item.row - 1 for item in chosen}) == len(chosen) == found.totals.courses

    check()


@pytest.mark.parametrize("binds", ["repeats", "selection"])
def test_another_course_never_lowers_the_best_selection(binds: str) -> None:
    plan = PLANS[binds]

    @settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.generate))
    @given(attempts([50, 100]), st.integers(0, 3), st.integers(1, 4))
    def check(items: list[Item], cell: int, points: int) -> None:
        less = best_selection(plan, items)
        more = best_selection(plan, [*items, Item(len(items), cell, 50, points, True)])
        if less is not None and less.locked_met:
            assert more is not None
            assert Fraction(more.totals.quality, more.units) >= Fraction(less.totals.quality, less.units)

    check()


def random_transcripts(seed: int, students: int, sizes: Sequence[str]) -> pl.DataFrame:
    """Transcripts of 40 courses, with some repeats, failures and courses that are not core."""
    chance = random.Random(seed)
    rows = []
    for student in range(students):
        mine = chance.choice(sizes).split()
        for number in range(40):
            level = 9 + number // 10
            area = chance.choice(["ENG", "MATH", "SCI", "SOC", "LANG"])
            repeat = number > 8 and chance.random() < 0.08
            rows.append({
                "student_id": f"s{student:03}", "course_code": f"{area}{number - 7 if repeat else number}",
                "subject": area, "level": chance.choice(["AP", "honors", "regular"]), "title": "AP course",
                "credit": chance.choice(mine), "grade": chance.choice("AABBBCCCDF"), "school_year": 2021 + number // 10,
                "term": "S1", "grade_level": level, "core": "yes" if chance.random() < 0.9 else "no",
            })  # fmt: skip
    return transcript(rows)


@pytest.mark.parametrize("name", ["ncaa-d1", "ncaa-d2"])
@pytest.mark.parametrize("sizes", [["0.5", "0.5 1"], ["0.25 0.5 1", "0.34"], ["0.34 0.5", "0.5"]])
def test_columns_find_what_one_by_one_finds(name: str, sizes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    courses = random_transcripts(7, 25, sizes)
    one_by_one = compute_gpa(shipped(name), courses, as_of=TODAY)
    monkeypatch.setattr(selection, "FEW", 0)
    in_columns = compute_gpa(shipped(name), courses, as_of=TODAY)
    assert in_columns.gpas.equals(one_by_one.gpas)
    assert (one_by_one.gpas["state"] == "computed").any()


def test_the_strict_lock_in_columns_finds_what_one_by_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = small("selection")
    courses = random_transcripts(3, 40, ["0.5 1", "0.25 0.5"])
    one_by_one = compute_gpa(policy, courses.head(800), as_of=TODAY)
    monkeypatch.setattr(selection, "FEW", 0)
    assert compute_gpa(policy, courses.head(800), as_of=TODAY).gpas.equals(one_by_one.gpas)


def test_the_trace_of_a_selection_has_exactly_its_units() -> None:
    courses = random_transcripts(11, 6, ["0.5 1"])
    result = compute_gpa(shipped("ncaa-d1"), courses, as_of=TODAY, trace=True)
    assert result.trace is not None
    used = result.trace.filter("used").group_by("student_id").agg(pl.col("units").sum(), pl.len()).sort("student_id")
    assert used["units"].to_list() == result.gpas["credits"].to_list()
    assert used["len"].to_list() == result.gpas["courses_used"].to_list()


def test_a_repeat_after_the_lock_cannot_replace_an_attempt_that_is_needed() -> None:
    """Exactly ten early units, seven of them English, math and science: the early C stays, the late A is not taken."""
    rows = [
        {"course_code": f"{area}{n}", "subject": area, "grade": "B", "core": "yes",
         "grade_level": 12 if (area, n) in late else 10, "school_year": 2025 if (area, n) in late else 2023}
        for area, count in (("ENG", 4), ("MATH", 3), ("SCI", 3), ("SOC", 4), ("LANG", 2))
        for n in range(count)
        for late in [{("ENG", 3), ("MATH", 2), ("SCI", 2), ("SOC", 3), ("SOC", 2), ("LANG", 1)}]
    ]  # fmt: skip
    rows[0]["grade"] = "C"
    policy = shipped("ncaa-d1")
    assert only(compute(policy, rows))["quality_points"] == 47
    again = {"course_code": "X", "repeat_of": "ENG0", "subject": "ENG", "grade": "A", "core": "yes"}
    late = only(compute(policy, [*rows, {**again, "grade_level": 12, "school_year": 2025}]))
    assert (late["quality_points"], late["standing"]) == (47, "qualifier")
    in_time = only(compute(policy, [*rows, {**again, "grade_level": 11, "school_year": 2024}]))
    assert (in_time["quality_points"], in_time["standing"]) == (49, "qualifier")


def test_dates_decide_before_grade_levels_what_is_early() -> None:
    rows = [
        {"course_code": f"{area}{n}", "subject": area, "grade": "B", "core": "yes", "grade_level": 12,
         "completed_on": "2024-06-01"}
        for area, count in (("ENG", 4), ("MATH", 3), ("SCI", 3), ("SOC", 2), ("LANG", 4))
        for n in range(count)
    ]  # fmt: skip
    policy = shipped("ncaa-d1")
    assert only(compute(policy, rows))["standing"] == "academic redshirt"
    students = pl.DataFrame({"student_id": ["s"], "seventh_semester_on": ["2024-08-15"]})
    assert only(compute(policy, rows, students=students))["standing"] == "qualifier"


def test_before_the_seventh_semester_the_lock_is_not_yet_decided() -> None:
    rows = [
        {"course_code": f"{area}{n}", "subject": area, "grade": "B", "core": "yes", "completed_on": "2027-06-01"}
        for area, count in (("ENG", 4), ("MATH", 3), ("SCI", 3), ("SOC", 2), ("LANG", 4))
        for n in range(count)
    ]
    students = pl.DataFrame({"student_id": ["s"], "seventh_semester_on": ["2026-08-15"]})
    assert only(compute(shipped("ncaa-d1"), rows, students=students))["standing"] == "undetermined"


def test_what_a_selection_needs_and_does_not_find_makes_it_wait() -> None:
    policy = shipped("ncaa-d1")
    row = {"subject": "ENG", "grade": "A", "core": "yes", "grade_level": 9}
    assert problem(policy, [row]) is None
    assert problem(policy, [{**row, "subject": "Wizardry"}]) == "subject-unknown"
    assert problem(policy, [{**row, "credit": "0.333"}]) == "credit-too-fine"
    assert problem(policy, [{**row, "grade_level": None}]) == "grade-level-missing"
    assert problem(policy, [{**row, "core": "perhaps"}]) == "flag-unreadable"
    assert problem(policy, [{key: value for key, value in row.items() if key != "core"}]) == "column-missing"


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 100), st.integers(0, 100)), max_size=16))
def test_packed_numbers_add_up(parts: list[tuple[int, int, int]]) -> None:
    totals = unpack(sum(pack(*part) for part in parts))
    sums = tuple(sum(part[n] for part in parts) for n in range(3))
    found = (totals.quality, totals.early_subject_units, totals.early_units)
    assert found == sums
    assert totals.courses == len(parts)
