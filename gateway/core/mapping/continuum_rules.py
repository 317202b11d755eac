"""Reads the ``continuum`` part of a mapping: which domains there are, and which stages with which competencies."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any, TypeAlias

from gateway.core.framework import Competency, Framework
from gateway.core.graph import natural_key
from gateway.core.mapping.choice import select, targets
from gateway.core.mapping.continuum import Continuum
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import MICROS, to_micros
from gateway.core.mapping.scales import check_threshold
from gateway.core.mapping.stages import Domain, Stage, stage_value
from gateway.core.mapping.summary import Summaries

Path: TypeAlias = tuple[str | int, ...]

_PATH: Path = ("continuum",)
_WHOLE = ""
"""The name of the only stage of a domain without performance levels."""


def compile_continuum(
    data: Mapping[str, Any],
    reader: Reader,
    framework: Framework,
    labels: Mapping[str, str],
    ids: Sequence[str],
    summaries: Summaries,
) -> Continuum:
    """The continuum rules; ``labels`` by id, ``ids`` in the order of the competencies' numbers."""
    domains = targets(data["domains"], (*_PATH, "domains"), reader, framework)
    if not domains and not reader.problems:
        reader.note((*_PATH, "domains"), "There is no domain.", "Name the domains by their codes.", "continuum")
    part = _taking_part(data, reader, framework)
    stage_of = _stage_of(data["levels"], part, reader, framework)
    members = _members(domains, part, stage_of, framework)
    order = _order(data, {name for stages in members.values() for name in stages}, reader)
    if not _is_threshold(data["complete_at"]):
        reader.note((*_PATH, "complete_at"), "Say `proficient`, or a level.", "", "continuum")
    scales = [summaries.scale_of[item.id] for stages in members.values() for each in stages.values() for item in each]
    check_threshold(data["complete_at"], scales, (*_PATH, "complete_at"), reader, "continuum")
    rules = tuple(
        Domain(
            label=labels[domain],
            stages=tuple(
                _stage(name, members[domain][name], order, data["complete_share"], framework, labels)
                for name in sorted(members[domain], key=lambda name: order[name][0])
            ),
            highest=data["work_at"] == "highest_evidence",
            next_count=data["next"],
        )
        for domain in domains
    )
    places = _places(domains, rules, members, ids)
    return Continuum(
        rules=rules,
        place_of=places,
        stage_of=[rules[domain].stage_of(bit) if domain >= 0 else -1 for domain, bit in places],
        domain_of=[_label(framework.domain_of(id, domains), labels) for id in ids],
        threshold=[_threshold(data["complete_at"], id, summaries) for id in ids],
        baseline_on=_baseline(data["baseline"], reader),
        days=data["pace"].get("days", 365),
        at_least_days=data["pace"].get("at_least_days", 30),
    )


def _taking_part(data: Mapping[str, Any], reader: Reader, framework: Framework) -> list[Competency]:
    wanted = data["competencies"]
    chosen = framework.leaves if wanted == "leaves" else targets(wanted, (*_PATH, "competencies"), reader, framework)
    apart = {id for word in data.get("apart", ()) for id in select(word, (*_PATH, "apart"), reader, framework)}
    return [framework.competencies[id] for id in chosen if id not in apart]


def _stage_of(
    wanted: Any, part: Sequence[Competency], reader: Reader, framework: Framework
) -> Callable[[Competency], str | None]:
    """How a competency's stage is told: by education level, a part of the code, an item above it, or a list."""
    path = (*_PATH, "levels")
    if wanted == "education_level":
        return lambda item: _education_level(item, framework)
    if wanted == "none":
        return lambda item: _WHOLE
    if isinstance(wanted, dict) and set(wanted) == {"code_part"} and isinstance(wanted["code_part"], int):
        return lambda item: _code_part(item, wanted["code_part"])
    if isinstance(wanted, dict) and set(wanted) == {"type"}:
        return lambda item: _above(item, str(wanted["type"]), framework)
    if isinstance(wanted, list):
        listed: dict[str, str] = {}
        for n, each in enumerate(wanted):
            if not isinstance(each, dict) or set(each) != {"level", "competencies"}:
                reader.note((*path, n), "Each item says `level` and `competencies`.", "", "continuum")
                continue
            words = each["competencies"] if isinstance(each["competencies"], list) else [each["competencies"]]
            for word in words:
                for id in select(str(word), (*path, n, "competencies"), reader, framework):
                    listed.setdefault(id, str(each["level"]))
        return lambda item: listed.get(item.id)
    hint = "Say `education_level`, `none`, `{code_part: 2}`, `{type: Grade}`, or a list of levels with competencies."
    reader.note(path, "This does not say how a competency's performance level is told.", hint, "continuum")
    return lambda item: None


