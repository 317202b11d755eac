"""What fills the tables of people: users, their roles and enrollments."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from connectors.edfi import keys
from connectors.edfi.filling import CHANGED, Among, Filling, Rows, Word, literal, one
from connectors.edfi.keys import code
from connectors.edfi.lookups_people import AGENTS, MAIL, OLDER, TIES

NAMES: Mapping[str, Filling] = {
    "given_name": "firstName",
    "middle_name": "middleName",
    "family_name": "lastSurname",
    "preferred_given_name": "preferredFirstName",
    "preferred_family_name": "preferredLastSurname",
    "date_last_modified": CHANGED,
}
SSA = "studentSchoolAssociations"
SSA_SCHOOL = f"{SSA}.schoolReference.schoolId"


def _ids(own: str, *codes: str) -> pl.Expr:
    """The unique id of Ed-Fi, and the further ones."""
    further = [pl.col(each).fill_null(pl.lit([], pl.List(pl.String))) for each in codes]
    return pl.concat_list(pl.format("Ed-Fi:{}", own), *further)


STUDENTS = Rows("students", "users", {
    "id": keys.student("studentUniqueId"), **NAMES, "identifier": "studentUniqueId",
    "user_ids": _ids("studentUniqueId", f"{OLDER}.studentIdentificationCodes[].identificationCode",
                     "studentIdentificationCodes.identificationCode"),
    "username": f"{OLDER}.loginId", "email": pl.coalesce(f"{OLDER}.{MAIL}", f"studentDirectories.{MAIL}"),
    "agent_ids": pl.coalesce(*AGENTS.values()),
    "grades": Word("gradeLevel", f"{SSA}.entryGradeLevelDescriptor", listed=True),
    "primary_org_id": keys.org(SSA_SCHOOL),
})  # fmt: skip
STAFFS = Rows("staffs", "users", {
    "id": keys.staff("staffUniqueId"), **NAMES, "identifier": "staffUniqueId", "username": "loginId",
    "user_ids": _ids("staffUniqueId", "identificationCodes[].identificationCode",
                     "staffIdentificationCodes.identificationCode"),
    "email": pl.coalesce(MAIL, f"staffDirectories.{MAIL}"),
})  # fmt: skip


def _contact(resource: str, unique_id: str) -> Rows:
    return Rows(resource, "users", {
        "id": keys.contact(unique_id), **NAMES, "identifier": unique_id, "username": "loginId",
        "user_ids": one(pl.format("Ed-Fi:{}", unique_id)), "email": MAIL,
    })  # fmt: skip


def _contact_role(resource: str, person: str) -> Rows:
    return Rows(resource, "roles", {
        "id": keys.key("role", keys.contact(person), SSA_SCHOOL, code("relationDescriptor")),
        "user_id": keys.contact(person), "role_type": "_role_type", "role": Word("relation", "relationDescriptor"),
        "org_id": keys.org(SSA_SCHOOL),
    })  # fmt: skip


CONTACTS = {"contacts": _contact("contacts", "contactUniqueId"), "parents": _contact("parents", "parentUniqueId")}
CONTACT_ROLES = {resource: _contact_role(*tie) for resource, tie in TIES.items()}
SEX = f"{OLDER}.sexDescriptor"
RACES = f"{OLDER}.races[].raceDescriptor"


def _is(race: str) -> Among:
    return Among(RACES, "race", race)


DEMOGRAPHICS = Rows("students", "demographics", {
    "id": keys.student("studentUniqueId"), "date_last_modified": CHANGED, "birth_date": "birthDate",
    "sex": Word("sex", SEX),
    "american_indian_or_alaska_native": _is("americanIndianOrAlaskaNative"), "asian": _is("asian"),
    "black_or_african_american": _is("blackOrAfricanAmerican"),
    "native_hawaiian_or_other_pacific_islander": _is("nativeHawaiianOrOtherPacificIslander"), "white": _is("white"),
    "demographic_race_two_or_more_races": (pl.col(RACES).list.len() > 1).cast(pl.String),
    "hispanic_or_latino_ethnicity": f"{OLDER}.hispanicLatinoEthnicity",
    "country_of_birth_code": code("birthCountryDescriptor"),
    "state_of_birth_abbreviation": code("birthStateAbbreviationDescriptor"), "city_of_birth": "birthCity",
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

PEOPLE: tuple[Rows, ...] = (
    STUDENTS, STAFFS, *CONTACTS.values(), STUDENT_ROLES, STAFF_ROLES, *CONTACT_ROLES.values(), STUDENT_ENROLLMENTS,
    STAFF_ENROLLMENTS, DEMOGRAPHICS,
)  # fmt: skip
