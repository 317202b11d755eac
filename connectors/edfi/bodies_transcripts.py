"""Course attempts as lines of a transcript: ``courseTranscripts`` under the student's academic record.

The result of an attempt is part of a line's key, so that a corrected result is a line of its own. A line that the
student information system keeps is left as it is unless it says what we say, or ``overwrite`` is set. Credit has three
decimals, a number grade two, rounded half up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal

from connectors.edfi.descriptors import Descriptors, Unfit
from connectors.edfi.merging import Body, Part, Piece, Wanted
from connectors.edfi.places import Places, own_part
from connectors.edfi.shaping import Row, cut
from connectors.edfi.versions import Version, span
from connectors.edfi.words import GRADE_LEVELS
from gateway.sdk import Action, Change

RESOURCE = "courseTranscripts"
RESULTS: Mapping[str, str] = {"pass": "Pass", "fail": "Fail", "incomplete": "Incomplete", "withdrawn": "Withdrawn"}
_SUBJECT = "academicSubjectDescriptor"
_LONG_TITLES: Version = (6, 0)


def transcript_wishes(
    change: Change, target: Row, descriptors: Descriptors, places: Places, standard: Version
) -> Iterator[Wanted]:
    """What one row of ``course_attempts`` wants. Raises :class:`Unfit`."""
    record: Row = change.record
    gone = change.action is Action.INACTIVATE
    if gone and change.remote_id is None:
        return  # it was there already, and is not ours
    academic = academic_record(record, target, descriptors, places)
    identity = {
        "courseReference": places.course(record.get("course_id"), record["course_code"]),
        "studentAcademicRecordReference": {
            **academic["educationOrganizationReference"], **academic["schoolYearTypeReference"],
            **academic["studentReference"], "termDescriptor": academic["termDescriptor"],
        },
        "courseAttemptResultDescriptor": _result(record, target, descriptors),
    }  # fmt: skip
    if not gone:
        yield Wanted(Piece("studentAcademicRecords", academic, creates=target["gpa"]["creates"]))
    members = _members(record, target, descriptors, standard)
    parts = _subjects(record, target, descriptors)
    yield Wanted(Piece(RESOURCE, identity, members, parts, made=True), gone)


def academic_record(record: Row, target: Row, descriptors: Descriptors, places: Places) -> Body:
    """The natural key of the academic record to which a row of ``gpas`` or ``course_attempts`` belongs.

    Raises :class:`Unfit` (``edfi.required``, ``edfi.descriptor``)."""
    term = record.get("term")
    if not term:
        raise Unfit("edfi.required", "A student's academic record needs a term, and this record has none.")
    return {
        "educationOrganizationReference": {"educationOrganizationId": whole_number(record, "school_id")},
        "schoolYearTypeReference": {"schoolYear": whole_number(record, "school_year")},
        "studentReference": places.student(record["student_id"]),
        "termDescriptor": descriptors.value("Term", target["gpa"]["terms"].get(term, term)),
    }


def whole_number(record: Row, column: str) -> int:
    """A column that Ed-Fi has as a number. Raises :class:`Unfit` (``edfi.required``)."""
    text = own_part(str(record.get(column) or ""), "org")
    if not text.isascii() or not text.isdigit():
        raise Unfit("edfi.required", f"Ed-Fi needs the {column} as a number, and this record has none.")
    return int(text)


def places_of(value: Decimal | None, unit: str) -> Decimal | None:
    """A number with the places of ``unit`` (``0.001``), rounded half up, without needless zeros."""
    if value is None:
        return None
    short = value.quantize(Decimal(unit), ROUND_HALF_UP).normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short


def _result(record: Row, target: Row, descriptors: Descriptors) -> str:
    word = record.get("result") or ""
    value = {**RESULTS, **target["transcripts"]["results"]}.get(word)
    if not value:
        raise Unfit("edfi.descriptor", "The setting transcripts.results names no CourseAttemptResult for a result.")
    return descriptors.value("CourseAttemptResult", value)


def _members(record: Row, target: Row, descriptors: Descriptors, standard: Version) -> Body:
    def named(kind: str, value: str | None) -> str | None:
        return descriptors.value(kind, value) if value else None

    usual = target["transcripts"]["credit_type"]
    level = record.get("grade_level")
    earned = places_of(record.get("credit_earned"), "0.001")
    if earned is None and standard < (5, 0):
        raise Unfit(
            "edfi.required", "Ed-Fi requires earned credits up to Data Standard 4.0, and this attempt has none."
        )
    credit = places_of(record.get("credit"), "0.001")
    members = {
        "courseTitle": cut(record.get("title"), 120 if standard >= _LONG_TITLES else 60),
        "finalLetterGradeEarned": cut(record.get("grade"), 20),
        "finalNumericGradeEarned": places_of(record.get("score"), "0.01"),
        "attemptedCredits": credit,
        "attemptedCreditConversion": places_of(record.get("credit_factor"), "0.01"),
        "attemptedCreditTypeDescriptor": None if credit is None else named(
            "CreditType", record.get("credit_type") or usual
        ),
        "earnedCredits": earned,
        "earnedCreditConversion": places_of(record.get("credit_earned_factor"), "0.01"),
        "earnedCreditTypeDescriptor": None if earned is None else named(
            "CreditType", record.get("credit_earned_type") or usual
        ),
        "courseRepeatCodeDescriptor": named("CourseRepeatCode", record.get("repeat_code")),
        "methodCreditEarnedDescriptor": named("MethodCreditEarned", record.get("method")),
        "whenTakenGradeLevelDescriptor": named("GradeLevel", GRADE_LEVELS.get(_two_digits(level), level)),
        "externalEducationOrganizationNameOfInstitution": cut(record.get("external_school"), 75),
    }  # fmt: skip
    return {name: value for name, value in members.items() if span(f"{RESOURCE}.{name}").holds(standard)}


def _two_digits(level: str | None) -> str:
    return level.zfill(2) if level and level.isdigit() else level or ""


def _subjects(record: Row, target: Row, descriptors: Descriptors) -> tuple[Part, ...]:
    """The subjects for which the settings name one of the host's; others are not told."""
    known = target["transcripts"]["subjects"]
    named = [known[each] for each in record.get("subjects") or () if each in known]
    items = tuple({_SUBJECT: descriptors.value("AcademicSubject", each)} for each in dict.fromkeys(named))
    return (Part("academicSubjects", (_SUBJECT,), items),) if items else ()
