"""A district's life from the command line: from ``init`` to a held night, over real files and a real database."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.invocation import now
from gateway.settings import load_district
from gateway.shipped import shipped
from gateway.store import open_store
from gateway.store.leases import hold
from tests.cli.conftest import Answer, Call


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a student information system delivers: a small district without planted mess."""
    from gateway.sample import CLEAN, write_sample_district

    out = tmp_path_factory.mktemp("sample")
    write_sample_district(out, seed=3, students=100, mess=CLEAN)
    return out / "oneroster"


@pytest.fixture
def district(call: Call, delivered: Path, tmp_path: Path) -> Path:
    """A folder written by ``init``, with a delivery in it."""
    assert call("init", "--id", "lakeside", "--time-zone", "Asia/Kolkata").code == 0
    shutil.copytree(delivered, tmp_path / "incoming", dirs_exist_ok=True)
    return tmp_path


def data(answer: Answer, code: int) -> Any:
    assert answer.code == code, answer.err + answer.out
    return answer.data


def lose_results(folder: Path, *, keep_one_in: int) -> None:
    path = folder / "incoming" / "results.csv"
    with path.open(newline="") as stream:
        header, *rows = list(csv.reader(stream))
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows[::keep_one_in]])


def test_init_overwrites_nothing(call: Call, tmp_path: Path) -> None:
    assert call("init", "there").code == 0
    before = (tmp_path / "there/gateway.yaml").read_text()
    assert load_district(tmp_path / "there/gateway.yaml").id == "my-district"
    again = call("init", "there", "--name", "Other")
    assert again.code == 1
    assert "exists already" in again.err
    assert (tmp_path / "there/gateway.yaml").read_text() == before
    (tmp_path / "here/mappings/schools").mkdir(parents=True)
    (tmp_path / "here/mappings/schools/lakeside.yaml").touch()
    assert call("init", "here").code == 1
    assert not (tmp_path / "here/gateway.yaml").exists()


def test_init_writes_what_was_said(call: Call, tmp_path: Path) -> None:
    line = ("init", "--id", "north", "--name", "North: the #1 district", "--time-zone", "Europe/Paris")
    assert call(*line).code == 0
    written = load_district(tmp_path / "gateway.yaml")
    assert (written.id, written.name, str(written.time_zone)) == ("north", "North: the #1 district", "Europe/Paris")


@pytest.mark.parametrize(("option", "value"), [("--id", "North Side"), ("--time-zone", "Mars/Base")])
def test_init_refuses_what_check_would_refuse(call: Call, tmp_path: Path, option: str, value: str) -> None:
    assert call("init", "new", option, value).code == 1
    assert not (tmp_path / "new").exists()


def test_the_nights_of_a_district(call: Call, district: Path) -> None:
    assert data(call("check", "--json"), 0)["checked"][1]["ok"] is True
    assert call("doctor").code == 0

    assert data(call("pull", "--json"), 0)["state"] == "pulled"
    planned = data(call("sync", "--dry-run", "--json"), 0)
    assert planned["state"] == "planned"
    assert not any((district / "outgoing").iterdir())
    assert data(call("apply", planned["run"], "--json"), 0)["push"]["accepted"] > 0
    assert (district / "outgoing/results.csv").is_file()

    second = data(call("sync", "nightly", "--json"), 0)
    assert (second["state"], second["push"]["accepted"]) == ("done", 0)

    runs = data(call("runs", "list", "--json"), 0)["runs"]
    assert runs[0]["run"] == second["run"]
    assert data(call("runs", "show", second["run"], "--json"), 0) == runs[0]
    assert second["run"] in call("runs", "list", "--sync", "nightly").out
    assert "Nothing is in quarantine." in call("quarantine", "list").out
    tried = data(call("map", "apply", "mappings/schools/lakeside.yaml", "--out", "tables", "--json"), 0)
    assert tried["tables"]["levels"] > 0
    assert len((district / "tables/levels.csv").read_text().splitlines()) == tried["tables"]["levels"] + 1


def test_a_night_that_a_guard_holds(call: Call, district: Path) -> None:
    assert call("sync").code == 0
    lose_results(district, keep_one_in=100)
    assert call("sync").code in (0, 4)
    held = data(call("sync", "--json"), 4)
    assert held["state"] == "held"
    refused = call("apply", held["run"])
    assert refused.code == 4
    assert "mastery-gateway approve" in refused.err

    assert call("approve", held["run"], "--by", "Kim").code == 2
    assert call("approve", held["run"], "--by", " ", "--reason", "x").code == 1
    assert call("approve", "unknown", "--by", "Kim", "--reason", "x").code == 1
    line = ("approve", held["run"], "--by", "Kim Lee", "--reason", "New year", "--decision", "additions-and-updates")
    approved = call(*line)
    assert approved.code == 0
    assert f"mastery-gateway apply {held['run']}" in approved.out
    again = call(*line)
    assert again.code == 1
    assert "decided already" in again.err
    assert call("apply", held["run"]).code in (0, 3)


