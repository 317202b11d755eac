"""Course attempts, read once for any number of policies: typed, coded, and with what is wrong noted by row.

Texts that take few values (grades, subjects, levels) become codes into a small vocabulary, so that a policy is asked
once for each value and not once for each of forty million rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.gpa.frames import added, full, selected
from gateway.core.gpa.language import COURSE_COLUMNS
from gateway.core.gpa.problems import Problem
from gateway.core.mapping.rounding import to_micros
from gateway.core.model import LINE

CODED = ("subject", "level", "grade", "term", "status")
ROW = "_row"
STUDENT = "_student"
SHARED = "_shared"
PROBLEM = "_problem"
"""A text column that a conversion may add: why a course has no grade from its levels, in words."""

UNREAD = "_unread"
"""A text column that says why a row of a file could not be read, where its student still could."""
OVERRIDE_PROBLEM = "_override_problem"
"""A text column that says why an override of a course could not be applied, so that its student waits."""

OVERRIDE = "override"
"""A text column that says who changed a course's values by hand, when and why."""

_PLAIN = ("student_id", "course_code", "title", "repeat_of", "school_id")
_FEW_ROWS = 512
_MANY_VALUES = 10_000
_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,6})?0*")
_YEARS = re.compile(r"(\d{4})(?:\s*[-/–]\s*(?:\d{2})?(\d{2}))?")
_GRADE_LEVEL = re.compile(r"0?(\d{1,2})(?:th|\.0)?", re.IGNORECASE)
_YES = ("true", "1", "yes", "y", "x", "t")
_NO = ("false", "0", "no", "n", "f")

UNREADABLE = -2 * 10**15
"""Stands in a column of micros for a text that is no number; no number of a file is so small."""
UNCLEAR = -1
"""Stands in a flag's column (1 yes, 0 no, empty for an empty cell) for a text that is neither."""


@dataclass(frozen=True, slots=True)
class Courses:
    """Prepared courses: one row an attempt, in the order of the input.

    ``rows`` has the plain texts of the file, ``<column>_code`` for coded columns, ``credit_micros``, ``score_micros``,
    ``core_flag``, ``ag_flag``, ``year`` (in which the school year ends), ``level_of_student``, ``completed``,
    ``_shared`` (the student has another row of this code) and ``fault``. ``students`` holds the ids, sorted;
    ``vocabulary`` the values of coded columns, sorted; ``given`` the columns of the file.
    """

    rows: pl.DataFrame
    students: pl.Series
    vocabulary: Mapping[str, list[str]]
    given: frozenset[str]


def prepare_courses(courses: pl.DataFrame) -> Courses:
    """Read ``courses`` (columns of :data:`COURSE_COLUMNS`, any type; others are ignored) once for all policies."""
    given = frozenset(name for name in COURSE_COLUMNS if name in courses.columns)
    texts = _texts(courses)
    vocabulary: dict[str, list[str]] = {}
    columns = [texts[name] for name in _PLAIN]
    for name in CODED:
        vocabulary[name], codes = coded(texts[name])
        columns.append(codes.alias(f"{name}_code"))
    for name, column, read, dtype in _READ:
        columns.append(_values(texts[name], read, dtype).alias(column))
    students, codes = coded(texts["student_id"])
    columns.append(codes.alias(STUDENT))
    columns += _provenance(courses)
    columns.append(_shared(codes, texts["course_code"]))
    rows = pl.DataFrame(columns)
    faults = _faults(rows, [name for name in (UNREAD, PROBLEM, OVERRIDE_PROBLEM) if name in courses.columns])
    return Courses(added(rows, faults), pl.Series(students, dtype=pl.String), vocabulary, given)


def _shared(students: pl.Series, codes: pl.Series) -> pl.Series:
    """Whether a student has another row of the same course code."""
    if len(codes) <= _FEW_ROWS:
        pairs = list(zip(students.to_list(), codes.to_list(), strict=True))
        counts = Counter(pairs)
        return pl.Series(SHARED, [counts[pair] > 1 for pair in pairs], dtype=pl.Boolean)
    keys = pl.select(pl.struct(students.alias("s"), codes.alias("c")).hash()).to_series()
    if keys.n_unique() == len(keys):
        return full(False, len(keys), pl.Boolean()).alias(SHARED)
    return keys.is_duplicated().alias(SHARED)


