"""Nothing that names a student comes into logs, metrics, request ids, the audit or fault files, whatever goes wrong."""

from __future__ import annotations

import json
import logging

import pytest

from gateway.api.access import public
from gateway.api.app import create_app
from gateway.api.job_runner import JobRunner
from gateway.api.roles import Role
from gateway.cli.logs import JsonLines, PlainLines, write_fault
from gateway.store import audit

PLANTED = [
    (f"Quillon{n:03}", f"Zephyrine-{n:03}", f"stu-77{n:05}", f"{60 + n % 39}.{3141 + n}")[part]
    for n in range(125)
    for part in range(4)
]
"""Given names, family names, ids and grades, 500 in all, none of which occurs by itself."""

EVIDENCE = "/v1/mappings/lakeside/apply"
ROSTERS = "/ims/oneroster/rostering/v1p2/users"


class Kept(logging.Handler):
    """Everything that is logged, as both forms of the log have it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [JsonLines().format(record), PlainLines().format(record)]


@pytest.fixture
def logged():
    kept, root = Kept(), logging.getLogger()
    before = root.level
    root.addHandler(kept)
    root.setLevel(logging.INFO)
    yield kept
    root.removeHandler(kept)
    root.setLevel(before)


def requests_about(name: str, family: str, id: str, grade: str):
    """Requests of every kind with a student's data in every place that a caller can write into."""
    row = {"student_id": id, "score": grade, "scored_at": "2026-10-01", "standard": "MATH.1", "category": name}
    course = {"student_id": id, "course_code": name, "title": family, "grade": grade, "credit": "1"}
    said = {"X-Request-Id": id, "User-Agent": name, "Idempotency-Key": f"{id}-{name}", "Referer": family}
    yield "POST", EVIDENCE, {"json": {"evidence": [row]}, "headers": said}
    yield "POST", EVIDENCE, {"json": {"evidence": [row | {name: family}]}}
    yield "POST", EVIDENCE, {"json": {"evidence": [row | {"scored_at": grade}]}}
    yield "POST", EVIDENCE, {"data": json.dumps(row)[:-1], "content_type": "application/json"}
    yield "POST", EVIDENCE, {"data": family, "content_type": f"text/{name}"}
    yield "POST", f"/v1/mappings/{name}/apply", {"json": {"evidence": [row]}}
    yield "POST", "/v1/mappings/lakeside/explain", {"json": {"evidence": [row], "student_id": id, "competency": name}}
    yield "POST", "/v1/gpa/compute", {"json": {"courses": [course], "policies": ["school-weighted"], "trace": True}}
    yield "POST", "/v1/gpa/compute", {"json": {"courses": [course], "policies": [name]}}
    yield "POST", "/v1/gpa/what-if", {"json": {"courses": [course], "policy": "school-weighted", "student_id": name}}
    yield "POST", "/v1/mapping-lint", {"json": {"mapping": f"mapping: {name}\n{family}: {grade}", "framework": id}}
    yield "POST", "/v1/mapping-jobs?mapping=lakeside", {"data": f"student_id,{name}\n{id},{grade},{family}\n",
                                                       "content_type": "text/csv"}  # fmt: skip
    yield "POST", "/v1/webhooks", {"json": {"url": f"https://{id}.invalid/{name}?{family}", "events": [grade]}}
    yield "GET", f"{ROSTERS}/{id}?fields={name}", {}
    yield "GET", f"{ROSTERS}?filter=familyName='{family}'&{name}={grade}", {}
    yield "PUT", f"/ims/oneroster/gradebook/v1p2/results/{id}", {"json": {"result": {"score": grade, "comment": name}}}
    yield "GET", f"/v1/jobs/{id}?{name}={family}", {}
    yield "GET", f"/v1/jobs?cursor={id}", {}
    yield "GET", f"/{name}/{family}/{id}/{grade}", {}
    yield name.upper(), "/v1/mappings", {}
    yield (
        "POST",
        "/oauth/token",
        {"data": {"grant_type": "client_credentials", "client_id": id, "client_secret": family}},
    )
    yield "GET", f"/crash/{id}?{name}", {"data": f"{family} {grade}"}


def test_what_names_a_student_stays_out_of_everything_that_is_kept(sites, site, clock, bearer, logged, tmp_path):
    app = create_app(sites, now=clock, per_minute=100_000)

    @app.get("/crash/<id>")
    @public
    def crash(id):
        from flask import request

        raise ValueError(f"{id} {request.query_string!r} {request.get_data()!r}")

    http, instances, statuses = app.test_client(), [], set()
    roles = [bearer(role) for role in (Role.VENDOR, Role.GRADEBOOK)]
    assert len(PLANTED) == 500
    for n in range(0, 500, 4):
        for kind, (method, address, more) in enumerate(requests_about(*PLANTED[n : n + 4])):
            if (kind + n // 4) % 5:
                continue  # each kind of request for one student in five, each student in four kinds or more
            headers = roles[n // 4 % 2] | more.pop("headers", {})
            answer = http.open(address, method=method, headers=headers, **more)
            statuses.add(answer.status_code)
            instances += [
                answer.headers["X-Request-Id"],
                (answer.json or {}).get("instance", "") if answer.is_json else "",
            ]
    runner = JobRunner(sites, now=clock)
    assert runner.do_one()
    fault = write_fault(ValueError(" ".join(PLANTED)), tmp_path / "gateway.log", debug=False)

    assert {200, 202, 400, 401, 404, 405, 415, 422, 500} <= statuses
    kept = {
        "logs": "\n".join(logged.lines),
        "metrics": http.get("/metrics").text,
        "instances": "\n".join(instances),
        "audit": json.dumps([entry["detail"] | {"actor": entry["actor"]} for entry in audit.read(site.store, site.id)]),
        "faults": fault.read_text(encoding="utf-8"),
    }
    assert kept["logs"].count("A request was answered.") >= 2 * 125 * 4
    assert "A job failed." in kept["logs"]
    for place, text in kept.items():
        found = [word for word in PLANTED if word.lower() in text.lower()]
        assert not found, (place, found[:5])
