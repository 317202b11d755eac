"""The exact trace of one student and the calculation for all students at once give the same levels."""

from __future__ import annotations

import datetime
import random
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.mapping import CompiledMapping, merge_mapped
from gateway.core.mapping.collect import NO_TIME
from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.trace import trace
from tests.core.mapping.conftest import compiled, evidence

TEXT = """
mapping: everything
version: "1"
framework: f.json
columns: [area]
scale: four
scales:
  four: {proficient: 3, numeric: {from: 0, to: 4, step: 0.5}, states: {M: missing, EX: excused, I: incomplete}}
  percent:
    onto: four
    percent_of_maximum: true
    bands: [{at_least: 90, level: 4}, {at_least: 70, level: 3}, {at_least: 0, level: 1}]
  parts: {onto: four, numeric: {from: 0, to: 4}, rescale: true}
  easier: {onto: four, marks: {"1": 2, "2": 3, "3": 4}, modified: true}
  habits: {proficient: 2, numeric: {from: 0, to: 3}}
states: {incomplete: block}
evidence:
  - {name: hands, when: {category: Override}, scale: four, override: true}
  - {name: habits, when: {category: Habits}, scale: habits}
  - {name: ignored, when: {category: Practice}, set_aside: only practice}
  - {name: quiz, when: {category: Quiz}, scale: parts, pool: line_item_id, weight: 0.5}
  - {name: points, when: {category: Points, max_score: {at_least: 1}}, scale: percent, priority: 2}
  - {name: formative, when: {category: Formative}, scale: four, weight: 0.15, cap: 0.15}
  - {name: final, when: {category: Final}, scale: four}
  - {name: usual, when: {category: [Summative, null]}, scale: four}
align:
  - learning_objectives: case
  - crosswalk: crosswalk
  - codes: standard
summarize:
  HOW: {method: most_recent, scale: habits}
  MATH.7.PS: {method: weighted_mean, cap_alone: count}
  MATH.7.RE: {method: power_law, zeros: drop, at_least: 2}
  MATH.8.PS: {method: mode, tie: mean, round: {places: 1}}
  ELA.7.R: {method: best_fit, zeros: drop}
  ELA.8.R: {method: weighted_average, newest: 0.6, round: {step: 0.5, mode: half_even}}
  default: {method: decaying_average, newest: 0.65}
roll_up:
  - {to: top_level, method: mean, round: {places: 1}}
  - {to: [HOW], method: highest, scale: habits}
modified_scales: modified
overrides: overrides
"""

CROSSWALK = pl.DataFrame(
    {"standard": ["L.1", "L.1", "L.2", "L.3*"], "competency": ["MATH.7.PS", "MATH.8.RE", "MATH.7.PS", "ELA.7.R"],
     "weight": ["1", "0.5", None, "2"]}
)  # fmt: skip
MODIFIED = pl.DataFrame(
    {"student_id": ["S1"], "competency": ["MATH.8"], "scale": ["easier"], "by": ["A. Teacher"], "reason": ["IEP"]}
).with_columns(competency=pl.lit("MATH.8.PS"))
OVERRIDES = pl.DataFrame(
    {"student_id": ["S2"], "competency": ["ELA.8.R"], "level": ["3.5"], "by": ["A. Lead"], "reason": ["portfolio"],
     "on": ["2026-09-05"]}
)  # fmt: skip


def everything() -> CompiledMapping:
    tables = {"crosswalk": CROSSWALK, "modified": MODIFIED, "overrides": OVERRIDES}
    return compiled(TEXT, crosswalks=tables)


MAPPING = everything()

CHOICES: dict[str, list[Any]] = {
    "student_id": ["S1", "S1", "S2"],
    "standard": ["MATH.7.PS", "MATH.7.PS", "MATH.7.RE", "MATH.8.PS", "MATH.8.RE", "ELA.7.R", "ELA.7.R", "ELA.8.R",
                 "ELA.8.R", "HOW.1", "MATH", "L.1", "L.2", "L.33", "nowhere", None],
    "competency": [None] * 8 + ["m7ps", "URN:UUID:e8r"],
    "category": ["Summative"] * 4 + ["Formative"] * 4 + [None, "Final", "Quiz", "Quiz", "Points", "Habits", "Practice",
                                                        "Override", "Unknown"],
    "score": ["0", "1", "1.5", "2", "2.5", "3", "3.5", "4"] * 3 + ["7", "M", "EX", "I", None, "huh"],
    "max_score": ["4", "5", "8", None],
    "scored_at": [datetime.datetime(2026, 9, day, tzinfo=datetime.UTC) for day in range(1, 10)] + [None],
    "line_item_id": ["quiz1", "quiz2", None],
    "status": [None, None, None, None, "fully graded", "fully graded", "exempt", "submitted"],
    "missing": [None] + [False] * 12 + [True],
    "late": [True, False],
    "override_by": [None, "A. Teacher"],
}  # fmt: skip
"""Values by column; more frequent ones stand there more often."""


def rows(seed: int, count: int) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    found: list[dict[str, Any]] = []
    for n in range(count):
        row = {name: draw.choice(values) for name, values in CHOICES.items()}
        row |= {"override_reason": "seen in class", "result_id": draw.choice(["r1", "r2", f"own{n}", f"own{n}", None])}
        again = draw.random() < 0.1 and found  # the same result by another code
        found.append({**draw.choice(found), "standard": row["standard"]} if again else row)
    return found


def shown(mapping: CompiledMapping, frame: pl.DataFrame, as_of: datetime.date | None) -> dict[tuple[str, str], Any]:
    levels = mapping.apply(frame, as_of=as_of).levels
    return {
        (row["student_id"], row["competency"]): (
            row["level"], row["state"], row["evidence_count"],
            row["first_scored_at"] and row["first_scored_at"].date(),
            row["last_scored_at"] and row["last_scored_at"].date(),
        )
        for row in levels.rows(named=True)
    }  # fmt: skip


def day(milliseconds: int | None) -> datetime.date | None:
    if milliseconds in (None, NO_TIME):
        return None
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC).date()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**9), count=st.integers(0, 90), as_of=st.sampled_from([None, datetime.date(2026, 9, 6)]))
def test_the_trace_gives_the_same_levels_states_counts_and_dates(
    seed: int, count: int, as_of: datetime.date | None
) -> None:
    frame = evidence(rows(seed, count) or [CHOSEN])
    traced = {
        (student, MAPPING.label(id)): (
            None if level.level is None else from_micros(level.level, MAPPING.places), str(level.state), level.count,
            day(level.first), day(level.last),
        )
        for student in frame["student_id"].unique()
        for id, level in trace(MAPPING, frame, student, as_of).levels.items()
    }  # fmt: skip
    assert traced == shown(MAPPING, frame, as_of)


CHOSEN = {"standard": "MATH.7.PS", "score": "3"}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**9), count=st.integers(1, 90))
def test_neither_order_nor_partition_changes_a_byte(seed: int, count: int) -> None:
    frame = evidence(rows(seed, count))
    whole = MAPPING.apply(frame)
    shuffled = frame.sample(fraction=1, shuffle=True, seed=seed % 1000)
    parts = merge_mapped(MAPPING.apply(part) for part in shuffled.partition_by("student_id"))
    for name in ("levels", "continuum", "credits", "unmatched"):
        assert getattr(parts, name).equals(getattr(whole, name)), name
    assert (parts.evidence, parts.used, dict(parts.set_aside)) == (whole.evidence, whole.used, dict(whole.set_aside))
