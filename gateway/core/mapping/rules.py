"""Which results count as evidence, on which scale and with what weight; and what becomes of states.

A result is judged by the first rule that fits it. A state (missing, excused, …) is never a level by itself: a mapping
that wants a missing result to weigh as a 0 must say so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import gcd
from typing import Any, TypeAlias

from gateway.core.mapping.conditions import When, compile_when
from gateway.core.mapping.language import MARK_STATES, State
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import MICROS, from_micros, to_micros
from gateway.core.mapping.scales import Scale, plain, read_number

Path: TypeAlias = tuple[str | int, ...]


class Reason(StrEnum):
    """Why a result does not count. A state's name is used where a state is the reason."""

    USED = "used"
    NO_STUDENT = "no student"
    FUTURE = "dated after the day asked for"
    NO_RULE = "no rule fits"
    BY_RULE = "set aside by a rule"
    UNALIGNED = "no competency"
    UNREADABLE = "the score does not fit the scale"
    OTHER_SCALE = "the competency is on another scale"
    NO_WEIGHT = "weight 0"
    OUTRANKED = "better evidence has priority"
    UNSIGNED = "override without name or reason"
    TWICE = "the same result already counts"
    MISSING = State.MISSING.value
    EXCUSED = State.EXCUSED.value
    NOT_ASSESSED = State.NOT_ASSESSED.value
    INCOMPLETE = State.INCOMPLETE.value
    PENDING = State.PENDING.value
    OVERRIDDEN = State.OVERRIDDEN.value
    BLOCKED = "blocks the level"


REASONS = tuple(Reason)
CODE = {reason: n for n, reason in enumerate(REASONS)}
"""Reasons as small whole numbers."""

STATUS_STATES: Mapping[str, State | None] = {
    "exempt": State.EXCUSED,
    "not submitted": State.MISSING,
    "submitted": State.PENDING,
    "partially graded": State.PENDING,
    "fully graded": None,
}
"""What OneRoster's score statuses mean."""

FLAG_STATES = (
    ("missing", State.MISSING), ("incomplete", State.INCOMPLETE), ("in_progress", State.PENDING), ("late", State.LATE),
)  # fmt: skip

_ONLY_FOR_EVIDENCE = frozenset(("scale", "weight", "cap", "priority", "override", "pool"))
"""What a rule cannot say of results that it sets aside."""

VERDICT_COLUMNS = ("score", "score_text", "status", "missing", "incomplete", "in_progress", "late")


@dataclass(frozen=True, slots=True)
class Action:
    """What a state does: count the score (if there is one), set aside, stand for ``level``, or block the level."""

    counts: bool = False
    level: int | None = None
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One evidence rule. ``weight`` in micros; ``scale`` is absent if the rule sets results aside."""

    name: str
    when: When
    scale: Scale | None
    weight: int = MICROS
    capped: bool = False
    priority: int = 1
    set_aside: str | None = None
    override: bool = False
    pool: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one score amounts to: a level in micros, or the reason why there is none; and how it came about."""

    level: int | None
    reason: Reason
    how: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """All evidence rules, and what states do."""

    rules: tuple[Rule, ...]
    columns: tuple[str, ...]
    actions: Mapping[State, Action]
    cap: Fraction | None

    @property
    def verdict_columns(self) -> tuple[str, ...]:
        """The columns on which a verdict depends."""
        scales = [rule.scale for rule in self.rules if rule.scale]
        maximum = ("max_score",) if any(scale.needs_maximum for scale in scales) else ()
        return (*VERDICT_COLUMNS, *maximum, *(("score_scale_value",) if any(s.score_scale for s in scales) else ()))

    @property
    def reads_numbers(self) -> bool:
        """Whether scores are compared or added up, so that those written as text must be read as numbers."""
        return "score" in self.columns or any(rule.pool for rule in self.rules)

    @property
    def grid(self) -> int:
        """A divisor of every level that any rule can give."""
        levels = [action.level for action in self.actions.values() if action.level is not None]
        return gcd(*(rule.scale.grid for rule in self.rules if rule.scale), *levels) or 1

    def choose(self, row: Mapping[str, object]) -> int:
        """The number of the first rule that fits, or -1."""
        return next((n for n, rule in enumerate(self.rules) if rule.when.fits(row)), -1)

    def judge(self, scale: Scale, row: Mapping[str, Any]) -> Verdict:
        """The verdict on one score; ``score`` and ``max_score`` of ``row`` are in micros."""
        text, score = row.get("score_text"), _decimal(row.get("score"))
        marked = scale.state_of(score, text)
        state, said = (marked[0], f'"{marked[1]}" means {marked[0]}') if marked else _flagged(row)
        worth = _decimal(row.get("score_scale_value")) if scale.score_scale else None
        if worth is not None:
            score, text = worth, None
        if state is not None:
            action = self.actions[state]
            if action.blocks:
                return Verdict(None, Reason.BLOCKED, said)
            if action.level is not None and scale.lowest <= action.level <= scale.highest:
                return Verdict(action.level, Reason.USED, f"{said}, counted as {plain(from_micros(action.level))}")
            if not action.counts:
                return Verdict(None, _reason_of(state), said)
        found = scale.convert(score, text, _decimal(row.get("max_score")))
        if found.state is not None:
            return Verdict(None, _reason_of(found.state), found.how)
        if found.level is None:
            return Verdict(None, Reason.UNREADABLE, found.how, found.problem or "")
        return Verdict(found.level, Reason.USED, found.how, said)


