"""What a mapping is tried on: a file of evidence, or the newest pull of a sync; and the options that say which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gateway.cli.invocation import Invocation, now
from gateway.core.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from gateway.core.framework import Framework
    from gateway.core.mapping import CompiledMapping
    from gateway.evidence_notes import Note
    from gateway.settings import District

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
DATE = click.DateTime(["%Y-%m-%d"])
MAPPING = click.argument("mapping", type=FILE)
STUDENT = click.option("--student", required=True, metavar="ID", help="The student's id, as in the gradebook.")
AS_OF = click.option(
    "--as-of", type=DATE, help="As of the end of this day (a pull: of its own day; a file: all of it)."
)

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def evidence_options(function: Decorated) -> Decorated:
    """``--evidence`` and ``--sync``."""
    sync = click.option(
        "--sync", "sync_name", metavar="NAME", help="The sync whose newest pull is used (default: the only one)."
    )
    evidence = click.option(
        "--evidence",
        type=click.Path(path_type=Path),
        help="A file of evidence (CSV, XLSX, NDJSON, Parquet, or a folder of Parquet files) instead of a pull.",
    )
    return evidence(sync(function))


@dataclass(frozen=True, slots=True)
class Ground:
    """Evidence in parts, each with all results of its students. ``what`` names it for people; ``framework`` is the one
    that the sync pulled, in the place of the mapping's own; ``day`` is the day as of which its run mapped; ``schools``
    are names by id, as far as they are known. ``notes`` are asked when the parts were read."""

    parts: Iterator[pl.DataFrame]
    what: str
    framework: Framework | None
    day: date | None
    schools: Mapping[str, str]
    notes: Callable[[Iterable[str]], list[Note]]

    def load(self, path: Path) -> CompiledMapping:
        """The mapping at ``path`` with the framework of this ground."""
        from gateway.mappings import load_mapping

        return load_mapping(path, framework=self.framework)

    def as_of(self, asked: datetime | None) -> date | None:
        """The day that was asked for; else a pull's own, so that its numbers are those that its run gave."""
        return asked.date() if asked else self.day


@contextmanager
def open_ground(
    invocation: Invocation, evidence: Path | None, sync_name: str | None, *, student: str | None = None
) -> Iterator[Ground]:
    """The file ``evidence``, or the newest pull of the sync; a sync that is named gives its framework in both cases.

    Raises :class:`ConfigurationError` (``map.no-pull``) if nothing was pulled yet, and what
    :func:`~gateway.evidence_file.open_evidence` raises.
    """
    if evidence is None:
        yield _newest_pull(invocation, sync_name, student)
        return
    from gateway.evidence_file import open_evidence

    with open_evidence(evidence, student=student, today=now().date()) as parts:
        framework = _framework(invocation, sync_name) if sync_name else None
        yield Ground(parts, str(evidence), framework, None, {}, parts.notes)


def _framework(invocation: Invocation, sync_name: str | None) -> Framework | None:
    from gateway.sync.frameworks import last_framework

    district = invocation.load()
    return last_framework(district, district.sync(sync_name))


def _district(invocation: Invocation) -> District:
    try:
        return invocation.load()
    except ConfigurationError as error:
        if error.code != "district.missing":
            raise
        hint = "Name evidence with --evidence FILE, or a district: --district path/to/gateway.yaml."
        raise ConfigurationError(error.message, hint=hint, code=error.code) from error


def _newest_pull(invocation: Invocation, sync_name: str | None, student: str | None) -> Ground:
    from gateway.store.runs import found
    from gateway.sync.evidence import snapshot_evidence
    from gateway.sync.frameworks import last_framework
    from gateway.sync.quarantine import latest_snapshot

    district = _district(invocation)
    sync = district.sync(sync_name)
    with invocation.store(district) as store:
        snapshot = latest_snapshot(store, district, sync.name)
        run = found(store, district.id, snapshot.id) if snapshot else None
    if snapshot is None:
        raise ConfigurationError(
            "Nothing has been pulled yet.", hint="Run `mastery-gateway pull`, or use --evidence.", code="map.no-pull"
        )
    parts = snapshot_evidence(snapshot, gone_after=sync.missing_pulls, student=student)
    day = run.started_at.astimezone(district.time_zone).date() if run else None
    what = f"the pull {snapshot.id} of {sync.source}"
    orgs = snapshot.read("orgs", gone_after=sync.missing_pulls) if snapshot.has("orgs") else None
    schools = {} if orgs is None else dict(orgs.select("id", "name").rows())
    return Ground(parts, what, last_framework(district, sync), day, schools, lambda declared: [])


def declared(mapping: CompiledMapping) -> list[str]:
    """The columns that a mapping declares for its own use."""
    columns = mapping.document.value("columns")
    return [str(name) for name in columns] if isinstance(columns, list) else []


def shown(count: int, rows: list[str], *, most: int, more: str) -> list[str]:
    """At most so many of ``count`` rows, and what to do to see the others."""
    return rows[:most] + ([f"  … and {count - most:,} more; {more}."] if count > most else [])
