"""Course attempts, read once for any number of policies: typed, coded, and with what is wrong noted by row.

Texts that take few values (grades, subjects, levels) become codes into a small vocabulary, so that a policy is asked
once for each value and not once for each of forty million rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from gateway.core.gpa.language import COURSE_COLUMNS
from gateway.core.gpa.problems import Problem
from gateway.core.model import LINE

TEXTS = ("student_id", "course_code", "title", "subject", "level", "grade", "term", "repeat_of", "status", "school_id")
CODED = ("subject", "level", "grade", "term", "status")
ROW = "_row"
STUDENT = "_student"
PROBLEM = "_problem"
"""A text column that a conversion may add: why a course has no grade (the name of a :class:`Problem`)."""

_NUMBER = r"^[+-]?\d{1,9}(\.\d{1,6})?$"
_TRUE = ("true", "1", "yes", "y", "x", "t")
_FALSE = ("false", "0", "no", "n", "f", "")


@dataclass(frozen=True, slots=True)
class Courses:
    """Prepared courses: one row an attempt, in the order of the input.

    ``rows`` has the texts of the file, ``<column>_code`` for coded columns, ``credit_micros``, ``score_micros``,
    ``core_flag``, ``ag_flag``, ``year`` (in which the school year ends), ``level_of_student`` and ``fault``.
    ``students`` holds the ids, sorted; ``vocabulary`` the values of coded columns; ``given`` the columns of the file.
    """

    rows: pl.DataFrame
    students: pl.Series
    vocabulary: Mapping[str, list[str]]
    given: frozenset[str]


def prepare_courses(courses: pl.DataFrame) -> Courses:
    """Read ``courses`` (columns of :data:`COURSE_COLUMNS`, any type; others are ignored) once for all policies."""
    given = frozenset(name for name in COURSE_COLUMNS if name in courses.columns)
    rows = courses.select(_columns(courses))
    vocabulary: dict[str, list[str]] = {}
    coded = []
    for column in CODED:
        values, codes = encoded(rows[column])
        vocabulary[column] = values.to_list()
        coded.append(codes.alias(f"{column}_code"))
    students, codes = encoded(rows["student_id"])
    rows = rows.with_columns(*coded, codes.cast(pl.UInt32).alias(STUDENT))
    return Courses(rows.with_columns(_faults(rows)), students, vocabulary, given)


def encoded(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The distinct values, sorted, and for each row the position of its value (null stays null)."""
    values = texts.unique().drop_nulls().sort()
    if values.is_empty():
        return values, pl.Series([None], dtype=pl.UInt32).new_from_index(0, len(texts))
    return values, texts.cast(pl.Enum(values)).to_physical()


def _columns(courses: pl.DataFrame) -> list[pl.Expr]:
    columns = [_text(courses, name).alias(name) for name in TEXTS]
    credit, credit_unread = _micros(courses, "credit")
    score, score_unread = _micros(courses, "score")
    problem = pl.col(PROBLEM) if PROBLEM in courses.columns else pl.lit(None, pl.String)
    line = pl.col(LINE) if LINE in courses.columns else pl.int_range(1, pl.len() + 1)
    return [
        *columns,
        credit.alias("credit_micros"),
        credit_unread.alias("credit_unread"),
        score.alias("score_micros"),
        score_unread.alias("score_unread"),
        _flag(courses, "core").alias("core_flag"),
        _ag(courses).alias("ag_flag"),
        _year(courses).alias("year"),
        _whole(courses, "grade_level").alias("level_of_student"),
        _day(courses).alias("completed"),
        problem.alias(PROBLEM),
        line.cast(pl.Int64).alias("line"),
        pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW),
    ]


def _text(courses: pl.DataFrame, name: str) -> pl.Expr:
    if name not in courses.columns:
        return pl.lit(None, pl.String)
    column = pl.col(name)
    if courses.schema[name].is_float():
        column = pl.when(column == column.round()).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(
            column.cast(pl.String)
        )  # fmt: skip
    text = column.cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


def _micros(courses: pl.DataFrame, name: str) -> tuple[pl.Expr, pl.Expr]:
    """A number in micros, and whether there was something that is no number of at most six places."""
    if name not in courses.columns:
        return pl.lit(None, pl.Int64), pl.lit(False)
    dtype, column = courses.schema[name], pl.col(name)
    if dtype.is_float():
        micros = (column * 1_000_000).round()
        exact = column.is_finite() & ((column * 1_000_000 - micros).abs() < 0.001) & (column.abs() < 1e9)
        return pl.when(exact).then(micros).cast(pl.Int64), column.is_not_null() & ~exact.fill_null(False)
    if isinstance(dtype, pl.Decimal) or dtype.is_integer():
        wide = column.cast(pl.Decimal(38, 10))
        value = wide.cast(pl.Decimal(18, 6), strict=False)
        exact = value.cast(pl.Decimal(38, 10)) == wide
        return _physical(pl.when(exact).then(value)), column.is_not_null() & ~exact.fill_null(False)
    text = _text(courses, name)
    value = pl.when(text.str.contains(_NUMBER)).then(text).cast(pl.Decimal(18, 6), strict=False)
    return _physical(value), text.is_not_null() & value.is_null()