def _texts(courses: pl.DataFrame) -> Mapping[str, pl.Series]:
    """Every column as text without surrounding space, empty text as null.

    In a large table, texts that are to be :func:`coded` stay as they are: their distinct values are cleaned there.
    """
    schema = dict(courses.schema)
    found: dict[str, pl.Series] = {}
    few = len(courses) <= _FEW_ROWS
    nothing = full(None, len(courses), pl.String())
    for name in COURSE_COLUMNS:
        dtype = schema.get(name, pl.Null())
        if dtype == pl.Null:
            found[name] = nothing.alias(name)
        elif dtype == pl.String and few:
            stripped = [value.strip() or None if value else None for value in courses[name].to_list()]
            found[name] = pl.Series(name, stripped, dtype=pl.String)
        elif dtype == pl.String and (name not in _PLAIN):
            found[name] = courses[name]
    left = [_text(courses, schema[name], name).alias(name) for name in COURSE_COLUMNS if name not in found]
    return {**found, **selected(courses, left).to_dict()} if left else found


def _provenance(courses: pl.DataFrame) -> list[pl.Series]:
    nothing = full(None, len(courses), pl.String())
    notes = [
        (courses[name] if name in courses.columns else nothing).alias(name)
        for name in (PROBLEM, UNREAD, OVERRIDE_PROBLEM, OVERRIDE)
    ]
    row = _numbered(len(courses))
    line = courses[LINE].cast(pl.Int64) if LINE in courses.columns else (row + 1).cast(pl.Int64)
    return [*notes, line.alias("line"), row.alias(ROW)]


def _numbered(rows: int) -> pl.Series:
    if rows <= _FEW_ROWS:
        return pl.Series(range(rows), dtype=pl.UInt32)
    return pl.int_range(rows, dtype=pl.UInt32, eager=True)


def coded(texts: pl.Series) -> tuple[list[str], pl.Series]:
    """The distinct values without surrounding space, sorted, and for each row the position of its value.

    An empty cell has no position. In a large column only the distinct values are cleaned, not every cell.
    """
    if len(texts) <= _FEW_ROWS:
        listed = texts.to_list()
        values = sorted({value for value in listed if value is not None})
        position: dict[str | None, int] = {value: number for number, value in enumerate(values)}
        return values, pl.Series([position.get(value) for value in listed], dtype=pl.UInt32)
    distinct = texts.unique().drop_nulls().sort()
    if distinct.is_empty():
        return [], full(None, len(texts), pl.UInt32())
    codes = texts.cast(pl.Enum(distinct)).to_physical().cast(pl.UInt32)
    written = distinct.to_list()
    cleaned = [text.strip() for text in written]
    if cleaned == written and written[0]:
        return written, codes
    values = sorted({text for text in cleaned if text})
    position = {text: number for number, text in enumerate(values)}
    return values, pl.Series([position.get(text) for text in cleaned], dtype=pl.UInt32).gather(codes)


def _text(courses: pl.DataFrame, dtype: pl.DataType, name: str) -> pl.Expr:
    """A column as text without surrounding space; empty text is null; whole floats have no point."""
    if dtype == pl.Boolean:
        return pl.when(pl.col(name)).then(pl.lit("true")).otherwise(pl.lit("false"))
    if dtype.is_float():
        column = pl.Series([None if each is None else f"{each:.9f}" for each in courses[name]], dtype=pl.String)
        text = pl.lit(column).str.replace(r"\.?0+$", "")
    else:
        text = (pl.col(name) if dtype == pl.String else pl.col(name).cast(pl.String)).str.strip_chars()
    return pl.when(text != "").then(text)


def _values(texts: pl.Series, read: Callable[[str], Any], dtype: pl.DataType) -> pl.Series:
    """A column of texts, each distinct one read once."""
    if len(texts) <= _FEW_ROWS:
        listed = texts.to_list()
        known = {value: None if value is None else read(value) for value in set(listed)}
        return pl.Series([known[value] for value in listed], dtype=dtype)
    if texts.null_count() == len(texts):
        return full(None, len(texts), dtype)
    if read is read_micros and texts.n_unique() > _MANY_VALUES:
        texts = texts.str.strip_chars()
        texts = texts.set(texts == "", None)
        plain = texts.set(~texts.str.contains(f"^(?:{_NUMBER.pattern})$"), None)
        micros = plain.cast(pl.Decimal(38, 20), strict=False).cast(pl.Decimal(18, 6)).to_physical().cast(pl.Int64)
        return micros.set(plain.is_null() & texts.is_not_null(), UNREADABLE)
    values, codes = coded(texts)
    return pl.Series([read(value) for value in values], dtype=dtype).gather(codes)


