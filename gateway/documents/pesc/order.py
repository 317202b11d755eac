"""The order of elements in version 1.5.0, and a check of what was written that needs no schema.

Everything in PESC is a sequence: a child in the wrong place makes a document invalid. Only the elements that this
program writes stand here; anything else in its output is a fault. The social security number is not among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from lxml import etree

NAMESPACE = "urn:org:pesc:message:HighSchoolTranscript:v1.5.0"
ROOT = "HighSchoolTranscript"

_GPA = ("CreditHoursAttempted ?", "CreditHoursEarned ?", "CreditUnit ?", "GradePointAverage ?", "TotalQualityPoints ?",
        "CreditHoursforGPA ?", "GPARangeMinimum 1", "GPARangeMaximum 1", "NoteMessage *")  # fmt: skip
_RAP = ("RAPCode *", "RAPName *", "RAPSubName *", "ConditionsMetCode *", "ConditionsMetDate *", "NoteMessage *")
_CODES = ("OPEID ?", "IPEDS ?", "ATP ?", "FICE ?", "ACT ?", "CCD ?", "CEEBACT ?")

ORDER: Mapping[str, tuple[str, ...]] = MappingProxyType({
    ROOT: ("TransmissionData 1", "Student 1", "NoteMessage *"),
    "TransmissionData": (
        "DocumentID 1", "CreatedDateTime 1", "DocumentTypeCode 1", "TransmissionType 1", "Source 1", "Destination 1",
        "DocumentProcessCode ?", "DocumentOfficialCode ?", "DocumentCompleteCode ?", "NoteMessage *",
    ),
    "Source": ("Organization 1", "NoteMessage *"),
    "Destination": ("Organization 1", "NoteMessage *"),
    "Organization": (*_CODES, "OrganizationName *", "NoteMessage *"),
    "Student": ("Person 1", "AcademicRecord +", "NoteMessage *"),
    "Person": ("SchoolAssignedPersonID ?", "Birth ?", "Name 1", "NoteMessage *"),
    "Birth": ("BirthDate ?",),
    "Name": ("FirstName ?", "MiddleName *", "LastName ?", "NameSuffix ?", "CompositeName ?", "NoteMessage *"),
    "AcademicRecord": (
        "School ?", "StudentLevel ?", "AcademicSummary *", "AcademicSession *", "Course *", "NoteMessage *",
    ),
    "School": ("OrganizationName 1", *_CODES, "NoteMessage *"),
    "StudentLevel": ("StudentLevelCode 1",),
    "AcademicSummary": ("AcademicSummaryType ?", "GPA ?", "ClassRank ?", "ClassSize ?", "NoteMessage *"),
    "GPA": _GPA,
    "AcademicSession": ("AcademicSessionDetail 1", "StudentLevel ?", "Course *", "AcademicSummary *", "NoteMessage *"),
    "AcademicSessionDetail": ("SessionDesignator 1", "SessionName ?", "SessionType ?", "SessionSchoolYear ?"),
    "Course": (
        "CourseCreditBasis 1", "CourseCreditUnits ?", "CourseCreditValue ?", "CourseCreditEarned ?",
        "CourseAcademicGrade ?", "CourseAcademicGradeStatusCode ?", "CourseNarrativeExplanationGrade ?",
        "CourseRepeatCode ?", "CourseQualityPointsEarned ?", "CourseLevel ?", "CourseGPAApplicabilityCode ?",
        "CourseNumber ?", "AgencyCourseID ?", "CourseTitle ?", "CourseEndDate ?", "Proficiency *", "NoteMessage *",
    ),
    "Proficiency": _RAP,
})  # fmt: skip
"""Each parent's children in order: ``1`` required, ``?`` optional, ``+`` one or more, ``*`` any number."""

_DECIMALS = frozenset({
    "CreditHoursAttempted", "CreditHoursEarned", "GradePointAverage", "TotalQualityPoints", "CreditHoursforGPA",
    "GPARangeMinimum", "GPARangeMaximum", "CourseCreditValue", "CourseCreditEarned", "CourseQualityPointsEarned",
})  # fmt: skip
_PLAIN = re.compile(r"-?\d+(\.\d+)?")
_OFFSET = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")


def order_problems(root: etree._Element) -> list[str]:
    """What is wrong with a document, each with its line; no values."""
    problems = [] if root.tag == f"{{{NAMESPACE}}}{ROOT}" else ["the root is not HighSchoolTranscript v1.5.0"]
    for element in root.iter():
        if not isinstance(element.tag, str):
            problems.append(f"line {element.sourceline}: neither comments nor instructions are written")
            continue
        name = ROOT if element is root else element.tag
        problems += [f"line {element.sourceline}: {name}: {fault}" for fault in _faults(name, element)]
    return problems


def _faults(name: str, element: etree._Element) -> Iterator[str]:
    if name.startswith("{"):
        yield "only the root is qualified"
    elif name in ORDER:
        yield from _children(ORDER[name], [str(child.tag) for child in element])
    else:
        yield from _leaf(name, element)


def _children(allowed: tuple[str, ...], found: list[str]) -> Iterator[str]:
    names = [entry.split()[0] for entry in allowed]
    unknown = sorted(set(found) - set(names))
    if unknown:
        yield f"has {', '.join(unknown)}"
    places = [names.index(name) for name in found if name in names]
    if places != sorted(places):
        yield "its children are not in order"
    for entry in allowed:
        name, how = entry.split()
        count = found.count(name)
        if (how in "1+" and count == 0) or (how in "1?" and count > 1):
            yield f"has {name} {count} times"


def _leaf(name: str, element: etree._Element) -> Iterator[str]:
    text = element.text or ""
    if len(element) or element.attrib:
        yield "is no plain text"
    elif not text.strip():
        yield "is empty"
    elif name in _DECIMALS and not _PLAIN.fullmatch(text):
        yield "is no plain decimal"
    elif name == "CreatedDateTime" and not _OFFSET.fullmatch(text):
        yield "has no offset"
