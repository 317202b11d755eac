"""What is odd in a file of evidence and is read all the same: noted with how often, and where first."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from gateway.core.errors import Place, did_you_mean
from gateway.core.mapping.language import EVIDENCE_COLUMNS
from gateway.core.mapping.prepare import as_time

STUDENT = "student_id"
SCORED = "scored_at"
_READ = "_read"

Find = Callable[[pl.Expr], Place]
"""Finds the first row for which an expression holds."""


@dataclass(frozen=True, slots=True)
class Note:
    """One oddity. ``code`` is stable; ``rows`` is how many rows it concerns, 0 if it is about the file as a whole."""

    code: str
    message: str
    hint: str
    place: Place
    rows: int = 0

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" + (f" {self.hint}" if self.hint else "")

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code, "message": self.message, "hint": self.hint,
            "file": self.place.source, "line": self.place.line, "rows": self.rows,
        }  # fmt: skip


def column_notes(columns: Mapping[str, str], declared: Iterable[str], place: Place) -> Iterator[Note]:
    """On ``columns`` (as written, by the name under which they are read); ``declared`` are a mapping's own."""
    known = {*EVIDENCE_COLUMNS, *declared}
    renamed = [f'"{was}" as {name}' for name, was in columns.items() if was != name and name in known]
    if renamed:
        yield Note("evidence.renamed", f"Columns are read under our names: {', '.join(renamed)}.", "", place)
    for name, was in columns.items():
        if name not in known:
            hint = did_you_mean(name, known).strip() or "If a rule is to use it, declare it under `columns`."
            yield Note("evidence.unknown-column", f'Nothing uses the column "{was}".', hint, place)


@dataclass(slots=True)
class RowNotes:
    """Takes parts and remembers their odd rows. ``end`` is when the future begins, if that is watched."""

    end: datetime.datetime | None = None
    without_student: int = 0
    unread: Counter[Any] = field(default_factory=Counter)
    ahead: Counter[Any] = field(default_factory=Counter)

    def take(self, part: pl.DataFrame) -> pl.DataFrame:
        """``part`` without rows that name no student; rows without anything are not counted."""
        if STUDENT in part.columns and part[STUDENT].has_nulls():
            nameless = part.filter(pl.col(STUDENT).is_null())
            self.without_student += nameless.height - int(
                nameless.select(pl.all_horizontal(pl.all().is_null()).sum()).item()
            )
            part = part.filter(pl.col(STUDENT).is_not_null())
        if SCORED in part.columns:
            self._times(part[SCORED])
        return part

    def _times(self, scored: pl.Series) -> None:
        """Distinct values are read, and only odd ones counted."""
        distinct = scored.unique().drop_nulls().to_frame().with_columns(as_time(SCORED, scored.dtype).alias(_READ))
        unread = distinct.filter(pl.col(_READ).is_null())
        ahead = distinct.filter(pl.col(_READ) >= self.end) if self.end else distinct.clear()
        for odd, counter in ((unread, self.unread), (ahead, self.ahead)):
            if odd.height:
                found = scored.filter(scored.is_in(odd[SCORED].implode())).value_counts()
                counter.update(dict(found.rows()))

    def notes(self, find: Find) -> Iterator[Note]:
        """The notes, each with its first place, for which ``find`` looks only now that there is something to tell."""
        if self.without_student:
            filled = pl.any_horizontal(pl.exclude("_row").is_not_null())
            said = _rows(self.without_student, "names no student", "name no student")
            hint = "They were passed over; fill in `student_id`."
            place = find(pl.col(STUDENT).is_null() & filled)
            yield Note("evidence.no-student", f"{said}.", hint, place, self.without_student)
        if self.unread:
            said = _rows(self.unread.total(), "has a `scored_at` that is no date", "have a `scored_at` that is no date")
            hint = "Write 2026-09-30, or 2026-09-30T14:05:00Z. Until then they count as the oldest."
            place = find(pl.col(SCORED).is_in(list(self.unread)))
            shown = min(map(str, self.unread))[:30]
            yield Note("evidence.no-date", f'{said}, such as "{shown}".', hint, place, self.unread.total())
        if self.ahead:
            said = _rows(self.ahead.total(), "is dated in the future", "are dated in the future")
            hint = "They count all the same. Correct the dates, or leave them out with --as-of."
            place = find(pl.col(SCORED).is_in(list(self.ahead)))
            yield Note(
                "evidence.future", f"{said}, up to {max(map(str, self.ahead))}.", hint, place, self.ahead.total()
            )


def _rows(count: int, one: str, several: str) -> str:
    return f"{count:,} {f'row {one}' if count == 1 else f'rows {several}'}"
