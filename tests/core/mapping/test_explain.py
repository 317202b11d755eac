"""Explanations: complete, plain, and good enough to recompute the level from."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import MappingError
from gateway.core.mapping import explain
from tests.core.mapping.conftest import BASE, compiled, evidence
from tests.core.mapping.formulas import FORMULAS, half_up
from tests.core.mapping.test_trace import MAPPING, rows


def stated(level: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a method, as numbers."""
    words = ("tie", "zeros")
    given = {name: value for name, value in level["parameters"].items() if name != "cap"}
    return {name: value if name in words else int(value) if name == "count" else Fraction(value)
            for name, value in given.items()}  # fmt: skip


def weights(level: dict[str, Any], stands_on: list[dict[str, Any]]) -> list[Fraction]:
    """The weights; those of capped evidence scaled down to the share that the cap leaves it, if others are there."""
    found = [Fraction(each["weight"]) for each in stands_on]
    capped = [bool(each.get("capped")) for each in stands_on]
    if "cap" not in level["parameters"] or all(capped) or not any(capped):
        return found
    cap = Fraction(level["parameters"]["cap"])
    inside = sum(w for w, each in zip(found, capped, strict=True) if each)
    others = sum(found) - inside
    share = min(Fraction(1), others * cap / (1 - cap) / inside)
    return [w * share if each else w for w, each in zip(found, capped, strict=True)]


def rounded(value: Fraction, words: str) -> Fraction:
    """``value`` as the words of the explanation say that it is rounded."""
    amount, mode = words.split(", ")
    step = Fraction(amount.split()[-1]) if amount.startswith("steps of") else Fraction(1, 10 ** int(amount.split()[0]))
    if mode == "half to even":
        return round(value / step) * step
    assert mode == "half up"
    return half_up(value, step)


def recomputed(level: dict[str, Any]) -> Fraction | None:
    """The level, from nothing but its explanation and the published formulas."""
    stands_on = level["used"] or level["inputs"]
    levels = [Fraction(each["level"]) for each in stands_on]
    value = FORMULAS[level["method"]](levels, weights(level, stands_on), **stated(level))
    if value is None or len(stands_on) < level["minimum_evidence"]:
        return None
    value = rounded(value, level["rounding"])
    if level["brought_back_to_the_scale"]:
        scale = MAPPING.scales[level["scale"]]
        value = min(max(value, Fraction(scale.lowest, 10**6)), Fraction(scale.highest, 10**6))
    return Fraction(value)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**9), count=st.integers(1, 60))
def test_an_explanation_recomputes_to_the_published_level(seed: int, count: int) -> None:
    frame = evidence(rows(seed, count))
    published = {(row["student_id"], row["competency"]): row for row in MAPPING.apply(frame).levels.rows(named=True)}
    for student in frame["student_id"].unique():
        data = json.loads(json.dumps(explain(MAPPING, frame, student).as_dict()))
        for level in data["levels"]:
            row = published.pop((student, level["competency"]))
            assert level["level"] == (None if row["level"] is None else str(row["level"]))
            assert (level["state"], level["proficient"]) == (row["state"], row["proficient"])
            assert level["evidence_count"] == row["evidence_count"]
            if level["override"]:
                assert Decimal(level["override"]["level"]) == row["level"]
            elif level["state"] != "incomplete" and (level["used"] or level["inputs"]):
                assert recomputed(level) == (None if row["level"] is None else Fraction(row["level"])), level
    assert not published


def test_the_text_opens_the_number() -> None:
    mapping = compiled(BASE.replace("method: most_recent", "method: decaying_average, newest: 0.65"))
    frame = evidence([{"standard": "MATH.7.PS", "score": score} for score in ("2", "3", "4", "M")])
    text = explain(mapping, frame, "S1", competency="math.7.ps").text()
    for sentence in (
        "MATH.7.PS  Statement of MATH.7.PS",
        "Level 3.53 on the scale four-point, calculated, proficient (from 3).",
        "Decaying average (newest 0.65): a1 = s1, then a = a·(1 − newest) + s·newest",
        "2; 2·0.35 + 3·0.65; 2.65·0.35 + 4·0.65",
        "= 3.5275, rounded to 2 places, half up",
        "1. 2026-09-01: 2 is level 2 (2); rule 1, code in standard, result r000",
        '- 2026-09-04: M: missing ("M" means missing; result r003)',
        f"Mapping lakeside 2026.1, digest {mapping.digest[:12]}",
    ):
        assert sentence in text


def test_every_result_is_used_or_set_aside_with_its_reason() -> None:
    frame = evidence(rows(7, 60))
    for student in frame["student_id"].unique():
        data = explain(MAPPING, frame, student).as_dict()
        shown = [item for level in data["levels"] for part in ("used", "set_aside") for item in level[part]]
        shown += data["without_competency"]
        assert len(shown) >= frame.filter(frame["student_id"] == student).height - len(data["levels"])
        assert all(item["reason"] for item in data["without_competency"])


def test_a_level_set_by_a_person_shows_who_why_and_what_was_calculated() -> None:
    frame = evidence([{"student_id": "S2", "standard": "ELA.8.R", "score": "2"}])
    level = explain(MAPPING, frame, "S2", competency="ELA.8.R").as_dict()["levels"][0]
    assert (level["level"], level["state"]) == ("3.50", "overridden")
    assert level["override"] == {
        "level": "3.5", "by": "A. Lead", "reason": "portfolio", "on": "2026-09-05", "calculated": "2",
        "result_id": None,
    }  # fmt: skip


def test_what_happened_later_is_set_aside() -> None:
    frame = evidence([{"standard": "MATH.7.PS", "score": "2"}, {"standard": "MATH.7.PS", "score": "4"}])
    data = explain(compiled(), frame, "S1", as_of=datetime.date(2026, 9, 1)).as_dict()
    assert data["levels"][0]["level"] == "2.00"
    assert data["without_competency"][0]["reason"] == "dated after the day asked for"


def test_an_unknown_competency_is_refused_with_the_nearest() -> None:
    with pytest.raises(MappingError, match=r'Did you mean "MATH.7.PS"\?'):
        explain(compiled(), evidence([{"standard": "MATH.7.PS", "score": 2}]), "S1", competency="MATH.7.PX")


def test_an_item_without_a_level_of_its_own_names_the_levels_below_it() -> None:
    frame = evidence([{"standard": "MATH.7.PS", "score": "2"}])
    told = explain(compiled(), frame, "S1", competency="MATH")
    assert "No level of its own: no score reaches it, and nothing is rolled up to it. Below it:" in told.text()
    assert "  - MATH.7.PS: level 2.00, calculated" in told.text()
    assert told.as_dict()["asked"]["below"] == [{"competency": "MATH.7.PS", "level": "2.00", "state": "calculated"}]
    nothing = explain(compiled(), frame, "S1", competency="ELA.8.R").text()
    assert "ELA.8.R  Statement of ELA.8.R\n  No level: no score reaches it." in nothing
