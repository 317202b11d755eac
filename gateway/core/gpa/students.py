"""What is known of students beside their courses, such as residency, class rank and test scores."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from gateway.core.errors import DataError

FACTS: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "residency": pl.String(),
        "top_half": pl.Boolean(),
        "act": pl.Int64(),
        "sat": pl.Int64(),
        "seventh_semester_on": pl.Date(),
        "graduated_on": pl.Date(),
    }
)
"""The columns of a table of students beside ``student_id``; each may be missing."""

_YES, _NO = ("true", "yes", "y", "1", "x"), ("false", "no", "n", "0")


_NOBODY = pl.DataFrame(schema={"student_id": pl.String(), **FACTS})


def read_students(students: pl.DataFrame | None) -> pl.DataFrame:
    """``student_id`` and all of :data:`FACTS`, typed; text is read, and what cannot be read is unknown.

    Raises :class:`DataError` (``gpa.students``) for a student with two rows, or without ``student_id``.
    """
    if students is None:
        return _NOBODY
    if "student_id" not in students.columns:
        raise DataError("The table of students has no student_id.", hint="Add it.", code="gpa.students")
    if students["student_id"].is_duplicated().any():
        raise DataError("A student stands twice in the table of students.", hint="Keep one row.", code="gpa.students")
    return students.select(
        pl.col("student_id").cast(pl.String),
        *(_fact(students, name, dtype).alias(name) for name, dtype in FACTS.items()),
    )


def _fact(students: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Expr:
    if name not in students.columns:
        return pl.lit(None, dtype)
    if students.schema[name] != pl.String:
        return pl.col(name).cast(dtype, strict=False)
    text = pl.col(name).str.strip_chars()
    if dtype == pl.Date:
        return text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    if dtype == pl.Boolean:
        word = text.str.to_lowercase()
        return pl.when(word.is_in(_YES)).then(True).when(word.is_in(_NO)).then(False)
    return text.cast(dtype, strict=False)
