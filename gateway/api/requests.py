"""What holds for every request and answer: id, sizes, gzip, entity tags, safe headers, metrics, a line in the log."""

from __future__ import annotations

import hashlib
import logging
import re
import time
import uuid

from flask import Flask, Response, g, request

from gateway.api.encoding import zipped
from gateway.api.metrics import observe

log = logging.getLogger(__name__)

MOST_JSON_BYTES = 8 * 1024 * 1024
GZIP_FROM = 1024
_REQUEST_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
"""Request ids stand in logs, so that they must not be able to name a person: a UUID, with or without hyphens."""

_COMPRESSIBLE = ("application/json", "application/problem+json", "text/")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'",
}


def prepare(app: Flask) -> None:
    """Give every request an id and a start, and finish every answer."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if request.method in ("GET", "HEAD") and response.status_code == 200 and not response.is_streamed:
        _tag(response)
    if response.status_code != 304:
        _compress(response)
    _tell(response, time.perf_counter() - g.get("started", time.perf_counter()))
    return response


def _tell(response: Response, seconds: float) -> None:
    """Count the request, and log it: by the pattern of its address, because ids of students stand in addresses."""
    method, route = observe(request, response, seconds)
    who = g.get("caller")
    facts = {"method": method, "route": route, "status": response.status_code, "milliseconds": round(seconds * 1000, 1),
             "request": g.get("request_id", "")}  # fmt: skip
    log.info(
        "A request was answered.", extra=facts | ({"district": who.site.id, "client": who.client_id} if who else {})
    )


def _tag(response: Response) -> None:
    """An entity tag over the content; the same content asked for again is not sent twice (RFC 9110, 8.8.3)."""
    if not response.get_etag()[0]:
        response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32], weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers.add("Vary", "Authorization")
    response.make_conditional(request)


def _compress(response: Response) -> None:
    wanted = request.accept_encodings.quality("gzip") > 0
    kind = response.content_type or ""
    if (
        not wanted
        or response.is_streamed
        or not kind.startswith(_COMPRESSIBLE)
        or "Content-Encoding" in response.headers
    ):
        return
    data = response.get_data()
    if len(data) >= GZIP_FROM:
        response.set_data(zipped(data))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add("Vary", "Accept-Encoding")
