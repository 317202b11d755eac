"""Records of the inbox as tables: texts in, the tables that the provider's lists are cut from out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.api.oneroster.lists import Listing
from gateway.api.oneroster.tables import LINKED, as_lists
from gateway.core.check import read_rows
from gateway.core.model import LINE, SOURCE, TABLES
from gateway.core.oneroster import strip_urn

OF_INBOX = "inbox"


def raw_frame(table: str, rows: Sequence[Mapping[str, Any]], lines: Sequence[int]) -> pl.DataFrame:
    """Rows of texts as a raw frame; ``lines`` says to which object each belongs."""
    schema = TABLES[table].raw_schema
    filled = [
        {name: row.get(name) for name in schema} | {SOURCE: OF_INBOX, LINE: line}
        for row, line in zip(rows, lines, strict=True)
    ]
    frame = pl.DataFrame(filled, schema=schema)
    if "learning_objective_id" not in schema:
        return frame
    return frame.with_columns(strip_urn(pl.col("learning_objective_id").str.strip_chars()))


def part_frame(part: str, rows: Sequence[Sequence[Mapping[str, Any]]], ids: Sequence[str]) -> pl.DataFrame:
    """The rows of a part of several records: ``rows`` and the record's id, by record."""
    flat = [(number, {**row, LINKED[part]: ids[number]}) for number, group in enumerate(rows) for row in group]
    return raw_frame(part, [row for _, row in flat], [number for number, _ in flat])


def table_of(listing: Listing, records: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Records (see :class:`gateway.store.inbox.Verdict`) as a typed table with their parts as lists, by id."""
    frame = read_rows(raw_frame(listing.table, records, range(len(records))), TABLES[listing.table]).rows
    frame = frame.drop(SOURCE, LINE)
    ids = [str(record["id"]) for record in records]
    for part in listing.parts:
        raw = part_frame(part, [record.get(part) or () for record in records], ids)
        rows = read_rows(raw, TABLES[part]).rows.drop(SOURCE, LINE)
        frame = frame.join(as_lists(part, rows), left_on="id", right_on=LINKED[part], how="left")
    return frame.sort("id")


def as_texts(row: Mapping[str, Any]) -> dict[str, Any]:
    """A typed row as texts, its parts too; what is empty is left out."""
    return {name: _text(value) for name, value in row.items() if value is not None}


def _text(value: Any) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value.normalize(), "f") if value else "0"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case date():
            return value.isoformat()
        case list():
            return [as_texts(each) for each in value]
    return str(value)
