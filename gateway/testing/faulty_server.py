"""A server on a real socket that misbehaves below HTTP: what no WSGI app can do.

Every connection reads one request and then behaves as the next of the behaviours says; the last one goes on for ever.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Behaviour = Callable[[socket.socket, threading.Event], None]


def head(length: int | None, *lines: str, status: str = "200 OK") -> bytes:
    """The head of an answer that closes its connection, with the length that it announces."""
    announced = [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *announced, *lines, "", ""]).encode()


def send(data: bytes) -> Behaviour:
    """Send these bytes and close: an answer, or a part of one."""

    def behave(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(data)

    return behave


def reset_after(data: bytes) -> Behaviour:
    """Send these bytes, then reset the connection instead of closing it."""

    def behave(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def drip(data: bytes, *, every: float) -> Behaviour:
    """Send these bytes one at a time, with ``every`` seconds in between."""

    def behave(connection: socket.socket, stop: threading.Event) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(len(data)):
            connection.sendall(data[number : number + 1])
            if stop.wait(every):
                return

    return behave


def black_hole() -> Behaviour:
    """Never answer."""

    def behave(connection: socket.socket, stop: threading.Event) -> None:
        stop.wait()

    return behave


@dataclass(slots=True)
class FaultyServer:
    """Where the server listens, and the heads of the requests that it has read."""

    url: str
    seen: list[bytes] = field(default_factory=list)


@contextmanager
def serve_faulty(*behaviours: Behaviour) -> Iterator[FaultyServer]:
    """Listen, and behave: one behaviour for each connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = FaultyServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
    stop = threading.Event()
    workers: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # the listener was closed: the end
                return
            behave = behaviours[min(len(workers), len(behaviours) - 1)]
            worker = threading.Thread(target=_converse, args=(connection, behave, server, stop), daemon=True)
            workers.append(worker)
            worker.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        stop.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for worker in workers:
            worker.join()


def _converse(connection: socket.socket, behave: Behaviour, server: FaultyServer, stop: threading.Event) -> None:
    with connection, suppress(OSError):  # the client may hang up at any time
        connection.settimeout(30)
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return
            data += part
        server.seen.append(data.split(b"\r\n\r\n", 1)[0])
        behave(connection, stop)
