"""The GPA report: every course on one line, and lines that add up to the printed number."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from gateway.core.errors import DataError
from gateway.core.gpa.overrides import Override, override_gpas
from gateway.documents.desk import Order
from gateway.documents.gpa_orders import known_students, report_orders
from gateway.documents.gpa_report import Student, report_parts
from gateway.documents.issue import check_aggregates
from gateway.documents.page import print_pdf
from gateway.documents.policy_words import range_words
from tests.documents.conftest import POLICIES, computed, flat, frame, policy, text_of, transcript

NAMES = sorted(path.stem for path in POLICIES.glob("*.yaml"))


@pytest.mark.parametrize("name", ["school-weighted", "school-unweighted", "ncaa-d1", "affton", "plus-minus-4.0"])
def test_the_lines_add_up_to_the_printed_number(name):
    (part,) = report_parts(computed([name], transcript(40)))["S100"]
    quality = sum((Decimal(line.quality) for line in part.used), Decimal(0))
    credit = sum((Decimal(line.credit) for line in part.used), Decimal(0))
    assert (quality, credit) == (Decimal(part.quality), Decimal(part.credits))
    places = len(part.number.partition(".")[2])
    assert abs(quality / credit - Decimal(part.number)) <= Decimal(5).scaleb(-places - 1)
    assert len(part.used) + len(part.aside) == 40
    assert all(line.why and line.clause for line in part.aside)


@pytest.mark.parametrize("name", NAMES)
def test_every_policy_tells_its_scale(name):
    low, _, high = range_words(policy(name)).partition(" to ")
    assert high == "" or Decimal(low) < Decimal(high)


def test_what_waits_is_told_and_has_no_number():
    courses = transcript(6).with_columns(
        pl.when(pl.col("course_code") == "SCI102").then(pl.lit("Z")).otherwise("grade").alias("grade")
    )
    (part,) = report_parts(computed(["school-weighted"], courses))["S100"]
    assert part.number == ""
    assert part.state == "waits: there is no number yet"
    assert "SCI102" in part.reason


def test_an_approximation_is_made_on_request_only_and_says_so():
    with pytest.raises(DataError) as caught:
        check_aggregates([policy("school-weighted"), policy("tilton")], approximate=False)
    assert caught.value.code == "documents.no-gpa"
    check_aggregates([policy("tilton")], approximate=True)
    courses = transcript(6)
    results = computed(["tilton"], courses, approximate=True)
    (order,) = report_orders(results, courses, {"S100": Student("S100")}, None, approximate=True)
    assert (order.title, order.approximate) == ("GPA report (approximation)", True)
    assert order.content["parts"][0].state == "approximation"


def test_a_refused_gpa_is_a_part_without_a_number():
    (part,) = report_parts(computed(["tilton"], transcript(6)))["S100"]
    assert (part.number, part.used) == ("", ())


def test_a_number_that_a_person_set_is_not_told_as_computed():
    decision = Override("S100", "R. Martinez", "transfer credit was missing", date(2026, 5, 1), gpa=Decimal("3.9"))
    results = [override_gpas(each, [decision]) for each in computed(["school-weighted"], transcript(6))]
    (part,) = report_parts(results)["S100"]
    assert (part.number, part.state) == ("3.900", "set by a person")
    assert part.worked == "Set by a person, not computed from the courses: 3.900"
    text = flat(text_of(print_pdf("gpa_report.html", frame(), {"student": Student("S100"), "parts": [part]})))
    assert "Note: overridden by R. Martinez on 2026-05-01: transfer credit was missing (computed: " in text


def test_students_are_found_with_their_names():
    facts = pl.DataFrame(
        {"student_id": ["S100"], "given_name": ["Ada"], "family_name": ["Lovelace"], "grade_level": ["12"]}
    )
    assert known_students(transcript(2), facts, ["S100"]) == {"S100": Student("S100", "Ada Lovelace", "12")}
    assert known_students(transcript(2), None, []) == {"S100": Student("S100")}
    with pytest.raises(DataError) as caught:
        known_students(transcript(2), None, ["S999"])
    assert caught.value.code == "documents.student"
    assert "S999" not in caught.value.message


def table(ending, courses) -> bytes:
    results = computed(["school-weighted", "ncaa-d1"], courses)
    order: Order
    (order,) = report_orders(results, courses, {"S100": Student("S100", "=cmd|' /C calc'!A0")}, None, ending=ending)
    return order.make(frame(), order.content)


EVIL = ["=1+1", "+1", "-1+1|cmd", "@SUM(A1)", "\t=1"]


@pytest.fixture
def evil():
    return transcript(5).with_columns(pl.Series("title", EVIL))


def test_no_cell_of_a_csv_report_acts_as_a_formula(evil):
    rows = pl.read_csv(io.BytesIO(table("csv", evil)), infer_schema=False)
    assert rows.height == 10
    texts = [cell for row in rows.rows() for cell in row if cell]
    assert [text for text in texts if text[0] in "=+@\t\r"] == []
    assert [text for text in texts if text[0] == "-" and not text[1:].replace(".", "").isdigit()] == []
    assert set(rows["verification_code"]) == {"7K3M-Q2XW-9ABC-DEF5"}


def test_no_cell_of_a_workbook_report_acts_as_a_formula(evil):
    content = table("xlsx", evil)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    titles = {row[rows[0].index("title")] for row in rows[1:]}
    assert titles == {each.strip() if each == "\t=1" else each for each in EVIL} or titles == set(EVIL)
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
