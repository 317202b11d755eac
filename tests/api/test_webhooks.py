"""Webhooks: signed, retried, replayed, and never sent into a private network that the district did not allow."""

from __future__ import annotations

import base64
import dataclasses
import hmac
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gateway.api.sites import Sites
from gateway.api.webhook_sender import WebhookSender
from gateway.core.errors import ConfigurationError
from gateway.store import webhooks
from gateway.store.webhooks import RETRY_AFTER, Event
from gateway.transport.public_address import destination, is_public
from tests.api.conftest import FIRST, SECOND


class Receiver:
    """Takes what is posted to it, and answers with ``status``."""

    def __init__(self) -> None:
        self.status = 204
        self.taken: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def open_sites(sites: Sites) -> Iterator[Sites]:
    """The first district lets webhooks go to private addresses."""
    before = sites.by_id
    site = before[FIRST]
    district = dataclasses.replace(site.district, api=dataclasses.replace(site.district.api, private_webhooks=True))
    sites.by_id = {**before, FIRST: dataclasses.replace(site, district=district)}
    for each in webhooks.listed(site.store, FIRST):
        webhooks.remove(site.store, each)
    yield sites
    sites.by_id = before


@pytest.fixture
def sender(open_sites, clock):
    return WebhookSender(open_sites, now=clock)


@pytest.fixture
def hook(http, bearer, receiver, open_sites):
    """A webhook of a new client: its headers and its JSON."""
    headers = bearer()
    made = http.post("/v1/webhooks", json={"url": receiver.url, "events": ["job.done", "run.held"]}, headers=headers)
    assert made.status_code == 201, made.text
    return headers, made.json


def announce(site, event, clock, **more):
    with site.store.begin() as connection:
        return webhooks.announce(connection, site.id, event, {"run": "r1"}, now=clock(), **more)


