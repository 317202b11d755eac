"""The second step: staged raw pages become a checked snapshot, merged with the last good one.

Big tables go page by page and part by part, so that memory holds one page and one part at a time. The rules are in
:mod:`gateway.core.check` and :mod:`gateway.core.presence`; here is only their order and their files.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import polars as pl

from gateway.core.check import (
    Checked,
    Notes,
    check_references,
    check_scores,
    empty_quarantine,
    find_duplicates,
    fingerprints,
    leave_out,
    read_rows,
)
from gateway.core.exchange import REJECTS, REJECTS_SCHEMA, PullMode, Stream
from gateway.core.guard import Churn
from gateway.core.model import FRAMEWORK_TABLES, LINE, SOURCE, TABLES, Table
from gateway.core.partition import STUDENT_TABLES, part_of, parts_for
from gateway.core.presence import MISSING, Pulled, merge, merge_links
from gateway.core.values import DateOrder
from gateway.store.snapshots import Snapshot, part_path, write_manifest
from gateway.store.staging import Staged, read_page


@dataclass(frozen=True, slots=True)
class Rules:
    """What the connection and the sync say about checking. ``absence_counts`` is false when nothing was pulled and
    only what was set aside is checked again."""

    gone_after: int
    dates: DateOrder | None = None
    extra_credit: bool = False
    absence_counts: bool = True


@dataclass(slots=True)
class _Outcome:
    """What has been found of one table so far."""

    quarantine: list[pl.DataFrame] = field(default_factory=list)
    deleted: list[pl.Series] = field(default_factory=list)
    notes: Notes = field(default_factory=Counter)
    nameless: int = 0

    def note(self, quarantine: pl.DataFrame, notes: Notes) -> None:
        if not quarantine.is_empty():
            self.quarantine.append(quarantine)
        self.notes.update(notes)

    def quarantined(self) -> pl.DataFrame:
        return pl.concat(self.quarantine) if self.quarantine else empty_quarantine()

    def bad_ids(self) -> pl.Series:
        return self.quarantined()["id"].drop_nulls().unique()

    def deleted_ids(self) -> pl.Series:
        return pl.concat(self.deleted).unique() if self.deleted else pl.Series("id", [], pl.String)


@dataclass(frozen=True, slots=True)
class _TypedPage:
    """A page after rule 1: its good rows in a file, what rule 2 needs to know of them, and what was found."""

    file: Path
    prints: pl.DataFrame
    deleted: pl.Series
    quarantine: pl.DataFrame
    notes: Notes


class Check:
    """The check of one pull. ``work`` is a folder for intermediate files; ``folder`` becomes the snapshot."""

    def __init__(
        self, staged: Mapping[str, Staged], previous: Snapshot | None, rules: Rules, *, work: Path, folder: Path
    ) -> None:
        self.previous = previous
        self.rules = rules
        self.work = work
        self.folder = folder
        self.streams = {table: stream for stream in staged.values() for table in stream.stream.tables}
        self.warnings = [warning for stream in staged.values() for warning in stream.warnings]
        self.rejects = _rejects(staged)
        self.parts = self._parts()
        self.known: dict[str, pl.Series] = {}
        self.quarantined: dict[str, pl.Series] = {}
        self.rows: dict[str, int] = {}
        self.churn: dict[str, Churn] = {}
        self.notes: Notes = Counter()
        self.faults: dict[str, int] = {}

    def run(self) -> Iterator[str]:
        """Check table by table, parents first, and write the snapshot; yields each table's name before its turn."""
        for path in (self.work, self.folder):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
        for table in TABLES.values():
            if table.name in FRAMEWORK_TABLES:
                continue
            if table.name in self.streams:
                yield table.name
                self._check_table(table)
            elif self.previous is not None and self.previous.has(table.name):
                self._carry_over(table)
        notes = {"/".join(key): count for key, count in sorted(self.notes.items())}
        write_manifest(self.snapshot(notes))
        shutil.rmtree(self.work)

    def snapshot(self, notes: Mapping[str, int]) -> Snapshot:
        return Snapshot(
            self.folder, self.parts, self.rows, self.churn, notes, self.faults, tuple(dict.fromkeys(self.warnings))
        )

    def _parts(self) -> int:
        stream = self.streams.get("results")
        needed = parts_for(stream.rows if stream else 0)
        if self.previous is None:
            return needed
        return needed if needed > 4 * self.previous.parts else self.previous.parts

    def _carry_over(self, table: Table) -> None:
        """A table that the source did not offer is unknown, not empty: the last good rows stay."""
        for part in range(self._parts_of(table)):
            rows = self._previous(table, part)
            if rows is not None:
                self._write(table, part, rows)
        self._remember_ids(table)

    # -- one table

    def _check_table(self, table: Table) -> None:
        outcome = _Outcome()
        self._refine(table, self._read(table, outcome), outcome)
        self._note_rejects(table, outcome)
        if table.part_of is None:
            self._merge_records(table, outcome)
        else:
            self._merge_links(table, self._fresh_part(table, 0), outcome)
        self._close(table, outcome)

    def _raw_pages(self, table: Table) -> list[Callable[[], pl.DataFrame]]:
        """The staged pages, and what was set aside by an earlier pull and not delivered again; read when called."""
        stream = self.streams[table.name]
        files = list(stream.files.get(table.name, ()))
        pages: list[Callable[[], pl.DataFrame]] = [partial(_read_raw, file, table) for file in files]
        if stream.stream.mode is PullMode.DELTA and self.previous is not None:
            aside = self.previous.set_aside(table.name)
            if aside is not None:
                pages.append(partial(_not_delivered, aside, files, table))
        return pages

    def _read(self, table: Table, outcome: _Outcome) -> list[_TypedPage]:
        """Types and duplicates: typed pages as files."""
        raw = self._raw_pages(table)
        pages = list(_in_order(lambda number: self._typed(table, number, raw[number]()), range(len(raw))))
        for page in pages:
            outcome.deleted.append(page.deleted)
            outcome.note(page.quarantine, page.notes)
        return pages

    def _typed(self, table: Table, number: int, raw: pl.DataFrame) -> _TypedPage:
        deleted = pl.Series("id", [], pl.String)
        if "status" in table.names and raw["status"].null_count() < raw.height:
            gone = raw["status"].str.strip_chars().str.to_lowercase().is_in(["tobedeleted", "inactive"])
            deleted = _names(raw.filter(gone), table)
            raw = raw.filter(~gone.fill_null(False))
        checked = read_rows(raw, table, self.rules.dates)
        file = self._temporary(table, "typed", number, checked.rows)
        return _TypedPage(file, fingerprints(checked.rows, table, number), deleted, checked.quarantine, checked.notes)

    def _refine(self, table: Table, pages: list[_TypedPage], outcome: _Outcome) -> None:
        """Duplicates, references and score limits; good rows go into the part of their student."""
        duplicates = find_duplicates(pl.concat([page.prints for page in pages])) if pages else None
        limits = self._limits() if table.name == "results" else None

        def refine(group: Sequence[int]) -> list[Checked]:
            steps = [leave_out(pl.read_ipc(pages[n].file), table, n, duplicates) for n in group]
            rows = pl.concat([step.rows for step in steps])
            steps.append(check_references(rows, table, self.known, self.quarantined))
            if limits is not None:
                steps.append(check_scores(steps[-1].rows, table, limits))
            self._split(table, group[0], steps[-1].rows)
            return [replace(step, rows=step.rows.clear()) for step in steps]

        # links refer to one big table: looking them up all at once is much cheaper than page by page
        numbers = range(len(pages))
        groups = [[number] for number in numbers] if table.part_of is None else [list(numbers)] if pages else []
        for steps in _in_order(refine, groups):
            for step in steps:
                outcome.note(step.quarantine, step.notes)

    def _split(self, table: Table, number: int, rows: pl.DataFrame) -> None:
        parts = self._parts_of(table) if table.part_of is None else 1
        if parts == 1:
            self._temporary(table, "part-000", number, rows)
            return
        of = part_of(rows["student_id"], parts)
        for part in range(parts):
            self._temporary(table, f"part-{part:03}", number, rows.filter(of == part))

    def _limits(self) -> pl.DataFrame | None:
        if self.rules.extra_credit or "line_items" not in self.rows:
            return None
        return pl.read_parquet(part_path(self.folder, "line_items", 0)).select(
            "id", "result_value_min", "result_value_max"
        )

    def _note_rejects(self, table: Table, outcome: _Outcome) -> None:
        """Rows that the connector could not even cut into cells."""
        mine = self.rejects.filter(pl.col("table") == table.name)
        if mine.is_empty():
            return
        outcome.nameless = mine["id"].null_count()
        missing = [pl.lit(None, pl.String).alias(name) for name in ("value", "waits_for")]
        outcome.quarantine.append(mine.with_columns(missing).select(list(empty_quarantine().columns)))

    # -- merging with the last good snapshot

    def _pulled(self, table: Table, rows: pl.DataFrame, outcome: _Outcome, moved: pl.Series) -> Pulled:
        stream = self.streams[table.name].stream
        deleted = outcome.deleted_ids()
        return Pulled(
            rows=rows,
            deleted=deleted,
            delivered=pl.concat([outcome.bad_ids(), deleted, moved]),
            mode=stream.mode,
            absence_counts=self.rules.absence_counts and outcome.nameless == 0,
        )

    def _merge_records(self, table: Table, outcome: _Outcome) -> None:
        parts = self._parts_of(table)
        moved = self._moved(table, parts)
        for part in range(parts):
            fresh = self._fresh_part(table, part)
            previous = self._previous(table, part)
            rows, churn = merge(
                previous, self._pulled(table, fresh, outcome, moved), table, gone_after=self.rules.gone_after
            )
            if len(moved):
                # a result that changed its student stands in another part now
                rows = rows.filter(~(pl.col("id").is_in(moved.implode())) | pl.col("id").is_in(fresh["id"].implode()))
            self._write(table, part, rows)
            self.churn[table.name] = self.churn.get(table.name, Churn()) + churn
        self._remember_ids(table)

    def _parts_of(self, table: Table) -> int:
        return self.parts if table.name in STUDENT_TABLES else 1

    def _fresh_part(self, table: Table, part: int) -> pl.DataFrame:
        files = sorted((self.work / table.name / f"part-{part:03}").iterdir()) if self._has_parts(table) else []
        return (
            pl.concat([pl.read_ipc(file) for file in files]) if files else pl.DataFrame(schema=_checked_schema(table))
        )

    def _fresh_ids(self, table: Table, part: int) -> pl.Series:
        files = sorted((self.work / table.name / f"part-{part:03}").iterdir()) if self._has_parts(table) else []
        ids = [pl.scan_ipc(file).select("id").collect()["id"] for file in files]
        return pl.concat(ids) if ids else pl.Series("id", [], pl.String)

    def _has_parts(self, table: Table) -> bool:
        return (self.work / table.name / "part-000").is_dir()

    def _previous(self, table: Table, part: int) -> pl.DataFrame | None:
        if self.previous is None or not self.previous.has(table.name):
            return None
        return self.previous.previous_rows(table.name, part, self.parts)

    def _moved(self, table: Table, parts: int) -> pl.Series:
        """Ids that stood in one part and were delivered in another."""
        none = pl.Series("id", [], pl.String)
        if parts == 1 or self.previous is None or not self.previous.has(table.name):
            return none
        kept = []
        for part in range(parts):
            before = self.previous.previous_rows(table.name, part, parts).select("id")
            kept.append(before.join(self._fresh_ids(table, part).to_frame(), on="id", how="anti")["id"])
        absent = pl.concat(kept)
        if absent.is_empty():
            return none
        fresh = [self._fresh_ids(table, part) for part in range(parts)]
        return pl.concat([ids.filter(ids.is_in(absent.implode())) for ids in fresh])

    def _merge_links(self, table: Table, rows: pl.DataFrame, outcome: _Outcome) -> None:
        parent_name, column = table.part_of or (table.name, "id")
        parent = TABLES[parent_name]
        with_parents = parent.name in self.streams and (
            self.streams[parent.name].stream.name == self.streams[table.name].stream.name
        )
        for part in range(self._parts_of(table)):
            parents = self._parents(parent, part)
            mine = rows
            if table.name in STUDENT_TABLES and self.parts > 1:
                mine = rows.join(parents.select(pl.col("id").alias(column)), on=column, how="semi")
            merged, churn = merge_links(
                self._previous(table, part),
                self._pulled(table, mine, outcome, pl.Series("id", [], pl.String)),
                table,
                parents=parents,
                with_parents=with_parents,
            )
            self._write(table, part, merged)
            self.churn[table.name] = self.churn.get(table.name, Churn()) + churn

    def _parents(self, parent: Table, part: int) -> pl.DataFrame:
        """The parent's new rows, and which of them came with this pull."""
        rows = pl.scan_parquet(part_path(self.folder, parent.name, part)).select("id", MISSING).collect()
        fresh = pl.Series("id", [], pl.String)
        if parent.name in self.streams:
            fresh = self._fresh_ids(parent, part)
        return rows.with_columns(pl.col("id").is_in(fresh.implode()).alias("_fresh"))

    # -- bookkeeping

    def _write(self, table: Table, part: int, rows: pl.DataFrame) -> None:
        path = part_path(self.folder, table.name, part)
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.write_parquet(path, compression="lz4")
        present = int((rows[MISSING] < self.rules.gone_after).sum()) if MISSING in rows.columns else rows.height
        self.rows[table.name] = self.rows.get(table.name, 0) + present

    def _remember_ids(self, table: Table) -> None:
        if "id" not in table.names:
            return
        files = sorted((self.folder / table.name).glob("part-*.parquet"))
        ids = pl.scan_parquet(files).filter(pl.col(MISSING) < self.rules.gone_after).select("id").collect()
        self.known[table.name] = ids["id"]

    def _temporary(self, table: Table, kind: str, number: int, rows: pl.DataFrame) -> Path:
        path = self.work / table.name / kind / f"{number:06}.arrow"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.write_ipc(path)
        return path

    def _close(self, table: Table, outcome: _Outcome) -> None:
        """Write the table's quarantine with the raw rows behind it, and count."""
        quarantine = outcome.quarantined()
        self.notes.update(outcome.notes)
        records = quarantine.select(SOURCE, LINE).unique().height
        self.churn[table.name] = self.churn.get(table.name, Churn()).with_quarantined(records)
        if quarantine.is_empty():
            return
        self.faults[table.name] = records
        self.quarantined[table.name] = outcome.bad_ids()
        for kind, rows in (("quarantine", quarantine), ("set-aside", self._raw_rows(table, quarantine))):
            path = self.folder / kind / f"{table.name}.parquet"
            path.parent.mkdir(exist_ok=True)
            rows.write_parquet(path, compression="zstd")

    def _raw_rows(self, table: Table, quarantine: pl.DataFrame) -> pl.DataFrame:
        found = [
            raw().join(quarantine.select(SOURCE, LINE), on=[SOURCE, LINE], how="semi") for raw in self._raw_pages(table)
        ]
        return pl.concat(found) if found else pl.DataFrame(schema=table.raw_schema)


