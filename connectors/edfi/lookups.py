"""What has to be known of other records while one is read: offerings of sections, schools of students, tests.

Each is read once, whole, when first needed, and kept as a frame of the few columns that count: about 60 bytes for each
enrolment in a school; the others are small. Nothing of it grows with the number of results.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import polars as pl

from connectors.edfi.at import At
from connectors.edfi.elements import ITEM, ROW, Flat
from connectors.edfi.paging import Lists
from connectors.edfi.versions import span
from gateway.sdk import Fault

_OFFERING = {
    "localCourseCode": "courseOfferingReference.localCourseCode",
    "sessionReference.schoolId": "courseOfferingReference.schoolId",
    "sessionReference.schoolYear": "courseOfferingReference.schoolYear",
    "sessionReference.sessionName": "courseOfferingReference.sessionName",
}
OFFERING_KEY = list(_OFFERING.values())
STUDENT = "studentReference.studentUniqueId"
_TEST = ["assessmentReference.namespace", "assessmentReference.assessmentIdentifier"]


class Lookups:
    """The lookups of one pull."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._unreadable: dict[str, int] = {}

    def warnings(self) -> tuple[str, ...]:
        """A sentence for each list in which records could not be read, and forget them."""
        found = tuple(
            f"{count} records of {name} cannot be read; what is made with them may lack something."
            for name, count in sorted(self._unreadable.items())
        )
        self._unreadable.clear()
        return found

    @cached_property
    def offerings(self) -> pl.DataFrame:
        """Course offerings under the section's key: the course, and the local title."""
        rows = self._rows("courseOfferings")
        return rows.select(
            pl.col("localCourseCode").alias(_OFFERING["localCourseCode"]),
            *(pl.col(name).alias(other) for name, other in _OFFERING.items() if name != "localCourseCode"),
            *(pl.col(name).alias(f"courseOfferings.{name}") for name in (
                "localCourseTitle", "courseReference.courseCode", "courseReference.educationOrganizationId"
            )),
        ).unique(OFFERING_KEY, keep="first", maintain_order=True)  # fmt: skip

    @cached_property
    def enrolments(self) -> pl.DataFrame:
        """Enrolments in schools, the one that counts first: not ended before ended, primary before others, newest
        first; one for each student and school."""
        rows = self._rows("studentSchoolAssociations").drop("id", "_lastModifiedDate")
        ordered = rows.sort(
            STUDENT, pl.col("exitWithdrawDate").is_not_null(), (pl.col("primarySchool") != "true").fill_null(True),
            "entryDate", "schoolReference.schoolId",
            descending=[False, False, False, True, False], nulls_last=True,
        )  # fmt: skip
        return ordered.unique([STUDENT, "schoolReference.schoolId"], keep="first", maintain_order=True)

    @cached_property
    def schools(self) -> pl.DataFrame:
        """The school and the grade level of each student, by the enrolment that counts."""
        chosen = self.enrolments.unique(STUDENT, keep="first", maintain_order=True)
        names = ("schoolReference.schoolId", "entryGradeLevelDescriptor")
        return chosen.select(STUDENT, *(pl.col(name).alias(f"studentSchoolAssociations.{name}") for name in names))

    @cached_property
    def assignments(self) -> pl.DataFrame:
        """What staff do, and where; who teaches at a school without an assignment there is a teacher."""
        organization = "educationOrganizationReference.educationOrganizationId"
        person = "staffReference.staffUniqueId"
        wanted = [person, organization, "staffClassificationDescriptor", "beginDate", "endDate"]
        told = self._rows("staffEducationOrganizationAssignmentAssociations").select(wanted)
        told = told.sort(*wanted, nulls_last=True).unique(wanted[:3], keep="last", maintain_order=True)
        teaching = self._rows("staffSchoolAssociations").select(
            person, pl.col("schoolReference.schoolId").alias(organization)
        )
        others = teaching.unique(maintain_order=True).join(told, on=[person, organization], how="anti")
        teacher = pl.lit("uri://ed-fi.org/StaffClassificationDescriptor#Teacher").alias(wanted[2])
        nothing = [pl.lit(None, pl.String).alias(name) for name in wanted[3:]]
        return pl.concat([told, others.with_columns(teacher, *nothing).select(wanted)]).sort(*wanted, nulls_last=True)

    @cached_property
    def sessions(self) -> Flat:
        return self.whole("sessions")

    @cached_property
    def years(self) -> pl.DataFrame:
        """Each school year from the first day of its sessions to the last."""
        year = "schoolYearTypeReference.schoolYear"
        return self.sessions.rows.group_by(year).agg(pl.col("beginDate").min(), pl.col("endDate").max()).sort(year)

    @cached_property
    def assessments(self) -> Flat:
        return self.told("assessments")

    @cached_property
    def tests(self) -> pl.DataFrame:
        """The titles of assessments."""
        names = ("namespace", "assessmentIdentifier")
        return self.assessments.rows.select(
            *(pl.col(name).alias(key) for name, key in zip(names, _TEST, strict=True)),
            pl.col("assessmentTitle").alias("assessments.assessmentTitle"),
        )

    @cached_property
    def objectives(self) -> pl.DataFrame:
        """The learning standards of each part of an assessment, null for a part without any."""
        flat = self.told("objectiveAssessments")
        standard = "learningStandards[].learningStandardReference.learningStandardId"
        part = flat.parts["learningStandards[]"].drop(ITEM).rename(
            {"learningStandardReference.learningStandardId": f"objectiveAssessments.{standard}"}
        )  # fmt: skip
        rows = flat.rows.with_row_index(ROW).join(part, on=ROW, how="left", maintain_order="left")
        return rows.select(
            *_TEST, pl.col("identificationCode").alias("objectives.objectiveAssessmentReference.identificationCode"),
            f"objectiveAssessments.{standard}",
        )  # fmt: skip

    def with_school(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows with the school of the student in :data:`STUDENT`."""
        return frame.join(self.schools, on=STUDENT, how="left", maintain_order="left")

    def with_year(self, frame: pl.DataFrame, told: str, date: str) -> pl.DataFrame:
        """The rows with ``sessions.schoolYear``: as told, or that of the date: the last that had begun by then."""
        days = self.years.select(
            pl.col("schoolYearTypeReference.schoolYear").alias("_year"),
            pl.col("beginDate").str.to_date(strict=False).alias("_day"),
        ).drop_nulls()  # fmt: skip
        day = pl.col(date).str.head(10).str.to_date(strict=False)
        dated = frame.with_columns(day.alias("_day")).with_row_index("_order").sort("_day", nulls_last=True)
        found = dated.join_asof(days.sort("_day"), on="_day", strategy="backward")
        year = pl.coalesce(pl.col(told), pl.col("_year")).alias("sessions.schoolYear")
        return found.with_columns(year).sort("_order").drop("_order", "_day", "_year")

    def _rows(self, resource: str) -> pl.DataFrame:
        return self.told(resource).rows

    def told(self, resource: str) -> Flat:
        """All of a list; nothing where this version of the Data Standard lacks it or the settings exclude it."""
        session = self._lists.session
        if resource in session.settings["excluded"] or not span(resource).holds(session.standard):
            return self.nothing(resource)
        return self.whole(resource)

    def nothing(self, resource: str) -> Flat:
        """A list without records."""
        return self._lists.nothing(resource)

    def whole(self, resource: str) -> Flat:
        """All pages of a resource as one, each record once."""
        rows: list[pl.DataFrame] = []
        parts: dict[str, list[pl.DataFrame]] = {}
        faults: list[Fault] = []
        height = 0
        for page, _ in self._lists.pages(resource, At()):
            rows.append(page.rows)
            faults += page.faults
            for name, part in page.parts.items():
                parts.setdefault(name, []).append(part.with_columns(pl.col(ROW) + height))
            height += page.rows.height
        if not rows:
            empty = self._lists.nothing(resource)
            rows, parts = [empty.rows], {name: [part] for name, part in empty.parts.items()}
        if faults:
            self._unreadable[resource] = len(faults)
        once = _once(pl.concat(rows), {name: pl.concat(pages) for name, pages in parts.items()})
        return replace(once, faults=tuple(faults))


def _once(rows: pl.DataFrame, parts: dict[str, pl.DataFrame]) -> Flat:
    """Of records that were delivered twice, for they moved, the later one."""
    kept = rows.with_row_index(ROW).unique("id", keep="last", maintain_order=True)
    numbered = kept.select(ROW).with_row_index("_new")
    moved = {
        name: part.join(numbered, on=ROW, how="inner", maintain_order="left").drop(ROW).rename({"_new": ROW})
        for name, part in parts.items()
    }
    return Flat(kept.drop(ROW), moved, (), ())
