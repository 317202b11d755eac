"""One attempt of a request over the wire: prepared, sent, and its answer taken in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import requests
import urllib3.exceptions
from requests.adapters import BaseAdapter
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict

from gateway.core.errors import ConfigurationError
from gateway.transport import retry
from gateway.transport.address import absolute, origin
from gateway.transport.answer import Answer, read_body, read_error_body
from gateway.transport.call import Call
from gateway.transport.deadline import DeadlineAdapter
from gateway.transport.failure import READS, Failure
from gateway.transport.reason import error_reason
from gateway.transport.retry import Limits, Resolution

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_PROXIES: dict[str, str] = {}


@dataclass(slots=True, repr=False)
class Wire:
    """Sends the attempts of one client. ``adapters`` by URL prefix take the place of the network. Several threads may
    use it."""

    limits: Limits
    adapters: Mapping[str, BaseAdapter]
    ca_bundle: Path | None
    now: Callable[[], datetime]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _network: DeadlineAdapter | None = None

    def close(self) -> None:
        if self._network is not None:
            self._network.close()

    def attempt(self, call: Call, auth: AuthBase | None) -> Answer | Failure:
        """Send once, following redirects of reads within the origin."""
        url = call.url
        for _ in range(self.limits.redirects + 1):
            prepared = _prepared(call, url, auth)
            if not all(value.isascii() and value.isprintable() for value in prepared.headers.values()):
                return Failure(retry.HEADER)  # http.client's own complaint would show the value
            try:
                result = self._exchange(call, prepared)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                result = Failure(retry.resolve_exception(error), reason=retry.certificate_fault(error))
            if not isinstance(result, str):
                return result
            url = result
        return Failure(retry.REDIRECT)

    def _exchange(self, call: Call, prepared: requests.PreparedRequest) -> Answer | Failure | str:
        """One exchange: the answer, a failure, or the address of a redirect to follow."""
        response = self._adapter(prepared.url or "").send(
            prepared,
            stream=True,
            timeout=(self.limits.connect_seconds, self.limits.read_seconds),
            verify=str(self.ca_bundle) if self.ca_bundle else True,
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
        self, call: Call, prepared: requests.PreparedRequest, response: requests.Response
    ) -> Answer | Failure | str:
        status, url = response.status_code, prepared.url or ""
        if 200 <= status < 300:
            body = read_body(response, call.method, self.limits)
            if isinstance(body, Resolution):
                response.raw.close()
                return Failure(body, status)
            return Answer(status, response.headers, body, url, response.cookies)
        location = response.headers.get("Location")
        if location and status in _REDIRECTS and call.method in READS:
            response.raw.close()
            target = absolute(url, location)
            return target if origin(target) == origin(url) else Failure(retry.REDIRECT, status)
        told = read_error_body(response)
        return Failure(
            retry.resolve_status(status),
            status,
            error_reason(told, (call.body or b"") + b" " + call.url.encode()),
            retry.retry_after(response.headers.get("Retry-After"), self.now()),
            prepared.headers.get("Authorization", ""),
            told,
        )

    def _adapter(self, url: str) -> BaseAdapter:
        if self.adapters:
            lowered = url.lower()
            prefixes = [prefix for prefix in self.adapters if lowered.startswith(prefix.lower())]
            if prefixes:
                return self.adapters[max(prefixes, key=len)]
        if self._network is None:
            if self.ca_bundle is not None and not self.ca_bundle.exists():
                raise ConfigurationError(
                    f"The file with the authorities' certificates, {self.ca_bundle}, does not exist.",
                    hint="Correct its path in the settings of this connection.",
                    code="http.ca-bundle",
                )
            with self._lock:
                self._network = self._network or DeadlineAdapter(
                    attempt_seconds=self.limits.attempt_seconds, connections=self.limits.connections
                )
        return self._network


def _prepared(call: Call, url: str, auth: AuthBase | None) -> requests.PreparedRequest:
    prepared = requests.PreparedRequest()
    prepared.method = call.method
    prepared.url = url
    prepared.headers = CaseInsensitiveDict(call.headers)
    prepared.body = call.body
    if call.body is not None:
        prepared.headers["Content-Length"] = str(len(call.body))
    elif call.method not in READS:
        prepared.headers["Content-Length"] = "0"
    return prepared if auth is None else auth(prepared)
