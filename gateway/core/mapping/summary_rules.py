"""Reads the ``summarize`` and ``roll_up`` parts of a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from gateway.core.framework import Framework
from gateway.core.mapping.choice import select
from gateway.core.mapping.methods import METHODS, Method, Parameters, Tie, Zeros
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.roll_up_rules import compile_roll_up
from gateway.core.mapping.rounding import read_rounding, to_micros
from gateway.core.mapping.scales import Scale, check_level
from gateway.core.mapping.summary import Summaries, Summary

Path: TypeAlias = tuple[str | int, ...]

DEFAULT = "default"


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
        return Summaries((), {}, (), {})
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
            roll_up = compile_roll_up(item, path, reader, framework, summary, scale_of)
            roll_ups.append(roll_up)
            scale_of |= dict.fromkeys(roll_up.sources, summary.scale)
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
        for level in ("mastery", "floor"):
            if level in data:
                check_level(to_micros(data[level]), scale, (*path, level), self.reader)
        rounding = read_rounding(data.get("round"))
        return Summary(name, method, parameters, rounding, data.get("at_least", 1), scale)

    def _check_needs(self, method: Method, data: Mapping[str, Any], path: Path, scale: Scale) -> None:
        for need in method.needs:
            if need not in data and not (need == "mastery" and scale.proficient is not None):
                message = f"{method.name} ({method.formula}) needs `{need}`."
                self.reader.note((*path, "method"), message, "There is no honest default: state it.", "parameter")
        known = {*method.needs, "method", "round", "at_least", "scale", "to", "of", "required", "minimum"}
        known |= {"cap_alone"} if method.name == "weighted_mean" else set()
        known |= {"weights", "shares"} if method.weighted else set()
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
