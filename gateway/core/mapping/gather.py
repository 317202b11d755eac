"""Evidence from the canonical tables: one row per result and learning objective, with what rules may ask for.

* A result's own learning objectives come first, each with its own score if it has one; a result without any takes
  those of its line item, with the result's score; without either it is one row without a code.
* A learning objective of the source ``case`` is a ``competency``; of any other source it is a ``standard``.
* ``scored_at`` is the score date, else the line item's due date.
* ``scorer_id`` is the primary teacher of the class (the first by id if none or several are primary), because OneRoster
  does not say who scored.
* ``score_scale_value`` is what the gradebook's own score scale says that a mark is worth: the lower bound of its range.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from gateway.core.model import SCORE, TIME, empty

CASE = "case"

_LINE_ITEM_COLUMNS = (
    "class_id", "category", "term", "line_item_title", "line_item_description", "assigned_at", "due_at", "max_score",
    "min_score", "class_title", "course_code", "course_title", "subject", "school_id", "scorer_id",
)  # fmt: skip


def gather_evidence(tables: Mapping[str, pl.DataFrame], *, line_items: pl.DataFrame | None = None) -> pl.DataFrame:
    """Evidence of typed canonical ``tables``; tables that are not there count as empty, deleted records as absent.

    ``line_items`` is :func:`line_item_facts` of the same tables, for callers that gather part by part.
    """
    results = _present(tables, "results").select(
        pl.col("id").alias("result_id"),
        "student_id",
        "line_item_id",
        pl.col("class_id").alias("result_class_id"),
        "score",
        pl.col("text_score").alias("score_text"),
        pl.col("score_date").cast(TIME).alias("score_date"),
        pl.col("score_status").alias("status"),
        "late",
        "missing",
        "incomplete",
        "in_progress",
    )
    if line_items is None:
        line_items = line_item_facts(tables)
    rows = results.join(line_items, on="line_item_id", how="left", maintain_order="left")
    rows = rows.with_columns(
        pl.coalesce("score_date", "due_at").alias("scored_at"),
        pl.coalesce("class_id", "result_class_id").alias("class_id"),
    ).drop("score_date", "result_class_id")
    rows = rows.join(_score_scales(tables), on="result_id", how="left", maintain_order="left")
    rows = rows.join(_grades(tables), on="student_id", how="left", maintain_order="left")
    return _with_score_scale_values(_with_objectives(rows, tables), tables)


def _present(tables: Mapping[str, pl.DataFrame], name: str) -> pl.DataFrame:
    frame = tables.get(name)
    if frame is None:
        return empty(name)
    if "status" not in frame.columns:
        return frame
    return frame.filter(pl.col("status").fill_null("active") != "tobedeleted")


def line_item_facts(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Line items with their category, term, class, course and teacher."""
    titles = {
        "category_id": ("categories", "category"),
        "academic_session_id": ("academic_sessions", "term"),
    }
    items = _present(tables, "line_items").select(
        pl.col("id").alias("line_item_id"),
        pl.col("title").alias("line_item_title"),
        pl.col("description").alias("line_item_description"),
        pl.col("assign_date").alias("assigned_at"),
        pl.col("due_date").alias("due_at"),
        "class_id",
        "category_id",
        "academic_session_id",
        pl.col("result_value_max").alias("max_score"),
        pl.col("result_value_min").alias("min_score"),
    )
    for key, (table, name) in titles.items():
        named = _present(tables, table).select(pl.col("id").alias(key), pl.col("title").alias(name))
        items = items.join(named, on=key, how="left")
    items = items.join(_classes(tables), on="class_id", how="left").join(_scorers(tables), on="class_id", how="left")
    return items.select("line_item_id", *_LINE_ITEM_COLUMNS)


