"""How many records a client may keep in the inbox of a district."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.api.problems import Problem
from gateway.api.sites import Site
from gateway.store import inbox

COUNT_EVERY = 60.0
"""Seconds after which the records of a client are counted again."""


@dataclass(slots=True)
class Room:
    """Knows how many records each client has, at most; counts them only now and then. Several threads may use it."""

    clock: Callable[[], float] = time.monotonic
    _held: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, site: Site, client_id: str, entity: str, ids: Sequence[str]) -> None:
        """Records of these ids come. Raises :class:`Problem` (``conflict``, code ``inbox.full``) if there is no room
        for those of them that are new."""
        most, key, now = site.district.api.inbox_records, (site.id, client_id), self.clock()
        with self._lock:
            held, counted_at = self._held.get(key, (0, -COUNT_EVERY))
        if held + len(ids) > most or now - counted_at >= COUNT_EVERY:
            held, counted_at = inbox.count(site.store, site.id, client_id), now
        if held + len(ids) > most:
            known = len(inbox.among(site.store, site.id, client_id, entity, ids))
            if held + len(ids) - known > most:
                raise Problem(
                    "conflict",
                    f"The inbox holds {held:,} records of this client; {most:,} is the most.",
                    code="inbox.full",
                    hint="The district's IT staff can raise the limit: `api.inbox_records`.",
                )
            held -= known
        with self._lock:
            self._held[key] = (held + len(ids), counted_at)
