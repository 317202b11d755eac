"""The NCAA worksheet: core courses by area, what was chosen, what each requirement has, and what came early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import polars as pl

from gateway.core.errors import DataError
from gateway.core.gpa.compute import GpaResult
from gateway.core.gpa.courses import Courses
from gateway.core.gpa.filters import canonical
from gateway.core.gpa.policy import Policy, Progression, Requirement, Selection
from gateway.core.gpa.students import read_students
from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.scales import plain
from gateway.documents import policy_words as say
from gateway.documents.desk import Order
from gateway.documents.gpa_report import Line, Part, Student, report_parts
from gateway.documents.issue import DocumentKind, digest_of, rules_of
from gateway.documents.page import print_pdf

_CHOSEN, _SPARE = "used", "a better selection does without it"


@dataclass(frozen=True, slots=True)
class AreaLine:
    """A core course on the worksheet. ``early``: completed before the seventh semester; empty if that is not known."""

    line: Line
    chosen: bool
    early: str


@dataclass(frozen=True, slots=True)
class Area:
    """The core courses of one subject area, with the units and quality points of the chosen ones."""

    name: str
    lines: tuple[AreaLine, ...]
    units: str
    quality: str


@dataclass(frozen=True, slots=True)
class Need:
    """A requirement, the units that the chosen courses have for it, and whether that is enough."""

    words: str
    needed: str
    has: str
    met: bool


@dataclass(frozen=True, slots=True)
class Worksheet:
    """One student's worksheet. ``early`` are the rows about the time before the seventh semester."""

    part: Part
    areas: tuple[Area, ...]
    needs: tuple[Need, ...]
    early: tuple[Need, ...]
    units: str
    target: str
    met: bool


def worksheet_orders(
    result: GpaResult,
    courses: pl.DataFrame,
    prepared: Courses,
    students: Mapping[str, Student],
    facts: pl.DataFrame | None,
) -> list[Order]:
    """The worksheets of ``students``. Raises :class:`DataError` (``documents.worksheet``) for a policy that selects no
    courses."""
    policy = result.policy
    if policy.selection is None:
        raise DataError(
            f"The policy {policy.name} selects no core courses.",
            hint="Use ncaa-d1 or ncaa-d2.",
            code="documents.worksheet",
        )
    parts = report_parts([result])
    days = _days(prepared, facts)
    orders = []
    for id, student in students.items():
        mine = courses.filter(pl.col("student_id").cast(pl.String) == id)
        rows = _rows(result, id)
        sheet = worksheet(policy, policy.selection, parts[id][0], rows, days)
        orders.append(
            Order(
                kind=DocumentKind.NCAA_WORKSHEET,
                title=f"{policy.title}: worksheet",
                make=partial(print_pdf, "ncaa_worksheet.html"),
                content={"student": student, "sheet": sheet, "part": sheet.part},
                rules=(rules_of(policy),),
                inputs_digest=digest_of(mine, words=[student.name]),
                student_id=id,
                about=student.shown,
                name=id,
            )
        )
    return orders


def worksheet(
    policy: Policy, selection: Selection, part: Part, rows: Sequence[Mapping[str, Any]], days: Mapping[int, bool | None]
) -> Worksheet:
    """The worksheet of one student: ``rows`` of the trace, and by line whether a course was completed early."""
    lines = {each.number: each for each in (*part.used, *part.aside)}
    core = [row for row in rows if row["why"] in (_CHOSEN, _SPARE) and row["points"] is not None]
    by_area: dict[str, list[Mapping[str, Any]]] = {}
    for row in core:
        by_area.setdefault(canonical(policy, "subject", row["subject"] or "") or "", []).append(row)
    order = list(dict.fromkeys(subject for each in selection.requirements for subject in sorted(each.subjects)))
    chosen = {area: _units(row for row in mine if row["used"]) for area, mine in by_area.items()}
    total = sum(chosen.values(), Decimal(0))
    early = {row["line"]: _early(selection.progression, row, days) for row in core}
    needs = _needs(selection.requirements, chosen)
    return Worksheet(
        part=part,
        areas=tuple(_area(name, by_area[name], lines, early) for name in order if name in by_area),
        needs=needs,
        early=_early_needs(policy, selection.progression, core, early),
        units=plain(total),
        target=f"{say.number(selection.units)} or more, less than {say.number(selection.below)}",
        met=from_micros(selection.units) <= total < from_micros(selection.below) and all(each.met for each in needs),
    )