def _classes(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    courses = _present(tables, "courses").select(
        pl.col("id").alias("course_id"), "course_code", pl.col("title").alias("course_title"),
        pl.col("subjects").list.first().alias("course_subject"),
    )  # fmt: skip
    classes = _present(tables, "classes").select(
        pl.col("id").alias("class_id"), pl.col("title").alias("class_title"), "course_id", "school_id",
        pl.col("subjects").list.first().alias("class_subject"),
    )  # fmt: skip
    joined = classes.join(courses, on="course_id", how="left")
    return joined.with_columns(pl.coalesce("class_subject", "course_subject").alias("subject")).drop(
        "course_id", "class_subject", "course_subject"
    )


def _scorers(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    teachers = _present(tables, "enrollments").filter(pl.col("role") == "teacher")
    ordered = teachers.with_columns(pl.col("primary").fill_null(False)).sort(
        "class_id", "primary", "user_id", descending=[False, True, False]
    )
    return ordered.group_by("class_id", maintain_order=True).agg(pl.col("user_id").first().alias("scorer_id"))


def _grades(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    return _present(tables, "users").select(
        pl.col("id").alias("student_id"), pl.col("grades").list.first().alias("grade")
    )


def _score_scales(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The score scale of each result: its own, else its line item's; ``score_scale`` is its title."""
    scales = _present(tables, "score_scales").select(
        pl.col("id").alias("score_scale_id"), pl.col("title").alias("score_scale")
    )
    own = _present(tables, "result_score_scales").select("result_id", "score_scale_id")
    by_item = _present(tables, "line_item_score_scales").select("line_item_id", "score_scale_id")
    results = _present(tables, "results").select(pl.col("id").alias("result_id"), "line_item_id")
    inherited = results.join(by_item, on="line_item_id").join(own, on="result_id", how="anti")
    found = pl.concat([own, inherited.select("result_id", "score_scale_id")]).join(scales, on="score_scale_id")
    return found.sort("result_id", "score_scale", "score_scale_id").unique(
        "result_id", keep="first", maintain_order=True
    )


def _with_score_scale_values(rows: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """What the result's score scale says that its mark is worth: the lower bound of the mark's range."""
    lower = pl.col("lhs").str.extract(r"^\s*(-?\d+(?:\.\d+)?)").cast(SCORE, strict=False)
    worth = _present(tables, "score_scale_values").select(
        "score_scale_id",
        pl.col("rhs").str.strip_chars().str.to_lowercase().alias("_mark"),
        lower.alias("score_scale_value"),
    )
    worth = worth.drop_nulls().sort("score_scale_value").unique(["score_scale_id", "_mark"], keep="first")
    marked = rows.with_columns(pl.col("score_text").str.strip_chars().str.to_lowercase().alias("_mark"))
    joined = marked.join(worth, on=["score_scale_id", "_mark"], how="left", maintain_order="left")
    return joined.drop("_mark", "score_scale_id")


def _with_objectives(rows: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row for each learning objective; ``competency`` or ``standard`` has its code."""
    own = _present(tables, "result_learning_objectives").select(
        "result_id", *_codes(), pl.col("score").alias("own_score"), pl.col("text_score").alias("own_text")
    )
    by_item = _present(tables, "line_item_learning_objectives").select("line_item_id", *_codes()).unique()
    has_own = rows.join(own.select("result_id").unique(), on="result_id", how="semi")
    others = rows.join(own.select("result_id").unique(), on="result_id", how="anti")
    scored = pl.col("own_score").is_not_null() | pl.col("own_text").is_not_null()
    with_own = has_own.join(own, on="result_id", how="left").with_columns(
        pl.when(scored).then("own_score").otherwise("score").alias("score"),
        pl.when(scored).then("own_text").otherwise("score_text").alias("score_text"),
    )
    columns = [*rows.columns, "competency", "standard"]
    return pl.concat(
        [with_own.select(columns), others.join(by_item, on="line_item_id", how="left").select(columns)]
    ).sort("student_id", "result_id", "competency", "standard")


def _codes() -> tuple[pl.Expr, pl.Expr]:
    is_case = pl.col("source").fill_null(CASE).str.to_lowercase() == CASE
    code = pl.col("learning_objective_id")
    return pl.when(is_case).then(code).alias("competency"), pl.when(~is_case).then(code).alias("standard")
