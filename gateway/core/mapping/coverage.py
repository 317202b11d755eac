"""What evidence covers of a framework, and what changes when a mapping is exchanged for another."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from gateway.core.model import TIME

if TYPE_CHECKING:
    from gateway.core.mapping.compiled import CompiledMapping

COVERAGE: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "competency": pl.String(), "statement": pl.String(), "domain": pl.String(), "results": pl.UInt32(),
        "students": pl.UInt32(), "with_level": pl.UInt32(), "proficient": pl.UInt32(), "last_scored_at": TIME,
    }
)  # fmt: skip
"""``results`` that count, ``students`` with any evidence, and those of them with a level, and at proficient."""

CHANGES: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "student_id": pl.String(), "school_id": pl.String(), "competency": pl.String(), "before": pl.Decimal(18, 6),
        "after": pl.Decimal(18, 6), "change": pl.Decimal(18, 6), "state_before": pl.String(),
        "state_after": pl.String(), "proficient_before": pl.Boolean(), "proficient_after": pl.Boolean(),
    }
)  # fmt: skip
"""A row for each level that differs; ``change`` is null where one of the two mappings gives none."""

SUMMARY: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "school_id": pl.String(), "competency": pl.String(), "students": pl.UInt32(), "up": pl.UInt32(),
        "down": pl.UInt32(), "gained": pl.UInt32(), "lost": pl.UInt32(), "newly_proficient": pl.UInt32(),
        "no_longer_proficient": pl.UInt32(), "least": pl.Decimal(18, 6), "greatest": pl.Decimal(18, 6),
    }
)  # fmt: skip
"""The changes by school and competency: how many students, in which direction, and between which bounds."""


def coverage(mapping: CompiledMapping, evidence: pl.DataFrame) -> pl.DataFrame:
    """The table :data:`COVERAGE`, in the framework's order; competencies without any evidence are there with 0."""
    levels = mapping.apply(evidence).levels
    counted = levels.group_by("competency").agg(
        pl.col("evidence_count").sum().alias("results"),
        pl.len().alias("students"),
        pl.col("level").is_not_null().sum().alias("with_level"),
        pl.col("proficient").fill_null(False).sum().alias("proficient"),
        pl.col("last_scored_at").max(),
    )
    framework = mapping.framework
    numbers = mapping.collector.numbers
    rules = mapping.continuum
    rows = pl.DataFrame(
        {
            "competency": [mapping.label(id) for id in framework.competencies],
            "statement": [item.statement for item in framework.competencies.values()],
            "domain": [rules.domain_of[numbers[id]] if rules else None for id in framework.competencies],
        },
        schema={"competency": pl.String, "statement": pl.String, "domain": pl.String},
    )
    joined = rows.join(counted, on="competency", how="left", maintain_order="left")
    counts = ("results", "students", "with_level", "proficient")
    return joined.select(
        pl.col(name).fill_null(0).cast(dtype) if name in counts else pl.col(name).cast(dtype)
        for name, dtype in COVERAGE.items()
    )


def sum_coverage(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The coverage of parts that share no student as one table, in the framework's order."""
    keys = ("competency", "statement", "domain")
    counts = ("results", "students", "with_level", "proficient")
    together = pl.concat(parts).group_by(keys, maintain_order=True)
    summed = together.agg(pl.col(counts).sum(), pl.col("last_scored_at").max())
    return summed.select(pl.col(name).cast(dtype) for name, dtype in COVERAGE.items())


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes: level by level, and summed up by school and competency."""

    changes: pl.DataFrame
    summary: pl.DataFrame


def diff(
    old: CompiledMapping, new: CompiledMapping, evidence: pl.DataFrame, *, as_of: datetime.date | None = None
) -> Difference:
    """Who changes, and by how much, if ``new`` takes the place of ``old``."""
    columns = ["student_id", "competency", "level", "state", "proficient"]
    before, after = (
        each.apply(evidence, as_of=as_of).levels.select(columns).with_columns(pl.col("level").cast(pl.Decimal(18, 6)))
        for each in (old, new)
    )
    both = before.join(after, on=["student_id", "competency"], how="full", suffix="_after", coalesce=True)
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in columns[2:])
    changed = both.filter(differs).join(_schools(evidence), on="student_id", how="left")
    changes = changed.with_columns(
        (pl.col("level_after") - pl.col("level")).alias("change"),
        pl.col("level").alias("before"),
        pl.col("level_after").alias("after"),
        pl.col("state").alias("state_before"),
        pl.col("proficient").alias("proficient_before"),
    ).select(pl.col(name).cast(dtype) for name, dtype in CHANGES.items())
    changes = changes.sort("school_id", "competency", "student_id")
    return Difference(changes, _summary(changes))


def _schools(evidence: pl.DataFrame) -> pl.DataFrame:
    """The school of each student's newest result."""
    if "school_id" not in evidence.columns:
        return pl.DataFrame(schema={"student_id": pl.String, "school_id": pl.String})
    known = evidence.select(pl.col("student_id").cast(pl.String), "school_id", "scored_at").drop_nulls("school_id")
    return (
        known.sort("student_id", "scored_at", "school_id")
        .group_by("student_id", maintain_order=True)
        .agg(pl.col("school_id").last())
    )


def _summary(changes: pl.DataFrame) -> pl.DataFrame:
    was, now = (pl.col(f"proficient_{when}").fill_null(False) for when in ("before", "after"))
    gained, lost = pl.col("before").is_null() & pl.col("after").is_not_null(), pl.col("before").is_not_null()
    summed = changes.group_by("school_id", "competency").agg(
        pl.col("student_id").n_unique().alias("students"),
        (pl.col("change") > 0).sum().alias("up"),
        (pl.col("change") < 0).sum().alias("down"),
        gained.sum().alias("gained"),
        (lost & pl.col("after").is_null()).sum().alias("lost"),
        (now & ~was).sum().alias("newly_proficient"),
        (was & ~now).sum().alias("no_longer_proficient"),
        pl.col("change").min().alias("least"),
        pl.col("change").max().alias("greatest"),
    )
    return summed.select(pl.col(name).cast(dtype) for name, dtype in SUMMARY.items()).sort("school_id", "competency")


def sum_summaries(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The tables :data:`SUMMARY` of parts that share no student as one."""
    counts = [name for name, dtype in SUMMARY.items() if dtype == pl.UInt32]
    together = pl.concat(parts).group_by("school_id", "competency")
    summed = together.agg(pl.col(counts).sum(), pl.col("least").min(), pl.col("greatest").max())
    return summed.select(pl.col(name).cast(dtype) for name, dtype in SUMMARY.items()).sort("school_id", "competency")
