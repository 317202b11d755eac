"""From a learner continuum to gradebook records: what a OneRoster 1.2 target shall hold.

One category; per class and domain one line item; per student, class and domain one result, whose learning objectives
carry the student's level in each competency of the domain (source ``case``, the CASE identifier). The student's class
is one in which evidence of the domain was scored and in which the student is enrolled. Ids are UUIDs derived from the
district, the sync and what the record is about: the same record has the same id every night, and no id tells a person.

Source: OneRoster 1.2 gradebook, ``learningObjectiveSet``; dates come from the class's terms, so that nothing changes
from night to night by itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from gateway.core.model import SCORE, TABLES, TIME

NAMESPACE = uuid.UUID("5b0a6c1e-3d62-5f5c-9a58-3f1f5a2d7c10")
"""The namespace of all ids that the gateway makes; it never changes."""

ENTITIES = ("categories", "score_scales", "line_items", "results")
"""The records that are made, parents first."""


@dataclass(frozen=True, slots=True)
class ScaleValue:
    """One step of the mapping's scale: a level and what people call it."""

    level: str
    label: str


@dataclass(frozen=True, slots=True)
class Naming:
    """Whose records these are and what they are called."""

    district: str
    sync: str
    category: str
    mapping: str
    scale: Sequence[ScaleValue] = ()


@dataclass(frozen=True, slots=True)
class Continuum:
    """What the mapping found for some students.

    ``levels``: ``student_id``, ``domain``, ``competency_id`` (CASE identifier), ``level`` (decimal), ``label``.
    ``domains``: ``student_id``, ``domain``, ``score`` (decimal or null), ``label``, ``last_scored_at``.
    ``taught``: ``student_id``, ``class_id``, ``domain``: where evidence of a domain was scored.
    """

    levels: pl.DataFrame
    domains: pl.DataFrame
    taught: pl.DataFrame


class Gradebook:
    """Collects the records of a sync, some students at a time.

    ``tables``: the present rows of ``classes``, ``enrollments``, ``users`` and ``academic_sessions``; ``titles``: what
    each domain is called.
    """

    def __init__(self, tables: Mapping[str, pl.DataFrame], titles: Mapping[str, str], naming: Naming) -> None:
        self.tables = tables
        self.titles = titles
        self.naming = naming
        self._enrolled = _enrolled(tables)
        self._objectives: list[pl.DataFrame] = []

    def results(self, found: Continuum) -> pl.DataFrame:
        """The results of some students, who are in no other ``found``, with their learning objectives nested."""
        placed = (
            found.taught.select("student_id", "class_id", "domain")
            .unique()
            .join(self._enrolled, on=["student_id", "class_id"], how="semi")
            .join(found.domains.select("student_id", "domain"), on=["student_id", "domain"], how="semi")
        )
        objectives = placed.join(
            found.levels.select("student_id", "domain", "competency_id"), on=["student_id", "domain"], how="left"
        )
        self._objectives.append(objectives.select("class_id", "domain", "competency_id").unique())
        return _results(placed, found, self.naming)

    def frame(self) -> dict[str, pl.DataFrame]:
        """What all results made so far refer to: category, score scales and line items, by entity."""
        nothing = {"class_id": pl.String, "domain": pl.String, "competency_id": pl.String}
        objectives = pl.concat([pl.DataFrame(schema=nothing), *self._objectives]).unique()
        category = _id(self.naming, "category")
        line_items = _line_items(objectives, self.tables, self.titles, self.naming, category)
        return {
            "categories": _conform(pl.DataFrame({"id": [category], "title": [self.naming.category]}), "categories"),
            "score_scales": _score_scales(line_items, self.naming),
            "line_items": line_items,
        }


def _enrolled(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """``student_id`` and ``class_id`` of students who are there, in classes that are there."""
    return (
        tables["enrollments"]
        .filter(pl.col("role") == "student")
        .select(pl.col("user_id").alias("student_id"), "class_id")
        .unique()
        .join(tables["users"].select(pl.col("id").alias("student_id")), on="student_id", how="semi")
        .join(tables["classes"].select(pl.col("id").alias("class_id")), on="class_id", how="semi")
    )


def _line_items(
    objectives: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame],
    titles: Mapping[str, str],
    naming: Naming,
    category: str,
) -> pl.DataFrame:
    """One per class and domain. ``objectives``: ``class_id``, ``domain``, ``competency_id`` (null: none)."""
    pairs = objectives.select("class_id", "domain").unique().sort("class_id", "domain")
    classes = tables["classes"].select(pl.col("id").alias("class_id"), "school_id", "term_ids")
    rows = pairs.join(classes, on="class_id").join(_terms(tables), on="class_id", how="left").sort("class_id", "domain")
    title = pl.col("domain").replace(dict(titles))
    rows = rows.with_columns(
        _ids(rows, naming, "line-item", "class_id", "domain").alias("id"),
        pl.lit(category).alias("category_id"),
        pl.format("{} – {}", title, pl.lit(naming.category)).alias("title"),
        pl.lit(f"Levels by the mapping {naming.mapping}").alias("description"),
        *_range(naming),
    )
    named = (
        objectives.drop_nulls("competency_id")
        .join(rows.select("class_id", "domain", pl.col("id").alias("line_item_id")), on=["class_id", "domain"])
        .select("line_item_id", pl.lit("case").alias("source"), pl.col("competency_id").alias("learning_objective_id"))
    )
    rows = _nest(rows, named, "line_item_learning_objectives")
    if naming.scale:
        links = rows.select(
            pl.col("id").alias("line_item_id"), _ids(rows, naming, "scale", "class_id").alias("score_scale_id")
        )
        rows = _nest(rows, links, "line_item_score_scales")
    return _conform(rows, "line_items")


