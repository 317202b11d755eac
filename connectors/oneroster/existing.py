"""What the provider holds: single objects by id, and records by what they are about.

A provider that gives new records ids of its own cannot be asked for ours. A record that may have been sent is then
found by its natural key: a result by line item and student, a line item by class, title and due date. (Categories and
score scales are always under our own ids: the standard has no POST for them.)
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias, cast
from urllib.parse import quote

import msgspec

from connectors.oneroster.endpoints import PUSHED, Endpoint
from connectors.oneroster.frames import frames_of, text
from connectors.oneroster.provider import Provider
from connectors.oneroster.pulling import Puller
from connectors.oneroster.records import Ref
from gateway.sdk import (
    LINE,
    SOURCE,
    TABLES,
    Change,
    IncompletePullError,
    Place,
    Records,
    RejectedError,
    decode_page,
    read_rows,
)

Key: TypeAlias = "tuple[str | None, ...]"


class Existing:
    """Reads single objects and looks records up. Several threads may use it."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._puller = Puller(provider)
        self._lock = threading.Lock()
        self._indexes: dict[str, dict[Key, str]] = {}

    def get(self, endpoint: Endpoint, sourced_id: str, kind: type[Any]) -> Any | None:
        """One object as ``kind``; ``None`` when the provider has none of this id."""
        try:
            answer = self._provider.request("GET", endpoint, f"{endpoint.name}/{quoted(sourced_id)}")
        except RejectedError as refusal:
            if refusal.status in (404, 410):
                return None
            raise
        names = self._provider.profile.single_names(endpoint.single)
        source = f"{endpoint.name}, one object"
        envelope = decode_page(answer.body, _envelope(cast(Any, kind), names), source=source)
        for position in range(len(names)):
            found = getattr(envelope, f"object_{position}")
            if found is not msgspec.UNSET:
                return found
        raise IncompletePullError(
            f'The answer lacks its object "{endpoint.single}".', code="page.envelope", place=Place(source)
        )

    def find(self, change: Change, remote_ids: Mapping[str, str], *, again: bool = False) -> str | None:
        """The provider's id of the line item or result that ``change`` is about, if it is there. ``again``: a list that
        was read before is read anew."""
        endpoint = PUSHED[change.entity]
        wanted = _key_of_change(change, remote_ids)
        if not self._provider.profile.filters:
            return self._index(endpoint, again=again).get(wanted)
        terms = zip(_FILTERS[change.entity], wanted, strict=False)
        condition = " AND ".join(f"{field}={_quoted_value(value or '')}" for field, value in terms)
        found = self._puller.all_records(endpoint, {"filter": condition})
        return next((text(r.sourced_id) for r in found if _is_there(r) and _key_of_record(r) == wanted), None)

    def _index(self, endpoint: Endpoint, *, again: bool) -> Mapping[Key, str]:
        """All records of a list by natural key, read once: for providers that know no filters."""
        with self._lock:
            if again or endpoint.name not in self._indexes:
                index: dict[Key, str] = {}
                for record in filter(_is_there, self._puller.all_records(endpoint, {})):
                    index.setdefault(_key_of_record(record), text(record.sourced_id) or "")
                self._indexes[endpoint.name] = index
            return self._indexes[endpoint.name]


_FILTERS: Mapping[str, Sequence[str]] = {
    "line_items": ("class.sourcedId", "title"),
    "results": ("lineItem.sourcedId", "student.sourcedId"),
}


def _quoted_value(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _is_there(record: Any) -> bool:
    return text(record.status) in (None, "active")


def _key_of_change(change: Change, remote_ids: Mapping[str, str]) -> Key:
    record: Mapping[str, Any] = change.record
    if change.entity == "results":
        own = record["line_item_id"]
        return (remote_ids.get(own, own), record["student_id"])
    due: datetime | None = record.get("due_date") or record.get("assign_date")
    return (record["class_id"], record["title"], None if due is None else due.date().isoformat())


def _key_of_record(record: Any) -> Key:
    if hasattr(record, "line_item"):
        return (_id(record.line_item), _id(record.student))
    due = text(record.due_date)
    return (_id(record.class_), text(record.title), None if due is None else due[:10])


def _id(reference: Any) -> str | None:
    return text(reference.sourced_id if isinstance(reference, Ref) else reference)


@functools.lru_cache(maxsize=64)
def _envelope(kind: type[Any], names: tuple[str, ...]) -> type[msgspec.Struct]:
    fields = [(f"object_{n}", kind | msgspec.UnsetType, msgspec.UNSET) for n in range(len(names))]
    return msgspec.defstruct("SingleEnvelope", fields, rename={f"object_{n}": name for n, name in enumerate(names)})


_NOT_IN_JSON: Mapping[str, tuple[str, ...]] = {"score_scales": ("org_id",)}
"""Columns that only the CSV binding has."""


def canonical(endpoint: Endpoint, objects: Sequence[Any]) -> dict[str, Mapping[str, object]]:
    """Objects as canonical records by id, with the rows that are part of them; deleted and unreadable ones left out,
    and the columns that no JSON object of this kind has."""
    page = Records(objects, range(1, len(objects) + 1))
    frames = {name: read_rows(f, TABLES[name]).rows for name, f in frames_of(endpoint, page, endpoint.name, {}).items()}
    parts = {name: _by_parent(name, frames[name].drop(SOURCE, LINE).to_dicts()) for name in endpoint.tables[1:]}
    return {
        row["id"]: {**row, **{name: rows.get(row["id"], []) for name, rows in parts.items()}}
        for row in frames[endpoint.table].drop(SOURCE, LINE, *_NOT_IN_JSON.get(endpoint.table, ())).to_dicts()
        if row["status"] != "tobedeleted"
    }


def _by_parent(table: str, rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    part_of = TABLES[table].part_of
    column = part_of[1] if part_of else "id"
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.pop(column), []).append(row)
    return found


def quoted(sourced_id: str) -> str:
    """An id as one step of a path."""
    return quote(sourced_id, safe="")
