"""The HTTP client: what is tried again, when it ends, what each outcome becomes, and that it tells no secret."""

from __future__ import annotations

import gzip
import json
import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import (
    AuthorizationError,
    ConfigurationError,
    GatewayError,
    IncompletePullError,
    RejectedError,
    TransientError,
)
from gateway.testing.clock import FakeClock
from gateway.testing.wsgi import WsgiAdapter
from gateway.transport.auth import Bearer
from gateway.transport.http import Answer, HttpClient
from gateway.transport.retry import Limits, backoff

BASE = "https://sis.example/ims/oneroster/v1p1"
OK = ("200 OK", {}, b"{}")

Said = tuple[str, dict[str, str], bytes]


class Script:
    """A WSGI app that says one line after the other, the last one for ever; ``None`` breaks the connection off."""

    def __init__(self, *lines: Said | None) -> None:
        self.lines = lines
        self.requests: list[dict[str, Any]] = []

    def __call__(self, environ, start_response):
        line = self.lines[min(len(self.requests), len(self.lines) - 1)]
        self.requests.append({**environ, "body": environ["wsgi.input"].read()})
        if line is None:
            raise ConnectionResetError
        status, headers, body = line
        start_response(status, [("Content-Length", str(len(body))), *headers.items()])
        return [body]


class Stand:
    def __init__(self, *lines: Said | None, limits: Limits | None = None, base_url: str = BASE) -> None:
        self.script = Script(*lines)
        self.clock = FakeClock()
        self.client = HttpClient(
            base_url=base_url,
            auth=Bearer("t0p-secret"),
            limits=limits,
            adapters={"https://": WsgiAdapter(self.script), "http://": WsgiAdapter(self.script)},
            now=self.clock.now,
            sleep=self.clock.sleep,
            monotonic=self.clock.monotonic,
            random=lambda: 0.5,
        )

    def get(self, path: str = "results", **more: Any) -> Answer:
        return self.client.request("GET", path, **more)


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "204 No Content"])
def test_a_2xx_is_returned(status: str) -> None:
    answer = Stand((status, {"X-Total-Count": "7"}, b"")).get()
    assert answer.status == int(status[:3])
    assert answer.headers["x-total-count"] == "7"


@pytest.mark.parametrize(
    ("status", "method", "error", "code"),
    [
        ("400 Bad Request", "GET", RejectedError, "http.refused"),
        ("403 Forbidden", "GET", AuthorizationError, "http.forbidden"),
        ("403 Forbidden", "PUT", RejectedError, "http.forbidden"),
        ("404 Not Found", "GET", RejectedError, "http.not-found"),
        ("405 Method Not Allowed", "DELETE", RejectedError, "http.not-offered"),
        ("409 Conflict", "PUT", RejectedError, "http.conflict"),
        ("418 I'm a teapot", "GET", RejectedError, "http.unexpected"),
        ("422 Unprocessable", "PUT", RejectedError, "http.refused"),
        ("501 Not Implemented", "GET", TransientError, "http.unexpected"),
        ("522 Unknown", "PUT", TransientError, "http.unexpected"),
        ("304 Not Modified", "GET", RejectedError, "http.redirect"),
        ("401 Unauthorized", "GET", AuthorizationError, "http.unauthorized"),
    ],
)
def test_what_is_not_worth_another_try_is_tried_once(
    status: str, method: str, error: type[GatewayError], code: str
) -> None:
    stand = Stand((status, {}, b""))
    with pytest.raises(error) as caught:
        stand.client.request(method, "results/1", body=b"{}" if method == "PUT" else None)
    assert caught.value.code == code
    assert caught.value.hint
    assert len(stand.script.requests) == 1
    assert stand.clock.waits == []
    if isinstance(caught.value, RejectedError):
        assert caught.value.status == int(status[:3])


