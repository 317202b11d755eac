"""Learning standards and competency objectives as frameworks, in the form of CASE."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from connectors.edfi.elements import ROW, Flat
from connectors.edfi.filling import CHANGED, Listed, Rows, build, with_items, with_lists
from connectors.edfi.keys import code, key
from connectors.edfi.lookups import Lookups
from connectors.edfi.words import Dictionary
from gateway.sdk import LINE, ConfigurationError, did_you_mean, empty

_TITLE = pl.coalesce("contentStandard.title", "namespace")
_FRAMEWORK = key("framework", "namespace", _TITLE)
_OWNER = "educationOrganizationReference.educationOrganizationId"
_OBJECTIVES = key("objectives", _OWNER)
_OBJECTIVE = key("objective", _OWNER, code("objectiveGradeLevelDescriptor"), "objective")
_CHILD_OF = pl.lit("isChildOf")

STANDARD_FRAMEWORKS = Rows("learningStandards", "frameworks", {
    "id": _FRAMEWORK, "title": _TITLE, "creator": "namespace", "version": "contentStandard.version",
    "adoption_status": code("contentStandard.publicationStatusDescriptor"),
})  # fmt: skip
STANDARDS = Rows("learningStandards", "competencies", {
    "id": "learningStandardId", "date_last_modified": CHANGED, "framework_id": _FRAMEWORK,
    "code": pl.coalesce("learningStandardItemCode", "learningStandardId"), "statement": "description",
    "item_type": code("learningStandardCategoryDescriptor"), "uri": "uri",
    "education_levels": Listed("gradeLevels[].gradeLevelDescriptor", "gradeLevel"),
    "subjects": Listed("academicSubjects[].academicSubjectDescriptor", "academicSubject"),
})  # fmt: skip
PARENTS = Rows("learningStandards", "associations", {
    "id": key("child", "learningStandardId"), "framework_id": _FRAMEWORK, "type": _CHILD_OF,
    "origin_id": "learningStandardId",
    "destination_id": pl.coalesce(pl.col("parentLearningStandardReference.learningStandardId"), _FRAMEWORK),
})  # fmt: skip
_SOURCE_ID = "sourceLearningStandardReference.learningStandardId"
_TARGET_ID = "targetLearningStandardReference.learningStandardId"
EQUIVALENCES = Rows("learningStandardEquivalenceAssociations", "associations", {
    "id": key("equivalence", "namespace", _SOURCE_ID, _TARGET_ID), "framework_id": "framework_id",
    "type": "type", "origin_id": _SOURCE_ID, "destination_id": _TARGET_ID,
})  # fmt: skip
OBJECTIVE_FRAMEWORKS = Rows("competencyObjectives", "frameworks", {
    "id": _OBJECTIVES, "title": pl.format("Competency objectives {}", _OWNER), "creator": _OWNER,
})  # fmt: skip
OBJECTIVES = Rows("competencyObjectives", "competencies", {
    "id": _OBJECTIVE, "date_last_modified": CHANGED, "framework_id": _OBJECTIVES,
    "code": pl.coalesce("competencyObjectiveId", "objective"), "statement": pl.coalesce("description", "objective"),
    "abbreviated_statement": "objective", "education_levels": Listed("objectiveGradeLevelDescriptor"),
})  # fmt: skip
OBJECTIVE_PARENTS = Rows("competencyObjectives", "associations", {
    "id": key("child", _OBJECTIVE), "framework_id": _OBJECTIVES, "type": _CHILD_OF, "origin_id": _OBJECTIVE,
    "destination_id": _OBJECTIVES,
})  # fmt: skip

_LEARNING_FRAMEWORK = key("objectives", "namespace", _TITLE)
_LEARNING = key("objective", "namespace", "learningObjectiveId")
_PARENT = "parentLearningObjectiveReference"
LEARNING_FRAMEWORKS = Rows("learningObjectives", "frameworks", {
    "id": _LEARNING_FRAMEWORK, "title": pl.format("Learning objectives {}", _TITLE), "creator": "namespace",
    "version": "contentStandard.version",
    "adoption_status": code("contentStandard.publicationStatusDescriptor"),
})  # fmt: skip
LEARNING_OBJECTIVES = Rows("learningObjectives", "competencies", {
    "id": _LEARNING, "date_last_modified": CHANGED, "framework_id": _LEARNING_FRAMEWORK,
    "code": "learningObjectiveId", "statement": pl.coalesce("description", "objective"),
    "abbreviated_statement": "objective",
    "education_levels": Listed("gradeLevels[].gradeLevelDescriptor", "gradeLevel"),
    "subjects": Listed("academicSubjects[].academicSubjectDescriptor", "academicSubject"),
})  # fmt: skip
LEARNING_PARENTS = Rows("learningObjectives", "associations", {
    "id": key("child", _LEARNING), "framework_id": _LEARNING_FRAMEWORK, "type": _CHILD_OF, "origin_id": _LEARNING,
    "destination_id": pl.coalesce(
        key("objective", f"{_PARENT}.namespace", f"{_PARENT}.learningObjectiveId"), _LEARNING_FRAMEWORK
    ),
})  # fmt: skip
_LEARNED_STANDARD = "learningStandards[].learningStandardReference.learningStandardId"
LEARNING_STANDARDS = Rows("learningObjectives", "associations", {
    "id": key("related", _LEARNING, _LEARNED_STANDARD), "framework_id": _LEARNING_FRAMEWORK,
    "type": pl.lit("isRelatedTo"), "origin_id": _LEARNING, "destination_id": _LEARNED_STANDARD,
})  # fmt: skip

FRAMEWORK_ROWS = (
    STANDARD_FRAMEWORKS, STANDARDS, PARENTS, EQUIVALENCES, OBJECTIVE_FRAMEWORKS, OBJECTIVES, OBJECTIVE_PARENTS,
    LEARNING_FRAMEWORKS, LEARNING_OBJECTIVES, LEARNING_PARENTS, LEARNING_STANDARDS,
)  # fmt: skip


def frames(lookups: Lookups, words: Dictionary, wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
    """The wanted frameworks of the host, or all, as one page; they are small.

    Raises :class:`ConfigurationError` (``edfi.unknown-framework``).
    """
    made: dict[str, list[pl.DataFrame]] = {"frameworks": [], "competencies": [], "associations": []}
    standards = lookups.told("learningStandards")
    _add(made, standards, (STANDARD_FRAMEWORKS, STANDARDS, PARENTS), words, "learningStandards")
    _add_equivalences(made, lookups, standards.rows, words)
    objectives = lookups.told("competencyObjectives")
    levels = words.word(objectives.rows, "gradeLevel", "objectiveGradeLevelDescriptor")
    named = objectives.rows.with_columns(pl.concat_list(levels).alias("_levels"))
    _add_objectives(made, named, words)
    _add_learning_objectives(made, lookups.told("learningObjectives"), words)
    whole = {
        table: pl.concat(found).unique("id", keep="first", maintain_order=True) if found else empty(table, raw=True)
        for table, found in made.items()
    }
    return _chosen(whole, wanted) if wanted else whole


def _chosen(whole: dict[str, pl.DataFrame], wanted: Sequence[str]) -> dict[str, pl.DataFrame]:
    """The frameworks that are named by title or id, with what belongs to them."""
    listed = whole["frameworks"]
    known = {*listed["title"], *listed["id"]}
    for word in wanted:
        if word not in known:
            titles = ", ".join(listed["title"].unique().sort().head(20)) or "none"
            raise ConfigurationError(
                f'The host has no framework "{word}".{did_you_mean(word, known)}',
                hint=f"Correct frameworks in the settings. There are: {titles}.",
                code="edfi.unknown-framework",
            )
    named = pl.Series(wanted, dtype=pl.String).implode()
    chosen = listed.filter(pl.col("title").is_in(named) | pl.col("id").is_in(named))
    own = pl.col("framework_id").is_in(chosen["id"].implode())
    return {table: chosen if table == "frameworks" else frame.filter(own) for table, frame in whole.items()}


def _add(
    made: dict[str, list[pl.DataFrame]], flat: Flat, declared: tuple[Rows, ...], words: Dictionary, source: str
) -> None:
    for rows in declared if flat.rows.height else ():
        made[rows.table].append(build(rows, with_lists(rows, flat, words), words, source))


def _add_objectives(made: dict[str, list[pl.DataFrame]], rows: pl.DataFrame, words: Dictionary) -> None:
    for declared in (OBJECTIVE_FRAMEWORKS, OBJECTIVES, OBJECTIVE_PARENTS) if rows.height else ():
        columns = {n: pl.col("_levels") if isinstance(f, Listed) else f for n, f in declared.columns.items()}
        source = "competencyObjectives"
        made[declared.table].append(build(Rows(source, declared.table, columns), rows, words, source))


def _add_learning_objectives(made: dict[str, list[pl.DataFrame]], flat: Flat, words: Dictionary) -> None:
    """The learning objectives of Data Standard 4.0 and before, each with the standards that it names."""
    source = "learningObjectives"
    _add(made, flat, (LEARNING_FRAMEWORKS, LEARNING_OBJECTIVES, LEARNING_PARENTS), words, source)
    named = with_items(flat.rows.with_row_index(ROW), flat.parts["learningStandards[]"], "learningStandards[]")
    if named.height:
        made["associations"].append(build(LEARNING_STANDARDS, named, words, source))


def _add_equivalences(
    made: dict[str, list[pl.DataFrame]], lookups: Lookups, standards: pl.DataFrame, words: Dictionary
) -> None:
    name = "learningStandardEquivalenceAssociations"
    found = lookups.told(name).rows
    if found.is_empty():
        return
    word = words.word(found, "learningStandardEquivalenceStrength", "learningStandardEquivalenceStrengthDescriptor")
    homes = standards.select(pl.col("learningStandardId").alias(_SOURCE_ID), _FRAMEWORK.alias("framework_id"))
    typed = found.with_columns(word.fill_null("isRelatedTo").alias("type"))
    rows = typed.join(homes, on=_SOURCE_ID, how="left", maintain_order="left").with_columns(LINE)
    made["associations"].append(build(EQUIVALENCES, rows, words, name))
