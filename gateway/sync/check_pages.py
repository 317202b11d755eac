"""The pages of one table: types, duplicates, references and limits, page by page, two at a time; good rows as files.

The rules are in :mod:`gateway.core.check`. What is good stands in ``<work>/<table>/part-NNN/``, cut by student if the
table is partitioned; :class:`Outcome` holds the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

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
from gateway.core.model import LINE, SOURCE, Table
from gateway.core.partition import part_of
from gateway.core.values import DateOrder
from gateway.store.staging import read_page
from gateway.sync.workers import in_order

RawPage = Callable[[], pl.DataFrame]
"""A raw page that is read when it is needed."""


@dataclass(slots=True)
class Outcome:
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


@dataclass(frozen=True, slots=True)
class Against:
    """What the rows of a table are held against: dates, ids of other tables, and the limits of line items."""

    dates: DateOrder | None
    known: Mapping[str, pl.Series]
    quarantined: Mapping[str, pl.Series]
    limits: pl.DataFrame | None


class TablePages:
    """The check of one table's pages. ``parts``: into how many parts its good rows are cut."""

    def __init__(self, table: Table, against: Against, *, parts: int, work: Path) -> None:
        self.table = table
        self.against = against
        self.parts = parts
        self.work = work / table.name

    def check(self, raw: Sequence[RawPage]) -> Outcome:
        """Check all pages, once."""
        outcome = Outcome()
        typed = list(in_order(lambda number: self._typed(number, raw[number]()), range(len(raw))))
        for page in typed:
            outcome.deleted.append(page.deleted)
            outcome.note(page.quarantine, page.notes)
        self._refine(typed, outcome)
        return outcome

    def fresh(self, part: int) -> pl.DataFrame:
        """The good rows of one part, with their provenance."""
        files = self._files(part)
        schema = {**self.table.schema, SOURCE: pl.String(), LINE: pl.UInt32()}
        return pl.concat([pl.read_ipc(file) for file in files]) if files else pl.DataFrame(schema=schema)

    def fresh_ids(self, part: int) -> pl.Series:
        """Their ids alone."""
        files = self._files(part)
        return pl.scan_ipc(files).select("id").collect()["id"] if files else pl.Series("id", [], pl.String)

    def _files(self, part: int) -> list[Path]:
        folder = self.work / f"part-{part:03}"
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def _typed(self, number: int, raw: pl.DataFrame) -> _TypedPage:
        """Rule 1, and what rule 2 needs to know."""
        table = self.table
        deleted = pl.Series("id", [], pl.String)
        if "status" in table.names and raw["status"].null_count() < raw.height:
            gone = raw["status"].str.strip_chars().str.to_lowercase().is_in(["tobedeleted", "inactive"])
            deleted = _names(raw.filter(gone), table)
            raw = raw.filter(~gone.fill_null(False))
        checked = read_rows(raw, table, self.against.dates)
        file = self._write("typed", number, checked.rows)
        return _TypedPage(file, fingerprints(checked.rows, table, number), deleted, checked.quarantine, checked.notes)

    def _refine(self, pages: Sequence[_TypedPage], outcome: Outcome) -> None:
        """Duplicates, references and score limits; good rows go into the part of their student."""
        duplicates = find_duplicates(pl.concat([page.prints for page in pages])) if pages else None
        table, against = self.table, self.against

        def refine(group: Sequence[int]) -> list[Checked]:
            steps = [leave_out(pl.read_ipc(pages[n].file), table, n, duplicates) for n in group]
            rows = pl.concat([step.rows for step in steps])
            steps.append(check_references(rows, table, against.known, against.quarantined))
            if against.limits is not None:
                steps.append(check_scores(steps[-1].rows, table, against.limits))
            self._split(group[0], steps[-1].rows)
            return [replace(step, rows=step.rows.clear()) for step in steps]

        # links refer to one big table: looking them up all at once is much cheaper than page by page
        numbers = range(len(pages))
        groups = [[number] for number in numbers] if table.part_of is None else [list(numbers)] if pages else []
        for steps in in_order(refine, groups):
            for step in steps:
                outcome.note(step.quarantine, step.notes)

    def _split(self, number: int, rows: pl.DataFrame) -> None:
        if self.parts == 1:
            self._write("part-000", number, rows)
            return
        of = part_of(rows["student_id"], self.parts)
        for part in range(self.parts):
            self._write(f"part-{part:03}", number, rows.filter(of == part))

    def _write(self, kind: str, number: int, rows: pl.DataFrame) -> Path:
        path = self.work / kind / f"{number:06}.arrow"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.write_ipc(path)
        return path


def raw_pages(files: Sequence[Path], table: Table, aside: pl.DataFrame | None) -> list[RawPage]:
    """The staged pages of a table, and after them the rows of ``aside`` whose records are not among them."""
    pages: list[RawPage] = [partial(_read_raw, file, table) for file in files]
    return pages if aside is None else [*pages, partial(_not_delivered, aside, files, table)]


def _read_raw(file: Path, table: Table) -> pl.DataFrame:
    return _conform(read_page(file), table)


def _not_delivered(aside: pl.DataFrame, files: Sequence[Path], table: Table) -> pl.DataFrame:
    """The rows of ``aside`` whose records are not among the pages."""
    for file in files:
        aside = aside.join(read_page(file), on=list(table.key), how="anti", nulls_equal=True)
    return _conform(aside, table)


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
