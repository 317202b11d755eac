"""A OneRoster connector over a fake provider, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from connectors.oneroster import OneRosterConnector
from gateway.core.connector import Context
from gateway.core.exchange import Page
from gateway.testing.clock import FakeClock
from gateway.testing.fake_auth import Entry
from gateway.testing.fake_service import FakeService


def auth_for(fake: FakeService) -> dict[str, Any]:
    """The settings with which a fake's gate opens."""
    gate = fake.gate
    if gate.entry is Entry.BEARER:
        return {"type": "bearer", "token": gate.bearer}
    if gate.entry in (Entry.OAUTH1_SHA1, Entry.OAUTH1_SHA256):
        signature = "HMAC-SHA1" if gate.entry is Entry.OAUTH1_SHA1 else "HMAC-SHA256"
        return {"type": "oauth1", "key": gate.key, "secret": gate.secret, "signature": signature}
    style = {Entry.OAUTH2_BODY: "body", Entry.OAUTH2_QUERY: "query"}.get(gate.entry, "header")
    secrets = {"client_id": gate.key, "client_secret": gate.secret}
    return {"type": "oauth2", "token_url": fake.token_url, "style": style, **secrets}


def connect(
    fake: FakeService, *, profile: Mapping[str, Any] | None = None, clock: FakeClock | None = None, **settings: Any
) -> OneRosterConnector:
    """A connector as a new process would make it."""
    given = {"base_url": fake.host, "auth": auth_for(fake), "profile": dict(profile or {}), **settings}
    clock = clock or FakeClock()
    folder = Path("unused")
    context = Context("lakeside", "sis", folder, folder, clock.now, fake.adapters, clock.sleep)
    return OneRosterConnector(OneRosterConnector.Settings().load(given), context)


def pull(connector: OneRosterConnector, name: str) -> list[Page]:
    """All pages of one list, pulled whole."""
    stream = next(stream for stream in connector.streams(None) if stream.name == name)
    return list(connector.pull(stream, since=None, resume=None))


def rows(pages: list[Page], table: str) -> pl.DataFrame:
    """The rows of a table of all pages."""
    return pl.concat([page.frames[table] for page in pages])
