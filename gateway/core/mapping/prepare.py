"""Evidence as it comes, brought into one form: times as UTC, numbers as micros, marks as text."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from gateway.core.errors import MappingError
from gateway.core.mapping.rounding import MICROS
from gateway.core.model import TIME

FLAGS = ("late", "missing", "incomplete", "in_progress")
NUMBERS = ("score", "max_score", "min_score", "score_scale_value")
TIMES = ("scored_at", "assigned_at", "due_at")
NO_TIME = -(2**46)
"""Stands for "no time" among times in milliseconds: older than any."""
REQUIRED = ("student_id", "score", "scored_at")


def prepare(evidence: pl.DataFrame, *, numbers: bool = False) -> pl.DataFrame:
    """``evidence`` with ``scored_at`` and other times in UTC, ``score`` and maxima in micros (Int64), flags as
    booleans and everything else as it is. A ``score`` that is text goes to ``score_text``, and with ``numbers`` what
    is a number there stands in ``score`` too: for rules that compare or add up scores.

    Raises :class:`MappingError` if a required column is missing.
    """
    schema = evidence.schema
    names = prepared_names(schema)
    columns = [column for name in names if (column := prepared(name, schema, numbers=numbers)) is not None]
    return evidence.with_columns(columns) if columns else evidence


def prepared_names(schema: Mapping[str, pl.DataType]) -> Collection[str]:
    """The columns of prepared evidence. Raises :class:`MappingError` if a required one is missing."""
    missing = [name for name in REQUIRED if name not in schema]
    if "score" in missing and "score_text" in schema:
        missing.remove("score")
    if missing:
        raise MappingError(
            f"The evidence has no column {' and no column '.join(missing)}.",
            hint=f"It needs {', '.join(REQUIRED)}; the order of the columns does not matter.",
            code="mapping.evidence-columns",
        )
    return dict.fromkeys([*schema, *(["score_text"] if schema.get("score") == pl.String else [])])


def prepared(name: str, schema: Mapping[str, pl.DataType], *, numbers: bool) -> pl.Expr | None:
    """One column as :func:`prepare` makes it; nothing if it stays as it is."""
    if name in ("score", "score_text") and schema.get("score") == pl.String:
        text = pl.col("score")
        if name == "score_text":
            return (pl.coalesce("score_text", text) if "score_text" in schema else text).alias("score_text")
        return _number_in(text).alias("score") if numbers else pl.lit(None, pl.Int64).alias("score")
    dtype = schema[name]
    if name in NUMBERS:
        return as_micros(name, dtype)
    if name in TIMES:
        return as_time(name, dtype)
    if name in FLAGS and dtype != pl.Boolean:
        return as_flag(name)
    if dtype == pl.Null or (name == "student_id" and dtype != pl.String):
        return pl.col(name).cast(pl.String)
    return None


def _number_in(text: pl.Expr) -> pl.Expr:
    """Texts that are plain numbers, in micros; those with more than six places stay text, so that none is changed."""
    plain = text.str.strip_chars().str.extract(r"^([+-]?(?:\d{1,12}(?:\.\d{0,6})?|\.\d{1,6}))$")
    return plain.cast(pl.Decimal(38, 6), strict=False).to_physical().cast(pl.Int64)


def as_micros(name: str, dtype: pl.DataType) -> pl.Expr:
    """A number column in micros; a text that is no number becomes null, and so does what is not finite (NaN)."""
    value = pl.col(name)
    if dtype.is_float():
        return pl.when(value.is_finite()).then((value * MICROS).round()).cast(pl.Int64)
    if dtype.is_integer() or dtype == pl.Null:
        return value.cast(pl.Int64) * MICROS
    if dtype == pl.Decimal(18, 6):
        return value.to_physical().cast(pl.Int64)
    return value.cast(pl.Decimal(38, 6), strict=False).to_physical().cast(pl.Int64)


def as_time(name: str, dtype: pl.DataType) -> pl.Expr:
    """A time column in UTC; a date is its midnight; text is read as ISO 8601, and null if it is none."""
    value = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        zoned = value.dt.replace_time_zone("UTC") if dtype.time_zone is None else value.dt.convert_time_zone("UTC")
        return zoned.dt.cast_time_unit("ms")
    if dtype == pl.Date or dtype == pl.Null:
        return value.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    text = value.cast(pl.String).str.strip_chars()
    day = text.str.to_datetime("%Y-%m-%d", time_unit="ms", strict=False).dt.replace_time_zone("UTC")
    zoned = text.str.replace("Z$", "+00:00").str.replace(" ", "T", literal=True)
    exact = zoned.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="ms", strict=False).dt.convert_time_zone("UTC")
    local = zoned.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="ms", strict=False).dt.replace_time_zone("UTC")
    return pl.coalesce(day, exact, local).cast(TIME).alias(name)


def as_flag(name: str) -> pl.Expr:
    """A flag column; ``true``, ``yes`` and ``1`` are true."""
    return pl.col(name).cast(pl.String).str.strip_chars().str.to_lowercase().is_in(["true", "yes", "1", "1.0"])