def read_micros(text: str) -> int:
    """A number in micros; :data:`UNREADABLE` for anything that is no number of at most six places."""
    return to_micros(Decimal(text)) if _NUMBER.fullmatch(text) else UNREADABLE


def _read_flag(text: str) -> int:
    word = text.lower()
    return 1 if word in _YES else 0 if word in _NO else UNCLEAR


def _read_ag(text: str) -> int:
    """An a–g subject is a letter from A to G, or a plain yes or no (the letter F is a subject, not a no)."""
    return 1 if text.lower() in tuple("abcdefg") else _read_flag(text)


def read_year(text: str) -> int | None:
    """The year in which the school year ends: ``2025-2026``, ``2025-26``, ``2025/26`` and ``2026`` are 2026."""
    match = _YEARS.fullmatch(text)
    if match is None:
        return None
    first, second = int(match[1]), match[2]
    if second is None:
        return first
    return first + 1 if int(second) == (first + 1) % 100 else None


def _read_grade_level(text: str) -> int | None:
    match = _GRADE_LEVEL.fullmatch(text)
    return int(match[1]) if match else None


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


_READ: tuple[tuple[str, str, Callable[[str], Any], pl.DataType], ...] = (
    ("credit", "credit_micros", read_micros, pl.Int64()),
    ("score", "score_micros", read_micros, pl.Int64()),
    ("core", "core_flag", _read_flag, pl.Int8()),
    ("ag", "ag_flag", _read_ag, pl.Int8()),
    ("school_year", "year", read_year, pl.Int32()),
    ("grade_level", "level_of_student", _read_grade_level, pl.Int32()),
    ("completed_on", "completed", _read_day, pl.Date()),
)


def _faults(rows: pl.DataFrame, said: Sequence[str]) -> pl.Series:
    """What is wrong with a row whatever the policy, as a :class:`Problem`'s number; 0 is nothing."""
    twice = _same_slot(rows) if rows[SHARED].any() else None
    unread = pl.col(UNREAD).is_not_null() if UNREAD in said else pl.lit(False)
    fault = (
        pl.when(unread).then(Problem.ROW_UNREADABLE.number)
        .when(pl.col(STUDENT).is_null()).then(Problem.NO_STUDENT.number)
        .when(pl.col("course_code").is_null()).then(Problem.NO_COURSE.number)
        .when(pl.col("credit_micros") == UNREADABLE).then(Problem.CREDIT_UNREADABLE.number)
        .when(pl.col("credit_micros") < 0).then(Problem.CREDIT_NEGATIVE.number)
        .when(pl.col("score_micros") == UNREADABLE).then(Problem.SCORE_UNREADABLE.number)
    )  # fmt: skip
    if OVERRIDE_PROBLEM in said:
        fault = fault.when(pl.col(OVERRIDE_PROBLEM).is_not_null()).then(Problem.OVERRIDE_UNCLEAR.number)
    if PROBLEM in said:
        fault = fault.when(pl.col(PROBLEM).is_not_null()).then(Problem.NO_GRADE_FROM_LEVELS.number)
    if twice is not None:
        fault = fault.when(twice).then(Problem.SAME_SLOT.number)
    return selected(rows, fault.otherwise(0).cast(pl.UInt8).alias("fault")).to_series()


def _same_slot(rows: pl.DataFrame) -> pl.Expr | None:
    """Whether a row says the same course in the same (known) year and term as another; ``None`` if none does."""
    known = pl.col(SHARED) & pl.col("year").is_not_null() & pl.col("term_code").is_not_null()
    slots = selected(
        rows, ROW, STUDENT, "course_code", "year", "term_code", "school_id", "repeat_of", known.alias("known")
    )
    slots = slots.filter("known").drop("known")
    twice = slots.filter(slots.drop(ROW).is_duplicated())[ROW]
    return pl.col(ROW).is_in(twice.implode()) if len(twice) else None
