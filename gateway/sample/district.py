"""Our own district, school by school: roster files, and the classes and memberships that the gradebook grows on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from gateway.sample import roster_rows
from gateway.sample.bad_records import BadRecord
from gateway.sample.bundle import BundleWriter
from gateway.sample.calendar import Calendar
from gateway.sample.courses import CLUB, class_rows, course_rows
from gateway.sample.draws import Draws
from gateway.sample.mess import Mess
from gateway.sample.people import demographics
from gateway.sample.schools import ELECTIVE, FEEDER, KINDS, School, classes_of, make_school, students_of_feeder

_USER_COLUMNS = (
    "sourcedId", "enabledUser", "username", "userIds", "givenName", "familyName", "middleName", "identifier", "email",
    "grades", "userMasterIdentifier", "preferredGivenName", "primaryOrgSourcedId", "pronouns",
)  # fmt: skip
_LETTER_GRADE, _LETTER_KIND = 11, KINDS.index("SOC")
"""The classes that mark with letters."""
_DISTRICT = 9_000_000
"""Above the numbers of all schools, classes and staff."""


@dataclass(slots=True)
class District:
    """The roster under way: where it goes, what it is drawn from, what was planted in it so far."""

    writer: BundleWriter
    draws: Draws
    mess: Mess
    calendar: Calendar
    students: int
    planted: Counter[str] = field(default_factory=Counter)
    bad: list[BadRecord] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.draws.uuid_of("orgs", _DISTRICT)

    def write_frame(self) -> None:
        """What the whole district shares: its org, the sessions, the courses, its own staff."""
        org = {"sourcedId": self.id, "name": "Lakeside Sample District", "type": "district", "identifier": "LKS"}
        self.writer.write_rows("orgs", [org])
        sessions = [
            {
                "sourcedId": session.id,
                "title": session.title,
                "type": session.type,
                "startDate": session.start,
                "endDate": session.end,
                "parentSourcedId": session.parent_id,
                "schoolYear": self.calendar.year,
            }
            for session in self.calendar.sessions
        ]
        self.writer.write_rows("academicSessions", sessions)
        self.writer.write("courses", course_rows(self.draws, self.calendar.sessions[0].id, self.id))
        roles = ["districtAdministrator", "systemAdministrator"]
        people = pl.Series([_DISTRICT + 1, _DISTRICT + 2], dtype=pl.UInt64)
        staff = pl.DataFrame({"role": roles, "person": people, "org": self.id})
        self._write_staff(roster_rows.staff_users(self.draws, staff))

    def write_schools(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, int]]:
        """Write school after school; yield its classes, its memberships and the number of its students."""
        for feeder in range(-(-self.students // FEEDER)):
            everyone = students_of_feeder(feeder, self.students)
            for number in sorted(everyone["school"].unique()):
                students = everyone.filter(pl.col("school") == number)
                yield self._write_school(make_school(self.draws, number), students)

    def _write_school(self, school: School, students: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, int]:
        row = {"sourcedId": school.id, "name": school.name, "type": "school", "parentSourcedId": self.id}
        self.writer.write_rows("orgs", [{**row, "identifier": f"LKS-{school.number + 1:04}"}])
        people = roster_rows.students_of(self.draws, self.mess, self.calendar, school, students)
        self._write_students(people)
        classes = self._with_ids(classes_of(students)).with_columns(own=True)
        self._write_classes(school, classes)
        left = people.filter("moved").select("grade", school="former", section=pl.lit(0, pl.Int64))
        classes = pl.concat([classes, self._with_ids(classes_of(left)).with_columns(own=False)])
        memberships = roster_rows.memberships_of(people, self.calendar.days)
        self._write_enrollments(memberships, classes)
        if school.number == 0:
            self._plant_class_without_term(people)
        return classes, memberships, students.height

    def _write_students(self, people: pl.DataFrame) -> None:
        self.writer.write("users", people.select(_USER_COLUMNS))
        self.writer.write("demographics", demographics(self.draws, people, self.calendar.start.year))
        self.writer.write("roles", roster_rows.student_roles(self.draws, self.calendar, people))
        self.planted["mover"] += int(people["moved"].sum())

    def _with_ids(self, classes: pl.DataFrame) -> pl.DataFrame:
        classes = self.draws.with_uuid(classes, "class_id", "classes", pl.col("class"))
        classes = self.draws.with_uuid(classes, "school_id", "orgs", pl.col("school"))
        classes = self.draws.with_uuid(classes, "course_id", "courses", pl.col("grade"), pl.col("kind"))
        letters = (pl.col("grade") == _LETTER_GRADE) & (pl.col("kind") == _LETTER_KIND)
        return classes.with_columns(letters=letters, org_id=pl.lit(self.id))

    def _write_classes(self, school: School, classes: pl.DataFrame) -> None:
        self.writer.write("classes", class_rows(classes, [term.id for term in self.calendar.terms]))
        taught = roster_rows.with_teachers(self.draws, self.mess, school, classes)
        staff = roster_rows.staff_of(self.draws, school, taught)
        self._write_staff(staff)
        self.writer.write("enrollments", roster_rows.staff_enrollments(self.draws, taught, staff))
        self.planted["co_taught"] += int(taught["co_teacher"].count())

    def _write_staff(self, staff: pl.DataFrame) -> None:
        self.writer.write("users", staff.select(_USER_COLUMNS))
        self.writer.write("roles", roster_rows.staff_roles(self.draws, staff))

    def _write_enrollments(self, memberships: pl.DataFrame, classes: pl.DataFrame) -> None:
        rows = roster_rows.student_enrollments(self.draws, self.mess, self.calendar, memberships, classes)
        self.writer.write("enrollments", rows)
        self.planted["blank_begin"] += rows["beginDate"].null_count()
        self.planted["blank_end"] += rows["endDate"].null_count()

    def _plant_class_without_term(self, people: pl.DataFrame) -> None:
        """Clubs without a term, each with three students whose enrollments must wait for them."""
        count = self.mess.class_without_term
        clubs = pl.select(pl.int_range(_DISTRICT, _DISTRICT + count, dtype=pl.UInt64).alias("class"))
        schools = people.select("school").head(1)
        clubs = clubs.join(schools, how="cross").with_columns(kind=pl.lit(ELECTIVE), grade=pl.lit(CLUB))
        clubs = self._with_ids(clubs)
        rows = clubs.select(
            sourcedId="class_id",
            title=pl.lit("Chess Club"),
            courseSourcedId="course_id",
            classType=pl.lit("scheduled"),
            schoolSourcedId="school_id",
        )
        self.writer.write("classes", rows)
        self.bad += [BadRecord("class_without_term", "classes.csv", id) for id in rows["sourcedId"]]
        members = clubs.join(people.head(3).select("person", userSourcedId="sourcedId"), how="cross")
        members = self.draws.with_uuid(members, "sourcedId", "enrollments", pl.col("class"), pl.col("person"))
        members = members.select(
            "sourcedId", "userSourcedId", classSourcedId="class_id", schoolSourcedId="school_id", role=pl.lit("student")
        )
        self.writer.write("enrollments", members)
