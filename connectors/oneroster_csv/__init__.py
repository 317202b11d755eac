"""OneRoster CSV bundles, 1.1 and 1.2, folder or zip, bulk and delta: read from and written to.

Source: OneRoster 1.1.1 CSV tables; CSV Binding 1.2.1. See ``docs/connectors/oneroster-csv.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import Schema

from connectors.oneroster_csv.cells import nested_tables, writable_entities
from connectors.oneroster_csv.delivery import Delivery, open_delivery
from connectors.oneroster_csv.destination import check_destination, destination, newest_written, refuse_destination
from connectors.oneroster_csv.pages import check_file, pages_of, streams_of
from connectors.oneroster_csv.read_back import read_records
from connectors.oneroster_csv.settings import Settings
from connectors.oneroster_csv.writing import Delivering, write_bundle
from gateway.sdk import (
    Change,
    CheckItem,
    ConfigurationError,
    Connector,
    Context,
    GatewayError,
    IncompletePullError,
    Outcome,
    Page,
    Source,
    Stream,
    Target,
    newest,
)


class OneRosterCsv(Connector, Source, Target):
    """A OneRoster CSV bundle, as source or (with the setting ``mode``) as target."""

    name: ClassVar[str] = "oneroster_csv"
    title: ClassVar[str] = "OneRoster CSV bundle (1.1, 1.2)"
    Settings: ClassVar[type[Schema]] = Settings

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        super().__init__(settings, context)
        self.wants_unchanged = settings.get("mode") == "bulk"
        self._delivery: Delivery | None = None
        self._written: Path | None = None

    @property
    def _path(self) -> Path:
        return self.context.folder / str(self.settings["path"])

    @property
    def _work(self) -> Path:
        return self.context.work / "bundle"

    @property
    def _target_version(self) -> str:
        return str(self.settings.get("version") or "1.2")

    def check(self) -> Sequence[CheckItem]:
        if self.settings.get("mode") is not None:
            return check_destination(self._path)
        try:
            delivery = self._open()
        except GatewayError as error:
            return [CheckItem("bundle", ok=False, message=error.message, hint=error.hint)]
        items = [CheckItem("bundle", ok=True, message=f"OneRoster {delivery.version}, {delivery.bundle.path.name}")]
        items += (CheckItem("bundle", ok=True, message=warning) for warning in delivery.warnings)
        items += (check_file(delivery, file) for file in delivery.files.values())
        return items

    def streams(self, since: datetime | None) -> Sequence[Stream]:
        """One per file. ``since`` is of no use: a bundle holds what it holds."""
        return streams_of(self._open())

    def pull(self, stream: Stream, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        try:
            yield from pages_of(self._open(), stream.name, resume)
        except IncompletePullError:
            self._delivery = None  # the next attempt looks again at what is there
            raise

    def _open(self) -> Delivery:
        """The bundle, chosen and opened once, so that all streams of a run come from the same one."""
        if self._delivery is None:
            self._delivery = open_delivery(
                newest(self._path),
                work=self._work,
                version=self.settings.get("version"),
                fallback_encoding=self.settings.get("fallback_encoding"),
            )
        return self._delivery

    def entities(self) -> Sequence[str]:
        return writable_entities(self._target_version, delta=self.settings.get("mode") == "delta")

    def push(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        mode = self.settings.get("mode")
        if mode is None:
            raise ConfigurationError(
                "A OneRoster CSV target must say how it writes.",
                hint='Set "mode: bulk" (the whole gradebook each night) or "mode: delta" (changes only).',
                code="oneroster_csv.mode",
            )
        now = self.context.now()
        path = destination(self._path, now)
        refuse_destination(path)
        to = Delivering(
            path,
            self._target_version,
            mode == "delta",
            str(self.settings.get("system_name") or ""),
            str(self.settings.get("system_code") or ""),
            now,
        )
        self._written = path
        yield from write_bundle(changes, to, self._work)

    def read_back(self, entity: str, ids: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        path = self._written or newest_written(self._path)
        if path is None:
            return {}
        delivery = open_delivery(path, work=self._work, version=self._target_version, fallback_encoding=None)
        wanted = {entity, *nested_tables(entity)}
        pages = (
            page
            for stream in streams_of(delivery)
            if wanted & set(stream.tables)
            for page in pages_of(delivery, stream.name, None)
        )
        return read_records(pages, entity, ids)


CONNECTOR = OneRosterCsv
