"""A source at a fake host, and what it pulled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from connectors.edfi import EdFiConnector
from gateway.core.connector import Context
from gateway.core.exchange import REJECTS, PullMode
from gateway.testing.clock import FakeClock
from gateway.testing.edfi import FakeEdFi


def settings_for(remote: FakeEdFi, **more: Any) -> dict[str, Any]:
    return {
        "base_url": remote.base_url,
        "auth": {"client_id": remote.gate.key, "client_secret": remote.gate.secret},
        "page_size": 2,
        **more,
    }


class SourceStand:
    """Nights of one connection: each with a new connector, an hour after the last."""

    def __init__(self, remote: FakeEdFi, work: Path, **settings: Any) -> None:
        self.remote = remote
        self.settings = settings_for(remote, **settings)
        self.clock = FakeClock()
        self.context = Context("lakeside", "ods", work, work, self.clock.now, remote.adapters, self.clock.sleep)
        self.modes: dict[str, PullMode] = {}
        self.warnings: list[str] = []

    def connector(self) -> EdFiConnector:
        loaded: Any = EdFiConnector.Settings().load(self.settings)
        return EdFiConnector(loaded, self.context)

    def pull(self, since: datetime | None = None) -> dict[str, pl.DataFrame]:
        """Everything, by table."""
        source = self.connector()
        found: dict[str, list[pl.DataFrame]] = {}
        streams = source.streams(since)
        self.modes = {stream.name: stream.mode for stream in streams}
        for stream in streams:
            for page in source.pull(stream, since=since, resume=None):
                self.warnings += page.warnings
                for table, frame in page.frames.items():
                    found.setdefault(table, []).append(frame)
        return {table: pl.concat(frames) for table, frames in found.items()}

    def night(self, since: datetime | None = None) -> tuple[dict[str, pl.DataFrame], datetime]:
        """A pull, and when it began; an hour passes."""
        began = self.clock.now()
        pulled = self.pull(since)
        self.clock.sleep(timedelta(hours=1).total_seconds())
        return pulled, began


def ids(pulled: Mapping[str, pl.DataFrame], table: str) -> set[str]:
    return set(pulled[table]["id"])


def rejected(pulled: Mapping[str, pl.DataFrame]) -> int:
    return pulled[REJECTS].height if REJECTS in pulled else 0
