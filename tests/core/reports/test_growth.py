"""Growth of groups: quartiles, shares and counts worked out again value by value."""

from __future__ import annotations

import datetime
import statistics
from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import MappingError
from gateway.core.reports.growth import (
    By,
    count_growth,
    growth_between,
    growth_schema,
    growth_since_baseline,
    growth_table,
    quantile,
    sum_growth,
)
from gateway.core.reports.standing import cohort, needs_continuum, positions, students_of_evidence
from tests.core.mapping.conftest import BASE, compiled
from tests.core.reports.conftest import evidence_rows, frame, mapping

DAY = datetime.date(2026, 11, 1)
TWO = Decimal("0.01")
COLUMN = {By.SCHOOL: "school_id", By.DOMAIN: "domain", By.GRADE: "grade", By.COHORT: "cohort"}


def counted(values: Iterable[int]) -> list[tuple[int, int]]:
    found: dict[int, int] = defaultdict(int)
    for value in values:
        found[value] += 1
    return sorted(found.items())


def two_places(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(TWO, ROUND_HALF_UP)


@given(st.lists(st.integers(-500, 900), min_size=2, max_size=40))
def test_quartiles_are_those_of_the_standard_library(values: list[int]) -> None:
    exact = statistics.quantiles([Fraction(value, 100) for value in values], n=4, method="inclusive")
    assert [quantile(counted(values), Fraction(n, 4)) for n in (1, 2, 3)] == [two_places(each) for each in exact]


def test_quartiles_by_hand() -> None:
    values = counted([100, 200, 300, 405])
    told = [quantile(values, Fraction(n, 4)) for n in (1, 2, 3)]
    assert told == [Decimal("1.75"), Decimal("2.50"), Decimal("3.26")]  # 3.2625
    assert quantile([(42, 1)], Fraction(1, 4)) == Decimal("0.42")


values = st.none() | st.integers(-100, 300)
rows_of_growth = st.lists(
    st.tuples(st.integers(0, 14), st.sampled_from(["MATH", "ELA"]), values, values),
    max_size=30,
    unique_by=lambda row: row[:2],
)


@settings(max_examples=80, deadline=None)
@given(rows_of_growth, st.lists(st.sampled_from(By), min_size=1, unique=True), st.integers(1, 4), st.integers(1, 3))
def test_groups_are_those_of_a_count_by_hand(
    rows: list[tuple[int, str, Any, Any]], by: list[By], minimum: int, parts: int
) -> None:
    students = [
        {"student_id": f"S{n}", "school_id": "AB"[n % 2], "grade": ("07", "09", None)[n % 3], "advisor_id": None}
        for n in range(15)
    ]
    about = pl.DataFrame(students, schema=dict.fromkeys(students[0], pl.String))
    growth = pl.DataFrame(
        [(f"S{n}", *rest) for n, *rest in rows],
        schema={"student_id": pl.String, "domain": pl.String, "growth": pl.Int64, "pace": pl.Int64}, orient="row",
    )  # fmt: skip
    cut = [
        growth.filter(pl.Series([row[0] % parts == part for row in rows], dtype=pl.Boolean)) for part in range(parts)
    ]
    table = growth_table(sum_growth(count_growth(each, about, by, DAY) for each in cut), by, minimum=minimum)
    assert table.schema == growth_schema(by)
    groups: dict[tuple[Any, ...], dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for n, domain, grown, paced in rows:
        facts = {**students[n], "domain": domain, "cohort": cohort(students[n]["grade"], DAY)}
        for key in (("group", *(facts[COLUMN[each]] for each in by)), ("all", *(None for _ in by))):
            for measure, value in (("growth", grown), ("pace", paced)):
                if value is not None:
                    groups[key][measure].append((n, value))
    assert table.height == len(groups)
    for row in table.iter_rows(named=True):
        of = groups[(row["of"], *(row[COLUMN[each]] for each in by))]
        assert row["hidden"] == (row["growth_students"] is None)
        for measure in ("growth", "pace"):
            mine = [value for _, value in of[measure]]
            told = len({n for n, _ in of[measure]})
            if row[f"{measure}_students"] is None:
                assert all(row[name] is None for name in table.columns if name.startswith(measure))
                continue
            assert row[f"{measure}_students"] == told >= minimum
            assert row[f"{measure}_count"] == len(mine)
            assert row[f"{measure}_median"] == two_places(Fraction(statistics.median(map(Fraction, mine))) / 100)
            share = Fraction(sum(value >= 100 for value in mine), len(mine))
            assert abs(Fraction(row[f"{measure}_a_year_share"]) - share) <= Fraction(1, 20_000)
    for measure in ("growth", "pace"):
        shown = {
            (row["of"], *(row[COLUMN[each]] for each in by)): row[f"{measure}_students"] is not None
            for row in table.rows(named=True)
        }
        sizes = {key: len({n for n, _ in of[measure]}) for key, of in groups.items() if of[measure]}
        hidden = [size for key, size in sizes.items() if key[0] == "group" and not shown[key]]
        any_shown = any(shown[key] for key in sizes if key[0] == "group")
        assert not hidden or not any_shown or (len(hidden) > 1 and sum(hidden) >= minimum)


@settings(max_examples=30, deadline=None)
@given(evidence_rows)
def test_growth_between_two_days_is_the_difference_of_positions(rows: list[dict[str, Any]]) -> None:
    rules, evidence = mapping(), frame(rows)
    days = [datetime.date(2026, 11, 1), datetime.date(2027, 3, 1)]
    before, after = (rules.apply(evidence, as_of=day).continuum for day in days)
    stood = [
        {
            (row["student_id"], row["domain"]): Decimal(int(row["performance_level"])) + row["progress"]
            for row in table.rows(named=True)
        }
        for table in (before, after)
    ]
    told = growth_between(rules, before, after, (days[1] - days[0]).days)
    expected = {}
    for key in stood[0].keys() & stood[1].keys():
        grown = Fraction(stood[1][key] - stood[0][key])
        expected[key] = (int(grown * 100), int(two_places(grown * 365 / 120) * 100))
    assert {(row[0], row[1]): row[2:] for row in told.iter_rows()} == expected
    assert growth_between(rules, before, after, 29)["pace"].null_count() == told.height


def test_growth_since_the_baseline_is_that_of_the_continuum() -> None:
    start = datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC)
    rows = [
        {"student_id": "S1", "standard": code, "score": "3", "scored_at": start + datetime.timedelta(days=n * 60)}
        for n, code in enumerate(("MATH.7.PS", "MATH.7.RE", "MATH.8.PS"))
    ]
    continuum = mapping().apply(frame(rows)).continuum
    assert growth_since_baseline(continuum).rows() == [("S1", "MATH", 150, 456)]  # from 7 to 8.5 in 120 days
    assert positions(mapping(), continuum)["position"].to_list() == [850]


@pytest.mark.parametrize(
    ("grade", "day", "expected"),
    [
        ("09", datetime.date(2026, 6, 30), "2029"),
        ("09", datetime.date(2026, 7, 1), "2030"),
        ("KG", datetime.date(2026, 11, 1), "2039"),
        ("ungraded", DAY, None),
        (None, DAY, None),
    ],
)
def test_cohorts(grade: str | None, day: datetime.date, expected: str | None) -> None:
    assert cohort(grade, day) == expected


def test_the_newest_result_tells_school_and_grade() -> None:
    start = datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC)
    rows = [
        {"student_id": "S1", "score": "1", "scored_at": start, "school_id": "A", "grade": "07"},
        {"student_id": "S1", "score": "1", "scored_at": start + datetime.timedelta(days=1), "school_id": "B"},
    ]
    assert students_of_evidence(frame(rows)).rows() == [("S1", "B", "07", None)]
    assert students_of_evidence(frame(rows).drop("school_id")).rows() == [("S1", None, "07", None)]


def test_a_mapping_without_a_continuum_is_refused() -> None:
    with pytest.raises(MappingError) as caught:
        needs_continuum(compiled(BASE))
    assert caught.value.code == "report.no-continuum"