def _physical(decimal: pl.Expr) -> pl.Expr:
    return decimal.cast(pl.Decimal(18, 6)).to_physical().cast(pl.Int64)


def _flag(courses: pl.DataFrame, name: str) -> pl.Expr:
    """Yes, no (an empty cell is a no), or null for anything else."""
    if name not in courses.columns:
        return pl.lit(None, pl.Boolean)
    if courses.schema[name] == pl.Boolean:
        return pl.col(name).fill_null(False)
    text = _text(courses, name).fill_null("").str.to_lowercase()
    return pl.when(text.is_in(_TRUE)).then(True).when(text.is_in(_FALSE)).then(False)


def _ag(courses: pl.DataFrame) -> pl.Expr:
    """An a–g subject is a letter from A to G, or a plain yes."""
    if "ag" not in courses.columns or courses.schema["ag"] == pl.Boolean:
        return _flag(courses, "ag")
    text = _text(courses, "ag").fill_null("").str.to_lowercase()
    letter = text.str.contains("^[a-g]$")
    return pl.when(letter | text.is_in(_TRUE)).then(True).when(text.is_in(_FALSE)).then(False)


def _year(courses: pl.DataFrame) -> pl.Expr:
    """The year in which the school year ends: ``2025-2026``, ``2025-26``, ``2025/26`` and ``2026`` are 2026."""
    text = _text(courses, "school_year")
    last = text.str.extract(r"^\d{2}(\d{2})\s*[-/–]\s*(?:\d{2})?\d{2}$").cast(pl.Int64, strict=False)
    first = text.str.extract(r"^(\d{4})\s*[-/–]").cast(pl.Int64, strict=False)
    alone = text.str.extract(r"^(\d{4})$").cast(pl.Int64, strict=False)
    ends = text.str.extract(r"(\d{2})$").cast(pl.Int64, strict=False)
    follows = ends == (last + 1) % 100
    return pl.when(follows).then(first + 1).otherwise(alone).cast(pl.Int32)


def _whole(courses: pl.DataFrame, name: str) -> pl.Expr:
    return _text(courses, name).str.extract(r"^0?(\d{1,2})(?:th|\.0)?$").cast(pl.Int32, strict=False)


def _day(courses: pl.DataFrame) -> pl.Expr:
    if "completed_on" not in courses.columns:
        return pl.lit(None, pl.Date)
    if courses.schema["completed_on"].is_temporal():
        return pl.col("completed_on").cast(pl.Date)
    return _text(courses, "completed_on").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def _faults(rows: pl.DataFrame) -> pl.Series:
    """What is wrong with a row whatever the policy, as a :class:`Problem`'s number; 0 is nothing."""
    twice = _same_slot(rows)
    fault = (
        pl.when(pl.col("student_id").is_null()).then(Problem.NO_STUDENT.number)
        .when(pl.col("course_code").is_null()).then(Problem.NO_COURSE.number)
        .when(pl.col("credit_unread")).then(Problem.CREDIT_UNREADABLE.number)
        .when(pl.col("credit_micros") < 0).then(Problem.CREDIT_NEGATIVE.number)
        .when(pl.col("score_unread")).then(Problem.SCORE_UNREADABLE.number)
        .when(pl.col(PROBLEM).is_not_null()).then(Problem.NO_GRADE_FROM_LEVELS.number)
        .when(pl.lit(False) if twice is None else pl.lit(twice)).then(Problem.SAME_SLOT.number)
        .otherwise(0)
    )  # fmt: skip
    return rows.select(fault.cast(pl.UInt8).alias("fault")).to_series()


def _same_slot(rows: pl.DataFrame) -> pl.Series | None:
    """Rows that say the same course in the same year and term (both known) more than once, if there are any."""
    slot = [STUDENT, "course_code", "year", "term_code", "school_id", "repeat_of"]
    keys = rows.select(pl.struct(slot).hash()).to_series()
    if keys.n_unique() == len(keys):
        return None
    known = pl.col("year").is_not_null() & pl.col("term_code").is_not_null()
    return rows.select((pl.struct(slot).is_duplicated() & known).fill_null(False)).to_series()
