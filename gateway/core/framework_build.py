"""The steps from the canonical framework tables to a :class:`~gateway.core.framework.Framework`."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.competency import Competency, Criterion, Finding, RubricLevel, normal_id
from gateway.core.errors import MappingError
from gateway.core.graph import Edges, NaturalKey, natural_key, preorder
from gateway.core.model import empty

CHILD_OF = "isChildOf"
DOCUMENT = ""
"""The parent of the top level."""

_LAST = 2**63
_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Edge:
    type: str
    origin: str
    destination: str
    sequence: int | None
    own: bool


@dataclass(slots=True)
class Tree:
    """The display tree under construction: the parent chosen for each item, and what had to be said about it."""

    parent: dict[str, str] = field(default_factory=dict)
    sequence: dict[str, int | None] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def _rows(frames: Mapping[str, pl.DataFrame], table: str) -> Sequence[dict[str, Any]]:
    return frames.get(table, empty(table)).rows(named=True)


def choose_document(frames: Mapping[str, pl.DataFrame], wanted: str | None) -> dict[str, Any]:
    known = {normal_id(row["id"]): row for row in _rows(frames, "frameworks")}
    if wanted is not None and normal_id(wanted) in known:
        return known[normal_id(wanted)]
    named = ", ".join(f"{row['title']} ({id})" for id, row in known.items()) or "none"
    if wanted is not None:
        raise MappingError(
            f"There is no framework {wanted} here.", hint=f"There are: {named}.", code="mapping.unknown-framework"
        )
    if len(known) != 1:
        raise MappingError(
            f"Exactly one framework is needed, {len(known)} are here.",
            hint=f"Name one by its identifier. There are: {named}.",
            code="mapping.framework-count",
        )
    return next(iter(known.values()))


def read_items(frames: Mapping[str, pl.DataFrame], framework: str) -> dict[str, dict[str, Any]]:
    items: dict[str, dict[str, Any]] = {}
    for row in _rows(frames, "competencies"):
        if row["framework_id"] is None or normal_id(row["framework_id"]) == framework:
            items.setdefault(normal_id(row["id"]), row)
    return items


def read_edges(frames: Mapping[str, pl.DataFrame], framework: str) -> tuple[list[Edge], Counter[tuple[str, str, str]]]:
    """Each edge once (the one with the lowest sequence number), and how often each stood there."""
    best: dict[tuple[str, str, str], Edge] = {}
    seen: Counter[tuple[str, str, str]] = Counter()
    for row in _rows(frames, "associations"):
        key = (row["type"], normal_id(row["origin_id"]), normal_id(row["destination_id"]))
        own = row["framework_id"] is None or normal_id(row["framework_id"]) == framework
        seen[key] += own
        edge = Edge(*key, row["sequence_number"], own)
        known = best.get(key)
        if known is None or (not edge.own, _sequence(edge.sequence)) < (not known.own, _sequence(known.sequence)):
            best[key] = edge
    return list(best.values()), seen


def _sequence(number: int | None) -> int:
    return _LAST if number is None else number


def both_ways(edges: Iterable[Edge]) -> tuple[dict[str, Edges], dict[str, Edges]]:
    """By type: origin to destinations, and destination to origins."""
    forward: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    backward: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for edge in edges:
        forward[edge.type][edge.origin].append(edge.destination)
        backward[edge.type][edge.destination].append(edge.origin)
    return {k: dict(v) for k, v in forward.items()}, {k: dict(v) for k, v in backward.items()}


def choose_parents(edges: Iterable[Edge], items: Mapping[str, Any], framework: str, title: str) -> Tree:
    """One display parent each: the association with the lowest sequence number, then the first."""
    offered: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        if (
            edge.type == CHILD_OF
            and edge.origin in items
            and (edge.destination in items or edge.destination == framework)
        ):
            offered[edge.origin].append(edge)
    tree = Tree()
    for id in items:
        choices = sorted(offered.get(id, ()), key=lambda edge: _sequence(edge.sequence))
        if choices:
            tree.parent[id] = choices[0].destination if choices[0].destination in items else DOCUMENT
            tree.sequence[id] = choices[0].sequence
        if len(choices) > 1:
            tree.findings.append(_several_parents(items, id, [edge.destination for edge in choices], title))
    _adopt_orphans(tree, items, title)
    _cut_circles(tree)
    return tree


def _label(items: Mapping[str, Any], id: str, title: str) -> str:
    return str(items[id]["code"] or id) if id in items else title


def _several_parents(items: Mapping[str, Any], id: str, parents: Sequence[str], title: str) -> Finding:
    names = ", ".join(_label(items, parent, title) for parent in parents)
    return Finding(
        "framework.several-parents",
        f"{_label(items, id, title)} has {len(parents)} parents ({names}); "
        f"it is shown under {_label(items, parents[0], title)}.",
        "Use isPartOf for the further parents, if the framework is yours.",
        (id, *parents),
    )


def _adopt_orphans(tree: Tree, items: Mapping[str, Any], title: str) -> None:
    orphans = tuple(id for id in items if id not in tree.parent)
    for id in orphans:
        tree.parent[id] = DOCUMENT
    if orphans:
        tree.findings.append(
            Finding(
                "framework.orphans",
                f"{len(orphans)} of {len(items)} items of {title} have no parent; they are shown at the top level.",
                "Give them an isChildOf association, if the framework is yours.",
                orphans,
            )
        )


def _cut_circles(tree: Tree) -> None:
    """Hang the first item of each circle from the document; :meth:`Framework.problems` names the circle."""
    settled: set[str] = {DOCUMENT}
    for id in tree.parent:
        way: dict[str, None] = {}
        here = id
        while here not in settled and here not in way:
            way[here] = None
            here = tree.parent[here]
        if here in way:
            tree.parent[here] = DOCUMENT
        settled.update(way)


def sort_children(tree: Tree, items: Mapping[str, dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    children: dict[str, list[str]] = defaultdict(list)
    for id in items:
        children[tree.parent[id]].append(id)
    for siblings in children.values():
        siblings.sort(key=lambda id: _order_key(items[id], tree.sequence.get(id)))
    return {parent: tuple(siblings) for parent, siblings in children.items()}


def _order_key(item: Mapping[str, Any], sequence: int | None) -> tuple[int, bool, NaturalKey, bool, NaturalKey]:
    """Sequence number, then list enumeration, then code, both in natural order; the sort keeps the file's order."""
    enumeration = item["list_enumeration"] or ""
    code = item["code"] or ""
    return (_sequence(sequence), not enumeration, natural_key(enumeration), not code, natural_key(code))


