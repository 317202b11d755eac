"""The one stream of the connector: what its pages are made of, and where an interrupted pull goes on.

A page is one framework or one file. Its ``resume`` holds its number and a digest of the list that it stands in: if the
list has changed meanwhile, the numbers mean nothing and the pull starts anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from gateway.sdk import REJECTS, CasePackages, IncompletePullError, Page


def make_pages(entries: Iterable[tuple[str, CasePackages]], *, start: int, count: int, digest: str) -> Iterator[Page]:
    """A page for each (label, content), the first one being number ``start`` (from 0) of ``count``."""
    for number, (label, found) in enumerate(entries, start=start):
        frames = dict(found.frames)
        if not found.rejects.is_empty():
            frames[REJECTS] = found.rejects
        resume = None if number + 1 == count else f"{number + 1}/{digest}"
        yield Page(frames, resume, tuple(f"{label}: {warning}" for warning in found.warnings))


def list_digest(parts: Iterable[object]) -> str:
    """The same for the same list."""
    return hashlib.sha256(repr(list(parts)).encode()).hexdigest()[:16]


def start_of(resume: str | None, *, count: int, digest: str) -> int:
    """The number of the page to go on with."""
    if resume is None:
        return 0
    number, _, of = resume.partition("/")
    if of != digest or not number.isdecimal() or int(number) >= count:
        raise IncompletePullError(
            "The list of frameworks changed while the pull was interrupted.",
            hint="The pull starts anew; nothing is removed for it.",
            code="paging.list-changed",
        )
    return int(number)


def contents(found: CasePackages) -> str:
    """The titles and the number of items, for the connection test."""
    titles = found.frames["frameworks"]["title"].drop_nulls().to_list()
    return f"{', '.join(titles)} (items: {found.frames['competencies'].height})"
