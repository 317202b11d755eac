"""The canonical tables: one shape for every source and target, in the words of OneRoster 1.2.

A table is a Polars frame whose columns are declared here. Column names are the standard's, in snake case, with
``id`` for ``sourcedId`` and ``…_id`` for a reference. Arrays of the REST binding that are files of their own in the
CSV binding (roles, learning objectives, score scale links) are tables of their own. Passwords, credentials and
user profiles are never taken in.

*Raw* frames, as connectors deliver them, have the same columns as text (``List(String)`` for ``TEXT_LIST``), null where
the source is silent, plus ``_source`` (file or endpoint and page) and ``_line`` (line, or record number in the page).
*Typed* frames come out of :mod:`gateway.core.check`.

Source: OneRoster 1.2 (rostering, gradebook), CSV Binding 1.2.1; CASE 1.1 for the framework tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import polars as pl

SCORE_PLACES = 6
"""Decimal places that every score, weight and maximum keeps; more are rounded half up with a warning."""

SCORE = pl.Decimal(18, SCORE_PLACES)
TIME = pl.Datetime("ms", "UTC")

SOURCE = "_source"
LINE = "_line"
PROVENANCE: Mapping[str, pl.DataType] = MappingProxyType({SOURCE: pl.String(), LINE: pl.UInt32()})


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    TEXT_LIST = "text list"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    TIME = "time"
    BOOLEAN = "boolean"


DTYPES: Mapping[Kind, pl.DataType] = MappingProxyType(
    {
        Kind.TEXT: pl.String(),
        Kind.TEXT_LIST: pl.List(pl.String()),
        Kind.INTEGER: pl.Int64(),
        Kind.DECIMAL: SCORE,
        Kind.DATE: pl.Date(),
        Kind.TIME: TIME,
        Kind.BOOLEAN: pl.Boolean(),
    }
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    ``references`` names the table whose ``id`` it holds; ``hard``: the record waits without the referenced one.
    ``strict``: a value that cannot be read sends the record to quarantine instead of being dropped with a warning.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    references: str | None = None
    hard: bool = True
    vocabulary: tuple[str, ...] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One canonical table. ``part_of`` is the table and the column by which its rows belong to a parent record."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("id",)
    part_of: tuple[str, str] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """The typed frame's schema."""
        return {column.name: DTYPES[column.kind] for column in self.columns}

    @property
    def raw_schema(self) -> dict[str, pl.DataType]:
        """The raw frame's schema: text, and where each row came from."""
        listed = {c.name: pl.List(pl.String()) if c.kind is Kind.TEXT_LIST else pl.String() for c in self.columns}
        return {**listed, **PROVENANCE}

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


STATUS = ("active", "tobedeleted")
ORG_TYPES = ("department", "district", "local", "national", "school", "state")
SESSION_TYPES = ("gradingPeriod", "semester", "schoolYear", "term")
CLASS_TYPES = ("homeroom", "scheduled")
ENROLLMENT_ROLES = ("administrator", "proctor", "student", "teacher")
USER_ROLES = (
    "administrator", "aide", "counselor", "districtAdministrator", "guardian", "parent", "principal", "proctor",
    "relative", "siteAdministrator", "student", "systemAdministrator", "teacher",
)  # fmt: skip
SCORE_STATUSES = ("exempt", "fully graded", "not submitted", "partially graded", "submitted")
SEXES = ("female", "male", "other", "unspecified")


def _text(name: str, *, required: bool = False, vocabulary: tuple[str, ...] = (), strict: bool = False) -> Column:
    return Column(name, Kind.TEXT, required, vocabulary=vocabulary, strict=strict)


def _ref(name: str, table: str, *, required: bool = False, hard: bool = True) -> Column:
    return Column(name, Kind.TEXT, required, references=table, hard=hard)


def _date(name: str, *, required: bool = False, strict: bool = False) -> Column:
    return Column(name, Kind.DATE, required, strict=strict)


def _decimal(name: str) -> Column:
    return Column(name, Kind.DECIMAL, strict=True)


def _flag(name: str) -> Column:
    return Column(name, Kind.BOOLEAN)


def _list(name: str) -> Column:
    return Column(name, Kind.TEXT_LIST)


_RECORD = (
    _text("id", required=True),
    _text("status", vocabulary=STATUS, strict=True),
    Column("date_last_modified", Kind.TIME),
)
_LINK = _RECORD[1:]  # a link's own id exists in the CSV binding only; its key is what it links

