"""The learner continuum against its rules written down once more, for any evidence: stages, and portfolios."""

from __future__ import annotations

import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.mapping.conftest import BASE, compiled, evidence, make_framework
from tests.core.mapping.test_portfolio import case_mapping, demonstrations, placed, skill

GRADES, LETTERS = (6, 7, 8), "ABC"
ITEMS = [
    ("m", "M", None, "Domain", None),
    *((f"m{g}{c}", f"M.{g}.{c}", "m", "Competency", f"{g:02}") for g in GRADES for c in LETTERS),
]
EDGES = [("precedes", "m6A", "m6B"), ("precedes", "m6C", "m7A"), ("precedes", "m7B", "m7A"), ("precedes", "m8B", "m8C")]
MAPPINGS = {
    (work_at, share): compiled(
        f"{BASE}continuum: {{work_at: {work_at}, complete_share: {share}, next: 2, pace: {{days: 180}}}}\n",
        make_framework(ITEMS, EDGES),
    )
    for work_at in ("highest_evidence", "lowest_incomplete")
    for share in ("0.5", "1")
}


def standing(scores: list[tuple[int, str, int]], work_at: str, share: str, day: int) -> dict[str, Any]:
    """Where a student stands, from (grade, letter, score) of one day after the other, ``day`` days after the first."""
    newest = {(grade, letter): score for grade, letter, score in scores}
    done = {key for key, score in newest.items() if score >= 3}
    finished = {g for g in GRADES if sum(key[0] == g for key in done) >= Fraction(share) * len(LETTERS)}
    seen = sorted({grade for grade, _ in newest})
    working = seen[-1] if work_at == "highest_evidence" else seen[0]
    while working in finished and working < GRADES[-1] and (work_at == "lowest_incomplete" or working == seen[-1]):
        working += 1
    here = [c for c in LETTERS if (working, c) not in done]
    waits = {"A": [(7, "B")] if working == 7 else [], "B": [(6, "A")] if working == 6 else [],
             "C": [(8, "B")] if working == 8 else []}  # fmt: skip
    ready = [c for c in here if all(key in done for key in waits[c])]
    progress = two_places(Fraction(3 - len(here), 3))
    baseline = scores[0][0]
    growth = working + progress - baseline
    return {
        "performance_level": f"{working:02}",
        "progress": progress,
        "complete": "; ".join(f"M.{g}.{c}" for g in GRADES for c in LETTERS if (g, c) in done),
        "next": "; ".join(f"M.{working}.{c}" for c in ready[:2]),
        "gaps": "; ".join(f"M.{g}.{c}" for g in range(seen[0], working) for c in LETTERS if (g, c) not in done),
        "baseline": baseline,
        "growth": growth,
        "pace": two_places(Fraction(growth) * 180 / day) if day >= 30 else None,
        "span": (f"{seen[0]:02}", f"{seen[-1]:02}"),
    }


def two_places(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.01"), ROUND_HALF_UP)


@settings(max_examples=80, deadline=None)
@given(
    scores=st.lists(
        st.tuples(st.sampled_from(GRADES), st.sampled_from(LETTERS), st.sampled_from([1, 2, 3, 3, 4])),
        min_size=1, max_size=14,
    ),
    rule=st.sampled_from(sorted(MAPPINGS)),
    day=st.sampled_from([20, 29, 30, 31, 90, 181]),
)  # fmt: skip
def test_a_student_stands_where_the_rules_say(
    scores: list[tuple[int, str, int]], rule: tuple[str, str], day: int
) -> None:
    frame = evidence([{"standard": f"M.{grade}.{letter}", "score": score} for grade, letter, score in scores])
    as_of = datetime.date(2026, 9, 1) + datetime.timedelta(days=day)
    mapping, expected = MAPPINGS[rule], standing(scores, *rule, day)
    for mapped in (
        mapping.apply(frame, as_of=as_of),
        mapping.summarise(mapping.collect(frame, as_of=as_of), evidence=frame.height, as_of=as_of),
    ):
        row = mapped.continuum.row(0, named=True)
        placement = mapped.placement.row(0, named=True)
        assert {**row, "span": (placement["lowest"], placement["highest"])} == {
            "student_id": "S1", "domain": "M", **expected,
        }  # fmt: skip


def test_a_grade_that_was_told_later_does_not_count_yet() -> None:
    rows = [{"standard": "M.6.A", "score": 3, "grade": grade} for grade in ("06", "07")]
    mapping = MAPPINGS["highest_evidence", "1"]
    day = datetime.date(2026, 9, 1)
    for mapped in (mapping.apply(evidence(rows), as_of=day),
                   mapping.summarise(mapping.collect(evidence(rows), as_of=day), evidence=2, as_of=day)):  # fmt: skip
        assert mapped.placement["grade"].to_list() == ["06"]


Skill = tuple[int, list[int | str]]


def half_up(value: Fraction, places: int) -> Fraction:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return Fraction(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def portfolio(skills: list[Skill], stored: Fraction | None) -> dict[str, Fraction | None]:
    """Level, progress, baseline and growth by the published rules; 0 is a missed demonstration, ``OVR`` an override."""
    ratings: list[int] = []
    firsts: list[int | None] = []
    done = required = 0
    for needed, entries in skills:
        kept = [each for each in entries if each != 0 or "OVR" not in entries]
        best = sorted(kept, key=lambda each: (0 if each == "OVR" else -int(each), each == "OVR"))[:needed]
        ratings += [int(each) for each in best if each not in (0, "OVR")]
        done += min(needed, sum(needed if each == "OVR" else 1 for each in best if each != 0))
        required += needed
        earliest = next((each for each in entries if each != 0), None)
        if needed:
            firsts.append(None if earliest in (None, "OVR") else int(str(earliest)))
    level = half_up(Fraction(sum(ratings), len(ratings)), 1) if ratings else None
    progress = half_up(Fraction(done, required), 2) if required else Fraction(1)
    known = [each for each in firsts if each is not None]
    baseline = None if stored is None else half_up(stored, 1)
    if stored is None and known and (len(known) == len(firsts) or 2 * done >= required):
        baseline = Fraction(sum(known), len(known))
    growth = half_up(level - baseline, 1) if level and baseline else None
    return {
        "performance_level": level, "progress": progress, "growth": growth,
        "baseline": None if stored is None else half_up(stored, 1),
    }  # fmt: skip


SKILLS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.lists(st.one_of(st.integers(7, 10), st.sampled_from([0, "OVR"]), st.integers(1, 13)), max_size=4),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=40, deadline=None)
@given(skills=SKILLS, stored=st.sampled_from([None, Fraction(17, 2), Fraction(925, 100)]))
def test_a_portfolio_is_what_the_published_rules_say(skills: list[Skill], stored: Fraction | None) -> None:
    case = {
        "competency": "U", "level": 9, "baseline": None if stored is None else float(stored),
        "skills": [skill(f"U.{n}", needed, *entries) for n, (needed, entries) in enumerate(skills)],
    }  # fmt: skip
    rows = demonstrations(case)
    if not rows:
        return
    mapping = case_mapping(case)
    found, expected = placed(mapping, rows), portfolio(skills, stored)
    shown = {
        name: None if found[name] is None else Fraction(Decimal(found[name])) for name in expected
    }  # fmt: skip
    assert shown == expected
    shuffled = pl.DataFrame(rows).sample(fraction=1, shuffle=True, seed=len(rows))
    assert mapping.apply(shuffled).continuum.row(0, named=True) == found