def in_order(
    items: Mapping[str, dict[str, Any]], tree: Tree, children: Mapping[str, tuple[str, ...]]
) -> dict[str, Competency]:
    found: dict[str, Competency] = {}
    for position, (id, depth) in enumerate(preorder(children, children.get(DOCUMENT, ()))):
        row = items[id]
        found[id] = Competency(
            id=id,
            code=row["code"],
            statement=row["statement"],
            abbreviated_statement=row["abbreviated_statement"],
            item_type=row["item_type"],
            education_levels=tuple(row["education_levels"] or ()),
            parent_id=tree.parent[id] or None,
            position=position,
            depth=depth,
        )
    return found


def ends(order: Sequence[str], competencies: Mapping[str, Competency]) -> dict[str, int]:
    """For each id the position after its last descendant."""
    ends: dict[str, int] = {}
    for id in reversed(order):
        end = ends.setdefault(id, competencies[id].position + 1)
        parent = competencies[id].parent_id
        if parent is not None:
            ends.setdefault(parent, end)
    return ends


def by_code(competencies: Iterable[Competency], *, folded: bool) -> dict[str, tuple[str, ...]]:
    ids: dict[str, list[str]] = defaultdict(list)
    for item in competencies:
        if item.code:
            ids[item.code.casefold() if folded else item.code].append(item.id)
    return {code: tuple(each) for code, each in ids.items()}


