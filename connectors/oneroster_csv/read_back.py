"""Reads records of a written bundle back, as canonical values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from connectors.oneroster_csv.cells import nested_tables
from gateway.sdk import LINE, SOURCE, TABLES, Page, read_values


def read_records(pages: Iterable[Page], entity: str, ids: Sequence[str]) -> dict[str, dict[str, object]]:
    """The active records of ``entity`` with those ``ids`` in ``pages``, with the rows that are part of them."""
    wanted = {entity: "id", **{table: _parent_column(table) for table in nested_tables(entity)}}
    found: dict[str, list[pl.DataFrame]] = {}
    for page in pages:
        for table, frame in page.frames.items():
            if table in wanted:
                found.setdefault(table, []).append(frame.filter(pl.col(wanted[table]).is_in(list(ids))))
    rows = {table: _typed(table, frames) for table, frames in found.items()}
    records: dict[str, dict[str, object]] = {
        str(row["id"]): row for row in rows.get(entity, []) if row["status"] != "tobedeleted"
    }
    for table in nested_tables(entity):
        for record in records.values():
            record[table] = []
        for row in rows.get(table, []):
            parent = records.get(str(row.pop(wanted[table])))
            items = parent.get(table) if parent is not None and row.get("status") != "tobedeleted" else None
            if isinstance(items, list):
                items.append(
                    {name: value for name, value in row.items() if name not in ("status", "date_last_modified")}
                )
    return records


def _parent_column(table: str) -> str:
    part_of = TABLES[table].part_of
    return part_of[1] if part_of else "id"


def _typed(table: str, frames: Sequence[pl.DataFrame]) -> list[dict[str, object]]:
    raw = pl.concat(frames).drop(SOURCE, LINE)
    typed = pl.DataFrame(
        {column.name: read_values(raw[column.name], column).values for column in TABLES[table].columns}
    )
    return typed.to_dicts()
