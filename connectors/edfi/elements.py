"""The elements that are read of each resource, and pages of records as frames of text, a column for each element.

An element is written as in Ed-Fi: ``sectionReference.schoolId``, ``gradeLevels[].gradeLevelDescriptor``; ``#`` before
it marks a number, whose digits stay as they are. Every version of the Data Standard is read by the same list: what a
version does not have is silent. See :mod:`.versions` for which has what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec
import polars as pl
from msgspec import UNSET, UnsetType

from gateway.sdk import LINE, Fault, Records, decode_page, decode_records

_SECTION = "localCourseCode schoolId schoolYear sessionName sectionIdentifier"
_PERIOD = "gradingPeriodDescriptor gradingPeriodName periodSequence schoolId schoolYear"


def _below(place: str, names: str) -> str:
    return " ".join(f"{place}.{name}" for name in names.split())


_SECTION_OF_STUDENT = _below("studentSectionAssociationReference", f"{_SECTION} studentUniqueId beginDate")
_SCORES = "assessmentReportingMethodDescriptor resultDatatypeTypeDescriptor result"
_LEVELS = "assessmentReportingMethodDescriptor performanceLevelDescriptor"
_NAMES = "firstName middleName lastSurname preferredFirstName preferredLastSurname"
_MAILS = _below("electronicMails[]", "electronicMailAddress primaryEmailAddressIndicator doNotPublishIndicator")
_STUDENT_THERE = "studentReference.studentUniqueId educationOrganizationReference.educationOrganizationId"
_SEX_AND_RACES = "sexDescriptor hispanicLatinoEthnicity races[].raceDescriptor"
_OBJECTIVE = "educationOrganizationId objective objectiveGradeLevelDescriptor"
_SECTIONS = _below("studentSectionAssociations[].studentSectionAssociationReference", _SECTION)
_TOLD = f"studentReference.studentUniqueId competencyLevelDescriptor diagnosticStatement {_SECTIONS}"
_OF_STUDENT = "educationOrganizationReference.educationOrganizationId studentReference.studentUniqueId"
_AVERAGES = (
    "gradePointAverages[].gradePointAverageTypeDescriptor gradePointAverages[].isCumulative "
    "#gradePointAverages[].gradePointAverageValue #gradePointAverages[].maxGradePointAverageValue"
)

ELEMENTS: Mapping[str, str] = MappingProxyType(
    {
        "localEducationAgencies": "localEducationAgencyId nameOfInstitution "
        "parentLocalEducationAgencyReference.localEducationAgencyId",
        "schools": "schoolId nameOfInstitution localEducationAgencyReference.localEducationAgencyId",
        "sessions": "schoolReference.schoolId schoolYearTypeReference.schoolYear sessionName termDescriptor beginDate "
        f"endDate {_below('gradingPeriods[].gradingPeriodReference', _PERIOD)}",
        "gradingPeriods": "schoolReference.schoolId schoolYearTypeReference.schoolYear gradingPeriodDescriptor "
        "gradingPeriodName periodSequence beginDate endDate",
        "courses": "educationOrganizationReference.educationOrganizationId courseCode courseTitle "
        "academicSubjects[].academicSubjectDescriptor offeredGradeLevels[].gradeLevelDescriptor "
        "courseGPAApplicabilityDescriptor levelCharacteristics[].courseLevelCharacteristicDescriptor",
        "courseOfferings": "localCourseCode schoolReference.schoolId "
        f"{_below('sessionReference', 'schoolId schoolYear sessionName')} "
        "courseReference.courseCode courseReference.educationOrganizationId localCourseTitle",
        "sections": f"{_below('courseOfferingReference', 'localCourseCode schoolId schoolYear sessionName')} "
        "sectionIdentifier sectionName locationReference.classroomIdentificationCode "
        "offeredGradeLevels[].gradeLevelDescriptor classPeriods[].classPeriodReference.classPeriodName",
        "students": f"studentUniqueId {_NAMES} birthDate birthSexDescriptor birthCity birthCountryDescriptor "
        "birthStateAbbreviationDescriptor",
        "studentEducationOrganizationAssociations": f"{_STUDENT_THERE} loginId {_SEX_AND_RACES} {_MAILS} "
        f"{_below('studentIdentificationCodes[]', 'studentIdentificationSystemDescriptor identificationCode')}",
        "studentDemographics": f"{_STUDENT_THERE} {_SEX_AND_RACES}",
        "studentDirectories": f"{_STUDENT_THERE} {_MAILS}",
        "studentIdentificationCodes": f"{_STUDENT_THERE} studentIdentificationSystemDescriptor identificationCode",
        "studentSchoolAssociations": "studentReference.studentUniqueId schoolReference.schoolId entryDate "
        "exitWithdrawDate primarySchool entryGradeLevelDescriptor",
        "staffs": f"staffUniqueId {_NAMES} loginId {_MAILS} "
        f"{_below('identificationCodes[]', 'staffIdentificationSystemDescriptor identificationCode')}",
        "staffDirectories": f"staffReference.staffUniqueId {_MAILS}",
        "staffIdentificationCodes": "staffReference.staffUniqueId staffIdentificationSystemDescriptor "
        "identificationCode",
        "contacts": f"contactUniqueId {_NAMES} loginId {_MAILS}",
        "parents": f"parentUniqueId {_NAMES} loginId {_MAILS}",
        "studentContactAssociations": "studentReference.studentUniqueId contactReference.contactUniqueId "
        "relationDescriptor legalGuardian",
        "studentParentAssociations": "studentReference.studentUniqueId parentReference.parentUniqueId "
        "relationDescriptor legalGuardian",
        "staffSchoolAssociations": "staffReference.staffUniqueId schoolReference.schoolId",
        "staffEducationOrganizationAssignmentAssociations": "staffReference.staffUniqueId "
        "educationOrganizationReference.educationOrganizationId staffClassificationDescriptor beginDate endDate",
        "studentSectionAssociations": f"{_below('sectionReference', _SECTION)} studentReference.studentUniqueId "
        "beginDate endDate",
        "staffSectionAssociations": f"{_below('sectionReference', _SECTION)} staffReference.staffUniqueId "
        "classroomPositionDescriptor beginDate endDate",
        "gradebookEntries": "gradebookEntryIdentifier namespace title gradebookEntryTitle description dateAssigned "
        f"dueDate #maxPoints gradebookEntryTypeDescriptor {_below('sectionReference', _SECTION)} "
        f"{_below('gradingPeriodReference', _PERIOD)} learningStandards[].learningStandardReference.learningStandardId",
        "studentGradebookEntries": "gradebookEntryReference.gradebookEntryIdentifier gradebookEntryReference.namespace "
        f"{_below('gradebookEntryReference', f'gradebookEntryTitle dateAssigned {_SECTION}')} "
        f"studentReference.studentUniqueId studentSectionAssociationReference.studentUniqueId "
        "#pointsEarned #numericGradeEarned letterGradeEarned competencyLevelDescriptor dateFulfilled "
        "diagnosticStatement submissionStatusDescriptor assignmentLateStatusDescriptor",
        "grades": f"{_below('gradingPeriodReference', _PERIOD)} {_SECTION_OF_STUDENT} gradeTypeDescriptor "
        "#numericGradeEarned letterGradeEarned performanceBaseConversionDescriptor diagnosticStatement "
        "learningStandardGrades[].learningStandardReference.learningStandardId "
        "#learningStandardGrades[].numericGradeEarned learningStandardGrades[].letterGradeEarned "
        "learningStandardGrades[].performanceBaseConversionDescriptor learningStandardGrades[].diagnosticStatement",
        "assessments": "assessmentIdentifier namespace assessmentTitle #maxRawScore "
        f"{_below('performanceLevels[]', f'{_LEVELS} minimumScore maximumScore')}",
        "objectiveAssessments": "assessmentReference.assessmentIdentifier assessmentReference.namespace "
        "identificationCode learningStandards[].learningStandardReference.learningStandardId",
        "studentAssessments": "assessmentReference.assessmentIdentifier assessmentReference.namespace "
        "studentAssessmentIdentifier studentReference.studentUniqueId administrationDate "
        "schoolYearTypeReference.schoolYear reportedSchoolReference.schoolId "
        f"{_below('scoreResults[]', _SCORES)} {_below('performanceLevels[]', _LEVELS)} "
        "studentObjectiveAssessments[].objectiveAssessmentReference.identificationCode "
        f"{_below('studentObjectiveAssessments[].scoreResults[]', _SCORES)} "
        f"{_below('studentObjectiveAssessments[].performanceLevels[]', _LEVELS)}",
        "learningStandards": "learningStandardId learningStandardItemCode description namespace uri "
        "learningStandardCategoryDescriptor parentLearningStandardReference.learningStandardId "
        "contentStandard.title contentStandard.version contentStandard.publicationStatusDescriptor "
        "academicSubjects[].academicSubjectDescriptor gradeLevels[].gradeLevelDescriptor",
        "competencyLevelDescriptors": "codeValue",
        "studentCompetencyObjectives": f"{_below('gradingPeriodReference', _PERIOD)} {_TOLD} "
        f"{_below('objectiveCompetencyObjectiveReference', _OBJECTIVE)}",
        "studentLearningObjectives": f"{_below('gradingPeriodReference', _PERIOD)} {_TOLD} "
        "learningObjectiveReference.learningObjectiveId learningObjectiveReference.namespace",
        "learningObjectives": "learningObjectiveId namespace objective description "
        "parentLearningObjectiveReference.learningObjectiveId parentLearningObjectiveReference.namespace "
        "contentStandard.title contentStandard.version contentStandard.publicationStatusDescriptor "
        "academicSubjects[].academicSubjectDescriptor gradeLevels[].gradeLevelDescriptor "
        "learningStandards[].learningStandardReference.learningStandardId",
        "learningStandardEquivalenceAssociations": "namespace "
        "sourceLearningStandardReference.learningStandardId targetLearningStandardReference.learningStandardId "
        "learningStandardEquivalenceStrengthDescriptor",
        "studentAcademicRecords": f"{_OF_STUDENT} schoolYearTypeReference.schoolYear termDescriptor {_AVERAGES} "
        "#cumulativeGradePointAverage #cumulativeGradePointsEarned #sessionGradePointAverage #sessionGradePointsEarned",
        "reportCards": f"{_OF_STUDENT} {_below('gradingPeriodReference', _PERIOD)} {_AVERAGES} "
        "#gpaGivenGradingPeriod #gpaCumulative",
        "courseTranscripts": "courseReference.courseCode courseReference.educationOrganizationId "
        f"{_below('studentAcademicRecordReference', 'educationOrganizationId schoolYear studentUniqueId')} "
        "studentAcademicRecordReference.termDescriptor courseAttemptResultDescriptor courseTitle "
        "alternativeCourseTitle finalLetterGradeEarned #finalNumericGradeEarned "
        "#attemptedCredits attemptedCreditTypeDescriptor #attemptedCreditConversion "
        "#earnedCredits earnedCreditTypeDescriptor #earnedCreditConversion courseRepeatCodeDescriptor "
        "methodCreditEarnedDescriptor whenTakenGradeLevelDescriptor externalEducationOrganizationNameOfInstitution "
        "academicSubjects[].academicSubjectDescriptor partialCourseTranscriptAwards[].awardDate",
        "competencyObjectives": "educationOrganizationReference.educationOrganizationId objective "
        "objectiveGradeLevelDescriptor competencyObjectiveId description successCriteria",
    }
)
"""What is read, by resource. Nothing else of a record is taken in."""

ROW = "_row"
ITEM = "_item"
"""Columns of a collection's frame: the record in the page, and the item that a nested collection stands in, from 0."""

