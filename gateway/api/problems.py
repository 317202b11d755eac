"""Failures as RFC 9457 problem documents, each of a documented type; never a stack trace, a value or a secret.

``type`` is ``/v1/problems/<type>``, which opens the page that explains it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from gateway.api.encoding import encoded
from gateway.core.errors import (
    ConfigurationError,
    DataError,
    GatewayError,
    LockedError,
    MappingError,
    TransientError,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

TYPES: Mapping[str, tuple[HTTPStatus, str]] = {
    "bad-request": (HTTPStatus.BAD_REQUEST, "The request cannot be read."),
    "unauthorized": (HTTPStatus.UNAUTHORIZED, "Who calls is not known."),
    "forbidden": (HTTPStatus.FORBIDDEN, "The credential does not allow this."),
    "not-found": (HTTPStatus.NOT_FOUND, "There is nothing here."),
    "method-not-allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "This address does not take this method."),
    "not-acceptable": (HTTPStatus.NOT_ACCEPTABLE, "The answer cannot be given in a form that was asked for."),
    "conflict": (HTTPStatus.CONFLICT, "The request does not fit the present state."),
    "gone": (HTTPStatus.GONE, "What was here has expired."),
    "precondition-failed": (HTTPStatus.PRECONDITION_FAILED, "It was changed in the meantime."),
    "too-large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large."),
    "unsupported-media-type": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is not of a form that is taken here."),
    "invalid": (HTTPStatus.UNPROCESSABLE_ENTITY, "Some values cannot be used."),
    "idempotency-key-reused": (HTTPStatus.UNPROCESSABLE_ENTITY, "The idempotency key belongs to another request."),
    "too-many-requests": (HTTPStatus.TOO_MANY_REQUESTS, "Too many requests."),
    "internal": (HTTPStatus.INTERNAL_SERVER_ERROR, "The gateway met a fault of its own."),
    "unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "The gateway cannot answer now."),
}
"""Every type of problem, with its status and title; ``docs/api.md`` explains each."""

_BY_STATUS = {
    400: "bad-request", 401: "unauthorized", 403: "forbidden", 404: "not-found", 405: "method-not-allowed",
    406: "not-acceptable", 409: "conflict", 410: "gone", 412: "precondition-failed", 413: "too-large",
    414: "too-large", 415: "unsupported-media-type", 422: "invalid", 429: "too-many-requests", 431: "too-large",
    503: "unavailable",
}  # fmt: skip


class Problem(Exception):
    """A failure that a caller is told of. ``faults`` name single values by their JSON pointer."""

    def __init__(
        self,
        type_: str,
        detail: str,
        *,
        code: str | None = None,
        hint: str = "",
        faults: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.type = type_
        self.detail = detail
        self.code = code or type_
        self.hint = hint
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The problem document."""
        status, title = TYPES[self.type]
        body: dict[str, Any] = {
            "type": f"/v1/problems/{self.type}",
            "title": title,
            "status": int(status),
            "detail": self.detail,
            "code": self.code,
            "instance": f"urn:uuid:{g.request_id}" if "request_id" in g else "",
        }
        body |= {"hint": self.hint} if self.hint else {}
        body |= {"errors": [dict(fault) for fault in self.faults]} if self.faults else {}
        return Response(encoded(body), int(status), self.headers, content_type=MEDIA_TYPE)


def not_found(what: str = "It does not exist, or belongs to someone else.") -> Problem:
    """What lies in another district and what does not exist are told alike."""
    return Problem("not-found", what)


def from_gateway(error: GatewayError) -> Problem:
    """How an error of the core, the store or a file is told to a caller."""
    if isinstance(error, TransientError):
        headers = {"Retry-After": "5"}
        return Problem("unavailable", error.message, code=error.code, hint=error.hint, headers=headers)
    if isinstance(error, LockedError):
        return Problem("conflict", error.message, code=error.code, hint=error.hint)
    if isinstance(error, MappingError | DataError | ConfigurationError):
        return Problem(
            _ABSENT.get(error.code, "invalid"), error.message, code=error.code, hint=error.hint, faults=_faults(error)
        )
    log.error("The API met an error.", extra={"code": error.code})
    return Problem("internal", "The fault was logged.", hint="Tell the gateway's operator the instance.")


_ABSENT = {
    "gpa.line": "not-found", "gpa.student": "not-found", "mapping.unknown-competency": "not-found",
    "policy.not-in-force": "conflict", "policy.versions": "conflict",
}  # fmt: skip
"""Errors that speak of something which is not there, or not now, rather than of a wrong value."""


def _faults(error: GatewayError) -> list[dict[str, Any]]:
    """The single faults of a file, by line; the file's own path is nobody's business."""
    return [
        {"code": one.code, "message": one.message, "hint": one.hint, "line": one.place.line if one.place else None}
        for one in getattr(error, "problems", ())
    ]


def from_http(error: HTTPException) -> Problem:
    """How the framework's own failures are told."""
    status = error.code or 500
    detail = error.description or "" if status in (404, 405) else ""
    methods = error.valid_methods if isinstance(error, MethodNotAllowed) else None
    headers = {"Allow": ", ".join(sorted(methods))} if methods else {}
    kind = _BY_STATUS.get(status, "internal" if status >= 500 else "bad-request")
    return Problem(kind, _WORDS.get(kind) or detail or TYPES[kind][1], headers=headers)


_WORDS = {
    "not-found": "There is nothing at this address.",
    "method-not-allowed": "This address does not take this method.",
    "too-large": "The request is larger than this address takes. Large data travels as a job.",
}


def unexpected(error: Exception) -> Problem:
    """A fault of the gateway: its code lines go to the log, nothing of it to the caller."""
    log.error("The API met a fault of its own.", exc_info=error, extra={"code": "api.internal"})
    return Problem("internal", "The fault was logged.", hint="Tell the gateway's operator the instance.")


def answer(error: Exception) -> Response:
    """The answer to any failure, in the form that the address speaks."""
    if isinstance(error, Problem):
        problem = error
    elif isinstance(error, GatewayError):
        problem = from_gateway(error)
    elif isinstance(error, HTTPException):
        problem = from_http(error)
    else:
        problem = unexpected(error)
    speak = next((speak for path, speak in _TONGUES.items() if request.path.startswith(path)), Problem.response)
    return speak(problem)


_TONGUES: dict[str, Callable[[Problem], Response]] = {}


def speak(path: str, form: Callable[[Problem], Response]) -> None:
    """Failures of all addresses below ``path`` are told in another form: that of the standard which they serve."""
    _TONGUES[path] = form
