"""The streams and pages of a delivered bundle."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from connectors.oneroster_csv.delivery import DeliveredFile, Delivery
from connectors.oneroster_csv.reading import FileReading, habits, note_sentences
from gateway.sdk import (
    CheckItem,
    DataError,
    GatewayError,
    Page,
    Position,
    Stream,
    empty,
    file_changed,
    read_batches,
)


def streams_of(delivery: Delivery) -> list[Stream]:
    """One stream per file, parents first."""
    return [Stream(name, _tables(delivery, file), mode=file.mode) for name, file in delivery.files.items()]


def pages_of(delivery: Delivery, name: str, resume: str | None) -> Iterator[Page]:
    """The pages of one file; the first page of the first file carries what is to be said of the bundle.

    Raises :class:`DataError` for a file that cannot be read, :class:`IncompletePullError` (``paging.file-changed``) for
    one that changes meanwhile or since ``resume`` was given.
    """
    file = delivery.files.get(name)
    if file is None:
        raise DataError(
            f"The bundle does not hold {name}.csv any more.",
            hint="Deliver it again, or start a new run.",
            code="bundle.missing-file",
        )
    first = resume is None and name == next(iter(delivery.files))
    yield from _pages(delivery, file, list(delivery.warnings) if first else [], resume)


def _tables(delivery: Delivery, file: DeliveredFile) -> tuple[str, ...]:
    tables = [str(file.declared.table)]
    if file.declared.name == "scoreScales":
        tables.append("score_scale_values")
    if file.declared.name == "users" and delivery.users_carry_roles():
        tables.append("roles")
    return tuple(tables)


def check_file(delivery: Delivery, file: DeliveredFile) -> CheckItem:
    """Whether the file's header can be read, and what is odd about it."""
    try:
        table = delivery.open(file)
        warnings = delivery.match(file, table).warnings if table.columns else (f"{file.name} is empty.",)
    except GatewayError as error:
        return CheckItem(file.name, ok=False, message=error.message, hint=error.hint)
    return CheckItem(file.name, ok=True, message=" ".join(warnings))


def _pages(delivery: Delivery, file: DeliveredFile, warnings: list[str], resume: str | None) -> Iterator[Page]:
    """One page per batch, each held back until it is known whether another follows."""
    stamp = delivery.bundle.stamp(file.name)
    _refuse_changed(delivery, file.name, stamp)
    position = _position(resume, stamp, file.name)
    table = delivery.open(file)
    tables = _tables(delivery, file)
    if not table.columns:
        warnings.append(f"{file.name} is empty: it has not even a header.")
        yield Page({name: empty(name, raw=True) for name in tables}, None, tuple(warnings))
        return
    matched = delivery.match(file, table)
    reading = FileReading(file.declared, file.name, table.columns, matched.places, with_roles="roles" in tables[1:])
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
        raise file_changed(name)
    return Position(int(offset), int(line))


def _refuse_changed(delivery: Delivery, name: str, stamp: str) -> None:
    if not stamp or delivery.bundle.stamp(name) != stamp:
        raise file_changed(name)
