"""A gradebook object of the standard as texts by column: the inverse of what the provider writes, and more tolerant.

Scalars may be texts, numbers or booleans; a reference may be an object or a bare id; a list may be its single item.
What a column can hold is not judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.api.oneroster.lists import COMMON, Field, How, Listing

Row = Mapping[str, "str | None"]
_MOST_DIGITS = 40
_OTHER_NAMES: Mapping[tuple[str, str], str] = {("lineItems", "academicSession"): "gradingPeriod"}
"""What 1.1 calls a field, where it differs."""


class UnreadableError(Exception):
    """An object or a list stands where a value is due."""


@dataclass(frozen=True, slots=True)
class Raw:
    """The texts of a record and of the rows that are part of it. ``unreadable``: the field that has another shape."""

    columns: Row
    parts: Mapping[str, Sequence[Row]]
    unreadable: str | None = None


def read_object(listing: Listing, given: Mapping[str, Any], record_id: str) -> Raw:
    """``given`` as the record ``record_id``. Fields that the listing does not have are passed over."""
    columns: dict[str, str | None] = {}
    parts: dict[str, Sequence[Row]] = {}
    for field in (*COMMON, *listing.fields):
        value = given.get(field.name)
        if value is None and (listing.name, field.name) in _OTHER_NAMES:
            value = given.get(_OTHER_NAMES[listing.name, field.name])
        try:
            if field.column in listing.parts:
                parts[field.column] = [*_part(field.how, value)]
            else:
                columns[field.column] = _id(value) if field.how is How.REFERENCE else scalar(value)
        except UnreadableError:
            return Raw({"id": record_id}, {}, field.name)
    return Raw({**columns, "id": record_id}, parts)


def scalar(value: Any) -> str | None:
    """A JSON scalar as text. Raises :class:`UnreadableError`."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return format(value, "f") if abs(value.adjusted()) <= _MOST_DIGITS else str(value)
    raise UnreadableError


def _id(value: Any) -> str | None:
    """The id of a reference. Raises :class:`UnreadableError`."""
    if isinstance(value, Mapping):
        found = scalar(value.get("sourcedId"))
        if found is None and value:
            raise UnreadableError
        return found
    return scalar(value)


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [] if value is None or value == "" else [value]


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    for each in _several(value):
        if not isinstance(each, Mapping):
            raise UnreadableError
        yield each


def _part(how: How, value: Any) -> Iterator[Row]:
    """The rows of a part, without the record's own id."""
    match how:
        case How.SCALE:
            yield from ({"score_scale_id": _id(each)} for each in _several(value))
        case How.SCALE_VALUES:
            for position, each in enumerate(_objects(value), start=1):
                sides = {"lhs": scalar(each.get("itemValueLHS")), "rhs": scalar(each.get("itemValueRHS"))}
                yield {"position": str(position), **sides}
        case How.OBJECTIVES:
            for group in _objects(value):
                source = scalar(group.get("source"))
                for each in _several(group.get("learningObjectiveIds")):
                    yield {"source": source, "learning_objective_id": scalar(each)}
        case How.OBJECTIVE_RESULTS:
            for group in _objects(value):
                source = scalar(group.get("source"))
                for each in _objects(group.get("learningObjectiveResults")):
                    yield {"source": source, **{column: scalar(each.get(name)) for name, column in _OBJECTIVE_RESULT}}


_OBJECTIVE_RESULT = (("learningObjectiveId", "learning_objective_id"), ("score", "score"), ("textScore", "text_score"))


def json_name(listing: Listing, column: str) -> str:
    """What the standard calls the field that holds ``column``."""
    field: Field
    for field in (*COMMON, *listing.fields):
        if field.column == column:
            return field.name
    return column
