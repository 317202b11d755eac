"""Which element fills which canonical column: the declaration that the source works by and the documentation shows."""

from __future__ import annotations

import polars as pl

from connectors.edfi import keys
from connectors.edfi.filling import CHANGED, SOURCE_WORD, Listed, Rows, Word, literal, one
from connectors.edfi.keys import code
from connectors.edfi.tables_people import PEOPLE
from connectors.edfi.tables_transcripts import TRANSCRIPTS

_STUDENT_OF_ENTRY = pl.coalesce(
    "studentReference.studentUniqueId", "studentSectionAssociationReference.studentUniqueId"
)
_ENTRY = keys.entry("gradebookEntryReference", "gradebookEntryReference")
_GRADED = "studentSectionAssociationReference"
GRADE_ITEM = keys.key(
    "grade", *keys.section_parts(_GRADED), code("gradingPeriodReference.gradingPeriodDescriptor"),
    pl.coalesce("gradingPeriodReference.gradingPeriodName", "gradingPeriodReference.periodSequence"),
    code("gradeTypeDescriptor"),
)  # fmt: skip
GRADE = keys.below(GRADE_ITEM, f"{_GRADED}.studentUniqueId", f"{_GRADED}.beginDate")
ASSESSED = ("studentSchoolAssociations.schoolReference.schoolId", "sessions.schoolYear")
_METHOD = code("scores.assessmentReportingMethodDescriptor")
ASSESSMENT_ITEM = keys.key(
    "assessment", "assessmentReference.namespace", "assessmentReference.assessmentIdentifier", _METHOD, *ASSESSED
)
ASSESSMENT_RESULT = keys.below(ASSESSMENT_ITEM, "studentReference.studentUniqueId", "studentAssessmentIdentifier")
NUMBER = r"^-?\d+(\.\d+)?$"


def _number(element: str) -> pl.Expr:
    return pl.when(pl.col(element).str.contains(NUMBER)).then(element)


def _no_number(element: str) -> pl.Expr:
    return pl.when(~pl.col(element).str.contains(NUMBER)).then(element)


ORGS = (
    Rows("localEducationAgencies", "orgs", {
        "id": keys.org("localEducationAgencyId"), "date_last_modified": CHANGED, "name": "nameOfInstitution",
        "type": literal("district"), "identifier": "localEducationAgencyId",
        "parent_id": keys.org("parentLocalEducationAgencyReference.localEducationAgencyId"),
    }),
    Rows("schools", "orgs", {
        "id": keys.org("schoolId"), "date_last_modified": CHANGED, "name": "nameOfInstitution",
        "type": literal("school"), "identifier": "schoolId",
        "parent_id": keys.org("localEducationAgencyReference.localEducationAgencyId"),
    }),
)  # fmt: skip

SESSIONS = Rows("sessions", "academic_sessions", {
    "id": keys.session("schoolReference.schoolId", "schoolYearTypeReference.schoolYear", "sessionName"),
    "date_last_modified": CHANGED, "title": "sessionName", "type": Word("term", "termDescriptor"),
    "start_date": "beginDate", "end_date": "endDate", "parent_id": keys.year("schoolYearTypeReference.schoolYear"),
    "school_year": "schoolYearTypeReference.schoolYear",
})  # fmt: skip
PERIODS = Rows("gradingPeriods", "academic_sessions", {
    "id": keys.period("", "schoolReference.schoolId", "schoolYearTypeReference.schoolYear"),
    "date_last_modified": CHANGED,
    "title": pl.coalesce(pl.col("gradingPeriodName"), code("gradingPeriodDescriptor")),
    "type": literal("gradingPeriod"), "start_date": "beginDate", "end_date": "endDate",
    "parent_id": pl.coalesce(pl.col("sessions.gradingPeriods[]"), keys.year("schoolYearTypeReference.schoolYear")),
    "school_year": "schoolYearTypeReference.schoolYear",
})  # fmt: skip
YEARS = Rows("sessions", "academic_sessions", {
    "id": keys.year("schoolYearTypeReference.schoolYear"), "title": "schoolYearTypeReference.schoolYear",
    "type": literal("schoolYear"), "start_date": "beginDate", "end_date": "endDate",
    "school_year": "schoolYearTypeReference.schoolYear",
})  # fmt: skip

