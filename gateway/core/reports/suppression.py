"""Small numbers: what is hidden so that no report tells about a handful of students, not even by subtraction.

Two shapes occur. In a *list of groups* with a whole, a small group is hidden, and with it the next smallest, until
those who are left when all shown groups are taken from the whole are several groups and enough students. In a *table*
of scorers by levels, whose sums are all known, a hidden cell is safe only if another table agrees with everything that
is shown; :func:`protect` hides further cells, and at last the figures made of a row, until such a table exists for
each. The swap of four cells on which this rests is the cycle of Gusfield, "A graph theoretic approach to statistical
data security" (SIAM Journal on Computing 17, 1988).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

DEFAULT_MINIMUM = 10
_NEAR = 4
"""Among so many levels around a cell, changes of three are looked for."""
_ROWS = 3
"""Among so many rows, partners are looked for. Looking at more would hide a little less and take longer."""

Cell: TypeAlias = tuple[int, int]
"""Row and column of a table: scorer and level."""
Counts: TypeAlias = Sequence[Sequence[int]]


def shown_groups(students: Sequence[int], minimum: int) -> list[bool]:
    """Which groups of a whole that is shown itself may be shown; ``students`` are how many each one has.

    The hidden groups are none, or at least two with together at least ``minimum`` students.
    """
    smallest_first = sorted(range(len(students)), key=lambda n: (students[n], n))
    hidden = [n for n in smallest_first if students[n] < minimum]
    rest = [n for n in smallest_first if students[n] >= minimum]
    while hidden and rest and (len(hidden) < 2 or sum(students[n] for n in hidden) < minimum):
        hidden.append(rest.pop(0))
    return [n not in set(hidden) for n in range(len(students))]


@dataclass(frozen=True, slots=True)
class Figures:
    """How a row stands beside all other rows together, in whole per cent: see :func:`figures`."""

    mean_rank_difference: int
    distance: int


def figures(row: Sequence[int], totals: Sequence[int]) -> Figures:
    """The figures of one row of a table, given the sums of the columns; both the row and the rest have scores.

    ``mean_rank_difference``: all scores of the table are ranked from 0 (lowest) to 100, equal ones sharing their middle
    rank; the mean rank of the row's scores minus the mean rank of the others'. From -50 (all lower) to 50 (all higher).
    ``distance``: of 100 scores of the row, how many would have to stand at another level for the shares to be those of
    the others: half the sum of the absolute differences of the shares. From 0 to 100.

    Both are exact and then rounded half up (away from zero).
    """
    others = [total - count for total, count in zip(totals, row, strict=True)]
    mine, theirs = sum(row), sum(others)
    below, above, pairs = 0, theirs, 0
    for count, other in zip(row, others, strict=True):
        above -= other
        pairs += count * (below - above)  # pairs in which the row's score is higher, less those in which it is lower
        below += other
    apart = sum(abs(count * theirs - other * mine) for count, other in zip(row, others, strict=True))
    return Figures(_rounded(50 * pairs, mine * theirs), _rounded(100 * apart, 2 * mine * theirs))


def _rounded(numerator: int, denominator: int) -> int:
    """The nearest whole number; halves go away from zero."""
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -magnitude if numerator < 0 else magnitude


@dataclass(frozen=True, slots=True)
class Protection:
    """Which cells are hidden, and of which rows the figures are."""

    cells: frozenset[Cell]
    rows: frozenset[int]


def protect(scores: Counts, students: Counts, minimum: int) -> Protection:
    """What to hide of a table with at least two rows, each with at least ``minimum`` students.

    Hidden are cells with any, but fewer than ``minimum`` students, and as many others as are needed. The sums of rows
    and columns are known to the reader, and the figures of every row that is not in ``rows``. For each hidden cell
    there is then a table of counts with another number in it that agrees with all that is known.
    """
    small = [
        (row, column)
        for row, counts in enumerate(students)
        for column, count in enumerate(counts)
        if 0 < count < minimum
    ]
    table = _Table(scores, small)
    for cell in small:
        table.cover(cell)
    return Protection(frozenset(table.hidden), frozenset(table.silent))


Move: TypeAlias = dict[Cell, int]


class _Table:
    """A table on the way to being protected. Hiding more never takes the cover from a cell that has one."""

    def __init__(self, scores: Counts, small: Sequence[Cell]) -> None:
        self.scores = scores
        self.totals = [sum(column) for column in zip(*scores, strict=True)]
        self.told = [figures(row, self.totals) for row in scores]
        self.hidden: set[Cell] = set()
        self.silent: set[int] = set()
        self.covered: set[Cell] = set()
        self.rows_at: list[list[int]] = [[] for _ in self.totals]
        """The rows whose number is hidden, by column, in order."""
        self._hide(small)

    def cover(self, cell: Cell) -> None:
        """Make sure that the number in a hidden cell could be another one."""
        if cell in self.covered:
            return
        swap: Move | None = None
        for move in self._moves(cell):
            if self._possible(move):
                if not self._telling(move):
                    self.covered |= set(move)
                    return
                swap = swap or move
        if swap is None:
            swap = self._cheapest(cell)
            self._hide(set(swap) - self.hidden)
        self.silent |= self._telling(swap)
        self.covered |= set(swap)

    def _hide(self, cells: Iterable[Cell]) -> None:
        for row, column in cells:
            self.hidden.add((row, column))
            insort(self.rows_at[column], row)

    def _moves(self, cell: Cell) -> Iterator[Move]:
        """Changes of hidden cells, ``cell`` among them, that leave all sums as they are."""
        row, column = cell
        others = _after(self.rows_at[column], row, _ROWS)
        for other in sorted(others, key=lambda n: n not in self.silent):
            both = [n for n in range(len(self.totals)) if {(row, n), (other, n)} <= self.hidden]
            both.sort(key=lambda n: (abs(n - column), n))
            for n in both[1:]:
                yield from _both_ways(row, other, ((column, 1), (n, -1)))
            for low, middle, high in combinations(sorted(both[:_NEAR]), 3):
                if column in (low, middle, high):
                    yield from _both_ways(row, other, ((low, 1), (middle, -2), (high, 1)))

    def _cheapest(self, cell: Cell) -> Move:
        """The swap that hides the fewest further scores. Every other row has one: the small cell's row has a score
        elsewhere, and the other row has a score at that level or at another one."""
        row, column = cell
        others = [*_after(self.rows_at[column], row, _ROWS), *_after(range(len(self.scores)), row, _ROWS)]
        swaps = [
            move
            for other in dict.fromkeys(others)
            for n in range(len(self.totals))
            if n != column
            for move in _both_ways(row, other, ((column, 1), (n, -1)))
            if self._possible(move)
        ]
        return min(swaps, key=self._cost)  # the first of equal ones

    def _cost(self, move: Move) -> tuple[int, int]:
        further = set(move) - self.hidden
        return sum(self.scores[row][column] for row, column in further), len(further)

    def _possible(self, move: Move) -> bool:
        return all(self.scores[row][column] + change >= 0 for (row, column), change in move.items())

    def _telling(self, move: Move) -> set[int]:
        """The rows whose figures would give the change away."""
        telling = set()
        for row in {row for row, _ in move} - self.silent:
            changed = [count + move.get((row, column), 0) for column, count in enumerate(self.scores[row])]
            if figures(changed, self.totals) != self.told[row]:
                telling.add(row)
        return telling


def _after(rows: Sequence[int], row: int, most: int) -> list[int]:
    """The next rows after ``row``, the first ones following the last; ``rows`` are in order."""
    place = bisect_right(rows, row)
    around = [*rows[place : place + most + 1], *rows[: max(0, place + most + 1 - len(rows))]]
    return list(dict.fromkeys(each for each in around if each != row))[:most]


def _both_ways(row: int, other: int, changes: Sequence[tuple[int, int]]) -> Iterator[Move]:
    for sign in (1, -1):
        yield {(row, column): sign * change for column, change in changes} | {
            (other, column): -sign * change for column, change in changes
        }
