"""A school, a transcript and the frame of a document."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import polars as pl
import pypdf

from gateway.core.gpa.compute import compute_gpa, prepare_courses
from gateway.documents.issue import Rules
from gateway.documents.page import Frame
from gateway.documents.school import School
from gateway.policies import load_policy
from gateway.settings import Contact
from tests.cli.conftest import call

__all__ = ["call"]

POLICIES = Path(__file__).parents[2] / "mappings" / "gpa"
CODE = "7K3M-Q2XW-9ABC-DEF5"
AS_OF = date(2026, 6, 15)
SCHOOL = School(
    "Lakeside High School",
    ("100 Lake Road", "Lakeside, VT 05499"),
    Contact("Rosa Martinez", "Registrar", "registrar@lakeside.example.org", "+1 802 555 0100"),
    "460000",
    'Accredited by "the Association"; § 4 \\ {x}',
)
GRADES = ("A", "B+", "A-", "C", "B", "A", "D", "P", "F", "B-")
AREAS = ("ENG", "MATH", "SCI", "SOC", "LANG", "ART")


@cache
def policy(name):
    return load_policy(POLICIES / f"{name}.yaml")


def transcript(count=24, student="S100"):
    """So many courses over four years."""
    rows = []
    for n in range(count):
        area, year = AREAS[n % 6], n * 4 // count
        honors = n % 7 == 0
        rows.append(
            {
                "student_id": student, "course_code": f"{area}{100 + n}", "title": f"{area} course {n:03}"
                + (" Honors" if honors else ""), "subject": area, "level": "Honors" if honors else "Regular",
                "credit": "0.5" if n % 3 == 0 else "1", "grade": GRADES[n % 10], "school_year": str(2023 + year),
                "term": "S1" if n % 2 else "S2", "grade_level": str(9 + year), "core": "no" if area == "ART" else "yes",
            }
        )  # fmt: skip
    return pl.DataFrame(rows)


def computed(names, courses, **options):
    prepared = prepare_courses(courses)
    return [compute_gpa(policy(name), prepared, as_of=AS_OF, trace=True, **options) for name in names]


def frame(title="GPA report", *, code=CODE, about="Ada Lovelace (S100)", school=SCHOOL, replaces=None):
    when = datetime(2026, 11, 22, 12, tzinfo=UTC)
    rules = (Rules("school-weighted", "2026.1", "d" * 64),)
    return Frame(school, title, "State University", "admission", "R. M.", when, code, rules, "1" * 64, replaces, about)


def text_of(content):
    """The text of a PDF in the order of its content."""
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def flat(text):
    """Words with single blanks between them."""
    return " ".join(text.split())
