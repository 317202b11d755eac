"""How a column of a canonical table is filled out of the elements of Ed-Fi's records.

A column is filled by an element (its path), an expression over elements, a :class:`Word` or a list. A path that begins
with a resource, ``courseOfferings.localCourseTitle``, is looked up there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from connectors.edfi.elements import ITEM, ROW, Flat
from connectors.edfi.words import Dictionary
from gateway.sdk import LINE, SOURCE, TABLES

CHANGED = "_lastModifiedDate"
SOURCE_WORD = "edfi"
"""What stands as the source of learning objectives: the codes are ``learningStandardId``s."""


@dataclass(frozen=True, slots=True)
class Word:
    """A descriptor as a word of OneRoster; ``listed``: as a list of one."""

    kind: str
    element: str
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """The items of a collection as a list, as words of a ``kind`` of descriptor, or as codes or texts."""

    element: str
    kind: str = ""

    @property
    def collection(self) -> str:
        return self.element.rpartition("[].")[0] + "[]"

    @property
    def member(self) -> str:
        return self.element.rpartition("[].")[2]


@dataclass(frozen=True, slots=True)
class Among:
    """Whether a list of words has this one; nothing where no word is told."""

    element: str
    kind: str
    word: str


Filling = str | pl.Expr | Word | Listed | Among


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of ``table`` that records of ``resource`` make."""

    resource: str
    table: str
    columns: Mapping[str, Filling]


def literal(value: str) -> pl.Expr:
    return pl.lit(value, pl.String)


def one(value: pl.Expr) -> pl.Expr:
    return pl.concat_list(value)


def build(rows: Rows, frame: pl.DataFrame, words: Dictionary, source: str) -> pl.DataFrame:
    """The raw canonical frame. ``frame`` has every element that the declaration names, lists included, and the line."""
    table = TABLES[rows.table]
    made = [_filled(rows.columns.get(name), frame, words).alias(name) for name in table.names]
    filled = frame.select(*made, pl.lit(source, pl.String).alias(SOURCE), pl.col(LINE))
    return filled.select(pl.col(name).cast(kind) for name, kind in table.raw_schema.items())


def _filled(filling: Filling | None, frame: pl.DataFrame, words: Dictionary) -> pl.Expr:
    if filling is None:
        return pl.lit(None)
    if isinstance(filling, str):
        return pl.col(filling)
    if isinstance(filling, Listed):
        return pl.col(filling.element)
    if isinstance(filling, Among):
        return pl.col(filling.element).list.contains(filling.word).cast(pl.String)
    if isinstance(filling, Word):
        word = words.word(frame, filling.kind, filling.element)
        return pl.when(pl.col(filling.element).is_not_null()).then(pl.concat_list(word)) if filling.listed else word
    return filling


def with_lists(rows: Rows, flat: Flat, words: Dictionary) -> pl.DataFrame:
    """The page's rows with a column for each list that the declaration names."""
    frame = flat.rows.with_row_index(ROW)
    for filling in rows.columns.values():
        if isinstance(filling, Listed):
            part = flat.parts[filling.collection]
            value = words.word(part, filling.kind, filling.member) if filling.kind else pl.col(filling.member)
            lists = part.group_by(ROW, maintain_order=True).agg(value.drop_nulls().alias(filling.element))
            frame = frame.join(lists, on=ROW, how="left", maintain_order="left")
    return frame


def with_items(frame: pl.DataFrame, part: pl.DataFrame, collection: str) -> pl.DataFrame:
    """A row for each item of a collection, its members under their whole path, beside the elements of its record."""
    named = part.drop(ITEM).rename({name: f"{collection}.{name}" for name in part.columns if name not in (ROW, ITEM)})
    return named.join(frame, on=ROW, how="inner", maintain_order="left")
