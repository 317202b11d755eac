"""The GPA statement: the equivalent of a mastery transcript in courses, grades and credit, as a document of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

import polars as pl

from gateway.core.errors import DataError
from gateway.core.gpa.compute import GpaResult
from gateway.documents.code import shown
from gateway.documents.desk import Order
from gateway.documents.gpa_orders import is_approximation, title_of
from gateway.documents.gpa_report import Student, report_parts
from gateway.documents.issue import DocumentKind, DocumentRecord, digest_of, rules_of
from gateway.documents.page import print_pdf
from gateway.store import Store, disclosures


@dataclass(frozen=True, slots=True)
class Transcript:
    """The mastery transcript that a statement refers to."""

    code: str
    day: date


def newest_transcript(store: Store, district: str, student: str, recipient: str) -> DocumentRecord:
    """The newest mastery transcript of a student, rather one that went to the same recipient.

    Raises :class:`DataError` (``documents.transcript``) if none was issued.
    """
    found = disclosures.listed(store, district, student_id=student, kind=DocumentKind.MASTERY_TRANSCRIPT, most=None)
    if not found:
        raise DataError(
            "There is no mastery transcript to which the statement could refer.",
            hint="Issue it first: `mastery-gateway documents mastery-transcript`.",
            code="documents.transcript",
        )
    return next((each for each in found if each.recipient == recipient), found[0])


def statement_orders(
    result: GpaResult,
    courses: pl.DataFrame,
    students: Mapping[str, Student],
    transcripts: Mapping[str, DocumentRecord],
    zone: ZoneInfo,
) -> list[Order]:
    """The statements of ``students`` beside their mastery ``transcripts``."""
    parts = report_parts([result])
    orders = []
    for id, student in students.items():
        record = transcripts[id]
        transcript = Transcript(shown(record.code), record.issued_at.astimezone(zone).date())
        mine = courses.filter(pl.col("student_id").cast(pl.String) == id)
        orders.append(
            Order(
                kind=DocumentKind.GPA_STATEMENT,
                title=title_of([result], "GPA statement beside a mastery transcript", approximate=True),
                make=partial(print_pdf, "gpa_statement.html"),
                content={"student": student, "part": parts[id][0], "transcript": transcript},
                rules=(rules_of(result.policy),),
                inputs_digest=digest_of(mine, words=[student.name, record.code]),
                student_id=id,
                about=student.shown,
                name=id,
                approximate=is_approximation([result]),
            )
        )
    return orders
