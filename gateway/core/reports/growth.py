"""Growth and pace of groups of students: counts, median, quartiles, and how many grew by a year or more."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

import polars as pl

from gateway.core.mapping import CompiledMapping
from gateway.core.mapping.continuum import Continuum
from gateway.core.mapping.rounding import round_half_up
from gateway.core.reports.consistency import share
from gateway.core.reports.standing import cohort, hundredths, needs_continuum, positions
from gateway.core.reports.suppression import DEFAULT_MINIMUM, shown_groups

A_YEAR = 100
"""A year's growth in hundredths of a performance level; as a pace, that many hundredths of a level per school year."""


class By(StrEnum):
    """What students may be grouped by."""

    SCHOOL = "school"
    DOMAIN = "domain"
    GRADE = "grade"
    COHORT = "cohort"


_COLUMN = {By.SCHOOL: "school_id", By.DOMAIN: "domain", By.GRADE: "grade", By.COHORT: "cohort"}
_MEASURES = ("growth", "pace")
_FIGURE = pl.Decimal(18, 2)
_FIGURES: Mapping[str, pl.DataType] = {
    f"{measure}_{name}": dtype
    for measure in _MEASURES
    for name, dtype in (
        ("students", pl.Int64()), ("count", pl.Int64()), ("lower_quartile", _FIGURE), ("median", _FIGURE),
        ("upper_quartile", _FIGURE), ("a_year_share", pl.Decimal(18, 4)),
    )
}  # fmt: skip


def growth_schema(by: Sequence[By]) -> dict[str, pl.DataType]:
    """The columns of the table: ``of`` (``group``, or ``all`` of them), the groups, and for growth and for pace how
    many students and how many values (a student has one in each domain) there are, their quartiles, and the share of
    at least a year's; ``hidden`` where the group is too small."""
    return {"of": pl.String(), **{_COLUMN[each]: pl.String() for each in by}, **_FIGURES, "hidden": pl.Boolean()}


def growth_since_baseline(continuum: pl.DataFrame) -> pl.DataFrame:
    """``student_id``, ``domain``, ``growth`` and ``pace`` in hundredths, as the continuum tells them."""
    return continuum.select(
        "student_id", "domain", hundredths(pl.col("growth")).alias("growth"), hundredths(pl.col("pace")).alias("pace")
    )


def growth_between(mapping: CompiledMapping, before: pl.DataFrame, after: pl.DataFrame, days: int) -> pl.DataFrame:
    """``student_id``, ``domain``, ``growth`` and ``pace`` in hundredths: positions in two continuum tables compared,
    which are ``days`` apart, of those who stand in both. There is no pace over fewer days than the mapping asks for."""
    rules = needs_continuum(mapping)
    year, at_least = (rules.days, rules.at_least_days) if isinstance(rules, Continuum) else (365, 30)
    both = positions(mapping, before).join(positions(mapping, after), on=["student_id", "domain"], suffix="_after")
    known = both.with_columns((pl.col("position_after") - pl.col("position")).alias("growth"))
    pace = pl.lit(None, pl.Int64)
    if days >= max(at_least, 1):
        doubled = pl.col("growth").abs() * 2 * year + days
        pace = doubled // (2 * days) * pl.col("growth").sign()  # half up, away from zero
    return known.select("student_id", "domain", "growth", pace.cast(pl.Int64).alias("pace"))


@dataclass(frozen=True, slots=True)
class GrowthCounts:
    """What is known of one part, or of several: ``values`` has how often each value of each measure occurs in each
    group, ``students`` how many students have one."""

    values: pl.DataFrame
    students: pl.DataFrame


