"""A competency framework as a graph: what the mapping language, the continuum and the reports ask of it.

Built from the canonical framework tables (CASE 1.1). The display tree follows ``isChildOf`` (origin is the child);
whatever stands in no tree hangs from the document. Nothing here fails on a faulty framework: the faults are listed by
:meth:`Framework.problems`, and circles are cut where they are found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import polars as pl

from gateway.core import framework_build as build
from gateway.core.competency import Competency, Criterion, Finding, RubricLevel, normal_id, package_identifier
from gateway.core.errors import MappingError, Place, did_you_mean
from gateway.core.graph import Edges, find_cycles, reach

__all__ = ["Competency", "Criterion", "Direction", "Finding", "Framework", "Match", "RubricLevel", "normal_id"]

PART_OF = "isPartOf"
PRECEDES = "precedes"
ORDERED = (build.CHILD_OF, PART_OF, PRECEDES)
"""The association types in which a circle makes no sense."""

_SEARCHED = 5_000


class Direction(StrEnum):
    """Which way associations are followed: from origin to destination, against that, or either way."""

    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Match:
    """A node reached over associations. ``path`` runs from the start to ``id``, which may lie outside the framework."""

    id: str
    path: tuple[str, ...]

    @property
    def depth(self) -> int:
        return len(self.path) - 1


@dataclass(frozen=True, slots=True)
class Framework:
    """One framework. ``digest`` changes exactly if the items, their order, the associations that touch them or the
    rubrics change; titles, dates, web addresses and the ids of associations do not count."""

    id: str
    title: str
    version: str | None
    digest: str
    competencies: Mapping[str, Competency]
    """By lower-case id, in the order of the display tree."""
    criteria: tuple[Criterion, ...]
    rubrics: Mapping[str, tuple[Criterion, ...]]
    """The criteria of each competency that has any."""
    forward: Mapping[str, Edges] = field(repr=False)
    """By association type: origin to destinations, each once, also to and from outside the framework."""
    backward: Mapping[str, Edges] = field(repr=False)
    defects: tuple[Finding, ...] = field(repr=False)
    """What had to be decided while the tree was built; :meth:`problems` has these too."""
    _order: tuple[str, ...] = field(repr=False)
    _children: Edges = field(repr=False)
    _end: Mapping[str, int] = field(repr=False)
    _codes: Mapping[str, tuple[str, ...]] = field(repr=False)
    _folded: Mapping[str, tuple[str, ...]] = field(repr=False)

    @classmethod
    def from_tables(cls, frames: Mapping[str, pl.DataFrame], *, framework_id: str | None = None) -> Framework:
        """The framework of the typed canonical tables; ``framework_id`` chooses when they hold several.

        Associations of the other frameworks count for :meth:`matches`, so that a crosswalk may stand in a package of
        its own. Raises :class:`MappingError` if there is no such framework, or several and none chosen.
        """
        document = build.choose_document(frames, framework_id)
        title = document["title"]
        id = normal_id(document["id"])
        items = build.read_items(frames, id)
        edges = build.read_edges(frames, id)
        tree = build.choose_parents(edges, items, id, title)
        children = build.sort_children(tree, items)
        competencies = build.in_order(items, tree, children)
        criteria = build.read_criteria(frames, id)
        forward, backward = build.both_ways(edges)
        codes, folded = build.by_code(competencies.values())
        order = tuple(competencies)
        return cls(
            id=id,
            title=title,
            version=document["version"],
            digest=build.digest(id, competencies, items, edges, criteria),
            competencies=competencies,
            criteria=criteria,
            rubrics=build.by_competency(criteria),
            forward=forward,
            backward=backward,
            defects=(*tree.findings, *build.doubled_findings(edges, title)),
            _order=order,
            _children=children,
            _end=build.ends(order, competencies),
            _codes=codes,
            _folded=folded,
        )

    def find(self, word: str, *, place: Place | None = None) -> Competency | None:
        """The competency with this id (in any case, with or without ``urn:uuid:``) or code (exact, then in any case);
        or with this id at a source that has no UUIDs, such as the ``learningStandardId`` of Ed-Fi.

        Raises :class:`MappingError` if the code belongs to several items.
        """
        word = word.strip()
        by_id = self.competencies.get(normal_id(word))
        if by_id is not None:
            return by_id
        ids = self._codes.get(word) or self._folded.get(word.casefold(), ())
        if len(ids) > 1:
            raise MappingError(
                f'The code "{word}" belongs to {len(ids)} items of {self.title}: {_several(ids)}.',
                hint="Name the item by its identifier instead.",
                code="mapping.ambiguous-competency",
                place=place,
            )
        return self.competencies[ids[0]] if ids else self.competencies.get(package_identifier(word))

    def suggest(self, word: str) -> str:
        """``' Did you mean "MATH.1"?'`` with the nearest code, or nothing."""
        first = word.strip()[:1].casefold()
        alike = [code for code in self._codes if code[:1].casefold() == first] or list(self._codes)
        alike.sort(key=lambda code: abs(len(code) - len(word)))
        return did_you_mean(word, alike[:_SEARCHED])

    @property
    def top_level(self) -> tuple[str, ...]:
        """The ids directly under the document, in order."""
        return tuple(self._children.get(build.DOCUMENT, ()))

    @property
    def leaves(self) -> tuple[str, ...]:
        """The ids without children, in tree order."""
        return tuple(id for id in self._order if id not in self._children)

    def children(self, id: str) -> tuple[str, ...]:
        """The children in the display tree, in order."""
        return tuple(self._children.get(id, ()))

    def ancestors(self, id: str) -> tuple[str, ...]:
        """From the parent up to the top level."""
        found: list[str] = []
        parent = self.competencies[id].parent_id
        while parent is not None:
            found.append(parent)
            parent = self.competencies[parent].parent_id
        return tuple(found)

    def descendants(self, id: str) -> tuple[str, ...]:
        """All below ``id``, in tree order."""
        return self._order[self.competencies[id].position + 1 : self._end[id]]

    def is_descendant(self, id: str, of: str) -> bool:
        """Whether ``id`` stands below ``of`` in the display tree."""
        return self.competencies[of].position < self.competencies[id].position < self._end[of]

    def domain_of(self, id: str, domains: Collection[str]) -> str | None:
        """The nearest of ``domains`` that is ``id`` or above it."""
        return next((each for each in (id, *self.ancestors(id)) if each in domains), None)

    def successors(self, id: str) -> tuple[str, ...]:
        """What ``id`` directly precedes."""
        return tuple(self.forward.get(PRECEDES, {}).get(id, ()))

    def predecessors(self, id: str) -> tuple[str, ...]:
        """What directly precedes ``id``."""
        return tuple(self.backward.get(PRECEDES, {}).get(id, ()))

    def matches(
        self, start: str, types: Iterable[str], *, max_depth: int = 1, direction: Direction = Direction.FORWARD
    ) -> tuple[Match, ...]:
        """What ``start`` leads to over associations of ``types``, nearest first, in at most ``max_depth`` steps.

        ``start`` may be outside the framework, such as a state's standard, and so may what is reached; steps pass
        through outside nodes. Circles end where they began.
        """
        ways = reach(normal_id(start), self.followed(types, direction), max_depth=max_depth)
        return tuple(Match(id, path) for id, path in ways.items())

    def followed(self, types: Iterable[str], direction: Direction) -> list[Edges]:
        """The associations of ``types``, as they are followed in ``direction``."""
        sides = {
            Direction.FORWARD: (self.forward,),
            Direction.BACKWARD: (self.backward,),
            Direction.BOTH: (self.forward, self.backward),
        }[direction]
        return [side[kind] for kind in types for side in sides if kind in side]

    def problems(self) -> list[Finding]:
        """All findings: circles, items without a place, several parents, doubled edges, items without a code."""
        return [*self._cycles(), *self.defects, *self._codes_missing(), *self._codes_shared()]

    def _cycles(self) -> Iterable[Finding]:
        for kind in ORDERED:
            for cycle in find_cycles(self.forward.get(kind, {})):
                if self.competencies.keys().isdisjoint(cycle):
                    continue
                way = [self.label(id) for id in (*cycle, cycle[0])]
                yield Finding(
                    "framework.cycle",
                    f"Items of {self.title} form a circle of {kind}: {_way(way)}.",
                    f"Remove one of these {kind} associations in the framework.",
                    cycle,
                )

    def _codes_missing(self) -> Iterable[Finding]:
        ids = tuple(id for id, item in self.competencies.items() if not item.code)
        if ids:
            yield Finding(
                "framework.no-code",
                f"Items of {self.title} without a code: {len(ids)} of {len(self.competencies)} ({_several(ids)}).",
                "Name them by their identifiers, or give them codes in the framework.",
                ids,
            )

    def _codes_shared(self) -> Iterable[Finding]:
        for code, ids in self._codes.items():
            if len(ids) > 1:
                yield Finding(
                    "framework.shared-code",
                    f'The code "{code}" belongs to {len(ids)} items of {self.title}: {_several(ids)}.',
                    "Name these items by their identifiers.",
                    ids,
                )

    def label(self, id: str) -> str:
        """The code of an item, or its id when it has none or lies outside the framework."""
        item = self.competencies.get(id)
        return item.label if item else id


def _several(ids: Sequence[str], shown: int = 5) -> str:
    more = f" and {len(ids) - shown} more" if len(ids) > shown else ""
    return ", ".join(ids[:shown]) + more


def _way(labels: Sequence[str], shown: int = 12) -> str:
    if len(labels) > shown:
        labels = [*labels[: shown - 2], f"… {len(labels) - shown + 1} more …", labels[-1]]
    return " → ".join(labels)
