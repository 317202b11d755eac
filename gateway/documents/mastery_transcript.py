"""The mastery transcript: credits, competencies and their evidence, and nothing that could be taken for a grade.

No level, score, letter or GPA stands on it. Whoever needs an equivalent gets it as a document of its own, the GPA
statement, which names this one by its code.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import polars as pl

from gateway.core.errors import DataError
from gateway.core.framework import Framework
from gateway.core.mapping import CompiledMapping
from gateway.core.mapping.credits import TOTAL
from gateway.core.mapping.language import State
from gateway.core.mapping.scales import plain
from gateway.core.mapping.trace import Item, Level, trace
from gateway.documents.desk import Order
from gateway.documents.gpa_report import Student
from gateway.documents.issue import DocumentKind, Rules, digest_of
from gateway.documents.page import print_pdf

MOST_EVIDENCE = 5
"""So many of the newest pieces of evidence are named under a competency; of the others only how many there are."""

_LINKS = ("evidence_url", "url", "link")
_GIVEN = (State.CALCULATED, State.MODIFIED, State.OVERRIDDEN)


@dataclass(frozen=True, slots=True)
class CreditRow:
    """One part of a kind of credit; of a grid one cell, with its column. ``required``: empty where nothing is."""

    name: str
    cell: str
    earned: str
    required: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Credit:
    """A kind of credit (foundation, advanced) with its parts and its total."""

    name: str
    rows: tuple[CreditRow, ...]
    total: CreditRow | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a grid; none for a plain list."""
        return tuple(dict.fromkeys(row.cell for row in self.rows)) if all(row.cell for row in self.rows) else ()

    @property
    def lines(self) -> dict[str, tuple[CreditRow, ...]]:
        """The rows of a grid by name."""
        lines: dict[str, list[CreditRow]] = {}
        for row in self.rows:
            lines.setdefault(row.name, []).append(row)
        return {name: tuple(cells) for name, cells in lines.items()}


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence; never with its score."""

    title: str
    where: str
    day: str
    link: str


@dataclass(frozen=True, slots=True)
class Mastery:
    """A competency, whether it is mastered, and its newest evidence; ``more`` pieces are not named."""

    code: str
    statement: str
    mastered: bool
    modified: bool
    evidence: tuple[Piece, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Area:
    """An area of the framework with its competencies."""

    title: str
    mastered: tuple[Mastery, ...]
    working: tuple[Mastery, ...]


def transcript_orders(
    mapping: CompiledMapping,
    evidence: pl.DataFrame,
    students: Mapping[str, Student],
    *,
    as_of: datetime.date | None = None,
) -> list[Order]:
    """The mastery transcripts of ``students``; ``evidence`` holds all results of each of them.

    Raises :class:`DataError` (``documents.proficient``) if the mapping does not say what mastered means.
    """
    if mapping.proficient is None:
        raise DataError(
            f"The mapping {mapping.name} does not say from which level on a competency is mastered.",
            hint="Add `proficient` to its scale.",
            code="documents.proficient",
        )
    mine = evidence.filter(pl.col("student_id").cast(pl.String).is_in(list(students)))
    credits = mapping.apply(mine, as_of=as_of).credits
    rows = _by_student(mine)
    earned = _by_student(credits)
    return [
        _order(mapping, student, rows.get(id, mine.clear()), earned.get(id, credits.clear()), as_of)
        for id, student in students.items()
    ]


def _by_student(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    texts = frame.with_columns(pl.col("student_id").cast(pl.String))
    return {str(key[0]): part for key, part in texts.partition_by("student_id", as_dict=True).items()}


def _order(
    mapping: CompiledMapping,
    student: Student,
    evidence: pl.DataFrame,
    credits: pl.DataFrame,
    as_of: datetime.date | None,
) -> Order:
    levels = trace(mapping, evidence, student.id, as_of).levels
    return Order(
        kind=DocumentKind.MASTERY_TRANSCRIPT,
        title="Mastery transcript",
        make=partial(print_pdf, "mastery_transcript.html"),
        content={
            "student": student,
            "credits": credit_tables(mapping.framework, credits),
            "areas": areas(mapping, levels),
            "framework": mapping.framework.title,
        },
        rules=(Rules(mapping.name, mapping.version, mapping.digest),),
        inputs_digest=digest_of(evidence, words=[student.name, str(as_of)]),
        student_id=student.id,
        about=student.shown,
        name=student.id,
    )


def credit_tables(framework: Framework, credits: pl.DataFrame) -> tuple[Credit, ...]:
    """The credits of one student by kind, in the order of the mapping; parts by the words of the framework."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for row in credits.iter_rows(named=True):
        kinds.setdefault(row["credit"], []).append(row)
    names = {each.label: title(each) for each in framework.competencies.values()}
    tables = []
    for kind in sorted(kinds, key=lambda name: (name != "foundation", name)):
        rows = {row["part"]: _credit_row(names, row) for row in kinds[kind]}
        total = rows.pop(TOTAL, None)
        tables.append(Credit(kind.replace("_", " ").capitalize(), tuple(rows.values()), total))
    return tuple(tables)


