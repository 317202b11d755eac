"""The best selection for one student, exactly: a dynamic programme over sums of units, whole courses only.

Within a subject cell, courses of the same size differ in nothing but their points (and in whether they are early), so
that only the best of each size need be tried. The states of two parts are merged by adding units; a state keeps the
best packed number. First without the locked-in units; if the best choice has them anyway, it is the answer, because
more demands cannot make a better one. Otherwise once more with the early units that are *lost* as part of the state: no
more may be lost than the student has above what is asked for.

Where the lock binds repeats only, early units are lost by choosing a later attempt of their course; where it binds the
choice, by not choosing them. A state that loses no less and brings no more than another one is dropped.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from gateway.core.gpa.selection_plan import Node, Plan, Totals, pack, unpack

State: TypeAlias = int
"""Units, lost early units in the locked subjects and lost early units (hundredths), each in :data:`_BITS` bits."""
Choice: TypeAlias = "tuple[object, ...]"
States: TypeAlias = "dict[State, tuple[int, Choice]]"

MOST_STEPS = 10_000_000
"""So many sums of two states are tried for one student, which takes a few seconds; whoever needs more waits for a
person rather than for minutes."""
_MOST_LATE = 8
_BITS = 14
_UNITS = (1 << _BITS) - 1


class TooHardError(Exception):
    """The exact answer would take too long; never answered by a guess."""


@dataclass(frozen=True, slots=True)
class Item:
    """One attempt that can be chosen. ``points`` are whole numbers on any scale; ``units`` are hundredths.

    ``attempts`` is the number that the attempts of one course share; of them at most one is chosen, and ``best`` is
    the one that counts as long as nothing is locked in. ``after`` says that it was taken after graduation.
    """

    row: int
    cell: int
    units: int
    points: int
    early: bool
    attempts: int | None = None
    best: bool = True
    after: bool = False


@dataclass(frozen=True, slots=True)
class Best:
    """The best selection: its rows, units (hundredths) and totals, and whether the locked-in units are met."""

    rows: tuple[int, ...]
    units: int
    totals: Totals
    locked_met: bool


def best_selection(plan: Plan, items: Sequence[Item]) -> Best | None:
    """The best selection among ``items``, or ``None`` if none meets the requirements. Raises :class:`TooHardError`."""
    work = _Work(plan)
    found = [best for each in _within_limit(plan, items) if (best := _best(work, each)) is not None]
    met = [best for best in found if best.locked_met]
    return max(met or found, key=_rank, default=None)


def _rank(best: Best) -> tuple[int, int]:
    """By GPA, then by fewer units, as a whole number: no two units are further apart than the factor."""
    return best.totals.quality * (1 << 40) // best.units, -best.units


def _within_limit(plan: Plan, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items with every largest set of courses after graduation that the limit allows.

    An earlier attempt that is not early for the lock counts only where the one after graduation is not in the set.
    """
    after = [item for item in items if item.after]
    if plan.after_units is None or sum(item.units for item in after) <= plan.after_units:
        yield [item for item in items if item.best or item.early]
        return
    if len(after) > _MOST_LATE:
        raise TooHardError
    others = [item for item in items if not item.after]
    sets = [
        frozenset(chosen)
        for size in range(len(after) + 1)
        for chosen in itertools.combinations(after, size)
        if sum(item.units for item in chosen) <= plan.after_units
    ]
    for each in sets:
        if not any(each < other for other in sets):
            yield [*_standing_in(others, after, each), *sorted(each, key=lambda item: item.row)]


def _standing_in(others: Sequence[Item], after: Sequence[Item], chosen: frozenset[Item]) -> list[Item]:
    """The other items, the best attempt before graduation standing in for each that is not in the set."""
    missing = {item.attempts for item in after if item not in chosen and item.best and item.attempts is not None}
    found = [item for item in others if item.best or (item.early and item.attempts not in missing)]
    for attempts in sorted(missing):
        tries = [item for item in others if item.attempts == attempts]
        best = max(tries, key=lambda item: (item.points, item.units, -item.row), default=None)
        found += [replace(item, best=item is best) for item in tries if item is best or item.early]
    return found


