"""What was planted is what the gateway's own reading and checks set aside: no more, no less."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from connectors.oneroster_csv import OneRosterCsv
from gateway.core.check import check_references, check_scores, find_duplicates, fingerprints, leave_out, read_rows
from gateway.core.model import TABLES
from gateway.sdk import Context
from tests.sample.conftest import Sample

EXPECTED = {
    "above_maximum": "record.score-above-maximum",
    "text_score": "record.not-a-number",
    "unknown_status": "record.unknown-word",
    "unknown_line_item": "record.refers-to-nowhere",
    "duplicate_changed": "record.duplicate",
    "day_month_date": "record.not-a-date",
    "class_without_term": "record.required",
}


def pulled(sample: Sample, work: Path) -> dict[str, pl.DataFrame]:
    context = Context("lakeside", "sis", sample.folder, work, lambda: datetime(2026, 6, 6, tzinfo=UTC))
    source = OneRosterCsv(OneRosterCsv.Settings().load({"path": "oneroster"}), context)
    frames = defaultdict(list)
    for stream in source.streams(None):
        for page in source.pull(stream, since=None, resume=None):
            assert page.warnings == ()
            for table, frame in page.frames.items():
                frames[table].append(frame)
    return {table: pl.concat(frames[table]) for table in TABLES if table in frames}


def check(raw: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, int]:
    """The quarantine, and how often the very same record came again."""
    quarantine, rows, repeated = [], {}, 0
    known: dict[str, pl.Series] = {}
    aside: dict[str, pl.Series] = {}
    for name, frame in raw.items():
        table = TABLES[name]
        read = read_rows(frame, table)
        single = leave_out(read.rows, table, 0, find_duplicates(fingerprints(read.rows, table, 0)))
        repeated += sum(count for (_, _, code), count in single.notes.items() if code == "record.repeated")
        found = [read, single, check_references(single.rows, table, known, aside)]
        if name == "results":
            found.append(check_scores(found[-1].rows, table, rows["line_items"]))
        rows[name] = found[-1].rows
        quarantine += (each.quarantine for each in found)
        if "id" in table.names:
            known[name] = rows[name]["id"]
            aside[name] = pl.concat([each.quarantine for each in found])["id"].drop_nulls()
    return pl.concat(quarantine), repeated


def test_each_planted_record_is_set_aside_and_nothing_else(district: Sample, tmp_path: Path) -> None:
    quarantine, repeated = check(pulled(district, tmp_path))
    expected = {(record.id, EXPECTED[record.kind]) for record in district.summary.bad if record.kind in EXPECTED}
    waiting = quarantine.filter(pl.col("code") == "record.waiting")
    found = quarantine.filter(pl.col("code") != "record.waiting").select("id", "code")
    assert set(found.iter_rows()) == expected
    assert Counter(waiting["table"]) == {"enrollments": 3}
    assert repeated == district.summary.planted["duplicate_same"] == 3
    assert quarantine.height / sum(district.summary.rows.values()) < 0.001
