"""The evidence of a pull, for trying a mapping or explaining a level: the same rows as a run maps."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from gateway.core.mapping import gather_evidence
from gateway.core.mapping.gather import line_item_facts
from gateway.core.partition import STUDENT_TABLES, part_of
from gateway.store.snapshots import Snapshot
from gateway.sync.mapping import SHARED_TABLES


def snapshot_evidence(snapshot: Snapshot, *, gone_after: int, student: str | None = None) -> Iterator[pl.DataFrame]:
    """The evidence of ``snapshot`` in parts that each hold all results of their students; with ``student``, one part
    with this student's."""
    shared = {name: snapshot.read(name, gone_after=gone_after) for name in SHARED_TABLES if snapshot.has(name)}
    facts = line_item_facts(shared)
    parts = range(snapshot.parts) if student is None else [int(part_of(pl.Series([student]), snapshot.parts)[0])]
    for part in parts:
        own = {
            name: snapshot.read(name, gone_after=gone_after, part=part) for name in STUDENT_TABLES if snapshot.has(name)
        }
        if student is not None and "results" in own:
            own["results"] = own["results"].filter(pl.col("student_id") == student)
        yield gather_evidence({**shared, **own}, line_items=facts)
