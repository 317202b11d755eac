"""The small tables beside a course file: catalogue, students, levels, days without school, overrides; CSV or XLSX.

Columns are found by name as in a course file. Each is held in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.errors import ConfigurationError, DataError, GatewayError, Place, raise_problems
from gateway.core.gpa.catalogue import FILLED
from gateway.core.gpa.columns import match_columns
from gateway.core.gpa.compute import Calendar
from gateway.core.gpa.conversion import LEVEL_COLUMNS
from gateway.core.gpa.overrides import COURSE_KEYS, Override
from gateway.core.gpa.students import FACTS
from gateway.core.model import LINE
from gateway.table_file import read_table

LEVELS = (*LEVEL_COLUMNS, "weight_as", "school_year", "term", "grade_level", "school_id", "completed_on")
"""The columns of a table of levels; the last five say when and where the course was taken."""

OVERRIDES = ("student_id", "policy", "gpa", *COURSE_KEYS, "column", "value", "person", "reason", "on")
"""The columns of a file of overrides: ``gpa`` under a ``policy``, or ``value`` for a ``column`` of one course."""


def read_catalogue(path: Path) -> pl.DataFrame:
    """The course catalogue at ``path``. Raises :class:`GatewayError` when it is none."""
    return _read(path, "the catalogue", ("course_code", "school_id", *FILLED), ("course_code",))


def read_student_facts(path: Path) -> pl.DataFrame:
    """What is known of students beside their courses, with the groups that a class rank needs."""
    return _read(path, "the table of students", ("student_id", *FACTS, "school_id", "grade_level"), ("student_id",))


def read_levels(path: Path) -> pl.DataFrame:
    """Competency levels, one row a student, course and competency; Parquet as well."""
    return _read(path, "the table of levels", LEVELS, LEVEL_COLUMNS)


def read_calendar(path: Path) -> Calendar:
    """The days without school, one a row (``date``); what comes after the last of them is not known."""
    rows = _read(path, "the calendar", ("date",), ("date",))
    days, problems = [], []
    for line, text in rows.select(LINE, "date").rows():
        try:
            days.append(date.fromisoformat((text or "")[:10]))
        except ValueError:
            problems.append(_problem(path, line, "This is no date.", "Write it such as 2026-01-31."))
    raise_problems(problems)
    if not days:
        raise DataError(f"{path} has no day.", hint="Name the days without school.", code="gpa.file")
    return Calendar(frozenset(days), max(days))


def read_overrides(path: Path, *, on: date) -> list[Override]:
    """The overrides in the file at ``path``, as of ``on`` where a row has no date of its own.

    Raises :class:`ConfigurationError` with the line of every row that is none.
    """
    rows = _read(path, "the file of overrides", OVERRIDES, ("student_id", "person", "reason"))
    found: list[Override] = []
    problems: list[ConfigurationError] = []
    for row in rows.iter_rows(named=True):
        try:
            found.append(_override(row, on))
        except GatewayError as error:
            problems.append(_problem(path, row[LINE], error.message, error.hint))
    raise_problems(problems)
    return found


def _override(row: dict[str, Any], on: date) -> Override:
    column, value = row.get("column"), row.get("value")
    course = {key: row[key] for key in COURSE_KEYS if row.get(key)}
    if not row["student_id"]:
        raise DataError("An override names no student.", hint="Fill student_id.", code="gpa.override")
    if row.get("gpa") and not row.get("policy"):
        raise DataError("An override of a GPA names no policy.", hint="Fill policy.", code="gpa.override")
    try:
        gpa = Decimal(row["gpa"]) if row.get("gpa") else None
        day = date.fromisoformat(row["on"][:10]) if row.get("on") else on
    except (InvalidOperation, ValueError) as error:
        raise DataError(
            "A GPA or a date cannot be read.", hint="Write 3.25, 2026-01-31.", code="gpa.override"
        ) from error
    return Override(
        row["student_id"], row.get("person") or "", row.get("reason") or "", day, gpa=gpa, policy=row.get("policy"),
        values={column: value} if column else None, course=course or None,
    )  # fmt: skip


def _read(path: Path, what: str, columns: Sequence[str], required: Sequence[str]) -> pl.DataFrame:
    if path.suffix.lower() == ".parquet":
        frame = pl.read_parquet(path)
        frame = frame if LINE in frame.columns else frame.with_row_index(LINE, offset=1)
    else:
        frame = read_table(path)
    match = match_columns(frame.columns, f"{what} {path}", columns=columns, required=required)
    return frame.select(*(pl.col(name).alias(column) for name, column in match.matched.items()), pl.col(LINE))


def _problem(path: Path, line: int, message: str, hint: str | None) -> ConfigurationError:
    return ConfigurationError(message, hint=hint or "", code="gpa.override", place=Place(str(path), line))
