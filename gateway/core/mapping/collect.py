"""From evidence to what counts: rules, alignment and scales, each asked once per distinct combination of values.

The rows never meet Python: each column becomes codes, each answer a small table, and the rows read it by position.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import polars as pl

from gateway.core.mapping.alignment import Alignment, Target, Way
from gateway.core.mapping.coding import Coder
from gateway.core.mapping.prepare import NUMBERS
from gateway.core.mapping.result import UNMATCHED, sum_unmatched
from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.rules import CODE, REASONS, VERDICT_COLUMNS, Reason, Rules, Verdict
from gateway.core.mapping.scales import plain

T = TypeVar("T")

NO_TIME = -(2**46)
"""Stands for "no time" among times in milliseconds: older than any."""

_MEMORY = 200_000


class Memory(dict[tuple[object, ...], T]):
    """Answers given before; forgets all when it grows beyond reason."""

    def ask(self, key: tuple[object, ...], question: Callable[..., T], *about: object) -> T:
        if key not in self:
            if len(self) >= _MEMORY:
                self.clear()
            self[key] = question(*about)
        return self[key]


@dataclass(frozen=True, slots=True)
class Answers:
    """What the parts of one mapping answered so far, kept from call to call."""

    rules: Memory[int | None] = field(default_factory=Memory)
    targets: Memory[tuple[Sequence[Target], Way | None]] = field(default_factory=Memory)
    verdicts: Memory[Verdict] = field(default_factory=Memory)


@dataclass(frozen=True, slots=True)
class Collected:
    """Results that count, and what became of the others.

    ``counted``: ``key`` (student number times the number of competencies, plus the competency's), ``time`` (ms),
    ``level``, ``weight`` (micros), ``rule``, and ``result_id`` and ``line_item_id`` where the evidence has them.
    ``states``: keys with a state instead of a level, as reason codes.
    """

    students: pl.Series
    counted: pl.DataFrame
    states: pl.DataFrame
    unmatched: pl.DataFrame
    set_aside: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Collector:
    """The parts of a mapping that decide what counts. ``numbers`` gives each competency its number."""

    rules: Rules
    alignment: Alignment
    numbers: Mapping[str, int]
    report_of: Sequence[str]
    """For each competency's number the scale on which its level lies."""
    answers: Answers = field(default_factory=Answers)

    def collect(self, frame: pl.DataFrame, as_of: datetime.date | None) -> Collected:
        """Judge the rows of a prepared ``frame``."""
        return _Collection(self, frame).run(as_of)


class _Collection:
    """One run of a collector; ``outcome`` holds a reason code for each row, and is refined step by step."""

    def __init__(self, collector: Collector, frame: pl.DataFrame) -> None:
        self.parts = collector
        self.frame = frame
        self.coder = Coder(frame)
        self.set_aside: dict[str, int] = {}
        self.unmatched: list[pl.DataFrame] = []

    def run(self, as_of: datetime.date | None) -> Collected:
        self._leave_out(self.frame["student_id"].is_null(), Reason.NO_STUDENT)
        if as_of is not None:
            self._leave_out(self.frame["scored_at"].dt.date() > as_of, Reason.FUTURE)
        rule = self._choose_rules()
        targets = self._align()
        level, outcome = self._judge(rule)
        students = self.frame["student_id"].unique().sort()
        student = self.frame["student_id"].cast(pl.Enum(students)).to_physical().cast(pl.Int64)
        kept = {"rule": rule, "level": level, "outcome": outcome, "time": self._times()}
        kept |= {name: self.frame[name] for name in ("result_id", "line_item_id") if name in self.frame.columns}
        pairs = pl.DataFrame(kept | {"student": student})
        if targets.height == pairs.height and targets["row"].is_sorted():
            pairs = pairs.hstack(targets.drop("row"))
        else:
            pairs = pairs.select(pl.all().gather(targets["row"])).hstack(targets.drop("row"))
        return self._sorted_out(pairs, students)

    def _leave_out(self, mask: pl.Series, reason: Reason) -> None:
        """Drop the rows where ``mask`` holds, and count them."""
        count = int(mask.sum() or 0)
        if count:
            self.set_aside[str(reason)] = self.set_aside.get(str(reason), 0) + count
            self.frame = self.frame.filter(~mask.fill_null(False))
            self.coder = Coder(self.frame)

    def _choose_rules(self) -> pl.Series:
        """For each row its rule; rows without one are left out and reported."""
        rules = self.parts.rules
        ids, combinations = self.coder.distinct(rules.columns)
        memory = self.parts.answers.rules
        chosen = [memory.ask(each, lambda *row: rules.choose(_row(rules.columns, row)), *each) for each in combinations]
        rule = pl.Series("rule", [-1 if each is None else each for each in chosen], dtype=pl.Int16).gather(ids)
        if None in chosen:
            left = rule == -1
            self._report_rules(ids.filter(left), combinations, left)
            self._leave_out(left, Reason.NO_RULE)
            rule = rule.filter(~left)
        aside = [n for n, each in enumerate(rules.rules) if each.set_aside is not None]
        if aside:
            left = rule.is_in(aside)
            self._leave_out(left, Reason.BY_RULE)
            rule = rule.filter(~left)
        return rule

    def _align(self) -> pl.DataFrame:
        """``row``, ``competency`` and ``weight``: a row for each pair; rows without any are left out of it."""
        alignment = self.parts.alignment
        ids, combinations = self.coder.distinct(alignment.columns)
        memory = self.parts.answers.targets
        found = [
            memory.ask(each, lambda *row: alignment.find(_row(alignment.columns, row)), *each)[0]
            for each in combinations
        ]
        numbers = self.parts.numbers
        rows = pl.int_range(len(ids), dtype=pl.UInt32, eager=True)
        if not all(found):
            left = pl.Series([not each for each in found], dtype=pl.Boolean).gather(ids)
            self._report_codes(ids.filter(left), combinations, left)
            rows, ids = rows.filter(~left), ids.filter(~left)
        if all(len(each) <= 1 for each in found):
            competency = pl.Series([numbers[each[0][0]] if each else -1 for each in found], dtype=pl.Int64)
            weight = pl.Series([each[0][1] if each else 0 for each in found], dtype=pl.Int64)
            return pl.DataFrame({"row": rows, "competency": competency.gather(ids), "weight": weight.gather(ids)})
        table = pl.DataFrame(
            [(n, numbers[id], weight) for n, each in enumerate(found) for id, weight in each],
            schema={"id": pl.UInt32, "competency": pl.Int64, "weight": pl.Int64},
            orient="row",
        )
        pairs = pl.DataFrame({"row": rows, "id": ids}).join(table, on="id", how="inner", maintain_order="left")
        return pairs.select("row", "competency", "weight")

    def _judge(self, rule: pl.Series) -> tuple[pl.Series, pl.Series]:
        """For each row its level (micros, null without one) and its outcome."""
        rules = self.parts.rules
        names = [*VERDICT_COLUMNS, *(("max_score",) if rules.needs_maximum else ())]
        names = [name for name in names if name in self.frame.columns]
        scales = {n: each.scale for n, each in enumerate(rules.rules) if each.scale}
        self.coder.add("rule", rule)
        ids, combinations = self.coder.distinct(("rule", *names))
        verdicts = []
        for combination in combinations:
            number, *values = combination
            scale = scales.get(number)  # type: ignore[call-overload]  # the column holds rule numbers
            if scale is None:
                verdicts.append(Verdict(None, Reason.BY_RULE, ""))
                continue
            key = (scale.name, *names, *values)
            row = dict(zip(names, values, strict=True))
            verdicts.append(self.parts.answers.verdicts.ask(key, lambda scale=scale, row=row: rules.judge(scale, row)))
        level = pl.Series("level", [each.level for each in verdicts], dtype=pl.Int64).gather(ids)
        outcome = pl.Series("outcome", [CODE[each.reason] for each in verdicts], dtype=pl.UInt8).gather(ids)
        if any(each.reason is Reason.UNREADABLE for each in verdicts):
            self._report_scores(ids, [dict(zip(("rule", *names), c, strict=True)) for c in combinations], verdicts)
        return level, outcome

    def _times(self) -> pl.Series:
        return self.frame["scored_at"].to_physical().cast(pl.Int64).fill_null(NO_TIME)

    def _sorted_out(self, pairs: pl.DataFrame, students: pl.Series) -> Collected:
        """The pairs that count, and the states of those that do not."""
        number = len(self.parts.numbers)
        pairs = pairs.with_columns(
            (pl.col("student") * number + pl.col("competency")).alias("key"),
            (pl.col("weight") * self._rule_weights(pairs["rule"]) // 1_000_000).alias("weight"),
        )
        pairs = self._check_scales(pairs)
        used = pairs["outcome"] == CODE[Reason.USED]
        if not used.all():
            others = pairs.filter(~used)
            for code, count in others["outcome"].value_counts().rows():
                reason = REASONS[code]
                self.set_aside[str(reason)] = self.set_aside.get(str(reason), 0) + count
            states = others.select("key", "outcome")
            pairs = pairs.filter(used)
        else:
            states = pairs.select("key", "outcome").clear()
        unmatched = pl.concat(self.unmatched) if self.unmatched else pl.DataFrame(schema=dict(UNMATCHED))
        return Collected(
            students,
            pairs.drop("outcome", "student"),
            states,
            sum_unmatched(unmatched),
            dict(sorted(self.set_aside.items())),
        )

    def _rule_weights(self, rule: pl.Series) -> pl.Series | int:
        weights = [each.weight for each in self.parts.rules.rules]
        if len(set(weights)) == 1:
            return weights[0]
        return pl.Series(weights, dtype=pl.Int64).gather(rule)

    def _check_scales(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Mark pairs whose score lies on another scale than the competency's level, and those without weight."""
        scales = [each.scale.report if each.scale else "" for each in self.parts.rules.rules]
        used = pl.col("outcome") == CODE[Reason.USED]
        if len({*scales, *self.parts.report_of}) > 1:
            names = {name: n for n, name in enumerate({*scales, *self.parts.report_of})}
            given = pl.Series([names[name] for name in scales], dtype=pl.Int16).gather(pairs["rule"])
            wanted = pl.Series([names[name] for name in self.parts.report_of], dtype=pl.Int16).gather(
                pairs["competency"]
            )
            other = used & pl.lit(given != wanted)
            pairs = pairs.with_columns(
                pl.when(other).then(pl.lit(CODE[Reason.OTHER_SCALE], pl.UInt8)).otherwise("outcome").alias("outcome")
            )
        if any(each.weight == 0 for each in self.parts.rules.rules):
            weightless = used & (pl.col("weight") == 0)
            pairs = pairs.with_columns(
                pl.when(weightless).then(pl.lit(CODE[Reason.NO_WEIGHT], pl.UInt8)).otherwise("outcome").alias("outcome")
            )
        return pairs

    def _report_rules(self, ids: pl.Series, combinations: Sequence[tuple[object, ...]], rows: pl.Series) -> None:
        columns = self.parts.rules.columns

        def entry(n: int) -> tuple[str | None, ...]:
            said = ", ".join(
                f"{c} {'not filled in' if v is None else v}" for c, v in zip(columns, combinations[n], strict=True)
            )
            return "rule", columns[0] if len(columns) == 1 else None, said, str(Reason.NO_RULE), None

        self._report(ids, entry, rows)

    def _report_codes(self, ids: pl.Series, combinations: Sequence[tuple[object, ...]], rows: pl.Series) -> None:
        alignment = self.parts.alignment

        def entry(n: int) -> tuple[str | None, ...]:
            code = alignment.code_of(_row(alignment.columns, combinations[n]))
            if code is None:
                return "code", None, None, "the result names no code", None
            return "code", *code, "no way of alignment knows this code", alignment.suggest(code[1]) or None

        reason = str(Reason.UNALIGNED)
        self.set_aside[reason] = self.set_aside.get(reason, 0) + len(ids)
        self._report(ids, entry, rows)

    def _report_scores(self, ids: pl.Series, rows: Sequence[Mapping[str, object]], verdicts: Sequence[Verdict]) -> None:
        rules = self.parts.rules.rules

        def entry(n: int) -> tuple[str | None, ...]:
            row = rows[n]
            score = row.get("score")
            value = (
                str(row["score_text"])
                if row.get("score_text")
                else plain(from_micros(score))
                if isinstance(score, int)
                else ""
            )
            scale = rules[int(str(row["rule"]))].scale
            suggestion = f'Add it to the scale "{scale.name}".' if scale and not score else None
            return "score", scale.name if scale else None, value, verdicts[n].note, suggestion

        bad = pl.Series([each.reason is Reason.UNREADABLE for each in verdicts], dtype=pl.Boolean).gather(ids)
        self._report(ids.filter(bad), entry, bad)

    def _report(self, ids: pl.Series, entry: Callable[[int], tuple[str | None, ...]], mask: pl.Series) -> None:
        """One line per distinct combination in ``ids`` (the rows where ``mask`` holds), as ``entry`` words it."""
        rows = pl.DataFrame(
            {"id": ids, "student": self.frame["student_id"].filter(mask), "at": self.frame["scored_at"].filter(mask)}
        )
        counted = rows.group_by("id").agg(
            pl.len().alias("rows"), pl.col("student").unique().alias("who"),
            pl.col("at").min().alias("first"), pl.col("at").max().alias("last"),
        )  # fmt: skip
        words = [entry(n) for n in counted["id"].to_list()]
        kinds = pl.DataFrame(
            words, schema=dict.fromkeys(("kind", "column", "value", "reason", "suggestion"), pl.String), orient="row"
        )
        table = (
            pl.concat([kinds, counted.drop("id")], how="horizontal")
            .group_by(kinds.columns)
            .agg(
                pl.col("rows").sum(),
                pl.col("who").explode().n_unique().alias("students"),
                pl.col("first").min(),
                pl.col("last").max(),
            )
        )
        renamed = table.rename({"first": "first_scored_at", "last": "last_scored_at"})
        self.unmatched.append(renamed.select(list(UNMATCHED)).cast({"rows": pl.UInt32, "students": pl.UInt32}))


def _row(columns: Sequence[str], values: Sequence[object]) -> dict[str, object]:
    """A combination of values as rules see it: numbers as decimals."""
    return {
        column: from_micros(value) if column in NUMBERS and isinstance(value, int) else value
        for column, value in zip(columns, values, strict=True)
    }
