"""A small framework and a short way to compile a mapping and apply it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import pytest

from gateway.core.framework import Framework
from gateway.core.mapping import CompiledMapping, compile_mapping
from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.trace import trace
from gateway.core.model import TABLES
from gateway.transport.yaml_file import parse_document

ITEMS = [
    # id, code, parent, type, education level
    ("d-math", "MATH", None, "Domain", None),
    ("d-ela", "ELA", None, "Domain", None),
    ("d-how", "HOW", None, "Domain", None),
    ("m7ps", "MATH.7.PS", "d-math", "Competency", "07"),
    ("m7re", "MATH.7.RE", "d-math", "Competency", "07"),
    ("m8ps", "MATH.8.PS", "d-math", "Competency", "08"),
    ("m8re", "MATH.8.RE", "d-math", "Competency", "08"),
    ("e7r", "ELA.7.R", "d-ela", "Competency", "07"),
    ("e8r", "ELA.8.R", "d-ela", "Competency", "08"),
    ("how1", "HOW.1", "d-how", "Competency", None),
]


def typed(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = TABLES[table].schema
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def make_framework(
    items: list[tuple[str, str | None, str | None, str | None, str | None]] = ITEMS,
    associations: list[tuple[str, str, str]] = (),  # type: ignore[assignment]
    *,
    id: str = "fw",
    title: str = "Lakeside",
    rubrics: Mapping[str, list[dict[str, Any]]] | None = None,
) -> Framework:
    competencies = [
        {"id": each, "framework_id": id, "code": code, "statement": f"Statement of {code}", "item_type": kind,
         "education_levels": [level] if level else None}
        for each, code, _, kind, level in items
    ]  # fmt: skip
    edges = [("isChildOf", each, parent or id) for each, _, parent, _, _ in items] + list(associations)
    frames = {
        "frameworks": typed("frameworks", [{"id": id, "title": title}]),
        "competencies": typed("competencies", competencies),
        "associations": typed(
            "associations",
            [
                {"id": f"{id}-{n}", "framework_id": id, "type": kind, "origin_id": origin, "destination_id": end,
                 "sequence_number": n}
                for n, (kind, origin, end) in enumerate(edges)
            ],
        ),
        **{name: typed(name, rows) for name, rows in (rubrics or {}).items()},
    }  # fmt: skip
    return Framework.from_tables(frames)


BASE = """
mapping: lakeside
version: "2026.1"
framework: frameworks/lakeside.json
scales:
  four-point:
    proficient: 3
    numeric: {from: 0, to: 4, step: 0.5}
    states: {M: missing, EX: excused, NYA: not_assessed}
align:
  - learning_objectives: case
  - codes: standard
summarize:
  default: {method: most_recent}
"""


def compiled(text: str = BASE, framework: Framework | None = None, **more: Any) -> CompiledMapping:
    return compile_mapping(parse_document(text, "lakeside.yaml"), framework=framework or make_framework(), **more)


_START = datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC)


def evidence(rows: list[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows with ``S1`` as student and one day after the other, unless they say otherwise."""
    full = [
        {"student_id": "S1", "score": None,
         "scored_at": _START + datetime.timedelta(days=n), "result_id": f"r{n:03}", **row}
        for n, row in enumerate(rows)
    ]  # fmt: skip
    return pl.DataFrame(full, infer_schema_length=None)


@pytest.fixture
def levels_of() -> Callable[..., dict[str, Any]]:
    """The levels of one student by competency."""

    def apply(mapping: CompiledMapping, rows: list[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        levels = mapping.apply(evidence(rows), **more).levels
        return {row["competency"]: row["level"] for row in levels.rows(named=True)}

    return apply


def everywhere(
    mapping: CompiledMapping, frame: pl.DataFrame, as_of: datetime.date | None = None
) -> dict[tuple[str, str], tuple[Any, str]]:
    """Level and state by student and competency, as the tables have them; the trace, and the way of few results where
    the mapping has one, must say the same."""
    tables = mapping.summarise(mapping.collect(frame, as_of=as_of), evidence=frame.height, as_of=as_of).levels
    found = {(row["student_id"], row["competency"]): (row["level"], row["state"]) for row in tables.rows(named=True)}
    assert mapping.apply(frame, as_of=as_of).levels.equals(tables)
    traced = {
        (str(student), mapping.label(id)): (
            None if level.level is None else from_micros(level.level, mapping.places), str(level.state)
        )
        for student in frame["student_id"].unique().drop_nulls()
        for id, level in trace(mapping, frame, student, as_of).levels.items()
    }  # fmt: skip
    assert traced == found
    return found
