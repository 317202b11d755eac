"""Evidence in whatever form it comes: numbers as text, nothing as NaN, flags as words, dates as text."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from gateway.core.mapping import CompiledMapping
from gateway.core.mapping.language import EVIDENCE_COLUMNS
from tests.core.mapping.conftest import BASE, compiled, everywhere, evidence

PS = {"standard": "MATH.7.PS"}
QUIZ = BASE.replace("numeric: {from: 0, to: 4, step: 0.5}", "numeric: {from: 0, to: 4}\n    rescale: true")


def quiz(scores: list[Any], maxima: list[Any], pool: str = "line_item_id", text: str = QUIZ) -> Any:
    """The level of a quiz whose questions are added up."""
    mapping = compiled(f"{text}evidence: [{{pool: {pool}}}]\n".replace("most_recent", "mean"))
    rows = [
        {**PS, "score": score, "max_score": whole, pool: "quiz"} for score, whole in zip(scores, maxima, strict=True)
    ]
    return everywhere(mapping, evidence(rows))["S1", "MATH.7.PS"][0]


@pytest.mark.parametrize("scores", [[1, 3], [Decimal(1), Decimal(3)], [1.0, 3.0], ["1", "3"], [" 1", "3.0"]])
@pytest.mark.parametrize("pool", ["line_item_id", "result_id"])
def test_parts_are_added_up_however_their_scores_are_written(scores: list[Any], pool: str) -> None:
    assert quiz(scores, [4, 8], pool) == Decimal("1.33")  # 4 of 12


def test_parts_without_a_number_or_a_maximum_are_not_added_up() -> None:
    marks = QUIZ.replace("states:", "marks: {full: 4}\n    states:")
    assert quiz(["1", "full"], [4, 4], text=marks) == Decimal("2.50")  # the mean of 1 and 4, not of 1 of 8
    assert quiz(["1", "3"], [4, None], text=marks) == Decimal("1.00")  # what has no maximum fits no scale
    assert quiz(["1", "3"], [4, None], text=QUIZ.replace("rescale", "maximum: 4\n    rescale")) == Decimal("2.00")


def test_what_is_not_a_number_is_no_score() -> None:
    rows = [{**PS, "score": score} for score in (2.5, float("nan"), float("inf"))]
    mapped = compiled().apply(evidence(rows))
    assert mapped.levels.select("level", "evidence_count").row(0) == (Decimal("2.50"), 1)
    assert dict(mapped.set_aside) == {"not_assessed": 2}


@pytest.mark.parametrize("flag", ["true", "Yes", "1", " TRUE ", 1, 1.0, True])
def test_flags_may_be_words_or_numbers(flag: Any) -> None:
    assert everywhere(compiled(), evidence([{**PS, "score": 3, "missing": flag}]))["S1", "MATH.7.PS"] == (
        None,
        "missing",
    )


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-09-02", 2), ("2026-09-02T23:59:59Z", 2), ("2026-09-02 10:00:00", 2), ("2026-09-02T23:30:00-02:00", 3),
        ("2026-09-02T10:00:00.125+00:00", 2), (datetime.date(2026, 9, 2), 2), (datetime.datetime(2026, 9, 2, 9), 2),
    ],
)  # fmt: skip
def test_times_are_read_as_utc(written: Any, day: int) -> None:
    levels = compiled().apply(evidence([{**PS, "score": 3, "scored_at": written}])).levels
    assert levels["last_scored_at"][0].date() == datetime.date(2026, 9, day)


def ruled(when: str, extra: str = "") -> CompiledMapping:
    return compiled(f"{BASE}{extra}evidence:\n  - {{when: {when}}}\n")


COLUMNS: dict[str, tuple[Any, Any, str]] = {
    "student_id": ("S1", "S2", "S1"),
    "score": (3, 2, "{at_least: 2.5}"),
    "score_text": (None, "2", "null"),
    "scored_at": ("2026-09-01", "2026-10-01", "{from: 2026-09-01, to: 2026-09-30}"),
    "standard": ("MATH.7.PS", "MATH.7.RE", '"*.PS"'),
    "competency": ("m7ps", "m7re", "m7ps"),
    "class_id": ("0012", "0013", '"0012"'),
    "course_code": ("M7", "M8", "m7"),
    "category": ("Summative", "Practice", '"Summ*"'),
    "line_item_id": ("exam", "quiz", "exam"),
    "result_id": ("a", "b", "a"),
    "status": ("fully graded", None, '"fully graded"'),
    "late": (True, False, "true"),
    "missing": (False, None, "false"),
    "incomplete": (False, None, "false"),
    "in_progress": (False, None, "false"),
    "term": ("Fall", "Spring", "[Fall, Winter]"),
    "scorer_id": ("T1", "T2", "{not: T2}"),
    "max_score": (4, 100, "{at_most: 4}"),
    "min_score": (1, 0, "{above: 0}"),
    "score_scale": ("Levels", "Percent", "Levels"),
    "score_scale_value": (Decimal("3.5"), None, "3.5"),
    "line_item_title": ("Exam [1]", "Quiz [2]", '"* [1]"'),
    "line_item_description": ("written", None, "{not: null}"),
    "class_title": ("M7-2", "M7-3", "M7-2"),
    "course_title": ("Mathematics", "Art", '"math*"'),
    "subject": ("Mathematics", "Art", "[Mathematics]"),
    "school_id": ("north", "south", "north"),
    "grade": ("07", "08", '"07"'),
    "assigned_at": ("2026-08-30", "2026-09-30", "{below: 2026-09-15}"),
    "due_at": ("2026-09-03", None, "{at_most: 2026-09-03}"),
    "override_by": ("A. Lead", None, "{not: null}"),
    "override_reason": ("seen", None, "{not: null}"),
    "area": ("community", "wellness", "community"),
    "hours": ("12", "9", "{at_least: 10}"),
    "pitched_on": ("2026-09-01", "2026-10-01", "{to: 2026-09-30}"),
    "pieces": ("3.0", "2", "3"),
}
"""A value that a rule fits, one that it does not fit, and the rule's condition; by column, further ones last."""


