"""Requests to the API: the credential, attempts, problems."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import msgspec
import requests
from requests.auth import AuthBase, HTTPBasicAuth

from gateway.client.problems import ProblemError, TokenRefusedError, UnreachableError, read_problem
from gateway.client.retry import LOST, Retries

T = TypeVar("T")


class _Page(Protocol):
    @property
    def next(self) -> str | None: ...


Page = TypeVar("Page", bound=_Page)

RENEW_BEFORE = 60.0
"""Seconds before its end at which a token is renewed."""

KEY_HEADER = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries. ``open`` is asked for the bytes at each attempt; ``once``: they cannot be had again."""

    media_type: str
    open: Callable[[], Any]
    once: bool = False


class _Bearer(AuthBase):
    """The credential of a request; what stands in a ``.netrc`` does not take its place."""

    def __init__(self, credential: str) -> None:
        self.credential = credential

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.credential}"
        return request


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float


class _Refusal(msgspec.Struct, frozen=True):
    error: str
    error_description: str = ""


@dataclass(slots=True)
class Wire:
    """How the API is reached. For one thread at a time.

    ``key``: a key of the client. With ``client_id`` it is exchanged for tokens, which are renewed before they expire;
    ``scopes`` asks for some of the client's only. ``timeout``: seconds until a connection stands, and between bytes.
    """

    address: str
    key: str = field(repr=False)
    client_id: str | None = None
    scopes: Sequence[str] = ()
    timeout: float = 60.0
    retries: Retries = field(default_factory=Retries, repr=False)
    session: requests.Session = field(default_factory=requests.Session, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    _token: str | None = field(default=None, init=False, repr=False)
    _token_ends: float = field(default=0.0, init=False, repr=False)

    def ask(
        self,
        method: str,
        path: str,
        form: type[T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """The answer to a request as a ``form``; ``body`` travels as JSON."""
        content = json_body(body) if body is not None else None
        return decoded(self.send(method, path, query=query, body=content, headers=headers), form)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """The answer to a request, tried again while that makes sense.

        Raises :class:`ProblemError`, or :class:`UnreachableError`.
        """

        def attempt() -> requests.Response:
            more = {"Content-Type": body.media_type} if body else {}
            content = body.open() if body else None
            try:
                return self.session.request(
                    method, self.address.rstrip("/") + path, params=_plain(query or {}), data=content,
                    headers={**more, **(headers or {})}, auth=_Bearer(self._bearer()),
                    timeout=self.timeout, stream=stream, allow_redirects=False,
                )  # fmt: skip
            finally:
                close = getattr(content, "close", None)
                if close is not None:
                    close()

        return self._answered(attempt, again=body is None or not body.once)

    def _answered(self, attempt: Callable[[], requests.Response], *, again: bool = True) -> requests.Response:
        tried, renewed = 0, False
        while True:
            tried += 1
            try:
                answer = attempt()
                if answer.status_code < 300:
                    return answer
                failure: Exception = read_problem(answer)
                answer.close()
            except LOST as error:
                failure = error
            if again and not renewed and self._stale(failure):
                renewed, self._token, tried = True, None, tried - 1
                continue
            wait = self.retries.wait(tried, failure) if again else None
            if wait is not None:
                self.sleep(wait)
            elif isinstance(failure, ProblemError):
                raise failure
            else:
                raise _unreachable(failure, tried) from failure

    def _stale(self, failure: Exception) -> bool:
        """Whether a token was refused that can be had anew."""
        return isinstance(failure, ProblemError) and failure.status == 401 and self._token is not None

    def _bearer(self) -> str:
        if self.client_id is None:
            return self.key
        if self._token is None or self.clock() >= self._token_ends:
            self._renew(self.client_id)
        return self._token or ""

    def _renew(self, client_id: str) -> None:
        """A new token (RFC 6749, section 4.4)."""
        form = {"grant_type": "client_credentials"} | ({"scope": " ".join(self.scopes)} if self.scopes else {})
        self._token = None
        asked_at = self.clock()

        def attempt() -> requests.Response:
            answer = self.session.post(
                self.address.rstrip("/") + "/oauth/token", data=form, auth=HTTPBasicAuth(client_id, self.key),
                timeout=self.timeout, allow_redirects=False,
            )  # fmt: skip
            if answer.status_code in (400, 401):
                refused = decoded(answer, _Refusal)
                raise TokenRefusedError(refused.error, refused.error_description)
            return answer

        given = decoded(self._answered(attempt), _Token)
        self._token = given.access_token
        self._token_ends = asked_at + max(given.expires_in - RENEW_BEFORE, given.expires_in / 2)


def json_body(value: Mapping[str, Any]) -> Body:
    """JSON: decimals as text, days and times as ISO 8601 writes them."""
    encoded = msgspec.json.encode(value)
    return Body("application/json", lambda: encoded)


def decoded(answer: requests.Response, form: type[T]) -> T:
    """Raises :class:`UnreachableError` for an answer that is none of the API's."""
    try:
        return msgspec.json.decode(answer.content, type=form)
    except msgspec.DecodeError as error:
        raise UnreachableError(
            f"What answers at {answer.request.path_url.partition('?')[0]} is not the API."
        ) from error


def given(**values: Any) -> dict[str, Any]:
    """The values that were given."""
    return {name: value for name, value in values.items() if value is not None}


def pages(read: Callable[[str | None], Page]) -> Iterator[Page]:
    """All pages of a list; ``read`` gives the one behind a cursor."""
    cursor: str | None = None
    while True:
        page = read(cursor)
        yield page
        cursor = page.next
        if cursor is None:
            return


def part(id: str) -> str:
    """One step of a path. Raises :class:`ValueError` for what cannot be one."""
    if id in ("", ".", ".."):
        raise ValueError("An id cannot be empty, nor consist of dots.")
    return quote(id, safe="")


def write_key(key: str | None) -> dict[str, str]:
    """The header by which a write that is sent again takes effect once; a new key unless one is named."""
    return {KEY_HEADER: str(uuid.uuid4()) if key is None else key}


def _plain(query: Mapping[str, Any]) -> dict[str, str | Iterable[str]]:
    def written(value: Any) -> Any:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, date):
            return value.isoformat()
        return value

    return {name: written(value) for name, value in query.items() if value is not None}


def _unreachable(failure: Exception, tried: int) -> UnreachableError:
    times = "once" if tried == 1 else f"{tried} times"
    return UnreachableError(f"No whole answer came, tried {times}: {type(failure).__name__}.")
