"""The resources of Data Standard 5.2 as the fake host knows them, in the notation of :mod:`.notation`.

Facts taken from the published schema of Data Standard 5.2 (the relational manifest of Ed-Fi's Data Management Service):
names, types, lengths, keys. Not in the list at hand, and so *not verified*: the members of
``staffSchoolAssociations``, ``staffEducationOrganizationAssignmentAssociations``, ``contacts``,
``studentContactAssociations``, ``programs``, ``classPeriods``, ``locations``, ``academicWeeks``, ``people``,
``crisisEvents``, ``educationServiceCenters`` and ``stateEducationAgencies`` (which are cut to what is needed to refer
to them), which collections need an item,
and which resources are ``rekeyed``.
"""

from __future__ import annotations

FRAGMENTS = {
    "address": "addressTypeDescriptor*, localeDescriptor, stateAbbreviationDescriptor*, "
    "apartmentRoomSuiteNumber str50, buildingSiteNumber str20, city* str30, congressionalDistrict str30, "
    "countyFIPSCode str5, doNotPublishIndicator boolean, latitude str20, longitude str20, nameOfCounty str30, "
    "postalCode* str17, streetNumberName* str150",
    "international": "addressTypeDescriptor*, countryDescriptor!, addressLine1! str150, addressLine2 str150, "
    "addressLine3 str150, addressLine4 str150, beginDate date, endDate date, latitude str20, longitude str20",
    "period": "beginDate* date, endDate date",
    "telephone": "telephoneNumberTypeDescriptor*, doNotPublishIndicator boolean, orderOfPriority int32, "
    "telephoneNumber* str24, textMessageCapabilityIndicator boolean",
    "mail": "electronicMailTypeDescriptor*, doNotPublishIndicator boolean, electronicMailAddress* str128, "
    "primaryEmailAddressIndicator boolean",
    "document": "identificationDocumentUseDescriptor*, issuerCountryDescriptor=country, "
    "personalInformationVerificationDescriptor*, documentExpirationDate date, documentTitle str60, "
    "issuerDocumentIdentificationCode str60, issuerName str150",
    "other_name": "otherNameTypeDescriptor*, firstName! str75, generationCodeSuffix str10, lastSurname! str75, "
    "middleName str75, personalTitlePrefix str30",
    "indicator": "indicatorDescriptor*, indicatorGroupDescriptor, indicatorLevelDescriptor, designatedBy str60, "
    "indicatorValue str60",
    "organization_code": "educationOrganizationIdentificationSystemDescriptor*, identificationCode! str60",
    "organization_phone": "institutionTelephoneNumberTypeDescriptor*, telephoneNumber! str24",
    "achievement": "achievementCategoryDescriptor, achievementCategorySystem str60, achievementTitle str60, "
    "criteria str150, criteriaURL str255, evidenceStatement str150, imageURL str255, issuerName str150, "
    "issuerOriginURL str255",
    "recognition": "&achievement, recognitionTypeDescriptor*, recognitionAwardDate date, "
    "recognitionAwardExpiresDate date, recognitionDescription str80",
    "gpa": "gradePointAverageTypeDescriptor*, gradePointAverageValue! dec(18,4), isCumulative boolean, "
    "maxGradePointAverageValue dec(18,4)",
    "standard_source": "mandatingEducationOrganizationReference=educationOrganizations, publicationStatusDescriptor, "
    "beginDate date, endDate date, publicationDate date, publicationYear int32, uri str255, version str50",
    "score_range": "assessmentReportingMethodDescriptor*, resultDatatypeTypeDescriptor, maximumScore str35, "
    "minimumScore str35",
    "level_range": "&score_range, performanceLevelDescriptor*, performanceLevelIndicatorName str60",
    "level": "assessmentReportingMethodDescriptor*, performanceLevelDescriptor*, performanceLevelIndicatorName str60",
    "score": "assessmentReportingMethodDescriptor*, resultDatatypeTypeDescriptor!, result! str35",
    "credit": "creditTypeDescriptor, creditConversion dec(9,2), credits! dec(9,3)",
    "course_code": "courseIdentificationSystemDescriptor*, assigningOrganizationIdentificationCode str60, "
    "courseCatalogURL str255, identificationCode! str60",
}

