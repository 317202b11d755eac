"""Summary rules: which method makes the level of a competency, on which scale, from how much evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd

from gateway.core.mapping.methods import Method, Parameters
from gateway.core.mapping.rounding import Rounding
from gateway.core.mapping.scales import Scale


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
    ``from_evidence``: only levels that were not rolled up themselves count. ``required`` are those of a target's
    sources that must be there; ``minimum`` (micros) is what they, or without any ``required`` all, must reach."""

    summary: Summary
    sources: Mapping[str, Sequence[tuple[str, int]]]
    from_evidence: bool
    required: Mapping[str, Sequence[str]] | None = None
    minimum: int | None = None

    @property
    def conditional(self) -> bool:
        """Whether a target can be without a level although it has inputs enough."""
        return self.required is not None or self.minimum is not None

    def unmet(self, target: str, levels: Mapping[str, int]) -> str | None:
        """The first source that keeps ``target`` from a level: a required one that is not among ``levels`` (micros),
        or one below the minimum."""
        asked = levels if self.required is None else self.required.get(target, ())
        return next((id for id in asked if id not in levels or levels[id] < (self.minimum or levels[id])), None)


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
