"""What a caller asks of a list: which records, in which order, which page, which fields.

Source: OneRoster 1.2 information model, "filter, sort, fields, pagination": ``field op 'value'`` without spaces around
the operator, at most one ``AND`` or ``OR``; a quote in a value is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

from gateway.api.oneroster.lists import COMMON, Field, How, Listing

DEFAULT_LIMIT = 100
MOST = 10_000
LONGEST_FILTER = 2_000
_PARAMETERS = frozenset({"limit", "offset", "sort", "orderBy", "filter", "fields"})
_TERM = r"([A-Za-z][A-Za-z0-9_.]*)(=|!=|>=|<=|>|<|~)'((?:''|[^'])*)'"
_FILTER = re.compile(f"{_TERM}(?: (AND|OR) {_TERM})?", re.DOTALL)
_COMPARE: Mapping[str, Callable[[pl.Expr, Any], pl.Expr]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column.ne_missing(value),
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
}


class RefusedQuery(Exception):
    """A query that is refused; ``code`` is the codeMinor of the standard."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it was read. ``filter`` and ``order`` are ``None`` where nothing was asked for."""

    limit: int
    offset: int
    filter: pl.Expr | None
    order: tuple[str, bool] | None
    fields: Sequence[Field]
    key: str
    """Tells queries apart that give other records or another order."""


def read_query(given: Mapping[str, str], listing: Listing) -> Query:
    """Raises :class:`RefusedQuery`."""
    unknown = sorted(set(given) - _PARAMETERS)
    if unknown:
        raise RefusedQuery("invalid_selection_field", "This parameter is not known here.")
    return Query(
        limit=min(_whole(given, "limit", DEFAULT_LIMIT, least=1), MOST),
        offset=_whole(given, "offset", 0, least=0),
        filter=read_filter(given["filter"], listing) if given.get("filter") else None,
        order=_order(given, listing),
        fields=read_fields(given.get("fields"), listing),
        key="\0".join(given.get(name, "") for name in ("filter", "sort", "orderBy")),
    )


def read_fields(names: str | None, listing: Listing) -> Sequence[Field]:
    """The fields asked for; all without any. Unknown ones are refused."""
    every = (*COMMON, *listing.fields)
    if not names:
        return every
    wanted = {name.strip() for name in names.split(",")}
    if wanted - {field.name for field in every}:
        raise RefusedQuery("invalid_selection_field", "There is no such field.")
    return tuple(field for field in every if field.name in wanted)


def read_filter(text: str, listing: Listing) -> pl.Expr:
    """The records that pass. Raises :class:`RefusedQuery`."""
    match = _FILTER.fullmatch(text) if len(text) <= LONGEST_FILTER else None
    if match is None:
        raise RefusedQuery("invalid_filter_field", "The filter must be field op 'value', with at most one AND or OR.")
    name, sign, value, join, second_name, second_sign, second_value = match.groups()
    first = _term(name, sign, value, listing)
    if join is None:
        return first
    second = _term(second_name, second_sign, second_value, listing)
    return first & second if join == "AND" else first | second


def _term(name: str, sign: str, value: str, listing: Listing) -> pl.Expr:
    field, inner = _field(name, listing, "invalid_filter_field")
    wanted = value.replace("''", "'")
    column, is_list = _column(field, inner)
    if is_list:
        element = pl.element() if inner is None or field.how is How.REFERENCES else pl.element().struct.field(inner)
        return column.list.eval(_test(element.cast(pl.String), sign, wanted)).list.any()
    if field.how is How.TIME and sign != "~":
        return _test(column, sign, _time(wanted))
    if field.name in _DATES and sign != "~":
        return _test(column, sign, _day(wanted))
    if field.name in _NUMBERS and sign != "~":
        return _test(column, sign, _number(wanted))
    if field.how is How.FLAG:
        return _test(column.cast(pl.String), sign, wanted.lower())
    filled = column.cast(pl.String)
    return _test(filled.fill_null(field.fallback) if field.fallback is not None else filled, sign, wanted)


def _test(column: pl.Expr, sign: str, value: Any) -> pl.Expr:
    if sign == "~":
        return column.cast(pl.String).str.to_lowercase().str.contains(str(value).lower(), literal=True)
    return _COMPARE[sign](column, pl.lit(value))


_DATES = frozenset({"startDate", "endDate", "beginDate", "birthDate", "scoreDate"})
_NUMBERS = frozenset({"score", "weight", "resultValueMin", "resultValueMax"})
_LISTS = frozenset({How.REFERENCES, How.USER_IDS, How.ROLES, How.OBJECTIVES, How.OBJECTIVE_RESULTS, How.SCALE,
                    How.SCALE_VALUES})  # fmt: skip
_PLAIN_LISTS = frozenset({"grades", "subjects", "subjectCodes", "periods"})
_INNER = {
    "roles.role": "role", "roles.roleType": "role_type", "roles.org.sourcedId": "org_id",
    "scoreScale.sourcedId": "score_scale_id", "learningObjectiveSet.source": "source",
    "learningObjectiveSet.learningObjectiveResults.learningObjectiveId": "learning_objective_id",
    "learningObjectiveSet.learningObjectiveIds": "learning_objective_id",
}  # fmt: skip


def _field(name: str, listing: Listing, code: str) -> tuple[Field, str | None]:
    """The field of a name with dots, and what is meant inside of it."""
    every = {field.name: field for field in (*COMMON, *listing.fields)}
    head, _, rest = name.partition(".")
    field = every.get(head)
    if field is not None and not rest and field.how not in (_LISTS | {How.REFERENCE}) - {How.USER_IDS}:
        return field, None
    if field is not None and rest == "sourcedId" and field.how in (How.REFERENCE, How.REFERENCES):
        return field, None
    if field is not None and name in _INNER:
        return field, _INNER[name]
    raise RefusedQuery(code, "There is no such field to filter or sort by.")


def _column(field: Field, inner: str | None) -> tuple[pl.Expr, bool]:
    return pl.col(field.column), field.how in _LISTS or field.name in _PLAIN_LISTS or inner is not None


def _order(given: Mapping[str, str], listing: Listing) -> tuple[str, bool] | None:
    way = given.get("orderBy", "asc").lower()
    if way not in ("asc", "desc"):
        raise RefusedQuery("invalid_sort_field", "orderBy is asc or desc.")
    if "sort" not in given:
        return ("id", True) if way == "desc" else None
    field, inner = _field(given["sort"], listing, "invalid_sort_field")
    if _column(field, inner)[1]:
        raise RefusedQuery("invalid_sort_field", "A list cannot be sorted by this field.")
    return field.column, way == "desc"


def _whole(given: Mapping[str, str], name: str, usual: int, *, least: int) -> int:
    text = given.get(name, "")
    if not text:
        return usual
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) < least:
        raise RefusedQuery("invalid_selection_field", f"{name} must be a whole number of at least {least}.")
    return int(text)


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedQuery("invalid_filter_field", "The value is no time as ISO 8601 writes it.") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise RefusedQuery("invalid_filter_field", "The value is no date as ISO 8601 writes it.") from None


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise RefusedQuery("invalid_filter_field", "The value is no number.") from None
    if not found.is_finite() or abs(found) >= 10**12:
        raise RefusedQuery("invalid_filter_field", "The value is no number.")
    return found.quantize(Decimal("0.000001"))
