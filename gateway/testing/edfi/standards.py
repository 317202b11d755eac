"""The versions of the Data Standard as differences to 5.2, and which version of the host brings which.

The differences are those found by comparing the published schemas of 3.2.0-c, 3.3.1-b, 4.0.0, 5.0.0 and 5.2.0. *Not
verified*: 5.1, which is taken for 5.0; the keys and lengths of what is gone in 5.0 (``learningObjectives``,
``studentLearningObjectives``, ``parents``, the flat grade point averages and their JSON names) and of the gradebook up
to 3.3; the types and lengths of what is new in 6.0, whose names and keys are those of the published diagrams.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from gateway.testing.edfi import declared, declared_results
from gateway.testing.edfi.notation import Declarations, declare

LATEST = "5.2"
_ALL = (
    declared.ORGANIZATIONS
    + declared.PEOPLE
    + declared_results.STANDARDS
    + declared_results.RESULTS
    + declared_results.ASSESSMENTS
)

_TO_6_0 = """
courses
  courseTitle! str120
courseTranscripts
  courseTitle str120
learningStandards
  courseTitle str120, learningStandardItemCode str100
  contentStandard.authors[]: author* str255
studentAssessments
  assessedGradeLevelDescriptor=gradeLevel, schoolYearTypeReference!
studentEducationOrganizationAssociations
  - studentIdentificationCodes[], races[], studentCharacteristics[], disabilities[], addresses[]
  - electronicMails[], telephones[], internationalAddresses[], sexDescriptor, genderIdentity, hispanicLatinoEthnicity
  - ancestryEthnicOrigins[], languages[], tribalAffiliations[], limitedEnglishProficiencyDescriptor
  - supporterMilitaryConnectionDescriptor
studentIdentificationCodes
  educationOrganizationReference*, studentReference*, studentIdentificationSystemDescriptor*
  assigningOrganizationIdentificationCode str60, identificationCode! str60
studentDemographics
  educationOrganizationReference*, studentReference*, sexDescriptor, genderIdentity str60
  hispanicLatinoEthnicity boolean, limitedEnglishProficiencyDescriptor
  races[]: raceDescriptor*
studentDirectories
  educationOrganizationReference*, studentReference*
  electronicMails[]: &mail
  telephones[]: &telephone
staffs
  - identificationCodes[], races[], addresses[], electronicMails[], telephones[], internationalAddresses[]
staffIdentificationCodes
  educationOrganizationReference*, staffReference*, staffIdentificationSystemDescriptor*
  assigningOrganizationIdentificationCode str60, identificationCode! str60
staffDirectories
  educationOrganizationReference*, staffReference*
  electronicMails[]: &mail
  telephones[]: &telephone
"""

_TO_5_0 = """
studentSectionAssociations
  - dualCreditEducationOrganizationReference, dualCreditInstitutionDescriptor, dualCreditTypeDescriptor
  - dualCreditIndicator, dualHighSchoolCreditIndicator
"""

_TO_4_0 = """
- contacts
- studentContactAssociations
parents
  parentUniqueId* str32, personReference, sexDescriptor, firstName! str75, generationCodeSuffix str10
  lastSurname! str75, loginId str60, maidenName str75, middleName str75, personalTitlePrefix str30
  preferredFirstName str75, preferredLastSurname str75
  electronicMails[]: &mail
  telephones[]: &telephone
studentParentAssociations
  parentReference*, studentReference*, relationDescriptor, contactPriority int32, contactRestrictions str250
  emergencyContactStatus boolean, legalGuardian boolean, livesWith boolean, primaryContactStatus boolean
gradingPeriods
  - gradingPeriodName
  periodSequence* int32
learningObjectives
  learningObjectiveId* str60, namespace* str255, objective! str60, description str1024, nomenclature str100
  successCriteria str150, parentLearningObjectiveReference=learningObjectives
  contentStandard: &standard_source, title str75
  contentStandard.authors[]: author* str100
  academicSubjects[]+: academicSubjectDescriptor*
  gradeLevels[]+: gradeLevelDescriptor*
  learningStandards[]: learningStandardReference*
