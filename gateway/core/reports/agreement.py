"""Work that two people scored: how often they agree, and how much more than chance would let them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import polars as pl

from gateway.core.mapping.rounding import round_half_up
from gateway.core.reports.consistency import Target, share
from gateway.core.reports.suppression import DEFAULT_MINIMUM, shown_groups

_SHARE = pl.Decimal(18, 4)
AGREEMENT: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "by": pl.String(), "scale": pl.String(), "target": pl.String(), "scorer_id": pl.String(),
        "other_scorer_id": pl.String(), "students": pl.Int64(), "pairs": pl.Int64(), "exact_share": _SHARE,
        "adjacent_share": _SHARE, "kappa": _SHARE, "weighted_kappa": _SHARE, "hidden": pl.Boolean(),
    }
)  # fmt: skip
"""``by`` is ``all``, ``target`` or ``scorers`` (two of them). ``pairs`` counts pairs of scores for one work and
competency; ``adjacent_share`` counts those that are at most one step of the scale apart, equal ones too."""

_GROUP = ("by", "scale", "target", "scorer_id", "other_scorer_id")


@dataclass(frozen=True, slots=True)
class PairCounts:
    """What is known of one part, or of several: ``levels`` has ``pairs`` by group and the two levels, ``groups`` has
    ``students`` by group."""

    levels: pl.DataFrame
    groups: pl.DataFrame


def count_pairs(scores: pl.DataFrame, *, target: Target = Target.COMPETENCY) -> PairCounts:
    """The counts of one part; ``scores`` as :func:`gateway.core.reports.scored.scored` gives them.

    The newest score that a scorer gave to a student's work for a competency counts; three scorers make three pairs.
    """
    work = ["student_id", "competency", "scale", "work"]
    named = scores.filter(pl.col("work").is_not_null() & pl.col("scorer_id").is_not_null())
    named = named.select(*work, pl.col(str(target)).alias("target"), "scorer_id", "level", "time", "result_id")
    newest = named.sort("time", "result_id", "level").group_by(*work, "target", "scorer_id").agg(pl.col("level").last())
    twice = newest.filter(pl.len().over(work) > 1)
    both = twice.join(twice.drop("target"), on=work, suffix="_other").filter(
        pl.col("scorer_id") < pl.col("scorer_id_other")
    )
    pairs = both.rename({"scorer_id_other": "other_scorer_id", "level_other": "other_level"})
    nothing = pl.lit(None, pl.String)
    grouped = pl.concat(
        pairs.select(
            pl.lit(by).alias("by"),
            "scale",
            *(pl.col(name) if name in kept else nothing.alias(name) for name in _GROUP[2:]),
            "level",
            "other_level",
            "student_id",
        )
        for by, kept in (("all", ()), ("target", ("target",)), ("scorers", ("scorer_id", "other_scorer_id")))
    )
    return PairCounts(
        grouped.group_by(*_GROUP, "level", "other_level").agg(pl.len().cast(pl.Int64).alias("pairs")),
        grouped.group_by(_GROUP).agg(pl.col("student_id").n_unique().cast(pl.Int64).alias("students")),
    )


def sum_pairs(parts: Iterable[PairCounts]) -> PairCounts:
    """The counts of all parts; a student stands in one part only."""
    listed = list(parts)
    levels = pl.concat([part.levels for part in listed])
    groups = pl.concat([part.groups for part in listed])
    return PairCounts(
        levels.group_by(*_GROUP, "level", "other_level").agg(pl.col("pairs").sum()),
        groups.group_by(_GROUP).agg(pl.col("students").sum()),
    )


def agree(counts: PairCounts, steps: Mapping[str, int], *, minimum: int = DEFAULT_MINIMUM) -> pl.DataFrame:
    """The table :data:`AGREEMENT`. ``steps`` gives each scale how far neighbouring levels lie apart (micros).

    A group with fewer than ``minimum`` students is hidden, and with it the next smallest where the whole would give it
    away.
    """
    groups = counts.groups.sort(_GROUP)
    shown: dict[tuple[object, ...], bool] = {}
    for _, listed in groups.group_by("by", "scale", maintain_order=True):
        keys = listed.select(_GROUP).rows()
        shown.update(zip(keys, shown_groups(listed["students"].to_list(), minimum), strict=True))
    tables = {
        key: list(table.select("level", "other_level", "pairs").iter_rows())
        for key, table in counts.levels.group_by(_GROUP)
    }
    rows: list[tuple[Any, ...]] = []
    for *parts, students in groups.iter_rows():
        key = tuple(parts)
        if not shown[key]:
            rows.append((*key, None, None, None, None, None, None, True))
        else:
            rows.append(
                (*key, students, *_figures(tables[key], steps[str(key[1])], ordered=key[0] == "scorers"), False)
            )
    return pl.DataFrame(rows, schema=dict(AGREEMENT), orient="row")


def _figures(pairs: Sequence[tuple[int, int, int]], step: int, *, ordered: bool) -> tuple[Any, ...]:
    whole = sum(count for *_, count in pairs)
    exact = sum(count for one, other, count in pairs if one == other)
    adjacent = sum(count for one, other, count in pairs if abs(one - other) <= step)
    table: dict[tuple[int, int], int] = {}
    for one, other, count in pairs:
        for place in ((one, other),) if ordered else ((one, other), (other, one)):
            table[place] = table.get(place, 0) + count
    simple, weighted = kappa(table), kappa(table, weighted=True)
    return whole, share(exact, whole), share(adjacent, whole), _four_places(simple), _four_places(weighted)


def kappa(table: Mapping[tuple[int, int], int], *, weighted: bool = False) -> Fraction | None:
    """Cohen's kappa of a table of counts by (level of the one scorer, level of the other), exactly.

    1 - D / E, where D is the disagreement that was observed and E the one that chance would give with the same shares
    of levels: D = sum of n(i, j) * d(i, j) / n and E = sum of n(i, .) * n(., j) * d(i, j) / n². d(i, j) is 0 for equal
    levels and 1 for others, or, ``weighted``, the square of their difference. None where E is 0: all scores are equal.
    """
    first: dict[int, int] = {}
    second: dict[int, int] = {}
    for (one, other), count in table.items():
        first[one] = first.get(one, 0) + count
        second[other] = second.get(other, 0) + count

    def apart(one: int, other: int) -> int:
        return (one - other) ** 2 if weighted else int(one != other)

    whole = sum(table.values())
    observed = sum(count * apart(one, other) for (one, other), count in table.items())
    expected = sum(n * m * apart(one, other) for one, n in first.items() for other, m in second.items())
    return None if expected == 0 else 1 - Fraction(observed * whole, expected)


def _four_places(value: Fraction | None) -> Decimal | None:
    """Rounded half up, away from zero."""
    return None if value is None else Decimal(round_half_up(value * 10_000)).scaleb(-4)
