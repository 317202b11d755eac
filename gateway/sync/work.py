"""What every step of a run needs, and where its files lie.

``<data>/snapshots/<connection>/<snapshot id>/`` what was pulled and checked; ``<data>/runs/<run id>/stage/`` raw
pages; ``…/map/`` levels, continuum, credits, unmatched; ``…/desired/`` records for the target; ``…/plan/`` the
changes; ``…/report.json`` and ``report.txt`` the outcome.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from gateway.core.errors import GatewayError
from gateway.settings import District, SyncSettings
from gateway.store import Store
from gateway.store import runs as run_store
from gateway.store.leases import Lease

Progress = Callable[[str, int, int | None], None]
"""Called with the step, how much of it is done, and how much there is (``None``: not known)."""


class StopRequested(GatewayError):
    """The run was asked to stop and did, between two pages or batches; the next start goes on."""

    default_code = "run.stopped"


@dataclass(frozen=True, slots=True)
class Work:
    """One run at work."""

    district: District
    sync: SyncSettings
    store: Store
    lease: Lease
    run: run_store.Run
    now: Callable[[], datetime]
    progress: Progress
    stop: threading.Event

    @property
    def folder(self) -> Path:
        return self.district.data / "runs" / self.run.run_id

    @property
    def snapshots(self) -> Path:
        return self.district.data / "snapshots" / self.sync.source

    @contextmanager
    def commit(self) -> Iterator[Connection]:
        """A transaction that takes effect only while this run holds its leases."""
        with self.store.begin() as connection:
            self.lease.renew(connection)
            yield connection

    def advance(self, **values: Any) -> None:
        """Store columns of the run."""
        with self.commit() as connection:
            run_store.advance(connection, self.run, **values)

    def breathe(self) -> None:
        """Between two pieces of work: stop if asked to."""
        if self.stop.is_set():
            raise StopRequested("The run was stopped.", hint="Start it again; it goes on where it stopped.")
