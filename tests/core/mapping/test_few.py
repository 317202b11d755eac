"""Few results are mapped row by row, many in tables: both give the same bytes."""

from __future__ import annotations

import datetime
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.mapping import CompiledMapping, Mapped
from gateway.core.mapping.examples import example_evidence
from gateway.mappings import load_mapping
from tests.core.mapping.conftest import compiled, evidence
from tests.core.mapping.test_trace import CROSSWALK, rows

SCHOOLS = Path(__file__).parent.parent.parent.parent / "mappings" / "schools"

TEXT = """
mapping: plain
version: "1"
framework: f.json
scale: four
scales:
  four: {proficient: 3, numeric: {from: 0, to: 4, step: 0.5}, states: {M: missing, EX: excused, I: incomplete}}
  percent:
    onto: four
    percent_of_maximum: true
    bands: [{at_least: 90, level: 4}, {at_least: 70, level: 3}, {at_least: 0, level: 1}]
  habits: {proficient: 2, numeric: {from: 0, to: 3}}
states: {incomplete: block, missing: {level: 0}}
evidence:
  - {name: habits, when: {category: Habits}, scale: habits}
  - {name: ignored, when: {category: Practice}, set_aside: only practice}
  - {name: points, when: {category: Points, max_score: {at_least: 1}}, scale: percent, priority: 2}
  - {name: quiz, when: {category: Quiz}, scale: four, weight: 0}
  - {name: formative, when: {category: Formative}, scale: four, weight: 0.15, cap: 0.15}
  - {name: dated, when: {scored_at: {from: 2026-09-07}, category: Final}, scale: four, weight: 1.5}
  - {name: usual, when: {category: [Summative, null]}, scale: four}
align:
  - learning_objectives: case
  - crosswalk: crosswalk
  - codes: standard
summarize:
  HOW: {method: most_recent, scale: habits}
  MATH.7.PS: {method: weighted_mean}
  MATH.7.RE: {method: power_law, zeros: drop, at_least: 2}
  MATH.8.PS: {method: mode, tie: mean, round: {places: 1}}
  ELA.7.R: {method: best_fit, zeros: drop}
  ELA.8.R: {method: weighted_average, newest: 0.6, round: {step: 0.5, mode: half_even}}
  default: {method: decaying_average, newest: 0.65}
roll_up:
  - {to: [MATH], of: children, method: weighted_mean, weights: {MATH.7.*: 2}}
  - {to: top_level, method: mean, round: {places: 1}}
continuum: {domains: [MATH, ELA], work_at: lowest_incomplete, pace: {days: 30, at_least_days: 2}}
"""

PLAIN = compiled(TEXT, crosswalks={"crosswalk": CROSSWALK})
TABLES = ("levels", "continuum", "credits", "unmatched", "placement")


def in_tables(mapping: CompiledMapping, frame: pl.DataFrame, as_of: datetime.date | None) -> Mapped:
    return mapping.summarise(mapping.collect(frame, as_of=as_of), evidence=frame.height, as_of=as_of)


def assert_same(mapping: CompiledMapping, frame: pl.DataFrame, as_of: datetime.date | None = None) -> None:
    assert mapping.few is not None
    few, many = mapping.few.apply(frame, as_of), in_tables(mapping, frame, as_of)
    for name in TABLES:
        one, other = getattr(few, name), getattr(many, name)
        assert one.schema == other.schema, name
        assert one.equals(other), (name, one.rows(), other.rows())
    assert (few.evidence, few.used, dict(few.set_aside)) == (many.evidence, many.used, dict(many.set_aside))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), count=st.integers(0, 90), as_of=st.sampled_from([None, datetime.date(2026, 9, 6)]))
def test_row_by_row_and_in_tables_give_the_same(seed: int, count: int, as_of: datetime.date | None) -> None:
    grades = random.Random(seed)
    given_rows: list[dict[str, Any]] = [{**row, "grade": grades.choice(["07", "8", None])} for row in rows(seed, count)]
    assert_same(PLAIN, evidence(given_rows or [{"standard": "MATH.7.PS", "score": "3"}]), as_of)


@pytest.mark.parametrize("path", sorted(SCHOOLS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_of_every_school_are_the_same_both_ways(path: Path) -> None:
    mapping = load_mapping(path)
    for example in mapping.examples if mapping.few else ():
        assert_same(mapping, example_evidence(example["evidence"]), example.get("as_of"))


def test_results_without_a_student_or_a_time() -> None:
    frame = evidence([
        {"standard": "MATH.7.PS", "score": "3", "student_id": None},
        {"standard": "MATH.7.PS", "score": "2", "scored_at": None},
        {"standard": "nowhere", "score": "2", "scored_at": None},
    ])  # fmt: skip
    assert_same(PLAIN, frame)


def test_a_mapping_with_parts_that_need_tables_has_no_other_way() -> None:
    assert load_mapping(SCHOOLS / "building-21.yaml").few is None
    assert load_mapping(SCHOOLS / "tilton.yaml").few is None
    assert load_mapping(SCHOOLS / "northern-cass.yaml").few is not None
