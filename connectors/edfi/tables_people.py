"""What fills the tables of people: users, their roles and enrollments."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from connectors.edfi import keys
from connectors.edfi.filling import CHANGED, Filling, Rows, Word, literal, one
from connectors.edfi.keys import code

NAMES: Mapping[str, Filling] = {
    "given_name": "firstName",
    "middle_name": "middleName",
    "family_name": "lastSurname",
    "preferred_given_name": "preferredFirstName",
    "preferred_family_name": "preferredLastSurname",
    "date_last_modified": CHANGED,
}
SSA = "studentSchoolAssociations"

STUDENTS = Rows("students", "users", {
    "id": keys.student("studentUniqueId"), **NAMES, "identifier": "studentUniqueId",
    "user_ids": one(pl.format("Ed-Fi:{}", "studentUniqueId")),
    "grades": Word("gradeLevel", f"{SSA}.entryGradeLevelDescriptor", listed=True),
    "primary_org_id": keys.org(f"{SSA}.schoolReference.schoolId"),
})  # fmt: skip
STAFFS = Rows("staffs", "users", {
    "id": keys.staff("staffUniqueId"), **NAMES, "identifier": "staffUniqueId", "username": "loginId",
    "user_ids": one(pl.format("Ed-Fi:{}", "staffUniqueId")),
    "email": "electronicMails[].electronicMailAddress",
})  # fmt: skip
STUDENT_ROLES = Rows(SSA, "roles", {
    "id": keys.key("role", "studentReference.studentUniqueId", "schoolReference.schoolId", literal("student")),
    "user_id": keys.student("studentReference.studentUniqueId"), "role_type": "_role_type", "role": literal("student"),
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
    "role": literal("student"), "begin_date": "beginDate", "end_date": "endDate",
})  # fmt: skip
STAFF_ENROLLMENTS = Rows("staffSectionAssociations", "enrollments", {
    "id": keys.key("teaching", *keys.section_parts("sectionReference"), "staffReference.staffUniqueId", "beginDate"),
    "date_last_modified": CHANGED, "class_id": keys.section("sectionReference"),
    "school_id": keys.org("sectionReference.schoolId"), "user_id": keys.staff("staffReference.staffUniqueId"),
    "role": Word("classroomPosition", "classroomPositionDescriptor"),
    "primary": (code("classroomPositionDescriptor") == "Teacher of Record").cast(pl.String),
    "begin_date": "beginDate", "end_date": "endDate",
})  # fmt: skip

PEOPLE: tuple[Rows, ...] = (STUDENTS, STAFFS, STUDENT_ROLES, STAFF_ROLES, STUDENT_ENROLLMENTS, STAFF_ENROLLMENTS)
