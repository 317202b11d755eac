"""Which failures pass, and how long to wait before a request is sent again."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

from gateway.client.problems import ProblemError

LOST = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
"""No answer came, or half of one."""

_PASSING = frozenset({429, 500, 502, 503, 504})
_AT_WORK = "idempotency.at-work"
_random = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Retries:
    """``attempts`` in all, ``first`` seconds before the second one, doubled for each further one up to ``longest``.

    ``Retry-After`` is honoured up to ``patience`` seconds; a longer one ends the call.
    """

    attempts: int = 6
    first: float = 0.5
    longest: float = 30.0
    patience: float = 120.0

    def wait(self, tried: int, failure: Exception) -> float | None:
        """Seconds until the next attempt; ``None`` where there is no sense in one."""
        if tried >= self.attempts or not passing(failure):
            return None
        said = seconds_of(failure.retry_after) if isinstance(failure, ProblemError) else None
        if said is not None:
            return said if said <= self.patience else None
        return min(math.ldexp(self.first, tried - 1), self.longest) * _random.uniform(0.5, 1.0)


def passing(failure: Exception) -> bool:
    """Whether the same request may well succeed later: it was lost, refused for a while, or is still at work."""
    if isinstance(failure, ProblemError):
        return failure.status in _PASSING or failure.code == _AT_WORK
    return isinstance(failure, LOST)


def seconds_of(retry_after: str | None) -> float | None:
    """``Retry-After``: seconds, or a date (RFC 9110, section 10.2.3)."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - datetime.now(UTC)).total_seconds(), 0.0)
