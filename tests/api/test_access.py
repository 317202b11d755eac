"""Who may call: keys, tokens, scopes, districts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.api.roles import CATALOGUE, MAPPING, Role
from gateway.core.errors import ConfigurationError
from gateway.store import clients
from tests.api.conftest import FIRST, SECOND


def token(http, client_id, secret, form=None):
    return http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret} | (form or {}),
    )


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer x",
        "Basic eDp4",
        "Bearer gw_live_0000000000000000_" + "A" * 43,
        "Bearer gw_token_" + "A" * 43,
    ],
)
def test_without_a_known_credential_nothing_is_shown(http, header):
    answer = http.get("/v1/mappings", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.json["type"] == "/v1/problems/unauthorized"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_ends_when_it_expires(http, bearer, clock):
    headers = bearer()
    assert http.get("/v1/mappings", headers=headers).status_code == 200
    clock.go_on(clients.KEY_LIFE)
    assert http.get("/v1/mappings", headers=headers).status_code == 401


def test_a_token_has_the_scopes_asked_for_and_ends_after_an_hour(http, new_client, clock):
    client, key = new_client()
    answer = token(http, client.client_id, key, {"scope": CATALOGUE})
    assert (answer.json["expires_in"], answer.json["scope"]) == (3600, CATALOGUE)
    headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
    assert http.get("/v1/mappings", headers=headers).status_code == 200
    refused = http.post("/v1/mappings/lakeside/apply", headers=headers, json={"evidence": []})
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    assert MAPPING in refused.json["detail"]
    clock.go_on(timedelta(hours=1))
    assert http.get("/v1/mappings", headers=headers).status_code == 401


@pytest.mark.parametrize("way", ["basic", "form", "query"])
def test_credentials_may_come_in_every_usual_way(http, new_client, way):
    client, key = new_client()
    grant = {"grant_type": "client_credentials"}
    both = grant | {"client_id": client.client_id, "client_secret": key}
    if way == "basic":
        answer = http.post("/oauth/token", data=grant, auth=(client.client_id, key))
    else:
        answer = http.post("/oauth/token", **{"form": {"data": both}, "query": {"query_string": both}}[way])
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("change", "error", "status"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
        ({"client_secret": "gw_live_0000000000000000_" + "A" * 43}, "invalid_client", 401),
        ({"client_id": "client_other"}, "invalid_client", 401),
        ({"scope": "everything"}, "invalid_scope", 400),
    ],
)
def test_a_token_is_refused_as_oauth_says(http, new_client, change, error, status):
    client, key = new_client()
    answer = token(http, client.client_id, key, change)
    assert (answer.status_code, answer.json["error"]) == (status, error)


def test_a_token_cannot_be_exchanged_for_another_one(http, new_client):
    client, key = new_client()
    first = token(http, client.client_id, key).json["access_token"]
    assert token(http, client.client_id, first).status_code == 401


def test_two_keys_live_side_by_side_and_no_third(http, new_client, site, clock):
    client, first = new_client()
    second = clients.create_key(site.store, client, now=clock())
    with pytest.raises(ConfigurationError) as refused:
        clients.create_key(site.store, client, now=clock())
    assert refused.value.code == "client.keys"
    for key in (first, second):
        assert http.get("/v1/mappings", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    clients.revoke_key(site.store, client, first.split("_")[2], now=clock())
    answers = [http.get("/v1/mappings", headers={"Authorization": f"Bearer {key}"}) for key in (first, second)]
    assert [answer.status_code for answer in answers] == [401, 200]
    assert clients.create_key(site.store, client, now=clock())


def test_revoking_a_client_ends_its_tokens_too(http, new_client, site, clock):
    client, key = new_client()
    held = token(http, client.client_id, key).json["access_token"]
    clients.revoke_client(site.store, client, now=clock())
    for credential in (key, held):
        assert http.get("/v1/mappings", headers={"Authorization": f"Bearer {credential}"}).status_code == 401


def test_last_use_is_known_and_secrets_are_not(http, new_client, site, clock):
    client, key = new_client()
    http.get("/v1/mappings", headers={"Authorization": f"Bearer {key}"})
    (kept,) = clients.keys(site.store, client)
    assert kept.last_used_at == clock()
    dump = site.district.data.joinpath("gateway.db").read_bytes()
    assert key.rsplit("_", 1)[1].encode() not in dump


def test_a_role_cannot_use_a_scope_beyond_it(http, bearer):
    headers = bearer(Role.AUDITOR, scopes=[MAPPING])
    assert http.post("/v1/mappings/lakeside/apply", headers=headers, json={"evidence": []}).status_code == 403


def test_each_district_sees_its_own_only(http, bearer, sites):
    (sites.by_id[SECOND].district.folder / "mappings/schools/state-standards.yaml").unlink(missing_ok=True)
    there = http.get("/v1/mappings/state-standards", headers=bearer(district=FIRST))
    elsewhere = http.get("/v1/mappings/state-standards", headers=bearer(district=SECOND))
    assert (there.status_code, elsewhere.status_code) == (200, 404)
