"""Few results judged row by row: which count, for which competency, with which level, and why the others do not."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any, TypeAlias

import polars as pl

from gateway.core.mapping.collect import Collector
from gateway.core.mapping.crosswalks import Target
from gateway.core.mapping.facts import facts
from gateway.core.mapping.few_columns import plain_columns, plain_times
from gateway.core.mapping.prepare import NO_TIME, prepared_names
from gateway.core.mapping.rounding import MICROS
from gateway.core.mapping.rules import Reason, Rule, Verdict
from gateway.core.mapping.scales import Scale
from gateway.core.mapping.summarize import end_of
from gateway.core.mapping.unmatched import Entry, code_entry, rule_entry, score_entry

_KEPT = ("student_id", "result_id", "line_item_id", "grade")

Pair: TypeAlias = tuple[int, bool, str, bool, str, int, int, int]
"""A result that counts, so that pairs sort in the declared order: time, result's id, line item's id (each after whether
there is one), level, weight, number of the rule."""


@dataclass(slots=True)
class Judged:
    """What became of the rows: pairs that count and reasons of others by student and competency, and counts."""

    pairs: dict[str, dict[int, list[Pair]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    others: dict[str, dict[int, set[Reason]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    set_aside: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unmatched: dict[Entry, list[tuple[int, str, int]]] = field(default_factory=lambda: defaultdict(list))
    grades: dict[str, tuple[int, str]] = field(default_factory=dict)
    used: int = 0


def judge_rows(collector: Collector, evidence: pl.DataFrame, as_of: datetime.date | None) -> Judged:
    """Judge the rows of ``evidence``, as the collector does for tables."""
    return _Judge(collector, evidence, as_of).run()


class _Judge:
    """Judges rows by the rules, ways and scales of a mapping, which remember their answers."""

    def __init__(self, collector: Collector, evidence: pl.DataFrame, as_of: datetime.date | None) -> None:
        self.collector = collector
        self.rules, self.alignment = collector.rules, collector.alignment
        there = prepared_names(evidence.schema)
        self.names = [name for name in self.rules.verdict_columns if name in there]
        self.rows = _rows(
            evidence, (self.rules.columns, self.alignment.columns, self.names, _KEPT), numbers=self.rules.reads_numbers
        )
        self.limit = None if as_of is None else end_of(as_of)
        self.judged = Judged()

    def run(self) -> Judged:
        judged = self.judged
        missed: dict[tuple[Any, ...], Entry] = {}
        for n, (time, (by_rule, by_code, by_score, kept)) in enumerate(self.rows):
            student, result, item, grade = kept
            targets = self._targets(by_code)
            if student is None:
                self._leave_out(Reason.NO_STUDENT, targets)
                continue
            if self.limit is not None and time >= self.limit:
                self._leave_out(Reason.FUTURE, targets)
                continue
            if grade is not None:
                judged.grades[student] = max(judged.grades.get(student, (NO_TIME - 1, "")), (time, str(grade)))
            number = self._rule(by_rule)
            rule = self.rules.rules[number] if number >= 0 else None
            where = (n, student, time)
            if rule is None or rule.scale is None:
                self._leave_out(Reason.NO_RULE if rule is None else Reason.BY_RULE, targets)
                if rule is None:
                    judged.unmatched[rule_entry(self.rules, by_rule)].append(where)
            elif not targets:
                self._leave_out(Reason.UNALIGNED, targets)
                if by_code not in missed:  # looking for the nearest code costs more than all else
                    missed[by_code] = code_entry(self.alignment, by_code)
                judged.unmatched[missed[by_code]].append(where)
            else:
                verdict = self._verdict(rule.scale, by_score, where)
                self._take(verdict, rule, number, targets, student, _order(time, result, item, verdict.level))
        return judged

    def _rule(self, key: tuple[Any, ...]) -> int:
        found = self.collector.answers.rules.get(key)
        if found is None:
            columns, choose = self.rules.columns, self.rules.choose
            found = self.collector.answers.rules.ask(key, lambda *row: choose(facts(columns, row)), *key)
        return found

    def _targets(self, key: tuple[Any, ...]) -> Sequence[Target]:
        found = self.collector.answers.targets.get(key)
        if found is None:
            columns, find = self.alignment.columns, self.alignment.find
            found = self.collector.answers.targets.ask(key, lambda *row: find(facts(columns, row)), *key)
        return found[0]

    def _verdict(self, scale: Scale, by_score: tuple[Any, ...], where: tuple[int, str, int]) -> Verdict:
        key = (scale.name, *self.names, *by_score)
        found = self.collector.answers.verdicts.get(key)
        if found is None or found.reason is Reason.UNREADABLE:
            row = dict(zip(self.names, by_score, strict=True))
            found = self.collector.answers.verdicts.ask(key, self.rules.judge, scale, row)
            if found.reason is Reason.UNREADABLE:
                self.judged.unmatched[score_entry(self.rules, scale, row)].append(where)
        return found

    def _leave_out(self, reason: Reason, targets: Sequence[Target]) -> None:
        self.judged.set_aside[reason.value] += max(len(targets), 1)

    def _take(
        self,
        verdict: Verdict,
        rule: Rule,
        number: int,
        targets: Sequence[Target],
        student: str,
        order: tuple[int, bool, str, bool, str, int],
    ) -> None:
        """Count a judged result for each of its competencies."""
        for id, weight in targets:
            competency = self.collector.numbers[id]
            reason = verdict.reason
            if reason is Reason.USED and rule.scale and rule.scale.report != self.collector.report_of[competency]:
                reason = Reason.OTHER_SCALE
            elif reason is Reason.USED and rule.weight == 0:
                reason = Reason.NO_WEIGHT
            if reason is Reason.USED:
                pair = (*order, weight * rule.weight // MICROS, number)
                self.judged.pairs[student][competency].append(pair)
                self.judged.used += 1
            else:
                self.judged.set_aside[reason.value] += 1
                self.judged.others[student][competency].add(reason)


def _order(time: int, result: Any, item: Any, level: int | None) -> tuple[int, bool, str, bool, str, int]:
    """The declared order: time, the ids of result and line item (nothing first), level."""
    has_result, has_item = result is not None, item is not None
    return time, has_result, result if has_result else "", has_item, item if has_item else "", level or 0


def _rows(
    evidence: pl.DataFrame, groups: Sequence[Sequence[str]], *, numbers: bool
) -> Iterator[tuple[int, tuple[tuple[Any, ...], ...]]]:
    """The rows as their time and the values of groups of columns."""
    columns = plain_columns(evidence, list(dict.fromkeys(chain.from_iterable(groups))), numbers=numbers)
    values = [
        zip(*(columns[name] for name in group), strict=True) if group else repeat((), evidence.height)
        for group in groups
    ]
    return zip(plain_times(evidence), zip(*values, strict=True), strict=True)
