"""Digests of content that stay the same across nights, machines and versions of every library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

import polars as pl
from polars._typing import PolarsDataType

from gateway.core.model import TABLES

_BETWEEN = "\x1f"
_NULL = "\x00"


def content_digests(rows: pl.DataFrame, table: str) -> pl.Series:
    """One digest (32 hex digits) a row over its canonical columns, nested parts included, in declared order.

    ``date_last_modified`` does not count: it says when, not what. Decimals are written without trailing zeros, so that
    ``1``, ``1.0`` and ``1.000000`` are the same content.
    """
    pieces = [_canonical(pl.col(name), rows.schema[name]) for name in _content_columns(rows, table)]
    texts = rows.select(pl.concat_str(pieces, separator=_BETWEEN)).to_series()
    return pl.Series("digest", [hashlib.blake2b(t.encode(), digest_size=16).hexdigest() for t in texts], pl.String)


def _content_columns(rows: pl.DataFrame, table: str) -> list[str]:
    """The declared columns that are there, then the nested parts, always in the same order."""
    declared = [name for name in TABLES[table].names if name != "date_last_modified" and name in rows.columns]
    return declared + sorted(name for name in rows.columns if name in TABLES and name != table)


def _canonical(value: pl.Expr, dtype: PolarsDataType) -> pl.Expr:
    if isinstance(dtype, pl.Decimal):
        text = value.cast(pl.String).str.replace(r"\.?0+$", "")
    elif isinstance(dtype, pl.List):
        inner = dtype.inner
        text = value.list.eval(_canonical(pl.element(), inner).fill_null(_NULL)).list.join("\x1e")
    elif isinstance(dtype, pl.Struct):
        fields = [_canonical(value.struct.field(f.name), f.dtype) for f in dtype.fields]
        text = pl.concat_str(fields, separator="\x1d")
    else:
        text = value.cast(pl.String)
    return text.fill_null(_NULL)


def digest_of(values: Iterable[object]) -> str:
    """One digest (64 hex digits) over JSON-like values, for plans, settings and other small things."""
    text = json.dumps(list(values), sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
