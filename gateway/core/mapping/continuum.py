"""The learner continuum: per student and domain the performance level at which the student works, and around it.

Growth is a difference of positions (7.25: a quarter through stage 7), and pace is growth per school year. Position,
growth and pace are our own definitions, as no public model publishes one.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import polars as pl

from gateway.core.mapping.collect import NO_TIME, Collected
from gateway.core.mapping.result import CONTINUUM, PLACEMENT
from gateway.core.mapping.rounding import Rounding, as_decimal
from gateway.core.mapping.stages import Domain, stage_value
from gateway.core.mapping.standings import COLUMNS, WORD, standings

_STAGES = 1024
_DAY = 86_400_000
_TWO_PLACES = Rounding(10_000)


@dataclass(frozen=True, slots=True)
class Continuum:
    """The continuum rules of a mapping. ``place_of`` gives each competency's number its domain and its bit there, both
    -1 if it takes no part; ``stage_of`` the place of its stage. ``threshold`` (micros) is per competency number."""

    rules: tuple[Domain, ...]
    place_of: Sequence[tuple[int, int]]
    stage_of: Sequence[int]
    domain_of: Sequence[str | None]
    """For each competency's number its domain, whether or not it takes part itself."""
    threshold: Sequence[int | None]
    baseline_on: datetime.date | None
    days: int
    at_least_days: int

    @property
    def domains(self) -> tuple[str, ...]:
        """What the domains are called."""
        return tuple(domain.label for domain in self.rules)

    def place(
        self,
        levels: pl.DataFrame,
        collected: Collected,
        as_of: datetime.date | None,
        before: pl.DataFrame | None = None,
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The tables :data:`CONTINUUM` and :data:`PLACEMENT`. ``before`` are the :meth:`positions` at the day of the
        baseline, if the mapping names one."""
        standing = self._standing(levels)
        if standing.is_empty():
            return pl.DataFrame(schema=dict(CONTINUUM)), pl.DataFrame(schema=dict(PLACEMENT))
        number = len(self.rules)
        named = self._measured(standing, as_of, before).with_columns(
            pl.lit(collected.students).gather(pl.col("who") // number).alias("student_id"),
            pl.lit(pl.Series(self.domains, dtype=pl.String)).gather(pl.col("who") % number).alias("domain"),
        )
        rank = pl.lit(pl.Series(self.domains, dtype=pl.String).rank("ordinal").cast(pl.Int64))
        named = named.sort(pl.col("who") // number * number + rank.gather(pl.col("who") % number))
        continuum = named.select(
            "student_id", "domain", "performance_level", as_decimal(pl.col("progress"), 2), "complete", "next", "gaps",
            *(as_decimal(pl.col(name), 2) for name in ("baseline", "growth", "pace")),
        )  # fmt: skip
        return continuum, self._placement(named, collected.grades)

    def positions(self, levels: pl.DataFrame) -> pl.DataFrame:
        """``who`` (student and domain) and ``position`` (micros), for a baseline."""
        return self._standing(levels).select("who", "position")

    def _standing(self, levels: pl.DataFrame) -> pl.DataFrame:
        """One row per student and domain with evidence: ``who``, what :class:`Standing` has, ``began`` (the place of
        the stage of the oldest evidence) and times."""
        sets = self._sets(levels)
        domain = sets["who"] % len(self.rules)
        parts = []
        for number in domain.unique().sort().to_list():
            mine = sets.filter(domain == number)
            known = mine.select("who", pl.lit(number, pl.Int64).alias("domain"), "began", "first", "last")
            parts.append(known.hstack(standings(self.rules[number], mine)))
        return pl.concat(parts) if parts else pl.DataFrame(schema=_STANDING)

    def _sets(self, levels: pl.DataFrame) -> pl.DataFrame:
        """For each student and domain, as bits, the competencies with evidence (or a level that a person has set) and
        the complete ones; and times."""
        number = len(self.place_of)
        competency = pl.col("key") % number

        def of(values: Sequence[int | None]) -> pl.Expr:
            return pl.lit(pl.Series(values, dtype=pl.Int64)).gather(competency)

        takes_part = pl.lit(pl.Series([domain >= 0 for domain, _ in self.place_of], dtype=pl.Boolean))
        rows = levels.filter(takes_part.gather(competency) & pl.col("first").is_not_null()).select(
            (pl.col("key") // number * len(self.rules) + of([domain for domain, _ in self.place_of])).alias("who"),
            of([bit // WORD for _, bit in self.place_of]).alias("word"),
            of([1 << max(bit, 0) % WORD for _, bit in self.place_of]).alias("bit"),
            (pl.col("level") >= of(self.threshold)).fill_null(False).alias("done"),
            (pl.col("first") * _STAGES + of(self.stage_of)).alias("began"),
            "last",
        )
        words = range(ceil(max((domain.size for domain in self.rules), default=1) / WORD))
        here = {n: pl.col("bit") * (pl.col("word") == n) if len(words) > 1 else pl.col("bit") for n in words}
        sets = rows.group_by("who").agg(
            *(bit.sum().alias(f"evidence{n}") for n, bit in here.items()),
            *((bit * pl.col("done")).sum().alias(f"complete{n}") for n, bit in here.items()),
            pl.col("began").min(),
            pl.col("last").max(),
        )
        return sets.with_columns((pl.col("began") // _STAGES).alias("first"), pl.col("began") % _STAGES)

    def _measured(
        self, standing: pl.DataFrame, as_of: datetime.date | None, before: pl.DataFrame | None
    ) -> pl.DataFrame:
        """``standing`` with ``baseline``, ``growth`` and ``pace`` in micros."""
        if before is None:
            width = max(len(domain.stages) for domain in self.rules)
            stages = [[stage.value for stage in domain.stages] for domain in self.rules]
            values = [value for each in stages for value in (*each, *[None] * (width - len(each)))]
            place = pl.col("domain") * width + pl.col("began")
            known = standing.with_columns(pl.lit(pl.Series(values, dtype=pl.Int64)).gather(place).alias("baseline"))
            since = pl.col("first")
        else:
            earlier = before.rename({"position": "baseline"})
            known = standing.join(earlier, on="who", how="left", maintain_order="left")
            assert self.baseline_on is not None, "positions of a baseline belong to its day"  # noqa: S101
            since = pl.lit(milliseconds(self.baseline_on))
        until = pl.col("last") if as_of is None else pl.lit(milliseconds(as_of))
        days = pl.when(pl.col("first") != NO_TIME).then((until - since) // _DAY)
        growth = pl.col("position") - pl.col("baseline")
        pace = _TWO_PLACES.ratio(growth * self.days, pl.when(days >= self.at_least_days).then(days))
        return known.with_columns(growth.alias("growth"), pace.cast(pl.Int64).alias("pace"))

    def _placement(self, named: pl.DataFrame, grades: pl.DataFrame) -> pl.DataFrame:
        """Age-grade beside performance level, and the span of stages with evidence."""
        said = named.with_columns((pl.col("who") // len(self.rules)).alias("student")).join(
            grades, on="student", how="left", maintain_order="left"
        )
        numbers = {grade: stage_value(grade) for grade in said["grade"].unique().drop_nulls().to_list()}
        grade = pl.col("grade").replace_strict(
            list(numbers), list(numbers.values()), default=None, return_dtype=pl.Int64
        )
        return said.select(
            "student_id", "domain", "grade", "performance_level", "lowest", "highest",
            as_decimal(pl.col("value") - grade, 2).alias("ahead"),
        )  # fmt: skip


_STANDING = dict.fromkeys(("who", "domain", "began", "first", "last"), pl.Int64) | COLUMNS


def milliseconds(day: datetime.date) -> int:
    """The midnight at which a day begins."""
    return (day - datetime.date(1970, 1, 1)).days * _DAY
