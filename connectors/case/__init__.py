"""Competency frameworks from a CASE provider (1.0 and 1.1) or from files. CASE only publishes: there is no target.

One stream brings all frameworks, one page each. See ``docs/connectors/case.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from marshmallow import Schema

from connectors.case.files import FrameworkFiles
from connectors.case.provider import Provider
from connectors.case.settings import SettingsSchema
from gateway.sdk import FRAMEWORK_TABLES, CheckItem, Connector, Page, Source, Stream

STREAM = Stream("frameworks", FRAMEWORK_TABLES)


class CaseConnector(Connector, Source):
    """Pulls competency frameworks."""

    name: ClassVar[str] = "case"
    title: ClassVar[str] = "CASE competency frameworks (REST 1.0 and 1.1, JSON files, OpenSALT spreadsheets)"
    Settings: ClassVar[type[Schema]] = SettingsSchema

    def check(self) -> Sequence[CheckItem]:
        return list(self._origin().check())

    def streams(self, since: datetime | None) -> Sequence[Stream]:
        return [STREAM]

    def pull(self, stream: Stream, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        return self._origin().pull(since=since, resume=resume)

    def _origin(self) -> FrameworkFiles | Provider:
        if self.settings["path"] is not None:
            return FrameworkFiles(self.settings, self.context)
        return Provider(self.settings, self.context)


CONNECTOR = CaseConnector
