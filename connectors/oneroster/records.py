"""The objects of OneRoster's REST binding as msgspec types: both versions in one, as wide as providers write them.

Scalars take any JSON scalar, because providers write numbers as texts and booleans either way; scores keep their own
digits (``Raw``). A reference is an object, a bare id or nothing. Fields that the gateway has no use for (passwords,
profiles, resources) are not declared and so never taken in. ``metadata``, ``href`` and ``type`` are declared for the
sake of speed alone: a page in which everything is known needs no second look for doubled keys.

Source: OneRoster 1.2 OpenAPI (rostering, gradebook); OneRoster 1.1 for ``role``, ``orgs``, ``grade`` and ``userId``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeAlias

from msgspec import UNSET, Raw, Struct, UnsetType, field

Text: TypeAlias = str | int | bool | UnsetType | None
Texts: TypeAlias = list[str | int | bool | None] | str | int | UnsetType | None
Number: TypeAlias = Raw | UnsetType


def written(moment: datetime) -> str:
    """A time as the standard writes it: ``2026-09-01T08:00:00.000Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


class Ref(Struct, gc=False, rename="camel"):
    """A reference to another record."""

    sourced_id: Text = UNSET
    href: Text = UNSET
    type: Text = UNSET


Reference: TypeAlias = Ref | str | int | UnsetType | None
References: TypeAlias = list[Ref | str | int | None] | Ref | str | int | UnsetType | None


class Record(Struct, gc=False, rename="camel"):
    """What every object has."""

    sourced_id: Text = UNSET
    status: Text = UNSET
    date_last_modified: Text = UNSET
    metadata: Raw | UnsetType = UNSET


class AcademicSession(Record, gc=False, rename="camel"):
    title: Text = UNSET
    type: Text = UNSET
    start_date: Text = UNSET
    end_date: Text = UNSET
    parent: Reference = UNSET
    school_year: Text = UNSET


class Org(Record, gc=False, rename="camel"):
    name: Text = UNSET
    type: Text = UNSET
    identifier: Text = UNSET
    parent: Reference = UNSET


class Course(Record, gc=False, rename="camel"):
    school_year: Reference = UNSET
    title: Text = UNSET
    course_code: Text = UNSET
    grades: Texts = UNSET
    org: Reference = UNSET
    subjects: Texts = UNSET
    subject_codes: Texts = UNSET


class Class(Record, gc=False, rename="camel"):
    title: Text = UNSET
    grades: Texts = UNSET
    course: Reference = UNSET
    class_code: Text = UNSET
    class_type: Text = UNSET
    location: Text = UNSET
    school: Reference = UNSET
    terms: References = UNSET
    subjects: Texts = UNSET
    subject_codes: Texts = UNSET
    periods: Texts = UNSET


class UserId(Struct, gc=False, rename="camel"):
    type: Text = UNSET
    identifier: Text = UNSET


class Role(Struct, gc=False, rename="camel"):
    role_type: Text = UNSET
    role: Text = UNSET
    org: Reference = UNSET
    begin_date: Text = UNSET
    end_date: Text = UNSET


class User(Record, gc=False, rename="camel"):
    enabled_user: Text = UNSET
    username: Text = UNSET
    user_ids: list[UserId | str | None] | UnsetType | None = UNSET
    user_id: Text = UNSET
    given_name: Text = UNSET
    family_name: Text = UNSET
    middle_name: Text = UNSET
    identifier: Text = UNSET
    email: Text = UNSET
    sms: Text = UNSET
    phone: Text = UNSET
    agents: References = UNSET
    grades: Texts = UNSET
    grade: Texts = UNSET
    user_master_identifier: Text = UNSET
    preferred_first_name: Text = UNSET
    preferred_middle_name: Text = UNSET
    preferred_last_name: Text = UNSET
    primary_org: Reference = UNSET
    pronouns: Text = UNSET
    roles: list[Role] | UnsetType | None = UNSET
    role: Text = UNSET
    orgs: References = UNSET


class Enrollment(Record, gc=False, rename="camel"):
    class_: Reference = field(default=UNSET, name="class")
    school: Reference = UNSET
    user: Reference = UNSET
    role: Text = UNSET
    primary: Text = UNSET
    begin_date: Text = UNSET
    end_date: Text = UNSET


class Demographics(Record, gc=False, rename="camel"):
    birth_date: Text = UNSET
    sex: Text = UNSET
    american_indian_or_alaska_native: Text = UNSET
    asian: Text = UNSET
    black_or_african_american: Text = UNSET
    native_hawaiian_or_other_pacific_islander: Text = UNSET
    white: Text = UNSET
    demographic_race_two_or_more_races: Text = UNSET
    hispanic_or_latino_ethnicity: Text = UNSET
    country_of_birth_code: Text = UNSET
    state_of_birth_abbreviation: Text = UNSET
    city_of_birth: Text = UNSET
    public_school_residence_status: Text = UNSET


class Category(Record, gc=False, rename="camel"):
    title: Text = UNSET
    weight: Number = UNSET


class ScaleValue(Struct, gc=False):
    lhs: Number = field(default=UNSET, name="itemValueLHS")
    rhs: Number = field(default=UNSET, name="itemValueRHS")


class ScoreScale(Record, gc=False, rename="camel"):
    title: Text = UNSET
    type: Text = UNSET
    org: Reference = UNSET
    course: Reference = UNSET
    class_: Reference = field(default=UNSET, name="class")
    score_scale_value: list[ScaleValue] | UnsetType | None = UNSET


class Objectives(Struct, gc=False, rename="camel"):
    """The learning objectives of a line item, of one source."""

    source: Text = UNSET
    learning_objective_ids: list[str | None] | UnsetType | None = UNSET


class LineItem(Record, gc=False, rename="camel"):
    title: Text = UNSET
    description: Text = UNSET
    assign_date: Text = UNSET
    due_date: Text = UNSET
    class_: Reference = field(default=UNSET, name="class")
    category: Reference = UNSET
    academic_session: Reference = UNSET
    grading_period: Reference = UNSET
    score_scale: References = UNSET
    result_value_min: Number = UNSET
    result_value_max: Number = UNSET
    school: Reference = UNSET
    learning_objective_set: list[Objectives] | UnsetType | None = UNSET


class ObjectiveResult(Struct, gc=False, rename="camel"):
    learning_objective_id: Text = UNSET
    score: Number = UNSET
    text_score: Number = UNSET


class ObjectiveResults(Struct, gc=False, rename="camel"):
    """A result's scores by learning objective, of one source."""

    source: Text = UNSET
    learning_objective_results: list[ObjectiveResult] | UnsetType | None = UNSET


class Result(Record, gc=False, rename="camel"):
    line_item: Reference = UNSET
    student: Reference = UNSET
    score_status: Text = UNSET
    score: Number = UNSET
    score_date: Text = UNSET
    comment: Text = UNSET
    text_score: Number = UNSET
    class_: Reference = field(default=UNSET, name="class")
    in_progress: Text = UNSET
    incomplete: Text = UNSET
    late: Text = UNSET
    missing: Text = UNSET
    score_scale: References = UNSET
    learning_objective_set: list[ObjectiveResults] | UnsetType | None = UNSET
