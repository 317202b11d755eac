"""The first step: pages from the source onto the disk, each with its cursor in one commit."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from gateway.core.errors import IncompletePullError
from gateway.core.exchange import Source, Stream
from gateway.store.staging import Staged, commit_page, forget, staged, write_page
from gateway.sync.work import Work
from gateway.sync.workers import one_ahead
from gateway.transport.crash import crash_point


def pull(work: Work, source: Source) -> Mapping[str, Staged]:
    """Everything the source offers, going on where an interrupted pull stopped.

    A stream whose paging was disturbed (rows moved, the total changed) is pulled once more from its start; disturbed
    again it raises, and an incomplete pull goes no further than this step.
    """
    have = staged(work.store, work.district.id, work.run.run_id, work.folder / "stage")
    for stream in source.streams(work.run.since):
        before = have.get(stream.name)
        if before is not None and before.complete:
            continue
        try:
            _pull_stream(work, source, stream, before)
        except IncompletePullError as error:
            if not error.code.startswith("paging."):
                raise
            _forget(work, stream)
            _pull_stream(work, source, stream, None)
    return staged(work.store, work.district.id, work.run.run_id, work.folder / "stage")


def _pull_stream(work: Work, source: Source, stream: Stream, before: Staged | None) -> None:
    number = before.pages if before else 0
    resume = before.resume if before else None
    folder = work.folder / "stage"
    rows = before.rows if before else 0
    for page in one_ahead(source.pull(stream, since=work.run.since, resume=resume)):
        crash_point("pull.after-page")
        number += 1
        files = write_page(folder, stream, number, page)
        with work.commit() as connection:
            commit_page(connection, work.district.id, work.run.run_id, stream, number, page, files)
        crash_point("stage.after-commit")
        rows += sum(frame.height for frame in page.frames.values())
        work.progress(f"pull {stream.name}", rows, None)
        work.breathe()
    done = staged(work.store, work.district.id, work.run.run_id, folder).get(stream.name)
    if done is None or not done.complete:
        raise IncompletePullError(
            f'The source ended "{stream.name}" without a last page.',
            hint="This is a fault of the connector; nothing was deleted. Run again, and report it if it stays.",
            code="pull.no-last-page",
        )


def _forget(work: Work, stream: Stream) -> None:
    with work.commit() as connection:
        forget(connection, work.district.id, work.run.run_id, stream.name)
    shutil.rmtree(work.folder / "stage" / stream.name, ignore_errors=True)
