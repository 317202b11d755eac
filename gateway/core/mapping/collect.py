"""From evidence to what counts: rules, alignment and scales, each asked once per distinct combination of values.

The rows never meet Python: each column becomes codes, each answer a small table, and the rows read it by position.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from gateway.core.mapping.alignment import Alignment, Way
from gateway.core.mapping.coding import CODED, Codes, Combined, Memory
from gateway.core.mapping.crosswalks import Target
from gateway.core.mapping.facts import facts
from gateway.core.mapping.personal import ModifiedScales
from gateway.core.mapping.pooled import pool
from gateway.core.mapping.prepare import NO_TIME
from gateway.core.mapping.result import UNMATCHED, sum_unmatched
from gateway.core.mapping.rounding import MICROS
from gateway.core.mapping.rules import CODE, REASONS, Reason, Rules, Verdict
from gateway.core.mapping.unmatched import Reporter

_DAY = 86_400_000
_RULE = "rule"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the parts of one mapping answered so far, kept from call to call."""

    rules: Memory[int] = field(default_factory=Memory)
    targets: Memory[tuple[Sequence[Target], Way | None]] = field(default_factory=Memory)
    verdicts: Memory[Verdict] = field(default_factory=Memory)


@dataclass(frozen=True, slots=True)
class Collected:
    """Results that count, and what became of the others.

    ``counted``: ``key`` (student number times the number of competencies, plus the competency's), ``time`` (ms),
    ``level``, ``weight`` (micros), ``rule``, and ``result_id`` and ``line_item_id`` where the evidence has them.
    ``others``: pairs that are aligned but do not count, with the code of the reason as ``outcome``.
    """

    students: pl.Series
    counted: pl.DataFrame
    others: pl.DataFrame
    unmatched: pl.DataFrame
    set_aside: Mapping[str, int]
    grades: pl.DataFrame
    """``student`` (number) and ``grade``, where the evidence says it: the newest."""


