"""One student's levels once more, step by step with exact numbers, so that each can be explained.

This is the second form of the rules that :mod:`~gateway.core.mapping.collect` and
:mod:`~gateway.core.mapping.summarize` apply to all students at once. Tests hold the two together: whatever the
evidence, both give the same levels and states.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import polars as pl

from gateway.core.mapping.collect import NO_TIME, SIGNATURE
from gateway.core.mapping.conditions import When
from gateway.core.mapping.facts import facts
from gateway.core.mapping.language import State
from gateway.core.mapping.pooled import whole_of
from gateway.core.mapping.prepare import prepare
from gateway.core.mapping.rounding import MICROS, from_micros
from gateway.core.mapping.rules import Reason, Rule
from gateway.core.mapping.scales import Scale, plain
from gateway.core.mapping.summarize import GRAVEST, STATE_OF, end_of
from gateway.core.mapping.summary import RollUp, Summary

if TYPE_CHECKING:
    from gateway.core.mapping.compiled import CompiledMapping


@dataclass(frozen=True, slots=True)
class Item:
    """One result and one competency: whether it counts, and how its level came about. ``row`` is the evidence."""

    row: Mapping[str, Any]
    competency: str | None
    reason: Reason
    rule: Rule | None = None
    scale: Scale | None = None
    way: str = ""
    level: int | None = None
    weight: int = MICROS
    how: str = ""
    note: str = ""
    modified: bool = False
    """Whether the table of modified scales names this student and competency."""

    @property
    def time(self) -> int:
        time = self.row["time"]
        return NO_TIME if time is None else int(time)

    @property
    def order(self) -> tuple[Any, ...]:
        """The declared order: scored at, then the result's and the line item's id; then all that could matter."""
        ids = ((self.row.get(name) is not None, self.row.get(name) or "") for name in ("result_id", "line_item_id"))
        return (self.time, *ids, self.level or 0, self.weight)


@dataclass(frozen=True, slots=True)
class Level:
    """One level with everything that it stands on. ``exact`` is the value before rounding, in level units; ``inputs``
    are the levels that were rolled up."""

    competency: str
    summary: Summary
    state: State
    level: int | None
    exact: Fraction | None = None
    calculation: str = ""
    clamped: bool = False
    used: tuple[Item, ...] = ()
    set_aside: tuple[Item, ...] = ()
    by_hand: Item | None = None
    calculated: int | None = None
    inputs: tuple[Level, ...] = ()
    roll_up: RollUp | None = None
    unmet: str | None = None
    """The competency without which, or below whose minimum, nothing is rolled up."""
    count: int = 0
    first: int | None = None
    last: int | None = None


@dataclass(slots=True)
class Trace:
    """All of one student: ``levels`` by competency id, and what reached no competency."""

    levels: dict[str, Level] = field(default_factory=dict)
    unplaced: list[Item] = field(default_factory=list)


def trace(
    mapping: CompiledMapping, evidence: pl.DataFrame, student_id: str, as_of: datetime.date | None = None
) -> Trace:
    """The levels of one student, calculated exactly."""
    own = evidence.filter(pl.col("student_id").cast(pl.String) == student_id)
    frame = prepare(own, numbers=mapping.collector.rules.reads_numbers)
    frame = frame.with_columns(pl.col("scored_at").to_physical().cast(pl.Int64).alias("time"))
    items = _pooled(list(_items(mapping, frame, as_of)))
    found = Trace(unplaced=[item for item in items if item.competency is None])
    by_competency: dict[str, list[Item]] = {}
    for item in items:
        if item.competency is not None:
            by_competency.setdefault(item.competency, []).append(item)
    for item in _set_by_table(mapping, student_id, as_of):
        by_competency.setdefault(str(item.competency), []).append(item)
    for id, mine in by_competency.items():
        level = _level(mapping, id, mine)
        if level is not None:
            found.levels[id] = level
    for roll_up in mapping.summarizer.summaries.roll_ups:
        found.levels |= {level.competency: level for level in _rolled_up(mapping, found.levels, roll_up)}
    return found


def _items(mapping: CompiledMapping, frame: pl.DataFrame, as_of: datetime.date | None) -> Iterator[Item]:
    """Every pair of a result and a competency, judged."""
    collector = mapping.collector
    limit = None if as_of is None else end_of(as_of)
    days = [name for name, dtype in frame.schema.items() if dtype.is_temporal()]
    seen = frame.with_columns(pl.col(days).cast(pl.Date)) if days else frame
    for row, shown in zip(seen.rows(named=True), frame.rows(named=True), strict=True):
        known = facts(list(row), list(row.values()))
        if limit is not None and row["time"] is not None and row["time"] >= limit:
            yield Item(shown, None, Reason.FUTURE)
            continue
        number = collector.rules.choose(known)
        rule = collector.rules.rules[number] if number >= 0 else None
        if rule is None or rule.scale is None:
            reason, note = (Reason.BY_RULE, rule.set_aside or "") if rule else (Reason.NO_RULE, "")
            yield Item(shown, None, reason, rule, note=note)
            continue
        targets, way = collector.alignment.find(known)
        if rule.override and not all(str(row.get(name) or "").strip() for name in SIGNATURE):
            yield Item(shown, None, Reason.UNSIGNED, rule)
        elif not targets or way is None:
            yield Item(shown, None, Reason.UNALIGNED, rule)
        else:
            for id, weight in targets:
                yield _judged(mapping, Item(shown, id, Reason.USED, rule, way=way.words, weight=weight), row)


def _judged(mapping: CompiledMapping, item: Item, row: Mapping[str, Any]) -> Item:
    rule, id = item.rule, str(item.competency)
    assert rule is not None and rule.scale is not None, "only rules with a scale judge"  # noqa: S101
    collector = mapping.collector
    scale = rule.scale
    modified = collector.modified.of(row["student_id"], collector.numbers[id]) if collector.modified else None
    if modified is not None:
        scale, item = modified, replace(item, modified=True)
    verdict = collector.rules.judge(scale, row)
    weight = item.weight * rule.weight // MICROS
    judged = replace(
        item, scale=scale, level=verdict.level, weight=weight, reason=verdict.reason, how=verdict.how, note=verdict.note
    )
    if verdict.reason is Reason.USED and scale.report != mapping.summarizer.summaries.of(id).scale.report:
        return replace(judged, reason=Reason.OTHER_SCALE)
    if verdict.reason is Reason.USED and rule.weight == 0:
        return replace(judged, reason=Reason.NO_WEIGHT)
    return judged


def _pooled(items: list[Item]) -> list[Item]:
    """Items of pooled rules with the level of their whole."""
    wholes: dict[tuple[Any, ...], list[Item]] = {}
    for item in items:
        together = item.rule.pool if item.rule and _is_part(item) else None
        if together and item.row.get(together) is not None:
            wholes.setdefault((item.competency, id(item.rule), item.row[together]), []).append(item)
    changed: dict[int, Item] = {}
    for parts in wholes.values():
        rule = parts[0].rule
        assert rule is not None and rule.scale is not None, "only rules with a scale pool"  # noqa: S101
        score = sum(part.row["score"] for part in parts)
        maximum = sum(whole_of(rule.scale, part.row["max_score"]) or 0 for part in parts)
        found = rule.scale.convert(from_micros(score), None, from_micros(maximum))
        if found.level is not None:
            how = f"{len(parts)} parts together: {found.how}"
            changed |= {id(part): replace(part, level=found.level, how=how) for part in parts}
    return [changed.get(id(item), item) for item in items]


def _is_part(item: Item) -> bool:
    """Whether an item can be added up: a score out of a maximum, read by the rule's own scale."""
    if item.reason is not Reason.USED or item.rule is None or item.rule.scale is None or item.modified:
        return False
    return item.row.get("score") is not None and whole_of(item.rule.scale, item.row.get("max_score")) is not None