def test_what_is_set_aside_is_told_shown_and_tried_again(call: Call, district: Path) -> None:
    path = district / "incoming" / "results.csv"
    text = path.read_text().splitlines(keepends=True)
    cells = next(csv.reader([text[1]]))
    record = cells[0]
    text[1] = text[1].replace(f"{cells[3]}", "nobody")
    path.write_text("".join(text))
    assert call("sync").code == 3
    listed = data(call("quarantine", "list", "--json"), 0)
    assert (listed["total"], listed["causes"][0]["table"]) == (1, "results")
    assert record in call("quarantine", "list", "--all").out
    assert "No" not in call("quarantine", "list", "--table", "results").out[:2]
    shown = call("quarantine", "show", "results", record)
    assert shown.code == 0
    assert "results.csv:2" in shown.out
    assert call("quarantine", "show", "results", "unknown").code == 1
    assert call("quarantine", "retry").code in (3, 4)


def test_a_connection_that_another_run_holds(call: Call, district: Path) -> None:
    settings = load_district(district / "gateway.yaml")
    store = open_store(f"sqlite:///{district / 'data/gateway.db'}")
    with hold(store, settings.id, ["sis"], now):
        answer = call("sync")
    store.close()
    assert answer.code == 75
    assert "Another run works on the connection" in answer.err


def test_asking_before_anything_was_pulled(call: Call, district: Path) -> None:
    assert "There are no runs yet." in call("runs", "list").out
    assert "There are no runs yet." in call("runs", "show").out
    assert call("runs", "show", "unknown").code == 1
    assert "Nothing is in quarantine." in call("quarantine", "list").out
    answer = call("map", "apply", "mappings/schools/lakeside.yaml")
    assert answer.code == 1
    assert "mastery-gateway pull" in answer.err


def test_a_mapping_is_tried_on_a_file_of_evidence(call: Call, district: Path) -> None:
    evidence = district / "evidence.csv"
    evidence.write_text(
        "student_id,standard,score,category,scored_at\n"
        "s1,LKS.MATH.1.NQ.1,2,Summative,2026-09-01\n"
        "s1,LKS.MATH.1.NQ.1,4,Summative,2026-09-02\n"
        "s1,LKS.NOWHERE.1,4,Summative,2026-09-03\n"
    )
    answer = call("map", "apply", "mappings/schools/lakeside.yaml", "--evidence", evidence, "--json")
    told = data(answer, 3)
    assert told["evidence"] == 3
    assert told["unmatched"][0]["value"] == "LKS.NOWHERE.1"
    lines = call("map", "apply", "mappings/schools/lakeside.yaml", "--evidence", evidence).out
    assert "unmatched code LKS.NOWHERE.1" in lines


def test_a_fault_in_a_mapping_is_told_with_its_line(call: Call, district: Path) -> None:
    path = district / "mappings/schools/lakeside.yaml"
    text = path.read_text()
    path.write_text(text.replace("newest: 0.65", "newst: 0.65"))
    line = next(n for n, each in enumerate(path.read_text().splitlines(), 1) if "newst" in each)
    for answer in (call("check"), call("map", "lint"), call("map", "lint", path)):
        assert answer.code == 1
        assert f"lakeside.yaml:{line}" in answer.out
        assert 'Did you mean "newest"?' in answer.out
    path.write_text(text.replace("expect: {MATH.1.NQ.1: 3.53}", "expect: {MATH.1.NQ.1: 3.5}"))
    failed = data(call("map", "lint", "--json"), 1)["checked"][0]
    assert failed["problems"][0]["code"] == "mapping.example"


def test_a_fault_in_the_districts_file_is_told_by_check(call: Call, district: Path) -> None:
    path = district / "gateway.yaml"
    path.write_text(path.read_text().replace("target: continuum", "target: continum"))
    answer = call("check")
    assert answer.code == 1
    assert 'Did you mean "continuum"?' in answer.out
    assert data(call("check", "--json"), 1)["checked"][0]["ok"] is False


def test_gpa_policies_are_checked_too(call: Call, district: Path) -> None:
    folder = district / "mappings/gpa"
    folder.mkdir()
    good = shipped("mappings") / "gpa/school-weighted.yaml"
    shutil.copyfile(good, folder / "mine.yaml")
    assert f"ok    {folder}/mine.yaml: policy school-weighted" in call("check").out
    (folder / "same.yaml").write_text(good.read_text().replace('"2026.1"', '"2026.2"'))
    overlapping = call("check")
    assert overlapping.code == 1
    assert "hold on the same day" in overlapping.out
    (folder / "same.yaml").write_text(good.read_text().replace("marks:", "mraks:"))
    faulty = call("check")
    assert faulty.code == 1
    assert 'Did you mean "marks"?' in faulty.out


def test_a_mapping_whose_framework_is_pulled_is_checked_against_the_last_pull(call: Call, district: Path) -> None:
    framework = district / "mappings/frameworks/lakeside.json"
    framework.rename(district / "standards.json")
    path = district / "gateway.yaml"
    case = "  standards:\n    connector: case\n    settings: {path: standards.json}\n"
    text = path.read_text().replace("connections:\n", f"connections:\n{case}")
    path.write_text(text.replace("    source: sis\n", "    source: sis\n    framework: standards\n"))
    assert "checked in full once standards was pulled" in call("check").out
    assert call("sync", "--dry-run").code == 0
    assert "mapping lakeside 2026.1, 3 examples" in call("check").out
    assert call("map", "apply", "mappings/schools/lakeside.yaml").code == 0
