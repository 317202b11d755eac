"""Writes the gradebook of one school after the other: line items, their targets and scales, and results.

It does not matter where classes and memberships come from: our own district or a roster that is already there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from gateway.sample.bad_records import BadRecord, plant_bad_results
from gateway.sample.bundle import BundleWriter
from gateway.sample.draws import texts
from gateway.sample.pacing import CATEGORIES, LETTER, MAXIMUM, WEIGHTS, Pacing, make_line_items
from gateway.sample.results import (
    EXCUSED,
    LETTERS,
    MISSING,
    UNGRADED,
    Scoring,
    make_results,
    objective,
    objective_scores,
    with_standing,
)

RESULT_COLUMNS = (
    "sourcedId", "lineItemSourcedId", "studentSourcedId", "scoreStatus", "score", "scoreDate", "textScore",
    "classSourcedId", "inProgress", "incomplete", "late", "missing",
)  # fmt: skip


@dataclass(slots=True)
class Gradebook:
    """The gradebook under way: what was planted in it so far."""

    writer: BundleWriter
    scoring: Scoring
    pacing: Pacing
    planted: Counter[str] = field(default_factory=Counter)
    bad: list[BadRecord] = field(default_factory=list)
    category_ids: tuple[str, ...] = ()
    is_spoiled: bool = False

    def write_categories(self) -> None:
        """Categories are the district's: one set for all classes."""
        ids = tuple(self.scoring.draws.uuid_of("categories", number) for number in range(len(CATEGORIES)))
        self.category_ids = ids
        rows = {"sourcedId": ids, "title": CATEGORIES, "weight": WEIGHTS}
        self.writer.write("categories", pl.DataFrame(rows))

    def write_school(self, classes: pl.DataFrame, memberships: pl.DataFrame) -> None:
        """The gradebook of ``classes`` and the results of ``memberships`` in them.

        ``classes``: ``class`` (a number), ``class_id``, ``school_id``, ``org_id``, ``course_id``, ``kind``, ``grade``,
        ``letters``, and ``own``, false for classes of another school that movers came from: their line items are
        written with that school. ``memberships``: ``class``, ``kind``, ``student_key``, ``student_id``, and ``begin``
        and ``end`` as day numbers, the end exclusive.
        """
        items = make_line_items(self.scoring.draws, self.pacing, self.scoring.pool, self.scoring.calendar, classes)
        standing = with_standing(self.scoring.draws, memberships)
        results = make_results(self.scoring, self.pacing.slots, standing, items)
        own = items.filter("own")
        self._write_line_items(own)
        self._write_scales(classes.filter("letters"), own, results)
        self.writer.write("resultLearningObjectiveIds", objective_scores(self.scoring, results))
        self._count(results)
        self._write_results(results)

    def _write_line_items(self, items: pl.DataFrame) -> None:
        calendar = self.scoring.calendar
        rows = items.select(
            "title",
            sourcedId="line_id",
            assignDate=calendar.dates(pl.col("assigned")),
            dueDate=calendar.dates(pl.col("due")),
            classSourcedId="class_id",
            categorySourcedId=texts(self.category_ids, pl.col("category")),
            academicSessionSourcedId=calendar.session_ids(pl.col("due")),
            resultValueMin=pl.when(pl.col("scoring") != LETTER).then(pl.lit("0")),
            resultValueMax=texts(MAXIMUM, pl.col("scoring")),
            schoolSourcedId="school_id",
        )
        self.writer.write("lineItems", rows)
        parts = [
            items.filter(~pl.col("local"), pl.col("aims") > number).select(
                "line",
                number=pl.lit(number, dtype=pl.UInt64),
                lineItemSourcedId="line_id",
                learningObjectiveId=objective(self.scoring.pool, f"aim_{number}"),
            )
            for number in range(3)
        ]
        links = self._with_ids("lineItemLearningObjectiveIds", pl.concat(parts), "line", "number")
        links = links.select("sourcedId", "lineItemSourcedId", "learningObjectiveId", source=pl.lit("case"))
        self.writer.write("lineItemLearningObjectiveIds", links)

    def _write_scales(self, classes: pl.DataFrame, items: pl.DataFrame, results: pl.DataFrame) -> None:
        """A letter scale of its own for each class with letters, and the links to it. A mover's results keep the scale
        of the class that was left."""
        if classes.is_empty():
            return
        values = ",".join(f"{{{letter}:{half / 2:g}}}" for half, letter in reversed([*enumerate(LETTERS)][1:]))
        scales = self._with_ids("scoreScales", classes, "class")
        self.writer.write(
            "scoreScales",
            scales.filter("own").select(
                "sourcedId",
                title=pl.lit("Lakeside letters"),
                type=pl.lit("Letter"),
                orgSourcedId="org_id",
                courseSourcedId="course_id",
                classSourcedId="class_id",
                scoreScaleValue=pl.lit(values),
            ),
        )
        scale = scales.select("class", scoreScaleSourcedId="sourcedId")
        lettered = items.filter(pl.col("scoring") == LETTER).join(scale, on="class", maintain_order="left")
        links = self._with_ids("lineItemScoreScales", lettered.with_columns(lineItemSourcedId="line_id"), "line")
        self.writer.write("lineItemScoreScales", links.select("sourcedId", "lineItemSourcedId", "scoreScaleSourcedId"))
        marked = results.filter(pl.col("textScore").is_not_null()).join(scale, on="class", maintain_order="left")
        marked = marked.with_columns(resultSourcedId="sourcedId")
        links = self._with_ids("resultScoreScales", marked, "line", "student_key")
        self.writer.write("resultScoreScales", links.select("sourcedId", "resultSourcedId", "scoreScaleSourcedId"))

    def _with_ids(self, table: str, frame: pl.DataFrame, *keys: str) -> pl.DataFrame:
        return self.scoring.draws.with_uuid(frame, "sourcedId", table, *(pl.col(key) for key in keys))

    def _count(self, results: pl.DataFrame) -> None:
        state = pl.col("state")
        counts = results.select(
            late=(pl.col("late") == "true").sum(),
            excused=(state == EXCUSED).sum(),
            missing=(state == MISSING).sum(),
            ungraded=(state == UNGRADED).sum(),
            retake=pl.col("retake").sum(),
        )
        self.planted.update({name: int(count) for name, count in counts.row(0, named=True).items()})

    def _write_results(self, results: pl.DataFrame) -> None:
        """The first school with any results gets all the bad ones."""
        if self.is_spoiled or results.is_empty():
            self.writer.write("results", results.select(RESULT_COLUMNS))
            return
        rows, self.bad = plant_bad_results(self.scoring.draws, self.scoring.mess, results, RESULT_COLUMNS)
        self.is_spoiled = True
        self.writer.write("results", rows)
