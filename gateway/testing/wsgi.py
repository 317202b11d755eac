"""WSGI apps in the place of the network: mounted in a requests adapter, or served over real sockets.

:class:`WsgiAdapter` is for most tests: no sockets, no threads. :func:`serve` is for what only sockets show (speed, kept
connections, several processes). An app that raises an ``OSError`` breaks the connection off without an answer.

Python's own ``http.server`` writes head and body separately, which Nagle's algorithm and delayed acknowledgements turn
into 40 ms a request; the server here writes once, with Nagle's algorithm off.
"""

from __future__ import annotations

import io
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import ProtocolError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class _Headers:
    """What cookies are read from: the part of an ``http.client`` response that requests looks at."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        self.msg = Message()
        for name, value in headers:
            self.msg[name] = value

    def isclosed(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""


class WsgiAdapter(BaseAdapter):
    """A requests adapter that calls ``app``."""

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self.app = app
        self._builder = HTTPAdapter()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        body = request.body or b""
        environ = _environ(
            request.method or "GET", request.url or "", request.headers.items(),
            body if isinstance(body, bytes) else str(body).encode(),
        )  # fmt: skip
        try:
            status, headers, content = run_app(self.app, environ)
        except OSError as error:
            raise requests.ConnectionError(ProtocolError("Connection aborted.", error), request=request) from error
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(content),
            headers=HTTPHeaderDict(headers),
            status=int(status.split(" ", 1)[0]),
            reason=status.partition(" ")[2],
            preload_content=False,
            decode_content=False,
            original_response=_Headers(headers),  # type: ignore[arg-type]  # requests only reads its msg
            enforce_content_length=False,
        )
        return self._builder.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


def run_app(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
    """Call a WSGI app to its end: status line, headers, body."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [status, headers]
        return lambda data: None

    result = app(environ, start_response)
    try:
        content = b"".join(result)
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    return started[0], started[1], content


def _environ(method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes) -> WSGIEnvironment:
    parts = urlsplit(url)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path, "latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or "localhost",
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(body)),
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


class _Handler(socketserver.StreamRequestHandler):
    """HTTP/1.1 with kept connections, as much of it as requests and its like speak."""

    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        try:
            while self._one():
                pass
        except OSError:
            return

    def _one(self) -> bool:
        line = self.rfile.readline(65537).decode("latin-1").split()
        if len(line) != 3:
            return False
        headers: list[tuple[str, str]] = []
        length, keep = 0, True
        while text := self.rfile.readline(65537).decode("latin-1").rstrip("\r\n"):
            name, _, value = text.partition(":")
            value = value.strip()
            headers.append((name, value))
            lowered = name.lower()
            if lowered == "content-length":
                length = int(value)
            elif lowered == "connection":
                keep = value.lower() != "close"
        body = self.rfile.read(length) if length else b""
        environ = _environ(line[0], self.server.base_url + line[1], headers, body)
        environ["REMOTE_PORT"] = str(self.client_address[1])
        status, answer_headers, content = run_app(self.server.app, environ)
        head = "".join(f"{name}: {value}\r\n" for name, value in answer_headers)
        announced = next((value for name, value in answer_headers if name == "Content-Length"), None)
        keep = keep and announced == str(len(content))  # a body that is shorter than announced ends by hanging up
        self.wfile.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + content)
        self.wfile.flush()
        return keep

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:  # the client has gone
            return


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, app: WSGIApplication, tls: ssl.SSLContext | None, host: str, port: int) -> None:
        super().__init__((host, port), _Handler)
        self.app = app
        self.tls = tls
        self.base_url = f"{'https' if tls else 'http'}://{host}:{self.server_address[1]}"
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        if self.tls is not None:
            connection = self.tls.wrap_socket(connection, server_side=True)
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            sys.stderr.write(f"the served app failed: {error!r}\n")

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it was closed by the other side
        return


@contextmanager
def serve(
    app: WSGIApplication, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """Serve ``app`` over sockets, a thread for each connection, and yield its address without a path."""
    server = _Server(app, tls, host, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.base_url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