@dataclass(frozen=True, slots=True)
class Collector:
    """The parts of a mapping that decide what counts. ``numbers`` gives each competency its number."""

    rules: Rules
    alignment: Alignment
    numbers: Mapping[str, int]
    report_of: Sequence[str]
    """For each competency's number the scale on which its level lies."""
    carried: Sequence[str] = ()
    """Columns that later steps need."""
    modified: ModifiedScales | None = None
    answers: Answers = field(default_factory=Answers)

    def collect(self, frame: pl.DataFrame, as_of: datetime.date | None) -> Collected:
        """Judge the rows of a prepared ``frame``."""
        verdict_names = [name for name in self.rules.verdict_columns if name in frame.columns]
        codes = Codes(frame, ("student_id", *self.rules.columns, *self.alignment.columns, *verdict_names))
        self._choose(codes)
        scores = Combined(codes, (_RULE, *verdict_names))
        verdicts = self._judge(scores, verdict_names)
        targets = Combined(codes, self.alignment.columns)
        found = [self._align(row) for row in targets.rows]
        pairs = self._pairs(frame, codes, scores, verdicts, targets, found, as_of)
        students = codes.distinct["student_id"].drop_nulls()
        if any(len(each) > 1 for each in found):
            pairs = self._spread(pairs, found)
        if self.modified is not None:
            pairs = self.modified.judge(pairs, students, codes, verdict_names, self.rules)
            pairs = pairs.with_columns(self._weighed().alias("outcome"))
        if any(rule.pool for rule in self.rules.rules):
            pairs = pool(pairs, self.rules.rules)
        rows = codes.rows(pairs["row"]) if "row" in pairs.columns else codes
        reporter = Reporter(self.rules, self.alignment, rows, pairs, self.modified.scales if self.modified else ())
        unmatched = reporter.report((_RULE, *verdict_names), scores, verdicts, targets)
        return self._sorted_out(pairs, students, unmatched, _grades(frame, students, as_of))

    def _choose(self, codes: Codes) -> None:
        """Let ``codes`` know each row's rule: its number, or -1."""
        names = self.rules.columns
        combined = Combined(codes, names)
        chosen = [
            self.answers.rules.ask(row, lambda *row: self.rules.choose(facts(names, row)), *row)
            for row in combined.rows
        ]
        values = sorted(set(chosen))
        place = {number: n for n, number in enumerate(values)}
        codes.add(_RULE, values, combined.answer([place[number] for number in chosen], pl.UInt32))

    def _align(self, row: tuple[object, ...]) -> Sequence[Target]:
        names = self.alignment.columns
        return self.answers.targets.ask(row, lambda *row: self.alignment.find(facts(names, row)), *row)[0]

    def _judge(self, scores: Combined, names: Sequence[str]) -> list[Verdict]:
        rules, memory = self.rules.rules, self.answers.verdicts
        verdicts = []
        for number, *values in scores.rows:
            rule = rules[number] if isinstance(number, int) and number >= 0 else None
            if rule is None or rule.scale is None:
                verdicts.append(Verdict(None, Reason.BY_RULE if rule else Reason.NO_RULE, ""))
                continue
            key = (rule.scale.name, *names, *values)
            verdicts.append(memory.ask(key, self.rules.judge, rule.scale, dict(zip(names, values, strict=True))))
        return verdicts

    def _pairs(
        self,
        frame: pl.DataFrame,
        codes: Codes,
        scores: Combined,
        verdicts: Sequence[Verdict],
        targets: Combined,
        found: Sequence[Sequence[Target]],
        as_of: datetime.date | None,
    ) -> pl.DataFrame:
        """A row for each result, with its (first) competency, level, weight and outcome."""
        kept = [name for name in dict.fromkeys(("result_id", "line_item_id", *self.carried)) if name in frame.columns]
        first = [each[0] if each else None for each in found]
        time = frame["scored_at"].to_physical().cast(pl.Int64)
        numbers = codes.distinct[_RULE].to_list()
        rule = (
            pl.lit(pl.Series(numbers, dtype=pl.Int16)).gather(pl.col(CODED + _RULE))
            if len(numbers) > 1
            else pl.lit(numbers[0] if numbers else -1, pl.Int16)
        )
        student = pl.col(CODED + "student_id") if "student_id" in codes.varying else pl.lit(0)
        several = any(len(each) > 1 for each in found)
        rows = codes.frame.with_columns(frame.select(kept).get_columns()).with_columns(
            time.fill_null(NO_TIME).alias("time")
        )
        columns = [
            student.cast(pl.Int64).alias("student"),
            targets.answer([self.numbers[each[0]] if each else -1 for each in first], pl.Int64).alias("competency"),
            targets.answer([each[1] if each else 0 for each in first], pl.Int64).alias("weight"),
            scores.answer([each.level for each in verdicts], pl.Int64).alias("level"),
            scores.answer([CODE[each.reason] for each in verdicts], pl.UInt8).alias("outcome"),
            rule.alias("rule"),
            pl.col("time", *kept),
        ]
        if several or self.modified is not None:
            columns.append(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))
        if several:
            columns.append(targets.answer(range(len(found)), pl.UInt32).alias("code"))
        pairs = rows.select(columns)
        return pairs.with_columns(self._outcome(frame, pairs, codes, as_of))

    def _outcome(
        self, frame: pl.DataFrame, pairs: pl.DataFrame, codes: Codes, as_of: datetime.date | None
    ) -> list[pl.Expr]:
        """What is a reason before, or beside, the verdict on the score."""
        unruled = [CODE[Reason.NO_RULE], CODE[Reason.BY_RULE]]
        outcome = pl.col("outcome")
        checks: list[tuple[pl.Expr, Reason]] = []
        if codes.distinct["student_id"].null_count():
            checks.append((pl.lit(frame["student_id"].is_null()), Reason.NO_STUDENT))
        if as_of is not None:
            limit = (as_of - datetime.date(1970, 1, 1)).days * _DAY + _DAY
            checks.append((pl.col("time") >= limit, Reason.FUTURE))
        signed = [n for n, rule in enumerate(self.rules.rules) if rule.override]
        if signed:
            unsigned = pl.any_horizontal(
                *(pl.lit(_blank(frame[name])) if name in frame.columns else pl.lit(True) for name in SIGNATURE)
            )
            checks.append((pl.col("rule").is_in(signed) & unsigned, Reason.UNSIGNED))
        checks.append(((pl.col("competency") < 0) & ~outcome.is_in(unruled), Reason.UNALIGNED))
        used = outcome == CODE[Reason.USED]
        scales = [each.scale.report if each.scale else "" for each in self.rules.rules]
        if len({*scales, *self.report_of}) > 1:
            names = {name: n for n, name in enumerate({*scales, *self.report_of})}
            given = pl.lit(pl.Series([names[name] for name in scales], dtype=pl.Int16)).gather(pl.col("rule").clip(0))
            wanted = pl.lit(pl.Series([names[name] for name in self.report_of], dtype=pl.Int16))
            checks.append((used & (given != wanted.gather(pl.col("competency").clip(0))), Reason.OTHER_SCALE))
        for check, reason in reversed(checks):
            outcome = pl.when(check).then(pl.lit(CODE[reason], pl.UInt8)).otherwise(outcome)
        return [self._weighed(outcome).alias("outcome")]

    def _weighed(self, outcome: pl.Expr | None = None) -> pl.Expr:
        """The outcome, where results of a rule of weight 0 are not used."""
        outcome = pl.col("outcome") if outcome is None else outcome
        if all(each.weight for each in self.rules.rules):
            return outcome
        weightless = (outcome == CODE[Reason.USED]) & (self._rule_weight() == 0)
        return pl.when(weightless).then(pl.lit(CODE[Reason.NO_WEIGHT], pl.UInt8)).otherwise(outcome)

    def _rule_weight(self) -> pl.Expr:
        weights = [each.weight for each in self.rules.rules]
        if len(set(weights)) == 1:
            return pl.lit(weights[0])
        return pl.lit(pl.Series(weights, dtype=pl.Int64)).gather(pl.col("rule").clip(0))

    def _spread(self, pairs: pl.DataFrame, found: Sequence[Sequence[Target]]) -> pl.DataFrame:
        """A row for each pair of a result and a competency."""
        table = pl.DataFrame(
            [(n, self.numbers[id], weight) for n, each in enumerate(found) for id, weight in each],
            schema={"code": pl.UInt32, "competency": pl.Int64, "weight": pl.Int64},
            orient="row",
        )
        joined = pairs.drop("competency", "weight").join(table, on="code", how="left")
        return joined.with_columns(pl.col("competency").fill_null(-1), pl.col("weight").fill_null(0))

    def _sorted_out(
        self, pairs: pl.DataFrame, students: pl.Series, unmatched: pl.DataFrame, grades: pl.DataFrame
    ) -> Collected:
        """The pairs that count, and those that do not."""
        number = len(self.numbers)
        weight = pl.col("weight")
        if any(each.weight != MICROS for each in self.rules.rules):
            weight = weight * self._rule_weight() // MICROS
        pairs = pairs.with_columns(
            (pl.col("student") * number + pl.col("competency")).alias("key"), weight.alias("weight")
        )
        if "modified" in pairs.columns:
            pairs = pairs.with_columns(pl.col("modified").is_not_null())
        set_aside: dict[str, int] = {}
        is_used = pairs["outcome"] == CODE[Reason.USED]
        if is_used.all():
            others = pairs.clear()
        else:
            others = pairs.filter(~is_used)
            counts = others["outcome"].value_counts().rows()
            set_aside = {str(REASONS[code]): count for code, count in counts}
            others = others.filter(pl.col("competency") >= 0)
            pairs = pairs.filter(is_used)
        counted = pairs.drop("outcome", "student", "row", "code", strict=False)
        return Collected(students, counted, others, unmatched, dict(sorted(set_aside.items())), grades)


