"""The standard's words for ours: levels, statuses, terms and grade levels."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.core.gpa.words import folded, known_words

GRADES: Mapping[int, str] = MappingProxyType(dict(enumerate(
    ("FirstGrade", "SecondGrade", "ThirdGrade", "FourthGrade", "FifthGrade", "SixthGrade", "SeventhGrade",
     "EighthGrade", "NinthGrade", "TenthGrade", "EleventhGrade", "TwelfthGrade", "Grade13"), start=1,
)))  # fmt: skip
"""StudentLevelCode of a grade level."""

BASIS: Mapping[str, str] = MappingProxyType({
    "ap": "AdvancedPlacement", "ib": "InternationalBaccalaureate", "college": "HighSchoolDualCredit",
    "basic": "Remedial",
})  # fmt: skip
"""CourseCreditBasis of a course level; every other is Regular."""

LEVELS: Mapping[str, str] = MappingProxyType({
    "honors": "Honors", "ap": "AdvancedPlacement", "ib": "InternationalBaccalaureate", "at": "Accelerated",
    "college": "CollegeLevel", "basic": "Basic",
})  # fmt: skip
"""CourseLevel of a course level; none for a regular course."""

STATUSES: Mapping[str, str] = MappingProxyType({
    "completed": "Completed", "repeat": "Completed", "in_progress": "InProgress", "incomplete": "Incomplete",
    "withdrawn": "Withdrawn", "audit": "AuditedCourse", "transfer": "Completed",
})  # fmt: skip
"""CourseAcademicGradeStatusCode of a status."""

MARKS: Mapping[str, str] = MappingProxyType({
    "I": "Incomplete", "INC": "Incomplete", "IP": "InProgress", "W": "Withdrawn", "WP": "WithdrewPassing",
    "WF": "WithdrewFailing", "AU": "AuditedCourse", "NG": "NotYetReported",
})  # fmt: skip
"""CourseAcademicGradeStatusCode of a mark that stands where a grade would."""

CREDIT_UNITS = ("CarnegieUnits", "Units", "Semester", "Quarter", "ClockHours", "Unreported", "Other")
"""What one credit of a school is."""

_TERMS: Mapping[str, tuple[str, int]] = MappingProxyType({
    word: (kind, month)
    for kind, month, words in (
        ("FullYear", 8, ("", "fy", "year", "full year", "y1", "all year", "yr")),
        ("Semester", 8, ("s1", "sem1", "semester 1", "fall", "autumn", "1", "first semester", "fall semester")),
        ("Semester", 1, ("s2", "sem2", "semester 2", "spring", "2", "second semester", "spring semester")),
        ("Trimester", 8, ("t1", "tri1", "trimester 1")),
        ("Trimester", 12, ("t2", "tri2", "trimester 2")),
        ("Trimester", 3, ("t3", "tri3", "trimester 3")),
        ("Quarter", 8, ("q1", "quarter 1")),
        ("Quarter", 11, ("q2", "quarter 2")),
        ("Quarter", 1, ("q3", "quarter 3")),
        ("Quarter", 4, ("q4", "quarter 4")),
        ("Intersession", 1, ("winter", "j term", "january", "interim")),
        ("SummerSession", 6, ("summer", "su", "ss", "sum", "summer session", "summer school")),
    )
    for word in (folded(each) for each in words)
})  # fmt: skip
_FIRST_MONTH = 8
_KNOWN = known_words({})


def plain_word(column: str, text: str | None) -> str:
    """Our own word for a school's level or status; the school's where it is not known."""
    return _KNOWN[column].get(folded(text), folded(text)) if text else ""


def session_of(year: int, term: str | None) -> tuple[str, str]:
    """SessionType and SessionDesignator (the month in which the session begins) of a term of the school year that
    ends in ``year``. The months are those of common practice; a term of another name begins with the year."""
    kind, month = _TERMS.get(folded(term or ""), ("Other", _FIRST_MONTH))
    return kind, f"{year - 1 if month > 6 else year:04}-{month:02}"