_ROSTER = (
    Table("academic_sessions", (
        *_RECORD, _text("title", required=True), _text("type", required=True, vocabulary=SESSION_TYPES),
        _date("start_date", required=True), _date("end_date", required=True),
        _ref("parent_id", "academic_sessions", hard=False), _text("school_year"),
    )),
    Table("orgs", (
        *_RECORD, _text("name", required=True), _text("type", required=True, vocabulary=ORG_TYPES),
        _text("identifier"), _ref("parent_id", "orgs", hard=False),
    )),
    Table("courses", (
        *_RECORD, _ref("school_year_id", "academic_sessions", hard=False), _text("title", required=True),
        _text("course_code"), _list("grades"), _ref("org_id", "orgs", hard=False),
        _list("subjects"), _list("subject_codes"),
    )),
    Table("classes", (
        *_RECORD, _text("title", required=True), _list("grades"), _ref("course_id", "courses", hard=False),
        _text("class_code"), _text("class_type", vocabulary=CLASS_TYPES), _text("location"),
        _ref("school_id", "orgs", required=True),
        Column("term_ids", Kind.TEXT_LIST, required=True, references="academic_sessions"),
        _list("subjects"), _list("subject_codes"), _list("periods"),
    )),
    Table("users", (
        *_RECORD, _flag("enabled_user"), _text("username"), _list("user_ids"), _text("given_name", required=True),
        _text("family_name"), _text("middle_name"), _text("identifier"), _text("email"), _text("sms"), _text("phone"),
        _list("agent_ids"), _list("grades"), _text("user_master_identifier"), _text("preferred_given_name"),
        _text("preferred_middle_name"), _text("preferred_family_name"), _ref("primary_org_id", "orgs", hard=False),
        _text("pronouns"),
    )),
    Table("roles", (
        *_RECORD, _ref("user_id", "users", required=True), _text("role_type", vocabulary=("primary", "secondary")),
        _text("role", required=True, vocabulary=USER_ROLES), _date("begin_date"), _date("end_date"),
        _ref("org_id", "orgs", required=True),
    )),
    Table("enrollments", (
        *_RECORD, _ref("class_id", "classes", required=True), _ref("school_id", "orgs", hard=False),
        _ref("user_id", "users", required=True), _text("role", required=True, vocabulary=ENROLLMENT_ROLES),
        _flag("primary"), _date("begin_date"), _date("end_date"),
    )),
    Table("demographics", (
        Column("id", Kind.TEXT, required=True, references="users"), *_LINK, _date("birth_date"),
        _text("sex", vocabulary=SEXES), _flag("american_indian_or_alaska_native"), _flag("asian"),
        _flag("black_or_african_american"), _flag("native_hawaiian_or_other_pacific_islander"), _flag("white"),
        _flag("demographic_race_two_or_more_races"), _flag("hispanic_or_latino_ethnicity"),
        _text("country_of_birth_code"), _text("state_of_birth_abbreviation"), _text("city_of_birth"),
        _text("public_school_residence_status"),
    )),
)  # fmt: skip

_GRADEBOOK = (
    Table("categories", (*_RECORD, _text("title", required=True), _decimal("weight"))),
    Table("score_scales", (
        *_RECORD, _text("title", required=True), _text("type"), _ref("org_id", "orgs", hard=False),
        _ref("course_id", "courses", hard=False), _ref("class_id", "classes", hard=False),
    )),
    Table("score_scale_values", (
        _ref("score_scale_id", "score_scales", required=True), Column("position", Kind.INTEGER, required=True),
        _text("lhs", required=True), _text("rhs", required=True),
    ), key=("score_scale_id", "position"), part_of=("score_scales", "score_scale_id")),
    Table("line_items", (
        *_RECORD, _text("title", required=True), _text("description"), Column("assign_date", Kind.TIME),
        Column("due_date", Kind.TIME), _ref("class_id", "classes", required=True),
        _ref("category_id", "categories", hard=False), _ref("academic_session_id", "academic_sessions", hard=False),
        _decimal("result_value_min"), _decimal("result_value_max"), _ref("school_id", "orgs", hard=False),
    )),
    Table("line_item_learning_objectives", (
        *_LINK, _ref("line_item_id", "line_items", required=True), _text("source"),
        _text("learning_objective_id", required=True),
    ), key=("line_item_id", "source", "learning_objective_id"), part_of=("line_items", "line_item_id")),
    Table("line_item_score_scales", (
        *_LINK, _ref("line_item_id", "line_items", required=True),
        _ref("score_scale_id", "score_scales", required=True),
    ), key=("line_item_id", "score_scale_id"), part_of=("line_items", "line_item_id")),
    Table("results", (
        *_RECORD, _ref("line_item_id", "line_items", required=True), _ref("student_id", "users", required=True),
        _text("score_status", vocabulary=SCORE_STATUSES, strict=True), _decimal("score"),
        _date("score_date", strict=True), _text("comment"),
        _text("text_score"), _ref("class_id", "classes", hard=False), _flag("in_progress"), _flag("incomplete"),
        _flag("late"), _flag("missing"),
    )),
    Table("result_learning_objectives", (
        *_LINK, _ref("result_id", "results", required=True), _text("source"),
        _text("learning_objective_id", required=True), _decimal("score"), _text("text_score"),
    ), key=("result_id", "source", "learning_objective_id"), part_of=("results", "result_id")),
    Table("result_score_scales", (
        *_LINK, _ref("result_id", "results", required=True), _ref("score_scale_id", "score_scales", required=True),
    ), key=("result_id", "score_scale_id"), part_of=("results", "result_id")),
)  # fmt: skip

