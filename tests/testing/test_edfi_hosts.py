"""The fake Ed-Fi host in its versions: addresses, discovery, tokens, and both forms of errors."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from gateway.testing.clock import FakeClock
from gateway.testing.edfi import Claims, EdFiGate, FakeEdFi, Profile
from gateway.testing.edfi.district import furnished
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.wsgi import serve
from tests.testing.edfi_client import Client

STUDENT = {"studentUniqueId": "1", "firstName": "Ada", "lastSurname": "Bell", "birthDate": "2011-05-01"}


def ask(remote: FakeEdFi, url: str, **more: Any) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    session.mount(remote.host, remote.adapters[remote.host])
    return session.request(more.pop("method", "GET"), url, **more)


@pytest.mark.parametrize(
    ("version", "more", "base", "data", "token"),
    [
        ("5.2", {}, "/", "/data/v3/ed-fi", "/oauth/token"),
        ("5.3", {"years": (2027,)}, "/", "/data/v3/2027/ed-fi", "/oauth/token"),
        ("6.1", {"years": (2027,), "instance": "lake"}, "/", "/data/v3/lake/2027/ed-fi", "/lake/oauth/token"),
        ("7.1", {}, "/", "/data/v3/ed-fi", "/oauth/token"),
        ("7.2", {"years": (2026, 2027), "path": "/WebApi"}, "/WebApi", "/WebApi/2027/data/v3/ed-fi",
         "/WebApi/oauth/token"),
        ("7.3", {"tenant": "t1", "years": (2027,)}, "/t1/2027", "/t1/2027/data/v3/ed-fi", "/t1/oauth/token"),
        ("8.0", {}, "/api", "/api/data/ed-fi", "/api/connect/token"),
        ("8.0", {"tenant": "t1", "years": (2027,)}, "/api", "/api/t1/2027/data/ed-fi", "/api/connect/token"),
    ],
)  # fmt: skip
def test_discovery_leads_to_everything(version: str, more: dict[str, Any], base: str, data: str, token: str) -> None:
    remote = FakeEdFi(version, **more)
    document = ask(remote, f"{remote.host}{base}").json()
    assert (document["version"], document["suite"]) == (version, "3")
    urls = document["urls"]
    assert urlsplit(urls["dataManagementApi"] + "ed-fi").path == data == urlsplit(remote.data_url).path + "/ed-fi"
    assert urlsplit(urls["oauth"]).path == token
    for name in ("dependencies", "openApiMetadata"):
        assert ask(remote, urls[name]).status_code == 200, name
    for section in ask(remote, urls["openApiMetadata"]).json():
        assert ask(remote, section["endpointUri"]).json()["paths"]
    client = Client(remote)
    assert client.session.get(urls["dataManagementApi"] + "ed-fi/students").json() == []
    assert client.session.get(urls["changeQueries"] + "availableChangeVersions").status_code == 200
    assert client.post("students", STUDENT).headers["Location"].startswith(urls["dataManagementApi"])


@pytest.mark.parametrize(
    ("more", "paths"),
    [
        ({"years": (2027,)}, ["/data/v3/ed-fi/students", "/2020/data/v3/ed-fi/students", "/elsewhere"]),
        ({"tenant": "t1"}, ["/data/v3/ed-fi/students", "/t2/data/v3/ed-fi/students"]),
        ({}, ["/data/v3/ed-fi/nothing", "/data/v3/tpdm/students", "/data/v3/ed-fi", "/data/v3/ed-fi/students/1/2/3",
              "/metadata/elsewhere", "/changeQueries/v1/elsewhere"]),
        ({"path": "/WebApi"}, ["/data/v3/ed-fi/students", "/WebApiX/data/v3/ed-fi/students"]),
    ],
)  # fmt: skip
def test_other_paths_lead_nowhere(more: dict[str, Any], paths: list[str]) -> None:
    client = Client(remote := FakeEdFi(**more))
    for path in paths:
        assert client.session.get(remote.host + path).status_code == 404, path


@pytest.mark.parametrize("capital", [True, False])
def test_change_versions_were_capitalised_before_6_0(capital: bool) -> None:
    client = Client(remote := FakeEdFi("5.3" if capital else "6.0"))
    answer = client.session.get(f"{remote.base_url}/changeQueries/v1/availableChangeVersions").json()
    assert set(answer) == (
        {"OldestChangeVersion", "NewestChangeVersion"} if capital else {"oldestChangeVersion", "newestChangeVersion"}
    )


def test_a_host_without_change_queries_does_not_tell_their_address() -> None:
    remote = FakeEdFi(profile=replace(Profile.of((7, 3)), changes=False))
    assert "changeQueries" not in ask(remote, remote.base_url).json()["urls"]
    client = Client(remote)
    assert client.session.get(f"{remote.base_url}/changeQueries/v1/availableChangeVersions").status_code == 404
    assert client.get("students/deletes").status_code == 404


def token_of(remote: FakeEdFi, **more: Any) -> requests.Response:
    return ask(remote, remote.token_url, method="POST", **more)


def test_credentials_come_by_header_or_in_the_form() -> None:
    remote = FakeEdFi()
    grant = {"grant_type": "client_credentials"}
    key, secret = remote.gate.key, remote.gate.secret
    for more in ({"auth": (key, secret), "data": grant},
                 {"data": {**grant, "client_id": key, "client_secret": secret}}):  # fmt: skip
        document = token_of(remote, **more).json()
        assert (len(document["access_token"]), document["expires_in"]) == (32, 1800)
    for more in ({"auth": (key, "wrong"), "data": grant}, {"data": grant}, {"auth": ("who", secret), "data": grant}):
        assert token_of(remote, **more).status_code == 401
    assert token_of(remote, auth=(key, secret), data={"grant_type": "password"}).status_code == 400


def test_tokens_expire_are_revoked_and_are_limited_in_number() -> None:
    clock = FakeClock(datetime(2026, 11, 2, tzinfo=UTC))
    gate = EdFiGate(now=clock.now, most_tokens=2)
    client = Client(remote := FakeEdFi(gate=gate))
    assert client.get("students").status_code == 200
    clock.advance(timedelta(minutes=31).total_seconds())
    answer = client.get("students")
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:ed-fi:api:security:authentication")
    client.login()
    others = [Client(remote) for _ in range(2)]
    assert [each.get("students").status_code for each in (client, *others)] == [401, 200, 200]
    remote.inject(Fault(FaultKind.EXPIRED_TOKEN))
    assert [others[0].get("students").status_code for _ in range(2)] == [401, 401]


def test_each_client_has_its_own_claims() -> None:
    reader = Claims("Reader", frozenset({("*", "Create")}))
    remote = FakeEdFi(gate=EdFiGate(others={"second": ("s2", reader)}))
    assert Client(remote).post("students", STUDENT).status_code == 201
    second = Client(remote, "second", "s2")
    assert second.post("students", STUDENT).status_code == 403
    info = second.session.post(f"{remote.base_url}/oauth/token_info", json={"token": "x"}).json()
    assert info["education_organizations"] == [{"education_organization_id": 255901}]


def test_tokens_of_v8_are_long() -> None:
    assert len(token_of(remote := FakeEdFi("8.0"), auth=(remote.gate.key, remote.gate.secret),
                        data={"grant_type": "client_credentials"}).json()["access_token"]) > 300  # fmt: skip


@pytest.mark.parametrize("version", ["7.1", "7.2", "8.0"])
def test_both_forms_of_errors(version: str) -> None:
    client = Client(furnished(FakeEdFi(version), students=1))
    invalid = client.post("students", {"firstName": "x"}).json()
    unresolved = client.post("studentSchoolAssociations", {
        "schoolReference": {"schoolId": 7}, "studentReference": {"studentUniqueId": "none"},
        "entryDate": "2026-08-24", "entryGradeLevelDescriptor": "uri://ed-fi.org/GradeLevelDescriptor#Ninth grade",
    }).json()  # fmt: skip
    if version == "7.1":
        assert set(invalid["modelState"]) == {"request.studentUniqueId", "request.lastSurname", "request.birthDate"}
        assert set(unresolved) == {"message"}
        return
    assert invalid["status"] == 400
    assert invalid["correlationId"] != unresolved["correlationId"]
    assert set(invalid["validationErrors"]) == {"$.studentUniqueId", "$.lastSurname", "$.birthDate"}
    assert unresolved["title"] == "Unresolved Reference"
    assert ("errors" in unresolved) == (version == "8.0")


@pytest.mark.parametrize(("version", "kind"), [("7.3", "bad-request:data-validation-failed"), ("8.0", "bad-request")])
def test_a_missing_descriptor_has_another_type_in_v8(version: str, kind: str) -> None:
    client = Client(FakeEdFi(version))
    answer = client.post("students", {**STUDENT, "birthSexDescriptor": "uri://ed-fi.org/SexDescriptor#X"}).json()
    assert (answer["type"], set(answer["validationErrors"])) == (f"urn:ed-fi:api:{kind}", {"$.birthSexDescriptor"})


def test_an_older_host_tells_a_missing_descriptor_in_its_message() -> None:
    client = Client(FakeEdFi("6.1"))
    answer = client.post("students", {**STUDENT, "birthSexDescriptor": "uri://ed-fi.org/SexDescriptor#X"})
    assert (answer.status_code, "SexDescriptor#X" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize(("status", "kind"), [(500, "application/json"), (503, "text/html"), (504, "text/html")])
def test_a_gateway_in_front_answers_html(status: int, kind: str) -> None:
    client = Client(remote := FakeEdFi())
    remote.inject(Fault(FaultKind.ERROR, str(status), path="totalCount=true", times=None))
    answer = client.get("students/deletes", totalCount="true")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, kind)
    assert client.get("students/deletes").status_code == 200


def test_throttling_tells_when_to_come_again() -> None:
    client = Client(remote := FakeEdFi())
    remote.inject(Fault(FaultKind.THROTTLED, "7", method="POST"))
    answer = client.post("students", STUDENT)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert client.post("students", STUDENT).status_code == 201


def test_secrets_can_be_told_from_everything_else() -> None:
    remote = FakeEdFi()
    client = Client(remote)
    token = str(client.session.headers["Authorization"]).partition(" ")[2]
    assert any(secret in token for secret in remote.secrets)
    assert remote.gate.secret in remote.secrets


def test_a_lost_answer_took_effect() -> None:
    client = Client(remote := FakeEdFi())
    remote.inject(Fault(FaultKind.ANSWER_LOST, method="POST"))
    with pytest.raises(requests.ConnectionError):
        client.post("students", STUDENT)
    assert remote.effects == {("students", "1"): 1}
    assert client.post("students", STUDENT).status_code == 200
    assert remote.effects == {("students", "1"): 1}
    assert remote.writes == 2


def test_many_clients_at_once_over_sockets() -> None:
    remote = FakeEdFi()

    def push(worker: int, url: str) -> set[int]:
        with requests.Session() as session:
            session.trust_env = False
            form = {"grant_type": "client_credentials"}
            answer = session.post(f"{url}/oauth/token", data=form, auth=(remote.gate.key, remote.gate.secret))
            session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            return {
                session.post(
                    f"{url}/data/v3/ed-fi/students",
                    data=json.dumps({**STUDENT, "studentUniqueId": f"{worker}-{number}"}),
                    headers={"Content-Type": "application/json"},
                ).status_code
                for number in range(50)
            }

    with serve(remote) as url, ThreadPoolExecutor(4) as pool:
        assert set().union(*pool.map(push, range(4), [url] * 4)) == {201}
    assert len(remote.rows("students")) == 200
    versions = [row.version for row in remote.data.store.tables["students"].rows.values()]
    assert len(set(versions)) == 200
