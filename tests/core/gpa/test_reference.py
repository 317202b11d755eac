"""The product against the second implementation, on random policies and transcripts; and traces that recompute."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.core.gpa.compute import compute_gpa
from gateway.core.gpa.policy import Policy
from tests.core.gpa import reference
from tests.core.gpa.builders import HEAD, TODAY, compute, only, policy_of, shipped, transcript

NO_SHRINKING = (Phase.explicit, Phase.generate)
"""A failing transcript is small enough to read, and shrinking it takes minutes."""

SIGNS = {"A": "4.0", "A-": "3.7", "B+": "3.3", "B": "3.0", "C": "2.0", "D": "1.0", "F": "0"}
PLAIN = {"A": "4", "B": "3", "C": "2", "D": "1", "F": "0"}
MARKS = {"P": "credit_only", "W": "leave_out", "I": "wait", "WF": "F"}


def quoted(grades: object) -> str:
    return "[" + ", ".join(f'"{grade}"' for grade in sorted(grades)) + "]"  # type: ignore[call-overload]


@st.composite
def rules(draw: st.DrawFn) -> tuple[Policy, reference.Rules]:
    """A policy of the product and the same rules for the reference."""
    signs = draw(st.booleans())
    table = SIGNS if signs else PLAIN
    how = draw(st.sampled_from([None, "add", "multiply"]))
    levels = {"ap": draw(st.sampled_from(["1", "1.1", "0.5"])), "regular": "0" if how == "add" else "1"}
    only = draw(st.sampled_from([None, ["A", "B", "C"]]))
    keep = draw(st.sampled_from([None, "highest", "latest", "average"]))
    after = draw(st.sampled_from([None, ["D", "F"]])) if keep else None
    basis = draw(st.sampled_from(["attempted", "earned", "each_course"]))
    places, mode = draw(st.integers(0, 4)), draw(st.sampled_from(["half_up", "half_even", "down"]))
    text = [HEAD, f'grades: {{plus_minus: {"keep" if signs else "ignore"}, failing: ["F"], points: {{']
    text.append(", ".join(f'"{grade}": {points}' for grade, points in table.items()) + "}}\n")
    text.append('marks: {"P": credit_only, "W": leave_out, "I": wait, "WF": {count_as: "F"}}\n')
    text.append(f"credit: {{basis: {basis}}}\n")
    if how:
        limit = f", only_grades: {quoted(only)}" if only else ""
        text.append(f"weight: {{how: {how}, levels: {{{', '.join(f'{k}: {v}' for k, v in levels.items())}}}{limit}}}\n")
    if keep:
        limit = f", only_after: {quoted(after)}" if after else ""
        text.append(f"repeats: {{same: [course_code], keep: {keep}{limit}}}\n")
    text.append(f"round: {{gpa: {{places: {places}, mode: {mode}}}, points: {{places: 6}}}}\n")
    return policy_of("".join(text).replace("round: {gpa", "\nround: {gpa")), reference.Rules(
        points={grade: Fraction(points) for grade, points in table.items()},
        ignore_signs=not signs,
        failing=frozenset("F"),
        marks=MARKS,
        how=how,
        levels={level: Fraction(weight) for level, weight in levels.items()},
        only_grades=frozenset(only) if only else None,
        basis=basis,
        keep=keep,
        only_after=frozenset(after) if after else None,
        places=places,
        mode=mode,
    )


@st.composite
def courses(draw: st.DrawFn) -> list[dict[str, Any]]:
    years = st.lists(st.integers(2022, 2026), min_size=1, max_size=3, unique=True)
    rows = []
    for number in range(draw(st.integers(1, 8))):
        for year in draw(years):
            rows.append({
                "course_code": f"C{number}", "school_year": year,
                "grade": draw(st.sampled_from(["A", "A-", "B+", "B", "C", "D", "F", "A", "B", "C", "P", "W", "WF"])
                              | st.just("I") if draw(st.integers(0, 30)) == 0 else
                              st.sampled_from(["A", "A-", "B+", "B", "C", "D", "F", "P", "W", "WF"])),
                "credit": draw(st.sampled_from(["0", "0.25", "0.34", "0.5", "1", "1.5"])),
                "level": draw(st.sampled_from(["ap", "regular"])),
                "status": draw(st.sampled_from([None, None, None, "in_progress"])),
            })  # fmt: skip
    return rows


@settings(max_examples=120, deadline=None, phases=NO_SHRINKING)
@given(rules(), courses(), st.randoms(use_true_random=False))
def test_the_reference_finds_the_same_gpa_in_any_order_of_rows(
    policies: tuple[Policy, reference.Rules], rows: list[dict[str, Any]], chance: random.Random
) -> None:
    policy, plain = policies
    expected = reference.gpa(plain, rows)
    for _ in range(2):
        row = only(compute(policy, rows))
        if expected == reference.PENDING:
            assert (row["state"], row["gpa"]) == ("pending", None)
        else:
            assert row["gpa"] == expected
            assert row["state"] == ("no_courses" if expected is None else "computed")
        chance.shuffle(rows)


def recomputed(trace: pl.DataFrame, policy: Policy) -> Decimal | None:
    """The GPA from the trace's used rows, by hand."""
    used = trace.filter("used")
    shares = used["attempts_averaged"]
    over = sum((Fraction(u) / n for u, n in zip(used["units"], shares, strict=True)), Fraction(0))
    total = sum((Fraction(q) / n for q, n in zip(used["quality_points"], shares, strict=True)), Fraction(0))
    after = sum((Fraction(w) for w in used["weight"]), Fraction(0))
    if not over:
        return None
    exact = total / over
    if policy.weighting is not None and policy.weighting.how == "add_after_mean":
        exact += after
    return reference.rounded(exact, policy.round_gpa.places, policy.round_gpa.mode)


