"""The fake providers do what they imitate: queries, writes, effects, errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from gateway.testing.fake_auth import Entry, Gate
from gateway.testing.fake_case import FakeCase, FrameworkManners
from gateway.testing.fake_oneroster import FakeOneRoster, GradebookManners
from gateway.testing.fake_service import FakeService
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.wsgi import serve

OPEN = Gate(Entry.NONE)


def ask(remote: FakeService, method: str, url: str, body: object = None, **params: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        session.mount(remote.host, remote.adapters[remote.host])
        return session.request(method, url, json=body, params=params)


def rows(remote: FakeOneRoster, path: str, **params: str) -> list[str]:
    service = remote.gradebook_url if path in ("results", "lineItems", "categories") else remote.rostering_url
    answer = ask(remote, "GET", f"{service}/{path}", **params)
    assert answer.status_code == 200, answer.text
    return [record["sourcedId"] for records in answer.json().values() for record in records]


@pytest.fixture
def remote() -> FakeOneRoster:
    return FakeOneRoster(gate=OPEN)


@pytest.mark.parametrize(
    ("path", "params", "ids"),
    [
        ("orgs", {"filter": "type='school'"}, ["o-1", "o-2"]),
        ("orgs", {"filter": "type='school' AND name~'middle'"}, ["o-2"]),
        ("orgs", {"filter": "sourcedId='o-1' OR sourcedId='o-2'"}, ["o-1", "o-2"]),
        ("orgs", {"filter": "parent.sourcedId!='x'"}, ["o-1", "o-2"]),
        ("schools", {}, ["o-1", "o-2"]),
        ("terms", {}, ["t-1", "t-2"]),
        ("teachers", {}, ["u-t0", "u-t1"]),
        ("users", {"filter": "roles.role='teacher'"}, ["u-t0", "u-t1"]),
        ("courses", {"sort": "title", "orderBy": "desc"}, ["c-1", "c-0"]),
        ("orgs", {"offset": "1", "limit": "1"}, ["o-1"]),
        ("orgs", {"offset": "9"}, []),
        ("orgs", {"filter": "dateLastModified>'2026-09-01'"}, []),
        ("categories", {"fields": "sourcedId"}, ["g-0", "g-1"]),
    ],
)
def test_lists_are_filtered_sorted_and_paged(
    remote: FakeOneRoster, path: str, params: Mapping[str, str], ids: list[str]
) -> None:
    assert rows(remote, path, **params) == ids


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"filter": "type = 'school'"}, "invalid_filter_field"),
        ({"filter": "type='a' AND type='b' AND type='c'"}, "invalid_filter_field"),
        ({"filter": "nothing='a'"}, "invalid_filter_field"),
        ({"fields": "nothing"}, "invalid_selection_field"),
        ({"sort": "name", "orderBy": "up"}, "invalid_sort_field"),
        ({"limit": "many"}, "invaliddata"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_bad_queries_are_refused_with_their_code(params: Mapping[str, str], code: str, wrapped: bool) -> None:
    remote = FakeOneRoster(gate=OPEN, manners=GradebookManners(wrapped_errors=wrapped))
    answer = ask(remote, "GET", f"{remote.rostering_url}/orgs", **params)
    assert answer.status_code == 400
    info = answer.json()["imsx_StatusInfo"] if wrapped else answer.json()
    minor = info["imsx_CodeMinor" if wrapped else "imsx_codeMinor"]
    assert minor["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == code


def put(remote: FakeOneRoster, path: str, **record: Any) -> int:
    single = {"results": "result", "lineItems": "lineItem", "categories": "category"}[path.split("/")[0]]
    return ask(remote, "PUT", f"{remote.gradebook_url}/{path}", {single: record}).status_code


def test_effects_are_counted_apart_from_requests(remote: FakeOneRoster) -> None:
    assert [put(remote, "categories/n", title=title) for title in ("A", "A", "B", "B")] == [201, 200, 200, 200]
    assert remote.effects == {("categories", "n"): 2}
    assert remote.writes == 4
    for _ in range(2):
        assert ask(remote, "DELETE", f"{remote.gradebook_url}/categories/n").status_code == 204
    assert remote.effects == {("categories", "n"): 3}
    assert "n" not in rows(remote, "categories")
    assert "n" in rows(remote, "categories", filter="status='tobedeleted'")
    assert "n" not in remote.active("categories")


def test_an_effect_whose_answer_is_lost_is_an_effect(remote: FakeOneRoster) -> None:
    remote.inject(Fault(FaultKind.ANSWER_LOST, path="categories/n"))
    with pytest.raises(requests.ConnectionError):
        put(remote, "categories/n", title="A")
    assert remote.active("categories")["n"]["title"] == "A"
    assert put(remote, "categories/n", title="A") == 200
    assert remote.effects == {("categories", "n"): 1}


@pytest.mark.parametrize(
    ("path", "record", "status"),
    [
        ("results/n", {"lineItem": {"sourcedId": "nothing"}}, 422),
        ("results/n", {"lineItem": {"sourcedId": "l-1"}, "student": {"sourcedId": "u-s01"}}, 201),
        ("categories/n", {"sourcedId": "other"}, 400),
        ("lineItems/n", {"class": {"sourcedId": "k-0"}, "category": {"sourcedId": "nothing"}}, 422),
    ],
)
def test_writes_are_checked(remote: FakeOneRoster, path: str, record: dict[str, Any], status: int) -> None:
    assert put(remote, path, **record) == status
    assert len(remote.effects) == (status == 201)


@pytest.mark.parametrize("as_object", [False, True])
def test_posts_allocate_ids_each_time(as_object: bool) -> None:
    remote = FakeOneRoster(gate=OPEN, manners=GradebookManners(pairs_as_object=as_object))
    url = f"{remote.gradebook_url}/lineItems/l-1/results"
    pairs = [ask(remote, "POST", url, {"results": [{"sourcedId": "mine"}]}).json()["sourcedIdPairs"] for _ in range(2)]
    flat = pairs if as_object else [pair for (pair,) in pairs]
    assert [pair["suppliedSourcedId"] for pair in flat] == ["mine", "mine"]
    assert len({pair["allocatedSourcedId"] for pair in flat}) == 2
    assert remote.tables["results"]["allocated-1"]["lineItem"]["sourcedId"] == "l-1"


def test_version_1_1_has_one_path_and_no_scales() -> None:
    remote = FakeOneRoster(version="1.1", gate=OPEN, prefix="/api")
    assert remote.rostering_url == remote.gradebook_url == "https://sis.example/api/ims/oneroster/v1p1"
    assert ask(remote, "GET", f"{remote.gradebook_url}/results").status_code == 200
    assert ask(remote, "GET", f"{remote.gradebook_url}/scoreScales").status_code == 404
    assert ask(remote, "POST", f"{remote.gradebook_url}/lineItems/l-1/results", {"results": []}).status_code == 405


def test_a_share_of_requests_fails_the_same_way_each_time() -> None:
    def statuses() -> list[int]:
        remote = FakeOneRoster(gate=OPEN)
        remote.inject(Fault(FaultKind.ERROR, "503", times=None, share=0.2))
        return [ask(remote, "GET", f"{remote.rostering_url}/orgs").status_code for _ in range(100)]

    first = statuses()
    assert first == statuses()
    assert 5 < first.count(503) < 40


def test_case_documents_packages_items_and_errors() -> None:
    remote = FakeCase(gate=OPEN, manners=FrameworkManners(wrapped_packages=True, uris_inside=True))
    documents = ask(remote, "GET", f"{remote.base_url}/CFDocuments", limit="2").json()["CFDocuments"]
    assert len(documents) == 2
    package = ask(remote, "GET", documents[0]["CFPackageURI"]["uri"]).json()["CFPackage"]
    item = package["CFItems"][1]
    assert item["CFDocumentURI"]["identifier"] == documents[0]["identifier"]
    near = ask(remote, "GET", f"{remote.base_url}/CFItemAssociations/{item['identifier'].upper()}").json()
    assert [each["associationType"] for each in near["CFAssociations"]] == ["isChildOf"]
    assert ask(remote, "GET", f"{remote.base_url}/CFAssociations/{near['CFAssociations'][0]['identifier']}").ok
    unknown = ask(remote, "GET", f"{remote.base_url}/CFItems/00000000-0000-4000-8000-00000000ffff")
    assert (unknown.status_code, "unknownobject" in unknown.text) == (404, True)
    assert ask(remote, "POST", f"{remote.base_url}/CFDocuments", {}).status_code == 404


@pytest.mark.parametrize(("version", "code"), [("1.0", "invaliduuid"), ("1.1", "invalid_uuid")])
def test_case_spells_a_bad_identifier_by_version(version: str, code: str) -> None:
    remote = FakeCase(version=version, gate=OPEN)
    answer = ask(remote, "GET", f"{remote.base_url}/CFPackages/7")
    assert (answer.status_code, code in answer.text) == (400, True)


def test_a_served_app_keeps_connections_and_survives_faults(remote: FakeOneRoster) -> None:
    remote.inject(Fault(FaultKind.HANG_UP, after=1), Fault(FaultKind.TRUNCATED, after=2))
    with serve(remote) as url, requests.Session() as session:
        session.trust_env = False
        address = f"{url}/ims/oneroster/gradebook/v1p2/categories"
        link = session.get(address, params={"limit": "1"}).headers["Link"]
        assert link.startswith(f"<{url}/ims/oneroster/gradebook/v1p2/categories?limit=1&offset=0>")
        for _ in range(2):
            with pytest.raises(requests.RequestException):
                session.get(address)
        for number in range(20):
            body = json.dumps({"category": {"title": "x"}})
            assert session.put(f"{address}/n-{number}", data=body).status_code == 201
    assert len(remote.effects) == 20
