"""Course attempts as transcript lines, and the single members of GPAs up to Data Standard 4.0."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from marshmallow import ValidationError

from gateway.core.errors import ConfigurationError
from gateway.core.exchange import Action, Change, OutcomeState
from gateway.registry import load_connector
from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.gate import Claims
from gateway.testing.edfi.sample import LEA, SCHOOL, descriptors
from tests.connectors.edfi.target_stand import NAMESPACE, Stand, change, gate, make_host, settings_for
from tests.connectors.edfi.test_target import GPA, STUDENT, averages, gpa, gpas, of_student

HOSTS = [("5.0", "3.2"), ("5.3", "3.3"), ("6.1", "4.0"), ("7.1", "5.0"), ("7.3", "5.2"), ("8.0", "6.0")]
LINES = {"gpa": {"terms": {"Fall": "Fall Semester"}}, "transcripts": {"write": True, "credit_type": "Carnegie unit"}}


def attempt(id_: str = "a-1", **more: Any) -> dict[str, Any]:
    return {
        "id": id_, "student_id": STUDENT, "school_id": str(SCHOOL), "school_year": "2026", "term": "Spring Semester",
        "course_code": "ALG-1", "title": "Algebra I", "grade": "B+", "score": Decimal("88.125"), "grade_level": "9",
        "credit": Decimal("0.5"), "credit_earned": Decimal("0.5"), "result": "pass", **more,
    }  # fmt: skip


def lines(host: FakeEdFi) -> list[dict[str, Any]]:
    """The student's lines of the year before."""
    rows = [
        row for row in host.rows("courseTranscripts") if row["studentAcademicRecordReference"]["schoolYear"] == 2026
    ]
    assert all(row["studentAcademicRecordReference"]["studentUniqueId"] == STUDENT for row in rows)
    return rows


def attempts(stand: Stand, *records: dict[str, Any], action: Action = Action.CREATE) -> list[Change]:
    return [change("course_attempts", each, action, remote_id=stand.remote_ids.get(each["id"])) for each in records]


@pytest.mark.parametrize(("version", "standard"), HOSTS)
def test_an_attempt_becomes_a_line_under_a_record_that_is_made(version: str, standard: str, tmp_path: Path) -> None:
    stand = Stand(make_host(version, standard=standard), tmp_path, **LINES)
    outcomes = stand.push(*attempts(stand, attempt(external_school="Hill High"), attempt("a-2", term="Fall")))
    assert {each.state for each in outcomes.values()} == {OutcomeState.ACCEPTED}
    spring = next(
        row for row in lines(stand.host) if "Spring" in row["studentAcademicRecordReference"]["termDescriptor"]
    )
    assert spring["courseReference"] == {"courseCode": "ALG-1", "educationOrganizationId": LEA}
    assert (spring["finalLetterGradeEarned"], spring["finalNumericGradeEarned"]) == ("B+", Decimal("88.13"))
    assert spring["whenTakenGradeLevelDescriptor"].endswith("#Ninth grade")
    assert spring["attemptedCreditTypeDescriptor"].endswith("#Carnegie unit")
    assert ("externalEducationOrganizationNameOfInstitution" in spring) == (standard != "3.2")
    writes = stand.host.writes
    stand.push(
        *attempts(stand, attempt(external_school="Hill High"), attempt("a-2", term="Fall"), action=Action.UPDATE)
    )
    assert stand.host.writes == writes


