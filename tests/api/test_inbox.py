"""The inbox: what products really send is taken in, kept with its reason where it cannot be used, and shown again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.api import roles
from gateway.api.app import create_app
from gateway.api.roles import ALLOWED, Role
from gateway.api.sites import Site, Sites, open_sites
from gateway.store import audit, inbox
from gateway.store.clients import create_client, create_key, find
from gateway.store.inbox import InboxState
from tests.api.conftest import district_folder, filled_district

G = "/ims/oneroster/gradebook/v1p2"
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    opened = filled_district(tmp_path_factory.mktemp("inbox"), "lakeside", 5)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def site(sites: Sites) -> Site:
    return sites.by_id["lakeside"]


@pytest.fixture(scope="module")
def app(sites: Sites) -> Any:
    return create_app(sites, now=lambda: NOW, per_minute=100_000)


@pytest.fixture
def client_id(site: Site, request: pytest.FixtureRequest) -> str:
    name = request.node.name[-200:]
    client = create_client(site.store, site.id, name=name, role=Role.GRADEBOOK, scopes=sorted(ALLOWED[Role.GRADEBOOK]),
                           now=NOW)  # fmt: skip
    return client.client_id


@pytest.fixture
def http(app: Any, site: Site, client_id: str) -> FlaskClient:
    """A product of its own for each test: it sees no other test's records."""
    made: FlaskClient = app.test_client()
    key = create_key(site.store, find(site.store, site.id, client_id), now=NOW)
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return made


@pytest.fixture(scope="module")
def there(app: Any, site: Site) -> Mapping[str, str]:
    """Records of the district to refer to."""
    scopes = [roles.ROSTER, roles.GRADEBOOK]
    client = create_client(site.store, site.id, name="looker", role=Role.PRODUCT, scopes=scopes, now=NOW)
    http = app.test_client()
    http.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {create_key(site.store, client, now=NOW)}"
    items = http.get(f"{G}/lineItems?limit=1000").json["lineItems"]
    item = next(each for each in items if each.get("resultValueMax"))
    student = http.get("/ims/oneroster/rostering/v1p2/students?limit=1").json["users"][0]["sourcedId"]
    return {
        "lineItem": item["sourcedId"], "max": str(item["resultValueMax"]), "class": item["class"]["sourcedId"],
        "category": item["category"]["sourcedId"], "student": student, "school": item["school"]["sourcedId"],
    }  # fmt: skip


def result(there: Mapping[str, str], **more: Any) -> dict[str, Any]:
    made = {
        "lineItem": {"sourcedId": there["lineItem"]}, "student": there["student"], "scoreStatus": "fully graded",
        "score": 1, "scoreDate": "2026-03-04",
    }  # fmt: skip
    return made | more


def test_a_record_is_kept_and_read_back(http, there):
    body = {"result": result(there, sourcedId="r-1", score=1.5, comment="")}
    first = http.put(f"{G}/results/r-1", json=body)
    assert (first.status_code, first.headers["X-Inbox-State"]) == (201, "accepted"), first.text
    again = http.put(f"{G}/results/r-1", json=body)
    assert again.status_code == 200
    found = http.get(f"{G}/results/r-1").json["result"]
    assert found == again.json["result"] == first.json["result"]
    assert found["score"] == 1.5
    assert (found["status"], found["dateLastModified"]) == ("active", "2026-11-22T08:00:00.000Z")
    assert found["lineItem"]["href"].endswith(f"/lineItems/{there['lineItem']}")
    assert "comment" not in found


