"""Two terms of the school year before, for the small district: transcripts, and the GPAs that the host states.

Every fourth student failed Algebra I and takes it again; every fifth withdrew from Biology. No GPA applies to physical
education. The stated ``Unweighted`` is the mean of whole letters over credit, the higher grade of a repeated course,
to three places.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from gateway.testing.edfi.sample import LEA, SCHOOL, YEAR, descriptors, uri
from gateway.testing.edfi.service import FakeEdFi

_LEA_KEY = {"educationOrganizationId": LEA}
_COURSES = (
    ("ENG-9", "English 9", "English Language Arts", "General", "Applicable"),
    ("BIO-H", "Biology, honors", "Science", "Honors", "Weighted"),
    ("PE-9", "Physical education", "Other", "General", "Not Applicable"),
)
_POINTS = {"A": 4, "B": 3, "C": 2, "D": 1, "F": 0}
_TERMS = ("Fall Semester", "Spring Semester")
_HALF = Decimal("0.5")
Line = tuple[str, str, str]
"""Course code, letter, result."""


def with_history(host: FakeEdFi) -> FakeEdFi:
    """The furnished host, with the year before."""
    for kind, codes in (("courseGPAApplicability", ("Applicable", "Not Applicable", "Weighted")),
                        ("courseLevelCharacteristic", ("General",))):  # fmt: skip
        host.seed(f"{kind}Descriptors", *descriptors(kind, codes))
    (id_, algebra), = host.items("courses").items()  # fmt: skip
    host.replace("courses", id_, {**algebra, **_described("General", "Applicable")})
    for id_, line in host.items("courseTranscripts").items():
        host.replace(
            "courseTranscripts", id_, {**line, "whenTakenGradeLevelDescriptor": uri("gradeLevel", "Tenth grade")}
        )
    host.seed("courses", *(_course(*each) for each in _COURSES))
    present = {
        str(record["studentReference"]["studentUniqueId"]): (id_, record)
        for id_, record in host.items("studentAcademicRecords").items()
    }
    students = sorted(str(each["studentUniqueId"]) for each in host.rows("students"))
    for number, student in enumerate(students):
        taken = [_lines(number, term) for term in _TERMS]
        host.seed("studentAcademicRecords", *(_record(student, YEAR - 1, term) for term in _TERMS))
        for term, lines in zip(_TERMS, taken, strict=True):
            host.seed("courseTranscripts", *(_transcript(student, term, line) for line in lines))
        _state(host, *present[student], [*taken[0], *taken[1]])
    return host


def _described(level: str, applicability: str) -> dict[str, Any]:
    return {
        "levelCharacteristics": [
            {"courseLevelCharacteristicDescriptor": uri("courseLevelCharacteristic", level)}
        ],
        "courseGPAApplicabilityDescriptor": uri("courseGPAApplicability", applicability),
    }  # fmt: skip


def _course(code: str, title: str, subject: str, level: str, applicability: str) -> dict[str, Any]:
    system = uri("courseIdentificationSystem", "LEA course code")
    return {
        "educationOrganizationReference": _LEA_KEY, "courseCode": code, "courseTitle": title, "numberOfParts": 2,
        "academicSubjects": [{"academicSubjectDescriptor": uri("academicSubject", subject)}],
        "identificationCodes": [{"courseIdentificationSystemDescriptor": system, "identificationCode": code}],
        **_described(level, applicability),
    }  # fmt: skip


def _lines(number: int, term: str) -> list[Line]:
    fall = term == _TERMS[0]
    english = "ABC"[number % 3] if fall else "A"
    algebra = "F" if fall and number % 4 == 0 else "BC"[number % 2]
    lines = [("ENG-9", english, "Pass"), ("ALG-1", algebra, "Fail" if algebra == "F" else "Pass")]
    biology = ("BIO-H", "W", "Withdrawn") if not fall and number % 5 == 0 else ("BIO-H", "AB"[number % 2], "Pass")
    return [*lines, biology, ("PE-9", "A", "Pass")]


def _key(student: str, year: int, term: str) -> dict[str, Any]:
    return {"educationOrganizationId": SCHOOL, "schoolYear": year, "studentUniqueId": student,
            "termDescriptor": uri("term", term)}  # fmt: skip


def _record(student: str, year: int, term: str) -> dict[str, Any]:
    return {
        "educationOrganizationReference": {"educationOrganizationId": SCHOOL},
        "schoolYearTypeReference": {"schoolYear": year}, "studentReference": {"studentUniqueId": student},
        "termDescriptor": uri("term", term), "sessionAttemptedCredits": 2,
    }  # fmt: skip


def _transcript(student: str, term: str, line: Line) -> dict[str, Any]:
    code, letter, result = line
    return {
        "courseReference": {"courseCode": code, **_LEA_KEY},
        "studentAcademicRecordReference": _key(student, YEAR - 1, term),
        "courseAttemptResultDescriptor": uri("courseAttemptResult", result), "finalLetterGradeEarned": letter,
        "attemptedCredits": 0.5, "attemptedCreditTypeDescriptor": uri("creditType", "Carnegie unit"),
        "earnedCredits": 0.5 if result == "Pass" else 0,
        "whenTakenGradeLevelDescriptor": uri("gradeLevel", "Ninth grade"),
    }  # fmt: skip


def _state(host: FakeEdFi, id_: str, record: dict[str, Any], before: list[Line]) -> None:
    """The present record states the cumulative GPA."""
    average = {
        "gradePointAverageTypeDescriptor": uri("gradePointAverageType", "Unweighted"),
        "gradePointAverageValue": _unweighted(before), "maxGradePointAverageValue": 4, "isCumulative": True,
    }  # fmt: skip
    host.replace("studentAcademicRecords", id_, {**record, "gradePointAverages": [average]})


def _unweighted(before: list[Line]) -> float:
    """Over half a credit each, with the present B in Algebra I in place of the first fall's grade if that is lower."""
    points = []
    for number, (code, letter, _) in enumerate(before):
        if letter in _POINTS and code != "PE-9":
            first_algebra = code == "ALG-1" and number < len(before) // 2
            points.append(max(_POINTS[letter], _POINTS["B"]) if first_algebra else _POINTS[letter])
    mean = sum(points) * _HALF / (len(points) * _HALF)
    return float(mean.quantize(Decimal("0.001"), ROUND_HALF_UP))
