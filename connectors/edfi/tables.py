"""Which element fills which canonical column: the declaration that the source works by and the documentation shows.

A column is filled by an element (its path), an expression over elements, a :class:`Word` or a list. A path that begins
with a resource, ``courseOfferings.localCourseTitle``, is looked up there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from connectors.edfi import keys
from connectors.edfi.elements import ITEM, ROW, Flat
from connectors.edfi.keys import code
from connectors.edfi.words import Dictionary
from gateway.sdk import LINE, SOURCE, TABLES

CHANGED = "_lastModifiedDate"
SOURCE_WORD = "edfi"
"""What stands as the source of learning objectives: the codes are ``learningStandardId``s."""


@dataclass(frozen=True, slots=True)
class Word:
    """A descriptor as a word of OneRoster; ``listed``: as a list of one."""

    kind: str
    element: str
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """The items of a collection as a list, as words of a ``kind`` of descriptor, or as codes or texts."""

    element: str
    kind: str = ""

    @property
    def collection(self) -> str:
        return self.element.rpartition("[].")[0] + "[]"

    @property
    def member(self) -> str:
        return self.element.rpartition("[].")[2]


Filling = str | pl.Expr | Word | Listed


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of ``table`` that records of ``resource`` make."""

    resource: str
    table: str
    columns: Mapping[str, Filling]


def _lit(value: str) -> pl.Expr:
    return pl.lit(value, pl.String)


def _one(value: pl.Expr) -> pl.Expr:
    return pl.concat_list(value)


_NAMES: Mapping[str, Filling] = {
    "given_name": "firstName",
    "middle_name": "middleName",
    "family_name": "lastSurname",
    "preferred_given_name": "preferredFirstName",
    "preferred_family_name": "preferredLastSurname",
    "date_last_modified": CHANGED,
}
_SSA = "studentSchoolAssociations"
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
        "type": _lit("district"), "identifier": "localEducationAgencyId",
        "parent_id": keys.org("parentLocalEducationAgencyReference.localEducationAgencyId"),
    }),
    Rows("schools", "orgs", {
        "id": keys.org("schoolId"), "date_last_modified": CHANGED, "name": "nameOfInstitution",
        "type": _lit("school"), "identifier": "schoolId",
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
    "type": _lit("gradingPeriod"), "start_date": "beginDate", "end_date": "endDate",
    "parent_id": pl.coalesce(pl.col("sessions.gradingPeriods[]"), keys.year("schoolYearTypeReference.schoolYear")),
    "school_year": "schoolYearTypeReference.schoolYear",
})  # fmt: skip
YEARS = Rows("sessions", "academic_sessions", {
    "id": keys.year("schoolYearTypeReference.schoolYear"), "title": "schoolYearTypeReference.schoolYear",
    "type": _lit("schoolYear"), "start_date": "beginDate", "end_date": "endDate",
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
    "class_code": "courseOfferingReference.localCourseCode", "class_type": _lit("scheduled"),
    "location": "locationReference.classroomIdentificationCode",
    "school_id": keys.org("courseOfferingReference.schoolId"),
    "term_ids": _one(keys.session("courseOfferingReference.schoolId", "courseOfferingReference.schoolYear",
                                  "courseOfferingReference.sessionName")),
    "periods": Listed("classPeriods[].classPeriodReference.classPeriodName"),
})  # fmt: skip
TEST_CLASSES = Rows("sessions", "classes", {
    "id": keys.key("assessments", "schoolReference.schoolId", "schoolYearTypeReference.schoolYear"),
    "title": pl.format("Assessments {}", "schoolYearTypeReference.schoolYear"),
    "school_id": keys.org("schoolReference.schoolId"),
    "term_ids": _one(keys.year("schoolYearTypeReference.schoolYear")),
})  # fmt: skip