def _best(work: _Work, items: Sequence[Item]) -> Best | None:
    plan = work.plan
    firm, repeated = _split(items)
    best = [item for item in items if item.best]
    free = work.solve(best, [])
    if _keeps(plan, best, free):
        return None if free is None else replace(free, locked_met=True)
    locked = _Work(plan, _allowance(plan, firm, repeated), work.left).solve(firm, repeated)
    return locked or free


def _keeps(plan: Plan, best: Sequence[Item], free: Best | None) -> bool:
    """Whether the lock takes nothing from the attempts that count anyway."""
    if not plan.binds:
        return _on_record(plan, best)
    return free is not None and _met(plan, free.totals.early_units, free.totals.early_subject_units)


def _split(items: Sequence[Item]) -> tuple[list[Item], list[list[Item]]]:
    """The attempts without a choice, and those of each course whose better attempt came after the lock."""
    late = {item.attempts for item in items if item.attempts is not None and item.best and not item.early}
    open_: dict[int, list[Item]] = {}
    firm = []
    for item in items:
        if item.attempts in late and item.attempts is not None:
            open_.setdefault(item.attempts, []).append(item)
        elif item.best:
            firm.append(item)
    choices = [attempts for attempts in open_.values() if len(attempts) > 1]
    return firm + [attempts[0] for attempts in open_.values() if len(attempts) == 1], choices


def _met(plan: Plan, early_units: int, early_subject_units: int) -> bool:
    return early_units >= plan.early_units and early_subject_units >= plan.early_subject_units


def _on_record(plan: Plan, items: Iterable[Item]) -> bool:
    """Whether the early ones among ``items`` are enough (of a repeated course, those that count)."""
    return _met(plan, *_early_sums(plan, items))


def _early_sums(plan: Plan, items: Iterable[Item]) -> tuple[int, int]:
    early = [item for item in items if item.early]
    return sum(item.units for item in early), sum(item.units for item in early if item.cell in plan.locked_cells)


def _allowance(plan: Plan, firm: Sequence[Item], repeated: Sequence[Sequence[Item]]) -> tuple[int, int]:
    """How many early units may be lost, all and in the locked subjects; negative if there are too few at all."""
    units, subject = _early_sums(plan, [*firm, *(_largest_early(attempts) for attempts in repeated)])
    return units - plan.early_units, subject - plan.early_subject_units


def _largest_early(attempts: Sequence[Item]) -> Item:
    """The attempt that keeps most early units on record."""
    return max(attempts, key=lambda item: (item.early, item.units))


