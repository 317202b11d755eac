"""The most that one course can count in a school year, however many rows it has.

Three trimesters of 0.34 units are 1.02: where a course counts 1.0 at most, the one with the lowest grade counts 0.32.
"""

from __future__ import annotations

import polars as pl

from gateway.core.gpa.counting import Why
from gateway.core.gpa.courses import ROW, SHARED, STUDENT, Courses
from gateway.core.gpa.frames import added, kept, ordered, spread
from gateway.core.gpa.policy import Policy
from gateway.core.gpa.repeats import AVERAGED, term_order

_COURSE = [STUDENT, "course_code", "year"]


def cap_courses(policy: Policy, courses: Courses, rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with ``units`` and ``earned`` cut where the parts of one course are together more than it can count.

    A row's own credit was cut before. Attempts that were averaged share their credit already and are left alone.
    """
    most = policy.credit.at_most
    if most is None or not rows[SHARED].any():
        return rows
    counts = pl.col(SHARED) & (pl.col("why") == int(Why.USED)) & (pl.col("fault") == 0) & (pl.col(AVERAGED) == 1)
    part = kept(rows, counts)
    part = added(part, term_order(courses.vocabulary["term"]), pl.struct(_COURSE).rank("dense").alias("course"))
    part = kept(part, pl.col("units").sum().over("course") > most)
    if part.is_empty():
        return rows
    part = ordered(part, ["course", "points", "completed", "term_order", "line"], [False, True, False, False, False])
    before = pl.col("units").cum_sum().over("course") - pl.col("units")
    part = added(part, pl.min_horizontal("units", (most - before).clip(lower_bound=0)).alias("room"))
    room = pl.lit(spread(part, "room", ROW, len(rows)))
    return added(
        rows,
        pl.coalesce(room, "units").alias("units"),
        pl.min_horizontal("earned", pl.coalesce(room, "earned")).alias("earned"),
        pl.when(room == 0).then(int(Why.FULL)).otherwise("why").cast(pl.UInt8).alias("why"),
    )
