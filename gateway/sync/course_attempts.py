"""Course attempts from a pull: a row for each student and class, with the final grade that the gradebook holds, or with
the grade that the levels of the sync's mapping give.

OneRoster knows no credit, no course level and no NCAA or a-g flag: those come from the course catalogue. A class that
has not ended is in progress; one that has ended without a final grade makes its student's GPA wait.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from gateway.core.errors import ConfigurationError
from gateway.core.gpa.conversion import convert_levels
from gateway.core.gpa.policy import Policy
from gateway.core.mapping import CompiledMapping, gather_evidence
from gateway.core.mapping.gather import line_item_facts
from gateway.core.partition import STUDENT_TABLES, part_of
from gateway.settings import District, SyncSettings
from gateway.store import Store
from gateway.store.snapshots import Snapshot
from gateway.sync.mapping import SHARED_TABLES, where_scored
from gateway.sync.quarantine import latest_snapshot

_COURSE = ("course_code", "title", "subject", "school_year", "term", "completed_on", "school_id")
_ATTEMPT = ("course_code", "school_year", "term")
_KEYS = ["student_id", "class_id"]


def write_attempts(
    store: Store,
    district: District,
    sync: SyncSettings,
    path: Path,
    *,
    as_of: date,
    category: str | None = None,
    mapping: CompiledMapping | None = None,
    converter: Policy | None = None,
) -> list[str]:
    """Write the course attempts of the sync's newest pull to ``path`` (Parquet) and tell what was found.

    Final grades are the results of line items of ``category``; otherwise ``converter`` makes them of the levels that
    ``mapping`` gives. Raises :class:`ConfigurationError` (``gpa.no-pull``, ``gpa.category``).
    """
    snapshot = latest_snapshot(store, district, sync.name)
    if snapshot is None:
        raise ConfigurationError(
            f"Nothing has been pulled for {sync.name} yet.",
            hint="Run `mastery-gateway pull`, or name a course file with --courses.",
            code="gpa.no-pull",
        )
    shared = _shared(snapshot, sync)
    classes = _classes(shared, as_of)
    finals = pl.DataFrame(schema={"line_item_id": pl.String}) if category is None else _final_items(shared, category)
    facts = line_item_facts(shared)
    counts = []
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        for part in range(snapshot.parts):
            own = _own(snapshot, sync, part)
            if mapping is None or converter is None:
                rows = _with_final_grades(shared, own, classes, finals, snapshot.parts, part)
            else:
                rows = _with_grades_of_levels(mapping, converter, shared, own, classes, facts, as_of)
            rows.write_parquet(Path(folder) / f"{part:03}.parquet", compression="lz4")
            counts.append(rows.height)
        pl.scan_parquet(sorted(Path(folder).glob("*.parquet"))).sink_parquet(path, compression="lz4")
    notes = [f"{sum(counts):,} course attempts from the pull {snapshot.id}"]
    if mapping is not None and not mapping.reports_on(as_of):
        notes.append(f"{as_of} is outside the report windows of the mapping: do not show or push these grades yet")
    return notes


def _shared(snapshot: Snapshot, sync: SyncSettings) -> dict[str, pl.DataFrame]:
    tables = {name: snapshot.read(name, gone_after=sync.missing_pulls) for name in SHARED_TABLES if snapshot.has(name)}
    for name in ("classes", "line_items"):
        if name not in tables:
            raise ConfigurationError(
                f"The pull has no {name}.", hint="Pull the gradebook as well as the rosters.", code="gpa.no-pull"
            )
    return tables


def _own(snapshot: Snapshot, sync: SyncSettings, part: int) -> dict[str, pl.DataFrame]:
    return {
        name: snapshot.read(name, gone_after=sync.missing_pulls, part=part)
        for name in STUDENT_TABLES
        if snapshot.has(name)
    }


def _classes(tables: Mapping[str, pl.DataFrame], as_of: date) -> pl.DataFrame:
    """Each class as a course file describes it, with ``ended``, and ``grade_level`` where the class has just one."""
    courses = tables["courses"].select(
        pl.col("id").alias("course_id"), "course_code", pl.col("title").alias("course_title"),
        pl.col("subjects").list.first().alias("course_subject"),
    )  # fmt: skip
    terms = tables["classes"].select(pl.col("id").alias("class_id"), pl.col("term_ids").alias("term_id"))
    sessions = _sessions(tables["academic_sessions"])
    last = (
        terms.explode("term_id")
        .join(sessions, on="term_id", how="left")
        .sort("class_id", "end_date", "term_id", nulls_last=True)
        .group_by("class_id", maintain_order=True)
        .agg(pl.col("term").str.join(", "), pl.col("school_year").last(), pl.col("end_date").max())
    )
    joined = tables["classes"].join(courses, on="course_id", how="left").join(
        last, left_on="id", right_on="class_id", how="left"
    )  # fmt: skip
    return joined.select(
        pl.col("id").alias("class_id"),
        pl.coalesce("course_code", "class_code").alias("course_code"),
        pl.coalesce("course_title", "title").alias("title"),
        pl.coalesce(pl.col("subjects").list.first(), "course_subject").alias("subject"),
        "school_year",
        "term",
        pl.col("end_date").alias("completed_on"),
        "school_id",
        (pl.col("end_date") <= as_of).fill_null(True).alias("ended"),
        pl.when(pl.col("grades").list.len() == 1).then(pl.col("grades").list.first()).alias("grade_level"),
    )


def _sessions(sessions: pl.DataFrame) -> pl.DataFrame:
    """Terms with the school year that they, or a session above them, name."""
    parents = sessions.select(
        pl.col("id").alias("parent_id"), pl.col("school_year").alias("above"), pl.col("parent_id").alias("further")
    )
    rows = sessions.select("id", pl.col("title").alias("term"), "school_year", "end_date", "parent_id")
    for _ in range(3):
        rows = rows.join(parents, on="parent_id", how="left").with_columns(
            pl.coalesce("school_year", "above").alias("school_year"), pl.col("further").alias("parent_id")
        )
        rows = rows.drop("above", "further")
    return rows.rename({"id": "term_id"}).drop("parent_id")


def _final_items(tables: Mapping[str, pl.DataFrame], category: str) -> pl.DataFrame:
    """The line items of a category, with their class and term."""
    categories = tables.get("categories", pl.DataFrame(schema={"id": pl.String, "title": pl.String}))
    wanted = categories.filter(pl.col("title").str.strip_chars().str.to_lowercase() == category.strip().lower())
    if wanted.is_empty():
        known = ", ".join(categories["title"].unique().sort())
        raise ConfigurationError(
            f'The pull has no category "{category}".', hint=f"There are: {known or 'none'}.", code="gpa.category"
        )
    terms = tables["academic_sessions"].select(
        pl.col("id").alias("academic_session_id"), pl.col("title").alias("item_term")
    )
    items = tables["line_items"].join(wanted.select(pl.col("id").alias("category_id")), on="category_id", how="semi")
    return items.join(terms, on="academic_session_id", how="left").select(
        pl.col("id").alias("line_item_id"), "class_id", "item_term"
    )


def _with_final_grades(
    shared: Mapping[str, pl.DataFrame],
    own: Mapping[str, pl.DataFrame],
    classes: pl.DataFrame,
    finals: pl.DataFrame,
    parts: int,
    part: int,
) -> pl.DataFrame:
    """A row a final result, and one for each enrolment in a class with final grades that has none yet."""
    flag = pl.when("incomplete").then(pl.lit("incomplete")).when("in_progress").then(pl.lit("in_progress"))
    graded = own["results"].drop("class_id").join(finals, on="line_item_id").select(
        *_KEYS, "item_term", pl.col("text_score").alias("grade"), "score", flag.alias("said")
    )  # fmt: skip
    students = (
        shared["enrollments"]
        .filter(pl.col("role") == "student")
        .select(pl.col("user_id").alias("student_id"), "class_id")
    )
    students = students.filter(part_of(students["student_id"], parts) == part).unique()
    waiting = students.join(finals.select("class_id").unique(), on="class_id", how="semi")
    rows = pl.concat([graded, waiting.join(graded, on=_KEYS, how="anti")], how="diagonal")
    return _attempts(rows.join(classes, on="class_id", how="left"), shared)


def _attempts(rows: pl.DataFrame, shared: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The rows of a course file. A student's present grade level is that of courses of the newest school year only."""
    users = shared["users"].select(pl.col("id").alias("student_id"), pl.col("grades").list.first().alias("grade_now"))
    newest = shared["academic_sessions"]["school_year"].max()
    bare = pl.col("grade").is_null() & pl.col("score").is_null()
    return rows.join(users, on="student_id", how="left").select(
        "student_id",
        *(pl.coalesce("item_term", "term").alias(name) if name == "term" else pl.col(name) for name in _COURSE),
        pl.coalesce("grade_level", pl.when(pl.col("school_year") == newest).then("grade_now")).alias("grade_level"),
        "grade",
        "score",
        pl.lit(None, pl.String).alias("credit"),
        pl.coalesce("said", pl.when(bare & ~pl.col("ended")).then(pl.lit("in_progress"))).alias("status"),
    ).sort("student_id", "course_code", "school_year", "term")  # fmt: skip


