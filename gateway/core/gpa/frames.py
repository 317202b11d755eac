"""Adding and choosing columns at the price of the frame's size.

Polars evaluates the expressions of one call in parallel. For the transcript of one student, handing them to threads
costs several times more than the work itself, and building an expression as much as evaluating it: those that depend
on the policy alone are built once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TypeAlias

import polars as pl

SMALL = 2_000
"""Rows up to which expressions are evaluated one after the other."""

Columns: TypeAlias = "pl.Expr | pl.Series | str | Iterable[pl.Expr] | Iterable[str]"


built_once = functools.lru_cache(maxsize=512)
"""For functions from a policy (or parts of it) to expressions."""


def full(value: object, rows: int, dtype: pl.DataType) -> pl.Series:
    """A column of one value. Unlike ``pl.repeat``, it plans no query."""
    return pl.Series([value], dtype=dtype).new_from_index(0, rows)


def added(frame: pl.DataFrame, *columns: Columns) -> pl.DataFrame:
    """``frame`` with further or changed columns."""
    return frame.with_columns_seq(*columns) if len(frame) <= SMALL else frame.with_columns(*columns)


def selected(frame: pl.DataFrame, *columns: Columns) -> pl.DataFrame:
    """Only these columns of ``frame``."""
    return frame.select_seq(*columns) if len(frame) <= SMALL else frame.select(*columns)


def kept(frame: pl.DataFrame, predicate: pl.Expr) -> pl.DataFrame:
    """The rows of ``frame`` for which ``predicate`` holds."""
    if len(frame) > SMALL:
        return frame.filter(predicate)
    holds = frame.select_seq(predicate.alias("holds")).to_series().to_list()
    return frame[[row for row, each in enumerate(holds) if each]]


def ordered(frame: pl.DataFrame, by: list[str], descending: list[bool]) -> pl.DataFrame:
    """``frame`` sorted; rows without a value come last."""
    if len(frame) > SMALL:
        return frame.sort(by, descending=descending, nulls_last=True)
    return frame[frame.select_seq(pl.arg_sort_by(by, descending=descending, nulls_last=True)).to_series()]


def spread(part: pl.DataFrame, name: str, row: str, rows: int) -> pl.Series:
    """The column ``name`` of ``part`` at the places that its column ``row`` names; all other places are empty."""
    return full(None, rows, part.schema[name]).scatter(part[row], part[name]).alias(name)
