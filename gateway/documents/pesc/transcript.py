"""What a transcript says, in the words of the standard; texts are final, numbers are written once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

ID_LENGTHS = {
    "OPEID": (3, 8), "IPEDS": (6, 6), "ATP": (6, 6), "FICE": (6, 6), "ACT": (4, 4), "CCD": (12, 12), "CEEBACT": (6, 6),
}  # fmt: skip
"""The kinds of organization codes, with their shortest and longest length. ``ATP`` is the College Board's (CEEB) code,
``CCD`` that of the national school file (NCES)."""


@dataclass(frozen=True, slots=True)
class Organization:
    """A school or a receiver, by one of the codes of :data:`ID_LENGTHS`."""

    id_kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """The student. The social security number has no place here. ``full`` is the whole name where its parts are not
    known, ``birth`` is for receivers who need it."""

    student_id: str
    first: str = ""
    middle: str = ""
    last: str = ""
    suffix: str = ""
    full: str = ""
    birth: date | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """One GPA with its scale; ``kind`` is an AcademicSummaryType. ``gpa`` has the places of its policy."""

    kind: str
    gpa: str
    lowest: str
    highest: str
    credits: str
    earned: str = ""
    quality_points: str = ""
    rank: int | None = None
    size: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proficiency:
    """The result in one competency of a course. ``met`` is ``None`` where nobody says."""

    name: str
    sub_name: str = ""
    met: bool | None = None
    met_on: date | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Course:
    """One attempt at a course."""

    basis: str
    units: str
    credit: str
    earned: str
    grade: str
    status: str
    repeat: str
    quality_points: str
    level: str
    applicability: str
    number: str
    title: str
    ended_on: date | None = None
    proficiencies: tuple[Proficiency, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """A term of a school year. ``designator`` is the month in which it begins, ``2025-08``."""

    designator: str
    name: str
    kind: str
    school_year: str
    student_level: str
    courses: tuple[Course, ...]
    summaries: tuple[Summary, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """The whole document. ``document_id`` is unique per send; ``courses`` are those of no known year."""

    document_id: str
    created: datetime
    source: Organization
    destination: Organization
    person: Person
    student_level: str
    summaries: tuple[Summary, ...]
    sessions: tuple[Session, ...]
    courses: tuple[Course, ...] = ()
    test: bool = False
    official: bool = True
    notes: tuple[str, ...] = ()
