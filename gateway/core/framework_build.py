"""The steps from the canonical framework tables to a :class:`~gateway.core.framework.Framework`."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.competency import Competency, Criterion, Finding, RubricLevel, normal_id
from gateway.core.errors import MappingError
from gateway.core.graph import Edges, natural_key, preorder
from gateway.core.model import empty

CHILD_OF = "isChildOf"
DOCUMENT = ""
"""The parent of the top level."""

_LAST = 2**63
_ITEM = ("id", "code", "statement", "abbreviated_statement", "item_type", "education_levels", "list_enumeration",
         "uri")  # fmt: skip
_EDGE = ("type", "origin_id", "destination_id")


@dataclass(slots=True)
class Tree:
    """The display tree under construction: the parent chosen for each item, and what had to be said about it."""

    parent: dict[str, str]
    sequence: dict[str, int | None]
    findings: list[Finding] = field(default_factory=list)


def _normal(name: str) -> pl.Expr:
    """:func:`~gateway.core.competency.normal_id` as an expression."""
    text = pl.col(name).str.strip_chars()
    lower = text.str.to_lowercase().str.strip_prefix("urn:uuid:")
    return pl.when(text.str.contains("://", literal=True)).then(text).otherwise(lower).alias(name)


def read_table(frames: Mapping[str, pl.DataFrame], name: str) -> pl.DataFrame:
    """A table with its ids as they are compared; empty when it is not there."""
    frame = frames.get(name, empty(name))
    return frame.with_columns(_normal(c) for c in frame.columns if c == "id" or c.endswith("_id"))


def own(framework: str) -> pl.Expr:
    """Whether a row belongs to the framework."""
    return pl.col("framework_id").is_null() | (pl.col("framework_id") == framework)


def choose_document(frames: Mapping[str, pl.DataFrame], wanted: str | None) -> dict[str, Any]:
    """The row of the framework asked for, or of the only one."""
    known = {row["id"]: row for row in read_table(frames, "frameworks").iter_rows(named=True)}
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
    """The framework's items by id, in the file's order; the first of an id wins."""
    items = read_table(frames, "competencies").filter(own(framework)).unique("id", keep="first", maintain_order=True)
    return {row["id"]: row for row in items.select(_ITEM).iter_rows(named=True)}


def read_edges(frames: Mapping[str, pl.DataFrame], framework: str) -> pl.DataFrame:
    """Each edge once, with its lowest sequence number; ``own``: how often it stands in this framework's package."""
    edges = read_table(frames, "associations").with_columns(own(framework).alias("own"))
    grouped = edges.group_by(_EDGE, maintain_order=True)
    return grouped.agg(
        pl.col("sequence_number").sort_by(~pl.col("own"), "sequence_number", nulls_last=True).first(),
        pl.col("own").sum(),
    )


def both_ways(edges: pl.DataFrame) -> tuple[dict[str, Edges], dict[str, Edges]]:
    """By type: origin to destinations, and destination to origins."""
    return _grouped(edges, "origin_id", "destination_id"), _grouped(edges, "destination_id", "origin_id")


def _grouped(edges: pl.DataFrame, start: str, end: str) -> dict[str, Edges]:
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    grouped = edges.group_by("type", start, maintain_order=True).agg(end)
    for kind, here, there in zip(*(column.to_list() for column in grouped), strict=True):
        found[kind][here] = there
    return dict(found)


def choose_parents(edges: pl.DataFrame, items: Mapping[str, Any], framework: str, title: str) -> Tree:
    """One display parent each: the association with the lowest sequence number, then the first."""
    ids = pl.Series(list(items), dtype=pl.String)
    places = pl.concat([ids, pl.Series([framework])])
    offered = (
        edges.filter(
            pl.col("type") == CHILD_OF,
            pl.col("origin_id").is_in(ids.implode()),
            pl.col("destination_id").is_in(places.implode()),
        )
        .sort("sequence_number", nulls_last=True, maintain_order=True)
        .with_columns(pl.col("destination_id").replace({framework: DOCUMENT}))
        .group_by("origin_id", maintain_order=True)
        .agg(pl.col("sequence_number").first(), "destination_id")
    )
    origins = offered["origin_id"].to_list()
    tree = Tree(
        dict(zip(origins, offered["destination_id"].list.first().to_list(), strict=True)),
        dict(zip(origins, offered["sequence_number"].to_list(), strict=True)),
    )
    for id, _, parents in offered.filter(pl.col("destination_id").list.len() > 1).iter_rows():
        tree.findings.append(_several_parents(items, id, parents, title))
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
        (id, *(parent for parent in parents if parent != DOCUMENT)),
    )


def _adopt_orphans(tree: Tree, items: Mapping[str, Any], title: str) -> None:
    orphans = tuple(id for id in items if id not in tree.parent)
    for id in orphans:
        tree.parent[id] = DOCUMENT
    if orphans:
        tree.findings.append(
            Finding(
                "framework.orphans",
                f"Items of {title} without a parent: {len(orphans)} of {len(items)}; shown at the top level.",
                "Give them an isChildOf association, if the framework is yours.",
                orphans,
            )
        )