STUDENTS = Rows("students", "users", {
    "id": keys.student("studentUniqueId"), **_NAMES, "identifier": "studentUniqueId",
    "user_ids": _one(pl.format("Ed-Fi:{}", "studentUniqueId")),
    "grades": Word("gradeLevel", f"{_SSA}.entryGradeLevelDescriptor", listed=True),
    "primary_org_id": keys.org(f"{_SSA}.schoolReference.schoolId"),
})  # fmt: skip
STAFFS = Rows("staffs", "users", {
    "id": keys.staff("staffUniqueId"), **_NAMES, "identifier": "staffUniqueId", "username": "loginId",
    "user_ids": _one(pl.format("Ed-Fi:{}", "staffUniqueId")),
    "email": "electronicMails[].electronicMailAddress",
})  # fmt: skip
STUDENT_ROLES = Rows(_SSA, "roles", {
    "id": keys.key("role", "studentReference.studentUniqueId", "schoolReference.schoolId", _lit("student")),
    "user_id": keys.student("studentReference.studentUniqueId"), "role_type": "_role_type", "role": _lit("student"),
    "begin_date": "entryDate", "end_date": "exitWithdrawDate", "org_id": keys.org("schoolReference.schoolId"),
})  # fmt: skip
_ASSIGNED = "educationOrganizationReference.educationOrganizationId"
STAFF_ROLES = Rows("staffEducationOrganizationAssignmentAssociations", "roles", {
    "id": keys.key("role", "staffReference.staffUniqueId", _ASSIGNED, code("staffClassificationDescriptor")),
    "user_id": keys.staff("staffReference.staffUniqueId"), "role_type": "_role_type",
    "role": Word("staffClassification", "staffClassificationDescriptor"),
    "begin_date": "beginDate", "end_date": "endDate", "org_id": keys.org(_ASSIGNED),
})  # fmt: skip

STUDENT_ENROLLMENTS = Rows("studentSectionAssociations", "enrollments", {
    "id": keys.key("enrollment", *keys.section_parts("sectionReference"), "studentReference.studentUniqueId",
                   "beginDate"),
    "date_last_modified": CHANGED, "class_id": keys.section("sectionReference"),
    "school_id": keys.org("sectionReference.schoolId"), "user_id": keys.student("studentReference.studentUniqueId"),
    "role": _lit("student"), "begin_date": "beginDate", "end_date": "endDate",
})  # fmt: skip
STAFF_ENROLLMENTS = Rows("staffSectionAssociations", "enrollments", {
    "id": keys.key("teaching", *keys.section_parts("sectionReference"), "staffReference.staffUniqueId", "beginDate"),
    "date_last_modified": CHANGED, "class_id": keys.section("sectionReference"),
    "school_id": keys.org("sectionReference.schoolId"), "user_id": keys.staff("staffReference.staffUniqueId"),
    "role": Word("classroomPosition", "classroomPositionDescriptor"),
    "primary": (code("classroomPositionDescriptor") == "Teacher of Record").cast(pl.String),
    "begin_date": "beginDate", "end_date": "endDate",
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
    "line_item_id": keys.entry("", "sectionReference"), "source": _lit(SOURCE_WORD),
    "learning_objective_id": "learningStandards[].learningStandardReference.learningStandardId",
})  # fmt: skip
ENTRY_RESULTS = Rows("studentGradebookEntries", "results", {
    "id": keys.below(_ENTRY, _STUDENT_OF_ENTRY), "date_last_modified": CHANGED, "line_item_id": _ENTRY,
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
    "result_id": GRADE, "source": _lit(SOURCE_WORD),
    "learning_objective_id": f"{_STANDARD_GRADE}learningStandardReference.learningStandardId",
    "score": f"{_STANDARD_GRADE}numericGradeEarned",
    "text_score": pl.coalesce(pl.col(f"{_STANDARD_GRADE}letterGradeEarned"),
                              code(f"{_STANDARD_GRADE}performanceBaseConversionDescriptor")),
})  # fmt: skip

