"""GET: lists, items, deletes, key changes, partitions, and the change versions there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gateway.testing.edfi.bodies import Key
from gateway.testing.edfi.host import ENCODER, Host
from gateway.testing.edfi.model import Resource
from gateway.testing.edfi.problems import bad_parameter, no_snapshot, not_found
from gateway.testing.edfi.queries import Query, page_token, partition_count, partition_tokens, read_query
from gateway.testing.edfi.store import Row, Store, Table, Tombstone
from gateway.testing.fake_service import Headers, Reply, Striking
from gateway.testing.faults import FaultKind

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Reader:
    """Answers the reading requests of a host. Its callers hold the store's lock."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def store_for(self, environ: WSGIEnvironment) -> Store:
        """The living store, or the snapshot that the request asks for."""
        wanted = snapshot_asked(self.host, environ)
        if not wanted:
            return self.host.store
        name = "" if wanted.lower() == "true" else wanted
        if name not in self.host.snapshots:
            raise no_snapshot()
        return self.host.snapshots[name]

    def item(self, store: Store, resource: Resource, id_: str, if_none_match: str) -> Reply:
        table = store.tables[resource.name]
        row = table.rows.get(id_)
        if row is None:
            raise not_found()
        if if_none_match.strip('"') == row.etag:
            return Reply(304)
        return Reply(200, self.host.encoded(table, row), [("ETag", f'"{row.etag}"')])

    def page(self, store: Store, resource: Resource, text: str, striking: Striking) -> Reply:
        profile = self.host.profile
        query = read_query(text, resource.queries, most_rows=profile.most_rows, cursors=profile.cursors)
        if query.unknown and profile.refuses_unknown_filters:
            raise bad_parameter(f"The parameter '{query.unknown[0]}' is not supported.")
        table = store.tables[resource.name]
        rows = self._rows(table, resource, query)
        headers: Headers = []
        if query.total:
            wrong = 3 * (FaultKind.LOST_ROWS in striking) - (FaultKind.TOTAL_CHANGES in striking)
            headers.append(("Total-Count", str(len(rows) + wrong)))
        page, last = self._cut(rows, query, striking)
        if query.cursor and (page or FaultKind.EMPTY_PAGE in striking) and last is not None:
            looped = query.token if FaultKind.LINK_LOOP in striking and query.token else ""
            headers.append(("Next-Page-Token", looped or page_token(last + 1, query.last)))
        reply = Reply(200, self._body(table, page, striking), headers)
        if FaultKind.ROWS_MOVE in striking and page and store is self.host.store:
            self._move(table, page[0], striking[FaultKind.ROWS_MOVE].value)
        return reply

    def _move(self, table: Table, row: Row, how: str) -> None:
        """Somebody else changes or deletes a row that was read."""
        if how == "update":
            self.host.store.replace(table, row, row.body, self.host.stamp())
        elif not self.host.store.referrers(table, row.body.key):
            self.host.store.delete(table, row)

    def _rows(self, table: Table, resource: Resource, query: Query) -> Sequence[Row]:
        if query.id:
            found = table.rows.get(query.id)
            return [found] if found else []
        if query.least is query.most is None and query.filters.keys() == {part.place for part in resource.key}:
            found = table.by_key.get(tuple(_typed(query.filters[part.place], part.kind) for part in resource.key))
            return [found] if found else []
        return table.listing(query.filters, query.least, query.most)

    def _cut(self, rows: Sequence[Row], query: Query, striking: Striking) -> tuple[list[Row], int | None]:
        """The rows of the page, and the number of the row after which the next page begins."""
        limit = query.limit
        start = _first(rows, query.first) if query.cursor else query.offset
        end = _first(rows, query.last + 1) if query.cursor else len(rows)
        clamped = striking.get(FaultKind.CLAMPED_LIMIT)
        if clamped:
            limit = min(limit, int(clamped.value))
        if FaultKind.SHRUNKEN_PAGE in striking:
            limit = max(1, limit // 2)
        if FaultKind.REPEATED_PAGE in striking:
            start = max(0, start - limit)
        if FaultKind.OVERLAPPING_PAGE in striking:
            start = max(0, start - 1)
        page = list(rows[start : min(start + limit, end)])
        last = page[-1].number if page else None
        if FaultKind.EMPTY_PAGE in striking:
            return [], rows[start - 1].number if start else 0
        if FaultKind.SHUFFLED_PAGE in striking:
            page.reverse()
        return page, last

    def _body(self, table: Table, page: list[Row], striking: Striking) -> bytes:
        texts = [self.host.encoded(table, row) for row in page]
        if FaultKind.BAD_RECORD in striking and page:
            document = self.host.document(table, page[0])
            spoilt = next(name for name, value in document.items() if name != "id" and isinstance(value, str))
            texts[0] = ENCODER.encode({**document, spoilt: {"not": "a text"}})
        body = b"[" + b",".join(texts) + b"]"
        return b'{"value":' + body + b"}" if FaultKind.NO_ENVELOPE in striking else body

    def partitions(self, store: Store, resource: Resource, text: str, given: Mapping[str, str]) -> Reply:
        if not self.host.profile.cursors:
            raise not_found("The specified data could not be found.")
        kept = "&".join(part for part in text.split("&") if part.split("=")[0] not in ("number", "pageSize"))
        query = read_query(kept, resource.queries, most_rows=self.host.profile.most_rows, cursors=True)
        numbers = [row.number for row in self._rows(store.tables[resource.name], resource, query)]
        count = partition_count(given.get("number", "10"))
        return Reply(200, {"pageTokens": partition_tokens(numbers, count, self.host.profile.most_rows)})

    def deletes(self, store: Store, resource: Resource, text: str) -> Reply:
        """What was deleted and is not there again (that such are left out is *not verified*)."""
        table = store.tables[resource.name]
        found = [each for each in table.deletes if each.key not in table.by_key]
        return self._tombstones(found, text, lambda each: self._keyed(resource, {"keyValues": each.key}))

    def key_changes(self, store: Store, resource: Resource, text: str) -> Reply:
        return self._tombstones(
            store.tables[resource.name].key_changes,
            text,
            lambda each: self._keyed(resource, {"oldKeyValues": each.key, "newKeyValues": each.new_key or ()}),
        )

    def _keyed(self, resource: Resource, keys: Mapping[str, Key]) -> dict[str, Any]:
        if not self.host.profile.key_values:
            return {}
        return {name: dict(zip([part.name for part in resource.key], key, strict=True)) for name, key in keys.items()}

    def _tombstones(self, found: Sequence[Tombstone], text: str, more: Any) -> Reply:
        query = read_query(text, {}, most_rows=self.host.profile.most_rows, cursors=False)
        within = [
            each
            for each in found
            if (query.least is None or each.version >= query.least)
            and (query.most is None or each.version <= query.most)
        ]
        page = within[query.offset : query.offset + query.limit]
        headers = [("Total-Count", str(len(within)))] if query.total else []
        return Reply(200, [{"id": each.id, "changeVersion": each.version, **more(each)} for each in page], headers)

    def change_versions(self, store: Store) -> Reply:
        names = ("oldestChangeVersion", "newestChangeVersion")
        if self.host.profile.capital_changes:
            names = ("OldestChangeVersion", "NewestChangeVersion")
        return Reply(200, dict(zip(names, (store.oldest, store.newest), strict=True)))


def _typed(text: str, kind: str) -> Any:
    """A part of a key out of a query."""
    return int(text) if kind in ("int32", "int64") and text.isdigit() else text


def _first(rows: Sequence[Row], number: int) -> int:
    """The index of the first row whose number is not below ``number``; rows are in the order of their numbers."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if rows[middle].number < number:
            low = middle + 1
        else:
            high = middle
    return low


def snapshot_asked(host: Host, environ: WSGIEnvironment) -> str:
    """The snapshot's name, ``true``, or nothing."""
    name = host.profile.snapshot_header.upper().replace("-", "_")
    wanted: str = environ.get(f"HTTP_{name}", "")
    return "" if wanted.lower() == "false" else wanted
