"""The tables behind the lists: the last good snapshot of a district's source together with the records that its last
finished run made of levels, each written once as a Parquet file sorted by id, from which pages are cut.

Filtered or sorted lists are written once as well, and kept while they are asked for.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from gateway.api.oneroster.lists import LISTINGS, ROLE_NAMES, Listing
from gateway.api.sites import Site
from gateway.core.model import TABLES
from gateway.settings import SyncSettings
from gateway.store import runs as run_store
from gateway.store import snapshots
from gateway.store.runs import RunState
from gateway.store.snapshots import Snapshot, read_snapshot

ROWS_PER_GROUP = 4_096
"""A page is read without reading its file: one to two groups of rows."""

MOST_QUERIES = 64
BOOKKEEPING = ("digest", "_missing")
MODIFIED = "date_last_modified"

LINKED = {"score_scale_values": "score_scale_id", "roles": "user_id"} | {
    f"{record}_{part}": f"{record}_id"
    for record in ("line_item", "result")
    for part in ("learning_objectives", "score_scales")
}
"""The column by which the rows of a part belong to their record."""


@dataclass(slots=True)
class Tables:
    """What one district serves at one time: one snapshot, and the run whose records stand beside it."""

    folder: Path
    snapshot: Snapshot
    desired: Path | None
    gone_after: int
    taken_at: datetime
    _queries: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def scan(self, table: str) -> pl.LazyFrame:
        """A table by rising id, with its parts as lists; written when it is first asked for."""
        path = self.folder / f"{table}.parquet"
        with self._lock:
            if not path.exists():
                self._write(path, self._made(table))
        return pl.scan_parquet(path)

    def plain(self, table: str) -> pl.LazyFrame:
        """A table by which records belong to each other: a list's own, or that of a part."""
        if table not in LINKED:
            return self.scan(table)
        if not self.snapshot.has(table):
            return pl.LazyFrame(schema=TABLES[table].schema)
        return self.snapshot.read(table, gone_after=self.gone_after).lazy()

    def rows_of(self, key: str, made: Callable[[], pl.LazyFrame]) -> tuple[Path, int]:
        """The file of a query's records, in their order, and how many there are; ``key`` tells queries apart."""
        path = self.folder / f"query-{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"
        with self._lock:
            if key in self._queries and path.exists():
                self._queries.move_to_end(key)
                return path, self._queries[key]
        frame = made().collect()
        with self._lock:
            self._write(path, frame)
            self._queries[key] = frame.height
            while len(self._queries) > MOST_QUERIES:
                old, _ = self._queries.popitem(last=False)
                (self.folder / f"query-{hashlib.sha256(old.encode()).hexdigest()[:32]}.parquet").unlink(missing_ok=True)
        return path, frame.height

    def _write(self, path: Path, frame: pl.DataFrame) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".half")
        frame.write_parquet(half, row_group_size=ROWS_PER_GROUP, compression="lz4", statistics=False)
        half.rename(path)

    def _made(self, table: str) -> pl.DataFrame:
        """All records of a table with their parts, those of the snapshot and those made of levels."""
        listing = next((each for each in LISTINGS.values() if each.table == table), None)
        frames = [self._present(table, listing)]
        if self.desired is not None and (self.desired / table).is_dir():
            frames.append(pl.read_parquet(self.desired / table / "*.parquet").drop(BOOKKEEPING, strict=False))
        together = pl.concat(frames, how="diagonal")
        if table == "users":
            together = together.with_columns(
                pl.col("roles").list.eval(pl.element().struct.field("role")).alias(ROLE_NAMES)
            )
        filled = (
            pl.col(MODIFIED).fill_null(self.taken_at).dt.cast_time_unit("ms") if MODIFIED in together.columns else None
        )
        return (together if filled is None else together.with_columns(filled)).unique("id", keep="last").sort("id")

    def _present(self, table: str, listing: Listing | None) -> pl.DataFrame:
        if not self.snapshot.has(table):
            found = pl.DataFrame(schema=TABLES[table].schema)
        else:
            found = self.snapshot.read(table, gone_after=self.gone_after)
        for part in listing.parts if listing else ():
            found = found.join(self._part(part), left_on="id", right_on=LINKED[part], how="left")
        return found

    def _part(self, part: str) -> pl.DataFrame:
        """The rows of a part that are present, as one list for each record."""
        rows = pl.DataFrame(schema=TABLES[part].schema)
        if self.snapshot.has(part):
            rows = self.snapshot.read(part, gone_after=self.gone_after)
            if "status" in rows.columns:
                rows = rows.filter(pl.col("status").ne_missing("tobedeleted"))
        return as_lists(part, rows)


def as_lists(part: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a part as one list for each record, in a column of the part's name."""
    key = LINKED[part]
    inner = [name for name in TABLES[part].schema if name not in (key, "status", MODIFIED, "id")]
    order = [name for name in ("position", "source", "learning_objective_id", "id") if name in rows.columns]
    return rows.sort(key, *order, nulls_last=True).group_by(key, maintain_order=True).agg(pl.struct(inner).alias(part))


class Served:
    """The newest tables of each district; older ones are removed once they are not needed."""

    def __init__(self) -> None:
        self._now: dict[str, Tables] = {}
        self._lock = threading.Lock()

    def tables(self, site: Site) -> Tables | None:
        """What the district serves now; ``None`` while nothing was pulled and mapped."""
        found = _newest(site)
        if found is None:
            return None
        sync, row, desired = found
        folder = site.folder / "oneroster" / f"{row['snapshot_id']}-{desired.parent.name if desired else 'none'}"
        with self._lock:
            held = self._now.get(site.id)
            if held is not None and held.folder == folder:
                return held
            made = _opened(site, folder, sync, row, desired)
            if made is None:
                return held
            shutil.rmtree(folder, ignore_errors=True)
            self._now[site.id] = made
            _remove_others(folder, held)
            return made


def open_tables(site: Site, folder: Path) -> Tables | None:
    """What the district serves now, written into ``folder``; ``None`` while nothing was pulled."""
    found = _newest(site)
    return _opened(site, folder, *found) if found else None


def _opened(
    site: Site, folder: Path, sync: SyncSettings, row: Mapping[str, Any], desired: Path | None
) -> Tables | None:
    snapshot = read_snapshot(site.district.data / "snapshots" / sync.source / row["snapshot_id"])
    return Tables(folder, snapshot, desired, sync.missing_pulls, row["taken_at"]) if snapshot else None


def _newest(site: Site) -> tuple[SyncSettings, dict[str, Any], Path | None] | None:
    """The sync whose source has a good snapshot, that snapshot's row, and the records of its last finished run."""
    for sync in site.district.syncs.values():
        row = snapshots.last_good(site.store, site.id, sync.source)
        if row is None:
            continue
        for run in run_store.listed(site.store, site.id, sync=sync.name, most=50):
            folder = site.district.data / "runs" / run.run_id / "desired"
            if run.state is RunState.DONE and folder.is_dir():
                return sync, row, folder
        return sync, row, None
    return None


def _remove_others(folder: Path, held: Tables | None) -> None:
    """Tables of earlier snapshots; those that pages may still be cut from stay."""
    keep: Sequence[Path] = (folder, held.folder) if held else (folder,)
    for other in folder.parent.glob("*"):
        if other not in keep:
            shutil.rmtree(other, ignore_errors=True)
