"""Staged pages: raw rows as Parquet files, valid from the moment their database row commits with the cursor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.core.exchange import Page, PullMode, Stream
from gateway.store.database import Store
from gateway.store.schema import pages, streams
from gateway.transport.atomic import atomic_file
from gateway.transport.crash import crash_point


@dataclass(frozen=True, slots=True)
class Staged:
    """What a run has staged of one stream. ``resume`` continues after the last page; ``complete``: there is no more."""

    stream: Stream
    pages: int
    rows: int
    resume: str | None
    complete: bool
    files: Mapping[str, list[Path]]
    warnings: list[str]


def write_page(folder: Path, stream: Stream, number: int, page: Page) -> dict[str, str]:
    """The page's frames as files in ``folder``; file names by table. Not valid before :func:`commit_page`."""
    files = {}
    for table, frame in page.frames.items():
        if frame.is_empty() and number > 1:
            continue
        name = f"{number:06}-{table}.parquet"
        with atomic_file(folder / stream.name / name) as file:
            frame.write_parquet(file, compression="lz4")
        files[table] = f"{stream.name}/{name}"
    return files


def commit_page(
    connection: Connection, district: str, run_id: str, stream: Stream, number: int, page: Page, files: dict[str, str]
) -> None:
    """The page and the cursor behind it, in the caller's transaction; ``complete`` with the last page."""
    key = {"district": district, "run_id": run_id, "stream": stream.name}
    if number == 1:
        connection.execute(
            sa.insert(streams).values(**key, mode=stream.mode.value, tables=list(stream.tables), complete=False)
        )
    connection.execute(
        sa.insert(pages).values(
            **key,
            page=number,
            files=files,
            rows=sum(frame.height for frame in page.frames.values()),
            resume=page.resume,
            warnings=list(page.warnings),
        )
    )
    crash_point("stage.in-transaction")
    if page.resume is None:
        mine = sa.and_(*(streams.c[name] == value for name, value in key.items()))
        connection.execute(sa.update(streams).where(mine).values(complete=True))


def staged(store: Store, district: str, run_id: str, folder: Path) -> dict[str, Staged]:
    """What is validly staged, by stream."""
    mine = [
        store.rows(sa.select(table).where(table.c.district == district, table.c.run_id == run_id).order_by(*order))
        for table, order in ((streams, [streams.c.stream]), (pages, [pages.c.stream, pages.c.page]))
    ]
    by_stream: dict[str, list[dict[str, Any]]] = {}
    for row in mine[1]:
        by_stream.setdefault(row["stream"], []).append(row)
    return {row["stream"]: _staged(row, by_stream.get(row["stream"], []), folder) for row in mine[0]}


def _staged(row: Mapping[str, Any], its_pages: list[dict[str, Any]], folder: Path) -> Staged:
    files: dict[str, list[Path]] = {}
    for page in its_pages:
        for table, name in page["files"].items():
            files.setdefault(table, []).append(folder / name)
    return Staged(
        stream=Stream(row["stream"], tuple(row["tables"]), PullMode(row["mode"])),
        pages=len(its_pages),
        rows=sum(page["rows"] for page in its_pages),
        resume=its_pages[-1]["resume"] if its_pages else None,
        complete=row["complete"],
        files=files,
        warnings=[warning for page in its_pages for warning in page["warnings"]],
    )


def forget(connection: Connection, district: str, run_id: str, stream: str | None = None) -> None:
    """Forget what was staged (of one stream), to pull it again from the start."""
    for table in (pages, streams):
        query = sa.delete(table).where(table.c.district == district, table.c.run_id == run_id)
        connection.execute(query if stream is None else query.where(table.c.stream == stream))


def read_page(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path, memory_map=False)
