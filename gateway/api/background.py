"""A thread that looks every second what there is to do, and does it until it is stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from gateway.core.errors import GatewayError

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds between two looks."""


class Background:
    """Calls ``step`` until there is nothing left to do, again and again; ``step`` says whether it did anything.

    No fault of one step ends the thread.
    """

    def __init__(self, name: str, step: Callable[[], bool]) -> None:
        self._step = step
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Wait for the step at hand, which may look at :attr:`stopping`."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            try:
                while not self.stopping and self._step():
                    pass
            except GatewayError as error:
                log.error("%s", error, extra={"code": error.code})
            except Exception:
                log.exception("A thread of the API met a fault of its own.", extra={"code": "api.internal"})
