"""A compiled mapping: immutable, safe to share between threads, and the same in the nightly run and in the API."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.document import Document
from gateway.core.framework import Framework
from gateway.core.mapping.collect import NO_TIME, Collected, Collector
from gateway.core.mapping.continuum import Continuum
from gateway.core.mapping.credits import Credit, award, outside_the_grids
from gateway.core.mapping.few import MOST, Few
from gateway.core.mapping.portfolio import Portfolio
from gateway.core.mapping.prepare import prepare
from gateway.core.mapping.result import CONTINUUM, LEVELS, PLACEMENT, Mapped
from gateway.core.mapping.rounding import as_decimal, from_micros
from gateway.core.mapping.scales import Scale
from gateway.core.mapping.summarize import STATES, Summarizer, end_of
from gateway.core.model import TIME


@dataclass(frozen=True, slots=True)
class Window:
    """From one day to another, both included; without end if ``last`` is absent."""

    first: datetime.date
    last: datetime.date | None = None

    def holds(self, day: datetime.date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    """A mapping that was read, checked and resolved against its framework and crosswalks.

    ``digest`` covers the file, the crosswalks and the frameworks. ``labels`` are what the tables call the
    competencies: the code, or the id where there is none or several items share it.
    """

    name: str
    version: str
    digest: str
    framework: Framework
    scales: Mapping[str, Scale]
    scale: Scale
    effective: Window | None
    report_windows: Sequence[Window]
    """When grades made of these levels may be shown or pushed; always, if there is none."""
    labels: Sequence[str]
    ids: Sequence[str]
    """The competencies' ids in the order of their labels; a competency's number is its place here."""
    collector: Collector
    summarizer: Summarizer
    continuum: Continuum | Portfolio | None
    credits: Sequence[Credit]
    document: Document
    tables: Mapping[str, pl.DataFrame] = field(repr=False)
    """The crosswalks and other tables that the file names."""
    few: Few | None = field(default=None, repr=False)
    """For small calls, if the mapping has no part that needs tables."""
    examples: Sequence[Mapping[str, Any]] = field(default=(), repr=False)

    def reports_on(self, day: datetime.date) -> bool:
        """Whether grades made of these levels may be shown or pushed on ``day``."""
        return not self.report_windows or any(window.holds(day) for window in self.report_windows)

    def label(self, id: str) -> str:
        """What the tables call the competency with this id."""
        return self.labels[self.collector.numbers[id]]

    @property
    def proficient(self) -> Decimal | None:
        """The threshold of the main scale."""
        return None if self.scale.proficient is None else from_micros(self.scale.proficient)

    @property
    def places(self) -> int:
        """How many decimal places levels have."""
        return self.summarizer.summaries.places

    def apply(self, evidence: pl.DataFrame, *, as_of: datetime.date | None = None) -> Mapped:
        """The levels, continuum and credits that ``evidence`` gives, as of the end of a day (UTC) or of all time.

        ``evidence`` must hold all results of the students in it; nothing depends on the order of its rows or on which
        students stand in it together.
        """
        if self.few is not None and evidence.height <= MOST:
            return self.few.apply(evidence, as_of)
        return self.summarise(self.collect(evidence, as_of=as_of), evidence=evidence.height, as_of=as_of)

    def collect(self, evidence: pl.DataFrame, *, as_of: datetime.date | None = None) -> Collected:
        """The first half of :meth:`apply`: which results count, for which competency, with which level."""
        return self.collector.collect(prepare(evidence, numbers=self.collector.rules.reads_numbers), as_of)

    def summarise(self, collected: Collected, *, evidence: int, as_of: datetime.date | None = None) -> Mapped:
        """The second half of :meth:`apply`; ``evidence`` is how many rows came in."""
        levels, left_out = self.summarizer.levels(collected, as_of)
        set_aside = dict(sorted({**collected.set_aside, **left_out}.items()))
        continuum, placement = pl.DataFrame(schema=dict(CONTINUUM)), pl.DataFrame(schema=dict(PLACEMENT))
        if self.continuum is not None:
            continuum, placement = self.continuum.place(levels, collected, as_of, self._before(collected))
        return Mapped(
            levels=self._published(levels, collected.students),
            continuum=continuum,
            credits=award(self.credits, levels, collected, len(self.ids)),
            unmatched=outside_the_grids(self.credits, collected),
            placement=placement,
            evidence=evidence,
            used=collected.counted.height - sum(left_out.values()),
            set_aside=set_aside,
        )

    def _before(self, collected: Collected) -> pl.DataFrame | None:
        """Where the students worked at the day of the baseline, if the mapping names one."""
        rules = self.continuum
        if not isinstance(rules, Continuum) or rules.baseline_on is None:
            return None
        past = pl.col("time") < end_of(rules.baseline_on)
        then = replace(collected, counted=collected.counted.filter(past), others=collected.others.filter(past))
        return rules.positions(self.summarizer.levels(then, rules.baseline_on)[0])

    def _published(self, levels: pl.DataFrame, students: pl.Series) -> pl.DataFrame:
        """The levels in the form of :data:`LEVELS`."""
        number = len(self.ids)
        student, competency = levels["key"] // number, levels["key"] % number
        thresholds = [self.summarizer.summaries.scale_of[id].proficient for id in self.ids]
        threshold = pl.Series(thresholds, dtype=pl.Int64).gather(competency)
        states = pl.Series([str(state) for state in STATES]).gather(levels["state"])
        return levels.select(
            pl.lit(students.gather(student)).alias("student_id"),
            pl.lit(pl.Series(self.labels, dtype=pl.String).gather(competency)).alias("competency"),
            as_decimal(pl.col("level"), self.places).alias("level"),
            (pl.col("level") >= pl.lit(threshold)).alias("proficient"),
            pl.lit(states).alias("state"),
            pl.col("count").alias("evidence_count"),
            *(
                pl.when(pl.col(name) != NO_TIME).then(pl.col(name)).cast(TIME).alias(f"{name}_scored_at")
                for name in ("first", "last")
            ),
            pl.lit(self.name).alias("mapping"),
            pl.lit(self.version).alias("version"),
        ).select(list(LEVELS))
