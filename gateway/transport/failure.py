"""An attempt that brought no 2xx, and the error that it becomes when no other attempt follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.core.errors import (
    AuthorizationError,
    ConfigurationError,
    GatewayError,
    IncompletePullError,
    RejectedError,
    TransientError,
)
from gateway.transport import retry
from gateway.transport.call import Call
from gateway.transport.retry import Limits, Reaction, Resolution

READS = frozenset({"GET", "HEAD", "OPTIONS"})
CIRCUIT = Resolution(
    Reaction.GIVE_UP,
    "failed so often in a row that it is not asked again in this run",
    "The next run goes on where this one stopped.",
    code="http.circuit-open",
)


@dataclass(frozen=True, slots=True)
class Failure:
    """What came of an attempt instead of an answer."""

    resolution: Resolution
    status: int | None = None
    reason: str = ""
    retry_after: float | None = None
    authorization: str = field(default="", repr=False)
    body: bytes = field(default=b"", repr=False)

    def wait(self, tries: int, chance: float, limits: Limits) -> float | None:
        """The seconds until the next attempt after ``tries``; ``None`` when there is none."""
        if self.resolution.reaction is not Reaction.RETRY:
            return None
        if self.retry_after is None:
            return retry.backoff(tries, chance, limits.wait_seconds)
        return self.retry_after if self.retry_after <= limits.retry_after_seconds else None

    def error(self, call: Call, limits: Limits, now: datetime, *, tries: int = 0) -> GatewayError:
        """The error for people: which service, what it said, how often it was tried."""
        resolution = self.resolution
        words = f"{call.host} {resolution.sentence}"
        if self.reason:
            words += f": {self.reason}"
        tried = f", {tries} times" if tries > 1 else ""
        message = f"{words} ({call.label}{tried})."
        reaction = resolution.reaction
        if reaction is Reaction.RETRY and (self.retry_after or 0) > limits.retry_after_seconds:
            return _later(message, self.retry_after or 0.0, now)
        if reaction in (Reaction.RETRY, Reaction.GIVE_UP):
            return TransientError(message, hint=resolution.hint, code=resolution.code)
        if reaction is Reaction.RENEW or (reaction is Reaction.DENY and call.method in READS):
            denied = AuthorizationError(message, hint=resolution.hint, code=resolution.code)
            denied.answer = self.body
            return denied
        if reaction is Reaction.CONFIGURE:
            return ConfigurationError(message, hint=resolution.hint, code=resolution.code)
        if reaction is Reaction.INCOMPLETE:
            return IncompletePullError(message, hint=resolution.hint, code=resolution.code)
        rejected = RejectedError(message, hint=resolution.hint, code=resolution.code)
        rejected.status, rejected.reason, rejected.answer = self.status, self.reason, self.body
        return rejected


def _later(message: str, seconds: float, now: datetime) -> TransientError:
    moment = now + min(timedelta(seconds=seconds), timedelta(days=365))
    return TransientError(
        f"{message[:-1]} and asks us to come back only after {moment:%Y-%m-%d %H:%M} UTC.",
        hint="Plan the next run after that.",
        code="http.retry-after",
    )
