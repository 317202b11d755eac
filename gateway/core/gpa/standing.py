"""The name of what a GPA entitles to (qualifier, eligible …), from the GPA and what else is known of the student.

An unknown fact is neither true nor false: where it would decide, the standing is ``undetermined``.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from gateway.core.gpa.frames import added, built_once
from gateway.core.gpa.policy import Condition, Policy
from gateway.core.mapping.rounding import MICROS

UNDETERMINED = "undetermined"


def add_standing(policy: Policy, found: pl.DataFrame, students: pl.DataFrame) -> pl.DataFrame:
    """``found`` (``student_id``, ``exact``, ``over``, ``micros`` …) with ``standing``, empty where there is no GPA."""
    if not policy.standings:
        return added(found, pl.lit(None, pl.String).alias("standing"))
    if any(each.when is not None and _needs_facts(each.when) for each in policy.standings):
        found = found.join(students, on="student_id", how="left", maintain_order="left")
    return added(found, _standing(policy))


@built_once
def _standing(policy: Policy) -> pl.Expr:
    standing = pl.lit(None, pl.String)
    for each in reversed(policy.standings):
        met = pl.lit(True) if each.when is None else _holds(each.when, policy)
        standing = (
            pl.when(met.is_null()).then(pl.lit(UNDETERMINED))
            .when(met).then(pl.lit(each.name)).otherwise(standing)
        )  # fmt: skip
    return pl.when(pl.col("micros").is_not_null()).then(standing).alias("standing")


def standing_of(policy: Policy, exact: int, over: int, micros: int, known: Mapping[str, Any]) -> str | None:
    """The standing of one student with the GPA ``exact`` ÷ ``over``, rounded ``micros``."""
    for each in policy.standings:
        met = True if each.when is None else _is_met(each.when, policy, exact, over, micros, known)
        if met is None:
            return UNDETERMINED
        if met:
            return each.name
    return None


def _is_met(
    condition: Condition, policy: Policy, exact: int, over: int, micros: int, known: Mapping[str, Any]
) -> bool | None:
    parts: list[bool | None] = []
    if condition.gpa is not None:
        parts.append(exact >= over * condition.gpa if policy.compare_unrounded else micros >= condition.gpa)
    for fact, wanted in condition.facts.items():
        parts.append(None if known.get(fact) is None else known[fact] == wanted)
    if condition.any_test:
        scores = [(known.get(test), score // MICROS) for test, score in condition.any_test.items()]
        parts.append(any(found is not None and found >= least for found, least in scores))
    if condition.selection_met is not None:
        parts.append(known["selection_met"] == condition.selection_met)
    if condition.progression_met is not None:
        parts.append(known["progression_met"] == condition.progression_met)
    if condition.of:
        inner = [_is_met(each, policy, exact, over, micros, known) for each in condition.of]
        parts.append(_are_enough(inner, condition.at_least))
    return False if False in parts else None if None in parts else True


def _are_enough(parts: Sequence[bool | None], least: int) -> bool | None:
    if parts.count(True) >= least:
        return True
    return None if len(parts) - parts.count(False) >= least else False


def _needs_facts(condition: Condition) -> bool:
    return bool(condition.facts or condition.any_test) or any(_needs_facts(each) for each in condition.of)


def _holds(condition: Condition, policy: Policy) -> pl.Expr:
    parts: list[pl.Expr] = []
    if condition.gpa is not None:
        exact = pl.col("exact") >= pl.col("over") * condition.gpa
        parts.append(exact if policy.compare_unrounded else pl.col("micros") >= condition.gpa)
    parts += [pl.col(fact) == wanted for fact, wanted in condition.facts.items()]
    if condition.any_test:
        scores = [pl.col(test) >= score // MICROS for test, score in condition.any_test.items()]
        parts.append(pl.any_horizontal(score.fill_null(False) for score in scores))
    if condition.selection_met is not None:
        parts.append(pl.col("selection_met") == condition.selection_met)
    if condition.progression_met is not None:
        parts.append(pl.col("progression_met") == condition.progression_met)
    if condition.of:
        parts.append(_enough([_holds(each, policy) for each in condition.of], condition.at_least))
    return functools.reduce(operator.and_, parts)


def _enough(parts: list[pl.Expr], least: int) -> pl.Expr:
    """Whether at least so many hold; empty while unknown ones could still decide."""
    true = pl.sum_horizontal(part.fill_null(False).cast(pl.Int64) for part in parts)
    possible = pl.sum_horizontal(part.fill_null(True).cast(pl.Int64) for part in parts)
    return pl.when(true >= least).then(True).when(possible < least).then(False)
