"""A second, plain implementation of mean policies, written from ``docs/gpa.md`` alone, with fractions, row by row.

It shares no code with the product on purpose. It knows: a letter table with or without signs, marks, statuses, weights
that add or multiply, caps, credit bases, repeats, and rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any


@dataclass
class Rules:
    """A policy in the reference's own words."""

    points: Mapping[str, Fraction]
    ignore_signs: bool = False
    failing: frozenset[str] = frozenset()
    marks: Mapping[str, str] = field(default_factory=dict)
    how: str | None = None
    levels: Mapping[str, Fraction] = field(default_factory=dict)
    only_grades: frozenset[str] | None = None
    basis: str = "attempted"
    keep: str | None = None
    only_after: frozenset[str] | None = None
    places: int = 3
    mode: str = "half_up"


PENDING = "pending"


def gpa(rules: Rules, rows: Sequence[Mapping[str, Any]]) -> Decimal | str | None:
    """The GPA, ``None`` when nothing counts, or ``"pending"``."""
    counted = []
    for position, row in enumerate(rows):
        judged = judge(rules, row)
        if judged == PENDING:
            return PENDING
        if judged is not None:
            counted.append((position, row, *judged))
    shares = repeats(rules, counted)
    total = sum(
        (points * credit * share for (_, _, _, points, credit), share in zip(counted, shares, strict=True)), Fraction(0)
    )
    over = sum((credit * share for (_, _, _, _, credit), share in zip(counted, shares, strict=True)), Fraction(0))
    return None if over == 0 else rounded(total / over, rules.places, rules.mode)


def judge(rules: Rules, row: Mapping[str, Any]) -> tuple[str, Fraction, Fraction] | str | None:
    grade = row["grade"]
    if rules.basis != "each_course" and Fraction(row["credit"]) == 0:
        return None
    if grade in rules.marks:
        action = rules.marks[grade]
        if action in ("leave_out", "credit_only"):
            return None
        if action == "wait":
            return PENDING
        grade = action
    elif row.get("status") == "in_progress":
        return None
    if rules.ignore_signs:
        grade = grade.rstrip("+-")
    if grade not in rules.points:
        return PENDING
    credit = Fraction(1) if rules.basis == "each_course" else Fraction(row["credit"])
    if credit < 0:
        return PENDING
    if rules.basis == "earned" and grade in rules.failing:
        return None
    points = rules.points[grade]
    if rules.how is not None:
        allowed = grade in rules.only_grades if rules.only_grades is not None else grade not in rules.failing
        if allowed:
            if row["level"] not in rules.levels:
                return PENDING
            weight = rules.levels[row["level"]]
            points = points + weight if rules.how == "add" else points * weight
    return grade, points, credit


def repeats(rules: Rules, counted: Sequence[tuple[int, Mapping[str, Any], str, Fraction, Fraction]]) -> list[Fraction]:
    """How much of each counted course counts: 1, 0 or a share."""
    shares = [Fraction(1)] * len(counted)
    if rules.keep is None:
        return shares
    groups: dict[str, list[int]] = {}
    for index, (_, row, *_rest) in enumerate(counted):
        groups.setdefault(row["course_code"], []).append(index)
    for group in groups.values():
        group.sort(key=lambda index: counted[index][1]["school_year"])
        if len(group) < 2 or (rules.only_after is not None and counted[group[0]][2] not in rules.only_after):
            continue
        if rules.keep == "average":
            for index in group:
                shares[index] = Fraction(1, len(group))
            continue
        if rules.keep == "latest":
            kept = group[-1]
        else:
            kept = max(group, key=lambda index: (counted[index][3], counted[index][4], -group.index(index)))
        for index in group:
            shares[index] = Fraction(index == kept)
    return shares


def rounded(value: Fraction, places: int, mode: str) -> Decimal:
    scaled = value * 10**places
    whole = scaled.numerator // scaled.denominator
    rest = scaled - whole
    if mode == "half_up" and rest >= Fraction(1, 2):
        whole += 1
    if mode == "half_even" and (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2)):
        whole += 1
    return Decimal(whole).scaleb(-places)
