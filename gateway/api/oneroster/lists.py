"""Which lists there are, what their records are made of, and which addresses lead to them: all as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class How(StrEnum):
    """How a column's value is written."""

    PLAIN = "plain"
    TIME = "time"
    FLAG = "flag"
    """As the standard has it: the texts ``true`` and ``false``."""
    REFERENCE = "reference"
    REFERENCES = "references"
    USER_IDS = "user ids"
    OBJECTIVES = "objectives"
    OBJECTIVE_RESULTS = "objective results"
    SCALE = "scale"
    """The first score scale of a line item or result."""
    SCALE_VALUES = "scale values"
    ROLES = "roles"
    FIRST_ROLE = "first role"
    """The one role of OneRoster 1.1."""
    ROLE_ORGS = "role orgs"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record. ``kind`` is the type word of a reference. ``fallback`` stands in for an empty required
    one."""

    name: str
    column: str
    how: How = How.PLAIN
    kind: str = ""
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One collection: its path and envelope, the key of a single record, and its table with the tables of its parts."""

    name: str
    single: str
    table: str
    fields: Sequence[Field]
    parts: Sequence[str] = ()
    gradebook: bool = False


def _f(name: str, column: str, how: How = How.PLAIN, kind: str = "", fallback: str | None = None) -> Field:
    return Field(name, column, how, kind, fallback)


def _ref(name: str, column: str, kind: str) -> Field:
    return Field(name, column, How.REFERENCE, kind)


def _flags(*names: tuple[str, str]) -> tuple[Field, ...]:
    return tuple(Field(name, column, How.FLAG) for name, column in names)


_GRADES, _SUBJECTS = _f("grades", "grades"), (_f("subjects", "subjects"), _f("subjectCodes", "subject_codes"))

