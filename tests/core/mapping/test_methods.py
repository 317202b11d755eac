"""Every method: the published vectors, and agreement of the exact form with the one for many students."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.mapping.groups import Runs
from gateway.core.mapping.methods import METHODS, Parameters, Tie, Zeros
from gateway.core.mapping.methods.few import summarize_one
from gateway.core.mapping.rounding import MICROS, Mode, Rounding

NAMES = {
    "latest": "most_recent",
    "average": "mean",
    "n_mastery": "times_at_mastery",
    "mean_of_n_highest": "mean_of_highest",
    "mean_of_n_recent": "mean_of_most_recent",
    "median_of_n_recent": "median_of_most_recent",
}
"""The reference's names where the language has other words."""

PARAMETERS = [
    Parameters(Fraction(13, 20), 3, 3 * MICROS, Tie.MOST_RECENT, Zeros.DROP),
    Parameters(Fraction(3, 4), 1, 2 * MICROS, Tie.HIGHEST, Zeros.NOT_CALCULABLE),
    Parameters(Fraction(1, 3), 2, 2 * MICROS, Tie.MEAN, Zeros.FLOOR, MICROS // 10),
    Parameters(Fraction(1), 4, 0, Tie.LOWEST, Zeros.DROP),
]


def micros(value: object) -> int:
    return int(Fraction(str(value)) * MICROS)


def runs_of(
    students: list[list[int]], weights: list[list[int]] | None = None, capped: list[bool] | None = None
) -> Runs:
    keys = [n for n, levels in enumerate(students) for _ in levels]
    levels = [level for each in students for level in each]
    flat = [weight for each in weights for weight in each] if weights else [MICROS] * len(levels)
    columns = {"key": keys, "level": levels, "weight": flat, **({"capped": capped} if capped else {})}
    return Runs.of(pl.DataFrame(columns), "key")


def exactly(name: str, levels: list[int], weights: list[int], parameters: Parameters, rounding: Rounding) -> int | None:
    found = METHODS[name].exact(
        [Fraction(level, MICROS) for level in levels], [Fraction(w, MICROS) for w in weights], (), parameters
    )
    return None if found is None else rounding.exactly(found[0] * MICROS)


def vectors(shared_data: Path, name: str) -> list[dict]:
    return json.loads((shared_data / "vectors" / name).read_text(encoding="utf-8"))["vectors"]


def test_methods_give_the_published_results(shared_data: Path) -> None:
    for case in vectors(shared_data, "mastery_methods.json"):
        stated = case["params"]
        rate = stated.get("rate") or stated.get("weight")
        parameters = Parameters(
            newest=rate and Fraction(rate, 100),
            count=stated.get("n"),
            mastery=3 * MICROS,
            tie=Tie.MOST_RECENT,
            zeros=Zeros.NOT_CALCULABLE,
        )
        levels = [micros(score) for score in case["scores"] if score is not None]
        name = NAMES.get(case["method"], case["method"])
        if not levels:
            assert case["expected"] is None
            continue
        result = METHODS[name].rounded(runs_of([levels]), parameters, Rounding(), 1)[0]
        low, high = stated.get("clamp", (0, 10**6))
        result = None if result is None else min(max(result, micros(low)), micros(high))
        assert result == (None if case["expected"] is None else micros(case["expected"])), case


def test_rounding_traps(shared_data: Path) -> None:
    cases = vectors(shared_data, "rounding_traps.json")
    assert len(cases) == 4
    for case in cases:
        unit, value = 10 ** (6 - case["places"]), micros(case["x"])
        for mode in (Mode.HALF_UP, Mode.HALF_EVEN):
            rounding = Rounding(unit, mode)
            expected = micros(case[str(mode)])
            assert rounding.exactly(Fraction(value)) == expected
            frame = pl.DataFrame({"x": [value]})
            assert frame.select(rounding.ratio(pl.col("x"), 1)).item() == expected
            assert frame.select(rounding.binary(pl.col("x").cast(pl.Float64))).item() == expected


LEVELS = st.lists(
    st.lists(st.integers(0, 8).map(lambda n: n * 500_000), min_size=1, max_size=9), min_size=1, max_size=6
)
FINE = st.lists(st.lists(st.integers(1, 4_000_000), min_size=1, max_size=6), min_size=1, max_size=4)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=60, deadline=None)
@given(
    students=st.one_of(LEVELS, FINE),
    parameters=st.sampled_from(PARAMETERS),
    rounding=st.sampled_from(
        [Rounding(), Rounding(1000), Rounding(10_000, Mode.DOWN), Rounding(500_000, Mode.HALF_EVEN)]
    ),
    weight=st.sampled_from([None, 150_000, 2_000_000]),
)
def test_many_students_at_once_agree_with_exact_arithmetic(
    name: str, students: list[list[int]], parameters: Parameters, rounding: Rounding, weight: int | None
) -> None:
    weights = [[weight if weight and n % 3 else MICROS for n in range(len(levels))] for levels in students]
    grid = 500_000 if all(level % 500_000 == 0 for levels in students for level in levels) else 1
    result = METHODS[name].rounded(runs_of(students, weights), parameters, rounding, grid).to_list()
    expected = [
        exactly(name, levels, each, parameters, rounding) for levels, each in zip(students, weights, strict=True)
    ]
    assert result == expected
    for levels, each, wanted in zip(students, weights, expected, strict=True):
        assert summarize_one(METHODS[name], levels, each, [False] * len(levels), parameters, rounding) == wanted


