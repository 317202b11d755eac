"""What the commands that issue documents share: to whom, why, by whom, where to; and the report of what was made."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.invocation import Invocation, now
from gateway.core.errors import EXIT_WARNINGS

if TYPE_CHECKING:
    from gateway.documents.desk import Desk, Made, Order

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Given:
    """What the shared options say."""

    recipient: str
    purpose: str
    issued_by: str
    folder: Path
    preview: bool

    @contextmanager
    def desk(self, invocation: Invocation) -> Iterator[Desk]:
        """The desk at which documents are made, with the district's school and record."""
        from gateway.documents.desk import Desk
        from gateway.documents.issue import Release
        from gateway.documents.school import read_school

        district = invocation.load()
        release = Release(district.id, self.recipient, self.purpose, self.issued_by, now)
        school = read_school(district)
        with invocation.store(district) as store:
            yield Desk(school, district.time_zone, store, release, self.folder, self.preview)


def issuing_options(command: Function) -> Function:
    """``--to``, ``--purpose``, ``--by``, ``--out`` and ``--preview``; the command gets them as ``given``."""

    @functools.wraps(command)
    def call(
        *arguments: Any, recipient: str, purpose: str, issued_by: str, out: Path, preview: bool, **rest: Any
    ) -> Any:
        return command(*arguments, given=Given(recipient, purpose, issued_by, out, preview), **rest)

    for option in (
        click.option("--preview", is_flag=True, help="Write a copy that is marked as not issued; record nothing."),
        click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
                     help="Where the documents are written."),
        click.option("--by", "issued_by", required=True, help="Who issues it: a person's name."),
        click.option("--purpose", required=True, help="What for, such as an application for admission."),
        click.option("--to", "recipient", required=True, help="To whom it is given, such as State University."),
    ):  # fmt: skip
        call = option(call)
    return call


def make_and_tell(
    invocation: Invocation,
    desk: Desk,
    orders: Sequence[Order],
    *,
    notes: Sequence[str] = (),
    remarks: Sequence[str] = (),
    alone: bool = False,
) -> int:
    """Make the documents and report them; 3 if one could not be made or a note was taken, whatever the ``remarks``.
    ``alone``: within this process, for orders that hold what must not leave it."""
    from gateway.documents.desk import make_documents

    made = make_documents(desk, orders, workers=1 if alone else min(4, os.cpu_count() or 1))
    told = [*notes, *remarks]
    invocation.answer(_told(made, told), _lines(desk, made, told))
    return EXIT_WARNINGS if made.failures or notes else 0


def _told(made: Made, notes: Sequence[str]) -> dict[str, Any]:
    return {
        "issued": [record.as_dict() for record in made.records],
        "previews": [str(path) for path in made.previews],
        "failed": [{"student_id": order.student_id, "error": error.as_dict()} for order, error in made.failures],
        "notes": list(notes),
    }


def _lines(desk: Desk, made: Made, notes: Sequence[str]) -> Iterator[str]:
    from gateway.documents.code import shown

    yield from (f"{shown(record.code)}  {desk.folder / record.file_name}" for record in made.records)
    yield from (f"preview, not issued  {path}" for path in made.previews)
    for order, error in made.failures:
        yield f"NOT MADE: {order.kind} {order.name}: {error.message} {error.hint}"
    yield from (f"Note: {note}" for note in notes)
    count = len(made.records)
    if count:
        yield f"{count} document{'' if count == 1 else 's'} issued to {desk.release.recipient} and recorded."
