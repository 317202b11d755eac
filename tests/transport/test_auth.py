"""Credentials against a gate that checks them for itself (fault matrix F32)."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from requests.auth import AuthBase

from gateway.core.errors import AuthorizationError, TransientError
from gateway.testing.clock import FakeClock
from gateway.testing.fake_auth import Entry, Gate
from gateway.testing.fake_oneroster import FakeOneRoster
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.wsgi import WsgiAdapter
from gateway.transport.auth import Bearer, OAuth1HmacSha256, OAuth2ClientCredentials
from gateway.transport.http import HttpClient

FILTER = {"filter": "dateLastModified>='2026-01-01T00:00:00.000Z' AND status='active'", "limit": "3"}


class Stand:
    def __init__(self, gate: Gate, auth: Callable[[FakeOneRoster, FakeClock], AuthBase]) -> None:
        self.remote = FakeOneRoster(gate=gate)
        self.clock = FakeClock()
        self.auth = auth(self.remote, self.clock)
        self.client = self.make_client(self.remote.rostering_url)

    def make_client(self, base_url: str) -> HttpClient:
        return HttpClient(
            base_url=base_url,
            auth=self.auth,
            adapters=self.remote.adapters,
            now=self.clock.now,
            sleep=self.clock.sleep,
            monotonic=self.clock.monotonic,
        )

    def get(self) -> int:
        return len(json.loads(self.client.request("GET", "users", params=FILTER).body)["users"])


def oauth2(style: Any = "header", **more: Any) -> Callable[[FakeOneRoster, FakeClock], AuthBase]:
    def make(remote: FakeOneRoster, clock: FakeClock) -> AuthBase:
        gate = remote.gate
        return OAuth2ClientCredentials(
            remote.token_url, gate.key, gate.secret, "a b", style, monotonic=clock.monotonic, **more
        )

    return make


def oauth1(signature: Any) -> Callable[[FakeOneRoster, FakeClock], AuthBase]:
    return lambda remote, clock: OAuth1HmacSha256(remote.gate.key, remote.gate.secret, signature)


@pytest.mark.parametrize(
    ("entry", "auth"),
    [
        (Entry.BEARER, lambda remote, clock: Bearer(remote.gate.bearer)),
        (Entry.OAUTH1_SHA256, oauth1("HMAC-SHA256")),
        (Entry.OAUTH1_SHA1, oauth1("HMAC-SHA1")),
        (Entry.OAUTH2_HEADER, oauth2("header")),
        (Entry.OAUTH2_BODY, oauth2("body")),
        (Entry.OAUTH2_QUERY, oauth2("query")),
    ],
)
def test_each_kind_of_credentials_opens_its_gate_and_no_other(
    entry: Entry, auth: Callable[[FakeOneRoster, FakeClock], AuthBase]
) -> None:
    stand = Stand(Gate(entry), auth)
    assert [stand.get(), stand.get()] == [3, 3]
    for other in set(Entry) - {entry, Entry.NONE}:
        with pytest.raises(AuthorizationError) as caught:
            Stand(Gate(other), auth).get()
        assert caught.value.hint
    for secret in stand.remote.secrets:
        assert secret not in repr(stand.auth) + str(vars(stand.auth)) + repr(stand.client)


def test_writes_are_signed_with_their_query_and_without_their_body() -> None:
    stand = Stand(Gate(Entry.OAUTH1_SHA256), oauth1("HMAC-SHA256"))
    client = stand.make_client(stand.remote.gradebook_url)
    answer = client.request("PUT", "categories/g-9", params={"x": "a b"}, body=b'{"category": {"title": "New"}}')
    assert answer.status == 201


def test_a_token_is_kept_until_shortly_before_it_expires() -> None:
    stand = Stand(Gate(expires_in=3600), oauth2())
    stand.get()
    stand.clock.advance(3539)
    stand.get()
    assert stand.remote.gate.tokens_given == 1
    stand.clock.advance(2)
    stand.get()
    assert stand.remote.gate.tokens_given == 2


@pytest.mark.parametrize("expires_in", [10, 1])
def test_a_short_lived_token_is_used_nevertheless(expires_in: int) -> None:
    stand = Stand(Gate(expires_in=expires_in), oauth2())
    stand.get()
    stand.get()
    assert stand.remote.gate.tokens_given == 1


def test_a_token_without_an_end_is_kept_until_it_is_refused() -> None:
    stand = Stand(Gate(expires_in=None), oauth2())
    stand.get()
    stand.clock.advance(10**7)
    stand.get()
    assert stand.remote.gate.tokens_given == 1
    stand.remote.gate.revoke_tokens()
    assert stand.get() == 3
    assert stand.remote.gate.tokens_given == 2


def test_a_token_refused_twice_ends_the_request() -> None:
    stand = Stand(Gate(), oauth2())
    stand.remote.inject(Fault(FaultKind.ERROR, "401", path="/users", times=None))
    with pytest.raises(AuthorizationError) as caught:
        stand.get()
    assert caught.value.code == "http.unauthorized"
    assert stand.remote.gate.tokens_given == 2
    assert stand.remote.reads("/users") == 2


def test_two_services_share_one_token() -> None:
    stand = Stand(Gate(), oauth2())
    stand.get()
    stand.make_client(stand.remote.gradebook_url).request("GET", "categories")
    assert stand.remote.gate.tokens_given == 1


def test_many_threads_fetch_one_token_and_renew_it_once() -> None:
    stand = Stand(Gate(), oauth2())
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: stand.get(), range(40))) == [3] * 40
        assert stand.remote.gate.tokens_given == 1
        stand.remote.gate.revoke_tokens()
        assert list(pool.map(lambda _: stand.get(), range(40))) == [3] * 40
    assert stand.remote.gate.tokens_given == 2


def test_a_session_cookie_of_the_token_is_sent_along_to_its_own_host_only() -> None:
    stand = Stand(Gate(cookie="session=abc123"), oauth2())
    assert stand.get() == 3
    cookies: list[str | None] = []

    def elsewhere(environ, start_response):
        cookies.append(environ.get("HTTP_COOKIE"))
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    adapters = {**stand.remote.adapters, "https://elsewhere.example": WsgiAdapter(elsewhere)}
    HttpClient(base_url="https://elsewhere.example", auth=stand.auth, adapters=adapters).request("GET", "users")
    assert cookies == [None]


def test_a_token_address_that_fails_for_now_is_tried_again() -> None:
    stand = Stand(Gate(), oauth2())
    stand.remote.inject(Fault(FaultKind.ERROR, "500", path="/token", times=2))
    assert stand.get() == 3
    stand = Stand(Gate(), oauth2())
    stand.remote.inject(Fault(FaultKind.ERROR, "500", path="/token", times=None))
    with pytest.raises(TransientError):
        stand.get()


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b"[]", b'{"access_token": ""}', b'{"access_token": 7}', b'{"access_token": "a\\nb"}', b"[" * 9999],
)
def test_an_answer_without_a_token_is_an_authorization_error(body: bytes) -> None:
    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    auth = OAuth2ClientCredentials("https://sis.example/token", "key", "secret")
    client = HttpClient(base_url="https://sis.example", auth=auth, adapters={"https://": WsgiAdapter(app)})
    with pytest.raises(AuthorizationError) as caught:
        client.request("GET", "users")
    assert caught.value.code == "authorization.token-answer"


@pytest.mark.parametrize("life", ["3600", 3600.0, "soon", None, -1, [], float("1e308")])
def test_odd_lives_of_tokens_do_no_harm(life: object) -> None:
    tokens: list[str] = []

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/token":
            tokens.append("x")
        body = json.dumps({"access_token": "x", "expires_in": life}).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    auth = OAuth2ClientCredentials("https://sis.example/token", "key", "secret")
    client = HttpClient(base_url="https://sis.example", auth=auth, adapters={"https://": WsgiAdapter(app)})
    client.request("GET", "users")
    client.request("GET", "users")
    assert tokens == ["x"]
