"""What the parts of the fake host share: its model, its store, its profile, and how rows become JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.testing.edfi.bodies import BodyReader, reader_for
from gateway.testing.edfi.model import ORGANIZATIONS, Model, Node, Resource
from gateway.testing.edfi.notation import singular
from gateway.testing.edfi.problems import not_found
from gateway.testing.edfi.store import Row, Store, Table

ENCODER = msgspec.json.Encoder(decimal_format="number")
DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a version of the host can and does; each may be set apart for a test.

    ``problem_details``: 7.2 and later. ``cursors`` and partitions: 7.3 and later. ``key_values``: whether ``/deletes``
    tells the keys. ``capital_changes``: ``OldestChangeVersion``, before 6.0. ``snapshot_header``: ``Use-Snapshot``
    (7.x) or ``Snapshot-Identifier``. ``put_wants_id``: a PUT without the id in its body is refused (v8, *not
    verified*). ``changes``: whether change queries are on. ``refuses_unknown_filters``: older hosts answer a filter
    they do not know with the whole set; from which version on it is refused is *not verified*. ``relationships``: a
    client may write about a student only once an enrolment ties the student to its organizations. ``owned``: a client
    may change only what it created. ``put_status``: 204, or 200 as some hosts answer. That v8 has cursors and
    partitions is *not verified*.
    """

    problem_details: bool
    cursors: bool
    key_values: bool
    capital_changes: bool
    snapshot_header: str
    put_wants_id: bool = False
    put_status: int = 204
    changes: bool = True
    refuses_unknown_filters: bool = False
    most_rows: int = 500
    checks_references: bool = True
    relationships: bool = False
    owned: bool = False

    @classmethod
    def of(cls, version: tuple[int, int]) -> Profile:
        return cls(
            problem_details=version >= (7, 2),
            cursors=version >= (7, 3),
            key_values=version >= (6, 1) or version == (5, 3),
            capital_changes=version < (6, 0),
            snapshot_header="Use-Snapshot" if version >= (7, 0) else "Snapshot-Identifier",
            put_wants_id=version >= (8, 0),
        )


class Host:
    """The data of the fake host. ``now`` dates what is written."""

    def __init__(self, model: Model, profile: Profile, now: Callable[[], datetime]) -> None:
        self.model = model
        self.profile = profile
        self.store = Store(model)
        self.snapshots: dict[str, Store] = {}
        self._now = now
        self._encoded: dict[str, tuple[int, bytes]] = {}

    def stamp(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def resource(self, name: str) -> Resource:
        """The resource with this name; raises a problem."""
        found = self.model.resources.get(name)
        if found is None:
            raise not_found("The specified data could not be found.")
        return found

    def reader(self, name: str) -> BodyReader:
        return reader_for(self.model.standard, name)

    def encoded(self, table: Table, row: Row) -> bytes:
        """A row as it is answered, with its id, its etag and the links of its references."""
        kept = self._encoded.get(row.id)
        if kept is None or kept[0] != row.version:
            kept = self._encoded[row.id] = (row.version, ENCODER.encode(self.document(table, row)))
        return kept[1]

    def document(self, table: Table, row: Row) -> dict[str, Any]:
        document = {"id": row.id, **self._linked(self.model.resources[table.name].node, row.body.content)}
        if table.name.endswith("Descriptors"):
            document[f"{table.name[:-1]}Id"] = row.number
        document["_etag"] = row.etag
        document["_lastModifiedDate"] = row.modified
        return document

    def _linked(self, node: Node, content: dict[str, Any]) -> dict[str, Any]:
        """The content with a link in each reference, in collections as well."""
        linked = dict(content)
        for name, reference in node.references.items():
            given = content.get(name)
            if given is not None:
                link = self._link(reference.member.target, tuple(given.values()))
                linked[name] = {**given, "link": link} if link else given
        for name, below in node.objects.items():
            if name in content:
                linked[name] = self._linked(below, content[name])
        for name, below in node.collections.items():
            if name in content:
                linked[name] = [self._linked(below, item) for item in content[name]]
        return linked

    def _link(self, target: str, key: tuple[Any, ...]) -> dict[str, str] | None:
        for name in ORGANIZATIONS if target == "educationOrganizations" else (target,):
            table = self.store.tables.get(name)
            found = table.by_key.get(key) if table else None
            if found is not None:
                rel = singular(name)
                return {"rel": rel[0].upper() + rel[1:], "href": f"/ed-fi/{name}/{found.id}"}
        return None
