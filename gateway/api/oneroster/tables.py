"""The tables behind the lists: the last good snapshot of a district's source together with the records that its last
finished run made of levels, each written once as a Parquet file sorted by id, from which pages are cut.

Filtered or sorted lists are written once as well, and kept while they are asked for.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from gateway.api.oneroster.lists import LISTINGS, ROLE_NAMES
from gateway.api.sites import Site
from gateway.core.model import TABLES
from gateway.core.presence import present
from gateway.settings import SyncSettings
from gateway.store import runs as run_store
from gateway.store import snapshots
from gateway.store.snapshots import Snapshot, read_snapshot

ROWS_PER_GROUP = 4_096
"""A page is read without reading its file: one to two groups of rows."""

ROWS_AT_ONCE = 100_000
"""How many records are joined with their parts and sorted in memory."""

MOST_QUERIES = 64
BOOKKEEPING = ("digest", "_missing")
MODIFIED = "date_last_modified"

LINKED = {"score_scale_values": "score_scale_id", "roles": "user_id"} | {
    f"{record}_{part}": f"{record}_id"
    for record in ("line_item", "result")
    for part in ("learning_objectives", "score_scales")
}
"""The column by which the rows of a part belong to their record."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The records of a file in their order. ``frame`` knows where they lie: ask it again rather than the file."""

    path: Path
    frame: pl.LazyFrame
    total: int

    def page(self, offset: int, limit: int) -> pl.DataFrame:
        """As deep as it may lie, a page costs the same."""
        return self.frame.slice(offset, limit).collect()


@dataclass(frozen=True, slots=True)
class Range:
    """Ids from ``low`` on and below ``high``; ``None``: without a bound."""

    low: str | None = None
    high: str | None = None

    def of(self, name: str) -> pl.Expr:
        """Whether the ids of a column belong to it."""
        above = pl.lit(True) if self.low is None else pl.col(name) >= self.low
        return above if self.high is None else above & (pl.col(name) < self.high)


