"""``/v1/jobs``: files up to gigabytes through a mapping or through policies; progress, cancelling, results to fetch."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Response, request, send_file
from marshmallow import Schema, fields, validate

from gateway.api.access import caller, needs, note, now
from gateway.api.catalogue import NotInCatalogueError
from gateway.api.encoding import answer
from gateway.api.idempotency import once
from gateway.api.job_work import RESULTS, UPLOAD, folder_of
from gateway.api.openapi import Blueprint, StrictSchema
from gateway.api.paging import PageSchema, cursor, place
from gateway.api.problems import Problem, not_found
from gateway.api.roles import GPA, JOBS, MAPPING
from gateway.store import jobs
from gateway.store.jobs import Job, JobState

blueprint = Blueprint("jobs", __name__, url_prefix="/v1", description="Large files.")

MOST_BYTES = 16 * 1024**3
PIECE = 1024 * 1024
CSV, NDJSON, PARQUET = "text/csv", "application/x-ndjson", "application/vnd.apache.parquet"
UPLOADS = {
    CSV: "csv", NDJSON: "ndjson", PARQUET: "parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}  # fmt: skip
"""The forms in which files are taken, with their endings."""

_FORMS = ["csv", "parquet"]


class MapJobSchema(StrictSchema):
    mapping = fields.String(required=True, validate=validate.Length(1, 255))
    version = fields.String(validate=validate.Length(1, 255))
    as_of = fields.Date()
    format = fields.String(load_default="csv", validate=validate.OneOf(_FORMS))


class GpaJobSchema(StrictSchema):
    policy = fields.List(
        fields.String(validate=validate.Length(1, 255)), required=True, validate=validate.Length(1, 20)
    )
    as_of = fields.Date()
    format = fields.String(load_default="csv", validate=validate.OneOf(_FORMS))
    trace = fields.Boolean(load_default=False)
    approximate = fields.Boolean(load_default=False)


class JobErrorSchema(Schema):
    code = fields.String(required=True)
    message = fields.String(required=True)
    hint = fields.String(required=True)
    line = fields.Integer(allow_none=True)


class JobSchema(Schema):
    id = fields.String(required=True)
    kind = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf([str(state) for state in JobState]))
    bytes = fields.Integer(required=True)
    rows_done = fields.Integer(required=True)
    results = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True,
                          metadata={"description": "The tables to fetch, with their rows."})  # fmt: skip
    error = fields.Nested(JobErrorSchema, required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    ended_at = fields.DateTime(required=True, allow_none=True)
    expires_at = fields.DateTime(required=True)


class JobListSchema(Schema):
    jobs = fields.List(fields.Nested(JobSchema), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.post("/mapping-jobs")
@blueprint.told(body=UPLOADS)
@blueprint.arguments(MapJobSchema, location="query")
@blueprint.response(202, JobSchema)
@needs(MAPPING)
def start_mapping_job(query: dict[str, Any]) -> Response:
    """Map a file of evidence: the body is CSV, NDJSON, XLSX or Parquet."""
    try:
        mapping = caller().site.catalogue.mapping(query["mapping"], query.get("version"))
    except NotInCatalogueError as error:
        raise not_found(str(error)) from None
    return _start("mapping", {**_plain(query), "version": mapping.version})


@blueprint.post("/gpa-jobs")
@blueprint.told(body=[kind for kind in UPLOADS if kind != NDJSON])
@blueprint.arguments(GpaJobSchema, location="query")
@blueprint.response(202, JobSchema)
@needs(GPA)
def start_gpa_job(query: dict[str, Any]) -> Response:
    """GPAs of a course file under one or several policies: the body is CSV, XLSX or Parquet."""
    day = query.get("as_of") or now().astimezone(caller().site.district.time_zone).date()
    try:
        for name in query["policy"]:
            caller().site.catalogue.policy(name, day)
    except NotInCatalogueError as error:
        raise not_found(str(error)) from None
    asked = _plain(query)
    return _start("gpa", {**asked, "policies": asked.pop("policy"), "as_of": day.isoformat()})


@blueprint.get("/jobs")
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, JobListSchema)
@needs(JOBS)
def list_jobs(query: dict[str, Any]) -> Response:
    """The client's jobs, the newest first."""
    who = caller()
    after = place(query.get("cursor"))
    found = jobs.listed(who.site.store, who.site.id, who.client_id, after=after, limit=query["limit"] + 1)
    page = found[: query["limit"]]
    more = len(found) > len(page)
    return answer(
        {
            "jobs": [_shown(each) for each in page],
            "next": cursor(page[-1].created_at, page[-1].job_id) if more else None,
        }
    )


