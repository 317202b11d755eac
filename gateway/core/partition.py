"""Partitions by student: which part of the big tables a student's rows stand in, today and on any machine."""

from __future__ import annotations

import zlib

import polars as pl

ROWS_PER_PART = 100_000
MOST_PARTS = 256
STUDENT_TABLES = ("results", "result_learning_objectives", "result_score_scales")
"""Results by their student, what belongs to a result with it."""
PARTITIONED_TABLES = (*STUDENT_TABLES, "course_attempts")
"""All tables that are cut by student."""


def parts_for(rows: int) -> int:
    """How many parts a snapshot with so many results, or course attempts, is written in."""
    return max(1, min(MOST_PARTS, -(-rows // ROWS_PER_PART)))


def part_of(students: pl.Series, parts: int) -> pl.Series:
    """The part (from 0) of each student id: CRC-32 modulo ``parts``, which no library version changes."""
    if parts == 1:
        return pl.Series("part", [0], dtype=pl.UInt32).new_from_index(0, len(students))
    distinct = students.unique().drop_nulls()
    numbers = [zlib.crc32(student.encode()) % parts for student in distinct]
    return students.replace_strict(distinct, pl.Series(numbers, dtype=pl.UInt32), default=0, return_dtype=pl.UInt32)
