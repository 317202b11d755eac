"""The contract: OpenAPI 3.1 made from the views and schemas themselves, and how requests are read against them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar, cast

import flask_smorest
from flask import Flask, Request, Response, g, request
from marshmallow import RAISE, Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser

from gateway import __version__
from gateway.api.access import public, scopes_of
from gateway.api.deprecation import deprecation_of
from gateway.api.encoding import UnsoundJsonError, answer, decoded
from gateway.api.idempotency import HEADER, LONGEST
from gateway.api.problems import MEDIA_TYPE, TYPES, Problem
from gateway.api.roles import SCOPES

View = TypeVar("View", bound=Callable[..., Any])

FAULTS_TOLD = 50
MOST_DIGITS = 18

DESCRIPTION = """Carry evidence onto competencies, levels into GPAs, and explain every number.

Send `Authorization: Bearer …` with a key, or with a one-hour token from `/oauth/token`. Decimals travel as text. Every
failure is a problem document (RFC 9457)."""


_PROBLEMS, _WRITES, _QUERY = "x-problems", "x-writes", "_query"
_FORMS = ("application/json", MEDIA_TYPE, "text/csv", "application/vnd.apache.parquet")
"""In which forms answers come."""
_KEY = {
    "description": "Sent again with the same request, it takes effect once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]+$"},
}


class StrictSchema(Schema):
    """A schema that refuses what it does not know."""

    class Meta:
        unknown = RAISE


class Whole(fields.Integer):
    """A whole number; ``7.0`` is one too (JSON Schema, "integer")."""

    def __init__(self, **more: Any) -> None:
        super().__init__(strict=True, **more)

    def _validated(self, value: Any) -> int:
        whole = isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value()
        return super()._validated(int(value) if whole and value.adjusted() < MOST_DIGITS else value)


class FaultSchema(Schema):
    pointer = fields.String(metadata={"description": "Where in the body, as a JSON pointer (RFC 6901)."})
    code = fields.String(metadata={"description": "A stable code."})
    message = fields.String(metadata={"description": "What is wrong."})
    hint = fields.String(metadata={"description": "What to do."})
    line = fields.Integer(allow_none=True, metadata={"description": "The line of a file in the body."})


class ProblemSchema(Schema):
    """A failure (RFC 9457)."""

    type = fields.String(required=True, metadata={"description": "The stable type; its address opens an explanation."})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What is wrong, in plain words."})
    code = fields.String(required=True, metadata={"description": "A stable code, finer than the type."})
    instance = fields.String(required=True, metadata={"description": "The id of this request, for support."})
    hint = fields.String(metadata={"description": "What to do."})
    errors = fields.List(fields.Nested(FaultSchema), metadata={"description": "Single values that are wrong."})


class StrictParser(FlaskParser):
    """Reads bodies strictly, and tells every fault with its place."""

    DEFAULT_UNKNOWN_BY_LOCATION = dict.fromkeys(("json", "query", "form", "files"), RAISE) | {"headers": None}
    DEFAULT_VALIDATION_STATUS = HTTPStatus.UNPROCESSABLE_ENTITY

    def load_json(self, req: Request, schema: Schema) -> Any:
        if req.mimetype != "application/json":
            raise Problem("unsupported-media-type", "Send the body as application/json.")
        try:
            return decoded(req.get_data(cache=False))
        except UnsoundJsonError as error:
            raise Problem("bad-request", str(error), code="body.unsound") from None

    def handle_error(self, error: ValidationError, req: Any, schema: Any, **_: Any) -> NoReturn:
        messages = error.normalized_messages()  # type: ignore[no-untyped-call]  # untyped in marshmallow
        faults = [fault for part in messages.items() for fault in _faults(*part)]
        told = faults[:FAULTS_TOLD]
        raise Problem("invalid", f"{len(faults)} values cannot be used." if len(faults) > 1 else told[0]["message"],
                      faults=told)  # fmt: skip


def _faults(location: str, messages: Any) -> Iterator[Mapping[str, Any]]:
    for path, message in _flat(messages, ()):
        pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
        where = pointer if location == "json" else f"{location}{pointer}"
        yield {"pointer": where[:200], "code": "value", "message": message}


def _flat(messages: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flat(inner, path if key == "_schema" else (*path, key))
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield path, str(message)


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # the library has no types
    """A group of addresses in the contract; its decorators keep the types of views."""

    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: type[Schema], *, location: str = "json") -> Callable[[View], View]:
        """The view takes what ``schema`` loads as its first argument."""
        taken = cast(Callable[[View], View], super().arguments(schema(), location=location))

        def decorated(view: View) -> View:
            found = taken(view)
            if location == "query":
                setattr(found, _QUERY, True)
            return found

        return decorated

    def response(self, status: int, schema: type[Schema] | None = None, **more: Any) -> Callable[[View], View]:
        """How the view answers."""
        return cast(Callable[[View], View], super().response(status, schema, **more))

    def told(
        self,
        *,
        problems: Iterable[str] = (),
        body: Iterable[str] = (),
        answers: Iterable[str] = (),
        writes: bool = True,
    ) -> Callable[[View], View]:
        """Further problems with which the view may answer; the media types of a body that is taken as it is, and of an
        answer that is no JSON; for a POST, whether it keeps anything, so that an idempotency key means something."""
        content = {kind: {"schema": {"type": "string", "minLength": 1, "contentMediaType": kind}} for kind in body}
        more: dict[str, Any] = {"requestBody": {"required": True, "content": content}} if content else {}
        if answers:
            more["responses"] = {"200": {"description": "The file.", "content": {kind: {} for kind in answers}}}
        return cast(Callable[[View], View], super().doc(**{_PROBLEMS: list(problems), _WRITES: writes}, **more))

    def get(self, rule: str) -> Callable[[View], View]:
        return cast(Callable[[View], View], super().get(rule))

    def post(self, rule: str) -> Callable[[View], View]:
        return cast(Callable[[View], View], super().post(rule))

    def put(self, rule: str) -> Callable[[View], View]:
        return cast(Callable[[View], View], super().put(rule))

    def delete(self, rule: str) -> Callable[[View], View]:
        return cast(Callable[[View], View], super().delete(rule))


class Api(flask_smorest.Api):  # type: ignore[misc]  # the library has no types
    """The contract of the server. Failures are answered by :mod:`gateway.api.problems`, not by the library."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """The application has one handler for all failures."""


def contract(app: Flask) -> Api:
    """The contract, still without addresses."""
    api = Api(
        app,
        spec_kwargs={
            "title": "mastery-gateway",
            "version": __version__,
            "openapi_version": "3.1.0",
            "info": {"description": DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        },
    )
    flow = {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": dict(SCOPES)}}
    api.spec.components.security_scheme("oauth", {"type": "oauth2", "flows": flow})
    api.spec.components.parameter("IdempotencyKey", "header", {"name": HEADER, **_KEY})
    api.spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
    return api


def refuse_unknown(app: Flask) -> None:
    """Refuse parameters where there are none, and callers that want a form in which no answer comes.

    To be called behind whatever finds out who calls.
    """

    @app.before_request
    def check() -> None:
        if "caller" not in g or not request.path.startswith("/v1/"):
            return
        accept = request.accept_mimetypes
        if accept and not any(accept[form] for form in _FORMS):
            raise Problem("not-acceptable", "Answers come as application/json.", hint="Accept that, or */*.")
        if request.args and not getattr(app.view_functions.get(request.endpoint or ""), _QUERY, False):
            faults = [
                {"pointer": f"query/{name}"[:200], "code": "value", "message": "Unknown field."}
                for name in request.args
            ]
            raise Problem("invalid", "This address takes no parameters.", faults=faults[:FAULTS_TOLD])


def finish(app: Flask, api: Api) -> None:
    """Write into the contract what holds for all operations: who may call, and how failures look."""
    document = api.spec
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for rule in app.url_map.iter_rules():
        path = _as_path(rule.rule)
        operations = document._paths.get(path)  # apispec offers no other way to look at what it holds
        for method, operation in (operations or {}).items():
            if method not in ("get", "post", "put", "delete", "patch") or method.upper() not in (rule.methods or ()):
                continue
            view = app.view_functions[rule.endpoint]
            scopes = scopes_of(view) or frozenset()
            if deprecation_of(view) is not None:
                operation["deprecated"] = True
            operation["operationId"] = view.__name__
            writes = operation.pop(_WRITES, True) and method != "get"
            _finish_operation(operation, scopes, problem, writes=writes)


_SCOPED = frozenset({"unauthorized", "forbidden", "not-found", "too-many-requests", "invalid"})
_BODY = frozenset({"bad-request", "too-large", "unsupported-media-type", "invalid"})
_KEYED = frozenset({"bad-request", "conflict", "idempotency-key-reused"})
_ALWAYS = frozenset({"internal", "unavailable", "not-acceptable"})


def _finish_operation(
    operation: dict[str, Any], scopes: frozenset[str], problem: dict[str, Any], *, writes: bool
) -> None:
    operation["security"] = [{"oauth": [scope]} for scope in sorted(scopes)] + ([{"key": []}] if scopes else [])
    responses = operation.setdefault("responses", {})
    for status in [name for name in responses if str(name)[0] in "45" or name == "default"]:
        del responses[status]
    own = frozenset(operation.pop(_PROBLEMS, ()))
    possible = own | _ALWAYS | (_SCOPED if scopes else frozenset()) | (_KEYED if writes else frozenset())
    possible |= _BODY if "requestBody" in operation else frozenset()
    if writes:
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})
    by_status: dict[int, list[str]] = {}
    for name in sorted(possible):
        by_status.setdefault(int(TYPES[name][0]), []).append(TYPES[name][1])
    for code, titles in sorted(by_status.items()):
        responses[str(code)] = {"description": " Or: ".join(titles), "content": problem}


def _as_path(rule: str) -> str:
    """A rule of the framework as OpenAPI writes it."""
    parts = [part if "<" not in part else "{" + part.strip("<>").split(":")[-1] + "}" for part in rule.split("/")]
    return "/".join(parts)


def serve(app: Flask, api: Api) -> dict[str, Any]:
    """Serve the document itself, and return it."""
    document: dict[str, Any] = api.spec.to_dict()

    @app.get("/v1/openapi.json")
    @public
    def openapi() -> Response:
        """The contract, as OpenAPI 3.1."""
        return answer(document)

    return document
