"""How mappings, policies and their results look in the API: schemas for the contract, and the values that fill them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from gateway.api.openapi import StrictSchema
from gateway.core.errors import GatewayError
from gateway.core.framework import Framework
from gateway.core.gpa.policy import Aggregate, Policy
from gateway.core.mapping import CompiledMapping, Failure, Remark
from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.scales import Scale, plain

DECIMAL: Mapping[str, Any] = {"pattern": "^-?[0-9]+(\\.[0-9]+)?$", "examples": ["3.25"]}
"""A decimal travels as text, with all its digits."""


class VersionSchema(StrictSchema):
    version = fields.String(metadata={"description": "A version; the latest one otherwise."})


class IdentitySchema(Schema):
    name = fields.String(required=True)
    version = fields.String(required=True)
    digest = fields.String(required=True, metadata={"description": "SHA-256 over all that the numbers depend on."})


class FrameworkIdentitySchema(Schema):
    id = fields.String(required=True)
    title = fields.String(required=True)
    version = fields.String(required=True, allow_none=True)
    digest = fields.String(required=True)


class MappingSummarySchema(IdentitySchema):
    framework = fields.Nested(FrameworkIdentitySchema, required=True)


class MappingListSchema(Schema):
    mappings = fields.List(fields.Nested(MappingSummarySchema), required=True)


class ScaleSchema(Schema):
    name = fields.String(required=True)
    report = fields.String(required=True, metadata={"description": "The scale on which its levels lie."})
    lowest = fields.String(required=True, metadata=dict(DECIMAL))
    highest = fields.String(required=True, metadata=dict(DECIMAL))
    proficient = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    marks = fields.Dict(keys=fields.String(), values=fields.String(metadata=dict(DECIMAL)), required=True)
    names = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class MappingSchema(MappingSummarySchema):
    scales = fields.List(fields.Nested(ScaleSchema), required=True)
    content = fields.Dict(required=True, metadata={"description": "What stands in the mapping's file."})


class CountsSchema(Schema):
    evidence = fields.Integer(required=True)
    used = fields.Integer(required=True)
    set_aside = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class LevelSchema(Schema):
    student_id = fields.String(required=True)
    competency = fields.String(required=True)
    level = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    proficient = fields.Boolean(required=True, allow_none=True)
    state = fields.String(required=True)
    evidence_count = fields.Integer(required=True)
    first_scored_at = fields.DateTime(required=True, allow_none=True)
    last_scored_at = fields.DateTime(required=True, allow_none=True)
    mapping = fields.String(required=True)
    version = fields.String(required=True)


class ContinuumSchema(Schema):
    student_id = fields.String(required=True)
    domain = fields.String(required=True)
    performance_level = fields.String(required=True, allow_none=True)
    progress = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    complete = fields.String(required=True, allow_none=True)
    next = fields.String(required=True, allow_none=True)
    gaps = fields.String(required=True, allow_none=True)
    baseline = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    growth = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    pace = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))


class CreditSchema(Schema):
    student_id = fields.String(required=True)
    credit = fields.String(required=True)
    part = fields.String(required=True, allow_none=True)
    earned = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    required = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    remaining = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    complete = fields.Boolean(required=True, allow_none=True)


class UnmatchedSchema(Schema):
    kind = fields.String(required=True)
    column = fields.String(required=True, allow_none=True)
    value = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    suggestion = fields.String(required=True, allow_none=True)
    rows = fields.Integer(required=True)
    students = fields.Integer(required=True)
    first_scored_at = fields.DateTime(required=True, allow_none=True)
    last_scored_at = fields.DateTime(required=True, allow_none=True)


class MappedSchema(Schema):
    mapping = fields.Nested(IdentitySchema, required=True)
    counts = fields.Nested(CountsSchema, required=True)
    levels = fields.List(fields.Nested(LevelSchema), required=True)
    continuum = fields.List(fields.Nested(ContinuumSchema), required=True)
    credits = fields.List(fields.Nested(CreditSchema), required=True)
    unmatched = fields.List(fields.Nested(UnmatchedSchema), required=True)


class ExplanationSchema(Schema):
    explanation = fields.Dict(required=True, metadata={"description": "All that the levels stand on, as data."})
    text = fields.String(required=True, metadata={"description": "The same for people."})


class RemarkSchema(Schema):
    code = fields.String(required=True)
    message = fields.String(required=True)
    hint = fields.String(required=True)
    line = fields.Integer(required=True, allow_none=True)


class FailedExampleSchema(Schema):
    example = fields.String(required=True)
    message = fields.String(required=True)
    line = fields.Integer(required=True, allow_none=True)


class SourceSchema(Schema):
    name = fields.String(required=True)
    year = fields.String(required=True)
    url = fields.String(required=True)


class PolicySchema(IdentitySchema):
    title = fields.String(required=True)
    kind = fields.String(required=True)
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True, allow_none=True)
    source = fields.Nested(SourceSchema, required=True)
    label = fields.String(required=True, metadata={"description": "What must stand beside every number of it."})
    approved_by = fields.String(required=True)
    open_questions = fields.List(fields.String(), required=True)
    on_request_only = fields.Boolean(required=True, metadata={"description": "No GPA is computed unless asked for."})


class GpaProblemSchema(Schema):
    """What made a GPA wait."""

    student_id = fields.String(required=True)
    policy = fields.String(required=True)
    version = fields.String(required=True)
    line = fields.Integer(required=True, allow_none=True)
    course_code = fields.String(required=True, allow_none=True)
    code = fields.String(required=True)
    message = fields.String(required=True)
    hint = fields.String(required=True)


class TracedCourseSchema(Schema):
    """What one course gave: the used ones recompute to the GPA."""

    student_id = fields.String(required=True)
    policy = fields.String(required=True)
    version = fields.String(required=True)
    digest = fields.String(required=True)
    period = fields.String(required=True, allow_none=True)
    line = fields.Integer(required=True, allow_none=True)
    course_code = fields.String(required=True, allow_none=True)
    title = fields.String(required=True, allow_none=True)
    subject = fields.String(required=True, allow_none=True)
    level = fields.String(required=True, allow_none=True)
    school_year = fields.String(required=True, allow_none=True)
    term = fields.String(required=True, allow_none=True)
    grade_level = fields.String(required=True, allow_none=True)
    grade = fields.String(required=True, allow_none=True)
    counted_as = fields.String(required=True, allow_none=True)
    number = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    points = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    weight = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    credit = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    units = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    quality_points = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    attempts_averaged = fields.Integer(required=True, allow_none=True)
    used = fields.Boolean(required=True)
    why = fields.String(required=True, allow_none=True)
    clause = fields.String(required=True, allow_none=True)
    override = fields.String(required=True, allow_none=True)


class ComparedStudentSchema(Schema):
    student_id = fields.String(required=True)
    school_id = fields.String(required=True, allow_none=True)
    old_gpa = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    new_gpa = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    difference = fields.String(required=True, allow_none=True, metadata=dict(DECIMAL))
    old_state = fields.String(required=True, allow_none=True)
    new_state = fields.String(required=True, allow_none=True)
    old_standing = fields.String(required=True, allow_none=True)
    new_standing = fields.String(required=True, allow_none=True)
    changed = fields.Boolean(required=True)
    why = fields.String(required=True, allow_none=True)


class PolicyListSchema(Schema):
    policies = fields.List(fields.Nested(PolicySchema), required=True)


class FrameworkListSchema(Schema):
    frameworks = fields.List(fields.Nested(FrameworkIdentitySchema), required=True)


class ScaleOfMappingSchema(ScaleSchema):
    mapping = fields.String(required=True)
    mapping_version = fields.String(required=True)
    mapping_digest = fields.String(required=True)


class ScaleListSchema(Schema):
    scales = fields.List(fields.Nested(ScaleOfMappingSchema), required=True)


class LintResultSchema(Schema):
    ok = fields.Boolean(required=True)
    problems = fields.List(fields.Nested(RemarkSchema), required=True)
    remarks = fields.List(fields.Nested(RemarkSchema), required=True)
    failed_examples = fields.List(fields.Nested(FailedExampleSchema), required=True)


def identity(each: CompiledMapping | Policy) -> dict[str, str]:
    return {"name": each.name, "version": each.version, "digest": each.digest}


def framework_identity(framework: Framework) -> dict[str, Any]:
    return {name: getattr(framework, name) for name in ("id", "title", "version", "digest")}


def mapping_summary(mapping: CompiledMapping) -> dict[str, Any]:
    return {**identity(mapping), "framework": framework_identity(mapping.framework)}


def mapping_in_full(mapping: CompiledMapping) -> dict[str, Any]:
    scales = [scale_shown(each) for each in mapping.scales.values()]
    return {**mapping_summary(mapping), "scales": scales, "content": mapping.document.data}


def scale_shown(scale: Scale) -> dict[str, Any]:
    limits = {name: _number(getattr(scale, name)) for name in ("lowest", "highest", "proficient")}
    marks = {mark: plain(from_micros(level)) for mark, level in scale.marks.items()}
    names = {plain(from_micros(level)): name for level, name in scale.names.items()}
    return {"name": scale.name, "report": scale.report, **limits, "marks": marks, "names": names}


def scale_of(mapping: CompiledMapping, scale: Scale) -> dict[str, Any]:
    told = {"mapping": mapping.name, "mapping_version": mapping.version, "mapping_digest": mapping.digest}
    return {**scale_shown(scale), **told}


def _number(micros: int | None) -> str | None:
    return None if micros is None else plain(from_micros(micros))


def policy_shown(policy: Policy) -> dict[str, Any]:
    source = {"name": policy.source.name, "year": policy.source.year, "url": policy.source.url}
    names = ("title", "kind", "first_day", "last_day", "label", "approved_by", "open_questions")
    on_request = policy.aggregate is Aggregate.ON_REQUEST_ONLY
    shown = {name: getattr(policy, name) for name in names}
    return {**identity(policy), **shown, "source": source, "on_request_only": on_request}


def fault(error: GatewayError) -> dict[str, Any]:
    line = error.place.line if error.place else None
    return {"code": error.code, "message": error.message, "hint": error.hint, "line": line}


def remark(each: Remark) -> dict[str, Any]:
    return {"code": each.code, "message": each.message, "hint": each.hint, "line": each.place.line}


def failure(each: Failure) -> dict[str, Any]:
    return {"example": each.example, "message": each.message, "line": each.place.line}