ORGANIZATIONS = """
schoolYearTypes
  schoolYear* int32, currentSchoolYear! boolean, schoolYearDescription! str50
stateEducationAgencies
  stateEducationAgencyId* int64, nameOfInstitution! str75
  categories[]+: educationOrganizationCategoryDescriptor*
educationServiceCenters
  educationServiceCenterId* int64, nameOfInstitution! str75
  categories[]+: educationOrganizationCategoryDescriptor*
localEducationAgencies
  educationServiceCenterReference, parentLocalEducationAgencyReference=localEducationAgencies
  stateEducationAgencyReference, charterStatusDescriptor, localEducationAgencyCategoryDescriptor!
  operationalStatusDescriptor, localEducationAgencyId* int64, nameOfInstitution! str75
  shortNameOfInstitution str75, webSite str255
  accountabilities[]: schoolYearTypeReference*, gunFreeSchoolsActReportingStatusDescriptor
  accountabilities[]: schoolChoiceImplementStatusDescriptor
  addresses[]: &address
  addresses[].periods[]: &period
  categories[]+: educationOrganizationCategoryDescriptor*
  federalFunds[]: fiscalYear* int32, innovativeDollarsSpent dec(19,4)
  federalFunds[]: innovativeDollarsSpentStrategicPriorities dec(19,4), innovativeProgramsFundsReceived dec(19,4)
  federalFunds[]: schoolImprovementAllocation dec(19,4), schoolImprovementReservedFundsPercentage dec(5,4)
  federalFunds[]: stateAssessmentAdministrationFunding dec(5,4), supplementalEducationalServicesFundsSpent dec(19,4)
  federalFunds[]: supplementalEducationalServicesPerPupilExpenditure dec(19,4)
  identificationCodes[]: &organization_code
  indicators[]: &indicator
  indicators[].periods[]: &period
  institutionTelephones[]: &organization_phone
  internationalAddresses[]: &international
schools
  charterApprovalSchoolYearTypeReference=schoolYearTypes, localEducationAgencyReference
  administrativeFundingControlDescriptor, charterApprovalAgencyTypeDescriptor, charterStatusDescriptor
  internetAccessDescriptor, magnetSpecialProgramEmphasisSchoolDescriptor, operationalStatusDescriptor
  schoolTypeDescriptor, titleIPartASchoolDesignationDescriptor, nameOfInstitution! str75, schoolId* int64
  shortNameOfInstitution str75, webSite str255
  addresses[]: &address
  addresses[].periods[]: &period
  educationOrganizationCategories[]+: educationOrganizationCategoryDescriptor*
  gradeLevels[]+: gradeLevelDescriptor*
  identificationCodes[]: &organization_code
  indicators[]: &indicator
  indicators[].periods[]: &period
  institutionTelephones[]: &organization_phone
  internationalAddresses[]: &international
  schoolCategories[]: schoolCategoryDescriptor*
calendars
  schoolYearTypeReference*, schoolReference*, calendarTypeDescriptor!, calendarCode* str60
  gradeLevels[]: gradeLevelDescriptor*
academicWeeks
  schoolReference*, weekIdentifier* str80, beginDate! date, endDate! date, totalInstructionalDays! int32
gradingPeriods
  schoolYearTypeReference*, schoolReference*, gradingPeriodDescriptor*, beginDate! date, endDate! date
  gradingPeriodName* str60, periodSequence int32, totalInstructionalDays! int32
sessions rekeyed
  schoolYearTypeReference*, schoolReference*, termDescriptor!, beginDate! date, endDate! date, sessionName* str60
  totalInstructionalDays! int32
  academicWeeks[]: academicWeekReference*
  gradingPeriods[]: gradingPeriodReference*
programs
  educationOrganizationReference*, programName* str60, programTypeDescriptor*, programId str20
locations rekeyed
  schoolReference*, classroomIdentificationCode* str60, maximumNumberOfSeats int32, optimalNumberOfSeats int32
classPeriods rekeyed
  schoolReference*, classPeriodName* str60, officialAttendancePeriod boolean
courses
  educationOrganizationReference*, careerPathwayDescriptor, courseDefinedByDescriptor
  courseGPAApplicabilityDescriptor, maximumAvailableCreditTypeDescriptor=creditType
  minimumAvailableCreditTypeDescriptor=creditType, courseCode* str60, courseDescription str1024
  courseTitle! str60, dateCourseAdopted date, highSchoolCourseRequirement boolean, maxCompletionsForCredit int32
  maximumAvailableCreditConversion dec(9,2), maximumAvailableCredits dec(9,3)
  minimumAvailableCreditConversion dec(9,2), minimumAvailableCredits dec(9,3), numberOfParts! int32
  timeRequiredForCompletion int32
  academicSubjects[]: academicSubjectDescriptor*
  competencyLevels[]: competencyLevelDescriptor*
  identificationCodes[]+: &course_code
  learningStandards[]: learningStandardReference*
  levelCharacteristics[]: courseLevelCharacteristicDescriptor*
  offeredGradeLevels[]: gradeLevelDescriptor*
courseOfferings
  courseReference!, schoolReference*, sessionReference*, instructionalTimePlanned int32, localCourseCode* str60
  localCourseTitle str60
  courseLevelCharacteristics[]: courseLevelCharacteristicDescriptor*
  curriculumUseds[]: curriculumUsedDescriptor*
  offeredGradeLevels[]: gradeLevelDescriptor*
sections rekeyed
  courseOfferingReference*, locationReference(schoolId>locationSchoolId)
  locationSchoolReference=schools(schoolId>locationSchoolId)
  availableCreditTypeDescriptor=creditType, educationalEnvironmentDescriptor, instructionLanguageDescriptor=language
  mediumOfInstructionDescriptor, populationServedDescriptor, sectionTypeDescriptor
  availableCreditConversion dec(9,2), availableCredits dec(9,3), officialAttendancePeriod boolean
  sectionIdentifier* str255, sectionName str100, sequenceOfCourse int32
  characteristics[]: sectionCharacteristicDescriptor*
  classPeriods[]: classPeriodReference*
  courseLevelCharacteristics[]: courseLevelCharacteristicDescriptor*
  offeredGradeLevels[]: gradeLevelDescriptor*
  programs[]: programReference*
graduationPlans
  educationOrganizationReference*, graduationSchoolYearTypeReference*=schoolYearTypes(schoolYear>graduationSchoolYear)
  graduationPlanTypeDescriptor*, totalRequiredCreditTypeDescriptor=creditType, individualPlan boolean
  totalRequiredCreditConversion dec(9,2), totalRequiredCredits! dec(9,3)
  creditsByCourses[]: courseSetName* str120, whenTakenGradeLevelDescriptor=gradeLevel, &credit
  creditsByCourses[].courses[]+: courseReference*
  creditsByCreditCategories[]: creditCategoryDescriptor*, &credit
  creditsBySubjects[]: academicSubjectDescriptor*, &credit
  requiredAssessments[]: assessmentReference*
  requiredAssessments[].performanceLevel: assessmentReportingMethodDescriptor!, performanceLevelDescriptor!
  requiredAssessments[].performanceLevel: resultDatatypeTypeDescriptor, maximumScore str35, minimumScore str35
  requiredAssessments[].performanceLevel: performanceLevelIndicatorName str60
  requiredAssessments[].scores[]: &score_range
"""