def _grades(frame: pl.DataFrame, students: pl.Series, as_of: datetime.date | None) -> pl.DataFrame:
    """The newest grade of each student, as of a day."""
    if "grade" not in frame.columns:
        return pl.DataFrame(schema={"student": pl.Int64, "grade": pl.String})
    known = pl.DataFrame({"student_id": students, "student": pl.int_range(len(students), eager=True)})
    grade = pl.col("grade").cast(pl.String)
    said = frame.select("student_id", grade, "scored_at").drop_nulls("grade")
    if as_of is not None:
        said = said.filter((pl.col("scored_at").cast(pl.Date) <= as_of).fill_null(True))
    newest = said.group_by("student_id", "grade").agg(pl.col("scored_at").max()).sort("scored_at", "grade")
    last = newest.group_by("student_id").agg(pl.col("grade").last())
    return last.join(known, on="student_id").select("student", "grade")


def _blank(texts: pl.Series) -> pl.Series:
    """Where nothing, or nothing but blanks, stands in a column."""
    return (texts.cast(pl.String).str.strip_chars() == "").fill_null(True)


SIGNATURE = ("override_by", "override_reason")
"""The columns without which a level set by a person does not count."""

__all__ = ["NO_TIME", "SIGNATURE", "UNMATCHED", "Answers", "Collected", "Collector", "sum_unmatched"]
