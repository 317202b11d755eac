"""POST, PUT and DELETE: what the host checks, in which order, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.testing.edfi import problems
from gateway.testing.edfi.authorizing import authorize
from gateway.testing.edfi.bodies import BadBody, Body, Reading, descriptor_key
from gateway.testing.edfi.gate import Claims
from gateway.testing.edfi.host import DECODER, Host
from gateway.testing.edfi.model import Resource
from gateway.testing.edfi.notation import singular
from gateway.testing.edfi.rekeying import carry_key
from gateway.testing.edfi.store import Row, Table

Effect = Callable[[str, Body], None]


class Writer:
    """Does the writing requests of a host. ``effect`` is told of every row that became different.

    Its callers hold the store's lock. That a write without a difference changes nothing, not even the etag, is *not
    verified*.
    """

    def __init__(self, host: Host, effect: Effect) -> None:
        self.host = host
        self._effect = effect

    def read_body(self, resource: Resource, text: bytes, id_: str = "") -> tuple[Body, Reading]:
        """The body of a request; raises a problem. ``id_`` is that of the address."""
        if not text.strip():
            raise problems.bad_request("A non-empty request body is required.")
        try:
            document = DECODER.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise problems.invalid({"$": ["The body is no valid JSON."]}) from None
        if isinstance(document, dict):
            self._check_id(document, id_)
        try:
            return self.host.reader(resource.name).read(document)
        except BadBody as error:
            raise problems.invalid(error.errors) from None

    def _check_id(self, document: Mapping[str, Any], id_: str) -> None:
        given = document.get("id")
        if not id_ and given is not None:
            raise problems.bad_data("Resource identifiers cannot be assigned by the client.")
        if id_ and self.host.profile.put_wants_id and given != id_:
            raise problems.bad_data("The id in the body must be that of the route.")

    def post(
        self, resource: Resource, body: Body, reading: Reading, if_match: str, claims: Claims | None
    ) -> tuple[Row, bool]:
        """Create, or replace what has this natural key: the row, and whether it is new. ``claims`` of ``None``: another
        system, which may do anything."""
        table = self.host.store.tables[resource.name]
        old = table.by_key.get(body.key)
        authorize(self.host, resource, old, body, claims)
        self._resolve(reading)
        if old is not None:
            self._match(old, if_match)
            return self._replace(table, old, body), False
        row = self.host.store.insert(table, body, self.host.stamp(), claims.name if claims else "")
        self._effect(resource.name, body)
        return row, True

    def put(
        self, resource: Resource, id_: str, body: Body, reading: Reading, if_match: str, claims: Claims | None
    ) -> Row:
        """Replace the row with this id, its key as well where the resource allows it."""
        table = self.host.store.tables[resource.name]
        old = self.row(table, id_)
        authorize(self.host, resource, old, body, claims)
        self._match(old, if_match)
        self._resolve(reading)
        if body.key != old.body.key:
            if not resource.rekeyed:
                raise problems.key_change(singular(resource.name))
            if body.key in table.by_key:
                raise problems.not_unique()
        row = self._replace(table, old, body)
        if body.key != old.body.key:
            carry_key(self.host, table, old.body.key, body)
        return row

    def rewrite(self, resource: Resource, row: Row, content: dict[str, Any]) -> None:
        """Write a row anew, even without a difference."""
        body, _ = self.host.reader(resource.name).read(content)
        self.host.store.replace(self.host.store.tables[resource.name], row, body, self.host.stamp())

    def delete(self, resource: Resource, id_: str, if_match: str, claims: Claims | None) -> None:
        store = self.host.store
        table = store.tables[resource.name]
        row = self.row(table, id_)
        authorize(self.host, resource, row, row.body, claims)
        self._match(row, if_match)
        referrers = store.referrers(table, row.body.key)
        if referrers and self.host.profile.checks_references:
            raise problems.dependents(_title(referrers[0][0]))
        store.delete(table, row)
        self._effect(resource.name, row.body)

    def row(self, table: Table, id_: str) -> Row:
        found = table.rows.get(id_)
        if found is None:
            raise problems.not_found()
        return found

    def _match(self, row: Row, if_match: str) -> None:
        if if_match and if_match.strip('"') != row.etag:
            raise problems.stale()

    def _replace(self, table: Table, old: Row, body: Body) -> Row:
        if old.body.content == body.content:
            return old
        row = self.host.store.replace(table, old, body, self.host.stamp())
        self._effect(table.name, body)
        return row

    def _resolve(self, reading: Reading) -> None:
        """Descriptors first, then references, as the host does."""
        store = self.host.store
        missing = {
            path: value
            for kind, value, path in reading.descriptors
            if descriptor_key(value) not in store.tables[f"{kind}s"].by_key
        }
        if missing:
            raise problems.missing_descriptors(missing)
        if self.host.profile.checks_references:
            for target, key, _ in reading.references:
                if not store.resolves(target, key):
                    raise problems.unresolved(_title(target))


def _title(resource: str) -> str:
    name = singular(resource)
    return name[0].upper() + name[1:]
