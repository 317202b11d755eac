"""Repeats, weights, credit, deadlines, periods, semesters and conversions, one rule at a time."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from gateway.core.errors import DataError
from gateway.core.gpa.catalogue import apply_catalogue
from gateway.core.gpa.compute import Period, compute_gpa
from gateway.core.gpa.conversion import convert_levels
from gateway.core.gpa.grades import Calendar
from tests.core.gpa.builders import TODAY, compute, gpa, only, policy_of, problem, shipped, transcript


def attempt(grade: str, year: int | None, **values: Any) -> dict[str, Any]:
    return {"course_code": "ALG", "grade": grade, "school_year": year, **values}


@pytest.mark.parametrize(
    ("rule", "grades", "expected"),
    [
        ("keep: highest", ["D", "B"], "3.0000"),
        ("keep: highest", ["B", "D"], "3.0000"),
        ("keep: latest", ["B", "D"], "1.0000"),
        ("keep: average", ["B", "D"], "2.0000"),
        ("keep: average", ["A", "B", "B"], "3.3333"),
        ('keep: latest, only_after: ["D", "F"]', ["F", "C"], "2.0000"),
        ('keep: latest, only_after: ["D", "F"]', ["C", "A"], "3.0000"),
        ("keep: highest", ["F", "D", "C"], "2.0000"),
    ],
)
def test_which_attempt_counts(rule: str, grades: list[str], expected: str) -> None:
    policy = policy_of(f"repeats: {{same: [course_code], {rule}}}\n")
    rows = [attempt(grade, 2022 + n) for n, grade in enumerate(grades)]
    assert gpa(policy, rows) == gpa(policy, rows[::-1]) == expected


def test_the_dropped_attempt_is_shown_as_the_policy_says_and_gives_no_credit() -> None:
    policy = policy_of('repeats: {same: [course_code], keep: highest, dropped_as: "NC"}\n')
    result = compute(policy, [attempt("D", 2023), attempt("B", 2024)])
    assert result.trace is not None
    assert result.trace["why"].to_list() == ["another attempt counts; shown as NC", "used"]
    assert result.trace["clause"][0] == "repeats"
    assert only(result)["credits_earned"] == 1


def test_terms_tell_the_halves_of_a_course_apart() -> None:
    halves = [attempt("B", 2023, term="S1"), attempt("F", 2023, term="S2"), attempt("A", 2024, term="S2")]
    assert gpa(policy_of("repeats: {same: [course_code, term], keep: highest}\n"), halves) == "3.5000"


def test_repeat_of_names_the_first_attempt_across_codes_and_terms() -> None:
    policy = policy_of("repeats: {same: [course_code, term], keep: latest}\n")
    rows = [attempt("F", 2023, term="S1"), attempt("B", 2024, course_code="ALG-X", term="SU", repeat_of="ALG")]
    assert gpa(policy, rows) == "3.0000"
    chain = [*rows, attempt("A", 2025, course_code="ALG-Y", term="S1", repeat_of="ALG-X")]
    assert gpa(policy, chain) == "4.0000"
    two_halves = [attempt("F", 2023, term="S1"), attempt("B", 2023, term="S2"), rows[1]]
    assert problem(policy, two_halves) == "repeat-unclear"


def test_an_order_that_matters_must_be_known() -> None:
    rows = [attempt("F", None), attempt("B", None)]
    assert problem(policy_of("repeats: {same: [course_code], keep: latest}\n"), rows) == "repeat-order-unknown"
    assert gpa(policy_of("repeats: {same: [course_code], keep: highest}\n"), rows) == "3.0000"


def test_seasons_of_one_year_have_an_order() -> None:
    policy = policy_of("repeats: {same: [course_code], keep: latest}\n")
    assert gpa(policy, [attempt("A", 2024, term="summer"), attempt("F", 2024, term="fall")]) == "4.0000"


@pytest.mark.parametrize(
    ("weight", "rows", "expected"),
    [
        ("how: add, levels: {ap: 1, regular: 0}", [("A", "AP"), ("F", "AP")], "2.5000"),
        ("how: add, levels: {ap: 1, regular: 0}, points_at_most: 4.5", [("A", "ap")], "4.5000"),
        ("how: add, levels: {ap: 1, honors: 0.5}, at_most: 0.4", [("A", "Advanced Placement"), ("A", "H")], "4.4000"),
        ("how: add, levels: {ap: 1}, other_levels: 0", [("A", "Whatever")], "4.0000"),
        ("how: add, levels: {ap: 1, regular: 0}, empty_level: regular", [("A", None)], "4.0000"),
        ("how: add, levels: {ap: 1}, filed: false", [("A", "AP")], "4.0000"),
    ],
)
def test_weights(weight: str, rows: list[tuple[str, str | None]], expected: str) -> None:
    policy = policy_of(f"weight: {{{weight}}}\n")
    assert gpa(policy, [{"grade": grade, "level": level} for grade, level in rows]) == expected


def test_a_weight_only_where_the_title_shows_it() -> None:
    policy = policy_of("weight: {how: add, levels: {honors: 1}, only_titles: [honors]}\n")
    rows = [{"grade": "A", "level": "H", "title": title} for title in ("Biology Honors", "Biology", None)]
    assert gpa(policy, rows) == "4.3333"


@pytest.mark.parametrize(
    ("credit", "rows", "expected"),
    [
        ("basis: each_course", [("A", "1"), ("B", "0.25")], "3.5000"),
        ("basis: earned", [("A", "1"), ("F", "1")], "4.0000"),
        ("times: 0.1", [("A", "10"), ("B", "5")], "3.6667"),
        ("at_most: 1", [("A", "2"), ("B", "1")], "3.5000"),
        ('by_term: {"S1": 0.5, "Y": 1}', [("A", None), ("B", "1")], "3.3333"),
        ("absurd_above: 200", [("A", "150"), ("B", "150")], "3.5000"),
    ],
)
def test_credit(credit: str, rows: list[tuple[str, str | None]], expected: str) -> None:
    policy = policy_of(f"credit: {{{credit}}}\n")
    assert gpa(policy, [{"grade": grade, "credit": units, "term": "S1"} for grade, units in rows]) == expected


def test_an_incomplete_becomes_an_f_after_ten_school_days() -> None:
    policy = shipped("affton")
    rows = [{"grade": "A"}, {"grade": "I", "completed_on": "2025-12-19"}]
    holidays = frozenset(date(2025, 12, day) for day in range(22, 32)) | {date(2026, 1, 1), date(2026, 1, 2)}
    calendar = Calendar(holidays, date(2026, 6, 30))
    assert gpa(policy, rows, calendar=calendar) == "4.000"
    assert gpa(policy, rows, as_of=date(2026, 1, 19), calendar=calendar) == "2.000"
    assert problem(policy, rows, as_of=date(2026, 1, 19)) == "deadline-unknown"
    assert gpa(policy, rows, as_of=date(2026, 1, 2)) == "4.000"


PERIODS = [
    {"grade": "A", "school_year": 2024, "term": "S1"},
    {"grade": "C", "school_year": 2024, "term": "S2"},
    {"grade": "B", "school_year": 2025, "term": "S1", "status": "in_progress"},
    {"grade": None, "school_year": 2025, "term": "S1", "status": "in_progress"},
]


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (Period.CUMULATIVE, {"cumulative": 3}),
        (Period.YEAR, {"2024": 3, "2025": None}),
        (Period.TERM, {"2024 S1": 4, "2024 S2": 2, "2025 S1": None}),
        (Period.PROJECTED, {"projected": 3}),
    ],
)
def test_periods(period: Period, expected: dict[str, int | None]) -> None:
    rows = [*PERIODS, {"grade": "B", "school_year": 2025, "term": "S1", "status": "in_progress"}]
    result = compute(policy_of(), rows, periods=(period,))
    assert dict(zip(result.gpas["period"], result.gpas["gpa"], strict=True)) == expected


def test_several_periods_at_once() -> None:
    result = compute(policy_of(), PERIODS, periods=(Period.CUMULATIVE, Period.YEAR))
    assert result.gpas["period"].to_list() == ["cumulative", "2024", "2025"]


def semester(grade: str, year: int, **values: Any) -> dict[str, Any]:
    return {"grade": grade, "grade_level": year, "credit": "0.5", "ag": "A", "level": "honors", **values}


def test_the_university_counts_eight_honors_points_and_four_of_grade_ten() -> None:
    rows = [semester("A", 10) for _ in range(6)] + [semester("A", 11) for _ in range(6)]
    result = compute(shipped("uc"), rows)
    assert (only(result)["quality_points"], only(result)["credits"]) == (56, 12)
    assert only(result)["gpa"] == only(compute(shipped("uc"), rows[::-1]))["gpa"]
    assert only(compute(shipped("uc-nonresident"), rows))["quality_points"] == 48


def test_summers_belong_to_the_grade_before_them_and_years_are_two_grades() -> None:
    rows = [semester("A", 9, term="SU", level="regular"), semester("B", 11, term="Summer", level="regular"),
            semester("F", 12, level="regular"), semester("C", 10, credit="1", level="regular"),
            semester("A", 11, credit="1", level="college")]  # fmt: skip
    row = only(compute(shipped("uc"), rows))
    assert (row["credits"], row["quality_points"]) == (5, 16)
    assert problem(shipped("uc"), [semester("A", 10, credit="0.34")]) == "part-of-semester"
    assert problem(shipped("uc"), [semester("A", 12, credit="0.34")]) is None


def levels(*rows: tuple[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        {"student_id": ["s"] * len(rows), "course_code": [code for code, _ in rows],
         "competency": [str(n) for n in range(len(rows))], "level": [None if v is None else str(v) for _, v in rows]},
        schema_overrides={"level": pl.String},
    )  # fmt: skip


def test_from_competency_levels_to_a_gpa() -> None:
    policy = shipped("champlain-valley")
    courses = transcript([{"course_code": "ENG"}, {"course_code": "SCI"}, {"course_code": "ART", "grade": "A"}])
    given = levels(*[("ENG", 3.5)] * 3, *[("SCI", 2)] * 3)
    result = compute_gpa(policy, convert_levels(policy, courses, given), as_of=TODAY, trace=True)
    assert result.trace is not None
    assert result.trace["counted_as"].to_list() == ["A", "C", "A"]
    assert f"{only(result)['gpa']:.2f}" == "3.33"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("ENG", 3), ("ENG", None), ("ENG", 3)], "has no level"),
        ([("ENG", 3), ("ENG", 7), ("ENG", 3)], "not on the policy's scale"),
        ([("ENG", 3)], "too few levels"),
    ],
)
def test_levels_that_give_no_grade_make_the_gpa_wait(rows: list[tuple[str, Any]], words: str) -> None:
    policy = shipped("champlain-valley")
    courses = convert_levels(policy, transcript([{"course_code": "ENG"}]), levels(*rows))
    result = compute_gpa(policy, courses, as_of=TODAY)
    assert only(result)["state"] == "pending"
    assert words in result.problems["message"][0]


def test_a_table_of_levels_without_its_columns_is_refused() -> None:
    with pytest.raises(DataError, match="competency"):
        convert_levels(shipped("tilton"), transcript([{}]), pl.DataFrame({"student_id": [], "course_code": []}))


def test_weighted_means_of_levels() -> None:
    policy = policy_of("from_levels: {levels: [1, 2, 3, 4], round: {places: 2}, weights: {priority: 2, default: 1}}\n",
                       "grades: {linear: {times: 1}, lowest: 1, highest: 4, prefer: score}\n")  # fmt: skip
    given = levels(("ENG", 4), ("ENG", 1)).with_columns(pl.Series("weight_as", ["priority", "other"]))
    courses = convert_levels(policy, transcript([{"course_code": "ENG"}]), given)
    assert courses["score"].to_list() == [3]


def test_a_catalogue_fills_what_the_transcript_leaves_empty() -> None:
    catalogue = pl.DataFrame(
        {"course_code": ["ENG9", "ALG"], "subject": ["ENG", "MATH"], "core": ["yes", "yes"], "credit": [1.0, 0.5]}
    )
    rows = [{"course_code": "ENG9", "subject": None, "credit": None, "grade": "A"},
            {"course_code": "ALG", "subject": "Mathematics", "credit": "1"}, {"course_code": "ART"}]  # fmt: skip
    filled, unknown = apply_catalogue(transcript(rows), catalogue)
    assert filled["subject"].to_list() == ["ENG", "Mathematics", None]
    assert filled["credit"].to_list() == ["1.0", "1", "1"]
    assert filled["core"].to_list() == ["yes", "yes", None]
    assert unknown == ["ART"]
    with pytest.raises(DataError, match="ENG9 twice"):
        apply_catalogue(transcript(rows), pl.concat([catalogue, catalogue.head(1)]))


def test_a_catalogue_can_differ_by_school() -> None:
    catalogue = pl.DataFrame({"course_code": ["E", "E"], "school_id": ["1", "2"], "level": ["AP", "regular"]})
    filled, _ = apply_catalogue(transcript([{"course_code": "E", "school_id": s} for s in ("2", "1")]), catalogue)
    assert filled["level"].to_list() == ["regular", "AP"]


def test_a_completed_course_without_a_grade_waits_also_in_a_projection() -> None:
    rows = [{"grade": "A"}, {"grade": None, "status": "completed"}]
    assert problem(policy_of(), rows, periods=(Period.PROJECTED,)) == "grade-missing"


def test_words_of_a_title_are_taken_as_they_are() -> None:
    policy = policy_of('weight: {how: add, levels: {honors: 1}, only_titles: ["(H)", "Pre-AP"]}\n')
    assert gpa(policy, [{"grade": "A", "level": "H", "title": "Pre-AP English"}]) == "5.0000"


def test_circles_of_repeats_end_and_wait() -> None:
    policy = policy_of("repeats: {same: [course_code], keep: highest}\n")
    rows = [{"course_code": "A", "repeat_of": "B", "grade": "A"}, {"course_code": "B", "repeat_of": "A", "grade": "A"}]
    assert problem(policy, rows) == "repeat-without-first"


def test_averaged_attempts_earn_their_credit_once() -> None:
    policy = policy_of("repeats: {same: [course_code], keep: average}\n")
    row = only(compute(policy, [attempt("B", 2023), attempt("A", 2024), attempt("F", 2025)]))
    assert (row["credits"], row["credits_earned"]) == (1, 1)
    many = [attempt("A", 2000 + n) for n in range(11)]
    assert problem(policy, many) == "repeat-unclear"
    assert gpa(policy, [*many[:6], attempt("F", 2020)]) == "3.4286"


def test_absurd_numbers_never_overflow() -> None:
    policy = policy_of('grades: {points: {"A": 900000, "B": 0.000001}}\ncredit: {absurd_above: 900000}\n'
                       "repeats: {same: [course_code], keep: average}\n")  # fmt: skip
    rows = [{"grade": "A", "credit": "899999.999999"} for _ in range(300)]
    assert gpa(policy, rows) == "900000.0000"


def test_the_trace_keeps_every_digit() -> None:
    policy = policy_of('grades: {points: {"A": 3.333333}}\n')
    trace = compute(policy, [{"grade": "A", "credit": "0.333333"}]).trace
    assert trace is not None
    assert str(trace["quality_points"][0]) == "1.111109888889"


def test_levels_between_those_of_the_scale_and_habits_are_told_apart() -> None:
    text = (
        "from_levels: {{levels: [1, 2, 3, 4], in_between: {}, leave_out: ['HOW*'], round: {{places: 2}},"
        ' rules: [{{grade: "A", mean_at_least: 3.5}}, {{grade: "B", mean_at_least: 2.5}}, {{grade: "F"}}]}}\n'
    )
    levels = pl.DataFrame(
        {"student_id": "s", "course_code": "ENG", "competency": ["E.1", "E.2", "HOW.1"], "level": ["3.53", "3.5", "1"]}
    )
    course = transcript([{"course_code": "ENG"}])
    kept = convert_levels(policy_of(text.format("keep")), course, levels)
    assert kept.select("grade", "score").row(0) == ("A", Decimal("3.52"))
    waits = compute_gpa(policy_of(text.format("wait")), convert_levels(policy_of(text.format("wait")), course, levels),
                        as_of=TODAY)  # fmt: skip
    assert waits.problems.select("code", "message").row(0) == (
        "levels-give-no-grade", "A level is not on the policy's scale.")  # fmt: skip


def test_a_course_that_levels_give_no_grade_is_told_by_its_own_fault_where_another_decides() -> None:
    row = {"grade": None, "subject": "Wizardry", "core": "yes", "grade_level": 9}
    rows = transcript([row]).with_columns(_problem=pl.lit("No level."))
    problems = compute_gpa(shipped("ncaa-d1"), rows, as_of=TODAY).problems
    assert problems.select("code", "message").row(0) == ("subject-unknown", "The policy does not know this subject.")