def _cut_circles(tree: Tree) -> None:
    """Hang one item of each circle from the document; :meth:`Framework.problems` names the circle."""
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
    """The children of each parent in display order."""
    children: dict[str, list[str]] = defaultdict(list)
    for id in items:
        children[tree.parent[id]].append(id)
    for siblings in children.values():
        if len(siblings) > 1:
            siblings.sort(key=lambda id: _order_key(items[id], tree.sequence.get(id)))
    return {parent: tuple(siblings) for parent, siblings in children.items()}


def _order_key(item: Mapping[str, Any], sequence: int | None) -> tuple[int, bool, str, bool, str]:
    """Sequence number, then list enumeration, then code, both in natural order; the sort keeps the file's order."""
    enumeration = item["list_enumeration"] or ""
    code = item["code"] or ""
    return (_sequence(sequence), not enumeration, natural_key(enumeration), not code, natural_key(code))


def _sequence(number: int | None) -> int:
    return _LAST if number is None else number


def in_order(
    items: Mapping[str, dict[str, Any]], tree: Tree, children: Mapping[str, tuple[str, ...]]
) -> dict[str, Competency]:
    """The competencies in the order of the display tree."""
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
            uri=row["uri"],
        )
    return found


def ends(order: Sequence[str], competencies: Mapping[str, Competency]) -> dict[str, int]:
    """For each id the position after its last descendant."""
    found: dict[str, int] = {}
    for id in reversed(order):
        end = found.setdefault(id, competencies[id].position + 1)
        parent = competencies[id].parent_id
        if parent is not None:
            found.setdefault(parent, end)
    return found


def by_code(competencies: Iterable[Competency]) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """The ids by code as written, and by code in any case."""
    exact: dict[str, tuple[str, ...]] = {}
    folded: dict[str, tuple[str, ...]] = {}
    for item in competencies:
        if item.code:
            fold = item.code.casefold()
            exact[item.code] = (*exact.get(item.code, ()), item.id)
            folded[fold] = (*folded.get(fold, ()), item.id)
    return exact, folded


def read_criteria(frames: Mapping[str, pl.DataFrame], framework: str) -> tuple[Criterion, ...]:
    """The framework's rubric criteria with their levels, by position."""
    rubrics = {row["id"]: row for row in read_table(frames, "rubrics").filter(own(framework)).iter_rows(named=True)}
    levels: dict[str, list[RubricLevel]] = defaultdict(list)
    for row in read_table(frames, "rubric_levels").iter_rows(named=True):
        level = RubricLevel(row["id"], row["score"], row["quality"], row["position"], row["description"])
        levels[row["criterion_id"]].append(level)
    found = [
        Criterion(
            id=row["id"],
            rubric_id=row["rubric_id"],
            rubric_title=rubrics[row["rubric_id"]]["title"],
            category=row["category"],
            competency_id=row["competency_id"],
            weight=row["weight"],
            position=row["position"],
            levels=_sorted_levels(levels.get(row["id"], ())),
        )
        for row in read_table(frames, "rubric_criteria").iter_rows(named=True)
        if row["rubric_id"] in rubrics
    ]
    return tuple(sorted(found, key=lambda criterion: _sequence(criterion.position)))


def _sorted_levels(levels: Sequence[RubricLevel]) -> tuple[RubricLevel, ...]:
    if any(level.score is None for level in levels):
        return tuple(sorted(levels, key=lambda level: _sequence(level.position)))
    return tuple(sorted(levels, key=lambda level: (level.score, _sequence(level.position))))


def by_competency(criteria: Iterable[Criterion]) -> dict[str, tuple[Criterion, ...]]:
    """The criteria of each competency that has any."""
    found: dict[str, list[Criterion]] = defaultdict(list)
    for criterion in criteria:
        if criterion.competency_id:
            found[criterion.competency_id].append(criterion)
    return {id: tuple(each) for id, each in found.items()}


def doubled_findings(edges: pl.DataFrame, title: str) -> Iterable[Finding]:
    """One finding if associations stand there several times."""
    doubled = edges.filter(pl.col("own") > 1)
    if not doubled.is_empty():
        yield Finding(
            "framework.doubled-associations",
            f"Associations of {title} that stand there more than once: {doubled.height}; each counts once.",
            "Nothing needs to be done; the framework's owner may remove the copies.",
            tuple(dict.fromkeys(doubled["origin_id"])),
        )


def digest(
    id: str,
    competencies: Mapping[str, Competency],
    items: Mapping[str, dict[str, Any]],
    edges: pl.DataFrame,
    criteria: Iterable[Criterion],
) -> str:
    """SHA-256 over the content in a fixed order: the items in tree order, the rest sorted."""
    ids = pl.Series(list(items), dtype=pl.String).implode()
    touching = (pl.col("own") > 0) | pl.col("origin_id").is_in(ids) | pl.col("destination_id").is_in(ids)
    content = [
        id,
        [_item_content(item, items[item.id]) for item in competencies.values()],
        edges.filter(touching).select(_EDGE).sort(_EDGE).rows(),
        [_criterion_content(each) for each in sorted(criteria, key=lambda each: each.id)],
    ]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


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
