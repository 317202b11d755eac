"""Writes a transcript as XML: only the root qualified, children in order, empty ones left out, no text lost.

A text that is longer than the standard allows is cut where it stands and repeated in full in a note; an identifier is
never cut.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from datetime import UTC

from lxml import etree

from gateway.core.errors import InternalError
from gateway.documents.pesc.order import NAMESPACE, ROOT, order_problems
from gateway.documents.pesc.transcript import Course, Organization, Person, Proficiency, Session, Summary, Transcript

LIMITS = {
    "FirstName": 35, "MiddleName": 35, "LastName": 35, "CompositeName": 45, "OrganizationName": 60,
    "SessionName": 30, "CourseAcademicGrade": 10, "CourseTitle": 60, "RAPName": 60, "RAPSubName": 60,
}  # fmt: skip
"""The longest text of each element that is cut."""
_NOTE = 80
_SUFFIXES = ("JR", "SR", "I", "II", "III", "IV")
_PERSON_ID, _COURSE_NUMBER, _AGENCY_COURSE = 20, 15, 30


def write_transcript(transcript: Transcript) -> bytes:
    """The XML document, UTF-8 without a byte order mark. Raises :class:`InternalError` if it breaks the order."""
    root = etree.Element(f"{{{NAMESPACE}}}{ROOT}", nsmap={"HSTrn": NAMESPACE})
    _transmission(root, transcript)
    student = etree.SubElement(root, "Student")
    _person(student, transcript.person)
    record = etree.SubElement(student, "AcademicRecord")
    _school(record, transcript.source)
    _student_level(record, transcript.student_level)
    for summary in transcript.summaries:
        _summary(record, summary)
    for session in transcript.sessions:
        _session(record, session)
    for course in transcript.courses:
        _course(record, course)
    _notes(root, transcript.notes)
    etree.indent(root)
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
    problems = order_problems(etree.fromstring(content, parser()))
    if problems:
        raise InternalError(
            f"The transcript that was made breaks the order of the standard: {problems[0]}.",
            hint="Nothing was written. Report it.", code="pesc.order", detail="; ".join(problems[:20]),
        )  # fmt: skip
    return content


def parser() -> etree.XMLParser:
    """A parser that resolves nothing, loads nothing and reaches nothing."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _transmission(root: etree._Element, transcript: Transcript) -> None:
    data = etree.SubElement(root, "TransmissionData")
    _text(data, "DocumentID", transcript.document_id)
    _text(data, "CreatedDateTime", transcript.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00"))
    _text(data, "DocumentTypeCode", "StudentRequest")
    _text(data, "TransmissionType", "Original")
    _organization(etree.SubElement(data, "Source"), transcript.source)
    _organization(etree.SubElement(data, "Destination"), transcript.destination)
    _text(data, "DocumentProcessCode", "TEST" if transcript.test else "PRODUCTION")
    _text(data, "DocumentOfficialCode", "Official" if transcript.official else "Unofficial")


def _organization(parent: etree._Element, organization: Organization) -> None:
    element, notes = etree.SubElement(parent, "Organization"), list[str]()
    _text(element, organization.id_kind, organization.id)
    _text(element, "OrganizationName", organization.name, notes)
    _notes(element, notes)


def _school(record: etree._Element, organization: Organization) -> None:
    """The school of the record: as an organization, but the name comes first."""
    element, notes = etree.SubElement(record, "School"), list[str]()
    _text(element, "OrganizationName", organization.name, notes)
    _text(element, organization.id_kind, organization.id)
    _notes(element, notes)


def _person(student: etree._Element, person: Person) -> None:
    element, notes = etree.SubElement(student, "Person"), list[str]()
    if len(person.student_id) <= _PERSON_ID:
        _text(element, "SchoolAssignedPersonID", person.student_id)
    else:
        notes.append(f"SchoolAssignedPersonID: {person.student_id}")
    if person.birth is not None:
        _text(etree.SubElement(element, "Birth"), "BirthDate", person.birth.isoformat())
    name = etree.SubElement(element, "Name")
    suffix = clean(person.suffix).upper().rstrip(".")
    if suffix and suffix not in _SUFFIXES:
        notes.append(f"NameSuffix: {person.suffix}")
        suffix = ""
    parts = {"FirstName": person.first, "MiddleName": person.middle, "LastName": person.last,
             "NameSuffix": suffix, "CompositeName": "" if person.last else person.full}  # fmt: skip
    for part, text in parts.items():
        _text(name, part, text, notes)
    _notes(element, notes)


def _student_level(parent: etree._Element, code: str) -> None:
    if code:
        _text(etree.SubElement(parent, "StudentLevel"), "StudentLevelCode", code)


def _summary(parent: etree._Element, summary: Summary) -> None:
    element = etree.SubElement(parent, "AcademicSummary")
    _text(element, "AcademicSummaryType", summary.kind)
    gpa = etree.SubElement(element, "GPA")
    _text(gpa, "CreditHoursEarned", summary.earned)
    _text(gpa, "GradePointAverage", summary.gpa)
    _text(gpa, "TotalQualityPoints", summary.quality_points)
    _text(gpa, "CreditHoursforGPA", summary.credits)
    _text(gpa, "GPARangeMinimum", summary.lowest)
    _text(gpa, "GPARangeMaximum", summary.highest)
    if summary.rank is not None and summary.size is not None:
        _text(element, "ClassRank", str(summary.rank))
        _text(element, "ClassSize", str(summary.size))
    _notes(element, summary.notes)


def _session(record: etree._Element, session: Session) -> None:
    element, notes = etree.SubElement(record, "AcademicSession"), list[str]()
    detail = etree.SubElement(element, "AcademicSessionDetail")
    _text(detail, "SessionDesignator", session.designator)
    _text(detail, "SessionName", session.name, notes)
    _text(detail, "SessionType", session.kind)
    _text(detail, "SessionSchoolYear", session.school_year)
    _student_level(element, session.student_level)
    for course in session.courses:
        _course(element, course)
    for summary in session.summaries:
        _summary(element, summary)
    _notes(element, notes)


def _course(parent: etree._Element, course: Course) -> None:
    element, notes = etree.SubElement(parent, "Course"), list(course.notes)
    _text(element, "CourseCreditBasis", course.basis)
    _text(element, "CourseCreditUnits", course.units)
    _text(element, "CourseCreditValue", course.credit)
    _text(element, "CourseCreditEarned", course.earned)
    _text(element, "CourseAcademicGrade", course.grade, notes)
    _text(element, "CourseAcademicGradeStatusCode", course.status)
    _text(element, "CourseRepeatCode", course.repeat)
    _text(element, "CourseQualityPointsEarned", course.quality_points)
    _text(element, "CourseLevel", course.level)
    _text(element, "CourseGPAApplicabilityCode", course.applicability)
    number = "CourseNumber" if len(course.number) <= _COURSE_NUMBER else "AgencyCourseID"
    if len(course.number) <= _AGENCY_COURSE:
        _text(element, number, course.number)
    else:
        notes.append(f"CourseNumber: {course.number}")
    _text(element, "CourseTitle", course.title, notes)
    if course.ended_on is not None:
        _text(element, "CourseEndDate", course.ended_on.isoformat())
    for proficiency in course.proficiencies:
        _proficiency(element, proficiency)
    _notes(element, notes)


def _proficiency(course: etree._Element, proficiency: Proficiency) -> None:
    element, notes = etree.SubElement(course, "Proficiency"), list(proficiency.notes)
    _text(element, "RAPName", proficiency.name, notes)
    _text(element, "RAPSubName", proficiency.sub_name, notes)
    if proficiency.met is not None:
        _text(element, "ConditionsMetCode", "Yes" if proficiency.met else "No")
    if proficiency.met_on is not None:
        _text(element, "ConditionsMetDate", proficiency.met_on.isoformat())
    _notes(element, notes)


def _text(parent: etree._Element, name: str, value: str, notes: list[str] | None = None) -> None:
    """A child with text; none for empty text. What is too long is cut, and ``notes`` get all of it."""
    text = clean(value)
    limit = LIMITS.get(name)
    if limit is not None and len(text) > limit and notes is not None:
        notes.append(f"{name}: {text}")
        text = text[:limit].rstrip()
    if text:
        etree.SubElement(parent, name).text = text


def _notes(parent: etree._Element, notes: Iterable[str]) -> None:
    """Notes of at most 80 signs each."""
    for note in notes:
        for line in textwrap.wrap(clean(note), _NOTE, break_on_hyphens=False):
            etree.SubElement(parent, "NoteMessage").text = line


def clean(text: str) -> str:
    """``text`` as XML can hold it: no control signs or lone surrogates, single spaces."""
    kept = "".join(sign if _allowed(ord(sign)) else " " for sign in text)
    return " ".join(kept.split())


def _allowed(code: int) -> bool:
    return 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
