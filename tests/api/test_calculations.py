"""Mapping and GPA over HTTP: the numbers of the core, and every kind of bad body told in its place."""

from __future__ import annotations

import json
from datetime import date

import polars as pl
import pytest

from gateway.api.encoding import encoded
from gateway.api.gpa import COURSES, FACTS
from gateway.api.mapping import EVIDENCE
from gateway.core.gpa import students
from gateway.core.gpa.compute import compute_gpa
from gateway.core.gpa.language import COURSE_COLUMNS
from gateway.core.mapping.language import EVIDENCE_COLUMNS
from gateway.course_files import result_rows
from gateway.policies import find_policy

APPLY = "/v1/mappings/lakeside/apply"
ROWS = [
    {"student_id": f"s{n % 7}", "score": f"{n % 4 + 1}", "scored_at": f"2026-10-{n % 28 + 1:02}T08:00:00Z",
     "standard": f"LKS.MATH.1.NQ.{n % 3 + 1}", "category": "Summative", "result_id": f"r{n:03}"}
    for n in range(120)
]  # fmt: skip
TRANSCRIPT = [
    {"student_id": "a", "course_code": "ENG9", "grade": "A", "credit": "1", "level": "honors"},
    {"student_id": "a", "course_code": "MAT9", "grade": "B", "credit": 1, "level": "regular"},
    {"student_id": "b", "course_code": "ENG9", "grade": "Q", "credit": "0.5", "level": "regular"},
]


def test_the_api_takes_all_columns_that_the_core_knows():
    assert tuple(EVIDENCE.kinds) == EVIDENCE_COLUMNS
    assert tuple(COURSES.kinds) == COURSE_COLUMNS
    assert set(FACTS.kinds) == {"student_id", *students.FACTS}


@pytest.mark.parametrize("turned", [False, True])
def test_levels_are_those_of_the_mapping_in_any_order(http, bearer, site, turned):
    given = ROWS[::-1] if turned else ROWS
    answer = http.post(APPLY, json={"evidence": given, "as_of": "2026-11-01"}, headers=bearer())
    assert answer.status_code == 200, answer.text
    mapped = site.catalogue.mapping("lakeside").apply(pl.DataFrame(ROWS), as_of=date(2026, 11, 1))
    for table in ("levels", "continuum", "credits", "unmatched"):
        assert answer.json[table] == json.loads(encoded(getattr(mapped, table).to_dicts()))
    assert (answer.json["counts"]["evidence"], answer.json["counts"]["used"]) == (len(ROWS), len(ROWS))


def test_a_number_may_be_a_number_or_text(http, bearer):
    text = [{**row, "max_score": "4"} for row in ROWS]
    numbers = [{**row, "score": int(row["score"]), "max_score": 4.0} for row in ROWS]
    answers = [http.post(APPLY, json={"evidence": each}, headers=bearer()).json for each in (text, numbers)]
    assert answers[0]["levels"] == answers[1]["levels"]


def test_an_explanation_names_the_version_and_every_score(http, bearer, site):
    body = {"evidence": ROWS, "student_id": "s1", "competency": "MATH.1.NQ.1"}
    told = http.post("/v1/mappings/lakeside/explain", json=body, headers=bearer()).json
    mapping = site.catalogue.mapping("lakeside")
    assert told["explanation"]["mapping"]["digest"] == mapping.digest
    mine = {row["result_id"] for row in ROWS if row["student_id"] == "s1" and row["standard"] == "LKS.MATH.1.NQ.1"}
    assert mine and all(result in json.dumps(told["explanation"]) for result in mine)
    assert "MATH.1.NQ.1" in told["text"]


def test_gpas_are_those_of_the_policy_and_what_waits_says_why(http, bearer, site):
    body = {"policies": ["school-weighted", "scholarship"], "courses": TRANSCRIPT, "as_of": "2026-11-22", "trace": True}
    answer = http.post("/v1/gpa/compute", json=body, headers=bearer())
    assert answer.status_code == 200, answer.text
    for result, name in zip(answer.json["results"], body["policies"], strict=True):
        policy = find_policy(name, site.district.policies, date(2026, 11, 22))
        texts = [{key: None if value is None else str(value) for key, value in row.items()} for row in TRANSCRIPT]
        expected = result_rows([compute_gpa(policy, pl.DataFrame(texts), as_of=date(2026, 11, 22))])
        assert [row["gpa"] for row in result["gpas"]] == expected["gpa"].to_list()
        assert result["policy"]["digest"] == policy.digest
        (waiting,) = [row for row in result["gpas"] if row["student_id"] == "b"]
        assert (waiting["gpa"], waiting["state"]) == (None, "pending")
        assert waiting["reason"].startswith("line 3")
        assert result["trace"] and result["text"]