def _set_by_table(mapping: CompiledMapping, student_id: str, as_of: datetime.date | None) -> Iterator[Item]:
    limit = None if as_of is None else end_of(as_of)
    rule = Rule("override", When(), mapping.scale, override=True)
    for each in mapping.summarizer.overrides:
        if each.student_id == student_id and (limit is None or each.time < limit):
            row = {"student_id": student_id, "time": each.time, "override_by": each.by, "override_reason": each.reason}
            yield Item(row, mapping.ids[each.competency], Reason.USED, rule, way="table", level=each.level)


def _level(mapping: CompiledMapping, id: str, items: Sequence[Item]) -> Level | None:
    """The level of one competency from its own evidence."""
    summary = mapping.summarizer.summaries.of(id)
    by_hand = [item for item in items if item.rule and item.rule.override and item.reason is Reason.USED]
    used = [item for item in items if item.reason is Reason.USED and item not in by_hand]
    aside = [item for item in items if item.reason is not Reason.USED]
    best = min((item.rule.priority for item in used if item.rule), default=1)
    outranked = [item for item in used if item.rule and item.rule.priority > best]
    once, twice = _once(sorted((item for item in used if item not in outranked), key=lambda item: item.order))
    aside += [replace(item, reason=Reason.OUTRANKED) for item in outranked]
    aside += [replace(item, reason=Reason.TWICE) for item in twice]
    level = _summarized(id, summary, once)
    level = replace(level, set_aside=tuple(sorted(aside, key=lambda item: item.order)))
    reasons = {item.reason for item in aside}
    if not once:
        gravest = next((reason for reason in GRAVEST if reason in _as_state(reasons)), None)
        if gravest is None and not by_hand:
            return None
        level = replace(level, state=STATE_OF[gravest] if gravest else State.INSUFFICIENT, first=None, last=None)
    if Reason.BLOCKED in reasons:
        level = replace(level, level=None, state=State.INCOMPLETE)
    return _by_hand(level, by_hand)


