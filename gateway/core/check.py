"""Raw rows become typed rows, or go to quarantine with a plain reason; nothing is dropped without being counted.

The rules, in the order in which they run:

1. *types*: a value that cannot be read sends the record to quarantine where the column is required, a key, a hard
   reference or strict; otherwise the value is dropped, the record kept and a note counted.
2. *keys*: of several records with one key, equal ones count once; the strictly newest by ``date_last_modified`` wins;
   otherwise none can be trusted and all are set aside.
3. *references*: a record whose hard reference is in quarantine waits for it; one that refers to nowhere is set aside;
   a soft reference to nowhere is dropped with a note.
4. *scores*: outside the line item's range the record is set aside, unless the connection allows extra credit.

Sources: OneRoster 1.2 required fields; the reference's promise 6 (an error quarantines, a warning keeps the record).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from gateway.core.model import LINE, SOURCE, Column, Kind, Table
from gateway.core.values import DateOrder, Reading, clean, mask, read_values

QUARANTINE_SCHEMA: Mapping[str, pl.DataType] = {
    "table": pl.String(),
    "id": pl.String(),
    "code": pl.String(),
    "field": pl.String(),
    "reason": pl.String(),
    "value": pl.String(),
    "waits_for": pl.String(),
    SOURCE: pl.String(),
    LINE: pl.UInt32(),
}
"""One row per record and fault. ``value`` is masked; ``waits_for`` is ``table/id`` of a record that must be mended."""

Notes = Counter[tuple[str, str, str]]
"""How often (table, column, code) was tolerated."""

REASONS: Mapping[str, str] = {
    "record.required": "A value is required here and there is none.",
    "record.not-a-number": "This is not a plain number (digits, at most one decimal point).",
    "record.not-a-date": "This is not a date that can be read without guessing (2026-09-01).",
    "record.not-a-time": "This is not a time that can be read without guessing (2026-09-01T08:00:00Z).",
    "record.not-a-boolean": "This is neither true nor false.",
    "record.unknown-word": "This word is not one that the standard allows here.",
    "record.damaged-id": "This id is damaged (control characters, more than 255 bytes, or a spreadsheet's 1E+05).",
    "record.duplicate": "Several records carry this id with different content, and none is the newest.",
    "record.waiting": "It refers to a record that is itself in quarantine; it is released with that one.",
    "record.refers-to-nowhere": "It refers to a record that the source did not deliver.",
    "record.score-above-maximum": "The score is above its line item's maximum.",
    "record.score-below-minimum": "The score is below its line item's minimum.",
}
"""Every quarantine reason by its stable code; documented in ``docs/quarantine.md``."""

_UNREADABLE = {
    Kind.DECIMAL: "record.not-a-number",
    Kind.INTEGER: "record.not-a-number",
    Kind.DATE: "record.not-a-date",
    Kind.TIME: "record.not-a-time",
    Kind.BOOLEAN: "record.not-a-boolean",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """Good rows (typed, with their provenance), quarantine rows, and notes."""

    rows: pl.DataFrame
    quarantine: pl.DataFrame
    notes: Notes = field(default_factory=Counter)


def empty_quarantine() -> pl.DataFrame:
    return pl.DataFrame(schema=dict(QUARANTINE_SCHEMA))


def read_rows(raw: pl.DataFrame, table: Table, dates: DateOrder | None = None) -> Checked:
    """Rule 1 for one page of ``table``."""
    typed: list[pl.Series] = []
    faults: list[pl.DataFrame] = []
    notes: Notes = Counter()
    bad_rows = pl.repeat(False, raw.height, eager=True)
    for column in table.columns:
        series = raw[column.name]
        reading = read_values(series, column, dates)
        typed.append(reading.values.alias(column.name))
        notes.update({(table.name, column.name, code): count for code, count in reading.notes.items()})
        for code, where in _faults(column, table, series, reading, notes):
            faults.append(_quarantine(raw.filter(where), table, code, column.name))
            bad_rows = bad_rows | where
    rows = pl.DataFrame(typed).with_columns(raw[SOURCE], raw[LINE])
    return Checked(
        rows.filter(~bad_rows) if faults else rows,
        pl.concat(faults) if faults else empty_quarantine(),
        notes,
    )


def _faults(
    column: Column, table: Table, raw: pl.Series, reading: Reading, notes: Notes
) -> list[tuple[str, pl.Series]]:
    """The codes and rows of ``column``'s faults; unreadable values that may be dropped become notes."""
    found: list[tuple[str, pl.Series]] = []
    grave = column.required or column.strict or column.name in table.key or (column.references and column.hard)
    if reading.bad is not None:
        code = _UNREADABLE.get(column.kind)
        if code is None:
            code = "record.unknown-word" if column.vocabulary else "record.damaged-id"
        if grave:
            found.append((code, reading.bad))
        else:
            notes[(table.name, column.name, code)] += int(reading.bad.sum())
    if column.required:
        silent = raw.list.len().fill_null(0) == 0 if column.kind is Kind.TEXT_LIST else clean(raw).is_null()
        if column.kind is Kind.TEXT_LIST:
            silent = silent | reading.values.is_null()
        if silent.any():
            found.append(("record.required", silent))
    return found


