"""A mapping applied to few results, row by row: what one API call needs, where tables would only be overhead.

It asks the same rules, ways, scales, methods and standings as the calculation for all students at once, and gives the
same bytes; a property test holds the two together. What is rare in a call (portfolios, credits, pooled parts, modified
scales, levels set by hand, a baseline on a day) is left to the tables.
"""

from __future__ import annotations

import datetime
import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl

from gateway.core.mapping.collect import NO_TIME, Collector
from gateway.core.mapping.continuum import Continuum, milliseconds
from gateway.core.mapping.few_rows import Judged, Pair, judge_rows
from gateway.core.mapping.language import State
from gateway.core.mapping.methods.few import summarize_one
from gateway.core.mapping.result import CONTINUUM, CREDITS, LEVELS, PLACEMENT, UNMATCHED, Mapped, sum_unmatched
from gateway.core.mapping.rounding import Rounding, as_decimal
from gateway.core.mapping.rules import Reason
from gateway.core.mapping.stages import stage_value
from gateway.core.mapping.summarize import GRAVEST, STATE_OF, Summarizer
from gateway.core.mapping.summary import RollUp, Summary
from gateway.core.mapping.unmatched import Entry
from gateway.core.model import TIME

MOST = 400
"""Up to so many results are mapped row by row."""

_TWO_PLACES = Rounding(10_000)
_DAY = 86_400_000


@dataclass(slots=True)
class _Level:
    level: int | None
    state: State
    count: int
    first: int | None
    last: int | None
    rolled: bool = False