_Text = str | int | bool | UnsetType | None
_Number = Decimal | UnsetType | None


@dataclass(slots=True)
class _Node:
    """An object: its scalars (``True`` for numbers), its objects, its collections."""

    scalars: dict[str, bool] = field(default_factory=dict)
    objects: dict[str, _Node] = field(default_factory=dict)
    collections: dict[str, _Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flat:
    """A page of one resource: ``rows`` with a column for each element, ``_lastModifiedDate`` and the record's number;
    ``parts`` by collection (``gradeLevels[]``); the records that could not be read; the ids, empty for those."""

    rows: pl.DataFrame
    parts: Mapping[str, pl.DataFrame]
    faults: tuple[Fault, ...]
    ids: Sequence[str]


@cache
def _shape(resource: str) -> tuple[_Node, type[msgspec.Struct]]:
    top = _Node({"id": False, "_lastModifiedDate": False})
    for element in ELEMENTS[resource].split():
        node = top
        *steps, last = element.removeprefix("#").split(".")
        for step in steps:
            below = node.collections if step.endswith("[]") else node.objects
            node = below.setdefault(step.removesuffix("[]"), _Node())
        node.scalars[last] = element.startswith("#")
    return top, _struct(top, resource)


def _struct(node: _Node, name: str) -> type[msgspec.Struct]:
    fields: list[tuple[str, Any, Any]] = [
        (f"v_{scalar}", _Number if number else _Text, UNSET) for scalar, number in node.scalars.items()
    ]
    fields += [(f"v_{below}", _struct(inner, below) | UnsetType | None, UNSET) for below, inner in node.objects.items()]
    for below, inner in node.collections.items():
        fields.append((f"v_{below}", list[_struct(inner, below)] | UnsetType | None, UNSET))  # type: ignore[misc]  # a type made at run time
    return msgspec.defstruct(name, fields, rename={f: f[2:] for f, *_ in fields}, gc=False)


def read_page(resource: str, body: bytes, source: str) -> Flat:
    """A page of records: a JSON array, and nothing else is one.

    Raises :class:`~gateway.sdk.IncompletePullError` (``page.…``) for an answer that is not a page.
    """
    node, struct = _shape(resource)
    if not body.lstrip(b" \t\r\n").startswith(b"["):
        decode_page(body, list[struct], source=source)  # type: ignore[valid-type]  # says what the answer is instead
    records: Records[Any] = decode_records(b'{"items":' + body + b"}", struct, ("items",), source=source)
    return _flattened(node, records)


def _flattened(node: _Node, records: Records[Any]) -> Flat:
    columns = _columns(node, records.items, "")
    rows = pl.DataFrame([*columns, pl.Series(LINE, list(records.numbers), dtype=pl.UInt32)])
    ids = rows["id"].fill_null("").to_list()
    for fault in records.faults:
        ids.insert(fault.number - 1, "")
    parts: dict[str, pl.DataFrame] = {}
    _take_parts(node, list(enumerate(records.items)), "", parts)
    return Flat(rows, parts, records.faults, ids)


def _columns(node: _Node, items: Sequence[Any], path: str) -> list[pl.Series]:
    found = [
        pl.Series(f"{path}{name}", _texts(_values(items, name), number=number), dtype=pl.String)
        for name, number in node.scalars.items()
    ]
    for name, below in node.objects.items():
        found += _columns(below, _values(items, name), f"{path}{name}.")
    return found


def _values(items: Iterable[Any], name: str) -> list[Any]:
    attribute = f"v_{name}"
    return [None if item is None or item is UNSET else getattr(item, attribute) for item in items]


def _texts(values: list[Any], *, number: bool) -> list[str | None]:
    """JSON scalars as text; ``None`` where the host is silent."""
    if number:
        return [f"{value:f}" if isinstance(value, Decimal) else None for value in values]
    return [value if type(value) is str else _text(value) for value in values]


def _text(value: Any) -> str | None:
    if value is None or value is UNSET:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _take_parts(node: _Node, items: list[tuple[int, Any]], path: str, parts: dict[str, pl.DataFrame]) -> None:
    """The items of each collection below ``node``, with the row they belong to, and what is nested in them."""
    for name, below in node.collections.items():
        lists = _values([item for _, item in items], name)
        found = [(row, at, each) for at, ((row, _), made) in enumerate(zip(items, lists, strict=True))
                 for each in (made if isinstance(made, list) else ())]  # fmt: skip
        columns = _columns(below, [each for _, _, each in found], "")
        places = [pl.Series(ROW, [row for row, _, _ in found], dtype=pl.UInt32),
                  pl.Series(ITEM, [at for _, at, _ in found], dtype=pl.UInt32)]  # fmt: skip
        parts[f"{path}{name}[]"] = pl.DataFrame([*places, *columns])
        _take_parts(below, [(row, each) for row, _, each in found], f"{path}{name}[].", parts)