TOLERATED = [
    ("a bare reference", {"lineItem": "LINE"}, {}),
    ("a number as text", {"score": "1.25"}, {"score": 1.25}),
    ("a date-time for a date", {"scoreDate": "2026-03-04T10:00:00.000Z"}, {"scoreDate": "2026-03-04"}),
    ("a boolean as JSON", {"late": True, "missing": False}, {"late": "true", "missing": "false"}),
    ("a boolean as text", {"late": "TRUE"}, {"late": "true"}),
    ("a status of 1.0", {"status": "Active"}, {"status": "active"}),
    ("a word in capitals", {"scoreStatus": "Fully Graded"}, {"scoreStatus": "fully graded"}),
    ("a time that is none", {"dateLastModified": "now"}, {"dateLastModified": "2026-11-22T08:00:00.000Z"}),
    ("no score", {"score": None, "scoreStatus": "exempt"}, {"scoreStatus": "exempt"}),
    ("an empty score", {"score": ""}, {}),
    ("a field that nobody knows", {"colour": {"of": "ink"}}, {}),
    ("an objective as a URN", {"learningObjectiveSet": {"source": "case", "learningObjectiveResults": [
        {"learningObjectiveId": "urn:uuid:0f0a8f4e-6b1e-4f6e-9d5a-0d1c2b3a4f5e", "score": "3"}]}},
     {"learningObjectiveSet": [{"source": "case", "learningObjectiveResults": [
         {"learningObjectiveId": "0f0a8f4e-6b1e-4f6e-9d5a-0d1c2b3a4f5e", "score": 3}]}]}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "shown"), [each[1:] for each in TOLERATED], ids=[each[0] for each in TOLERATED])
@pytest.mark.parametrize("envelope", ["single", "list", "bare", "bare list"])
def test_what_products_really_send_is_taken(http, there, given, shown, envelope):
    given = {name: there["lineItem"] if value == "LINE" else value for name, value in given.items()}
    record = result(there, **given)
    body = {"single": {"result": record}, "list": {"results": [record]}, "bare": record, "bare list": [record]}[
        envelope
    ]
    answer = http.put(f"{G}/results/r-1", json=body)
    assert (answer.status_code, answer.headers["X-Inbox-State"]) == (201, "accepted"), answer.text
    found = answer.json["result"]
    assert {name: found[name] for name in shown} == shown
    assert (found["sourcedId"], found["lineItem"]["sourcedId"]) == ("r-1", there["lineItem"])


QUARANTINED = [
    ({"score": "A-"}, "score", "record.not-a-number"),
    ({"score": "3,5"}, "score", "record.not-a-number"),
    ({"score": 1e300}, "score", "record.not-a-number"),
    ({"score": {"value": 3}}, "score", "inbox.unreadable"),
    ({"score": -1}, "score", "record.score-below-minimum"),
    ({"score": "MAX"}, "score", "record.score-above-maximum"),
    ({"scoreDate": "3/4/2026"}, "scoreDate", "record.not-a-date"),
    ({"scoreStatus": "brilliant"}, "scoreStatus", "record.unknown-word"),
    ({"late": "perhaps"}, "late", "record.not-a-boolean"),
    ({"lineItem": {"href": "https://lms.example/lineItems/1"}}, "lineItem", "inbox.unreadable"),
    ({"student": None}, "student", "record.required"),
    ({"status": "gone"}, "status", "record.unknown-word"),
    ({"learningObjectiveSet": ["x"]}, "learningObjectiveSet", "inbox.unreadable"),
    ({"learningObjectiveSet": [{"source": "case", "learningObjectiveResults": [
        {"learningObjectiveId": "a", "score": 1}, {"learningObjectiveId": "a", "score": 2}]}]},
     "learningObjectiveSet", "record.duplicate"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "field", "code"), QUARANTINED, ids=[each[2] + str(n) for n, each in enumerate(QUARANTINED)]
)
def test_what_cannot_be_used_is_kept_with_its_reason_and_not_applied(http, site, client_id, there, given, field, code):
    if given.get("score") == "MAX":
        given = {"score": float(there["max"]) + 0.5}
    assert http.put(f"{G}/results/r-1", json=result(there, score=1)).status_code == 201
    body = {"result": result(there, **given)}
    answer = http.put(f"{G}/results/r-1", json=body)
    assert (answer.status_code, answer.json["imsx_codeMajor"]) == (202, "processing"), answer.text
    assert answer.headers["X-Inbox-State"] == "quarantined"
    assert answer.json["imsx_description"].startswith(f"The record is kept, and not used. {field}: ")
    item = inbox.find(site.store, site.id, client_id, "results", "r-1")
    assert item is not None
    assert (item.verdict.state, item.verdict.code, item.verdict.field) == (InboxState.QUARANTINED, code, field)
    assert json.loads(item.received) == json.loads(json.dumps(body["result"]))
    assert http.get(f"{G}/results/r-1").json["result"]["score"] == 1, "the last good content stays in use"


