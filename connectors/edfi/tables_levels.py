"""What the levels that students are told fill: a result for each, and scales for the words in which they are told."""

from __future__ import annotations

import polars as pl

from connectors.edfi import keys
from connectors.edfi.filling import CHANGED, SOURCE_WORD, Rows, literal
from connectors.edfi.keys import code
from connectors.edfi.tables import ASSESSMENT_ITEM, ENTRY_RESULT, NUMBER

TEST = "assessmentReference"
PERIOD = "gradingPeriodReference"
SECTION = "studentSectionAssociations[].studentSectionAssociationReference"
"""The first of the sections that a level names."""
PERIOD_END = "gradingPeriods.endDate"
LEVEL_SCALE = keys.key("scale", literal("CompetencyLevel"))
_LEVEL = code("competencyLevelDescriptor")
_PERIOD_KEY = (
    f"{PERIOD}.schoolId", f"{PERIOD}.schoolYear", code(f"{PERIOD}.gradingPeriodDescriptor"),
    pl.coalesce(f"{PERIOD}.gradingPeriodName", f"{PERIOD}.periodSequence"),
)  # fmt: skip
_COMPETENCY = "objectiveCompetencyObjectiveReference"
_LEARNING = "learningObjectiveReference"
OBJECTIVE_KEYS = {
    "studentCompetencyObjectives": (
        _COMPETENCY, ("educationOrganizationId", "objectiveGradeLevelDescriptor", "objective"),
    ),
    "studentLearningObjectives": (_LEARNING, ("namespace", "learningObjectiveId")),
}  # fmt: skip
"""By resource, the reference to the objective of which a level is told, and its members."""
OBJECTIVES = {
    "studentCompetencyObjectives": (
        f"{_COMPETENCY}.educationOrganizationId", code(f"{_COMPETENCY}.objectiveGradeLevelDescriptor"),
        f"{_COMPETENCY}.objective",
    ),
    "studentLearningObjectives": (f"{_LEARNING}.namespace", f"{_LEARNING}.learningObjectiveId"),
}  # fmt: skip
_CODES = {
    "studentCompetencyObjectives": pl.coalesce(
        pl.col("competencyObjectives.competencyObjectiveId"),
        keys.key("objective", *OBJECTIVES["studentCompetencyObjectives"]),
    ),
    "studentLearningObjectives": keys.key("objective", *OBJECTIVES["studentLearningObjectives"]),
}
_TITLES = {
    "studentCompetencyObjectives": pl.col(f"{_COMPETENCY}.objective"),
    "studentLearningObjectives": pl.coalesce("learningObjectives.objective", f"{_LEARNING}.learningObjectiveId"),
}


CATEGORY = "Competency levels"


def _item(resource: str) -> pl.Expr:
    """A line item for each objective, grading period and class."""
    objective = keys.key("level", *_PERIOD_KEY, *OBJECTIVES[resource])
    return pl.coalesce(keys.below(objective, *keys.section_parts(SECTION)), objective)


def result_id(resource: str) -> pl.Expr:
    """The id of a level: it is made of the record's natural key."""
    return keys.key("level", *_PERIOD_KEY, *OBJECTIVES[resource], "studentReference.studentUniqueId")


def _items(resource: str) -> Rows:
    return Rows(resource, "line_items", {
        "id": _item(resource),
        "title": pl.format("{}, {}", _TITLES[resource], pl.coalesce(
            pl.col(f"{PERIOD}.gradingPeriodName"), code(f"{PERIOD}.gradingPeriodDescriptor"))),
        "due_date": PERIOD_END,
        "class_id": pl.coalesce(
            keys.section(SECTION), keys.key("assessments", f"{PERIOD}.schoolId", f"{PERIOD}.schoolYear")
        ),
        "category_id": keys.key("category", literal(CATEGORY)), "academic_session_id": keys.period(PERIOD),
        "school_id": keys.org(f"{PERIOD}.schoolId"),
    })  # fmt: skip