def _reason_of(state: State) -> Reason:
    return Reason.NOT_ASSESSED if state is State.LATE else Reason(state.value)


def _flagged(row: Mapping[str, Any]) -> tuple[State | None, str]:
    """The state that the gradebook's status or flags mean, the gravest first."""
    status = str(row.get("status") or "").strip().casefold()
    state = STATUS_STATES.get(status)
    if state is State.EXCUSED:
        return state, f"status {status}"
    for flag, meant in FLAG_STATES[:-1]:
        if row.get(flag) is True:
            return meant, f"flag {flag}"
    if state is not None:
        return state, f"status {status}"
    return (State.LATE, "flag late") if row.get("late") is True else (None, "")


def _decimal(micros: Any) -> Decimal | None:
    return None if micros is None else from_micros(micros)


def compile_rules(
    data: Mapping[str, Any], reader: Reader, columns: Collection[str], scales: Mapping[str, Scale]
) -> Rules:
    """The evidence rules and states of a mapping; without rules everything counts on the one scale."""
    items: Sequence[dict[str, Any]] = data.get("evidence") or [{}]
    rules = [_compile_rule(n, item, reader, columns, scales) for n, item in enumerate(items)]
    caps = {item["cap"] for item in items if "cap" in item}
    if len(caps) > 1:
        hint = "All capped evidence shares one cap: write the same number in each rule."
        reader.note(("evidence",), "The rules state several caps.", hint, "cap")
    chosen = dict.fromkeys(name for rule in rules for name in rule.when.columns)
    cap = Fraction(next(iter(caps))) if caps else None
    return Rules(tuple(rules), tuple(chosen), _compile_actions(data.get("states", {}), reader, scales), cap)


def _compile_rule(
    n: int, item: dict[str, Any], reader: Reader, columns: Collection[str], scales: Mapping[str, Scale]
) -> Rule:
    path: Path = ("evidence", n)
    for word in sorted(_ONLY_FOR_EVIDENCE & set(item)) if "set_aside" in item else ():
        reader.note((*path, word), f"What is set aside has no use for `{word}`.", "Delete one of the two.", "evidence")
    scale = None
    if "set_aside" not in item:
        if "scale" in item:
            scale = reader.one_of((*path, "scale"), "scale", item["scale"], scales, "unknown-scale")
        elif len(scales) == 1:
            scale = next(iter(scales.values()))
        else:
            reader.note(path, "The rule names no scale.", "Add `scale`, or `set_aside` with a reason.", "evidence")
    return Rule(
        name=item.get("name") or f"rule {n + 1}",
        when=compile_when(item.get("when"), (*path, "when"), reader, columns),
        scale=scale,
        weight=to_micros(item.get("weight", Decimal(1))),
        capped="cap" in item,
        priority=item.get("priority", 1),
        set_aside=item.get("set_aside"),
        override=bool(item.get("override")),
        pool=_pool(item, path, reader, scale),
    )


def _pool(item: dict[str, Any], path: Path, reader: Reader, scale: Scale | None) -> str | None:
    if "pool" in item and scale is not None and not scale.needs_maximum:
        hint = "Only scores out of a maximum can be added up: use a scale with `rescale` or `percent_of_maximum`."
        reader.note((*path, "pool"), f'The scale "{scale.name}" knows no maximum.', hint, "pool")
    return item.get("pool")


def _compile_actions(data: Mapping[str, Any], reader: Reader, scales: Mapping[str, Scale]) -> dict[State, Action]:
    """What each state does. A level that it stands for must lie on a scale; on others the state is set aside."""
    actions = {state: Action(counts=state is State.LATE) for state in MARK_STATES}
    for word, wanted in data.items():
        path: Path = ("states", word)
        if word not in MARK_STATES:
            reader.unknown(path, "state", word, MARK_STATES, "unknown-state")
        elif wanted == "count":
            actions[State(word)] = Action(counts=True)
        elif wanted == "set_aside":
            actions[State(word)] = Action()
        elif wanted == "block":
            actions[State(word)] = Action(blocks=True)
        elif isinstance(wanted, dict) and set(wanted) == {"level"} and read_number(str(wanted["level"])) is not None:
            level = to_micros(Decimal(str(wanted["level"])))
            actions[State(word)] = Action(level=level)
            if scales and not any(each.lowest <= level <= each.highest for each in scales.values()):
                message = f"The level {wanted['level']} is beyond every scale."
                reader.note((*path, "level"), message, "Correct it.", "level-beyond-scale")
        else:
            hint = "Say `count`, `set_aside`, `block` or `{level: 0}`."
            reader.note(path, "This is not what a state can do.", hint, "state")
    return actions
