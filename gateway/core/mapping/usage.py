"""What of a mapping evidence uses: taken part by part, so that memory does not grow with the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from gateway.core.mapping.alignment import Way
from gateway.core.mapping.coding import Codes, Combined
from gateway.core.mapping.facts import facts
from gateway.core.mapping.prepare import prepare
from gateway.core.mapping.result import UNMATCHED, sum_unmatched

if TYPE_CHECKING:
    from gateway.core.mapping.compiled import CompiledMapping


class Usage:
    """Which evidence rules decided, which codes of crosswalks occurred, which competencies were reached, and what
    matched nothing, in all parts that were added."""

    def __init__(self, mapping: CompiledMapping) -> None:
        self.mapping = mapping
        self.rules: set[int] = set()
        self.competencies: set[str] = set()
        self.unmatched = pl.DataFrame(schema=dict(UNMATCHED))
        self._codes: dict[int, set[str]] = {n: set() for n, _ in self.tables()}

    def tables(self) -> list[tuple[int, Way]]:
        """The ways of alignment, with their numbers, that look one code up in a crosswalk."""
        ways = enumerate(self.mapping.collector.alignment.ways)
        return [(n, way) for n, way in ways if len(way.codes) == 1 and way.table]

    def add(self, evidence: pl.DataFrame) -> None:
        """Take one part; it holds all results of its students."""
        rules = self.mapping.collector.rules
        frame = prepare(evidence, numbers=rules.reads_numbers)
        rows = Combined(Codes(frame, ("student_id", *rules.columns)), rules.columns).rows
        self.rules |= {rules.choose(facts(rules.columns, row)) for row in rows}
        for n, way in self.tables():
            code = way.codes[0]
            texts = frame[code.column].unique().drop_nulls().to_list() if code.column in frame.columns else []
            self._codes[n] |= {(code.read({code.column: text}) or "").casefold() for text in texts}
        mapped = self.mapping.apply(evidence)
        self.competencies |= set(mapped.levels["competency"].unique())
        self.unmatched = sum_unmatched(pl.concat([self.unmatched, mapped.unmatched]))

    def never(self, n: int, known: Sequence[str]) -> list[str]:
        """Those of the ``known`` codes of the way with number ``n`` that no result carries; patterns do not count."""
        return sorted(code for code in known if "*" not in code and code.casefold() not in self._codes[n])