class _Work:
    """What the search for one student has left to spend, and how many early units it may lose."""

    def __init__(self, plan: Plan, allowance: tuple[int, int] | None = None, left: int = MOST_STEPS) -> None:
        self.plan = plan
        self.allowance = allowance
        self.left = left

    def solve(self, firm: Sequence[Item], repeated: Sequence[Sequence[Item]]) -> Best | None:
        """The best choice, of those that lose no more than is allowed; ``None`` if there is none."""
        if self.allowance is not None and min(self.allowance) < 0:
            return None
        plan = self.plan
        cells: dict[int, list[States]] = {}
        for cell in {item.cell for item in firm}:
            cells[cell] = self._firm_states([item for item in firm if item.cell == cell])
        for attempts in repeated:
            cells.setdefault(attempts[0].cell, []).append(self._repeated_states(attempts))
        best: tuple[int, int, Choice] | None = None
        for state, (packed, choice) in self._node_states(plan.root, cells).items():
            units = state & _UNITS
            if plan.units <= units < plan.below and (best is None or _better(packed, units, best[1], best[0])):
                best = (units, packed, choice)
        if best is None:
            return None
        met = self.allowance is not None
        return Best(tuple(sorted(_rows(best[2]))), best[0], unpack(best[1]), locked_met=met)

    def _node_states(self, node: Node, cells: Mapping[int, Sequence[States]]) -> States:
        parts = [self._node_states(each, cells) for each in node.nodes]
        parts += [self._combined(cells.get(cell, ()), node.most_of_a_cell) for cell in node.cells]
        states = self._combined(parts, node.most)
        return {state: value for state, value in states.items() if state & _UNITS >= node.least}

    def _combined(self, parts: Sequence[States], most: int) -> States:
        states: States = {0: (0, ())}
        for part in sorted(parts, key=len):
            states = self._merged(states, part, most)
        return states

    def _merged(self, one: States, other: States, most: int) -> States:
        self.left -= len(one) * len(other)
        if self.left < 0:
            raise TooHardError
        merged: States = {}
        for state, (packed, choice) in one.items():
            room = most - (state & _UNITS)
            for more, (further, also) in other.items():
                if more & _UNITS <= room:
                    both = state + more
                    known = merged.get(both)
                    if known is None or packed + further > known[0]:
                        merged[both] = (packed + further, (choice, also))
        return merged if self.allowance is None else _pruned(merged, self.allowance)

    def _firm_states(self, items: Sequence[Item]) -> list[States]:
        """What can be chosen of one cell's courses, size by size (early ones apart where that matters)."""
        apart = self.plan.binds and self.allowance is not None
        sizes: dict[tuple[int, bool], list[Item]] = {}
        for item in items:
            sizes.setdefault((item.units, apart and item.early), []).append(item)
        return [self._prefixes(same, loses=early) for (_, early), same in sizes.items()]

    def _prefixes(self, items: list[Item], *, loses: bool) -> States:
        """The best one, the best two … of courses that differ in their points only."""
        lost = sum(self._lost(item, item.units) for item in items) if loses else 0
        states: States = {lost: (0, ())}
        packed = units = 0
        choice: Choice = ()
        for item in sorted(items, key=lambda item: (-self._packed(item), item.row)):
            packed, choice, units = packed + self._packed(item), (choice, item.row), units + item.units
            lost -= self._lost(item, item.units) if loses else 0
            states[units + lost] = (packed, choice)
        return states

    def _repeated_states(self, attempts: Sequence[Item]) -> States:
        """A repeated course: not chosen, or one attempt, with the early units that this loses."""
        kept = _largest_early(attempts)
        whole = kept.units if kept.early else 0
        states: States = {self._lost(kept, whole if self.plan.binds else 0): (0, ())}
        for item in attempts:
            state = item.units + self._lost(kept, whole - item.units if item.early else whole)
            _keep(states, state, self._packed(item), (item.row,))
        return states

    def _lost(self, item: Item, units: int) -> State:
        """A state that loses so many early units of the subject of ``item``."""
        subject = units if item.cell in self.plan.locked_cells else 0
        return (units << _BITS) + subject << _BITS

    def _packed(self, item: Item) -> int:
        early = item.units if item.early and self.plan.binds else 0
        return pack(item.points * item.units, early if item.cell in self.plan.locked_cells else 0, early)


def _pruned(states: States, allowance: tuple[int, int]) -> States:
    """The states that lose no more than is allowed, without those than which another one is nowhere worse."""
    by_units: dict[int, list[tuple[int, int, int, State]]] = {}
    for state, (packed, _) in states.items():
        lost, subject = state >> 2 * _BITS, state >> _BITS & _UNITS
        if lost <= allowance[0] and subject <= allowance[1]:
            by_units.setdefault(state & _UNITS, []).append((-packed, lost, subject, state))
    kept: States = {}
    for same in by_units.values():
        front: list[tuple[int, int]] = []
        for _, lost, subject, state in sorted(same):
            if not any(less <= lost and fewer <= subject for less, fewer in front):
                front.append((lost, subject))
                kept[state] = states[state]
    return kept


def _better(packed: int, units: int, other_packed: int, other_units: int) -> bool:
    mine, theirs = unpack(packed).quality * other_units, unpack(other_packed).quality * units
    return (mine, -units, packed) > (theirs, -other_units, other_packed)


def _rows(choice: Choice) -> Iterable[int]:
    stack: list[object] = [choice]
    while stack:
        part = stack.pop()
        if isinstance(part, int):
            yield part
        elif isinstance(part, list | tuple):
            stack.extend(part)


def _keep(states: States, state: State, packed: int, choice: Choice) -> None:
    known = states.get(state)
    if known is None or packed > known[0]:
        states[state] = (packed, choice)
