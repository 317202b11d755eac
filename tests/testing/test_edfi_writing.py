"""What the fake Ed-Fi host checks and does when it is written to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.testing.edfi import Claims, EdFiGate, FakeEdFi, Profile
from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.sample import LEA, SCHOOL, YEAR, descriptors, uri
from gateway.testing.faults import Fault, FaultKind
from tests.testing.edfi_client import Client, clean

STUDENT = {"studentUniqueId": "1", "firstName": "Ada", "lastSurname": "Bell", "birthDate": "2011-05-01"}
ENROLMENT = {
    "schoolReference": {"schoolId": SCHOOL},
    "studentReference": {"studentUniqueId": "1"},
    "entryDate": "2026-08-24",
    "entryGradeLevelDescriptor": uri("gradeLevel", "Ninth grade"),
}
RECORD: dict[str, Any] = {
    "educationOrganizationReference": {"educationOrganizationId": SCHOOL},
    "schoolYearTypeReference": {"schoolYear": YEAR},
    "studentReference": {"studentUniqueId": "604800"},
    "termDescriptor": uri("term", "Spring Semester"),
}


def gpa(value: object, kind: str = "Unweighted") -> dict[str, object]:
    return {
        "gradePointAverageTypeDescriptor": uri("gradePointAverageType", kind),
        "gradePointAverageValue": value,
    }


@pytest.fixture
def remote() -> FakeEdFi:
    return furnished(FakeEdFi(), students=2)


@pytest.fixture
def client(remote: FakeEdFi) -> Client:
    return Client(remote)


def test_post_creates_and_then_replaces_by_the_natural_key(client: Client, remote: FakeEdFi) -> None:
    first = client.post("students", STUDENT)
    again = client.post("students", {**STUDENT, "firstName": "Eve"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["Location"] == again.headers["Location"]
    assert client.session.get(first.headers["Location"]).json()["firstName"] == "Eve"
    assert remote.effects == {("students", "1"): 2}
    assert client.post("students", {**STUDENT, "firstName": "Eve"}).headers["ETag"] == again.headers["ETag"]
    assert remote.effects == {("students", "1"): 2}


def test_a_replacement_removes_the_collections_that_it_omits(client: Client, remote: FakeEdFi) -> None:
    full = {**RECORD, "cumulativeEarnedCredits": 3, "gradePointAverages": [gpa(3.25)]}
    assert client.post("studentAcademicRecords", full).status_code == 201
    assert client.post("studentAcademicRecords", {**RECORD, "cumulativeEarnedCredits": 4}).status_code == 200
    assert {"gradePointAverages"} & set(remote.rows("studentAcademicRecords")[-1]) == set()


def test_numbers_keep_their_declared_scale_and_no_float_comes_between(client: Client) -> None:
    client.post("studentAcademicRecords", {**RECORD, "gradePointAverages": [gpa(3.1)]})
    text = client.get("studentAcademicRecords", termDescriptor=RECORD["termDescriptor"]).text
    assert '"gradePointAverageValue":3.1000' in text


def test_numbers_with_more_decimals_are_rounded(client: Client, remote: FakeEdFi) -> None:
    client.post("studentAcademicRecords", {**RECORD, "gradePointAverages": [gpa(3.33335)]})
    (kept,) = remote.rows("studentAcademicRecords")[-1]["gradePointAverages"]
    assert kept["gradePointAverageValue"] == Decimal("3.3334")


def test_unknown_members_are_dropped_without_a_word(client: Client, remote: FakeEdFi) -> None:
    assert client.post("students", {**STUDENT, "surprise": 1, "middleName": None}).status_code == 201
    assert remote.rows("students")[-1] == STUDENT


def test_members_of_extensions_are_kept_until_they_are_omitted(client: Client, remote: FakeEdFi) -> None:
    extension = {"Lakeside": {"house": "North"}}
    client.post("students", {**STUDENT, "_ext": extension})
    item = client.one("students", studentUniqueId="1")
    assert item["_ext"] == extension
    client.put(f"students/{item['id']}", {**clean(item), "firstName": "Eve"})
    assert remote.rows("students")[-1]["_ext"] == extension
    client.put(f"students/{item['id']}", STUDENT)
    assert remote.rows("students")[-1] == STUDENT


@pytest.mark.parametrize(
    ("resource", "body", "path", "text"),
    [
        ("students", {**STUDENT, "lastSurname": None}, "$.lastSurname", "required"),
        ("students", {**STUDENT, "lastSurname": ""}, "$.lastSurname", "empty"),
        ("students", {**STUDENT, "firstName": "x" * 76}, "$.firstName", "75"),
        ("students", {**STUDENT, "firstName": 7}, "$.firstName", "text"),
        ("students", {**STUDENT, "firstName": "<script>"}, "$.firstName", "dangerous"),
        ("students", {**STUDENT, "studentUniqueId": "1 "}, "$.studentUniqueId", "spaces"),
        ("students", {**STUDENT, "birthDate": "2011-02-30"}, "$.birthDate", "calendar"),
        ("students", {**STUDENT, "birthDate": "1 May 2011"}, "$.birthDate", "date"),
        ("students", {**STUDENT, "multipleBirthStatus": "yes"}, "$.multipleBirthStatus", "true or false"),
        ("students", {**STUDENT, "birthSexDescriptor": "Female"}, "$.birthSexDescriptor", "descriptor"),
        ("students", {**STUDENT, "birthSexDescriptor": uri("sex", "X")}, "$.birthSexDescriptor", "does not exist"),
        ("students", [STUDENT], "$", "object"),
        ("students", {**STUDENT, "personReference": {"personId": "7"}}, "$.personReference.sourceSystemDescriptor",
         "required"),
        ("students", {**STUDENT, "visas": {}}, "$.visas", "list"),
        ("students", {**STUDENT, "visas": ["x"]}, "$.visas[0]", "object"),
        ("studentSchoolAssociations", {**ENROLMENT, "schoolReference": SCHOOL}, "$.schoolReference", "object"),
        ("studentSchoolAssociations",
         {**ENROLMENT, "calendarReference": {"calendarCode": "main", "schoolId": 5, "schoolYear": YEAR}},
         "$.calendarReference.schoolId", "must match"),
        ("studentAcademicRecords", {**RECORD, "gradePointAverages": [gpa(3), gpa(4)]}, "$.gradePointAverages[1]",
         "already"),
        ("studentAcademicRecords", {**RECORD, "gradePointAverages": [gpa("3")]},
         "$.gradePointAverages[0].gradePointAverageValue", "number"),
        ("studentAcademicRecords", {**RECORD, "gradePointAverages": [gpa(3, "NCAA")]},
         "$.gradePointAverages[0].gradePointAverageTypeDescriptor", "does not exist"),
        ("studentAcademicRecords", {**RECORD, "cumulativeEarnedCredits": 1e7}, "$.cumulativeEarnedCredits", "between"),
        ("schools", {"schoolId": 7, "nameOfInstitution": "X", "educationOrganizationCategories": []}, "$.gradeLevels",
         "at least one"),
        ("schools", {"schoolId": 2**63}, "$.schoolId", "range"),
        ("sessions", {"sessionName": "S", "totalInstructionalDays": 1.5}, "$.totalInstructionalDays", "whole"),
    ],
)  # fmt: skip
def test_bad_bodies_are_refused_by_path(client: Client, resource: str, body: object, path: str, text: str) -> None:
    answer = client.post(resource, body)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (400, "urn:ed-fi:api:bad-request:data-validation-failed")
    assert text in problem["validationErrors"][path][0]


def test_all_faults_of_a_body_are_told_at_once(client: Client) -> None:
    errors = client.post("students", {"birthDate": "x"}).json()["validationErrors"]
    assert set(errors) == {"$.birthDate", "$.firstName", "$.lastSurname", "$.studentUniqueId"}


def test_a_body_that_is_no_json_is_refused(client: Client) -> None:
    json_type = {"Content-Type": "application/json"}
    for data, status in ((b"{", 400), (b"", 400)):
        assert client.session.post(client.url("students"), data=data, headers=json_type).status_code == status
    assert client.session.post(client.url("students"), data=b"a=1").status_code == 415


def test_what_is_referred_to_must_be_there(client: Client) -> None:
    answer = client.post("studentSchoolAssociations", ENROLMENT)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:ed-fi:api:data-conflict:unresolved-reference")
    assert "'Student'" in answer.json()["detail"]
    client.post("students", STUDENT)
    assert client.post("studentSchoolAssociations", ENROLMENT).status_code == 201


def test_an_organization_may_be_a_school_or_an_agency(client: Client) -> None:
    for number in (SCHOOL, LEA, 7):
        body = {**RECORD, "educationOrganizationReference": {"educationOrganizationId": number}}
        assert client.post("studentAcademicRecords", body).status_code == (409 if number == 7 else 201)


def test_what_others_refer_to_cannot_be_deleted(client: Client, remote: FakeEdFi) -> None:
    student = next(iter(remote.items("students")))
    answer = client.delete(f"students/{student}")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:ed-fi:api:data-conflict:dependent-item-exists")
    term = client.one("termDescriptors", codeValue="Fall Semester")
    assert client.delete(f"termDescriptors/{term['id']}").status_code == 409
    assert client.delete(f"termDescriptors/{client.one('termDescriptors', codeValue='Other')['id']}").status_code == 204


def test_a_stale_etag_is_refused_on_put_post_and_delete(client: Client, remote: FakeEdFi) -> None:
    created = client.post("students", STUDENT)
    path, etag = created.headers["Location"].partition("/ed-fi/")[2], created.headers["ETag"]
    remote.replace("students", path.rpartition("/")[2], {**STUDENT, "firstName": "Eve"})
    for answer in (
        client.put(path, STUDENT, etag),
        client.post("students", STUDENT, {"If-Match": etag}),
        client.delete(path, etag),
    ):
        assert (answer.status_code, answer.json()["type"]) == (412, "urn:ed-fi:api:optimistic-lock-failed")
    current = client.get(path).json()["_etag"]
    assert client.put(path, {**STUDENT, "firstName": "Ann"}, current).status_code == 204  # quoted or not
    assert client.delete(path, client.get(path).headers["ETag"]).status_code == 204
    assert client.put(path, STUDENT).status_code == 404


def test_an_unchanged_item_is_not_sent_again(client: Client, remote: FakeEdFi) -> None:
    path = f"students/{next(iter(remote.items('students')))}"
    etag = client.get(path).headers["ETag"]
    answer = client.get(path, {"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_somebody_else_writes_between_get_and_put(client: Client, remote: FakeEdFi) -> None:
    remote.other_writer = lambda content: {**content, "cumulativeEarnedCredits": 9}
    remote.inject(Fault(FaultKind.OTHER_WRITER, method="PUT"))
    item = client.get("studentAcademicRecords").json()[0]
    mine = {**clean(item), "gradePointAverages": [gpa(3.5)]}
    assert client.put(f"studentAcademicRecords/{item['id']}", mine, item["_etag"]).status_code == 412
    merged = client.get(f"studentAcademicRecords/{item['id']}").json()
    assert merged["cumulativeEarnedCredits"] == 9
    mine = {**clean(merged), "gradePointAverages": [gpa(3.5)]}
    assert client.put(f"studentAcademicRecords/{item['id']}", mine, merged["_etag"]).status_code == 204
    kept = remote.items("studentAcademicRecords")[item["id"]]
    assert (kept["cumulativeEarnedCredits"], len(kept["gradePointAverages"])) == (9, 1)


@pytest.mark.parametrize(
    ("resource", "change", "status"),
    [
        ("sections", {"sectionIdentifier": "ALG-1-99"}, 204),
        ("students", {"studentUniqueId": "elsewhere"}, 400),
        ("students", {"firstName": "Eve"}, 204),
    ],
)
def test_keys_change_only_where_the_resource_allows_it(
    client: Client, resource: str, change: Mapping[str, object], status: int
) -> None:
    item = client.get(resource).json()[0]
    answer = client.put(f"{resource}/{item['id']}", {**clean(item), **change}, item["_etag"])
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["type"].endswith("key-change-not-supported")


def test_a_changed_key_reaches_all_that_refers_to_it(client: Client, remote: FakeEdFi) -> None:
    item = client.get("sections").json()[0]
    client.put(f"sections/{item['id']}", {**clean(item), "sectionIdentifier": "ALG-1-99"})
    for grade in remote.rows("grades"):
        assert grade["studentSectionAssociationReference"]["sectionIdentifier"] == "ALG-1-99"
    for resource, count in (("sections", 1), ("studentSectionAssociations", 2), ("grades", 2)):
        changes = client.get(f"{resource}/keyChanges").json()
        assert len(changes) == count
        assert changes[0]["oldKeyValues"]["sectionIdentifier"] == "ALG-1-01"
        assert changes[0]["newKeyValues"]["sectionIdentifier"] == "ALG-1-99"
    assert client.get("grades", sectionIdentifier="ALG-1-01").json() == []
    assert len(client.get("grades", sectionIdentifier="ALG-1-99").json()) == 2


def test_a_key_that_another_item_has_is_refused(client: Client, remote: FakeEdFi) -> None:
    first = remote.rows("sections")[0]
    (second,) = remote.seed("sections", {**first, "sectionIdentifier": "ALG-1-02"})
    answer = client.put(f"sections/{second}", first)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:ed-fi:api:data-conflict:non-unique-identity")


@pytest.mark.parametrize(("method", "path"), [("POST", "students/7"), ("PUT", "students"), ("DELETE", "students"),
                                              ("PATCH", "students/7")])  # fmt: skip
def test_methods_that_an_address_does_not_have_are_refused(client: Client, method: str, path: str) -> None:
    answer = client.session.request(method, client.url(path), json=STUDENT)
    assert (answer.status_code, answer.json()["type"]) == (405, "urn:ed-fi:api:method-not-allowed")


def test_ids_are_the_hosts_to_give(client: Client) -> None:
    assert client.post("students", {**STUDENT, "id": "a" * 32}).status_code == 400
    strict = Client(furnished(FakeEdFi("8.0"), students=1))
    item = strict.get("students").json()[0]
    body = {name: value for name, value in clean(item).items() if name != "id"}
    assert strict.put(f"students/{item['id']}", body).status_code == 400
    assert strict.put(f"students/{item['id']}", {**body, "id": item["id"]}).status_code == 204


def test_own_descriptors_are_taken_in_own_namespaces(client: Client, remote: FakeEdFi) -> None:
    remote.gate.claims = Claims(prefixes=("uri://lakeside.example",))
    (mine,) = descriptors("gradePointAverageType", ["NCAA"], "lakeside.example")
    (theirs,) = descriptors("gradePointAverageType", ["NCAA"])
    assert client.post("gradePointAverageTypeDescriptors", mine).status_code == 201
    answer = client.post("gradePointAverageTypeDescriptors", theirs)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "namespace-mismatch")
    value = {**gpa(3.4), "gradePointAverageTypeDescriptor": uri("gradePointAverageType", "NCAA", "lakeside.example")}
    assert client.post("studentAcademicRecords", {**RECORD, "gradePointAverages": [value]}).status_code == 201


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        (Claims(denied=frozenset({("students", "Create")})), "access-denied:action"),
        (Claims(denied=frozenset({("*", "Create")})), "access-denied:action"),
        (Claims(denied=frozenset({("students", "*")})), "access-denied:resource"),
    ],
)
def test_a_claim_set_may_forbid(client: Client, remote: FakeEdFi, claims: Claims, kind: str) -> None:
    remote.gate.claims = claims
    answer = client.post("students", STUDENT)
    assert answer.status_code == 403
    assert answer.json()["type"] == f"urn:ed-fi:api:security:authorization:{kind}"
    assert client.get("students").status_code == (403 if kind.endswith("resource") else 200)


def test_a_post_that_would_update_needs_the_right_to_update(client: Client, remote: FakeEdFi) -> None:
    remote.gate.claims = Claims(denied=frozenset({("students", "Update")}))
    assert client.post("students", STUDENT).status_code == 201
    assert client.post("students", {**STUDENT, "firstName": "Eve"}).status_code == 403
    path = f"students/{client.one('students', studentUniqueId='1')['id']}"
    assert client.put(path, STUDENT).status_code == 403
    assert client.delete(path).status_code == 204


def test_a_student_can_be_changed_only_after_the_enrolment() -> None:
    profile = replace(Profile.of((7, 3)), relationships=True)
    client = Client(furnished(FakeEdFi(profile=profile), students=1))
    assert client.post("students", STUDENT).status_code == 201
    answer = client.post("students", {**STUDENT, "firstName": "Eve"})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:ed-fi:api:security:authorization")
    assert "StudentSchoolAssociation" in answer.json()["errors"][0]
    assert client.post("studentSchoolAssociations", ENROLMENT).status_code == 201
    assert client.post("students", {**STUDENT, "firstName": "Eve"}).status_code == 200


def test_what_another_system_owns_stays_as_it_is() -> None:
    client = Client(furnished(FakeEdFi(profile=replace(Profile.of((7, 3)), owned=True)), students=1))
    assert client.post("students", STUDENT).status_code == 201
    assert client.post("students", {**STUDENT, "firstName": "Eve"}).status_code == 200
    item = client.get("students").json()[0]
    assert client.put(f"students/{item['id']}", {**clean(item), "firstName": "Eve"}).status_code == 403


def test_a_closed_year_can_be_read_only() -> None:
    gate = EdFiGate(claims=Claims(closed_years=frozenset({2026})))
    remote = FakeEdFi(years=(2026, 2027), gate=gate)
    client = Client(remote)
    for year, status in ((2027, 201), (2026, 403)):
        url = client.url("students").replace("/2027/", f"/{year}/")
        assert client.session.get(url).status_code == 200
        assert client.session.post(url, json={**STUDENT, "studentUniqueId": str(year)}).status_code == status


def test_a_fault_strikes_the_record_that_it_names(client: Client, remote: FakeEdFi) -> None:
    remote.inject(
        Fault(FaultKind.REFUSED_RECORD, "bad-one", times=None), Fault(FaultKind.ERROR, "500", path="late-one")
    )
    statuses = [client.post("students", {**STUDENT, "studentUniqueId": key}).status_code
                for key in ("good-one", "bad-one", "late-one", "late-one")]  # fmt: skip
    assert statuses == [201, 400, 500, 201]
    assert remote.effects == {("students", "good-one"): 1, ("students", "late-one"): 1}
