"""Transcripts, academic records and report cards as course attempts and as the GPAs that the host states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.core.check import read_rows
from gateway.core.model import TABLES
from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.district import furnished, refer
from gateway.testing.edfi.model import model_of
from gateway.testing.edfi.sample import LEA, SCHOOL, YEAR, descriptors, uri
from gateway.testing.faults import Fault, FaultKind
from tests.connectors.edfi.source_stand import SourceStand, rejected
from tests.connectors.edfi.test_source_rows import HOSTS

TRANSCRIPTS = ["transcripts"]


def only(remote: FakeEdFi, resource: str) -> tuple[str, dict[str, Any]]:
    (item,) = remote.items(resource).items()
    return item


def pulled(remote: FakeEdFi, work: Path, **settings: Any) -> dict[str, list[dict[str, Any]]]:
    """Typed rows by table; none is set aside."""
    found = {}
    for name, frame in SourceStand(remote, work, streams=TRANSCRIPTS, **settings).pull().items():
        checked = read_rows(frame, TABLES[name])
        assert checked.quarantine.is_empty()
        found[name] = checked.rows.to_dicts()
    return found


@pytest.mark.parametrize(("version", "standard"), HOSTS)
def test_every_data_standard_gives_course_attempts(version: str, standard: str, tmp_path: Path) -> None:
    found = pulled(furnished(FakeEdFi(version, standard=standard), students=3), tmp_path)
    assert [len(found[name]) for name in ("course_attempts", "gpas")] == [3, 3]
    attempt = min(found["course_attempts"], key=lambda row: row["id"])
    assert attempt["id"] == f"attempt:604800:{SCHOOL}:{YEAR}:Fall Semester:{LEA}:ALG-1:Pass"
    told = {name: str(attempt[name]) for name in ("student_id", "term", "title", "grade", "score", "credit_earned")}
    assert told == {
        "student_id": "student:604800", "term": "Fall Semester", "title": "Algebra I", "grade": "B",
        "score": "86.000000", "credit_earned": "0.500000",
    }  # fmt: skip
    assert (attempt["subjects"], attempt["result"]) == (["Mathematics"], "pass")
    assert attempt["credit"] is None, "what the host is silent of is not zero"
    assert str(attempt["completed_on"]) == "2026-12-18"


def test_what_a_line_is_silent_of_is_that_of_its_course(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    id_, course = only(remote, "courses")
    for kind, code in (("courseLevelCharacteristic", "General"), ("courseGPAApplicability", "Not Applicable")):
        remote.seed(f"{kind}Descriptors", *descriptors(kind, [code]))
    levels = [uri("courseLevelCharacteristic", each) for each in ("General", "Other", "Advanced Placement")]
    remote.replace("courses", id_, {
        **course, "levelCharacteristics": [{"courseLevelCharacteristicDescriptor": each} for each in levels],
        "courseGPAApplicabilityDescriptor": uri("courseGPAApplicability", "Not Applicable"),
    })  # fmt: skip
    id_, line = only(remote, "courseTranscripts")
    remote.replace("courseTranscripts", id_, {
        **line, "courseTitle": "Algebra, intensive", "attemptedCredits": 0.125, "attemptedCreditConversion": 0.33,
        "academicSubjects": [{"academicSubjectDescriptor": uri("academicSubject", "Science")}],
        "attemptedCreditTypeDescriptor": uri("creditType", "Semester hour credit"),
        "whenTakenGradeLevelDescriptor": uri("gradeLevel", "Tenth grade"),
        "partialCourseTranscriptAwards": [{"awardDate": "2026-10-01", "earnedCredits": 0.1},
                                          {"awardDate": "2026-11-01", "earnedCredits": 0.1}],
    })  # fmt: skip
    (attempt,) = pulled(remote, tmp_path)["course_attempts"]
    assert (attempt["title"], attempt["level"], attempt["subjects"]) == ("Algebra, intensive", "ap", ["Science"])
    assert (attempt["grade_level"], attempt["gpa_applicability"]) == ("10", "Not Applicable")
    assert (str(attempt["credit"]), str(attempt["credit_factor"])) == ("0.125000", "0.330000")
    assert (attempt["credit_type"], str(attempt["completed_on"])) == ("Semester hour credit", "2026-11-01")


def test_values_of_our_own_namespace_are_not_what_the_host_states(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    remote.seed("gradePointAverageTypeDescriptors", *descriptors("gradePointAverageType", ["NCAA"], "ours.example"),
                *descriptors("gradePointAverageType", ["Core"], "state.example"))  # fmt: skip
    id_, record = only(remote, "studentAcademicRecords")
    averages = [
        {"gradePointAverageTypeDescriptor": uri("gradePointAverageType", code, owner), "gradePointAverageValue": value,
         "isCumulative": True, "maxGradePointAverageValue": 4}
        for code, owner, value in (("NCAA", "ours.example", 3.1), ("Core", "state.example", 3.0625))
    ]  # fmt: skip
    remote.replace("studentAcademicRecords", id_, {**record, "gradePointAverages": averages})
    (stated,) = pulled(remote, tmp_path, target={"namespace": "uri://ours.example"})["gpas"]
    assert (stated["type"], str(stated["value"])) == ("uri://state.example#Core", "3.062500")
    assert (stated["cumulative"], stated["policy"], str(stated["as_of"])) == (True, None, "2026-12-18")
    assert len(pulled(remote, tmp_path)["gpas"]) == 2


@pytest.mark.parametrize(("version", "standard"), [("5.3", "3.3"), ("6.1", "4.0")])
def test_flat_averages_are_read_where_the_standard_has_them(version: str, standard: str, tmp_path: Path) -> None:
    remote = furnished(FakeEdFi(version, standard=standard), students=1)
    id_, record = only(remote, "studentAcademicRecords")
    flat = {"cumulativeGradePointAverage": 3.4567, "cumulativeGradePointsEarned": 62, "sessionGradePointAverage": 0}
    remote.replace("studentAcademicRecords", id_, {**record, **flat, "gradePointAverages": []})
    id_, card = only(remote, "reportCards")
    remote.replace("reportCards", id_, {**card, "gpaGivenGradingPeriod": 2.5})
    found = {row["type"]: row for row in pulled(remote, tmp_path)["gpas"]}
    assert {kind: (str(row["value"]), row["cumulative"]) for kind, row in found.items()} == {
        "cumulativeGradePointAverage": ("3.456700", True), "sessionGradePointAverage": ("0.000000", False),
        "gpaGivenGradingPeriod": ("2.500000", False),
    }  # fmt: skip
    assert str(found["cumulativeGradePointAverage"]["points"]) == "62.000000"
    assert str(found["gpaGivenGradingPeriod"]["as_of"]) == "2026-10-16"


def test_a_value_without_a_word_is_delivered_and_named(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    remote.seed("courseAttemptResultDescriptors", *descriptors("courseAttemptResult", ["In Progress"], "x.example"))
    line = remote.rows("courseTranscripts")[0]
    record = refer(model_of("5.2"), "studentAcademicRecords", remote.rows("studentAcademicRecords")[0])
    remote.seed("courseTranscripts", {
        "courseReference": line["courseReference"], "studentAcademicRecordReference": record,
        "courseAttemptResultDescriptor": uri("courseAttemptResult", "In Progress", "x.example"),
    })  # fmt: skip
    stand = SourceStand(remote, tmp_path, streams=TRANSCRIPTS)
    assert set(stand.pull()["course_attempts"]["result"]) == {"pass", "In Progress"}
    assert any("courseAttemptResult" in warning for warning in stand.warnings)


def test_transcripts_are_pulled_on_request_and_a_bad_line_is_set_aside(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=2)
    assert "course_attempts" not in SourceStand(remote, tmp_path).pull()
    remote.inject(Fault(FaultKind.BAD_RECORD, path="ed-fi/courseTranscripts?", times=None))
    found = SourceStand(remote, tmp_path, streams=TRANSCRIPTS).pull()
    assert (rejected(found), found["course_attempts"].height) == (1, 1)
