"""Does the jobs of a server's districts, one at a time, each in a process of its own; removes what has expired."""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import socket
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from gateway.api.background import Background
from gateway.api.job_work import folder_of, work_in_process
from gateway.api.sites import Site, Sites
from gateway.store import jobs
from gateway.store.jobs import Job

log = logging.getLogger(__name__)

TELL_EVERY = timedelta(seconds=2)
"""How often a job's progress is stored, and how soon a cancelled one is noticed."""

DIED: Mapping[str, Any] = {
    "code": "job.died", "message": "The calculation ended without an answer.",
    "hint": "The file may need more memory than there is; tell the gateway's operator the job's id.",
}  # fmt: skip

JobEnded = Callable[[Site, Job], None]


class JobRunner:
    """Does jobs in the background until it is stopped. ``ended`` is called with each job that is done or has failed."""

    def __init__(self, sites: Sites, *, now: Callable[[], datetime], ended: JobEnded = lambda site, job: None) -> None:
        self.sites = sites
        self.now = now
        self.ended = ended
        self.name = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"
        self._background = Background("jobs", self._step)

    def start(self) -> None:
        self._background.start()

    def stop(self) -> None:
        """Stop at once; a job at work is begun anew by the next server."""
        self._background.stop()

    def _step(self) -> bool:
        """Do a job; remove what has expired when there is none."""
        done = self.do_one()
        if not done:
            self.sweep()
        return done

    def do_one(self) -> bool:
        """Do the next job that waits, if there is one."""
        for site in self.sites.by_id.values():
            job = jobs.claim(site.store, site.id, self.name, now=self.now())
            if job is not None:
                self._do(site, job)
                return True
        return False

    def sweep(self) -> None:
        """Remove the files of jobs whose time is over."""
        for site in self.sites.by_id.values():
            for job_id in jobs.expire(site.store, site.id, now=self.now()):
                shutil.rmtree(folder_of(site.district.data, job_id), ignore_errors=True)

    def _do(self, site: Site, job: Job) -> None:
        today = self.now().astimezone(site.district.time_zone).date()
        asked = {"job_id": job.job_id, "kind": job.kind, "request": dict(job.request), "today": today.isoformat()}
        shutil.rmtree(folder_of(site.district.data, job.job_id) / "results", ignore_errors=True)
        context = multiprocessing.get_context("spawn")
        listening, telling = context.Pipe(duplex=False)
        process = context.Process(target=work_in_process, args=(site.district.file, asked, telling), daemon=True)
        process.start()
        telling.close()
        try:
            self._follow(site, job, listening)
        finally:
            process.kill()
            process.join()
            listening.close()
        self._tidy(site, job)

    def _follow(self, site: Site, job: Job, listening: Connection) -> None:
        """Store progress until the job ends, is cancelled, or the server stops."""
        rows = 0
        while True:
            rows, end = self._hear(listening, rows)
            mine = jobs.report(site.store, job, self.name, rows, None, now=self.now())
            if end is not None:
                self._finish(site, job, *end)
                return
            if self._background.stopping or not mine:
                return

    def _hear(self, listening: Connection, rows: int) -> tuple[int, tuple[str, Any] | None]:
        """The rows told of last, ``rows`` if none were within a while, and how the job ended if it has."""
        wait = TELL_EVERY.total_seconds()
        try:
            while listening.poll(wait):
                what, value = listening.recv()
                if what != "rows":
                    return rows, (what, value)
                rows, wait = value, 0
        except EOFError:
            return rows, ("failed", dict(DIED))
        return rows, None

    def _finish(self, site: Site, job: Job, what: str, value: Any) -> None:
        if what == "done":
            mine = jobs.finish(site.store, job, self.name, results=value, now=self.now())
        else:
            trace = value.pop("trace", None)
            log.error("A job failed.", extra={"district": site.id, "key": job.job_id, "code": value["code"]})
            if trace:
                log.error("A job's fault: %s", "; ".join(trace), extra={"code": "api.internal"})
            mine = jobs.finish(site.store, job, self.name, error=value, now=self.now())
        if mine:
            found = jobs.find(site.store, site.id, job.job_id)
            if found is not None:
                self.ended(site, found)

    def _tidy(self, site: Site, job: Job) -> None:
        """Uploads hold students' data: they go as soon as the job has ended, and all of a cancelled one's files."""
        found = jobs.find(site.store, site.id, job.job_id)
        if found is None or found.state not in jobs.ENDED:
            return
        folder = folder_of(site.district.data, job.job_id)
        if found.state is jobs.JobState.DONE:
            for upload in folder.glob("upload.*"):
                upload.unlink()
        else:
            shutil.rmtree(folder, ignore_errors=True)