def test_a_quarantined_record_without_a_good_version_is_not_shown(http, there):
    assert http.put(f"{G}/results/bad", json=result(there, score="x")).status_code == 202
    assert http.get(f"{G}/results/bad").status_code == 404
    assert http.put(f"{G}/results/bad", json=result(there)).status_code == 200
    assert http.get(f"{G}/results/bad").status_code == 200


def test_records_wait_for_what_they_refer_to_and_are_released_with_it(http, site, client_id, there):
    def state(name: str, id: str) -> tuple[str, str | None]:
        item = inbox.find(site.store, site.id, client_id, name, id)
        assert item is not None
        return str(item.verdict.state), item.verdict.waits_for

    sent = http.put(f"{G}/results/r-1", json=result(there, lineItem="li-1", score=3))
    assert (sent.status_code, sent.headers["X-Inbox-State"]) == (201, "waiting")
    high = http.put(f"{G}/results/r-2", json=result(there, lineItem="li-1", score=5))
    assert high.headers["X-Inbox-State"] == "waiting"
    item = {"title": "Quiz", "class": there["class"], "category": "c-1", "dueDate": "2026-03-01", "resultValueMax": "4"}
    assert http.put(f"{G}/lineItems/li-1", json=item).headers["X-Inbox-State"] == "waiting"
    assert state("results", "r-1") == ("waiting", "line_items/li-1")
    assert state("line_items", "li-1") == ("waiting", "categories/c-1")
    assert http.put(f"{G}/categories/c-1", json={"title": "Work"}).headers["X-Inbox-State"] == "accepted"
    assert state("line_items", "li-1") == ("accepted", None)
    assert state("results", "r-1") == ("accepted", None)
    assert state("results", "r-2")[0] == "quarantined", "above the maximum of the line item that came at last"


def test_lists_show_a_product_its_own_records_with_the_districts(http, app, site, there):
    before = int(http.get(f"{G}/lineItems?limit=1").headers["X-Total-Count"])
    item = {"title": "Quiz", "class": there["class"], "category": there["category"], "dueDate": "2026-03-01T00:00:00Z"}
    assert http.put(f"{G}/lineItems/zz-1", json={"lineItem": item}).status_code == 201
    assert http.put(f"{G}/results/zz-2", json=result(there, lineItem="zz-1")).status_code == 201
    assert int(http.get(f"{G}/lineItems?limit=1").headers["X-Total-Count"]) == before + 1
    for path, name in (
        (f"{G}/lineItems?filter=title='Quiz'", "lineItems"),
        (f"{G}/classes/{there['class']}/lineItems?limit=1000&sort=title", "lineItems"),
        (f"{G}/results?filter=lineItem.sourcedId='zz-1' AND student.sourcedId='{there['student']}'", "results"),
        (f"{G}/classes/{there['class']}/lineItems/zz-1/results", "results"),
        (f"{G}/classes/{there['class']}/results?limit=10000", "results"),
    ):
        assert any(each["sourcedId"].startswith("zz-") for each in http.get(path).json[name]), path
    assert http.delete(f"{G}/lineItems/zz-1").status_code == 204
    assert int(http.get(f"{G}/lineItems?limit=1").headers["X-Total-Count"]) == before
    assert http.get(f"{G}/lineItems/zz-1").json["lineItem"]["status"] == "tobedeleted"
    assert len(http.get(f"{G}/lineItems?filter=status='tobedeleted'").json["lineItems"]) == 1
    stranger = create_client(site.store, site.id, name="stranger", role=Role.PRODUCT, scopes=[roles.GRADEBOOK], now=NOW)
    headers = {"Authorization": f"Bearer {create_key(site.store, stranger, now=NOW)}"}
    assert app.test_client().get(f"{G}/results/zz-2", headers=headers).status_code == 404