def _results(resource: str) -> Rows:
    # a level is of the time until the end of its period; one that is told earlier, of the day on which it was told
    told = pl.min_horizontal(pl.col(PERIOD_END).str.head(10), pl.col(CHANGED).str.head(10))
    return Rows(resource, "results", {
        "id": result_id(resource), "date_last_modified": CHANGED, "line_item_id": _item(resource),
        "student_id": keys.student("studentReference.studentUniqueId"),
        "score": pl.when(_LEVEL.str.contains(NUMBER)).then(_LEVEL), "text_score": _LEVEL, "score_date": told,
        "comment": "diagnosticStatement",
    })  # fmt: skip


def _objectives(resource: str) -> Rows:
    return Rows(resource, "result_learning_objectives", {
        "result_id": result_id(resource), "source": literal(SOURCE_WORD), "learning_objective_id": _CODES[resource],
    })  # fmt: skip


def _scales(resource: str) -> Rows:
    return Rows(resource, "line_item_score_scales", {"line_item_id": _item(resource), "score_scale_id": LEVEL_SCALE})


LEVEL_ITEMS = {resource: _items(resource) for resource in OBJECTIVES}
LEVEL_RESULTS = {resource: _results(resource) for resource in OBJECTIVES}
LEVEL_OBJECTIVES = {resource: _objectives(resource) for resource in OBJECTIVES}
LEVEL_ITEM_SCALES = {resource: _scales(resource) for resource in OBJECTIVES}

SCALES = Rows("competencyLevelDescriptors", "score_scales", {"id": LEVEL_SCALE, "title": literal("CompetencyLevel")})
SCALE_VALUES = Rows("competencyLevelDescriptors", "score_scale_values", {
    "score_scale_id": LEVEL_SCALE, "position": "_position", "lhs": "_worth", "rhs": "codeValue",
})  # fmt: skip
_METHOD = code("performanceLevels[].assessmentReportingMethodDescriptor")
TEST_SCALE = keys.key("scale", "namespace", "assessmentIdentifier", _METHOD)
TEST_SCALES = Rows("assessments", "score_scales", {
    "id": TEST_SCALE, "title": pl.format("{}, {}", "assessmentTitle", _METHOD),
})  # fmt: skip
TEST_SCALE_VALUES = Rows("assessments", "score_scale_values", {
    "score_scale_id": TEST_SCALE, "position": "_position",
    "lhs": pl.coalesce(
        pl.format("{}-{}", "performanceLevels[].minimumScore", "performanceLevels[].maximumScore"),
        pl.col("performanceLevels[].minimumScore"),
        pl.format("to {}", "performanceLevels[].maximumScore"),
        code("performanceLevels[].performanceLevelDescriptor"),
    ),
    "rhs": code("performanceLevels[].performanceLevelDescriptor"),
})  # fmt: skip

TEST_ITEM_SCALES = Rows("studentAssessments", "line_item_score_scales", {
    "line_item_id": ASSESSMENT_ITEM,
    "score_scale_id": keys.key("scale", f"{TEST}.namespace", f"{TEST}.assessmentIdentifier",
                               code("scores.assessmentReportingMethodDescriptor")),
})  # fmt: skip
ENTRY_SCALES = Rows("studentGradebookEntries", "result_score_scales", {
    "result_id": ENTRY_RESULT, "score_scale_id": LEVEL_SCALE,
})  # fmt: skip

LEVELS: tuple[Rows, ...] = (
    *LEVEL_ITEMS.values(), *LEVEL_RESULTS.values(), *LEVEL_OBJECTIVES.values(), SCALES, TEST_SCALES, SCALE_VALUES,
    TEST_SCALE_VALUES, *LEVEL_ITEM_SCALES.values(), TEST_ITEM_SCALES, ENTRY_SCALES,
)  # fmt: skip
