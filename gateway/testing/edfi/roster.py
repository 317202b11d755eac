"""The district of a OneRoster bundle as an Ed-Fi host would know it: what comes from one can go to the other.

One school, one session and one grading period of the bundle's school year; a section for each class under the class's
id; students under their ``identifier`` (an Ed-Fi student has 32 characters); the items of a CASE package as competency
objectives.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.testing.edfi.sample import LEA, SCHOOL, organizations, uri

if TYPE_CHECKING:
    from gateway.testing.edfi.service import FakeEdFi


def furnished_from(host: FakeEdFi, bundle: Path, framework: Path) -> FakeEdFi:
    """The host, with the users, classes and school year of the OneRoster ``bundle`` (a folder) and the items of the
    CASE package ``framework``."""
    year = max(int(row["schoolYear"]) for row in _rows(bundle, "academicSessions"))
    school = {"schoolReference": {"schoolId": SCHOOL}, "schoolYearTypeReference": {"schoolYear": year}}
    days = {"beginDate": f"{year - 1}-07-01", "endDate": f"{year}-07-31", "totalInstructionalDays": 180}
    owner = {"educationOrganizationReference": {"educationOrganizationId": LEA}}
    for resource in ("localEducationAgencies", "schools"):
        host.seed(resource, *organizations()[resource])
    host.seed("sessions", {**school, **days, "sessionName": "Year", "termDescriptor": uri("term", "Year Round")})
    period = {"gradingPeriodDescriptor": uri("gradingPeriod", "End of Year"), "gradingPeriodName": "Year"}
    host.seed("gradingPeriods", {**school, **days, **period, "periodSequence": 1})
    _seed_sections(host, bundle, year)
    host.seed("students", *(
        {"studentUniqueId": row["identifier"], "firstName": row["givenName"], "lastSurname": row["familyName"],
         "birthDate": f"{year - 10}-05-01"}
        for row in _rows(bundle, "users") if row["identifier"]
    ))  # fmt: skip
    items = json.loads(framework.read_text(encoding="utf-8"))["CFItems"]
    host.seed("competencyObjectives", *(
        {**owner, "objective": f"Objective {number}", "competencyObjectiveId": item["identifier"],
         "objectiveGradeLevelDescriptor": uri("gradeLevel", "Ungraded")}
        for number, item in enumerate(items)
    ))  # fmt: skip
    return host


def _seed_sections(host: FakeEdFi, bundle: Path, year: int) -> None:
    """A section for each class, all of one course."""
    owner = {"educationOrganizationReference": {"educationOrganizationId": LEA}}
    system = uri("courseIdentificationSystem", "LEA course code")
    session = {"schoolId": SCHOOL, "schoolYear": year, "sessionName": "Year"}
    host.seed("courses", {
        **owner, "courseCode": "ALL", "courseTitle": "All", "numberOfParts": 1,
        "identificationCodes": [{"courseIdentificationSystemDescriptor": system, "identificationCode": "ALL"}],
    })  # fmt: skip
    host.seed("courseOfferings", {
        "courseReference": {"courseCode": "ALL", "educationOrganizationId": LEA}, "localCourseCode": "ALL",
        "schoolReference": {"schoolId": SCHOOL}, "sessionReference": session,
    })  # fmt: skip
    offering = {"localCourseCode": "ALL", **session}
    host.seed("sections", *(
        {"courseOfferingReference": offering, "sectionIdentifier": row["sourcedId"], "sectionName": row["title"]}
        for row in _rows(bundle, "classes")
    ))  # fmt: skip


def _rows(bundle: Path, name: str) -> list[dict[str, str]]:
    with (bundle / f"{name}.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))
