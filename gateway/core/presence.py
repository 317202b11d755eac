"""Who is there and who is gone: a pull merged with the last good snapshot.

Every snapshot row counts in ``_missing`` how many complete pulls in a row lacked it (or called it ``tobedeleted``).
A row is *gone* when it was missing in as many complete pulls as the sync says (two by default); until then everything
goes on as if it were there. A record in quarantine is there: its last good version stays.

With an incomplete pull this module is never called; nothing can vanish then.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from gateway.core.exchange import PullMode
from gateway.core.guard import Churn
from gateway.core.model import LINE, SOURCE, Table

MISSING = "_missing"

KEY_COLUMNS = {
    "users": ("username", "identifier", "user_master_identifier", "email"),
    "orgs": ("identifier",),
    "courses": ("course_code",),
}
"""Columns by which other systems know a record; hard references count as well."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """One table (or one partition of it) as pulled.

    ``rows`` are good rows, ``deleted`` the ids delivered as ``tobedeleted``, ``delivered`` all ids of the whole table
    in this pull, good, bad or deleted. ``absence_counts``: rows that were not delivered are missing (a complete pull
    without unreadable ids).
    """

    rows: pl.DataFrame
    deleted: pl.Series
    delivered: pl.Series
    mode: PullMode
    absence_counts: bool


def merge(
    previous: pl.DataFrame | None, pulled: Pulled, table: Table, *, gone_after: int
) -> tuple[pl.DataFrame, Churn]:
    """The table's new snapshot rows (with :data:`MISSING`), and what the pull did to the last one."""
    fresh = pulled.rows.drop(SOURCE, LINE).with_columns(pl.lit(0, pl.UInt8).alias(MISSING))
    if previous is None:
        return fresh, Churn(after=fresh.height, delivered=fresh.height, added=fresh.height)
    kept = previous.join(fresh.select("id"), on="id", how="anti").with_columns(_missing_now(pulled).alias(MISSING))
    # a gone row is kept for one more pull and then forgotten; it can still come back under its id
    rows = pl.concat([fresh, kept]).filter(pl.col(MISSING) <= gone_after)
    return rows, _churn(previous, fresh, kept, table)


def _missing_now(pulled: Pulled) -> pl.Expr:
    """The new count of a row that did not come back good."""
    missing = pl.col(MISSING)
    one_more = pl.when(missing < 250).then(missing + 1).otherwise(missing)
    deleted = pl.col("id").is_in(pulled.deleted.implode())
    delivered = pl.col("id").is_in(pulled.delivered.implode())
    if pulled.mode is PullMode.DELTA:
        return (
            pl.when(deleted).then(one_more).when(delivered | (missing == 0)).then(0).otherwise(one_more).cast(pl.UInt8)
        )
    absent = one_more if pulled.absence_counts else missing
    return pl.when(deleted).then(one_more).when(delivered).then(0).otherwise(absent).cast(pl.UInt8)


def _churn(previous: pl.DataFrame, fresh: pl.DataFrame, kept: pl.DataFrame, table: Table) -> Churn:
    content = [name for name in table.names if name != "date_last_modified" and name != "id"]
    keys = [n for n in KEY_COLUMNS.get(table.name, ()) if n in table.names]
    keys += [c.name for c in table.columns if c.references and c.hard and c.name != "id"]
    before = previous.select("id", pl.col(MISSING).alias("_was"), *_hashes(content, keys, "_old"))
    after = fresh.select("id", *_hashes(content, keys, "_new"))
    met = after.join(before, on="id", how="left")
    known = met.filter(pl.col("_was").is_not_null())
    was_there = known.filter(pl.col("_was") == 0)
    newly = kept.join(before.select("id", "_was"), on="id").filter((pl.col(MISSING) > 0) & (pl.col("_was") == 0))
    return Churn(
        before=int((previous[MISSING] == 0).sum()),
        after=fresh.height + int((kept[MISSING] == 0).sum()),
        delivered=fresh.height,
        added=met.height - known.height,
        updated=int((was_there["_old"] != was_there["_new"]).sum()),
        rekeyed=int((was_there["_oldkey"] != was_there["_newkey"]).sum()) if keys else 0,
        gone=newly.height,
        returned=known.height - was_there.height,
    )


def _hashes(content: list[str], keys: list[str], name: str) -> list[pl.Expr]:
    hashed = [pl.struct(content).hash(7).alias(name)]
    return [*hashed, pl.struct(keys).hash(8).alias(f"{name}key")] if keys else hashed


def merge_links(
    previous: pl.DataFrame | None, pulled: Pulled, table: Table, *, parents: pl.DataFrame, with_parents: bool
) -> tuple[pl.DataFrame, Churn]:
    """The rows that belong to parent records, such as a result's learning objectives.

    ``parents`` are the parent table's new snapshot rows with ``_fresh`` (came good in this pull). Links of fresh
    parents are what was delivered now; other parents keep theirs. ``with_parents``: links travel inside their parents
    (REST); otherwise (CSV) a delta names single links, and those of untouched parents stay.
    """
    column = table.part_of[1] if table.part_of else "id"
    fresh = pulled.rows.drop(SOURCE, LINE)
    alive = fresh.join(parents.select(pl.col("id").alias(column)), on=column, how="semi")
    if previous is None:
        return alive, Churn(after=alive.height, delivered=fresh.height, added=alive.height)
    kept = previous.join(parents.select(pl.col("id").alias(column)), on=column, how="semi")
    if with_parents or pulled.mode is PullMode.FULL:
        replaced = parents.filter("_fresh") if (with_parents or pulled.absence_counts) else parents.head(0)
        kept = kept.join(replaced.select(pl.col("id").alias(column)), on=column, how="anti")
    kept = kept.join(alive.select(table.key), on=list(table.key), how="anti", nulls_equal=True)
    if len(pulled.deleted):
        named = pl.concat_str([pl.col(k).fill_null("") for k in table.key], separator="\x1f")
        kept = kept.filter(~named.is_in(pulled.deleted.implode()))
    rows = pl.concat([alive, kept])
    gone = previous.join(rows.select(table.key), on=list(table.key), how="anti", nulls_equal=True).height
    return rows, Churn(
        before=previous.height,
        after=rows.height,
        delivered=fresh.height,
        added=max(rows.height - (previous.height - gone), 0),
        gone=gone,
    )


def present(rows: pl.DataFrame | pl.LazyFrame, *, gone_after: int) -> pl.LazyFrame:
    """The snapshot's rows that count as there, without the bookkeeping column."""
    frame = rows.lazy()
    names = frame.collect_schema().names()
    return frame.filter(pl.col(MISSING) < gone_after).drop(MISSING) if MISSING in names else frame
