"""Pages of records as raw frames of the canonical model: text as the provider wrote it, with the place of each row.

Which attribute fills a column follows from the column's name and kind; the few that differ stand in ``_ATTRIBUTES``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec
import polars as pl
from msgspec import UNSET, Raw, UnsetType

from connectors.oneroster.endpoints import Endpoint
from connectors.oneroster.records import Record, Ref, Role, User
from gateway.sdk import LINE, REJECTS, REJECTS_SCHEMA, SOURCE, TABLES, Column, Fault, Kind, Records, empty, oneroster

_ATTRIBUTES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("users", "agent_ids"): "agents",
        ("users", "preferred_given_name"): "preferred_first_name",
        ("users", "preferred_family_name"): "preferred_last_name",
    }
)
_SILENT = frozenset({type(None), UnsetType})
_RAW = frozenset({Raw})
_PLAIN_DIGITS = b"-.0123456789\n"
_PLAIN = frozenset({str, type(None)})
_NEAR_PLAIN = frozenset({str, type(None), UnsetType})
Rows: TypeAlias = "Sequence[Any]"


def frames_of(
    endpoint: Endpoint, page: Records[Any], source: str, unreadable: Mapping[int, str]
) -> dict[str, pl.DataFrame]:
    """The raw frames of a page, by table; what could not be read stands under ``REJECTS``.

    ``source`` names the page ("results page 12"); ``unreadable`` are the ids of records that could not be read, by
    their number, as far as they have one.
    """
    frames = {endpoint.table: _main_frame(endpoint.table, page.items, page.numbers, source)}
    for table in endpoint.tables[1:]:
        frames[table] = _part_frame(table, _PARTS[table](page.items, page.numbers), source)
    if page.faults:
        frames[REJECTS] = _rejects(endpoint.table, page.faults, source, unreadable)
    return frames


def ids_of(page: Records[Any], unreadable: Mapping[int, str]) -> list[str]:
    """The ids of all records of a page in their order; an empty text for a record without one."""
    ids = [text(record.sourced_id) or "" for record in page.items]
    for fault in page.faults:
        ids.insert(fault.number - 1, unreadable.get(fault.number, ""))
    return ids


def unreadable_ids(body: bytes, keys: Sequence[str], faults: Sequence[Fault]) -> dict[int, str]:
    """The ids of a page's records that could not be read, by their number, so that what refers to them can wait."""
    if not faults:
        return {}
    document = json.loads(body)  # a page of records with faults is JSON, or nearly (NaN)
    rows = next(document[key] for key in keys if isinstance(document.get(key), list))
    found = ((fault.number, rows[fault.number - 1]) for fault in faults)
    ids = {number: row.get("sourcedId") for number, row in found if isinstance(row, dict)}
    return {number: own for number, own in ids.items() if isinstance(own, str) and own.isprintable()}


def _main_frame(table: str, items: Sequence[Record], numbers: Sequence[int], source: str) -> pl.DataFrame:
    columns = [_column(table, column, items) for column in TABLES[table].columns]
    return _with_places(pl.DataFrame(columns), numbers, source)


def _column(table: str, column: Column, items: Sequence[Record]) -> pl.Series:
    if column.name == "academic_session_id" and table == "line_items":
        sessions = zip(_values(items, "academic_session"), _values(items, "grading_period"), strict=True)
        return _texts(column.name, [_reference(session) or _reference(period) for session, period in sessions])
    if (table, column.name) == ("users", "user_ids"):
        return pl.Series(column.name, list(map(_user_ids, items)), dtype=pl.List(pl.String))
    if (table, column.name) == ("users", "grades"):
        grades = [_list(user.grades) or _list(user.grade) for user in _users(items)]
        return pl.Series(column.name, grades, dtype=pl.List(pl.String))
    values = _values(items, _attribute(table, column))
    if column.kind is Kind.TEXT_LIST:
        return pl.Series(column.name, list(map(_list, values)), dtype=pl.List(pl.String))
    if column.references and column.name != "id":
        return _texts(column.name, [v.sourced_id if type(v) is Ref else v for v in values])
    return _texts(column.name, values)


def _users(items: Sequence[Record]) -> Iterable[User]:
    return (item for item in items if isinstance(item, User))