def _as_state(reasons: Iterable[Reason]) -> set[Reason]:
    return {Reason.NOT_ASSESSED if reason is Reason.UNREADABLE else reason for reason in reasons}


def _by_hand(level: Level, by_hand: Sequence[Item]) -> Level:
    if not by_hand:
        return level
    newest = max(by_hand, key=lambda item: (item.time, item.level or 0))
    last = newest.time if level.last is None else max(level.last, newest.time)
    return replace(
        level,
        state=State.OVERRIDDEN,
        level=level.summary.rounding.exactly(Fraction(newest.level or 0)),
        calculated=level.level,
        by_hand=newest,
        first=newest.time if level.first is None else level.first,
        last=last,
    )


def _once(ordered: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """The items without those of a result that counts with the same level and at least that weight."""
    kept: list[Item] = []
    twice: list[Item] = []
    for item, following in zip_longest(ordered, ordered[1:]):
        again = item.row.get("result_id") is not None and following is not None and _same(item, following)
        (twice if again else kept).append(item)
    return kept, twice


def _same(one: Item, other: Item) -> bool:
    mine, its = ((item.row.get("result_id"), item.time, item.level) for item in (one, other))
    return mine == its


def _summarized(id: str, summary: Summary, items: Sequence[Item]) -> Level:
    """The level that a method makes of items in their order."""
    level = Level(id, summary, State.INSUFFICIENT, None, used=tuple(items), count=len(items))
    if not items:
        return level
    level = replace(level, first=items[0].time, last=items[-1].time)
    levels = [Fraction(item.level or 0, MICROS) for item in items]
    weights = [Fraction(item.weight, MICROS) for item in items]
    capped = [bool(item.rule and item.rule.capped) for item in items]
    level = _calculated(level, summary, levels, weights, capped)
    if level.level is not None and any(_is_modified(item) for item in items):
        level = replace(level, state=State.MODIFIED)
    return level


def _is_modified(item: Item) -> bool:
    """Whether the scale is marked as modified, or stands in the place of the rule's for this student."""
    return item.modified or (item.scale is not None and item.scale.modified)


def _calculated(
    level: Level, summary: Summary, levels: list[Fraction], weights: list[Fraction], capped: list[bool]
) -> Level:
    found = summary.method.exact(levels, weights, capped, summary.parameters)
    if found is None:
        return level
    exact, calculation = found
    rounded = summary.rounding.exactly(exact * MICROS)
    inside = min(max(rounded, summary.scale.lowest), summary.scale.highest) if summary.method.beyond else rounded
    level = replace(level, exact=exact, calculation=calculation, clamped=inside != rounded)
    if len(levels) < summary.at_least:
        return level
    return replace(level, level=inside, state=State.CALCULATED)


def _rolled_up(mapping: CompiledMapping, levels: Mapping[str, Level], roll_up: RollUp) -> Iterator[Level]:
    numbers = mapping.collector.numbers
    for target, sources in roll_up.sources.items():
        own = levels.get(target)
        by_hand = own is not None and own.by_hand is not None
        given = [
            (levels[id], weight)
            for id, weight in sources
            if id in levels and levels[id].level is not None and not (roll_up.from_evidence and levels[id].roll_up)
            if not (by_hand and id == target)
        ]
        if not given:
            continue
        given.sort(key=lambda each: (NO_TIME if each[0].last is None else each[0].last, numbers[each[0].competency]))
        inputs = [level for level, _ in given]
        level = Level(
            target,
            roll_up.summary,
            State.INSUFFICIENT,
            None,
            inputs=tuple(inputs),
            roll_up=roll_up,
            count=sum(each.count for each in inputs),
            first=min((each.first for each in inputs if each.first is not None), default=None),
            last=max((each.last for each in inputs if each.last is not None), default=None),
        )
        values = [Fraction(each.level or 0, MICROS) for each in inputs]
        weights = [Fraction(weight, MICROS) for _, weight in given]
        level = _calculated(level, roll_up.summary, values, weights, [False] * len(given))
        if level.level is not None and any(each.state is State.MODIFIED for each in inputs):
            level = replace(level, state=State.MODIFIED)
        unmet = roll_up.unmet(target, {each.competency: each.level or 0 for each in inputs})
        if unmet is not None:
            level = replace(level, level=None, state=State.INSUFFICIENT, unmet=unmet)
        if own is not None and by_hand:  # what a person has set stands
            level = replace(own, calculated=level.level)
        yield level


def said_score(item: Item) -> str:
    """The score as received."""
    text, score = item.row.get("score_text"), item.row.get("score")
    if text:
        return str(text)
    return plain(from_micros(score)) if isinstance(score, int) else ""