def test_an_event_arrives_signed_by_the_standard(hook, sender, receiver, site, clock):
    assert announce(site, Event.RUN_HELD, clock) == 1
    assert announce(site, Event.GPA_ISSUED, clock) == 0
    assert sender.send_one() and not sender.send_one()
    ((headers, body),) = receiver.taken
    key = base64.b64decode(hook[1]["secret"].removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert int(headers["webhook-timestamp"]) == int(clock().timestamp())
    assert b'"type":"run.held"' in body


def test_what_is_not_taken_is_sent_again_and_then_given_up(http, hook, sender, receiver, site, clock):
    headers, made = hook
    receiver.status = 500
    announce(site, Event.RUN_HELD, clock)
    for wait in RETRY_AFTER:
        assert sender.send_one()
        assert not sender.send_one()
        clock.go_on(wait)
    assert sender.send_one()
    clock.go_on(timedelta(days=2))
    assert not sender.send_one()
    path = f"/v1/webhooks/{made['id']}/deliveries"
    fresh = headers
    log = webhooks.log(site.store, webhooks.find(site.store, site.id, made["id"]), after=None, limit=9)
    assert [(each.state, each.status, each.attempts) for each in log] == [("failed", 500, len(RETRY_AFTER) + 1)]
    assert len({got["webhook-id"] for got, _ in receiver.taken}) == 1

    receiver.status = 200
    again = http.post(f"{path}/{log[0].delivery_id}/replay", headers=fresh)
    assert again.status_code == 202, again.text
    assert sender.send_one()
    assert http.get(path, headers=fresh).json["deliveries"][0]["state"] == "delivered"
    assert receiver.taken[-1][0]["webhook-id"] == receiver.taken[0][0]["webhook-id"]


@pytest.mark.parametrize(("status", "state"), [(302, "waiting"), (410, "waiting"), (299, "delivered")])
def test_a_redirect_is_not_followed_and_gone_means_gone(http, hook, sender, receiver, site, clock, status, state):
    headers, made = hook
    receiver.status = status
    announce(site, Event.RUN_HELD, clock)
    sender.send_one()
    assert len(receiver.taken) == 1
    assert http.get(f"/v1/webhooks/{made['id']}/deliveries", headers=headers).json["deliveries"][0]["state"] == state
    disabled = http.get(f"/v1/webhooks/{made['id']}", headers=headers).json["disabled_at"]
    assert bool(disabled) is (status == 410)


def test_a_ping_can_be_sent_and_the_secret_changed(http, hook, sender, receiver):
    headers, made = hook
    assert http.post(f"/v1/webhooks/{made['id']}/ping", headers=headers).status_code == 202
    assert sender.send_one()
    changed = http.post(f"/v1/webhooks/{made['id']}/secret", headers=headers).json["secret"]
    assert changed != made["secret"]
    assert "secret" not in http.get(f"/v1/webhooks/{made['id']}", headers=headers).json


def test_an_event_of_one_client_is_not_told_to_another(hook, bearer, http, receiver, site, clock, open_sites):
    assert announce(site, Event.JOB_DONE, clock, client_id="client_other") == 0


def test_a_webhook_is_its_clients_own(http, hook, bearer):
    _, made = hook
    for stranger in (bearer(), bearer(district=SECOND)):
        for method, path in (
            ("get", ""),
            ("delete", ""),
            ("post", "/ping"),
            ("post", "/secret"),
            ("get", "/deliveries"),
        ):
            assert getattr(http, method)(f"/v1/webhooks/{made['id']}{path}", headers=stranger).status_code == 404


def test_a_removed_webhook_is_told_of_nothing(http, hook, sender, receiver, site, clock):
    headers, made = hook
    announce(site, Event.RUN_HELD, clock)
    assert http.delete(f"/v1/webhooks/{made['id']}", headers=headers).status_code == 204
    assert not sender.send_one()
    assert not receiver.taken


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.org/", "address.url"),
        ("https://127.0.0.1/", "address.private"),
        ("https://[::1]/", "address.private"),
        ("https://[::ffff:10.0.0.1]/", "address.private"),
        ("https://[64:ff9b::a00:1]/", "address.private"),
        ("https://169.254.169.254/latest/meta-data", "address.private"),
        ("https://100.64.0.1/", "address.private"),
        ("https://localhost/", "address.private"),
        ("https://2130706433/", "address.private"),
        ("https://user:pw@example.org/", "address.url"),
        ("https://1.1.1.1:22/", "address.url"),
        ("https://1.1.1.1:99999/", "address.url"),
        ("file:///etc/passwd", "address.url"),
        ("gopher://1.1.1.1/", "address.url"),
        ("https://no-such-host.invalid/", "address.unknown"),
        (f"https://{'0' * 200}/", "address.unknown"),
    ],
)
def test_private_addresses_are_refused_where_the_district_has_not_allowed_them(http, bearer, url, code):
    answer = http.post("/v1/webhooks", json={"url": url, "events": ["job.done"]}, headers=bearer())
    status = 409 if code == "address.unknown" else 403
    assert (answer.status_code, answer.json["code"]) in [(status, code), (422, "invalid")]


def test_a_name_is_looked_up_once_and_any_private_address_refuses_it(monkeypatch):
    asked = []

    def lookup(host, port, **_):
        asked.append(host)
        return [(2, 1, 6, "", (address, port)) for address in found]

    monkeypatch.setattr("gateway.transport.public_address.socket.getaddrinfo", lookup)
    found = ["93.184.216.34"]
    assert destination("https://example.org/a?b=1").address == "93.184.216.34"
    assert asked == ["example.org"]
    found = ["93.184.216.34", "192.168.0.7"]
    with pytest.raises(ConfigurationError):
        destination("https://example.org/")


def test_public_addresses_are_known_as_such():
    assert is_public("1.1.1.1") and is_public("2606:4700:4700::1111") and is_public("64:ff9b::101:101")
    assert not any(
        map(is_public, ("0.0.0.0", "224.0.0.1", "255.255.255.255", "fe80::1%eth0", "fc00::1", "2002:a00:1::"))
    )