def _education_level(item: Competency, framework: Framework) -> str | None:
    """The item's first education level, or that of the nearest item above that has one."""
    for id in (item.id, *framework.ancestors(item.id)):
        levels = framework.competencies[id].education_levels
        if levels:
            return levels[0]
    return None


def _code_part(item: Competency, place: int) -> str | None:
    parts = re.split(r"[.\-_/ ]", item.code or "")
    return parts[place - 1] if len(parts) >= place else None


def _above(item: Competency, kind: str, framework: Framework) -> str | None:
    above = (framework.competencies[id] for id in (item.id, *framework.ancestors(item.id)))
    return next((each.label for each in above if each.item_type == kind), None)


def _members(
    domains: Sequence[str],
    part: Sequence[Competency],
    stage_of: Callable[[Competency], str | None],
    framework: Framework,
) -> dict[str, dict[str, list[Competency]]]:
    members: dict[str, dict[str, list[Competency]]] = {domain: {} for domain in domains}
    for item in part:
        domain = framework.domain_of(item.id, domains)
        stage = stage_of(item) if domain else None
        if domain is not None and stage is not None:
            members[domain].setdefault(stage, []).append(item)
    return members


def _order(data: Mapping[str, Any], names: set[str], reader: Reader) -> dict[str, tuple[int, int]]:
    """For each stage its place in the order, and its number in micros."""
    stated = [str(name) for name in data.get("order", ())]
    if not stated and isinstance(data["levels"], list):
        stated = [str(each.get("level")) for each in data["levels"] if isinstance(each, dict)]
    for name in sorted(names - set(stated) if stated else ()):
        reader.note((*_PATH, "order"), f'The performance level "{name}" is not in the order.', "Add it.", "continuum")
    order = stated + sorted(names - set(stated), key=_natural)
    return {name: (n, _value(name, n)) for n, name in enumerate(order)}


def _natural(name: str) -> tuple[int, Any]:
    early = {"PR": -3, "PK": -2, "KG": 0, "K": 0}
    return (0, early[name]) if name in early else (1, natural_key(name))


def _value(name: str, place: int) -> int:
    """The number of a stage; a name without one has its place in the order."""
    value = stage_value(name)
    return (place + 1) * MICROS if value is None else value


def _stage(
    name: str,
    members: Sequence[Competency],
    order: Mapping[str, tuple[int, int]],
    share: Decimal,
    framework: Framework,
    labels: Mapping[str, str],
) -> Stage:
    place = {item.id: n for n, item in enumerate(members)}
    after = tuple(tuple(place[id] for id in framework.predecessors(item.id) if id in place) for item in members)
    needed = ceil(Fraction(share) * len(members))
    return Stage(name, order[name][1], tuple(labels[item.id] for item in members), needed, after)


def _places(
    domains: Sequence[str],
    rules: Sequence[Domain],
    members: Mapping[str, Mapping[str, Sequence[Competency]]],
    ids: Sequence[str],
) -> list[tuple[int, int]]:
    """For each competency's number its domain and its bit there."""
    found: dict[str, tuple[int, int]] = {}
    for n, domain in enumerate(domains):
        items = [item for stage in rules[n].stages for item in members[domain][stage.name]]
        found |= {item.id: (n, bit) for bit, item in enumerate(items)}
    return [found.get(id, (-1, -1)) for id in ids]


def _label(domain: str | None, labels: Mapping[str, str]) -> str | None:
    return None if domain is None else labels[domain]


def _is_threshold(wanted: Any) -> bool:
    return wanted == "proficient" or (isinstance(wanted, int | Decimal) and not isinstance(wanted, bool))


def _threshold(wanted: Any, id: str, summaries: Summaries) -> int | None:
    if isinstance(wanted, int | Decimal) and not isinstance(wanted, bool):
        return to_micros(Decimal(wanted))
    return summaries.scale_of[id].proficient


def _baseline(wanted: Any, reader: Reader) -> datetime.date | None:
    if wanted == "first_evidence":
        return None
    if isinstance(wanted, dict) and set(wanted) == {"on"}:
        try:
            return datetime.date.fromisoformat(str(wanted["on"]))
        except ValueError:
            pass
    hint = "Say `first_evidence`, or `{on: 2026-08-15}`."
    reader.note((*_PATH, "baseline"), "This is not a baseline.", hint, "continuum")
    return None
