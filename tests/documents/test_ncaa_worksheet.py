"""The NCAA worksheet adds up to what the policy computed."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gateway.core.errors import DataError
from gateway.core.gpa.compute import compute_gpa, prepare_courses
from gateway.documents.gpa_report import Student
from gateway.documents.ncaa_worksheet import worksheet_orders
from gateway.documents.page import print_pdf
from tests.documents.conftest import AS_OF, flat, frame, policy, text_of, transcript


def sheet_of(courses, facts=None, name="ncaa-d1"):
    prepared = prepare_courses(courses)
    result = compute_gpa(policy(name), prepared, as_of=AS_OF, trace=True, students=facts)
    (order,) = worksheet_orders(result, courses, prepared, {"S100": Student("S100", "Ada")}, facts)
    return result, order


courses_of_a_student = st.lists(
    st.tuples(
        st.sampled_from(["ENG", "MATH", "SCI", "SOC", "LANG", "REL"]),
        st.sampled_from(["A", "B", "C", "D", "F"]),
        st.sampled_from(["0.5", "1"]),
        st.integers(9, 12),
    ),
    min_size=1,
    max_size=30,
)


def as_frame(rows):
    return pl.DataFrame(
        [
            {
                "student_id": "S100", "course_code": f"C{n}", "title": f"Course {n}", "subject": subject,
                "grade": grade,
                "credit": credit, "grade_level": str(level), "school_year": str(2014 + level), "core": "yes",
            }
            for n, (subject, grade, credit, level) in enumerate(rows)
        ]
    )  # fmt: skip


@hypothesis_settings(max_examples=25)
@given(courses_of_a_student, st.sampled_from(["ncaa-d1", "ncaa-d2"]))
def test_the_areas_add_up_and_the_requirements_agree_with_the_computation(rows, name):
    result, order = sheet_of(as_frame(rows), name=name)
    row = result.gpas.row(0, named=True)
    sheet = order.content["sheet"]
    if row["gpa"] is None:
        assert sheet.areas == ()
        return
    assert sum(Decimal(area.units) for area in sheet.areas) == row["credits"] == Decimal(sheet.units)
    assert sum(Decimal(area.quality) for area in sheet.areas) == row["quality_points"]
    assert sheet.met == (row["state"] == "computed")
    early_met = all(need.met for need in sheet.early)
    if sheet.met and name == "ncaa-d1" and row["gpa"] >= Decimal("2.3"):
        assert (row["standing"] == "qualifier") == early_met


def test_the_worksheet_on_paper():
    _, order = sheet_of(transcript(60))
    text = flat(text_of(print_pdf("ncaa_worksheet.html", frame(order.title), order.content)))
    assert text.count("Estimate: only the NCAA Eligibility Center certifies.") == 2
    for words in ("4 units of English", "Core units completed before the seventh semester", "Chosen in Mathematics"):
        assert words in text


def test_days_decide_about_early_courses_where_they_are_known():
    courses = as_frame([("ENG", "A", "1", 11)] * 2).with_columns(
        pl.Series("completed_on", ["2025-06-10", "2025-08-25"]), pl.Series("title", ["first", "second"])
    )
    facts = pl.DataFrame({"student_id": ["S100"], "seventh_semester_on": ["2025-08-20"]})
    _, order = sheet_of(courses, facts)
    (area,) = order.content["sheet"].areas
    assert {each.line.course: each.early for each in area.lines} == {"first": "yes", "second": "no"}


def test_a_policy_that_selects_nothing_has_no_worksheet():
    with pytest.raises(DataError) as caught:
        sheet_of(transcript(3), name="school-weighted")
    assert caught.value.code == "documents.worksheet"