ASSESSMENT_ITEMS = Rows("studentAssessments", "line_items", {
    "id": ASSESSMENT_ITEM, "title": pl.format("{}, {}", "assessments.assessmentTitle", _METHOD),
    "class_id": keys.key("assessments", *ASSESSED),
    "category_id": keys.key("category", _lit("Assessment")), "academic_session_id": keys.year(ASSESSED[1]),
    "school_id": keys.org(ASSESSED[0]),
})  # fmt: skip
ASSESSMENT_RESULTS = Rows("studentAssessments", "results", {
    "id": ASSESSMENT_RESULT, "date_last_modified": CHANGED, "line_item_id": ASSESSMENT_ITEM,
    "student_id": keys.student("studentReference.studentUniqueId"), "score": _number("scores.result"),
    "text_score": _no_number("scores.result"), "score_date": pl.col("administrationDate").str.head(10),
})  # fmt: skip
ASSESSMENT_OBJECTIVES = Rows("studentAssessments", "result_learning_objectives", {
    "result_id": ASSESSMENT_RESULT, "source": _lit(SOURCE_WORD),
    "learning_objective_id": pl.coalesce(
        pl.col("objectiveAssessments.learningStandards[].learningStandardReference.learningStandardId"),
        keys.key("objective", "assessmentReference.namespace", "assessmentReference.assessmentIdentifier",
                 "objectives.objectiveAssessmentReference.identificationCode"),
    ),
    "score": _number("objectives.result"), "text_score": _no_number("objectives.result"),
})  # fmt: skip

DECLARED: tuple[Rows, ...] = (
    *ORGS, YEARS, SESSIONS, PERIODS, COURSES, CLASSES, TEST_CLASSES, STUDENTS, STAFFS, STUDENT_ROLES, STAFF_ROLES,
    STUDENT_ENROLLMENTS, STAFF_ENROLLMENTS, ENTRIES, ENTRY_OBJECTIVES, ENTRY_RESULTS, GRADE_ITEMS, GRADE_RESULTS,
    GRADE_OBJECTIVES, ASSESSMENT_ITEMS, ASSESSMENT_RESULTS, ASSESSMENT_OBJECTIVES,
)  # fmt: skip


def build(rows: Rows, frame: pl.DataFrame, words: Dictionary, source: str) -> pl.DataFrame:
    """The raw canonical frame. ``frame`` has every element that the declaration names, lists included, and the line."""
    table = TABLES[rows.table]
    made = [_filled(rows.columns.get(name), frame, words).alias(name) for name in table.names]
    filled = frame.select(*made, pl.lit(source, pl.String).alias(SOURCE), pl.col(LINE))
    return filled.select(pl.col(name).cast(kind) for name, kind in table.raw_schema.items())


def _filled(filling: Filling | None, frame: pl.DataFrame, words: Dictionary) -> pl.Expr:
    if filling is None:
        return pl.lit(None)
    if isinstance(filling, str):
        return pl.col(filling)
    if isinstance(filling, Listed):
        return pl.col(filling.element)
    if isinstance(filling, Word):
        word = words.word(frame, filling.kind, filling.element)
        return pl.when(pl.col(filling.element).is_not_null()).then(pl.concat_list(word)) if filling.listed else word
    return filling


def with_lists(rows: Rows, flat: Flat, words: Dictionary) -> pl.DataFrame:
    """The page's rows with a column for each list that the declaration names."""
    frame = flat.rows.with_row_index(ROW)
    for filling in rows.columns.values():
        if isinstance(filling, Listed):
            part = flat.parts[filling.collection]
            value = words.word(part, filling.kind, filling.member) if filling.kind else pl.col(filling.member)
            lists = part.group_by(ROW, maintain_order=True).agg(value.drop_nulls().alias(filling.element))
            frame = frame.join(lists, on=ROW, how="left", maintain_order="left")
    return frame


def with_items(frame: pl.DataFrame, part: pl.DataFrame, collection: str) -> pl.DataFrame:
    """A row for each item of a collection, its members under their whole path, beside the elements of its record."""
    named = part.drop(ITEM).rename({name: f"{collection}.{name}" for name in part.columns if name not in (ROW, ITEM)})
    return named.join(frame, on=ROW, how="inner", maintain_order="left")
