"""What is made of records that a product wrote: accepted, waiting for what they refer to, or quarantined with a reason.

The rules are those of a pull (:mod:`gateway.core.check`), without its tolerance for values that may be dropped: here
nothing is dropped. Scores above their line item's maximum are quarantined whatever a connection allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import polars as pl

from gateway.api.inbox.frames import as_texts, part_frame, raw_frame
from gateway.api.inbox.objects import Raw, json_name, read_object
from gateway.api.oneroster.lists import Listing
from gateway.api.oneroster.tables import LINKED
from gateway.core.check import REASONS, check_scores, find_duplicates, fingerprints, read_rows
from gateway.core.model import LINE, SOURCE, TABLES, Kind, Table
from gateway.core.values import clean
from gateway.store.inbox import InboxState, Verdict

Faults = dict[int, Verdict]
LONGEST_ID = 255
UNREADABLE = "inbox.unreadable"
_REASONS = {**REASONS, UNREADABLE: "An object or a list stands where a value is due."}
_DROPPED = {Kind.BOOLEAN: "record.not-a-boolean", Kind.TIME: "record.not-a-time"}
"""What a pull may drop with a note."""


class Around(Protocol):
    """What records can refer to."""

    def known(self, table: str, ids: Sequence[str]) -> set[str]:
        """Which of these records are there."""

    def limits(self, line_items: Sequence[str]) -> pl.DataFrame:
        """The range of results, as :func:`gateway.core.check.check_scores` takes it."""


def judge(
    listing: Listing, given: Sequence[tuple[str, Mapping[str, Any]]], around: Around, *, now: datetime
) -> list[Verdict]:
    """A verdict for each record: its id, and the object that came. ``now``: when it was changed, if it does not say."""
    raws = [read_object(listing, each, record_id) for record_id, each in given]
    faults: Faults = {}
    for number, raw in enumerate(raws):
        if raw.unreadable:
            faults[number] = _quarantined(listing, raw.unreadable, UNREADABLE)
    rows = _typed(listing, raw_frame(listing.table, [raw.columns for raw in raws], range(len(raws))), faults)
    parts = {part: _parts(listing, part, raws, faults) for part in listing.parts}
    rows = _settled(rows, now)
    for table, frame in ((listing.table, rows), *parts.items()):
        _find_strangers(listing, TABLES[table], frame, around, faults)
    if listing.table == "results":
        _find_scores(listing, rows, around, faults)
    return [*_verdicts(rows, parts, faults, len(raws))]


def _quarantined(listing: Listing, field: str, code: str) -> Verdict:
    return Verdict(InboxState.QUARANTINED, code=code, field=json_name(listing, field), reason=_REASONS[code])


def _typed(listing: Listing, raw: pl.DataFrame, faults: Faults, part: str | None = None) -> pl.DataFrame:
    """The typed rows; what cannot be read is noted in ``faults``."""
    table = TABLES[part or listing.table]
    checked = read_rows(raw, table)
    for line, field, code in checked.quarantine.select(LINE, "field", "code").iter_rows():
        faults.setdefault(line, _quarantined(listing, part or field, code))
    rest = raw.filter(pl.col(LINE).is_in(checked.rows[LINE].implode())) if checked.quarantine.height else raw
    if rest.height == checked.rows.height:
        _find_dropped(listing, table, rest, checked.rows, faults)
    return checked.rows


def _find_dropped(listing: Listing, table: Table, raw: pl.DataFrame, rows: pl.DataFrame, faults: Faults) -> None:
    """Values that were not read though a pull would go on without them; a time of change that is none is our own."""
    for column in table.columns:
        code = _DROPPED.get(column.kind)
        if code is None or column.name == "date_last_modified":
            continue
        lost = clean(raw[column.name]).is_not_null() & rows[column.name].is_null()
        for line in rows.filter(lost)[LINE]:
            faults.setdefault(line, _quarantined(listing, column.name, code))


def _parts(listing: Listing, part: str, raws: Sequence[Raw], faults: Faults) -> pl.DataFrame:
    ids = [str(raw.columns["id"]) for raw in raws]
    raw = part_frame(part, [each.parts.get(part, ()) for each in raws], ids)
    rows = _typed(listing, raw, faults, part)
    found = find_duplicates(fingerprints(rows, TABLES[part], 0))
    if found is None:
        return rows
    numbered = rows.with_row_index("_row")
    for line in numbered.filter(pl.col("_row").is_in(found.contradictory["_row"].implode()))[LINE]:
        faults.setdefault(line, _quarantined(listing, part, "record.duplicate"))
    return numbered.filter(~pl.col("_row").is_in(found.repeated["_row"].implode())).drop("_row")


def _settled(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """What the standard requires and products leave out."""
    modified = pl.col("date_last_modified")
    return rows.with_columns(
        pl.col("status").fill_null("active"), modified.fill_null(pl.lit(now).cast(rows.schema["date_last_modified"]))
    )


def _find_strangers(listing: Listing, table: Table, rows: pl.DataFrame, around: Around, faults: Faults) -> None:
    """References to records that are not there, also such as a pull would drop."""
    for column in table.columns:
        parent = column.references
        if parent is None or parent == listing.table:
            continue
        wanted = rows[column.name].drop_nulls().unique()
        known = around.known(parent, wanted.to_list()) if wanted.len() else set()
        lost = [each for each in wanted if each not in known]
        for line, id in rows.filter(pl.col(column.name).is_in(lost)).select(LINE, column.name).iter_rows():
            field = json_name(listing, column.name if table.name == listing.table else table.name)
            faults.setdefault(line, _waiting(parent, id, field))


def _waiting(table: str, id: str, field: str) -> Verdict:
    if len(id) > LONGEST_ID:
        code = "record.damaged-id"
        return Verdict(InboxState.QUARANTINED, code=code, field=field, reason=_REASONS[code])
    return Verdict(
        InboxState.WAITING, code="record.refers-to-nowhere", field=field,
        reason="It refers to a record that nobody has delivered yet.", waits_for=f"{table}/{id}",
    )  # fmt: skip


def _find_scores(listing: Listing, rows: pl.DataFrame, around: Around, faults: Faults) -> None:
    scored = rows.filter(pl.col("score").is_not_null())
    if scored.is_empty():
        return
    limits = around.limits(scored["line_item_id"].unique().to_list())
    outside = check_scores(scored, TABLES["results"], limits).quarantine
    for line, code in outside.select(LINE, "code").iter_rows():
        if line not in faults or faults[line].state is InboxState.WAITING:
            faults[line] = _quarantined(listing, "score", code)


def _verdicts(rows: pl.DataFrame, parts: Mapping[str, pl.DataFrame], faults: Faults, count: int) -> Iterator[Verdict]:
    columns = {row.pop(LINE): as_texts(row) for row in rows.drop(SOURCE).iter_rows(named=True)}
    for part, frame in parts.items():
        for row in frame.drop(SOURCE, LINKED[part]).iter_rows(named=True):
            columns.get(row.pop(LINE), {}).setdefault(part, []).append(as_texts(row))
    for number in range(count):
        fault = faults.get(number)
        if fault is not None and fault.state is InboxState.QUARANTINED:
            yield fault
            continue
        record = columns[number]
        if fault is None:
            yield Verdict(InboxState.ACCEPTED, record)
        else:
            yield Verdict(fault.state, record, fault.code, fault.field, fault.reason, fault.waits_for)