def _with_grades_of_levels(
    mapping: CompiledMapping,
    converter: Policy,
    shared: Mapping[str, pl.DataFrame],
    own: Mapping[str, pl.DataFrame],
    classes: pl.DataFrame,
    facts: pl.DataFrame,
    as_of: date,
) -> pl.DataFrame:
    """A row for each class that gave evidence for a student's levels, graded by those levels.

    A level is the student's own, as everywhere else; it counts for each course whose results went into it. Competencies
    with a scale of their own, such as habits, are no part of a grade.
    """
    evidence = gather_evidence({**shared, **own}, line_items=facts)
    collected = mapping.collect(evidence, as_of=as_of)
    levels = mapping.summarise(collected, evidence=evidence.height, as_of=as_of).levels
    scales = mapping.summarizer.summaries.scale_of
    academic = [number for number, id in enumerate(mapping.ids) if scales[id].report == mapping.scale.report]
    scored = where_scored(collected, len(mapping.ids), shared).filter(pl.col("number").is_in(academic))
    where = scored.with_columns(
        pl.lit(pl.Series(list(mapping.labels), dtype=pl.String)).gather(pl.col("number")).alias("competency")
    )
    nothing = [pl.lit(None, pl.String).alias(name) for name in ("item_term", "grade", "said")]
    taken = where.select(_KEYS).unique().with_columns(*nothing, pl.lit(None, pl.Decimal(18, 6)).alias("score"))
    described = taken.join(classes, on="class_id", how="left")
    courses = _attempts(described, shared).unique(["student_id", *_ATTEMPT], keep="first", maintain_order=True)
    of_courses = where.join(classes, on="class_id", how="left").join(
        levels.select("student_id", "competency", "level"), on=["student_id", "competency"], how="left"
    )
    keys = ["student_id", *_ATTEMPT, "competency"]
    return convert_levels(converter, courses, of_courses.select(*keys, "level").unique(keys, maintain_order=True))
