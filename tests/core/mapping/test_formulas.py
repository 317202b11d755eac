"""Whole mappings against the published formulas: any method, any evidence, any order of rows, any partition."""

from __future__ import annotations

import datetime
import json
import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.mapping import CompiledMapping, merge_mapped
from gateway.core.mapping.language import METHODS
from tests.core.mapping.conftest import compiled, everywhere
from tests.core.mapping.formulas import FORMULAS, half_up

BEYOND = {"power_law", "linear_trend", "best_fit", "higher_of_mean_and_power_law"}

PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "mode": [{"tie": tie} for tie in ("most_recent", "highest", "lowest", "mean")],
    "mean_of_most_recent": [{"count": 1}, {"count": 3}],
    "median_of_most_recent": [{"count": 2}, {"count": 3}],
    "mean_of_highest": [{"count": 1}, {"count": 3}],
    "times_at_mastery": [{"count": 1, "mastery": 3}, {"count": 3, "mastery": 2}],
    "decaying_average": [{"newest": Fraction(13, 20)}, {"newest": Fraction(1)}, {"newest": Fraction(33, 100)}],
    "weighted_average": [{"newest": Fraction(13, 20)}, {"newest": Fraction(3, 4)}],
    **{
        name: [{"zeros": "drop"}, {"zeros": "not_calculable"}, {"zeros": "floor", "floor": Fraction(1, 2)}]
        for name in ("power_law", "best_fit", "higher_of_mean_and_power_law")
    },
}
CASES = [(name, stated) for name in METHODS for stated in PARAMETERS.get(name, [{}])]


def test_every_method_of_the_language_has_its_formula_here() -> None:
    assert set(FORMULAS) == set(METHODS)


def mapping(name: str, stated: dict[str, Any], scale: str = "{from: 0, to: 4, step: 0.5}") -> CompiledMapping:
    words = "".join(
        f", {key}: {float(value) if isinstance(value, Fraction) else value}" for key, value in stated.items()
    )
    return compiled(f"""
mapping: formulas
version: "1"
framework: f.json
scales: {{s: {{proficient: 3, numeric: {scale}}}}}
evidence:
  - {{when: {{category: Half}}, weight: 0.5}}
  - {{when: {{category: Double}}, weight: 2}}
  - {{}}
align: [{{codes: standard}}]
summarize: {{default: {{method: {name}{words}}}}}
""")