@pytest.mark.parametrize("status", ["408 Timeout", "429 Busy", "500 Oops", "502 Bad", "503 Busy", "504 Late", None])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_may_pass_is_tried_six_times_with_growing_waits(status: str | None, method: str) -> None:
    line = (status, {}, b"") if status else None
    stand = Stand(line)
    with pytest.raises(TransientError):
        stand.client.request(method, "results/1", body=b"{}" if method == "PUT" else None)
    assert len(stand.script.requests) == 6
    assert stand.clock.waits == [1.5, 2.5, 4.5, 8.5, 16.5]
    again = Stand(line, line, OK)
    assert again.client.request(method, "results/1").status == 200


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_posts_are_repeated_only_when_that_is_safe(method: str) -> None:
    stand = Stand(("503 Busy", {}, b""), OK)
    with pytest.raises(TransientError):
        stand.client.request(method, "results", body=b"{}")
    assert len(stand.script.requests) == 1
    stand = Stand(("503 Busy", {}, b""), OK)
    assert stand.client.request(method, "results", body=b"{}", repeatable=True).status == 200


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", 7.0),
        (" 300 ", 300.0),
        ("0", 0.0),
        ("Mon, 02 Nov 2026 03:02:00 GMT", 120.0),
        ("Mon, 02 Nov 2026 02:00:00 GMT", 0.0),
        ("soon", 1.5),
        ("-5", 1.5),
        ("²", 1.5),
        ("", 1.5),
    ],
)
@pytest.mark.parametrize("status", ["429 Busy", "503 Busy"])
def test_retry_after_is_honoured(status: str, header: str, wait: float) -> None:
    stand = Stand((status, {"Retry-After": header}, b""), OK)
    assert stand.get().status == 200
    assert stand.clock.waits == [wait]


@pytest.mark.parametrize("header", ["301", "86400", "9" * 400, "Fri, 01 Jan 2106 00:00:00 GMT"])
def test_an_absurd_retry_after_ends_the_request_and_says_when(header: str) -> None:
    stand = Stand(("429 Busy", {"Retry-After": header}, b""))
    with pytest.raises(TransientError, match=r"only after 20\d\d-\d\d-\d\d \d\d:\d\d UTC") as caught:
        stand.get()
    assert caught.value.code == "http.retry-after"
    assert stand.clock.waits == []


def test_a_request_ends_after_a_quarter_of_an_hour() -> None:
    stand = Stand(("503 Busy", {"Retry-After": "290"}, b""), limits=Limits(tries=100))
    with pytest.raises(TransientError):
        stand.get()
    assert stand.clock.waits == [290.0] * 3


@given(tries=st.integers(1, 40), chance=st.floats(0, 1, exclude_max=True))
def test_waits_lie_between_a_second_and_a_minute(tries: int, chance: float) -> None:
    assert 1.0 <= backoff(tries, chance, 60.0) <= min(60.0, 2.0**tries)


@pytest.mark.parametrize(
    ("line", "limits"),
    [
        (None, Limits(tries=1, failures=3)),
        (("429 Busy", {}, b""), Limits(tries=1, failures=3)),
        (("503 Busy", {}, b""), Limits(tries=1, failures=3)),
        (("500 Oops", {}, b""), Limits(tries=1, failures=1, server_errors=3)),
        (("501 Oops", {}, b""), Limits(tries=1, failures=1, server_errors=3)),
    ],
)
def test_the_circuit_opens_after_some_failed_requests_and_a_success_closes_it(
    line: Said | None, limits: Limits
) -> None:
    stand = Stand(line, line, OK, line, line, line, OK, limits=limits)
    for works in (False, False, True, False, False, False):
        if works:
            stand.get()
        else:
            with pytest.raises(TransientError):
                stand.get()
    for _ in range(2):
        with pytest.raises(TransientError) as caught:
            stand.get()
        assert caught.value.code == "http.circuit-open"
    assert len(stand.script.requests) == 6


def test_a_refused_record_does_not_open_the_circuit() -> None:
    stand = Stand(("503 Oops", {}, b""), ("422 No", {}, b""), limits=Limits(tries=1, failures=2))
    for _ in range(5):
        with pytest.raises((TransientError, RejectedError)):
            stand.get()
    assert len(stand.script.requests) == 5


