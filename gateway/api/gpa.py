"""``/v1/gpa``: GPAs computed, compared and tried out, each with its trace."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl
from flask import Response
from marshmallow import Schema, fields, validate

from gateway.api import catalogue_schemas as shown
from gateway.api.access import caller, needs, note, now
from gateway.api.encoding import answer, rows
from gateway.api.lists import policy
from gateway.api.openapi import Blueprint, StrictSchema, Whole
from gateway.api.roles import GPA
from gateway.api.rows import FLAG, NUMBER, TEXT, TIME, Columns, Rows
from gateway.core.gpa.changes import (
    AddCourse,
    Change,
    ChangeCourse,
    RemoveCourse,
    RepeatCourse,
    what_if,
)
from gateway.core.gpa.comparison import compare_policies
from gateway.core.gpa.compute import Period, compute_gpa
from gateway.core.gpa.courses import prepare_courses
from gateway.core.gpa.explain import explain_result
from gateway.core.gpa.language import COURSE_COLUMNS
from gateway.core.gpa.result import GpaResult
from gateway.core.mapping.scales import plain
from gateway.core.model import LINE
from gateway.course_files import result_rows

blueprint = Blueprint("gpa", __name__, url_prefix="/v1/gpa", description="Courses to GPAs.")

_CELLS = {"credit": NUMBER, "score": NUMBER, "completed_on": TIME}
COURSES = Columns(
    "Course",
    {name: _CELLS.get(name, TEXT) for name in COURSE_COLUMNS},
    ("student_id", "course_code"),
    {"grade": "The final grade, as the policy's scales write it.", "level": "Such as regular, honors, ap, ib."},
)
FACTS = Columns(
    "StudentFacts",
    {
        "student_id": TEXT,
        "residency": TEXT,
        "top_half": FLAG,
        "act": NUMBER,
        "sat": NUMBER,
        "seventh_semester_on": TIME,
        "graduated_on": TIME,
    },
    ("student_id",),
    {},
)


class CoursesSchema(StrictSchema):
    courses = Rows(COURSES, metadata={"description": "One row a course attempt; the first row is line 1."})
    students = Rows(FACTS, required=False, metadata={"description": "Facts beside courses."})
    as_of = fields.Date(metadata={"description": "The day of the calculation; today otherwise."})


class ComputeSchema(CoursesSchema):
    policies = fields.List(fields.String(validate=validate.Length(1, 255)), required=True,
                           validate=validate.Length(1, 20))  # fmt: skip
    periods = fields.List(fields.Enum(Period, by_value=True), validate=validate.Length(1, 4))
    trace = fields.Boolean(load_default=False, metadata={"description": "With one row a course, and the worked lines."})
    approximate = fields.Boolean(
        load_default=False, metadata={"description": "Compute even where the school aggregates no GPA."}
    )


class CompareSchema(CoursesSchema):
    old = fields.String(required=True, validate=validate.Length(1, 255))
    new = fields.String(required=True, validate=validate.Length(1, 255))
    old_version = fields.String()
    new_version = fields.String()


_VALUE: dict[str, Any] = {"allow_none": True, "validate": validate.Length(0, 255)}
ValuesSchema = StrictSchema.from_dict({name: fields.String(**_VALUE) for name in COURSE_COLUMNS}, name="CourseValues")
"""Values by column of a course."""

_ANY_LINE = validate.Range(1, 1_000_000)
_MOST = validate.Length(0, 100)


class ChangedCourseSchema(StrictSchema):
    """Other values for the course on a line."""

    line = Whole(required=True, validate=_ANY_LINE)
    values = fields.Nested(ValuesSchema, required=True)


class WhatIfSchema(CoursesSchema):
    policy = fields.String(required=True, validate=validate.Length(1, 255))
    student_id = fields.String(required=True, validate=validate.Length(1, 255))
    change = fields.List(fields.Nested(ChangedCourseSchema), load_default=list, validate=_MOST)
    repeat = fields.List(
        fields.Nested(ChangedCourseSchema), load_default=list, validate=_MOST,
        metadata={"description": "The course on a line once more, with a new grade."},
    )  # fmt: skip
    remove = fields.List(Whole(validate=_ANY_LINE), load_default=list, validate=_MOST)
    add = fields.List(fields.Nested(ValuesSchema), load_default=list, validate=_MOST)


class GpaSchema(Schema):
    student_id = fields.String(required=True)
    policy = fields.String(required=True)
    version = fields.String(required=True)
    gpa = fields.String(required=True, allow_none=True, metadata=dict(shown.DECIMAL))
    state = fields.String(required=True)
    credits = fields.String(required=True, allow_none=True, metadata=dict(shown.DECIMAL))
    quality_points = fields.String(required=True, allow_none=True, metadata=dict(shown.DECIMAL))
    courses_used = fields.Integer(required=True, allow_none=True)
    period = fields.String(required=True, allow_none=True)
    standing = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    credits_earned = fields.String(required=True, allow_none=True, metadata=dict(shown.DECIMAL))


class GpaResultSchema(Schema):
    policy = fields.Nested(shown.PolicySchema, required=True)
    storable = fields.Boolean(required=True, metadata={"description": "Whether these GPAs may be kept at all."})
    gpas = fields.List(fields.Nested(GpaSchema), required=True)
    problems = fields.List(fields.Nested(shown.GpaProblemSchema), required=True)
    trace = fields.List(fields.Nested(shown.TracedCourseSchema), metadata={"description": "If it was asked for."})
    text = fields.List(fields.String(), metadata={"description": "The worked lines for people."})


class ComputedSchema(Schema):
    results = fields.List(fields.Nested(GpaResultSchema), required=True)


class ComparedSchema(Schema):
    old = fields.Nested(shown.IdentitySchema, required=True)
    new = fields.Nested(shown.IdentitySchema, required=True)
    students = fields.List(fields.Nested(shown.ComparedStudentSchema), required=True)


class WhatIfResultSchema(Schema):
    before = fields.Nested(GpaResultSchema, required=True)
    after = fields.Nested(GpaResultSchema, required=True)
    difference = fields.String(required=True, allow_none=True, metadata=dict(shown.DECIMAL))


@blueprint.post("/compute")
@blueprint.told(writes=False, problems=["conflict"])
@blueprint.arguments(ComputeSchema)
@blueprint.response(200, ComputedSchema)
@needs(GPA)
def compute_gpas(body: dict[str, Any]) -> Response:
    """The GPAs of all students in the courses, under each policy. What cannot be computed is pending, with reasons."""
    policies = [policy(name, body) for name in body["policies"]]
    courses = body["courses"]
    _note("gpa.compute", courses, policies=[each.name for each in policies])
    prepared = prepare_courses(_numbered(courses))
    results = [
        compute_gpa(
            each, prepared, as_of=_day(body), trace=body["trace"], students=body.get("students"),
            periods=body.get("periods") or (Period.CUMULATIVE,), approximate=body["approximate"],
        )
        for each in policies
    ]  # fmt: skip
    return answer({"results": [_shown(each) for each in results]})


@blueprint.post("/compare")
@blueprint.told(writes=False, problems=["conflict"])
@blueprint.arguments(CompareSchema)
@blueprint.response(200, ComparedSchema)
@needs(GPA)
def compare_gpas(body: dict[str, Any]) -> Response:
    """Who has another GPA under the one policy (or version) than under the other."""
    old, new = (policy(body[side], {**body, "version": body.get(f"{side}_version")}) for side in ("old", "new"))
    _note("gpa.compare", body["courses"], policies=[old.name, new.name])
    compared = compare_policies(old, new, _numbered(body["courses"]), as_of=_day(body), students=body.get("students"))
    return answer(
        {"old": shown.identity(old), "new": shown.identity(new), "students": [_plainly(row) for row in rows(compared)]}
    )


@blueprint.post("/what-if")
@blueprint.told(writes=False, problems=["conflict"])
@blueprint.arguments(WhatIfSchema)
@blueprint.response(200, WhatIfResultSchema)
@needs(GPA)
def what_if_gpa(body: dict[str, Any]) -> Response:
    """One student's GPA before and after some changes; nothing is kept."""
    chosen = policy(body["policy"], body)
    _note("gpa.what-if", body["courses"], policies=[chosen.name])
    tried = what_if(
        chosen,
        _numbered(body["courses"]),
        body["student_id"],
        _changes(body),
        as_of=_day(body),
        students=body.get("students"),
    )
    return answer(
        {"before": _shown(tried.before), "after": _shown(tried.after), "difference": _plain(tried.difference)}
    )