WEIGHT = {"Half": Fraction(1, 2), "Double": Fraction(2), "Usual": Fraction(1)}
EVIDENCE = st.lists(
    st.tuples(
        st.sampled_from(["S1", "S2", "S3"]),
        st.sampled_from(["MATH.7.PS", "ELA.7.R"]),
        st.integers(0, 8),
        st.sampled_from(["Usual", "Usual", "Half", "Double"]),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=24,
)
"""Student, competency, level in halves, category, and the day of September; the place in the list is the id."""


def frame(rows: list[tuple[str, str, int, str, int]], order: int) -> pl.DataFrame:
    shuffled = random.Random(order).sample(list(enumerate(rows)), len(rows))
    return pl.DataFrame(
        [
            {"student_id": student, "standard": code, "score": Decimal(level) / 2, "category": category,
             "scored_at": datetime.date(2026, 9, day), "result_id": f"r{n:02}"}
            for n, (student, code, level, category, day) in shuffled
        ]
    )  # fmt: skip


def expected(
    name: str, stated: dict[str, Any], rows: list[tuple[str, str, int, str, int]]
) -> dict[tuple[str, str], tuple[Any, str]]:
    ordered = sorted(enumerate(rows), key=lambda each: (each[1][4], each[0]))
    found = {}
    for key in {row[:2] for row in rows}:
        mine = [row for _, row in ordered if row[:2] == key]
        value = FORMULAS[name]([Fraction(row[2], 2) for row in mine], [WEIGHT[row[3]] for row in mine], **stated)
        if value is not None:
            value = half_up(value)
            value = min(max(value, Fraction(0)), Fraction(4)) if name in BEYOND else value
        state = "insufficient" if value is None else "calculated"
        found[key] = (None if value is None else Decimal(value.numerator) / value.denominator, state)
    return found


@pytest.mark.parametrize(("name", "stated"), CASES, ids=lambda each: each if isinstance(each, str) else str(each))
@settings(max_examples=8, deadline=None)
@given(rows=EVIDENCE, order=st.integers(0, 10**6))
def test_levels_are_what_the_formula_says(
    name: str, stated: dict[str, Any], rows: list[tuple[str, str, int, str, int]], order: int
) -> None:
    compiled_mapping, evidence = MAPPINGS[name, str(stated)], frame(rows, order)
    assert everywhere(compiled_mapping, evidence) == expected(name, stated, rows)
    parts = [compiled_mapping.apply(part).levels for part in evidence.partition_by("student_id")]
    assert pl.concat(parts).sort("student_id", "competency").equals(compiled_mapping.apply(evidence).levels)


MAPPINGS = {(name, str(stated)): mapping(name, stated) for name, stated in CASES}


def test_part_count_and_row_order_change_no_byte_of_many_students() -> None:
    draw = random.Random(1)
    codes, categories = ["MATH.7.PS", "ELA.7.R"], list(WEIGHT)
    rows = [
        (f"S{draw.randrange(40):02}", draw.choice(codes), draw.randrange(9), draw.choice(categories),
         draw.randrange(1, 30))
        for _ in range(1500)
    ]  # fmt: skip
    for name in ("decaying_average", "power_law", "weighted_mean"):
        one = MAPPINGS[name, str(PARAMETERS.get(name, [{}])[0])]
        whole = one.apply(frame(rows, 0)).levels
        for count in (2, 3, 7):
            other = frame(rows, count)
            number = pl.col("student_id").str.slice(1).cast(pl.Int64) % count
            parts = merge_mapped(one.apply(other.filter(number == n)) for n in range(count))
            assert parts.levels.equals(whole)


def vectors(shared_data: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((shared_data / "vectors" / name).read_text(encoding="utf-8"))["vectors"]
    return found


WORDS = {
    "latest": "most_recent", "average": "mean", "n_mastery": "times_at_mastery",
    "mean_of_n_highest": "mean_of_highest", "mean_of_n_recent": "mean_of_most_recent",
    "median_of_n_recent": "median_of_most_recent",
}  # fmt: skip


def stated_by(case: dict[str, Any], name: str) -> dict[str, Any]:
    given = dict(case["params"])
    rate = given.pop("rate", None) or given.pop("weight", None)
    found: dict[str, Any] = {"newest": Fraction(rate, 100)} if rate else {}
    found |= {"count": given.pop("n")} if "n" in given else {}
    found |= {"mastery": 3} if name == "times_at_mastery" else {}
    found |= {"tie": {"recent": "most_recent"}.get(tie, tie)} if (tie := given.pop("tie", None)) else {}
    found |= {"zeros": "not_calculable"} if name in BEYOND and name != "linear_trend" else {}
    given.pop("clamp", None)
    assert not given, "every parameter of the vectors is understood"
    return found


def test_mappings_and_formulas_give_every_published_result(shared_data: Path) -> None:
    cases = vectors(shared_data, "mastery_methods.json")
    for case in cases:
        name = WORDS.get(case["method"], case["method"])
        low, high = case["params"].get("clamp", (0, 100))
        found = mapping(name, stated_by(case, name), scale=f"{{from: {low}, to: {high}}}")
        rows = [
            {"student_id": "S", "standard": "MATH.7.PS", "score": None if s is None else Decimal(str(s)),
             "scored_at": datetime.date(2026, 9, 1) + datetime.timedelta(days=n), "result_id": f"r{n:02}"}
            for n, s in enumerate(case["scores"])
        ]  # fmt: skip
        frame = pl.DataFrame(rows, schema_overrides={"score": pl.Decimal(18, 6)})
        level, state = everywhere(found, frame)["S", "MATH.7.PS"]
        assert level == (None if case["expected"] is None else Decimal(str(case["expected"]))), case
        assert state in (("calculated",) if level is not None else ("insufficient", "not_assessed")), case
        scores = [Fraction(str(s)) for s in case["scores"] if s is not None]
        formula = FORMULAS[name](scores, [Fraction(1)] * len(scores), **stated_by(case, name)) if scores else None
        rounded = None if formula is None else min(max(half_up(formula), Fraction(low)), Fraction(high))
        assert rounded == (None if case["expected"] is None else Fraction(str(case["expected"]))), case
    assert len(cases) == 27


def test_published_bands_are_scales(shared_data: Path) -> None:
    """Appleton's table (lower bounds inclusive) as bands: every published average lands in its band."""
    tables = json.loads((shared_data / "vectors" / "published_conversion_tables.json").read_text(encoding="utf-8"))
    rows = tables["appleton_madison_ms_wi"]["rows"]
    bands = [f"{{at_least: {low or 0}, level: {points}}}" for low, _, points in rows]
    text = f"""
mapping: bands
version: "1"
framework: f.json
scales: {{points: {{bands: [{", ".join(bands)}]}}}}
align: [{{codes: standard}}]
summarize: {{default: {{method: most_recent}}}}
"""
    cases = vectors(shared_data, "sbg_band_conversion.json")
    one = compiled(text)
    for case in cases:
        row = {"student_id": "S", "standard": "MATH.7.PS", "score": str(case["average"]), "scored_at": "2026-09-01"}
        assert everywhere(one, pl.DataFrame([row]))["S", "MATH.7.PS"][0] == Decimal(str(case["expected"][1])), case
    assert len(cases) == 13


def test_rutlands_gaps_are_found_when_the_file_is_checked(shared_data: Path) -> None:
    tables = json.loads((shared_data / "vectors" / "published_conversion_tables.json").read_text(encoding="utf-8"))
    ranges = [f"{{from: {low}, to: {high}, level: {n}}}" for n, (low, high, *_) in
              enumerate(reversed(tables["rutland_hs_vt_0_4_to_100"]["rows"]))]  # fmt: skip
    text = """
mapping: rutland
version: "1"
framework: f.json
scales: {s: {%sbands: [%s]}}
align: [{codes: standard}]
summarize: {default: {method: most_recent}}
"""
    with pytest.raises(Exception, match="fall into no band"):
        compiled(text % ("", ", ".join(ranges)))
    one = compiled(text % ("round_score: {places: 2}, ", ", ".join(ranges)))
    row = {"student_id": "S", "standard": "MATH.7.PS", "score": "3.745", "scored_at": "2026-09-01"}
    assert everywhere(one, pl.DataFrame([row]))["S", "MATH.7.PS"][0] == 7
