"""What a mapping makes of evidence: five tables and the counts of what was used and what was set aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from gateway.core.model import TIME

LEVELS: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "student_id": pl.String(), "competency": pl.String(), "level": pl.Decimal(18, 2), "proficient": pl.Boolean(),
        "state": pl.String(), "evidence_count": pl.UInt32(), "first_scored_at": TIME, "last_scored_at": TIME,
        "mapping": pl.String(), "version": pl.String(),
    }
)  # fmt: skip
"""``level`` has as many places as the mapping's finest rounding; it is null unless the state is calculated, modified
or overridden."""

CONTINUUM: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "student_id": pl.String(), "domain": pl.String(), "performance_level": pl.String(),
        "progress": pl.Decimal(18, 2), "complete": pl.String(), "next": pl.String(), "gaps": pl.String(),
        "baseline": pl.Decimal(18, 2), "growth": pl.Decimal(18, 2), "pace": pl.Decimal(18, 2),
    }
)  # fmt: skip
"""``complete``, ``next`` and ``gaps`` are codes separated by ``"; "``."""

CREDITS: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "student_id": pl.String(), "credit": pl.String(), "part": pl.String(), "earned": pl.Decimal(18, 2),
        "required": pl.Decimal(18, 2), "remaining": pl.Decimal(18, 2), "complete": pl.Boolean(),
    }
)  # fmt: skip

UNMATCHED: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "kind": pl.String(), "column": pl.String(), "value": pl.String(), "reason": pl.String(),
        "suggestion": pl.String(), "rows": pl.UInt32(), "students": pl.UInt32(), "first_scored_at": TIME,
        "last_scored_at": TIME,
    }
)  # fmt: skip
"""``kind`` is ``code`` (no competency), ``score`` (does not fit the scale), ``rule`` (no evidence rule fits) or
``cell`` (counts, but fills no cell of a grid of credits)."""

PLACEMENT: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "student_id": pl.String(), "domain": pl.String(), "grade": pl.String(), "performance_level": pl.String(),
        "lowest": pl.String(), "highest": pl.String(), "ahead": pl.Decimal(18, 2),
    }
)  # fmt: skip
"""Age-grade beside performance level, and the span of performance levels with evidence. ``ahead`` is how many levels
the student works above the grade, negative below it, null where either has no number."""

_TABLES = ("levels", "continuum", "credits", "unmatched", "placement")
_UNMATCHED_KEY = ("kind", "column", "value", "reason", "suggestion")


@dataclass(frozen=True, slots=True)
class Mapped:
    """The result of one application. ``used`` and ``set_aside`` (by reason) count pairs of a result and a competency,
    or results where no competency was found; ``evidence`` counts the rows that came in."""

    levels: pl.DataFrame
    continuum: pl.DataFrame
    credits: pl.DataFrame
    unmatched: pl.DataFrame
    placement: pl.DataFrame
    evidence: int = 0
    used: int = 0
    set_aside: Mapping[str, int] = field(default_factory=dict)


def merge_mapped(parts: Iterable[Mapped]) -> Mapped:
    """The results of partitions by student as one: the same bytes as one application to all evidence."""
    listed = list(parts)
    if not listed:
        empty = [pl.DataFrame(schema=dict(each)) for each in (LEVELS, CONTINUUM, CREDITS, UNMATCHED, PLACEMENT)]
        return Mapped(empty[0], empty[1], empty[2], empty[3], empty[4])
    frames = {name: pl.concat([getattr(part, name) for part in listed]) for name in _TABLES}
    reasons = sorted({reason for part in listed for reason in part.set_aside})
    return Mapped(
        levels=frames["levels"].sort("student_id", "competency"),
        continuum=frames["continuum"].sort("student_id", "domain"),
        credits=frames["credits"].sort("student_id", "credit", "part"),
        unmatched=sum_unmatched(frames["unmatched"]),
        placement=frames["placement"].sort("student_id", "domain"),
        evidence=sum(part.evidence for part in listed),
        used=sum(part.used for part in listed),
        set_aside={reason: sum(part.set_aside.get(reason, 0) for part in listed) for reason in reasons},
    )


def sum_unmatched(rows: pl.DataFrame) -> pl.DataFrame:
    """Unmatched rows with equal keys added up, the most frequent first."""
    summed = rows.group_by(_UNMATCHED_KEY).agg(
        pl.col("rows", "students").sum(), pl.col("first_scored_at").min(), pl.col("last_scored_at").max()
    )
    descending = [False, True, False, False, False]
    return summed.select(list(UNMATCHED)).sort(
        "kind", "rows", "column", "value", "reason", descending=descending, nulls_last=True
    )
