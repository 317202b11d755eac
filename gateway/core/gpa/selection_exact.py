"""The best selection for one student, exactly: a dynamic programme over sums of units, whole courses only.

Within a subject cell, courses of the same size differ in nothing but their points (and in whether they are early), so
that only the best of each size need be tried. The states of two parts are merged by adding units; a state keeps the
best packed number. First without the locked-in units; if the best choice has them anyway, it is the answer, because
more demands cannot make a better one. Otherwise once more with early units as part of the state.

Where the lock binds repeats only, the early units of courses without a later, better attempt stand for themselves; for
the others the early attempt stays on record unless its repeat is chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from gateway.core.gpa.selection_plan import Node, Plan, Totals, pack, unpack

State: TypeAlias = "tuple[int, int, int]"
"""Units, early units in the locked subjects and early units, the latter two no more than asked for (hundredths)."""
Choice: TypeAlias = "tuple[object, ...]"
States: TypeAlias = "dict[State, tuple[int, Choice]]"

MOST_STATES = 100_000
"""So many states in one part are too many: the student waits for a person rather than for minutes."""


class TooHardError(Exception):
    """The exact answer would take too long; never answered by a guess."""


@dataclass(frozen=True, slots=True)
class Item:
    """One attempt that can be chosen. ``points`` are whole numbers on any scale; ``units`` are hundredths.

    ``attempts`` is the number that the attempts of one course share; of them at most one is chosen, and ``best`` is
    the one that counts as long as nothing is locked in.
    """

    row: int
    cell: int
    units: int
    points: int
    early: bool
    attempts: int | None = None
    best: bool = True


@dataclass(frozen=True, slots=True)
class Best:
    """The best selection: its rows, units (hundredths) and totals, and whether the locked-in units are met."""

    rows: tuple[int, ...]
    units: int
    totals: Totals
    locked_met: bool


def best_selection(plan: Plan, items: Sequence[Item]) -> Best | None:
    """The best selection among ``items``, or ``None`` if none meets the requirements. Raises :class:`TooHardError`."""
    firm, repeated = _split(items)
    best = [item for item in items if item.best]
    free = _solve(plan, best, [])
    if free is None:
        return None
    if _met(plan, free.totals.early_units, free.totals.early_subject_units) if plan.binds else _on_record(plan, best):
        return replace(free, locked_met=True)
    reachable = _on_record(plan, [*firm, *(item for attempts in repeated for item in attempts)])
    locked = _solve(_remaining(plan, firm), firm, repeated, early=True) if reachable else None
    return locked or free


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


def _remaining(plan: Plan, firm: Sequence[Item]) -> Plan:
    """Where the lock binds repeats only, what the firm early attempts leave to ask of the repeated courses."""
    if plan.binds:
        return plan
    early, subject = _early_sums(plan, firm)
    return replace(
        plan,
        early_units=max(0, plan.early_units - early),
        early_subject_units=max(0, plan.early_subject_units - subject),
    )


def _solve(plan: Plan, firm: Sequence[Item], repeated: Sequence[Sequence[Item]], *, early: bool = False) -> Best | None:
    """The best choice; with ``early`` only among those that keep the early units that the plan asks for."""
    cells: dict[int, list[States]] = {}
    for cell in {item.cell for item in firm}:
        cells[cell] = _firm_states(plan, [item for item in firm if item.cell == cell], early)
    for attempts in repeated:
        cells.setdefault(attempts[0].cell, []).append(_repeated_states(plan, attempts))
    best: tuple[int, int, Choice] | None = None
    for (units, subject_units, early_units), (packed, choice) in _node_states(plan, plan.root, cells).items():
        if not plan.units <= units < plan.below or (early and not _met(plan, early_units, subject_units)):
            continue
        if best is None or _better(packed, units, best[1], best[0]):
            best = (units, packed, choice)
    if best is None:
        return None
    return Best(tuple(sorted(_rows(best[2]))), best[0], unpack(best[1]), locked_met=early)


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


def _node_states(plan: Plan, node: Node, cells: Mapping[int, Sequence[States]]) -> States:
    parts = [_node_states(plan, each, cells) for each in node.nodes]
    parts += [_combined(plan, cells.get(cell, ()), node.most_of_a_cell) for cell in node.cells]
    states = _combined(plan, parts, node.most)
    return {state: value for state, value in states.items() if state[0] >= node.least}


def _combined(plan: Plan, parts: Sequence[States], most: int) -> States:
    states: States = {(0, 0, 0): (0, ())}
    for part in sorted(parts, key=len):
        states = _merged(plan, states, part, most)
    return states


def _firm_states(plan: Plan, items: Sequence[Item], early: bool) -> list[States]:
    """What can be chosen of one cell's courses, size by size (early ones apart where that matters)."""
    sizes: dict[tuple[int, bool], list[Item]] = {}
    apart = early and plan.binds
    for item in items:
        sizes.setdefault((item.units, apart and item.early), []).append(item)
    return [_prefixes(plan, same, apart) for same in sizes.values()]


