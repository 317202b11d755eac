"""From the transcripts of an Ed-Fi host to GPAs and back, by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.history import with_history
from gateway.testing.edfi.sample import SCHOOL
from gateway.testing.wsgi import serve
from tests.cli.conftest import Call

DISTRICT = """\
district: lakeside
name: Lakeside
time_zone: America/New_York
connections:
  ods:
    connector: edfi
    settings:
      base_url: {address}
      auth: {{client_id: "${{file:key}}", client_secret: "${{file:secret}}"}}
      streams: {streams}
      target:
        namespace: uri://example.org/Gateway
        create_descriptors: true
        gpa:
          types: {{school-weighted: Weighted, school-unweighted: "uri://example.org/Gateway#Plain"}}
          terms: {{Fall: Fall Semester}}
        transcripts: {{write: true, credit_type: Carnegie unit}}
syncs:
  transcripts: {{source: ods, mapping: mappings/none.yaml, target: ods}}
"""
DAY = ("--as-of", "2026-12-18")
SOURCE = ("--transcripts", "ods", *DAY)


class Host:
    """A served host, and a district beside it."""

    def __init__(self, fake: FakeEdFi, address: str, folder: Path) -> None:
        self.fake, self.folder = fake, folder
        (folder / "key").write_text(fake.gate.key, encoding="utf-8")
        (folder / "secret").write_text(fake.gate.secret, encoding="utf-8")
        self.write("[users, transcripts]", address)

    def write(self, streams: str, address: str = "") -> None:
        self.address = address or self.address
        text = DISTRICT.format(address=self.address, streams=streams)
        (self.folder / "gateway.yaml").write_text(text, encoding="utf-8")

    def correct(self, student: str, **members: Any) -> None:
        """Change the student's newest line of English."""
        for id_, line in self.fake.items("courseTranscripts").items():
            record = line["studentAcademicRecordReference"]
            spring = record["termDescriptor"].endswith("Spring Semester")
            if record["studentUniqueId"] == student and line["courseReference"]["courseCode"] == "ENG-9" and spring:
                self.fake.replace("courseTranscripts", id_, {**line, **members})

    def averages(self, student: str) -> dict[str, Decimal]:
        return {
            each["gradePointAverageTypeDescriptor"].partition("#")[2]: each["gradePointAverageValue"]
            for row in self.fake.rows("studentAcademicRecords")
            if row["studentReference"]["studentUniqueId"] == student
            for each in row.get("gradePointAverages", ())
        }


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    fake = with_history(furnished(FakeEdFi("7.3"), students=6))
    with serve(fake) as address:
        yield Host(fake, f"{address}{fake.addresses.root}", tmp_path)


def test_pulled_transcripts_become_gpas_beside_those_that_are_stated(call: Call, host: Host) -> None:
    assert call("pull").code == 0
    host.correct("604801", finalLetterGradeEarned="D")
    line = ("gpa", "compute", "school-weighted", "school-unweighted", *SOURCE, "--out", "g.csv")
    answer = call(*line, "--stated", "school-unweighted=Unweighted")
    assert answer.code == 0, answer.err
    assert "42 course attempts" in answer.out
    assert "12 more are of courses to which no GPA applies" in answer.out
    assert set(pl.read_csv("g.stated.csv")["found"]) == {"agrees"}
    assert call("pull").code == 0
    assert "school-unweighted, Unweighted as stated: 1 differs" in call(
        *line, "--stated", "school-unweighted=Unweighted"
    ).out  # fmt: skip
    wrong = call(*line, "--stated", "school-unweighted=Plain")
    assert (wrong.code, "There are: Unweighted." in wrong.err) == (1, True)
    explained = call("gpa", "explain", "school-weighted", *SOURCE, "--student", "student:604801")
    assert "English 9 (2026 Spring Semester): D" in explained.out
    assert "6 of 6" in call("gpa", "compare", "school-weighted", "school-unweighted", *SOURCE).out


