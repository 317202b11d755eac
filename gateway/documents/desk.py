"""Makes documents one after another or on several processes, and issues them as they are finished.

An order that cannot be made (a name for which this machine has no font) fails alone; the others go on. A preview is
written without being issued, and says so on every page.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.core.errors import GatewayError
from gateway.documents.code import shown
from gateway.documents.issue import (
    DocumentKind,
    DocumentRecord,
    Draft,
    Release,
    Rules,
    Stamp,
    file_name,
    issue,
    replaced_code,
)
from gateway.documents.page import Frame
from gateway.documents.school import School
from gateway.store import Store
from gateway.transport.atomic import atomic_file

AT_ONCE = 25
"""So many finished documents are recorded in one transaction."""

_SWEEP_AFTER = 4
_WORTH_A_PROCESS = 8
"""A process takes as long to start as some documents take to be made."""
_made = count(1)

Make = Callable[[Frame, Mapping[str, Any]], bytes]


@dataclass(frozen=True, slots=True)
class Order:
    """A document to be made: ``make`` gets the frame and the ``content``; both must travel between processes."""

    kind: DocumentKind
    title: str
    make: Make
    content: Mapping[str, Any]
    rules: tuple[Rules, ...]
    inputs_digest: str
    student_id: str | None = None
    about: str = ""
    name: str = ""
    ending: str = "pdf"
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """Where documents are made and issued: whose, by whom, to whom, into which folder."""

    school: School
    zone: ZoneInfo
    store: Store
    release: Release
    folder: Path
    preview: bool = False


@dataclass(slots=True)
class Made:
    """What became of the orders: records of what was issued, previews, and what could not be made."""

    records: list[DocumentRecord] = field(default_factory=list)
    previews: list[Path] = field(default_factory=list)
    failures: list[tuple[Order, GatewayError]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Job:
    order: Order
    stamp: Stamp
    frame: Frame
    replaces: str | None


def make_documents(desk: Desk, orders: Sequence[Order], *, workers: int = 1) -> Made:
    """Make and issue ``orders``, in their order."""
    made = Made()
    finished = _finished([_job(desk, order) for order in orders], workers)
    while batch := list(islice(finished, AT_ONCE)):
        good = []
        for job, result in batch:
            if isinstance(result, GatewayError):
                made.failures.append((job.order, result))
            else:
                good.append((job, result))
        if desk.preview:
            made.previews += [_write_preview(desk, job, content) for job, content in good]
        else:
            drafts = [_draft(job, content) for job, content in good]
            made.records += issue(desk.store, desk.release, drafts, desk.folder)
    return made


def _job(desk: Desk, order: Order) -> _Job:
    stamp, release = desk.release.stamp(), desk.release
    older = None
    if not desk.preview:
        older = replaced_code(
            desk.store,
            release.district,
            order.kind,
            order.student_id,
            release.recipient,
            order.rules,
            order.inputs_digest,
        )
    frame = Frame(
        school=desk.school,
        title=order.title,
        recipient=release.recipient,
        purpose=release.purpose,
        issued_by=release.issued_by,
        when=stamp.issued_at.astimezone(desk.zone),
        code=None if desk.preview else stamp.shown,
        rules=order.rules,
        inputs_digest=order.inputs_digest,
        replaces=shown(older) if older else None,
        about=order.about,
    )
    return _Job(order, stamp, frame, older)


def _draft(job: _Job, content: bytes) -> Draft:
    order = job.order
    return Draft(
        stamp=job.stamp,
        kind=order.kind,
        student_id=order.student_id,
        rules=order.rules,
        inputs_digest=order.inputs_digest,
        file_name=file_name(order.kind.value, order.name, job.stamp.code[:4], ending=order.ending),
        content=content,
        approximate=order.approximate,
        replaces=job.replaces,
    )


def _write_preview(desk: Desk, job: _Job, content: bytes) -> Path:
    path = desk.folder / file_name("preview", job.order.kind.value, job.order.name, ending=job.order.ending)
    with atomic_file(path) as file:
        file.write(content)
    return path


def _finished(jobs: Sequence[_Job], workers: int) -> Iterator[tuple[_Job, bytes | GatewayError]]:
    if workers <= 1 or len(jobs) < _WORTH_A_PROCESS * workers:
        yield from ((job, _attempt(job.order, job.frame)) for job in jobs)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin_worker) as pool:
        results = pool.map(_attempt_in_worker, [job.order for job in jobs], [job.frame for job in jobs], chunksize=4)
        yield from zip(jobs, results, strict=True)


def _attempt(order: Order, frame: Frame) -> bytes | GatewayError:
    try:
        return order.make(frame, order.content)
    except GatewayError as error:
        return error


def _begin_worker() -> None:
    """A document is thousands of objects in circles that all die together: they are swept after some documents, not
    looked for while one is laid out, which takes a seventh of the time."""
    import weasyprint  # noqa: F401

    gc.collect()
    gc.freeze()
    gc.disable()


def _attempt_in_worker(order: Order, frame: Frame) -> bytes | GatewayError:
    try:
        return _attempt(order, frame)
    finally:
        if next(_made) % _SWEEP_AFTER == 0:
            gc.collect()