@dataclass(slots=True)
class Tables:
    """What one district serves at one time: one snapshot, and the run whose records stand beside it."""

    folder: Path
    snapshot: Snapshot
    desired: Path | None
    gone_after: int
    taken_at: datetime
    _whole: dict[str, Rows] = field(default_factory=dict)
    _queries: OrderedDict[str, Rows] = field(default_factory=OrderedDict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _locks: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def rows(self, table: str) -> Rows:
        """A table by rising id, with its parts as lists; written when it is first asked for."""
        with self._lock:
            lock = self._locks[table]
        with lock:
            if table not in self._whole:
                path = self.folder / f"{table}.parquet"
                if not path.exists():
                    self._write_table(table, path)
                self._whole[table] = _opened_rows(path)
            return self._whole[table]

    def scan(self, table: str) -> pl.LazyFrame:
        """The same, to be filtered."""
        return self.rows(table).frame

    def plain(self, table: str) -> pl.LazyFrame:
        """A table by which records belong to each other: a list's own, or that of a part."""
        return self._present(table) if table in LINKED else self.scan(table)

    def page(self, table: str, offset: int, limit: int) -> tuple[pl.DataFrame, int]:
        """Records of a table from ``offset`` on, and how many it has in all."""
        rows = self.rows(table)
        return rows.page(offset, limit), rows.total

    def rows_of(self, key: str, made: Callable[[], pl.LazyFrame]) -> Rows:
        """The records of a query, in their order; ``key`` tells queries apart."""
        with self._lock:
            if key in self._queries and self._queries[key].path.exists():
                self._queries.move_to_end(key)
                return self._queries[key]
        path = self.folder / f"query-{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"
        half = path.with_suffix(f".{threading.get_ident()}.half")
        _write(made(), half)
        with self._lock:
            half.rename(path)
            self._queries[key] = found = _opened_rows(path)
            while len(self._queries) > MOST_QUERIES:
                _, old = self._queries.popitem(last=False)
                old.path.unlink(missing_ok=True)
        return found

    def _write_table(self, table: str, path: Path) -> None:
        """A range of ids after the other, so that no more than a part of a large table is in memory."""
        self.folder.mkdir(parents=True, exist_ok=True)
        pieces = []
        for number, wanted in enumerate(self._ranges(table)):
            pieces.append(path.with_suffix(f".{number}.piece"))
            self._made(table, wanted).write_parquet(pieces[-1], compression="uncompressed", statistics=False)
        half = path.with_suffix(".half")
        _write(pl.concat([pl.scan_parquet(piece) for piece in pieces]), half)
        for piece in pieces:
            piece.unlink()
        half.rename(path)

    def _ranges(self, table: str) -> list[Range]:
        number = -(-self.snapshot.rows.get(table, 0) // ROWS_AT_ONCE)
        if number < 2:
            return [Range()]
        ids = pl.scan_parquet(self.snapshot.part_path(table, 0)).select(pl.col("id").sort()).collect()["id"]
        cuts = [ids[len(ids) * each // number] for each in range(1, number)]
        return [Range(low, high) for low, high in pairwise((None, *cuts, None))]

    def _made(self, table: str, wanted: Range) -> pl.DataFrame:
        """The records of a table in a range of ids with their parts, those of the snapshot and those made of levels."""
        listing = next((each for each in LISTINGS.values() if each.table == table), None)
        own = self._present(table).filter(wanted.of("id")).collect()
        for part in listing.parts if listing else ():
            rows = self._part(part).filter(wanted.of(LINKED[part])).collect()
            own = own.join(as_lists(part, rows), left_on="id", right_on=LINKED[part], how="left")
        frames = [own]
        if self.desired is not None and (self.desired / table).is_dir():
            made = pl.scan_parquet(self.desired / table / "*.parquet").filter(wanted.of("id"))
            frames.append(made.drop(BOOKKEEPING, strict=False).collect())
        together = pl.concat(frames, how="diagonal")
        if table == "users":
            together = together.with_columns(
                pl.col("roles").list.eval(pl.element().struct.field("role")).alias(ROLE_NAMES)
            )
        if MODIFIED in together.columns:
            together = together.with_columns(pl.col(MODIFIED).fill_null(self.taken_at).dt.cast_time_unit("ms"))
        return together.unique("id", keep="last").sort("id")

    def _present(self, table: str) -> pl.LazyFrame:
        if not self.snapshot.has(table):
            return pl.LazyFrame(schema=TABLES[table].schema)
        return present(self.snapshot.all_rows(table), gone_after=self.gone_after)

    def _part(self, part: str) -> pl.LazyFrame:
        """The rows of a part that are not withdrawn."""
        rows = self._present(part)
        listed = "status" in rows.collect_schema()
        return rows.filter(pl.col("status").ne_missing("tobedeleted")) if listed else rows


def _write(frame: pl.LazyFrame, path: Path) -> None:
    """Piece by piece; with the bounds of each group of rows, so that a record is found by its id."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.sink_parquet(path, row_group_size=ROWS_PER_GROUP, compression="lz4", statistics=True)


def _opened_rows(path: Path) -> Rows:
    frame = pl.scan_parquet(path)
    frame.collect_schema()
    return Rows(path, frame, int(frame.select(pl.len()).collect().item()))


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
        for run_id in run_store.done_ids(site.store, site.id, sync.name):
            folder = site.district.data / "runs" / run_id / "desired"
            if folder.is_dir():
                return sync, row, folder
        return sync, row, None
    return None


def _remove_others(folder: Path, held: Tables | None) -> None:
    """Tables of earlier snapshots; those that pages may still be cut from stay."""
    keep: Sequence[Path] = (folder, held.folder) if held else (folder,)
    for other in folder.parent.glob("*"):
        if other not in keep:
            shutil.rmtree(other, ignore_errors=True)
