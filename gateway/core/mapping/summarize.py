"""From what counts to levels: order, method, rounding, minimum evidence, and the roll-ups."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import gcd

import polars as pl

from gateway.core.mapping.collect import Collected
from gateway.core.mapping.groups import Runs
from gateway.core.mapping.language import State
from gateway.core.mapping.ordering import in_order
from gateway.core.mapping.personal import Override, overridden
from gateway.core.mapping.rules import CODE, REASONS, Reason, Rule
from gateway.core.mapping.summary import RollUp, Summaries, Summary

STATES = tuple(State)
STATE_CODE = {state: n for n, state in enumerate(STATES)}

SCHEMA = {
    "key": pl.Int64, "level": pl.Int64, "state": pl.UInt8, "count": pl.UInt32, "first": pl.Int64, "last": pl.Int64,
    "rolled": pl.Boolean,
}  # fmt: skip
"""Levels under way: one row per key (student and competency), ``level`` in micros, times in milliseconds."""

GRAVEST = (
    Reason.BLOCKED, Reason.INCOMPLETE, Reason.OVERRIDDEN, Reason.PENDING, Reason.MISSING, Reason.EXCUSED,
    Reason.NOT_ASSESSED,
)  # fmt: skip
"""Which state a competency without a level has, if its results have several."""

STATE_OF = {
    Reason.BLOCKED: State.INCOMPLETE,
    Reason.INCOMPLETE: State.INCOMPLETE,
    Reason.OVERRIDDEN: State.OVERRIDDEN,
    Reason.PENDING: State.PENDING,
    Reason.MISSING: State.MISSING,
    Reason.EXCUSED: State.EXCUSED,
    Reason.NOT_ASSESSED: State.NOT_ASSESSED,
    Reason.UNREADABLE: State.NOT_ASSESSED,
}


@dataclass(frozen=True, slots=True)
class Summarizer:
    """The summary rules of a mapping over numbered competencies."""

    summaries: Summaries
    ids: Sequence[str]
    numbers: Mapping[str, int]
    grid: int
    rules: Sequence[Rule]
    overrides: Sequence[Override] = ()

    def levels(self, collected: Collected, as_of: datetime.date | None) -> tuple[pl.DataFrame, dict[str, int]]:
        """The levels of all keys, sorted; and how many results did not count after all, by reason."""
        counted, set_by_hand = self._split(collected, as_of)
        best = self._best(counted)
        parts, twice = [], 0
        for number, rows in self._by_rule(best):
            ordered, left_out = in_order(rows)
            twice += left_out
            parts.append(self._calculated(self.summaries.rules[number], ordered))
        levels = pl.concat(parts) if parts else pl.DataFrame(schema=SCHEMA)
        if collected.others.height:
            levels = pl.concat([levels, self._without_level(collected.others, levels["key"])])
            levels = self._blocked(levels, collected.others)
        levels = self._overridden(levels, set_by_hand).sort("key")
        for roll_up in self.summaries.roll_ups:
            levels = self._rolled_up(levels, roll_up)
        not_counted = {Reason.OUTRANKED: counted.height - best.height, Reason.TWICE: twice}
        return levels, {str(reason): count for reason, count in not_counted.items() if count}

    def _by_rule(self, counted: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
        """The rows by the summary rule of their competency."""
        rules = [self.summaries.rule_of[id] for id in self.ids]
        if counted.is_empty():
            return
        if len(set(rules)) == 1:
            yield rules[0], counted
            return
        rule = pl.Series(rules, dtype=pl.Int16).gather(counted["key"] % len(rules))
        for number in rule.unique().sort().to_list():
            yield number, counted.filter(rule == number)

    def _split(self, collected: Collected, as_of: datetime.date | None) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The results that are summarized, and the levels set by a person: ``key``, ``level``, ``time``."""
        counted = collected.counted
        by_hand = [n for n, rule in enumerate(self.rules) if rule.override]
        if not by_hand and not self.overrides:
            return counted, counted.select("key", "level", "time").clear()
        until = None if as_of is None else end_of(as_of)
        is_hand = pl.col("rule").is_in(by_hand)
        hands = pl.concat(
            [
                counted.filter(is_hand).select("key", "level", "time"),
                overridden(self.overrides, collected.students, len(self.ids), until),
            ]
        )
        return counted.filter(~is_hand), self._rounded(hands)

    def _rounded(self, hands: pl.DataFrame) -> pl.DataFrame:
        """Levels set by a person, as exact as the rule of each competency rounds."""
        rule = pl.lit(pl.Series([self.summaries.rule_of[id] for id in self.ids])).gather(pl.col("key") % len(self.ids))
        level = pl.col("level")
        for n, summary in enumerate(self.summaries.rules):
            level = pl.when(rule == n).then(summary.rounding.ratio(pl.col("level"), 1)).otherwise(level)
        return hands.with_columns(level.cast(pl.Int64).alias("level"))

    def _best(self, counted: pl.DataFrame) -> pl.DataFrame:
        """Only the evidence of the first priority that a student has in a competency."""
        priorities = [rule.priority for rule in self.rules]
        if len(set(priorities)) == 1 or counted.is_empty():
            return counted
        priority = pl.lit(pl.Series(priorities, dtype=pl.Int64)).gather(pl.col("rule"))
        ranked = counted.with_columns(priority.alias("priority"))
        first = ranked.group_by("key").agg(pl.col("priority").min().alias("first"))
        kept = ranked.join(first, on="key").filter(pl.col("priority") == pl.col("first"))
        return kept.drop("priority", "first")

    def _overridden(self, levels: pl.DataFrame, hands: pl.DataFrame) -> pl.DataFrame:
        """A level set by a person stands in the place of the calculated one; the newest counts."""
        if hands.is_empty():
            return levels
        newest = hands.sort("key", "time", "level").group_by("key", maintain_order=True).last()
        both = levels.join(newest, on="key", how="full", suffix="_hand", coalesce=True)
        by_hand = pl.col("level_hand").is_not_null()
        state = pl.lit(STATE_CODE[State.OVERRIDDEN], pl.UInt8)
        return both.select(
            "key",
            pl.coalesce("level_hand", "level").alias("level"),
            pl.when(by_hand).then(state).otherwise("state").alias("state"),
            pl.col("count").fill_null(0),
            pl.coalesce("first", "time").alias("first"),
            pl.max_horizontal("last", "time").alias("last"),
            pl.col("rolled").fill_null(False),
        )

    def _calculated(self, summary: Summary, ordered: pl.DataFrame) -> pl.DataFrame:
        """The levels that one rule makes of rows in order."""
        if any(rule.capped for rule in self.rules):
            capped = pl.Series([rule.capped for rule in self.rules], dtype=pl.Boolean).gather(ordered["rule"])
            ordered = ordered.with_columns(capped.alias("capped"))
        runs = Runs.of(ordered, "key")
        start, end = pl.lit(runs.each["start"]), pl.lit(runs.each["end"])
        key, time = pl.col("key"), pl.col("time")
        ends = ordered.select(key.gather(start), time.gather(start).alias("first"), time.gather(end).alias("last"))
        level = summarize(summary, runs, self.grid)
        return self._flagged(_frame(ends["key"], level, runs.counts, ends["first"], ends["last"]), runs)

    def _flagged(self, levels: pl.DataFrame, runs: Runs) -> pl.DataFrame:
        """A level that stands on a modified scale says so."""
        scales = [rule.scale is not None and rule.scale.modified for rule in self.rules]
        if not any(scales) and "modified" not in runs.rows.columns:
            return levels
        modified = pl.lit(pl.Series(scales, dtype=pl.Boolean)).gather(pl.col("rule"))
        if "modified" in runs.rows.columns:
            modified = modified | pl.col("modified")
        return _mark(levels, runs.sums(modified=modified)["modified"] > 0)

    def _without_level(self, states: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
        """Keys that have only results with a state, but those that are ``known``."""
        rank = {CODE[reason]: n for n, reason in enumerate(GRAVEST)}
        rank[CODE[Reason.UNREADABLE]] = rank[CODE[Reason.NOT_ASSESSED]]
        ranks = pl.Series([rank.get(n, 99) for n in range(len(REASONS))], dtype=pl.Int64)
        ranked = states.select("key", pl.lit(ranks.gather(states["outcome"])).alias("rank")).filter(pl.col("rank") < 99)
        gravest = ranked.group_by("key").agg(pl.col("rank").min())
        alone = gravest.join(known.to_frame(), on="key", how="anti")
        meant = pl.Series([STATE_CODE[STATE_OF[reason]] for reason in GRAVEST], dtype=pl.UInt8)
        return alone.select(
            "key",
            pl.lit(None, pl.Int64).alias("level"),
            pl.lit(meant.gather(alone["rank"])).alias("state"),
            pl.lit(0, pl.UInt32).alias("count"),
            pl.lit(None, pl.Int64).alias("first"),
            pl.lit(None, pl.Int64).alias("last"),
            pl.lit(False).alias("rolled"),
        )

    def _blocked(self, levels: pl.DataFrame, states: pl.DataFrame) -> pl.DataFrame:
        """A blocking result takes the level away until it is settled."""
        blocked = states.filter(pl.col("outcome") == CODE[Reason.BLOCKED])["key"].unique()
        if blocked.is_empty():
            return levels
        is_blocked = pl.col("key").is_in(blocked.implode())
        return levels.with_columns(
            pl.when(~is_blocked).then("level").alias("level"),
            pl.when(is_blocked).then(pl.lit(STATE_CODE[State.INCOMPLETE], pl.UInt8)).otherwise("state").alias("state"),
        )

    def _fine_grid(self) -> int:
        """A divisor of every level that can be rolled up: rounded, or an end of a scale."""
        rules = (*self.summaries.rules, *(each.summary for each in self.summaries.roll_ups))
        ends = [end for rule in rules for end in (rule.scale.lowest, rule.scale.highest)]
        return gcd(self.grid, *(rule.rounding.unit for rule in rules), *ends)

    def _rolled_up(self, levels: pl.DataFrame, roll_up: RollUp) -> pl.DataFrame:
        """``levels`` with those of the targets, calculated from the levels of their sources."""
        number = len(self.ids)
        table = pl.DataFrame(
            [
                (self.numbers[source], self.numbers[target], weight, source in asked, len(asked))
                for target, sources in roll_up.sources.items()
                for asked in [set((roll_up.required or {}).get(target, ()))]
                for source, weight in sources
            ],
            schema={
                "source": pl.Int64,
                "target": pl.Int64,
                "weight": pl.Int64,
                "required": pl.Boolean,
                "asked": pl.Int64,
            },
            orient="row",
        )
        usable = pl.col("level").is_not_null()
        if roll_up.from_evidence:
            usable &= ~pl.col("rolled")
        given = levels.filter(usable).with_columns((pl.col("key") % number).alias("source"))
        to = pl.col("key") // number * number + pl.col("target")
        inputs = given.join(table, on="source", how="inner").with_columns(to.alias("to"))
        if inputs.is_empty():
            return levels
        inputs = inputs.sort(("to", "last", "source") if roll_up.summary.method.ordered else "to")
        runs = Runs.of(inputs, "to")
        modified = pl.col("state") == STATE_CODE[State.MODIFIED]
        summed = runs.sums(count=pl.col("count"), modified=modified, **_conditions(roll_up)).with_columns(
            runs.newest("to"),
            runs.extreme("first", pl.min_horizontal),
            runs.extreme("last", pl.max_horizontal),
            pl.col("modified") > 0,
        )
        level = summarize(roll_up.summary, runs, self._fine_grid())
        if roll_up.conditional:
            level = level.set((summed["below"] > 0) | (summed["there"] < runs.newest("asked")), None)
        found = _frame(summed["to"], level, summed["count"], summed["first"], summed["last"], rolled=True)
        found = _mark(found, summed["modified"])
        by_hand = levels.filter((pl.col("state") == STATE_CODE[State.OVERRIDDEN]) & pl.col("level").is_not_null())
        if by_hand.height:  # what a person has set stands, also where levels are rolled up
            found = found.join(by_hand, on="key", how="anti")
        targets = pl.Series([id in roll_up.sources for id in self.ids], dtype=pl.Boolean)
        if targets.gather(levels["key"] % number).any():
            levels = levels.join(found, on="key", how="anti")
        return pl.concat([levels, found]).sort("key")


def _conditions(roll_up: RollUp) -> dict[str, pl.Expr]:
    """Of the inputs of one target: how many required ones there are, and how many are too low."""
    if not roll_up.conditional:
        return {}
    too_low = pl.col("level") < (roll_up.minimum if roll_up.minimum is not None else pl.col("level"))
    concerned = pl.col("required") if roll_up.required is not None else pl.lit(True)
    return {"there": pl.col("required"), "below": too_low & concerned}


def summarize(summary: Summary, runs: Runs, grid: int) -> pl.Series:
    """One level (micros) per run: null where there is too little evidence or nothing can be calculated."""
    level = summary.method.rounded(runs, summary.parameters, summary.rounding, grid)
    if summary.method.beyond:
        level = level.clip(summary.scale.lowest, summary.scale.highest)
    if summary.at_least > 1:
        level = level.set(runs.counts < summary.at_least, None)
    return level


def _mark(levels: pl.DataFrame, modified: pl.Series) -> pl.DataFrame:
    """The state of calculated levels where ``modified`` holds."""
    concerned = pl.lit(modified) & (pl.col("state") == STATE_CODE[State.CALCULATED])
    state = pl.when(concerned).then(pl.lit(STATE_CODE[State.MODIFIED], pl.UInt8)).otherwise("state")
    return levels.with_columns(state.alias("state"))


def end_of(day: datetime.date) -> int:
    """The first millisecond after a day (UTC)."""
    return ((day - datetime.date(1970, 1, 1)).days + 1) * 86_400_000


def _frame(
    key: pl.Series, level: pl.Series, count: pl.Series, first: pl.Series, last: pl.Series, *, rolled: bool = False
) -> pl.DataFrame:
    state = level.is_null().cast(pl.UInt8) * STATE_CODE[State.INSUFFICIENT]  # CALCULATED is 0
    columns = {"key": key, "level": level, "state": state, "count": count, "first": first, "last": last}
    frame = pl.DataFrame(columns).cast({"state": pl.UInt8, "count": pl.UInt32})
    return frame.with_columns(pl.lit(rolled).alias("rolled"))
