"""The tables that a mapping gives, as files: written part by part, in bounded memory, sorted, and with the same bytes
however the evidence was cut and in whatever order it came.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import polars as pl

from gateway.core.mapping import Mapped
from gateway.core.mapping.result import UNMATCHED, sum_unmatched

TABLES = ("levels", "continuum", "credits", "unmatched", "placement")
SORTED_BY: Mapping[str, tuple[str, ...]] = {
    "levels": ("student_id", "competency"),
    "continuum": ("student_id", "domain"),
    "credits": ("student_id", "credit", "part"),
    "placement": ("student_id", "domain"),
}
_GROUP = 100_000
_RANGE = 1_000_000
_TIMES = "%Y-%m-%dT%H:%M:%SZ"


class Format(StrEnum):
    """How tables are written."""

    CSV = "csv"
    PARQUET = "parquet"


class Tally:
    """Counts what the parts of a mapping gave: ``evidence``, ``used``, ``set_aside``, ``rows`` by table, and
    ``unmatched`` of all."""

    def __init__(self) -> None:
        self.evidence = 0
        self.used = 0
        self.set_aside: Counter[str] = Counter()
        self.rows = dict.fromkeys(TABLES, 0)
        self.unmatched = pl.DataFrame(schema=dict(UNMATCHED))

    def add(self, mapped: Mapped) -> None:
        """Take the tables of one part."""
        for name in SORTED_BY:
            self.rows[name] += getattr(mapped, name).height
        self.unmatched = sum_unmatched(pl.concat([self.unmatched, mapped.unmatched]))
        self.rows["unmatched"] = self.unmatched.height
        self.evidence += mapped.evidence
        self.used += mapped.used
        self.set_aside.update(mapped.set_aside)


class TableWriter(Tally):
    """Writes the tables of one part after the other into a folder, one file each; used as a context manager.

    The parts may come in any order of their students; each student stands in one part only. Files appear only when all
    is well.
    """

    def __init__(self, folder: Path, form: Format = Format.CSV) -> None:
        super().__init__()
        self.folder = folder
        self.form = form
        self._students: list[tuple[str, str]] = []
        self._parts = 0
        self._work: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> TableWriter:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._work = tempfile.TemporaryDirectory(prefix="tables-", dir=self.folder)
        return self

    def add(self, mapped: Mapped) -> None:
        super().add(mapped)
        for name, keys in SORTED_BY.items():
            frame: pl.DataFrame = getattr(mapped, name)
            frame.sort(keys).write_parquet(self._part(name, self._parts), compression="lz4", row_group_size=_GROUP)
        self._parts += 1
        students = mapped.levels["student_id"]
        if len(students):
            self._students.append((str(students.min()), str(students.max())))

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Put the parts together, unless something failed."""
        assert self._work is not None, "the writer was entered"  # noqa: S101
        with self._work:
            if kind is not None or not self._parts:
                return
            self._write("unmatched", self.unmatched.lazy())
            for name in SORTED_BY:
                files = [self._part(name, n) for n in range(self._parts)]
                self._write(name, pl.scan_parquet(files if self._rising() else self._merged(name, files)))

    def _rising(self) -> bool:
        return all(last < first for (_, last), (first, _) in zip(self._students, self._students[1:], strict=False))

    def _merged(self, name: str, files: list[Path]) -> list[Path]:
        """Files with the same rows in the order of the students, one range of students after the other."""
        rows = pl.scan_parquet(files)
        counts = rows.group_by("student_id").agg(pl.len()).collect(engine="streaming").sort("student_id")
        number = (counts["len"].cast(pl.Int64).cum_sum() - 1) // _RANGE
        ranges = counts.group_by(number.alias("number"), maintain_order=True).agg(
            pl.col("student_id").first().alias("first"), pl.col("student_id").last().alias("last")
        )
        merged = []
        for n, first, last in ranges.rows():
            merged.append(self._part(f"{name}-merged", n))
            chosen = rows.filter(pl.col("student_id").is_between(pl.lit(first), pl.lit(last)))
            chosen.collect(engine="streaming").sort(SORTED_BY[name]).write_parquet(merged[-1], compression="lz4")
        return merged or files

    def _part(self, name: str, number: int) -> Path:
        assert self._work is not None, "the writer was entered"  # noqa: S101
        return Path(self._work.name) / f"{name}-{number:06}.parquet"

    def _write(self, name: str, table: pl.LazyFrame) -> None:
        assert self._work is not None, "the writer was entered"  # noqa: S101
        path = Path(self._work.name) / f"{name}.{self.form}"
        if self.form is Format.CSV:
            table.sink_csv(path, datetime_format=_TIMES, engine="streaming")
        else:
            table.sink_parquet(path, compression="zstd", statistics=False, row_group_size=_GROUP, engine="streaming")
        path.replace(self.folder / path.name)
