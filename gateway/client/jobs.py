"""Jobs: a file of any size through a mapping or through policies."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import IO, Any, TypeAlias

import requests

from gateway.client.problems import JobNotDoneError, UnreachableError
from gateway.client.records import Job, JobList
from gateway.client.retry import LOST
from gateway.client.wire import Body, Wire, decoded, pages, part, write_key

Upload: TypeAlias = Path | Callable[[], Iterable[bytes]] | Iterable[bytes]
"""A file; something that gives the bytes anew each time it is called; or the bytes piece by piece, once: such an upload
is not tried again."""

MEDIA_TYPES: Mapping[str, str] = {
    ".csv": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
ENDED = frozenset({"done", "failed", "cancelled", "expired"})
PIECE = 1024 * 1024


class Jobs(Wire):
    """The addresses of jobs."""

    def start_mapping_job(
        self,
        upload: Upload,
        mapping: str,
        *,
        version: str | None = None,
        as_of: date | None = None,
        format: str = "csv",
        media_type: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Map a file of evidence: CSV, NDJSON, XLSX or Parquet, streamed. ``media_type`` is told by a file's ending."""
        query = {"mapping": mapping, "version": version, "as_of": as_of, "format": format}
        return self._start("/v1/mapping-jobs", upload, media_type, query, idempotency_key)

    def start_gpa_job(
        self,
        upload: Upload,
        policy: Sequence[str],
        *,
        as_of: date | None = None,
        format: str = "csv",
        trace: bool = False,
        approximate: bool = False,
        media_type: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """GPAs of a course file under one or several policies: CSV, XLSX or Parquet, streamed."""
        query = {"policy": list(policy), "as_of": as_of, "format": format, "trace": trace, "approximate": approximate}
        return self._start("/v1/gpa-jobs", upload, media_type, query, idempotency_key)

    def list_jobs(self, *, limit: int = 50, cursor: str | None = None) -> JobList:
        """A page of the client's jobs, the newest first."""
        return self.ask("GET", "/v1/jobs", JobList, query={"limit": limit, "cursor": cursor})

    def all_jobs(self) -> Iterator[Job]:
        """All jobs of the client, the newest first, page by page."""
        for page in pages(lambda cursor: self.list_jobs(cursor=cursor)):
            yield from page.jobs

    def read_job(self, job_id: str) -> Job:
        """How far a job is."""
        return self.ask("GET", f"/v1/jobs/{part(job_id)}", Job)

    def wait_for_job(self, job_id: str, *, within: float = 3600.0, tell: Callable[[Job], None] | None = None) -> Job:
        """The job once it is done; asks at first every half second, later every fifteen. ``tell`` is called each time.

        Raises :class:`JobNotDoneError` if it failed, was cancelled, or is not done ``within`` so many seconds.
        """
        end, pause = self.clock() + within, 0.5
        while True:
            job = self.read_job(job_id)
            if tell is not None:
                tell(job)
            if job.state == "done":
                return job
            if job.state in ENDED:
                raise JobNotDoneError(job, job.error.message if job.error else f"The job is {job.state}.")
            if self.clock() + pause > end:
                raise JobNotDoneError(job, f"The job is {job.state} still after {within:.0f} s.")
            self.sleep(pause)
            pause = min(pause * 1.5, 15.0)

    def cancel_job(self, job_id: str, *, idempotency_key: str | None = None) -> Job:
        """Stop a job; its upload and whatever it had made are removed."""
        return self.ask("DELETE", f"/v1/jobs/{part(job_id)}", Job, headers=write_key(idempotency_key))

    def fetch_results(self, job_id: str, table: str, to: Path) -> Path:
        """One table of a finished job into the file ``to``, which is there whole or not at all."""
        half = to.with_name(to.name + ".part")
        try:
            with half.open("wb") as file:
                self._download(job_id, table, file)
            return half.replace(to)
        finally:
            half.unlink(missing_ok=True)

    def result_rows(self, job_id: str, table: str) -> Iterator[dict[str, str | None]]:
        """The rows of one table of a finished job whose format is CSV; an empty cell is ``None``."""
        with tempfile.TemporaryFile() as file:
            kind = self._download(job_id, table, file)
            if kind != MEDIA_TYPES[".csv"]:
                raise ValueError(f"The table is {kind}; fetch it into a file.")
            file.seek(0)
            with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
                for row in csv.DictReader(text):
                    yield {name: value or None for name, value in row.items()}

    def _start(
        self, path: str, upload: Upload, media_type: str | None, query: Mapping[str, Any], key: str | None
    ) -> Job:
        answer = self.send("POST", path, query=query, body=_body(upload, media_type), headers=write_key(key))
        return decoded(answer, Job)

    def _download(self, job_id: str, table: str, file: IO[bytes]) -> str:
        """Write a table into ``file``, going on where a lost answer ended; its media type."""
        path = f"/v1/jobs/{part(job_id)}/results/{part(table)}"
        tag = ""
        for tried in range(1, self.retries.attempts + 1):
            at = file.tell()
            headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={at}-", "If-Range": tag} if at else {})
            with self.send("GET", path, headers=headers, stream=True) as answer:
                if at and answer.status_code != requests.codes.partial_content:
                    file.seek(0)
                    file.truncate()
                tag = answer.headers.get("ETag", "")
                try:
                    for piece in answer.iter_content(PIECE):
                        file.write(piece)
                except LOST as error:
                    wait = self.retries.wait(tried, error)
                    if wait is None:
                        raise UnreachableError(f"The table did not come whole, tried {tried} times.") from error
                    self.sleep(wait)
                else:
                    return answer.headers.get("Content-Type", "").partition(";")[0]
        raise UnreachableError("The table did not come whole.")


def _body(upload: Upload, media_type: str | None) -> Body:
    kind = media_type or (MEDIA_TYPES.get(upload.suffix.lower()) if isinstance(upload, Path) else None)
    if kind is None:
        raise ValueError(f"Name the media type of the upload: one of {', '.join(MEDIA_TYPES.values())}.")
    if isinstance(upload, Path):
        return Body(kind, lambda: upload.open("rb"))
    if callable(upload):
        return Body(kind, lambda: iter(upload()))
    return Body(kind, lambda: iter(upload), once=True)
