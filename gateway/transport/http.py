"""HTTP for connectors: one client that retries, ends in time, caps what it takes in, and never tells a secret.

The client sends through transport adapters of requests, without a ``Session``: nothing of the machine's environment
(proxies, ``.netrc``, certificate variables) reaches it, no cookie is kept behind our back, and one client may be used
by several threads at once, at most ``Limits.connections`` of them without waiting for new connections.

- Only a 2xx is returned. Everything else is an error of :mod:`gateway.core.errors`, chosen by the tables in
  :mod:`gateway.transport.retry`. One attempt is that of :mod:`gateway.transport.attempt`.
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
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from requests.adapters import BaseAdapter
from requests.auth import AuthBase

from gateway.core.errors import ConfigurationError
from gateway.transport.address import origin
from gateway.transport.answer import Answer
from gateway.transport.attempt import Wire
from gateway.transport.auth import RenewableAuth
from gateway.transport.call import make_call
from gateway.transport.failure import CIRCUIT, Failure
from gateway.transport.retry import Limits, Reaction

if TYPE_CHECKING:
    from gateway.core.connector import Context

__all__ = ["Answer", "HttpClient", "Limits", "origin"]

logger = logging.getLogger(__name__)

# Their debug records hold query strings, headers and signature bases; urllib3's warnings hold whole addresses.
for _name, _level in (("urllib3", logging.ERROR), ("oauthlib", logging.ERROR), ("requests_oauthlib", logging.ERROR)):
    logging.getLogger(_name).setLevel(_level)

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_dice = SystemRandom().random


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
        self._has_host = bool(origin(base_url)[1])
        self._wire = Wire(self.limits, dict(adapters or {}), ca_bundle, now)
        self._sleep = sleep
        self._monotonic = monotonic
        self._random = random
        self._circuit = _Circuit(self.limits)
        self._auth = auth
        self._tokens: HttpClient | None = None
        if isinstance(auth, RenewableAuth):
            self._tokens = HttpClient(
                base_url=auth.token_url, limits=self.limits, adapters=adapters, ca_bundle=ca_bundle, now=now,
                sleep=sleep, monotonic=monotonic, random=random,
            )  # fmt: skip
            auth.connect(self._tokens)

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
        self._wire.close()
        if self._tokens is not None:
            self._tokens.close()

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
        if not self._has_host:
            raise ConfigurationError(
                "The address of the service is malformed.",
                hint="Write it like https://sis.example.org in the settings of this connection.",
                code="http.address",
            )
        method = method.upper()
        call = make_call(self.base_url, method, url_or_path, params, body, headers)
        may_repeat = method in _REPEATABLE if repeatable is None else repeatable
        if self._circuit.is_open:
            raise Failure(CIRCUIT).error(call, self.limits, self._wire.now())
        ends = self._monotonic() + self.limits.request_seconds
        tries, renewed = 0, False
        while True:
            result = self._wire.attempt(call, self._auth)
            if isinstance(result, Answer):
                self._circuit.close()
                return result
            tries += 1
            if result.resolution.reaction is Reaction.RENEW and not renewed and self._renew(result.authorization):
                renewed = True
                continue
            wait = result.wait(tries, self._random(), self.limits)
            if wait is None or not may_repeat or tries >= self.limits.tries or self._monotonic() + wait > ends:
                self._circuit.count(result)
                raise result.error(call, self.limits, self._wire.now(), tries=tries)
            logger.info("%s: %s; try %d follows in %.1f s", call.label, result.resolution.code, tries + 1, wait)
            self._sleep(wait)

    def _renew(self, authorization: str) -> bool:
        return isinstance(self._auth, RenewableAuth) and self._auth.renew(authorization)


class _Circuit:
    """Counts the requests in a row that all tries could not save; open, it lets no more through. A host that is away
    or overloaded opens it sooner than one that answers 500, which may be about one kind of record."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._unanswered = 0
        self._server_errors = 0

    @property
    def is_open(self) -> bool:
        return self._unanswered >= self._limits.failures or self._server_errors >= self._limits.server_errors

    def close(self) -> None:
        self._unanswered = self._server_errors = 0

    def count(self, failure: Failure) -> None:
        with self._lock:
            if failure.resolution.reaction not in (Reaction.RETRY, Reaction.GIVE_UP):
                self.close()
            elif failure.status is None or failure.status in (429, 503):
                self._unanswered += 1
            else:
                self._unanswered = 0
                self._server_errors += 1