def test_what_others_add_to_a_line_stays_and_a_withdrawn_line_goes(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, **LINES)
    stand.push(*attempts(stand, attempt(), attempt("a-2", term="Fall")))
    (id_, spring), = ((key, row) for key, row in stand.host.items("courseTranscripts").items()
                      if "Spring" in row["studentAcademicRecordReference"]["termDescriptor"])  # fmt: skip
    stand.host.replace("courseTranscripts", id_, {**spring, "alternativeCourseTitle": "Algebra"})
    stand.push(*attempts(stand, attempt(grade="A"), action=Action.UPDATE))
    changed = stand.host.items("courseTranscripts")[id_]
    assert (changed["finalLetterGradeEarned"], changed["alternativeCourseTitle"]) == ("A", "Algebra")
    stand.push(*attempts(stand, attempt(grade="A"), attempt("a-2", term="Fall"), action=Action.INACTIVATE))
    (left,) = lines(stand.host)
    assert left["alternativeCourseTitle"] == "Algebra"
    assert "finalLetterGradeEarned" not in left


def test_a_line_of_the_student_information_system_is_left_alone(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, **LINES)
    theirs = attempt(school_year="2027", term="Fall")
    before = stand.host.rows("courseTranscripts")
    outcomes = stand.push(*attempts(stand, theirs))
    assert outcomes["a-1"].code == "edfi.owned"
    assert stand.host.rows("courseTranscripts") == before


def test_a_line_that_said_the_same_already_does_not_become_ours(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, **LINES)
    (theirs,) = of_student(stand.host, "courseTranscripts")
    same = {
        "school_year": "2027", "term": "Fall", "title": None, "grade": "B", "score": Decimal(86), "grade_level": None,
        "credit": None,
    }  # fmt: skip
    writes = stand.host.writes
    for record, action in ((attempt(**same), Action.CREATE), (attempt(**same), Action.INACTIVATE)):
        assert stand.push(*attempts(stand, record, action=action))["a-1"].state is OutcomeState.ACCEPTED
    assert stand.host.writes == writes
    assert (
        stand.push(*attempts(stand, attempt(**{**same, "grade": "A"}), action=Action.UPDATE))["a-1"].code
        == "edfi.owned"
    )
    assert of_student(stand.host, "courseTranscripts") == [theirs]


def test_a_line_whose_answer_was_lost_is_ours(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, **LINES)
    stand.push(*attempts(stand, attempt()))
    stand.remote_ids.clear()
    (again,) = attempts(stand, attempt())
    assert stand.push(replace(again, attempted=True))["a-1"].state is OutcomeState.ACCEPTED
    stand.push(*attempts(stand, attempt(), action=Action.INACTIVATE))
    assert lines(stand.host) == []


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"term": None}, "edfi.required"),
        ({"term": "Autumn"}, "edfi.descriptor"),
        ({"school_id": None}, "edfi.required"),
        ({"result": "untold"}, "edfi.descriptor"),
        ({"course_code": "XYZ"}, "edfi.no-course"),
        ({"student_id": "nobody"}, "edfi.missing-reference"),
        ({"method": "By magic"}, "edfi.descriptor"),
    ],
)
def test_what_cannot_be_written_is_named_and_stops_nothing(record: dict[str, Any], code: str, tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, **LINES)
    outcomes = stand.push(*attempts(stand, attempt("bad", **record), attempt("good", term="Fall")))
    assert (outcomes["bad"].code, outcomes["good"].state) == (code, OutcomeState.ACCEPTED)


def test_a_claim_set_without_transcripts_and_a_closed_year_are_named(tmp_path: Path) -> None:
    denied = make_host(gate=gate(claims=Claims(denied=frozenset({("courseTranscripts", "Create")}))))
    stand = Stand(denied, tmp_path, **LINES)
    assert stand.push(*attempts(stand, attempt()))["a-1"].code == "edfi.claim-set"
    closed = make_host(years=[2026], gate=gate(claims=Claims(closed_years=frozenset({2026}))))
    stand = Stand(closed, tmp_path, **LINES)
    stand.settings["school_year"] = 2026
    outcome = stand.push(*attempts(stand, attempt()))["a-1"]
    assert (outcome.code, outcome.state) == ("edfi.claim-set", OutcomeState.REJECTED)
    assert closed.rows("courseTranscripts") == make_host().rows("courseTranscripts")