LISTINGS: Mapping[str, Listing] = {
    each.name: each
    for each in (
        Listing("academicSessions", "academicSession", "academic_sessions", (
            _f("title", "title"), _f("startDate", "start_date"), _f("endDate", "end_date"), _f("type", "type"),
            _ref("parent", "parent_id", "academicSession"), _f("schoolYear", "school_year", fallback=""),
        )),
        Listing("orgs", "org", "orgs", (
            _f("name", "name"), _f("type", "type"), _f("identifier", "identifier", fallback=""),
            _ref("parent", "parent_id", "org"),
        )),
        Listing("courses", "course", "courses", (
            _f("title", "title"), _ref("schoolYear", "school_year_id", "academicSession"),
            _f("courseCode", "course_code", fallback=""), _GRADES, *_SUBJECTS, _ref("org", "org_id", "org"),
        )),
        Listing("classes", "class", "classes", (
            _f("title", "title"), _f("classCode", "class_code"), _f("classType", "class_type"),
            _f("location", "location"), _GRADES, *_SUBJECTS, _ref("course", "course_id", "course"),
            _ref("school", "school_id", "org"), _f("terms", "term_ids", How.REFERENCES, "academicSession"),
            _f("periods", "periods"),
        )),
        Listing("users", "user", "users", (
            _f("userMasterIdentifier", "user_master_identifier"), _f("username", "username"),
            _f("userIds", "user_ids", How.USER_IDS), _f("enabledUser", "enabled_user", How.FLAG, fallback="true"),
            _f("givenName", "given_name"), _f("familyName", "family_name", fallback=""),
            _f("middleName", "middle_name"), _f("preferredFirstName", "preferred_given_name"),
            _f("preferredMiddleName", "preferred_middle_name"), _f("preferredLastName", "preferred_family_name"),
            _f("pronouns", "pronouns"), _f("roles", "roles", How.ROLES), _ref("primaryOrg", "primary_org_id", "org"),
            _f("identifier", "identifier"), _f("email", "email"), _f("sms", "sms"), _f("phone", "phone"),
            _f("agents", "agent_ids", How.REFERENCES, "user"), _GRADES,
        ), parts=("roles",)),
        Listing("enrollments", "enrollment", "enrollments", (
            _ref("user", "user_id", "user"), _ref("class", "class_id", "class"), _ref("school", "school_id", "org"),
            _f("role", "role"), _f("primary", "primary", How.FLAG), _f("beginDate", "begin_date"),
            _f("endDate", "end_date"),
        )),
        Listing("demographics", "demographics", "demographics", (
            _f("birthDate", "birth_date"), _f("sex", "sex"),
            *_flags(
                ("americanIndianOrAlaskaNative", "american_indian_or_alaska_native"), ("asian", "asian"),
                ("blackOrAfricanAmerican", "black_or_african_american"),
                ("nativeHawaiianOrOtherPacificIslander", "native_hawaiian_or_other_pacific_islander"),
                ("white", "white"), ("demographicRaceTwoOrMoreRaces", "demographic_race_two_or_more_races"),
                ("hispanicOrLatinoEthnicity", "hispanic_or_latino_ethnicity"),
            ),
            _f("countryOfBirthCode", "country_of_birth_code"),
            _f("stateOfBirthAbbreviation", "state_of_birth_abbreviation"), _f("cityOfBirth", "city_of_birth"),
            _f("publicSchoolResidenceStatus", "public_school_residence_status"),
        )),
        Listing("categories", "category", "categories", (_f("title", "title"), _f("weight", "weight")),
                gradebook=True),
        Listing("scoreScales", "scoreScale", "score_scales", (
            _f("title", "title"), _f("type", "type", fallback=""), _ref("class", "class_id", "class"),
            _ref("course", "course_id", "course"),
            _f("scoreScaleValue", "score_scale_values", How.SCALE_VALUES),
        ), parts=("score_scale_values",), gradebook=True),
        Listing("lineItems", "lineItem", "line_items", (
            _f("title", "title"), _f("description", "description"), _f("assignDate", "assign_date", How.TIME),
            _f("dueDate", "due_date", How.TIME), _ref("class", "class_id", "class"),
            _ref("school", "school_id", "org"), _ref("category", "category_id", "category"),
            _ref("academicSession", "academic_session_id", "academicSession"),
            _f("scoreScale", "line_item_score_scales", How.SCALE, "scoreScale"),
            _f("resultValueMin", "result_value_min"), _f("resultValueMax", "result_value_max"),
            _f("learningObjectiveSet", "line_item_learning_objectives", How.OBJECTIVES),
        ), parts=("line_item_learning_objectives", "line_item_score_scales"), gradebook=True),
        Listing("results", "result", "results", (
            _ref("lineItem", "line_item_id", "lineItem"), _ref("student", "student_id", "user"),
            _ref("class", "class_id", "class"), _f("scoreScale", "result_score_scales", How.SCALE, "scoreScale"),
            _f("scoreStatus", "score_status", fallback="submitted"), _f("score", "score"),
            _f("textScore", "text_score"), _f("scoreDate", "score_date"), _f("comment", "comment"),
            _f("learningObjectiveSet", "result_learning_objectives", How.OBJECTIVE_RESULTS),
            *_flags(("inProgress", "in_progress"), ("incomplete", "incomplete"), ("late", "late"),
                    ("missing", "missing")),
        ), parts=("result_learning_objectives", "result_score_scales"), gradebook=True),
    )
}  # fmt: skip
"""Every collection, by its path."""

LISTINGS_11: Mapping[str, Listing] = {
    name: replace(
        each,
        fields=tuple(
            field for field in each.fields
            if field.name not in ("roles", "primaryOrg", "userMasterIdentifier", "pronouns")
            and not field.name.startswith("preferred")
        ) + ((_f("role", "roles", How.FIRST_ROLE, fallback="student"), _f("orgs", "roles", How.ROLE_ORGS, "org"))
             if name == "users" else ()),
    )
    for name, each in LISTINGS.items() if not each.gradebook
}  # fmt: skip
"""The rosters in the shape of OneRoster 1.1."""