@blueprint.get("/jobs/<string:job_id>")
@blueprint.response(200, JobSchema)
@needs(JOBS)
def read_job(job_id: str) -> Response:
    """How far a job is."""
    return answer(_shown(_found(job_id)))


@blueprint.delete("/jobs/<string:job_id>")
@blueprint.response(200, JobSchema)
@needs(JOBS)
def cancel_job(job_id: str) -> Response:
    """Stop a job; its upload and whatever it had made are removed."""

    def cancel() -> Response:
        job, site = _found(job_id), caller().site
        jobs.cancel(site.store, site.id, job.job_id, now=now())
        if job.state is JobState.QUEUED:
            shutil.rmtree(folder_of(site.district.data, job.job_id), ignore_errors=True)
        return answer(_shown(_found(job_id)))

    return once("", cancel)


@blueprint.get("/jobs/<string:job_id>/results/<string:table>")
@blueprint.told(problems=["gone", "conflict"], answers=[CSV, PARQUET])
@blueprint.response(200)
@needs(JOBS)
def fetch_results(job_id: str, table: str) -> Response:
    """One table of a finished job, as CSV or Parquet; ranges of bytes may be asked for."""
    job = _found(job_id)
    if job.state is JobState.EXPIRED:
        raise Problem("gone", "The results have expired.", hint="Send the file again.")
    if job.state is not JobState.DONE:
        raise Problem("conflict", f"The job is {job.state}.", hint="Fetch results once it is done.")
    if table not in job.results:
        raise not_found("The job has no such table.")
    folder = folder_of(caller().site.district.data, job.job_id) / RESULTS
    path = next(iter(sorted(folder.glob(f"{table}.*"))), None)
    if path is None:
        raise Problem("gone", "The results have expired.", hint="Send the file again.")
    note("job.results", job=job.job_id, table=table)
    kind = CSV if path.suffix == ".csv" else PARQUET
    return send_file(path, mimetype=kind, as_attachment=True, download_name=path.name, conditional=True)


def _start(kind: str, asked: dict[str, Any]) -> Response:
    """Stream the body to disk, then queue the job."""
    ending = UPLOADS.get(request.mimetype)
    if ending is None or (kind == "gpa" and request.mimetype == NDJSON):
        raise Problem("unsupported-media-type", f"Send the file as one of: {', '.join(sorted(UPLOADS))}.")
    if not caller().may(JOBS):
        raise Problem("forbidden", f"This needs the scope {JOBS} too.")
    who, job_id = caller(), jobs.new_id()
    folder = folder_of(who.site.district.data, job_id)
    folder.mkdir(parents=True)
    kept = False
    try:
        size, digest = _receive(folder / f"{UPLOAD}.{ending}")

        def queue() -> Response:
            nonlocal kept
            note(f"job.{kind}", job=job_id, bytes=size)
            job = Job(who.site.id, job_id, who.client_id, kind, JobState.QUEUED, asked, size, 0, None, {}, None, now(),
                      None, now() + jobs.KEPT_FOR)  # fmt: skip
            jobs.add(who.site.store, job)
            kept = True
            return answer(_shown(job), 202, {"Location": f"/v1/jobs/{job_id}"})

        return once(digest, queue)
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _receive(path: Path) -> tuple[int, str]:
    """Write the body to ``path`` piece by piece; its size and digest."""
    request.max_content_length = MOST_BYTES
    size, digest = 0, hashlib.sha256()
    with path.open("wb") as file:
        for piece in _pieces():
            size += len(piece)
            digest.update(piece)
            file.write(piece)
    if not size:
        raise Problem("bad-request", "The body is empty.", hint="Send the file as the body.", code="job.upload")
    return size, digest.hexdigest()


def _pieces() -> Iterator[bytes]:
    while piece := request.stream.read(PIECE):
        yield piece


def _found(job_id: str) -> Job:
    who = caller()
    job = jobs.find(who.site.store, who.site.id, job_id, who.client_id)
    if job is None:
        raise not_found()
    return job


def _plain(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if name == "as_of" else value for name, value in query.items()}


def _shown(job: Job) -> dict[str, Any]:
    names = ("kind", "state", "bytes", "results", "error", "created_at", "ended_at", "expires_at")
    return {"id": job.job_id, "rows_done": job.done, **{name: getattr(job, name) for name in names}}
