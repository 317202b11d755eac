"""What of a student's record becomes a claim: competencies with their CASE items and rubric levels, courses, GPAs."""

from __future__ import annotations

import json

import polars as pl
import pytest

from gateway.core.errors import DataError
from gateway.core.gpa.compute import prepare_courses
from gateway.documents.credentials.claims import all_claims
from gateway.documents.pesc.record import build_record
from gateway.mappings import load_mapping
from tests.documents.conftest import computed, transcript

HOST = "https://case.example.org/ims/case/v1p1"
ITEMS = {"11111111-1111-4111-8111-111111111111": "A.1", "22222222-2222-4222-8222-222222222222": "A.2"}
RATED = next(iter(ITEMS))
STEPS = {"a1a1a1a1-0000-4000-8000-00000000000": (("1", "Starts", 1), ("2", "Grows", 2.5), ("3", "Masters", 3))}
MAPPING = """
mapping: small
version: "1"
framework: framework.json
scale: four
scales:
  four: {proficient: 3, numeric: {from: 0, to: 4, step: 0.5}, names: {"2": Near, "3": There}}
evidence: [{name: all, scale: four}]
align: [{codes: standard}]
summarize: {default: {method: most_recent, round: {places: 2, mode: half_up}}}
"""


def link(kind, id):
    return {"identifier": id, "uri": f"{HOST}/{kind}/{id}", "title": id}