COMMON = (_f("sourcedId", "id"), _f("status", "status", fallback="active"),
          _f("dateLastModified", "date_last_modified", How.TIME))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Via:
    """How records belong to a parent: their ``column`` holds its id; or, by way of ``table``, a value of ``child`` in
    the rows whose ``parent`` is that id (and whose role is ``role``)."""

    column: str
    table: str | None = None
    parent: str = ""
    child: str = ""
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """An address of a list. ``parents``: for each id in the address the collection or view that it is of, and how
    records belong to it; ``None`` where it only has to exist."""

    path: str
    listing: str
    parents: tuple[tuple[str, Via | None], ...] = ()


ROLE_NAMES = "_roles"
"""A column that users are given: the names of all their roles."""

VIEWS: Mapping[str, tuple[str, str, str]] = {
    "terms": ("academicSessions", "type", "term"),
    "gradingPeriods": ("academicSessions", "type", "gradingPeriod"),
    "schools": ("orgs", "type", "school"),
    "students": ("users", ROLE_NAMES, "student"),
    "teachers": ("users", ROLE_NAMES, "teacher"),
}
"""Collections that are a part of another one: its name, and the column and value that the part has."""


def _a(path: str, listing: str, *parents: tuple[str, Via | None]) -> Address:
    return Address(path, listing, parents)


_PEOPLE = {"students": "student", "teachers": "teacher"}
_IN_CLASS = {view: Via("id", "enrollments", "class_id", "user_id", role) for view, role in _PEOPLE.items()}
_OF_USER = Via("id", "enrollments", "user_id", "class_id")
_OF_CLASS = Via("line_item_id", "line_items", "class_id", "id")

ADDRESSES: Sequence[Address] = (
    *(_a(name, name) for name in (*LISTINGS, *VIEWS)),
    _a("terms/<id>/classes", "classes", ("terms", Via("term_ids"))),
    _a("terms/<id>/gradingPeriods", "gradingPeriods", ("terms", Via("parent_id"))),
    _a("courses/<id>/classes", "classes", ("courses", Via("course_id"))),
    *(_a(f"classes/<id>/{view}", view, ("classes", way)) for view, way in _IN_CLASS.items()),
    *(_a(f"{view}/<id>/classes", "classes", (view, _OF_USER)) for view in ("users", *_PEOPLE)),
    _a("schools/<id>/classes", "classes", ("schools", Via("school_id"))),
    _a("schools/<id>/courses", "courses", ("schools", Via("id", "classes", "school_id", "course_id"))),
    _a("schools/<id>/enrollments", "enrollments", ("schools", Via("school_id"))),
    *(_a(f"schools/<id>/{view}", view, ("schools", Via("id", "roles", "org_id", "user_id", role)))
      for view, role in _PEOPLE.items()),
    _a("schools/<id>/terms", "terms", ("schools", Via("id", "classes", "school_id", "term_ids"))),
    _a("schools/<id>/classes/<class_id>/enrollments", "enrollments", ("schools", None), ("classes", Via("class_id"))),
    *(_a(f"schools/<id>/classes/<class_id>/{view}", view, ("schools", None), ("classes", way))
      for view, way in _IN_CLASS.items()),
    _a("classes/<id>/lineItems", "lineItems", ("classes", Via("class_id"))),
    _a("classes/<id>/results", "results", ("classes", _OF_CLASS)),
    _a("classes/<id>/lineItems/<line_item_id>/results", "results",
       ("classes", None), ("lineItems", Via("line_item_id"))),
    _a("classes/<id>/students/<student_id>/results", "results",
       ("classes", _OF_CLASS), ("students", Via("student_id"))),
    _a("classes/<id>/categories", "categories", ("classes", Via("id", "line_items", "class_id", "category_id"))),
    _a("classes/<id>/scoreScales", "scoreScales", ("classes", Via("class_id"))),
    _a("schools/<id>/scoreScales", "scoreScales", ("schools", Via("org_id"))),
)  # fmt: skip
"""Every list that can be read; a plain one can be read record by record too."""
