"""The HTTP client against servers that misbehave on real sockets (fault matrix F28 and F29)."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.core.errors import IncompletePullError, RejectedError, TransientError
from gateway.testing.clock import FakeClock
from gateway.testing.faulty_server import Behaviour, black_hole, drip, head, reset_after, send, serve_faulty
from gateway.testing.wsgi import serve
from gateway.transport.http import HttpClient
from gateway.transport.json_body import decode_records
from gateway.transport.retry import Limits

LIMITS = Limits(
    connect_seconds=60, read_seconds=60, attempt_seconds=60, tries=2, body_bytes=100_000, decoded_bytes=200_000
)
IMPATIENT = replace(LIMITS, read_seconds=0.3, attempt_seconds=0.4)
GOOD = head(2) + b"{}"
PAGE = b'{"results": [{"sourcedId": "r-1"}]}'
BOMB = gzip.compress(b"0" * 50_000_000)


def client(url: str, limits: Limits = LIMITS) -> HttpClient:
    clock = FakeClock()
    return HttpClient(base_url=url, limits=limits, sleep=clock.sleep, random=lambda: 0.5)


def chunked(*parts: bytes, end: bool = True) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return head(None, "Transfer-Encoding: chunked") + body + (b"0\r\n\r\n" if end else b"")


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (send(head(len(PAGE)) + PAGE[:10]), "http.truncated"),
        (send(chunked(PAGE, end=False)), "http.truncated"),
        (send(chunked(PAGE)[:-20]), "http.truncated"),
        (send(b""), "http.reset"),
        (send(b"220 smtp.example ESMTP\r\n"), "http.reset"),
        (reset_after(b""), "http.reset"),
        (reset_after(head(len(PAGE)) + PAGE[:10]), "http.reset"),
        (send(head(None, "Content-Encoding: gzip") + gzip.compress(PAGE)[:-9]), "http.truncated"),
    ],
    ids=[
        "shorter than announced", "without a last chunk", "in mid-chunk", "closes", "is no HTTP server", "resets",
        "resets in its body", "cuts off its gzip",
    ],
)  # fmt: skip
def test_a_broken_answer_is_tried_again_and_then_transient(behaviour: Behaviour, code: str) -> None:
    with serve_faulty(behaviour) as server, pytest.raises(TransientError) as caught:
        client(server.url).request("GET", "results")
    assert caught.value.code == code
    assert len(server.seen) == LIMITS.tries
    with serve_faulty(behaviour, send(GOOD)) as server:
        assert client(server.url).request("GET", "results").body == b"{}"


@pytest.mark.parametrize(
    "behaviour",
    [
        black_hole(),
        drip(GOOD * 50, every=0.05),
        drip(head(1000) + b"x" * 1000, every=0.01),
        drip(chunked(b"x" * 500, b"x" * 500), every=0.01),
    ],
    ids=["black hole", "drips its head", "drips its body", "drips its chunks"],
)
def test_an_answer_that_does_not_end_is_tried_again_and_then_transient(behaviour: Behaviour) -> None:
    with serve_faulty(behaviour) as server, pytest.raises(TransientError) as caught:
        client(server.url, IMPATIENT).request("GET", "results")
    assert caught.value.code == "http.timeout"
    assert len(server.seen) == IMPATIENT.tries
    with serve_faulty(behaviour, send(GOOD)) as server:  # a busy machine may need more than one try for the good one
        assert client(server.url, replace(IMPATIENT, tries=30)).request("GET", "results").body == b"{}"


def test_a_refusal_whose_body_is_cut_off_is_a_refusal() -> None:
    with serve_faulty(reset_after(head(500, status="422 No") + b"{")) as server, pytest.raises(RejectedError) as caught:
        client(server.url).request("GET", "results")
    assert caught.value.status == 422


@pytest.mark.parametrize(
    ("sent", "body"), [(head(None) + PAGE[:10], PAGE[:10]), (b"HTTP/1.1 200 OK\r\nContent-Le", b"")]
)
def test_a_body_that_ends_with_its_connection_is_left_to_the_reader_of_pages(sent: bytes, body: bytes) -> None:
    with serve_faulty(send(sent)) as server:
        answer = client(server.url).request("GET", "results")
    assert answer.body == body
    with pytest.raises(IncompletePullError):
        decode_records(answer.body, dict, ("results",), source="results page 1")


@pytest.mark.parametrize(
    "answer",
    [
        head(None) + b"x" * 100_001,
        head(100_001) + b"x" * 100_001,
        chunked(b"x" * 50_001, b"x" * 50_001),
        head(len(BOMB), "Content-Encoding: gzip") + BOMB,
        head(None, "Content-Encoding: gzip") + BOMB,
    ],
    ids=["endless", "announced", "chunked", "gzip bomb", "gzip bomb of unknown length"],
)
def test_too_large_an_answer_is_refused_at_once(answer: bytes) -> None:
    with serve_faulty(send(answer)) as server, pytest.raises(IncompletePullError) as caught:
        client(server.url).request("GET", "results")
    assert caught.value.code == "http.too-large"
    assert len(server.seen) == 1


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip"])
def test_a_compression_that_was_not_asked_for_or_is_none_is_refused(encoding: str) -> None:
    with (
        serve_faulty(send(head(4, f"Content-Encoding: {encoding}") + b"data")) as server,
        pytest.raises(IncompletePullError) as caught,
    ):
        client(server.url).request("GET", "results")
    assert caught.value.code == "http.encoding"


@pytest.mark.parametrize(
    "body", [gzip.compress(PAGE), gzip.compress(PAGE[:9]) + gzip.compress(PAGE[9:])], ids=["one member", "two members"]
)
def test_gzip_is_unpacked(body: bytes) -> None:
    with serve_faulty(send(head(len(body), "Content-Encoding: gzip") + body)) as server:
        assert client(server.url).request("GET", "results").body == PAGE


def refused_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


@pytest.mark.parametrize(
    "url", [refused_port, lambda: "http://there-is-no-such-host.invalid"], ids=["refused", "unknown name"]
)
def test_a_host_that_cannot_be_reached_is_transient(url: Callable[[], str]) -> None:
    with pytest.raises(TransientError) as caught:
        client(url()).request("GET", "results")
    assert caught.value.code == "http.unreachable"
    assert caught.value.hint


def test_a_write_that_may_not_be_repeated_is_sent_once() -> None:
    with serve_faulty(reset_after(b""), send(GOOD)) as server:
        with pytest.raises(TransientError):
            client(server.url).request("POST", "results", body=b"{}")
        assert len(server.seen) == 1


def test_head_and_body_of_a_request_travel_together_and_connections_are_kept() -> None:
    peers: set[str] = set()

    def app(environ, start_response):
        peers.add(environ["REMOTE_PORT"])
        body = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    with serve(app) as url:
        kept = client(url)
        assert [kept.request("PUT", "results/1", body=b"%d" % number).body for number in range(5)] == [
            b"0", b"1", b"2", b"3", b"4",
        ]  # fmt: skip
        kept.close()
    assert len(peers) == 1
