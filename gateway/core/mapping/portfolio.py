"""The learner continuum of Building 21: portfolio levels per competency, skills with demonstrations at a target level.

The rules are those of slate-cbl (MIT, 2014 SlateFoundation; ``StudentCompetency`` and its growth calculators):

* Only demonstrations whose target is the student's current level count: the highest target in that competency.
* A skill's *effective* ratings are the best N (N = required at that level), missed ones counting as 0 and standing
  behind overrides of equal rating; an override says that all N are done, and makes missed ones of the skill void.
* The performance level is the mean of the effective ratings that are neither missed nor overrides, to one place.
* Progress is the number of completed demonstrations out of those required; an override completes N.
* The baseline is the stored one, or else the mean of each skill's earliest rating, if every needed skill has one or
  half of the demonstrations are done. A skill whose earliest entry that was not missed is an override has none.
* Growth is the performance level minus the baseline; nothing when either is nothing or 0.

One published calculator differs on purpose: ``most_recent_minus_first`` drops skills whose growth is exactly 0 there
(``array_filter``); here they count.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from gateway.core.mapping.collect import Collected
from gateway.core.mapping.result import CONTINUUM, PLACEMENT
from gateway.core.mapping.rounding import MICROS, Rounding, as_decimal
from gateway.core.mapping.rules import CODE, Reason

ONE_PLACE = Rounding(100_000)
"""How performance levels, baselines and growth are rounded."""

_TWO_PLACES = Rounding(10_000)
_SEPARATOR = "; "
_BY = ["student", "unit", "target", "skill"]


class Growth(StrEnum):
    """The two published calculators of growth."""

    LEVEL_MINUS_BASELINE = "level_minus_baseline"
    MOST_RECENT_MINUS_FIRST = "most_recent_minus_first"


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The rules of one mapping. ``units`` are the competencies; ``unit_of`` gives each competency's number (a skill's)
    its unit, -1 if none. ``required``: ``skill`` (number), ``unit``, ``target`` (text) and ``needed``.
    ``baselines``: ``student_id``, ``unit``, ``target`` (text) and ``stored`` (micros)."""

    domains: tuple[str, ...]
    domain_of: Sequence[str | None]
    unit_of: Sequence[int]
    labels: Sequence[str]
    required: pl.DataFrame
    target: str
    growth: Growth
    offset: int
    minimum_rating: int | None
    highest: str | None
    baselines: pl.DataFrame

    def place(
        self,
        levels: pl.DataFrame,
        collected: Collected,
        as_of: datetime.date | None,
        before: pl.DataFrame | None = None,
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The table :data:`~gateway.core.mapping.result.CONTINUUM`, a row per student and unit; no placement."""
        placement = pl.DataFrame(schema=dict(PLACEMENT))
        current = self._current(collected)
        if current.is_empty():
            return pl.DataFrame(schema=dict(CONTINUUM)), placement
        skills = self._skills(current)
        units = self._units(skills, collected.students)
        table = units.select(
            pl.lit(collected.students).gather(pl.col("student")).alias("student_id"),
            pl.lit(pl.Series(self.domains, dtype=pl.String)).gather(pl.col("unit")).alias("domain"),
            as_decimal(pl.col("level"), 1).cast(pl.String).alias("performance_level"),
            as_decimal(pl.col("progress"), 2).alias("progress"),
            pl.col("complete"),
            pl.when(pl.col("level_complete")).then(self._next_level()).otherwise("next").alias("next"),
            pl.col("gaps"),
            as_decimal(pl.col("stored"), 2).alias("baseline"),
            as_decimal(pl.col("growth"), 2).alias("growth"),
            pl.lit(None, pl.Decimal(18, 2)).alias("pace"),
        )
        return table.sort("student_id", "domain"), placement

    def _next_level(self) -> pl.Expr:
        last = pl.col("target") == self.highest if self.highest else pl.lit(False)
        following = (pl.col("target").cast(pl.Int64, strict=False) + 1).cast(pl.String)
        return pl.when(~last).then(pl.format("level {}", following)).otherwise(pl.lit(""))

    def _current(self, collected: Collected) -> pl.DataFrame:
        """The demonstrations at each student's current level: ``student``, ``unit``, ``skill``, ``target``, ``rating``
        (micros; 0 for a missed one), ``missed``, ``override``, ``time`` and the id for ties."""
        outcomes = {Reason.MISSING: "missed", Reason.OVERRIDDEN: "override"}
        kept = collected.others.filter(pl.col("outcome").is_in([CODE[reason] for reason in outcomes]))
        flags = [(pl.col("outcome") == CODE[reason]).alias(name) for reason, name in outcomes.items()]
        rated = collected.counted.with_columns(pl.lit(False).alias(name) for name in outcomes.values())
        names = ["key", "time", "level", "missed", "override"]
        names += [name for name in (self.target, "result_id") if name in rated.columns]
        rows = pl.concat([rated.select(names), kept.with_columns(flags).select(names)])
        number = len(self.unit_of)
        target = pl.col(self.target).cast(pl.String) if self.target in rows.columns else pl.lit("")
        rows = rows.select(
            (pl.col("key") // number).alias("student"),
            pl.lit(pl.Series(self.unit_of, dtype=pl.Int64)).gather(pl.col("key") % number).alias("unit"),
            (pl.col("key") % number).alias("skill"),
            target.fill_null("").alias("target"),
            pl.when(pl.col("missed") | pl.col("override")).then(0).otherwise("level").alias("rating"),
            "missed",
            "override",
            "time",
            *(pl.col(name) for name in ("result_id",) if name in rows.columns),
        ).filter(pl.col("unit") >= 0)
        rank = pl.coalesce(pl.col("target").cast(pl.Int64, strict=False), pl.lit(0))
        ranked = rows.with_columns(rank.alias("rank"))
        highest = ranked.group_by("student", "unit").agg(pl.col("rank").max().alias("current"))
        joined = ranked.join(highest, on=["student", "unit"])
        return joined.filter(pl.col("rank") == pl.col("current")).drop("rank", "current")

    def demonstrations(self, collected: Collected) -> tuple[pl.DataFrame, pl.DataFrame]:
        """For explanations: the demonstrations at the students' current levels, with ``effective``; and the skills of
        their units with ``target`` and ``needed``."""
        current = self._current(collected).with_row_index("row")
        needed = _needed(current.select(*_BY[:3]).unique(), self.required)
        effective = self._best(current, needed).filter(pl.col("place") < pl.col("needed"))["row"]
        rows = current.with_columns(pl.col("row").is_in(effective.to_list()).alias("effective"))
        return rows.sort("skill", "time", *_ties(current), "row"), needed

    def _best(self, current: pl.DataFrame, needed: pl.DataFrame) -> pl.DataFrame:
        """What may be effective, with ``needed`` and the ``place`` within the skill, best first."""
        rows = current.join(needed, on=_BY, how="left").with_columns(pl.col("needed").fill_null(0))
        has_override = rows.group_by(_BY).agg(pl.col("override").any().alias("overridden"))
        usable = rows.join(has_override, on=_BY).filter(~(pl.col("missed") & pl.col("overridden")))
        ties = _ties(current)
        best = usable.sort(
            *_BY, "rating", "override", "time", *ties, descending=[False] * 4 + [True] + [False] * (2 + len(ties))
        )
        return best.with_columns(pl.int_range(pl.len()).over(_BY).alias("place"))

    def _skills(self, current: pl.DataFrame) -> pl.DataFrame:
        """A row per student and skill of the units in which the student has demonstrations."""
        by = _BY
        needed = _needed(current.select(*_BY[:3]).unique(), self.required)
        effective = self._best(current, needed).filter(pl.col("place") < pl.col("needed"))
        rated = ~pl.col("missed") & ~pl.col("override")
        sums = effective.group_by(by).agg(
            pl.col("rating").filter(rated).sum().alias("sum"),
            rated.sum().cast(pl.Int64).alias("rated"),
            pl.col("rating").filter(rated).min().alias("lowest"),
            pl.col("missed").any().alias("missed"),
            (rated.cast(pl.Int64) + pl.col("override").cast(pl.Int64) * pl.col("needed")).sum().alias("done"),
        )
        timed = current.filter(~pl.col("missed")).sort(*by, "time", *_ties(current))
        ends = timed.group_by(by, maintain_order=True).agg(
            pl.when(pl.col("override").first()).then(None).otherwise(pl.col("rating").first()).alias("first"),
            pl.col("rating").filter(~pl.col("override")).last().alias("latest"),
            (~pl.col("override")).sum().cast(pl.Int64).alias("ratings"),
        )
        return (
            needed.join(sums, on=by, how="left")
            .join(ends, on=by, how="left")
            .with_columns(
                pl.col("sum", "rated", "ratings").fill_null(0),
                pl.col("missed").fill_null(False),
                pl.min_horizontal("needed", pl.col("done").fill_null(0)).alias("done"),
            )
        )

    def _units(self, skills: pl.DataFrame, students: pl.Series) -> pl.DataFrame:
        """A row per student and unit with all that is reported."""
        stored = self.baselines.join(
            pl.DataFrame({"student_id": students, "student": pl.int_range(len(students), eager=True)}), on="student_id"
        ).drop("student_id")
        by = ["student", "unit", "target"]
        skills = skills.join(stored, on=by, how="left").sort(*by, "skill")
        label = pl.lit(pl.Series(self.labels, dtype=pl.String)).gather(pl.col("skill"))
        skills = skills.with_columns(label.alias("label"))
        asked = pl.col("needed") > 0
        finished = asked & (pl.col("done") >= pl.col("needed"))
        units = skills.group_by(by, maintain_order=True).agg(
            pl.col("sum").sum(),
            pl.col("rated").sum(),
            pl.col("lowest").min(),
            pl.col("done").sum(),
            pl.col("needed").sum(),
            asked.sum().cast(pl.Int64).alias("skills"),
            pl.col("first").filter(asked).sum().alias("firsts_sum"),
            pl.col("first").filter(asked).count().cast(pl.Int64).alias("firsts"),
            pl.col("stored").first(),
            pl.col("label").filter(finished).str.join(_SEPARATOR).alias("complete"),
            pl.col("label").filter(asked & ~finished).str.join(_SEPARATOR).alias("next"),
            pl.col("label").filter(pl.col("missed")).str.join(_SEPARATOR).alias("gaps"),
            *self._recent(),
        )
        divisor = pl.when(pl.col("rated") > 0).then(pl.col("rated"))
        progress = _TWO_PLACES.ratio(pl.col("done") * MICROS, pl.col("needed").clip(lower_bound=1))
        units = units.with_columns(
            ONE_PLACE.ratio(pl.col("sum"), divisor).cast(pl.Int64).alias("level"),
            pl.when(pl.col("needed") > 0).then(progress).otherwise(MICROS).cast(pl.Int64).alias("progress"),
            ONE_PLACE.ratio(pl.col("stored"), 1).cast(pl.Int64).alias("stored"),
        )
        return units.with_columns(self._growth().alias("growth"), self._level_complete().alias("level_complete"))

    def _recent(self) -> list[pl.Expr]:
        """What the second calculator needs: the skills' growth from first (or stored baseline) to latest."""
        baseline = pl.col("stored")
        from_stored = baseline.is_not_null() & (pl.col("ratings") >= 1)
        from_first = baseline.is_null() & (pl.col("ratings") >= 2) & pl.col("first").is_not_null()
        grown = (
            pl.when(from_stored)
            .then(pl.col("latest") - baseline)
            .when(from_first)
            .then(pl.col("latest") - pl.col("first"))
        )
        return [grown.sum().alias("grown_sum"), grown.count().cast(pl.Int64).alias("grown")]

    def _growth(self) -> pl.Expr:
        if self.growth is Growth.MOST_RECENT_MINUS_FIRST:
            enough = (pl.col("grown") * 2 >= pl.col("skills")) & (pl.col("grown") > 0)
            return ONE_PLACE.ratio(pl.col("grown_sum"), pl.when(enough).then(pl.col("grown"))).cast(pl.Int64)
        level, stored = pl.col("level"), pl.col("stored")
        from_stored = pl.when((level != 0) & (stored != 0)).then(ONE_PLACE.ratio(level - stored, 1))
        allowed = (pl.col("firsts") == pl.col("skills")) | (pl.col("done") * 2 >= pl.col("needed"))
        firsts = pl.when(allowed & (pl.col("firsts") > 0) & (pl.col("firsts_sum") != 0)).then(pl.col("firsts"))
        dynamic = pl.when(level != 0).then(ONE_PLACE.ratio(level * pl.col("firsts") - pl.col("firsts_sum"), firsts))
        return pl.when(stored.is_not_null()).then(from_stored).otherwise(dynamic).cast(pl.Int64)

    def _level_complete(self) -> pl.Expr:
        """All demonstrations done, the mean not too far below the level, and no rating below the minimum."""
        target = pl.col("target").cast(pl.Int64, strict=False) * MICROS
        complete = (pl.col("done") >= pl.col("needed")) & (pl.col("sum") >= (target + self.offset) * pl.col("rated"))
        if self.minimum_rating is not None:
            complete &= pl.col("lowest") >= self.minimum_rating
        return (complete & (pl.col("rated") > 0)).fill_null(False)


def _ties(rows: pl.DataFrame) -> list[str]:
    """What breaks ties in time, where the evidence has it."""
    return [name for name in ("result_id",) if name in rows.columns]


def _needed(units: pl.DataFrame, required: pl.DataFrame) -> pl.DataFrame:
    """For each student and unit all its skills, with the demonstrations needed at the target level, or usually."""
    usual = required.filter(pl.col("target") == "").select("unit", "skill", pl.col("needed").alias("usual"))
    exact = required.filter(pl.col("target") != "")
    joined = units.join(usual, on="unit").join(exact, on=["unit", "skill", "target"], how="left")
    return joined.with_columns(pl.coalesce("needed", "usual").alias("needed")).drop("usual")


def empty_baselines() -> pl.DataFrame:
    """No stored baseline."""
    return pl.DataFrame(schema={"student_id": pl.String, "unit": pl.Int64, "target": pl.String, "stored": pl.Int64})


REQUIRED: Mapping[str, type[pl.DataType]] = {
    "skill": pl.Int64,
    "unit": pl.Int64,
    "target": pl.String,
    "needed": pl.Int64,
}
