"""The public test vectors: published numbers, and numbers computed from published rules."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gateway.core.gpa import selection
from gateway.core.gpa.compute import compute_gpa
from gateway.core.gpa.conversion import grade_of_levels
from gateway.core.mapping.rounding import Mode, Rounding, to_micros
from tests.core.gpa.builders import TODAY, compute, gpa, only, policy_of, shipped, transcript


def read(shared_data: Path, name: str) -> Any:
    return json.loads((shared_data / "vectors" / f"{name}.json").read_text(), parse_float=Decimal)


def test_published_means_and_quality_points(shared_data: Path) -> None:
    points = policy_of("grades: {linear: {times: 1}, lowest: 0, highest: 5, prefer: score}\n")
    for vector in read(shared_data, "gpa_basic")["vectors"]:
        if "rows" in vector:
            rows = [{"score": points_, "credit": credit} for points_, credit in vector["rows"]]
            assert Decimal(gpa(points, rows) or "") == Decimal(str(vector["expected"])), vector["name"]
        elif "grade" in vector:
            row = only(compute(policy_of(), [{"grade": vector["grade"], "credit": vector["credit"]}]))
            assert row["quality_points"] == vector["expected_quality_points"]


def test_45_quality_points_over_13_units() -> None:
    """NCAA worksheet, step 4: 3.462 with three places."""
    policy = policy_of("round: {gpa: {places: 3, mode: half_up}}\n")
    assert gpa(policy, [{"grade": "A"}] * 6 + [{"grade": "B"}] * 7) == "3.462"


def test_eagle_valley_counts_ap_retakes_and_marks_as_it_says(shared_data: Path) -> None:
    vector = read(shared_data, "gpa_policies")["vectors"][0]
    rows = [
        {"course_code": row["t"], "grade": row["g"], "credit": row["c"], "level": row.get("level"),
         "school_year": 2024 + number}
        for number, row in enumerate(vector["rows"])
    ]  # fmt: skip
    row = only(compute(shipped("eagle-valley"), rows))
    assert (row["gpa"], row["credits"]) == (vector["expected"]["weighted"], vector["expected"]["credits_in_gpa"])


def test_weights_that_multiply_the_grade(shared_data: Path) -> None:
    vector = read(shared_data, "gpa_policies")["vectors"][1]
    policy = policy_of(
        "grades: {linear: {times: 1}, lowest: 0, highest: 100}\n"
        "weight: {how: multiply, levels: {honors: 1.05, ap: 1.10}, empty_level: regular, other_levels: 1}\n".replace(
            "empty_level: regular, ", ""
        ),
        "round: {gpa: {places: 1, mode: half_up}, points: {places: 4, mode: half_up}}\n",
    )
    for row, expected in zip(vector["rows"], vector["expected"], strict=True):
        rows = [{"grade": row["final"], "level": row.get("level", "regular")}]
        assert Decimal(gpa(policy, rows) or "") == Decimal(str(expected))


def test_a_bonus_after_the_mean_or_on_one_grade(shared_data: Path) -> None:
    vector = read(shared_data, "gpa_policies")["vectors"][2]
    for how, key in (("add_after_mean", "add_after_mean"), ("add", "add_to_one_grade")):
        policy = policy_of(
            "grades: {linear: {times: 1}, lowest: 0, highest: 100}\n"
            f"weight: {{how: {how}, levels: {{ap: {vector['bonus']}, regular: 0}}}}\n"
        )
        rows = [{"grade": vector["grades"][0], "level": "AP"}, {"grade": vector["grades"][1], "level": "R"}]
        assert Decimal(gpa(policy, rows) or "") == Decimal(str(vector["expected"][key]))


def test_mattanawcook_points(shared_data: Path) -> None:
    policy = shipped("mattanawcook")
    for grade, expected in read(shared_data, "gpa_policies")["vectors"][3]["vectors"]:
        found = gpa(policy, [{"grade": grade}], as_of=policy.first_day)
        assert Decimal(found or "") == Decimal(str(expected))


@pytest.mark.parametrize("few", [0, 30])
def test_ncaa_division_one_selections(shared_data: Path, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "FEW", few)
    for vector in read(shared_data, "ncaa_core_gpa")["vectors"]:
        rows = [
            {"course_code": c["title"], "title": c["title"], "subject": c["area"], "grade": c["grade"],
             "credit": c["credit"], "core": "yes", "grade_level": 11 if c["before_sem7"] else 12,
             "repeat_of": c.get("key")}
            for c in vector["courses"]
        ]  # fmt: skip
        expected = vector["expected"]
        row = only(compute(shipped("ncaa-d1"), rows, trace=False))
        assert row["gpa"] == expected["core_gpa"]
        assert (row["credits"], row["quality_points"]) == (expected["credits"], expected["quality_points"])
        assert row["courses_used"] == len(expected["used"])
        assert row["standing"] == "qualifier"
        trace = compute(shipped("ncaa-d1"), rows).trace
        assert trace is not None
        assert sorted(trace.filter("used")["title"]) == sorted(expected["used"])


@pytest.mark.parametrize(("name", "key"), [("uc", "weighted"), ("uc-unweighted", "unweighted")])
def test_university_of_california(shared_data: Path, name: str, key: str) -> None:
    for vector in read(shared_data, "uc_gpa")["vectors"]:
        rows = [
            {"course_code": f"C{number}", "grade": letter, "credit": "0.5", "grade_level": year, "ag": "yes",
             "level": "honors" if honors else "regular", "term": "S1", "school_year": 2025}
            for number, (letter, year, honors) in enumerate(vector["grades"])
        ]  # fmt: skip
        row = only(compute(shipped(name), rows))
        assert row["gpa"] == vector["expected"][key]
        assert row["credits"] == vector["expected"]["n"]


def test_naia_eligibility(shared_data: Path) -> None:
    policy = shipped("naia")
    for vector in read(shared_data, "naia")["vectors"]:
        hundredths = int(Decimal(str(vector["gpa"])) * 100)
        rows = [
            {"grade": "C", "credit": f"{(300 - hundredths) / 100}"},
            {"grade": "B", "credit": f"{(hundredths - 200) / 100}"},
        ]
        if hundredths < 200:
            rows = [
                {"grade": "C", "credit": f"{(hundredths - 100) / 100}"},
                {"grade": "D", "credit": f"{(200 - hundredths) / 100}"},
            ]
        students = pl.DataFrame(
            [{"student_id": "s", "top_half": vector["top_half"], "act": vector["act"], "sat": vector["sat"]}]
        )
        row = only(compute(policy, rows, students=students))
        assert row["gpa"] == Decimal(str(vector["gpa"]))
        assert (row["standing"] == "eligible") == vector["eligible"], vector


def test_bands_on_a_mean(shared_data: Path) -> None:
    policy = shipped("appleton")
    for vector in read(shared_data, "sbg_band_conversion")["vectors"]:
        result = compute_gpa(policy, transcript([{"score": vector["average"]}]), as_of=TODAY, trace=True)
        assert result.trace is not None
        letter, points = vector["expected"]
        row = result.trace.row(0, named=True)
        assert (row["counted_as"], row["points"]) == (letter, Decimal(str(points)))


def test_published_tables_are_read_as_they_stand(shared_data: Path) -> None:
    tables = read(shared_data, "published_conversion_tables")
    rutland = shipped("rutland")
    for low, high, worst, best in tables["rutland_hs_vt_0_4_to_100"]["rows"]:
        assert gpa(rutland, [{"score": low}]) == f"{worst}.00"
        assert gpa(rutland, [{"score": high}]) == f"{best}.00"
    deer_valley = shipped("deer-valley")
    for level, points in tables["dvusd_az"]["points"].items():
        assert gpa(deer_valley, [{"grade": level}]) == f"{points}.0000"


def test_counting_rules(shared_data: Path) -> None:
    policy = shipped("district-100")
    for vector in read(shared_data, "sbg_counting_conversion")["vectors"]:
        grade, _ = grade_of_levels(policy, vector["scores"])
        assert grade in vector["expected"].split("/")


def test_rounding_traps(shared_data: Path) -> None:
    for vector in read(shared_data, "rounding_traps")["vectors"]:
        for mode in (Mode.HALF_UP, Mode.HALF_EVEN):
            rounding = Rounding(10 ** (6 - vector["places"]), mode)
            micros = to_micros(Decimal(vector["x"]))
            frame = pl.DataFrame({"x": [micros]})
            column = frame.select(rounding.ratio(pl.col("x"), pl.lit(1, pl.Int64))).item()
            assert column == to_micros(Decimal(vector[mode.value]))
            assert rounding.exactly(micros) == column  # type: ignore[arg-type]
