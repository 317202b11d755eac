"""What past runs said: every run keeps its levels, continuum, credits and placement under ``runs/<run>/map/``, with the
mapping's version and digest in its report, and they are never deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.errors import ConfigurationError
from gateway.core.partition import part_of
from gateway.settings import District
from gateway.store import Store
from gateway.store import runs as run_store
from gateway.store.runs import Run, RunState

_ALL = 1_000_000
_NAMED_BY = {"levels": "competency", "continuum": "domain", "credits": "credit", "placement": "domain"}


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that mapped, and where its tables are."""

    run: Run
    folder: Path

    @property
    def said(self) -> Mapping[str, Any]:
        """The mapping's name, version and digest, with the counts of the map step."""
        found = self.run.report.get("map")
        return found if isinstance(found, dict) else {}

    def as_dict(self) -> dict[str, Any]:
        return {
            "run": self.run.run_id,
            "sync": self.run.sync,
            "state": self.run.state.value,
            "started_at": self.run.started_at.isoformat(),
            **{name: self.said.get(name) for name in ("mapping", "version", "digest")},
        }

    def read(self, table: str, student: str | None = None) -> pl.DataFrame | None:
        """One of the tables, of one student or all; ``None`` if the run kept none of this name."""
        files = sorted((self.folder / table).glob("part-*.parquet"))
        if not files:
            return None
        if student is None:
            return pl.read_parquet(files)
        mine = files[int(part_of(pl.Series([student]), len(files))[0])]
        return pl.scan_parquet(mine).filter(pl.col("student_id") == student).collect()


def past_runs(store: Store, district: District, sync_name: str | None, *, every: bool = False) -> list[PastRun]:
    """The runs of a sync that mapped and whose results went to the target, newest first; with ``every``, also those
    that were only planned, held or discarded."""
    sync = district.sync(sync_name)
    listed = run_store.listed(store, district.id, sync=sync.name, most=_ALL)
    runs = [_past(district, run) for run in listed]
    return [each for each in runs if each.said and (every or each.run.state is RunState.DONE)]


def run_as_of(
    store: Store, district: District, sync_name: str | None, *, run_id: str | None = None, day: date | None = None
) -> PastRun:
    """The run with this id, or the last one that went to the target by the end of a day in the district's time zone.

    Raises :class:`ConfigurationError` (``run.unknown``, ``map.no-run``).
    """
    if run_id is not None:
        run = run_store.found(store, district.id, run_id)
        if run is None:
            hint = "See `mastery-gateway runs list`."
            raise ConfigurationError(f"There is no run {run_id}.", hint=hint, code="run.unknown")
        if not _past(district, run).said:
            message = f"The run {run_id} has mapped nothing: it is {run.state.value}."
            raise ConfigurationError(message, hint="See `mastery-gateway runs list`.", code="map.no-run")
        return _past(district, run)
    for each in past_runs(store, district, sync_name):
        if day is None or each.run.started_at.astimezone(district.time_zone).date() <= day:
            return each
    message = "No run went to the target" + (f" by {day}." if day else " yet.")
    raise ConfigurationError(message, hint="See `mastery-gateway runs list`.", code="map.no-run")


def _past(district: District, run: Run) -> PastRun:
    return PastRun(run, district.data / "runs" / run.run_id / "map")


@dataclass(frozen=True, slots=True)
class Said:
    """What one run said about one thing: ``row`` is the table's row, ``None`` if it said nothing about it any more."""

    past: PastRun
    about: str
    row: Mapping[str, Any] | None


def history(
    runs: Sequence[PastRun], student: str, *, table: str = "levels", about: str | None = None, every: bool = False
) -> Iterator[Said]:
    """What ``runs`` said about a student, oldest first: for each competency or domain the first word, and then each run
    in which it changed, or, with ``every``, all. ``about`` chooses one competency or domain by the name that the tables
    give it."""
    key = _NAMED_BY[table]
    before: dict[str, Mapping[str, Any] | None] = {}
    for past in sorted(runs, key=lambda each: (each.run.started_at, each.run.run_id)):
        frame = past.read(table, student)
        if frame is None:
            continue
        now = {str(row[key]): row for row in frame.rows(named=True) if about in (None, row[key])}
        for name in sorted({*before, *now}):
            row = now.get(name)
            if every or _shown(row) != _shown(before.get(name)):
                yield Said(past, name, row)
        before = {**dict.fromkeys(before), **now}


def _shown(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What counts as a change: all that is said but for the mapping's name and version, which every run tells."""
    return None if row is None else {name: row[name] for name in row if name not in ("mapping", "version")}
