"""What differs between the versions of the Data Standard and of the host, declared once for reading and for writing.

Every difference is a fact of the published schemas of Data Standard 3.2.0-c, 3.3.1-b, 4.0.0, 5.0.0, 5.2.0 and of the
client developer guides of ODS/API 5.4, 7.3 and v8. *Not verified*: 5.1 (taken for 5.0) and 6.0 (its new entities).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.sdk import ConfigurationError

Version = tuple[int, int]
_NUMBER = re.compile(r"(\d+)\.(\d+)")

STANDARDS: tuple[Version, ...] = ((3, 2), (3, 3), (4, 0), (5, 0), (5, 1), (5, 2), (6, 0))
"""The versions of the Data Standard that this connector knows."""


@dataclass(frozen=True, slots=True)
class Span:
    """The versions of the Data Standard that have an element: from ``since`` up to before ``until``."""

    since: Version = (3, 2)
    until: Version = (99, 0)

    def holds(self, standard: Version) -> bool:
        return self.since <= standard < self.until

    def __str__(self) -> str:
        if self.since > STANDARDS[0]:
            return f"from {self.since[0]}.{self.since[1]}"
        before = [each for each in STANDARDS if each < self.until]
        return f"to {before[-1][0]}.{before[-1][1]}" if before[-1] != STANDARDS[-1] else ""


_ALWAYS = Span()
SPANS: Mapping[str, Span] = MappingProxyType(
    {
        # Keys that moved
        "gradingPeriods.gradingPeriodName": Span(since=(5, 0)),
        "gradebookEntries.gradebookEntryIdentifier": Span(since=(4, 0)),
        "gradebookEntries.namespace": Span(since=(4, 0)),
        "gradebookEntries.sourceSectionIdentifier": Span(since=(4, 0)),
        "gradebookEntries.title": Span(since=(4, 0)),
        "gradebookEntries.gradebookEntryTitle": Span(until=(4, 0)),
        "gradebookEntries.dueTime": Span(since=(4, 0)),
        "gradebookEntries.maxPoints": Span(since=(4, 0)),
        "gradebookEntries.learningObjectives": Span(until=(4, 0)),
        "studentGradebookEntries.studentReference": Span(since=(4, 0)),
        "studentGradebookEntries.studentSectionAssociationReference": Span(until=(4, 0)),
        "studentGradebookEntries.pointsEarned": Span(since=(4, 0)),
        "studentGradebookEntries.timeFulfilled": Span(since=(4, 0)),
        "studentGradebookEntries.submissionStatusDescriptor": Span(since=(4, 0)),
        "studentGradebookEntries.assignmentLateStatusDescriptor": Span(since=(4, 0)),
        # Members that came or went
        "grades.currentGradeIndicator": Span(since=(4, 0)),
        "grades.currentGradeAsOfDate": Span(since=(4, 0)),
        "grades.gradeEarnedDescription": Span(since=(5, 0)),
        "studentAssessments.period": Span(since=(4, 0)),
        "studentAssessments.reportedSchoolReference": Span(since=(4, 0)),
        "studentAcademicRecords.cumulativeGradePointAverage": Span(until=(5, 0)),
        "studentAcademicRecords.cumulativeGradePointsEarned": Span(until=(5, 0)),
        "studentAcademicRecords.sessionGradePointAverage": Span(until=(5, 0)),
        "studentAcademicRecords.sessionGradePointsEarned": Span(until=(5, 0)),
        "studentAcademicRecords.gradeValueQualifier": Span(until=(5, 0)),
        "reportCards.gpaGivenGradingPeriod": Span(until=(5, 0)),
        "reportCards.gpaCumulative": Span(until=(5, 0)),
        "courseTranscripts.sections": Span(since=(5, 0)),
        "courseTranscripts.responsibleTeacherStaffReference": Span(since=(5, 0)),
        "courseTranscripts.partialCourseTranscriptAwards": Span(since=(3, 3)),
        "courseTranscripts.externalEducationOrganizationNameOfInstitution": Span(since=(3, 3)),
        "studentEducationOrganizationAssociations.studentIdentificationCodes": Span(until=(6, 0)),
        "studentEducationOrganizationAssociations.electronicMails": Span(until=(6, 0)),
        "studentEducationOrganizationAssociations.sexDescriptor": Span(until=(6, 0)),
        "studentEducationOrganizationAssociations.hispanicLatinoEthnicity": Span(until=(6, 0)),
        "studentEducationOrganizationAssociations.races": Span(until=(6, 0)),
        "staffs.electronicMails": Span(until=(6, 0)),
        "staffs.identificationCodes": Span(until=(6, 0)),
        # Resources that came or went
        "learningObjectives": Span(until=(5, 0)),
        "studentLearningObjectives": Span(until=(5, 0)),
        "parents": Span(until=(5, 0)),
        "contacts": Span(since=(5, 0)),
        "studentParentAssociations": Span(until=(5, 0)),
        "studentContactAssociations": Span(since=(5, 0)),
        "studentIdentificationCodes": Span(since=(6, 0)),
        "studentDirectories": Span(since=(6, 0)),
        "studentDemographics": Span(since=(6, 0)),
        "staffIdentificationCodes": Span(since=(6, 0)),
        "staffDirectories": Span(since=(6, 0)),
    }
)
"""The elements that not every version has: ``resource`` or ``resource.member``. What is not listed is in all."""

GRADING_PERIOD_KEY: tuple[tuple[Span, tuple[str, ...]], ...] = (
    (Span(until=(5, 0)), ("gradingPeriodDescriptor", "periodSequence", "schoolId", "schoolYear")),
    (Span(since=(5, 0)), ("gradingPeriodDescriptor", "gradingPeriodName", "schoolId", "schoolYear")),
)


def span(element: str) -> Span:
    """The versions that have an element, ``resource`` or ``resource.member``."""
    return SPANS.get(element, _ALWAYS)


def key_of(keys: tuple[tuple[Span, tuple[str, ...]], ...], standard: Version) -> tuple[str, ...]:
    """The members of a natural key in a version of the Data Standard."""
    return next(names for valid, names in keys if valid.holds(standard))


def read_version(text: str, what: str) -> Version:
    """``3.3.1-b`` as ``(3, 3)``. Raises :class:`ConfigurationError` (``edfi.version``)."""
    found = _NUMBER.match(text)
    if not found:
        raise ConfigurationError(
            f"The host tells no version of its {what} that can be read.",
            hint="Check that base_url leads to an Ed-Fi ODS/API, or declare data_standard in the settings.",
            code="edfi.version",
        )
    return int(found[1]), int(found[2])


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a version of the host can do.

    ``cursors``: paging by token (7.3 and later; on v8 *not verified*, so it is tried). ``key_values``: ``/deletes``
    tells natural keys (5.3, 6.1 and later). ``leading``: tenant and year stand in front of ``data`` (7.0 and later).
    ``snapshot_header``: the header with which reads are of one moment.
    """

    cursors: bool
    key_values: bool
    leading: bool
    snapshot_header: str

    @classmethod
    def of(cls, version: Version) -> Abilities:
        return cls(
            cursors=version >= (7, 3),
            key_values=version >= (6, 1) or version == (5, 3),
            leading=version >= (7, 0),
            snapshot_header="Use-Snapshot" if version >= (7, 0) else "Snapshot-Identifier",
        )
