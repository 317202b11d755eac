"""Transcripts from a pull: the course attempts and the stated GPAs of the newest one, for the computation of GPAs.

Only what the newest pull delivered counts: a line that the source has replaced, for a grade was corrected, must not
stand beside its successor.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl

from gateway.core.errors import ConfigurationError, did_you_mean
from gateway.core.gpa.transcript import counts_for_gpa, courses_of_attempts, unit_types
from gateway.core.model import LINE
from gateway.core.partition import part_of
from gateway.settings import District
from gateway.store import Store
from gateway.store.snapshots import Snapshot
from gateway.sync.quarantine import latest_snapshot

TABLE = "course_attempts"
_NEWEST = 1


def transcript_snapshot(store: Store, district: District, name: str) -> Snapshot:
    """The newest pull of a sync, or of a connection that a sync pulls from, that has transcripts.

    Raises :class:`ConfigurationError` (``gpa.no-pull``, ``gpa.no-transcripts``, ``sync.unknown``).
    """
    syncs = [name] if name in district.syncs else [key for key, sync in district.syncs.items() if sync.source == name]
    if not syncs:
        known = sorted({*district.syncs, *(sync.source for sync in district.syncs.values())})
        raise ConfigurationError(
            f'There is no sync, and no connection that a sync pulls from, called "{name}".{did_you_mean(name, known)}',
            hint=f"There are: {', '.join(known) or 'none yet'}.",
            code="sync.unknown",
        )
    found = [each for key in syncs if (each := latest_snapshot(store, district, key)) is not None]
    if not found:
        raise ConfigurationError(
            f"Nothing has been pulled for {name} yet.", hint="Run `mastery-gateway pull`.", code="gpa.no-pull"
        )
    snapshot = max(found, key=lambda each: each.id)
    if not snapshot.has(TABLE):
        raise ConfigurationError(
            f"The newest pull of {name} has no transcripts.",
            hint="Pull them: name transcripts under `streams` of the connection, if its connector knows them.",
            code="gpa.no-transcripts",
        )
    return snapshot


def attempts_of(snapshot: Snapshot, *, part: int | None = None) -> pl.DataFrame:
    """The course attempts that the pull delivered, of one part or all."""
    return snapshot.read(TABLE, gone_after=_NEWEST, part=part)


def stated_gpas(snapshot: Snapshot) -> pl.DataFrame:
    """The GPAs that the source states itself; rows of ``gpas``."""
    if not snapshot.has("gpas"):
        return pl.DataFrame()
    return snapshot.read("gpas", gone_after=_NEWEST).filter(pl.col("policy").is_null())


def schools_of(snapshot: Snapshot) -> pl.DataFrame:
    """``student_id`` and ``school_id`` of each student with transcripts: the present school, else that of the newest
    course attempt."""
    names = ["student_id", "school_id", "school_year", "completed_on"]
    attempts = pl.concat([attempts_of(snapshot, part=part).select(names) for part in range(snapshot.parts)])
    newest = attempts.drop_nulls("school_id").sort("school_year", "completed_on", nulls_last=False)
    schools = newest.group_by("student_id", maintain_order=True).agg(pl.col("school_id").last())
    if not snapshot.has("users"):
        return schools
    users = snapshot.read("users", gone_after=_NEWEST)
    present = users.select(pl.col("id").alias("student_id"), pl.col("primary_org_id").alias("present"))
    return attempts.select("student_id").unique().join(schools, on="student_id", how="left").join(
        present, on="student_id", how="left"
    ).select("student_id", pl.coalesce("present", "school_id").alias("school_id")).sort("student_id")  # fmt: skip


def write_transcript_courses(snapshot: Snapshot, path: Path) -> list[str]:
    """Write a course file of the pull's attempts to ``path`` (Parquet) and tell what was found."""
    units: set[str] = set()
    for part in range(snapshot.parts):
        units |= unit_types(attempts_of(snapshot, part=part))
    kept = left_out = without = 0
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        for part in range(snapshot.parts):
            attempts = attempts_of(snapshot, part=part)
            counted = attempts.filter(counts_for_gpa(attempts))
            rows = courses_of_attempts(counted, units)
            rows.write_parquet(Path(folder) / f"{part:03}.parquet", compression="lz4")
            kept, left_out = kept + rows.height, left_out + attempts.height - counted.height
            without += rows["credit"].null_count()
        pl.scan_parquet(sorted(Path(folder).glob("*.parquet"))).sink_parquet(path, compression="lz4")
    found = f"{kept:,} course attempts from the transcripts of the pull {snapshot.id}"
    return [found, *_notes(units, left_out, without)]


def transcript_courses(snapshot: Snapshot, student: str | None = None) -> pl.DataFrame:
    """The same as a table, for few students or one; the units are those of all."""
    units: set[str] = set()
    for part in range(snapshot.parts):
        units |= unit_types(attempts_of(snapshot, part=part))
    mine = None if student is None else int(part_of(pl.Series([student]), snapshot.parts)[0])
    attempts = attempts_of(snapshot, part=mine)
    if student is not None:
        attempts = attempts.filter(pl.col("student_id") == student)
    return courses_of_attempts(attempts.filter(counts_for_gpa(attempts)), units).with_row_index(LINE, offset=1)


def _notes(units: set[str], left_out: int, without: int) -> list[str]:
    notes = []
    if left_out:
        notes.append(f"{left_out:,} more are of courses to which no GPA applies, and are left out")
    if len(units) > 1:
        notes.append(f"credit is counted in several units ({', '.join(sorted(units))}): give a conversion for each")
    if without:
        notes.append(f"{without:,} have no credit that can be counted; a --catalogue can say it")
    return notes
