"""From the text of a file to the raw frames of the canonical tables: only what is peculiar to the CSV binding.

Cells are trimmed and empty ones are null; lists are split; ``urn:uuid:`` and the braces of user ids go; a score scale's
steps become rows, and so do the roles of 1.1 users. Values are judged later, by the gateway's check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from gateway.sdk import LINE, REJECTS, REJECTS_SCHEMA, SOURCE, TABLES, CsvBatch, PullMode, oneroster

Form = oneroster.Form
BAD_SCALE = "record.not-a-score-scale"


@dataclass(frozen=True, slots=True)
class FileReading:
    """How one file is turned into frames. ``places``: the index of each column in the file, by header."""

    file: oneroster.CsvFile
    name: str
    columns: tuple[str, ...]
    places: Mapping[str, int]
    with_roles: bool

    def frames(self, batch: CsvBatch) -> dict[str, pl.DataFrame]:
        """The frames of one page, the rejects among them if there are any."""
        table = str(self.file.table)
        rows = batch.frame.select(self._expressions())
        rejects = [self._rejects(batch)]
        frames: dict[str, pl.DataFrame] = {}
        if self.file.name == "scoreScales":
            rows, frames["score_scale_values"], unreadable = _scale_values(rows)
            rejects.append(unreadable)
        if self.with_roles:
            frames["roles"] = oneroster.roles_of_users(rows)
        rejected = pl.concat(rejects)
        if rejected.height:
            frames[REJECTS] = rejected
        return {table: rows.select(list(TABLES[table].raw_schema)), **frames}

    def _expressions(self) -> list[pl.Expr]:
        schema = TABLES[str(self.file.table)].raw_schema
        found: dict[str, list[pl.Expr]] = {}
        for column in self.file.columns:
            name = self._frame_column(column)
            if name is not None and column.header in self.places:
                found.setdefault(name, []).append(_read_cell(self.places[column.header], column.form))
        wanted = {**schema, **({"role": pl.String(), "org_id": pl.List(pl.String())} if self.with_roles else {})}
        if self.file.name == "scoreScales":
            wanted["steps"] = pl.String()
        provenance = {SOURCE: pl.lit(self.name), LINE: pl.col(LINE)}
        silent = {name: pl.lit(None, dtype) for name, dtype in wanted.items() if name not in found}
        read = {name: pl.coalesce(cells) if len(cells) > 1 else cells[0] for name, cells in found.items()}
        return [{**silent, **read, **provenance}[name].alias(name) for name in wanted]

    def _frame_column(self, column: oneroster.CsvColumn) -> str | None:
        if column.table == "roles":
            return column.column if self.with_roles else None
        return "steps" if column.form is Form.SCALE else column.column

    def _rejects(self, batch: CsvBatch) -> pl.DataFrame:
        """The faulty records; their ids where they could still be read."""
        id_place = self.places.get("sourcedId") if "id" in TABLES[str(self.file.table)].names else None
        rows = [
            {
                "table": self.file.table,
                "id": fault.cells[id_place].strip() or None
                if id_place is not None and id_place < len(fault.cells)
                else None,
                "code": fault.code,
                "field": None if fault.cell is None else self.columns[fault.cell] or None,
                "reason": fault.reason,
                SOURCE: self.name,
                LINE: fault.line,
            }
            for fault in batch.faults
        ]
        return pl.DataFrame(rows, schema=dict(REJECTS_SCHEMA))


def _read_cell(place: int, form: oneroster.Form) -> pl.Expr:
    trimmed = pl.col(str(place)).str.strip_chars()
    cell = pl.when(trimmed != "").then(trimmed)
    match form:
        case Form.LIST:
            return oneroster.split_list(cell)
        case Form.USER_IDS:
            return oneroster.split_user_ids(cell)
        case Form.OBJECTIVE:
            return oneroster.strip_urn(cell)
        case _:
            return cell


def _scale_values(scales: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The scales that can be read, their steps (``position`` from 1), and rejects for the others."""
    steps: list[dict[str, object]] = []
    rejects: list[dict[str, object]] = []
    bad_lines: list[int] = []
    for row in scales.select("id", "steps", SOURCE, LINE).iter_rows(named=True):
        place = {SOURCE: row[SOURCE], LINE: row[LINE]}
        try:
            values = oneroster.parse_score_scale(row["steps"] or "")
        except ValueError as error:
            bad_lines.append(row[LINE])
            rejects.append(
                {
                    "table": "score_scales",
                    "id": row["id"],
                    "code": BAD_SCALE,
                    "field": "scoreScaleValue",
                    "reason": f"The scale cannot be read: {error}.",
                    **place,
                }
            )
            continue
        steps += (
            {"score_scale_id": row["id"], "position": str(position), "lhs": value.lhs, "rhs": value.rhs, **place}
            for position, value in enumerate(values, start=1)
        )
    return (
        scales.filter(~pl.col(LINE).is_in(bad_lines)),
        pl.DataFrame(steps, schema=TABLES["score_scale_values"].raw_schema),
        pl.DataFrame(rejects, schema=dict(REJECTS_SCHEMA)),
    )


NOTES: Mapping[str, str] = {
    "empty-row": "has empty rows, which are passed over",
    "extra-empty-cells": "has rows with more cells than the header; the additional ones are empty and passed over",
    "stray-quote": "has quotation marks inside cells that are not quoted; they are read as they stand",
    "filled-in-bulk": "fills status or dateLastModified, which a bulk file leaves empty; they are read",
    "unfilled-in-delta": "has records without status or dateLastModified, which a delta file requires",
    "other-encoding": "has rows that are not UTF-8; they are read with the fallback encoding of the settings",
}
"""What each tolerated oddity of a file's form means, in words."""


def habits(rows: pl.DataFrame, mode: PullMode) -> dict[str, int]:
    """Where ``status`` and ``dateLastModified`` are not as the file's mode wants them: the first such line."""
    filled = pl.any_horizontal if mode is PullMode.FULL else pl.all_horizontal
    present = filled(pl.col("status").is_not_null(), pl.col("date_last_modified").is_not_null())
    note, odd = ("filled-in-bulk", present) if mode is PullMode.FULL else ("unfilled-in-delta", ~present)
    lines = rows.filter(odd)[LINE]
    return {note: lines[0]} if len(lines) else {}


def note_sentences(name: str, notes: Mapping[str, int], already: set[str]) -> list[str]:
    """A sentence for each oddity that occurs for the first time; ``already`` is brought up to date."""
    fresh = {note: line for note, line in notes.items() if note not in already}
    already.update(fresh)
    return [f"{name} {NOTES[note]} (first on line {line})." for note, line in fresh.items()]