def test_what_if_and_compare(http, bearer):
    headers = bearer()
    body = {
        "policy": "school-weighted", "student_id": "a", "courses": TRANSCRIPT,
        "change": [{"line": 2, "values": {"grade": "A"}}],
        "add": [{"course_code": "ART1", "grade": "A", "credit": "1", "level": "regular"}],
    }  # fmt: skip
    tried = http.post("/v1/gpa/what-if", json=body, headers=headers)
    assert tried.status_code == 200, tried.text
    assert float(tried.json["difference"]) > 0
    missing = http.post("/v1/gpa/what-if", json={**body, "remove": [99]}, headers=headers)
    assert (missing.status_code, missing.json["code"]) == (404, "gpa.line")
    body = {"old": "school-weighted", "new": "scholarship", "courses": TRANSCRIPT}
    compared = http.post("/v1/gpa/compare", json=body, headers=headers).json
    assert {row["student_id"] for row in compared["students"]} == {"a", "b"}


def test_a_school_that_aggregates_no_gpa_gets_one_on_request_only(http, bearer):
    body = {"policies": ["tilton"], "courses": [{**TRANSCRIPT[0], "grade": "4"}]}
    headers = bearer()
    plain = http.post("/v1/gpa/compute", json=body, headers=headers).json["results"][0]
    asked = http.post("/v1/gpa/compute", json={**body, "approximate": True}, headers=headers).json["results"][0]
    assert (plain["gpas"][0]["state"], plain["gpas"][0]["gpa"], plain["storable"]) == ("refused", None, False)
    assert asked["storable"] is False
    assert asked["gpas"][0]["state"] in ("approximation", "pending")


def test_a_mapping_in_the_body_is_checked_and_not_kept(http, bearer, site):
    headers = bearer()
    framework = site.catalogue.mapping("state-standards").framework.id
    file = site.district.folder / "mappings/schools/state-standards.yaml"
    good = http.post("/v1/mapping-lint", json={"mapping": file.read_text(), "framework": framework}, headers=headers)
    assert (good.status_code, good.json["ok"], good.json["problems"]) == (200, True, []), good.text
    broken = file.read_text().replace("summarize:", "sumarize:")
    told = http.post("/v1/mapping-lint", json={"mapping": broken, "framework": framework}, headers=headers).json
    assert not told["ok"] and told["problems"][0]["line"]
    assert "summarize" in json.dumps(told["problems"])
    reaching = http.post("/v1/mapping-lint", headers=headers, json={
        "mapping": "mapping: x\nversion: '1'\nframework: f\nalign:\n- crosswalk: ../../../etc/passwd\n",
        "framework": framework,
    })  # fmt: skip
    assert (reaching.status_code, reaching.json["code"]) == (422, "mapping.missing-file")
    assert {each["name"] for each in http.get("/v1/mappings", headers=headers).json["mappings"]} == {
        "lakeside", "state-standards"
    }  # fmt: skip


ONE = '{"student_id": "s", "scored_at": "2026-10-01", "score": "1"}'


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "body.unsound"),
        ("{", 400, "body.unsound"),
        ('{"evidence": NaN}', 400, "body.unsound"),
        ('{"evidence": [], "evidence": []}', 400, "body.unsound"),
        ('{"evidence": ' + "[" * 40 + "]" * 40 + "}", 400, "body.unsound"),
        (r'{"evidence": ["\\", ' + "[" * 40 + "]" * 40 + ', "x"]}', 400, "body.unsound"),
        (r'{"evidence": "\"' + "[" * 40 + '"}', 422, "invalid"),
        ('{"evidence": [1e999999999]}', 422, "invalid"),
        (b'\xff\xfe{"evidence": []}', 400, "body.unsound"),
        ("[]", 422, "invalid"),
        ('"text"', 422, "invalid"),
        ("{}", 422, "invalid"),
        ('{"evidence": {}}', 422, "invalid"),
        ('{"evidence": [[]]}', 422, "invalid"),
        ('{"evidence": [], "colour": 1}', 422, "invalid"),
        ('{"evidence": [], "as_of": "yesterday"}', 422, "invalid"),
        (f'{{"evidence": [{ONE}, {{"student_id": 7}}]}}', 422, "invalid"),
        (f'{{"evidence": [{ONE[:-1]}, "score": true}}]}}', 400, "body.unsound"),
        (f'{{"evidence": [{ONE[:-1]}, "late": "yes"}}]}}', 422, "invalid"),
        (f'{{"evidence": [{ONE[:-1]}, "max_score": "1e9"}}]}}', 422, "invalid"),
        (f'{{"evidence": [{ONE[:-1]}, "term": "{"x" * 3000}"}}]}}', 422, "invalid"),
        (f'{{"evidence": [{ONE[:-1]}, "term": "a\\u0000b"}}]}}', 422, "invalid"),
        ('{"evidence": [{"student_id": "s", "scored_at": "2026-02-30"}]}', 422, "invalid"),
        ('{"evidence": [], "version": "1999"}', 404, "not-found"),
        (f'{{"evidence": [{ONE[:-1]}, "term": "\\ud83d"}}]}}', 400, "body.unsound"),
        (f'{{"evidence": [{ONE[:-1]}, "\\uDC00": "x"}}]}}', 400, "body.unsound"),
    ],
)
def test_bad_bodies_are_told_by_their_place(http, bearer, body, status, code):
    answer = http.post(APPLY, data=body, headers=bearer() | {"Content-Type": "application/json"})
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert answer.content_type == "application/problem+json"
    assert "Traceback" not in answer.text