@pytest.fixture(scope="module")
def mapping(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mapping")
    document = {**link("CFDocuments", "33333333-3333-4333-8333-333333333333"), "title": "Small", "creator": "Test",
                "lastChangeDateTime": "2026-01-01T00:00:00Z"}  # fmt: skip
    items = [
        {**link("CFItems", id), "fullStatement": f"Does {code}.", "humanCodingScheme": code,
         "lastChangeDateTime": "2026-01-01T00:00:00Z"} for id, code in ITEMS.items()
    ]  # fmt: skip
    levels = [
        {"identifier": f"a1a1a1a1-0000-4000-8000-00000000000{number}", "quality": name, "score": score}
        for steps in STEPS.values() for number, name, score in steps
    ]  # fmt: skip
    criterion = {"identifier": "44444444-4444-4444-8444-444444444444", "CFItemURI": link("CFItems", RATED),
                 "CFRubricCriterionLevels": levels}  # fmt: skip
    rubric = {"identifier": "55555555-5555-4555-8555-555555555555", "title": "R", "CFRubricCriteria": [criterion]}
    package = {"CFDocument": document, "CFItems": items, "CFRubrics": [rubric]}
    (folder / "framework.json").write_text(json.dumps(package))
    (folder / "mapping.yaml").write_text(MAPPING)
    return load_mapping(folder / "mapping.yaml")


def levels_of(*rows):
    columns = ("student_id", "competency", "level", "proficient", "last_scored_at", "course_code")
    return pl.DataFrame(
        [dict(zip(columns, row, strict=True)) for row in rows], schema=dict.fromkeys(columns, pl.String)
    )


def claims_of(mapping, levels, results=(), record=None):
    return all_claims("lakeside", "s", mapping=mapping, levels=levels, results=results, record=record)


def test_a_rated_competency_reaches_a_level_of_its_case_rubric(mapping):
    found = claims_of(mapping, levels_of(("s", "A.1", "3.25", "true", "2026-05-01T10:00:00Z", "")))
    (claim,) = found.claims
    achievement = claim.achievement
    assert achievement["alignment"][0] == {
        "type": ["Alignment"], "targetName": "Does A.1.", "targetUrl": f"{HOST}/CFItems/{RATED}",
        "targetType": "CFItem", "targetFramework": "Small", "targetCode": "A.1",
    }  # fmt: skip
    steps = achievement["resultDescription"][0]["rubricCriterionLevel"]
    assert [(step["name"], step["level"], step["alignment"][0]["targetUrl"]) for step in steps] == [
        ("Starts", "1", "urn:uuid:a1a1a1a1-0000-4000-8000-000000000001"),
        ("Grows", "2.5", "urn:uuid:a1a1a1a1-0000-4000-8000-000000000002"),
        ("Masters", "3", "urn:uuid:a1a1a1a1-0000-4000-8000-000000000003"),
    ]
    assert [result.get("achievedLevel", result.get("value")) for result in claim.results] == [steps[2]["id"], "3.25"]


def test_without_a_rubric_the_named_levels_of_the_scale_are_the_steps(mapping):
    (claim,) = claims_of(mapping, levels_of(("s", "A.2", "3", "true", "", ""))).claims
    rubric, scaled = claim.achievement["resultDescription"]
    assert [(step["name"], "alignment" in step) for step in rubric["rubricCriterionLevel"]] == [
        ("Near", False),
        ("There", False),
    ]
    assert (scaled["valueMin"], scaled["valueMax"], claim.results[1]["value"]) == ("0", "4", "3.00")


def test_only_what_is_mastered_is_claimed_and_the_rest_is_counted(mapping):
    levels = levels_of(("s", "A.1", "3", "true", "", ""), ("s", "A.2", "2", "false", "", ""),
                       ("t", "A.2", "4", "true", "", ""))  # fmt: skip
    found = claims_of(mapping, levels)
    assert [claim.achievement["humanCode"] for claim in found.claims] == ["A.1"]
    assert found.left_out == 1


def test_a_course_is_the_parent_of_its_competencies_and_failed_courses_are_left_out(mapping):
    courses = transcript(10, student="s")
    results = computed(["school-weighted"], courses)
    record = build_record(results, prepare_courses(courses), "s")
    found = claims_of(mapping, levels_of(("s", "A.1", "3", "true", "", "ENG100")), results, record)
    kinds = [claim.achievement["achievementType"] for claim in found.claims]
    passed = [course for session in record.sessions for course in session.courses if course.earned not in ("", "0")]
    assert kinds == ["Competency", *["Course"] * len(passed), "Achievement"]
    letters = {claim.results[0]["value"]: claim.achievement["resultDescription"][0] for claim in found.claims[1:-1]}
    listed = letters["A"]["allowedValue"]
    assert listed == letters["B+"]["allowedValue"]
    assert [listed[0], *listed[-4:]] == ["F", "B+", "A-", "A", "A+"]  # a policy that ignores signs
    parent = next(claim for claim in found.claims if claim.achievement.get("humanCode") == "ENG100")
    (link,) = found.links
    assert (link["sourceId"], link["targetId"]) == (parent.achievement["id"], found.claims[0].achievement["id"])
    gpa = found.claims[-1]
    assert gpa.results[0]["value"] == f"{results[0].gpas['gpa'][0]:.3f}"


def test_one_competency_has_one_id_whoever_masters_it(mapping):
    one = claims_of(mapping, levels_of(("s", "A.1", "3", "true", "", ""))).claims[0]
    other = claims_of(mapping, levels_of(("s", "A.1", "4", "true", "2026-01-01", ""))).claims[0]
    assert one.achievement == other.achievement
    assert one.results != other.results


@pytest.mark.parametrize(
    ("levels", "code"),
    [
        (levels_of(("s", "B.9", "3", "true", "", "")), "credentials.levels"),
        (levels_of(("s", "A.1", "", "true", "", "")), "credentials.levels"),
        (levels_of(("s", "A.1", "3", "true", "", "")).drop("proficient"), "credentials.levels"),
        (levels_of(("s", "A.1", "1", "false", "", "")), "credentials.empty"),
        (levels_of(("t", "A.1", "3", "true", "", "")), "credentials.empty"),
    ],
)
def test_levels_that_do_not_fit_are_told(mapping, levels, code):
    with pytest.raises(DataError) as caught:
        claims_of(mapping, levels)
    assert caught.value.code == code
