"""How one page of a list leads to the next, so that no row is lost while rows move.

- *By cursor* (7.3 and later): the host's own tokens; a row that changes keeps its place.
- *By windows* (before, where change queries are on): the range of change versions is cut until a window has few enough
  rows, and each window is read from its last offset to its first. A row that changes meanwhile leaves its window for a
  later version; only rows that were read already move up. Windows for what came in meanwhile follow until none is left.
- *By offset* (before, without change queries): forwards; a total that has changed makes the pull incomplete.

Totals are asked for before and after a list. A place can be written down and taken up by a later process.
Source: docs.ed-fi.org on cursor paging, change queries; reverse paging as edfi_api_client does it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from connectors.edfi.at import At, Met
from connectors.edfi.elements import Flat, read_page
from connectors.edfi.problems import kind_of
from connectors.edfi.session import Session
from connectors.edfi.snapshots import no_snapshot
from gateway.sdk import IncompletePullError, RejectedError, TransientError

WINDOW_ROWS = 50_000
_MOST_PAGES = 200_000
_MOST_ROUNDS = 50
_AGAIN = "Nothing is removed for it; the next run asks again."


@dataclass(slots=True)
class Lists:
    """The lists of a host, page by page. ``headers`` ask for a snapshot."""

    session: Session
    headers: Mapping[str, str] = field(default_factory=dict)

    def pages(self, resource: str, start: At) -> Iterator[tuple[Flat, At | None]]:
        """Each page with the place after it, one page in memory at a time; ``None`` after the last."""
        at: At | None = start if start.begun else self._begin(resource, start)
        previous: Sequence[str] = ()
        met = Met(at.got if at else 0)
        asked: set[str] = set()
        while at is not None:
            mark = json.dumps([at.token, at.windows[:1], at.top, at.offset])
            if mark in asked and at.token and previous:  # after an empty page the same place is asked for once more
                raise _incomplete(resource, "leads back to a page that was read already", at, "paging.loop")
            if at.number > _MOST_PAGES:
                raise _incomplete(resource, f"does not end after {_MOST_PAGES} pages", at, "paging.too-many-pages")
            asked.add(mark)
            page, after = self._step(resource, at, previous, met)
            yield page, after
            at, previous = after, page.ids

    def nothing(self, resource: str) -> Flat:
        """A page of a resource without records."""
        return read_page(resource, b"[]", resource)

    def tombstones(self, resource: str, kind: str, least: int) -> Iterator[list[dict[str, object]]]:
        """The pages of ``/deletes`` or ``/keyChanges`` since a change version; nothing where the host has no such list.
        They only grow at their end, so they are read forwards, and without a total, which may time out."""
        offset, size = 0, self.session.settings["page_size"]
        while True:
            params = {"offset": str(offset), "limit": str(size), "minChangeVersion": str(least)}
            try:
                body = self.session.data("GET", f"{resource}/{kind}", params=params, headers=self.headers).body
            except RejectedError as refusal:
                if refusal.status in (404, 405):
                    return
                raise
            found = _tombstones(body, f"{resource}/{kind}")
            if not found:
                return
            yield found
            offset += len(found)

    def newest(self) -> int | None:
        """The newest change version, ``None`` where change queries are off."""
        return self._versions()[1] if self.session.host.changes else None

    def _versions(self) -> tuple[int, int]:
        body = self.session.changes("availableChangeVersions", headers=self.headers).body
        try:
            document = {name.lower(): int(value) for name, value in msgspec.json.decode(body).items()}
            return document["oldestchangeversion"], document["newestchangeversion"]
        except (msgspec.DecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise IncompletePullError(
                "The host tells no change versions that can be read.", hint=_AGAIN, code="page.shape"
            ) from error

    def _begin(self, resource: str, start: At) -> At | None:
        """The first place of a list: its total, and how it is to be read."""
        at = replace(start, begun=True, number=1, size=self.session.settings["page_size"])
        host = self.session.host
        if not host.abilities.cursors and host.changes:
            oldest, newest = self._versions()
            low = oldest if at.least is None else at.least
            return self._window(resource, replace(at, newest=newest, windows=((low, newest),) if low <= newest else ()))
        return replace(at, newest=self.newest(), total=self._count(resource, _since(at.least)))

    def _step(self, resource: str, at: At, previous: Sequence[str], met: Met) -> tuple[Flat, At | None]:
        if at.windows:
            return self._in_window(resource, at, previous, met)
        if self.session.abilities.cursors:
            return self._by_cursor(resource, at, previous, met)
        return self._forwards(resource, at, previous, met)

    # -- by cursor

    def _by_cursor(self, resource: str, at: At, previous: Sequence[str], met: Met) -> tuple[Flat, At | None]:
        params = {"pageSize": str(at.size), **_since(at.least)} | ({"pageToken": at.token} if at.token else {})
        page, token = self._fetch(resource, params, at)
        new = _new(page.ids, previous)
        met.add(page.ids)
        after = replace(at, token=token, got=at.got + new, number=at.number + 1)
        if token:
            if page.ids and not new:
                raise _incomplete(resource, "brings the same page again", at, "paging.repeated-page")
            if not page.ids and at.rounds >= _MOST_ROUNDS:
                raise _incomplete(resource, "stays empty where rows are due", at, "paging.short")
            return page, after if page.ids else replace(after, rounds=at.rounds + 1)
        self._require_all(resource, replace(after, got=met.rows))
        return page, None

    # -- by windows of change versions

    def _window(self, resource: str, at: At) -> At | None:
        """The place at the end of the first window that has rows; windows with too many are cut in two."""
        while True:
            if not at.windows:
                return self._later_window(resource, at)
            (low, high), *rest = at.windows
            total = self._count(resource, _between(low, high))
            if low < high and (total is None or total > WINDOW_ROWS):
                middle = (low + high) // 2
                at = replace(at, windows=((low, middle), (middle + 1, high), *rest))
            elif total is None:
                raise _incomplete(resource, "gives no total in time", at, "edfi.count")
            elif total == 0:
                at = replace(at, windows=tuple(rest))
            else:
                return replace(at, top=total, total=total, got=0)

    def _later_window(self, resource: str, at: At) -> At | None:
        """What has changed since the list was begun is read as well, so that a row that moved is not missed."""
        newest = self._versions()[1]
        if at.newest is None or newest <= at.newest:
            return None
        if at.rounds >= _MOST_ROUNDS:
            raise _incomplete(resource, "changes faster than it can be read", at, "paging.total-changed")
        later = replace(at, windows=((at.newest + 1, newest),), newest=newest, rounds=at.rounds + 1)
        return self._window(resource, later)

    def _in_window(self, resource: str, at: At, previous: Sequence[str], met: Met) -> tuple[Flat, At | None]:
        (low, high), *rest = at.windows
        top = at.top or 0
        start = max(0, top - at.size)
        params = {**_between(low, high), "offset": str(start), "limit": str(top - start)}
        page, _ = self._fetch(resource, params, at)
        due, found = top - start, len(page.ids)
        got = at.got + _new(page.ids, previous)
        after = replace(at, top=start, got=got, number=at.number + 1)
        if found < due:
            left = self._count(resource, _between(low, high))
            now = top if left is None else min(top, left)
            if now < top:  # rows have left the window for a later version, or are deleted
                after = replace(after, total=max(0, (at.total or 0) - (top - now)))
            if found < max(0, now - start):  # the host gives smaller pages than were asked for
                if at.rounds >= _MOST_ROUNDS and not found:
                    raise _incomplete(resource, "stays empty where rows are due", at, "paging.short")
                smaller = found or at.size
                again = replace(at, top=now, size=smaller, number=at.number + 1, total=after.total)
                return _without_rows(page), replace(again, rounds=at.rounds + (0 if found else 1))
        met.add(page.ids)
        if start > 0:
            return page, after
        self._require_window(resource, replace(after, got=met.rows), _between(low, high))
        met.forget()
        return page, self._window(resource, replace(after, windows=tuple(rest), top=None))

    def _require_window(self, resource: str, at: At, window: Mapping[str, str]) -> None:
        left = self._count(resource, window)
        if left is None or at.got >= left:
            if left is not None and left > (at.total or 0):
                raise _incomplete(resource, "grew where it could only shrink", at, "paging.total-changed")
            if left is not None and left < (at.total or 0) and self.newest() == at.newest:
                raise _incomplete(resource, "changed its total during the pull", at, "paging.total-changed")
            return
        raise _incomplete(resource, f"announced {left} rows and delivered {at.got}", at, "paging.short")

    # -- forwards by offset

    def _forwards(self, resource: str, at: At, previous: Sequence[str], met: Met) -> tuple[Flat, At | None]:
        params = {"offset": str(at.offset), "limit": str(at.size)}
        page, _ = self._fetch(resource, params, at)
        new = _new(page.ids, previous)
        after = replace(at, offset=at.offset + new, got=at.got + new, number=at.number + 1)
        if page.ids and not new:
            raise _incomplete(resource, "brings the same page again", at, "paging.repeated-page")
        if not page.ids and at.total is not None and at.got < at.total and at.rounds == 0:
            return page, replace(after, rounds=1)  # an empty page where rows are due is asked for once more
        if page.ids:
            met.add(page.ids)
            return page, after
        self._require_all(resource, replace(after, got=met.rows))
        return page, None

    # -- what all have in common

    def _fetch(self, resource: str, params: Mapping[str, str], at: At) -> tuple[Flat, str]:
        """The page and the next page's token; an answer that is no page is asked for once more."""
        source = f"{resource} page {at.number}"
        for last in (False, True):
            try:
                answer = self.session.data("GET", resource, params=params, headers=self.headers)
                return read_page(resource, answer.body, source), answer.headers.get("Next-Page-Token", "")
            except RejectedError as refusal:
                if self.headers and kind_of(refusal.answer) == "not-found:snapshot":
                    raise no_snapshot() from refusal
                raise
            except IncompletePullError as error:
                if last or not error.code.startswith("page."):
                    raise
        raise AssertionError("a loop of two has ended")

    def _count(self, resource: str, params: Mapping[str, str]) -> int | None:
        """The host's total; ``None`` when it does not come in time, or not at all."""
        wanted = {"totalCount": "true", "limit": "0", "offset": "0", **params}
        try:
            answer = self.session.data("GET", resource, params=wanted, headers=self.headers, patient=False)
        except TransientError as error:
            if error.code in ("http.unavailable", "http.timeout"):
                return None
            raise
        text = answer.headers.get("Total-Count", "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None

    def _require_all(self, resource: str, at: At) -> None:
        """Raises :class:`IncompletePullError` unless all rows were delivered that were there all the time."""
        now = self._count(resource, _since(at.least))
        if now is None or at.total is None:
            return
        if now != at.total and (at.newest is None or self.newest() == at.newest):
            raise _incomplete(resource, "changed its total number of rows during the pull", at, "paging.total-changed")
        if at.got < min(now, at.total):
            raise _incomplete(resource, f"announced {now} rows and delivered {at.got}", at, "paging.short")


def _since(least: int | None) -> dict[str, str]:
    return {} if least is None else {"minChangeVersion": str(least)}


def _between(low: int, high: int) -> dict[str, str]:
    return {"minChangeVersion": str(low), "maxChangeVersion": str(high)}


def _new(ids: Sequence[str], previous: Sequence[str]) -> int:
    return len(ids) - len((set(ids) - {""}).intersection(previous))


def _without_rows(page: Flat) -> Flat:
    """The page as if it had been empty, because its rows are asked for again."""
    return Flat(page.rows.clear(), {name: part.clear() for name, part in page.parts.items()}, (), ())


def _tombstones(body: bytes, source: str) -> list[dict[str, object]]:
    try:
        found = msgspec.json.decode(body, type=list[dict[str, object]])
    except msgspec.DecodeError as error:
        raise IncompletePullError(f"The answer for {source} is not a list.", hint=_AGAIN, code="page.shape") from error
    return found


def _incomplete(resource: str, problem: str, at: At, code: str) -> IncompletePullError:
    return IncompletePullError(f"The list {resource} {problem} (page {at.number}).", hint=_AGAIN, code=code)