def _attribute(table: str, column: Column) -> str:
    """``id`` → ``sourced_id``, ``line_item_id`` → ``line_item``, ``term_ids`` → ``terms``."""
    if column.name == "id":
        return "sourced_id"
    if column.references is None:
        return _ATTRIBUTES.get((table, column.name), column.name)
    if column.kind is Kind.TEXT_LIST:
        return f"{column.name.removesuffix('_ids')}s"
    name = column.name.removesuffix("_id")
    return "class_" if name == "class" else name


def _values(items: Sequence[Record], attribute: str) -> list[Any]:
    return list(map(attrgetter(attribute), items))


def _texts(name: str, values: list[Any]) -> pl.Series:
    """Scalars as a column of text, by the quickest way that their types allow."""
    kinds = set(map(type, values))
    if kinds <= _SILENT:
        return _repeated(name, None, len(values))
    if kinds == _RAW:
        return _raw_texts(name, values)
    if not kinds <= _PLAIN:
        if kinds <= _NEAR_PLAIN:
            values = [None if value is UNSET else value for value in values]
        else:
            values = list(map(text, values))
    return pl.Series(name, values, dtype=pl.String)


def _raw_texts(name: str, values: list[Any]) -> pl.Series:
    """Numbers as their own digits: all at once where all are plain, one by one where any is not."""
    joined = b"\n".join(values)
    plain = not joined.translate(None, _PLAIN_DIGITS)
    return pl.Series(name, joined.decode().split("\n") if plain else list(map(number, values)), dtype=pl.String)


def _repeated(name: str, value: str | None, length: int) -> pl.Series:
    return pl.Series(name, [value], dtype=pl.String).new_from_index(0, length)