def _credit_row(names: Mapping[str, str], row: Mapping[str, Any]) -> CreditRow:
    part, times, cell = str(row["part"]).partition(" × ")
    name = names.get(part, "All areas" if part == TOTAL else part)
    return CreditRow(
        name=name,
        cell=cell if times else "",
        earned=_count(row["earned"]),
        required=_count(row["required"]),
        complete=bool(row["complete"]),
    )


def _count(number: Decimal | None) -> str:
    return "" if number is None else plain(number)


def areas(mapping: CompiledMapping, levels: Mapping[str, Level]) -> tuple[Area, ...]:
    """The competencies with a level by area of the framework, those with evidence of their own only."""
    framework = mapping.framework
    tops = framework.top_level
    found: dict[str, list[Mastery]] = {}
    for id in sorted(levels, key=lambda id: framework.competencies[id].position):
        level = levels[id]
        if level.state not in _GIVEN or level.level is None or (level.inputs and not level.used):
            continue
        area = framework.domain_of(id, tops) or id
        found.setdefault(area, []).append(_mastery(framework, mapping, level))
    return tuple(
        Area(
            title(framework.competencies[area]),
            tuple(each for each in mine if each.mastered),
            tuple(each for each in mine if not each.mastered),
        )
        for area, mine in found.items()
    )


def title(item: Any) -> str:
    """The short words of a framework's item."""
    return str(item.abbreviated_statement or item.statement)


def _mastery(framework: Framework, mapping: CompiledMapping, level: Level) -> Mastery:
    item = framework.competencies[level.competency]
    threshold = mapping.summarizer.summaries.scale_of[level.competency].proficient
    pieces = sorted(level.used, key=lambda each: each.order, reverse=True)
    return Mastery(
        code=item.code or "",
        statement=item.statement,
        mastered=threshold is not None and level.level is not None and level.level >= threshold,
        modified=level.state is State.MODIFIED,
        evidence=tuple(_piece(each) for each in pieces[:MOST_EVIDENCE]),
        more=max(0, len(pieces) - MOST_EVIDENCE),
    )


def _piece(item: Item) -> Piece:
    row = item.row
    time = row.get("scored_at")
    link = next((str(row[name]) for name in _LINKS if row.get(name)), "")
    return Piece(
        title=str(_first(row, ("line_item_title", "line_item_id", "category")) or "Evidence"),
        where=str(_first(row, ("class_title", "course_title")) or ""),
        day=f"{time.day} {time:%B %Y}" if isinstance(time, datetime.datetime) else "",
        link=link if link.startswith(("https://", "http://")) else "",
    )


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name)), None)
