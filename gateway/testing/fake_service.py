"""What the fake providers have in common: the gate, the faults, lists by pages, and error bodies.

Imitates: limit, offset, ``Link`` and ``X-Total-Count`` of OneRoster 1.2 and CASE 1.1; ``imsx_StatusInfo`` in the two
forms that are seen, flat (with the lower-case ``imsx_codeMinor`` of CASE) and wrapped.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from gateway.testing.fake_auth import Gate
from gateway.testing.fake_query import BadQuery, apply_fields, apply_filter, apply_sort
from gateway.testing.faults import Fault, FaultKind, FaultPlan
from gateway.testing.wsgi import WsgiAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Striking = Mapping[FaultKind, Fault]
Headers = list[tuple[str, str]]
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. ``document`` of ``None`` is an empty body; of bytes it is the body as it is."""

    status: int
    document: Any = None
    headers: Headers = field(default_factory=list)
    kind: str = "application/json"


class Refusal(Exception):
    """A request that is refused: the status, and the codeMinor value."""

    def __init__(self, status: int, code: str, description: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.description = description


@dataclass(slots=True)
class Manners:
    """How the provider behaves where the standard leaves room, or real ones deviate."""

    links: bool = True
    totals: bool = True
    filters: bool = True
    most_rows: int | None = None
    wrapped_errors: bool = False


class FakeService:
    """A provider as a WSGI app. Subclasses say what each path answers."""

    id_field = "sourcedId"
    host = "https://sis.example"

    def __init__(self, gate: Gate | None = None, manners: Manners | None = None) -> None:
        self.gate = gate or Gate()
        self.manners = manners or Manners()
        self.faults = FaultPlan()
        self.requests: Counter[tuple[str, str]] = Counter()
        self.effects: Counter[tuple[str, str]] = Counter()
        self.lock = threading.Lock()

    @property
    def adapters(self) -> dict[str, WsgiAdapter]:
        """What to hand to a connector's context, so that it reaches this provider instead of the network."""
        return {self.host: WsgiAdapter(self)}

    @property
    def token_url(self) -> str:
        return f"{self.host}/token"

    @property
    def secrets(self) -> Sequence[str]:
        return self.gate.secrets

    @property
    def writes(self) -> int:
        """The number of requests that may have changed something."""
        return sum(count for (method, path), count in self.requests.items() if method != "GET" and path != "/token")

    def reads(self, path: str) -> int:
        """The number of GET requests of paths that contain ``path``."""
        return sum(count for (method, seen), count in self.requests.items() if method == "GET" and path in seen)

    def inject(self, *faults: Fault) -> None:
        """Let these faults happen from now on."""
        self.faults.add(*faults)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        with self.lock:
            self.requests[(method, path)] += 1
        striking = self.faults.striking(method, self.subject(environ, body))
        if FaultKind.HANG_UP in striking:
            raise ConnectionResetError("the fake provider hangs up")
        if FaultKind.EXPIRED_TOKEN in striking:
            self.gate.revoke_tokens()
        if FaultKind.SLOW in striking:
            time.sleep(float(striking[FaultKind.SLOW].value or "0"))
        try:
            reply = self._reply(environ, body, striking)
        except Refusal as refusal:
            reply = Reply(refusal.status, self._error(refusal))
        except BadQuery as refusal:
            reply = Reply(400, self._error(Refusal(400, refusal.code)))
        if FaultKind.ANSWER_LOST in striking:
            raise ConnectionResetError("the fake provider loses its answer")
        return self._send(reply, striking, start_response)

    def subject(self, environ: WSGIEnvironment, body: bytes) -> str:
        """The text in which the ``path`` of a fault is looked for."""
        return str(environ["PATH_INFO"])

    def _reply(self, environ: WSGIEnvironment, body: bytes, striking: Striking) -> Reply:
        if FaultKind.THROTTLED in striking:
            after = striking[FaultKind.THROTTLED].value
            refusal = Refusal(429, "server_busy")
            return Reply(429, self._error(refusal), [("Retry-After", after)] if after else [])
        if FaultKind.ERROR in striking:
            raise Refusal(int(striking[FaultKind.ERROR].value or "500"), "internal_server_error")
        if environ["PATH_INFO"] == "/token" and environ["REQUEST_METHOD"] == "POST":
            status, headers, document = self.gate.token(environ, body)
            return Reply(int(status[:3]), document, headers)
        if not self.gate.opens(environ):
            raise Refusal(401, "unauthorisedrequest")
        return self.answer(environ, body, striking)

    def answer(self, environ: WSGIEnvironment, body: bytes, striking: Striking) -> Reply:
        """What a request that came through the gate is answered. May raise :class:`Refusal`."""
        raise NotImplementedError

    def _error(self, refusal: Refusal) -> dict[str, Any]:
        minor = {
            "imsx_codeMinorField": [
                {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": refusal.code}
            ]
        }
        info = {
            "imsx_codeMajor": "failure",
            "imsx_severity": "error",
            "imsx_description": refusal.description,
            "imsx_CodeMinor" if self.manners.wrapped_errors else "imsx_codeMinor": minor,
        }
        return {"imsx_StatusInfo": info} if self.manners.wrapped_errors else info

    def list_reply(
        self, environ: WSGIEnvironment, key: str, records: Sequence[Mapping[str, Any]], striking: Striking
    ) -> Reply:
        """One page of ``records`` after filter, sort, offset and limit."""
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        if "filter" in query and self.manners.filters:
            records = apply_filter(records, query["filter"])
        if "sort" in query:
            records = apply_sort(records, query["sort"], query.get("orderBy", "asc"))
        rows, start = self._page(records, query, striking)
        if "fields" in query:
            rows = apply_fields(rows, query["fields"])
        total = len(records)
        headers: Headers = []
        if self.manners.links:
            headers.append(("Link", self._links(environ, query, start, len(rows), total, striking)))
        if self.manners.totals:
            announced = total - (FaultKind.TOTAL_CHANGES in striking) + 3 * (FaultKind.LOST_ROWS in striking)
            headers.append(("X-Total-Count", str(announced)))
        return Reply(200, {"unexpected" if FaultKind.NO_ENVELOPE in striking else key: rows}, headers)

    def _page(
        self, records: Sequence[Mapping[str, Any]], query: Mapping[str, str], striking: Striking
    ) -> tuple[list[Mapping[str, Any]], int]:
        """The rows of the page, and the index of the row after which the next page begins, less their number."""
        try:
            start, limit = int(query.get("offset", "0")), int(query.get("limit", "100"))
        except ValueError:
            raise Refusal(400, "invaliddata") from None
        clamped = striking.get(FaultKind.CLAMPED_LIMIT)
        limit = min(limit, self.manners.most_rows or limit, int(clamped.value) if clamped else limit)
        if FaultKind.EMPTY_PAGE in striking:
            return [], start
        if FaultKind.SHRUNKEN_PAGE in striking:
            limit = max(1, limit // 2)
        if FaultKind.REPEATED_PAGE in striking:
            start = max(0, start - limit)
        if FaultKind.OVERLAPPING_PAGE in striking:
            start = max(0, start - 1)
        rows = list(records[start : start + limit])
        if FaultKind.SHUFFLED_PAGE in striking:
            rows.reverse()
        if FaultKind.BAD_RECORD in striking and rows:
            rows[0] = {
                **rows[0],
                "lastChangeDateTime" if self.id_field == "identifier" else "status": {"not": "a text"},
            }
        return rows, start

    def _links(
        self,
        environ: WSGIEnvironment,
        query: Mapping[str, str],
        start: int,
        count: int,
        total: int,
        striking: Striking,
    ) -> str:
        base = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}"
        if FaultKind.FOREIGN_LINK in striking:
            base = "https://elsewhere.example"

        def link(rel: str, offset: int, **more: str) -> str:
            parameters = urlencode({**query, "offset": offset, **more})
            return f'<{base}{environ["PATH_INFO"]}?{parameters}>; rel="{rel}"'

        links = [link("first", 0)]
        if FaultKind.LINK_LOOP in striking:
            links.append(link("next", start))
        elif FaultKind.EMPTY_PAGE in striking:
            links.append(link("next", start, after="pause"))
        elif start + count < total:
            links.append(link("next", start + count))
        return ", ".join(links)

    def _send(self, reply: Reply, striking: Striking, start_response: StartResponse) -> Iterable[bytes]:
        body, kind = _encoded(reply.document), reply.kind
        if reply.status == 200:
            if FaultKind.LOGIN_PAGE in striking:
                body, kind = b"<!DOCTYPE html><html><title>Sign in</title></html>", "text/html; charset=utf-8"
            body = self._damage(body, striking)
        announced = len(body)
        if FaultKind.TRUNCATED in striking or FaultKind.CUT_OFF in striking:
            body = body[: len(body) // 2]
            announced = announced if FaultKind.TRUNCATED in striking else len(body)
        headers = [("Content-Type", kind), ("Content-Length", str(announced)), *reply.headers]
        start_response(f"{reply.status} {_PHRASES.get(reply.status, 'Unknown')}", headers)
        return [body]

    def _damage(self, body: bytes, striking: Striking) -> bytes:
        """Spoil the text of a page: its first record gets what no encoder writes."""
        if FaultKind.EMPTY_BODY in striking:
            return b""
        damage = {FaultKind.NAN: b'"damaged":NaN,', FaultKind.DOUBLED_KEY: f'"{self.id_field}":"doubled",'.encode()}
        for kind, text in damage.items():
            if kind in striking:
                body = body.replace(b"[{", b"[{" + text, 1)
        return body


def _encoded(document: Any) -> bytes:
    if isinstance(document, bytes):
        return document
    return b"" if document is None else json.dumps(document, separators=(",", ":")).encode()