def test_a_course_code_of_several_organizations_is_not_guessed(tmp_path: Path) -> None:
    host = make_host()
    course = host.rows("courses")[0]
    host.seed("courses", {**course, "educationOrganizationReference": {"educationOrganizationId": SCHOOL}})
    stand = Stand(host, tmp_path, **LINES)
    one, other = attempt(), attempt("a-2", course_id=f"course:{LEA}:ALG-1", term="Fall")
    outcomes = stand.push(*attempts(stand, one, other))
    assert (outcomes["a-1"].code, outcomes["a-2"].state) == ("edfi.no-course", OutcomeState.ACCEPTED)


def test_earned_credit_is_required_up_to_4_0(tmp_path: Path) -> None:
    stand = Stand(make_host("6.1"), tmp_path, **LINES)
    assert stand.push(*attempts(stand, attempt(credit_earned=None)))["a-1"].code == "edfi.required"


FLAT = {**GPA, "flat": "weighted", "grade_value_qualifier": "A=4, B=3", "term_types": {"weighted": f"{NAMESPACE}#Term"}}


def test_single_members_are_written_beside_the_list_and_withdrawn(tmp_path: Path) -> None:
    stand = Stand(make_host("6.1"), tmp_path, gpa=FLAT, create_descriptors=True)
    (before,) = of_student(stand.host, "studentAcademicRecords")
    ours = [
        gpa("weighted", "4.12345", points=Decimal("62.5")), gpa("uc", "4.2"),
        {**gpa("weighted", "3.9", cumulative=False), "id": "term"},
    ]  # fmt: skip
    outcomes = stand.push(*gpas(*ours))
    assert {each.state for each in outcomes.values()} == {OutcomeState.ACCEPTED}
    (after,) = of_student(stand.host, "studentAcademicRecords")
    told = {name: value for name, value in after.items() if "Grade" in name or "grade" in name}
    told.pop("gradePointAverages")
    assert told == {
        "cumulativeGradePointAverage": Decimal("4.1235"), "cumulativeGradePointsEarned": Decimal("62.5"),
        "sessionGradePointAverage": Decimal("3.9"), "gradeValueQualifier": "A=4, B=3",
    }  # fmt: skip
    assert averages(stand.host)["Term"] == Decimal("3.9")
    stand.push(*gpas(*ours, action=Action.INACTIVATE, stand=stand))
    assert of_student(stand.host, "studentAcademicRecords") == [{**before, "gradeValueQualifier": "A=4, B=3"}]


def test_a_host_without_single_members_says_so(tmp_path: Path) -> None:
    stand = Stand(make_host("7.3"), tmp_path, gpa=FLAT, create_descriptors=True)
    with pytest.raises(ConfigurationError) as caught:
        stand.push(*gpas(gpa("weighted", "4")))
    assert caught.value.code == "edfi.no-flat-gpa"


def test_a_cumulative_and_a_term_gpa_of_one_type_are_refused(tmp_path: Path) -> None:
    host = make_host()
    for more in ({"term_types": {"weighted": "Weighted"}}, {"types": {"a": "Weighted", "b": "Weighted"}}):
        settings = settings_for(host, gpa={**GPA, **more})
        with pytest.raises(ValidationError, match="the type alone is the key"):
            load_connector("edfi").Settings().load(settings)


def test_the_check_names_results_and_subjects_that_the_host_lacks(tmp_path: Path) -> None:
    host = make_host()
    host.seed("courseAttemptResultDescriptors", *descriptors("courseAttemptResult", ["NP"], "lakeside.example"))
    lines = {"write": True, "results": {"fail": "Flunked"}, "subjects": {"english": "Rhetoric"}}
    found = {item.what: item for item in Stand(host, tmp_path, transcripts=lines).target().check() if not item.ok}
    assert sorted(found) == ["AcademicSubject descriptor", "CourseAttemptResult descriptor"]
