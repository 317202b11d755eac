"""The school year of a district: its sessions, and days as numbers from the first day on.

End dates are exclusive, as OneRoster has them; ``schoolYear`` is the year in which the school year ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from gateway.sample.draws import Draws, texts

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Session:
    """One academic session."""

    id: str
    title: str
    type: str
    start: date
    end: date
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """One school year, the whole year first among its sessions."""

    sessions: tuple[Session, ...]
    year: str

    @property
    def start(self) -> date:
        return self.sessions[0].start

    @property
    def end(self) -> date:
        return self.sessions[0].end

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def day_number(self, day: date) -> int:
        return (day - self.start).days

    def dates(self, days: pl.Expr) -> pl.Expr:
        """Day numbers as dates."""
        return (days + (self.start - _EPOCH).days).cast(pl.Int32).cast(pl.Date)

    def school_days(self, days: pl.Expr) -> pl.Expr:
        """Day numbers, those of a weekend set back to its Friday (to its Monday on the first weekend of the year)."""
        days = days.clip(0, self.days - 1)
        weekday = (days + self.start.weekday()) % 7
        friday = days - (weekday - 4).clip(0)
        return pl.when(friday < 0).then(days + 7 - weekday).otherwise(friday)

    def session_ids(self, days: pl.Expr) -> pl.Expr:
        """The shortest session that holds each day; the year only where nothing else does."""
        year = self.sessions[0]
        by_length = sorted(self.sessions, key=lambda each: (each is year, each.end - each.start, each.id))
        dates = [self.start + timedelta(days=number) for number in range(self.days)]
        ids = [next(session.id for session in by_length if session.start <= day < session.end) for day in dates]
        return texts(ids, days)

    @property
    def terms(self) -> Sequence[Session]:
        return [session for session in self.sessions if session.type == "term"]


def lakeside_calendar(draws: Draws, as_of: date) -> Calendar:
    """The school year (from the last Monday of August into the first half of June) that ``as_of`` falls in; July
    and August count to the year that begins."""
    end_year = as_of.year + (as_of.month >= 7)
    start = _monday(date(end_year - 1, 8, 31))
    end = _monday(date(end_year, 6, 14)) + timedelta(days=-2)
    year = f"{end_year - 1}–{end_year}"
    ids = [draws.uuid_of("academicSessions", end_year, number) for number in range(7)]
    quarters = [start, *(_monday(start + (end - start) * number / 4) for number in (1, 2, 3)), end]
    sessions = [
        Session(ids[0], f"School year {year}", "schoolYear", start, end),
        *(
            Session(ids[1 + half], f"Semester {half + 1}", "term", quarters[2 * half], quarters[2 * half + 2], ids[0])
            for half in (0, 1)
        ),
        *(
            Session(ids[3 + q], f"Quarter {q + 1}", "gradingPeriod", quarters[q], quarters[q + 1], ids[1 + q // 2])
            for q in range(4)
        ),
    ]
    return Calendar(tuple(sessions), str(end_year))


def _monday(day: date) -> date:
    """The Monday on or before."""
    return day - timedelta(days=day.weekday())
