"""What stands beside the inbox: the district's tables, and a client's own records over them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from gateway.api.inbox.frames import table_of
from gateway.api.inbox.overlay import Overlay, laid_over
from gateway.api.oneroster.lists import LISTINGS
from gateway.api.oneroster.tables import LINKED, Rows, Tables
from gateway.api.sites import Site
from gateway.core.model import TABLES
from gateway.store import inbox
from gateway.store.inbox import InboxState, Item

_BY_TABLE = {each.table: each for each in LISTINGS.values() if each.gradebook}
MOST_OVERLAYS = 32
_LIMITS = ("id", "result_value_min", "result_value_max")


def records_of(items: Sequence[Item]) -> list[dict[str, Any]]:
    """The contents of records that have one; those that were withdrawn say so."""
    return [
        {**item.verdict.record, "status": "tobedeleted" if item.withdrawn else "active"}
        for item in items
        if item.verdict.record is not None
    ]


class Beside:
    """What a client's records can refer to: the district's, and its own accepted ones."""

    def __init__(self, site: Site, tables: Tables | None, client_id: str) -> None:
        self._site = site
        self._tables = tables
        self._client_id = client_id

    def known(self, table: str, ids: Sequence[str]) -> set[str]:
        """Which of these records are there."""
        found = set(self._rows(table, ids, ["id"])["id"])
        return found | {item.record_id for item in self._own(table, [id for id in ids if id not in found])}

    def limits(self, line_items: Sequence[str]) -> pl.DataFrame:
        """The range of results of line items; the client's own word about one goes first."""
        own = self._own("line_items", line_items)
        mine = table_of(_BY_TABLE["line_items"], records_of(own)).select(_LIMITS)
        theirs = self._rows("line_items", line_items, _LIMITS)
        return pl.concat([mine, theirs]).unique("id", keep="first", maintain_order=True)

    def row(self, table: str, id: str) -> dict[str, Any] | None:
        """The district's record with its parts, if there is one."""
        if self._tables is None:
            return None
        return next(self._tables.scan(table).filter(pl.col("id") == id).collect().iter_rows(named=True), None)

    def _rows(self, table: str, ids: Sequence[str], columns: Sequence[str]) -> pl.DataFrame:
        if self._tables is None:
            schema = TABLES[table].schema
            return pl.DataFrame(schema={name: schema[name] for name in columns})
        return self._tables.scan(table).select(columns).filter(pl.col("id").is_in(list(ids))).collect()

    def _own(self, table: str, ids: Sequence[str]) -> list[Item]:
        if table not in _BY_TABLE:
            return []
        found = inbox.among(self._site.store, self._site.id, self._client_id, table, ids)
        return [item for item in found if item.verdict.state is InboxState.ACCEPTED and not item.withdrawn]


@dataclass(frozen=True, slots=True)
class Laid:
    """What a client wrote up to a revision, by table, over the tables in a folder."""

    folder: Path
    revision: int
    tables: Mapping[str, Overlay]


class Overlays:
    """What the clients that read last have over their district's tables; only what is new is read again."""

    def __init__(self) -> None:
        self._laid: OrderedDict[tuple[str, str], Laid] = OrderedDict()
        self._lock = threading.Lock()

    def laid(self, tables: Tables, site: Site, client_id: str) -> Laid:
        """What the client wrote so far."""
        key, revision = (site.id, client_id), inbox.last_revision(site.store, site.id, client_id)
        with self._lock:
            held = self._laid.get(key)
        if held is None or held.folder != tables.folder or held.revision > revision:  # or the inbox was emptied
            held = Laid(tables.folder, 0, {})
        if held.revision < revision:
            new = inbox.since(site.store, site.id, client_id, held.revision)
            held = Laid(tables.folder, revision, {**held.tables, **_with(held, new, tables)})
        with self._lock:
            self._laid[key] = held
            self._laid.move_to_end(key)
            while len(self._laid) > MOST_OVERLAYS:
                self._laid.popitem(last=False)
        return held


def _with(held: Laid, new: Sequence[Item], tables: Tables) -> Mapping[str, Overlay]:
    """The tables that have new records."""
    found = {}
    for table in sorted({item.entity for item in new}):
        items = [item for item in new if item.entity == table]
        mine = table_of(_BY_TABLE[table], records_of(items))
        if table in held.tables:
            older = held.tables[table].mine
            mine = pl.concat(
                [older.filter(~pl.col("id").is_in([item.record_id for item in items])), mine], how="diagonal"
            )
        found[table] = laid_over(tables.rows(table), mine.sort("id"))
    return found


class WithInbox:
    """A district's tables with a client's records over them, as :class:`Tables` has them.

    ``withdrawn``: records that the client withdrew are shown as such, instead of hidden.
    """

    def __init__(self, tables: Tables, laid: Laid, client_id: str, *, withdrawn: bool) -> None:
        self._tables = tables
        self._client_id = client_id
        self._withdrawn = withdrawn
        self._revision, self._overlays = laid.revision, laid.tables

    @property
    def folder(self) -> Path:
        return self._tables.folder

    def page(self, table: str, offset: int, limit: int) -> tuple[pl.DataFrame, int]:
        """See :meth:`Tables.page`."""
        if table not in self._overlays:
            return self._tables.page(table, offset, limit)
        return self._overlays[table].page(self._tables.rows(table), offset, limit, withdrawn=self._withdrawn)

    def scan(self, table: str) -> pl.LazyFrame:
        """See :meth:`Tables.scan`."""
        theirs = self._tables.scan(table)
        return self._overlays[table].over(theirs, withdrawn=self._withdrawn) if table in self._overlays else theirs

    def plain(self, table: str) -> pl.LazyFrame:
        """See :meth:`Tables.plain`."""
        return self._tables.plain(table) if table in LINKED else self.scan(table)

    def rows_of(self, key: str, made: Callable[[], pl.LazyFrame]) -> Rows:
        """See :meth:`Tables.rows_of`."""
        if self._overlays:
            key = "\0".join(("inbox", self._client_id, str(self._revision), str(self._withdrawn), key))
        return self._tables.rows_of(key, made)
