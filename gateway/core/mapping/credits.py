"""Mastery credits: earned by competencies at a level, counted per part or per cell of a grid, and what remains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import polars as pl

from gateway.core.errors import did_you_mean
from gateway.core.framework import Framework
from gateway.core.mapping.choice import targets
from gateway.core.mapping.collect import NO_TIME, Collected
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.result import CREDITS, UNMATCHED, sum_unmatched
from gateway.core.mapping.rounding import MICROS, as_decimal, to_micros
from gateway.core.mapping.scales import check_threshold
from gateway.core.mapping.summary import Summaries

Path: TypeAlias = tuple[str | int, ...]

TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells are the parts by the ``values`` of an evidence ``column``; an accepted result fills its cell."""

    column: str
    values: tuple[str, ...]

    @property
    def place(self) -> pl.Expr:
        """For each row the place of its value among the grid's, null for any other."""
        folded = {value.casefold(): n for n, value in enumerate(self.values)}
        word = pl.col(self.column).cast(pl.String).str.strip_chars().str.to_lowercase()
        return word.replace_strict(list(folded), list(folded.values()), default=None, return_dtype=pl.Int64)


@dataclass(frozen=True, slots=True)
class Credit:
    """One kind of credit. ``part_of`` gives each competency's number its part, -1 if it earns nothing; ``threshold``
    (micros) is per competency number. ``sizes``: how many competencies each part has. Numbers are micros."""

    name: str
    parts: tuple[str, ...]
    part_of: Sequence[int]
    sizes: Sequence[int]
    threshold: Sequence[int | None]
    worth: int
    whole_parts: bool
    required: Sequence[int | None]
    total: int | None
    grid: Grid | None

    def earned(self, levels: pl.DataFrame, collected: Collected) -> pl.DataFrame:
        """``student`` (number), ``part`` (number) and ``earned`` (micros)."""
        if self.grid is not None:
            return self._cells(collected)
        rows = self._reached(levels)
        counted = rows.group_by("student", "part").agg(pl.len().cast(pl.Int64).alias("number"))
        if self.whole_parts:
            size = pl.lit(pl.Series(self.sizes, dtype=pl.Int64)).gather(pl.col("part"))
            counted = counted.filter(pl.col("number") == size)
            return counted.select("student", "part", pl.lit(self.worth).alias("earned"))
        return counted.select("student", "part", (pl.col("number") * self.worth).alias("earned"))

    def _reached(self, rows: pl.DataFrame) -> pl.DataFrame:
        """``student`` and ``part`` of each row (``key``, ``level``) that reaches the threshold."""
        number = len(self.part_of)
        competency = pl.col("key") % number
        part = pl.lit(pl.Series(self.part_of, dtype=pl.Int64)).gather(competency)
        threshold = pl.lit(pl.Series(self.threshold, dtype=pl.Int64)).gather(competency)
        reached = rows.filter((part >= 0) & (pl.col("level") >= threshold))
        return reached.with_columns((pl.col("key") // number).alias("student"), part.alias("part"))

    def _cells(self, collected: Collected) -> pl.DataFrame:
        assert self.grid is not None, "only grids have cells"  # noqa: S101
        if self.grid.column not in collected.counted.columns:
            return pl.DataFrame(schema={"student": pl.Int64, "part": pl.Int64, "earned": pl.Int64})
        reached = self._reached(collected.counted).with_columns(self.grid.place.alias("value")).drop_nulls("value")
        cell = pl.col("part") * len(self.grid.values) + pl.col("value")
        return reached.select("student", cell.alias("part")).unique().with_columns(pl.lit(self.worth).alias("earned"))

    def outside(self, collected: Collected) -> pl.DataFrame:
        """Results that would fill a cell, but whose value is none of the grid's, as
        :data:`~gateway.core.mapping.result.UNMATCHED`."""
        counted = collected.counted
        if self.grid is None or self.grid.column not in counted.columns:
            return pl.DataFrame(schema=dict(UNMATCHED))
        column, values = self.grid.column, self.grid.values
        word = pl.col(column).cast(pl.String).str.strip_chars()
        strange = self._reached(counted.with_columns(self.grid.place.alias("place"), word.alias("value")))
        known = pl.col("time").filter(pl.col("time") != NO_TIME)
        summed = strange.filter(pl.col("place").is_null()).group_by("value").agg(
            pl.len().alias("rows"), pl.col("student").n_unique().alias("students"),
            known.min().alias("first_scored_at"), known.max().alias("last_scored_at"),
        )  # fmt: skip
        hints = [did_you_mean(each or "", values).strip() or None for each in summed["value"]]
        return summed.with_columns(
            pl.lit("cell").alias("kind"),
            pl.lit(column).alias("column"),
            pl.lit(f'no cell of the credit "{self.name}"').alias("reason"),
            pl.Series("suggestion", hints, dtype=pl.String),
        ).select(pl.col(name).cast(dtype) for name, dtype in UNMATCHED.items())


def award(credits: Sequence[Credit], levels: pl.DataFrame, collected: Collected, number: int) -> pl.DataFrame:
    """The table :data:`~gateway.core.mapping.result.CREDITS`: for each student every part of every credit."""
    students = levels.select((pl.col("key") // number).alias("student")).unique()
    frames = [_table(credit, students, credit.earned(levels, collected), collected.students) for credit in credits]
    if not frames:
        return pl.DataFrame(schema=dict(CREDITS))
    return pl.concat(frames).sort("student_id", "credit", "part")


def outside_the_grids(credits: Sequence[Credit], collected: Collected) -> pl.DataFrame:
    """The unmatched table, with the results that fill no cell of a grid."""
    strange = [credit.outside(collected) for credit in credits if credit.grid]
    return sum_unmatched(pl.concat([collected.unmatched, *strange])) if strange else collected.unmatched


def _table(credit: Credit, students: pl.DataFrame, earned: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    parts = pl.DataFrame(
        {
            "part": range(len(credit.parts)),
            "name": credit.parts,
            "required": pl.Series(credit.required, dtype=pl.Int64),
        }
    ).cast({"part": pl.Int64})
    rows = students.join(parts, how="cross").join(earned, on=["student", "part"], how="left")
    rows = rows.with_columns(pl.col("earned").fill_null(0))
    total = (
        rows.group_by("student")
        .agg(pl.col("earned").sum())
        .with_columns(pl.lit(TOTAL).alias("name"), pl.lit(credit.total, pl.Int64).alias("required"))
    )
    columns = ["student", "name", "earned", "required"]
    both = pl.concat([rows.select(columns), total.select(columns)])
    remaining = (pl.col("required") - pl.col("earned")).clip(lower_bound=0)
    return both.with_columns(remaining.alias("remaining")).select(
        pl.lit(names).gather(pl.col("student")).alias("student_id"),
        pl.lit(credit.name).alias("credit"),
        pl.col("name").alias("part"),
        *(as_decimal(pl.col(name), 2).alias(name) for name in ("earned", "required", "remaining")),
        (pl.col("remaining") == 0).alias("complete"),
    )


def compile_credits(
    data: Mapping[str, dict[str, Any]],
    reader: Reader,
    framework: Framework,
    labels: Mapping[str, str],
    ids: Sequence[str],
    summaries: Summaries,
    columns: Sequence[str],
) -> list[Credit]:
    """The ``credits`` part of a mapping; ``labels`` by id, ``ids`` in the order of the competencies' numbers."""
    return [
        _compile(name, item, ("credits", name), reader, framework, labels, ids, summaries, columns)
        for name, item in data.items()
    ]


def _compile(
    name: str,
    item: Mapping[str, Any],
    path: Path,
    reader: Reader,
    framework: Framework,
    labels: Mapping[str, str],
    ids: Sequence[str],
    summaries: Summaries,
    columns: Sequence[str],
) -> Credit:
    parts = targets(item["parts"], (*path, "parts"), reader, framework)
    wanted = item["competencies"]
    if wanted == "leaves":
        earning = list(framework.leaves)
    elif wanted == "parts":
        earning = parts
    else:
        earning = targets(wanted, (*path, "competencies"), reader, framework)
    place = {id: n for n, id in enumerate(parts)}
    part_of = {id: place[part] for id in earning if (part := framework.domain_of(id, parts)) is not None}
    sizes = [sum(each == n for each in part_of.values()) for n in range(len(parts))]
    worth, whole = to_micros(item["worth"]), item["rule"] == "all"
    names = [labels[id] for id in parts]
    grid = _grid(item, path, reader, columns)
    required, total = _required(item, path, reader, framework, place, worth if whole else None)
    if grid is not None:
        names = [f"{name} × {value}" for name in names for value in grid.values]
        required = [worth] * len(names)
        total = total if total is not None else worth * len(names)
    scales = [summaries.scale_of[id] for id in part_of]
    check_threshold(item["minimum"], scales, (*path, "minimum"), reader, "credits")
    threshold = [_threshold(item["minimum"], id, summaries, path, reader) for id in ids]
    numbered = [part_of.get(id, -1) for id in ids]
    return Credit(name, tuple(names), numbered, sizes, threshold, worth, whole, required, total, grid)


def _grid(item: Mapping[str, Any], path: Path, reader: Reader, columns: Sequence[str]) -> Grid | None:
    if "grid" not in item:
        return None
    column = item["grid"]["column"]
    if column not in columns:
        reader.unknown((*path, "grid", "column"), "column of evidence", column, columns, "unknown-column")
    return Grid(column, tuple(item["grid"]["values"]))


def _required(
    item: Mapping[str, Any],
    path: Path,
    reader: Reader,
    framework: Framework,
    place: Mapping[str, int],
    each: int | None,
) -> tuple[list[int | None], int | None]:
    """What each part requires, and what all together require."""
    stated = item.get("required")
    parts: list[int | None] = [each] * len(place)
    if isinstance(stated, int | Decimal) and not isinstance(stated, bool):
        return parts, to_micros(Decimal(stated))
    for word, number in stated.items() if isinstance(stated, dict) else ():
        at = (*path, "required", word)
        if not isinstance(number, int | Decimal) or isinstance(number, bool):
            reader.note(at, "A number is expected here.", "", "credits")
            continue
        named = targets(word, at, reader, framework)
        if named and place.keys().isdisjoint(named):
            reader.note(at, f'"{word}" is no part of this credit.', "Name it under `parts`, or delete it.", "credits")
        for id in place.keys() & named:
            parts[place[id]] = to_micros(Decimal(number))
    if stated is not None and not isinstance(stated, dict):
        reader.note((*path, "required"), "Say a number, or a number for each part.", "", "credits")
    known = [part for part in parts if part is not None]
    return parts, sum(known) if known else None


def _threshold(wanted: Any, id: str, summaries: Summaries, path: Path, reader: Reader) -> int | None:
    if wanted == "proficient":
        return summaries.scale_of[id].proficient
    if isinstance(wanted, int | Decimal) and not isinstance(wanted, bool):
        return to_micros(Decimal(wanted))
    reader.note((*path, "minimum"), "Say `proficient`, or a level.", "", "credits")
    return MICROS