COURSES = Rows("courses", "courses", {
    "id": keys.course("educationOrganizationReference.educationOrganizationId", "courseCode"),
    "date_last_modified": CHANGED, "title": "courseTitle", "course_code": "courseCode",
    "grades": Listed("offeredGradeLevels[].gradeLevelDescriptor", "gradeLevel"),
    "org_id": keys.org("educationOrganizationReference.educationOrganizationId"),
    "subjects": Listed("academicSubjects[].academicSubjectDescriptor", "academicSubject"),
})  # fmt: skip
CLASSES = Rows("sections", "classes", {
    "id": keys.section("courseOfferingReference", "sectionIdentifier"), "date_last_modified": CHANGED,
    "title": pl.coalesce("sectionName", "courseOfferings.localCourseTitle", "courseOfferingReference.localCourseCode"),
    "grades": Listed("offeredGradeLevels[].gradeLevelDescriptor", "gradeLevel"),
    "course_id": keys.course(
        "courseOfferings.courseReference.educationOrganizationId", "courseOfferings.courseReference.courseCode"
    ),
    "class_code": "courseOfferingReference.localCourseCode", "class_type": literal("scheduled"),
    "location": "locationReference.classroomIdentificationCode",
    "school_id": keys.org("courseOfferingReference.schoolId"),
    "term_ids": one(keys.session("courseOfferingReference.schoolId", "courseOfferingReference.schoolYear",
                                  "courseOfferingReference.sessionName")),
    "periods": Listed("classPeriods[].classPeriodReference.classPeriodName"),
})  # fmt: skip
TEST_CLASSES = Rows("sessions", "classes", {
    "id": keys.key("assessments", "schoolReference.schoolId", "schoolYearTypeReference.schoolYear"),
    "title": pl.format("Assessments {}", "schoolYearTypeReference.schoolYear"),
    "school_id": keys.org("schoolReference.schoolId"),
    "term_ids": one(keys.year("schoolYearTypeReference.schoolYear")),
})  # fmt: skip

ENTRIES = Rows("gradebookEntries", "line_items", {
    "id": keys.entry("", "sectionReference"), "date_last_modified": CHANGED,
    "title": pl.coalesce("title", "gradebookEntryTitle"), "description": "description",
    "assign_date": "dateAssigned", "due_date": "dueDate", "class_id": keys.section("sectionReference"),
    "category_id": keys.key("category", code("gradebookEntryTypeDescriptor")),
    "academic_session_id": keys.period("gradingPeriodReference"), "result_value_max": "maxPoints",
    "school_id": keys.org("sectionReference.schoolId"),
})  # fmt: skip
ENTRY_OBJECTIVES = Rows("gradebookEntries", "line_item_learning_objectives", {
    "line_item_id": keys.entry("", "sectionReference"), "source": literal(SOURCE_WORD),
    "learning_objective_id": "learningStandards[].learningStandardReference.learningStandardId",
})  # fmt: skip
ENTRY_RESULT = keys.below(_ENTRY, _STUDENT_OF_ENTRY)
ENTRY_RESULTS = Rows("studentGradebookEntries", "results", {
    "id": ENTRY_RESULT, "date_last_modified": CHANGED, "line_item_id": _ENTRY,
    "student_id": keys.student(_STUDENT_OF_ENTRY),
    "score_status": Word("submissionStatus", "submissionStatusDescriptor"),
    "score": pl.coalesce("pointsEarned", "numericGradeEarned"), "score_date": "dateFulfilled",
    "comment": "diagnosticStatement",
    "text_score": pl.coalesce(pl.col("letterGradeEarned"), code("competencyLevelDescriptor")),
    "late": Word("assignmentLateStatus", "assignmentLateStatusDescriptor"),
})  # fmt: skip

