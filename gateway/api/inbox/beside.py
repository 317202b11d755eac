"""What stands beside the inbox: the district's tables, and a client's own records over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from gateway.api.inbox.frames import table_of
from gateway.api.oneroster.lists import LISTINGS
from gateway.api.oneroster.tables import LINKED, Tables
from gateway.api.sites import Site
from gateway.core.model import TABLES
from gateway.store import inbox
from gateway.store.inbox import InboxState, Item

_BY_TABLE = {each.table: each for each in LISTINGS.values() if each.gradebook}
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


class WithInbox:
    """A district's tables with a client's records over them, as :class:`Tables` has them.

    ``withdrawn``: records that the client withdrew are shown as such, instead of hidden.
    """

    def __init__(self, tables: Tables, site: Site, client_id: str, *, withdrawn: bool) -> None:
        self._tables = tables
        self._site = site
        self._client_id = client_id
        self._withdrawn = withdrawn

    @property
    def folder(self) -> Path:
        return self._tables.folder

    @cached_property
    def _revisions(self) -> dict[str, int]:
        return inbox.revisions(self._site.store, self._site.id, self._client_id)

    def scan(self, table: str) -> pl.LazyFrame:
        """See :meth:`Tables.scan`."""
        if table not in self._revisions:
            return self._tables.scan(table)
        path, _ = self._tables.rows_of(self._key(table), lambda: self._merged(table))
        return pl.scan_parquet(path)

    def plain(self, table: str) -> pl.LazyFrame:
        """See :meth:`Tables.plain`."""
        return self._tables.plain(table) if table in LINKED else self.scan(table)

    def rows_of(self, key: str, made: Callable[[], pl.LazyFrame]) -> tuple[Path, int]:
        """See :meth:`Tables.rows_of`."""
        return self._tables.rows_of(self._key(key) if self._revisions else key, made)

    def _key(self, what: str) -> str:
        revisions = ",".join(f"{table}={number}" for table, number in sorted(self._revisions.items()))
        return "\0".join(("inbox", self._client_id, revisions, str(self._withdrawn), what))

    def _merged(self, table: str) -> pl.LazyFrame:
        theirs = self._tables.scan(table)
        items = inbox.listed(self._site.store, self._site.id, self._client_id, entity=table)
        shown = [item for item in items if item.verdict.record is not None]
        kept = [item for item in shown if self._withdrawn or not item.withdrawn]
        mine = table_of(_BY_TABLE[table], records_of(kept)).lazy()
        hidden = [item.record_id for item in shown]
        return pl.concat([theirs.filter(~pl.col("id").is_in(hidden)), mine], how="diagonal").sort("id")
