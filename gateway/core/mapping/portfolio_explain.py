"""A student's portfolio opened to its demonstrations: which are effective, and the numbers that they make.

As :mod:`~gateway.core.mapping.trace` for levels, this is a second form of the rules of
:mod:`~gateway.core.mapping.portfolio`, for one student and with exact numbers. Tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import polars as pl

from gateway.core.mapping.collect import Collected
from gateway.core.mapping.portfolio import ONE_PLACE, Growth, Portfolio
from gateway.core.mapping.rounding import MICROS, from_micros
from gateway.core.mapping.scales import plain

Row = Mapping[str, Any]


def portfolio_workings(portfolio: Portfolio, collected: Collected) -> list[dict[str, Any]]:
    """For each unit in which the student has demonstrations: all of them by skill, and what is made of them.

    ``collected`` are one student's results. ``time`` is in milliseconds; ratings and results are texts.
    """
    rows, needed = portfolio.demonstrations(collected)
    stored = {(row["unit"], row["target"]): row["stored"] for row in _own(portfolio.baselines, collected)}
    found = []
    for unit in sorted(set(needed["unit"])):
        skills = [
            _skill(portfolio, skill, [row for row in rows.rows(named=True) if row["skill"] == skill["skill"]])
            for skill in needed.filter(pl.col("unit") == unit).sort("skill").rows(named=True)
        ]
        target = needed.filter(pl.col("unit") == unit)["target"][0]
        found.append(_unit(portfolio, unit, target, skills, stored.get((unit, target))))
    return found


def _own(baselines: pl.DataFrame, collected: Collected) -> list[dict[str, Any]]:
    return baselines.filter(pl.col("student_id").is_in(collected.students.to_list())).rows(named=True)


def _skill(portfolio: Portfolio, skill: Row, rows: Sequence[Row]) -> dict[str, Any]:
    effective = [row for row in rows if row["effective"]]
    done = sum(skill["needed"] if row["override"] else 1 for row in effective if not row["missed"])
    shown = sorted((row for row in rows if not row["missed"]), key=_order)
    return {
        "competency": portfolio.labels[skill["skill"]],
        "required": skill["needed"],
        "done": min(skill["needed"], done),
        "first": None if not shown or shown[0]["override"] else _number(shown[0]["rating"]),
        "latest": next((_number(row["rating"]) for row in reversed(shown) if not row["override"]), None),
        "ratings": sum(not row["override"] for row in shown),
        "demonstrations": [_demonstration(row) for row in rows],
    }


def _order(row: Row) -> tuple[Any, ...]:
    result = row.get("result_id")
    return (row["time"], result is not None, result or "")


def _demonstration(row: Row) -> dict[str, Any]:
    rated = not row["missed"] and not row["override"]
    return {
        "rating": _number(row["rating"]) if rated else None,
        "missed": row["missed"],
        "override": row["override"],
        "effective": row["effective"],
        "time": row["time"],
        "result_id": row.get("result_id"),
    }


def _unit(
    portfolio: Portfolio, unit: int, target: str, skills: Sequence[dict[str, Any]], stored: int | None
) -> dict[str, Any]:
    shown = [each for skill in skills for each in skill["demonstrations"]]
    ratings = [each["rating"] for each in shown if each["effective"] and each["rating"] is not None]
    level = _rounded(sum(map(Fraction, ratings), Fraction()) / len(ratings)) if ratings else None
    baseline = None if stored is None else _rounded(Fraction(stored, MICROS))
    calculation = f"({' + '.join(ratings)}) / {len(ratings)}" if ratings else None
    most_recent = portfolio.growth is Growth.MOST_RECENT_MINUS_FIRST
    return {
        "domain": portfolio.domains[unit],
        "target_level": target,
        "calculation": calculation,
        "performance_level": level,
        "rounding": ONE_PLACE.words,
        "done": sum(skill["done"] for skill in skills),
        "required": sum(skill["required"] for skill in skills),
        "stored_baseline": baseline,
        "growth_rule": str(portfolio.growth),
        "growth_calculation": _most_recent(skills, stored) if most_recent else _above(skills, level, baseline),
        "skills": list(skills),
    }


def _above(skills: Sequence[Row], level: str | None, baseline: str | None) -> str | None:
    """The performance level minus the baseline: the stored one, or the mean of the first ratings."""
    if level is None or Fraction(level) == 0:
        return None
    if baseline is not None:
        return f"{level} − {baseline}" if Fraction(baseline) else None
    asked = [skill for skill in skills if skill["required"]]
    firsts = [skill["first"] for skill in asked if skill["first"] is not None]
    half = 2 * sum(skill["done"] for skill in skills) >= sum(skill["required"] for skill in skills)
    if not firsts or not any(map(Fraction, firsts)) or not (half or len(firsts) == len(asked)):
        return None
    return f"{level} − ({' + '.join(firsts)}) / {len(firsts)}"


def _most_recent(skills: Sequence[Row], stored: int | None) -> str | None:
    """The mean of what the skills grew from the stored baseline, or from their first rating, to the latest."""
    grown = []
    for skill in skills:
        if stored is not None and skill["ratings"] >= 1:
            grown.append(f"({skill['latest']} − {_number(stored)})")
        elif stored is None and skill["ratings"] >= 2 and skill["first"] is not None:
            grown.append(f"({skill['latest']} − {skill['first']})")
    asked = sum(skill["required"] > 0 for skill in skills)
    return f"({' + '.join(grown)}) / {len(grown)}" if grown and 2 * len(grown) >= asked else None


def _rounded(value: Fraction) -> str:
    return plain(from_micros(ONE_PLACE.exactly(value * MICROS)))


def _number(micros: int) -> str:
    return plain(from_micros(micros))


def portfolio_sentences(unit: Row) -> Iterator[str]:
    """One unit's workings for people."""
    if unit["calculation"]:
        yield f"  {unit['calculation']} = {unit['performance_level']}, rounded to {unit['rounding']}"
    else:
        yield "  no performance level: no rating counts"
    yield f"  {unit['done']} of {unit['required']} demonstrations are done"
    yield f"  demonstrations at level {unit['target_level'] or '(none)'}, the highest that was aimed at:"
    for skill in unit["skills"]:
        yield f"  - {skill['competency']}: {skill['done']} of {skill['required']}{_shown(skill['demonstrations'])}"
    if unit["growth_calculation"]:
        yield f"  growth is {unit['growth_calculation']}, rounded to {unit['rounding']}"


def _shown(demonstrations: Sequence[Row]) -> str:
    counting = [_said(each) for each in demonstrations if each["effective"]]
    others = [_said(each) for each in demonstrations if not each["effective"]]
    text = f"; {', '.join(counting)}" if counting else ""
    return text + (f"; without effect: {', '.join(others)}" if others else "")


def _said(each: Row) -> str:
    what = "missed" if each["missed"] else "override" if each["override"] else each["rating"]
    return f"{what} ({each['result_id']})" if each["result_id"] else str(what)
