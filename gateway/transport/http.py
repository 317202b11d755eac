"""HTTP for connectors: one client that retries, ends in time, caps what it takes in, and never tells a secret.

The client sends through transport adapters of requests, without a ``Session``: nothing of the machine's environment
(proxies, ``.netrc``, certificate variables) reaches it, no cookie is kept behind our back, and one client may be used
by several threads at once, at most ``Limits.connections`` of them without waiting for new connections.

- Only a 2xx is returned. Everything else is an error of :mod:`gateway.core.errors`, chosen by the tables in
  :mod:`gateway.transport.retry`.
- GET, HEAD, PUT and DELETE are tried again; POST and PATCH only when the caller says that they are repeatable.
- Errors, reprs and log records name the method, the host and the first step of the path; never a query, a header, a
  body, or an id.
- Redirects are followed for reads only and within the same origin. TLS is always verified.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import requests
import urllib3.exceptions
from requests.adapters import BaseAdapter
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict
from requests.utils import requote_uri

from gateway.core.errors import (
    AuthorizationError,
    ConfigurationError,
    GatewayError,
    IncompletePullError,
    RejectedError,
    TransientError,
)
from gateway.transport import retry
from gateway.transport.address import absolute, origin
from gateway.transport.answer import Answer, read_body, read_error_body
from gateway.transport.auth import RenewableAuth
from gateway.transport.deadline import DeadlineAdapter
from gateway.transport.reason import error_reason
from gateway.transport.retry import Limits, Reaction, Resolution

if TYPE_CHECKING:
    from gateway.core.connector import Context

__all__ = ["Answer", "HttpClient", "Limits", "origin"]

logger = logging.getLogger(__name__)

# Their debug records hold query strings, headers and signature bases; urllib3's warnings hold whole addresses.
for _name, _level in (("urllib3", logging.ERROR), ("oauthlib", logging.ERROR), ("requests_oauthlib", logging.ERROR)):
    logging.getLogger(_name).setLevel(_level)

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_dice = SystemRandom().random
_NO_PROXIES: dict[str, str] = {}


@dataclass(frozen=True, slots=True, repr=False)
class _Call:
    """One request, as each attempt sends it. ``label`` is what people and logs may see of it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    label: str


