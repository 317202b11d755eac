"""Course attempts on their way to a connection that keeps transcripts: the rows of ``course_attempts``.

They come from a course file, with the results that a policy gives, or from the transcripts of a pull as they are. How
they travel: :mod:`.telling`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import polars as pl

from gateway.core.gpa.attempt_results import UNTOLD
from gateway.core.model import TABLES
from gateway.core.records import NAMESPACE

_KEY = ("student_id", "school_id", "school_year", "term", "course_code", "result")
LEFT = {
    "in progress or audited": pl.col("result").is_null(),
    "without a result that can be told": pl.col("result") == UNTOLD,
    "without a school, a school year or a term": pl.any_horizontal(pl.col(_KEY).is_null()),
    "of one course with one result in one term": pl.struct(_KEY).is_duplicated(),
}
"""What is not sent, by the words in which it is counted."""


def desired_attempts(attempts: pl.DataFrame, *, district: str) -> tuple[pl.DataFrame, Mapping[str, int]]:
    """The rows of ``course_attempts`` to send, and how many are not, by reason.

    The id is made of student, school, year, term, course and result: what a line of a transcript is known by."""
    left, rows = {}, attempts
    for why, which in LEFT.items():
        these = rows.select(which.fill_null(False)).to_series()
        if these.any():
            left[why] = int(these.sum())
            rows = rows.filter(~these)
    keys = rows.select(pl.concat_str(pl.col(_KEY).cast(pl.String), separator="/")).to_series()
    ids = [str(uuid.uuid5(NAMESPACE, "/".join((district, "attempt", key)))) for key in keys]
    rows = rows.with_columns(pl.Series("id", ids, dtype=pl.String), pl.lit("active").alias("status"))
    declared = TABLES["course_attempts"].schema
    return rows.select(
        pl.col(name).cast(dtype) if name in rows.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in declared.items()
    ).sort("id"), left
