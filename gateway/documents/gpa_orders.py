"""From computed GPAs to the documents about them: which students, which policies, and what may be issued at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from gateway.core.errors import DataError
from gateway.core.gpa.columns import match_columns
from gateway.core.gpa.compute import GpaResult
from gateway.core.gpa.result import State
from gateway.core.gpa.words import folded
from gateway.documents.desk import Order
from gateway.documents.gpa_report import Part, Student, report_parts
from gateway.documents.issue import DocumentKind, digest_of, rules_of
from gateway.documents.page import print_pdf
from gateway.documents.tables import make_table, report_table
from gateway.table_file import read_table

_NAMES = ("name", "given_name", "family_name", "grade_level")


def report_orders(
    results: Sequence[GpaResult],
    courses: pl.DataFrame,
    students: Mapping[str, Student],
    facts: pl.DataFrame | None,
    *,
    ending: str = "pdf",
    approximate: bool = False,
) -> list[Order]:
    """The GPA reports of ``students``, made of ``results`` with traces over ``courses``."""
    parts = report_parts(results)
    mine = _by_student(courses)
    known = _by_student(facts) if facts is not None else {}
    return [
        _order(results, parts.get(id, []), mine.get(id), known.get(id), student, ending, approximate)
        for id, student in students.items()
    ]


def _order(
    results: Sequence[GpaResult],
    parts: Sequence[Part],
    courses: pl.DataFrame | None,
    facts: pl.DataFrame | None,
    student: Student,
    ending: str,
    approximate: bool,
) -> Order:
    content: dict[str, Any]
    if ending == "pdf":
        content = {"student": student, "parts": parts}
    else:
        content = {"rows": report_table(results, student), "ending": ending}
    return Order(
        kind=DocumentKind.GPA_REPORT,
        title=title_of(results, "GPA report", approximate=approximate),
        make=partial(print_pdf, "gpa_report.html") if ending == "pdf" else make_table,
        content=content,
        rules=tuple(rules_of(each.policy) for each in results),
        inputs_digest=digest_of(*(each for each in (courses, facts) if each is not None), words=[student.name]),
        student_id=student.id,
        about=student.shown,
        name=student.id,
        ending=ending,
        approximate=is_approximation(results),
    )


def title_of(results: Iterable[GpaResult], title: str, *, approximate: bool) -> str:
    """A document with an approximation says so in its title."""
    return f"{title} (approximation)" if approximate and is_approximation(results) else title


def is_approximation(results: Iterable[GpaResult]) -> bool:
    """Whether a GPA among ``results`` is one that the school does not aggregate."""
    return any(not each.storable for each in results)


def read_named_students(path: Path) -> pl.DataFrame:
    """The table of students at ``path`` as it is, with its columns named as :func:`known_students` knows them."""
    frame = read_table(path)
    match = match_columns(
        frame.columns, f"the table of students {path}", columns=("student_id",), required=("student_id",)
    )
    known = {folded(name): name for name in _NAMES}
    names = {name: known[folded(name)] for name in frame.columns if folded(name) in known}
    return frame.rename({**names, **match.matched})


def known_students(
    courses: pl.DataFrame, facts: pl.DataFrame | None, wanted: Sequence[str], *, place: str = "the course file"
) -> dict[str, Student]:
    """The wanted students of a file (all of them, if none is named), by id, with names as far as known.

    ``facts`` may have ``name``, or ``given_name`` and ``family_name``, and ``grade_level``. Raises :class:`DataError`
    (``documents.student``) for one who is not in the file.
    """
    ids = courses["student_id"].cast(pl.String).drop_nulls().unique().sort().to_list()
    missing = sorted(set(wanted) - set(ids))
    if missing:
        raise DataError(
            f"{len(missing)} of the {len(set(wanted))} wanted students {'is' if len(missing) == 1 else 'are'} not in "
            f"{place}.",
            hint="Compare the student numbers with its column student_id.",
            code="documents.student",
        )
    rows = {str(row["student_id"]): row for row in facts.iter_rows(named=True)} if facts is not None else {}
    return {id: _student(id, rows.get(id, {})) for id in (dict.fromkeys(wanted) if wanted else ids)}


def _student(id: str, row: Mapping[str, Any]) -> Student:
    parts = (row.get("given_name"), row.get("family_name"))
    name = row.get("name") or " ".join(str(each) for each in parts if each)
    return Student(id, str(name or ""), str(row.get("grade_level") or ""))


def waiting(results: Iterable[GpaResult], students: Iterable[str]) -> list[str]:
    """The students for whom a GPA waits for something, so that no report is made without somebody noticing."""
    wanted = pl.Series(list(students), dtype=pl.String)
    found = [
        each.gpas.filter((pl.col("state") == State.PENDING) & pl.col("student_id").is_in(wanted.implode()))[
            "student_id"
        ]
        for each in results
    ]
    return pl.concat(found).unique().sort().to_list() if found else []


def _by_student(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    parts = rows.with_columns(pl.col("student_id").cast(pl.String)).partition_by("student_id", as_dict=True)
    return {str(key[0]): part for key, part in parts.items()}