def _rows(result: GpaResult, student: str) -> list[dict[str, Any]]:
    assert result.trace is not None  # noqa: S101
    return result.trace.filter(pl.col("student_id") == student).to_dicts()


def _days(prepared: Courses, facts: pl.DataFrame | None) -> dict[int, bool | None]:
    """By line: whether the course ended before the student's seventh semester, where both days are known."""
    starts = read_students(facts).select("student_id", "seventh_semester_on")
    known = prepared.rows.select("student_id", "line", "completed").join(starts, on="student_id", how="left")
    early = known.select("line", (pl.col("completed") < pl.col("seventh_semester_on")).alias("early")).drop_nulls()
    return dict(early.rows())


def _units(rows: Any) -> Decimal:
    return sum((row["units"] or Decimal(0) for row in rows), Decimal(0))


def _early(lock: Progression | None, row: Mapping[str, Any], days: Mapping[int, bool | None]) -> bool | None:
    if lock is None:
        return None
    known = days.get(row["line"])
    if known is not None:
        return known
    level = row["grade_level"]
    return None if level is None else int(level) <= lock.last_grade_level


def _area(
    name: str, rows: Sequence[Mapping[str, Any]], lines: Mapping[int, Line], early: Mapping[int, bool | None]
) -> Area:
    used = [row for row in rows if row["used"]]
    quality = sum((row["quality_points"] or Decimal(0) for row in used), Decimal(0))
    shown = {None: "", True: "yes", False: "no"}
    ordered = sorted(rows, key=lambda row: (not row["used"], row["school_year"] or 0, row["line"] or 0))
    return Area(
        name=say.words(name)[:1].upper() + say.words(name)[1:],
        lines=tuple(AreaLine(lines[row["line"]], bool(row["used"]), shown[early[row["line"]]]) for row in ordered),
        units=plain(_units(used)),
        quality=plain(quality),
    )


def _needs(requirements: Sequence[Requirement], chosen: Mapping[str, Decimal]) -> tuple[Need, ...]:
    """For each requirement what the chosen courses have beyond what the rows above ask of the same subjects."""
    needs = []
    for position, row in enumerate(requirements):
        has = sum((units for area, units in chosen.items() if area in row.subjects), Decimal(0))
        if row.extra:
            above = [each for each in requirements[:position] if each.subjects <= row.subjects]
            has -= sum((from_micros(each.units) for each in above), Decimal(0))
        needed = from_micros(row.units)
        words = say.requirement_words(row)
        needs.append(Need(words, plain(needed), plain(max(has, Decimal(0))), has >= needed))
    return tuple(needs)


def _early_needs(
    policy: Policy, lock: Progression | None, core: Sequence[Mapping[str, Any]], early: Mapping[int, bool | None]
) -> tuple[Need, ...]:
    if lock is None:
        return ()
    done = [row for row in core if early[row["line"]]]
    inside = [row for row in done if canonical(policy, "subject", row["subject"] or "") in lock.subjects]
    subjects = say.joined((say.words(each) for each in sorted(lock.subjects)), "or")
    return (
        _need("Core units completed before the seventh semester", lock.units, _units(done)),
        _need(f"Of these in {subjects}", lock.subject_units, _units(inside)),
    )


def _need(words: str, needed: int, has: Decimal) -> Need:
    return Need(words, say.number(needed), plain(has), has >= from_micros(needed))
