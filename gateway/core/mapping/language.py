"""The words of the mapping language and where they can stand. What they mean is documented in ``docs/mapping.md``.

Only structure is checked here; the modules that compile each part check the meaning.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from gateway.core.mapping.values import Count, Day, Flag, Number, Text, Texts, Word

EVIDENCE_COLUMNS = (
    "student_id", "score", "score_text", "scored_at", "standard", "competency", "class_id", "course_code", "category",
    "line_item_id", "result_id", "status", "late", "missing", "incomplete", "in_progress", "term", "scorer_id",
    "max_score", "min_score", "score_scale", "line_item_title", "line_item_description", "class_title", "course_title",
    "score_scale_value", "subject", "school_id", "grade", "assigned_at", "due_at", "override_by", "override_reason",
)  # fmt: skip
"""The columns of evidence that every mapping may name; others are declared with ``columns``."""


class State(StrEnum):
    """Why something is no evidence, or what a level stands on. None of these is ever a zero."""

    CALCULATED = "calculated"
    MODIFIED = "modified"
    OVERRIDDEN = "overridden"
    INSUFFICIENT = "insufficient"
    INCOMPLETE = "incomplete"
    PENDING = "pending"
    MISSING = "missing"
    EXCUSED = "excused"
    NOT_ASSESSED = "not_assessed"
    LATE = "late"


MARK_STATES = (
    State.MISSING, State.EXCUSED, State.NOT_ASSESSED, State.INCOMPLETE, State.PENDING, State.LATE, State.OVERRIDDEN,
)  # fmt: skip
"""The states that a mark or a flag of the gradebook can mean."""

METHODS = (
    "most_recent", "highest", "mean", "weighted_mean", "median", "mode", "mean_of_most_recent",
    "median_of_most_recent", "mean_of_highest", "times_at_mastery", "decaying_average", "weighted_average",
    "power_law", "linear_trend", "best_fit", "higher_of_mean_and_power_law", "sum",
)  # fmt: skip


class RoundSchema(Schema):
    """``places`` or ``step``; the mode says what happens to halves."""

    places = Count(least=0)
    step = Number(at_least="0.000001")
    mode = Word("half_up", "half_even", "down")

    @validates_schema
    def _one(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("places" in data) == ("step" in data):
            raise ValidationError("Say either `places` or `step`.")
        if data.get("places", 0) > 6:
            raise ValidationError("At most 6 places are kept.")


class NumericSchema(Schema):
    """The score is the level."""

    lowest = Number(data_key="from", required=True)
    highest = Number(data_key="to", required=True)
    step = Number(at_least="0.000001")


class BandSchema(Schema):
    """Scores from ``at_least`` (or ``from`` … ``to``, both included) have ``level``."""

    at_least = Number()
    lowest = Number(data_key="from")
    highest = Number(data_key="to")
    level = Number(required=True)

    @validates_schema
    def _one(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("at_least" in data) == ("lowest" in data) or ("lowest" in data) != ("highest" in data):
            raise ValidationError("Say either `at_least`, or `from` and `to`.")


class ScaleSchema(Schema):
    """How a score of the gradebook becomes a level."""

    proficient = Number()
    onto = Text()
    numeric = fields.Nested(NumericSchema)
    marks = fields.Dict(keys=Text(), values=Number())
    bands = fields.List(fields.Nested(BandSchema))
    rubric = Text()
    score_scale = Flag()
    percent_of_maximum = Flag()
    maximum = Number(at_least="0.000001")
    rescale = Flag()
    round_score = fields.Nested(RoundSchema)
    states = fields.Dict(keys=Text(), values=Word(*MARK_STATES))
    names = fields.Dict(keys=Text(), values=Text())
    modified = Flag()


class EvidenceSchema(Schema):
    """One rule on which results count: the first that fits decides."""

    name = Text()
    when = fields.Dict(keys=Text(), values=fields.Raw(allow_none=True))
    scale = Text()
    weight = Number(at_least="0")
    cap = Number(at_least="0", at_most="1")
    priority = Count(least=1)
    set_aside = Text()
    override = Flag()
    pool = Word("line_item_id", "result_id")


class AssociationsSchema(Schema):
    """Follow the associations of ``from`` (another framework) to the mapping's own."""

    framework = Text(data_key="from", required=True)
    types = fields.List(Word("exactMatchOf", "isPartOf", "isChildOf", "isRelatedTo", "isPeerOf", "replacedBy",
                             "isTranslationOf", "precedes", "exemplar", "hasSkillLevel"), required=True)  # fmt: skip
    depth = Count(least=1, load_default=1)
    direction = Word("forward", "backward", "both", load_default="both")


class AlignSchema(Schema):
    """One way from a result to competencies; the first that finds any decides."""

    when = fields.Dict(keys=Text(), values=fields.Raw(allow_none=True))
    learning_objectives = Word("case")
    codes = fields.Raw()
    crosswalk = Text()
    take = fields.Raw(data_key="from")
    associations = fields.Nested(AssociationsSchema)
    competency = Text()
    competencies = fields.Dict(keys=Text(), values=Number(at_least="0.000001"))
    weight = Number(at_least="0.000001")