@dataclass(frozen=True, slots=True)
class Few:
    """What a mapping needs for few results, looked up beforehand. ``summary_of`` and ``threshold_of`` are per
    competency number; ``roll_ups``: for each also the targets, with weights, of each source."""

    name: str
    version: str
    places: int
    labels: Sequence[str]
    ids: Sequence[str]
    collector: Collector
    summary_of: Sequence[Summary]
    threshold_of: Sequence[int | None]
    roll_ups: Sequence[tuple[RollUp, Mapping[int, Sequence[tuple[int, int]]]]]
    continuum: Continuum | None

    def apply(self, evidence: pl.DataFrame, as_of: datetime.date | None) -> Mapped:
        """The same as :meth:`CompiledMapping.apply`."""
        judged = judge_rows(self.collector, evidence, as_of)
        levels = {student: self._levels(student, judged) for student in sorted({*judged.pairs, *judged.others})}
        for student in levels:
            self._roll_up(levels[student])
        continuum, placement = self._place(levels, judged, as_of)
        return Mapped(
            levels=self._published(levels),
            continuum=continuum,
            credits=_NO_CREDITS,
            unmatched=_unmatched(judged.unmatched),
            placement=placement,
            evidence=evidence.height,
            used=judged.used,
            set_aside=dict(sorted(judged.set_aside.items())),
        )

    def _levels(self, student: str, judged: Judged) -> dict[int, _Level]:
        """The levels of one student from evidence."""
        levels: dict[int, _Level] = {}
        for competency, pairs in judged.pairs[student].items():
            once = self._once(pairs, judged)
            level = self._summarized(self.summary_of[competency], once)
            levels[competency] = level
        for competency, reasons in judged.others[student].items():
            if Reason.BLOCKED in reasons and competency in levels:
                levels[competency].level, levels[competency].state = None, State.INCOMPLETE
            elif competency not in levels:
                known = {Reason.NOT_ASSESSED if each is Reason.UNREADABLE else each for each in reasons}
                gravest = next((each for each in GRAVEST if each in known), None)
                if gravest is not None:
                    levels[competency] = _Level(None, STATE_OF[gravest], 0, None, None)
        return levels

    def _once(self, pairs: list[Pair], judged: Judged) -> list[Pair]:
        """The pairs of the first priority in their order, each result once."""
        rules = self.collector.rules.rules
        if len(pairs) > 1:
            best = min(rules[pair[-1]].priority for pair in pairs)
            kept = [pair for pair in pairs if rules[pair[-1]].priority == best]
            _leave_out(judged, Reason.OUTRANKED, len(pairs) - len(kept))
            pairs = sorted(kept)
        once = []
        for pair, following in pairwise(pairs):
            same = pair[1] and following[:3] == pair[:3] and following[5] == pair[5]
            if not same:
                once.append(pair)
        once += pairs[-1:]
        _leave_out(judged, Reason.TWICE, len(pairs) - len(once))
        return once

    def _summarized(self, summary: Summary, pairs: Sequence[Pair]) -> _Level:
        rules = self.collector.rules.rules
        level = _one(
            summary,
            [pair[5] for pair in pairs],
            [pair[6] for pair in pairs],
            [rules[pair[7]].capped for pair in pairs],
        )
        state = State.INSUFFICIENT if level is None else State.CALCULATED
        return _Level(level, state, len(pairs), pairs[0][0], pairs[-1][0])

    def _roll_up(self, levels: dict[int, _Level]) -> None:
        """Add the levels of the roll-ups to those of one student."""
        for roll_up, targets_of in self.roll_ups:
            inputs: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
            for source, each in levels.items():
                if each.level is not None and not (roll_up.from_evidence and each.rolled):
                    for target, weight in targets_of.get(source, ()):
                        inputs[target].append((NO_TIME if each.last is None else each.last, source, weight))
            found = {t: self._rolled_up(roll_up, t, sorted(given), levels) for t, given in inputs.items()}
            levels.update(found)

    def _rolled_up(
        self, roll_up: RollUp, target: int, given: Sequence[tuple[int, int, int]], levels: Mapping[int, _Level]
    ) -> _Level:
        sources = [levels[source] for _, source, _ in given]
        weights = [weight for _, _, weight in given]
        level = _one(roll_up.summary, [each.level or 0 for each in sources], weights, [False] * len(given))
        if roll_up.conditional:
            known = {self.ids[source]: levels[source].level or 0 for _, source, _ in given}
            level = None if roll_up.unmet(self.ids[target], known) else level
        first = min((each.first for each in sources if each.first is not None), default=None)
        last = max((each.last for each in sources if each.last is not None), default=None)
        state = State.INSUFFICIENT if level is None else State.CALCULATED
        return _Level(level, state, sum(each.count for each in sources), first, last, rolled=True)

    def _published(self, levels: Mapping[str, Mapping[int, _Level]]) -> pl.DataFrame:
        rows = [
            (
                student, self.labels[n], each.level,
                None if each.level is None or (least := self.threshold_of[n]) is None else each.level >= least,
                each.state.value, each.count, None if each.first == NO_TIME else each.first,
                None if each.last == NO_TIME else each.last,
            )
            for student, mine in levels.items() for n, each in sorted(mine.items())
        ]  # fmt: skip
        frame = pl.DataFrame(rows, schema=_LEVELS, orient="row")
        return frame.with_columns_seq(_shown(self.name, self.version, self.places))

    def _place(
        self, levels: Mapping[str, Mapping[int, _Level]], judged: Judged, as_of: datetime.date | None
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The continuum and the placement."""
        if self.continuum is None:
            return _NO_CONTINUUM, _NO_PLACEMENT
        rows = [row for student, mine in levels.items() for row in self._standings(student, mine, judged, as_of)]
        if not rows:
            return _NO_CONTINUUM, _NO_PLACEMENT
        frame = pl.DataFrame(rows, schema=_STANDINGS, orient="row").with_columns_seq(_SHARES)
        continuum, placement = (pl.DataFrame([frame[name] for name in table]) for table in (CONTINUUM, PLACEMENT))
        return continuum, placement

    def _standings(
        self, student: str, levels: Mapping[int, _Level], judged: Judged, as_of: datetime.date | None
    ) -> Iterator[tuple[Any, ...]]:
        """The rows of one student, by domain."""
        rules = self.continuum
        assert rules is not None, "only mappings with a continuum have standings"  # noqa: S101
        sets: dict[int, list[int]] = {}
        for n, each in levels.items():
            domain, bit = rules.place_of[n]
            if domain < 0 or not each.count or each.first is None or each.last is None:
                continue
            own = sets.setdefault(domain, [0, 0, 2**62, 2**62, NO_TIME])
            least = rules.threshold[n]
            own[0] |= 1 << bit
            if each.level is not None and least is not None and each.level >= least:
                own[1] |= 1 << bit
            own[2] = min(own[2], each.first * 1024 + rules.stage_of[n])
            own[3], own[4] = min(own[3], each.first), max(own[4], each.last)
        grade = judged.grades.get(student, (0, None))[1]
        for domain in sorted(sets, key=lambda domain: rules.rules[domain].label):
            evidence, complete, began, first, last = sets[domain]
            stand = rules.rules[domain].stand(evidence, complete)
            baseline = rules.rules[domain].stages[began % 1024].value
            growth = stand.position - baseline
            until = last if as_of is None else milliseconds(as_of)
            days = None if first == NO_TIME else (until - first) // _DAY
            pace = None
            if days is not None and days >= rules.at_least_days:
                pace = _TWO_PLACES.of(growth * rules.days, days)
            age = None if grade is None else stage_value(grade)
            ahead = None if age is None or stand.value is None else stand.value - age
            yield (
                student, rules.rules[domain].label, stand.performance_level, stand.progress, stand.complete, stand.next,
                stand.gaps, baseline, growth, pace, grade, stand.lowest, stand.highest, ahead,
            )  # fmt: skip


@functools.lru_cache(maxsize=512)
def _shown(name: str, version: str, places: int) -> list[pl.Expr]:
    """What is made of the rows of levels; building the expressions costs as much as evaluating them."""
    return [
        as_decimal(pl.col("level"), places),
        pl.col("first_scored_at", "last_scored_at").cast(TIME),
        pl.lit(name).alias("mapping"),
        pl.lit(version).alias("version"),
    ]


def _leave_out(judged: Judged, reason: Reason, count: int) -> None:
    if count:
        judged.set_aside[reason.value] += count
        judged.used -= count


def _one(summary: Summary, levels: list[int], weights: list[int], capped: list[bool]) -> int | None:
    if len(levels) < summary.at_least:
        return None
    level = summarize_one(summary.method, levels, weights, capped, summary.parameters, summary.rounding)
    if level is not None and summary.method.beyond:
        return min(max(level, summary.scale.lowest), summary.scale.highest)
    return level


def _unmatched(found: Mapping[Entry, Sequence[tuple[int, str, int]]]) -> pl.DataFrame:
    if not found:
        return _NO_UNMATCHED
    rows = []
    for entry, places in found.items():
        times = [time for _, _, time in places if time != NO_TIME]
        counts = (len({n for n, _, _ in places}), len({student for _, student, _ in places}))
        rows.append((*entry, *counts, min(times, default=None), max(times, default=None)))
    schema = {name: pl.Int64 if dtype == TIME else dtype for name, dtype in UNMATCHED.items()}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return sum_unmatched(frame.with_columns(pl.col("first_scored_at", "last_scored_at").cast(TIME)))


def few(
    name: str,
    version: str,
    places: int,
    labels: Sequence[str],
    collector: Collector,
    summarizer: Summarizer,
    continuum: Continuum | None,
) -> Few | None:
    """What a mapping needs for few results; nothing if it has parts that only tables know."""
    rules = collector.rules.rules
    if collector.modified or summarizer.overrides or any(rule.pool or rule.override for rule in rules):
        return None
    if any(rule.scale is not None and rule.scale.modified for rule in rules):
        return None
    if continuum is not None and continuum.baseline_on is not None:
        return None
    summaries, numbers = summarizer.summaries, summarizer.numbers
    roll_ups = []
    for each in summaries.roll_ups:
        targets: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for target, sources in each.sources.items():
            for source, weight in sources:
                targets[numbers[source]].append((numbers[target], weight))
        roll_ups.append((each, dict(targets)))
    ids = summarizer.ids
    return Few(
        name, version, places, labels, ids, collector,
        [summaries.of(id) for id in ids], [summaries.scale_of[id].proficient for id in ids], roll_ups, continuum,
    )  # fmt: skip


_LEVELS: dict[str, Any] = {
    name: pl.Int64 if dtype in (TIME, pl.Decimal(18, 2)) else dtype
    for name, dtype in LEVELS.items()
    if name not in ("mapping", "version")
}
_STANDINGS: dict[str, Any] = {
    name: pl.Int64 if dtype == pl.Decimal(18, 2) else dtype for name, dtype in {**CONTINUUM, **PLACEMENT}.items()
}
_SHARES = as_decimal(pl.col("progress", "baseline", "growth", "pace", "ahead"), 2)
_NO_CONTINUUM = pl.DataFrame(schema=dict(CONTINUUM))
_NO_PLACEMENT = pl.DataFrame(schema=dict(PLACEMENT))
_NO_CREDITS = pl.DataFrame(schema=dict(CREDITS))
_NO_UNMATCHED = pl.DataFrame(schema=dict(UNMATCHED))