def _day(body: Mapping[str, Any]) -> Any:
    return body.get("as_of") or now().astimezone(caller().site.district.time_zone).date()


def _note(action: str, courses: pl.DataFrame, **detail: Any) -> None:
    note(action, subjects=courses["student_id"].n_unique(), **detail)


def _numbered(courses: pl.DataFrame) -> pl.DataFrame:
    return courses.with_row_index(LINE, offset=1).with_columns(pl.col(LINE).cast(pl.Int64))


def _changes(body: Mapping[str, Any]) -> list[Change]:
    """Changes and repeats of lines first, then what is left out and what comes new."""
    return [
        *(ChangeCourse(each["line"], each["values"]) for each in body["change"]),
        *(RepeatCourse(each["line"], each["values"]) for each in body["repeat"]),
        *(RemoveCourse(line) for line in body["remove"]),
        *(AddCourse(values) for values in body["add"]),
    ]


def _plainly(row: Mapping[str, Any]) -> dict[str, Any]:
    """The GPA with the places of its policy, other numbers without trailing zeros."""
    return {name: _plain(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _shown(result: GpaResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "policy": shown.policy_shown(result.policy),
        "storable": result.storable,
        "gpas": [_plainly(row) for row in rows(result_rows([result]))],
        "problems": rows(result.problems),
    }
    if result.trace is not None:
        found |= {"trace": rows(result.trace), "text": list(explain_result(result))}
    return found
