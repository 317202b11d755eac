"""``map`` as a curriculum lead uses it: on files of evidence, in a folder of one's own, rightly and wrongly."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gateway.core.mapping.examples import STUDENT, example_evidence
from gateway.mappings import load_mapping
from gateway.table_file import read_table
from tests.cli.conftest import Answer, Call

MAPPINGS = Path(__file__).parents[2] / "mappings"
SCHOOLS = sorted((MAPPINGS / "schools").glob("*.yaml"))
LAKESIDE = MAPPINGS / "schools" / "lakeside.yaml"
HEAD = "student_id,standard,score,category,scored_at,result_id,school_id\n"
EVIDENCE = HEAD + (
    "0012,LKS.MATH.1.NQ.1,2,Summative,2026-09-01,r1,north\n"
    "0012,LKS.MATH.1.NQ.1,4,Formative,2026-09-03,r3,north\n"
    "0012,LKS.MATH.1.NQ.1,M,Summative,2026-09-02,r2,north\n"
    "S2,LKS.MATH.1.NQ.1,3,Summative,2026-09-01,r4,south\n"
    "S2,LKS.MATH.1.NQ.1,4,Summative,2026-09-02,r5,south\n"
    "S2,LKS.MATH.1.NO.1,4,Summative,2026-09-02,r6,south\n"
)


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    path = tmp_path / "evidence.csv"
    path.write_text(EVIDENCE, encoding="utf-8")
    return path


def data(answer: Answer, code: int = 0) -> Any:
    assert answer.code == code, answer.err + answer.out
    return answer.data


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def school(folder: Path, old: str, new: str) -> Path:
    """Lakeside's mapping in a folder of its own, changed."""
    text = LAKESIDE.read_text(encoding="utf-8").replace("../", f"{MAPPINGS}/")
    assert old in text
    path = folder / "changed.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", SCHOOLS, ids=lambda path: path.stem)
def test_every_school_is_applied_to_its_own_examples_and_explained(call: Call, tmp_path: Path, path: Path) -> None:
    mapping = load_mapping(path)
    frames = [
        example_evidence(example["evidence"]).with_columns(
            pl.lit(f"s{n}").alias("student_id"), pl.col("result_id", "scored_at").cast(pl.String)
        )
        for n, example in enumerate(mapping.examples)
    ]
    assert all("student_id" in frame.columns and STUDENT not in frame["student_id"] for frame in frames)
    pl.concat(frames, how="diagonal").write_csv(tmp_path / "evidence.csv")
    answer = call("map", "apply", path, "--evidence", "evidence.csv", "--out", "out", "--json")
    assert answer.code in (0, 3), answer.err
    levels = rows(tmp_path / "out" / "levels.csv")
    assert len(levels) == answer.data["tables"]["levels"] > 0
    student = levels[0]["student_id"]
    told = data(call("map", "explain", path, "--evidence", "evidence.csv", "--student", student, "--json"))
    assert told["mapping"]["digest"] == mapping.digest
    mine = {row["competency"]: row["level"] or None for row in levels if row["student_id"] == student}
    assert {level["competency"]: level["level"] for level in told["levels"]} == mine
    text = call("map", "explain", path, "--evidence", "evidence.csv", "--student", student).out
    assert f"Mapping {mapping.name} {mapping.version}, digest {mapping.digest[:12]}" in text
    for competency in mine:
        assert competency in text


