"""The time of a nightly sync: five cron fields, with names for the days of the week.

A sync runs at most once per local date, so minute and hour are one number each. Numbers for days of the week are
refused, because programs disagree whether 1 is Monday or Tuesday. As with Debian's cron, a restricted day of the month
*and* a restricted day of the week mean either; a time that does not exist on a spring night is the next one that does;
a time that comes twice on an autumn night is the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEKDAY = re.compile(r"[a-z]{3}(-[a-z]{3})?(#[1-5])?")
_EXAMPLE = 'Write minute, hour, day of the month, month, day of the week, such as "30 1 * * mon-fri".'


def check_cron(text: str) -> str:
    """``text`` itself, if it is a time that the gateway can keep; raises :class:`ValueError` with plain words."""
    parts = text.lower().split()
    if len(parts) != 5:
        raise ValueError(f"A schedule has five fields. {_EXAMPLE}")
    for name, part, top in (("minute", parts[0], 59), ("hour", parts[1], 23)):
        if not part.isascii() or not part.isdigit() or int(part) > top:
            raise ValueError(f"The {name} must be one number from 0 to {top}: a sync runs once a day. {_EXAMPLE}")
    _check_weekdays(parts[4])
    try:
        CronSim(text, datetime(2024, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"The schedule has a fault: {str(error).lower()}. {_EXAMPLE}") from None
    return text


def _check_weekdays(field: str) -> None:
    if field == "*":
        return
    for term in field.split(","):
        if term.isdigit() and len(term) == 1 and int(term) < 8:
            raise ValueError(f'Write days of the week by name: "{_DAYS[int(term) % 7]}" instead of {term}.')
        if not _WEEKDAY.fullmatch(term):
            raise ValueError('Write days of the week by name, such as "mon-fri" or "mon,wed,fri".')


def nights(text: str, zone: ZoneInfo, after: datetime) -> Iterator[tuple[date, datetime]]:
    """The local dates of a schedule and the instant (UTC) of each, in order, as far as they lie after ``after``."""
    for local in CronSim(text, (after - timedelta(days=2)).astimezone(zone)):
        moment = local.astimezone(UTC)
        if moment > after:
            yield local.date(), moment
