"""Pages of Ed-Fi records become canonical rows: what each resource gives to each table, beyond its own elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from connectors.edfi import filling, keys, tables, tables_levels
from connectors.edfi.elements import ITEM, ROW, Flat
from connectors.edfi.filling import Rows, with_items, with_lists
from connectors.edfi.keys import code
from connectors.edfi.lookups import OFFERING_KEY, Lookups
from connectors.edfi.lookups_levels import LevelLookups
from connectors.edfi.own import Own
from connectors.edfi.words import Dictionary
from gateway.sdk import LINE, TABLES, empty

Frames = dict[str, pl.DataFrame]


@dataclass(slots=True)
class Seen:
    """The line items that were made of grades and tests so far, so that each is delivered once.

    They are kept as files, one a page, so that a pull that goes on after a page knows those of the pages before.
    """

    folder: Path
    known: set[int]
    page: int = 0

    @classmethod
    def before(cls, folder: Path, page: int) -> Seen:
        """What was seen on the pages up to ``page``; later ones are forgotten."""
        folder.mkdir(parents=True, exist_ok=True)
        known: set[int] = set()
        for file in sorted(folder.glob("*.parquet")):
            if int(file.stem.partition("-")[0]) > page:
                file.unlink()
            else:
                known.update(map(hash, pl.read_parquet(file)["id"]))
        return cls(folder, known, page)

    def new(self, items: pl.DataFrame) -> pl.DataFrame:
        """The rows whose id was not seen before."""
        once = items.filter(pl.col("id").is_not_null()).unique("id", keep="first", maintain_order=True)
        fresh = once.filter(pl.Series([hash(id_) not in self.known for id_ in once["id"]], dtype=pl.Boolean))
        if fresh.height:
            self.known.update(map(hash, fresh["id"]))
            kind = str(fresh["id"][0]).partition(":")[0]
            fresh.select("id").write_parquet(self.folder / f"{self.page:08}-{kind}.parquet")
        return fresh


@dataclass(slots=True)
class Maker:
    """Makes the rows of one pull."""

    lookups: Lookups
    words: Dictionary
    seen: Seen
    own: Own
    levels: LevelLookups

    def plain(self, rows: Rows) -> Callable[[Flat, str], Frames]:
        """Rows that are made of the record's own elements."""
        return lambda flat, source: {rows.table: self.build(rows, with_lists(rows, flat, self.words), source)}

    def sections(self, flat: Flat, source: str) -> Frames:
        frame = with_lists(tables.CLASSES, flat, self.words)
        frame = frame.join(self.lookups.offerings, on=OFFERING_KEY, how="left", maintain_order="left")
        return {"classes": self.build(tables.CLASSES, frame, source)}

    def test_classes(self, flat: Flat, source: str) -> Frames:
        """A class for the tests of each school and year, for a line item has to belong to one."""
        return {"classes": self.seen.new(self.build(tables.TEST_CLASSES, flat.rows, source))}

    def entries(self, flat: Flat, source: str) -> Frames:
        frame = flat.rows.with_row_index(ROW).filter(self.own.not_our_entry("namespace"))
        standards = with_items(frame, flat.parts["learningStandards[]"], "learningStandards[]")
        return {
            "categories": self.categories(frame, code("gradebookEntryTypeDescriptor"), source),
            "line_items": self.build(tables.ENTRIES, frame, source),
            "line_item_learning_objectives": self.links(tables.ENTRY_OBJECTIVES, standards, source),
        }

    def entry_results(self, flat: Flat, source: str) -> Frames:
        """A result for each score in a gradebook; one whose text is a competency level has the scale of these."""
        rows = flat.rows.filter(self.own.not_our_entry("gradebookEntryReference.namespace"))
        level = pl.col("letterGradeEarned").is_null() & pl.col("competencyLevelDescriptor").is_not_null()
        leveled = rows.filter(level & pl.lit(self.levels.has_scale))
        return {
            "results": self.build(tables.ENTRY_RESULTS, rows, source),
            "result_score_scales": self.links(tables_levels.ENTRY_SCALES, leveled, source),
        }

    def grades(self, flat: Flat, source: str) -> Frames:
        """A result for each grade, with its scores by standard; line items for what is graded for the first time."""
        frame = flat.rows.with_row_index(ROW)
        told = flat.parts["learningStandardGrades[]"].filter(self.own.unmarked("diagnosticStatement"))
        scored = with_items(frame, told, "learningStandardGrades[]")
        return {
            "categories": self.categories(flat.rows, code("gradeTypeDescriptor"), source),
            "line_items": self.seen.new(self.build(tables.GRADE_ITEMS, frame, source)),
            "results": self.build(tables.GRADE_RESULTS, frame, source),
            "result_learning_objectives": self.links(tables.GRADE_OBJECTIVES, scored, source),
        }

    def tests(self, flat: Flat, source: str) -> Frames:
        """A result for each method by which a test was reported; its parts give the scores by standard."""
        told = self._tested(flat.rows).with_row_index(ROW)
        frame = told.filter(self.own.not_our_test("assessmentReference"))
        scores = _scores(flat.parts, "").join(frame, on=ROW, how="inner", maintain_order="left")
        scores = scores.unique([ROW, "scores.assessmentReportingMethodDescriptor"], keep="first", maintain_order=True)
        items = self.seen.new(self.build(tables.ASSESSMENT_ITEMS, scores, source))
        return {
            "categories": self.categories(frame.head(1), pl.lit("Assessment"), source),
            "line_items": items,
            "line_item_score_scales": self._test_scales(scores, items, source),
            "results": self.build(tables.ASSESSMENT_RESULTS, scores, source),
            "result_learning_objectives": self._test_objectives(flat, frame, scores, source),
        }

    def _test_scales(self, scores: pl.DataFrame, items: pl.DataFrame, source: str) -> pl.DataFrame:
        """The scale of each of these line items whose test declares performance levels."""
        links = self.links(tables_levels.TEST_ITEM_SCALES, scores, source)
        fresh = pl.col("line_item_id").is_in(items["id"].implode())
        return links.filter(fresh & pl.col("score_scale_id").is_in(self.levels.test_scale_ids.implode()))

    def _tested(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The students' tests with their titles, the school (as reported, else the student's) and the school year."""
        school = "studentSchoolAssociations.schoolReference.schoolId"
        found = self.lookups.with_school(rows).with_columns(
            pl.coalesce("reportedSchoolReference.schoolId", school).alias(school)
        )
        found = self.lookups.with_year(found, "schoolYearTypeReference.schoolYear", "administrationDate")
        names = ["assessmentReference.namespace", "assessmentReference.assessmentIdentifier"]
        return found.join(self.lookups.tests, on=names, how="left", maintain_order="left").with_columns(
            pl.coalesce("assessments.assessmentTitle", names[1]).alias("assessments.assessmentTitle")
        )

    def _test_objectives(self, flat: Flat, frame: pl.DataFrame, scores: pl.DataFrame, source: str) -> pl.DataFrame:
        parts = flat.parts["studentObjectiveAssessments[]"].with_row_index("_part").drop(ITEM)
        part = "objectiveAssessmentReference.identificationCode"
        scored = _scores(flat.parts, "studentObjectiveAssessments[].").rename(
            {"scores.result": "objectives.result"}
        )  # fmt: skip
        named = scored.join(parts.select("_part", pl.col(part).alias(f"objectives.{part}")), left_on=ITEM,
                            right_on="_part", how="inner", maintain_order="left").drop(ITEM)  # fmt: skip
        rows = named.join(frame, on=ROW, how="inner", maintain_order="left").join(
            self.lookups.objectives,
            on=["assessmentReference.assessmentIdentifier", "assessmentReference.namespace", f"objectives.{part}"],
            how="left", maintain_order="left",
        )  # fmt: skip
        # a part without a whole result by the same method has no record to stand in
        method = "scores.assessmentReportingMethodDescriptor"
        rows = rows.join(scores.select(ROW, method), on=[ROW, method], how="semi")
        return self.links(tables.ASSESSMENT_OBJECTIVES, rows, source)

    def categories(self, rows: pl.DataFrame, title: pl.Expr, source: str) -> pl.DataFrame:
        """The categories that are new on this page."""
        found = rows.select(title.alias("title"), LINE).drop_nulls("title").unique("title", maintain_order=True)
        declared = Rows("", "categories", {"id": _category_id(), "title": "title"})
        return self.seen.new(self.build(declared, found, source))

    def links(self, rows: Rows, frame: pl.DataFrame, source: str) -> pl.DataFrame:
        """Rows without an id of their own, each key once."""
        made = self.build(rows, frame, source)
        names = list(TABLES[rows.table].key)
        return made.drop_nulls(names).unique(names, keep="first", maintain_order=True)

    def build(self, rows: Rows, frame: pl.DataFrame, source: str) -> pl.DataFrame:
        """The raw canonical frame that the declaration makes of these rows."""
        return filling.build(rows, frame, self.words, source) if frame.height else empty(rows.table, raw=True)


def _category_id() -> pl.Expr:
    return keys.key("category", "title")


def _scores(parts: Mapping[str, pl.DataFrame], place: str) -> pl.DataFrame:
    """Scores and performance levels alike, each with its method; a level as the code of its descriptor."""
    method = "assessmentReportingMethodDescriptor"
    scored = parts[f"{place}scoreResults[]"].select(ROW, ITEM, method, "result")
    levels = parts[f"{place}performanceLevels[]"].select(
        ROW, ITEM, method, code("performanceLevelDescriptor").alias("result")
    )
    both = pl.concat([scored, levels]).rename({method: f"scores.{method}", "result": "scores.result"})
    ordered = both.sort(ROW, maintain_order=True)
    return ordered if place else ordered.drop(ITEM)


def sessions_page(lookups: Lookups, periods: Flat, words: Dictionary, source: str) -> pl.DataFrame:
    """School years, sessions and grading periods: what spans them is made of all, so they are one page."""
    sessions = lookups.sessions
    years = lookups.years.with_columns(pl.lit(0, pl.UInt32).alias(LINE))
    listed = sessions.parts["gradingPeriods[]"].drop(ITEM)
    rows = sessions.rows.with_row_index(ROW)
    owners = listed.join(rows, on=ROW, how="inner").select(
        keys.period("gradingPeriodReference").alias("_period"), tables.SESSIONS.columns["id"].alias("_owner"),  # type: ignore[union-attr]  # an expression
        (pl.col("endDate").str.to_date(strict=False) - pl.col("beginDate").str.to_date(strict=False)).alias("_days"),
    )  # fmt: skip
    # of several sessions that list a period, such as a semester and the whole year, the shortest is its parent
    nearest = owners.sort("_days", "_owner", nulls_last=True).unique("_period", keep="first")
    named = periods.rows.with_columns(tables.PERIODS.columns["id"].alias("_period"))  # type: ignore[union-attr]  # an expression
    with_owner = named.join(nearest, on="_period", how="left", maintain_order="left").rename(
        {"_owner": "sessions.gradingPeriods[]"}
    )  # fmt: skip
    return pl.concat([
        filling.build(tables.YEARS, years, words, source), filling.build(tables.SESSIONS, sessions.rows, words, source),
        filling.build(tables.PERIODS, with_owner, words, source),
    ])  # fmt: skip
