"""The settings of writing to an Ed-Fi host: which records become which resources, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

WRITES: Mapping[str, str] = {
    "gradebook": "gradebookEntries and studentGradebookEntries",
    "competencies": "studentCompetencyObjectives",
    "grades": "learning standard grades inside the grades of the student information system",
    "assessments": "studentAssessments as evidence",
}
"""What the records of a nightly sync may become."""


def _described(description: str) -> dict[str, Any]:
    return {"description": description}


def _text(description: str, default: str = "", longest: int = 255) -> fields.Field[Any]:
    return fields.String(load_default=default, validate=validate.Length(max=longest), metadata=_described(description))


def _values(description: str) -> fields.Field[Any]:
    return fields.Dict(
        keys=fields.String(validate=validate.Length(1)), values=fields.String(validate=validate.Length(1)),
        load_default=dict, metadata=_described(description),
    )  # fmt: skip


def _flag(description: str, *, default: bool) -> fields.Field[Any]:
    return fields.Boolean(load_default=default, metadata=_described(description))


def _uri(value: str) -> None:
    if value and not value.startswith(("uri://", "https://", "http://")):
        raise ValidationError("Write a namespace such as uri://district.example.")


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class AssessmentSchema(_Strict):
    """The assessment under which evidence of mastery stands."""

    identifier = _text("Its identifier in our namespace.", "mastery", 60)
    title = _text("Its title.", "Learner continuum")
    subject = _text("Its academic subject (required up to Data Standard 4.0): a code, or namespace#code.")
    reporting_method = _text("How a level is reported: a code, or namespace#code.", "Mastery level")


class GpaSchema(_Strict):
    """Where grade point averages go."""

    place = fields.String(
        load_default="academic_record",
        validate=validate.OneOf(("academic_record", "report_card")),
        metadata=_described("academic_record or report_card."),
    )
    types = _values("By policy: the type of grade point average, such as uri://district.example#NCAA core.")
    term_types = _values("By policy: the type of the GPA of a term alone; none of types, for the type is the key.")
    flat = _text("Up to Data Standard 4.0: the policy whose GPAs stand in single members too, beside the list.")
    grade_value_qualifier = _text("With flat: what the points mean, such as A=4, B=3, C=2, D=1.", "", 80)
    terms = _values("By term as the courses have it: the code of the Term descriptor, if it has another name.")
    creates = _flag("Whether a student's academic record or report card may be made where there is none.", default=True)


class ObjectivesSchema(_Strict):
    """Where competencies go that the host lacks as competency objectives."""

    organization = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(1),
        metadata=_described("The education organization that owns them, such as 255901; empty for none to be created."),
    )  # fmt: skip
    grade_level = _text("Their grade level, unless the framework tells exactly one: a code, or namespace#code.",
                        "Ungraded")  # fmt: skip


class TranscriptSchema(_Strict):
    """How course attempts become lines of a transcript."""

    write = _flag("Whether course attempts are taken at all.", default=False)
    results = _values("By result (pass, fail, incomplete, withdrawn): the CourseAttemptResult, if it has another name.")
    credit_type = _text("The CreditType of credit that names none, such as Carnegie unit; empty for none.")
    subjects = _values("By subject as the courses have it: the AcademicSubject. Others are not told.")


class TargetSchema(_Strict):
    """How records are written."""

    namespace = fields.String(
        load_default="",
        validate=[validate.Length(max=200), _uri],
        metadata=_described("The namespace of what we create: uri://district.example."),
    )
    mark = _text("The words by which we know our own part of a record of others.", "Mastery Gateway", 60)
    overwrite = _flag("Whether a value that another system wrote in our place is replaced.", default=False)
    create_descriptors = _flag("Whether missing descriptors of our own namespace are created.", default=False)
    levels = _values("By label or number of the mapping's scale: the competency level, as a code or as namespace#code.")
    grade_type = _text("The kind of grade that carries learning standard grades.", "Grading Period")
    grading_period = _text("Which kind of grading period counts where several are open, such as First Nine Weeks.")
    entry_type = _text("The type of our gradebook entries, such as Assignment; empty for none.")
    assessment = fields.Nested(
        AssessmentSchema, load_default=lambda: AssessmentSchema().load({}), metadata=_described("Evidence of mastery.")
    )
    gpa = fields.Nested(
        GpaSchema, load_default=lambda: GpaSchema().load({}), metadata=_described("Where grade point averages go.")
    )
    create_objectives = fields.Nested(
        ObjectivesSchema, load_default=lambda: ObjectivesSchema().load({}),
        metadata=_described("Competency objectives for the framework's competencies that the host lacks."),
    )  # fmt: skip
    transcripts = fields.Nested(
        TranscriptSchema, load_default=lambda: TranscriptSchema().load({}), metadata=_described("Course transcripts.")
    )
    students = _text("A CSV file with student_id and studentUniqueId, if the ids of the records are others.")
    classes = _text("A CSV file with class_id and the section's key, if class_id is no sectionIdentifier.")
    objectives = _text(
        "A CSV file with competency_id, educationOrganizationId, objective, objectiveGradeLevelDescriptor."
    )
    standards = _text("A CSV file with competency_id and learningStandardId.")


def writes_anything(settings: Mapping[str, Any]) -> bool:
    """Whether the connection is a target at all: for the records of a sync, for GPAs, or for course attempts."""
    target = settings["target"]
    types = target["gpa"]["types"] or target["gpa"]["term_types"]
    return bool(settings["write"] or types or target["transcripts"]["write"])


def refuse_unwritable(settings: Mapping[str, Any]) -> None:
    """Raises :class:`ValidationError` for what cannot be written so."""
    if {"gradebook", "assessments"} & set(settings["write"]) and not settings["target"]["namespace"]:
        raise ValidationError(
            "Gradebook entries and assessments need a namespace of your own, such as uri://district.example.",
            "target.namespace",
        )
    gpa = settings["target"]["gpa"]
    named = [*gpa["types"].values(), *gpa["term_types"].values()]
    if len(set(named)) != len(named):
        raise ValidationError(
            "Two policies, or the cumulative and the term GPA of one, name the same type: in Ed-Fi the type alone is "
            "the key, so that they cannot stand in one record. Give each a type of its own.",
            "target.gpa.types",
        )


def writes_field() -> fields.Field[Any]:
    """The setting ``write``."""
    words = ", ".join(WRITES)
    return fields.List(
        fields.String(validate=validate.OneOf(tuple(WRITES), error=f"There is no such kind; use {words}.")),
        load_default=list,
        metadata=_described(f"What the records of a sync become: any of {words}."),
    )


def target_field() -> fields.Field[Any]:
    """The setting ``target``."""
    return fields.Nested(
        TargetSchema, load_default=lambda: TargetSchema().load({}), metadata=_described("How records are written.")
    )
