"""The client: attempts, tokens, uploads and signatures against scripted answers; every method against a server."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from gateway.api.app import create_app
from gateway.api.job_runner import JobRunner
from gateway.api.roles import ALLOWED, Role
from gateway.api.sandbox.district import Plan, fill, write_district
from gateway.api.server import make_server, stop_server
from gateway.api.sites import Sites, open_sites
from gateway.api.webhook_sender import WebhookSender, signature
from gateway.client import (
    Client,
    JobNotDoneError,
    ProblemError,
    Retries,
    TokenRefusedError,
    UnreachableError,
    UnverifiedError,
    verify_webhook,
)
from gateway.client.problems import InvalidError, NotFoundError, TooManyRequestsError, UnavailableError
from gateway.shipped import shipped
from gateway.store.clients import create_client, create_key
from tests.api.test_client_contract import operations
from tests.api.test_webhooks import Receiver

HERE = "http://gateway.example"
LISTS: dict[str, Any] = {"webhooks": []}


class Script(BaseAdapter):
    """Answers what it was told to, in turn; keeps every request with its body."""

    def __init__(self, answers: Sequence[Any]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.requests: list[requests.PreparedRequest] = []
        self.bodies: list[bytes] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.requests.append(request)
        body = request.body
        self.bodies.append(body if isinstance(body, bytes) else (body or "").encode() if isinstance(body, str | None)
                           else b"".join(body))  # fmt: skip
        told = self.answers.pop(0)
        if isinstance(told, Exception):
            raise told
        status, content, headers = told
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = status, request, request.url
        answer._content = content if isinstance(content, bytes) else json.dumps(content).encode()
        answer.headers.update({"Content-Type": "application/json", **headers})
        return answer

    def close(self) -> None:
        pass


def ok(content: Any = LISTS) -> tuple[int, Any, dict[str, str]]:
    return 200, content, {}


def problem(status: int, type: str, code: str = "", **headers: str) -> tuple[int, Any, dict[str, str]]:
    told = {"type": f"/v1/problems/{type}", "title": "T", "status": status, "detail": "D.", "code": code or type,
            "hint": "H.", "instance": "", "errors": [{"pointer": "/a", "code": "value", "message": "M."}]}  # fmt: skip
    return status, told, {"Content-Type": "application/problem+json", "X-Request-Id": "r-1",
                          **{name.replace("_", "-"): value for name, value in headers.items()}}  # fmt: skip


@pytest.fixture
def scripted() -> Iterator[Callable[..., tuple[Client, Script, list[float]]]]:
    """A client over scripted answers, and the seconds that it waited; every answer must be asked for."""
    scripts: list[Script] = []

    def make(*answers: Any, **more: Any) -> tuple[Client, Script, list[float]]:
        script, waited = Script(answers), []
        scripts.append(script)
        client = Client(HERE, "key", sleep=waited.append, **more)
        client.session.mount(HERE, script)
        return client, script, waited

    yield make
    assert not [answer for script in scripts for answer in script.answers]


def test_what_passes_is_tried_again_as_the_answer_says(scripted):
    busy, down = problem(429, "too-many-requests", Retry_After="7"), problem(503, "unavailable")
    client, _, waited = scripted(busy, down, (502, b"<html>", {}), requests.ConnectionError(), requests.Timeout(), ok())
    assert client.list_webhooks().webhooks == ()
    assert waited[0] == 7
    assert [low <= wait <= 2 * low for wait, low in zip(waited[1:], (0.5, 1, 2, 4), strict=True)] == [True] * 4


def test_a_date_may_say_how_long_to_wait(scripted):
    client, _, waited = scripted(problem(503, "unavailable", Retry_After="Sun, 22 Nov 2026 08:00:00 GMT"), ok())
    client.list_webhooks()
    at = datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert waited[0] == pytest.approx(max(0, (at - datetime.now(UTC)).total_seconds()), abs=5)


@pytest.mark.parametrize(
    ("answers", "more", "error", "tries"),
    [
        ([problem(429, "too-many-requests", Retry_After="1")] * 3, 3, TooManyRequestsError, 3),
        ([problem(503, "unavailable", Retry_After="3600")], 3, UnavailableError, 1),
        ([requests.ConnectionError()] * 2, 2, UnreachableError, 2),
        ([problem(422, "invalid")], 3, InvalidError, 1),
        ([problem(404, "not-found")], 3, NotFoundError, 1),
        ([problem(409, "conflict")], 3, ProblemError, 1),
        ([problem(409, "conflict", "idempotency.at-work", Retry_After="1")] * 2, 2, ProblemError, 2),
        ([(302, b"", {"Location": "http://elsewhere.example"})], 3, ProblemError, 1),
        ([(200, b"<html>", {})], 3, UnreachableError, 1),
    ],
)  # fmt: skip
def test_what_does_not_pass_is_told(scripted, answers, more, error, tries):
    client, script, _ = scripted(*answers, retries=Retries(attempts=more))
    with pytest.raises(error):
        client.list_webhooks()
    assert len(script.requests) == tries


def test_a_problem_says_all_that_the_api_said(scripted):
    client, _, _ = scripted(problem(422, "invalid", "value.odd"))
    with pytest.raises(InvalidError) as caught:
        client.list_webhooks()
    told = caught.value
    said = (told.status, told.type, told.title, told.detail, told.code, told.hint, told.request_id)
    assert said == (422, "invalid", "T", "D.", "value.odd", "H.", "r-1")
    assert told.errors[0].pointer == "/a"
    assert str(told) == "D. H."


def test_a_write_that_is_tried_again_keeps_its_key_and_the_next_has_another(scripted):
    gone = (204, b"", {})
    client, script, _ = scripted(problem(500, "internal"), requests.ConnectionError(), gone, gone, gone)
    for key in (None, None, "mine"):
        client.remove_webhook("hook_1", idempotency_key=key)
    keys = [request.headers["Idempotency-Key"] for request in script.requests]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert keys[4] == "mine"


JOB = {"id": "j", "kind": "mapping", "state": "queued", "bytes": 2, "rows_done": 0, "results": {}, "error": None,
       "created_at": "2026-11-22T08:00:00Z", "ended_at": None, "expires_at": "2026-11-29T08:00:00Z"}  # fmt: skip


def test_an_upload_is_sent_whole_at_each_attempt_if_it_can_be_had_again(scripted, tmp_path):
    file = tmp_path / "evidence.ndjson"
    file.write_bytes(b"{}")
    for upload, media_type in ((file, None), (lambda: [b"{", b"}"], "application/x-ndjson")):
        client, script, _ = scripted(problem(503, "unavailable"), ok(JOB))
        client.start_mapping_job(upload, "lakeside", as_of=date(2026, 11, 1), media_type=media_type)
        assert script.bodies == [b"{}"] * 2
        assert {request.headers["Content-Type"] for request in script.requests} == {"application/x-ndjson"}
        assert "as_of=2026-11-01" in script.requests[1].url
    client, script, _ = scripted(problem(503, "unavailable"))
    with pytest.raises(UnavailableError):
        client.start_mapping_job(iter([b"{", b"}"]), "lakeside", media_type="text/csv")
    with pytest.raises(ValueError, match="media type"):
        client.start_mapping_job(iter([b"a"]), "lakeside")


def test_a_job_is_waited_for_with_longer_and_longer_pauses(scripted):
    states = ["queued", "running", "running", "done"]
    client, _, waited = scripted(*[ok({**JOB, "state": state}) for state in states])
    assert client.wait_for_job("j").state == "done"
    assert waited == [0.5, 0.75, 1.125]
    client, _, _ = scripted(ok({**JOB, "state": "failed", "error": {"code": "c", "message": "Why.", "hint": ""}}))
    with pytest.raises(JobNotDoneError, match="Why"):
        client.wait_for_job("j")
    client, _, _ = scripted(ok(JOB))
    with pytest.raises(JobNotDoneError, match="queued still"):
        client.wait_for_job("j", within=0)


def test_a_token_is_had_once_renewed_before_its_end_and_once_when_it_is_refused(scripted, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine gateway.example login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    tokens = [ok({"access_token": f"t{n}", "expires_in": 3600, "token_type": "Bearer"}) for n in range(3)]
    refused = problem(401, "unauthorized")
    answers = [tokens[0], ok(), ok(), tokens[1], ok(), refused, tokens[2], ok(), refused]
    seconds = iter([0.0, 1.0, 3541.0, 3541.0, 3542.0, 3543.0, 3544.0, 3545.0])
    client, script, _ = scripted(*answers[:-1], client_id="me", scopes=["gpa.use"], clock=lambda: next(seconds))
    for _ in range(4):
        client.list_webhooks()
    told = [request.headers["Authorization"] for request in script.requests]
    basic = requests.auth._basic_auth_str("me", "key")
    assert told == [basic, "Bearer t0", "Bearer t0", basic, "Bearer t1", "Bearer t1", basic, "Bearer t2"]
    assert script.bodies[0] == b"grant_type=client_credentials&scope=gpa.use"

    client, _, _ = scripted(tokens[0], refused, tokens[1], refused, client_id="me")
    with pytest.raises(ProblemError):
        client.list_webhooks()
    client, _, _ = scripted(refused)
    with pytest.raises(ProblemError):
        client.list_webhooks()
    client, _, _ = scripted((401, {"error": "invalid_client", "error_description": "No."}, {}), client_id="me")
    with pytest.raises(TokenRefusedError, match="invalid_client"):
        client.list_webhooks()


@pytest.mark.parametrize("id", ["", ".", ".."])
def test_an_id_cannot_lead_elsewhere(scripted, id):
    client, _, _ = scripted()
    with pytest.raises(ValueError, match="id"):
        client.read_mapping(id)


def test_an_id_is_one_step_of_the_path_whatever_stands_in_it(scripted):
    client, script, _ = scripted(problem(404, "not-found"))
    with pytest.raises(NotFoundError):
        client.read_job("../jobs?x=ü#y")
    assert script.requests[0].url == f"{HERE}/v1/jobs/..%2Fjobs%3Fx%3D%C3%BC%23y"


SECRET, NEW_SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=", "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXc="
AT = 1_795_334_400
BODY = b'{"type":"ping","timestamp":"2026-11-22T08:00:00.000+00:00","data":{}}'


def delivered(secret: str = SECRET, body: bytes = BODY, **more: str) -> dict[str, str]:
    signed = {"Webhook-Id": "e1", "Webhook-Timestamp": str(AT), "Webhook-Signature": signature(secret, "e1", AT, body)}
    return signed | {f"Webhook-{name.title()}": value for name, value in more.items()}


def test_a_delivery_is_believed_if_its_signature_is_that_of_the_body():
    event = verify_webhook(BODY, delivered(), SECRET, now=AT + 300)
    assert (event.id, event.type, event.timestamp, event.data) == (
        "e1",
        "ping",
        datetime(2026, 11, 22, 8, tzinfo=UTC),
        {},
    )
    both = f"v1,AAAA {signature(NEW_SECRET, 'e1', AT, BODY)}"
    assert verify_webhook(BODY, delivered(signature=both), [SECRET, NEW_SECRET], now=AT).type == "ping"


@pytest.mark.parametrize(
    ("body", "headers", "now"),
    [
        (BODY + b" ", delivered(), AT),
        (BODY, delivered(NEW_SECRET), AT),
        (BODY, delivered(id="e2"), AT),
        (BODY, delivered(timestamp=str(AT + 1)), AT),
        (BODY, delivered(timestamp="soon"), AT),
        (BODY, delivered(signature=""), AT),
        (BODY, delivered(signature="v1,é"), AT),
        (BODY, delivered(), AT + 301),
        (BODY, delivered(), AT - 301),
        (BODY, {}, AT),
        (b"[]", delivered(body=b"[]"), AT),
    ],
)
def test_any_other_delivery_is_not(body, headers, now):
    with pytest.raises(UnverifiedError):
        verify_webhook(body, headers, SECRET, now=now)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """A sandbox that may call webhooks on this machine."""
    folder = tmp_path_factory.mktemp("sandbox") / "here"
    file = write_district(folder, "sandbox", Plan(1, 100), shipped("mappings"), private_webhooks=True)
    opened = open_sites([file])
    fill(opened.by_id["sandbox"].district, opened.by_id["sandbox"].store, now=lambda: datetime.now(UTC))
    yield opened
    opened.close()


@pytest.fixture
def address(sandbox: Sites) -> Iterator[str]:
    server = make_server(create_app(sandbox, now=lambda: datetime.now(UTC), per_minute=100_000), host="127.0.0.1",
                         port=0, threads=2)  # fmt: skip
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    stop_server(server)
    thread.join()


@pytest.fixture
def connect(sandbox: Sites, address: str) -> Callable[[Role], Client]:
    """A new client of a role, with all scopes of it, that gets tokens."""
    site, now = sandbox.by_id["sandbox"], datetime.now(UTC)

    def make(role: Role) -> Client:
        known = create_client(
            site.store, site.id, name=f"{role}-{address}", role=role, scopes=sorted(ALLOWED[role]), now=now
        )
        key = create_key(site.store, known, now=now, life=timedelta(days=1))
        return Client(address, key, client_id=known.client_id, sleep=lambda _: None)

    return make


EVIDENCE = [
    {"student_id": f"s{n % 3}", "score": Decimal(n % 4 + 1), "scored_at": datetime(2026, 10, n + 1, tzinfo=UTC),
     "standard": f"LKS.MATH.1.NQ.{n % 3 + 1}", "category": "Summative"}
    for n in range(20)
]  # fmt: skip
COURSES = [{"student_id": "a", "course_code": "ENG9", "grade": "A", "credit": 1, "level": "honors"},
           {"student_id": "a", "course_code": "MAT9", "grade": "B", "credit": "0.5", "level": "regular"}]  # fmt: skip
CSV = b"student_id,score,scored_at,standard,category\n" + b"".join(
    f"s{n % 7},{n % 4 + 1},2026-10-{n % 28 + 1:02},LKS.MATH.1.NQ.{n % 3 + 1},Summative\n".encode() for n in range(200)
)


def test_every_method_does_its_operation_against_a_server(sandbox, connect, tmp_path):
    client, auditor = connect(Role.VENDOR), connect(Role.AUDITOR)
    contract = client.session.get(f"{client.address}/v1/openapi.json", timeout=60).json()
    patterns = [
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operation["operationId"])
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]
    called: set[str] = set()

    def tell(answer: requests.Response, *_: Any, **__: Any) -> None:
        path = requests.utils.urlparse(answer.url).path
        called.update(id for method, pattern, id in patterns
                      if method == answer.request.method and pattern.fullmatch(path))  # fmt: skip

    for each in (client, auditor):
        each.session.hooks["response"].append(tell)

    def does(method: Any, *given: Any, **more: Any) -> Any:
        """Call a method; the one operation that the server saw must be of its name."""
        called.clear()
        found = method(*given, **more)
        assert called == {method.__name__}
        done.add(method.__name__)
        return found

    done: set[str] = set()
    _calculations(client, does)
    _jobs(client, does, JobRunner(sandbox, now=lambda: datetime.now(UTC)), tmp_path)
    _events(client, does, WebhookSender(sandbox, now=lambda: datetime.now(UTC)))
    entries = does(auditor.list_audit, limit=2)
    assert [entry.number for entry in entries.entries] == [1, 2]
    assert len(list(auditor.all_audit())) > 10
    does(
        client.switch_faults,
        [{"kind": "internal", "next": 1}, {"kind": "expired-token", "path": "/v1/pol", "every": 2}],
    )
    assert [fault.every for fault in does(client.list_faults).faults] == [1, 2]
    assert client.list_scales().scales, "past a fault of the server"
    assert client.list_policies() and client.list_policies(), "past an expired token"
    assert [fault.struck for fault in client.list_faults().faults] == [1, 1]
    does(client.remove_faults)
    assert does(client.reset_sandbox).students == 100
    assert done == {operation["operationId"] for operation, _ in operations(contract)}


def _calculations(client: Client, does: Callable[..., Any]) -> None:
    names = [each.name for each in does(client.list_mappings).mappings]
    mapping = does(client.read_mapping, "lakeside", version="2026.1")
    assert "lakeside" in names and mapping.scales[0].highest == Decimal(4)
    mapped = does(client.apply_mapping, "lakeside", EVIDENCE, as_of=date(2026, 11, 1))
    assert mapped.counts.evidence == 20 and any(level.level for level in mapped.levels)
    told = does(client.explain_level, "lakeside", EVIDENCE, "s1", competency="MATH.1.NQ.2")
    assert "MATH.1.NQ.2" in told.text
    linted = does(client.lint_mapping, "mapping: x\n", mapping.framework.id, crosswalks={"a.csv": [{"code": "1"}]})
    assert not linted.ok and linted.problems[0].code
    frameworks = does(client.list_frameworks).frameworks
    assert does(client.read_framework, frameworks[0].id) == frameworks[0]
    assert {scale.mapping for scale in does(client.list_scales).scales} == set(names)
    scale = does(client.read_scale, "lakeside", mapping.scales[0].name)
    assert (scale.mapping_digest, scale.marks) == (mapping.digest, mapping.scales[0].marks)
    policies = does(client.list_policies).policies
    assert does(client.read_policy, "school-weighted", as_of=date(2026, 11, 22)) in policies
    (computed,) = does(client.compute_gpas, ["school-weighted"], COURSES, trace=True).results
    assert computed.gpas[0].gpa == sum(course.quality_points for course in computed.trace) / computed.gpas[0].credits
    compared = does(client.compare_gpas, "school-weighted", "school-unweighted", COURSES)
    assert compared.students[0].difference == compared.students[0].new_gpa - compared.students[0].old_gpa < 0
    change: Any = [{"line": 2, "values": {"grade": "A"}}]
    tried = does(client.what_if_gpa, "school-weighted", "a", COURSES, change=change, remove=[1])
    assert tried.difference == tried.after.gpas[0].gpa - tried.before.gpas[0].gpa


def _jobs(client: Client, does: Callable[..., Any], runner: JobRunner, folder: Path) -> None:
    client.switch_faults([{"kind": "cut-off", "path": "/v1/mapping-jobs", "next": 1}])
    job = does(client.start_mapping_job, lambda: [CSV[:100], CSV[100:]], "lakeside", media_type="text/csv")
    courses = folder / "courses.csv"
    courses.write_text("student_id,course_code,grade,credit\ns1,A1,A,1\n")
    other = does(client.start_gpa_job, courses, ["school-unweighted", "scholarship"], trace=True)
    assert does(client.cancel_job, other.id).state == "cancelled"
    assert [each.id for each in does(client.list_jobs, limit=1).jobs] == [other.id]
    assert [each.id for each in client.all_jobs()] == [other.id, job.id], "the cut-off answer made one job, not two"
    assert runner.do_one()
    assert does(client.read_job, job.id) == client.wait_for_job(job.id)
    client.switch_faults([{"kind": "cut-off", "path": "/v1/jobs/", "next": 2}])
    fetched = does(client.fetch_results, job.id, "levels", folder / "levels.csv")
    client.remove_faults()
    rows = list(client.result_rows(job.id, "levels"))
    assert len(rows) == client.read_job(job.id).results["levels"] == fetched.read_bytes().count(b"\n") - 1
    assert {row["student_id"] for row in rows} == {f"s{n}" for n in range(7)}
    assert not list(folder.glob("*.part"))


def _events(client: Client, does: Callable[..., Any], sender: WebhookSender) -> None:
    receiver = Receiver()
    try:
        made = does(client.create_webhook, receiver.url, ["job.done"])
        secret = does(client.change_webhook_secret, made.id).secret
        assert [each.id for each in does(client.list_webhooks).webhooks] == [made.id]
        assert does(client.read_webhook, made.id).url == receiver.url
        delivery = does(client.ping_webhook, made.id)
        assert sender.send_one()
        does(client.replay_delivery, made.id, delivery.id)
        assert sender.send_one()
        assert [each.state for each in client.all_deliveries(made.id)] == ["delivered"]
        assert does(client.list_deliveries, made.id).deliveries[0].event_id == delivery.event_id
        assert [verify_webhook(body, headers, secret).id for headers, body in receiver.taken] == [delivery.event_id] * 2
        with pytest.raises(UnverifiedError):
            verify_webhook(receiver.taken[0][1], receiver.taken[0][0], made.secret)
        does(client.remove_webhook, made.id)
    finally:
        receiver.close()
