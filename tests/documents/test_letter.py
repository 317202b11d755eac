"""The letter says what the policy's file says: every band, every grade, every mark, every weight."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.core.errors import MappingError
from gateway.documents.letter import letter_order, letter_sections
from gateway.documents.page import print_pdf
from gateway.documents.sections import Table
from gateway.mappings import load_mapping
from gateway.transport.yaml_file import read_document
from tests.documents.conftest import POLICIES, flat, frame, policy, text_of

NAMES = sorted(path.stem for path in POLICIES.glob("*.yaml"))
SCHOOLS = POLICIES.parent / "schools"
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w]|\.\d)")


def rows(name):
    """The rows of all tables of a policy's letter, as text."""
    sections = letter_sections(policy(name))
    return [
        " | ".join(row) for each in sections for table in each.blocks if isinstance(table, Table) for row in table.rows
    ]


def numbers(text):
    return {Decimal(each) for each in NUMBER.findall(text)}


def stated(value):
    return {Decimal(str(value))}


def tables_of(data):
    return [data["grades"], *data.get("former_grades", [])]


@pytest.mark.parametrize("name", NAMES)
def test_every_band_from_levels_stands_in_the_letter(name):
    data = read_document(POLICIES / f"{name}.yaml").data
    told = rows(name)
    for rule in data.get("from_levels", {}).get("rules", []):
        wanted = {Decimal(str(value)) for key, value in rule.items() if key not in ("grade", "then")}
        start = f"{rule['grade']} | " if "grade" in rule else "no grade yet"
        assert any(row.startswith(start) and wanted <= numbers(row) for row in told), rule


@pytest.mark.parametrize("name", NAMES)
def test_every_number_band_and_every_grade_with_its_points_stands_in_the_letter(name):
    data = read_document(POLICIES / f"{name}.yaml").data
    told = rows(name)
    for table in tables_of(data):
        for grade, points in table.get("points", {}).items():
            assert any(row.startswith(f"{grade} | ") and stated(points) == numbers(row.split(" | ")[1]) for row in told)
        for band in table.get("bands", []):
            wanted = {Decimal(str(value)) for key, value in band.items() if key not in ("grade", "then")}
            grade = band.get("grade", "")
            assert any(wanted <= numbers(row) and grade in row for row in told), band
        if "linear" in table:
            text = "\n".join(line for section in letter_sections(policy(name)) for line in section.lines())
            assert {abs(Decimal(str(each))) for each in table["linear"].values()} <= numbers(text)


@pytest.mark.parametrize("name", NAMES)
def test_marks_weights_labels_and_open_questions_stand_in_the_letter(name):
    data = read_document(POLICIES / f"{name}.yaml").data
    text = "\n".join(line for section in letter_sections(policy(name)) for line in section.lines())
    assert [mark for mark in data.get("marks", {}) if not re.search(rf"^{re.escape(mark)}\t", text, re.MULTILINE)] == []
    assert data.get("label", "") in text
    assert [each for key in ("open_questions", "chosen_by_us") for each in data.get(key, []) if each not in text] == []
    weight = data.get("weight", {})
    if weight and weight.get("filed", True):
        weights = [row for row in rows(name) if "|" in row]
        for level, value in weight["levels"].items():
            assert any(
                row.lower().startswith(level) and stated(value) == numbers(row.split(" | ")[1]) for row in weights
            )
    assert policy(name).digest in text
    assert data["version"] in text


def test_the_seven_parts_of_a_letter_come_in_order():
    titles = [section.title for section in letter_sections(policy("ncaa-d1"))]
    assert titles == [
        "What this letter covers",
        "What teachers record",
        "How evidence becomes a level",
        "How levels become a course grade",
        "How grades become points and a GPA",
        "What this letter does not claim",
        "Version and approval",
    ]


def test_the_worked_line_is_the_arithmetic_itself():
    text = "\n".join(line for section in letter_sections(policy("champlain-valley")) for line in section.lines())
    assert "a course with the levels 4, 3.5 and 4 has the mean 3.83 and gets A." in text


def test_with_a_mapping_the_letter_explains_the_levels_too():
    mapping = load_mapping(SCHOOLS / "lakeside.yaml")
    order = letter_order(policy("champlain-valley"), mapping)
    assert [each.name for each in order.rules] == ["champlain-valley", mapping.name]
    text = flat(text_of(print_pdf("letter.html", frame(order.title), order.content)))
    for words in (
        "3 Proficient",
        "A competency is met with a level of 3 (Proficient) or more.",
        "a mean in which each newer level counts 65 % and all before it the rest, rounded to 2 places, half up.",
        "3 (LKS.MATH.1.NQ.1), 4 (LKS.MATH.1.NQ.1), oldest first, give MATH.1.NQ.1: 3.53.",
    ):
        assert words in text
    assert mapping.digest in "".join(text.split())


@pytest.mark.parametrize("path", sorted(SCHOOLS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_mapping_can_be_explained(path: Path):
    sections = letter_sections(policy("champlain-valley"), load_mapping(path))
    assert "{" not in "\n".join(line for section in sections for line in section.lines())


def test_a_mapping_whose_example_fails_gets_no_letter(tmp_path):
    for part in ("schools", "frameworks", "crosswalks"):
        (tmp_path / part).symlink_to(POLICIES.parent / part)
    text = (SCHOOLS / "champlain-valley.yaml").read_text(encoding="utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "changed.yaml").write_text(text.replace("HIST.T1: 3.5", "HIST.T1: 1.5", 1), encoding="utf-8")
    assert "HIST.T1: 1.5" in (tmp_path / "own" / "changed.yaml").read_text(encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        letter_sections(policy("champlain-valley"), load_mapping(tmp_path / "own" / "changed.yaml"))
    assert caught.value.code == "documents.example"