def count_growth(growth: pl.DataFrame, students: pl.DataFrame, by: Sequence[By], day: datetime.date) -> GrowthCounts:
    """The counts of one part. ``students`` has ``student_id``, ``school_id``, ``grade`` and, if the cohorts are a
    district's own, ``cohort``; ``day`` tells the school year otherwise."""
    known = students
    if "cohort" not in known.columns:
        grades = known["grade"].unique().to_list()
        cohorts = [cohort(grade, day) for grade in grades]
        of = pl.DataFrame({"grade": grades, "cohort": cohorts}, schema={"grade": pl.String, "cohort": pl.String})
        known = known.join(of, on="grade", how="left", nulls_equal=True)
    rows = growth.join(known, on="student_id", how="left")
    keys = ["measure", "of", *(_COLUMN[each] for each in by)]
    long = pl.concat(
        rows.select(
            pl.lit(measure).alias("measure"),
            pl.lit(of).alias("of"),
            *(pl.col(_COLUMN[each]) if of == "group" else pl.lit(None, pl.String).alias(_COLUMN[each]) for each in by),
            "student_id",
            pl.col(measure).alias("value"),
        ).drop_nulls("value")
        for measure in _MEASURES
        for of in ("group", "all")
    )
    return GrowthCounts(
        long.group_by(*keys, "value").agg(pl.len().cast(pl.Int64).alias("count")),
        long.group_by(keys).agg(pl.col("student_id").n_unique().cast(pl.Int64).alias("students")),
    )


def sum_growth(parts: Iterable[GrowthCounts]) -> GrowthCounts:
    """The counts of all parts; a student stands in one part only."""
    listed = list(parts)
    values = pl.concat([part.values for part in listed])
    students = pl.concat([part.students for part in listed])
    return GrowthCounts(
        values.group_by(pl.exclude("count")).agg(pl.col("count").sum()),
        students.group_by(pl.exclude("students")).agg(pl.col("students").sum()),
    )


def growth_table(counts: GrowthCounts, by: Sequence[By], *, minimum: int = DEFAULT_MINIMUM) -> pl.DataFrame:
    """A row for each group and one for all, columns as :func:`growth_schema`; small groups are hidden, for each measure
    on its own, and with them the next smallest where the whole would give them away."""
    keys = ["of", *(_COLUMN[each] for each in by)]
    values: dict[tuple[object, ...], list[tuple[int, int]]] = {
        key: list(rows.sort("value").select("value", "count").iter_rows())
        for key, rows in counts.values.group_by("measure", *keys)
    }
    shown: dict[tuple[object, ...], int] = {}
    for _, listed in counts.students.sort("measure", *keys).group_by("measure", "of", maintain_order=True):
        safe = shown_groups(listed["students"].to_list(), minimum)
        shown |= {
            row[:-1]: row[-1]
            for row, is_safe in zip(listed.select("measure", *keys, "students").rows(), safe, strict=True)
            if is_safe
        }
    groups = counts.students.select(keys).unique().sort(keys, descending=[True, *[False] * len(by)], nulls_last=True)
    rows = []
    for key in groups.iter_rows():
        told = [_figures(values.get((measure, *key), []), shown.get((measure, *key))) for measure in _MEASURES]
        rows.append((*key, *told[0], *told[1], ("growth", *key) not in shown))
    return pl.DataFrame(rows, schema=growth_schema(by), orient="row")


def _figures(values: Sequence[tuple[int, int]], students: int | None) -> tuple[Any, ...]:
    if students is None:
        return (None,) * 6
    whole = sum(count for _, count in values)
    quartiles = (quantile(values, Fraction(n, 4)) for n in (1, 2, 3))
    grown = sum(count for value, count in values if value >= A_YEAR)
    return students, whole, *quartiles, share(grown, whole)


def quantile(values: Sequence[tuple[int, int]], part: Fraction) -> Decimal:
    """The value (two places, half up) below which ``part`` of all lie; ``values`` are (hundredths, how often), rising.

    The place is 1 + (n - 1) * part, and between two values the straight line: what spreadsheets call QUARTILE.INC.
    """
    place = part * (sum(count for _, count in values) - 1)
    low = int(place)
    first, second = _at(values, low), _at(values, low + 1)
    return Decimal(round_half_up(first + (second - first) * (place - low))).scaleb(-2)


def _at(values: Sequence[tuple[int, int]], place: int) -> int:
    """The value at a place, from 0; the last one behind the end."""
    for value, count in values:
        if place < count:
            return value
        place -= count
    return values[-1][0]
