"""The learner continuum: per student and domain the performance level at which the student works, and around it.

Performance levels (often grade levels) are ordered stages of a domain; each holds competencies. A competency is
complete at the threshold, a stage when enough of its competencies are. The *position* is the number of the working
stage plus the progress within it (7.25: a quarter through stage 7); growth is a difference of positions, and pace is
growth per school year. Position, growth and pace are our own definitions, as no public model publishes one.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

import polars as pl

from gateway.core.mapping.collect import NO_TIME, Collected
from gateway.core.mapping.groups import Runs
from gateway.core.mapping.result import CONTINUUM, PLACEMENT
from gateway.core.mapping.rounding import MICROS, Rounding, as_decimal, to_micros

BETWEEN = "; "
_WORD = 62
"""Competencies a mask holds; larger stages have several masks."""
_DAY = 86_400_000
_TWO_PLACES = Rounding(10_000)


@dataclass(frozen=True, slots=True)
class Stage:
    """One performance level of a domain. ``value`` is its number in micros; ``codes`` are its competencies, in order;
    ``needed`` of them make it complete. ``after`` gives for each competency those of the stage that precede it."""

    name: str
    value: int
    codes: tuple[str, ...]
    needed: int
    after: tuple[tuple[int, ...], ...] = ()

    def chosen(self, mask: int, *, complete: bool) -> str:
        """The codes whose bit in ``mask`` is set, or is not."""
        return BETWEEN.join(code for n, code in enumerate(self.codes) if bool(mask >> n & 1) is complete)

    def next(self, mask: int, count: int) -> str:
        """The first ``count`` incomplete competencies of which all predecessors are complete."""
        done = [bool(mask >> n & 1) for n in range(len(self.codes))]
        ready = [n for n, each in enumerate(done) if not each and all(done[m] for m in self.after[n])]
        return BETWEEN.join(self.codes[n] for n in ready[:count])


@dataclass(frozen=True, slots=True)
class Continuum:
    """The continuum rules of a mapping. ``place_of`` gives each competency's number its domain, stage and place in it,
    all -1 if it takes no part. ``threshold`` (micros) is per competency number."""

    domains: tuple[str, ...]
    stages: tuple[tuple[Stage, ...], ...]
    place_of: Sequence[tuple[int, int, int]]
    domain_of: Sequence[str | None]
    """For each competency's number its domain, whether or not it takes part itself."""
    threshold: Sequence[int | None]
    highest: bool
    next_count: int
    baseline_on: datetime.date | None
    days: int
    at_least_days: int

    @property
    def _masks(self) -> list[str]:
        largest = max((len(stage.codes) for stages in self.stages for stage in stages), default=1)
        return [f"mask{n}" for n in range(ceil(largest / _WORD) or 1)]

    def place(
        self,
        levels: pl.DataFrame,
        collected: Collected,
        as_of: datetime.date | None,
        before: pl.DataFrame | None = None,
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The tables :data:`CONTINUUM` and :data:`PLACEMENT`. ``before`` are the :meth:`positions` at the day of the
        baseline, if the mapping names one."""
        stages = self._by_stage(levels)
        if stages.is_empty():
            return pl.DataFrame(schema=dict(CONTINUUM)), pl.DataFrame(schema=dict(PLACEMENT))
        placed = self._working(stages)
        measured = self._measured(placed, as_of, before)
        number = len(self.domains)
        measured = measured.with_columns(
            pl.lit(collected.students).gather(pl.col("who") // number).alias("student_id"),
            pl.lit(pl.Series(self.domains, dtype=pl.String)).gather(pl.col("who") % number).alias("domain"),
            pl.lit(self._gather("name", measured, pl.String)).alias("performance_level"),
        )
        return self._continuum(measured, stages), self._placement(measured, collected.grades)

    def _continuum(self, measured: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
        texts = self._texts(measured, stages)
        return measured.select(
            "student_id",
            "domain",
            "performance_level",
            as_decimal(pl.col("progress"), 2).alias("progress"),
            *(pl.lit(texts[name]).alias(name) for name in ("complete", "next", "gaps")),
            *(as_decimal(pl.col(name), 2).alias(name) for name in ("baseline", "growth", "pace")),
        ).sort("student_id", "domain")

    def _placement(self, measured: pl.DataFrame, grades: pl.DataFrame) -> pl.DataFrame:
        said = measured.with_columns((pl.col("who") // len(self.domains)).alias("student")).join(
            grades, on="student", how="left", maintain_order="left"
        )
        numbers = {grade: stage_value(grade) for grade in said["grade"].unique().drop_nulls().to_list()}
        grade = pl.col("grade").replace_strict(
            list(numbers), list(numbers.values()), default=None, return_dtype=pl.Int64
        )
        numbered = pl.lit(self._gather("numbered", said, pl.Boolean))
        ahead = pl.when(numbered).then(pl.lit(self._gather("value", said, pl.Int64)) - grade)
        return said.select(
            "student_id",
            "domain",
            "grade",
            "performance_level",
            pl.lit(self._gather("name", said.with_columns(stage="entry"), pl.String)).alias("lowest"),
            pl.lit(self._gather("name", said.with_columns(stage="top"), pl.String)).alias("highest"),
            as_decimal(ahead, 2).alias("ahead"),
        ).sort("student_id", "domain")

    def positions(self, levels: pl.DataFrame) -> pl.DataFrame:
        """``who`` (student and domain) and ``position`` (micros), for a baseline."""
        stages = self._by_stage(levels)
        if stages.is_empty():
            return pl.DataFrame(schema={"who": pl.Int64, "position": pl.Int64})
        placed = self._working(stages)
        position = pl.lit(self._gather("value", placed, pl.Int64)) + pl.col("progress")
        return placed.select("who", position.alias("position"))

    def _by_stage(self, levels: pl.DataFrame) -> pl.DataFrame:
        """One row per student, domain and stage with evidence: ``who`` (student and domain), ``stage``, ``done``
        (number of complete competencies), masks of them, and times."""
        number = len(self.place_of)
        competency = levels["key"] % number
        domain, stage, bit = (
            pl.Series([place[n] for place in self.place_of], dtype=pl.Int64).gather(competency) for n in range(3)
        )
        threshold = pl.Series(self.threshold, dtype=pl.Int64).gather(competency)
        rows = pl.DataFrame(
            {
                "who": levels["key"] // number * len(self.domains) + domain,
                "stage": stage,
                "bit": bit,
                "complete": (levels["level"] >= threshold).fill_null(False),
                "first": levels["first"],
                "last": levels["last"],
            }
        ).filter((domain >= 0) & (levels["count"] > 0))
        bits = pl.Series([1 << n for n in range(_WORD)], dtype=pl.Int64)
        own_bit = bits.gather(rows["bit"] % _WORD) * rows["complete"]
        rows = rows.with_columns(
            (own_bit * (rows["bit"] // _WORD == n)).alias(name) for n, name in enumerate(self._masks)
        )
        grouped = rows.group_by("who", "stage").agg(
            pl.col("complete").sum().cast(pl.Int64).alias("done"),
            pl.col(self._masks).sum(),
            pl.col("first").min(),
            pl.col("last").max(),
        )
        return grouped.sort("who", "stage")

    def _working(self, stages: pl.DataFrame) -> pl.DataFrame:
        """One row per student and domain: ``entry`` and ``stage`` (the working one), ``progress``, times."""
        stages = stages.with_columns(pl.lit(self._gather("needed", stages, pl.Int64) <= stages["done"]).alias("full"))
        runs = Runs.of(stages, "who")
        entry = stages["stage"].gather(runs.each["start"])
        if self.highest:
            working = runs.newest("stage") + runs.newest("full").cast(pl.Int64)
        else:
            expected = pl.lit(entry).gather(pl.col("run")) + runs.position - 1
            broken = runs.rows.select("run", "stage", "full", expected.alias("at"))
            broken = broken.filter(~pl.col("full") | (pl.col("stage") != pl.col("at")))
            least = broken.group_by("run").agg(pl.col("at").min())
            working = (entry + runs.counts).scatter(least["run"], least["at"])
        who = runs.newest("who")
        last = pl.Series([len(each) - 1 for each in self.stages], dtype=pl.Int64).gather(who % len(self.domains))
        tops = {"top": runs.newest("stage")}
        placed = pl.DataFrame({"who": who, "entry": entry, "stage": working, **tops}).with_columns(
            pl.min_horizontal("stage", pl.lit(last)).alias("stage")
        )
        times = stages.group_by("who").agg(
            pl.col("first").min(),
            pl.col("last").max(),
            pl.col("stage").sort_by("first", "stage").first().alias("began"),
        )
        placed = placed.join(times, on="who", how="left", maintain_order="left")
        placed = placed.join(
            stages.select("who", "stage", "done", *self._masks), on=["who", "stage"], how="left", maintain_order="left"
        ).with_columns(pl.col("done", *self._masks).fill_null(0))
        required = self._gather("required", placed, pl.Int64)
        progress = _TWO_PLACES.ratio(pl.col("done") * MICROS, pl.lit(required))
        return placed.with_columns(progress.cast(pl.Int64).alias("progress"))

    def _measured(self, placed: pl.DataFrame, as_of: datetime.date | None, before: pl.DataFrame | None) -> pl.DataFrame:
        """``placed`` with ``baseline``, ``growth`` and ``pace`` in micros."""
        position = self._gather("value", placed, pl.Int64) + placed["progress"]
        if before is None:
            baseline = self._gather("value", placed.with_columns(stage="began"), pl.Int64)
            since = pl.col("first")
        else:
            known = placed.join(before, on="who", how="left", maintain_order="left")
            baseline = known["position"]
            assert self.baseline_on is not None, "positions of a baseline belong to its day"  # noqa: S101
            since = pl.lit(_milliseconds(self.baseline_on))
        until = pl.col("last") if as_of is None else pl.lit(_milliseconds(as_of))
        days = pl.when(pl.col("first") != NO_TIME).then((until - since) // _DAY)
        growth = pl.lit(position) - pl.lit(baseline)
        pace = _TWO_PLACES.ratio(growth * self.days, pl.when(days >= self.at_least_days).then(days))
        return placed.with_columns(
            pl.lit(baseline).alias("baseline"), growth.alias("growth"), pace.cast(pl.Int64).alias("pace")
        )

    def _texts(self, placed: pl.DataFrame, stages: pl.DataFrame) -> dict[str, pl.Series]:
        """``complete``, ``next`` and ``gaps`` for each row of ``placed``."""
        complete = self._worded(stages, lambda stage, mask: stage.chosen(mask, complete=True), "complete")
        following = self._worded(placed, lambda stage, mask: stage.next(mask, self.next_count), "next")
        below = (
            placed.filter(pl.col("stage") > pl.col("entry"))
            .select("who", pl.int_ranges("entry", "stage").alias("stage"))
            .explode("stage")
            .join(stages.select("who", "stage", *self._masks), on=["who", "stage"], how="left")
            .with_columns(pl.col(self._masks).fill_null(0))
        )
        gaps = self._worded(below, lambda stage, mask: stage.chosen(mask, complete=False), "gaps")
        return {
            "complete": _joined(complete, placed["who"], "complete"),
            "next": following["next"],
            "gaps": _joined(gaps, placed["who"], "gaps"),
        }

    def _worded(self, rows: pl.DataFrame, words: Callable[[Stage, int], str], name: str) -> pl.DataFrame:
        """``who``, ``stage`` and a text, asked once for each distinct domain, stage and mask."""
        number = len(self.domains)
        keyed = rows.select("who", "stage", (pl.col("who") % number).alias("domain"), *self._masks)
        keys = ["domain", "stage", *self._masks]
        distinct = keyed.select(keys).unique()
        texts = []
        for domain, stage, *masks in distinct.rows():
            mask = sum(each << (_WORD * n) for n, each in enumerate(masks))
            texts.append(words(self.stages[domain][stage], mask))
        table = distinct.with_columns(pl.Series(name, texts, dtype=pl.String))
        return keyed.join(table, on=keys, how="left", maintain_order="left").select("who", "stage", name)

    def _gather(self, what: str, rows: pl.DataFrame, dtype: type[pl.DataType]) -> pl.Series:
        """``name``, ``value``, ``needed`` or ``required`` (its size) of the stage of each row."""
        width = max((len(stages) for stages in self.stages), default=1)
        answers: Mapping[str, Callable[[Stage], object]] = {
            "name": lambda stage: stage.name,
            "value": lambda stage: stage.value,
            "needed": lambda stage: stage.needed,
            "required": lambda stage: max(len(stage.codes), 1),
            "numbered": lambda stage: stage_value(stage.name) is not None,
        }
        flat = [answers[what](stages[n]) if n < len(stages) else None for stages in self.stages for n in range(width)]
        return pl.Series(flat, dtype=dtype).gather(rows["who"] % len(self.domains) * width + rows["stage"])


def stage_value(name: str) -> int | None:
    """The number of a stage or a grade in micros: kindergarten is 0, "08" is 8; nothing for a name without one."""
    early = {"K": 0, "KG": 0, "PK": -MICROS, "PR": -2 * MICROS}
    if name in early:
        return early[name]
    digits = re.search(r"\d+(\.\d+)?", name)
    return to_micros(Decimal(digits[0])) if digits else None


def _joined(texts: pl.DataFrame, who: pl.Series, name: str) -> pl.Series:
    joined = (
        texts.filter(pl.col(name) != "")
        .sort("who", "stage")
        .group_by("who", maintain_order=True)
        .agg(pl.col(name).str.join(BETWEEN))
    )
    return who.to_frame().join(joined, on="who", how="left", maintain_order="left")[name].fill_null("")


def _milliseconds(day: datetime.date) -> int:
    return (day - datetime.date(1970, 1, 1)).days * _DAY
