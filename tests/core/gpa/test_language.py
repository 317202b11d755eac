"""What the policy language refuses, with the line and a hint; and what it leaves no doubt about."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.core.errors import MappingError
from gateway.core.gpa.compute import compute_gpa
from gateway.core.gpa.policy import Aggregate
from tests.core.gpa.builders import HEAD, LETTERS, ROUND, SHIPPED, compute, gpa, only, policy_of, shipped, transcript

BANDS = """
grades:
  lowest: 0
  highest: 100
  points: {"A": 4, "B": 3, "F": 0}
  bands: [BANDS]
"""


def refusals(*parts: str) -> dict[str, int | None]:
    """The messages of a refused policy with their lines."""
    with pytest.raises(MappingError) as caught:
        policy_of(*parts)
    found = caught.value.problems or [caught.value]
    return {f"{each.message} {each.hint}": each.place.line if each.place else None for each in found}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('weigth: {how: add, levels: {ap: 1}}\n', 'Did you mean "weight"?'),
        ("kind: means\n", ""),
        ('marks: {"P": leave_uot}\n', 'Did you mean "leave_out"?'),
        ('marks: {"A": leave_out}\n', "`points` and in `marks`"),
        ('marks: {"WF": {count_as: "E"}}\n', '"E" is not a known grade'),
        ('marks: {"I": {leave_out_days: 10, then: "F"}}\n', "`leave_out_days`, `days` and `then`"),
        ("status: {vanished: leave_out}\n", "is not a known status"),
        ("weight: {how: multiply, levels: {ap: 1.1}}\n", "`round.points`"),
        ('weight: {how: add, levels: {ap: 1}, only_grades: ["E"]}\n', '"E" is not a known grade'),
        ("weight: {how: add, levels: {ap: 1}, empty_level: regular}\n", "level of this policy"),
        ("weight: {how: add, levels: {ap: 1}, cap: {total: 8}}\n", "semester grades"),
        ("repeats: {same: [term], keep: highest}\n", "`course_code` or `title`"),
        ("standing: [{name: good, gpa_at_least: 3}]\n", "takes all the rest"),
        ("standing: [{name: good}, {name: bad}]\n", "no condition"),
        ("select: {units: {at_least: 16, below: 17}, requirements: []}\n", "needs `select`"),
        ("courses: {only: {colour: red}}\n", '"colour" is not known here'),
        ('examples: [{courses: [], levels: [], expect: {}}]\n', "either `courses` or `levels`"),
    ],
)  # fmt: skip
def test_refused_with_a_line_and_a_hint(text: str, words: str) -> None:
    found = refusals(HEAD.replace("kind: mean\n", ""), text, LETTERS, ROUND) if "kind" in text else refusals(text)
    assert any(words in message for message in found), found
    assert all(found.values())


def test_all_faults_are_told_at_once() -> None:
    found = refusals('marks: {"A": leave_out, "X": {count_as: "Q"}}\nrepeats: {same: [term], keep: highest}\n')
    assert len(found) == 3


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ('{at_least: 90, grade: "A"}, {at_least: 80, grade: "B"}', "gap below 80"),
        ('{from: 90, to: 100, grade: "A"}, {from: 0, to: 89, grade: "F"}', "gap between 89 and 90"),
        ('{from: 90, to: 100, grade: "A"}, {from: 0, to: 90, grade: "F"}', "overlaps"),
        ('{at_least: 80, grade: "B"}, {at_least: 90, grade: "A"}, {at_least: 0, grade: "F"}', "never be reached"),
        ('{from: 0, to: 95, grade: "A"}', "gap above 95"),
        ('{at_least: 0, grade: "E"}', '"E" is not a known grade'),
        ('{at_least: 0, grade: "A", points: 4}', "one of `grade`"),
    ],
)  # fmt: skip
def test_bands_without_gap_overlap_or_dead_grade(bands: str, words: str) -> None:
    found = refusals(BANDS.replace("BANDS", bands))
    assert any(words in message for message in found), found


def test_rounding_first_closes_the_gaps_of_a_published_table() -> None:
    bands = '{from: 90, to: 100, grade: "A"}, {from: 80, to: 89, grade: "B"}, {from: 0, to: 79, grade: "F"}'
    policy = policy_of(BANDS.replace("BANDS", bands), "  round: {places: 0, mode: half_up}\n")
    assert [gpa(policy, [{"grade": grade}]) for grade in ("89.5", "89.49", "79.4")] == ["4.0000", "3.0000", "0.0000"]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ('[{grade: "A", mean_at_least: 3}]', "fit no rule"),
        ('[{grade: "A"}, {grade: "B", mean_at_least: 3}]', "earlier rules take them all"),
        ('[{grade: "A", mean_at_least: 3.26}, {grade: "B", mean_at_most: 3.24}]', "fit no rule"),
        ('[{grade: "A", lowest_at_least: 5}, {grade: "B"}]', "can reach this rule"),
    ],
)
def test_conversions_cover_every_case_and_every_rule_is_reached(rules: str, words: str) -> None:
    levels = f"from_levels: {{levels: [1, 2, 3, 4], round: {{places: 2}}, rules: {rules}}}\n"
    assert any(words in message for message in refusals(levels))


@pytest.mark.parametrize(
    ("requirements", "words"),
    [
        ("[{subjects: [english], units: 17}]", "more units than"),
        ("[{subjects: [english, arts], units: 1}, {subjects: [arts, science], units: 1}]", "without one holding"),
        ("[{subjects: [english, arts], units: 1}, {subjects: [arts], units: 1}]", "must stand before"),
        ("[{subjects: [klingon], units: 1}]", "not a known subject"),
    ],
)
def test_requirements_nest(requirements: str, words: str) -> None:
    head = HEAD.replace("mean", "selection")
    found = refusals(head, f"select: {{units: {{at_least: 16, below: 17}}, requirements: {requirements}}}\n")
    assert any(words in message for message in found), found


def test_two_tables_of_grades_in_one_year_are_refused() -> None:
    former = 'former_grades: [{school_years: {until: 2024}, points: {"A": 4}}]\n'
    assert any("same school year" in message for message in refusals(former))


def test_a_course_is_graded_by_the_table_of_its_year() -> None:
    policy = policy_of(
        LETTERS + "  school_years: {from: 2025}\n",
        'former_grades: [{school_years: {from: 2020, until: 2024}, points: {"A": 5, "B": 4}}]\n',
    )
    rows = [{"grade": "A", "school_year": "2023-24"}, {"grade": "A", "school_year": "2024-25"}]
    assert gpa(policy, rows) == "4.5000"
    result = compute(policy, [{"grade": "A", "school_year": 2019}])
    assert result.problems["code"].to_list() == ["year-outside-every-table"]


def test_a_version_outside_its_dates_is_refused() -> None:
    with pytest.raises(MappingError) as caught:
        compute_gpa(policy_of(), transcript([{"grade": "A"}]), as_of=date(2019, 12, 31))
    assert caught.value.code == "policy.not-in-force"


def test_where_no_gpa_is_aggregated_none_is_computed_unless_asked_for() -> None:
    policy = shipped("tilton")
    assert policy.aggregate is Aggregate.ON_REQUEST_ONLY
    refused = compute(policy, [{"grade": "A"}])
    assert (only(refused)["state"], only(refused)["gpa"], refused.storable) == ("refused", None, False)
    asked = compute(policy, [{"grade": "A"}], approximate=True)
    assert (only(asked)["state"], only(asked)["gpa"], asked.storable) == ("approximation", 4, False)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_policies_hold_their_promises(path: object) -> None:
    policy = shipped(path.stem)  # type: ignore[attr-defined]
    assert policy.name == path.stem  # type: ignore[attr-defined]
    assert policy.source.name
    assert policy.source.year
    assert policy.open_questions
    assert policy.examples
    if policy.name.startswith(("ncaa", "naia")):
        assert policy.label.startswith("Estimate: only the")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("courses: {only: {grade_level: [nine]}}\n", "Whole numbers"),
        ("courses: {only: {core: maybe}}\n", "true or false"),
        ("courses: {leave_out: {ag: [true, false]}}\n", "true or false"),
    ],
)
def test_filters_hold_values_of_their_column(text: str, words: str) -> None:
    assert any(words in message for message in refusals(text))
