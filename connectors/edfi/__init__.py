"""Ed-Fi ODS/API, 5.x to 7.x and v8: rosters, results and frameworks in; levels and GPAs out.

See ``docs/connectors/edfi.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from marshmallow import Schema

from connectors.edfi.pushing import Pusher
from connectors.edfi.session import Session
from connectors.edfi.settings import SettingsSchema
from connectors.edfi.target_checking import check_target
from gateway.sdk import Change, CheckItem, Connector, Outcome, Target


class EdFiConnector(Connector, Target):
    """Pulls from and pushes to an Ed-Fi ODS/API."""

    name: ClassVar[str] = "edfi"
    title: ClassVar[str] = "Ed-Fi ODS/API, 5 to 8: rosters, results, frameworks"
    Settings: ClassVar[type[Schema]] = SettingsSchema

    def check(self) -> Sequence[CheckItem]:
        return list(check_target(self._session, self._pusher))

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
    def _pusher(self) -> Pusher:
        return Pusher(self._session, self.context)


CONNECTOR = EdFiConnector
