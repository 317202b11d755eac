"""The resources of Data Standard 5.2 in which standards, assessments and results stand; see :mod:`.declared`."""

from __future__ import annotations

STANDARDS = """
learningStandards
  parentLearningStandardReference=learningStandards, learningStandardCategoryDescriptor
  learningStandardScopeDescriptor, courseTitle str60, description! str1024, learningStandardId* str60
  learningStandardItemCode str60, namespace! str255, successCriteria str150, uri str255
  contentStandard!: &standard_source, title! str75
  contentStandard.authors[]: author* str100
  academicSubjects[]+: academicSubjectDescriptor*
  gradeLevels[]+: gradeLevelDescriptor*
  identificationCodes[]: contentStandardName* str65, identificationCode* str60
learningStandardEquivalenceAssociations
  sourceLearningStandardReference*=learningStandards(learningStandardId>sourceLearningStandardId)
  targetLearningStandardReference*=learningStandards(learningStandardId>targetLearningStandardId)
  learningStandardEquivalenceStrengthDescriptor, effectiveDate date
  learningStandardEquivalenceStrengthDescription str255, namespace* str255
competencyObjectives
  educationOrganizationReference*, objectiveGradeLevelDescriptor*=gradeLevel, competencyObjectiveId str60
  description str1024, objective* str60, successCriteria str150
"""

RESULTS = """
grades rekeyed
  gradingPeriodReference*(schoolYear>gradingPeriodSchoolYear), studentSectionAssociationReference*
  gradeTypeDescriptor*, performanceBaseConversionDescriptor, currentGradeAsOfDate date
  currentGradeIndicator boolean, diagnosticStatement str1024, gradeEarnedDescription str64
  letterGradeEarned str20, numericGradeEarned dec(9,2)
  learningStandardGrades[]: learningStandardReference*, performanceBaseConversionDescriptor
  learningStandardGrades[]: diagnosticStatement str1024, letterGradeEarned str20, numericGradeEarned dec(9,2)
gradebookEntries
  gradingPeriodReference, sectionReference, gradebookEntryTypeDescriptor, dateAssigned! date, description str1024
  dueDate date, dueTime time, gradebookEntryIdentifier* str60, maxPoints dec(9,2), namespace* str255
  sourceSectionIdentifier! str255, title! str100
  learningStandards[]: learningStandardReference*
studentGradebookEntries
  gradebookEntryReference*, studentReference*, assignmentLateStatusDescriptor, competencyLevelDescriptor
  submissionStatusDescriptor, dateFulfilled date, diagnosticStatement str1024, letterGradeEarned str20
  numericGradeEarned dec(9,2), pointsEarned dec(9,2), timeFulfilled time
studentCompetencyObjectives
  gradingPeriodReference*(schoolId>gradingPeriodSchoolId)(schoolYear>gradingPeriodSchoolYear)
  objectiveCompetencyObjectiveReference*=competencyObjectives(educationOrganizationId>objectiveEducationOrganizationId)
  studentReference*, competencyLevelDescriptor!, diagnosticStatement str1024
  generalStudentProgramAssociations[]: generalStudentProgramAssociationReference*
  studentSectionAssociations[]: studentSectionAssociationReference*
reportCards
  educationOrganizationReference*, studentReference*
  gradingPeriodReference*(schoolId>gradingPeriodSchoolId)(schoolYear>gradingPeriodSchoolYear)
  numberOfDaysAbsent dec(18,4), numberOfDaysInAttendance dec(18,4), numberOfDaysTardy int32
  gradePointAverages[]: &gpa
  grades[]: gradeReference*
  studentCompetencyObjectives[]: studentCompetencyObjectiveReference*
studentAcademicRecords
  educationOrganizationReference*, schoolYearTypeReference*, studentReference*, termDescriptor*
  cumulativeAttemptedCreditTypeDescriptor=creditType, cumulativeEarnedCreditTypeDescriptor=creditType
  sessionAttemptedCreditTypeDescriptor=creditType, sessionEarnedCreditTypeDescriptor=creditType
  cumulativeAttemptedCreditConversion dec(9,2), cumulativeAttemptedCredits dec(9,3)
  cumulativeEarnedCreditConversion dec(9,2), cumulativeEarnedCredits dec(9,3), projectedGraduationDate date
  sessionAttemptedCreditConversion dec(9,2), sessionAttemptedCredits dec(9,3)
  sessionEarnedCreditConversion dec(9,2), sessionEarnedCredits dec(9,3)
  classRanking: classRank int32, classRankingDate date, percentageRanking int32, totalNumberInClass int32
  academicHonors[]: &achievement, academicHonorCategoryDescriptor*, honorAwardDate date
  academicHonors[]: honorAwardExpiresDate date, honorDescription* str80
  diplomas[]: &achievement, diplomaLevelDescriptor, diplomaTypeDescriptor*, cteCompleter boolean
  diplomas[]: diplomaAwardDate* date, diplomaAwardExpiresDate date, diplomaDescription str80
  gradePointAverages[]: &gpa
  recognitions[]: &recognition
  reportCards[]: reportCardReference*
courseTranscripts
  courseReference*(educationOrganizationId>courseEducationOrganizationId)
  externalEducationOrganizationReference=educationOrganizations, responsibleTeacherStaffReference=staffs
  studentAcademicRecordReference*, attemptedCreditTypeDescriptor=creditType, courseAttemptResultDescriptor*
  courseRepeatCodeDescriptor, earnedCreditTypeDescriptor=creditType, methodCreditEarnedDescriptor
  whenTakenGradeLevelDescriptor=gradeLevel, alternativeCourseTitle str60
  assigningOrganizationIdentificationCode str60, attemptedCreditConversion dec(9,2), attemptedCredits dec(9,3)
  courseCatalogURL str255, courseTitle str60, earnedCreditConversion dec(9,2), earnedCredits dec(9,3)
  externalEducationOrganizationNameOfInstitution str75, finalLetterGradeEarned str20
  finalNumericGradeEarned dec(9,2)
  academicSubjects[]: academicSubjectDescriptor*
  alternativeCourseIdentificationCodes[]: &course_code
  coursePrograms[]: courseProgramReference*=programs
  creditCategories[]: creditCategoryDescriptor*
  earnedAdditionalCredits[]: additionalCreditTypeDescriptor*, credits! dec(9,3)
  partialCourseTranscriptAwards[]: methodCreditEarnedDescriptor, awardDate* date, earnedCredits! dec(9,3)
  partialCourseTranscriptAwards[]: letterGradeEarned str20, numericGradeEarned str20
  sections[]: sectionReference*(schoolYear>sectionSchoolYear)
"""

