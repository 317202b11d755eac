"""The reports from the command line: over a file of evidence, and over a district's pulls and runs."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gateway.shipped import shipped
from tests.cli.conftest import Call

MAPPING = shipped("mappings") / "schools" / "lakeside.yaml"
FORMULA = '=HYPERLINK("http://evil.example")'
HEADER = (
    "student_id",
    "competency",
    "score",
    "scored_at",
    "category",
    "scorer_id",
    "line_item_id",
    "grade",
    "school_id",
)


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Twelve students whose work two people scored; the second one's name looks like a formula."""
    path = tmp_path / "evidence.csv"
    rows = [
        (f"S{n:02}", code, score, f"2026-0{month}-10", "Summative", scorer, f"L{month}", "07", "=A1" if n % 2 else "B")
        for n in range(12)
        for month, code in ((2, "MATH.5.PS.1"), (5, "MATH.6.PS.1"))
        for scorer, score in (("T1", "3"), (FORMULA, "3.5" if n % 3 else "3"))
    ]
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([HEADER, *rows])
    return path


def shared(evidence: Path, *more: object) -> tuple[str, ...]:
    return ("--evidence", str(evidence), "--mapping", str(MAPPING), "--as-of", "2026-06-01", *map(str, more))


def test_consistency_as_files_that_hold_no_formula_and_are_the_same_bytes_again(
    call: Call, evidence: Path, tmp_path: Path
) -> None:
    line = ("report", "consistency", *shared(evidence, "--minimum", 4))
    for ending in ("csv", "xlsx", "parquet"):
        assert call(*line, "--out", f"one.{ending}").code == 0
        assert call(*line, "--out", f"two.{ending}").code == 0
        assert Path(f"one.{ending}").read_bytes() == Path(f"two.{ending}").read_bytes()
    with (tmp_path / "one.csv").open(newline="") as stream:
        scorers = list(csv.DictReader(stream))
    assert {row["scorer_id"] for row in scorers} == {"T1", f"'{FORMULA}"}
    with (tmp_path / "one-agreement.csv").open(newline="") as stream:
        agreement = {row["by"]: row for row in csv.DictReader(stream)}
    assert (agreement["all"]["pairs"], agreement["all"]["exact_share"]) == ("24", "0.3333")
    assert pl.read_parquet("one-levels.parquet")["scorer_id"].unique().sort().to_list() == [FORMULA, "T1"]
    with zipfile.ZipFile("one.xlsx") as book:
        sheets = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 4
    assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)


def test_small_numbers_are_hidden_without_being_asked(call: Call, evidence: Path) -> None:
    told = call("report", "consistency", *shared(evidence), "--json").data
    assert told["about"]["minimum"] == "10"
    hidden = {(row["scorer_id"], row["level"]) for row in told["levels"] if row["hidden"]}
    assert hidden == {(scorer, level) for scorer in ("T1", FORMULA) for level in ("3.000000", "3.500000")}
    assert all(row["mean_rank_difference"] is None for row in told["scorers"])


