"""The GPA report as a table for spreadsheets: one row a course, every row with its GPA, policy and document code."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.gpa.compute import GpaResult
from gateway.core.gpa.trace import TRACE
from gateway.course_files import result_rows, write_table
from gateway.documents.gpa_report import Student
from gateway.documents.page import Frame
from gateway.documents.policy_words import range_words

_OF_THE_GPA = ("student_id", "policy", "version", "period", "gpa", "state", "credits", "standing", "reason")


def report_table(results: Sequence[GpaResult], student: Student) -> pl.DataFrame:
    """The rows of one student; a GPA without courses has one row."""
    gpas = result_rows(results).filter(pl.col("student_id") == student.id).select(_OF_THE_GPA)
    scales = pl.DataFrame(
        {
            "policy": [each.policy.name for each in results],
            "scale": [range_words(each.policy) for each in results],
            "label": [each.policy.label for each in results],
        },
        schema={"policy": pl.String, "scale": pl.String, "label": pl.String},
    )
    traces = [each.trace for each in results if each.trace is not None]
    keys = ["student_id", "policy", "version", "period"]
    joined = gpas.join(scales, on="policy", how="left", maintain_order="left")
    if traces:
        joined = joined.join(pl.concat(traces), on=keys, how="left", maintain_order="left_right")
    courses = [name for name in TRACE if name not in keys and name in joined.columns]
    return joined.select(pl.lit(student.name).alias("student_name"), *_OF_THE_GPA, "scale", "label", *courses)


def make_table(frame: Frame, content: Mapping[str, Any]) -> bytes:
    """The table as the bytes of a file with the ``ending`` in ``content``; no cell acts as a formula."""
    rows: pl.DataFrame = content["rows"]
    marked = rows.select(
        pl.lit(frame.code or "preview, not issued").alias("verification_code"),
        pl.lit(frame.school.name).alias("school"),
        pl.lit(frame.recipient).alias("recipient"),
        pl.lit(f"{frame.when:%Y-%m-%dT%H:%M:%S%z}").alias("issued_at"),
        pl.all(),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table.{content['ending']}"
        write_table(marked, path, title="GPA report")
        return path.read_bytes()
