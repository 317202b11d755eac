"""What the host holds: rows by id and by natural key, change versions, deletes, key changes, who refers to whom.

Rows are never changed, only replaced, so that a snapshot is a copy of the dictionaries. Callers hold ``lock``.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from typing import Any

from gateway.testing.edfi.bodies import Body, Key, at
from gateway.testing.edfi.model import ORGANIZATIONS, Model, Place

_MOST_LISTINGS = 64
_ETAG_BASE = 5_250_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """A stored item. ``number`` rises in the order of creation; ``version`` is its change version."""

    id: str
    number: int
    version: int
    modified: str
    body: Body
    owner: str = ""

    @property
    def etag(self) -> str:
        return str(_ETAG_BASE + self.version)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A deleted item, or the old key of an item whose key changed, with ``new_key``."""

    id: str
    version: int
    key: Key
    new_key: Key | None = None


@dataclass(slots=True)
class Table:
    """The items of a resource. ``revision`` changes with every write."""

    name: str
    rows: dict[str, Row] = field(default_factory=dict)
    by_key: dict[Key, Row] = field(default_factory=dict)
    deletes: list[Tombstone] = field(default_factory=list)
    key_changes: list[Tombstone] = field(default_factory=list)
    revision: int = 0
    _indexes: dict[Place, dict[str, dict[str, None]]] = field(default_factory=dict)
    _listings: dict[Any, list[Row]] = field(default_factory=dict)
    _listed_at: int = -1

    def put(self, row: Row) -> None:
        old = self.rows.get(row.id)
        if old is not None:
            self._forget(old)
        self.rows[row.id] = row
        self.by_key[row.body.key] = row
        self.revision += 1
        for place, index in self._indexes.items():
            index[_text(at(row.body.content, place))][row.id] = None

    def remove(self, row: Row) -> None:
        self._forget(row)
        del self.rows[row.id]
        self.revision += 1

    def _forget(self, row: Row) -> None:
        if self.by_key.get(row.body.key) is row:
            del self.by_key[row.body.key]
        for place, index in self._indexes.items():
            index[_text(at(row.body.content, place))].pop(row.id, None)

    def listing(self, filters: Mapping[Place, str], least: int | None, most: int | None) -> list[Row]:
        """The rows that pass the filters and whose change versions are within the bounds, oldest first."""
        if self._listed_at != self.revision:
            self._listings.clear()
            self._listed_at = self.revision
        elif len(self._listings) > _MOST_LISTINGS:
            self._listings.clear()
        question = (tuple(filters.items()), least, most)
        if question not in self._listings:
            self._listings[question] = list(self._matching(filters, least, most))
        return self._listings[question]

    def _matching(self, filters: Mapping[Place, str], least: int | None, most: int | None) -> Iterable[Row]:
        rows: Iterable[Row] = self.rows.values()
        if filters:
            buckets = sorted((self._bucket(place, value) for place, value in filters.items()), key=len)
            rows = (self.rows[id_] for id_ in buckets[0] if all(id_ in bucket for bucket in buckets[1:]))
            rows = sorted(rows, key=lambda row: row.number)
        if least is not None:
            rows = [row for row in rows if row.version >= least]
        return rows if most is None else [row for row in rows if row.version <= most]

    def _bucket(self, place: Place, value: str) -> dict[str, None]:
        index = self._indexes.get(place)
        if index is None:
            index = self._indexes[place] = defaultdict(dict)
            for row in self.rows.values():
                index[_text(at(row.body.content, place))][row.id] = None
        return index[value]

    def copy(self) -> Table:
        return Table(self.name, dict(self.rows), dict(self.by_key), list(self.deletes), list(self.key_changes))


def _text(value: Any) -> str:
    """A value as it is written in a filter."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


class Store:
    """The tables of one host. Methods that write raise nothing: the callers judge before."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.lock = threading.RLock()
        self.tables = {name: Table(name) for name in model.resources}
        self.oldest = 0
        self.newest = 0
        self._numbers = count(1)
        self._referrers: dict[tuple[str, Key], dict[tuple[str, str], None]] = defaultdict(dict)

    def next_version(self) -> int:
        self.newest += 1
        return self.newest

    def insert(self, table: Table, body: Body, modified: str, owner: str) -> Row:
        number = next(self._numbers)
        id_ = blake2b(f"{table.name}/{number}".encode(), digest_size=16).hexdigest()
        row = Row(id_, number, self.next_version(), modified, body, owner)
        table.put(row)
        self._refer(table.name, row)
        return row

    def replace(self, table: Table, old: Row, body: Body, modified: str) -> Row:
        row = Row(old.id, old.number, self.next_version(), modified, body, old.owner)
        self._unrefer(table.name, old)
        table.put(row)
        self._refer(table.name, row)
        if body.key != old.body.key:
            table.key_changes.append(Tombstone(row.id, row.version, old.body.key, body.key))
        return row

    def delete(self, table: Table, row: Row) -> None:
        table.remove(row)
        self._unrefer(table.name, row)
        table.deletes.append(Tombstone(row.id, self.next_version(), row.body.key))

    def _refer(self, name: str, row: Row) -> None:
        for target, key in row.body.references:
            self._referrers[target, key][name, row.id] = None

    def _unrefer(self, name: str, row: Row) -> None:
        for target, key in row.body.references:
            self._referrers[target, key].pop((name, row.id), None)

    def resolves(self, target: str, key: Key) -> bool:
        """Whether the item with this key is there."""
        if target == "educationOrganizations":
            return any(key in self.tables[name].by_key for name in ORGANIZATIONS)
        return target in self.tables and key in self.tables[target].by_key

    def referrers(self, table: Table, key: Key) -> list[tuple[str, str]]:
        """The resource and id of each item that refers to this one."""
        found = list(self._referrers.get((table.name, key), ()))
        if table.name in ORGANIZATIONS:
            found += self._referrers.get(("educationOrganizations", key), ())
        return found

    def frozen(self) -> Store:
        """A copy to read from, which later writes leave alone."""
        copy = Store(self._model)
        copy.lock = self.lock
        copy.tables = {name: table.copy() for name, table in self.tables.items()}
        copy.oldest, copy.newest = self.oldest, self.newest
        return copy
