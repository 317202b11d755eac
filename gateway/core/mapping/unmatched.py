"""The unmatched report: what no rule, no way of alignment or no scale knew, by value and with counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from gateway.core.mapping.alignment import Alignment
from gateway.core.mapping.coding import Codes, Combined
from gateway.core.mapping.facts import facts
from gateway.core.mapping.prepare import NO_TIME
from gateway.core.mapping.result import UNMATCHED, sum_unmatched
from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.rules import CODE, Reason, Rules, Verdict
from gateway.core.mapping.scales import NO_MARK, Scale, plain

Entry = tuple[str, str | None, str | None, str, str | None]
"""Kind, column, value, reason, suggestion."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """What is needed to report on the ``pairs`` of one call: their ``outcome``, ``student`` and ``time``."""

    rules: Rules
    alignment: Alignment
    codes: Codes
    pairs: pl.DataFrame
    modified: Sequence[Scale] = ()
    """The scales to which a column ``modified`` of the pairs points."""

    def report(
        self, names: Sequence[str], scores: Combined, verdicts: Sequence[Verdict], targets: Combined
    ) -> pl.DataFrame:
        """The table :data:`~gateway.core.mapping.result.UNMATCHED`."""
        outcome = self.pairs["outcome"]
        found = []
        for reason, combined, entry in (
            (Reason.NO_RULE, None, lambda row: rule_entry(self.rules, row)),
            (Reason.UNALIGNED, targets, lambda row: code_entry(self.alignment, row)),
            (Reason.UNREADABLE, scores, lambda row: self._score_entry(dict(zip(names, row, strict=True)))),
        ):
            mask = outcome == CODE[reason]
            if reason is Reason.UNREADABLE and "modified" in self.pairs.columns:
                found += self._by_modified(mask, names)
                mask &= self.pairs["modified"].is_null()
            if mask.any():
                combined = combined or Combined(self.codes, self.rules.columns)
                found.append(self._count(mask, combined, entry))
        return sum_unmatched(pl.concat(found)) if found else pl.DataFrame(schema=dict(UNMATCHED))

    def _by_modified(self, mask: pl.Series, names: Sequence[str]) -> list[pl.DataFrame]:
        """What the scales of single students cannot read."""
        mask &= self.pairs["modified"].is_not_null()
        if not mask.any():
            return []
        codes = self.codes.rows(pl.int_range(self.pairs.height, eager=True))
        codes.add("modified", range(len(self.modified)), pl.lit(self.pairs["modified"].fill_null(0)))
        words = ("modified", *names[1:])

        def entry(row: tuple[Any, ...]) -> Entry:
            return score_entry(self.rules, self.modified[row[0]], dict(zip(words, row, strict=True)))

        return [self._count(mask, Combined(codes, words), entry, codes)]

    def _count(
        self,
        mask: pl.Series,
        combined: Combined,
        entry: Callable[[tuple[Any, ...]], Entry],
        codes: Codes | None = None,
    ) -> pl.DataFrame:
        """One line per entry, with the rows and students concerned."""
        rows = (codes or self.codes).frame.with_columns(self.pairs.select("student", "time").get_columns())
        ids = rows.select(combined.answer(range(len(combined.rows)), pl.UInt32).alias("id"))
        row = pl.col("row") if "row" in self.pairs.columns else pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
        chosen = self.pairs.select("student", "time", row).hstack(_tall(ids, self.pairs.height)).filter(mask)
        seen = chosen["id"].unique().to_list()
        entries = {n: entry(combined.rows[n]) for n in seen}
        distinct = sorted(set(entries.values()), key=lambda each: tuple(part or "" for part in each))
        place = {each: n for n, each in enumerate(distinct)}
        line = chosen["id"].replace_strict(seen, [place[entries[n]] for n in seen], return_dtype=pl.Int64)
        known = pl.col("time").filter(pl.col("time") != NO_TIME)
        counted = (
            chosen.with_columns(line.alias("line"))
            .group_by("line")
            .agg(
                pl.col("row").n_unique().alias("rows"),
                pl.col("student").n_unique().alias("students"),
                known.min().alias("first_scored_at"),
                known.max().alias("last_scored_at"),
            )
            .sort("line")
        )
        words = pl.DataFrame(distinct, schema=dict.fromkeys(_WORDS, pl.String), orient="row")
        return words.hstack(counted.drop("line")).select(pl.col(name).cast(dtype) for name, dtype in UNMATCHED.items())

    def _score_entry(self, row: Mapping[str, object]) -> Entry:
        number = row["rule"]
        scale = self.rules.rules[number].scale if isinstance(number, int) else None
        assert scale is not None, "only a scale finds a score unreadable"  # noqa: S101
        return score_entry(self.rules, scale, row)


def rule_entry(rules: Rules, row: tuple[object, ...]) -> Entry:
    """A result that no evidence rule fits; ``row`` are the values of the rules' columns."""
    columns = rules.columns
    said = ", ".join(
        f"{column} {'not filled in' if value is None else value}" for column, value in facts(columns, row).items()
    )
    return "rule", columns[0] if len(columns) == 1 else None, said, str(Reason.NO_RULE), None


def code_entry(alignment: Alignment, row: tuple[object, ...]) -> Entry:
    """A result that no way of alignment knows; ``row`` are the values of the ways' columns."""
    code = alignment.code_of(facts(alignment.columns, row))
    if code is None:
        return "code", None, None, "the result names no code", None
    return "code", *code, "no way of alignment knows this code", alignment.suggest(*code) or None


def score_entry(rules: Rules, scale: Scale, row: Mapping[str, object]) -> Entry:
    """A score that its scale cannot read."""
    verdict = rules.judge(scale, row)
    text, score = row.get("score_text"), row.get("score")
    value = str(text) if text else plain(from_micros(score)) if isinstance(score, int) else ""
    suggestion = f'Add it to the scale "{scale.name}".' if verdict.note == NO_MARK else None
    return "score", scale.name, value, verdict.note, suggestion


_WORDS = ("kind", "column", "value", "reason", "suggestion")


def _tall(ids: pl.DataFrame, height: int) -> pl.DataFrame:
    """A column of one answer for all rows, where only one combination occurs, at full height."""
    return (
        ids
        if ids.height == height
        else pl.DataFrame({"id": pl.repeat(ids["id"][0], height, dtype=pl.UInt32, eager=True)})
    )
