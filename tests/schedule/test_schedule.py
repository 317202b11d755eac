"""Exactly one night for each local date, whatever the clocks do, and what to do about it when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.core.guard import Guards
from gateway.schedule import Due, LastRun, Night, due, upcoming
from gateway.settings import PushSettings, SyncSettings

ZONES = ("America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo")
HOUR = timedelta(hours=1)


def sync_at(schedule: str | None, *, grace: timedelta = 6 * HOUR) -> SyncSettings:
    return SyncSettings(
        name="nightly",
        source="sis",
        framework=None,
        mapping=Path("m.yaml"),
        target="lms",
        push=PushSettings("Continuum", inactivate=True),
        schedule=schedule,
        grace=grace,
        overlap=HOUR,
        missing_pulls=2,
        read_back=0,
        guards=Guards(),
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("schedule", ["30 1 * * *", "30 2 * * *", "0 0 * * *"])
def test_ten_years_have_exactly_one_night_a_date(zone: str, schedule: str) -> None:
    first = date(2024, 1, 1)
    days = (date(2034, 1, 1) - first).days
    start = datetime(2024, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(seconds=1)
    found = upcoming(sync_at(schedule), ZoneInfo(zone), start, days)
    assert [night.key for night in found] == [(first + timedelta(days=n)).isoformat() for n in range(days)]
    assert all(earlier.at < later.at for earlier, later in pairwise(found))


NEW_YORK, LORD_HOWE, KOLKATA = "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"
NIGHTS = {
    "autumn, the first of two": (NEW_YORK, "30 1 * * *", "2027-11-07T04:00", "2027-11-07", "2027-11-07T05:30"),
    "autumn, not again": (NEW_YORK, "30 1 * * *", "2027-11-07T05:45", "2027-11-08", "2027-11-08T06:30"),
    "spring, when the gap ends": (NEW_YORK, "30 2 * * *", "2027-03-14T05:00", "2027-03-14", "2027-03-14T07:00"),
    "half an hour of spring": (LORD_HOWE, "15 2 * * *", "2027-10-02T12:00", "2027-10-03", "2027-10-02T15:30"),
    "half an hour of autumn": (LORD_HOWE, "45 1 * * *", "2027-04-03T12:00", "2027-04-04", "2027-04-03T14:45"),
    "year end": (KOLKATA, "0 0 * * *", "2026-12-31T12:00", "2027-01-01", "2026-12-31T18:30"),
    "leap day": (KOLKATA, "30 1 29 feb *", "2026-01-01T00:00", "2028-02-29", "2028-02-28T20:00"),
    "midnight is in the gap": ("Africa/Cairo", "30 0 * * *", "2027-04-29T12:00", "2027-04-30", "2027-04-29T22:00"),
    "not at weekends": (NEW_YORK, "30 1 * * mon-fri", "2026-11-20T12:00", "2026-11-23", "2026-11-23T06:30"),
    "first Monday": (NEW_YORK, "30 1 * * mon#1", "2026-11-20T12:00", "2026-12-07", "2026-12-07T06:30"),
}


@pytest.mark.parametrize(("zone", "schedule", "now", "day", "at"), NIGHTS.values(), ids=NIGHTS)
def test_the_next_night(zone: str, schedule: str, now: str, day: str, at: str) -> None:
    (night,) = upcoming(sync_at(schedule), ZoneInfo(zone), utc(now), 1)
    assert (night.key, night.at) == (day, utc(at))


def test_a_sync_without_schedule_has_no_nights() -> None:
    assert upcoming(sync_at(None), ZoneInfo("UTC"), utc("2026-11-22T00:00"), 5) == []
    assert due(sync_at(None), ZoneInfo("UTC"), utc("2026-11-22T00:00"), None) == Due()


def told(found: Due) -> tuple[str | None, list[str]]:
    return found.start.key if found.start else None, [night.key for night in found.missed]


# a sync at 01:30 in UTC with six hours of grace
DUE = {
    "not yet": ("2026-11-22T01:29", None, None, []),
    "on time": ("2026-11-22T01:30", None, "2026-11-22", []),
    "just within the grace": ("2026-11-22T07:30", None, "2026-11-22", []),
    "a new sync misses nothing": ("2026-11-22T07:31", None, None, []),
    "the day after": ("2026-11-22T01:31", ("2026-11-21", True), "2026-11-22", []),
    "done already": ("2026-11-22T01:31", ("2026-11-22", True), None, []),
    "the clock was set back": ("2026-11-22T01:31", ("2026-11-23", True), None, []),
    "interrupted: goes on": ("2026-11-22T05:00", ("2026-11-22", False), "2026-11-22", []),
    "interrupted, too late to go on": ("2026-11-22T09:00", ("2026-11-22", False), None, []),
    "slept, caught up": ("2026-11-22T05:00", ("2026-11-19", True), "2026-11-22", ["2026-11-20", "2026-11-21"]),
    "slept, too late": ("2026-11-22T12:00", ("2026-11-20", True), None, ["2026-11-21", "2026-11-22"]),
    "interrupted days ago": ("2026-11-22T12:00", ("2026-11-20", False), None, ["2026-11-21", "2026-11-22"]),
}


@pytest.mark.parametrize(("now", "last", "start", "missed"), DUE.values(), ids=DUE)
def test_what_is_due(now: str, last: tuple[str, bool] | None, start: str | None, missed: list[str]) -> None:
    found = due(sync_at("30 1 * * *"), ZoneInfo("UTC"), utc(now), LastRun(*last) if last else None)
    assert told(found) == (start, missed)


def test_nights_long_gone_are_not_told_any_more() -> None:
    found = due(sync_at("30 1 * * *"), ZoneInfo("UTC"), utc("2026-11-22T12:00"), LastRun("2025-01-01", finished=True))
    assert len(found.missed) == 31


@pytest.mark.parametrize(
    ("old", "new"), [("Asia/Tokyo", "Pacific/Honolulu"), ("Pacific/Honolulu", "Pacific/Kiritimati")]
)
def test_a_district_that_moves_to_another_zone_runs_no_date_twice(old: str, new: str) -> None:
    started = simulate(lambda now: ZoneInfo(old if now < utc("2026-11-22T13:00") else new))
    assert [night.key for night in started] == sorted({night.key for night in started})


@pytest.mark.parametrize("zone", ZONES)
def test_a_clock_that_jumps_never_runs_a_date_twice(zone: str) -> None:
    """Time goes on in steps of 20 minutes; now and then it jumps back an hour, or ahead by half a day."""
    jumps = {50: -HOUR, 51: -HOUR, 90: 12 * HOUR, 130: -HOUR, 200: 30 * HOUR, 260: -2 * HOUR}
    started = simulate(lambda now: ZoneInfo(zone), jumps)
    keys = [night.key for night in started]
    assert keys == sorted(set(keys))
    assert len(keys) >= 9


def simulate(zone_at: Callable[[datetime], ZoneInfo], jumps: dict[int, timedelta] | None = None) -> list[Night]:
    """Ten days of a worker that looks every 20 minutes and finishes what it starts."""
    sync = sync_at("30 1 * * *", grace=24 * HOUR)
    now, last, started = utc("2026-11-17T00:00"), None, []
    for step in range(10 * 24 * 3):
        now += timedelta(minutes=20) + (jumps or {}).get(step, timedelta())
        night = due(sync, zone_at(now), now, last).start
        if night:
            started.append(night)
            last = LastRun(night.key, finished=True)
    return started
