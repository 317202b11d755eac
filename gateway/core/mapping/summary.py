"""Summary rules: which method makes the level of a competency, on which scale, from how much evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Any, TypeAlias

from gateway.core.errors import MappingError
from gateway.core.framework import Competency, Framework
from gateway.core.mapping.conditions import pattern_of
from gateway.core.mapping.methods import METHODS, Method, Parameters, Tie, Zeros
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import MICROS, Rounding, read_rounding, to_micros
from gateway.core.mapping.scales import Scale

Path: TypeAlias = tuple[str | int, ...]

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Summary:
    """How the evidence of some competencies becomes their level. ``scale`` is the scale on which the level lies."""

    name: str
    method: Method
    parameters: Parameters
    rounding: Rounding
    at_least: int
    scale: Scale

    @property
    def places(self) -> int:
        """How many decimal places its levels need: as rounded, or brought back to an end of the scale."""
        ends = (self.scale.lowest, self.scale.highest) if self.method.beyond else ()
        return Rounding(gcd(self.rounding.unit, *ends)).places


@dataclass(frozen=True, slots=True)
class RollUp:
    """How levels below an item become its own. ``sources`` has the inputs of each target, with weights in micros;
    ``from_evidence``: only levels that were not rolled up themselves count."""

    summary: Summary
    sources: Mapping[str, Sequence[tuple[str, int]]]
    from_evidence: bool


@dataclass(frozen=True, slots=True)
class Summaries:
    """All summary rules, the rule of each competency, the roll-ups in the order of the file, and the scale on which
    the level of each competency lies in the end."""

    rules: tuple[Summary, ...]
    rule_of: Mapping[str, int]
    roll_ups: tuple[RollUp, ...]
    scale_of: Mapping[str, Scale]

    @property
    def places(self) -> int:
        """How many decimal places the finest of the levels has."""
        return max(rule.places for rule in (*self.rules, *(each.summary for each in self.roll_ups)))

    def of(self, id: str) -> Summary:
        """The rule for the evidence of a competency."""
        return self.rules[self.rule_of[id]]


def report_scale(data: Mapping[str, Any], reader: Reader, scales: Mapping[str, Scale]) -> Scale | None:
    """The mapping's main scale: the one that it names, or the only one that lies on no other."""
    if "scale" in data:
        return reader.one_of(("scale",), "scale", data["scale"], scales, "unknown-scale")
    own = [scale for scale in scales.values() if scale.report == scale.name]
    if len(own) == 1:
        return own[0]
    if own:
        hint = f"Add `scale:` with one of {', '.join(scale.name for scale in own)}; others say `onto:` it."
        reader.note(("scales",), "It is not clear on which scale levels are reported.", hint, "scale")
    return None


def compile_summaries(
    data: Mapping[str, Any], reader: Reader, framework: Framework, scales: Mapping[str, Scale], main: Scale
) -> Summaries:
    """The ``summarize`` and ``roll_up`` parts of a mapping."""
    cap = next((Fraction(item["cap"]) for item in data.get("evidence", ()) if "cap" in item), None)
    compiler = _Compiler(reader, scales, main, cap)
    stated = data["summarize"]
    if DEFAULT not in stated:
        hint = "Add `default: {method: …}`, which holds for all competencies that no other rule names."
        reader.note(("summarize",), "There is no `default`.", hint, "summarize")
    names = [name for name in stated if name != DEFAULT] + [name for name in stated if name == DEFAULT]
    rules = [compiler.compile(name, stated[name], ("summarize", name)) for name in names]
    rule_of = _assign(names, reader, framework)
    complete = tuple(rule for rule in rules if rule)
    if len(complete) < len(rules):
        return Summaries((), {}, (), {})
    scale_of = {id: complete[n].scale for id, n in rule_of.items()}
    roll_ups = []
    for n, item in enumerate(data.get("roll_up", ())):
        path: Path = ("roll_up", n)
        summary = compiler.compile(f"roll-up {n + 1}", item, path)
        if summary:
            sources = _sources(item, path, reader, framework, summary, scale_of)
            roll_ups.append(RollUp(summary, sources, item.get("of", "descendants") == "descendants"))
            scale_of |= dict.fromkeys(sources, summary.scale)
    return Summaries(complete, rule_of, tuple(roll_ups), scale_of)


