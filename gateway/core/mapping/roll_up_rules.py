"""Reads one ``roll_up`` of a mapping: which levels make the level of the items above them, and under what condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.core.framework import Framework
from gateway.core.mapping.choice import select, targets
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import MICROS, from_micros, to_micros
from gateway.core.mapping.scales import Scale, check_level, plain
from gateway.core.mapping.summary import RollUp, Summary

Path: TypeAlias = tuple[str | int, ...]
Kept: TypeAlias = Sequence[tuple[str, int]]
"""Competencies with their weights in micros."""


def compile_roll_up(
    item: Mapping[str, Any],
    path: Path,
    reader: Reader,
    framework: Framework,
    summary: Summary,
    scale_of: Mapping[str, Scale],
) -> RollUp:
    """The roll-up that ``item`` states; ``scale_of`` says on which scale each competency's level lies so far."""
    return _Compiler(item, path, reader, framework, summary, scale_of).compile()


@dataclass(frozen=True, slots=True)
class _Compiler:
    item: Mapping[str, Any]
    path: Path
    reader: Reader
    framework: Framework
    summary: Summary
    scale_of: Mapping[str, Scale]

    def compile(self) -> RollUp:
        weights = self._weights()
        usual = 0 if "shares" in self.item else MICROS
        sources = {}
        for target in targets(self.item["to"], (*self.path, "to"), self.reader, self.framework):
            below = [id for id in self._below(target) if self._mixes(id)]
            kept = [(id, weight) for id in below if (weight := weights.get(id, usual)) > 0]
            self._check_scales(target, below)
            if kept:
                sources[target] = kept
                self._check_shares(target, kept)
        minimum = to_micros(self.item["minimum"]) if "minimum" in self.item else None
        check_level(minimum, self.summary.scale, (*self.path, "minimum"), self.reader)
        of_evidence = self.item.get("of", "descendants") == "descendants"
        return RollUp(self.summary, sources, of_evidence, self._required(sources), minimum)

    def _below(self, target: str) -> Sequence[str]:
        wanted = self.item.get("of", "descendants")
        if wanted == "children":
            return self.framework.children(target)
        below = self.framework.descendants(target)
        if wanted == "descendants":
            return (target, *below)
        if isinstance(wanted, dict) and set(wanted) == {"type"}:
            return [id for id in below if self.framework.competencies[id].item_type == wanted["type"]]
        self.reader.note((*self.path, "of"), "Say `descendants`, `children`, or `{type: …}`.", "", "roll-up")
        return ()

    def _mixes(self, id: str) -> bool:
        """Levels on another scale never mix in, except into a sum, which has its own scale."""
        return self.summary.method.name == "sum" or self.scale_of[id].report == self.summary.scale.report

    def _weights(self) -> dict[str, int]:
        """The weights (micros) that ``weights`` or ``shares`` state, by id: the first word that names it decides."""
        if "weights" in self.item and "shares" in self.item:
            message = "The roll-up has `weights` and `shares`."
            self.reader.note((*self.path, "shares"), message, "Keep one of the two.", "weights")
        found: dict[str, int] = {}
        for kind in ("weights", "shares"):
            for word, weight in self.item.get(kind, {}).items():
                for id in select(word, (*self.path, kind, word), self.reader, self.framework):
                    found.setdefault(id, to_micros(weight))
        return found

    def _check_shares(self, target: str, kept: Kept) -> None:
        total = sum(weight for _, weight in kept)
        if "shares" in self.item and total != MICROS:
            message = f"The shares of {self.framework.label(target)} add up to {plain(from_micros(total))}, not to 1."
            hint = "Correct them, or write `weights`, which need not add up."
            self.reader.note((*self.path, "shares"), message, hint, "weights")

    def _check_scales(self, target: str, below: Sequence[str]) -> None:
        """A sum adds up levels of one scale only: habits never mix with academics."""
        scales = sorted({self.scale_of[id].report for id in below if id != target})
        if self.summary.method.name == "sum" and len(scales) > 1:
            name = self.framework.label(target)
            message = f"The sum for {name} mixes levels of the scales {', '.join(scales)}."
            self.reader.note((*self.path, "to"), message, "Say with `to` and `of` which levels are meant.", "roll-up")

    def _required(self, sources: Mapping[str, Kept]) -> dict[str, list[str]] | None:
        """For each target those of its sources that must be there; nothing if the mapping requires none."""
        if "required" not in self.item:
            return None
        place = (*self.path, "required")
        wanted = {id for word in self.item["required"] for id in targets(word, place, self.reader, self.framework)}
        counted = {id for kept in sources.values() for id, _ in kept}
        for id in sorted(wanted - counted, key=self.framework.label):
            message = f"{self.framework.label(id)} is required, but not among what is rolled up."
            self.reader.note(place, message, "Correct `of`, the weights or `required`.", "roll-up")
        return {target: [id for id, _ in kept if id in wanted] for target, kept in sources.items()}
