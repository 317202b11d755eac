"""Where many students stand in a domain, at once: what :meth:`Domain.stand` says, as columns.

The competencies of a domain are bits; they are looked at in pieces of a few bits that belong to one stage, so that the
text of a piece is read from a small table instead of being made for each student.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from gateway.core.mapping.stages import BETWEEN, Domain, Stage, Standing, stage_value

WORD = 62
"""Competencies that one whole number has bits for; larger domains have several numbers."""

_PIECE = 10
COLUMNS = {
    name: pl.Int64 if name in ("progress", "position", "value") else pl.String for name in Standing.__slots__
}  # fmt: skip
"""The columns of a :class:`Standing`."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some bits of a stage: from ``start`` within the domain, ``codes`` being their competencies."""

    stage: int
    start: int
    codes: tuple[str, ...]

    @property
    def whole(self) -> int:
        return (1 << len(self.codes)) - 1

    @property
    def name(self) -> str:
        return f"done{self.start}"

    def of(self, words: str) -> pl.Expr:
        """These bits out of the columns ``words0``, ``words1``, …"""
        word, shift = divmod(self.start, WORD)
        return pl.col(f"{words}{word}") // (1 << shift) % (self.whole + 1)

    def text(self, mask: pl.Expr) -> pl.Expr:
        """The codes of a mask, null where there are none."""
        return pl.lit(_texts(self.codes)).gather(mask)


@dataclass(frozen=True, slots=True)
class _Steps:
    """What is asked of the sets of a domain, step by step; made once, as making it takes longer than some students."""

    pieces: Sequence[_Piece]
    bits: Sequence[pl.Expr]
    counts: Sequence[pl.Expr]
    span: Sequence[pl.Expr]
    working: pl.Expr
    columns: Sequence[pl.Expr]


def standings(domain: Domain, sets: pl.DataFrame) -> pl.DataFrame:
    """The :data:`COLUMNS` of each row of ``sets``, which has the competencies with evidence (of which there must be at
    least one) and the complete ones as bits in ``evidence0``, … and ``complete0``, …"""
    steps = _steps(domain)
    sets = sets.select(steps.bits).with_columns(steps.counts).with_columns(steps.span).with_columns(steps.working)
    large = [n for n in range(len(domain.stages)) if len(_of(steps.pieces, n)) > 1]
    if large:
        sets = sets.with_columns(_next_in_large(domain, n, _of(steps.pieces, n), sets) for n in large)
    return sets.select(steps.columns)


@functools.lru_cache(maxsize=1024)
def _steps(domain: Domain) -> _Steps:
    pieces = _pieces(domain)
    stages = range(len(domain.stages))
    seen = [pl.when(f"seen{n}").then(pl.lit(n, pl.Int32)) for n in stages]
    here = pl.sum_horizontal(pl.when(pl.col("working") == n).then(f"count{n}").otherwise(0) for n in stages)
    width = max(len(stage.codes) for stage in domain.stages) + 1
    progress = pl.Series([each.progress(n) for each in domain.stages for n in range(width)], dtype=pl.Int64)
    progress_here = pl.lit(progress).gather(pl.col("working") * width + here)
    names = pl.lit(pl.Series([stage.name for stage in domain.stages], dtype=pl.String))
    values = pl.lit(pl.Series([stage.value for stage in domain.stages], dtype=pl.Int64))
    numbers = pl.lit(pl.Series([stage_value(stage.name) for stage in domain.stages], dtype=pl.Int64))
    columns = {
        "performance_level": names.gather("working"),
        "progress": progress_here,
        "complete": _joined([piece.text(pl.col(piece.name)) for piece in pieces]),
        "next": _next(domain, pieces),
        "gaps": _joined([_gap(piece) for piece in pieces]),
        "position": values.gather("working") + progress_here,
        "lowest": names.gather("lowest"),
        "highest": names.gather("highest"),
        "value": numbers.gather("working"),
    }
    return _Steps(
        pieces,
        bits=[*(p.of("complete").alias(p.name) for p in pieces), *(_any(pieces, n).alias(f"seen{n}") for n in stages)],
        counts=[_count(pieces, n).alias(f"count{n}") for n in stages],
        span=[pl.min_horizontal(seen).alias("lowest"), pl.max_horizontal(seen).alias("highest")],
        working=_working(domain).alias("working"),
        columns=[columns[name].alias(name) for name in COLUMNS],
    )


