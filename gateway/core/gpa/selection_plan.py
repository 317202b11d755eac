"""The shape of a selection: subjects in cells, requirements as a tree over them, and one number for each choice.

A choice of whole courses is better if its GPA is higher; among equal ones the one with fewer units, then (where the
lock binds the choice) more early units in the locked subjects and more early units, then fewer courses. Quality points,
early units and the number of courses are packed into one whole number that adds up over courses: for each sum of units
every solver maximises the same number, so that they all find the same choice.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.gpa.compile_selection import nested_minimums
from gateway.core.gpa.policy import Selection

HUNDREDTH = 10_000
"""Micros in a hundredth of a unit: selections count in hundredths, so that 0.34 is exact."""

COUNT_BITS = 11
EARLY_BITS = 11
_MASK = (1 << COUNT_BITS) - 1
QUALITY_SHIFT = COUNT_BITS + 2 * EARLY_BITS


@dataclass(frozen=True, slots=True)
class Node:
    """Units between ``least`` and ``most`` (hundredths) over its cells and its inner nodes."""

    least: int
    most: int
    cells: tuple[int, ...]
    nodes: tuple[Node, ...]

    @property
    def most_of_a_cell(self) -> int:
        """What one of its cells can hold at most."""
        return self.most - sum(node.least for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Plan:
    """A selection, ready to solve: ``root`` covers all cells, ``cell_of`` finds a subject's.

    ``early_units`` and ``early_subject_units`` are 0 where nothing is locked in; ``binds`` says that locked units must
    be among those chosen. ``after_units`` is the most that courses after graduation can add, ``None`` no limit.
    """

    cell_of: Mapping[str, int]
    root: Node
    units: int
    below: int
    early_units: int
    early_subject_units: int
    locked_cells: frozenset[int]
    binds: bool
    after_units: int | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a packed number says; quality is points × hundredths of a unit."""

    quality: int
    early_subject_units: int
    early_units: int
    courses: int


def pack(quality: int, early_subject_units: int, early_units: int) -> int:
    """One course as a number that adds up."""
    return (((quality << EARLY_BITS) + early_subject_units << EARLY_BITS) + early_units << COUNT_BITS) - 1


def unpack(packed: int) -> Totals:
    """The totals of a sum of packed courses (fewer than 2,048 of them)."""
    lifted = packed + _MASK
    return Totals(
        quality=lifted >> QUALITY_SHIFT,
        early_subject_units=lifted >> COUNT_BITS + EARLY_BITS & _MASK,
        early_units=lifted >> COUNT_BITS & _MASK,
        courses=_MASK - (lifted & _MASK),
    )


@functools.lru_cache(maxsize=64)
def make_plan(selection: Selection) -> Plan:
    """The tree of requirements, with the most units that each part can hold while the others have their least."""
    least = {subjects: units // HUNDREDTH for subjects, units in nested_minimums(selection).items()}
    progression = selection.progression
    locked = progression.subjects if progression else frozenset[str]()
    cell_of = _cells(selection.subjects, [*least, locked])
    below = selection.below // HUNDREDTH
    root = _bounded(_tree(selection.subjects, least, cell_of), below - 1)
    return Plan(
        cell_of=cell_of,
        root=root,
        units=selection.units // HUNDREDTH,
        below=below,
        early_units=progression.units // HUNDREDTH if progression else 0,
        early_subject_units=progression.subject_units // HUNDREDTH if progression else 0,
        locked_cells=frozenset(cell_of[subject] for subject in locked if subject in cell_of),
        binds=progression is not None and progression.binds_selection,
        after_units=None if selection.after_units is None else selection.after_units // HUNDREDTH,
    )


def _cells(subjects: frozenset[str], sets: list[frozenset[str]]) -> dict[str, int]:
    """Subjects that stand in the same requirements share a cell."""
    signatures = {subject: tuple(subject in each for each in sets) for subject in sorted(subjects)}
    numbers = {signature: number for number, signature in enumerate(sorted(set(signatures.values()), reverse=True))}
    return {subject: numbers[signature] for subject, signature in signatures.items()}


def _tree(subjects: frozenset[str], least: Mapping[frozenset[str], int], cell_of: Mapping[str, int]) -> Node:
    inner = [each for each in least if each < subjects]
    largest = [each for each in inner if not any(each < other for other in inner)]
    nodes = tuple(_tree(each, least, cell_of) for each in sorted(largest, key=sorted))
    covered = frozenset[str]().union(*largest)
    cells = tuple(sorted({cell_of[subject] for subject in subjects - covered}))
    return Node(max(least.get(subjects, 0), sum(node.least for node in nodes)), 0, cells, nodes)


def _bounded(node: Node, most: int) -> Node:
    needed = sum(each.least for each in node.nodes)
    nodes = tuple(_bounded(each, most - needed + each.least) for each in node.nodes)
    return Node(node.least, most, node.cells, nodes)
