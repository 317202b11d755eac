"""Levels that students are told of competencies, and scales for the words of all levels.

A level is of one objective and one grading period, so each is a result of its own, with one learning objective. What
this connection wrote itself is left out. A scale says what a level is worth where Ed-Fi does: a test by the scores
that a performance level begins with; a competency level by a word of the settings (``words.competencyLevel``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from connectors.edfi import tables_levels
from connectors.edfi.elements import ITEM, ROW, Flat
from connectors.edfi.making import Frames, Maker
from connectors.edfi.tables import NUMBER

Make = Callable[[Flat, str], Frames]


@dataclass(slots=True)
class LevelMaker:
    """Makes the rows of levels with the help of the maker of all rows."""

    maker: Maker

    def told(self, resource: str) -> Make:
        """A result for each level, and line items for what a level is told of for the first time."""

        def made(flat: Flat, source: str) -> Frames:
            frame = self._rows(resource, flat)
            items = self.maker.seen.new(self.maker.build(tables_levels.LEVEL_ITEMS[resource], frame, source))
            scales = self.maker.links(tables_levels.LEVEL_ITEM_SCALES[resource], frame, source)
            fresh = pl.col("line_item_id").is_in(items["id"].implode()) & pl.lit(self.maker.levels.has_scale)
            return {
                "categories": self.maker.categories(frame.head(1), pl.lit(tables_levels.CATEGORY), source),
                "line_items": items,
                "line_item_score_scales": scales.filter(fresh),
                "results": self.maker.build(tables_levels.LEVEL_RESULTS[resource], frame, source),
                "result_learning_objectives": self.maker.links(tables_levels.LEVEL_OBJECTIVES[resource], frame, source),
            }

        return made

    def scales(self, *, tests: bool) -> Frames:
        """All scales, as the first page of the gradebook; they are few. ``tests``: those of tests as well."""
        found: dict[str, list[pl.DataFrame]] = {"score_scales": [], "score_scale_values": []}
        declared = [(self._levels(), (tables_levels.SCALES, tables_levels.SCALE_VALUES))]
        if tests:
            declared.append((self._test_levels(), (tables_levels.TEST_SCALES, tables_levels.TEST_SCALE_VALUES)))
        for frame, tables in declared:
            for rows in tables:
                found[rows.table].append(self.maker.links(rows, frame, rows.resource))
        return {table: pl.concat(frames) for table, frames in found.items()}

    def _levels(self) -> pl.DataFrame:
        """The competency levels, by what they are worth; those of which that is not told by their name."""
        rows = self.maker.levels.levels.with_columns(pl.col("codeValue").alias("_descriptor"))
        worth = self.maker.words.word(rows, "competencyLevel", "_descriptor").alias("_worth")
        named = rows.with_columns(worth).unique("codeValue", keep="first", maintain_order=True)
        number = pl.when(pl.col("_worth").str.contains(NUMBER)).then(pl.col("_worth")).cast(pl.Decimal(18, 6))
        return named.sort(number, "codeValue", nulls_last=True).with_columns(_numbered(pl.int_range(pl.len())))

    def _test_levels(self) -> pl.DataFrame:
        rows = self.maker.levels.test_levels
        place = pl.int_range(pl.len()).over(tables_levels.TEST_SCALE)
        return rows.with_columns(_numbered(place))

    def _rows(self, resource: str, flat: Flat) -> pl.DataFrame:
        """The levels that others told, each with its first section, the end of its period and its objective."""
        sections = flat.parts["studentSectionAssociations[]"].drop(ITEM).unique(ROW, keep="first", maintain_order=True)
        names = {name: f"studentSectionAssociations[].{name}" for name in sections.columns if name != ROW}
        frame = flat.rows.with_row_index(ROW).filter(self.maker.own.unmarked("diagnosticStatement"))
        frame = frame.join(sections.rename(names), on=ROW, how="left", maintain_order="left")
        return self.maker.levels.with_objectives(resource, self.maker.levels.with_period_ends(frame))


def _numbered(place: pl.Expr) -> pl.Expr:
    return (place + 1).cast(pl.String).alias("_position")
