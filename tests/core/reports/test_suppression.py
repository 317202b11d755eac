"""Small numbers stay hidden: an attacker who knows all sums and figures tries every table that agrees with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.reports.suppression import Protection, figures, protect, shown_groups

Table = Sequence[Sequence[int]]


def rows_of(total: int, limits: Sequence[int], fixed: dict[int, int]) -> Iterator[tuple[int, ...]]:
    """All rows of counts with a sum, at most ``limits``, and some counts known."""
    if not limits:
        if total == 0:
            yield ()
        return
    place = len(limits) - 1
    for value in [fixed[place]] if place in fixed else range(min(total, limits[-1]) + 1):
        if value <= total:
            for rest in rows_of(total - value, limits[:-1], fixed):
                yield (*rest, value)


def attack(table: Table, safe: Protection) -> dict[tuple[int, int], set[int]]:
    """For each hidden cell the numbers that agree with all that is shown: all other cells, all sums, all figures."""
    totals = [sum(column) for column in zip(*table, strict=True)]
    candidates = []
    for n, row in enumerate(table):
        fixed = {column: count for column, count in enumerate(row) if (n, column) not in safe.cells}
        possible = rows_of(sum(row), totals, fixed)
        if n in safe.rows:
            candidates.append(list(possible))
        else:
            candidates.append([each for each in possible if figures(each, totals) == figures(row, totals)])
    found: dict[tuple[int, int], set[int]] = {cell: set() for cell in safe.cells}
    last = set(candidates[-1])
    for rows in product(*candidates[:-1]):
        rest = tuple(total - sum(column) for total, column in zip(totals, zip(*rows, strict=True), strict=True))
        if rest in last:
            for row, column in safe.cells:
                found[row, column].add((*rows, rest)[row][column])
    return found


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[int]], int]:
    """A table of two or three scorers, each with enough students, and the minimum."""
    minimum = draw(st.integers(2, 5))
    width = draw(st.integers(1, 4))
    rows = st.lists(st.integers(0, 6), min_size=width, max_size=width).filter(lambda row: minimum <= sum(row) <= 12)
    table = draw(st.lists(rows, min_size=2, max_size=3))
    return table, minimum


@settings(max_examples=150, deadline=None)
@given(tables())
def test_no_hidden_number_can_be_worked_out(given_: tuple[list[list[int]], int]) -> None:
    table, minimum = given_
    safe = protect(table, table, minimum)
    small = {(r, c) for r, row in enumerate(table) for c, count in enumerate(row) if 0 < count < minimum}
    assert small <= safe.cells
    assert bool(small) == bool(safe.cells)
    for cell, values in attack(table, safe).items():
        assert len(values) > 1, (table, minimum, safe, cell)


def test_the_attack_succeeds_where_only_the_small_number_itself_is_hidden() -> None:
    table = [[2, 12, 12], [12, 12, 12]]
    naive = Protection(frozenset({(0, 0)}), frozenset())
    assert attack(table, naive) == {(0, 0): {2}}
    safe = protect(table, table, 10)
    assert len(safe.cells) >= 4
    assert all(len(values) > 1 for values in attack(table, safe).values())


def test_figures_that_would_tell_are_hidden_too() -> None:
    table = [[3, 9], [9, 3]]  # with two levels a figure is as good as the numbers
    safe = protect(table, table, 5)
    assert safe.cells == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert safe.rows == {0, 1}


def test_nothing_is_hidden_where_all_numbers_are_large_or_nothing() -> None:
    table = [[10, 0, 30], [0, 25, 11]]
    assert protect(table, table, 10) == Protection(frozenset(), frozenset())


def test_students_decide_and_not_scores() -> None:
    scores = [[400, 500, 300], [390, 420, 410]]
    students = [[2, 30, 30], [30, 30, 30]]
    safe = protect(scores, students, 10)
    assert (0, 0) in safe.cells
    assert safe.rows == frozenset()  # among so many scores a change of one shows in no figure


def brute_figures(row: Sequence[int], others: Sequence[int]) -> tuple[Fraction, Fraction]:
    """The definitions, score by score."""
    mine = [level for level, count in enumerate(row) for _ in range(count)]
    theirs = [level for level, count in enumerate(others) for _ in range(count)]
    everything = mine + theirs

    def rank(level: int) -> Fraction:
        """From 0 to 100, equal ones in the middle."""
        below = sum(each < level for each in everything)
        equal = sum(each == level for each in everything)
        return Fraction(100 * (2 * below + equal), 2 * len(everything))

    mean = [sum((rank(each) for each in scores), Fraction(0)) / len(scores) for scores in (mine, theirs)]
    shares = [
        (Fraction(Counter(mine)[n], len(mine)), Fraction(Counter(theirs)[n], len(theirs))) for n in range(len(row))
    ]
    return mean[0] - mean[1], 50 * sum((abs(one - other) for one, other in shares), Fraction(0))


@given(st.integers(1, 6).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 9), min_size=n, max_size=n)] * 2)))
def test_figures_are_what_they_are_said_to_be(given_: tuple[list[int], list[int]]) -> None:
    row, others = given_
    if not sum(row) or not sum(others):
        return
    told = figures(row, [one + other for one, other in zip(row, others, strict=True)])
    for value, exact in zip((told.mean_rank_difference, told.distance), brute_figures(row, others), strict=True):
        assert abs(value - exact) <= Fraction(1, 2)
        assert abs(value - exact) < Fraction(1, 2) or abs(value) > abs(exact)  # halves go away from zero


@pytest.mark.parametrize(
    ("row", "others", "rank", "distance"),
    [
        ([0, 10], [10, 0], 50, 100),  # all higher
        ([10, 0], [0, 10], -50, 100),
        ([5, 5], [50, 50], 0, 0),
        ([0, 10, 0], [5, 0, 5], 0, 100),  # no higher, but never at the same levels
        ([1, 3], [2, 2], 13, 25),  # 12.5, half up
    ],
)
def test_figures_by_hand(row: list[int], others: list[int], rank: int, distance: int) -> None:
    told = figures(row, [one + other for one, other in zip(row, others, strict=True)])
    assert (told.mean_rank_difference, told.distance) == (rank, distance)


@given(st.lists(st.integers(1, 30), max_size=8), st.integers(1, 12))
def test_what_is_left_of_a_whole_is_never_one_small_group(students: list[int], minimum: int) -> None:
    shown = shown_groups(students, minimum)
    hidden = [count for count, is_shown in zip(students, shown, strict=True) if not is_shown]
    assert all(count >= minimum for count, is_shown in zip(students, shown, strict=True) if is_shown)
    if hidden and any(shown):
        assert len(hidden) > 1
        assert sum(hidden) >= minimum
    assert bool(hidden) == any(count < minimum for count in students)