def text(value: Any) -> str | None:
    """A JSON scalar as text: ``true`` and ``false`` for booleans; ``None`` where the provider is silent."""
    if isinstance(value, str) or value is None:
        return value
    if value is UNSET:
        return None
    if isinstance(value, Raw):
        return number(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def number(value: Raw | UnsetType) -> str | None:
    """A number as its own digits, or a text as it is. What is neither stays as it is, for the check to set aside."""
    if value is UNSET:
        return None
    written = str(value, "utf-8")  # a Raw offers its bytes as a buffer
    if written[0] == '"':
        return str(msgspec.json.decode(written)) if "\\" in written else written[1:-1]
    if "e" in written or "E" in written or written == "null":
        return None if written == "null" else _without_exponent(written)
    return written


def _without_exponent(written: str) -> str:
    try:
        value = Decimal(written)
    except InvalidOperation:  # true, false, an object
        return written
    return f"{value:f}" if abs(value.adjusted()) < 40 else written


def _reference(value: Any) -> str | None:
    return text(value.sourced_id if type(value) is Ref else value)


def _list(value: Any) -> list[str] | None:
    if value is UNSET or value is None:
        return None
    found = map(_reference, value if isinstance(value, list) else [value])
    return [item for item in found if item is not None]


def _user_ids(user: Any) -> list[str] | None:
    """``type:identifier`` of each; 1.0 and early 1.1 have a single ``userId``."""
    if not user.user_ids:
        return _list(user.user_id)
    return [
        item if isinstance(item, str) else f"{text(item.type) or ''}:{text(item.identifier) or ''}"
        for item in user.user_ids
        if item is not None
    ]


# Rows that are part of a record, or made from it ---------------------------------------------------------------------


def _roles(users: Rows, numbers: Sequence[int]) -> dict[str, list[Any]]:
    """1.2: the roles; 1.1: the one role in each of the orgs, primary there."""
    rows: list[tuple[Any, ...]] = []
    for user, line in zip(users, numbers, strict=True):
        user_id = text(user.sourced_id)
        if user_id is None:
            continue
        common = (text(user.status), text(user.date_last_modified), user_id)
        seen: dict[str, int] = {}
        for role in user.roles or _role_in_orgs(user):
            org, word = _reference(role.org), text(role.role)
            base = role_id(user_id, org, word)
            seen[base] = seen.get(base, 0) + 1
            own = base if seen[base] == 1 else f"{base}/{seen[base]}"
            dates = (text(role.begin_date), text(role.end_date))
            rows.append((own, *common, text(role.role_type), word, *dates, org, line))
    names = ("id", "status", "date_last_modified", "user_id", "role_type", "role", "begin_date", "end_date", "org_id")
    return _turned(rows, (*names, LINE))


def _role_in_orgs(user: User) -> list[Role]:
    orgs: list[str | None] = [*(_list(user.orgs) or (None,))]
    return [Role(role_type="primary", role=user.role, org=org) for org in orgs]


def role_id(user: str, org: str | None, role: str | None) -> str:
    """A role's id, for the REST binding has none: user, org and role. Different parts give different ids."""
    parts = (user, org or "", role or "")
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def _scale_values(scales: Rows, numbers: Sequence[int]) -> dict[str, list[Any]]:
    rows = [
        (scale.sourced_id, str(position), value.lhs, value.rhs, line)
        for scale, line in zip(scales, numbers, strict=True)
        for position, value in enumerate(scale.score_scale_value or (), start=1)
    ]
    return _turned(rows, ("score_scale_id", "position", "lhs", "rhs", LINE))


def _line_item_objectives(items: Rows, numbers: Sequence[int]) -> dict[str, list[Any]]:
    rows = [
        (item.sourced_id, group.source, objective, line)
        for item, line in zip(items, numbers, strict=True)
        if item.learning_objective_set
        for group in item.learning_objective_set
        for objective in group.learning_objective_ids or ()
    ]
    return _turned(rows, ("line_item_id", "source", "learning_objective_id", LINE))


def _result_objectives(results: Rows, numbers: Sequence[int]) -> dict[str, list[Any]]:
    rows = [
        (result.sourced_id, group.source, scored.learning_objective_id, scored.score, scored.text_score, line)
        for result, line in zip(results, numbers, strict=True)
        if result.learning_objective_set
        for group in result.learning_objective_set
        for scored in group.learning_objective_results or ()
    ]
    return _turned(rows, ("result_id", "source", "learning_objective_id", "score", "text_score", LINE))


def _scale_links(column: str) -> Callable[[Rows, Sequence[int]], dict[str, list[Any]]]:
    def links(items: Rows, numbers: Sequence[int]) -> dict[str, list[Any]]:
        rows = [
            (item.sourced_id, scale, line)
            for item, line in zip(items, numbers, strict=True)
            if item.score_scale
            for scale in _list(item.score_scale) or ()
        ]
        return _turned(rows, (column, "score_scale_id", LINE))

    return links


_PARTS: Mapping[str, Callable[[Rows, Sequence[int]], dict[str, list[Any]]]] = MappingProxyType(
    {
        "roles": _roles,
        "score_scale_values": _scale_values,
        "line_item_learning_objectives": _line_item_objectives,
        "line_item_score_scales": _scale_links("line_item_id"),
        "result_learning_objectives": _result_objectives,
        "result_score_scales": _scale_links("result_id"),
    }
)


def _turned(rows: list[tuple[Any, ...]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Rows as columns."""
    if not rows:
        return {name: [] for name in names}
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def _part_frame(table: str, columns: Mapping[str, list[Any]], source: str) -> pl.DataFrame:
    lines = columns[LINE]
    if not lines:
        return empty(table, raw=True)
    names = TABLES[table].names
    made = [_texts(n, columns[n]) if n in columns else _repeated(n, None, len(lines)) for n in names]
    frame = pl.DataFrame(made)
    if "learning_objective_id" in columns:
        frame = frame.with_columns(oneroster.strip_urn(pl.col("learning_objective_id")))
    return _with_places(frame, lines, source)


def _with_places(frame: pl.DataFrame, numbers: Sequence[int], source: str) -> pl.DataFrame:
    return frame.hstack([_repeated(SOURCE, source, frame.height), pl.Series(LINE, list(numbers), dtype=pl.UInt32)])


def _reason(fault: Fault) -> str:
    """A sentence: the fault's words follow "This record", or are those of the decoder ("Expected …")."""
    if fault.reason[:1].isupper():
        return f"This record is not of the expected shape: {fault.reason}."
    return f"This record {fault.reason}."


def _rejects(table: str, faults: Sequence[Fault], source: str, unreadable: Mapping[int, str]) -> pl.DataFrame:
    rows = [
        (table, unreadable.get(fault.number), "oneroster.unreadable", None, _reason(fault), source, fault.number)
        for fault in faults
    ]
    return pl.DataFrame(rows, schema=dict(REJECTS_SCHEMA), orient="row")
