"""The second step: staged raw pages become a checked snapshot, merged with the last good one.

Big tables go page by page (:mod:`gateway.sync.check_pages`) and part by part, so that memory holds little. The
rules are in :mod:`gateway.core.check` and :mod:`gateway.core.presence`; here is only their order and their files.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gateway.core.check import Notes, empty_quarantine
from gateway.core.exchange import REJECTS, REJECTS_SCHEMA, PullMode, Stream
from gateway.core.guard import Churn
from gateway.core.model import FRAMEWORK_TABLES, LINE, SOURCE, TABLES, Table
from gateway.core.partition import PARTITIONED_TABLES, parts_for
from gateway.core.presence import MISSING, Pulled, merge, merge_links
from gateway.core.values import DateOrder
from gateway.store.snapshots import Snapshot, part_path, write_manifest
from gateway.store.staging import Staged, read_page
from gateway.sync.check_pages import Against, Outcome, RawPage, TablePages, raw_pages

NO_IDS = pl.Series("id", [], pl.String)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the connection and the sync say about checking. ``absence_counts`` is false when nothing was pulled and
    only what was set aside is checked again."""

    gone_after: int
    dates: DateOrder | None = None
    extra_credit: bool = False
    absence_counts: bool = True


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
        self.kept: dict[str, list[pl.Series]] = {}
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
        streams = (self.streams.get(table) for table in ("results", "course_attempts"))
        needed = parts_for(max(stream.rows if stream else 0 for stream in streams))
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
        limits = self._limits() if table.name == "results" else None
        against = Against(self.rules.dates, self.known, self.quarantined, limits)
        # links are cut when their parents' parts are known
        pages = TablePages(table, against, parts=1 if table.part_of else self._parts_of(table), work=self.work)
        raw = self._raw(table)
        outcome = pages.check(raw)
        self._note_rejects(table, outcome)
        if table.part_of is None:
            self._merge_records(table, pages, outcome)
        else:
            self._merge_links(table, pages.fresh(0), outcome)
        self._close(table, outcome, raw)

    def _raw(self, table: Table) -> list[RawPage]:
        """What was staged; in a pull of changes also what an earlier one had to set aside."""
        stream = self.streams[table.name]
        delta = stream.stream.mode is PullMode.DELTA and self.previous is not None
        aside = self.previous.set_aside(table.name) if delta and self.previous else None
        return raw_pages(stream.files.get(table.name, ()), table, aside)

    def _limits(self) -> pl.DataFrame | None:
        if self.rules.extra_credit or "line_items" not in self.rows:
            return None
        return pl.read_parquet(part_path(self.folder, "line_items", 0)).select(
            "id", "result_value_min", "result_value_max"
        )

    def _note_rejects(self, table: Table, outcome: Outcome) -> None:
        """Rows that the connector could not even cut into cells."""
        mine = self.rejects.filter(pl.col("table") == table.name)
        if mine.is_empty():
            return
        outcome.nameless = mine["id"].null_count()
        missing = [pl.lit(None, pl.String).alias(name) for name in ("value", "waits_for")]
        outcome.quarantine.append(mine.with_columns(missing).select(list(empty_quarantine().columns)))

    # -- merging with the last good snapshot

    def _pulled(self, table: Table, rows: pl.DataFrame, outcome: Outcome, moved: pl.Series) -> Pulled:
        stream = self.streams[table.name].stream
        deleted = outcome.deleted_ids()
        return Pulled(
            rows=rows,
            deleted=deleted,
            delivered=pl.concat([outcome.bad_ids(), deleted, moved]),
            mode=stream.mode,
            absence_counts=self.rules.absence_counts and outcome.nameless == 0,
        )

    def _merge_records(self, table: Table, pages: TablePages, outcome: Outcome) -> None:
        parts = self._parts_of(table)
        moved = self._moved(table, pages)
        for part in range(parts):
            fresh = pages.fresh(part)
            previous = self._previous(table, part)
            rows, churn = merge(
                previous, self._pulled(table, fresh, outcome, moved), table, gone_after=self.rules.gone_after
            )
            if len(moved):
                # a result that changed its student stands in another part now
                rows = rows.filter(~(pl.col("id").is_in(moved.implode())) | pl.col("id").is_in(fresh["id"].implode()))
            self._write(table, part, rows)
            kept = rows.select("id").join(fresh.select("id"), on="id", how="anti")["id"]
            self.kept.setdefault(table.name, []).append(kept)
            self.churn[table.name] = self.churn.get(table.name, Churn()) + churn
        self._remember_ids(table)

    def _parts_of(self, table: Table) -> int:
        return self.parts if table.name in PARTITIONED_TABLES else 1

    def _previous(self, table: Table, part: int) -> pl.DataFrame | None:
        if self.previous is None or not self.previous.has(table.name):
            return None
        return self.previous.previous_rows(table.name, part, self.parts)

    def _moved(self, table: Table, pages: TablePages) -> pl.Series:
        """Ids that stood in one part and were delivered in another."""
        parts = pages.parts
        if parts == 1 or self.previous is None or not self.previous.has(table.name):
            return NO_IDS
        kept = []
        for part in range(parts):
            before = self.previous.previous_rows(table.name, part, parts).select("id")
            kept.append(before.join(pages.fresh_ids(part).to_frame(), on="id", how="anti")["id"])
        absent = pl.concat(kept)
        if absent.is_empty():
            return NO_IDS
        fresh = [pages.fresh_ids(part) for part in range(parts)]
        return pl.concat([ids.filter(ids.is_in(absent.implode())) for ids in fresh])

    def _merge_links(self, table: Table, rows: pl.DataFrame, outcome: Outcome) -> None:
        parent_name, column = table.part_of or (table.name, "id")
        parent = TABLES[parent_name]
        with_parents = parent.name in self.streams and (
            self.streams[parent.name].stream.name == self.streams[table.name].stream.name
        )
        for part in range(self._parts_of(table)):
            parents = self._parents(parent, part)
            mine = rows
            if table.name in PARTITIONED_TABLES and self.parts > 1:
                mine = rows.join(parents.select(pl.col("id").alias(column)), on=column, how="semi")
            merged, churn = merge_links(
                self._previous(table, part),
                self._pulled(table, mine, outcome, NO_IDS),
                table,
                parents=parents,
                with_parents=with_parents,
            )
            self._write(table, part, merged)
            self.churn[table.name] = self.churn.get(table.name, Churn()) + churn

    def _parents(self, parent: Table, part: int) -> pl.DataFrame:
        """The parent's new rows, and which of them came with this pull."""
        rows = pl.scan_parquet(part_path(self.folder, parent.name, part)).select("id", MISSING).collect()
        if parent.name not in self.kept:
            return rows.with_columns(pl.lit(False).alias("_fresh"))
        return rows.with_columns(~pl.col("id").is_in(self.kept[parent.name][part].implode()).alias("_fresh"))

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

    def _close(self, table: Table, outcome: Outcome, raw: list[RawPage]) -> None:
        """Write the table's quarantine with the raw rows behind it, and count."""
        quarantine = outcome.quarantined()
        self.notes.update(outcome.notes)
        records = quarantine.select(SOURCE, LINE).unique().height
        self.churn[table.name] = self.churn.get(table.name, Churn()).with_quarantined(records)
        if quarantine.is_empty():
            return
        self.faults[table.name] = records
        self.quarantined[table.name] = outcome.bad_ids()
        for kind, rows in (("quarantine", quarantine), ("set-aside", _raw_rows(raw, table, quarantine))):
            path = self.folder / kind / f"{table.name}.parquet"
            path.parent.mkdir(exist_ok=True)
            rows.write_parquet(path, compression="zstd")


def _raw_rows(raw: list[RawPage], table: Table, quarantine: pl.DataFrame) -> pl.DataFrame:
    """The raw rows behind the quarantine, to be checked again."""
    places = quarantine.select(SOURCE, LINE)
    found = [page().join(places, on=[SOURCE, LINE], how="semi") for page in raw]
    return pl.concat(found) if found else pl.DataFrame(schema=table.raw_schema)


def streams_to_retry(snapshot: Snapshot) -> dict[str, Staged]:
    """What to check again when nothing new was pulled: the tables with records that were set aside."""
    return {
        table: Staged(Stream(table, (table,), PullMode.DELTA), 0, 0, None, complete=True, files={}, warnings=[])
        for table in snapshot.quarantined
        if snapshot.set_aside(table) is not None
    }


def _rejects(staged: Mapping[str, Staged]) -> pl.DataFrame:
    files = [file for stream in staged.values() for file in stream.files.get(REJECTS, ())]
    return pl.concat([read_page(file) for file in files]) if files else pl.DataFrame(schema=dict(REJECTS_SCHEMA))
