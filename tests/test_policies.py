"""Policies from disk, course files in and GPA files out, and whole files computed part by part."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from gateway.core.errors import ConfigurationError, DataError, MappingError
from gateway.core.gpa.compute import COLUMNS, FURTHER, Period
from gateway.course_files import open_courses, read_courses, write_table
from gateway.gpa_batch import Options, compute_file
from gateway.policies import find_policy, load_policies, load_policy
from tests.core.gpa.builders import HEAD, LETTERS, ROUND, SHIPPED, shipped
from tests.core.gpa.test_selection import random_transcripts

AS_OF = date(2026, 1, 15)


def write_policy(
    folder: Path, name: str, *, version: str = "1", effective: str = "{from: 2020-01-01}", more: str = ""
) -> Path:
    text = HEAD.replace("policy: test", f"policy: {name}").replace('version: "1"', f'version: "{version}"')
    path = folder / f"{name}.{version}.yaml"
    path.write_text(text.replace("{from: 2020-01-01}", effective) + LETTERS + ROUND + more)
    return path


def test_all_shipped_policies_load_and_their_examples_hold() -> None:
    assert {"ncaa-d1", "ncaa-d2", "naia", "uc", "scholarship", "tilton"} <= {
        each.name for each in load_policies(SHIPPED)
    }


def test_an_example_that_fails_refuses_the_policy_with_its_line(tmp_path: Path) -> None:
    wrong = (
        'examples:\n  - name: wrong\n    courses: [{course_code: A, grade: "A", credit: 1}]\n    expect: {gpa: "3.9"}\n'
    )
    with pytest.raises(MappingError, match=r"gives gpa 4\.000000, not 3\.9") as caught:
        load_policy(write_policy(tmp_path, "school", more=wrong))
    assert caught.value.code == "policy.example"
    assert caught.value.place is not None
    assert caught.value.place.line == 18


def test_a_version_is_chosen_by_date(tmp_path: Path) -> None:
    write_policy(tmp_path, "school", version="1", effective="{from: 2020-08-01, until: 2024-07-31}")
    write_policy(tmp_path, "school", version="2", effective="{from: 2024-08-01}")
    assert find_policy("school", tmp_path, date(2024, 7, 31)).version == "1"
    assert find_policy("school", tmp_path, date(2024, 8, 1)).version == "2"
    assert len(load_policies(tmp_path)) == 2
    with pytest.raises(MappingError, match="lies outside every version") as caught:
        find_policy("school", tmp_path, date(2019, 1, 1))
    assert caught.value.code == "policy.not-in-force"
    with pytest.raises(MappingError, match='There is no policy "scool"'):
        find_policy("scool", tmp_path, AS_OF)
    assert find_policy(str(tmp_path / "school.2.yaml"), tmp_path, AS_OF).version == "2"


def test_versions_that_hold_on_the_same_day_are_refused(tmp_path: Path) -> None:
    write_policy(tmp_path, "school", version="1", effective="{from: 2020-08-01}")
    write_policy(tmp_path, "school", version="2", effective="{from: 2024-08-01}")
    with pytest.raises(ConfigurationError, match="hold on the same day"):
        load_policies(tmp_path)
    with pytest.raises(MappingError, match="Several versions"):
        find_policy("school", tmp_path, AS_OF)


HEADER = ["Student ID", "Course", "Course Title", "Credits", "Final Grade", "Locker"]
ROWS = [["007", "ENG9", "English 9", "1.0", "A", "3"], ["007", "ALG1", "=HYPERLINK(1)", "0.5", "B+", "3"],
        ["-12", "ENG9", "English 9", "1", "Q", "4"]]  # fmt: skip


def write_courses(path: Path) -> Path:
    if path.suffix == ".csv":
        path.write_text("\n".join(",".join(row) for row in [HEADER, *ROWS]) + "\n")
    elif path.suffix == ".parquet":
        pl.DataFrame(ROWS, schema=HEADER, orient="row").write_parquet(path)
    else:
        import xlsxwriter

        with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
            sheet = book.add_worksheet()
            for line, row in enumerate([HEADER, *ROWS]):
                for column, value in enumerate(row):
                    number = column == 3 and line > 0
                    sheet.write(line, column, float(value) if number else value)
    return path


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet"])
@pytest.mark.parametrize("out", [".csv", ".xlsx", ".parquet"])
def test_course_files_in_and_gpas_out(tmp_path: Path, ending: str, out: str) -> None:
    courses = write_courses(tmp_path / f"courses{ending}")
    options = Options((shipped("school-unweighted"), shipped("percent")), AS_OF, trace=True)
    done = compute_file(options, courses, tmp_path / f"gpa{out}", trace=tmp_path / f"trace{out}")
    assert done.states == {"percent": {"pending": 2}, "school-unweighted": {"computed": 1, "pending": 1}}
    assert '"Final Grade" is read as grade' in done.match.report()
    header, *rows = table(tmp_path / f"gpa{out}")
    assert tuple(header) == (*COLUMNS, *FURTHER)
    first = next(row for row in rows if row[:2] == ["007", "school-unweighted"])
    assert first[2:8] == ["2026.1", "3.667", "computed", "1.5", "5.5", "2"]
    trace = table(tmp_path / f"trace{out}")
    assert len(trace) == 1 + 2 * len(ROWS)
    line = {".csv": "4", ".xlsx": "4", ".parquet": "3"}[ending]
    problems = table(tmp_path / "gpa.problems.csv")
    assert any(line in row and "grade-unknown" in row for row in problems)


def table(path: Path) -> list[list[str]]:
    """A file as rows of text, header first."""
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return list(csv.reader(file))
    if path.suffix == ".xlsx":
        cells = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
        return [
            [f"{cell:.3f}" if n == 3 and isinstance(cell, float) else plain(cell) for n, cell in enumerate(row)]
            for row in cells
        ]
    frame = pl.read_parquet(path)
    return [frame.columns, *([plain(cell) for cell in row] for row in frame.rows())]


def plain(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return (
        text.rstrip("0").rstrip(".") if "." in text and text.replace(".", "").isdigit() and text.endswith("0") else text
    )


def test_no_cell_for_people_is_a_formula(tmp_path: Path) -> None:
    courses = write_courses(tmp_path / "courses.csv")
    options = Options((shipped("school-unweighted"),), AS_OF, trace=True)
    compute_file(options, courses, tmp_path / "gpa.csv", trace=tmp_path / "trace.csv")
    assert any("'=HYPERLINK(1)" in row for row in table(tmp_path / "trace.csv"))
    assert any(row[0] == "'-12" for row in table(tmp_path / "gpa.csv"))
    write_table(pl.DataFrame({"title": ["=1+1"]}), tmp_path / "t.xlsx")
    assert table(tmp_path / "t.xlsx")[1] == ["=1+1"]


def test_a_line_that_cannot_be_read_makes_its_student_wait(tmp_path: Path) -> None:
    path = tmp_path / "courses.csv"
    path.write_text("student_id,course_code,credit,grade\na,ENG,1,A\nb,ENG,1,A,extra,cells\nb,ALG,1,B\nc,ENG,1,A\n")
    done = compute_file(Options((shipped("school-unweighted"),), AS_OF), path, tmp_path / "gpa.csv")
    assert done.states == {"school-unweighted": {"computed": 2, "pending": 1}}
    assert done.problems is not None
    assert any(row[0] == "b" and "row-unreadable" in row and "3" in row for row in table(done.problems))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.csv", None, "does not exist"),
        ("courses.txt", "x", "no course file"),
        ("courses.csv", "a,b\n1,2\n", "is the student_id"),
        ("courses.parquet", "not parquet", "cannot be read as Parquet"),
    ],
)
def test_files_that_are_no_course_files(tmp_path: Path, name: str, content: str | None, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=words):
        open_courses(path)


def test_a_file_with_a_header_only_gives_an_empty_result(tmp_path: Path) -> None:
    path = tmp_path / "courses.csv"
    path.write_text("student_id,course_code,credit,grade\n")
    assert read_courses(path, open_courses(path)).is_empty()
    done = compute_file(Options((shipped("school-unweighted"),), AS_OF), path, tmp_path / "gpa.csv")
    assert (done.states, done.rows, done.problems) == ({}, 0, None)


def by_student(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False).sort("student_id", "policy", "period")


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("scattered", [False, True])
def test_parts_and_processes_change_nothing(tmp_path: Path, ending: str, scattered: bool) -> None:
    courses = random_transcripts(5, 12, ["0.5", "0.5 1"])
    if scattered:
        courses = courses.sample(fraction=1, shuffle=True, seed=3)
    path = tmp_path / f"courses{ending}"
    courses.write_csv(path) if ending == ".csv" else courses.write_parquet(path, row_group_size=50)
    options = Options((shipped("ncaa-d1"), shipped("school-weighted")), AS_OF, periods=(Period.CUMULATIVE, Period.YEAR))
    whole = compute_file(options, path, tmp_path / "whole.csv")
    parts = compute_file(options, path, tmp_path / "parts.csv", rows=100)
    assert (whole.states, whole.rows) == (parts.states, parts.rows)
    assert by_student(tmp_path / "whole.csv").equals(by_student(tmp_path / "parts.csv"))


def test_two_processes_write_what_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "courses.parquet"
    random_transcripts(6, 8, ["0.5"]).write_parquet(path)
    options = Options((shipped("ncaa-d2"),), AS_OF)
    compute_file(options, path, tmp_path / "one.csv", rows=120)
    compute_file(options, path, tmp_path / "two.csv", rows=120, workers=2)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
