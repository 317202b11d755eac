"""Ed-Fi ODS/API, 5.x to 7.x and v8: rosters, results and frameworks in.

See ``docs/connectors/edfi.md``.
"""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from marshmallow import Schema

from connectors.edfi.session import Session
from connectors.edfi.settings import SettingsSchema
from gateway.sdk import Connector


class EdFiConnector(Connector):
    """Pulls from an Ed-Fi ODS/API."""

    name: ClassVar[str] = "edfi"
    title: ClassVar[str] = "Ed-Fi ODS/API, 5 to 8: rosters, results, frameworks"
    Settings: ClassVar[type[Schema]] = SettingsSchema

    def close(self) -> None:
        self._session.close()

    @cached_property
    def _session(self) -> Session:
        return Session(self.settings, self.context)


CONNECTOR = EdFiConnector