def _quarantine(
    rows: pl.DataFrame, table: Table, code: str, column: str, waits_for: pl.Expr | None = None
) -> pl.DataFrame:
    """Quarantine rows for raw or typed ``rows``; links without an id of their own are named by their key."""
    if "id" in rows.columns:
        name = pl.col("id").cast(pl.String)
    else:
        name = pl.concat_str([pl.col(k).cast(pl.String).fill_null("?") for k in table.key], separator="+")
    value = pl.col(column).list.join(",") if rows.schema[column] == pl.List(pl.String) else pl.col(column)
    return rows.select(
        pl.lit(table.name).alias("table"),
        name.alias("id"),
        pl.lit(code).alias("code"),
        pl.lit(column).alias("field"),
        pl.lit(REASONS[code]).alias("reason"),
        value.cast(pl.String).map_elements(mask, return_dtype=pl.String).alias("value"),
        (pl.lit(None, pl.String) if waits_for is None else waits_for).alias("waits_for"),
        pl.col(SOURCE),
        pl.col(LINE),
    )


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Which rows of all pages to leave out: positions (``_page``, ``_row``)."""

    repeated: pl.DataFrame
    superseded: pl.DataFrame
    contradictory: pl.DataFrame

    def concerns(self, page: int) -> bool:
        """Whether any row of this page is left out."""
        return any((rows["_page"] == page).any() for rows in (self.repeated, self.superseded, self.contradictory))


_POSITION = ("_page", "_row")


def fingerprints(rows: pl.DataFrame, table: Table, page: int) -> pl.DataFrame:
    """What rule 2 needs to know of one page: two hashes of the key, one of the content, the modification time.

    The hashes live only within one process; two of 64 bits make an accidental match out of the question.
    """
    content = [n for n in table.names if n not in ("date_last_modified", *table.key)]
    modified = (
        pl.col("date_last_modified").cast(pl.Int64) if "date_last_modified" in table.names else pl.lit(None, pl.Int64)
    )
    key = rows.select(table.key)
    return rows.select(
        key.hash_rows(1).alias("_key"),
        key.hash_rows(2).alias("_key2"),
        (rows.select(content).hash_rows(3) if content else key.hash_rows(3)).alias("_content"),
        modified.alias("_modified"),
        pl.lit(page, pl.UInt32).alias("_page"),
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("_row"),
    )


def find_duplicates(prints: pl.DataFrame) -> Duplicates | None:
    """Rule 2 over the fingerprints of all pages; ``None`` when every key occurs once."""
    if prints["_key"].n_unique() == prints.height:
        return None
    keys = ["_key", "_key2"]
    several = prints.filter(pl.len().over(keys) > 1).sort(*keys, *_POSITION)
    if several.is_empty():
        return None
    newest = pl.col("_modified").max().over(keys)
    judged = several.with_columns(
        (pl.col("_content").n_unique().over(keys) == 1).alias("_same"),
        ((pl.col("_modified") == newest).sum().over(keys) == 1).alias("_decided"),
        (pl.col("_modified") == newest).fill_null(False).alias("_newest"),
        (pl.int_range(pl.len()).over(keys) == 0).alias("_first"),
    )
    same, decided = pl.col("_same"), pl.col("_decided")
    return Duplicates(
        repeated=judged.filter(same & ~pl.col("_first")).select(_POSITION),
        superseded=judged.filter(~same & decided & ~pl.col("_newest")).select(_POSITION),
        contradictory=judged.filter(~same & ~decided).select(_POSITION),
    )


def leave_out(rows: pl.DataFrame, table: Table, page: int, found: Duplicates | None) -> Checked:
    """One page without the duplicates that :func:`find_duplicates` found."""
    if found is None:
        return Checked(rows, empty_quarantine())

    def positions(frame: pl.DataFrame) -> pl.Series:
        return frame.filter(pl.col("_page") == page)["_row"]

    repeated, superseded, contradictory = map(positions, (found.repeated, found.superseded, found.contradictory))
    numbered = rows.with_row_index("_row")
    quarantine = _quarantine(
        numbered.filter(pl.col("_row").is_in(contradictory.implode())), table, "record.duplicate", table.key[0]
    )
    out = pl.concat([repeated, superseded, contradictory])
    notes: Notes = Counter()
    for code, count in (("record.repeated", len(repeated)), ("record.superseded", len(superseded))):
        if count:
            notes[(table.name, table.key[0], code)] = count
    return Checked(numbered.filter(~pl.col("_row").is_in(out.implode())).drop("_row"), quarantine, notes)


def check_references(
    rows: pl.DataFrame, table: Table, known: Mapping[str, pl.Series], quarantined: Mapping[str, pl.Series]
) -> Checked:
    """Rule 3 for one page: ``known`` ids by table (a table that is not in it was never delivered: not checked), and
    the ids in ``quarantined``."""
    faults: list[pl.DataFrame] = []
    notes: Notes = Counter()
    bad_rows = pl.repeat(False, rows.height, eager=True)
    for column in table.columns:
        parent = column.references
        if parent is None or parent not in known or rows.is_empty():
            continue
        ids = known[parent]
        if column.kind is Kind.TEXT_LIST:
            rows, lost = _known_items(rows, column, ids)
        else:
            lost = rows[column.name].is_not_null() & ~rows[column.name].is_in(ids.implode())
        if not lost.any():
            continue
        if not (column.hard or column.required):
            rows = rows.with_columns(pl.when(~lost).then(pl.col(column.name)).alias(column.name))
            notes[(table.name, column.name, "record.refers-to-nowhere")] += int(lost.sum())
            continue
        faults.append(_orphans(rows.filter(lost), table, column, quarantined.get(parent)))
        bad_rows = bad_rows | lost
    if not faults:
        return Checked(rows, empty_quarantine(), notes)
    return Checked(rows.filter(~bad_rows), pl.concat(faults), notes)


def _known_items(rows: pl.DataFrame, column: Column, ids: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
    """A list reference keeps the items that exist; the record is lost when none does."""
    name = column.name
    kept = rows.select(pl.col(name).list.eval(pl.element().filter(pl.element().is_in(ids.implode()))))[name]
    lost = rows[name].is_not_null() & (kept.list.len() == 0)
    return rows.with_columns(pl.when(~lost).then(kept).otherwise(pl.col(name)).alias(name)), lost.fill_null(False)


def _orphans(lost: pl.DataFrame, table: Table, column: Column, quarantined: pl.Series | None) -> pl.DataFrame:
    if quarantined is None or column.kind is Kind.TEXT_LIST:
        waiting = pl.repeat(False, lost.height, eager=True)
    else:
        waiting = lost[column.name].is_in(quarantined.implode())
    parent = pl.concat_str(pl.lit(f"{column.references}/"), pl.col(column.name)) if column.kind is Kind.TEXT else None
    return pl.concat(
        [
            _quarantine(lost.filter(waiting), table, "record.waiting", column.name, parent),
            _quarantine(lost.filter(~waiting), table, "record.refers-to-nowhere", column.name, parent),
        ]
    )


def check_scores(rows: pl.DataFrame, table: Table, line_items: pl.DataFrame) -> Checked:
    """Rule 4 for one page of results. ``line_items``: ``id``, ``result_value_min``, ``result_value_max``."""
    limits = line_items.select(
        pl.col("id").alias("line_item_id"),
        pl.col("result_value_min").alias("_min"),
        pl.col("result_value_max").alias("_max"),
    )
    judged = rows.join(limits, on="line_item_id", how="left", maintain_order="left")
    above = (judged["score"] > judged["_max"]).fill_null(False)
    below = (judged["score"] < judged["_min"]).fill_null(False)
    if not (above.any() or below.any()):
        return Checked(rows, empty_quarantine())
    quarantine = pl.concat(
        [
            _quarantine(rows.filter(above), table, "record.score-above-maximum", "score"),
            _quarantine(rows.filter(below), table, "record.score-below-minimum", "score"),
        ]
    )
    return Checked(rows.filter(~(above | below)), quarantine)