def test_whole_characters_may_be_written_as_two_halves(http, bearer):
    body = ONE[:-1] + ', "term": "\\ud83d\\ude00 and \\\\ud83d"}'
    answer = http.post(APPLY, data=f'{{"evidence": [{body}]}}', headers=bearer() | {"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/v1/mappings?version=1", "*/*", 422),
        ("/v1/scales?limit=1", None, 422),
        ("/v1/mappings/lakeside?version=2026.1", "application/json", 200),
        ("/v1/mappings/lakeside?color=red", "application/json", 422),
        ("/v1/mappings", "text/html, application/xml;q=0.9, */*;q=0.1", 200),
        ("/v1/mappings", "application/xml", 406),
        ("/v1/mappings", "application/json;q=0", 406),
    ],
)
def test_parameters_and_forms_that_are_unknown_are_refused(http, bearer, path, accept, status):
    answer = http.get(path, headers=bearer() | ({"Accept": accept} if accept else {}))
    assert answer.status_code == status, answer.text
    assert status == 200 or answer.json["type"] in ("/v1/problems/invalid", "/v1/problems/not-acceptable")


def test_a_fault_is_named_by_its_pointer(http, bearer):
    rows = [dict(ROWS[0]), {**ROWS[1], "scored_at": "soon"}, {**ROWS[2], "colour": "red"}]
    answer = http.post(APPLY, json={"evidence": rows}, headers=bearer())
    pointers = {fault["pointer"] for fault in answer.json["errors"]}
    assert "/evidence/2/colour" in pointers
    assert "soon" not in answer.text and "red" not in answer.text


def test_bodies_of_another_form_or_size_are_refused(http, bearer):
    headers = bearer()
    assert http.post(APPLY, data="a=b", headers=headers).status_code == 415
    assert http.post(APPLY, data=b" " * (9 * 1024 * 1024), headers=headers | {"Content-Type": "application/json"}
                     ).status_code == 413  # fmt: skip
    many = {"evidence": [ROWS[0]] * 10_001}
    refused = http.post(APPLY, json=many, headers=headers)
    assert (refused.status_code, "job" in refused.text) == (422, True)


def test_a_list_that_has_not_changed_is_not_sent_again(http, bearer):
    headers = bearer()
    first = http.get("/v1/mappings", headers=headers)
    again = http.get("/v1/mappings", headers=headers | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_answers_are_compressed_on_request(http, bearer):
    headers = bearer()
    plain = http.post(APPLY, json={"evidence": ROWS}, headers=headers)
    packed = http.post(APPLY, json={"evidence": ROWS}, headers=headers | {"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data)


def test_too_many_requests_are_refused_until_some_time_has_gone(sites, clock, new_client):
    from gateway.api.app import create_app

    http = create_app(sites, now=clock, per_minute=3).test_client()
    headers = {"Authorization": f"Bearer {new_client()[1]}"}
    answers = [http.get("/v1/mappings", headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert int(answers[3].headers["Retry-After"]) == 20
    other = {"Authorization": f"Bearer {new_client()[1]}"}
    assert http.get("/v1/mappings", headers=other).status_code == 200


def test_every_call_with_students_data_stands_in_the_audit(http, new_client, site):
    from gateway.store import audit

    client, key = new_client()
    request = "7d3f2c5e-0f7b-4c1d-9a52-2f6f1f4b8c11"
    http.post(APPLY, json={"evidence": ROWS}, headers={"Authorization": f"Bearer {key}", "X-Request-Id": request})
    last = audit.read(site.store, site.id)[-1]
    assert (last["actor"], last["action"], last["subjects"]) == (client.client_id, "mapping.apply", 7)
    assert last["detail"]["request"] == request
    assert audit.first_break(site.store, site.id) is None
