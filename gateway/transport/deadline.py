"""A requests adapter whose reads end at a deadline.

The timeouts of requests and urllib3 bound one read from the socket: a server that sends a byte a second keeps a
response open for hours. Here every read of an attempt, of the status line, the headers, the chunks and the body alike,
gets only the time that is left of the attempt.
"""

from __future__ import annotations

import io
import math
import socket
import time
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import Any, cast
from urllib.parse import urlsplit

import requests
import urllib3
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket until the deadline (monotonic seconds), each read no longer than ``read_seconds``."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, read_seconds: float, deadline: float) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._read_seconds = read_seconds
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the attempt has used up its time")
        allowed = min(left, self._read_seconds)
        if (self._sock.gettimeout() or math.inf) > allowed:  # setting it costs a system call
            self._sock.settimeout(allowed)
        return cast("int | None", self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedConnection(HTTPConnection):
    """A connection that gives each request ``attempt_seconds`` from its sending to the last byte of its answer."""

    attempt_seconds: float = 0.0
    _deadline: float = 0.0
    _held: list[bytes] | None = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._deadline = time.monotonic() + self.attempt_seconds
        self._held = []
        try:
            super().request(*args, **kwargs)
            held = b"".join(self._held)
        finally:
            self._held = None
        super().send(held)

    def send(self, data: Any) -> None:
        """Head and body of a request go out together: one packet and one system call less for each small body."""
        if self._held is None:
            super().send(data)
        else:
            self._held.append(bytes(data))

    # http.client calls this attribute to make its response; a method does as well as the class that is declared.
    def response_class(self, sock: socket.socket, *args: Any, **kwargs: Any) -> HTTPResponse:  # type: ignore[override]
        response = HTTPResponse(sock, *args, **kwargs)
        raw = response.fp.detach()
        read_seconds = float(self.timeout or self.attempt_seconds)
        response.fp = io.BufferedReader(_DeadlineReader(raw, sock, read_seconds, self._deadline))
        return response


class _TimedSecureConnection(_TimedConnection, HTTPSConnection):
    pass


class _TimedPool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection
    attempt_seconds = 0.0

    def _new_conn(self) -> Any:
        connection = super()._new_conn()
        cast(_TimedConnection, connection).attempt_seconds = self.attempt_seconds
        return connection


class _TimedSecurePool(_TimedPool, HTTPSConnectionPool):
    ConnectionCls = _TimedSecureConnection


class DeadlineAdapter(HTTPAdapter):
    """Sends over sockets; an attempt ends ``attempt_seconds`` after it was sent. May be used by several threads.

    What does not change between requests (pools, certificates) is worked out once for each origin: the adapter of
    requests does it for each request, which costs as much as the request itself.
    """

    def __init__(self, *, attempt_seconds: float, connections: int) -> None:
        self.attempt_seconds = attempt_seconds
        self._pools: dict[tuple[str, str], HTTPConnectionPool] = {}
        super().__init__(pool_connections=4, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _TimedPool, "https": _TimedSecurePool}

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = (None, None),
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Send without redirects, proxies or client certificates; the body of the answer is still to be read.

        ``timeout`` is a pair of seconds, ``verify`` the same for all requests of an origin. Raises
        :class:`requests.RequestException`.
        """
        parts = urlsplit(request.url or "")
        pool = self._pools.get((parts.scheme, parts.netloc)) or self._new_pool(request, verify)
        connect, read = timeout
        try:
            raw = pool.urlopen(
                request.method or "GET", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}",
                body=cast("bytes | None", request.body), headers=dict(request.headers.items()), redirect=False,
                assert_same_host=False, retries=_NONE, timeout=urllib3.Timeout(connect=connect, read=read),
                preload_content=False, decode_content=False,
            )  # fmt: skip
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise requests.ConnectionError(error, request=request) from error
        return _response(request, raw)

    def close(self) -> None:
        self._pools.clear()
        super().close()

    def _new_pool(self, request: PreparedRequest, verify: bool | str) -> HTTPConnectionPool:
        url = request.url or ""
        pool = cast(_TimedPool, self.get_connection_with_tls_context(request, verify))
        self.cert_verify(pool, url, verify, None)  # type: ignore[no-untyped-call]  # requests leaves it untyped
        pool.attempt_seconds = self.attempt_seconds
        parts = urlsplit(url)
        return self._pools.setdefault((parts.scheme, parts.netloc), pool)


_NONE = urllib3.Retry(0, read=False)


def _response(request: PreparedRequest, raw: urllib3.BaseHTTPResponse) -> Response:
    """The answer as requests tells it. Its headers are those of urllib3, which go without case as well."""
    response = Response()
    response.request, response.raw, response.url = request, raw, request.url or ""
    response.status_code, response.reason = raw.status, raw.reason or ""
    response.headers = cast("CaseInsensitiveDict[str]", raw.headers)
    if "Set-Cookie" in raw.headers:
        extract_cookies_to_jar(response.cookies, request, raw)  # type: ignore[no-untyped-call]  # requests leaves it untyped
    return response
