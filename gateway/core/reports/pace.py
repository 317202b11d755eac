"""Pace and management exceptions: which students somebody should look at, in which domain, and the facts of each."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

import polars as pl

from gateway.core.mapping import CompiledMapping
from gateway.core.mapping.continuum import milliseconds
from gateway.core.mapping.prepare import NO_TIME
from gateway.core.mapping.stages import BETWEEN
from gateway.core.model import TIME
from gateway.core.reports.scored import scored
from gateway.core.reports.standing import needs_continuum, positions


class Exceptional(StrEnum):
    """Why a student is on the list."""

    NO_PROGRESS = "no_progress"
    BEHIND = "behind"
    NOTHING_SCORED = "nothing_scored"
    GAPS = "gaps"
    ADVANCING = "advancing"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on a student is on the list.

    ``levels_behind`` (two) and ``advancing_pace`` (two levels a school year) are what the field's reports use; the
    weeks and the number of gaps are our own.
    """

    no_progress_weeks: int = 6
    levels_behind: Decimal = Decimal(2)
    not_scored_weeks: int = 4
    not_scored_since: datetime.date | None = None
    gaps: int = 1
    advancing_pace: Decimal = Decimal(2)

    def compared_with(self, as_of: datetime.date) -> datetime.date:
        """The earlier day at the end of which a student without progress stood where they stand now."""
        return as_of - datetime.timedelta(weeks=self.no_progress_weeks)

    def scored_by(self, as_of: datetime.date) -> datetime.date:
        """The day on or after which something must have been scored."""
        return self.not_scored_since or as_of - datetime.timedelta(weeks=self.not_scored_weeks)


_FIGURE = pl.Decimal(18, 2)
EXCEPTIONS: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "school_id": pl.String(), "class_id": pl.String(), "teacher_id": pl.String(), "advisor_id": pl.String(),
        "student_id": pl.String(), "grade": pl.String(), "domain": pl.String(), "exception": pl.String(),
        "performance_level": pl.String(), "progress": _FIGURE, "ahead": _FIGURE, "pace": _FIGURE, "gaps": pl.String(),
        "earlier_performance_level": pl.String(), "earlier_progress": _FIGURE, "last_scored_at": TIME,
    }
)  # fmt: skip
"""A row for each student, domain and reason. ``class_id`` and ``teacher_id`` are those of the domain's newest score;
``earlier_…`` is where the student stood so many weeks ago. A student without any score has no domain."""

COUNTS: Mapping[str, pl.DataType] = MappingProxyType(
    {"by": pl.String(), "id": pl.String(), "exception": pl.String(), "students": pl.Int64(), "rows": pl.Int64()}
)
"""How many students (and rows) there are by ``school``, ``class``, ``teacher`` or ``advisor``, and reason."""

_GROUPS = {"school": "school_id", "class": "class_id", "teacher": "teacher_id", "advisor": "advisor_id"}
_KEY = ["student_id", "domain"]


def find_exceptions(
    mapping: CompiledMapping,
    evidence: pl.DataFrame,
    students: pl.DataFrame,
    as_of: datetime.date,
    thresholds: Thresholds | None = None,
) -> pl.DataFrame:
    """The table :data:`EXCEPTIONS` of one part, as of the end of a day.

    ``students`` (see :data:`gateway.core.reports.standing.STUDENTS`) are those of the part; a student in it without any
    score is an exception too.
    """
    needs_continuum(mapping)
    limits = thresholds or Thresholds()
    facts = _facts(mapping, evidence, students, as_of, limits.compared_with(as_of))
    since = limits.scored_by(as_of)
    to_do = (pl.col("progress") < 1) | (pl.col("gaps") != "")
    count = pl.when(pl.col("gaps") != "").then(pl.col("gaps").str.count_matches(BETWEEN, literal=True) + 1).otherwise(0)
    last = pl.col("time").fill_null(NO_TIME)
    reasons = {
        Exceptional.NO_PROGRESS: to_do & (pl.col("position") <= pl.col("earlier_position")),
        Exceptional.BEHIND: pl.col("ahead") <= pl.lit(-limits.levels_behind, pl.Decimal(18, 6)),
        Exceptional.NOTHING_SCORED: last < milliseconds(since),
        Exceptional.GAPS: (count >= limits.gaps) & (count > 0),
        Exceptional.ADVANCING: pl.col("pace") >= pl.lit(limits.advancing_pace, pl.Decimal(18, 6)),
    }
    found = [
        facts.filter(reason).with_columns(pl.lit(str(name)).alias("exception")) for name, reason in reasons.items()
    ]
    return sorted_exceptions(pl.concat([*found, _without_score(facts, students)], how="diagonal"))


