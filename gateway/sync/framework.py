"""The framework of a sync that pulls it from a CASE provider instead of naming a file in the mapping."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

import polars as pl

from gateway.core.case import check_packages, read_packages
from gateway.core.case_package import case_package
from gateway.core.errors import ConfigurationError, MappingError
from gateway.core.exchange import Source
from gateway.core.framework import Framework
from gateway.core.model import FRAMEWORK_TABLES, empty
from gateway.settings import District, open_connection
from gateway.sync.work import Work
from gateway.transport.atomic import atomic_file

BASE_URI = "https://mastery-gateway.invalid/framework"
"""Stands in the links of the copy on disk, which nobody follows."""


def pull_framework(work: Work, adapters: Mapping[str, Any]) -> Framework | None:
    """The framework of the sync's ``framework`` connection, or ``None`` if it has none.

    A copy is kept as ``map/framework.json`` of the run; a run that goes on uses that one.
    """
    name = work.sync.framework
    if name is None:
        return None
    copy = work.folder / "map" / "framework.json"
    if not copy.exists():
        frames = _pulled(work.district, name, now=work.now, adapters=adapters)
        checked = check_packages(frames)
        if checked.tables["frameworks"].is_empty():
            raise MappingError(
                f'The connection "{name}" delivered no framework.',
                hint="Look at its settings `documents`, and try `mastery-gateway connect test`.",
                code="mapping.no-framework",
            )
        with atomic_file(copy) as file:
            file.write(json.dumps(case_package(checked.tables, base_uri=BASE_URI)).encode())
    read = read_packages(json.loads(copy.read_text(encoding="utf-8")), source=copy.name)
    return Framework.from_tables(check_packages(read.frames).tables)


def _pulled(
    district: District, name: str, *, now: Callable[[], datetime], adapters: Mapping[str, Any]
) -> dict[str, pl.DataFrame]:
    """The raw framework tables, all pages of all streams."""
    connector = open_connection(district, name, now=now, adapters=adapters)
    if not isinstance(connector, Source):
        raise ConfigurationError(f'The connection "{name}" is no source.', code="sync.roles")
    found: dict[str, list[pl.DataFrame]] = {table: [empty(table, raw=True)] for table in FRAMEWORK_TABLES}
    with closing(connector):
        for stream in connector.streams(None):
            for page in connector.pull(stream, since=None, resume=None):
                for table, frame in page.frames.items():
                    if table in found:
                        found[table].append(frame)
    return {table: pl.concat(frames) for table, frames in found.items()}
