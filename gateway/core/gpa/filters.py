"""Which courses can count at all, by subject, level, grade level, term, core or a–g flag, school, code or year."""

from __future__ import annotations

import functools
import operator
from collections.abc import Collection, Sequence
from typing import Any

import polars as pl

from gateway.core.gpa.cells import UNCLEAR
from gateway.core.gpa.courses import Courses
from gateway.core.gpa.policy import Policy
from gateway.core.gpa.problems import Problem
from gateway.core.gpa.words import folded

_FLAGS = {"core": "core_flag", "ag": "ag_flag"}
_WHOLE = {"grade_level": "level_of_student", "school_year": "year"}
_EMPTY = {
    "subject": Problem.SUBJECT_UNKNOWN, "level": Problem.LEVEL_MISSING, "grade_level": Problem.GRADE_LEVEL_MISSING,
    "school_year": Problem.YEAR_OUTSIDE, "core": Problem.FLAG_UNREADABLE, "ag": Problem.FLAG_UNREADABLE,
}  # fmt: skip


def filter_expressions(policy: Policy, courses: Courses) -> tuple[pl.Expr | None, pl.Expr | None]:
    """Whether a course cannot count (one filter is enough to say so), and the number of the problem that keeps another
    filter from telling; ``None`` for a policy without filters."""
    kept, faults = [], []
    for column, values in policy.courses.only.items():
        kept.append(_among(column, values, policy, courses))
        faults.append(_fault(column, courses))
    for column, values in policy.courses.leave_out.items():
        kept.append(~_among(column, values, policy, courses))
        faults.append(_fault(column, courses))
    if policy.selection is not None:
        kept.append(_subject_among(policy.selection.subjects, policy, courses))
        faults.append(Problem.COLUMN_MISSING if "subject" not in courses.given else Problem.SUBJECT_UNKNOWN)
    if not kept:
        return None, None
    fault = pl.lit(0, pl.UInt8)
    for known, problem in reversed(list(zip(kept, faults, strict=True))):
        fault = pl.when(known.is_null()).then(pl.lit(problem.number, pl.UInt8)).otherwise(fault)
    return ~functools.reduce(operator.and_, (known.fill_null(True) for known in kept)), fault


def columns_lacking(policy: Policy, given: Collection[str]) -> list[str]:
    """The columns that tell which courses count under the policy, and are not among ``given``."""
    selects = ("subject",) if policy.selection is not None else ()
    needed = dict.fromkeys((*policy.courses.only, *policy.courses.leave_out, *selects))
    return [column for column in needed if column not in given]


def canonical(policy: Policy, column: str, word: str) -> str:
    """The word used here for ``word`` of a course file, or the word itself."""
    return policy.words.get(column, {}).get(folded(word), word)


def lookup(codes: str, values: Sequence[Any], dtype: pl.DataType) -> pl.Expr:
    """The value at each code; an empty cell gives an empty one."""
    if not values:
        return pl.lit(None, dtype)
    return pl.lit(pl.Series(values, dtype=dtype)).gather(pl.col(codes))


def word_among(column: str, values: frozenset[str], policy: Policy, courses: Courses) -> pl.Expr:
    """Whether a coded word is one of ``values``."""
    among = [canonical(policy, column, word) in values for word in courses.vocabulary[column]]
    return lookup(f"{column}_code", among, pl.Boolean())


def _among(column: str, values: frozenset[str], policy: Policy, courses: Courses) -> pl.Expr:
    """Whether the course has one of the values; empty where that cannot be told."""
    if column not in courses.given:
        return pl.lit(None, pl.Boolean)
    if column in _FLAGS:
        flag = pl.col(_FLAGS[column])
        return pl.when(flag.is_null() | (flag != UNCLEAR)).then(flag.fill_null(0) == int("true" in values))
    if column in _WHOLE:
        return pl.col(_WHOLE[column]).is_in([int(value) for value in values])
    if column == "term":
        terms = {folded(value) for value in values}
        return lookup("term_code", [folded(word) in terms for word in courses.vocabulary["term"]], pl.Boolean())
    if column in ("subject", "level"):
        return word_among(column, values, policy, courses)
    return pl.col(column).is_in(sorted(values))


def _fault(column: str, courses: Courses) -> Problem:
    return _EMPTY.get(column, Problem.COLUMN_MISSING) if column in courses.given else Problem.COLUMN_MISSING


def _subject_among(subjects: frozenset[str], policy: Policy, courses: Courses) -> pl.Expr:
    """As :func:`_among`; a word that the policy does not know might be one of its subjects, so that it is unclear."""
    known = set(policy.words["subject"].values())
    words = [canonical(policy, "subject", word) for word in courses.vocabulary["subject"]]
    return lookup("subject_code", [word in subjects if word in known else None for word in words], pl.Boolean())
