"""What a new host holds: descriptors of the standard, school years; and a small district for tests.

The descriptor lists are cut to values that rosters, grades and transcripts use; what is asked for and missing is put
in by :func:`descriptors`. There is no 1–4 scale and no NCAA type, as in the standard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.testing.edfi.service import FakeEdFi

Records = Mapping[str, list[dict[str, Any]]]

_LEVELS = "Advanced|Basic|Below Basic|Fail|Pass|Proficient|Well Below Basic"
DESCRIPTORS: Mapping[str, str] = {
    "academicSubject": "English Language Arts|Mathematics|Science|Social Studies|Other",
    "additionalCreditType": "Advanced Placement|Dual credit|International Baccalaureate|Other",
    "assessmentCategory": "Benchmark test|Formative|Performance assessment|Class test",
    "assessmentReportingMethod": "Achievement/proficiency level|Letter grade/mark|Mastery level|Proficiency level|"
    "Raw score|Scale score",
    "assignmentLateStatus": "Late|Not Late",
    "calendarType": "Grade Level|School|Staff|Student Specific",
    "classroomPosition": "Assistant Teacher|Substitute Teacher|Support Teacher|Teacher of Record",
    "competencyLevel": _LEVELS,
    "courseAttemptResult": "Fail|Incomplete|Pass|Withdrawn",
    "courseDefinedBy": "LEA|National Organization|School|SEA",
    "courseIdentificationSystem": "LEA course code|Other|SCED course code|School course code|State course code",
    "courseLevelCharacteristic": "Advanced Placement|Honors|International Baccalaureate|Other",
    "creditType": "Carnegie unit|Semester hour credit|Quarter hour credit|Other",
    "educationOrganizationCategory": "Education Service Center|Local Education Agency|Other|School|"
    "State Education Agency",
    "educationOrganizationIdentificationSystem": "LEA|NCES|Other|School|SEA",
    "electronicMailType": "Home/Personal|Organization|Other|Work",
    "exitWithdrawType": "Graduated|Other|Transferred",
    "gradebookEntryType": "Activity|Assignment|Classroom Assessment|Homework|Lesson|Quiz|Unit Test",
    "gradeLevel": "Kindergarten|First grade|Second grade|Third grade|Fourth grade|Fifth grade|Sixth grade|"
    "Seventh grade|Eighth grade|Ninth grade|Tenth grade|Eleventh grade|Twelfth grade|Ungraded|Other",
    "gradePointAverageType": "Unweighted|Weighted",
    "gradeType": "Conduct|Exam|Final|Grading Period|Mid-Term Grade|Progress Report|Semester",
    "gradingPeriod": "First Semester|Second Semester|First Trimester|Second Trimester|Third Trimester|"
    "First Nine Weeks|Second Nine Weeks|Third Nine Weeks|Fourth Nine Weeks|First Six Weeks|Second Six Weeks|"
    "End of Year",
    "language": "eng|fra|spa",
    "learningStandardCategory": "Core Ideas|Crosscutting Concepts|Practices",
    "learningStandardEquivalenceStrength": "Equivalent|Minimally equivalent|Mostly equivalent|Partially equivalent",
    "learningStandardScope": "Local education agency|Multi-state or National|School|State",
    "localEducationAgencyCategory": "Charter|Independent|Other local education agency|Regular public school district",
    "performanceBaseConversion": _LEVELS,
    "performanceLevel": f"{_LEVELS}|Met Standard|Did Not Meet Standard|Commended Performance|Above Benchmark|Minimum|"
    "Satisfactory|Unsatisfactory",
    "programAssignment": "Regular Education|Special Education|Other",
    "programType": "Bilingual|Regular Education|Special Education",
    "publicationStatus": "Adopted|Deprecated|Draft|Unknown",
    "race": "American Indian - Alaska Native|Asian|Black - African American|Choose Not to Respond|"
    "Native Hawaiian - Pacific Islander|Other|White",
    "relation": "Father|Guardian|Mother|Other",
    "resultDatatypeType": "Decimal|Integer|Level|Percentage|Percentile|Range",
    "schoolCategory": "All Levels|Elementary School|High School|Middle School|Other Combination",
    "sex": "Female|Male|Not Selected",
    "sourceSystem": "District|School|State",
    "staffClassification": "Other|Principal|Teacher",
    "staffIdentificationSystem": "District|Other|School|SSN|State",
    "stateAbbreviation": "CA|NY|TX|WI",
    "studentIdentificationSystem": "District|Local|Other|School|SSN|State",
    "submissionStatus": "Exempt|Graded|Not Submitted|Returned|Submitted",
    "term": "Fall Semester|Spring Semester|Summer Semester|First Quarter|Second Quarter|Third Quarter|"
    "Fourth Quarter|First Trimester|Second Trimester|Third Trimester|Year Round|Other",
}

SCHOOL_YEARS = range(2015, 2036)
LEA, SCHOOL, YEAR = 255901, 255901001, 2027


def uri(kind: str, code: str, owner: str = "ed-fi.org") -> str:
    """A descriptor such as ``uri://ed-fi.org/TermDescriptor#Fall Semester``; ``kind`` is ``term``."""
    return f"uri://{owner}/{kind[0].upper()}{kind[1:]}Descriptor#{code}"


