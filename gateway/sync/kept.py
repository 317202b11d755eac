"""What past runs left behind, for reports: the newest pull part by part, and the tables of a run."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from gateway.core.errors import ConfigurationError
from gateway.core.partition import part_of
from gateway.core.reports.standing import students_of_roster
from gateway.settings import District
from gateway.store import Store
from gateway.store import runs as run_store
from gateway.store.runs import Step
from gateway.store.snapshots import Snapshot
from gateway.sync.evidence import snapshot_evidence
from gateway.sync.mapping import SHARED_TABLES
from gateway.sync.quarantine import latest_snapshot

_MOST_RUNS = 10_000
_MAPPED = tuple(Step)[tuple(Step).index(Step.MAP) :]


@dataclass(frozen=True)
class KeptPull:
    """A checked pull of a sync; ``gone_after`` is from how many missed pulls on a record counts as gone."""

    snapshot: Snapshot
    gone_after: int

    @cached_property
    def tables(self) -> Mapping[str, pl.DataFrame]:
        """The tables that are not cut by student."""
        names = [name for name in SHARED_TABLES if self.snapshot.has(name)]
        return {name: self.snapshot.read(name, gone_after=self.gone_after) for name in names}

    @cached_property
    def students(self) -> pl.DataFrame:
        """Who the students are, as :data:`gateway.core.reports.standing.STUDENTS`."""
        return students_of_roster(self.tables)

    def parts(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """Evidence and students, part by part; each part holds all results of its students."""
        part_numbers = part_of(self.students["student_id"], self.snapshot.parts)
        for part, evidence in enumerate(snapshot_evidence(self.snapshot, gone_after=self.gone_after)):
            yield evidence, self.students.filter(part_numbers == part)


def newest_pull(store: Store, district: District, sync_name: str | None) -> KeptPull:
    """The newest checked pull. Raises :class:`ConfigurationError` (``report.no-pull``)."""
    snapshot = latest_snapshot(store, district, sync_name)
    if snapshot is None:
        raise ConfigurationError(
            "Nothing has been pulled yet.",
            hint="Run `mastery-gateway pull`, or use --evidence and --mapping.",
            code="report.no-pull",
        )
    return KeptPull(snapshot, district.sync(sync_name).missing_pulls)


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A past run whose tables are still there; ``day`` is its local date, ``digest`` that of its mapping."""

    id: str
    day: datetime.date
    digest: str
    folder: Path

    def parts(self) -> int:
        """In how many parts its tables are written."""
        return len(list((self.folder / "map" / "continuum").glob("part-*.parquet")))

    def continuum(self, part: int, parts: int) -> pl.DataFrame:
        """The continuum rows of the students of one part of ``parts``."""
        files = sorted((self.folder / "map" / "continuum").glob("part-*.parquet"))
        if len(files) == parts:
            return pl.read_parquet(files[part])
        rows = pl.concat([pl.read_parquet(file) for file in files])
        return rows.filter(part_of(rows["student_id"], parts) == part)


def kept_run(store: Store, district: District, sync_name: str | None, wanted: str | None = None) -> KeptRun:
    """The newest mapped run; or the one with the id ``wanted``, or the newest of that day (``2026-05-01``) or before.

    Raises :class:`ConfigurationError` (``report.no-run``).
    """
    sync, zone = district.sync(sync_name), district.time_zone
    day = _day(wanted)
    for run in run_store.listed(store, district.id, sync=sync.name, most=_MOST_RUNS):
        folder = district.data / "runs" / run.run_id
        local = run.started_at.astimezone(zone).date()
        if run.step not in _MAPPED or not (folder / "map" / "continuum").is_dir():
            continue
        if wanted is None or run.run_id == wanted or (day is not None and local <= day):
            digest = str((run.report.get("map") or {}).get("digest", ""))
            return KeptRun(run.run_id, local, digest, folder)
    which = "past run" if wanted is None else f"run {wanted}" if day is None else f"run of {day} or before"
    raise ConfigurationError(
        f"There is no {which} of {sync.name} whose tables are kept.",
        hint="See `mastery-gateway runs list`.",
        code="report.no-run",
    )


def _day(wanted: str | None) -> datetime.date | None:
    try:
        return None if wanted is None else datetime.date.fromisoformat(wanted)
    except ValueError:
        return None