_FRAMEWORK = (
    Table("frameworks", (
        _text("id", required=True), Column("date_last_modified", Kind.TIME), _text("title", required=True),
        _text("creator"), _text("version"), _text("language"), _text("adoption_status"), _text("framework_type"),
        _text("description"), _list("subjects"), _text("license"), _text("uri"),
    )),
    Table("competencies", (
        _text("id", required=True), Column("date_last_modified", Kind.TIME), _ref("framework_id", "frameworks"),
        _text("code"), _text("statement", required=True), _text("abbreviated_statement"), _text("item_type"),
        _text("list_enumeration"), _list("education_levels"), _list("subjects"), _text("language"), _text("uri"),
    )),
    Table("associations", (
        _text("id", required=True), Column("date_last_modified", Kind.TIME), _ref("framework_id", "frameworks"),
        _text("type", required=True), _text("origin_id", required=True), _text("destination_id", required=True),
        Column("sequence_number", Kind.INTEGER),
    )),
    Table("rubrics", (
        _text("id", required=True), Column("date_last_modified", Kind.TIME), _ref("framework_id", "frameworks"),
        _text("title"), _text("description"),
    )),
    Table("rubric_criteria", (
        _text("id", required=True), Column("date_last_modified", Kind.TIME),
        _ref("rubric_id", "rubrics", required=True),
        _text("category"), _text("description"), _text("competency_id"), _decimal("weight"),
        Column("position", Kind.INTEGER),
    ), part_of=("rubrics", "rubric_id")),
    Table("rubric_levels", (
        _text("id", required=True), Column("date_last_modified", Kind.TIME),
        _ref("criterion_id", "rubric_criteria", required=True), _text("quality"), _text("description"),
        _decimal("score"), Column("position", Kind.INTEGER),
    ), part_of=("rubric_criteria", "criterion_id")),
)  # fmt: skip

_OUTCOMES = (
    Table("gpas", (
        *_RECORD, _ref("student_id", "users", required=True), _ref("school_id", "orgs", required=True),
        _text("school_year", required=True), _text("term"), _text("type", required=True),
        Column("value", Kind.DECIMAL, required=True, strict=True), _decimal("maximum"), _flag("cumulative"),
        _decimal("points"), _text("policy"), _text("version"), _date("as_of"),
    )),
)  # fmt: skip

_TRANSCRIPTS = (
    Table("course_attempts", (
        *_RECORD, _ref("student_id", "users", required=True), _ref("school_id", "orgs", hard=False),
        _text("school_year"), _text("term"), _ref("course_id", "courses", hard=False),
        _text("course_code", required=True), _text("title"), _list("subjects"), _text("level"),
        _text("grade"), _decimal("score"),
        _decimal("credit"), _text("credit_type"), _decimal("credit_factor"),
        _decimal("credit_earned"), _text("credit_earned_type"), _decimal("credit_earned_factor"),
        _text("result"), _text("repeat_code"), _text("grade_level"), _text("method"), _text("gpa_applicability"),
        _text("external_school"), _date("completed_on"),
    )),
)  # fmt: skip

TABLES: Mapping[str, Table] = MappingProxyType(
    {t.name: t for t in (*_ROSTER, *_GRADEBOOK, *_FRAMEWORK, *_OUTCOMES, *_TRANSCRIPTS)}
)
"""Every canonical table, parents before the tables that refer to them."""

ROSTER_TABLES = tuple(t.name for t in _ROSTER)
GRADEBOOK_TABLES = tuple(t.name for t in _GRADEBOOK)
FRAMEWORK_TABLES = tuple(t.name for t in _FRAMEWORK)
OUTCOME_TABLES = tuple(t.name for t in _OUTCOMES)
"""What the gateway computes and pushes. A source delivers GPAs that it states itself: without a ``policy``."""
TRANSCRIPT_TABLES = tuple(t.name for t in _TRANSCRIPTS)
"""Course attempts as a transcript has them, in the words of a course file (``docs/gpa.md``). ``credit`` is what was
attempted, in units of its type; times ``credit_factor`` it is in Carnegie units. OneRoster knows no transcripts."""


def empty(table: str, *, raw: bool = False) -> pl.DataFrame:
    """A frame of ``table`` without rows."""
    declared = TABLES[table]
    return pl.DataFrame(schema=declared.raw_schema if raw else declared.schema)
