"""Ed-Fi ODS/API, 5.x to 7.x and v8: rosters, results and frameworks in; levels and GPAs out.

See ``docs/connectors/edfi.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from marshmallow import Schema

from connectors.edfi.pulling import Puller
from connectors.edfi.pushing import Pusher
from connectors.edfi.session import Session
from connectors.edfi.settings import SettingsSchema
from connectors.edfi.source_checking import check_source
from connectors.edfi.target_checking import check_target
from connectors.edfi.target_settings import writes_anything
from gateway.sdk import Change, CheckItem, Connector, Outcome, Page, Source, Stream, Target


class EdFiConnector(Connector, Source, Target):
    """Pulls from and pushes to an Ed-Fi ODS/API."""

    name: ClassVar[str] = "edfi"
    title: ClassVar[str] = "Ed-Fi ODS/API, 5 to 8: rosters, results, frameworks"
    Settings: ClassVar[type[Schema]] = SettingsSchema

    def check(self) -> Sequence[CheckItem]:
        found = list(check_source(self._session, self._puller))
        if all(item.ok for item in found[:2]) and writes_anything(self.settings):
            found += check_target(self._session, self._pusher)
        return found

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

    def close(self) -> None:
        self._session.close()

    @cached_property
    def _session(self) -> Session:
        return Session(self.settings, self.context)

    @cached_property
    def _puller(self) -> Puller:
        return Puller(self._session)

    @cached_property
    def _pusher(self) -> Pusher:
        return Pusher(self._session, self.context)


CONNECTOR = EdFiConnector
