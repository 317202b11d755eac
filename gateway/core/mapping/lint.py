"""What is not wrong in a mapping but most likely not meant: rules that never decide, codes that nobody uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from gateway.core.errors import Place
from gateway.core.mapping.rounding import MICROS
from gateway.core.mapping.scales import Scale, plain
from gateway.core.mapping.usage import Usage

if TYPE_CHECKING:
    from gateway.core.mapping.compiled import CompiledMapping

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to look at. ``code`` is stable."""

    code: str
    message: str
    hint: str
    place: Place

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "file": self.place.source,
            "line": self.place.line,
            "field": self.place.field,
        }


def lint(mapping: CompiledMapping, evidence: pl.DataFrame | Iterable[pl.DataFrame] | None = None) -> list[Remark]:
    """Remarks on a mapping and its framework; with ``evidence``, whole or in parts by student, also on what of the
    mapping that evidence never uses, and the reverse."""
    remarks = [*_rules(mapping), *_scales(mapping), *_summaries(mapping), *_framework(mapping)]
    if evidence is not None:
        usage = Usage(mapping)
        for part in [evidence] if isinstance(evidence, pl.DataFrame) else evidence:
            usage.add(part)
        remarks += [*_unused(mapping, usage), *_without_evidence(mapping, usage)]
    return sorted(remarks, key=lambda remark: (remark.place.line or 0, remark.code))


def _rules(mapping: CompiledMapping) -> Iterator[Remark]:
    rules = mapping.collector.rules.rules
    always = next((n for n, rule in enumerate(rules) if not rule.when.conditions), None)
    for n, rule in enumerate(rules):
        if always is not None and n > always:
            message = f'The rule "{rule.name}" is never reached: "{rules[always].name}" before it fits everything.'
            hint = "Move it up, or delete it."
            yield Remark("lint.unreachable-rule", message, hint, mapping.document.place("evidence", n))
    methods = {rule.method.name for rule in mapping.summarizer.summaries.rules}
    for n, rule in enumerate(rules):
        if rule.capped and "weighted_mean" not in methods:
            hint = "Use `weighted_mean`, or a small `weight`."
            place = mapping.document.place("evidence", n, "cap")
            yield Remark("lint.cap", "No method here knows the cap.", hint, place)
    if not any(rule.method.weighted for rule in mapping.summarizer.summaries.rules):
        for n, rule in enumerate(rules):
            if rule.weight not in (0, MICROS):
                place = mapping.document.place("evidence", n, "weight")
                hint = "Use a method that knows weights, such as `weighted_mean`, or delete it."
                yield Remark("lint.weight", "No method here knows weights.", hint, place)


def _scales(mapping: CompiledMapping) -> Iterator[Remark]:
    summaries = mapping.summarizer.summaries
    used = {rule.scale.name for rule in mapping.collector.rules.rules if rule.scale}
    used |= {summary.scale.name for summary in summaries.rules}
    used |= {each.summary.scale.name for each in summaries.roll_ups}
    if mapping.collector.modified is not None:
        used |= {scale.name for scale in mapping.collector.modified.scales}
    for name, scale in mapping.scales.items():
        if name not in used:
            place = mapping.document.place("scales", name)
            yield Remark("lint.unused-scale", f'No rule uses the scale "{name}".', "Use it, or delete it.", place)
        yield from _bands(mapping, scale)


def _bands(mapping: CompiledMapping, scale: Scale) -> Iterator[Remark]:
    place = mapping.document.place("scales", scale.name, "bands")
    for band in scale.bands:
        if scale.percent and band.at_least > Decimal(100):
            message = f"The band from {plain(band.at_least)} is reached only with extra credit."
            yield Remark("lint.unreachable-band", message, "Percents of the maximum end at 100.", place)
    for above, below in zip(scale.bands, scale.bands[1:], strict=False):
        if above.level <= below.level:
            message = f"The band from {plain(above.at_least)} has no higher level than the one below it."
            yield Remark("lint.unreachable-band", message, "Correct a level, or make one band of both.", place)


def _summaries(mapping: CompiledMapping) -> Iterator[Remark]:
    summaries = mapping.summarizer.summaries
    used = set(summaries.rule_of.values())
    for n, rule in enumerate(summaries.rules):
        if n not in used:
            message = f'The rule "{rule.name}" holds for no competency: others before it hold for all that it names.'
            place = mapping.document.place("summarize", rule.name)
            yield Remark("lint.unused-summary", message, "Move it up, or delete it.", place)


def _framework(mapping: CompiledMapping) -> Iterator[Remark]:
    """What the framework itself leaves open; circles are faults already."""
    place = mapping.document.place("framework")
    for finding in mapping.framework.problems():
        yield Remark(finding.code, finding.message, finding.hint, place)


def _unused(mapping: CompiledMapping, usage: Usage) -> Iterator[Remark]:
    """Evidence rules and crosswalk codes that no result needs."""
    for n, rule in enumerate(mapping.collector.rules.rules):
        if n not in usage.rules:
            message = f'The rule "{rule.name}" fits no result here.'
            hint = "Compare its conditions with the evidence."
            yield Remark("lint.unused-rule", message, hint, mapping.document.place("evidence", n))
    for n, way in usage.tables():
        never = usage.never(n, list(way.known()))
        if never:
            message = f"{len(never)} codes of the {way.words} match no result here: {_several(never)}."
            place = mapping.document.place("align", n, "crosswalk")
            yield Remark("lint.unused-code", message, "Nothing is wrong if they are not taught yet.", place)


def _without_evidence(mapping: CompiledMapping, usage: Usage) -> Iterator[Remark]:
    leaves = [mapping.label(id) for id in mapping.framework.leaves]
    without = [label for label in leaves if label not in usage.competencies]
    place = mapping.document.place("align")
    if without:
        message = f"{len(without)} of {len(leaves)} competencies have no evidence here: {_several(without)}."
        yield Remark("lint.no-evidence", message, "`mastery-gateway map coverage` lists them all.", place)
    codes = usage.unmatched.filter(pl.col("kind") == "code")
    if codes.height:
        message = f"{codes.height} codes of {codes['rows'].sum():,} results match nothing."
        hint = "`mastery-gateway map apply` lists them in `unmatched`."
        yield Remark("lint.unmatched", message, hint, place)


def _several(words: Sequence[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more
