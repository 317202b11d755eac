"""OneRoster CSV bundles, 1.1 and 1.2, folder or zip, bulk and delta: read from and written to.

Source: OneRoster 1.1.1 CSV tables; CSV Binding 1.2.1. See ``docs/connectors/oneroster-csv.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
from marshmallow import Schema

from connectors.oneroster_csv.delivery import DeliveredFile, Delivery, open_delivery
from connectors.oneroster_csv.reading import FileReading, habits, note_sentences
from connectors.oneroster_csv.settings import Settings
from gateway.sdk import (
    CheckItem,
    Connector,
    Context,
    DataError,
    GatewayError,
    IncompletePullError,
    Page,
    Place,
    Position,
    Source,
    Stream,
    empty,
    read_batches,
)


class OneRosterCsv(Connector, Source):
    """A OneRoster CSV bundle, as source or as target."""

    name: ClassVar[str] = "oneroster_csv"
    title: ClassVar[str] = "OneRoster CSV bundle (1.1, 1.2)"
    Settings: ClassVar[type[Schema]] = Settings

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        super().__init__(settings, context)
        self._delivery: Delivery | None = None

    @property
    def _path(self) -> Path:
        return self.context.folder / str(self.settings["path"])

    def _open(self) -> Delivery:
        """The bundle, chosen and opened once, so that all streams of a run come from the same one."""
        if self._delivery is None:
            self._delivery = open_delivery(
                self._path,
                work=self.context.work / "bundle",
                version=self.settings.get("version"),
                fallback_encoding=self.settings.get("fallback_encoding"),
            )
        return self._delivery

    def check(self) -> Sequence[CheckItem]:
        try:
            delivery = self._open()
        except GatewayError as error:
            return [CheckItem("bundle", ok=False, message=str(error.message), hint=error.hint)]
        items = [CheckItem("bundle", ok=True, message=f"OneRoster {delivery.version}, {delivery.bundle.path.name}")]
        items += (CheckItem("bundle", ok=True, message=warning) for warning in delivery.warnings)
        items += (_check_file(delivery, file) for file in delivery.files.values())
        return items

    def streams(self, since: datetime | None) -> Sequence[Stream]:
        delivery = self._open()
        return [Stream(name, _tables(delivery, file), mode=file.mode) for name, file in delivery.files.items()]

    def pull(self, stream: Stream, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        delivery = self._open()
        file = delivery.files.get(stream.name)
        if file is None:
            raise DataError(
                f"The bundle does not hold {stream.name}.csv any more.",
                hint="Start the pull again.",
                code="bundle.missing-file",
            )
        warnings = list(delivery.warnings) if resume is None and stream.name == next(iter(delivery.files)) else []
        yield from _pages(delivery, file, warnings, resume)


def _tables(delivery: Delivery, file: DeliveredFile) -> tuple[str, ...]:
    tables = [str(file.declared.table)]
    if file.declared.name == "scoreScales":
        tables.append("score_scale_values")
    if file.declared.name == "users" and delivery.users_carry_roles():
        tables.append("roles")
    return tuple(tables)


def _check_file(delivery: Delivery, file: DeliveredFile) -> CheckItem:
    try:
        table = delivery.open(file)
        warnings = delivery.match(file, table).warnings if table.columns else (f"{file.name} is empty.",)
    except GatewayError as error:
        return CheckItem(file.name, ok=False, message=error.message, hint=error.hint)
    return CheckItem(file.name, ok=True, message=" ".join(warnings))


def _pages(delivery: Delivery, file: DeliveredFile, warnings: list[str], resume: str | None) -> Iterator[Page]:
    """One page per batch, each held back until it is known whether another follows."""
    stamp = delivery.bundle.stamp(file.name)
    position = _position(resume, stamp, file.name)
    table = delivery.open(file)
    tables = _tables(delivery, file)
    if not table.columns:
        warnings.append(f"{file.name} is empty: it has not even a header.")
        yield Page({name: empty(name, raw=True) for name in tables}, None, tuple(warnings))
        return
    matched = delivery.match(file, table)
    reading = FileReading(file.declared, file.name, table.columns, matched.places, with_roles="roles" in tables)
    warnings += matched.warnings if resume is None else ()
    noted: set[str] = set()
    held: tuple[dict[str, pl.DataFrame], str] | None = None
    for batch in read_batches(table, position):
        if held is not None:
            yield Page(held[0], held[1], tuple(warnings))
            warnings = []
        warnings += note_sentences(file.name, batch.notes, noted)
        _refuse_changed(delivery, file.name, stamp)
        read = reading.frames(batch)
        warnings += note_sentences(file.name, habits(read[tables[0]], file.mode), noted)
        held = read, f"{batch.next.offset}:{batch.next.line}:{stamp}"
    if held is None and resume is None:
        warnings.append(f"{file.name} holds a header and no records.")
    frames = held[0] if held else {name: empty(name, raw=True) for name in tables}
    yield Page(frames, None, tuple(warnings))


def _position(resume: str | None, stamp: str, name: str) -> Position | None:
    if resume is None:
        return None
    offset, line, former = resume.split(":", 2)
    if former != stamp:
        raise _changed(name)
    return Position(int(offset), int(line))


def _refuse_changed(delivery: Delivery, name: str, stamp: str) -> None:
    if delivery.bundle.stamp(name) != stamp:
        raise _changed(name)


def _changed(name: str) -> IncompletePullError:
    return IncompletePullError(
        "The file was replaced or written to while it was being read.",
        hint="The pull starts again from the beginning of the file; deliver bundles under a new name, or rename them "
        "into place when they are complete.",
        code="pull.changed",
        place=Place(name),
    )


CONNECTOR = OneRosterCsv
