"""A requests adapter whose reads end at a deadline.

The timeouts of requests and urllib3 bound one read from the socket: a server that sends a byte a second keeps a
response open for hours. Here every read of an attempt, of the status line, the headers, the chunks and the body alike,
gets only the time that is left of the attempt.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import Any, cast

from requests.adapters import HTTPAdapter
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
        self._sock.settimeout(min(left, self._read_seconds))
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
        if self.sock is not None:  # a kept-alive socket still has what was left for its last read
            self.sock.settimeout(self.attempt_seconds)
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
    """Sends over sockets; an attempt ends ``attempt_seconds`` after it was sent. May be used by several threads."""

    def __init__(self, *, attempt_seconds: float, connections: int) -> None:
        self.attempt_seconds = attempt_seconds
        super().__init__(pool_connections=4, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _TimedPool, "https": _TimedSecurePool}

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Mapping[str, str] | None = None, cert: Any = None
    ) -> HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(request, verify, proxies=cast(Any, proxies), cert=cert)
        cast(_TimedPool, pool).attempt_seconds = self.attempt_seconds
        return cast(HTTPConnectionPool, pool)
