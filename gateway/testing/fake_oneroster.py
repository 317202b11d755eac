"""A OneRoster provider in memory: rostering and gradebook, versions 1.1 and 1.2, with every fault one can switch on.

Imitates: the 1EdTech OneRoster 1.2 OpenAPI documents of the rostering and the gradebook service (Final Release,
19 September 2022), OneRoster 1.1 (one base path, OAuth 1.0a), and what implementers report of real providers: limits
clamped without a word, neither ``Link`` nor ``X-Total-Count``, PUT answered by 200, 201 or the object,
``sourcedIdPairs`` as an object, soft deletes that lists hide.

It counts *effects* (a record became different) apart from *requests*, and its tables are the oracle of what it holds.
Served by :func:`gateway.testing.wsgi.serve` it takes a few thousand PUT requests a second.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gateway.testing.fake_auth import Gate
from gateway.testing.fake_oneroster_data import Records, ref, sample_records
from gateway.testing.fake_service import FakeService, Manners, Refusal, Reply, Striking
from gateway.testing.faults import FaultKind

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_SINGLES: Mapping[str, str] = {
    "academicSessions": "academicSession", "orgs": "org", "courses": "course", "classes": "class", "users": "user",
    "enrollments": "enrollment", "demographics": "demographics", "categories": "category", "lineItems": "lineItem",
    "results": "result", "scoreScales": "scoreScale",
}  # fmt: skip
_GRADEBOOK = frozenset({"categories", "lineItems", "results", "scoreScales"})
_REFERENCES: Mapping[str, Mapping[str, str]] = {
    "lineItems": {"class": "classes", "category": "categories", "scoreScale": "scoreScales"},
    "results": {"lineItem": "lineItems", "student": "users", "scoreScale": "scoreScales"},
    "scoreScales": {"class": "classes"},
}
_POSTS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("lineItems", "results"): ("lineItem", "lineItem"),
    ("classes", "lineItems"): ("class", "class"),
    ("schools", "lineItems"): ("school", "org"),
    ("academicSessions", "results"): ("", ""),
}
"""By parent and child collection: the field in the child that the address fills, and the type of its reference."""


def _typed(kind: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda record: record.get("type") == kind


def _in_role(role: str) -> Callable[[Mapping[str, Any]], bool]:
    def has(record: Mapping[str, Any]) -> bool:
        return record.get("role") == role or any(part.get("role") == role for part in record.get("roles", ()))

    return has


_VIEWS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], bool]]] = {
    "terms": ("academicSessions", _typed("term")),
    "gradingPeriods": ("academicSessions", _typed("gradingPeriod")),
    "schools": ("orgs", _typed("school")),
    "students": ("users", _in_role("student")),
    "teachers": ("users", _in_role("teacher")),
}


@dataclass(slots=True)
class GradebookManners(Manners):
    """``put_status``: what an edit answers; ``put_echoes``: a PUT answers with the object; ``pairs_as_object``:
    ``sourcedIdPairs`` of one record is an object instead of a list; ``takes_deletes``: whether DELETE is offered."""

    put_status: int = 200
    put_echoes: bool = False
    pairs_as_object: bool = False
    takes_deletes: bool = True


class FakeOneRoster(FakeService):
    """A provider with the records given, or a small sample district. ``prefix`` stands before ``/ims``."""

    manners: GradebookManners

    def __init__(
        self,
        records: Records | None = None,
        *,
        version: str = "1.2",
        gate: Gate | None = None,
        manners: GradebookManners | None = None,
        prefix: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(gate, manners or GradebookManners())
        given = sample_records(version) if records is None else records
        self.tables = {
            name: {record["sourcedId"]: deepcopy(record) for record in given.get(name, ())} for name in _SINGLES
        }
        self.version = version
        self._prefix = prefix
        self._now = now
        self._allocated = 0

    @property
    def rostering_url(self) -> str:
        return self.host + self._base("rostering")

    @property
    def gradebook_url(self) -> str:
        return self.host + self._base("gradebook")

    def _base(self, service: str) -> str:
        return f"{self._prefix}/ims/oneroster" + ("/v1p1" if self.version == "1.1" else f"/{service}/v1p2")

    def active(self, collection: str) -> dict[str, dict[str, Any]]:
        """The oracle: the records that are not deleted."""
        return {id_: record for id_, record in self.tables[collection].items() if record["status"] == "active"}

    def answer(self, environ: WSGIEnvironment, body: bytes, striking: Striking) -> Reply:
        method = environ["REQUEST_METHOD"]
        steps = self._steps(environ["PATH_INFO"])
        with self.lock:
            if method == "GET":
                return self._get(environ, steps, striking)
            if method == "PUT" and len(steps) == 2:
                return self._put(*self._writable(steps, striking), body)
            if method == "DELETE" and len(steps) == 2 and self.manners.takes_deletes:
                return self._delete(*self._writable(steps, striking))
            if method == "POST" and len(steps) >= 3 and self.version != "1.1":
                return self._post(steps, body)
        raise Refusal(405, "unsupported")

    def _steps(self, path: str) -> list[str]:
        """The steps of the path below the base path of the service that has the collection."""
        for service in ("rostering", "gradebook"):
            base = f"{self._base(service)}/"
            if path.startswith(base):
                steps = path[len(base) :].split("/")
                name = _VIEWS.get(steps[0], (steps[0],))[0]
                if len(steps) > 2 or self.version == "1.1" or (name in _GRADEBOOK) == (service == "gradebook"):
                    return steps
        raise Refusal(404, "unknownobject")

    def _table(self, name: str) -> dict[str, dict[str, Any]]:
        if name not in self.tables or (name == "scoreScales" and self.version == "1.1"):
            raise Refusal(404, "unknownobject")
        return self.tables[name]

    def _get(self, environ: WSGIEnvironment, steps: list[str], striking: Striking) -> Reply:
        name, passes = _VIEWS.get(steps[0], (steps[0], lambda record: True))
        table = self._table(name)
        if len(steps) == 1:
            text = environ.get("QUERY_STRING", "")
            hidden = "status" not in text and "dateLastModified" not in text
            rows = [r for r in table.values() if passes(r) and not (hidden and r["status"] != "active")]
            return self.list_reply(environ, name, rows, striking)
        if len(steps) == 2 and steps[1] in table:
            return Reply(200, {_SINGLES[name]: table[steps[1]]})
        raise Refusal(404, "unknownobject")

    def _writable(self, steps: list[str], striking: Striking) -> tuple[str, str]:
        name, id_ = steps
        if name not in _GRADEBOOK:
            raise Refusal(405, "unsupported")
        self._table(name)
        refused = striking.get(FaultKind.REFUSED_RECORD)
        if refused is not None and refused.value == id_:
            raise Refusal(422, "invaliddata", "The grading window is closed for this student")
        return name, id_

    def _put(self, name: str, id_: str, body: bytes) -> Reply:
        try:
            record = json.loads(body)[_SINGLES[name]]
        except (ValueError, KeyError, TypeError):
            raise Refusal(400, "invaliddata", f"The body has no {_SINGLES[name]}") from None
        if not isinstance(record, dict) or record.setdefault("sourcedId", id_) != id_:
            raise Refusal(400, "invaliddata", "The sourcedId in the body differs from the path")
        created = id_ not in self.tables[name]
        self._store(name, record)
        echo = {_SINGLES[name]: self.tables[name][id_]} if self.manners.put_echoes else None
        return Reply(201 if created else self.manners.put_status, echo)

    def _store(self, name: str, record: dict[str, Any]) -> None:
        """Write a record; it has an effect if its content differs from what is there."""
        for field, target in _REFERENCES.get(name, {}).items():
            wanted = record.get(field)
            if wanted is not None and wanted.get("sourcedId") not in self.tables[target]:
                raise Refusal(422, "invaliddata", f"The {field} is unknown")
        record.setdefault("status", "active")
        old = self.tables[name].get(record["sourcedId"])
        if old is not None and _content(old) == _content(record):
            return
        record["dateLastModified"] = self._now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self.tables[name][record["sourcedId"]] = record
        self.effects[(name, record["sourcedId"])] += 1

    def _delete(self, name: str, id_: str) -> Reply:
        record = self.tables[name].get(id_)
        if record is None:
            raise Refusal(404, "unknownobject")
        if record["status"] != "tobedeleted":
            self._store(name, {**record, "status": "tobedeleted"})
        return Reply(204)

    def _post(self, steps: list[str], body: bytes) -> Reply:
        """Create records under ids of our own; sending twice creates twice, as the standard has it."""
        parent, parent_id, child = steps[-3], steps[-2], steps[-1]
        if (parent, child) not in _POSTS:
            raise Refusal(404, "unknownobject")
        field, kind = _POSTS[parent, child]
        try:
            records = json.loads(body)[child]
        except (ValueError, KeyError, TypeError):
            raise Refusal(400, "invaliddata", f"The body has no {child}") from None
        pairs = []
        for record in records:
            self._allocated += 1
            pair = {
                "suppliedSourcedId": record.get("sourcedId", ""),
                "allocatedSourcedId": f"allocated-{self._allocated}",
            }
            given = {field: ref(parent_id, kind)} if field else {}
            self._store(child, {**given, **record, "sourcedId": pair["allocatedSourcedId"]})
            pairs.append(pair)
        alone = self.manners.pairs_as_object and len(pairs) == 1
        return Reply(201, {"sourcedIdPairs": pairs[0] if alone else pairs})


def _content(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "dateLastModified"}
