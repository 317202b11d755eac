"""An Ed-Fi ODS/API in memory: strict, with every fault one can switch on.

Imitates what docs.ed-fi.org says of ODS/API 5.x to 7.3 and of v8 (client developer guides, design guidelines, the error
response knowledge base), with the fields of the published schemas; see :mod:`.declared` for the resources and
:mod:`.standards` for the versions of the Data Standard. What is *not verified* says so where it is done.

Served by :func:`gateway.testing.wsgi.serve` in a process of its own it takes a few thousand POSTs a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from gateway.testing.edfi import problems
from gateway.testing.edfi.addresses import Addresses, Area, Route, discovery
from gateway.testing.edfi.bodies import Body
from gateway.testing.edfi.gate import Claims, EdFiGate
from gateway.testing.edfi.host import ENCODER, Host, Profile
from gateway.testing.edfi.metadata import dependencies, open_api
from gateway.testing.edfi.model import Resource, model_of
from gateway.testing.edfi.problems import Problem
from gateway.testing.edfi.reading import Reader, snapshot_asked
from gateway.testing.edfi.sample import furnish
from gateway.testing.edfi.standards import model_version, usual_standard
from gateway.testing.edfi.writing import Writer
from gateway.testing.fake_service import FakeService, Refusal, Reply, Striking
from gateway.testing.faults import FaultKind

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_ACTIONS = {"GET": "Read", "POST": "Create", "PUT": "Update", "DELETE": "Delete"}


class FakeEdFi(FakeService):
    """A host of ``version`` such as ``7.3`` with the data of one or of several school years, all the same here.

    ``standard`` is the version of the Data Standard, the usual one for the version unless given. ``profile`` sets apart
    what a version does. ``path`` stands before everything, such as ``/WebApi``.
    """

    id_field = "id"
    host = "https://ods.example"
    gate: EdFiGate

    def __init__(
        self,
        version: str = "7.3",
        *,
        standard: str = "",
        profile: Profile | None = None,
        gate: EdFiGate | None = None,
        path: str = "",
        tenant: str = "",
        instance: str = "",
        years: Sequence[int] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(gate or EdFiGate())
        self.version = version
        major, minor = (int(part) for part in version.split(".")[:2])
        self.standard = standard or usual_standard((major, minor))
        self.addresses = Addresses((major, minor), path, tenant, instance, tuple(years))
        self.gate.long_tokens = (major, minor) >= (8, 0)
        self.data = Host(model_of(self.standard), profile or Profile.of((major, minor)), now)
        self._reader = Reader(self.data)
        self._writer = Writer(self.data, self._note)
        self._others = Writer(self.data, lambda resource, body: None)
        self.other_writer: Callable[[dict[str, Any]], dict[str, Any]] = dict
        """What somebody else makes of a record when :attr:`FaultKind.OTHER_WRITER` strikes."""
        furnish(self)

    @property
    def base_url(self) -> str:
        """The address of the discovery document."""
        return f"{self.host}{self.addresses.root}"

    @property
    def data_url(self) -> str:
        return f"{self.host}{self.addresses.base(Area.DATA)}"

    @property
    def token_url(self) -> str:
        return f"{self.host}{self.addresses.base(Area.TOKEN)}"

    @property
    def writes(self) -> int:
        return sum(count for (method, path), count in self.requests.items() if method != "GET" and "/token" not in path)

    def _note(self, resource: str, body: Body) -> None:
        self.effects[(resource, "/".join(str(part) for part in body.key))] += 1

    def subject(self, environ: WSGIEnvironment, body: bytes) -> str:
        """The path, and behind it the query or the body, so that a fault may strike one record."""
        if not self.faults.any:
            return ""
        more = f"?{environ.get('QUERY_STRING', '')}" if environ["REQUEST_METHOD"] == "GET" else body.decode("latin-1")
        return f"{environ['PATH_INFO']}{more}"

    def _error(self, refusal: Refusal) -> dict[str, Any]:
        problem = refusal if isinstance(refusal, Problem) else problems.failed(refusal.status)
        if not self.data.profile.problem_details:
            return problem.message()
        return problem.details(v8=self.addresses.version >= (8, 0))

    def _reply(self, environ: WSGIEnvironment, body: bytes, striking: Striking) -> Reply:
        if FaultKind.THROTTLED in striking:
            after = striking[FaultKind.THROTTLED].value
            return Reply(429, {"message": "Too many requests."}, [("Retry-After", after)] if after else [])
        if FaultKind.ERROR in striking:
            return self._failed(int(striking[FaultKind.ERROR].value or "500"))
        route = self.addresses.route(environ["PATH_INFO"])
        if route is None:
            raise problems.not_found("The specified data could not be found.")
        if route.area is Area.TOKEN:
            status, headers, document = self.gate.token(environ, body)
            return Reply(int(status[:3]), document, headers)
        if route.area in (Area.DISCOVERY, Area.METADATA):
            return self._described(environ, route)
        claims = self.gate.claims_of(environ)
        if claims is None:
            raise problems.unauthenticated("The token is missing, unknown or has expired.")
        if route.area is Area.TOKEN_INFO:
            return Reply(200, {"active": True, "namespace_prefixes": claims.prefixes, "education_organizations": [
                {"education_organization_id": each} for each in claims.organizations
            ]})  # fmt: skip
        with self.data.store.lock:
            if route.area is Area.CHANGES:
                return self._changes(environ, route)
            return self._data(environ, route, body, striking, claims)

    def _failed(self, status: int) -> Reply:
        problem = problems.failed(status)
        if not problem.html:
            return Reply(status, self._error(problem))
        return Reply(status, b"<html><body><h1>The gateway in front of the host</h1></body></html>", kind="text/html")

    def _described(self, environ: WSGIEnvironment, route: Route) -> Reply:
        host = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}"
        if route.area is Area.DISCOVERY:
            changes = self.data.profile.changes
            model = model_version(self.standard)
            return Reply(200, discovery(self.addresses, host, self.version, model, route.year, changes))
        if route.steps == ("dependencies",):
            return Reply(200, dependencies(self.standard))
        below = f"{host}{self.addresses.base(Area.METADATA, route.year)}"
        sections = {"resources": "Resources", "descriptors": "Descriptors"}
        if not route.steps:
            return Reply(200, [
                {"name": name, "endpointUri": f"{below}/{section}/swagger.json", "prefix": ""}
                for section, name in sections.items()
            ])  # fmt: skip
        if len(route.steps) == 2 and route.steps[0] in sections and route.steps[1] == "swagger.json":
            document = open_api(self.standard, route.steps[0], swagger_2=self.addresses.version < (7, 0))
            return Reply(200, ENCODER.encode(document))
        raise problems.not_found("The specified data could not be found.")

    def _changes(self, environ: WSGIEnvironment, route: Route) -> Reply:
        if not self.data.profile.changes:
            raise problems.not_found("The specified data could not be found.")
        if route.steps == ("availableChangeVersions",):
            return self._reader.change_versions(self._reader.store_for(environ))
        if route.steps == ("snapshots",) and self.data.profile.snapshot_header == "Snapshot-Identifier":
            return Reply(200, [{"snapshotIdentifier": name} for name in self.data.snapshots])
        raise problems.not_found("The specified data could not be found.")

    def _data(self, environ: WSGIEnvironment, route: Route, body: bytes, striking: Striking, claims: Claims) -> Reply:
        if len(route.steps) not in (2, 3) or route.steps[0] != "ed-fi":
            raise problems.not_found("The specified data could not be found.")
        resource = self.data.resource(route.steps[1])
        method, more = environ["REQUEST_METHOD"], route.steps[2] if len(route.steps) == 3 else ""
        self._authorize(claims, resource, method, route)
        if method == "GET":
            return self._get(environ, resource, more, striking)
        if snapshot_asked(self.data, environ):
            raise problems.not_allowed("Snapshots are read-only.")
        self._strike(resource, more, body, striking)
        return self._write(environ, resource, method, more, body, claims)

    def _authorize(self, claims: Claims, resource: Resource, method: str, route: Route) -> None:
        action = _ACTIONS.get(method, "")
        if claims.hides(resource.name):
            raise problems.not_granted(claims.name, resource.name, action, ":access-denied:resource")
        if claims.forbids(resource.name, action) or (method != "GET" and route.year in claims.closed_years):
            raise problems.not_granted(claims.name, resource.name, action)

    def _get(self, environ: WSGIEnvironment, resource: Resource, more: str, striking: Striking) -> Reply:
        store = self._reader.store_for(environ)
        text = environ.get("QUERY_STRING", "")
        if not more:
            return self._reader.page(store, resource, text, striking)
        if more == "deletes" and self.data.profile.changes:
            return self._reader.deletes(store, resource, text)
        if more == "keyChanges" and self.data.profile.changes:
            return self._reader.key_changes(store, resource, text)
        if more == "partitions":
            return self._reader.partitions(store, resource, text, dict(parse_qsl(text)))
        return self._reader.item(store, resource, more, environ.get("HTTP_IF_NONE_MATCH", ""))

    def _strike(self, resource: Resource, id_: str, body: bytes, striking: Striking) -> None:
        refused = striking.get(FaultKind.REFUSED_RECORD)
        if refused is not None and refused.value.encode() in body:
            raise problems.invalid({"$": ["The host refuses this record."]})
        row = self.data.store.tables[resource.name].rows.get(id_)
        if FaultKind.OTHER_WRITER in striking and row is not None:
            self._others.rewrite(resource, row, self.other_writer(dict(row.body.content)))

    def _write(
        self, environ: WSGIEnvironment, resource: Resource, method: str, id_: str, text: bytes, claims: Claims
    ) -> Reply:
        if_match = environ.get("HTTP_IF_MATCH", "")
        if method == "DELETE" and id_:
            self._writer.delete(resource, id_, if_match, claims)
            return Reply(204)
        if (method == "POST") == bool(id_) or method not in ("POST", "PUT"):
            raise problems.not_allowed(f"The endpoint of the request does not support {method}.")
        if "json" not in environ.get("CONTENT_TYPE", "").lower():
            raise problems.unsupported_media()
        body, reading = self._writer.read_body(resource, text, id_)
        if method == "PUT":
            row = self._writer.put(resource, id_, body, reading, if_match, claims)
            return Reply(self.data.profile.put_status, None, self._located(environ, resource, row.id, row.etag))
        row, created = self._writer.post(resource, body, reading, if_match, claims)
        return Reply(201 if created else 200, None, self._located(environ, resource, row.id, row.etag))

    def _located(self, environ: WSGIEnvironment, resource: Resource, id_: str, etag: str) -> list[tuple[str, str]]:
        path = environ["PATH_INFO"].partition(f"/{resource.name}")[0]
        host = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}"
        return [("Location", f"{host}{path}/{resource.name}/{id_}"), ("ETag", f'"{etag}"')]

    def seed(self, resource: str, *bodies: Mapping[str, Any]) -> list[str]:
        """Put items in as another system would, checked all the same; returns their ids."""
        found = self.data.resource(resource)
        with self.data.store.lock:
            read = [self._others.read_body(found, ENCODER.encode(body)) for body in bodies]
            return [self._others.post(found, *each, "", None)[0].id for each in read]

    def replace(self, resource: str, id_: str, content: Mapping[str, Any]) -> None:
        """Replace an item, and its key where the resource allows it, as another system would."""
        found = self.data.resource(resource)
        with self.data.store.lock:
            body, reading = self._others.read_body(found, ENCODER.encode({**content, "id": id_}), id_)
            self._others.put(found, id_, body, reading, "", None)

    def remove(self, resource: str, id_: str) -> None:
        """Delete an item as another system would."""
        with self.data.store.lock:
            self._others.delete(self.data.resource(resource), id_, "", None)

    def take_snapshot(self, name: str = "") -> None:
        """Offer what is there now as the snapshot that requests may ask for; up to 6.x it has a name."""
        with self.data.store.lock:
            self.data.snapshots[name] = self.data.store.frozen()

    def items(self, resource: str) -> dict[str, dict[str, Any]]:
        """The oracle: what the host holds by id, without etags and links."""
        with self.data.store.lock:
            return {id_: dict(row.body.content) for id_, row in self.data.store.tables[resource].rows.items()}

    def rows(self, resource: str) -> list[dict[str, Any]]:
        """The oracle without the ids."""
        return list(self.items(resource).values())
