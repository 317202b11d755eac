"""OneRoster over REST, versions 1.1 and 1.2: rosters and gradebooks in, gradebook records out.

See ``docs/connectors/oneroster.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from marshmallow import Schema

from connectors.oneroster.checking import check_provider
from connectors.oneroster.provider import Provider
from connectors.oneroster.pulling import Puller
from connectors.oneroster.pushing import Pusher
from connectors.oneroster.settings import SettingsSchema
from gateway.sdk import Change, CheckItem, Connector, Outcome, Page, Source, Stream, Target


class OneRosterConnector(Connector, Source, Target):
    """Pulls from and pushes to a OneRoster provider."""

    name: ClassVar[str] = "oneroster"
    title: ClassVar[str] = "OneRoster over REST, 1.1 and 1.2: rostering and gradebook"
    Settings: ClassVar[type[Schema]] = SettingsSchema

    def check(self) -> Sequence[CheckItem]:
        return list(check_provider(self._reading, self._writing))

    def streams(self, since: datetime | None) -> Sequence[Stream]:
        return self._puller.streams(since)

    def pull(self, stream: Stream, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        return self._puller.pull(stream, since=since, resume=resume)

    def entities(self) -> Sequence[str]:
        return self._pusher.entities()

    def push(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        return self._pusher.push(changes)

    def read_back(self, entity: str, ids: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        return self._pusher.read_back(entity, ids)

    @cached_property
    def _reading(self) -> Provider:
        return Provider(self.settings, self.context)

    @cached_property
    def _writing(self) -> Provider:
        return Provider(self.settings, self.context, writes=True)

    @cached_property
    def _puller(self) -> Puller:
        return Puller(self._reading)

    @cached_property
    def _pusher(self) -> Pusher:
        return Pusher(self._writing, self.context)


CONNECTOR = OneRosterConnector
