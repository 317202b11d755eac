"""Reads a mapping file and resolves every name in it: nothing is left to be found out while scores are mapped."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from math import gcd
from typing import Any

import polars as pl

from gateway.core.document import Document
from gateway.core.framework import Framework
from gateway.core.mapping.alignment import compile_alignment
from gateway.core.mapping.collect import Collector
from gateway.core.mapping.compiled import CompiledMapping, Window
from gateway.core.mapping.continuum import Continuum
from gateway.core.mapping.continuum_rules import compile_continuum
from gateway.core.mapping.credits import Credit, compile_credits
from gateway.core.mapping.few import few
from gateway.core.mapping.language import EVIDENCE_COLUMNS, MappingSchema
from gateway.core.mapping.personal import ModifiedScales, Override, compile_modified, compile_overrides
from gateway.core.mapping.portfolio import Portfolio
from gateway.core.mapping.portfolio_rules import compile_portfolio
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rules import compile_rules
from gateway.core.mapping.scale_rules import compile_scales
from gateway.core.mapping.scales import Scale
from gateway.core.mapping.summarize import Summarizer
from gateway.core.mapping.summary import Summaries
from gateway.core.mapping.summary_rules import compile_summaries, report_scale


def compile_mapping(
    document: Document,
    *,
    framework: Framework,
    crosswalks: Mapping[str, pl.DataFrame] | None = None,
    other_frameworks: Mapping[str, Framework] | None = None,
) -> CompiledMapping:
    """The mapping of ``document``. ``crosswalks`` are tables by the name under which the file mentions them;
    ``other_frameworks`` are by their name under ``other_frameworks``.

    Raises :class:`~gateway.core.errors.MappingError` with every fault, each on its line.
    """
    reader = Reader(document)
    compilation = _Compilation(
        reader, reader.load(MappingSchema()), framework, crosswalks or {}, other_frameworks or {}
    )
    return compilation.run()


class _Compilation:
    """One mapping under compilation: each step resolves a part, and notes its faults with ``reader``."""

    def __init__(
        self,
        reader: Reader,
        data: Mapping[str, Any],
        framework: Framework,
        tables: Mapping[str, pl.DataFrame],
        others: Mapping[str, Framework],
    ) -> None:
        self.reader = reader
        self.data = data
        self.framework = framework
        self.tables = tables
        self.others = others
        self.columns = (*EVIDENCE_COLUMNS, *data.get("columns", ()))
        self.labels = label_all(framework)
        self.ids = sorted(self.labels, key=lambda id: self.labels[id])
        self.numbers = {id: n for n, id in enumerate(self.ids)}

    def run(self) -> CompiledMapping:
        data, reader, framework = self.data, self.reader, self.framework
        _check_framework(data, reader, framework)
        scales = compile_scales(data["scales"], reader, framework)
        main = report_scale(data, reader, scales)
        rules = compile_rules(data, reader, self.columns, scales)
        alignment = compile_alignment(data["align"], reader, self.columns, framework, self.tables, self.others)
        if main is None:
            reader.finish()
            raise AssertionError("a mapping without a main scale has a fault")
        summaries = compile_summaries(data, reader, framework, scales, main)
        reader.finish()
        continuum = self._continuum(summaries)
        credits = compile_credits(
            data.get("credits", {}), reader, framework, self.labels, self.ids, summaries, self.columns
        )
        report_of = [summaries.of(id).scale.report for id in self.ids]
        modified, overrides = self._modified(scales, report_of), self._overrides(summaries)
        reader.finish()
        carried = ["score", "max_score"] if any(rule.pool for rule in rules.rules) else []
        carried += [continuum.target] if isinstance(continuum, Portfolio) else []
        carried += [credit.grid.column for credit in credits if credit.grid]
        collector = Collector(rules, alignment, self.numbers, report_of, carried, modified)
        grid = gcd(rules.grid, *(scale.grid for scale in scales.values())) if modified else rules.grid
        summarizer = Summarizer(summaries, self.ids, self.numbers, grid, rules.rules, overrides)
        return self._compiled(scales, main, collector, summarizer, continuum, credits)

    def _compiled(
        self,
        scales: Mapping[str, Scale],
        main: Scale,
        collector: Collector,
        summarizer: Summarizer,
        continuum: Continuum | Portfolio | None,
        credits: Sequence[Credit],
    ) -> CompiledMapping:
        data = self.data
        shown = [self.labels[id] for id in self.ids]
        for_few = None
        if not credits and not isinstance(continuum, Portfolio):
            places = summarizer.summaries.places
            for_few = few(data["mapping"], data["version"], places, shown, collector, summarizer, continuum)
        return CompiledMapping(
            name=data["mapping"],
            version=data["version"],
            digest=_digest(self.reader.document, self.framework, self.tables, self.others),
            framework=self.framework,
            scales=scales,
            scale=main,
            effective=_window(data["effective"]) if "effective" in data else None,
            report_windows=[_window(each) for each in data.get("report_windows", ())],
            labels=shown,
            ids=self.ids,
            collector=collector,
            summarizer=summarizer,
            continuum=continuum,
            credits=credits,
            document=self.reader.document,
            tables=dict(self.tables),
            few=for_few,
            examples=data.get("examples", ()),
        )

    def _continuum(self, summaries: Summaries) -> Continuum | Portfolio | None:
        data, reader = self.data, self.reader
        if "continuum" in data and "portfolio" in data:
            message = "The mapping has `continuum` and `portfolio`."
            reader.note(("portfolio",), message, "Keep one of the two.", "continuum")
        if "continuum" in data:
            return compile_continuum(data["continuum"], reader, self.framework, self.labels, self.ids, summaries)
        if "portfolio" not in data:
            return None
        rules = data["portfolio"]
        if rules["target"] not in self.columns:
            where = ("portfolio", "target")
            reader.unknown(where, "column of evidence", rules["target"], self.columns, "unknown-column")
        table = self._table(rules, "baselines", "portfolio")
        return compile_portfolio(rules, reader, self.framework, self.labels, self.ids, table)

    def _modified(self, scales: Mapping[str, Scale], report_of: Sequence[str]) -> ModifiedScales | None:
        named = self._table(self.data, "modified_scales")
        if named is None:
            return None
        where = ("modified_scales",)
        return compile_modified(*named, where, self.reader, self.framework, self.numbers, scales, report_of)

    def _overrides(self, summaries: Summaries) -> list[Override]:
        named = self._table(self.data, "overrides")
        if named is None:
            return []
        return compile_overrides(*named, ("overrides",), self.reader, self.framework, self.numbers, summaries)

    def _table(self, data: Mapping[str, Any], key: str, *above: str) -> tuple[str, pl.DataFrame] | None:
        """A table beside the mapping, with the name under which the file mentions it, if it mentions one."""
        if key not in data:
            return None
        table = self.reader.one_of((*above, key), "table", data[key], self.tables, "unknown-table")
        return None if table is None else (data[key], table)


def _window(data: Mapping[str, Any]) -> Window:
    return Window(data["first"], data.get("last"))


def label_all(framework: Framework) -> dict[str, str]:
    """What tables call each competency: its code, or its id where there is no code of its own."""
    times = Counter(item.code for item in framework.competencies.values())
    return {
        item.id: item.code if item.code and times[item.code] == 1 else item.id
        for item in framework.competencies.values()
    }


def _check_framework(data: Mapping[str, Any], reader: Reader, framework: Framework) -> None:
    stated = data.get("framework_digest")
    if stated is not None and stated != framework.digest:
        message = f"The framework {framework.title} is not the one that this mapping was made for."
        hint = f"Look at what changed (`map diff`), then write `framework_digest: {framework.digest}`."
        reader.note(("framework_digest",), message, hint, "framework-changed")
    for finding in framework.problems():
        if finding.code == "framework.cycle":
            reader.note(("framework",), finding.message, finding.hint, "framework-cycle")


def _digest(
    document: Document, framework: Framework, crosswalks: Mapping[str, pl.DataFrame], others: Mapping[str, Framework]
) -> str:
    """SHA-256 over all that can change a number: the file's data in its order, the tables, the frameworks."""
    tables = {name: [table.columns, table.rows()] for name, table in sorted(crosswalks.items())}
    content = {
        "mapping": document.data,
        "framework": framework.digest,
        "tables": tables,
        "others": {name: each.digest for name, each in sorted(others.items())},
    }
    text = json.dumps(content, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
