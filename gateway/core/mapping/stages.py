"""Performance levels as ordered stages of a domain, and where a student stands on them.

A stage holds competencies; it is complete when enough of them are. Where a student stands follows from two sets alone:
the competencies with evidence and those that are complete. Both are kept as bits of one number, in the order of the
domain, so that a standing is worked out once for each distinct pair.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain

from gateway.core.mapping.rounding import MICROS, Rounding, to_micros

BETWEEN = "; "
_TWO_PLACES = Rounding(10_000)
_ROOM = 200_000


@dataclass(frozen=True, slots=True)
class Stage:
    """One performance level of a domain. ``value`` is its number in micros; ``codes`` are its competencies, in order;
    ``needed`` of them make it complete. ``after`` gives for each competency those of the stage that precede it."""

    name: str
    value: int
    codes: tuple[str, ...]
    needed: int
    after: tuple[tuple[int, ...], ...] = ()

    def progress(self, count: int) -> int:
        """The share (micros) that ``count`` complete competencies are."""
        return _TWO_PLACES.of(count * MICROS, max(len(self.codes), 1))

    def chosen(self, mask: int, *, complete: bool) -> list[str]:
        """The codes whose bit in ``mask`` is set, or is not."""
        return [code for n, code in enumerate(self.codes) if bool(mask >> n & 1) is complete]

    def next(self, mask: int, count: int) -> list[str]:
        """The first ``count`` incomplete competencies of which all predecessors are complete."""
        done = [bool(mask >> n & 1) for n in range(len(self.codes))]
        ready = [n for n, each in enumerate(done) if not each and all(done[m] for m in self.after[n])]
        return [self.codes[n] for n in ready[:count]]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a student stands in a domain. ``position`` (micros) is the number of the working stage plus the progress
    within it; ``value`` is the stage's number, absent if its name has none. Texts are codes, separated."""

    performance_level: str
    progress: int
    complete: str
    next: str
    gaps: str
    position: int
    lowest: str
    highest: str
    value: int | None


@dataclass(frozen=True, slots=True)
class Domain:
    """The stages of one domain, lowest first. ``highest``: a student works at the highest stage with evidence, and not
    at the lowest incomplete one."""

    label: str
    stages: tuple[Stage, ...]
    highest: bool
    next_count: int
    known: dict[tuple[int, int], Standing] = field(default_factory=dict, repr=False, compare=False)
    """Standings that were worked out before."""

    @property
    def size(self) -> int:
        """How many competencies take part."""
        return sum(len(stage.codes) for stage in self.stages)

    def stand(self, evidence: int, complete: int) -> Standing:
        """Where a student with these competencies stands; there must be evidence of at least one."""
        found = self.known.get((evidence, complete))
        if found is None:
            if len(self.known) >= _ROOM:
                self.known.clear()
            found = self.known[evidence, complete] = self._stand(evidence, complete)
        return found

    def _stand(self, evidence: int, complete: int) -> Standing:
        done, seen, start = [], [], 0
        for n, stage in enumerate(self.stages):
            whole = (1 << len(stage.codes)) - 1
            done.append(complete >> start & whole)
            if evidence >> start & whole:
                seen.append(n)
            start += len(stage.codes)
        working = self._working(seen, done)
        stage = self.stages[working]
        progress = stage.progress(done[working].bit_count())
        finished = [each.chosen(mask, complete=True) for each, mask in zip(self.stages, done, strict=True)]
        left = [self.stages[n].chosen(done[n], complete=False) for n in range(seen[0], working)]
        return Standing(
            performance_level=stage.name,
            progress=progress,
            complete=BETWEEN.join(chain.from_iterable(finished)),
            next=BETWEEN.join(stage.next(done[working], self.next_count)),
            gaps=BETWEEN.join(chain.from_iterable(left)),
            position=stage.value + progress,
            lowest=self.stages[seen[0]].name,
            highest=self.stages[seen[-1]].name,
            value=stage_value(stage.name),
        )

    def _working(self, seen: list[int], done: list[int]) -> int:
        """The stage at which the student works: after a complete one comes the next, if there is one."""
        last = len(self.stages) - 1
        if self.highest:
            top = seen[-1]
            return min(top + (done[top].bit_count() >= self.stages[top].needed), last)
        working = seen[0]
        while working < last and done[working].bit_count() >= self.stages[working].needed:
            working += 1
        return working

    def stage_of(self, bit: int) -> int:
        """The place of the stage in which a competency stands."""
        for n, stage in enumerate(self.stages):
            if bit < len(stage.codes):
                return n
            bit -= len(stage.codes)
        raise IndexError(bit)


def stage_value(name: str) -> int | None:
    """The number of a stage or a grade in micros: kindergarten is 0, "08" is 8; nothing for a name without one."""
    early = {"K": 0, "KG": 0, "PK": -MICROS, "PR": -2 * MICROS}
    if name in early:
        return early[name]
    digits = re.search(r"\d+(\.\d+)?", name)
    return to_micros(Decimal(digits[0])) if digits else None
