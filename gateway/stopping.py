"""How a long-running program is told to stop: by SIGTERM or SIGINT, as an event."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM or SIGINT (Ctrl-C) sets; a second signal ends the program at once.

    A handler in Python runs only when the main thread comes back to the interpreter, which it may never do while it
    waits for a lock; so the signals are read by a thread, from the socket that the system's own handler writes to.
    """
    stop = threading.Event()
    reading, written = socket.socketpair()
    written.setblocking(False)
    socket_before = signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
    handlers_before = {number: signal.signal(number, lambda *_: None) for number in STOP_SIGNALS}
    reader = threading.Thread(target=_stop_at_signal, args=(reading, stop), name="signals", daemon=True)
    reader.start()
    try:
        yield stop
    finally:
        for number, handler in handlers_before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(socket_before)
        written.close()
        reader.join()
        reading.close()


def _stop_at_signal(numbers: socket.socket, stop: threading.Event) -> None:
    """Set ``stop`` at the first signal, end the program at the second; return when no more can come."""
    while number := numbers.recv(1):
        if number[0] not in STOP_SIGNALS:
            continue
        if stop.is_set():
            os._exit(128 + number[0])
        stop.set()