@pytest.mark.parametrize("name", ["decaying_average", "weighted_average", "power_law", "linear_trend", "best_fit"])
@pytest.mark.parametrize("parameters", PARAMETERS[:3], ids=["65 %", "75 %", "a third"])
def test_long_runs_are_exact_too(name: str, parameters: Parameters) -> None:
    draw = random.Random(name)
    students = [[draw.randrange(1, 9) * 500_000 for _ in range(draw.randrange(10, 150))] for _ in range(60)]
    weights = [[draw.choice([MICROS, MICROS, 150_000]) for _ in levels] for levels in students]
    result = METHODS[name].rounded(runs_of(students, weights), parameters, Rounding(1000), 500_000).to_list()
    assert result == [
        exactly(name, levels, each, parameters, Rounding(1000)) for levels, each in zip(students, weights, strict=True)
    ]


@settings(max_examples=60, deadline=None)
@given(
    students=LEVELS,
    cap=st.sampled_from([Fraction(3, 20), Fraction(1, 2), Fraction(0)]),
    alone=st.booleans(),
    flags=st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_capped_evidence_never_has_more_than_its_share(
    students: list[list[int]], cap: Fraction, alone: bool, flags: list[bool]
) -> None:
    total = sum(map(len, students))
    parameters = Parameters(cap=cap, cap_alone=alone)
    result = (
        METHODS["weighted_mean"].rounded(runs_of(students, None, flags[:total]), parameters, Rounding(), 1).to_list()
    )
    start = 0
    for levels, found in zip(students, result, strict=True):
        mine = flags[start : start + len(levels)]
        start += len(levels)
        exact = METHODS["weighted_mean"].exact(
            [Fraction(level, MICROS) for level in levels], [Fraction(1)] * len(levels), mine, parameters
        )
        assert found == (None if exact is None else Rounding().exactly(exact[0] * MICROS))


@pytest.mark.parametrize("name", ["weighted_mean", "weighted_average", "decaying_average", "mean", "linear_trend"])
def test_great_levels_with_great_weights_do_not_overflow(name: str) -> None:
    students = [[(900 + n) * MICROS for n in range(40)], [1000 * MICROS, 1]]
    weights = [[100 * MICROS + n for n in range(40)], [10_000 * MICROS, MICROS]]
    result = METHODS[name].rounded(runs_of(students, weights), PARAMETERS[0], Rounding(), 1).to_list()
    assert result == [
        exactly(name, levels, each, PARAMETERS[0], Rounding()) for levels, each in zip(students, weights, strict=True)
    ]


def test_capped_evidence_with_great_weights_does_not_overflow() -> None:
    levels, weights, capped = [1000 * MICROS] * 40 + [500 * MICROS], [100 * MICROS] * 41, [True] * 40 + [False]
    given = Parameters(cap=Fraction(3, 20))
    runs = runs_of([levels], [weights], capped)
    assert METHODS["weighted_mean"].rounded(runs, given, Rounding(), 1).to_list() == [575 * MICROS]


def test_a_small_share_of_the_newest_is_exact_for_thousands_of_results() -> None:
    given = Parameters(newest=Fraction(1, 100))
    levels = [4 * MICROS] + [MICROS] * 6000
    weights = [[MICROS] + [50_000] * 6000]
    found = METHODS["decaying_average"].rounded(runs_of([levels], weights), given, Rounding(), MICROS).to_list()
    assert found == [exactly("decaying_average", levels, weights[0], given, Rounding())]


def test_weighted_and_decaying_average_agree_for_two_levels_and_differ_for_three() -> None:
    parameters = Parameters(newest=Fraction(13, 20))
    runs = runs_of([[2 * MICROS, 3 * MICROS], [2 * MICROS, 3 * MICROS, 4 * MICROS]])
    assert METHODS["decaying_average"].rounded(runs, parameters, Rounding(), MICROS).to_list() == [2_650_000, 3_530_000]
    assert METHODS["weighted_average"].rounded(runs, parameters, Rounding(), MICROS).to_list() == [2_650_000, 3_480_000]


@given(
    levels=st.lists(st.integers(0, 8).map(lambda n: n * 500_000), min_size=1, max_size=8),
    name=st.sampled_from([n for n, method in METHODS.items() if not method.beyond and n != "sum"]),
    parameters=st.sampled_from(PARAMETERS),
)
def test_results_stay_within_the_evidence(levels: list[int], name: str, parameters: Parameters) -> None:
    found = exactly(name, levels, [MICROS] * len(levels), parameters, Rounding(1))
    assert found is None or min(levels) - 1 <= found <= max(levels) + 1