@pytest.mark.parametrize("location", ["/ims/oneroster/v1p1/other", "https://sis.example:443/x", "other"])
def test_a_read_follows_a_redirect_within_its_origin(location: str) -> None:
    stand = Stand(("302 Found", {"Location": location}, b""), OK)
    assert stand.get().status == 200
    assert stand.script.requests[1]["HTTP_AUTHORIZATION"] == "Bearer t0p-secret"


@pytest.mark.parametrize(
    ("method", "location"),
    [
        ("GET", "https://elsewhere.example/"),
        ("GET", "http://sis.example/ims/oneroster/v1p1/results"),
        ("GET", "https://sis.example:8443/"),
        ("GET", "//elsewhere.example/"),
        ("PUT", "/ims/oneroster/v1p1/other"),
        ("GET", "/ims/oneroster/v1p1/results"),
    ],
    ids=["another host", "plain http", "another port", "another host, same scheme", "a write", "a loop"],
)
def test_other_redirects_are_refused(method: str, location: str) -> None:
    stand = Stand(("307 Moved", {"Location": location}, b""))
    with pytest.raises(RejectedError) as caught:
        stand.client.request(method, "results")
    assert caught.value.code == "http.redirect"
    assert {request["HTTP_HOST"] for request in stand.script.requests} == {"sis.example"}


@pytest.mark.parametrize(
    "url", ["https://elsewhere.example/results", "http://sis.example/results", "ftp://sis.example/"]
)
def test_an_address_outside_the_service_is_not_asked(url: str) -> None:
    stand = Stand(OK)
    with pytest.raises(IncompletePullError) as caught:
        stand.get(url)
    assert caught.value.code == "http.other-origin"
    assert stand.script.requests == []


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("results", "/ims/oneroster/v1p1/results"),
        ("/results", "/ims/oneroster/v1p1/results"),
        ("https://sis.example/ims/oneroster/v1p1/results", "/ims/oneroster/v1p1/results"),
        ("https://SIS.example:443/other", "/other"),
        ("", "/ims/oneroster/v1p1"),
        ("results/a b/ä", "/ims/oneroster/v1p1/results/a b/Ã¤"),
        ("results/a%2Fb", "/ims/oneroster/v1p1/results/a/b"),
    ],
)
def test_paths_are_below_the_base_and_addresses_are_as_they_are(path: str, seen: str) -> None:
    stand = Stand(OK)
    stand.get(path)
    assert stand.script.requests[0]["PATH_INFO"] == seen


def test_parameters_are_encoded_once_and_join_those_of_a_link() -> None:
    stand = Stand(OK)
    stand.get("results?limit=5", params={"filter": "dateLastModified>='2026-09-01T00:00:00.000Z' AND a='ä & b'"})
    assert stand.script.requests[0]["QUERY_STRING"] == (
        "limit=5&filter=dateLastModified%3E%3D%272026-09-01T00%3A00%3A00.000Z%27%20AND%20a%3D%27%C3%A4%20%26%20b%27"
    )


def test_bodies_travel_with_their_length_and_type() -> None:
    stand = Stand(OK)
    stand.client.request("PUT", "results/1", body=b'{"a": 1}', headers={"X-Own": "1"})
    stand.client.request("POST", "results", body=b"")
    stand.client.request("DELETE", "results/1")
    put, post, delete = stand.script.requests
    assert (put["body"], put["CONTENT_TYPE"], put["CONTENT_LENGTH"], put["HTTP_X_OWN"]) == (
        b'{"a": 1}', "application/json", "8", "1",
    )  # fmt: skip
    assert (post["CONTENT_LENGTH"], delete["CONTENT_LENGTH"]) == ("0", "0")


def test_a_body_shorter_than_announced_is_tried_again() -> None:
    def app(environ, start_response):
        bodies.append(b"{}")
        start_response("200 OK", [("Content-Length", "2" if len(bodies) > 1 else "20")])
        return [b"{}"]

    bodies: list[bytes] = []
    clock = FakeClock()
    client = HttpClient(base_url=BASE, adapters={"https://": WsgiAdapter(app)}, sleep=clock.sleep)
    assert client.request("GET", "results").body == b"{}"
    assert len(bodies) == 2


