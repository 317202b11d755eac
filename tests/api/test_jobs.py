"""Jobs: a file in, tables out, the same as from the command line; cancelled, repeated, expired."""

from __future__ import annotations

import multiprocessing
from datetime import timedelta

import polars as pl
import pytest

from gateway.api.job_runner import DIED, JobRunner
from gateway.api.job_work import folder_of
from gateway.api.roles import Role
from gateway.mappings import load_mapping
from gateway.store import jobs
from gateway.store.jobs import JobState
from tests.api.conftest import SECOND

EVIDENCE = "student_id,score,scored_at,standard,category\n" + "".join(
    f"s{n % 7},{n % 4 + 1},2026-10-{n % 28 + 1:02},LKS.MATH.1.NQ.{n % 3 + 1},Summative\n" for n in range(200)
)
COURSES = "student_id,course_code,grade,credit\ns1,A1,A,1\ns1,B1,B,1\ns2,A1,X,1\n"
CSV = {"Content-Type": "text/csv"}


@pytest.fixture
def runner(sites, clock):
    return JobRunner(sites, now=clock)


def test_what_is_told_of_at_once_is_heard_whole(runner):
    listening, telling = multiprocessing.Pipe(duplex=False)
    for said in (("rows", 100), ("rows", 200), ("done", {"levels": 3})):
        telling.send(said)
    assert runner._hear(listening, 0) == (200, ("done", {"levels": 3}))
    telling.close()
    assert runner._hear(listening, 200) == (200, ("failed", DIED))


def start(http, headers, body=EVIDENCE, kind="mapping", query="mapping=lakeside"):
    return http.post(f"/v1/{kind}-jobs?{query}", data=body, headers=headers | CSV)


def fetch(http, headers, job_id, table):
    with http.get(f"/v1/jobs/{job_id}/results/{table}", headers=headers) as answer:
        assert answer.status_code == 200, answer.text
        return answer.data


def test_a_mapping_job_gives_what_the_mapping_gives(http, bearer, runner, site):
    headers = bearer()
    begun = start(http, headers)
    assert (begun.status_code, begun.json["state"]) == (202, "queued")
    assert runner.do_one()
    job = http.get(begun.headers["Location"], headers=headers).json
    assert (job["state"], job["rows_done"], job["error"]) == ("done", 200, None)
    levels = fetch(http, headers, job["id"], "levels")
    mapping = load_mapping(site.district.folder / "mappings/schools/lakeside.yaml")
    mapped = mapping.apply(pl.read_csv(EVIDENCE.encode(), infer_schema=False))
    assert levels.count(b"\n") == mapped.levels.height + 1 == job["results"]["levels"] + 1
    ours = pl.read_csv(levels, infer_schema=False)["level"].to_list()
    assert ours == [None if level is None else str(level) for level in mapped.levels["level"].to_list()]
    assert not list(folder_of(site.district.data, job["id"]).glob("upload.*"))


def test_a_gpa_job_lists_what_waits(http, bearer, runner):
    headers = bearer()
    begun = start(http, headers, COURSES, "gpa", "policy=school-unweighted&policy=scholarship&trace=true")
    assert begun.status_code == 202, begun.text
    assert runner.do_one()
    job = http.get(begun.headers["Location"], headers=headers).json
    assert job["state"] == "done", job
    assert set(job["results"]) == {"gpas", "problems", "trace"}
    gpas = pl.read_csv(fetch(http, headers, job["id"], "gpas"), infer_schema=False)
    assert gpas.filter(pl.col("student_id") == "s2")["state"].to_list() == ["pending", "pending"]


def test_a_file_that_cannot_be_read_fails_the_job_with_the_reason(http, bearer, runner):
    headers = bearer()
    begun = start(http, headers, "a,b\n1\n")
    assert runner.do_one()
    job = http.get(begun.headers["Location"], headers=headers).json
    assert job["state"] == "failed"
    assert job["error"]["message"] and "/" not in job["error"]["message"]
    assert http.get(f"{begun.headers['Location']}/results/levels", headers=headers).status_code == 409


