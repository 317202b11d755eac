"""A small district with every kind of record that the gateway reads, for any version of the Data Standard.

Bodies hold the members of all versions; a host drops those that it does not know. References are made from the bodies
that they point to, with the key that the version has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.testing.edfi.bodies import at
from gateway.testing.edfi.model import Model, model_of
from gateway.testing.edfi.people import people
from gateway.testing.edfi.sample import LEA, SCHOOL, YEAR, Records, organizations, uri
from gateway.testing.edfi.standards import LATEST

if TYPE_CHECKING:
    from gateway.testing.edfi.service import FakeEdFi

_NAMESPACE = "uri://example.org/Lakeside"
_SCHOOL_KEY, _LEA_KEY = {"schoolId": SCHOOL}, {"educationOrganizationId": LEA}
_NINTH = uri("gradeLevel", "Ninth grade")
_MATHEMATICS = uri("academicSubject", "Mathematics")
_STANDARDS = ("A-REI.3", "A-REI.4", "F-IF.1")


def refer(model: Model, resource: str, content: dict[str, Any]) -> dict[str, Any]:
    """A reference to a body, with the key that ``resource`` has in this version."""
    return {part.name: at(content, part.place) for part in model.resources[resource].key}


def district(standard: str = LATEST, *, students: int = 6) -> Records:
    """The records by resource, what they refer to before them."""
    model = model_of(standard)
    records = organizations() | _courses() | people(students)
    records |= _results(model, records) | _assessments(records["students"], standard)
    return {name: bodies for name, bodies in records.items() if name in model.resources}


def _courses() -> dict[str, list[dict[str, Any]]]:
    section = {"localCourseCode": "ALG-1", "schoolId": SCHOOL, "schoolYear": YEAR, "sessionName": "Fall"}
    return {
        "learningStandards": [_standard(code) for code in _STANDARDS],
        "courses": [
            {
                "educationOrganizationReference": _LEA_KEY,
                "courseCode": "ALG-1",
                "courseTitle": "Algebra I",
                "numberOfParts": 1,
                "maximumAvailableCredits": 1,
                "academicSubjects": [{"academicSubjectDescriptor": _MATHEMATICS}],
                "identificationCodes": [
                    {
                        "courseIdentificationSystemDescriptor": uri("courseIdentificationSystem", "LEA course code"),
                        "identificationCode": "ALG-1",
                    }
                ],
            }
        ],
        "courseOfferings": [
            {
                "courseReference": {"courseCode": "ALG-1", **_LEA_KEY},
                "schoolReference": _SCHOOL_KEY,
                "sessionReference": {"schoolId": SCHOOL, "schoolYear": YEAR, "sessionName": "Fall"},
                "localCourseCode": "ALG-1",
                "localCourseTitle": "Algebra I",
            }
        ],
        "sections": [{"courseOfferingReference": section, "sectionIdentifier": "ALG-1-01", "sectionName": "Period 1"}],
    }


def _standard(code: str) -> dict[str, Any]:
    return {
        "learningStandardId": code,
        "namespace": _NAMESPACE,
        "description": f"What {code} asks for",
        "contentStandard": {"title": "State mathematics"},
        "academicSubjects": [{"academicSubjectDescriptor": _MATHEMATICS}],
        "gradeLevels": [{"gradeLevelDescriptor": _NINTH}],
    }


def _results(model: Model, records: Records) -> dict[str, list[dict[str, Any]]]:
    period = refer(model, "gradingPeriods", records["gradingPeriods"][0])
    enrolments = [refer(model, "studentSectionAssociations", each) for each in records["studentSectionAssociations"]]
    keys = [{"studentUniqueId": each["studentUniqueId"]} for each in records["students"]]
    entry = {
        "gradebookEntryIdentifier": "quiz-1",
        "namespace": _NAMESPACE,
        "sourceSectionIdentifier": "ALG-1-01",
        "sectionReference": records["studentSectionAssociations"][0]["sectionReference"],
        "title": "Quiz 1",
        "gradebookEntryTitle": "Quiz 1",
        "dateAssigned": "2026-09-10",
        "maxPoints": 10,
        "learningStandards": [{"learningStandardReference": {"learningStandardId": _STANDARDS[0]}}],
    }
    objective = {"educationOrganizationReference": _LEA_KEY, "objective": "Solve linear equations",
                 "objectiveGradeLevelDescriptor": _NINTH}  # fmt: skip
    learned = {
        **_standard("LO-1"), "learningObjectiveId": "LO-1", "objective": "Solve quadratic equations",
        "learningStandards": [{"learningStandardReference": {"learningStandardId": _STANDARDS[1]}}],
    }  # fmt: skip
    record = [
        {
            "educationOrganizationReference": {"educationOrganizationId": SCHOOL},
            "schoolYearTypeReference": {"schoolYear": YEAR},
            "studentReference": key,
            "termDescriptor": uri("term", "Fall Semester"),
            "cumulativeEarnedCredits": 3.5,
            "gradePointAverages": [
                {
                    "gradePointAverageTypeDescriptor": uri("gradePointAverageType", "Unweighted"),
                    "gradePointAverageValue": 3.25,
                }
            ],
        }
        for key in keys
    ]
    return {
        "grades": [_grade(period, enrolment) for enrolment in enrolments],
        "gradebookEntries": [entry],
        "studentGradebookEntries": [
            {
                "gradebookEntryReference": refer(model, "gradebookEntries", entry),
                "studentReference": key,
                "studentSectionAssociationReference": enrolment,
                "numericGradeEarned": 8.5,
                "competencyLevelDescriptor": uri("competencyLevel", "Proficient"),
            }
            for key, enrolment in zip(keys, enrolments, strict=True)
        ],
        "competencyObjectives": [objective],
        "studentCompetencyObjectives": [
            {
                "gradingPeriodReference": period,
                "objectiveCompetencyObjectiveReference": refer(model, "competencyObjectives", objective),
                "studentReference": key,
                "competencyLevelDescriptor": uri("competencyLevel", "Proficient"),
            }
            for key in keys
        ],
        "learningObjectives": [learned],
        "studentLearningObjectives": [
            {
                "gradingPeriodReference": period,
                "learningObjectiveReference": {name: learned[name] for name in ("learningObjectiveId", "namespace")},
                "studentReference": key,
                "competencyLevelDescriptor": uri("competencyLevel", "Basic"),
            }
            for key in keys
        ],
        "reportCards": [
            {"educationOrganizationReference": {"educationOrganizationId": SCHOOL}, "studentReference": key,
             "gradingPeriodReference": period}
            for key in keys
        ],
        "studentAcademicRecords": record,
        "courseTranscripts": [
            {
                "courseReference": {"courseCode": "ALG-1", **_LEA_KEY},
                "studentAcademicRecordReference": refer(model, "studentAcademicRecords", each),
                "courseAttemptResultDescriptor": uri("courseAttemptResult", "Pass"),
                "finalLetterGradeEarned": "B",
                "finalNumericGradeEarned": 86,
                "earnedCredits": 0.5,
            }
            for each in record
        ],
    }  # fmt: skip


def _grade(period: dict[str, Any], enrolment: dict[str, Any]) -> dict[str, Any]:
    return {
        "gradingPeriodReference": period,
        "studentSectionAssociationReference": enrolment,
        "gradeTypeDescriptor": uri("gradeType", "Grading Period"),
        "letterGradeEarned": "B",
        "numericGradeEarned": 86,
        "learningStandardGrades": [
            {"learningStandardReference": {"learningStandardId": code}, "letterGradeEarned": "3"}
            for code in _STANDARDS[:2]
        ],
    }


def _assessments(students: list[dict[str, Any]], standard: str) -> dict[str, list[dict[str, Any]]]:
    assessment = {"assessmentIdentifier": "MAP-F", "namespace": _NAMESPACE}
    objective = {**assessment, "identificationCode": "EQ"}
    year = {"schoolYearTypeReference": {"schoolYear": YEAR}} if standard == "6.0" else {}
    score = {
        "assessmentReportingMethodDescriptor": uri("assessmentReportingMethod", "Scale score"),
        "resultDatatypeTypeDescriptor": uri("resultDatatypeType", "Integer"),
        "result": "231",
    }
    level = {
        "assessmentReportingMethodDescriptor": uri("assessmentReportingMethod", "Proficiency level"),
        "performanceLevelDescriptor": uri("performanceLevel", "Proficient"),
    }
    return {
        "assessments": [
            {
                **assessment,
                "assessmentTitle": "Mathematics, fall",
                "academicSubjects": [{"academicSubjectDescriptor": _MATHEMATICS}],
            }
        ],
        "objectiveAssessments": [
            {
                "assessmentReference": assessment,
                "identificationCode": "EQ",
                "description": "Equations",
                "learningStandards": [{"learningStandardReference": {"learningStandardId": _STANDARDS[0]}}],
            }
        ],
        "studentAssessments": [
            {
                "assessmentReference": assessment,
                "studentReference": {"studentUniqueId": each["studentUniqueId"]},
                "studentAssessmentIdentifier": f"MAP-F-{each['studentUniqueId']}",
                "administrationDate": "2026-09-20T00:00:00Z",
                **year,
                "scoreResults": [score],
                "performanceLevels": [level],
                "studentObjectiveAssessments": [
                    {
                        "objectiveAssessmentReference": objective,
                        "scoreResults": [score],
                        "performanceLevels": [level],
                    }
                ],
            }
            for each in students
        ],
    }


def furnished(host: FakeEdFi, *, students: int = 6) -> FakeEdFi:
    """The host, with the district in it."""
    for resource, bodies in district(host.standard, students=students).items():
        host.seed(resource, *bodies)
    return host
