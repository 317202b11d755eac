"""The query parameters of the fake providers: the filter grammar, sorting and field selection of OneRoster and CASE.

Imitates: OneRoster 1.2 information model, "filter, sort, fields": ``field op 'value'`` without spaces around the
operator, at most one ``AND`` or ``OR``; a quote in a value is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

_TERM = r"([A-Za-z_.]+)(=|!=|>=|<=|>|<|~)'((?:''|[^'])*)'"
_FILTER = re.compile(f"^{_TERM}(?: (AND|OR) {_TERM})?$")
_COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "~": lambda a, b: b.lower() in a.lower(),
}


class BadQuery(Exception):
    """A query parameter that is refused; ``code`` is the codeMinor value."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def apply_filter(records: Sequence[Mapping[str, Any]], text: str) -> list[Mapping[str, Any]]:
    """The records that pass the filter."""
    match = _FILTER.match(text)
    if match is None:
        raise BadQuery("invalid_filter_field")
    field, sign, value, join, field_2, sign_2, value_2 = match.groups()
    first = _term(records, field, sign, value)
    if join is None:
        return [record for record in records if first(record)]
    second = _term(records, field_2, sign_2, value_2)
    if join == "AND":
        return [record for record in records if first(record) and second(record)]
    return [record for record in records if first(record) or second(record)]


def _term(
    records: Sequence[Mapping[str, Any]], field: str, sign: str, value: str
) -> Callable[[Mapping[str, Any]], bool]:
    if records and not any(field.split(".")[0] in record for record in records):
        raise BadQuery("invalid_filter_field")
    wanted, compare = value.replace("''", "'"), _COMPARE[sign]
    return lambda record: any(compare(found, wanted) for found in _values(record, field.split(".")))


def _values(value: Any, path: Sequence[str]) -> Iterable[str]:
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif path:
        if isinstance(value, Mapping) and path[0] in value:
            yield from _values(value[path[0]], path[1:])
    elif value is not None:
        yield str(value).lower() if isinstance(value, bool) else str(value)


def apply_sort(records: Sequence[Mapping[str, Any]], field: str, order: str) -> list[Mapping[str, Any]]:
    """The records in the order of a field's text."""
    if order not in ("asc", "desc"):
        raise BadQuery("invalid_sort_field")
    return sorted(
        records, key=lambda record: next(iter(_values(record, field.split("."))), ""), reverse=order == "desc"
    )


def apply_fields(records: Sequence[Mapping[str, Any]], names: str) -> list[Mapping[str, Any]]:
    """The records with only the fields named (comma list)."""
    wanted = [name.strip() for name in names.split(",")]
    if records and not any(name in record for record in records for name in wanted):
        raise BadQuery("invalid_selection_field")
    return [{name: record[name] for name in wanted if name in record} for record in records]