def test_a_cancelled_job_leaves_nothing(http, bearer, runner, site):
    headers = bearer()
    begun = start(http, headers)
    cancelled = http.delete(begun.headers["Location"], headers=headers)
    assert cancelled.json["state"] == "cancelled"
    assert not folder_of(site.district.data, cancelled.json["id"]).exists()
    assert not runner.do_one()


def test_a_job_that_is_cancelled_at_work_stays_so(bearer, http, runner, site, clock):
    headers = bearer()
    job_id = start(http, headers).json["id"]
    claimed = jobs.claim(site.store, site.id, "other", now=clock())
    assert claimed is not None and claimed.job_id == job_id
    http.delete(f"/v1/jobs/{job_id}", headers=headers)
    assert not jobs.report(site.store, claimed, "other", 1, None, now=clock())
    assert not jobs.finish(site.store, claimed, "other", results={}, now=clock())
    assert jobs.find(site.store, site.id, job_id).state is JobState.CANCELLED


def test_a_job_whose_server_died_is_begun_anew(http, bearer, runner, site, clock):
    headers = bearer()
    job_id = start(http, headers).json["id"]
    assert jobs.claim(site.store, site.id, "dead", now=clock())
    assert not runner.do_one()
    clock.go_on(jobs.SILENT_FOR)
    assert runner.do_one()
    assert http.get(f"/v1/jobs/{job_id}", headers=headers).json["state"] == "done"


def test_results_expire_with_their_files(http, new_client, runner, site, clock):
    _, key = new_client()
    headers = {"Authorization": f"Bearer {key}"}
    job_id = start(http, headers).json["id"]
    runner.do_one()
    clock.go_on(jobs.KEPT_FOR + timedelta(seconds=1))
    runner.sweep()
    assert http.get(f"/v1/jobs/{job_id}/results/levels", headers=headers).status_code == 410
    assert not folder_of(site.district.data, job_id).exists()


def test_the_same_upload_under_one_key_is_one_job(http, bearer):
    headers = bearer() | {"Idempotency-Key": "night-1"}
    first, second = start(http, headers), start(http, headers)
    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    other = start(http, headers, EVIDENCE + "s1,1,2026-10-01,MATH.1,Summative\n")
    assert (other.status_code, other.json["type"]) == (422, "/v1/problems/idempotency-key-reused")
    assert len(http.get("/v1/jobs", headers=headers).json["jobs"]) == 1


def test_a_refused_request_leaves_its_key_free(http, bearer):
    headers = bearer() | {"Idempotency-Key": "night-2"}
    assert start(http, headers, "").status_code == 400
    assert start(http, headers).status_code == 202


def test_jobs_are_listed_page_by_page_each_once(http, bearer, clock):
    headers = bearer()
    made = []
    for _ in range(5):
        made.append(start(http, headers).json["id"])
        clock.go_on(timedelta(seconds=1))
    seen, cursor = [], ""
    while cursor is not None:
        page = http.get(f"/v1/jobs?limit=2{'&cursor=' + cursor if cursor else ''}", headers=headers).json
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["next"]
    assert seen == made[::-1]


@pytest.mark.parametrize("path", ["", "/results/levels"])
def test_nobody_else_sees_a_job(http, bearer, path):
    job_id = start(http, bearer()).json["id"]
    for headers in (bearer(), bearer(district=SECOND), bearer(Role.REGISTRAR)):
        assert http.get(f"/v1/jobs/{job_id}{path}", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("query", "kind", "status"),
    [
        ("mapping=nothing", "text/csv", 404),
        ("mapping=lakeside&version=1", "text/csv", 404),
        ("mapping=lakeside&color=red", "text/csv", 422),
        ("mapping=../../etc/passwd", "text/csv", 404),
        ("mapping=lakeside", "text/plain", 415),
        ("mapping=lakeside", "application/json", 415),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_kept(http, bearer, site, query, kind, status):
    headers = bearer()
    before = {path.name for path in (site.folder / "jobs").glob("*")}
    answer = http.post(f"/v1/mapping-jobs?{query}", data=EVIDENCE, headers=headers | {"Content-Type": kind})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert {path.name for path in (site.folder / "jobs").glob("*")} == before
