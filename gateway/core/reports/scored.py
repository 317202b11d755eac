"""The scores behind a mapping's levels: who scored which work of whom for what, and with which level."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import polars as pl

from gateway.core.errors import ConfigurationError, did_you_mean
from gateway.core.mapping import CompiledMapping
from gateway.core.mapping.prepare import prepare
from gateway.core.mapping.rounding import MICROS
from gateway.core.mapping.scales import Scale

DEFAULT_WORK = "line_item_id"
_FACTS = ("scorer_id", "school_id", "course_code", "class_id")
_RESERVED = frozenset({"key", "time", "level", "weight", "rule", "student", "competency", "outcome", "row", "code"})


def scored(
    mapping: CompiledMapping,
    evidence: pl.DataFrame,
    *,
    as_of: datetime.date | None = None,
    work: str = DEFAULT_WORK,
    step: int | None = None,
) -> pl.DataFrame:
    """Every pair of a result that counts and a competency that it is for.

    Columns: ``student_id``, ``competency``, ``domain``, ``scale`` (on which the level lies), ``level`` (micros; cut
    down to a multiple of ``step``, if given), ``time`` (ms), ``scorer_id``, ``school_id``, ``course_code``,
    ``class_id``, ``work`` (what the column of that name holds) and ``result_id``; null where the evidence does not say.

    Raises :class:`ConfigurationError` (``report.column``) if there is no column ``work``.
    """
    if work in _RESERVED or (work not in evidence.columns and work != DEFAULT_WORK):
        raise ConfigurationError(
            f'The evidence has no column "{work}".{did_you_mean(work, evidence.columns)}',
            hint="Name the column that tells which piece of work was scored.",
            code="report.column",
        )
    collector = mapping.collector
    carried = tuple(dict.fromkeys((*collector.carried, *_FACTS, work)))
    collected = replace(collector, carried=carried).collect(prepare(evidence), as_of)
    rows, numbers = collected.counted, len(mapping.ids)
    same = [name for name in ("key", "time", "result_id", "level") if name in rows.columns]
    if "result_id" in same:  # a result that reaches a competency by several codes counts once for it
        rows = rows.filter(pl.struct(same).is_first_distinct() | pl.col("result_id").is_null())
    competency = pl.col("key") % numbers
    level = pl.col("level") if step is None else pl.col("level") // step * step
    told = {name: name for name in ("result_id", *_FACTS)} | {"work": work}
    return rows.select(
        pl.lit(collected.students).gather(pl.col("key") // numbers).alias("student_id"),
        _of(mapping.labels).gather(competency).alias("competency"),
        _of(domains(mapping)).gather(competency).alias("domain"),
        _of(mapping.collector.report_of).gather(competency).alias("scale"),
        level.alias("level"),
        "time",
        *(
            (pl.col(name).cast(pl.String) if name in rows.columns else pl.lit(None, pl.String)).alias(alias)
            for alias, name in told.items()
        ),
    )


def domains(mapping: CompiledMapping) -> list[str | None]:
    """The domain of each competency, by number: as the continuum says, or else the framework's top level."""
    if mapping.continuum is not None:
        return list(mapping.continuum.domain_of)
    return [mapping.label((id, *mapping.framework.ancestors(id))[-1]) for id in mapping.ids]


def step_of(scale: Scale) -> int:
    """How far neighbouring levels of a scale lie apart, in micros: its step, else the smallest gap between levels that
    it names, else one level."""
    if scale.step is not None:
        return scale.step
    levels = sorted({*scale.marks.values(), *(band.level for band in scale.bands), *scale.names})
    return min((high - low for low, high in pairwise(levels)), default=MICROS)


def _of(values: Sequence[str | None]) -> pl.Expr:
    return pl.lit(pl.Series(values, dtype=pl.String))