def _repeated_states(plan: Plan, attempts: Sequence[Item]) -> States:
    """A repeated course: not chosen, or one attempt. Only the early attempt, chosen or not, keeps its early units;
    where the lock binds the choice, only the chosen one."""
    states: States = {(0, 0, 0): (0, ())}
    for item in attempts:
        state = _state(plan, item) if item.early else (item.units, 0, 0)
        _keep(states, state, _packed(plan, item), (item.row,))
        if item.early and not plan.binds:
            _keep(states, (0, state[1], state[2]), 0, ())
    return states


def _prefixes(plan: Plan, items: list[Item], early: bool) -> States:
    """The best one, the best two … of courses that differ in their points only."""
    weighed = sorted(((-_packed(plan, item), item.row, item) for item in items), key=lambda each: each[:2])
    states: States = {(0, 0, 0): (0, ())}
    packed = 0
    choice: Choice = ()
    state = (0, 0, 0)
    for negative, row, item in weighed:
        packed, choice = packed - negative, (choice, row)
        state = _added(plan, state, _state(plan, item) if early else (item.units, 0, 0))
        states[state] = (packed, choice)
    return states


def _packed(plan: Plan, item: Item) -> int:
    early = item.units if item.early and plan.binds else 0
    return pack(item.points * item.units, early if item.cell in plan.locked_cells else 0, early)


def _state(plan: Plan, item: Item) -> State:
    units = item.units if item.early else 0
    subject = units if item.cell in plan.locked_cells else 0
    return item.units, min(subject, plan.early_subject_units), min(units, plan.early_units)


def _added(plan: Plan, one: State, other: State) -> State:
    return (
        one[0] + other[0],
        min(one[1] + other[1], plan.early_subject_units),
        min(one[2] + other[2], plan.early_units),
    )


def _merged(plan: Plan, one: States, other: States, most: int) -> States:
    if len(one) == 1 and (0, 0, 0) in one:
        return {state: value for state, value in other.items() if state[0] <= most}
    merged: States = {}
    subject_most, early_most = plan.early_subject_units, plan.early_units
    for (units, subject_units, early_units), (packed, choice) in one.items():
        for (more, more_subject, more_early), (further, also) in other.items():
            if units + more > most:
                continue
            subject, early = subject_units + more_subject, early_units + more_early
            state = (
                units + more,
                subject if subject < subject_most else subject_most,
                early if early < early_most else early_most,
            )
            known = merged.get(state)
            if known is None or packed + further > known[0]:
                merged[state] = (packed + further, (choice, also))
    if len(merged) > MOST_STATES:
        raise TooHardError
    return merged


def _keep(states: States, state: State, packed: int, choice: Choice) -> None:
    known = states.get(state)
    if known is None or packed > known[0]:
        states[state] = (packed, choice)