def _terms(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Per class: the first day of its terms, the last day (ends are exclusive), and the term that ends last."""
    sessions = tables["academic_sessions"].select(pl.col("id").alias("term"), "start_date", "end_date")
    return (
        tables["classes"]
        .select(pl.col("id").alias("class_id"), pl.col("term_ids").alias("term"))
        .explode("term")
        .join(sessions, on="term")
        .sort("end_date", "term")
        .group_by("class_id", maintain_order=True)
        .agg(
            _midnight(pl.col("start_date").min()).alias("assign_date"),
            _midnight(pl.col("end_date").max() - pl.duration(days=1)).alias("due_date"),
            pl.col("term").last().alias("academic_session_id"),
        )
    )


def _midnight(date: pl.Expr) -> pl.Expr:
    return date.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC").cast(TIME)


def _range(naming: Naming) -> list[pl.Expr]:
    levels = [value.level for value in naming.scale]
    low, high = (levels[0], levels[-1]) if levels else (None, None)
    return [
        pl.lit(low).cast(SCORE).alias("result_value_min"),
        pl.lit(high).cast(SCORE).alias("result_value_max"),
    ]


def _score_scales(line_items: pl.DataFrame, naming: Naming) -> pl.DataFrame:
    """The mapping's scale once per class, because the standard binds a scale to a class."""
    if not naming.scale or line_items.is_empty():
        return _conform(pl.DataFrame({"id": []}, schema={"id": pl.String}), "score_scales")
    classes = line_items.select("class_id", pl.col("school_id").alias("org_id")).unique("class_id").sort("class_id")
    rows = classes.with_columns(
        _ids(classes, naming, "scale", "class_id").alias("id"),
        pl.lit(f"{naming.mapping} levels").alias("title"),
        pl.lit("mastery").alias("type"),
    )
    values = pl.DataFrame(
        {
            "position": list(range(1, len(naming.scale) + 1)),
            "lhs": [value.level for value in naming.scale],
            "rhs": [value.label for value in naming.scale],
        }
    )
    nested = rows.select(pl.col("id").alias("score_scale_id")).join(values, how="cross")
    return _conform(_nest(rows, nested, "score_scale_values"), "score_scales")


def _results(placed: pl.DataFrame, found: Continuum, naming: Naming) -> pl.DataFrame:
    rows = placed.join(found.domains, on=["student_id", "domain"]).sort("class_id", "domain", "student_id")
    rows = rows.with_columns(
        _ids(rows, naming, "result", "class_id", "domain", "student_id").alias("id"),
        _ids(rows, naming, "line-item", "class_id", "domain").alias("line_item_id"),
        pl.lit("fully graded").alias("score_status"),
        pl.col("score").cast(SCORE),
        pl.col("label").alias("text_score"),
        pl.col("last_scored_at").cast(pl.Date).alias("score_date"),
    )
    objectives = rows.select("student_id", "domain", pl.col("id").alias("result_id")).join(
        found.levels.select(
            "student_id", "domain", pl.lit("case").alias("source"),
            pl.col("competency_id").alias("learning_objective_id"),
            pl.col("level").cast(SCORE).alias("score"), pl.col("label").alias("text_score"),
        ),
        on=["student_id", "domain"],
    )  # fmt: skip
    return _conform(_nest(rows, objectives, "result_learning_objectives"), "results")


def _nest(parents: pl.DataFrame, rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """``rows`` as a sorted list of structs in a column of ``parents`` named after their table."""
    declared = TABLES[table]
    column = declared.part_of[1] if declared.part_of else "id"
    skipped = {column, "status", "date_last_modified"}
    fields = [
        pl.col(c).cast(declared.schema[c]) if c in rows.columns else pl.lit(None, declared.schema[c]).alias(c)
        for c in declared.names
        if c not in skipped
    ]
    order = [key for key in declared.key if key != column]
    nested = (
        rows.sort(column, *order)
        .group_by(column, maintain_order=True)
        .agg(pl.struct(fields).alias(table))
        .rename({column: "id"})
    )
    return parents.join(nested, on="id", how="left", maintain_order="left")


def _conform(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """The table's columns in their order and types, active, then the nested parts, sorted by id."""
    declared = TABLES[table]
    parts = [
        name for name, part in TABLES.items() if part.part_of and part.part_of[0] == table and name in rows.columns
    ]
    rows = rows.with_columns(pl.lit("active").alias("status"))
    columns = [
        pl.col(name).cast(dtype) if name in rows.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in declared.schema.items()
    ]
    return rows.select(*columns, *parts).sort("id")


def _id(naming: Naming, *about: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "/".join((naming.district, naming.sync, *about))))


def _ids(rows: pl.DataFrame, naming: Naming, kind: str, *columns: str) -> pl.Series:
    """The id of each row's record, made once per distinct combination of ``columns``."""
    keys = rows.select(pl.concat_str([pl.col(c) for c in columns], separator="/").alias("key"))["key"]
    distinct = keys.unique()
    made = pl.Series([_id(naming, kind, key) for key in distinct], dtype=pl.String)
    return keys.replace_strict(distinct, made, return_dtype=pl.String)