def test_deleting_is_repeatable_and_leaves_the_districts_record_alone(http, app, site, client_id, there):
    assert http.delete(f"{G}/results/nobody").status_code == 404
    for _ in range(2):
        assert http.delete(f"{G}/lineItems/{there['lineItem']}").status_code == 204
    assert http.get(f"{G}/lineItems/{there['lineItem']}").json["lineItem"]["status"] == "tobedeleted"
    other = create_client(site.store, site.id, name="other", role=Role.PRODUCT, scopes=[roles.GRADEBOOK], now=NOW)
    headers = {"Authorization": f"Bearer {create_key(site.store, other, now=NOW)}"}
    seen = app.test_client().get(f"{G}/lineItems/{there['lineItem']}", headers=headers)
    assert seen.json["lineItem"]["status"] == "active"


def test_posted_records_get_ids_and_are_not_doubled(http, there):
    path = f"{G}/lineItems/{there['lineItem']}/results"
    body = {"results": [{**result(there), "lineItem": None, "sourcedId": "mine"}, result(there, score="x")]}
    del body["results"][0]["lineItem"]
    first = http.post(path, json=body)
    assert (first.status_code, first.headers["X-Inbox-State"]) == (201, "accepted=1, quarantined=1"), first.text
    pair = first.json["sourcedIdPairs"][0]
    assert pair["suppliedSourcedId"] == "mine"
    shown = http.get(f"{G}/results/{pair['allocatedSourcedId']}").json["result"]
    assert shown["lineItem"]["sourcedId"] == there["lineItem"]
    assert http.post(path, json=body).json["sourcedIdPairs"][0] == pair
    item = {"lineItems": [{"title": "Quiz", "category": there["category"]}]}
    made = http.post(f"{G}/classes/{there['class']}/lineItems", json=item)
    assert (made.status_code, made.headers["X-Inbox-State"]) == (201, "accepted=1")
    assert http.post(f"{G}/lineItems/none/results", json=body).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "minor"),
    [
        ({"result": {"sourcedId": "another"}}, 422, "invaliddata"),
        ({"result": {"sourcedId": ["r-1"]}}, 422, "invaliddata"),
        ({"results": [{"score": 1}, {"score": 2}]}, 422, "invaliddata"),
        ([], 422, "invaliddata"),
        ({}, 422, "invaliddata"),
        ("text", 422, "invaliddata"),
        (b"{\"score\": NaN}", 400, "invaliddata"),
        (b"{\"score\": 1, \"score\": 2}", 400, "invaliddata"),
        (b"{\"comment\": \"\\ud800\"}", 400, "invaliddata"),
        (b"[" * 100, 400, "invaliddata"),
        (b"\xff", 400, "invaliddata"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused_and_not_kept(http, site, client_id, body, status, minor):
    sent = {"data": body, "content_type": "application/json"} if isinstance(body, bytes) else {"json": body}
    answer = http.put(f"{G}/results/r-1", **sent)
    assert answer.status_code == status, answer.text
    (field,) = answer.json["imsx_CodeMinor"]["imsx_codeMinorField"]
    assert field["imsx_codeMinorFieldValue"] == minor
    assert inbox.listed(site.store, site.id, client_id) == []


@pytest.mark.parametrize(("id", "status"), [("x" * 256, 422), ("a%00b", 422), ("a%20b", 201), ("%C3%BC", 201)])
def test_ids_are_what_a_database_can_keep(http, there, id, status):
    assert http.put(f"{G}/results/{id}", json=result(there)).status_code == status


def test_another_content_type_is_refused(http):
    assert http.put(f"{G}/results/r-1", data="score=1").status_code == 415


def test_every_write_stands_in_the_audit_without_names_and_marks(http, site, client_id, there):
    http.put(f"{G}/results/r-1", json=result(there, comment="Ada was splendid"))
    http.delete(f"{G}/results/r-1")
    rows = [row for row in audit.read(site.store, site.id) if row["actor"] == client_id]
    assert [(row["action"], row["subjects"]) for row in rows] == [("inbox.put", 1), ("inbox.delete", 1)]
    assert "Ada" not in str(rows) and there["student"] not in str(rows)
    assert rows[0]["detail"]["record"] == rows[1]["detail"]["record"]


def test_an_idempotency_key_replays_the_answer(http, there):
    headers = {"Idempotency-Key": f"k-{id(http)}"}
    first = http.put(f"{G}/results/r-1", json=result(there), headers=headers)
    again = http.put(f"{G}/results/r-1", json=result(there), headers=headers)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json == first.json
    assert http.put(f"{G}/results/r-1", json=result(there, score=2), headers=headers).status_code == 422


@pytest.fixture
def narrow(sites: Sites, site: Site) -> Iterator[None]:
    """Room for three records of each client."""
    before = sites.by_id
    api = dataclasses.replace(site.district.api, inbox_records=3)
    sites.by_id = {site.id: dataclasses.replace(site, district=dataclasses.replace(site.district, api=api))}
    yield
    sites.by_id = before


def test_a_full_inbox_takes_what_it_has_and_nothing_new(http, narrow, client_id, site, there):
    for id in ("a", "b", "c", "a", "a"):
        assert http.put(f"{G}/categories/{id}", json={"title": "Work"}).status_code in (200, 201)
    for refused in (
        http.put(f"{G}/categories/d", json={"title": "Work"}),
        http.post(f"{G}/schools/{there['school']}/lineItems", json={"lineItem": {"title": "Test"}}),
        http.delete(f"{G}/categories/{there['category']}"),
    ):
        assert refused.status_code == 409
        assert "3 is the most" in refused.json["imsx_description"]
    assert http.put(f"{G}/categories/c", json={"title": "Other"}).json["category"]["title"] == "Other"
    assert http.delete(f"{G}/categories/b").status_code == 204
    assert inbox.count(site.store, site.id, client_id) == 3


def test_a_record_has_a_largest_size(http, site, client_id):
    body = {"title": "Work", "metadata": {"note": "x" * 65_536}}
    for sent in (http.put(f"{G}/categories/big", json=body), http.put(f"{G}/categories/big", json={"category": body})):
        assert sent.status_code == 413, sent.text
    assert inbox.count(site.store, site.id, client_id) == 0


def test_a_district_without_an_inbox_refuses(tmp_path: Path):
    path = district_folder(tmp_path, "closed", api=())
    opened = open_sites([path])
    try:
        site = opened.by_id["closed"]
        client = create_client(site.store, site.id, name="p", role=Role.GRADEBOOK,
                               scopes=sorted(ALLOWED[Role.GRADEBOOK]), now=NOW)  # fmt: skip
        headers = {"Authorization": f"Bearer {create_key(site.store, client, now=NOW)}"}
        http = create_app(opened, now=lambda: NOW).test_client()
        for method in ("PUT", "DELETE"):
            answer = http.open(f"{G}/results/r", method=method, json={"score": 1}, headers=headers)
            assert answer.status_code == 403
            assert answer.json["imsx_CodeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == "forbidden"
    finally:
        opened.close()


def test_before_the_first_pull_records_wait(tmp_path: Path):
    opened = open_sites([district_folder(tmp_path, "early")])
    try:
        site = opened.by_id["early"]
        client = create_client(site.store, site.id, name="p", role=Role.GRADEBOOK,
                               scopes=sorted(ALLOWED[Role.GRADEBOOK]), now=NOW)  # fmt: skip
        headers = {"Authorization": f"Bearer {create_key(site.store, client, now=NOW)}"}
        http = create_app(opened, now=lambda: NOW).test_client()
        sent = http.put(f"{G}/results/r", json={"lineItem": "l", "student": "s", "score": 1}, headers=headers)
        assert (sent.status_code, sent.headers["X-Inbox-State"]) == (201, "waiting")
    finally:
        opened.close()


def test_a_list_that_was_asked_for_before_shows_what_was_written_since(http, there):
    path = f"{G}/results?filter=comment='fresh'"
    assert http.get(path).json["results"] == []
    http.put(f"{G}/results/fresh", json=result(there, comment="fresh"))
    assert [each["sourcedId"] for each in http.get(path).json["results"]] == ["fresh"]
