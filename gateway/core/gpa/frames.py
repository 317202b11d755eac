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


def added(frame: pl.DataFrame, *columns: Columns) -> pl.DataFrame:
    """``frame`` with further or changed columns."""
    return frame.with_columns_seq(*columns) if len(frame) <= SMALL else frame.with_columns(*columns)


def selected(frame: pl.DataFrame, *columns: Columns) -> pl.DataFrame:
    """Only these columns of ``frame``."""
    return frame.select_seq(*columns) if len(frame) <= SMALL else frame.select(*columns)