class SummarySchema(Schema):
    """How the evidence of one competency becomes its level."""

    method = Word(*METHODS, required=True)
    newest = Number(at_least="0.01", at_most="1")
    count = Count(least=1)
    mastery = Number()
    tie = Word("most_recent", "highest", "lowest", "mean")
    zeros = Word("drop", "not_calculable", "floor")
    floor = Number(at_least="0.000001")
    cap_alone = Word("count", "insufficient")
    round = fields.Nested(RoundSchema)
    at_least = Count(least=1)
    scale = Text()


class RollUpSchema(SummarySchema):
    """How the levels below an item become its own level."""

    to = fields.Raw(required=True)
    of = fields.Raw()
    weights = fields.Dict(keys=Text(), values=Number(at_least="0"))
    shares = fields.Dict(keys=Text(), values=Number(at_least="0", at_most="1"))
    required = Texts()
    minimum = Number()


class ExampleSchema(Schema):
    """A small test: this evidence gives these levels."""

    name = Text()
    as_of = Day()
    evidence = fields.List(fields.Dict(keys=Text(), values=fields.Raw(allow_none=True)), required=True)
    expect = fields.Dict(keys=Text(), values=fields.Raw(allow_none=True))
    continuum = fields.Dict(keys=Text(), values=fields.Dict(keys=Text(), values=fields.Raw(allow_none=True)))
    credits = fields.Dict(keys=Text(), values=fields.Dict(keys=Text(), values=fields.Raw(allow_none=True)))
    unmatched = fields.List(Text())


class EffectiveSchema(Schema):
    """From when to when the mapping holds, both days included."""

    first = Day(data_key="from", required=True)
    last = Day(data_key="to", allow_none=True)

    @validates_schema
    def _in_order(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data.get("last") and data["last"] < data["first"]:
            raise ValidationError("The time ends before it begins: exchange `from` and `to`.")


class PaceSchema(Schema):
    """How growth becomes pace: per school year of ``days`` days, from ``at_least_days`` days on."""

    days = Count(least=1, load_default=365)
    at_least_days = Count(least=1, load_default=30)


class ContinuumSchema(Schema):
    """Where each student works in each domain."""

    domains = fields.Raw(load_default="top_level")
    levels = fields.Raw(load_default="education_level")
    order = fields.List(Text())
    competencies = fields.Raw(load_default="leaves")
    apart = Texts()
    complete_at = fields.Raw(load_default="proficient")
    complete_share = Number(at_least="0.000001", at_most="1", load_default=Decimal(1))
    work_at = Word("highest_evidence", "lowest_incomplete", load_default="highest_evidence")
    next = Count(least=1, load_default=3)
    baseline = fields.Raw(load_default="first_evidence")
    pace = fields.Nested(PaceSchema, load_default=dict)


class PortfolioSchema(Schema):
    """Portfolio levels per competency from demonstrations of its skills (Building 21)."""

    units = fields.Raw(required=True)
    target = Text(required=True)
    required = fields.Raw(required=True)
    baselines = Text()
    highest_level = Text()
    average_offset = Number(load_default=Decimal("-0.5"))
    minimum_rating = Number()
    growth = Word("level_minus_baseline", "most_recent_minus_first", load_default="level_minus_baseline")


class GridSchema(Schema):
    """Cells: the parts of a credit by the values of a column of evidence."""

    column = Text(required=True)
    values = fields.List(Text(), required=True)


class CreditSchema(Schema):
    """One kind of credit."""

    parts = fields.Raw(load_default="top_level")
    competencies = fields.Raw(load_default="leaves")
    rule = Word("each", "all", load_default="each")
    worth = Number(at_least="0.01", load_default=Decimal(1))
    minimum = fields.Raw(load_default="proficient")
    required = fields.Raw()
    grid = fields.Nested(GridSchema)


class MappingSchema(Schema):
    """A whole mapping file."""

    mapping = Text(required=True)
    version = Text(required=True)
    description = Text()
    effective = fields.Nested(EffectiveSchema)
    framework = Text()
    framework_digest = Text()
    other_frameworks = fields.Dict(keys=Text(), values=Text())
    columns = fields.List(Text())
    scale = Text()
    scales = fields.Dict(keys=Text(), values=fields.Nested(ScaleSchema), required=True)
    states = fields.Dict(keys=Text(), values=fields.Raw())
    evidence = fields.List(fields.Nested(EvidenceSchema))
    align = fields.List(fields.Nested(AlignSchema), required=True)
    summarize = fields.Dict(keys=Text(), values=fields.Nested(SummarySchema), required=True)
    roll_up = fields.List(fields.Nested(RollUpSchema))
    continuum = fields.Nested(ContinuumSchema)
    portfolio = fields.Nested(PortfolioSchema)
    credits = fields.Dict(keys=Text(), values=fields.Nested(CreditSchema))
    report_windows = fields.List(fields.Nested(EffectiveSchema))
    modified_scales = Text()
    overrides = Text()
    examples = fields.List(fields.Nested(ExampleSchema))