@pytest.mark.parametrize("body", [b"x" * 200_000, b"", b"{"])
def test_an_error_is_its_status_whatever_its_body(body: bytes) -> None:
    stand = Stand(("422 No", {"Content-Encoding": "gzip"}, body))
    with pytest.raises(RejectedError) as caught:
        stand.get()
    assert (caught.value.status, caught.value.reason) == (422, "")


def test_the_reason_is_read_out_of_a_packed_body() -> None:
    packed = gzip.compress(b'{"imsx_description": "The grading window is closed"}')
    stand = Stand(("422 No", {"Content-Encoding": "gzip"}, packed))
    with pytest.raises(RejectedError, match="The grading window is closed") as caught:
        stand.get()
    assert caught.value.reason == "The grading window is closed"
    assert b"The grading window is closed" in caught.value.answer
    assert "imsx" not in repr(caught.value)


def test_the_longest_prefix_chooses_the_adapter() -> None:
    near, far = Script(OK), Script(OK)
    adapters = {"https://sis.example": WsgiAdapter(far), "HTTPS://sis.example/ims/oneroster": WsgiAdapter(near)}
    HttpClient(base_url=BASE, adapters=adapters).request("GET", "results")
    assert (len(near.requests), len(far.requests)) == (1, 0)


@pytest.mark.parametrize("base_url", ["sis.example", "mailto:someone", "https://", "https://[::1/"])
def test_a_malformed_address_is_a_matter_of_the_settings(base_url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        HttpClient(base_url=base_url).request("GET", "results")
    assert caught.value.hint


def test_a_malformed_token_is_a_matter_of_the_settings() -> None:
    client = HttpClient(base_url=BASE, auth=Bearer("two\r\nlines"), adapters={"https://": WsgiAdapter(Script(OK))})
    with pytest.raises(ConfigurationError) as caught:
        client.request("GET", "results")
    assert "two" not in str(caught.value)


def test_one_client_serves_several_threads() -> None:
    stand = Stand(OK)
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda number: stand.get(f"results/{number}").status, range(200)))
    assert statuses == [200] * 200
    assert len({request["PATH_INFO"] for request in stand.script.requests}) == 200


SECRETS = ("t0p-secret", "query-secret", "student-4711", "header-secret", "Emma", "body-secret")


@pytest.mark.parametrize(
    "line",
    [
        ("500 Oops", {}, b"Emma t0p-secret"),
        ("422 No", {}, json.dumps({"imsx_description": "Student Emma has body-secret in student-4711"}).encode()),
        ("401 No", {"WWW-Authenticate": 'Bearer realm="t0p-secret"'}, b""),
        ("302 Found", {"Location": "https://elsewhere.example/?t=query-secret"}, b""),
        ("429 Busy", {"Retry-After": "86400"}, b""),
        ("200 OK", {"Content-Encoding": "br"}, b"body-secret"),
        None,
    ],
    ids=["500", "422", "401", "redirect", "429", "encoding", "hang up"],
)
def test_no_error_and_no_log_tells_a_secret(line: Said | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stand = Stand(line)
    with pytest.raises(GatewayError) as caught:
        stand.client.request(
            "PUT",
            "results/student-4711",
            params={"secret": "query-secret"},
            body=b'{"name": "Emma", "x": "body-secret"}',
            headers={"X-Key": "header-secret"},
        )
    error = caught.value
    told = [str(error), repr(error), error.detail, str(error.as_dict()), "".join(traceback.format_exception(error))]
    told += [f"{record.getMessage()} {record.exc_text}" for record in caplog.records]
    told += [repr(stand.client), str(vars(stand.client)), repr(stand.client._auth)]
    assert [secret for secret in SECRETS if any(secret in text for text in told)] == []
    assert "sis.example/results/…" in error.message


def test_an_answer_does_not_show_its_content() -> None:
    answer = Stand(("200 OK", {"X-Name": "Emma"}, b"Emma")).get(params={"secret": "query-secret"})
    assert repr(answer) == "Answer(status=200)"
