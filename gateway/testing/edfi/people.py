"""The people of the small district: students and a teacher, their contacts, where they belong and what they attend."""

from __future__ import annotations

from typing import Any

from gateway.testing.edfi.sample import LEA, SCHOOL, YEAR, uri

_SCHOOL_KEY, _LEA_KEY = {"schoolId": SCHOOL}, {"educationOrganizationId": LEA}
_STAFF_KEY = {"staffUniqueId": "207001"}
SECTION = {
    "localCourseCode": "ALG-1", "schoolId": SCHOOL, "schoolYear": YEAR, "sessionName": "Fall",
    "sectionIdentifier": "ALG-1-01",
}  # fmt: skip


def people(count: int) -> dict[str, list[dict[str, Any]]]:
    """The records by resource. Resources that a version lacks are left out by :func:`.district.district`."""
    students = [
        {"studentUniqueId": f"{604800 + n}", "firstName": f"Given{n}", "lastSurname": f"Family{n}",
         "birthDate": "2011-05-01"}
        for n in range(count)
    ]  # fmt: skip
    keys = [{"studentUniqueId": each["studentUniqueId"]} for each in students]
    return {
        "students": students,
        "staffs": [{
            **_STAFF_KEY, "firstName": "Tea", "lastSurname": "Cher", "identificationCodes": [_staff_code()],
            "electronicMails": [_mail("tea@lakeside.example")],
        }],
        "studentSchoolAssociations": [
            {
                "schoolReference": _SCHOOL_KEY, "studentReference": key, "entryDate": "2026-08-24",
                "entryGradeLevelDescriptor": uri("gradeLevel", "Ninth grade"),
            }
            for key in keys
        ],
        "studentEducationOrganizationAssociations": [
            {
                **_there(key), **_sex_and_races(), "electronicMails": _mails(key),
                "studentIdentificationCodes": [_student_code(key)],
            }
            for key in keys
        ],
        "staffSchoolAssociations": [
            {
                "schoolReference": _SCHOOL_KEY, "staffReference": _STAFF_KEY,
                "programAssignmentDescriptor": uri("programAssignment", "Regular Education"),
            }
        ],
        "staffSectionAssociations": [
            {
                "sectionReference": SECTION, "staffReference": _STAFF_KEY, "beginDate": "2026-08-24",
                "classroomPositionDescriptor": uri("classroomPosition", "Teacher of Record"),
            }
        ],
        "studentSectionAssociations": [
            {"sectionReference": SECTION, "studentReference": key, "beginDate": "2026-08-24"} for key in keys
        ],
        **_contacts(keys),
        **_since_6_0(keys),
    }  # fmt: skip


def _contacts(keys: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """A mother for all; parents and contacts are two names of one thing, in different versions."""
    mother = {"firstName": "Mo", "lastSurname": "Ther", "electronicMails": [_mail("mo@home.example")]}
    tie = {"relationDescriptor": uri("relation", "Mother"), "legalGuardian": True}
    return {
        "contacts": [{**mother, "contactUniqueId": "777779"}],
        "studentContactAssociations": [
            {**tie, "studentReference": key, "contactReference": {"contactUniqueId": "777779"}} for key in keys
        ],
        "parents": [{**mother, "parentUniqueId": "777779"}],
        "studentParentAssociations": [
            {**tie, "studentReference": key, "parentReference": {"parentUniqueId": "777779"}} for key in keys
        ],
    }


def _since_6_0(keys: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    staff = {"educationOrganizationReference": _LEA_KEY, "staffReference": _STAFF_KEY}
    return {
        "studentDemographics": [{**_there(key), **_sex_and_races()} for key in keys],
        "studentDirectories": [{**_there(key), "electronicMails": _mails(key)} for key in keys],
        "studentIdentificationCodes": [{**_there(key), **_student_code(key)} for key in keys],
        "staffDirectories": [{**staff, "electronicMails": [_mail("tea@lakeside.example")]}],
        "staffIdentificationCodes": [{**staff, **_staff_code()}],
    }


def _there(key: dict[str, Any]) -> dict[str, Any]:
    return {"educationOrganizationReference": _LEA_KEY, "studentReference": key}


def _sex_and_races() -> dict[str, Any]:
    races = ("Asian", "White")
    return {
        "sexDescriptor": uri("sex", "Female"), "hispanicLatinoEthnicity": False,
        "races": [{"raceDescriptor": uri("race", race)} for race in races],
    }  # fmt: skip


def _mails(key: dict[str, Any]) -> list[dict[str, Any]]:
    """One for the home that nobody may publish, and the school's."""
    home = {**_mail(f"{key['studentUniqueId']}@home.example"), "doNotPublishIndicator": True}
    return [home, _mail(f"{key['studentUniqueId']}@lakeside.example")]


def _mail(address: str) -> dict[str, Any]:
    return {"electronicMailTypeDescriptor": uri("electronicMailType", "Organization"), "electronicMailAddress": address}


def _student_code(key: dict[str, Any]) -> dict[str, Any]:
    return {
        "studentIdentificationSystemDescriptor": uri("studentIdentificationSystem", "District"),
        "assigningOrganizationIdentificationCode": "LEA", "identificationCode": f"D-{key['studentUniqueId']}",
    }  # fmt: skip


def _staff_code() -> dict[str, Any]:
    return {
        "staffIdentificationSystemDescriptor": uri("staffIdentificationSystem", "District"),
        "identificationCode": "T-1",
    }
