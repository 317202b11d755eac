"""The ``gpa`` commands on course files, as a registrar uses them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from tests.cli.conftest import Call

HEADER = "Student ID,Course,Title,Dept,Course Level,Credits,Final Grade,School Year,Term,Grade Level,Core,School\n"
ROWS = """\
s1,ENG9,English 9,English,Regular,1,A,2022-2023,S1,9,yes,North
s1,ALG1,Algebra,Math,Honors,1,B+,2022-2023,S1,9,yes,North
s2,ENG9,English 9,English,Regular,1,Z,2022-2023,S1,9,yes,South
s3,ENG9,English 9,English,Regular,1,C,2022-2023,S1,9,yes,South
"""


@pytest.fixture
def courses(tmp_path: Path) -> Path:
    path = tmp_path / "courses.csv"
    path.write_text(HEADER + ROWS)
    return path


def test_several_policies_at_once_with_a_trace_and_what_waits(call: Call, courses: Path) -> None:
    answer = call("gpa", "compute", "ncaa-d1", "school-weighted", "--courses", courses, "--out", "gpa.csv", "--trace")
    assert answer.code == 3
    assert '"Credits" is read as credit' in answer.out
    assert "Estimate: only the NCAA Eligibility Center certifies." in answer.out
    found = pl.read_csv("gpa.csv", infer_schema=False)
    assert found.columns[:8] == [
        "student_id", "policy", "version", "gpa", "state", "credits", "quality_points", "courses_used",
    ]  # fmt: skip
    assert found.filter(policy="school-weighted")["gpa"].to_list() == ["3.750", None, "2.000"]
    assert found.filter(student_id="s2")["state"].to_list() == ["pending", "pending"]
    assert found.filter(student_id="s2")["credits"].to_list() == [None, None]
    problems = pl.read_csv("gpa.problems.csv", infer_schema=False)
    assert problems.select("student_id", "line", "course_code", "code").unique().rows() == [
        ("s2", "4", "ENG9", "grade-unknown")
    ]
    trace = pl.read_csv("gpa.trace.csv", infer_schema=False)
    assert trace.filter(policy="ncaa-d1").height == 4
    assert set(trace.columns) >= {"level", "grade", "points", "weight", "credit", "used", "why", "clause", "digest"}


def test_columns_that_a_policy_needs_and_nobody_gives_are_named(call: Call, courses: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.csv"
    pl.read_csv(courses, infer_schema=False).drop("Core", "Dept").write_csv(bare)
    answer = call("gpa", "compute", "ncaa-d1", "school-weighted", "--courses", bare, "--out", "gpa.csv")
    assert "ncaa-d1 needs what these courses do not have: core, subject. Add it, or a --catalogue." in answer.out
    assert "school-weighted needs" not in answer.out
    catalogue = tmp_path / "catalogue.csv"
    catalogue.write_text("course_code,subject,core\nENG9,English,yes\nALG1,Math,yes\n")
    answer = call("gpa", "compute", "ncaa-d1", "--courses", bare, "--catalogue", catalogue, "--out", "gpa.csv")
    assert "needs what" not in answer.out


@pytest.mark.parametrize("ending", [".xlsx", ".parquet"])
def test_workbooks_and_parquet_in_and_out(call: Call, courses: Path, ending: str, tmp_path: Path) -> None:
    table = pl.read_csv(courses, infer_schema=False).filter(pl.col("Student ID") != "s2")
    given = tmp_path / f"given{ending}"
    if ending == ".xlsx":
        with xlsxwriter.Workbook(given) as book:
            sheet = book.add_worksheet()
            for line, row in enumerate([table.columns, *table.rows()]):
                sheet.write_row(line, 0, row)
    else:
        table.write_parquet(given)
    out = tmp_path / f"gpa{ending}"
    assert call("gpa", "compute", "school-weighted", "--courses", given, "--out", out).code == 0
    if ending == ".xlsx":
        rows = CalamineWorkbook.from_path(out).get_sheet_by_index(0).to_python()
        assert [row[3] for row in rows] == ["gpa", 3.75, 2]
    else:
        assert pl.read_parquet(out)["gpa"].to_list() == ["3.750", "2.000"]


def test_the_summary_as_json(call: Call, courses: Path) -> None:
    told = call("gpa", "compute", "ncaa-d1", "--courses", courses, "--out", "gpa.csv", "--json").data
    assert told["policies"][0]["states"] == {"pending": 1, "so_far": 2}
    assert told["columns"]["matched"]["Credits"] == "credit"
    assert told["files"]["problems"] == "gpa.problems.csv"
    assert len(told["policies"][0]["digest"]) == 64


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("compute", "ncaa-d3", "--out", "g.csv"), 1, 'Did you mean "ncaa-d'),
        (("compute", "ncaa-d1", "--out", "g.docx"), 1, "no known ending"),
        (("compute", "ncaa-d1", "--out", "g.csv", "--as-of", "2019-01-01"), 1, "lies outside every version"),
        (("compute", "ncaa-d1", "--out", "g.csv", "--periods", "week"), 2, "no period"),
        (("explain", "ncaa-d1", "--student", "nobody"), 1, "no course of this student"),
        (("what-if", "ncaa-d1", "--student", "s1"), 2, "Say what to change"),
        (("what-if", "ncaa-d1", "--student", "s1", "--change", "GEO:grade=A"), 1, "has no course GEO"),
        (("what-if", "ncaa-d1", "--student", "s1", "--add", "colour=red"), 1, "no column colour"),
        (("rank", "ncaa-d1", "--out", "g.csv"), 1, "has no class rank"),
        (("compare", "ncaa-d1", "ncaa-d1@7"), 1, "no version 7"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_plain_words(
    call: Call, courses: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    answer = call("gpa", *words, "--courses", courses)
    assert (answer.code, said in answer.err) == (code, True), answer.err
    assert not Path("g.csv").exists()


def test_a_file_that_is_no_course_file(call: Call, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("Student ID,Course,Final Grade\ns1,ENG9,A\n")
    answer = call("gpa", "compute", "ncaa-d1", "--courses", "bad.csv", "--out", "g.csv")
    assert answer.code == 1
    assert "No column of bad.csv is the credit." in answer.err


def test_periods_stand_one_below_the_other(call: Call, courses: Path) -> None:
    call("gpa", "compute", "school-weighted", "--courses", courses, "--out", "g.csv", "--periods", "cumulative,term")
    found = pl.read_csv("g.csv", infer_schema=False).filter(student_id="s1")
    assert found["period"].to_list() == ["cumulative", "2023 S1"]


def test_an_explanation_as_text_and_as_json(call: Call, courses: Path) -> None:
    told = call("gpa", "explain", "school-weighted", "--courses", courses, "--student", "s1")
    assert told.code == 0
    assert "B+ counts as B, 3.5 points (with 0.5 added) × 1 credit = 3.5" in told.out
    assert "7.5 points ÷ 2 credits, 3 places, half up = 3.750" in told.out
    data = call("gpa", "explain", "school-weighted", "--courses", courses, "--student", "s1", "--json").data
    assert data["gpas"][0]["gpa"] == "3.750"
    assert data["trace"][1]["clause"] == 'grades.points."B" weight'
    assert len(data["digest"]) == 64
    waits = call("gpa", "explain", "school-weighted", "--courses", courses, "--student", "s2")
    assert (waits.code, "line 4, ENG9: The policy does not know this grade." in waits.out) == (3, True)


def test_what_if_shows_what_counts_otherwise(call: Call, courses: Path) -> None:
    told = call(
        "gpa", "what-if", "school-weighted", "--courses", courses, "--student", "s1",
        "--change", "ALG1:grade=A", "--repeat", "2:grade=C,Year=2024", "--add", "course_code=PE,grade=F,credit=1",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert "Before: 3.750 (computed)" in told.out
    assert "    now: Algebra (2023 S1): A, 4.5 points" in told.out
    assert told.out.count("not there") == 2
    data = call("gpa", "what-if", "school-weighted", "--courses", courses, "--student", "s1", "--remove", "ENG9",
                "--json").data  # fmt: skip
    assert data["difference"] == "-0.250000"
    assert [change["after"] for change in data["changed_courses"]] == [None]


def test_a_comparison_says_who_changes_and_why_by_school(call: Call, courses: Path) -> None:
    answer = call("gpa", "compare", "school-unweighted", "plus-minus-4.0", "--courses", courses, "--out", "c.csv")
    assert answer.code == 0
    assert "North: 1 of 1 change: 1 higher" in answer.out
    assert "South: 0 of 2 change" in answer.out
    assert "s1: 3.500 → 3.65: Algebra (line 3): 3 points × 1 → 3.3 points × 1\n" in answer.out
    found = pl.read_csv("c.csv", infer_schema=False)
    assert found["changed"].to_list() == ["true", "false", "false"]
    same = call("gpa", "compare", "ncaa-d1@2023.1", "ncaa-d1", "--courses", courses, "--json").data
    assert (same["students"], same["changed"]) == (3, 0)


def test_a_class_is_ranked(call: Call, tmp_path: Path) -> None:
    rows = "".join(f"s{n:02},ENG,English,ENG,Regular,1,{'ABC'[n % 3]},2026,S1,12,yes,North\n" for n in range(12))
    (tmp_path / "class.csv").write_text(HEADER + rows + "x,ENG,English,ENG,Regular,1,A,2026,S1,12,yes,Tiny\n")
    answer = call("gpa", "rank", "school-weighted", "--courses", "class.csv", "--out", "rank.csv")
    assert answer.code == 0
    assert "12 of 13 ranked in 1 group" in answer.out
    assert "fewer than 10 students" in answer.out
    found = pl.read_csv("rank.csv", infer_schema=False)
    assert found.filter(student_id="s00").select("rank", "group_size", "decile").row(0) == ("1", "12", "1")
    assert found.filter(student_id="s01")["rank"].item() == "5"


def test_policies_are_listed_with_what_they_leave_open(call: Call) -> None:
    answer = call("gpa", "policies")
    assert answer.code == 0
    assert "source: NCAA Eligibility Center" in answer.out
    assert "open question: Rounding at the 2.300 threshold" in answer.out
    assert "from 2023-08-01 until further notice" in answer.out
    told = call("gpa", "policies", "naia", "--json").data["policies"]
    assert [each["policy"] for each in told] == ["naia"]


def test_lint_names_file_and_line(call: Call, tmp_path: Path) -> None:
    assert call("gpa", "lint").code == 0
    text = """\