def test_gpas_go_back_and_follow_a_corrected_grade_and_a_withdrawal(call: Call, host: Host) -> None:
    call("pull")
    line = ("gpa", "push", "school-weighted", "school-unweighted", *SOURCE, "--target", "ods", "--school-year", "2027",
            "--term", "Fall")  # fmt: skip
    first = call(*line)
    assert "Pushed       12 accepted" in first.out, first.err
    writes = host.fake.writes
    assert "12 unchanged" in call(*line).out
    assert host.fake.writes == writes
    before = host.averages("604802")
    host.correct("604801", finalLetterGradeEarned="C")
    call("pull")
    assert "2 to update, 0 to inactivate, 10 unchanged" in call(*line).out
    assert host.fake.writes == writes + 1
    assert host.averages("604802") == before
    host.correct("604801", finalLetterGradeEarned="??")
    call("pull")
    assert "0 to inactivate, 10 unchanged" in call(*line).out
    assert "2 to inactivate, 10 unchanged" in call(*line, "--withdraw").out
    assert set(host.averages("604801")) == {"Unweighted"}
    assert host.averages("604802") == before


def test_course_attempts_become_lines_and_a_corrected_result_takes_the_place_of_the_first(
    call: Call, host: Host
) -> None:
    rows = ["student_id,course_code,grade,credit,school_year,term,status", "604801,ALG-1,{},0.5,2025,Fall,",
            "604802,ALG-1,W,0.5,2025,Fall,", "604803,ALG-1,,0.5,2025,Fall,in progress",
            "604804,ALG-1,??,0.5,2025,Fall,", "604805,ALG-1,A,0.5,2025,Autumn,"]  # fmt: skip
    line = ("gpa", "push-transcripts", "school-weighted", "--courses", "c.csv", "--target", "ods", *DAY,
            "--school", str(SCHOOL))  # fmt: skip

    def results() -> dict[str, tuple[str, Any]]:
        return {
            row["studentAcademicRecordReference"]["studentUniqueId"]: (
                row["courseAttemptResultDescriptor"].partition("#")[2], row["earnedCredits"],
            )
            for row in host.fake.rows("courseTranscripts")
            if row["studentAcademicRecordReference"]["schoolYear"] == 2025
        }  # fmt: skip

    Path("c.csv").write_text("\n".join(rows).format("F"))
    answer = call(*line)
    assert answer.code == 3
    assert "1 course attempts in progress or audited are not sent." in answer.out
    assert "1 course attempts without a result that can be told are not sent." in answer.out
    assert "The host has no Term value" in answer.out
    assert results() == {"604801": ("Fail", 0), "604802": ("Withdrawn", 0)}
    Path("c.csv").write_text("\n".join(rows).format("B"))
    assert "1 to inactivate" in call(*line).out
    assert results()["604801"] == ("Pass", Decimal("0.5"))
    Path("c.csv").write_text("\n".join(rows[:2]).format("B"))
    call(*line)
    assert set(results()) == {"604801", "604802"}
    call(*line, "--withdraw")
    assert set(results()) == {"604801"}
    assert call(*(each for each in line if each != "school-weighted")).code == 2


def test_a_pull_without_transcripts_and_an_unknown_name_are_told(call: Call, host: Host) -> None:
    line = ("gpa", "compute", "school-weighted", "--out", "g.csv")
    assert "Nothing has been pulled for ods yet." in call(*line, *SOURCE).err
    host.write("[users]")
    call("pull")
    missing = call(*line, *SOURCE)
    assert (missing.code, "name transcripts under `streams`" in missing.err) == (1, True)
    assert 'Did you mean "transcripts"?' in call(*line, "--transcripts", "transcript").err
    Path("c.csv").write_text("student_id,course_code,grade,credit\na,b,A,1\n")
    assert call(*line, "--transcripts", "ods", "--courses", "c.csv").code == 2
    assert call(*line, "--courses", "c.csv", "--stated", "school-weighted=Weighted").code == 2