PEOPLE = """
people
  personId* str32, sourceSystemDescriptor*
students
  personReference, birthCountryDescriptor=country, birthSexDescriptor=sex
  birthStateAbbreviationDescriptor=stateAbbreviation, citizenshipStatusDescriptor, birthCity str30
  birthDate! date, birthInternationalProvince str150, dateEnteredUS date, firstName! str75
  generationCodeSuffix str10, lastSurname! str75, maidenName str75, middleName str75, multipleBirthStatus boolean
  personalTitlePrefix str30, preferredFirstName str75, preferredLastSurname str75, studentUniqueId* str32
  identificationDocuments[]: &document
  otherNames[]: &other_name
  personalIdentificationDocuments[]: &document
  visas[]: visaDescriptor*
contacts
  contactUniqueId* str32, personReference, sexDescriptor, firstName! str75, generationCodeSuffix str10
  genderIdentity str60, lastSurname! str75, loginId str60, maidenName str75, middleName str75
  personalTitlePrefix str30, preferredFirstName str75, preferredLastSurname str75
  electronicMails[]: &mail
  telephones[]: &telephone
studentContactAssociations
  contactReference*, studentReference*, relationDescriptor, contactPriority int32, contactRestrictions str250
  emergencyContactStatus boolean, legalGuardian boolean, livesWith boolean, primaryContactStatus boolean
staffs
  personReference, citizenshipStatusDescriptor, highestCompletedLevelOfEducationDescriptor=levelOfEducation
  sexDescriptor, birthDate date, firstName! str75, genderIdentity str60, generationCodeSuffix str10
  highlyQualifiedTeacher boolean, hispanicLatinoEthnicity boolean, lastSurname! str75, loginId str60
  maidenName str75, middleName str75, personalTitlePrefix str30, preferredFirstName str75
  preferredLastSurname str75, staffUniqueId* str32, yearsOfPriorProfessionalExperience dec(5,2)
  yearsOfPriorTeachingExperience dec(5,2)
  addresses[]: &address
  addresses[].periods[]: &period
  ancestryEthnicOrigins[]: ancestryEthnicOriginDescriptor*
  credentials[]: credentialReference*
  electronicMails[]: &mail
  identificationCodes[]: staffIdentificationSystemDescriptor*, assigningOrganizationIdentificationCode str60
  identificationCodes[]: identificationCode! str60
  identificationDocuments[]: &document
  internationalAddresses[]: &international
  languages[]: languageDescriptor*
  languages[].uses[]: languageUseDescriptor*
  otherNames[]: &other_name
  personalIdentificationDocuments[]: &document
  races[]: raceDescriptor*
  recognitions[]: &recognition
  telephones[]: &telephone
  tribalAffiliations[]: tribalAffiliationDescriptor*
  visas[]: visaDescriptor*
credentials
  credentialFieldDescriptor, credentialTypeDescriptor!, stateOfIssueStateAbbreviationDescriptor*=stateAbbreviation
  teachingCredentialBasisDescriptor, teachingCredentialDescriptor, credentialIdentifier* str60, effectiveDate date
  expirationDate date, issuanceDate! date, namespace! str255
  academicSubjects[]: academicSubjectDescriptor*
  endorsements[]: credentialEndorsement* str255
  gradeLevels[]: gradeLevelDescriptor*
studentSchoolAssociations rekeyed
  calendarReference, classOfSchoolYearTypeReference=schoolYearTypes, graduationPlanReference
  nextYearSchoolReference=schools, schoolYearTypeReference, schoolReference*, studentReference*
  enrollmentTypeDescriptor, entryGradeLevelDescriptor!=gradeLevel, entryGradeLevelReasonDescriptor
  entryTypeDescriptor, exitWithdrawTypeDescriptor, nextYearGradeLevelDescriptor=gradeLevel
  residencyStatusDescriptor, schoolChoiceBasisDescriptor, employedWhileEnrolled boolean, entryDate* date
  exitWithdrawDate date, fullTimeEquivalency dec(5,4), primarySchool boolean, repeatGradeIndicator boolean
  schoolChoice boolean, schoolChoiceTransfer boolean, termCompletionIndicator boolean
  alternativeGraduationPlans[]: alternativeGraduationPlanReference*=graduationPlans
  educationPlans[]: educationPlanDescriptor*
crisisEvents
  crisisEventName* str100, crisisTypeDescriptor!
studentEducationOrganizationAssociations
  educationOrganizationReference*, studentReference*, barrierToInternetAccessInResidenceDescriptor
  internetAccessTypeInResidenceDescriptor, internetPerformanceInResidenceDescriptor
  limitedEnglishProficiencyDescriptor, primaryLearningDeviceAccessDescriptor
  primaryLearningDeviceAwayFromSchoolDescriptor, primaryLearningDeviceProviderDescriptor, sexDescriptor
  supporterMilitaryConnectionDescriptor, genderIdentity str60, hispanicLatinoEthnicity boolean
  internetAccessInResidence boolean, loginId str60, profileThumbnail str255
  addresses[]: &address
  addresses[].periods[]: &period
  ancestryEthnicOrigins[]: ancestryEthnicOriginDescriptor*
  cohortYears[]: schoolYearTypeReference*, cohortYearTypeDescriptor*, termDescriptor
  disabilities[]: disabilityDescriptor*, disabilityDeterminationSourceTypeDescriptor, disabilityDiagnosis str80
  disabilities[]: orderOfDisability int32
  disabilities[].designations[]: disabilityDesignationDescriptor*
  displacedStudents[]: crisisEventReference*, displacedStudentStatusDescriptor!, crisisHomelessnessIndicator boolean
  displacedStudents[]: displacedStudentEndDate date, displacedStudentStartDate date
  electronicMails[]: &mail
  internationalAddresses[]: &international
  languages[]: languageDescriptor*
  languages[].uses[]: languageUseDescriptor*
  races[]: raceDescriptor*
  studentCharacteristics[]: studentCharacteristicDescriptor*, designatedBy str60
  studentCharacteristics[].periods[]: &period
  studentIdentificationCodes[]: studentIdentificationSystemDescriptor*
  studentIdentificationCodes[]: assigningOrganizationIdentificationCode* str60, identificationCode! str60
  studentIndicators[]: designatedBy str60, indicator! str60, indicatorGroup str200, indicatorName* str200
  studentIndicators[].periods[]: &period
  telephones[]: &telephone
  tribalAffiliations[]: tribalAffiliationDescriptor*
staffSchoolAssociations
  programAssignmentDescriptor*, schoolReference*, staffReference*, calendarReference, schoolYearTypeReference
  academicSubjects[]: academicSubjectDescriptor*
  gradeLevels[]: gradeLevelDescriptor*
staffEducationOrganizationAssignmentAssociations
  beginDate* date, educationOrganizationReference*, staffClassificationDescriptor*, staffReference*
  credentialReference, endDate date, fullTimeEquivalency dec(5,4), orderOfAssignment int32, positionTitle str100
studentSectionAssociations rekeyed
  dualCreditEducationOrganizationReference=educationOrganizations, sectionReference*, studentReference*
  attemptStatusDescriptor, dualCreditInstitutionDescriptor, dualCreditTypeDescriptor, repeatIdentifierDescriptor
  beginDate* date, dualCreditIndicator boolean, dualHighSchoolCreditIndicator boolean, endDate date
  homeroomIndicator boolean, teacherStudentDataLinkExclusion boolean
  programs[]: programReference*
staffSectionAssociations
  sectionReference*, staffReference*, classroomPositionDescriptor!, beginDate* date, endDate date
  highlyQualifiedTeacher boolean, percentageContribution dec(5,4), teacherStudentDataLinkExclusion boolean
"""
