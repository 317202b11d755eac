"""The mastery transcript carries no level, score, letter or GPA; the statement beside it does, and names it."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from gateway.core.errors import DataError
from gateway.documents.gpa_report import Student
from gateway.documents.gpa_statement import newest_transcript, statement_orders
from gateway.documents.issue import DocumentKind, Draft, Release, Rules, issue
from gateway.documents.mastery_transcript import transcript_orders
from gateway.documents.page import print_pdf
from gateway.mappings import load_mapping
from gateway.store import open_store
from tests.documents.conftest import POLICIES, computed, flat, frame, text_of, transcript

SCHOOLS = POLICIES.parent / "schools"


def evidence(mapping, score, category, **more):
    chance = random.Random(5)
    items = [mapping.framework.competencies[id] for id in mapping.framework.leaves]
    return pl.DataFrame(
        [
            {
                "student_id": "S100", "standard": item.code, "score": score(chance), "category": category,
                "scored_at": f"2026-03-{day:02}T10:00:00Z", "line_item_title": "Water study", "class_title": "Seminar",
                "evidence_url": "https://portfolio.example.org/e" if day == 2 else "javascript:alert(1)", **more,
            }
            for item in chance.sample(items, min(12, len(items)))
            for day in range(1, chance.randint(3, 9))
        ]
    )  # fmt: skip


CASES = {
    "pathways": (lambda chance: chance.choice(["Emerging", "Developing", "Mastered", "Extended"]), "Seminar"),
    "singapore-american": (lambda chance: chance.choice(["A+", "A", "B+", "C+"]), "Summative"),
    "champlain-valley": (lambda chance: chance.choice(["1.5", "2.5", "3.5", "4"]), "Summative"),
}


def printed(name):
    mapping = load_mapping(SCHOOLS / f"{name}.yaml")
    score, category = CASES[name]
    (order,) = transcript_orders(mapping, evidence(mapping, score, category), {"S100": Student("S100", "Ada")})
    return order, flat(text_of(print_pdf("mastery_transcript.html", frame(order.title), order.content)))


@pytest.mark.parametrize("name", CASES)
def test_no_level_letter_or_gpa_stands_on_a_mastery_transcript(name):
    order, text = printed(name)
    body = text[: text.index("How verify" if "How verify" in text else "How to verify")]
    assert not re.search(r"\bGPA\b|\bgrade point|\baverage of\b|\blevel \d", body)
    assert not re.search(r"(?<![\w.-])\d\.\d", body)
    for word in ("Emerging", "Extended", "A+", "B+", "C+"):
        assert word not in body
    assert "Mastered" in body or "In progress" in body
    assert order.content["areas"]


def test_credits_competencies_and_evidence_stand_there():
    order, text = printed("pathways")
    assert "Foundation credits" in text
    assert "Advanced credits" in text
    assert "Water study, Seminar, 8 March 2026" in text or "Water study, Seminar" in text
    competencies = [each for area in order.content["areas"] for each in (*area.mastered, *area.working)]
    assert all(len(each.evidence) <= 5 for each in competencies)
    assert any(each.more for each in competencies)
    links = {piece.link for each in competencies for piece in each.evidence}
    assert links <= {"", "https://portfolio.example.org/e"}


def test_mastered_is_what_the_mapping_calls_proficient():
    mapping = load_mapping(SCHOOLS / "pathways.yaml")
    rows = evidence(mapping, CASES["pathways"][0], "Seminar")
    (order,) = transcript_orders(mapping, rows, {"S100": Student("S100")})
    mastered = {each.code for area in order.content["areas"] for each in area.mastered}
    levels = mapping.apply(rows).levels
    assert mastered == set(levels.filter("proficient")["competency"])


def test_a_grid_of_skills_and_areas_is_shown_as_one():
    mapping = load_mapping(SCHOOLS / "tilton.yaml")
    rows = pl.DataFrame(
        {"student_id": ["S100"] * 2, "standard": ["COM", "MIN"], "score": ["accepted", "revise"],
         "category": ["Artifact"] * 2, "area": ["community", "wellness"], "scored_at": ["2026-03-01T10:00:00Z"] * 2}
    )  # fmt: skip
    (order,) = transcript_orders(mapping, rows, {"S100": Student("S100")})
    credit, *others = order.content["credits"]
    assert [other.columns for other in others] == [()] * len(others)
    assert credit.columns == ("academics", "community", "exploration", "intensives", "partnerships", "wellness")
    assert {name: [row.complete for row in cells].count(True) for name, cells in credit.lines.items()} == {
        "Communication": 1, "Critical thinking and decision making": 0, "Creative engagement": 0,
        "Innovation and design thinking": 0, "Mindfulness": 0,
    }  # fmt: skip


def test_the_statement_names_the_transcript(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/g.db")
    release = Release("lakeside", "State University", "admission", "R. M.", lambda: datetime(2026, 11, 1, tzinfo=UTC))
    with pytest.raises(DataError) as caught:
        newest_transcript(store, "lakeside", "S100", "State University")
    assert caught.value.code == "documents.transcript"
    for recipient in ("State University", "Another College"):
        given = Release("lakeside", recipient, "admission", "R. M.", release.now)
        kind, rules = DocumentKind.MASTERY_TRANSCRIPT, (Rules("pathways", "1", "d"),)
        issue(store, given, [Draft(given.stamp(), kind, "S100", rules, "1", f"{recipient}.pdf", b"%PDF")], tmp_path)
    record = newest_transcript(store, "lakeside", "S100", "State University")
    assert record.recipient == "State University"
    courses = transcript(6)
    (result,) = computed(["tilton"], courses, approximate=True)
    (order,) = statement_orders(result, courses, {"S100": Student("S100", "Ada")}, {"S100": record}, ZoneInfo("UTC"))
    store.close()
    assert order.approximate
    text = flat(text_of(print_pdf("gpa_statement.html", frame(order.title), order.content)))
    code = "-".join(record.code[n : n + 4] for n in range(0, 16, 4))
    assert f"is the document {code}, issued on 1 November 2026" in text
    assert "(approximation)" in text
    assert "An approximation: the school aggregates no grade point average." in text
