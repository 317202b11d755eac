"""Writes a OneRoster 1.2 CSV bundle table by table and chunk by chunk, in the binding's file names and columns."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO

import polars as pl

from gateway.core.errors import InternalError
from gateway.core.oneroster import CSV_FILES, MANIFEST, MANIFEST_HEADER, FileMode, manifest_rows

VERSION = "1.2"
SYSTEM_NAME = "mastery-gateway sample district"


class BundleWriter:
    """An open bundle in ``folder``: each file appears with its header at the first write to it.

    The manifest is written last, so that a bundle without one was not finished. ``rows`` counts the rows of each file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: Counter[str] = Counter()
        self._files: dict[str, IO[bytes]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> BundleWriter:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in (MANIFEST, *CSV_FILES[VERSION]):
            (self.folder / f"{name}.csv").unlink(missing_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stack.close()
        if error is None:
            self._write_manifest()

    def write(self, name: str, frame: pl.DataFrame) -> None:
        """Append ``frame`` to file ``name``. Its columns are the file's, in any order; what it lacks is left blank."""
        header = CSV_FILES[VERSION][name].header
        unknown = set(frame.columns) - set(header)
        if unknown:
            raise InternalError(f"{name}.csv has no column {sorted(unknown)[0]}.")
        cells = [column if column in frame.columns else pl.lit(None, pl.String).alias(column) for column in header]
        frame.select(cells).write_csv(self._file(name, header), include_header=False)
        self.rows[name] += frame.height

    def write_rows(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        """:meth:`write` for a few rows with equal keys."""
        self.write(name, pl.DataFrame(list(rows), infer_schema_length=None))

    def _file(self, name: str, header: tuple[str, ...]) -> IO[bytes]:
        if name not in self._files:
            self._files[name] = self._stack.enter_context((self.folder / f"{name}.csv").open("wb"))
            self._files[name].write((",".join(header) + "\n").encode())
        return self._files[name]

    def _write_manifest(self) -> None:
        modes = dict.fromkeys(self._files, FileMode.BULK)
        rows = manifest_rows(VERSION, modes, system_name=SYSTEM_NAME, system_code="sample")
        with (self.folder / f"{MANIFEST}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([MANIFEST_HEADER, *rows])
