"""How the levels that one scorer gives lie beside those of the others on the same target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import polars as pl

from gateway.core.mapping.rounding import from_micros
from gateway.core.reports.suppression import DEFAULT_MINIMUM, Protection, figures, protect


class Target(StrEnum):
    """On what scorers are compared."""

    COMPETENCY = "competency"
    DOMAIN = "domain"


class Within(StrEnum):
    """Among whom they are compared; each is the name of a column of evidence, but for the first."""

    DISTRICT = "district"
    SCHOOL = "school"
    COURSE = "course"


_COLUMN: Mapping[Within, str] = MappingProxyType({Within.SCHOOL: "school_id", Within.COURSE: "course_code"})
_BLOCK = ("within", "target", "scale")
_LEVEL = pl.Decimal(18, 6)
_SHARE = pl.Decimal(18, 4)

SCORERS: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "within": pl.String(), "target": pl.String(), "scale": pl.String(), "scorer_id": pl.String(),
        "scores": pl.Int64(), "students": pl.Int64(), "others": pl.Int64(), "others_scores": pl.Int64(),
        "mean_rank_difference": pl.Int64(), "distance": pl.Int64(), "hidden_levels": pl.Int64(),
    }
)  # fmt: skip
"""A row for each scorer who is compared. ``others`` counts scorers. The two figures are null where they are hidden."""

DISTRIBUTION: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "within": pl.String(), "target": pl.String(), "scale": pl.String(), "scorer_id": pl.String(), "level": _LEVEL,
        "scores": pl.Int64(), "share": _SHARE, "others_scores": pl.Int64(), "others_share": _SHARE,
        "hidden": pl.Boolean(),
    }
)  # fmt: skip
"""A row for each scorer and level that anybody gave on the target. All counts of a hidden one are null."""


@dataclass(frozen=True, slots=True)
class LevelCounts:
    """What is known of one part, or of several: ``levels`` has ``scores`` and ``students`` by scorer and level,
    ``scorers`` has ``students`` by scorer; ``unnamed`` scores have no scorer."""

    levels: pl.DataFrame
    scorers: pl.DataFrame
    unnamed: int = 0


def count_levels(
    scores: pl.DataFrame, *, target: Target = Target.COMPETENCY, within: Within = Within.DISTRICT
) -> LevelCounts:
    """The counts of one part; ``scores`` as :func:`gateway.core.reports.scored.scored` gives them."""
    place = pl.col(_COLUMN[within]) if within in _COLUMN else pl.lit(None, pl.String)
    keyed = scores.select(
        place.alias("within"), pl.col(str(target)).alias("target"), "scale", "scorer_id", "level", "student_id"
    )
    named = keyed.filter(pl.col("scorer_id").is_not_null() & pl.col("target").is_not_null())
    students = pl.col("student_id").n_unique().cast(pl.Int64).alias("students")
    by = (*_BLOCK, "scorer_id")
    return LevelCounts(
        named.group_by(*by, "level").agg(pl.len().cast(pl.Int64).alias("scores"), students),
        named.group_by(by).agg(students),
        keyed["scorer_id"].null_count(),
    )


def sum_levels(parts: Iterable[LevelCounts]) -> LevelCounts:
    """The counts of all parts; a student stands in one part only."""
    listed = list(parts)
    by = (*_BLOCK, "scorer_id")
    levels = pl.concat([part.levels for part in listed]).group_by(*by, "level").agg(pl.col("scores", "students").sum())
    scorers = pl.concat([part.scorers for part in listed]).group_by(by).agg(pl.col("students").sum())
    return LevelCounts(levels, scorers, sum(part.unnamed for part in listed))


@dataclass(frozen=True, slots=True)
class Consistency:
    """The tables :data:`SCORERS` and :data:`DISTRIBUTION`. ``too_few`` rows of scorers had too few students and went
    into no number; ``alone`` had nobody beside them."""

    scorers: pl.DataFrame
    distribution: pl.DataFrame
    too_few: int
    alone: int
    unnamed: int


def compare_scorers(counts: LevelCounts, *, minimum: int = DEFAULT_MINIMUM) -> Consistency:
    """Every scorer beside the others on the same target and scale, with small numbers hidden.

    A scorer with fewer than ``minimum`` students on a target takes no part there, not even among the others.
    """
    enough = counts.scorers.filter(pl.col("students") >= minimum)
    beside = enough.filter(pl.len().over(_BLOCK) > 1)
    rows = counts.levels.join(beside, on=[*_BLOCK, "scorer_id"], suffix="_of_scorer", nulls_equal=True)
    scorers: list[tuple[Any, ...]] = []
    levels: list[tuple[Any, ...]] = []
    for key, block in rows.sort(*_BLOCK, "scorer_id", "level").group_by(_BLOCK, maintain_order=True):
        _compare(key, block, minimum, scorers, levels)
    return Consistency(
        pl.DataFrame(scorers, schema=dict(SCORERS), orient="row"),
        pl.DataFrame(levels, schema=dict(DISTRIBUTION), orient="row"),
        counts.scorers.height - enough.height,
        enough.height - beside.height,
        counts.unnamed,
    )


def _compare(
    key: tuple[object, ...],
    block: pl.DataFrame,
    minimum: int,
    scorers: list[tuple[Any, ...]],
    levels: list[tuple[Any, ...]],
) -> None:
    """Add the rows of one target."""
    names: list[str] = block["scorer_id"].unique().sort().to_list()
    steps: list[int] = block["level"].unique().sort().to_list()
    cells = {(name, level): (scores, students) for name, level, scores, students in block.select(
        "scorer_id", "level", "scores", "students").iter_rows()}  # fmt: skip
    scores = [[cells.get((name, level), (0, 0))[0] for level in steps] for name in names]
    students = [[cells.get((name, level), (0, 0))[1] for level in steps] for name in names]
    of_scorer = dict(block.select("scorer_id", "students_of_scorer").iter_rows())
    totals = [sum(column) for column in zip(*scores, strict=True)]
    safe = protect(scores, students, minimum)
    for n, name in enumerate(names):
        told = None if n in safe.rows else figures(scores[n], totals)
        own = sum(scores[n])
        scorers.append(
            (
                *key, name, own, of_scorer[name], len(names) - 1, sum(totals) - own,
                told and told.mean_rank_difference, told and told.distance,
                sum(row == n for row, _ in safe.cells),
            )
        )  # fmt: skip
        levels.extend(_levels(key, name, n, scores[n], steps, totals, safe))


def _levels(
    key: tuple[object, ...],
    name: str,
    row: int,
    scores: Sequence[int],
    steps: Sequence[int],
    totals: Sequence[int],
    safe: Protection,
) -> list[tuple[Any, ...]]:
    own, others = sum(scores), sum(totals) - sum(scores)
    found: list[tuple[Any, ...]] = []
    for n, level in enumerate(steps):
        if (row, n) in safe.cells:
            found.append((*key, name, from_micros(level), None, None, None, None, True))
            continue
        rest = totals[n] - scores[n]
        told = (scores[n], share(scores[n], own), rest, share(rest, others), False)
        found.append((*key, name, from_micros(level), *told))
    return found


def share(part: int, whole: int) -> Decimal:
    """``part`` of ``whole`` with four places, rounded half up."""
    return (Decimal((2 * part * 10_000 + whole) // (2 * whole))).scaleb(-4)