policy: gap
version: "1"
title: Gap
kind: mean
effective: {from: 2020-01-01}
source: {name: test, year: "2026"}
grades:
  lowest: 0
  highest: 100
  bands:
    - {from: 90, to: 100, points: 4}
    - {from: 0, to: 80, points: 0}
round: {gpa: {places: 2, mode: half_up}}
"""
    (tmp_path / "gap.yaml").write_text(text)
    answer = call("gpa", "lint", "gap.yaml")
    assert answer.code == 1
    assert "gap.yaml:" in answer.out
    two = text.replace("from: 0, to: 80", "from: 0, to: 95")
    (tmp_path / "gap.yaml").write_text(two)
    assert call("gpa", "compute", "gap.yaml", "--courses", "gap.yaml", "--out", "g.csv").code == 1


def test_a_catalogue_fills_in_and_tells_what_it_does_not_know(call: Call, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("student_id,course_code,grade,credit\ns,ENG,A,\ns,ART,B,0.5\n")
    (tmp_path / "k.csv").write_text("Course Number,Course Title,Units,Dept\nENG,English,1,ENG\n")
    answer = call("gpa", "compute", "school-unweighted", "--courses", "c.csv", "--catalogue", "k.csv", "--out", "g.csv")
    assert "1 courses are not in the catalogue: ART" in answer.out
    assert pl.read_csv("g.csv", infer_schema=False)["gpa"].to_list() == ["3.667"]


def test_levels_become_grades_points_and_gpas(call: Call, tmp_path: Path) -> None:
    (tmp_path / "levels.csv").write_text(
        "student_id,course_code,competency,level,grade_level\n"
        "a,ENG,E.1,4,9\na,ENG,E.2,3,9\na,MAT,M.1,3,9\nb,ENG,E.1,3,9\nb,ENG,E.2,,9\n"
    )
    (tmp_path / "k.csv").write_text("course_code,credit,subject,core\nENG,1,ENG,yes\nMAT,0.5,MATH,yes\n")
    answer = call(
        "gpa", "compute", "tilton", "ncaa-d1", "--levels", "levels.csv", "--catalogue", "k.csv", "--out", "g.csv",
        "--approximate",
    )  # fmt: skip
    assert answer.code == 3, answer.err
    found = pl.read_csv("g.csv", infer_schema=False).select("student_id", "policy", "gpa", "state").rows()
    assert found == [
        ("a", "tilton", "3.7", "approximation"), ("a", "ncaa-d1", "3.667", "so_far"),
        ("b", "tilton", None, "pending"), ("b", "ncaa-d1", None, "pending"),
    ]  # fmt: skip
    assert "A competency of the course has no level." in Path("g.problems.csv").read_text()
    none = call("gpa", "compute", "ncaa-d1", "--levels", "levels.csv", "--out", "g.csv")
    assert "--convert-by" in none.err


def test_where_no_gpa_is_aggregated_one_is_made_on_request_only(call: Call, courses: Path) -> None:
    refused = call("gpa", "compute", "tilton", "--courses", courses, "--out", "g.csv")
    assert refused.code == 3
    assert "keep and send only the others" in refused.out
    found = pl.read_csv("g.csv", infer_schema=False)
    assert found["state"].unique().to_list() == ["refused"]
    assert found["gpa"].null_count() == found.height
    explained = call("gpa", "explain", "tilton", "--courses", courses, "--student", "s1")
    assert (explained.code, "on request only" in explained.out) == (3, True)
    tried = call("gpa", "what-if", "tilton", "--courses", courses, "--student", "s1", "--change", "ALG1:grade=A")
    assert (tried.code, "Before: refused" in tried.out, "3.5" in tried.out) == (3, True, False)
    compared = call("gpa", "compare", "tilton", "school-unweighted", "--courses", courses)
    assert "s1: refused → 3.500" in compared.out
    asked = call("gpa", "explain", "tilton", "--courses", courses, "--student", "s1", "--approximate")
    assert asked.code == 0
    assert "3.5 (approximation)" in asked.out
    assert "The school aggregates no GPA." in asked.out
    told = call("gpa", "compute", "tilton", "--courses", courses, "--out", "g.csv", "--approximate", "--json").data
    assert told["storable"] is False


def test_no_cell_of_the_result_is_a_formula(call: Call, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text('student_id,course_code,grade,credit,title\n=1+1,ENG,A,1,"=HYPERLINK(""x"")"\n')
    for out in ("g.csv", "g.xlsx"):
        call("gpa", "compute", "school-unweighted", "--courses", "c.csv", "--out", out, "--trace")
    assert "'=1+1" in Path("g.csv").read_text()
    assert "\"'=HYPERLINK" in Path("g.trace.csv").read_text()
    with zipfile.ZipFile("g.trace.xlsx") as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
