"""Makes small bundles and pulls them whole."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from connectors.oneroster_csv import OneRosterCsv
from gateway.core.connector import Context
from gateway.core.exchange import REJECTS, Stream
from gateway.core.oneroster import CSV_FILES

NOW = datetime(2026, 9, 1, 2, 15, tzinfo=UTC)


def header(name: str, version: str = "1.2") -> str:
    return ",".join(CSV_FILES[version][name].header)


def record(file_name: str, version: str = "1.2", /, **cells: str) -> str:
    """A line of the file with these cells, the others empty."""
    return ",".join(cells.get(column, "") for column in CSV_FILES[version][file_name].header)


def manifest(version: str = "1.2", **modes: str) -> str:
    lines = ["propertyName,value", "manifest.version,1.0", f"oneroster.version,{version}"]
    return "\n".join([*lines, *(f"file.{name},{mode}" for name, mode in modes.items())]) + "\n"


def file(name: str, *records: str, version: str = "1.2") -> str:
    return "\n".join([header(name, version), *records]) + "\n"


def make(folder: Path, files: Mapping[str, str | bytes], *, zipped: bool = False) -> Path:
    """A bundle of these files, as a folder or as a zip."""
    path = folder / ("bundle.zip" if zipped else "bundle")
    contents = {name: content.encode() if isinstance(content, str) else content for name, content in files.items()}
    if zipped:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
        return path
    path.mkdir(exist_ok=True)
    for name, content in contents.items():
        (path / name).write_bytes(content)
    return path


def connect(path: Path, work: Path, now: datetime = NOW, **settings: object) -> OneRosterCsv:
    loaded = OneRosterCsv.Settings().load({"path": str(path), **settings})
    return OneRosterCsv(loaded, Context("district", "connection", path.parent, work, lambda: now))


@dataclass
class Pulled:
    """All that a pull delivered."""

    frames: dict[str, pl.DataFrame] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def rejects(self) -> list[tuple[object, ...]]:
        columns = ("table", "id", "code", "field", "_source", "_line")
        return self.frames[REJECTS].select(columns).rows() if REJECTS in self.frames else []

    def column(self, table: str, name: str) -> list[object]:
        return self.frames[table][name].to_list()


def pull(path: Path, work: Path, **settings: object) -> Pulled:
    connector = connect(path, work, **settings)
    pulled = Pulled()
    parts: dict[str, list[pl.DataFrame]] = {}
    for stream in connector.streams(None):
        pulled.streams[stream.name] = stream
        for page in connector.pull(stream, since=None, resume=None):
            pulled.warnings += page.warnings
            for table, frame in page.frames.items():
                parts.setdefault(table, []).append(frame)
    pulled.frames = {table: pl.concat(frames) for table, frames in parts.items()}
    return pulled
