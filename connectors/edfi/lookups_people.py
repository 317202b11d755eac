"""What is told of people beside their own records: mail addresses, further ids, contacts, sex and races.

Up to Data Standard 5.2 a student's stand in ``studentEducationOrganizationAssociations``, from 6.0 in lists of their
own; those of staff move likewise. Each list is read once, whole, when first needed; what a version lacks is silent.
A social security number is never taken in.
"""

from __future__ import annotations

from functools import cached_property

import polars as pl

from connectors.edfi import keys
from connectors.edfi.elements import ITEM, ROW, Flat
from connectors.edfi.keys import code
from connectors.edfi.lookups import STUDENT, Lookups
from connectors.edfi.words import Dictionary

STAFF = "staffReference.staffUniqueId"
OLDER = "studentEducationOrganizationAssociations"
MAIL = "electronicMails[].electronicMailAddress"
TIES = {
    "contacts": ("studentContactAssociations", "contactReference.contactUniqueId"),
    "parents": ("studentParentAssociations", "parentReference.parentUniqueId"),
}
"""By resource of contacts: the list that ties them to students, and the contact in it."""
AGENTS = {resource: f"{listed}.{person}" for resource, (listed, person) in TIES.items()}
_SECRET = ("SSN", "Canadian SIN")
"""The systems of identification codes that are not taken in."""


class PeopleLookups:
    """The lookups of one pull. ``contacts``: whether students' contacts are wanted."""

    def __init__(self, lookups: Lookups, *, contacts: bool) -> None:
        self._lookups = lookups
        self._contacts = contacts

    @cached_property
    def of_students(self) -> pl.DataFrame:
        """A row for each student: login, mail address, further ids; each under the resource that tells it."""
        older = self._lookups.told(OLDER)
        logins = _once(older.rows.select(STUDENT, pl.col("loginId").alias(f"{OLDER}.loginId")), STUDENT)
        codes = "studentIdentificationCodes"
        listed = _items(older, f"{codes}[]", STUDENT)
        told = (
            logins,
            mails(older, STUDENT, OLDER),
            mails(self._lookups.told("studentDirectories"), STUDENT, "studentDirectories"),
            _codes(listed, STUDENT, "student", f"{OLDER}.{codes}[].identificationCode"),
            _codes(self._lookups.told(codes).rows, STUDENT, "student", f"{codes}.identificationCode"),
        )
        return _side_by_side(told, STUDENT)

    @cached_property
    def of_staff(self) -> pl.DataFrame:
        """What Data Standard 6.0 tells of staff in lists of their own."""
        codes = "staffIdentificationCodes"
        told = (
            mails(self._lookups.told("staffDirectories"), STAFF, "staffDirectories"),
            _codes(self._lookups.told(codes).rows, STAFF, "staff", f"{codes}.identificationCode"),
        )
        return _side_by_side(told, STAFF)

    def ties(self, resource: str) -> pl.DataFrame:
        """Who is a contact of whom: the student, the contact, the relation."""
        return self._ties[resource]

    @cached_property
    def agents(self) -> pl.DataFrame:
        """The ids of each student's contacts, under the list that tells them; none unless they are wanted."""
        listed = (
            self.ties(resource)
            .select(STUDENT, keys.contact(person).alias("_id"))
            .group_by(STUDENT, maintain_order=True)
            .agg(pl.col("_id").unique().sort().alias(AGENTS[resource]))
            for resource, (_, person) in TIES.items()
        )
        return _side_by_side(tuple(listed), STUDENT)

    @cached_property
    def _ties(self) -> dict[str, pl.DataFrame]:
        nobody = pl.when(pl.col("legalGuardian") == "true").then(pl.lit("Guardian")).otherwise(pl.lit("Other"))
        relation = pl.coalesce("relationDescriptor", nobody).alias("relationDescriptor")
        told = self._lookups.told if self._contacts else self._lookups.nothing
        return {
            resource: told(listed).rows.select(STUDENT, person, relation).drop_nulls([STUDENT, person])
            for resource, (listed, person) in TIES.items()
        }

    @cached_property
    def sexes(self) -> pl.DataFrame:
        """Sex and ethnicity of each student; of several organizations the first that tells one."""
        names = ("sexDescriptor", "hispanicLatinoEthnicity")
        order = "educationOrganizationReference.educationOrganizationId"
        rows = pl.concat([flat.rows.select(STUDENT, order, *names) for flat in self._demographics])
        told = rows.sort(order, nulls_last=True).group_by(STUDENT, maintain_order=True)
        return told.agg(pl.col(name).drop_nulls().first().alias(f"{OLDER}.{name}") for name in names)

    @cached_property
    def races(self) -> pl.DataFrame:
        """Each race of each student, as told by any organization."""
        return pl.concat([_items(flat, "races[]", STUDENT) for flat in self._demographics]).unique(maintain_order=True)

    @property
    def _demographics(self) -> tuple[Flat, ...]:
        return self._lookups.told(OLDER), self._lookups.told("studentDemographics")


def mails(flat: Flat, person: str, resource: str = "") -> pl.DataFrame:
    """The mail address of each person: none that may not be published, the primary one before others."""
    found = _items(flat, "electronicMails[]", person)
    open_ones = found.filter((pl.col("doNotPublishIndicator") != "true").fill_null(True))
    primary = (pl.col("primaryEmailAddressIndicator") == "true").fill_null(False)
    ordered = open_ones.sort(primary, descending=True, maintain_order=True)
    name = f"{resource}.{MAIL}" if resource else MAIL
    return _once(ordered.select(person, pl.col("electronicMailAddress").alias(name)), person)


def own_codes(flat: Flat, person: str, kind: str) -> pl.DataFrame:
    """The further ids in the ``identificationCodes`` of a person's own record."""
    name = "identificationCodes[].identificationCode"
    return _codes(_items(flat, "identificationCodes[]", person), person, kind, name)


def races_as_words(races: pl.DataFrame, words: Dictionary, element: str) -> pl.DataFrame:
    """A row for each student with the races as words."""
    word = words.word(races, "race", "raceDescriptor")
    return races.group_by(STUDENT, maintain_order=True).agg(word.drop_nulls().unique().sort().alias(element))


def _codes(rows: pl.DataFrame, person: str, kind: str, name: str) -> pl.DataFrame:
    """The further ids of each person, each with its system: ``District:D-604822``."""
    system = code(f"{kind}IdentificationSystemDescriptor")
    known = rows.filter(~system.is_in(_SECRET)).drop_nulls("identificationCode")
    written = pl.format("{}:{}", system, "identificationCode")
    return known.group_by(person, maintain_order=True).agg(written.drop_nulls().unique().sort().alias(name))


def _items(flat: Flat, collection: str, person: str) -> pl.DataFrame:
    """The items of a collection with the person whose record it is."""
    people = flat.rows.select(person).with_row_index(ROW)
    items = flat.parts[collection].drop(ITEM)
    return items.join(people, on=ROW, how="inner", maintain_order="left").drop(ROW).drop_nulls(person)


def _once(rows: pl.DataFrame, person: str) -> pl.DataFrame:
    filled = rows.drop_nulls()
    return filled.unique(person, keep="first", maintain_order=True)


def _side_by_side(frames: tuple[pl.DataFrame, ...], person: str) -> pl.DataFrame:
    people = pl.concat([frame.select(person) for frame in frames]).unique(maintain_order=True)
    for frame in frames:
        people = people.join(frame, on=person, how="left", maintain_order="left")
    return people