studentLearningObjectives
  gradingPeriodReference*(schoolId>gradingPeriodSchoolId)(schoolYear>gradingPeriodSchoolYear)
  learningObjectiveReference*, studentReference*, competencyLevelDescriptor!, diagnosticStatement str1024
  studentSectionAssociations[]: studentSectionAssociationReference*
learningStandards
  prerequisiteLearningStandards[]: prerequisiteLearningStandardReference*=learningStandards
grades
  - gradeEarnedDescription
reportCards
  gpaGivenGradingPeriod dec(18,4), gpaCumulative dec(18,4)
  studentLearningObjectives[]: studentLearningObjectiveReference*
studentAcademicRecords
  cumulativeGradePointAverage dec(18,4), cumulativeGradePointsEarned dec(18,4), gradeValueQualifier str80
  sessionGradePointAverage dec(18,4), sessionGradePointsEarned dec(18,4)
courseTranscripts
  - responsibleTeacherStaffReference, coursePrograms[], sections[]
  earnedCredits! dec(9,3), alternativeCourseCode str60
"""

_TO_3_3 = """
gradebookEntries rekeyed
  - gradebookEntryIdentifier, namespace, sourceSectionIdentifier, title, dueTime, maxPoints
  sectionReference*, gradebookEntryTitle* str60, dateAssigned* date
  learningObjectives[]: learningObjectiveReference*
studentGradebookEntries
  - studentReference, pointsEarned, timeFulfilled, submissionStatusDescriptor, assignmentLateStatusDescriptor
  gradebookEntryReference*, studentSectionAssociationReference*
grades
  - currentGradeIndicator, currentGradeAsOfDate
studentAssessments
  - period, assessedMinutes, reportedSchoolReference, reportedSchoolIdentifier
  administrationDate! datetime
  studentObjectiveAssessments[].scoreResults[]+: &score
objectiveAssessments
  learningObjectives[]: learningObjectiveReference*
"""

_TO_3_2 = """
credentials
  credentialFieldDescriptor!, teachingCredentialDescriptor!
  gradeLevels[]+: gradeLevelDescriptor*
courseTranscripts
  - externalEducationOrganizationNameOfInstitution, partialCourseTranscriptAwards[]
"""

_STEPS: Mapping[str, tuple[str, str]] = {
    "6.0": (LATEST, _TO_6_0),
    "5.1": (LATEST, _TO_5_0),
    "5.0": (LATEST, _TO_5_0),
    "4.0": ("5.0", _TO_4_0),
    "3.3": ("4.0", _TO_3_3),
    "3.2": ("3.3", _TO_3_2),
}
"""By version: the version to start from, and what differs."""

STANDARDS = ("3.2", "3.3", "4.0", "5.0", "5.1", LATEST, "6.0")

_MODELS: Mapping[str, str] = {
    "3.2": "3.2.0-c", "3.3": "3.3.1-b", "4.0": "4.0.0", "5.0": "5.0.0", "5.1": "5.1.0", LATEST: "5.2.0", "6.0": "6.0.0",
}  # fmt: skip

_DEFAULTS: tuple[tuple[tuple[int, int], str], ...] = (
    ((7, 3), LATEST),
    ((7, 2), "5.1"),
    ((7, 0), "5.0"),
    ((6, 0), "4.0"),
    ((5, 2), "3.3"),
    ((5, 0), "3.2"),
)


@cache
def declarations(standard: str = LATEST) -> Declarations:
    """The resources of a version of the Data Standard, such as ``4.0``. Not to be changed by who gets them."""
    if standard == LATEST:
        return declare(_ALL, declared.FRAGMENTS)
    base, difference = _STEPS[standard]
    return declare(difference, declared.FRAGMENTS, declarations(base))


def model_version(standard: str) -> str:
    """The version as the discovery document tells it, such as ``3.3.1-b``."""
    return _MODELS[standard]


def usual_standard(version: tuple[int, int]) -> str:
    """The version of the Data Standard that usually comes with this version of the host."""
    return next(standard for least, standard in _DEFAULTS if version >= least)
