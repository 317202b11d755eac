"""When syncs run: exactly one night for each local date that a schedule names, and what to do about it now.

All functions are pure. A night is known by its sync and its *local date* (the run key), so that neither of the clock
changes, nor a worker that was away, nor a district that moves to another time zone runs a date twice. Ranges in which
nothing runs (holidays, rollover) will be a filter on :func:`_past` and :func:`upcoming`, alarms a reader of
:attr:`Due.missed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from gateway.settings import SyncSettings
from gateway.settings.cron import nights

LOOK_BACK = timedelta(days=31)
"""Nights that lie further back are not told as missed any more."""


@dataclass(frozen=True, slots=True, order=True)
class Night:
    """One scheduled run: due at ``at`` (UTC) for the local date ``date``."""

    at: datetime
    sync: str
    date: date

    @property
    def key(self) -> str:
        """The run key: unique per district and sync."""
        return self.date.isoformat()


@dataclass(frozen=True, slots=True)
class LastRun:
    """The latest scheduled run of a sync; ``finished`` unless it was interrupted or could not get all it needs."""

    key: str
    finished: bool


@dataclass(frozen=True, slots=True)
class Due:
    """What to do about a sync now: a night to start or to go on with, and nights that nobody ran in time."""

    start: Night | None = None
    missed: tuple[Night, ...] = ()


def upcoming(sync: SyncSettings, zone: ZoneInfo, now: datetime, count: int) -> list[Night]:
    """The next ``count`` nights after ``now``; none without a schedule."""
    return list(islice(_nights(sync, zone, now), count))


def due(sync: SyncSettings, zone: ZoneInfo, now: datetime, last: LastRun | None) -> Due:
    """What to do about ``sync`` now.

    The latest night that is not over is started if it is at most ``sync.grace`` late; nights before it that nobody
    ran are missed, for one pull brings everything that they would have brought.
    """
    open_nights = [night for night in _past(sync, zone, now, last) if _is_open(night, last)]
    start = open_nights[-1] if open_nights and now - open_nights[-1].at <= sync.grace else None
    missed = tuple(night for night in open_nights if night != start and (last is None or night.key > last.key))
    return Due(start, missed if last else ())


def _is_open(night: Night, last: LastRun | None) -> bool:
    return last is None or night.key > last.key or (night.key == last.key and not last.finished)


def _past(sync: SyncSettings, zone: ZoneInfo, now: datetime, last: LastRun | None) -> Iterator[Night]:
    """The nights up to ``now``: as far back as it matters, which is to the date of the last run, anywhere on earth."""
    after = now - (LOOK_BACK if last else sync.grace)
    if last:
        after = max(after, datetime.combine(date.fromisoformat(last.key), time(tzinfo=UTC)) - timedelta(days=1))
    return takewhile(lambda night: night.at <= now, _nights(sync, zone, after - timedelta(seconds=1)))


def _nights(sync: SyncSettings, zone: ZoneInfo, after: datetime) -> Iterator[Night]:
    if sync.schedule is None:
        return
    for day, moment in nights(sync.schedule, zone, after):
        yield Night(moment, sync.name, day)
