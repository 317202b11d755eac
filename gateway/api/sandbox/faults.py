"""Faults that a client switches on for its own requests, to see how its program takes them.

They live in the memory of one server process and are gone when it ends. A fault strikes before anything is done, but
for a cut-off answer: its request takes effect.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flask import Flask, Response, current_app, g, request

from gateway.api.problems import Problem

HEADER = "X-Sandbox-Fault"
SPARED = "/v1/sandbox"
_WORDS = "This client switched the fault on."


class FaultKind(StrEnum):
    """What happens to a request."""

    TOO_MANY_REQUESTS = "too-many-requests"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"
    SLOW = "slow"
    CUT_OFF = "cut-off"
    EXPIRED_TOKEN = "expired-token"  # noqa: S105  # a word of the contract


@dataclass(slots=True)
class Fault:
    """A fault of requests whose path begins with ``path``: of each ``every``-th one; of the ``next`` so many only, if
    that is said. ``seconds``: how slow; ``retry_after``: what the header of that name says."""

    kind: FaultKind
    path: str = "/"
    every: int = 1
    next: int | None = None
    seconds: int = 1
    retry_after: int = 1
    seen: int = 0
    struck: int = 0

    def strikes(self, path: str) -> bool:
        """Whether it strikes this request; counts it."""
        if not path.startswith(self.path) or (self.next is not None and self.seen >= self.next):
            return False
        self.seen += 1
        strikes = self.seen % self.every == 0
        self.struck += strikes
        return strikes


@dataclass(slots=True)
class Switches:
    """The faults of all clients, by district and client. Several threads may use it."""

    sleep: Callable[[float], None] = time.sleep
    _faults: dict[tuple[str, str], tuple[Fault, ...]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def switch(self, district: str, client_id: str, faults: Sequence[Fault]) -> None:
        """These faults in the place of the ones before."""
        with self._lock:
            self._faults[district, client_id] = tuple(faults)

    def of(self, district: str, client_id: str) -> tuple[Fault, ...]:
        return self._faults.get((district, client_id), ())

    def clear(self, district: str) -> None:
        """Switch off the faults of all clients of a district."""
        with self._lock:
            for key in [key for key in self._faults if key[0] == district]:
                del self._faults[key]

    def striking(self, district: str, client_id: str, path: str) -> Fault | None:
        """The first fault that strikes this request; all of them count it."""
        if (district, client_id) not in self._faults:
            return None
        with self._lock:
            return next(iter([fault for fault in self.of(district, client_id) if fault.strikes(path)]), None)


def switches() -> Switches:
    """The switches of this server."""
    found: Switches = current_app.extensions["gateway-faults"]
    return found


def spoil(app: Flask) -> None:
    """Cut answers off. To be called before whatever else finishes answers, so that it comes last."""
    app.extensions["gateway-faults"] = Switches()

    @app.after_request
    def cut(response: Response) -> Response:
        fault = g.get("fault")
        if fault is None:
            return response
        response.headers[HEADER] = str(fault.kind)
        if fault.kind is FaultKind.CUT_OFF:
            response.direct_passthrough = False
            body = response.get_data()
            response.response = [body[: len(body) // 2]]
            response.headers["Content-Length"] = str(len(body))
        return response


def strike(app: Flask) -> None:
    """Let faults strike. To be called behind whatever finds out who calls."""

    @app.before_request
    def check() -> None:
        if "caller" not in g or not g.caller.site.district.api.sandbox or request.path.startswith(SPARED):
            return
        fault = switches().striking(g.caller.site.id, g.caller.client_id, request.path)
        if fault is None:
            return
        g.fault = fault
        if fault.kind is FaultKind.SLOW:
            switches().sleep(fault.seconds)
        elif fault.kind in _PROBLEMS:
            raise _PROBLEMS[fault.kind](fault)


_EXPIRED: Mapping[str, Any] = {
    "hint": "Get a new token from /oauth/token.",
    "headers": {"WWW-Authenticate": 'Bearer realm="mastery-gateway", error="invalid_token"'},
}
_PROBLEMS: Mapping[FaultKind, Callable[[Fault], Problem]] = {
    FaultKind.TOO_MANY_REQUESTS: lambda fault: Problem("too-many-requests", _WORDS, headers=_again(fault)),
    FaultKind.INTERNAL: lambda fault: Problem("internal", _WORDS),
    FaultKind.UNAVAILABLE: lambda fault: Problem("unavailable", _WORDS, headers=_again(fault)),
    FaultKind.EXPIRED_TOKEN: lambda fault: Problem("unauthorized", f"The token has expired. {_WORDS}", **_EXPIRED),
}


def _again(fault: Fault) -> dict[str, str]:
    return {"Retry-After": str(fault.retry_after)}
