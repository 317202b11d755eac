"""What comes out: the same canonical tables for every version of the Data Standard, as the gateway takes them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.edfi import keys
from connectors.edfi.elements import ELEMENTS, read_page
from connectors.edfi.words import Dictionary
from gateway.core.case import check_packages
from gateway.core.check import check_references, read_rows
from gateway.core.errors import ConfigurationError
from gateway.core.exchange import REJECTS
from gateway.core.framework import Framework
from gateway.core.model import FRAMEWORK_TABLES, TABLES, empty
from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.model import model_of
from gateway.testing.edfi.sample import LEA, SCHOOL, YEAR, descriptors, uri
from gateway.testing.edfi.standards import STANDARDS
from gateway.testing.faults import Fault, FaultKind
from tests.connectors.edfi.reference import PAGE, page_with_tables
from tests.connectors.edfi.source_stand import SourceStand, ids, rejected

EVERYTHING = ["orgs", "sessions", "courses", "classes", "users", "enrollments", "gradebook", "frameworks"]
RUBRICS = ("rubrics", "rubric_criteria", "rubric_levels")
HOSTS = [("5.0", "3.2"), ("5.3", "3.3"), ("6.1", "4.0"), ("7.1", "5.0"), ("7.2", "5.1"), ("7.3", "5.2"), ("8.0", "6.0")]


@pytest.mark.parametrize(("version", "standard"), HOSTS)
def test_every_data_standard_gives_sound_tables(version: str, standard: str, tmp_path: Path) -> None:
    remote = furnished(FakeEdFi(version, standard=standard), students=5)
    pulled = SourceStand(remote, tmp_path, streams=EVERYTHING).pull()
    learned = int(standard < "5.0")  # up to 4.0 there are learning objectives as well
    assert {name: frame.height for name, frame in pulled.items()} == {
        "orgs": 2, "academic_sessions": 4, "courses": 1, "classes": 2, "users": 6, "roles": 6, "enrollments": 6,
        "categories": 3, "score_scales": 1, "score_scale_values": 7, "line_items": 5 + learned,
        "line_item_learning_objectives": 1, "line_item_score_scales": 1 + learned, "results": 25 + 5 * learned,
        "result_learning_objectives": 25 + 5 * learned, "result_score_scales": 5, "frameworks": 2 + learned,
        "competencies": 4 + learned, "associations": 4 + 2 * learned,
    }  # fmt: skip
    known: dict[str, pl.Series] = {}
    for name in TABLES:
        if name not in pulled:
            continue
        checked = read_rows(pulled[name], TABLES[name])
        assert checked.quarantine.is_empty(), name
        assert not checked.notes
        if "id" in TABLES[name].names:
            known[name] = checked.rows["id"]
        if name not in FRAMEWORK_TABLES:
            referred = check_references(checked.rows, TABLES[name], known, {})
            assert referred.quarantine.is_empty(), name
            assert not referred.notes, (name, referred.notes)


def test_the_same_records_have_the_same_ids_on_any_host(tmp_path: Path) -> None:
    pulled = [
        SourceStand(furnished(FakeEdFi(version), students=2), tmp_path / version).pull() for version in ("7.1", "7.3")
    ]
    for table in pulled[0]:
        key = list(TABLES[table].key)
        assert pulled[0][table].select(key).equals(pulled[1][table].select(key)), table


def test_scores_keep_their_digits_and_their_standards(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    (id_, grade), = remote.items("grades").items()  # fmt: skip
    scored = {"learningStandardReference": {"learningStandardId": "F-IF.1"}, "numericGradeEarned": 3.1}
    remote.replace("grades", id_, {**grade, "numericGradeEarned": 86.25, "learningStandardGrades": [scored]})
    pulled = SourceStand(remote, tmp_path, streams=["gradebook"]).pull()
    result = pulled["results"].filter(pl.col("id").str.starts_with("grade:")).row(0, named=True)
    objective = pulled["result_learning_objectives"].filter(result_id=result["id"]).row(0, named=True)
    assert (result["score"], result["text_score"]) == ("86.25", "B")
    assert (objective["learning_objective_id"], objective["score"], objective["source"]) == ("F-IF.1", "3.10", "edfi")


def test_a_test_gives_its_scores_by_method_and_its_parts_by_standard(tmp_path: Path) -> None:
    pulled = SourceStand(furnished(FakeEdFi("7.3"), students=1), tmp_path, streams=["gradebook"]).pull()
    results = pulled["results"].filter(pl.col("id").str.starts_with("assessment:"))
    assert set(results.select("score", "text_score").iter_rows()) == {("231", None), (None, "Proficient")}
    parts = pulled["result_learning_objectives"].filter(pl.col("result_id").is_in(results["id"].implode()))
    assert set(parts.select("learning_objective_id", "score", "text_score").iter_rows()) == {
        ("A-REI.3", "231", None), ("A-REI.3", None, "Proficient")
    }  # fmt: skip


def test_a_value_that_has_no_word_is_delivered_and_named(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    remote.seed("staffClassificationDescriptors", *descriptors("staffClassification", ["Coach"], "lakeside.example"))
    remote.seed("staffEducationOrganizationAssignmentAssociations", {
        "staffReference": {"staffUniqueId": "207001"},
        "educationOrganizationReference": {"educationOrganizationId": LEA},
        "staffClassificationDescriptor": uri("staffClassification", "Coach", "lakeside.example"),
        "beginDate": "2026-08-01",
    })  # fmt: skip
    stand = SourceStand(remote, tmp_path, streams=["users"])
    assert "Coach" in set(stand.pull()["roles"]["role"])
    assert any('"Coach"' in warning and "words.staffClassification" in warning for warning in stand.warnings)
    own = SourceStand(remote, tmp_path, streams=["users"], words={"staffClassification": {"Coach": "aide"}})
    assert set(own.pull()["roles"]["role"]) == {"student", "teacher", "aide"}
    assert own.warnings == []


def test_of_several_enrolments_the_one_that_lasts_counts(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    school = {**remote.rows("schools")[0], "schoolId": SCHOOL + 1, "nameOfInstitution": "Lakeside Middle School"}
    remote.seed("schools", school)
    remote.seed("studentSchoolAssociations", {
        "schoolReference": {"schoolId": SCHOOL + 1}, "studentReference": {"studentUniqueId": "604800"},
        "entryDate": "2026-09-01", "exitWithdrawDate": "2026-09-15",
        "entryGradeLevelDescriptor": uri("gradeLevel", "Eighth grade"),
    })  # fmt: skip
    pulled = SourceStand(remote, tmp_path, streams=["users"]).pull()
    user = pulled["users"].filter(id="student:604800").row(0, named=True)
    assert (user["grades"], user["primary_org_id"]) == (["09"], f"org:{SCHOOL}")
    roles = pulled["roles"].filter(user_id="student:604800").select("role_type", "org_id", "end_date")
    assert set(roles.iter_rows()) == {
        ("primary", f"org:{SCHOOL}", None),
        ("secondary", f"org:{SCHOOL + 1}", "2026-09-15"),
    }


def test_a_grading_period_belongs_to_the_shortest_session_that_lists_it(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    (id_, fall), = remote.items("sessions").items()  # fmt: skip
    first = remote.rows("gradingPeriods")[0]
    key = {
        "gradingPeriodDescriptor": first["gradingPeriodDescriptor"], "gradingPeriodName": "Q1", "schoolId": SCHOOL,
        "schoolYear": YEAR,
    }  # fmt: skip
    listed = [{"gradingPeriodReference": key}]
    remote.replace("sessions", id_, {**fall, "gradingPeriods": listed})
    remote.seed("sessions", {
        **fall, "sessionName": "Year", "endDate": "2027-06-10", "termDescriptor": uri("term", "Year Round"),
        "gradingPeriods": listed,
    })  # fmt: skip
    sessions = SourceStand(remote, tmp_path, streams=["sessions"]).pull()["academic_sessions"]
    parents = dict(sessions.select("title", "parent_id").iter_rows())
    assert parents["Q1"] == f"session:{SCHOOL}:{YEAR}:Fall"
    assert parents["Q2"] == parents["Fall"] == f"year:{YEAR}"


def test_standards_are_a_framework_of_their_own_and_can_be_chosen(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    child = {**remote.rows("learningStandards")[0], "learningStandardId": "A-REI.3.a"}
    remote.seed("learningStandards", {**child, "parentLearningStandardReference": {"learningStandardId": "A-REI.3"}})
    remote.seed("learningStandardEquivalenceAssociations", {
        "namespace": "uri://example.org", "sourceLearningStandardReference": {"learningStandardId": "A-REI.3"},
        "targetLearningStandardReference": {"learningStandardId": "F-IF.1"},
        "learningStandardEquivalenceStrengthDescriptor": uri("learningStandardEquivalenceStrength", "Equivalent"),
    })  # fmt: skip
    stand = SourceStand(remote, tmp_path, streams=["frameworks"], frameworks=["State mathematics"])
    checked = check_packages(stand.pull() | {name: empty(name, raw=True) for name in RUBRICS})
    framework = Framework.from_tables(checked.tables)
    parents = {each.code: each.parent_id for each in framework.competencies.values()}
    assert parents == {"A-REI.3": None, "A-REI.3.a": "a-rei.3", "A-REI.4": None, "F-IF.1": None}
    assert "exactMatchOf" in set(stand.pull()["associations"]["type"])
    with pytest.raises(ConfigurationError) as caught:
        SourceStand(remote, tmp_path, streams=["frameworks"], frameworks=["State maths"]).pull()
    assert "State mathematics" in caught.value.hint


def test_what_is_excluded_is_never_asked_for(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    pulled = SourceStand(remote, tmp_path, exclude=["studentAssessments", "studentCompetencyObjectives"]).pull()
    assert remote.reads("ssessments") == 0
    assert ids(pulled, "classes") == {f"class:{SCHOOL}:{YEAR}:Fall:ALG-1:ALG-1-01"}
    assert rejected(pulled) == 0


def test_ids_tell_their_parts_apart_and_stay_short() -> None:
    frame = pl.DataFrame({"a": ["x:y", "x", "100%", None, "é" * 300], "b": ["z", "y:z", "", "z", "z"]})
    made = frame.select(keys.key("k", "a", "b")).to_series().to_list()
    assert made[:4] == ["k:x%3Ay:z", "k:x:y%3Az", "k:100%25:", None]
    assert len(made[4].encode()) <= 255
    assert made[4] == keys.written_id("k", ("é" * 300, "z"))
    assert made[4] != keys.written_id("k", ("é" * 300, "y"))


@pytest.mark.parametrize("standard", STANDARDS)
def test_every_element_that_is_read_is_one_that_some_version_has(standard: str) -> None:
    """A misspelt element would be silent for ever: each is in the version itself or in another."""
    models = [model_of(each) for each in (standard, *STANDARDS)]
    for resource, elements in ELEMENTS.items():
        for element in elements.split():
            steps = element.removeprefix("#").split(".")
            owner = "grades" if steps[0] == "gradingPeriodReference" else resource
            assert any(_has(model.resources[owner].node, steps) for model in models if owner in model.resources)


def _has(node: Any, steps: list[str]) -> bool:
    step, *rest = steps
    if not rest:
        return step in node.scalars or step in node.descriptors
    if step.endswith("[]"):
        return step[:-2] in node.collections and _has(node.collections[step[:-2]], rest)
    if step in node.references:
        return rest[0] in dict(node.references[step].parts)
    return step in node.objects and _has(node.objects[step], rest)


def test_a_list_of_one_unreadable_record_keeps_its_neighbours() -> None:
    flat = read_page("courses", b'[{"courseCode":"A"},{"courseCode":{}},{"courseCode":"C"}]', "courses page 1")
    assert flat.rows["courseCode"].to_list() == ["A", "C"]
    assert [fault.number for fault in flat.faults] == [2]


def test_an_unreadable_record_is_set_aside_in_each_table_that_it_makes(tmp_path: Path) -> None:
    remote = furnished(FakeEdFi("7.3"), students=1)
    for path in ("ed-fi/students?", "ed-fi/sessions?", "ed-fi/studentSchoolAssociations?"):
        remote.inject(Fault(FaultKind.BAD_RECORD, path=path, times=None))
    remote.inject(Fault(FaultKind.BAD_RECORD, path="ed-fi/grades?", times=None))
    stand = SourceStand(remote, tmp_path, streams=["sessions", "users", "gradebook"])
    rejects = stand.pull()[REJECTS]
    assert sorted(rejects["table"]) == ["academic_sessions", "line_items", "results", "roles", "users"]
    assert set(rejects["code"]) == {"edfi.unreadable"}
    assert any("studentSchoolAssociations" in warning for warning in stand.warnings)


def test_words_are_warned_of_once() -> None:
    words = Dictionary({})
    frame = pl.DataFrame({"d": ["uri://x/GradeLevelDescriptor#9th", "uri://x/GradeLevelDescriptor#Ninth grade", None]})
    assert frame.select(words.word(frame, "gradeLevel", "d")).to_series().to_list() == ["9th", "09", None]
    assert len(words.warnings()) == 1
    assert words.warnings() == ()


def test_the_page_on_the_mapping_is_that_of_the_connector() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_tables(page), "run: python -m tests.connectors.edfi.reference"