def test_the_tables_have_the_documented_columns_and_leading_zeros_stay(
    call: Call, evidence: Path, tmp_path: Path
) -> None:
    assert call("map", "apply", LAKESIDE, "--evidence", evidence, "--out", "out").code == 3
    heads = {file.stem: file.read_text().splitlines()[0] for file in (tmp_path / "out").iterdir()}
    assert heads["levels"] == (
        "student_id,competency,level,proficient,state,evidence_count,first_scored_at,last_scored_at,mapping,version"
    )
    assert heads["continuum"] == (
        "student_id,domain,performance_level,progress,complete,next,gaps,baseline,growth,pace"
    )
    assert set(heads) == {"levels", "continuum", "credits", "placement", "unmatched"}
    assert {row["student_id"] for row in rows(tmp_path / "out" / "levels.csv")} == {"0012", "S2"}
    unmatched = rows(tmp_path / "out" / "unmatched.csv")
    assert [(row["kind"], row["value"], row["rows"]) for row in unmatched] == [
        ("code", "LKS.MATH.1.NO.1", "1"),
        ("score", "M", "1"),
    ]
    assert "Did you mean" in unmatched[0]["suggestion"]
    assert call("map", "apply", LAKESIDE, "--evidence", evidence, "--out", "p", "--format", "parquet").code == 3
    assert pl.read_parquet(tmp_path / "p" / "levels.parquet").height == len(rows(tmp_path / "out" / "levels.csv"))


def test_an_explanation_names_every_score_and_why(call: Call, evidence: Path) -> None:
    line = ("map", "explain", LAKESIDE, "--evidence", evidence, "--student", "0012", "--competency", "MATH.1.NQ.1")
    (level,) = data(call(*line, "--json"))["levels"]
    assert [(item["result_id"], item["weight"]) for item in level["used"]] == [("r1", "1"), ("r3", "0.15")]
    assert [(item["result_id"], bool(item["reason"])) for item in level["set_aside"]] == [("r2", True)]
    assert (level["level"], level["exact"], level["method"]) == ("2.20", "2.195", "decaying_average")
    text = call(*line).out
    for words in ("Decaying average (newest 0.65)", "= 2.195, rounded to 2 places, half up", "result r3", "Set aside:"):
        assert words in text
    everything = call("map", "explain", LAKESIDE, "--evidence", evidence, "--student", "S2").out
    assert "Results that reached no competency:\n  - 2026-09-02: 4 for LKS.MATH.1.NO.1: no competency" in everything
    (then,) = data(call(*line, "--as-of", "2026-09-01", "--json"))["levels"]
    assert then["level"] == "2.00"


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (["explain", LAKESIDE, "--student", "12"], 1, "leading zeros"),
        (["explain", LAKESIDE, "--student", "S2", "--competency", "MATH.1.NQ.9"], 1, "Did you mean"),
        (["explain", LAKESIDE], 2, "--student"),
        (["apply", MAPPINGS / "gpa" / "uc.yaml"], 1, "uc.yaml:"),
        (["apply", LAKESIDE, "--format", "xlsx"], 2, "parquet"),
        (["apply", "nowhere.yaml"], 2, "nowhere.yaml"),
        (["diff", LAKESIDE, LAKESIDE, "--out", "x.txt"], 1, ".xlsx"),
        (["crosswalk", "export", LAKESIDE, "lakesid", "--out", "x.xlsx"], 1, 'Did you mean "lakeside"?'),
        (["crosswalk", "export", LAKESIDE, "--out", "x.csv"], 1, ".xlsx"),
        (["crosswalk", "export", MAPPINGS / "schools" / "tilton.yaml", "--out", "x.xlsx"], 1, "names no crosswalk"),
    ],
)
def test_a_wrong_line_is_answered_plainly(
    call: Call, evidence: Path, line: list[str | Path], code: int, words: str
) -> None:
    answer = call("map", *line, "--evidence", evidence)
    assert answer.code == code
    assert words in answer.err


def test_a_framework_that_is_no_case_package_is_refused(call: Call, evidence: Path, tmp_path: Path) -> None:
    (tmp_path / "framework.json").write_text('{"hello": "world"}', encoding="utf-8")
    path = school(tmp_path, f"{MAPPINGS}/frameworks/lakeside.json", "framework.json")
    answer = call("map", "apply", path, "--evidence", evidence)
    assert answer.code == 1
    assert "framework.json" in answer.err
    assert "fault of its own" not in answer.err


