"""From OneRoster files to an Ed-Fi host and back, by the command line, with the settings of the page on Ed-Fi.

Each flow runs two nights; the second writes nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.main import main
from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.roster import furnished_from
from gateway.testing.edfi.sample import SCHOOL
from gateway.testing.wsgi import serve
from tests.sync.edfi_stand import effects, write_back, write_forth

POLICIES = ("school-unweighted", "school-weighted", "plus-minus-4.0")


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = FakeEdFi("7.3").gate
    monkeypatch.setenv("EDFI_KEY", gate.key)
    monkeypatch.setenv("EDFI_SECRET", gate.secret)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """A command on a district's file: its JSON answer, with the exit code."""

    def command(file: Path, *words: str) -> dict[str, Any]:
        code = main(["--district", str(file), "--json", *words])
        return {**json.loads(capsys.readouterr().out), "exit_code": code}

    return command


@pytest.fixture
def forth(sample: Path, tmp_path: Path, credentials: None) -> Iterator[tuple[FakeEdFi, Path]]:
    host = furnished_from(FakeEdFi("7.3"), sample / "oneroster", sample / "framework.json")
    with serve(host) as address:
        yield host, write_forth(tmp_path / "district", sample, address)


def pushed(answer: dict[str, Any]) -> tuple[int, int, int]:
    push = answer["push"]
    return push["accepted"], push["rejected"], push["failed"]


def test_levels_reach_the_host_and_a_second_night_writes_nothing(run: Any, forth: tuple[FakeEdFi, Path]) -> None:
    host, file = forth
    first = run(file, "sync")
    assert first["exit_code"] == 0, first
    assert pushed(first)[1:] == (0, 0)
    assert first["verify"]["read"] > 20
    assert first["verify"]["warnings"] == []
    found = effects(host)
    assert found["studentGradebookEntries"][1] > 100
    assert found["studentCompetencyObjectives"][1] > 100
    writes = host.writes
    assert pushed(run(file, "sync")) == (0, 0, 0)
    assert host.writes == writes


def write_courses(file: Path, students: int) -> None:
    """Two courses each, one of honors."""
    with (file.parent / "sis" / "oneroster" / "users.csv").open(encoding="utf-8", newline="") as stream:
        ids = [row["sourcedId"] for row in csv.DictReader(stream)][:students]
    header = "student_id,course_code,title,subject,credit,grade,level,school_year,term"
    rows = [
        f"{id_},{course},2026,Spring"
        for id_ in ids
        for course in ("ENG1,English 1,English,1,A,regular", "ALG1,Algebra 1,Mathematics,1,B,honors")
    ]
    (file.parent / "courses.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")


def test_gpas_of_three_policies_reach_the_host_and_a_second_time_nothing_is_written(
    run: Any, forth: tuple[FakeEdFi, Path]
) -> None:
    host, file = forth
    write_courses(file, students=12)
    words = (
        "gpa", "push", *POLICIES, "--courses", str(file.parent / "courses.csv"), "--target", "ods",
        "--school-year", "2026", "--term", "Spring", "--school", str(SCHOOL), "--as-of", "2026-06-10",
    )  # fmt: skip
    assert pushed(run(file, *words)) == (36, 0, 0)
    records = host.rows("studentAcademicRecords")
    assert len(records) == 12
    averages = {
        each["gradePointAverageTypeDescriptor"].partition("#")[2]: each["gradePointAverageValue"]
        for each in records[0]["gradePointAverages"]
    }
    assert averages["School unweighted"] == Decimal("3.5")
    assert averages["School weighted"] > averages["School unweighted"]
    assert len(averages) == 3
    assert effects(host)["studentAcademicRecords"] == {1: 12}
    writes = host.writes
    assert pushed(run(file, *words)) == (0, 0, 0)
    assert host.writes == writes


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_results_of_the_host_become_a_bundle_and_a_second_night_pushes_nothing(
    run: Any, tmp_path: Path, credentials: None
) -> None:
    host = furnished(FakeEdFi("7.3"), students=12)
    with serve(host) as address:
        file = write_back(tmp_path / "district", address)
        first = run(file, "sync")
        assert pushed(first)[1:] == (0, 0), first
        bundle = file.parent / "outgoing" / "gradebook"
        levels = {row["resultSourcedId"]: row["textScore"] for row in table(bundle, "resultLearningObjectiveIds")}
        assert set(levels) == {row["sourcedId"] for row in table(bundle, "results")}
        assert set(levels.values()) == {"Meets"}
        assert {row["studentSourcedId"] for row in table(bundle, "results")} == {
            f"student:{row['studentUniqueId']}" for row in host.rows("students")
        }
        assert pushed(run(file, "sync")) == (0, 0, 0)
        assert host.writes == 0