ASSESSMENTS = """
assessments
  educationOrganizationReference, assessmentCategoryDescriptor, adaptiveAssessment boolean, assessmentFamily str60
  assessmentForm str60, assessmentIdentifier* str60, assessmentTitle! str255, assessmentVersion int32
  maxRawScore dec(15,5), namespace* str255, nomenclature str100, revisionDate date
  contentStandard: &standard_source, title str75
  contentStandard.authors[]: author* str100
  academicSubjects[]: academicSubjectDescriptor*
  assessedGradeLevels[]: gradeLevelDescriptor*
  identificationCodes[]: assessmentIdentificationSystemDescriptor*, assigningOrganizationIdentificationCode str60
  identificationCodes[]: identificationCode! str60
  languages[]: languageDescriptor*
  performanceLevels[]: &level_range
  periods[]: assessmentPeriodDescriptor*, beginDate date, endDate date
  platformTypes[]: platformTypeDescriptor*
  programs[]: programReference*
  scores[]: &score_range
  sections[]: sectionReference*
assessmentItems
  assessmentReference*, assessmentItemCategoryDescriptor, assessmentItemURI str255, expectedTimeAssessed str30
  identificationCode* str60, itemText str1024, maxRawScore dec(15,5), nomenclature str100
  learningStandards[]: learningStandardReference*
  possibleResponses[]: correctResponse boolean, responseDescription str1024, responseValue* str60
objectiveAssessments
  assessmentReference*, parentObjectiveAssessmentReference=objectiveAssessments, academicSubjectDescriptor
  description str1024, identificationCode* str60, maxRawScore dec(15,5), nomenclature str100
  percentOfAssessment dec(5,4)
  assessmentItems[]: assessmentItemReference*
  learningStandards[]: learningStandardReference*
  performanceLevels[]: &level_range
  scores[]: &score_range
studentAssessments
  assessmentReference*, reportedSchoolReference=schools, schoolYearTypeReference, studentReference*
  administrationEnvironmentDescriptor, administrationLanguageDescriptor=language, eventCircumstanceDescriptor
  platformTypeDescriptor, reasonNotTestedDescriptor, retestIndicatorDescriptor
  whenAssessedGradeLevelDescriptor=gradeLevel, administrationDate datetime, administrationEndDate datetime
  assessedMinutes int32, eventDescription str1024, reportedSchoolIdentifier str60, serialNumber str60
  studentAssessmentIdentifier* str60
  period: assessmentPeriodDescriptor!, beginDate date, endDate date
  accommodations[]: accommodationDescriptor*
  items[]: assessmentItemReference*, assessmentItemResultDescriptor!, responseIndicatorDescriptor
  items[]: assessmentResponse str255, descriptiveFeedback str1024, itemNumber int32, rawScoreResult dec(15,5)
  items[]: timeAssessed str30
  performanceLevels[]: &level
  scoreResults[]: &score
  studentObjectiveAssessments[]: objectiveAssessmentReference*, administrationDate datetime
  studentObjectiveAssessments[]: administrationEndDate datetime, assessedMinutes int32
  studentObjectiveAssessments[].performanceLevels[]: &level
  studentObjectiveAssessments[].scoreResults[]: &score
"""
