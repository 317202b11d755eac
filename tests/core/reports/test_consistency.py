"""Scorers beside each other: counted again score by score, over random evidence, however it is cut."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import ConfigurationError
from gateway.core.mapping.rounding import MICROS
from gateway.core.partition import part_of
from gateway.core.reports.agreement import AGREEMENT, agree, count_pairs, kappa, sum_pairs
from gateway.core.reports.consistency import (
    Consistency,
    Target,
    Within,
    compare_scorers,
    count_levels,
    share,
    sum_levels,
)
from gateway.core.reports.scored import scored, step_of
from tests.core.reports.conftest import evidence_rows, frame, mapping

MAPPING = mapping()
HALF = {"four-point": MICROS // 2}
PLACE = {Within.SCHOOL: "school_id", Within.COURSE: "course_code"}


def compared(
    evidence: pl.DataFrame, *, minimum: int, target: Target, within: Within, parts: int = 1
) -> tuple[Consistency, pl.DataFrame]:
    numbers = part_of(evidence["student_id"], parts)
    cut = [scored(MAPPING, evidence.filter(numbers == part)) for part in range(parts)]
    levels = sum_levels(count_levels(each, target=target, within=within) for each in cut)
    pairs = sum_pairs(count_pairs(each, target=target) for each in cut)
    return compare_scorers(levels, minimum=minimum), agree(pairs, HALF, minimum=minimum)


@settings(max_examples=60, deadline=None)
@given(evidence_rows, st.sampled_from(Target), st.sampled_from(Within))
def test_counts_are_those_of_a_count_by_hand(rows: list[dict[str, Any]], target: Target, within: Within) -> None:
    found, _ = compared(frame(rows), minimum=1, target=target, within=within)
    blocks: dict[tuple[Any, ...], dict[str, Counter[Decimal]]] = defaultdict(lambda: defaultdict(Counter))
    for row in rows:
        if row["scorer_id"] is not None:
            code = row["standard"] if target is Target.COMPETENCY else row["standard"].split(".")[0]
            place = row[PLACE[within]] if within in PLACE else None
            blocks[place, code][row["scorer_id"]][Decimal(row["score"])] += 1
    expected = {}
    for (place, code), of in blocks.items():
        for scorer, counts in of.items() if len(of) > 1 else ():
            others = sum((each for name, each in of.items() if name != scorer), Counter())
            for level in {*counts, *others}:
                expected[place, code, scorer, level] = (
                    counts[level], share(counts[level], counts.total()), others[level],
                    share(others[level], others.total()),
                )  # fmt: skip
    told = {
        (row["within"], row["target"], row["scorer_id"], row["level"]): (
            row["scores"], row["share"], row["others_scores"], row["others_share"]
        )
        for row in found.distribution.iter_rows(named=True)
    }  # fmt: skip
    assert told == expected
    assert found.unnamed == sum(row["scorer_id"] is None for row in rows)
    assert not found.distribution["hidden"].any()
    assert found.scorers.height == len({key[:3] for key in expected})


@settings(max_examples=40, deadline=None)
@given(evidence_rows, st.integers(1, 5), st.randoms(use_true_random=False))
def test_neither_order_nor_cut_changes_a_report(rows: list[dict[str, Any]], parts: int, random: Any) -> None:
    whole = frame(rows)
    order = list(range(whole.height))
    random.shuffle(order)
    options: Any = {"minimum": 2, "target": Target.COMPETENCY, "within": Within.DISTRICT}
    one, pairs = compared(whole, **options)
    other, other_pairs = compared(whole[order], **options, parts=parts)
    assert one.scorers.equals(other.scorers)
    assert one.distribution.equals(other.distribution)
    assert pairs.equals(other_pairs)


@settings(max_examples=60, deadline=None)
@given(evidence_rows)
def test_agreement_is_that_of_a_count_by_hand(rows: list[dict[str, Any]]) -> None:
    _, told = compared(frame(rows), minimum=1, target=Target.COMPETENCY, within=Within.DISTRICT)
    newest: dict[tuple[Any, ...], dict[str, tuple[Any, ...]]] = defaultdict(dict)
    for n, row in enumerate(rows):
        if row["scorer_id"] is not None and row["line_item_id"] is not None:
            work = newest[row["student_id"], row["standard"], row["line_item_id"]]
            mine = (row["scored_at"], n, Decimal(row["score"]))
            work[row["scorer_id"]] = max(work.get(row["scorer_id"], mine), mine)
    pairs: dict[tuple[Any, ...], list[tuple[str, Decimal, Decimal]]] = defaultdict(list)
    for (student, code, _), work in newest.items():
        names = sorted(work)
        for one, other in ((a, b) for a in names for b in names if a < b):
            levels = (student, work[one][2], work[other][2])
            for group in (("all", None, None, None), ("target", code, None, None), ("scorers", None, one, other)):
                pairs[group].append(levels)
    assert told.height == len(pairs)
    for row in told.iter_rows(named=True):
        mine = pairs[row["by"], row["target"], row["scorer_id"], row["other_scorer_id"]]
        assert row["pairs"] == len(mine)
        assert row["students"] == len({student for student, *_ in mine})
        assert row["exact_share"] == share(sum(a == b for _, a, b in mine), len(mine))
        assert row["adjacent_share"] == share(sum(abs(a - b) <= Decimal("0.5") for _, a, b in mine), len(mine))
        both = [(a, b) for _, a, b in mine]
        ways = both if row["by"] == "scorers" else both + [(b, a) for a, b in both]
        for name, weight in (("kappa", lambda a, b: a != b), ("weighted_kappa", lambda a, b: (a - b) ** 2)):
            observed = sum(Fraction(weight(a, b)) for a, b in ways) / len(ways)
            by_chance = sum(Fraction(weight(a, b)) for a, _ in ways for _, b in ways) / len(ways) ** 2
            exact = None if by_chance == 0 else 1 - observed / by_chance
            assert (row[name] is None) == (exact is None)
            assert exact is None or abs(Fraction(row[name]) - exact) <= Fraction(1, 20_000)


@pytest.mark.parametrize(
    ("table", "weighted", "expected"),
    [
        # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: 0.7 observed, 0.5 * 0.6 + 0.5 * 0.4 = 0.5 by chance
        ({(1, 1): 20, (1, 0): 5, (0, 1): 10, (0, 0): 15}, False, Fraction(2, 5)),
        # 8 of 10 equal; by chance (5 * 4 + 4 * 4 + 1 * 2) / 100 = 0.38
        ({(1, 1): 4, (1, 2): 1, (2, 2): 3, (2, 3): 1, (3, 3): 1}, False, Fraction(21, 31)),
        # squares: observed 2 / 10; by chance (20 + 40 + 16 + 8 + 16 + 4) / 100 = 1.04
        ({(1, 1): 4, (1, 2): 1, (2, 2): 3, (2, 3): 1, (3, 3): 1}, True, Fraction(21, 26)),
        ({(1, 2): 5, (2, 1): 5}, False, Fraction(-1)),
        ({(3, 3): 12}, False, None),
    ],
)
def test_kappa_by_hand(table: dict[tuple[int, int], int], weighted: bool, expected: Fraction | None) -> None:
    assert kappa(table, weighted=weighted) == expected


def double_scored(students: int, first: str, second: str) -> list[dict[str, Any]]:
    return [
        {"student_id": f"S{n:02}", "standard": "MATH.7.PS", "score": score, "line_item_id": "L", "scorer_id": scorer,
         "scored_at": None}
        for n in range(students)
        for scorer, score in (("T1", first), ("T2", second))
    ]  # fmt: skip


def test_agreement_on_the_work_of_few_students_is_hidden() -> None:
    told = compared(frame(double_scored(9, "3", "3.5")), minimum=10, target=Target.COMPETENCY, within=Within.DISTRICT)
    assert told[1]["hidden"].to_list() == [True] * 3
    assert (
        told[1].drop("by", "scale", "target", "scorer_id", "other_scorer_id", "hidden").null_count().row(0) == (3,) * 6
    )
    enough = compared(frame(double_scored(10, "3", "3.5")), minimum=10, target=Target.DOMAIN, within=Within.DISTRICT)[1]
    row = enough.filter(pl.col("by") == "scorers").row(0, named=True)
    assert (row["pairs"], row["exact_share"], row["adjacent_share"]) == (10, Decimal(0), Decimal(1))
    assert enough.schema == dict(AGREEMENT)


def test_a_scorer_with_few_students_is_in_no_number() -> None:
    rows = [
        {"student_id": f"S{n:02}", "standard": "MATH.7.PS", "score": "3", "scorer_id": scorer}
        for scorer, count in (("T1", 10), ("T2", 12), ("T3", 9))
        for n in range(count)
    ]
    found, _ = compared(frame(rows), minimum=10, target=Target.COMPETENCY, within=Within.DISTRICT)
    assert found.scorers["scorer_id"].to_list() == ["T1", "T2"]
    assert found.distribution["others_scores"].to_list() == [12, 10]
    assert (found.too_few, found.alone) == (1, 0)


def test_a_result_that_reaches_a_competency_twice_is_one_score() -> None:
    row = {"student_id": "S1", "standard": "MATH.7.PS", "score": "3", "scorer_id": "T1", "result_id": "same"}
    assert scored(MAPPING, frame([row, row])).height == 1
    assert scored(MAPPING, frame([row, {**row, "result_id": None}, {**row, "result_id": None}])).height == 3


def test_levels_may_be_cut_down_to_steps() -> None:
    rows = [{"student_id": "S1", "standard": "MATH.7.PS", "score": score} for score in ("1", "1.5", "2.5")]
    assert scored(MAPPING, frame(rows), step=MICROS)["level"].to_list() == [MICROS, MICROS, 2 * MICROS]
    assert step_of(MAPPING.scales["four-point"]) == MICROS // 2


def test_work_that_is_in_no_column_is_refused() -> None:
    with pytest.raises(ConfigurationError, match='no column "line_item"') as caught:
        scored(MAPPING, frame([]), work="line_item")
    assert caught.value.code == "report.column"
    assert "line_item_id" in caught.value.message