def _of(pieces: Sequence[_Piece], stage: int) -> list[_Piece]:
    return [piece for piece in pieces if piece.stage == stage]


def _pieces(domain: Domain) -> list[_Piece]:
    """All bits of the domain; a piece lies in one stage and in one word."""
    found, start = [], 0
    for n, stage in enumerate(domain.stages):
        codes = stage.codes
        while codes:
            size = min(_PIECE, WORD - start % WORD)
            found.append(_Piece(n, start, codes[:size]))
            start += len(codes[:size])
            codes = codes[size:]
    return found


@functools.lru_cache(maxsize=4096)
def _texts(codes: tuple[str, ...]) -> pl.Series:
    """The text of every mask over some codes."""
    masks = range(1 << len(codes))
    texts = [BETWEEN.join(code for n, code in enumerate(codes) if mask >> n & 1) or None for mask in masks]
    return pl.Series(texts, dtype=pl.String)


def _any(pieces: Sequence[_Piece], stage: int) -> pl.Expr:
    """Whether there is evidence in a stage."""
    return pl.any_horizontal(pl.lit(False), *(p.of("evidence") > 0 for p in _of(pieces, stage)))


def _count(pieces: Sequence[_Piece], stage: int) -> pl.Expr:
    """How many competencies of a stage are complete."""
    counts = [pl.col(p.name).bitwise_count_ones() for p in _of(pieces, stage)]
    return pl.sum_horizontal(pl.lit(0, pl.UInt32), *counts).cast(pl.Int32)


def _working(domain: Domain) -> pl.Expr:
    """The stage at which a student works: after a complete one comes the next, if there is one."""
    last = len(domain.stages) - 1
    finished = [pl.col(f"count{n}") >= stage.needed for n, stage in enumerate(domain.stages)]
    if domain.highest:
        after = pl.any_horizontal((pl.col("highest") == n) & done for n, done in enumerate(finished))
        return (pl.col("highest") + after.cast(pl.Int32)).clip(upper_bound=last)
    still = (pl.when(~done & (pl.col("lowest") <= n)).then(pl.lit(n, pl.Int32)) for n, done in enumerate(finished))
    return pl.min_horizontal(still).fill_null(last)


def _gap(piece: _Piece) -> pl.Expr:
    """What is incomplete from the lowest stage with evidence up to the working one."""
    below = (pl.col("lowest") <= piece.stage) & (pl.col("working") > piece.stage)
    return pl.when(below).then(piece.text(piece.whole - pl.col(piece.name)))


def _joined(texts: Sequence[pl.Expr]) -> pl.Expr:
    return pl.concat_str(texts, separator=BETWEEN, ignore_nulls=True).fill_null("") if texts else pl.lit("")


def _next(domain: Domain, pieces: Sequence[_Piece]) -> pl.Expr:
    """What comes next in the working stage."""
    texts = []
    for n, stage in enumerate(domain.stages):
        mine = _of(pieces, n)
        text = pl.col(f"next{n}")
        if len(mine) == 1:
            text = pl.lit(_next_texts(stage, domain.next_count)).gather(mine[0].name)
        if mine:
            texts.append(pl.when(pl.col("working") == n).then(text))
    return pl.coalesce(*texts, pl.lit(""))


@functools.lru_cache(maxsize=4096)
def _next_texts(stage: Stage, count: int) -> pl.Series:
    """What comes next for every set of complete competencies."""
    masks = range(1 << len(stage.codes))
    return pl.Series([BETWEEN.join(stage.next(mask, count)) for mask in masks], dtype=pl.String)


def _next_in_large(domain: Domain, stage: int, pieces: Sequence[_Piece], sets: pl.DataFrame) -> pl.Series:
    """What comes next, worked out once for each distinct set of complete competencies of a stage with many."""
    masks = sets.select(piece.name for piece in pieces)
    distinct = masks.unique()
    texts = []
    for parts in distinct.rows():
        mask = sum(part << (piece.start - pieces[0].start) for part, piece in zip(parts, pieces, strict=True))
        texts.append(BETWEEN.join(domain.stages[stage].next(mask, domain.next_count)))
    table = distinct.with_columns(pl.Series(f"next{stage}", texts, dtype=pl.String))
    return masks.join(table, on=masks.columns, how="left", maintain_order="left")[f"next{stage}"]