def test_what_is_odd_in_a_file_is_noted_and_shown_in_the_exit_code(call: Call, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(
        "Student ID,Standard,Score,Category,Scored At,Moood\n"
        "S1,LKS.MATH.1.NQ.1,3,Summative,1.9.2026,x\n"
        ",LKS.MATH.1.NQ.1,3,Summative,2026-09-01,x\n"
        "S1,LKS.MATH.1.NQ.1,3,Summative,2999-09-01,x\n"
    )
    told = data(call("map", "apply", LAKESIDE, "--evidence", "e.csv", "--json"), 3)
    assert [(note["code"], note["line"]) for note in told["notes"]] == [
        ("evidence.renamed", None),
        ("evidence.unknown-column", None),
        ("evidence.no-student", 3),
        ("evidence.no-date", 2),
        ("evidence.future", 4),
    ]
    out = call("map", "apply", LAKESIDE, "--evidence", "e.csv").out
    assert "Note: e.csv:2: 1 row has a `scored_at` that is no date" in out


def test_examples_are_told_one_by_one_with_what_was_found(call: Call, tmp_path: Path) -> None:
    assert "3 of 3 examples came true" in call("map", "test", LAKESIDE).out
    path = school(tmp_path, "expect: {MATH.1.NQ.1: 2.2}", "expect: {MATH.1.NQ.1: 2.5}")
    answer = call("map", "test", path)
    assert answer.code == 1
    place = next(n for n, line in enumerate(path.read_text().splitlines(), 1) if "MATH.1.NQ.1: 2.5" in line)
    assert f"MATH.1.NQ.1: expected 2.5, found 2.2 ({path}:{place})" in answer.out
    examples = data(call("map", "test", path, "--json"), 1)["mappings"][0]["examples"]
    assert [example["ok"] for example in examples] == [True, False, True]
    assert examples[1]["checks"] == [
        {"about": "MATH.1.NQ.1", "expected": "2.5", "found": "2.2", "ok": False, "line": place}
    ]


def test_remarks_compare_a_mapping_with_evidence(call: Call, evidence: Path) -> None:
    (checked,) = data(call("map", "lint", LAKESIDE, "--evidence", evidence, "--json"))["checked"]
    codes = {remark["code"] for remark in checked["remarks"]}
    assert {"lint.unused-rule", "lint.unused-code", "lint.no-evidence", "lint.unmatched"} <= codes
    assert all(remark["line"] for remark in checked["remarks"])
    assert "remark: " in call("map", "lint", LAKESIDE, "--evidence", evidence).out
    assert call("map", "lint", "--evidence", evidence).code == 2


def test_findings_about_a_framework_reach_those_who_check(call: Call, tmp_path: Path) -> None:
    package = json.loads((MAPPINGS / "frameworks" / "lakeside.json").read_text(encoding="utf-8"))
    package["CFItems"][-1]["humanCodingScheme"] = package["CFItems"][-2]["humanCodingScheme"]
    (tmp_path / "framework.json").write_text(json.dumps(package), encoding="utf-8")
    path = school(tmp_path, f"{MAPPINGS}/frameworks/lakeside.json", "framework.json")
    text = re.sub(r"  - crosswalk: .*\n(    from: .*\n)?", "", path.read_text()).split("examples:")[0]
    path.write_text(text)
    (checked,) = data(call("map", "lint", path, "--json"))["checked"]
    assert [remark["code"] for remark in checked["remarks"]] == ["framework.shared-code"]


def test_coverage_says_what_has_evidence_and_what_has_none(call: Call, evidence: Path, tmp_path: Path) -> None:
    told = data(call("map", "coverage", LAKESIDE, "--evidence", evidence, "--out", "c.csv", "--json"))
    mine = {row["competency"]: row for row in told["competencies"]}
    assert (mine["MATH.1.NQ.1"]["results"], mine["MATH.1.NQ.1"]["students"]) == (4, 2)
    assert mine["MATH.1.NQ.2"]["students"] == 0
    assert len(rows(tmp_path / "c.csv")) == len(told["competencies"]) == 833
    out = call("map", "coverage", LAKESIDE, "--evidence", evidence).out
    assert "Without evidence: MATH.1.NQ.2" in out
    assert "MATH.1.NQ.1  " in call("map", "coverage", LAKESIDE, "--evidence", evidence, "--all").out


def test_a_difference_is_told_before_it_goes_live(call: Call, evidence: Path, tmp_path: Path) -> None:
    new = school(tmp_path, "newest: 0.65", "newest: 0.5")
    line = ("map", "diff", LAKESIDE, new, "--evidence", evidence)
    told = data(call(*line, "--out", "changes.csv", "--json"))
    assert (told["changes"], told["students"]) == (2, 2)
    assert [(row["school_id"], row["competency"], row["down"]) for row in told["summary"]] == [
        ("north", "MATH.1.NQ.1", 1),
        ("south", "MATH.1.NQ.1", 1),
    ]
    assert told["old"]["digest"] != told["new"]["digest"]
    changed = rows(tmp_path / "changes.csv")
    assert [(row["student_id"], row["before"], row["after"]) for row in changed] == [
        ("0012", "2.2", "2.15"),
        ("S2", "3.65", "3.5"),
    ]
    assert len(rows(tmp_path / "changes-summary.csv")) == 2
    assert "2 levels of 2 students change." in call(*line, "--out", "changes.xlsx").out
    assert read_table(tmp_path / "changes.xlsx")["student_id"].to_list() == ["0012", "S2"]
    assert "Nothing changes." in call("map", "diff", LAKESIDE, LAKESIDE, "--evidence", evidence).out


def test_the_schema_goes_to_the_screen_or_into_a_file(call: Call, tmp_path: Path) -> None:
    shown = json.loads(call("map", "schema").out)
    assert shown["properties"]["mapping"] == {"type": "string"}
    assert str(tmp_path / "schema.json") in call("map", "schema", "--out", "schema.json").out
    assert json.loads((tmp_path / "schema.json").read_text()) == shown


def test_a_mapping_out_of_force_is_noted_when_it_is_tried(call: Call, evidence: Path, tmp_path: Path) -> None:
    path = school(tmp_path, "framework:", "effective: {from: 2999-08-15, to: 3000-06-30}\nframework:")
    told = data(call("map", "apply", path, "--evidence", evidence, "--json"), 3)
    (note,) = told["notes"]
    assert (note["code"], note["line"]) == ("mapping.not-in-force", 5)
    assert "from 2999-08-15 until 3000-06-30" in note["message"]
    assert not data(call("map", "apply", path, "--evidence", evidence, "--as-of", "2999-09-01", "--json"), 3)["notes"]
    (checked,) = data(call("map", "lint", path, "--json"))["checked"]
    assert [remark["code"] for remark in checked["remarks"]] == ["mapping.not-in-force"]


def test_a_crosswalk_goes_out_for_review_and_comes_back(call: Call, evidence: Path, tmp_path: Path) -> None:
    out = call("map", "crosswalk", "export", LAKESIDE, "--out", "review.xlsx", "--evidence", evidence).out
    assert "585 agreed, 1 open" in out
    told = data(call("map", "crosswalk", "import", "review.xlsx", "--out", "mine.csv", "--json"))
    assert (told["lines"], told["changes"]) == (586, [])
    path = school(tmp_path, f"crosswalk: {MAPPINGS}/crosswalks/lakeside.csv\n    from", "crosswalk: mine.csv\n    from")
    assert call("map", "test", path).code == 0
    assert "The review changed nothing." in call("map", "crosswalk", "import", "review.xlsx", "--out", "mine.csv").out
    (tmp_path / "mine.csv").write_text("standard,competency,weight\nLKS.1,MATH.1.NQ.1,none\n")
    refused = call("map", "crosswalk", "import", "mine.csv", "--out", "other.csv")
    assert refused.code == 1
    assert "mine.csv:2" in refused.err
    assert not (tmp_path / "other.csv").exists()
    assert call("map", "crosswalk", "import", "review.xlsx", "--out", "mine.xlsx").code == 1