GRADE_ITEMS = Rows("grades", "line_items", {
    "id": GRADE_ITEM,
    "title": pl.format(
        "{}, {}", code("gradeTypeDescriptor"),
        pl.coalesce(pl.col("gradingPeriodReference.gradingPeriodName"),
                    code("gradingPeriodReference.gradingPeriodDescriptor")),
    ),
    "class_id": keys.section(_GRADED), "category_id": keys.key("category", code("gradeTypeDescriptor")),
    "academic_session_id": keys.period("gradingPeriodReference"), "school_id": keys.org(f"{_GRADED}.schoolId"),
})  # fmt: skip
GRADE_RESULTS = Rows("grades", "results", {
    "id": GRADE, "date_last_modified": CHANGED, "line_item_id": GRADE_ITEM,
    "student_id": keys.student(f"{_GRADED}.studentUniqueId"), "score": "numericGradeEarned",
    "text_score": pl.coalesce(pl.col("letterGradeEarned"), code("performanceBaseConversionDescriptor")),
    "comment": "diagnosticStatement",
})  # fmt: skip
_STANDARD_GRADE = "learningStandardGrades[]."
GRADE_OBJECTIVES = Rows("grades", "result_learning_objectives", {
    "result_id": GRADE, "source": literal(SOURCE_WORD),
    "learning_objective_id": f"{_STANDARD_GRADE}learningStandardReference.learningStandardId",
    "score": f"{_STANDARD_GRADE}numericGradeEarned",
    "text_score": pl.coalesce(pl.col(f"{_STANDARD_GRADE}letterGradeEarned"),
                              code(f"{_STANDARD_GRADE}performanceBaseConversionDescriptor")),
})  # fmt: skip

ASSESSMENT_ITEMS = Rows("studentAssessments", "line_items", {
    "id": ASSESSMENT_ITEM, "title": pl.format("{}, {}", "assessments.assessmentTitle", _METHOD),
    "class_id": keys.key("assessments", *ASSESSED),
    "category_id": keys.key("category", literal("Assessment")), "academic_session_id": keys.year(ASSESSED[1]),
    "school_id": keys.org(ASSESSED[0]),
})  # fmt: skip
ASSESSMENT_RESULTS = Rows("studentAssessments", "results", {
    "id": ASSESSMENT_RESULT, "date_last_modified": CHANGED, "line_item_id": ASSESSMENT_ITEM,
    "student_id": keys.student("studentReference.studentUniqueId"), "score": _number("scores.result"),
    "text_score": _no_number("scores.result"), "score_date": pl.col("administrationDate").str.head(10),
})  # fmt: skip
ASSESSMENT_OBJECTIVES = Rows("studentAssessments", "result_learning_objectives", {
    "result_id": ASSESSMENT_RESULT, "source": literal(SOURCE_WORD),
    "learning_objective_id": pl.coalesce(
        pl.col("objectiveAssessments.learningStandards[].learningStandardReference.learningStandardId"),
        keys.key("objective", "assessmentReference.namespace", "assessmentReference.assessmentIdentifier",
                 "objectives.objectiveAssessmentReference.identificationCode"),
    ),
    "score": _number("objectives.result"), "text_score": _no_number("objectives.result"),
})  # fmt: skip

DECLARED: tuple[Rows, ...] = (
    *ORGS, YEARS, SESSIONS, PERIODS, COURSES, CLASSES, TEST_CLASSES, *PEOPLE,
    ENTRIES, ENTRY_OBJECTIVES, ENTRY_RESULTS, GRADE_ITEMS, GRADE_RESULTS,
    GRADE_OBJECTIVES, ASSESSMENT_ITEMS, ASSESSMENT_RESULTS, ASSESSMENT_OBJECTIVES, *TRANSCRIPTS,
)  # fmt: skip
