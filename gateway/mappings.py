"""Loads mappings from disk, with the frameworks and crosswalks that they name, and runs their examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.case import check_packages, read_packages
from gateway.core.case_csv import read_opensalt_csv
from gateway.core.document import Document
from gateway.core.errors import ConfigurationError, DataError, IncompletePullError, MappingError, raise_problems
from gateway.core.framework import Framework
from gateway.core.mapping import CompiledMapping, Failure, compile_mapping, run_examples
from gateway.core.mapping.language import MappingSchema
from gateway.core.validation import validate
from gateway.table_file import read_table
from gateway.transport.json_body import decode_page
from gateway.transport.yaml_file import read_document

__all__ = ["Failure", "framework_tables", "in_force", "load_framework", "load_mapping", "named_files", "run_examples"]

_FRAMEWORKS = ("framework", "other_frameworks")


def load_mapping(path: Path, *, framework: Framework | None = None) -> CompiledMapping:
    """The mapping in the file at ``path``. Paths in it start at its own folder. A ``framework`` that was pulled takes
    the place of the file that the mapping names, if it names one.

    Raises :class:`ConfigurationError` with the file and line of every fault.
    """
    document = read_document(path)
    problems: list[ConfigurationError] = []
    found: dict[tuple[str | int, ...], Any] = {} if framework is None else {("framework",): framework}
    for where, name in named_files(document):
        if where in found:
            continue
        try:
            read = load_framework if where[0] in _FRAMEWORKS else read_table
            found[where] = read(path.parent / name)
        except ConfigurationError as error:
            problems.append(_at(document, where, error))
    if problems:
        faults = validate(MappingSchema(), document, error=MappingError, code="mapping.invalid")[1]
        raise_problems(sorted([*problems, *faults], key=lambda each: (each.place.line if each.place else None) or 0))
    if ("framework",) not in found:
        raise MappingError(
            "The mapping names no framework.",
            hint="Add `framework:` with the path of a CASE package, or name its connection in the sync.",
            code="mapping.framework",
            place=document.place("framework"),
        )
    return compile_mapping(
        document,
        framework=found[("framework",)],
        crosswalks={name: found[where] for where, name in named_files(document) if where[0] not in _FRAMEWORKS},
        other_frameworks={str(where[1]): each for where, each in found.items() if where[0] == "other_frameworks"},
    )


def in_force(mapping: CompiledMapping, day: date) -> MappingError | None:
    """What is wrong with using ``mapping`` on ``day``: an error to tell or to raise, if its file says that it is not
    ``effective`` then."""
    window = mapping.effective
    if window is None or window.holds(day):
        return None
    until = f"until {window.last}" if window.last else "on"
    return MappingError(
        f"The mapping {mapping.name} {mapping.version} is in force from {window.first} {until}, not on {day}.",
        hint="Use the version that holds then, or correct `effective`.",
        code="mapping.not-in-force",
        place=mapping.document.place("effective"),
    )


def named_files(document: Document) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """The files that a mapping names, each with the place in the document where it does."""
    data: Mapping[str, Any] = document.data
    if isinstance(data.get("framework"), str):
        yield ("framework",), data["framework"]
    others = data.get("other_frameworks")
    for name, file in others.items() if isinstance(others, dict) else ():
        yield ("other_frameworks", name), str(file)
    for table in ("modified_scales", "overrides"):
        if isinstance(data.get(table), str):
            yield (table,), data[table]
    portfolio = data.get("portfolio")
    if isinstance(portfolio, dict) and isinstance(portfolio.get("baselines"), str):
        yield ("portfolio", "baselines"), portfolio["baselines"]
    ways = data.get("align")
    for n, way in enumerate(ways if isinstance(ways, list) else ()):
        if isinstance(way, dict) and isinstance(way.get("crosswalk"), str):
            yield ("align", n, "crosswalk"), way["crosswalk"]


def load_framework(path: Path) -> Framework:
    """The competency framework at ``path``: a CASE package (JSON), or a table in OpenSALT's columns (CSV)."""
    return Framework.from_tables(framework_tables(path))


def framework_tables(path: Path) -> Mapping[str, pl.DataFrame]:
    """The same as typed canonical tables.

    Raises :class:`MappingError` if there is no such file, or if it is neither.
    """
    if not path.is_file():
        raise MappingError(f"{path} does not exist.", hint="Check the path.", code="mapping.missing-file")
    try:
        if path.suffix.lower() == ".csv":
            text = path.read_text(encoding="utf-8-sig")
            packages = read_opensalt_csv(text, source=str(path), title=path.stem)
        else:
            packages = read_packages(decode_page(path.read_bytes(), object, source=str(path)), source=str(path))
    except UnicodeDecodeError as error:
        hint = "Save it as UTF-8."
        raise MappingError(f"{path} is not UTF-8 text.", hint=hint, code="mapping.missing-file") from error
    except (DataError, IncompletePullError) as error:
        raise MappingError(error.message, hint=error.hint, code=error.code, place=error.place) from error
    return check_packages(packages.frames).tables


def _at(document: Document, where: tuple[str | int, ...], error: ConfigurationError) -> ConfigurationError:
    """``error`` with the place in the mapping, if it has none of its own."""
    if error.place is not None or error.problems:
        return error
    return MappingError(error.message, hint=error.hint, code=error.code, place=document.place(*where))