def test_the_screen_names_no_student(call: Call, evidence: Path) -> None:
    answer = call("report", "pace", *shared(evidence, "--by", "teacher", "--out", "pace.csv"))
    assert answer.code == 0
    assert "S0" not in answer.out
    assert "12  1 or more gaps" in answer.out
    with Path("pace.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["student_id"] for row in rows} == {f"S{n:02}" for n in range(12)}
    assert {row["school_id"] for row in rows} == {"'=A1", "B"}
    assert rows[0]["last_scored_at"] == "2026-05-10T00:00:00Z"


def test_growth_by_groups_of_our_own(call: Call, evidence: Path, tmp_path: Path) -> None:
    table = "student_id,cohort\n" + "".join(f"S{n:02},{'red' if n < 6 else 'blue'}\n" for n in range(12))
    (tmp_path / "cohorts.csv").write_text(table)
    line = ("report", "growth", *shared(evidence), "--by", "cohort", "--cohorts", "cohorts.csv", "--json")
    rows = call(*line, "--minimum", "6").data["growth"]
    assert [(row["of"], row["cohort"], row["growth_students"]) for row in rows] == [
        ("group", "blue", 6), ("group", "red", 6), ("all", None, 12)
    ]  # fmt: skip
    assert [row["hidden"] for row in call(*line).data["growth"]] == [True, True, False]
    (tmp_path / "cohorts.csv").write_text(table + "S00,red\n")
    assert call(*line).data["error"]["code"] == "report.cohorts"
    (tmp_path / "cohorts.csv").write_text("student,cohort\nS00,red\n")
    assert call(*line).data["error"]["code"] == "report.cohorts"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (("consistency", "--evidence", "evidence.csv"), 2, "--evidence needs --mapping"),
        (("pace", "--evidence", "evidence.csv", "--mapping", MAPPING, "--out", "pace.pdf"), 1, ".xlsx"),
        (("consistency", "--evidence", "evidence.csv", "--mapping", MAPPING, "--work", "artifact"), 1, "artifact"),
        (("consistency", "--evidence", "evidence.csv", "--mapping", MAPPING, "--step", "0"), 2, "no step"),
        (("growth", "--to", "2026-05-01"), 2, "--to needs --from"),
        (("growth", "--from", "x", "--evidence", "evidence.csv", "--mapping", MAPPING), 2, "does not go with"),
        (("pace",), 1, "There is no gateway.yaml"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    call: Call, evidence: Path, line: tuple[Any, ...], code: int, said: str
) -> None:
    answer = call("report", *line)
    assert answer.code == code
    assert said in answer.err


def test_the_reports_of_a_district(call: Call, tmp_path: Path) -> None:
    from gateway.sample import CLEAN, write_sample_district

    assert call("init", "--id", "lakeside", "--time-zone", "UTC").code == 0
    assert call("report", "pace", "--json").data["error"]["code"] == "report.no-pull"
    write_sample_district(tmp_path / "sample", seed=3, students=100, mess=CLEAN)
    for file in (tmp_path / "sample/oneroster").iterdir():
        (tmp_path / "incoming" / file.name).write_bytes(file.read_bytes())
    first, second = (call("sync", "--json").data["run"] for _ in range(2))

    between = call("report", "growth", "--from", first, "--minimum", "1", "--json").data
    assert first in between["about"]["growth since"]
    assert second in between["about"]["until"]
    assert {row["growth_upper_quartile"] for row in between["growth"]} == {"0.00"}
    assert {row["pace_students"] for row in between["growth"]} == {None}
    students = pl.concat(
        [pl.read_parquet(file) for file in sorted((tmp_path / f"data/runs/{second}/map/continuum").iterdir())]
    )["student_id"].n_unique()
    assert between["growth"][-1]["growth_students"] == students
    for wanted, code in ((second, "report.same-run"), ("2020-01-01", "report.no-run"), ("unknown", "report.no-run")):
        assert call("report", "growth", "--from", wanted, "--json").data["error"]["code"] == code

    since = call("report", "growth", "--by", "school", "--as-of", "2026-06-30", "--json").data["growth"]
    assert sum(row["growth_students"] for row in since if row["of"] == "group" and not row["hidden"]) <= students
    assert since[0]["school"]

    line = ("report", "pace", "--as-of", "2026-04-15", "--out", "pace.parquet")
    assert call(*line).code == 0
    rows = pl.read_parquet("pace.parquet")
    assert rows["advisor_id"].null_count() < rows.height
    logged = "".join(file.read_text() for file in (tmp_path / "data/logs").iterdir())
    assert not [id for id in rows["student_id"].unique() if id in logged]
    assert call("report", "consistency", "--as-of", "2026-06-30", "--within", "school").code == 0
