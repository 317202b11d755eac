"""Paging: how one page leads to the next, and when a pull by pages is complete.

A way of paging is a function :data:`Following`: from a request and what it brought to the next request, or ``None`` at
the end. :func:`fetch_pages` walks along it, and holds what every way needs in one place: loops are detected, the number
of pages is capped, a page that cannot be read is asked for once more.

:func:`follow_offsets` is OneRoster's and CASE's way: the ``Link`` to the next page if there is one, else the offset
advanced by the rows *received*, never by the limit asked for: servers clamp it silently.

Codes of :class:`~gateway.core.errors.IncompletePullError`: ``paging.loop``, ``paging.repeated-page``,
``paging.total-changed`` (pull again once), ``paging.short``, ``paging.too-many-pages``, ``paging.other-origin``,
``paging.cursor``.

Source: OneRoster 1.2 and CASE 1.1 on limit, offset, ``Link`` and ``X-Total-Count``; RFC 8288.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from requests.utils import parse_header_links

from gateway.core.errors import IncompletePullError
from gateway.transport.address import absolute, origin
from gateway.transport.answer import Answer

T = TypeVar("T")

MOST_PAGES = 100_000
_AGAIN = "Nothing is removed for it; the next run asks again."


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page to ask for, and how far the pull is: it can be written down and taken up by a later process.

    ``path`` is a path below the service's address, or an absolute address out of a ``Link``. ``received`` counts the
    distinct rows so far, ``total`` is what the service announced, ``number`` counts the pages from 1.
    """

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    received: int = 0
    total: int | None = None
    number: int = 1

    def cursor(self) -> str:
        """The request as a text for :attr:`gateway.core.exchange.Page.resume`."""
        return json.dumps([self.path, dict(self.params), self.received, self.total, self.number])

    @classmethod
    def from_cursor(cls, cursor: str) -> PageRequest:
        """The request that :meth:`cursor` wrote down."""
        try:
            path, params, received, total, number = json.loads(cursor)
            return cls(str(path), dict(params), int(received), None if total is None else int(total), int(number))
        except (ValueError, TypeError) as error:
            raise IncompletePullError(
                "The place where the last pull stopped cannot be read.",
                hint="Start the pull from the beginning.",
                code="paging.cursor",
            ) from error


@dataclass(frozen=True, slots=True)
class Received(Generic[T]):
    """One page: the answer, the ids of all its rows in their order (bad rows as empty texts), and its content."""

    answer: Answer
    ids: Sequence[str]
    content: T


Following: TypeAlias = Callable[[PageRequest, Received[Any], Sequence[str]], PageRequest | None]
"""From a request, what it brought, and the ids of the page before it, to the next request or ``None`` at the end."""


def fetch_pages(
    first: PageRequest,
    fetch: Callable[[PageRequest], Received[T]],
    following: Following,
    *,
    most_pages: int = MOST_PAGES,
) -> Iterator[tuple[Received[T], PageRequest | None]]:
    """Each page with the request for the one after it, one page in memory at a time.

    ``fetch`` sends a request and reads its answer; when it raises an :class:`IncompletePullError` whose code begins
    with ``page.`` (the answer is not a page), it is asked once more. ``first`` may come out of a cursor.
    """
    request: PageRequest | None = first
    asked: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    first_ids: set[str] = set()
    previous: Sequence[str] = ()
    while request is not None:
        place = (request.path, tuple(sorted(request.params.items())))
        if place in asked:
            raise _incomplete("leads back to a page that was pulled already", request, code="paging.loop")
        if request.number > most_pages:
            raise _incomplete(f"does not end after {most_pages} pages", request, code="paging.too-many-pages")
        asked.add(place)
        page = _fetch_twice(request, fetch)
        if page.ids and page.ids[0]:
            if page.ids[0] in first_ids:
                raise _incomplete("brings the same page again", request, code="paging.repeated-page")
            first_ids.add(page.ids[0])
        after = following(request, page, previous)
        yield page, after
        request, previous = after, page.ids


def _fetch_twice(request: PageRequest, fetch: Callable[[PageRequest], Received[T]]) -> Received[T]:
    try:
        return fetch(request)
    except IncompletePullError as error:
        if not error.code.startswith("page."):
            raise
    return fetch(request)


def follow_offsets(request: PageRequest, page: Received[Any], previous: Sequence[str]) -> PageRequest | None:
    """OneRoster's way: ``Link`` rel=next, else ``offset`` advanced by the rows received; until an empty page, or until
    the announced total is reached.

    Rows that the page before had already brought do not count: the next offset begins that much earlier, so that a list
    that moves during the pull is read twice in part rather than with a gap.
    """
    total = _announced(page.answer)
    if request.total is not None and total is not None and total != request.total:
        raise _incomplete("changed its total number of rows during the pull", request, code="paging.total-changed")
    total = request.total if total is None else total
    rows = len(page.ids)
    new = rows - len((set(page.ids) - {""}).intersection(previous))
    link = next_link(page.answer)
    if link is not None:
        return _after(request, request.received + new, total, path=link, params={})
    by_links = "://" in request.path
    step = new if by_links else new or rows
    received = request.received + step
    short = total is not None and received < total
    if rows and not by_links and (short or total is None):
        offset = int(request.params.get("offset", "0")) + step
        params = {**request.params, "offset": str(offset)}
        return _after(request, received, total, path=request.path, params=params)
    if short:
        raise _incomplete(f"announced {total} rows and delivered {received}", request, code="paging.short")
    return None


def _after(
    request: PageRequest, received: int, total: int | None, *, path: str, params: Mapping[str, str]
) -> PageRequest:
    return PageRequest(path, params, received, total, request.number + 1)


def next_link(answer: Answer) -> str | None:
    """The address of the next page out of the ``Link`` header; one outside the answer's own origin is an error."""
    header = answer.headers.get("Link", "")
    for link in parse_header_links(header) if header else []:
        if "next" in str(link.get("rel", "")).lower().split() and link.get("url"):
            url = absolute(answer.url, link["url"])
            if origin(url) != origin(answer.url):
                raise IncompletePullError(
                    f"{origin(answer.url)[1]} links to a next page outside itself, which is not followed.",
                    hint="Ask the provider to link to its own address, or correct the address in the settings.",
                    code="paging.other-origin",
                )
            return url
    return None


def _announced(answer: Answer) -> int | None:
    text = answer.headers.get("X-Total-Count", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _incomplete(problem: str, request: PageRequest, *, code: str) -> IncompletePullError:
    name = request.path.split("://", 1)[-1].split("?", 1)[0].strip("/").rsplit("/", 1)[-1]
    return IncompletePullError(f"The list {name} {problem} (page {request.number}).", hint=_AGAIN, code=code)
