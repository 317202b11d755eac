"""Rows in a body: evidence and courses, checked column by column, so that a hundred cost no more than one schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import NoneType
from typing import Any

import polars as pl
from marshmallow import Schema, ValidationError, fields

from gateway.api.openapi import StrictSchema

MOST_ROWS = 10_000
"""What one call takes; more travels as a job."""

_MOST_TEXT = 2000
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?)?")
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,6})?")
_NUMBER_WORDS = "A number of at most 9 digits before and 6 behind the point, as text or as a number."

Check = Callable[[Any], str | None]
"""The cell as text; raises :class:`ValueError` with what is wrong."""


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("This must be text.")
    if len(value) > _MOST_TEXT or "\0" in value:
        raise ValueError(f"This text is longer than {_MOST_TEXT} signs, or holds a NUL.")
    return value


def _number(value: Any) -> str | None:
    if value is None:
        return None
    written = _plain(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
    if not isinstance(written, str) or not _NUMBER.fullmatch(written):
        raise ValueError(_NUMBER_WORDS)
    return written


def _plain(value: int | Decimal) -> str:
    if isinstance(value, int):
        return str(value) if abs(value) < 10**9 else ""
    if value and not -7 < value.adjusted() < 9:
        return ""
    return format(value.normalize(), "f")


def _score(value: Any) -> str | None:
    """A number or a mark."""
    return _text(value) if isinstance(value, str) else _number(value)


def _time(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and _TIME.fullmatch(value.upper()):
        try:
            datetime.fromisoformat(value.upper())
        except ValueError:
            pass
        else:
            return value.upper()
    raise ValueError("This must be a date or a time as ISO 8601 writes it, such as 2026-11-22T08:00:00Z.")


def _flag(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    raise ValueError("This must be true or false.")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of cell: how it is checked, and how the contract says it."""

    check: Check
    types: Sequence[str]
    more: Mapping[str, Any]


TEXT = Kind(_text, ("string", "null"), {"maxLength": _MOST_TEXT, "pattern": "^[^\\u0000]*$"})
NUMBER = Kind(_number, ("string", "null"), {"pattern": "^-?[0-9]{1,9}(\\.[0-9]{1,6})?$"})
SCORE = Kind(_score, ("string", "integer", "null"), {"maxLength": _MOST_TEXT, "minimum": -999_999_999,
                                                     "maximum": 999_999_999, "pattern": "^[^\\u0000]*$"})  # fmt: skip
TIME = Kind(_time, ("string", "null"), {"anyOf": [{"format": "date"}, {"format": "date-time"}, {"type": "null"}],
                                        "examples": ["2026-11-22T08:00:00Z", "2026-11-22"]})  # fmt: skip
FLAG = Kind(_flag, ("boolean", "null"), {})


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that rows may have. ``required`` must stand in each row, and not be null."""

    name: str
    kinds: Mapping[str, Kind]
    required: Sequence[str]
    described: Mapping[str, str]
    always: Sequence[str] = ()
    """Columns that the table has even if no row has them."""

    def schema(self) -> type[Schema]:
        """The row as the contract shows it."""
        cells = {name: fields.Raw(metadata=self._shown(name), required=name in self.required) for name in self.kinds}
        return StrictSchema.from_dict(cells, name=self.name)  # type: ignore[arg-type]  # stubs want Field, Raw is one

    def _shown(self, name: str) -> dict[str, Any]:
        kind = self.kinds[name]
        types = [each for each in kind.types if each != "null" or name not in self.required]
        least = {"minLength": 1} if name in self.required and "string" in types else {}
        return {"type": types, **kind.more, **least, "description": self.described.get(name, name.replace("_", " "))}


class Rows(fields.List[Any]):
    """A list of rows as one table of texts; ``None`` where a row has no such cell."""

    def __init__(self, columns: Columns, *, required: bool = True, **more: Any) -> None:
        more.setdefault("metadata", {}).update({"maxItems": MOST_ROWS})
        super().__init__(fields.Nested(columns.schema()), required=required, **more)
        self.columns = columns

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> pl.DataFrame:  # type: ignore[override]  # a table, not a list
        if not isinstance(value, list):
            raise ValidationError("This must be a list of rows.")
        if len(value) > MOST_ROWS:
            raise ValidationError(f"One call takes {MOST_ROWS:,} rows; send more as a job.")
        faults = {number: wrong for number, row in enumerate(value) if (wrong := self._row_faults(row))}
        found = {} if faults else {name: self._column(value, name, faults) for name in self._present(value)}
        if faults:
            raise ValidationError(faults)
        return pl.DataFrame(found, schema=dict.fromkeys(found, pl.String))

    def _row_faults(self, row: Any) -> dict[str, list[str]]:
        if not isinstance(row, dict):
            return {"_schema": ["This must be an object."]}
        faults = {name: ["This is required."] for name in self.columns.required if row.get(name) in (None, "")}
        if not row.keys() <= self.columns.kinds.keys():
            faults |= {name: ["Unknown field."] for name in row.keys() - self.columns.kinds.keys()}
        return faults

    def _present(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        there = {name for row in rows for name in row}
        return [name for name in self.columns.kinds if name in there | {*self.columns.required, *self.columns.always}]

    def _column(
        self, rows: Sequence[Mapping[str, Any]], name: str, faults: dict[int, dict[str, list[str]]]
    ) -> list[str | None]:
        check = self.columns.kinds[name].check
        values = [row.get(name) for row in rows]
        if {*map(type, values)} <= {str, NoneType}:
            with suppress(ValueError):  # texts that come again and again are checked once
                checked = {value: check(value) for value in dict.fromkeys(values)}
                return [checked[value] for value in values]
        found: list[str | None] = []
        for number, value in enumerate(values):
            try:
                found.append(check(value))
            except ValueError as error:
                faults.setdefault(number, {})[name] = [str(error)]
        return found
