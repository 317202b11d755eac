"""Reads a mapping file and resolves every name in it: nothing is left to be found out while scores are mapped."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
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
from gateway.core.mapping.credits import compile_credits
from gateway.core.mapping.few import few
from gateway.core.mapping.language import EVIDENCE_COLUMNS, MappingSchema
from gateway.core.mapping.personal import compile_modified, compile_overrides
from gateway.core.mapping.portfolio import Portfolio
from gateway.core.mapping.portfolio_rules import compile_portfolio
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rules import compile_rules
from gateway.core.mapping.scales import compile_scales
from gateway.core.mapping.summarize import Summarizer
from gateway.core.mapping.summary import compile_summaries, report_scale


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
    data = reader.load(MappingSchema())
    crosswalks, others = crosswalks or {}, other_frameworks or {}
    _check_framework(data, reader, framework)
    scales = compile_scales(data["scales"], reader, framework)
    main = report_scale(data, reader, scales)
    columns = (*EVIDENCE_COLUMNS, *data.get("columns", ()))
    rules = compile_rules(data, reader, columns, scales)
    alignment = compile_alignment(data["align"], reader, columns, framework, crosswalks, others)
    if main is None:
        reader.finish()
        raise AssertionError("a mapping without a main scale has a fault")
    summaries = compile_summaries(data, reader, framework, scales, main)
    reader.finish()
    labels = label_all(framework)
    ids = sorted(labels, key=lambda id: labels[id])
    numbers = {id: n for n, id in enumerate(ids)}
    continuum: Continuum | Portfolio | None = None
    if "continuum" in data:
        continuum = compile_continuum(data["continuum"], reader, framework, labels, ids, summaries)
        if "portfolio" in data:
            message = "The mapping has `continuum` and `portfolio`."
            reader.note(("portfolio",), message, "Keep one of the two.", "continuum")
    elif "portfolio" in data:
        table = _table(data["portfolio"], "baselines", reader, crosswalks, "portfolio")
        if data["portfolio"]["target"] not in columns:
            word = data["portfolio"]["target"]
            reader.unknown(("portfolio", "target"), "column of evidence", word, columns, "unknown-column")
        continuum = compile_portfolio(data["portfolio"], reader, framework, labels, ids, table)
    credits = compile_credits(data.get("credits", {}), reader, framework, labels, ids, summaries, columns)
    table = _table(data, "modified_scales", reader, crosswalks)
    report_of = [summaries.of(id).scale.report for id in ids]
    at: tuple[str, ...] = ("modified_scales",)
    modified = compile_modified(*table, at, reader, framework, numbers, scales, report_of) if table else None
    table = _table(data, "overrides", reader, crosswalks)
    overrides = compile_overrides(*table, ("overrides",), reader, framework, numbers) if table else []
    reader.finish()
    carried = ["score", "max_score"] if any(rule.pool for rule in rules.rules) else []
    carried += [continuum.target] if isinstance(continuum, Portfolio) else []
    carried += [credit.grid.column for credit in credits if credit.grid]
    effective = [Window(each["first"], each.get("last")) for each in (data.get("effective"),) if each]
    collector = Collector(rules, alignment, numbers, report_of, carried, modified)
    grid = gcd(rules.grid, *(scale.grid for scale in scales.values())) if modified else rules.grid
    summarizer = Summarizer(summaries, ids, numbers, grid, rules.rules, overrides)
    for_few = None
    if not credits and not isinstance(continuum, Portfolio):
        shown = [labels[id] for id in ids]
        for_few = few(data["mapping"], data["version"], summaries.places, shown, collector, summarizer, continuum)
    return CompiledMapping(
        name=data["mapping"],
        version=data["version"],
        digest=_digest(document, framework, crosswalks, others),
        framework=framework,
        scales=scales,
        scale=main,
        effective=effective[0] if effective else None,
        report_windows=[Window(each["first"], each.get("last")) for each in data.get("report_windows", ())],
        labels=[labels[id] for id in ids],
        ids=ids,
        collector=collector,
        summarizer=summarizer,
        continuum=continuum,
        credits=credits,
        document=document,
        tables=dict(crosswalks),
        few=for_few,
        examples=data.get("examples", ()),
    )


def _table(
    data: Mapping[str, Any], key: str, reader: Reader, tables: Mapping[str, pl.DataFrame], *above: str
) -> tuple[str, pl.DataFrame] | None:
    """A table beside the mapping, with the name under which the file mentions it, if it mentions one."""
    if key not in data:
        return None
    table = reader.one_of((*above, key), "table", data[key], tables, "unknown-table")
    return None if table is None else (data[key], table)


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
    """SHA-256 over all that can change a number: the file's data, the tables, the frameworks."""
    tables = {name: [table.columns, table.rows()] for name, table in crosswalks.items()}
    content = {
        "mapping": document.data,
        "framework": framework.digest,
        "tables": tables,
        "others": {name: each.digest for name, each in others.items()},
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
