"""Course attempts, read once for any number of policies: typed, coded, and with what is wrong noted by row.

Texts that take few values (grades, subjects, levels) become codes into a small vocabulary, so that a policy is asked
once for each value and not once for each of forty million rows.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from gateway.core.gpa.attempts import Attempt, Texts, read_attempts
from gateway.core.gpa.cells import NUMBER, READ, read_micros
from gateway.core.gpa.cells import UNREADABLE as UNREADABLE
from gateway.core.gpa.frames import added, full, selected
from gateway.core.gpa.language import COURSE_COLUMNS
from gateway.core.gpa.problems import Problem
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

_NOTES = (UNREAD, PROBLEM, OVERRIDE_PROBLEM)
_PLAIN = ("student_id", "course_code", "title", "repeat_of", "school_id")
FEW_ROWS = 512
"""Rows up to which plain values are faster than columns."""
_MANY_VALUES = 10_000


@dataclass(frozen=True, slots=True)
class Tables:
    """Courses in columns, for the calculation of many students at once; see :class:`Courses`."""

    rows: pl.DataFrame
    students: pl.Series
    vocabulary: Mapping[str, list[str]]


@dataclass(frozen=True)
class Courses:
    """Prepared courses: one row an attempt, in the order of the input.

    ``rows`` has the plain texts of the file, ``<column>_code`` for coded columns, ``credit_micros``, ``score_micros``,
    ``core_flag``, ``ag_flag``, ``year`` (in which the school year ends), ``level_of_student``, ``completed``,
    ``_shared`` (the student has another row of this code) and ``fault``. ``students`` holds the ids, sorted;
    ``vocabulary`` the values of coded columns, sorted; ``given`` the columns of the file.

    ``attempts`` are few rows one by one, if all of them are in order; their tables are made when they are asked for.
    """

    given: frozenset[str]
    attempts: tuple[Attempt, ...] | None
    _read: Callable[[], Tables]

    @functools.cached_property
    def tables(self) -> Tables:
        """The columns of the courses."""
        return self._read()

    @property
    def rows(self) -> pl.DataFrame:
        return self.tables.rows

    @property
    def students(self) -> pl.Series:
        return self.tables.students

    @property
    def vocabulary(self) -> Mapping[str, list[str]]:
        return self.tables.vocabulary


def prepare_courses(courses: pl.DataFrame) -> Courses:
    """Read ``courses`` (columns of :data:`COURSE_COLUMNS`, any type; others are ignored) once for all policies."""
    given = frozenset(name for name in COURSE_COLUMNS if name in courses.columns)
    if len(courses) > FEW_ROWS:
        tables = _tables(courses, _texts(courses))
        return Courses(given, None, lambda: tables)
    texts = _few_texts(courses)
    notes = [courses[name].to_list() for name in _NOTES if name in courses.columns]
    lines = courses[LINE].cast(pl.Int64).to_list() if LINE in courses.columns else range(1, len(courses) + 1)
    return Courses(given, read_attempts(texts, lines, notes), lambda: _tables(courses, _columns(texts)))


def _tables(courses: pl.DataFrame, texts: Mapping[str, pl.Series]) -> Tables:
    vocabulary: dict[str, list[str]] = {}
    columns = [texts[name] for name in _PLAIN]
    for name in CODED:
        vocabulary[name], codes = coded(texts[name])
        columns.append(codes.alias(f"{name}_code"))
    for name, column, read, dtype in READ:
        columns.append(_values(texts[name], read, dtype).alias(column))
    students, codes = coded(texts["student_id"])
    columns.append(codes.alias(STUDENT))
    columns += _provenance(courses)
    columns.append(_shared(codes, texts["course_code"]))
    rows = pl.DataFrame(columns)
    faults = _faults(rows, [name for name in _NOTES if name in courses.columns])
    return Tables(added(rows, faults), pl.Series(students, dtype=pl.String), vocabulary)


def _shared(students: pl.Series, codes: pl.Series) -> pl.Series:
    """Whether a student has another row of the same course code."""
    if len(codes) <= FEW_ROWS:
        pairs = list(zip(students.to_list(), codes.to_list(), strict=True))
        counts = Counter(pairs)
        return pl.Series(SHARED, [counts[pair] > 1 for pair in pairs], dtype=pl.Boolean)
    keys = pl.select(pl.struct(students.alias("s"), codes.alias("c")).hash()).to_series()
    if keys.n_unique() == len(keys):
        return full(False, len(keys), pl.Boolean()).alias(SHARED)
    return keys.is_duplicated().alias(SHARED)


def _texts(courses: pl.DataFrame) -> Mapping[str, pl.Series]:
    """Every column as text. Texts that are to be :func:`coded` stay as they are: their distinct values are cleaned
    there. The others are without surrounding space, and empty text is null."""
    schema = dict(courses.schema)
    found: dict[str, pl.Series] = {}
    nothing = full(None, len(courses), pl.String())
    for name in COURSE_COLUMNS:
        dtype = schema.get(name, pl.Null())
        if dtype == pl.Null:
            found[name] = nothing.alias(name)
        elif dtype == pl.String and (name not in _PLAIN):
            found[name] = courses[name]
    left = [_text(courses, schema[name], name).alias(name) for name in COURSE_COLUMNS if name not in found]
    return {**found, **selected(courses, left).to_dict()} if left else found


def _few_texts(courses: pl.DataFrame) -> Texts:
    """Every column as texts without surrounding space; an empty cell is nothing."""
    found: dict[str, list[str | None]] = {}
    nothing: list[str | None] = [None] * len(courses)
    for name in COURSE_COLUMNS:
        column = courses[name] if name in courses.columns else None
        if column is None or column.dtype == pl.Null:
            found[name] = nothing
        elif column.dtype == pl.String:
            found[name] = [value.strip() or None if value else None for value in column.to_list()]
        else:
            found[name] = selected(courses, _text(courses, column.dtype, name).alias(name)).to_series().to_list()
    return found


def _columns(texts: Texts) -> dict[str, pl.Series]:
    return {name: pl.Series(name, values, dtype=pl.String) for name, values in texts.items()}


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
    if rows <= FEW_ROWS:
        return pl.Series(range(rows), dtype=pl.UInt32)
    return pl.int_range(rows, dtype=pl.UInt32, eager=True)


def coded(texts: pl.Series) -> tuple[list[str], pl.Series]:
    """The distinct values without surrounding space, sorted, and for each row the position of its value.

    An empty cell has no position. In a large column only the distinct values are cleaned, not every cell.
    """
    if len(texts) <= FEW_ROWS:
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
    if len(texts) <= FEW_ROWS:
        listed = texts.to_list()
        known = {value: None if value is None else read(value) for value in set(listed)}
        return pl.Series([known[value] for value in listed], dtype=dtype)
    if texts.null_count() == len(texts):
        return full(None, len(texts), dtype)
    if read is read_micros and texts.n_unique() > _MANY_VALUES:
        texts = texts.str.strip_chars()
        texts = texts.set(texts == "", None)
        plain = texts.set(~texts.str.contains(f"^(?:{NUMBER.pattern})$"), None)
        micros = plain.cast(pl.Decimal(38, 20), strict=False).cast(pl.Decimal(18, 6)).to_physical().cast(pl.Int64)
        return micros.set(plain.is_null() & texts.is_not_null(), UNREADABLE)
    values, codes = coded(texts)
    return pl.Series([read(value) for value in values], dtype=dtype).gather(codes)


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
