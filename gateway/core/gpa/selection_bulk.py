"""The best selections of many students at once: the same dynamic programme, with sums of units as columns.

It serves students whose courses all have sizes of one grid (half units, quarter units, or trimesters of 0.34), which
is nearly everyone; a column then holds, for each student, the best packed number that a part reaches with so many
units. It says what the best selection is worth, not which courses it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from gateway.core.gpa.courses import STUDENT
from gateway.core.gpa.selection_plan import COUNT_BITS, EARLY_BITS, QUALITY_SHIFT, Node, Plan

Sums: TypeAlias = "dict[int, str]"
"""For each sum of units, in steps of the grid, the column of the best packed number."""

MOST_QUALITY_BITS = 62 - QUALITY_SHIFT
_MASK = (1 << COUNT_BITS) - 1


@dataclass(frozen=True, slots=True)
class Grid:
    """A step in hundredths, and the sizes of courses, in steps, that it serves."""

    step: int
    sizes: tuple[int, ...]


GRIDS = (Grid(50, (1, 2)), Grid(25, (1, 2, 4)), Grid(34, (1,)))


def grid_of(units: str) -> pl.Expr:
    """For each student the position in :data:`GRIDS` of the first grid that serves all sizes; empty if none does."""
    found = pl.lit(None, pl.UInt8)
    for position, grid in reversed(list(enumerate(GRIDS))):
        served = pl.col(units).is_in([size * grid.step for size in grid.sizes]).all()
        found = pl.when(served).then(pl.lit(position, pl.UInt8)).otherwise(found)
    return found.alias("grid")


def best_selections(plan: Plan, grid: Grid, items: pl.DataFrame) -> pl.DataFrame:
    """One row a student: ``quality`` (points × hundredths), ``hundredths``, ``early_subject``, ``early``, ``chosen``.

    ``items``: ``_student``, ``cell``, ``hundredths`` and ``packed``. Empty numbers: no selection meets the
    requirements. A column is empty where a sum cannot be reached.
    """
    frame, columns = _spread(plan, grid, items)
    worker = _Columns(frame)
    sums = worker.node(plan, grid, plan.root, columns)
    return worker.frame.select(STUDENT, *_chosen(plan, grid, sums))


def _spread(plan: Plan, grid: Grid, items: pl.DataFrame) -> tuple[pl.DataFrame, dict[tuple[int, int], list[str]]]:
    """One row a student with the best courses of each cell and size side by side, best first."""
    most = _most_of_cells(plan.root)
    width = len(grid.sizes)
    size = pl.col("hundredths") // grid.step
    slot = pl.col("cell").cast(pl.Int32) * width + size.replace_strict(grid.sizes, range(width), return_dtype=pl.Int32)
    rows = items.select(STUDENT, slot.alias("slot"), "packed").sort(
        [STUDENT, "slot", "packed"], descending=[False, False, True]
    )
    first = (pl.col(STUDENT) != pl.col(STUDENT).shift(1)) | (pl.col("slot") != pl.col("slot").shift(1))
    start = pl.when(first.fill_null(True)).then(pl.int_range(pl.len())).forward_fill()
    rows = rows.with_columns((pl.int_range(pl.len()) - start).cast(pl.Int32).alias("turn"))
    columns: dict[tuple[int, int], list[str]] = {}
    starts: dict[int, tuple[int, int]] = {}
    made = 0
    for cell, units in most.items():
        for position, steps in enumerate(grid.sizes):
            number, count = cell * width + position, units // (grid.step * steps)
            columns[cell, steps] = [f"{number}.{turn}" for turn in range(count)]
            starts[number] = (made, count)
            made += count
    return _side_by_side(rows, starts, [name for names in columns.values() for name in names]), columns


def _side_by_side(rows: pl.DataFrame, starts: Mapping[int, tuple[int, int]], names: Sequence[str]) -> pl.DataFrame:
    """``rows``, sorted by student, with each packed number in the column of its slot and turn, if there is one."""
    slots = list(starts)
    first, count = ([starts[slot][part] for slot in slots] for part in (0, 1))
    rows = rows.with_columns(
        (pl.col(STUDENT).rle_id().cast(pl.Int64) * len(names)).alias("base"),
        pl.col("slot").replace_strict(slots, first, return_dtype=pl.Int64).alias("first"),
        pl.col("slot").replace_strict(slots, count, return_dtype=pl.Int64).alias("count"),
    )
    students = rows["base"].n_unique()
    fits = rows.filter(pl.col("turn") < pl.col("count"))
    places = fits.select(pl.col("base") + pl.col("first") + pl.col("turn")).to_series()
    cells = pl.repeat(None, students * len(names), dtype=pl.Int64, eager=True).scatter(places, fits["packed"])
    spread = [cells.gather_every(len(names), offset).alias(name) for offset, name in enumerate(names)]
    return pl.DataFrame([rows[STUDENT].unique(maintain_order=True), *spread])


def _most_of_cells(node: Node) -> dict[int, int]:
    most = dict.fromkeys(node.cells, node.most_of_a_cell)
    for each in node.nodes:
        most |= _most_of_cells(each)
    return most


class _Columns:
    """A frame that grows by the columns of one step after the other."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self.made = 0

    def node(self, plan: Plan, grid: Grid, node: Node, columns: Mapping[tuple[int, int], list[str]]) -> Sums:
        """The sums that a node can reach within its bounds."""
        most = node.most // grid.step
        parts = [self.node(plan, grid, each, columns) for each in node.nodes]
        for cell in node.cells:
            part: Sums = {0: self._zero()}
            for steps in grid.sizes:
                part = self._merged(
                    part, self._prefixes(columns[cell, steps], steps), 0, node.most_of_a_cell // grid.step
                )
            parts.append(part)
        sums = parts[0]
        for position, part in enumerate(parts[1:], start=2):
            least = -(-node.least // grid.step) if position == len(parts) else 0
            sums = self._merged(sums, part, least, most)
        least = -(-node.least // grid.step)
        return {units: name for units, name in sums.items() if units >= least}

    def _zero(self) -> str:
        if "zero" not in self.frame.columns:
            self.frame = self.frame.with_columns(pl.lit(0, pl.Int64).alias("zero"))
        return "zero"

    def _prefixes(self, names: Sequence[str], steps: int) -> Sums:
        """The best one, the best two … courses of one size."""
        sums: Sums = {0: self._zero()}
        total: pl.Expr = pl.lit(0, pl.Int64)
        made = []
        for count, name in enumerate(names, start=1):
            total = total + pl.col(name)
            made.append((count * steps, total))
        self._add(sums, made)
        return sums

    def _merged(self, one: Sums, other: Sums, least: int, most: int) -> Sums:
        ways: dict[int, list[pl.Expr]] = {}
        for units, name in one.items():
            for more, also in other.items():
                if least <= units + more <= most:
                    ways.setdefault(units + more, []).append(_sum(name, also))
        sums: Sums = {}
        self._add(sums, [(units, pl.max_horizontal(each)) for units, each in sorted(ways.items())])
        return sums

    def _add(self, sums: Sums, made: Sequence[tuple[int, pl.Expr]]) -> None:
        columns = []
        for units, value in made:
            sums[units] = f"_{self.made}"
            columns.append(value.alias(sums[units]))
            self.made += 1
        self.frame = self.frame.with_columns(columns)


def _sum(one: str, other: str) -> pl.Expr:
    if "zero" in (one, other):
        return pl.col(other if one == "zero" else one)
    return pl.col(one) + pl.col(other)


def _chosen(plan: Plan, grid: Grid, sums: Sums) -> list[pl.Expr]:
    """The best of the totals that the selection may have, unpacked."""
    packed, steps = pl.lit(None, pl.Int64), pl.lit(None, pl.Int64)
    for units in sorted(sums):
        if not plan.units <= units * grid.step < plan.below:
            continue
        mine = pl.col(sums[units])
        better = (_quality(mine) * steps > _quality(packed) * units) | packed.is_null()
        take = mine.is_not_null() & better.fill_null(False)
        packed, steps = (
            pl.when(take).then(mine).otherwise(packed),
            pl.when(take).then(pl.lit(units, pl.Int64)).otherwise(steps),
        )
    lifted = packed + _MASK
    return [
        _quality(packed).alias("quality"),
        (steps * grid.step).alias("hundredths"),
        ((lifted // (1 << COUNT_BITS + EARLY_BITS)) % (1 << EARLY_BITS)).alias("early_subject"),
        ((lifted // (1 << COUNT_BITS)) % (1 << EARLY_BITS)).alias("early"),
        (_MASK - lifted % (1 << COUNT_BITS)).alias("chosen"),
    ]


def _quality(packed: pl.Expr) -> pl.Expr:
    return (packed + _MASK) // (1 << QUALITY_SHIFT)