def descriptors(kind: str, codes: Iterable[str], owner: str = "ed-fi.org") -> Iterator[dict[str, Any]]:
    """The bodies of descriptors of one kind."""
    namespace = uri(kind, "", owner).rstrip("#")
    for code in codes:
        yield {"namespace": namespace, "codeValue": code, "shortDescription": code}


def furnish(host: FakeEdFi) -> None:
    """Put in what every host has: the descriptors of the standard, and the school years."""
    for kind, codes in DESCRIPTORS.items():
        if f"{kind}Descriptors" in host.data.model.resources:
            host.seed(f"{kind}Descriptors", *descriptors(kind, codes.split("|")))
    for year in SCHOOL_YEARS:
        current = year == YEAR
        host.seed(
            "schoolYearTypes",
            {"schoolYear": year, "currentSchoolYear": current, "schoolYearDescription": f"{year - 1}-{year}"},
        )


def organizations() -> dict[str, list[dict[str, Any]]]:
    """A district with a school, its calendar, a session with two grading periods."""
    school, year = {"schoolId": SCHOOL}, {"schoolYear": YEAR}
    return {
        "localEducationAgencies": [
            {
                "localEducationAgencyId": LEA,
                "nameOfInstitution": "Lakeside District",
                "localEducationAgencyCategoryDescriptor": uri("localEducationAgencyCategory", "Independent"),
                "categories": [
                    {"educationOrganizationCategoryDescriptor": uri("educationOrganizationCategory", "School")}
                ],
            }
        ],
        "schools": [
            {
                "schoolId": SCHOOL,
                "nameOfInstitution": "Lakeside High School",
                "localEducationAgencyReference": {"localEducationAgencyId": LEA},
                "educationOrganizationCategories": [
                    {"educationOrganizationCategoryDescriptor": uri("educationOrganizationCategory", "School")}
                ],
                "gradeLevels": [{"gradeLevelDescriptor": uri("gradeLevel", "Ninth grade")}],
            }
        ],
        "calendars": [
            {
                "schoolReference": school,
                "schoolYearTypeReference": year,
                "calendarCode": "main",
                "calendarTypeDescriptor": uri("calendarType", "School"),
            }
        ],
        "gradingPeriods": [grading_period(1), grading_period(2)],
        "sessions": [
            {
                "schoolReference": school,
                "schoolYearTypeReference": year,
                "sessionName": "Fall",
                "termDescriptor": uri("term", "Fall Semester"),
                "beginDate": "2026-08-24",
                "endDate": "2026-12-18",
                "totalInstructionalDays": 80,
            }
        ],
    }


def grading_period(number: int) -> dict[str, Any]:
    """The first or second nine weeks, with the members of every version of the Data Standard."""
    begin, end = ("2026-08-24", "2026-10-16") if number == 1 else ("2026-10-19", "2026-12-18")
    return {
        "schoolReference": {"schoolId": SCHOOL},
        "schoolYearTypeReference": {"schoolYear": YEAR},
        "gradingPeriodDescriptor": uri("gradingPeriod", "First Nine Weeks" if number == 1 else "Second Nine Weeks"),
        "gradingPeriodName": f"Q{number}",
        "periodSequence": number,
        "beginDate": begin,
        "endDate": end,
        "totalInstructionalDays": 40,
    }
