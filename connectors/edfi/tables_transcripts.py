"""Which element fills which column of course attempts, and of the GPAs that a host states itself."""

from __future__ import annotations

import polars as pl

from connectors.edfi import keys
from connectors.edfi.filling import CHANGED, Filling, Rows, Word, literal
from connectors.edfi.keys import code

_RECORD = "studentAcademicRecordReference"
_SUBJECTS = "academicSubjects[].academicSubjectDescriptor"
_AWARDED = "partialCourseTranscriptAwards[].awardDate"
ENDED = "sessions.endDate"
"""The last day of the session, or of the grading period, in which a record belongs."""
PERIOD_ENDED = "gradingPeriods.endDate"
AVERAGES = "gradePointAverages[]"
STATED_TYPE = f"{AVERAGES}.gradePointAverageTypeDescriptor"
COURSE_KEY = ("courseReference.educationOrganizationId", "courseReference.courseCode")

ATTEMPTS = Rows("courseTranscripts", "course_attempts", {
    "id": keys.key("attempt", f"{_RECORD}.studentUniqueId", f"{_RECORD}.educationOrganizationId",
                   f"{_RECORD}.schoolYear", code(f"{_RECORD}.termDescriptor"), *COURSE_KEY,
                   code("courseAttemptResultDescriptor")),
    "date_last_modified": CHANGED,
    "student_id": keys.student(f"{_RECORD}.studentUniqueId"),
    "school_id": keys.org(f"{_RECORD}.educationOrganizationId"),
    "school_year": f"{_RECORD}.schoolYear", "term": code(f"{_RECORD}.termDescriptor"),
    "course_id": keys.course(*COURSE_KEY), "course_code": "courseReference.courseCode",
    "title": pl.coalesce("courseTitle", "alternativeCourseTitle", "courses.courseTitle"),
    "subjects": pl.coalesce(_SUBJECTS, f"courses.{_SUBJECTS}"),
    "level": "courses.levelCharacteristics[].courseLevelCharacteristicDescriptor",
    "grade": "finalLetterGradeEarned", "score": "finalNumericGradeEarned",
    "credit": "attemptedCredits", "credit_type": code("attemptedCreditTypeDescriptor"),
    "credit_factor": "attemptedCreditConversion",
    "credit_earned": "earnedCredits", "credit_earned_type": code("earnedCreditTypeDescriptor"),
    "credit_earned_factor": "earnedCreditConversion",
    "result": Word("courseAttemptResult", "courseAttemptResultDescriptor"),
    "repeat_code": code("courseRepeatCodeDescriptor"),
    "grade_level": Word("gradeLevel", "whenTakenGradeLevelDescriptor"),
    "method": code("methodCreditEarnedDescriptor"),
    "gpa_applicability": code("courses.courseGPAApplicabilityDescriptor"),
    "external_school": "externalEducationOrganizationNameOfInstitution",
    "completed_on": pl.coalesce(_AWARDED, ENDED),
})  # fmt: skip


def own_type(element: str) -> pl.Expr:
    """A type of GPA as the settings name it: the code alone for the standard's, ``uri://owner#code`` for others."""
    named = pl.col(element).str.replace(r"/[A-Za-z]+Descriptor#", "#")
    return named.str.replace(r"^uri://ed-fi\.org#", "")


def _flag(value: bool) -> pl.Expr:
    return literal("true" if value else "false")


_IN_RECORD: dict[str, Filling] = {
    "date_last_modified": CHANGED, "student_id": keys.student("studentReference.studentUniqueId"),
    "school_id": keys.org("educationOrganizationReference.educationOrganizationId"),
    "school_year": "schoolYearTypeReference.schoolYear", "term": code("termDescriptor"), "as_of": ENDED,
}  # fmt: skip
_IN_CARD: dict[str, Filling] = {
    "date_last_modified": CHANGED, "student_id": keys.student("studentReference.studentUniqueId"),
    "school_id": keys.org("educationOrganizationReference.educationOrganizationId"),
    "school_year": "gradingPeriodReference.schoolYear",
    "term": pl.coalesce(pl.col("gradingPeriodReference.gradingPeriodName"),
                        code("gradingPeriodReference.gradingPeriodDescriptor")),
    "as_of": PERIOD_ENDED,
}  # fmt: skip


def _record_id(kind: str | pl.Expr) -> pl.Expr:
    return keys.key(
        "gpa", "studentReference.studentUniqueId", "educationOrganizationReference.educationOrganizationId",
        "schoolYearTypeReference.schoolYear", code("termDescriptor"), kind,
    )  # fmt: skip


def _card_id(kind: str | pl.Expr) -> pl.Expr:
    return keys.key(
        "gpa-card", "studentReference.studentUniqueId", "educationOrganizationReference.educationOrganizationId",
        keys.period("gradingPeriodReference"), kind,
    )  # fmt: skip


_LISTED: dict[str, Filling] = {
    "type": own_type(STATED_TYPE), "value": f"{AVERAGES}.gradePointAverageValue",
    "maximum": f"{AVERAGES}.maxGradePointAverageValue", "cumulative": f"{AVERAGES}.isCumulative",
}  # fmt: skip

RECORD_GPAS = Rows("studentAcademicRecords", "gpas", {"id": _record_id(own_type(STATED_TYPE)), **_IN_RECORD, **_LISTED})
CARD_GPAS = Rows("reportCards", "gpas", {"id": _card_id(own_type(STATED_TYPE)), **_IN_CARD, **_LISTED})


def _flat(resource: str, member: str, *, cumulative: bool, points: str = "") -> Rows:
    """A GPA that stood in a member of its own up to Data Standard 4.0; its type is the member's name."""
    make_id, place = (_record_id, _IN_RECORD) if resource == "studentAcademicRecords" else (_card_id, _IN_CARD)
    more: dict[str, Filling] = {"points": points} if points else {}
    return Rows(resource, "gpas", {
        "id": make_id(literal(member)), **place, "type": literal(member), "value": member,
        "cumulative": _flag(cumulative), **more,
    })  # fmt: skip


FLAT_GPAS = (
    _flat("studentAcademicRecords", "cumulativeGradePointAverage", cumulative=True,
          points="cumulativeGradePointsEarned"),
    _flat("studentAcademicRecords", "sessionGradePointAverage", cumulative=False, points="sessionGradePointsEarned"),
    _flat("reportCards", "gpaCumulative", cumulative=True),
    _flat("reportCards", "gpaGivenGradingPeriod", cumulative=False),
)  # fmt: skip

TRANSCRIPTS: tuple[Rows, ...] = (RECORD_GPAS, CARD_GPAS, *FLAT_GPAS, ATTEMPTS)