def test_every_documented_column_is_tried() -> None:
    assert set(EVIDENCE_COLUMNS) <= set(COLUMNS)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_rule_can_ask_for_any_column_and_for_those_that_were_carried_along(column: str) -> None:
    fits, other, condition = COLUMNS[column]
    extra = "" if column in EVIDENCE_COLUMNS else f"columns: [{column}]\n"
    rows: list[dict[str, Any]] = [{"standard": "MATH.7.PS", "score": 3}, {"standard": "MATH.7.RE", "score": 3}]
    for row, value in zip(rows, (fits, other), strict=True):
        row[column] = value
        if column == "competency":
            row["standard"] = None
    found = everywhere(ruled(f"{{{column}: {condition}}}", extra), evidence(rows))
    assert {competency for _, competency in found} == {"MATH.7.PS"}


@pytest.mark.parametrize("scores", [(Decimal(1), Decimal(3)), ("1", "3.0"), (1.0, 3.0)])
def test_a_condition_on_the_score_holds_for_numbers_and_for_numbers_written_as_text(scores: tuple[Any, ...]) -> None:
    rows = [{"standard": code, "score": score} for code, score in zip(("MATH.7.PS", "MATH.7.RE"), scores, strict=True)]
    assert everywhere(ruled("{score: {at_least: 2.5}}"), evidence(rows)) == {("S1", "MATH.7.RE"): (3, "calculated")}


@pytest.mark.parametrize(
    ("condition", "value", "fits"),
    [
        ("12", "12", True), ("12", "12.0", True), ("12", "0012", False), ("0.5", "0.50", True), ("12", "twelve", False),
        ("{at_least: 2}", "many", False), ("{from: 2026-09-01}", "2026-09-01T10:00:00Z", True),
        ("{from: 2026-09-01}", "soon", False), ("{at_least: 2}", None, False),
    ],
)  # fmt: skip
def test_numbers_and_dates_in_a_text_column_compare_as_such(condition: str, value: str | None, fits: bool) -> None:
    mapping = ruled(f"{{extra: {condition}}}", "columns: [extra]\n")
    frame = evidence([{**PS, "score": 3, "extra": value}]).cast({"extra": pl.String})
    assert bool(everywhere(mapping, frame)) is fits


def test_each_distinct_value_is_judged_once_however_many_rows_have_it() -> None:
    mapping = compiled(BASE.replace("  - codes: standard", "  - crosswalk: local.csv"), crosswalks=WILD)
    rows = [{"standard": f"L.{n % 5}", "score": n % 4, "student_id": f"S{n}"} for n in range(5_000)]
    assert mapping.apply(evidence(rows)).used == 5_000
    asked = mapping.collector.answers
    assert (len(asked.rules), len(asked.targets), len(asked.verdicts)) == (1, 5, 4)


WILD = {"local.csv": pl.DataFrame({"standard": ["L.*"], "competency": ["MATH.7.PS"]})}
