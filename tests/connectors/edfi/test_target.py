"""What records become at an Ed-Fi host, beside what other systems wrote there."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.core.competency import package_identifier
from gateway.core.errors import ConfigurationError
from gateway.core.exchange import Action, Change, OutcomeState
from gateway.testing.edfi import Claims, EdFiGate, FakeEdFi
from gateway.testing.edfi.sample import LEA, SCHOOL, uri
from gateway.testing.faults import Fault, FaultKind
from tests.connectors.edfi.target_stand import (
    COMPETENCIES,
    NAMESPACE,
    STUDENTS,
    Stand,
    change,
    line_item,
    make_host,
    result,
)

ALL = ("gradebook", "competencies", "grades", "assessments")
STUDENT = STUDENTS[0]


def night(stand: Stand, *records: dict[str, Any]) -> None:
    """A line item and some results, all accepted."""
    changes = [change("line_items", line_item()), *(change("results", each) for each in records)]
    outcomes = stand.push(*(replace(each, remote_id=stand.remote_ids.get(each.id)) for each in changes))
    assert [each for each in outcomes.values() if each.state is not OutcomeState.ACCEPTED] == []


def of_student(host: FakeEdFi, resource: str, student: str = STUDENT) -> list[dict[str, Any]]:
    return [row for row in host.rows(resource) if student in json.dumps(row, default=str)]


def levels(host: FakeEdFi, student: str = STUDENT) -> dict[str, str]:
    return {
        row["objectiveCompetencyObjectiveReference"]["objective"]: row["competencyLevelDescriptor"].partition("#")[2]
        for row in of_student(host, "studentCompetencyObjectives", student)
    }


@pytest.mark.parametrize(("version", "writes"), [("7.3", ALL), ("6.1", ALL), ("8.0", ALL), ("5.3", ALL[1:3])])
def test_a_second_night_writes_nothing(version: str, writes: tuple[str, ...], tmp_path: Path) -> None:
    stand = Stand(make_host(version), tmp_path, *writes, assessment={"subject": "Mathematics"})
    records = [result(student, f"r-{student}") for student in STUDENTS]
    night(stand, *records)
    before = stand.host.effects.total()
    assert before
    night(stand, *records)
    assert stand.host.effects.total() == before


def test_a_line_item_and_a_result_become_a_gradebook_entry_and_a_score(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "gradebook")
    night(stand, result(STUDENT, score=Decimal("3.335000")))
    entry = next(row for row in stand.host.rows("gradebookEntries") if row["namespace"] == NAMESPACE)
    assert entry["sectionReference"]["sectionIdentifier"] == "ALG-1-01"
    assert entry["gradingPeriodReference"]["gradingPeriodName"] == "Q2"
    assert (entry["dateAssigned"], entry["dueDate"], entry["maxPoints"]) == ("2026-08-24", "2026-12-17", 4)
    (score,) = [
        row
        for row in of_student(stand.host, "studentGradebookEntries")
        if row["gradebookEntryReference"]["namespace"] == NAMESPACE
    ]
    assert score["numericGradeEarned"] == Decimal("3.34")
    assert score["letterGradeEarned"] == "Proficient"
    assert score["competencyLevelDescriptor"] == uri("competencyLevel", "Proficient")


def test_levels_stand_under_the_grading_period_of_their_evidence(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "competencies")
    night(stand, result(STUDENT))
    assert levels(stand.host) == {
        "Objective 0": "Proficient",
        "Objective 1": "Proficient",
        "Solve linear equations": "Proficient",
    }
    mine = [row for row in of_student(stand.host, "studentCompetencyObjectives") if "diagnosticStatement" in row]
    assert {row["gradingPeriodReference"]["gradingPeriodName"] for row in mine} == {"Q1"}


@pytest.mark.parametrize(
    ("level", "step"), [("2.8", "Basic"), ("3", "Proficient"), ("3.99", "Proficient"), ("0.5", "Below Basic")]
)
def test_a_level_takes_the_highest_numbered_step_that_it_reaches(level: str, step: str, tmp_path: Path) -> None:
    numbered = {"1": "Below Basic", "2": "Basic", "3": "Proficient", "4": "Advanced"}
    stand = Stand(make_host(), tmp_path, "competencies", levels=numbered)
    objectives = [{"source": "case", "learning_objective_id": COMPETENCIES[0], "score": Decimal(level)}]
    night(stand, result(STUDENT, result_learning_objectives=objectives))
    assert levels(stand.host)["Objective 0"] == step


def test_the_ids_with_which_this_connector_pulls_lead_back(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "gradebook", "competencies")
    pulled = {
        "student_id": f"student:{STUDENT}",
        "class_id": f"class:{SCHOOL}:2027:Fall:ALG-1:ALG-1-01",
        "competencies": [f"objective:{LEA}:Ninth grade:Objective 1"],
    }
    stand.push(change("line_items", line_item(class_id=pulled["class_id"])))
    outcome = stand.push(change("results", result(STUDENT, "r-1", **pulled)))["r-1"]
    assert outcome.state is OutcomeState.ACCEPTED
    assert set(levels(stand.host)) == {"Objective 1", "Solve linear equations"}


def test_a_framework_of_the_host_leads_back_under_the_identifiers_of_its_package(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "competencies")
    night(stand, result(STUDENT, "r-1", competencies=[package_identifier(f"objective:{LEA}:Ninth grade:Objective 1")]))
    assert set(levels(stand.host)) == {"Objective 1", "Solve linear equations"}
    stand = Stand(make_host(), tmp_path, "grades")
    night(stand, result(STUDENT, "r-1", competencies=[package_identifier("STD-1")]))
    (grade,) = of_student(stand.host, "grades")
    assert "STD-1" in json.dumps(grade["learningStandardGrades"], default=str)


def test_files_of_the_settings_lead_to_students_and_sections(tmp_path: Path) -> None:
    (tmp_path / "students.csv").write_text(f"student_id,studentUniqueId\nu-1,{STUDENT}\n", encoding="utf-8")
    header = "class_id,localCourseCode,schoolId,schoolYear,sectionIdentifier,sessionName"
    row = f"k-1,ALG-1,{SCHOOL},2027,ALG-1-01,Fall"
    (tmp_path / "classes.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    stand = Stand(make_host(), tmp_path, "competencies", students="students.csv", classes="classes.csv")
    records = [result("u-1", class_id="k-1"), result("u-2", class_id="k-1")]
    outcomes = stand.push(*(change("results", each) for each in records))
    assert outcomes["u-1"].state is OutcomeState.ACCEPTED
    assert outcomes["u-2"].code == "edfi.no-student"
    assert "Objective 0" in levels(stand.host)


def test_a_file_without_its_columns_is_named(tmp_path: Path) -> None:
    (tmp_path / "students.csv").write_text("student_id\nu-1\n", encoding="utf-8")
    stand = Stand(make_host(), tmp_path, "gradebook", students="students.csv")
    with pytest.raises(ConfigurationError, match="studentUniqueId") as caught:
        stand.push(change("results", result("u-1")))
    assert caught.value.code == "edfi.file"


def test_a_competency_that_is_told_no_longer_goes_and_those_of_others_stay(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "competencies")
    night(stand, result(STUDENT, "r-1"), result(STUDENT, "r-2", competencies=COMPETENCIES[1:]))
    night(stand, result(STUDENT, "r-1", competencies=COMPETENCIES[:1]))
    assert set(levels(stand.host)) == {"Objective 0", "Objective 1", "Solve linear equations"}
    stand.push(change("results", result(STUDENT, "r-2"), Action.INACTIVATE))
    assert set(levels(stand.host)) == {"Objective 0", "Solve linear equations"}


def test_scores_by_standard_ride_on_the_grade_of_the_student_information_system(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "grades")
    (before,) = of_student(stand.host, "grades")
    night(stand, result(STUDENT, "r-1"))
    (after,) = of_student(stand.host, "grades")
    found = {
        each["learningStandardReference"]["learningStandardId"]: each.get("letterGradeEarned")
        for each in after["learningStandardGrades"]
    }
    assert found == {"A-REI.3": "3", "A-REI.4": "3", "STD-0": "Proficient", "STD-1": "Proficient"}
    assert {**after, "learningStandardGrades": None} == {**before, "learningStandardGrades": None}
    stand.push(change("results", result(STUDENT, "r-1"), Action.INACTIVATE))
    assert of_student(stand.host, "grades") == [before]


def test_without_a_grade_that_carries_them_scores_are_kept_back(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "grades")
    for id_ in stand.host.items("grades"):
        stand.host.remove("grades", id_)
    outcome = stand.push(change("results", result(STUDENT)))[STUDENT]
    assert (outcome.state, outcome.code) == (OutcomeState.FAILED, "edfi.no-grade")


def test_evidence_stands_in_an_assessment_of_our_own(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "assessments")
    night(stand, result(STUDENT, "r-1"))
    night(stand, result(STUDENT, "r-1", competencies=COMPETENCIES[:1]))
    (mine,) = [row for row in of_student(stand.host, "studentAssessments") if "mastery" in json.dumps(row, default=str)]
    (objective,) = mine["studentObjectiveAssessments"]
    assert objective["objectiveAssessmentReference"]["identificationCode"] == COMPETENCIES[0]
    assert objective["performanceLevels"][0]["performanceLevelDescriptor"] == uri("performanceLevel", "Proficient")
    assert objective["scoreResults"][0]["result"] == "3"


def test_what_somebody_else_writes_meanwhile_stays(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "grades")
    stand.host.other_writer = lambda row: {**row, "letterGradeEarned": "A"}
    stand.host.inject(Fault(FaultKind.OTHER_WRITER, path="/grades/", method="PUT", times=2))
    night(stand, result(STUDENT))
    (grade,) = of_student(stand.host, "grades")
    assert grade["letterGradeEarned"] == "A"
    assert len(grade["learningStandardGrades"]) == 4


def test_a_record_that_changes_again_and_again_is_left_to_the_next_night(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "grades")
    stand.host.inject(Fault(FaultKind.OTHER_WRITER, path="/grades/", method="PUT", times=None))
    outcome = stand.push(change("results", result(STUDENT)))[STUDENT]
    assert (outcome.state, outcome.code) == (OutcomeState.FAILED, "edfi.changed")
    assert stand.host.writes == 5


@pytest.mark.parametrize("version", ["7.3", "6.1"])
@pytest.mark.parametrize(
    ("record", "target", "code", "state"),
    [
        ({"student_id": "nobody"}, {}, "edfi.missing-reference", OutcomeState.FAILED),
        ({"line_item_id": "none"}, {}, "edfi.missing-reference", OutcomeState.FAILED),
        ({}, {"levels": {"Proficient": "Splendid"}}, "edfi.descriptor", OutcomeState.REJECTED),
        ({"student_id": "x" * 40}, {}, "edfi.invalid", OutcomeState.REJECTED),
    ],
)
def test_bad_input_is_named_and_does_not_stop_the_rest(
    version: str, record: dict[str, Any], target: dict[str, Any], code: str, state: OutcomeState, tmp_path: Path
) -> None:
    stand = Stand(make_host(version), tmp_path, "gradebook", **target)
    bad = change("results", result(STUDENT, "bad", **record))
    outcomes = stand.push(
        change("line_items", line_item()), bad, change("results", result(STUDENTS[1], "good", text_score="Other"))
    )
    assert (outcomes["bad"].state, outcomes["bad"].code) == (state, code)
    assert outcomes["good"].state is OutcomeState.ACCEPTED
    assert "nobody" not in outcomes["bad"].message


def test_what_was_refused_is_kept_with_the_answer_apart_from_the_logs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stand = Stand(make_host(), tmp_path, "gradebook")
    stand.push(change("line_items", line_item()), change("results", result("nobody", "bad")))
    (file,) = (tmp_path / "refused").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    line = json.loads(file.read_text())
    assert (line["resource"], line["cause"], line["status"]) == (
        "studentGradebookEntries", "edfi.missing-reference", 409,
    )  # fmt: skip
    assert line["sent"]["studentReference"] == {"studentUniqueId": "nobody"}
    assert "unresolved-reference" in line["answered"]
    assert "nobody" not in caplog.text


def test_results_wait_for_their_line_item(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "gradebook")
    outcomes = stand.push(change("line_items", line_item(class_id="elsewhere")), change("results", result(STUDENT)))
    assert {id_: (each.state, each.code) for id_, each in outcomes.items()} == {
        "entry-1": (OutcomeState.FAILED, "edfi.no-section"),
        STUDENT: (OutcomeState.FAILED, "edfi.waits"),
    }
    assert stand.host.writes == 0


def test_a_claim_set_that_forbids_a_resource_is_asked_a_few_times_only(tmp_path: Path) -> None:
    gate = EdFiGate(claims=Claims(denied=frozenset({("studentGradebookEntries", "Create")})))
    stand = Stand(make_host(gate=gate), tmp_path, "gradebook", concurrency=1)
    changes = [change("results", result(STUDENT, f"r-{number}")) for number in range(40)]
    outcomes = stand.push(change("line_items", line_item()), *changes)
    assert outcomes["entry-1"].state is OutcomeState.ACCEPTED
    assert {outcomes[each.id].code for each in changes} == {"edfi.claim-set"}
    assert stand.host.writes < 30


def gpa(kind: str, value: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"g-{kind}", "student_id": STUDENT, "school_id": str(SCHOOL), "school_year": "2027", "term": "Fall",
        "type": kind, "value": Decimal(value), "maximum": Decimal("4.000000"), "cumulative": True, "policy": kind,
        "version": "2026", **more,
    }  # fmt: skip


GPA = {
    "types": {
        "unweighted": "Unweighted", "weighted": "Weighted", "ncaa": f"{NAMESPACE}#NCAA core", "uc": f"{NAMESPACE}#UC",
    },
    "terms": {"Fall": "Fall Semester"},
}  # fmt: skip


def averages(host: FakeEdFi) -> dict[str, Decimal]:
    return {
        each["gradePointAverageTypeDescriptor"].partition("#")[2]: each["gradePointAverageValue"]
        for row in of_student(host, "studentAcademicRecords")
        for each in row["gradePointAverages"]
    }


def gpas(*records: dict[str, Any], action: Action = Action.CREATE, stand: Stand | None = None) -> list[Change]:
    ids = stand.remote_ids if stand else {}
    return [change("gpas", each, action, remote_id=ids.get(each["id"])) for each in records]


def test_three_averages_go_into_the_record_that_others_keep_in_one_write(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, gpa=GPA, create_descriptors=True)
    ours = [gpa("weighted", "4.125"), gpa("ncaa", "3.512345"), gpa("uc", "4.21")]
    (before,) = of_student(stand.host, "studentAcademicRecords")
    outcomes = stand.push(*gpas(*ours))
    assert {each.state for each in outcomes.values()} == {OutcomeState.ACCEPTED}
    assert averages(stand.host) == {
        "Unweighted": Decimal("3.25"), "Weighted": Decimal("4.125"), "NCAA core": Decimal("3.5123"),
        "UC": Decimal("4.21"),
    }  # fmt: skip
    assert sum(n for (resource, _), n in stand.host.effects.items() if resource == "studentAcademicRecords") == 1
    (after,) = of_student(stand.host, "studentAcademicRecords")
    assert {**before, "gradePointAverages": 0} == {**after, "gradePointAverages": 0}
    writes = stand.host.writes
    stand.push(*gpas(*ours, stand=stand))
    assert stand.host.writes == writes
    stand.push(*gpas(*ours, action=Action.INACTIVATE, stand=stand))
    assert of_student(stand.host, "studentAcademicRecords") == [before]


def test_the_value_of_the_student_information_system_is_not_taken_over(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, gpa=GPA)
    outcomes = stand.push(*gpas(gpa("unweighted", "3.5"), gpa("weighted", "4.0")))
    assert outcomes["g-unweighted"].code == "edfi.owned"
    assert outcomes["g-weighted"].state is OutcomeState.ACCEPTED
    assert averages(stand.host) == {"Unweighted": Decimal("3.25"), "Weighted": Decimal("4")}


def test_a_value_that_the_student_information_system_had_already_stays_its_own(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, gpa=GPA)
    same = gpa("unweighted", "3.25", maximum=None)
    assert stand.push(*gpas(same))["g-unweighted"].state is OutcomeState.ACCEPTED
    changed = stand.push(*gpas({**same, "value": Decimal("3.5")}, action=Action.UPDATE, stand=stand))
    assert changed["g-unweighted"].code == "edfi.owned"
    stand.push(*gpas(same, action=Action.INACTIVATE, stand=stand))
    assert averages(stand.host) == {"Unweighted": Decimal("3.25")}
    assert stand.host.writes == 0


def test_a_record_that_we_made_goes_with_our_last_value(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, gpa=GPA)
    spring = gpa("weighted", "4.0", term="Spring Semester")
    stand.push(*gpas(spring))
    assert len(of_student(stand.host, "studentAcademicRecords")) == 2
    stand.push(*gpas(spring, action=Action.INACTIVATE, stand=stand))
    assert len(of_student(stand.host, "studentAcademicRecords")) == 1


def test_a_report_card_carries_an_average_of_its_grading_period(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, gpa={**GPA, "place": "report_card"})
    stand.push(*gpas(gpa("weighted", "4.0", as_of=result(STUDENT)["score_date"])))
    (card,) = of_student(stand.host, "reportCards")
    assert [each["gradePointAverageValue"] for each in card["gradePointAverages"]] == [Decimal(4)]


@pytest.mark.parametrize(("creates", "cards"), [(True, 1), (False, 0)])
def test_a_report_card_that_is_not_there_is_made_where_that_is_allowed(
    creates: bool, cards: int, tmp_path: Path
) -> None:
    stand = Stand(make_host(), tmp_path, gpa={**GPA, "place": "report_card", "creates": creates})
    for id_ in stand.host.items("reportCards"):
        stand.host.remove("reportCards", id_)
    ours = gpa("weighted", "4.0", as_of=result(STUDENT)["score_date"])
    outcome = stand.push(*gpas(ours))["g-weighted"]
    assert len(stand.host.rows("reportCards")) == cards
    assert outcome.code == ("" if creates else "edfi.no-carrier")
    stand.push(*gpas(ours, action=Action.INACTIVATE, stand=stand))
    assert stand.host.rows("reportCards") == []


def test_the_check_names_each_descriptor_that_the_host_lacks(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "competencies", levels={"Proficient": "Splendid"}, gpa=GPA)
    failed = {item.what: item.message for item in stand.target().check() if not item.ok}
    assert set(failed) == {"CompetencyLevel descriptor", "GradePointAverageType descriptor"}
    assert "#Splendid" in failed["CompetencyLevel descriptor"]


def test_a_namespace_that_is_not_granted_is_named_and_asked_for_once(tmp_path: Path) -> None:
    elsewhere = "uri://elsewhere.example/Gateway"
    types = {"weighted": f"{elsewhere}#Weighted"}
    stand = Stand(make_host(), tmp_path, namespace=elsewhere, gpa={"types": types}, create_descriptors=True)
    more = [gpa("weighted", "4.0", id=f"g-{student}", student_id=student, term="Fall Semester") for student in STUDENTS]
    outcomes = stand.push(*gpas(*more)).values()
    assert {(each.state, each.code) for each in outcomes} == {(OutcomeState.REJECTED, "edfi.descriptor")}
    assert "namespace" in next(iter(outcomes)).message
    assert stand.host.writes == 1


def test_a_file_of_students_may_be_that_of_oneroster(tmp_path: Path) -> None:
    users = f"sourcedId,status,identifier\nu-1,active,{STUDENT}\nu-2,active,\n"
    (tmp_path / "users.csv").write_text(users, encoding="utf-8")
    stand = Stand(make_host(), tmp_path, "competencies", students="users.csv")
    outcomes = stand.push(change("results", result("u-1")), change("results", result("u-2")))
    assert outcomes["u-1"].state is OutcomeState.ACCEPTED
    assert outcomes["u-2"].code == "edfi.no-student"


def test_before_4_0_no_gradebook_entries_are_written(tmp_path: Path) -> None:
    stand = Stand(make_host("5.3"), tmp_path, "gradebook")
    (failed,) = [item for item in stand.target().check() if not item.ok]
    assert "4.0" in failed.message


def test_no_record_is_lost_when_every_tenth_answer_is_429(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "gradebook")
    night(stand)
    stand.host.inject(Fault(FaultKind.THROTTLED, "1", method="POST", share=0.1, times=None))
    entries = [change("line_items", line_item(f"e-{number}")) for number in range(60)]
    assert {each.state for each in stand.push(*entries).values()} == {OutcomeState.ACCEPTED}
    assert len(stand.host.rows("gradebookEntries")) == 62