@dataclass(frozen=True, slots=True)
class _Compiler:
    reader: Reader
    scales: Mapping[str, Scale]
    main: Scale
    cap: Fraction | None

    def compile(self, name: str, data: Mapping[str, Any], path: Path) -> Summary | None:
        method = METHODS[data["method"]]
        scale: Scale | None = self.main
        if "scale" in data:
            scale = self.reader.one_of((*path, "scale"), "scale", data["scale"], self.scales, "unknown-scale")
        if scale is None:
            return None
        self._check_needs(method, data, path, scale)
        parameters = Parameters(
            newest=Fraction(data["newest"]) if "newest" in data else None,
            count=data.get("count"),
            mastery=to_micros(data["mastery"]) if "mastery" in data else scale.proficient,
            tie=Tie(data["tie"]) if "tie" in data else None,
            zeros=Zeros(data["zeros"]) if "zeros" in data else None,
            floor=to_micros(data["floor"]) if "floor" in data else None,
            cap=self.cap,
            cap_alone=data.get("cap_alone") == "count",
        )
        rounding = read_rounding(data.get("round"))
        return Summary(name, method, parameters, rounding, data.get("at_least", 1), scale)

    def _check_needs(self, method: Method, data: Mapping[str, Any], path: Path, scale: Scale) -> None:
        for need in method.needs:
            if need not in data and not (need == "mastery" and scale.proficient is not None):
                message = f"{method.name} ({method.formula}) needs `{need}`."
                self.reader.note((*path, "method"), message, "There is no honest default: state it.", "parameter")
        known = {*method.needs, "method", "round", "at_least", "scale", "to", "of", "weights", "required", "minimum"}
        known |= {"cap_alone"} if method.name == "weighted_mean" else set()
        known |= {"floor"} if data.get("zeros") == Zeros.FLOOR else set()
        for extra in sorted(set(data) - known):
            message = f"{method.name} has no use for `{extra}`."
            self.reader.note((*path, extra), message, "Delete it, or choose another method.", "parameter")
        if data.get("zeros") == Zeros.FLOOR and "floor" not in data:
            self.reader.note(
                (*path, "zeros"), "`zeros: floor` needs `floor`.", "Say for example `floor: 0.5`.", "parameter"
            )


def _assign(names: Sequence[str], reader: Reader, framework: Framework) -> dict[str, int]:
    """For each competency the number of its rule: the first pattern that fits its code or id, or one above it."""
    rule_of: dict[str, int] = {}
    for n, name in enumerate(names):
        fits = select(name, ("summarize", name), reader, framework) if name != DEFAULT else framework.competencies
        for id in fits:
            rule_of.setdefault(id, n)
    return rule_of


def select(word: str, path: Path, reader: Reader, framework: Framework) -> list[str]:
    """The ids that ``word`` names: a code or id with all below it, or a pattern with ``*`` over codes."""
    if "*" in word:
        pattern = re.compile(pattern_of(word))
        found = [item.id for item in framework.competencies.values() if pattern.fullmatch(item.label.casefold())]
        if not found:
            message = f'No code of {framework.title} fits "{word}".'
            reader.note(path, message, framework.suggest(word.replace("*", "")), "unknown-competency")
        return found
    found_one = find(word, path, reader, framework)
    return [found_one.id, *framework.descendants(found_one.id)] if found_one else []


def find(word: str, path: Path, reader: Reader, framework: Framework) -> Competency | None:
    """The competency that ``word`` names; noted if there is none."""
    try:
        found = framework.find(word, place=reader.document.place(*path))
    except MappingError as error:
        reader.problems.append(error)
        return None
    if found is None:
        message = f'"{word}" is no competency of {framework.title}.'
        reader.note(path, message, framework.suggest(word), "unknown-competency")
    return found


def _sources(
    item: Mapping[str, Any],
    path: Path,
    reader: Reader,
    framework: Framework,
    summary: Summary,
    scale_of: Mapping[str, Scale],
) -> dict[str, list[tuple[str, int]]]:
    """The inputs of each target: levels on another scale never mix in, except into a sum, which has its own scale."""
    weights: dict[str, int] = {}
    for word, weight in item.get("weights", {}).items():
        for id in select(word, (*path, "weights", word), reader, framework):
            weights.setdefault(id, to_micros(weight))
    found = {}
    for target in targets(item["to"], (*path, "to"), reader, framework):
        given = [
            (id, weights.get(id, MICROS))
            for id in _below(target, item.get("of", "descendants"), (*path, "of"), reader, framework)
            if summary.method.name == "sum" or scale_of[id].report == summary.scale.report
        ]
        kept = [(id, weight) for id, weight in given if weight > 0]
        if kept:
            found[target] = kept
    return found


def _below(target: str, wanted: Any, path: Path, reader: Reader, framework: Framework) -> Sequence[str]:
    if wanted == "children":
        return framework.children(target)
    if wanted == "descendants":
        return (target, *framework.descendants(target))
    if isinstance(wanted, dict) and set(wanted) == {"type"}:
        return [id for id in framework.descendants(target) if framework.competencies[id].item_type == wanted["type"]]
    reader.note(path, "Say `descendants`, `children`, or `{type: …}`.", "", "roll-up")
    return ()


def targets(wanted: Any, path: Path, reader: Reader, framework: Framework) -> list[str]:
    """``top_level``, ``parents``, ``{type: …}``, or a list of codes and patterns."""
    if wanted == "top_level":
        return list(framework.top_level)
    if wanted == "parents":
        return [id for id in framework.competencies if framework.children(id)]
    if isinstance(wanted, dict) and set(wanted) == {"type"}:
        types = {item.item_type for item in framework.competencies.values() if item.item_type}
        if wanted["type"] not in types:
            reader.unknown((*path, "type"), "type of item in the framework", str(wanted["type"]), types, "unknown-type")
        return [item.id for item in framework.competencies.values() if item.item_type == wanted["type"]]
    found: list[str] = []
    for word in wanted if isinstance(wanted, list) else [wanted]:
        if not isinstance(word, str):
            reader.note(path, "Say `top_level`, `parents`, `{type: …}`, or codes.", "", "roll-up")
        elif "*" in word:
            found += select(word, path, reader, framework)
        else:
            one = find(word, path, reader, framework)
            found += [one.id] if one else []
    return list(dict.fromkeys(found))