@dataclass(frozen=True, slots=True)
class _Failure:
    """An attempt that brought no 2xx."""

    resolution: Resolution
    status: int | None = None
    reason: str = ""
    retry_after: float | None = None
    authorization: str = field(default="", repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(slots=True, repr=False)
class _Shared:
    """What the client makes when first needed, and counts."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    adapter: DeadlineAdapter | None = None
    token_client: HttpClient | None = None
    unanswered: int = 0
    server_errors: int = 0


class HttpClient:
    """Requests to one service, below ``base_url``.

    ``adapters`` are transport adapters by URL prefix that take the place of the network. ``ca_bundle`` is a file with
    the authorities to trust instead of the usual ones. ``now``, ``sleep``, ``monotonic`` and ``random`` are the clock
    and the dice.
    """

    def __init__(
        self,
        *,
        base_url: str,
        auth: AuthBase | None = None,
        limits: Limits | None = None,
        adapters: Mapping[str, BaseAdapter] | None = None,
        ca_bundle: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = _dice,
    ) -> None:
        self.base_url = base_url
        self.limits = limits or Limits()
        self._auth = auth
        self._adapters = dict(adapters or {})
        self._ca_bundle = ca_bundle
        self._now = now
        self._sleep = sleep
        self._monotonic = monotonic
        self._random = random
        self._shared = _Shared()

    @classmethod
    def for_connection(
        cls,
        context: Context,
        *,
        base_url: str,
        auth: AuthBase | None = None,
        limits: Limits | None = None,
        ca_bundle: Path | None = None,
    ) -> HttpClient:
        """The client of a connector, with the clock and the adapters of its context."""
        return cls(
            base_url=base_url,
            auth=auth,
            limits=limits,
            adapters=context.adapters,
            ca_bundle=ca_bundle,
            now=context.now,
            sleep=context.sleep,
        )

    def __repr__(self) -> str:
        return f"HttpClient({origin(self.base_url)[1]!r})"

    def close(self) -> None:
        """Close the connections that are kept open. The client may be used again."""
        for part in (self._shared.adapter, self._shared.token_client):
            if part is not None:
                part.close()

    def request(
        self,
        method: str,
        url_or_path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Answer:
        """Send a request and return its 2xx answer.

        ``url_or_path`` is a path below ``base_url`` or an absolute address of the same origin; ``params`` are encoded
        once. ``repeatable`` says that sending twice has the effect of sending once (default: all but POST and PATCH).

        Raises :class:`AuthorizationError`, :class:`RejectedError` (with ``status`` and ``reason``),
        :class:`TransientError`, :class:`IncompletePullError` (more than the limits allow) or
        :class:`ConfigurationError` (address, certificate).
        """
        if not origin(self.base_url)[1]:
            raise ConfigurationError(
                "The address of the service is malformed.",
                hint="Write it like https://sis.example.org in the settings of this connection.",
                code="http.address",
            )
        method = method.upper()
        call = self._call(method, url_or_path, params, body, headers or {})
        may_repeat = method in _REPEATABLE if repeatable is None else repeatable
        if self._is_open():
            raise self._error(call, _Failure(_CIRCUIT))
        ends = self._monotonic() + self.limits.request_seconds
        tries, renewed = 0, False
        while True:
            result = self._attempt(call)
            if isinstance(result, Answer):
                self._shared.unanswered = self._shared.server_errors = 0
                return result
            tries += 1
            if result.resolution.reaction is Reaction.RENEW and not renewed and self._renew(result.authorization):
                renewed = True
                continue
            wait = self._wait(result, tries)
            if wait is None or not may_repeat or tries >= self.limits.tries or self._monotonic() + wait > ends:
                self._count(result)
                raise self._error(call, result, tries=tries)
            logger.info("%s: %s; try %d follows in %.1f s", call.label, result.resolution.code, tries + 1, wait)
            self._sleep(wait)

    def _call(
        self,
        method: str,
        url_or_path: str,
        params: Mapping[str, str] | None,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> _Call:
        if "://" in url_or_path.split("?", 1)[0]:
            url = url_or_path
        else:
            url = f"{self.base_url.rstrip('/')}/{url_or_path.lstrip('/')}" if url_or_path else self.base_url
        label = self._label(method, url)
        if url is url_or_path and origin(url) != origin(self.base_url):
            raise IncompletePullError(
                f"{self._host()} points to an address outside itself, which is not followed.",
                hint="If the service has a second address, name it in the settings of this connection.",
                code="http.other-origin",
            )
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params, quote_via=quote, safe="")
        if not url.isascii() or not url.isprintable() or " " in url:
            url = requote_uri(url)
        complete = {"Accept": "application/json", "Accept-Encoding": "gzip", **headers}
        if body is not None:
            complete.setdefault("Content-Type", "application/json")
        return _Call(method, url, complete, body, label)

    def _label(self, method: str, url: str) -> str:
        """Method, host and the first step of the path below ``base_url``: ``GET sis.example/results/…``."""
        base = self.base_url.rstrip("/")
        if not url.startswith(f"{base}/"):
            return f"{method} {self._host()}"
        first, slash, _ = url[len(base) + 1 :].partition("?")[0].partition("/")
        return f"{method} {self._host()}/{first}" + ("/…" if slash else "")

    def _host(self) -> str:
        return origin(self.base_url)[1] or "the service"

    def _wait(self, failure: _Failure, tries: int) -> float | None:
        """The seconds until the next attempt; ``None`` when there is none."""
        if failure.resolution.reaction is not Reaction.RETRY:
            return None
        if failure.retry_after is None:
            return retry.backoff(tries, self._random(), self.limits.wait_seconds)
        return failure.retry_after if failure.retry_after <= self.limits.retry_after_seconds else None

    def _is_open(self) -> bool:
        shared, limits = self._shared, self.limits
        return shared.unanswered >= limits.failures or shared.server_errors >= limits.server_errors

    def _count(self, failure: _Failure) -> None:
        """Count towards the circuit's opening: a host that is away or overloaded sooner than one that answers 500,
        which may be about one kind of record."""
        shared = self._shared
        with shared.lock:
            if failure.resolution.reaction not in (Reaction.RETRY, Reaction.GIVE_UP):
                shared.unanswered = shared.server_errors = 0
            elif failure.status is None or failure.status in (429, 503):
                shared.unanswered += 1
            else:
                shared.unanswered = 0
                shared.server_errors += 1

    def _renew(self, authorization: str) -> bool:
        return isinstance(self._auth, RenewableAuth) and self._auth.renew(authorization)

    def _attempt(self, call: _Call) -> Answer | _Failure:
        """Send once, following redirects of reads within the origin."""
        url = call.url
        for _ in range(self.limits.redirects + 1):
            prepared = self._prepare(call, url)
            if not all(value.isascii() and value.isprintable() for value in prepared.headers.values()):
                return _Failure(retry.HEADER)  # http.client's own complaint would show the value
            try:
                result = self._exchange(call, prepared)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                result = _Failure(retry.resolve_exception(error), reason=retry.certificate_fault(error))
            if not isinstance(result, str):
                return result
            url = result
        return _Failure(retry.REDIRECT)

    def _prepare(self, call: _Call, url: str) -> requests.PreparedRequest:
        prepared = requests.PreparedRequest()
        prepared.method = call.method
        prepared.url = url
        prepared.headers = CaseInsensitiveDict(call.headers)
        prepared.body = call.body
        if call.body is not None:
            prepared.headers["Content-Length"] = str(len(call.body))
        elif call.method not in _READS:
            prepared.headers["Content-Length"] = "0"
        if self._auth is not None:
            if isinstance(self._auth, RenewableAuth):
                self._auth.connect(self._token_client(self._auth.token_url))
            prepared = self._auth(prepared)
        return prepared

    def _token_client(self, token_url: str) -> HttpClient:
        """The same limits, adapters and clock, without credentials: for the requests that fetch them."""
        with self._shared.lock:
            if self._shared.token_client is None:
                self._shared.token_client = HttpClient(
                    base_url=token_url,
                    limits=self.limits,
                    adapters=self._adapters,
                    ca_bundle=self._ca_bundle,
                    now=self._now,
                    sleep=self._sleep,
                    monotonic=self._monotonic,
                    random=self._random,
                )
            return self._shared.token_client

    def _adapter(self, url: str) -> BaseAdapter:
        prefixes = [prefix for prefix in self._adapters if url.lower().startswith(prefix.lower())]
        if prefixes:
            return self._adapters[max(prefixes, key=len)]
        if self._shared.adapter is None:
            if self._ca_bundle is not None and not self._ca_bundle.exists():
                raise ConfigurationError(
                    f"The file with the authorities' certificates, {self._ca_bundle}, does not exist.",
                    hint="Correct its path in the settings of this connection.",
                    code="http.ca-bundle",
                )
            with self._shared.lock:
                self._shared.adapter = self._shared.adapter or DeadlineAdapter(
                    attempt_seconds=self.limits.attempt_seconds, connections=self.limits.connections
                )
        return self._shared.adapter

    def _exchange(self, call: _Call, prepared: requests.PreparedRequest) -> Answer | _Failure | str:
        """One exchange over the wire: the answer, a failure, or the address of a redirect to follow."""
        response = self._adapter(prepared.url or "").send(
            prepared,
            stream=True,
            timeout=(self.limits.connect_seconds, self.limits.read_seconds),
            verify=str(self._ca_bundle) if self._ca_bundle else True,
            proxies=_NO_PROXIES,
        )
        finished = False
        try:
            result = self._take(call, prepared, response)
            finished = True
            return result
        finally:
            if finished:
                response.raw.release_conn()
            else:
                response.raw.close()

    def _take(
        self, call: _Call, prepared: requests.PreparedRequest, response: requests.Response
    ) -> Answer | _Failure | str:
        status, url = response.status_code, prepared.url or ""
        if 200 <= status < 300:
            body = read_body(response, call.method, self.limits)
            if isinstance(body, Resolution):
                response.raw.close()
                return _Failure(body, status)
            return Answer(status, response.headers, body, url, response.cookies)
        location = response.headers.get("Location")
        if location and status in _REDIRECTS and call.method in _READS:
            response.raw.close()
            target = absolute(url, location)
            return target if origin(target) == origin(url) else _Failure(retry.REDIRECT, status)
        told = read_error_body(response)
        return _Failure(
            retry.resolve_status(status),
            status,
            error_reason(told, (call.body or b"") + b" " + call.url.encode()),
            retry.retry_after(response.headers.get("Retry-After"), self._now()),
            prepared.headers.get("Authorization", ""),
            told,
        )

    def _error(self, call: _Call, failure: _Failure, *, tries: int = 0) -> GatewayError:
        resolution = failure.resolution
        words = f"{self._host()} {resolution.sentence}"
        if failure.reason:
            words += f": {failure.reason}"
        tried = f", {tries} times" if tries > 1 else ""
        message = f"{words} ({call.label}{tried})."
        reaction = resolution.reaction
        if reaction is Reaction.RETRY and (failure.retry_after or 0) > self.limits.retry_after_seconds:
            return self._later(message, failure.retry_after or 0.0)
        if reaction in (Reaction.RETRY, Reaction.GIVE_UP):
            return TransientError(message, hint=resolution.hint, code=resolution.code)
        if reaction is Reaction.RENEW or (reaction is Reaction.DENY and call.method in _READS):
            denied = AuthorizationError(message, hint=resolution.hint, code=resolution.code)
            denied.answer = failure.body
            return denied
        if reaction is Reaction.CONFIGURE:
            return ConfigurationError(message, hint=resolution.hint, code=resolution.code)
        if reaction is Reaction.INCOMPLETE:
            return IncompletePullError(message, hint=resolution.hint, code=resolution.code)
        rejected = RejectedError(message, hint=resolution.hint, code=resolution.code)
        rejected.status, rejected.reason, rejected.answer = failure.status, failure.reason, failure.body
        return rejected

    def _later(self, message: str, seconds: float) -> TransientError:
        longest = timedelta(days=365)
        moment = self._now() + min(timedelta(seconds=seconds), longest)
        return TransientError(
            f"{message[:-1]} and asks us to come back only after {moment:%Y-%m-%d %H:%M} UTC.",
            hint="Plan the next run after that.",
            code="http.retry-after",
        )


_CIRCUIT = Resolution(
    Reaction.GIVE_UP,
    "failed so often in a row that it is not asked again in this run",
    "The next run goes on where this one stopped.",
    code="http.circuit-open",
)