def streams_to_retry(snapshot: Snapshot) -> dict[str, Staged]:
    """What to check again when nothing new was pulled: the tables with records that were set aside."""
    return {
        table: Staged(Stream(table, (table,), PullMode.DELTA), 0, 0, None, complete=True, files={}, warnings=[])
        for table in snapshot.quarantined
        if snapshot.set_aside(table) is not None
    }


WORKERS = 2
"""Pages that are checked at the same time: two keep both cores of a small server busy and memory low."""

In = TypeVar("In")
Out = TypeVar("Out")


def _in_order(work: Callable[[In], Out], items: Sequence[In]) -> Iterator[Out]:
    """``work`` of each item, several at a time, in the items' order."""
    if len(items) <= 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="check") as pool:
        yield from pool.map(work, items)


def _read_raw(file: Path, table: Table) -> pl.DataFrame:
    return _conform(read_page(file), table)


def _not_delivered(aside: pl.DataFrame, files: Sequence[Path], table: Table) -> pl.DataFrame:
    """The rows of ``aside`` whose records are not among the pages."""
    for file in files:
        aside = aside.join(read_page(file), on=list(table.key), how="anti", nulls_equal=True)
    return _conform(aside, table)


def _checked_schema(table: Table) -> dict[str, pl.DataType]:
    return {**table.schema, SOURCE: pl.String(), LINE: pl.UInt32()}


def _conform(raw: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The declared raw columns in the declared order; what a connector does not deliver is null."""
    return raw.select(
        [
            pl.col(name).cast(dtype) if name in raw.columns else pl.lit(None, dtype).alias(name)
            for name, dtype in table.raw_schema.items()
        ]
    )


def _names(rows: pl.DataFrame, table: Table) -> pl.Series:
    """Ids of records; for links their key, joined as :func:`gateway.core.presence.merge_links` expects it."""
    if table.key == ("id",):
        return rows["id"].str.strip_chars().alias("id")
    return rows.select(
        pl.concat_str([pl.col(k).str.strip_chars().fill_null("") for k in table.key], separator="\x1f").alias("id")
    ).to_series()


def _rejects(staged: Mapping[str, Staged]) -> pl.DataFrame:
    files = [file for stream in staged.values() for file in stream.files.get(REJECTS, ())]
    return pl.concat([read_page(file) for file in files]) if files else pl.DataFrame(schema=dict(REJECTS_SCHEMA))
