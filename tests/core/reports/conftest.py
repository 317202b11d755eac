"""Random evidence of a small district, and the mapping that reads it."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import strategies as st

from gateway.core.mapping import CompiledMapping
from tests.core.mapping.conftest import BASE, compiled

START = datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC)
CODES = ("MATH.7.PS", "MATH.8.PS", "ELA.7.R")
COLUMNS = {
    "student_id": pl.String, "standard": pl.String, "score": pl.Decimal(18, 6), "scored_at": pl.Datetime("ms", "UTC"),
    "result_id": pl.String, "line_item_id": pl.String, "scorer_id": pl.String, "school_id": pl.String,
    "course_code": pl.String, "class_id": pl.String, "grade": pl.String,
}  # fmt: skip


def mapping(more: str = "continuum: {domains: top_level}") -> CompiledMapping:
    return compiled(f"{BASE}{more}\n")


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    full = [{"result_id": f"r{n:04}", **row, "score": Decimal(row["score"])} for n, row in enumerate(rows)]
    return pl.DataFrame([{name: row.get(name) for name in COLUMNS} for row in full], schema=COLUMNS)


scores = st.fixed_dictionaries(
    {
        "student_id": st.sampled_from([f"S{n}" for n in range(6)]),
        "standard": st.sampled_from(CODES),
        "score": st.sampled_from(["1", "1.5", "2", "3", "4"]),
        "scored_at": st.integers(0, 200).map(lambda n: START + datetime.timedelta(days=n)),
        "line_item_id": st.sampled_from(["L1", "L2", "L3", None]),
        "scorer_id": st.sampled_from(["T1", "T2", "T3", None]),
        "school_id": st.sampled_from(["A", "B"]),
        "course_code": st.sampled_from(["C1", "C2"]),
        "class_id": st.sampled_from(["K1", "K2"]),
        "grade": st.sampled_from(["07", "09"]),
    }
)
evidence_rows = st.lists(scores, min_size=1, max_size=60)
