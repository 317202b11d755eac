"""How many requests a client may make: a bucket a client that fills evenly; per process, in memory.

Source: RFC 6585 section 4 (429); the RateLimit header fields as in IETF draft-ietf-httpapi-ratelimit-headers-07.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask, Response, g

from gateway.api.problems import Problem

PER_MINUTE = 1200
MOST_CLIENTS = 10_000


@dataclass(slots=True)
class Bucket:
    left: float
    at: float


@dataclass(slots=True)
class Buckets:
    """The buckets of all clients. ``take`` says whether one more request may be made, what is left and the seconds
    until the next."""

    per_minute: int = PER_MINUTE
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, client: str) -> tuple[bool, int, int]:
        now = self.clock()
        with self._lock:
            if len(self._buckets) >= MOST_CLIENTS:
                self._forget_full(now)
            bucket = self._buckets.setdefault(client, Bucket(self.per_minute, now))
            bucket.left = min(self.per_minute, bucket.left + (now - bucket.at) * self.per_minute / 60)
            bucket.at = now
            allowed = bucket.left >= 1
            if allowed:
                bucket.left -= 1
            wait = 0 if bucket.left >= 1 else math.ceil((1 - bucket.left) * 60 / self.per_minute)
            return allowed, int(bucket.left), max(wait, 0)

    def _forget_full(self, now: float) -> None:
        """A bucket that is full again is as good as none."""
        for client, bucket in list(self._buckets.items()):
            if bucket.left + (now - bucket.at) * self.per_minute / 60 >= self.per_minute:
                del self._buckets[client]


def limit(app: Flask, buckets: Buckets) -> None:
    """Refuse callers that ask too often, and tell all of them how much is left."""

    @app.before_request
    def check() -> None:
        if "caller" not in g:
            return
        allowed, left, wait = buckets.take(f"{g.caller.site.id}/{g.caller.client_id}")
        g.rate = (left, wait)
        if not allowed:
            raise Problem(
                "too-many-requests",
                f"This client made more than {buckets.per_minute} requests a minute.",
                hint=f"Wait {wait} s.",
                headers={"Retry-After": str(wait)},
            )

    @app.after_request
    def tell(response: Response) -> Response:
        if "rate" in g:
            left, wait = g.rate
            response.headers["RateLimit-Limit"] = str(buckets.per_minute)
            response.headers["RateLimit-Remaining"] = str(left)
            response.headers["RateLimit-Reset"] = str(wait)
        return response
