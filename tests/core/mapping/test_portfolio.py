"""The learner continuum of Building 21 against the published fixtures of slate-cbl."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.core.mapping import CompiledMapping, explain
from tests.core.mapping.conftest import compiled, make_framework
from tests.core.mapping.formulas import half_up

TEXT = """
mapping: portfolio
version: "1"
framework: f.json
columns: [target_level]
scales:
  portfolio:
    numeric: {from: 1, to: 13, step: 1}
    states: {M: missing, "0": missing, OVR: overridden}
align: [{codes: standard}]
summarize: {default: {method: mean}}
portfolio:
  units: {type: Competency}
  target: target_level
  baselines: baselines.csv
  highest_level: "12"
"""


def case_mapping(case: dict[str, Any], more: str = "") -> CompiledMapping:
    unit = case["competency"]
    items = [("unit", unit, None, "Competency", None)]
    items += [(f"s{n}", skill["code"], "unit", "Skill", None) for n, skill in enumerate(case["skills"])]
    required = "".join(
        f'    "{skill["code"]}": {{default: 9, "{case["level"]}": {skill["required"]}}}\n' for skill in case["skills"]
    )
    baselines = pl.DataFrame(
        {"student_id": ["S"], "competency": [unit], "level": [str(case["level"])],
         "baseline": [None if case["baseline"] is None else str(case["baseline"])]},
        schema=dict.fromkeys(("student_id", "competency", "level", "baseline"), pl.String),
    ).drop_nulls()  # fmt: skip
    text = f"{TEXT}{more}  required:\n    default: 9\n{required}"
    return compiled(text, make_framework(items), crosswalks={"baselines.csv": baselines})


def demonstrations(case: dict[str, Any], level: int | None = None) -> list[dict[str, Any]]:
    return [
        {"student_id": "S", "standard": skill["code"], "target_level": str(level or case["level"]),
         "scored_at": each["date"].replace(" ", "T"), "result_id": f"{skill['code']}-{n}",
         "score": "OVR" if each["override"] else str(each["rating"])}
        for skill in case["skills"] for n, each in enumerate(skill["demonstrations"])
    ]  # fmt: skip


def placed(mapping: CompiledMapping, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return mapping.apply(pl.DataFrame(rows)).continuum.row(0, named=True)


def cases(shared_data: Path) -> list[dict[str, Any]]:
    return json.loads((shared_data / "vectors" / "continuum_slate_cbl.json").read_text(encoding="utf-8"))["vectors"]


def number(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def test_published_fixtures(shared_data: Path) -> None:
    assert len(cases(shared_data)) == 9
    for case in cases(shared_data):
        row = placed(case_mapping(case), demonstrations(case))
        found = row["performance_level"]
        expected = case["expected"]
        assert (None if found is None else Decimal(found)) == number(expected["performance_level"]), case["competency"]
        assert row["progress"] == number(expected["progress"]), case["competency"]
        assert row["baseline"] == number(expected["baseline_average"]), case["competency"]
        assert row["growth"] == number(expected["growth"]), case["competency"]


def test_only_demonstrations_of_the_current_level_count(shared_data: Path) -> None:
    case = cases(shared_data)[0]
    old = demonstrations(case, level=case["level"] - 1)
    rows = [{**row, "result_id": f"old {row['result_id']}", "score": "1"} for row in old]
    assert placed(case_mapping(case), demonstrations(case) + rows) == placed(case_mapping(case), demonstrations(case))


SMALL = {"competency": "U", "level": 9, "baseline": None}


def skill(code: str, required: int, *ratings: int | str) -> dict[str, Any]:
    shown = [
        {"date": f"2026-09-0{n + 1} 08:00:00", "rating": None if each == "OVR" else each, "override": each == "OVR"}
        for n, each in enumerate(ratings)
    ]
    return {"code": code, "required": required, "demonstrations": shown}


def test_a_complete_level_leads_to_the_next() -> None:
    case = {**SMALL, "skills": [skill("U.1", 2, 9, 9), skill("U.2", 1, 8)]}
    row = placed(case_mapping(case), demonstrations(case))
    assert (row["complete"], row["next"], row["progress"]) == ("U.1; U.2", "level 10", Decimal(1))


def test_a_level_with_a_mean_half_a_level_too_low_is_not_complete() -> None:
    case = {**SMALL, "skills": [skill("U.1", 2, 8, 8), skill("U.2", 2, 9, 8)]}
    row = placed(case_mapping(case), demonstrations(case))
    assert (row["performance_level"], row["next"]) == ("8.3", "")


def test_the_second_growth_calculator_counts_skills_that_did_not_grow() -> None:
    case = {**SMALL, "skills": [skill("U.1", 2, 7, 9), skill("U.2", 2, 8, 8)]}
    mapping = case_mapping(case, "  growth: most_recent_minus_first\n")
    assert placed(mapping, demonstrations(case))["growth"] == Decimal(1)


def test_growth_of_recent_ratings_needs_half_of_the_skills() -> None:
    case = {**SMALL, "skills": [skill("U.1", 2, 7, 9), skill("U.2", 2, 8), skill("U.3", 2)]}
    mapping = case_mapping(case, "  growth: most_recent_minus_first\n")
    assert placed(mapping, demonstrations(case))["growth"] is None


def test_missed_demonstrations_are_named_and_never_counted_as_zero() -> None:
    case = {**SMALL, "skills": [skill("U.1", 2, 0, 9), skill("U.2", 1, 9)]}
    row = placed(case_mapping(case), demonstrations(case))
    assert (row["performance_level"], row["gaps"], row["next"]) == ("9.0", "U.1", "U.1")


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_rows_does_not_matter(shared_data: Path, order: int) -> None:
    case = cases(shared_data)[-1]
    rows = demonstrations(case)
    assert placed(case_mapping(case), rows[::order]) == placed(case_mapping(case), rows)


RATING = st.sampled_from([0, 7, 8, 9, 10, 12, "OVR"])


@settings(max_examples=60, deadline=None)
@given(
    skills=st.lists(st.tuples(st.integers(0, 3), st.lists(RATING, max_size=5)), min_size=1, max_size=3),
    baseline=st.sampled_from([None, 0, 8.5, 9]),
    growth=st.sampled_from(["level_minus_baseline", "most_recent_minus_first"]),
)
def test_an_explanation_recomputes_to_the_published_row(
    skills: list[tuple[int, list[int | str]]], baseline: float | None, growth: str
) -> None:
    made = [skill(f"U.{n}", required, *ratings) for n, (required, ratings) in enumerate(skills)]
    case = {**SMALL, "baseline": baseline, "skills": made}
    rows = demonstrations(case)
    assume(rows)
    mapping = case_mapping(case, f"  growth: {growth}\n")
    row = placed(mapping, rows)
    data = explain(mapping, pl.DataFrame(rows), "S", competency="U").as_dict()
    (unit,) = data["portfolio"]
    shown = [each for part in unit["skills"] for each in part["demonstrations"]]
    counting = [Fraction(each["rating"]) for each in shown if each["effective"] and each["rating"]]
    assert len(shown) == len(rows)
    assert number_of(row["performance_level"]) == (one_place(sum(counting) / len(counting)) if counting else None)
    assert number_of(row["performance_level"]) == number_of(unit["performance_level"])
    assert number_of(row["growth"]) == growth_of(unit["growth_calculation"])
    done, required = unit["done"], unit["required"]
    assert row["progress"] == (Decimal(1) if not required else half_up_decimal(Fraction(done, required), 100))
    assert len(explain(mapping, pl.DataFrame(rows), "S").text()) > len(unit["skills"])


def half_up_decimal(value: Fraction, unit: int) -> Decimal:
    return Decimal(half_up(value * unit, Fraction(1)).numerator) / unit


def one_place(value: Fraction) -> Fraction:
    return half_up(value, Fraction(1, 10)) if value >= 0 else -half_up(-value, Fraction(1, 10))


def number_of(text: str | Decimal | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def growth_of(formula: str | None) -> Fraction | None:
    """What a printed formula such as ``9.3 − (9 + 10) / 2`` comes to."""
    if formula is None:
        return None
    exact = re.sub(r"[0-9.]+", lambda found: f"Fraction('{found[0]}')", formula.replace("−", "-"))
    value: Fraction = eval(exact, {"Fraction": Fraction})
    return one_place(value)
