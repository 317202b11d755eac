"""Which courses can count at all, by subject, level, grade level, term, core or a–g flag, school, code or year."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from gateway.core.gpa.courses import UNCLEAR, Courses
from gateway.core.gpa.policy import Policy
from gateway.core.gpa.problems import Problem
from gateway.core.gpa.words import folded

_FLAGS = {"core": "core_flag", "ag": "ag_flag"}
_WHOLE = {"grade_level": "level_of_student", "school_year": "year"}
_EMPTY = {
    "subject": Problem.SUBJECT_UNKNOWN, "level": Problem.LEVEL_MISSING, "grade_level": Problem.GRADE_LEVEL_MISSING,
    "school_year": Problem.YEAR_OUTSIDE, "core": Problem.FLAG_UNREADABLE, "ag": Problem.FLAG_UNREADABLE,
}  # fmt: skip


def filter_expressions(policy: Policy, courses: Courses) -> list[pl.Expr]:
    """``filtered``: the course cannot count; ``filter_fault``: that cannot be told, with the problem's number."""
    kept, faults = [], []
    for column, values in policy.courses.only.items():
        kept.append(_among(column, values, policy, courses))
        faults.append(_fault(column, courses))
    for column, values in policy.courses.leave_out.items():
        kept.append(~_among(column, values, policy, courses).fill_null(False))
        faults.append(_fault(column, courses))
    if policy.selection is not None:
        kept.append(word_among("subject", policy.selection.subjects, policy, courses))
        faults.append(_subject_fault(policy, courses))
    known = pl.all_horizontal(each.fill_null(True) for each in kept) if kept else pl.lit(True)
    fault = pl.coalesce(*faults, 0) if faults else pl.lit(0)
    return [(~known).alias("filtered"), fault.cast(pl.UInt8).alias("filter_fault")]


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
    if column in _FLAGS:
        return pl.col(_FLAGS[column]).fill_null(0) == (1 if "true" in values else 0)
    if column in _WHOLE:
        return pl.col(_WHOLE[column]).is_in([int(value) for value in values])
    if column == "term":
        terms = {folded(value) for value in values}
        return lookup("term_code", [folded(word) in terms for word in courses.vocabulary["term"]], pl.Boolean())
    if column in ("subject", "level"):
        return word_among(column, values, policy, courses)
    return pl.col(column).is_in(sorted(values))


def _fault(column: str, courses: Courses) -> pl.Expr:
    if column not in courses.given:
        return pl.lit(Problem.COLUMN_MISSING.number, pl.UInt8)
    if column not in _EMPTY:
        return pl.lit(None, pl.UInt8)
    if column in _FLAGS:
        return pl.when(pl.col(_FLAGS[column]) == UNCLEAR).then(pl.lit(_EMPTY[column].number, pl.UInt8))
    name = _WHOLE.get(column) or f"{column}_code"
    return pl.when(pl.col(name).is_null()).then(pl.lit(_EMPTY[column].number, pl.UInt8))


def _subject_fault(policy: Policy, courses: Courses) -> pl.Expr:
    """A selection needs a subject that it knows: an unknown word might be English."""
    if "subject" not in courses.given:
        return pl.lit(Problem.COLUMN_MISSING.number, pl.UInt8)
    known = set(policy.words["subject"].values())
    unknown = [canonical(policy, "subject", word) not in known for word in courses.vocabulary["subject"]]
    unclear = lookup("subject_code", unknown, pl.Boolean()).fill_null(True)
    return pl.when(unclear).then(pl.lit(Problem.SUBJECT_UNKNOWN.number, pl.UInt8))
