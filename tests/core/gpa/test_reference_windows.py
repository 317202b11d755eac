"""Semester grades with a capped bonus, and weights after the mean, against plain arithmetic written from the rules."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.core.gpa.policy import Policy
from tests.core.gpa.builders import compute, policy_of, shipped
from tests.core.gpa.reference import rounded

POINTS = {"A": 4, "B": 3, "C": 2, "D": 1, "F": 0}
PHASES = (Phase.explicit, Phase.generate)


@st.composite
def a_g_courses(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Courses of grades 9 to 12, each once; a year of 1.0 is two grades."""
    return [
        {
            "course_code": f"C{number}", "ag": draw(st.sampled_from(["yes", "yes", "A", "F", "no", None])),
            "grade": draw(st.sampled_from(["A", "A-", "A+", "B", "B+", "C", "C-", "D", "F", "P"])),
            "credit": draw(st.sampled_from(["0.5", "1", "1.0"])), "grade_level": draw(st.integers(9, 12)),
            "term": draw(st.sampled_from(["S1", "S2", "Y", "SU"])),
            "level": draw(st.sampled_from(["honors", "AP", "IB", "college", "regular", "AP"])), "school_year": 2025,
        }
        for number in range(draw(st.integers(1, 14)))
    ]  # fmt: skip


def university_of_california(rows: list[dict[str, Any]], bonus: set[str], *, capped: bool) -> Decimal | None:
    """The GPA page's rules: A4 B3 C2 D1, a grade a semester, from the summer after 9th to that after 11th; one point
    more for each honors grade of A to C, eight at most, four of them in 10th; cut off after two digits."""
    points = grades = tenth = eleventh = 0
    for row in rows:
        summer_before_tenth = row["grade_level"] == 9 and row["term"] == "SU"
        level = 10 if summer_before_tenth else row["grade_level"]
        if row["ag"] in ("no", None) or row["grade"] == "P" or level not in (10, 11):
            continue
        count = 1 if row["level"] == "college" else int(Fraction(row["credit"]) / Fraction(1, 2))
        letter = row["grade"][0]
        points, grades = points + POINTS[letter] * count, grades + count
        if row["level"] in bonus and letter in "ABC":
            tenth, eleventh = tenth + (count if level == 10 else 0), eleventh + (count if level == 11 else 0)
    extra = min(8, min(4, tenth) + eleventh) if capped else tenth + eleventh
    return rounded(Fraction(points + extra, grades), 2, "down") if grades else None


def computed(policy: Policy, transcripts: list[list[dict[str, Any]]]) -> list[Decimal | None]:
    """The GPA of each transcript."""
    rows = [{**row, "student_id": f"s{number:02}"} for number, each in enumerate(transcripts) for row in each]
    found: list[Decimal | None] = compute(policy, rows, trace=False).gpas["gpa"].to_list()
    return found


@settings(max_examples=8, deadline=None, phases=PHASES)
@given(st.lists(a_g_courses(), min_size=8, max_size=12))
def test_the_university_of_california_by_its_own_rules(transcripts: list[list[dict[str, Any]]]) -> None:
    everywhere = {"honors", "AP", "IB", "college"}
    for name, bonus, capped in (
        ("uc", everywhere, True),
        ("uc-nonresident", everywhere - {"honors"}, True),
        ("uc-fully-weighted", everywhere, False),
        ("uc-unweighted", set[str](), False),
    ):
        expected = [university_of_california(rows, bonus, capped=capped) for rows in transcripts]
        assert computed(POLICIES[name], transcripts) == expected, name


POLICIES = {name: shipped(name) for name in ("uc", "uc-nonresident", "uc-fully-weighted", "uc-unweighted")}


@st.composite
def weighed(draw: st.DrawFn) -> list[dict[str, Any]]:
    return [
        {"course_code": f"C{number}", "grade": str(draw(st.integers(0, 100))),
         "credit": draw(st.sampled_from(["0.25", "0.34", "0.5", "1", "3"])),
         "level": draw(st.sampled_from(["AP", "honors", "regular"]))}
        for number in range(draw(st.integers(1, 9)))
    ]  # fmt: skip


@settings(max_examples=8, deadline=None, phases=PHASES)
@given(
    st.lists(weighed(), min_size=8, max_size=12),
    st.sampled_from(["add", "multiply", "add_after_mean"]),
    st.sampled_from([None, "1.05"]),
)
def test_weights_caps_and_credit_by_plain_arithmetic(
    transcripts: list[list[dict[str, Any]]], how: str, at_most: str | None
) -> None:
    weights = {"AP": Fraction("1.1"), "honors": Fraction("1.05"), "regular": Fraction(how == "multiply")}
    limit = f", at_most: {at_most}" if at_most else ""
    policy = policy_of(
        "grades: {linear: {times: 1}, lowest: 0, highest: 100}\n"
        f"weight: {{how: {how}, levels: {{ap: 1.1, honors: 1.05, regular: {int(how == 'multiply')}}}{limit}}}\n"
        "credit: {at_most: 1}\n",
        "round: {gpa: {places: 4, mode: half_even}, points: {places: 6}}\n",
    )
    assert computed(policy, transcripts) == [by_hand(rows, weights, how, at_most) for rows in transcripts]


def by_hand(rows: list[dict[str, Any]], weights: dict[str, Fraction], how: str, at_most: str | None) -> Decimal:
    total = units = after = Fraction(0)
    for row in rows:
        credit, number = min(Fraction(row["credit"]), Fraction(1)), Fraction(row["grade"])
        weight = min(weights[row["level"]], Fraction(at_most)) if at_most else weights[row["level"]]
        number = number + weight if how == "add" else number * weight if how == "multiply" else number
        total, units = total + number * credit, units + credit
        after += weight if how == "add_after_mean" else 0
    return rounded(total / units + after, 4, "half_even")