@settings(max_examples=40, deadline=None, phases=NO_SHRINKING)
@given(rules(), courses())
def test_the_trace_recomputes_to_the_number(
    policies: tuple[Policy, reference.Rules], rows: list[dict[str, Any]]
) -> None:
    policy, _ = policies
    result = compute(policy, rows)
    assert result.trace is not None
    row = only(result)
    if row["gpa"] is not None:
        assert recomputed(result.trace, policy) == row["gpa"]
        assert result.trace.filter("used").height == row["courses_used"]
    if row["state"] == "pending":
        assert {row[name] for name in ("credits", "quality_points", "courses_used", "credits_earned")} == {None}
    assert result.trace["why"].null_count() == result.trace["clause"].null_count() == 0


def test_the_trace_of_averaged_attempts_recomputes_too() -> None:
    policy = policy_of("repeats: {same: [course_code], keep: average}\n")
    rows = [{"course_code": "ALG", "grade": grade, "credit": "0.5", "school_year": year}
            for grade, year in (("F", 2023), ("D", 2024), ("B", 2025))]  # fmt: skip
    result = compute(policy, [*rows, {"grade": "A"}])
    assert result.trace is not None
    assert recomputed(result.trace, policy) == only(result)["gpa"] == Decimal("3.1111")


def test_shipped_policies_leave_traces_that_recompute() -> None:
    areas = {"ENG": "honors", "MATH": "regular", "SCI": "ap", "SOC": "regular", "LANG": "honors"}
    rows = [
        {"course_code": f"{area}{n}", "subject": area, "grade": "ABCBA"[n % 5], "core": "yes", "ag": "yes",
         "level": level, "grade_level": 9 + n, "school_year": 2022 + n, "term": "S1", "credit": "1"}
        for area, level in areas.items()
        for n in range(4)
    ]  # fmt: skip
    for name in ("school-weighted", "ncaa-d1", "ncaa-d2", "uc", "uc-fully-weighted", "naia", "scholarship"):
        policy = shipped(name)
        result = compute_gpa(policy, transcript(rows), as_of=TODAY, trace=True)
        assert result.trace is not None
        assert recomputed(result.trace, policy) == only(result)["gpa"] is not None, name
