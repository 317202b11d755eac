"""People become users, with a role at each of their schools; demographics are a table, and a stream, of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from connectors.edfi import lookups_people
from connectors.edfi.elements import Flat
from connectors.edfi.filling import Rows, build
from connectors.edfi.lookups import STUDENT, Lookups
from connectors.edfi.lookups_people import STAFF, TIES, PeopleLookups
from connectors.edfi.tables_people import (
    CONTACT_ROLES,
    CONTACTS,
    DEMOGRAPHICS,
    RACES,
    SEX,
    SSA_SCHOOL,
    STAFF_ROLES,
    STAFFS,
    STUDENT_ROLES,
    STUDENTS,
)
from connectors.edfi.words import Dictionary
from gateway.sdk import LINE, empty

Frames = dict[str, pl.DataFrame]


@dataclass(slots=True)
class PeopleMaker:
    """Makes the rows of people."""

    lookups: Lookups
    words: Dictionary
    told: PeopleLookups

    def students(self, flat: Flat, source: str) -> Frames:
        """Students with the grade and the school of the enrolment that counts, and a role in each of their schools."""
        frame = flat.rows.with_columns(pl.col("studentUniqueId").alias(STUDENT))
        known = self.lookups.with_school(frame)
        for told in (self.told.of_students, self.told.agents):
            known = known.join(told, on=STUDENT, how="left", maintain_order="left")
        theirs = self.lookups.enrolments.join(frame.select(STUDENT, LINE), on=STUDENT, how="inner").drop(
            f"{LINE}_right"
        )
        return {
            "users": self._build(STUDENTS, known, source),
            "roles": self._build(STUDENT_ROLES, _with_role_types(theirs, STUDENT), source),
        }

    def staffs(self, flat: Flat, source: str) -> Frames:
        """Staff with what they do, and where."""
        own = flat.rows.with_columns(pl.col("staffUniqueId").alias(STAFF))
        named = replace(flat, rows=own)
        told = (
            lookups_people.mails(named, STAFF), lookups_people.own_codes(named, STAFF, "staff"), self.told.of_staff
        )  # fmt: skip
        frame = own
        for each in told:
            frame = frame.join(each, on=STAFF, how="left", maintain_order="left")
        theirs = self.lookups.assignments.join(frame.select(STAFF, LINE), on=STAFF, how="inner")
        return {
            "users": self._build(STAFFS, frame, source),
            "roles": self._build(STAFF_ROLES, _with_role_types(theirs, STAFF), source),
        }

    def contacts_of(self, resource: str) -> Callable[[Flat, str], Frames]:
        """Contacts, or parents, with a role at the school of each of their students."""
        person = TIES[resource][1]

        def made(flat: Flat, source: str) -> Frames:
            own = flat.rows.with_columns(pl.col(f"{resource[:-1]}UniqueId").alias(person))
            mails = lookups_people.mails(replace(flat, rows=own), person)
            ties = self.told.ties(resource).join(own.select(person, LINE), on=person, how="inner")
            at_school = self.lookups.with_school(ties).drop_nulls(SSA_SCHOOL).sort(person, SSA_SCHOOL, STUDENT)
            once = at_school.unique([person, SSA_SCHOOL, "relationDescriptor"], keep="first", maintain_order=True)
            return {
                "users": self._build(CONTACTS[resource], own.join(mails, on=person, how="left"), source),
                "roles": self._build(CONTACT_ROLES[resource], _with_role_types(once, person), source),
            }

        return made

    def demographics(self, flat: Flat, source: str) -> Frames:
        """Birth, sex, races and ethnicity of students; the sex is that of the organization, else that of birth."""
        frame = flat.rows.with_columns(pl.col("studentUniqueId").alias(STUDENT))
        races = self.told.races.join(frame.select(STUDENT), on=STUDENT, how="semi")
        for told in (self.told.sexes, lookups_people.races_as_words(races, self.words, RACES)):
            frame = frame.join(told, on=STUDENT, how="left", maintain_order="left")
        known = frame.with_columns(pl.coalesce(SEX, "birthSexDescriptor").alias(SEX))
        return {"demographics": self._build(DEMOGRAPHICS, known, source)}

    def _build(self, rows: Rows, frame: pl.DataFrame, source: str) -> pl.DataFrame:
        return build(rows, frame, self.words, source) if frame.height else empty(rows.table, raw=True)


def _with_role_types(frame: pl.DataFrame, person: str) -> pl.DataFrame:
    """The first role of each person is the primary one."""
    first = pl.int_range(pl.len()).over(person) == 0
    return frame.with_columns(pl.when(first).then(pl.lit("primary")).otherwise(pl.lit("secondary")).alias("_role_type"))