def read_criteria(frames: Mapping[str, pl.DataFrame], framework: str) -> tuple[Criterion, ...]:
    rubrics = {
        normal_id(row["id"]): row
        for row in _rows(frames, "rubrics")
        if row["framework_id"] is None or normal_id(row["framework_id"]) == framework
    }
    levels: dict[str, list[RubricLevel]] = defaultdict(list)
    for row in _rows(frames, "rubric_levels"):
        levels[normal_id(row["criterion_id"])].append(
            RubricLevel(normal_id(row["id"]), row["score"], row["quality"], row["position"], row["description"])
        )
    found = [
        Criterion(
            id=(id := normal_id(row["id"])),
            rubric_id=rubric,
            rubric_title=rubrics[rubric]["title"],
            category=row["category"],
            competency_id=normal_id(row["competency_id"]) if row["competency_id"] else None,
            weight=row["weight"],
            position=row["position"],
            levels=_sorted_levels(levels.get(id, ())),
        )
        for row in _rows(frames, "rubric_criteria")
        if (rubric := normal_id(row["rubric_id"])) in rubrics
    ]
    return tuple(sorted(found, key=lambda criterion: _sequence(criterion.position)))


def _sorted_levels(levels: Sequence[RubricLevel]) -> tuple[RubricLevel, ...]:
    scored = all(level.score is not None for level in levels)
    return tuple(
        sorted(levels, key=lambda each: ((each.score or Decimal(0)) if scored else 0, _sequence(each.position)))
    )


def by_competency(criteria: Iterable[Criterion]) -> dict[str, tuple[Criterion, ...]]:
    found: dict[str, list[Criterion]] = defaultdict(list)
    for criterion in criteria:
        if criterion.competency_id:
            found[criterion.competency_id].append(criterion)
    return {id: tuple(each) for id, each in found.items()}


def doubled_findings(seen: Mapping[tuple[str, str, str], int], title: str) -> Iterable[Finding]:
    doubled = [key for key, count in seen.items() if count > 1]
    if doubled:
        yield Finding(
            "framework.doubled-associations",
            f"{len(doubled)} associations of {title} stand there more than once; each counts once.",
            "Nothing needs to be done; the framework's owner may remove the copies.",
            tuple(dict.fromkeys(id for _, *ends in doubled for id in ends)),
        )


def digest(
    id: str,
    competencies: Mapping[str, Competency],
    items: Mapping[str, dict[str, Any]],
    edges: Iterable[Edge],
    criteria: Iterable[Criterion],
) -> str:
    """SHA-256 over the content in a fixed order."""
    content = hashlib.sha256()
    _feed(content, ([id],))
    _feed(content, (_item_content(item, items[item.id]) for item in competencies.values()))
    touching = (edge for edge in edges if edge.own or edge.origin in items or edge.destination in items)
    _feed(content, sorted([edge.type, edge.origin, edge.destination] for edge in touching))
    _feed(content, (_criterion_content(each) for each in sorted(criteria, key=lambda each: each.id)))
    return content.hexdigest()


def _feed(content: hashlib._Hash, values: Iterable[object]) -> None:
    for value in values:
        content.update(_ENCODER.encode(value).encode() + b"\n")
    content.update(b"\n")


def _item_content(item: Competency, row: Mapping[str, Any]) -> list[object]:
    return [
        item.id,
        item.parent_id,
        item.code,
        item.statement,
        item.abbreviated_statement,
        item.item_type,
        sorted(item.education_levels),
        row["list_enumeration"],
    ]


def _criterion_content(criterion: Criterion) -> list[object]:
    levels = [[each.id, _plain(each.score), each.quality, each.description] for each in criterion.levels]
    return [criterion.id, criterion.rubric_id, criterion.competency_id, _plain(criterion.weight), levels]


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else format(number.normalize(), "f")
