"""Reads the ``portfolio`` part of a mapping: units, skills, required demonstrations, stored baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import polars as pl

from gateway.core.framework import Framework
from gateway.core.mapping.choice import select, targets
from gateway.core.mapping.personal import competencies, lines
from gateway.core.mapping.portfolio import REQUIRED, Growth, Portfolio, empty_baselines
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import to_micros
from gateway.core.mapping.scales import read_number

Path: TypeAlias = tuple[str | int, ...]

_PATH: Path = ("portfolio",)
_USUAL = "default"


def compile_portfolio(
    data: Mapping[str, Any],
    reader: Reader,
    framework: Framework,
    labels: Mapping[str, str],
    ids: Sequence[str],
    baselines: tuple[str, pl.DataFrame] | None,
) -> Portfolio:
    """The portfolio rules; ``labels`` by id, ``ids`` in the order of the competencies' numbers."""
    units = targets(data["units"], (*_PATH, "units"), reader, framework)
    numbers = {id: n for n, id in enumerate(ids)}
    skills = {skill: n for n, unit in enumerate(units) for skill in framework.children(unit)}
    units_by_id = {id: n for n, id in enumerate(units)}
    return Portfolio(
        domains=tuple(labels[id] for id in units),
        domain_of=[_domain(id, units_by_id, skills, labels, units) for id in ids],
        unit_of=[skills.get(id, -1) for id in ids],
        labels=[labels[id] for id in ids],
        required=_required(data["required"], reader, framework, skills, numbers),
        target=data["target"],
        growth=Growth(data["growth"]),
        offset=to_micros(data["average_offset"]),
        minimum_rating=to_micros(data["minimum_rating"]) if "minimum_rating" in data else None,
        highest=data.get("highest_level"),
        baselines=_baselines(baselines, reader, framework, units_by_id) if baselines else empty_baselines(),
    )


def _domain(
    id: str, units: Mapping[str, int], skills: Mapping[str, int], labels: Mapping[str, str], order: Sequence[str]
) -> str | None:
    if id in units:
        return labels[id]
    return labels[order[skills[id]]] if id in skills else None


def _required(
    data: Any, reader: Reader, framework: Framework, skills: Mapping[str, int], numbers: Mapping[str, int]
) -> pl.DataFrame:
    """``required: 2``, or by skill (``default`` for the others), each a number or numbers by level."""
    path: Path = (*_PATH, "required")
    stated = data if isinstance(data, dict) else {_USUAL: data}
    if _USUAL not in stated:
        reader.note(path, "There is no `default`.", "Say how many demonstrations a skill usually needs.", "portfolio")
    by_skill: dict[str, dict[str, int]] = {}
    for word, wanted in sorted(stated.items(), key=lambda item: item[0] == _USUAL):
        at = path if word == _USUAL and not isinstance(data, dict) else (*path, word)
        by_level = _by_level(wanted, at, reader)
        for id in skills if word == _USUAL else select(word, at, reader, framework):
            if id in skills:
                by_skill.setdefault(id, by_level)
    rows = [
        (numbers[id], skills[id], "" if level == _USUAL else level, needed)
        for id, by_level in by_skill.items()
        for level, needed in by_level.items()
    ]
    return pl.DataFrame(rows, schema=dict(REQUIRED), orient="row")


def _by_level(wanted: Any, path: Path, reader: Reader) -> dict[str, int]:
    stated = wanted if isinstance(wanted, dict) else {_USUAL: wanted}
    found = {level: count for level, count in stated.items() if isinstance(count, int) and count >= 0}
    if len(found) < len(stated) or _USUAL not in found:
        hint = 'Say a whole number, or numbers by level: `{default: 3, "11": 0}`.'
        reader.note(path, "This does not say how many demonstrations are needed.", hint, "portfolio")
        return {_USUAL: 0}
    return found


def _baselines(
    given: tuple[str, pl.DataFrame], reader: Reader, framework: Framework, units: Mapping[str, int]
) -> pl.DataFrame:
    name, table = given
    rows = []
    for row, place in lines(
        name, table, ("student_id", "competency", "level", "baseline"), (*_PATH, "baselines"), reader
    ):
        baseline = read_number(row["baseline"])
        if baseline is None:
            reader.note_at(place, f'"{row["baseline"]}" is not a number.', "Write a number such as 8.5.", "portfolio")
            continue
        for id in competencies(row["competency"], place, reader, framework, below=False):
            if id in units:
                rows.append((row["student_id"], units[id], row["level"], to_micros(Decimal(baseline))))
            else:
                message = f"{row['competency']} is no competency with skills."
                reader.note_at(place, message, "Name one of those under `units`.", "portfolio")
    return pl.DataFrame(rows, schema=empty_baselines().schema, orient="row").unique(
        ["student_id", "unit", "target"], keep="last", maintain_order=True
    )