def sorted_exceptions(rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` of one part or of all, in the order and with the columns of :data:`EXCEPTIONS`."""
    chosen = rows.select(pl.col(name).cast(dtype) for name, dtype in EXCEPTIONS.items())
    return chosen.sort("school_id", "class_id", "student_id", "domain", "exception", nulls_last=True)


def count_exceptions(rows: pl.DataFrame) -> pl.DataFrame:
    """The table :data:`COUNTS` of all exceptions."""
    tables = [
        rows.group_by(pl.lit(by).alias("by"), pl.col(column).alias("id"), "exception").agg(
            pl.col("student_id").n_unique().cast(pl.Int64).alias("students"), pl.len().cast(pl.Int64).alias("rows")
        )
        for by, column in _GROUPS.items()
    ]
    order = pl.col("by").replace_strict({by: n for n, by in enumerate(_GROUPS)}, return_dtype=pl.Int8)
    return pl.concat(tables).drop_nulls("id").sort(order, "id", "exception").select(list(COUNTS))


def _facts(
    mapping: CompiledMapping,
    evidence: pl.DataFrame,
    students: pl.DataFrame,
    as_of: datetime.date,
    earlier: datetime.date,
) -> pl.DataFrame:
    """A row per student and domain with evidence, with all that an exception may tell."""
    now, then = mapping.apply(evidence, as_of=as_of), mapping.apply(evidence, as_of=earlier)
    before = then.continuum.select(
        *_KEY,
        pl.col("performance_level").alias("earlier_performance_level"),
        pl.col("progress").alias("earlier_progress"),
    ).join(positions(mapping, then.continuum).rename({"position": "earlier_position"}), on=_KEY)
    return (
        now.continuum.select(*_KEY, "performance_level", "progress", "gaps", "pace")
        .join(positions(mapping, now.continuum), on=_KEY)
        .join(now.placement.select(*_KEY, "ahead"), on=_KEY, how="left")
        .join(before, on=_KEY, how="left")
        .join(_newest(mapping, evidence, as_of), on=_KEY, how="left")
        .join(students, on="student_id", how="left")
    )


def _newest(mapping: CompiledMapping, evidence: pl.DataFrame, as_of: datetime.date) -> pl.DataFrame:
    """The class and teacher of each student's newest score in a domain, and its time."""
    rows = scored(mapping, evidence, as_of=as_of).filter(pl.col("domain").is_not_null())
    newest = rows.sort("time", "result_id", "class_id", "scorer_id").group_by(_KEY).agg(
        pl.col("time").last(), pl.col("class_id").last(), pl.col("scorer_id").last().alias("teacher_id")
    )  # fmt: skip
    return newest.with_columns(pl.when(pl.col("time") != NO_TIME).then("time").cast(TIME).alias("last_scored_at"))


def _without_score(facts: pl.DataFrame, students: pl.DataFrame) -> pl.DataFrame:
    """The students of whom nothing at all is placed."""
    missing = students.join(facts.select("student_id").unique(), on="student_id", how="anti")
    return missing.with_columns(pl.lit(str(Exceptional.NOTHING_SCORED)).alias("exception"))
