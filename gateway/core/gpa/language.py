"""The words of the policy language and where they can stand; what they mean is documented in ``docs/gpa.md``.

Only structure is checked here; :mod:`gateway.core.gpa.compile` checks the meaning.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from gateway.core.gpa.policy import Aggregate, Do, Kind, Weigh
from gateway.core.gpa.students import FACTS
from gateway.core.mapping.language import RoundSchema
from gateway.core.mapping.values import Count, Day, Flag, Number, Text, Texts, Word

COURSE_COLUMNS = (
    "student_id", "course_code", "title", "subject", "level", "credit", "grade", "school_year", "term", "grade_level",
    "score", "core", "ag", "repeat_of", "status", "school_id", "completed_on",
)  # fmt: skip
"""The columns of a course file, in order."""

FILTER_COLUMNS = ("subject", "level", "grade_level", "term", "core", "ag", "school_id", "course_code", "school_year")


class EffectiveSchema(Schema):
    first = Day(data_key="from", required=True)
    last = Day(data_key="until", allow_none=True)


class SourceSchema(Schema):
    name = Text(required=True)
    year = Text(required=True)
    url = Text()


class MarkField(fields.Field[dict[str, Any]]):
    """A word, or ``{count_as: "F"}``, or ``{leave_out_days: 10, days: school, then: "F"}``."""

    words = (Do.COUNT, Do.LEAVE_OUT, Do.CREDIT_ONLY, Do.WAIT)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return dict(MarkSchema().load(value))
        return {"do": Do(Word(*self.words)._deserialize(value, attr, data))}


class MarkSchema(Schema):
    count_as = Text()
    leave_out_days = Count(least=1)
    days = Word("school", "calendar")
    then = Text()

    @validates_schema
    def _one(self, data: dict[str, Any], **kwargs: Any) -> None:
        deadline = {"leave_out_days", "days", "then"}
        if not (data.keys() == {"count_as"} or data.keys() == deadline):
            raise ValidationError("Say either `count_as`, or `leave_out_days`, `days` and `then` together.")


class NumberBandSchema(Schema):
    at_least = Number()
    low = Number(data_key="from")
    high = Number(data_key="to")
    grade = Text()
    points = Number()
    points_from = Number()
    points_to = Number()
    then = Word("wait")

    @validates_schema
    def _one(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("at_least" in data) == ("low" in data) or ("low" in data) != ("high" in data):
            raise ValidationError("Say either `at_least`, or `from` and `to`.")
        gives = [k for k in ("grade", "points", "points_from", "then") if k in data]
        if len(gives) != 1 or ("points_from" in data) != ("points_to" in data):
            raise ValidationError("Say one of `grade`, `points`, `points_from` with `points_to`, or `then: wait`.")
        if "points_from" in data and "low" not in data:
            raise ValidationError("`points_from` and `points_to` need `from` and `to`.")


class LinearSchema(Schema):
    times = Number(required=True)
    plus = Number(load_default=0)


class SchoolYearsSchema(Schema):
    first = Count(data_key="from")
    last = Count(data_key="until")


class GradesSchema(Schema):
    school_years = fields.Nested(SchoolYearsSchema)
    points = fields.Dict(keys=Text(), values=Number())
    plus_minus = Word("keep", "ignore", load_default="keep")
    failing = Texts()
    lowest = Number()
    highest = Number()
    round = fields.Nested(RoundSchema)
    bands = fields.List(fields.Nested(NumberBandSchema))
    linear = fields.Nested(LinearSchema)
    prefer = Word("grade", "score", load_default="grade")
    empty = Word("wait", "leave_out", load_default="wait")


class CoursesSchema(Schema):
    only_where = fields.Dict(keys=Word(*FILTER_COLUMNS), values=fields.Raw(), data_key="only")
    leave_out = fields.Dict(keys=Word(*FILTER_COLUMNS), values=fields.Raw())


class CapSchema(Schema):
    total = Number(at_least="0")
    grade_levels = fields.Dict(keys=Text(), values=Number(at_least="0"))


class WeightSchema(Schema):
    how = Word(*Weigh, required=True)
    levels = fields.Dict(keys=Text(), values=Number(), required=True)
    other_levels = Number()
    empty_level = Text()
    only_grades = Texts()
    only_titles = Texts()
    at_most = Number()
    points_at_most = Number()
    cap = fields.Nested(CapSchema)
    filed = Flag(load_default=True)


class CreditSchema(Schema):
    basis = Word("attempted", "earned", "each_course", load_default="attempted")
    times = Number(at_least="0.000001")
    at_most = Number(at_least="0.01")
    absurd_above = Number(at_least="0.01")
    by_term = fields.Dict(keys=Text(), values=Number(at_least="0.01"))


class RepeatsSchema(Schema):
    same = fields.List(Word("course_code", "term", "title", "credit"), required=True)
    keep = Word("highest", "latest", "average", required=True)
    only_after = Texts()
    dropped_as = Text()


class RequirementSchema(Schema):
    subjects = Texts(required=True)
    units = Number(at_least="0.01", required=True)
    extra = Flag(load_default=False)


class OfTheseSchema(Schema):
    subjects = Texts(required=True)
    units = Number(at_least="0.01", required=True)


class ProgressionSchema(Schema):
    units = Number(at_least="0.01", required=True)
    of_these = fields.Nested(OfTheseSchema, required=True)
    before = Word("seventh_semester", required=True)
    binds = Word("repeats", "selection", load_default="repeats")
    last_grade_level = Count(least=1, required=True)


class UnitsSchema(Schema):
    at_least = Number(at_least="0.01", required=True)
    below = Number(at_least="0.01", required=True)


class AfterGraduationSchema(Schema):
    units = Number(at_least="0", required=True)
    years = Count(least=1, load_default=1)


class SelectSchema(Schema):
    units = fields.Nested(UnitsSchema, required=True)
    requirements = fields.List(fields.Nested(RequirementSchema), required=True)
    locked_in = fields.Nested(ProgressionSchema)
    after_graduation = fields.Nested(AfterGraduationSchema)


class SemestersSchema(Schema):
    credit = Number(at_least="0.01", required=True)
    grade_levels = fields.List(Count(least=1), required=True)
    summer_terms = Texts(required=True)
    summer_before = Flag(load_default=False)
    one_grade_levels = Texts()


class ConditionSchema(Schema):
    gpa_at_least = Number()
    residency = Text()
    top_half = Flag()
    any_test = fields.Dict(keys=Word("act", "sat"), values=Number())
    selection = Word("met", "not_met")
    locked_in = Word("met", "not_met")
    at_least = Count(least=1)
    of = fields.List(fields.Nested(lambda: ConditionSchema()))

    @validates_schema
    def _pair(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("at_least" in data) != ("of" in data):
            raise ValidationError("`at_least` and `of` belong together.")


class StandingSchema(ConditionSchema):
    name = Text(required=True)


class RankSchema(Schema):
    group = fields.List(Word("school_id", "grade_level"), load_default=lambda: ["school_id", "grade_level"])
    minimum_group = Count(least=1, required=True)
    ties = Word("shared", "dense", load_default="shared")
    percentile = Word("below", "at_or_below", "half_of_ties", load_default="below")


class RuleSchema(Schema):
    grade = Text()
    then = Word("wait")
    mean_at_least = Number()
    mean_above = Number()
    mean_at_most = Number()
    mean_below = Number()
    lowest_at_least = Number()
    lowest_below = Number()
    highest_at_least = Number()
    highest_below = Number()
    half_at_least = Number()
    most_at_least = Number()

    @validates_schema
    def _one(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("grade" in data) == ("then" in data):
            raise ValidationError("Say either `grade`, or `then: wait`.")


class FromLevelsSchema(Schema):
    levels = fields.List(Number(), required=True)
    in_between = Word("wait", "keep", load_default="wait")
    leave_out = Texts(load_default=list)
    round = fields.Nested(RoundSchema, required=True)
    at_least = Count(least=1, load_default=1)
    weights = fields.Dict(keys=Text(), values=Number(at_least="0"))
    rules = fields.List(fields.Nested(RuleSchema), load_default=list)


class StageRoundSchema(Schema):
    points = fields.Nested(RoundSchema)
    gpa = fields.Nested(RoundSchema, required=True)


class ExampleSchema(Schema):
    name = Text()
    as_of = Day()
    courses = fields.List(fields.Dict(keys=Text(), values=fields.Raw(allow_none=True)))
    levels = fields.List(Number())
    student = fields.Dict(keys=Word(*FACTS), values=fields.Raw(allow_none=True))
    expect = fields.Dict(keys=Word("gpa", "state", "standing", "credits", "quality_points", "courses_used", "pending",
                                   "grade"), values=fields.Raw(allow_none=True), required=True)  # fmt: skip

    @validates_schema
    def _one(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("courses" in data) == ("levels" in data):
            raise ValidationError("Say either `courses` or `levels`.")


class PolicySchema(Schema):
    policy = Text(required=True)
    version = Text(required=True)
    title = Text(required=True)
    kind = Word(*Kind, required=True)
    effective = fields.Nested(EffectiveSchema, required=True)
    source = fields.Nested(SourceSchema, required=True)
    approved_by = Text()
    label = Text()
    aggregate = Word(*Aggregate, load_default=Aggregate.ALWAYS)
    chosen_by_us = fields.List(Text(), load_default=list)
    open_questions = fields.List(Text(), load_default=list)
    from_levels = fields.Nested(FromLevelsSchema)
    grades = fields.Nested(GradesSchema, required=True)
    former_grades = fields.List(fields.Nested(GradesSchema), load_default=list)
    marks = fields.Dict(keys=Text(), values=MarkField(), load_default=dict)
    status = fields.Dict(keys=Text(), values=MarkField(), load_default=dict)
    words = fields.Dict(keys=Word("subject", "level", "status"), values=fields.Dict(keys=Text(), values=Texts()),
                        load_default=dict)  # fmt: skip
    courses = fields.Nested(CoursesSchema)
    weight = fields.Nested(WeightSchema)
    credit = fields.Nested(CreditSchema, load_default=dict)
    repeats = fields.Nested(RepeatsSchema)
    select = fields.Nested(SelectSchema)
    semesters = fields.Nested(SemestersSchema)
    standing = fields.List(fields.Nested(StandingSchema), load_default=list)
    compare = Word("rounded", "unrounded", load_default="unrounded")
    rank = fields.Nested(RankSchema)
    round = fields.Nested(StageRoundSchema, required=True)
    examples = fields.List(fields.Nested(ExampleSchema), load_default=list)
