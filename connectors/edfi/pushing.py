"""The target: changes as items of the host, several at a time, an outcome for each.

What only we write is posted under its natural key. What others write as well is read, merged and replaced with
``If-Match``; when somebody else was faster (412) it is read and merged again, a few times. All changes of one student
are done one after the other, and neighbours in one go, so that we do not overtake ourselves. Records of one kind are
all sent before the next kind begins, and the items of one record in the host's own order.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from connectors.edfi.bodies import Bodies
from connectors.edfi.bodies_gpa import gpa_wishes
from connectors.edfi.descriptors import Descriptors, Unfit
from connectors.edfi.items import Items, encoded
from connectors.edfi.kept import Kept
from connectors.edfi.merging import Foreign, Found, Item, Wanted, drawn, said_already
from connectors.edfi.order import Order
from connectors.edfi.places import Places, waits
from connectors.edfi.reading_back import ReadBack
from connectors.edfi.refusals import Refusal, understood
from connectors.edfi.session import Session
from connectors.edfi.target_settings import writes_anything
from gateway.sdk import (
    Action,
    AuthorizationError,
    Change,
    ConfigurationError,
    Context,
    GatewayError,
    IncompletePullError,
    Lanes,
    Outcome,
    OutcomeState,
    RejectedError,
    TransientError,
)

_FOR_ALL = ("http.circuit-open", "http.retry-after")
"""Transient errors that concern every record, not the one that met them."""
_AGAIN = ("edfi.changed", "edfi.gone")
_TRIES = 5
_PATIENCE = 20
"""After so many refusals of a resource for want of a right, and none accepted, it is not tried any more."""
_RIGHTS = ("edfi.claim-set", "edfi.namespace")
_NEIGHBOURS = 16
_WORST = {OutcomeState.ACCEPTED: 0, OutcomeState.FAILED: 1, OutcomeState.REJECTED: 2}
CREATED = "/created"
"""Stands behind the id of an item that we made and others may add to."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """A wish and the change that has it."""

    change: Change
    wanted: Wanted


class Pusher:
    """Pushes to one host."""

    def __init__(self, session: Session, context: Context) -> None:
        self._settings = session.settings
        self._target = session.settings["target"]
        self._session = session
        self.items = Items(session.data, session.settings["page_size"])
        self.descriptors = Descriptors(
            self.items, self._target["namespace"], creates=self._target["create_descriptors"]
        )
        self._kept = Kept(context.work, context.now)
        self._rights = _Rights()
        self._lock = threading.Lock()
        self._failed: set[str] = set()
        self._ready: tuple[Bodies, Order] | None = None

    def entities(self) -> list[str]:
        """What a sync hands over, ``gpas``, and course attempts where they are taken. Categories and score scales need
        nothing; competencies are taken only where objectives may be made of them."""
        creates = "competencies" in self._settings["write"] and self._target["create_objectives"]["organization"]
        attempts = ["course_attempts"] if self._target["transcripts"]["write"] else []
        always = ["categories", "score_scales", "line_items", "results", "gpas"]
        return [*(["competencies"] if creates else []), *always, *attempts]

    def push(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        """See :meth:`gateway.sdk.Target.push`."""
        kind: tuple[str, bool] | None = None
        with Lanes(self._concurrency, self._bring, name="edfi-push", ordered=True) as lanes:
            for lane, neighbours in _neighbourhoods(changes):
                this = (neighbours[0].entity, neighbours[0].action is Action.INACTIVATE)
                if this != kind:
                    for outcomes in lanes.rest():
                        yield from outcomes
                    kind = this
                for outcomes in lanes.give(neighbours, lane):
                    yield from outcomes
                if lanes.error:
                    break
            for outcomes in lanes.rest():
                yield from outcomes
        if lanes.error:
            raise lanes.error

    def require_ready(self) -> None:
        """Raises :class:`ConfigurationError` for settings that this host cannot follow."""
        self._prepared()

    def read_back(self, entity: str, ids: Sequence[str]) -> dict[str, Mapping[str, object]]:
        """See :meth:`gateway.sdk.Target.read_back`."""
        bodies, _ = self._prepared()
        reader = ReadBack(self.items, bodies.primary(entity), self._target)
        with ThreadPoolExecutor(self._concurrency) as pool:
            found = pool.map(lambda own: reader.record(entity, own), ids)
            return {own: record for own, record in zip(ids, found, strict=True) if record is not None}

    @property
    def _concurrency(self) -> int:
        count: int = self._settings["push_concurrency"]
        return count

    def _prepared(self) -> tuple[Bodies, Order]:
        """What depends on the host's version. Raises :class:`ConfigurationError` (``edfi.needs-4.0``)."""
        with self._lock:
            if self._ready is None:
                standard = self._session.standard
                if not writes_anything(self._settings):
                    raise ConfigurationError(
                        "The settings of this connection say nothing of what is to be written.",
                        hint="Set write (gradebook, competencies, grades, assessments), or target.gpa.types for GPAs.",
                        code="edfi.writes-nothing",
                    )
                if "gradebook" in self._settings["write"] and standard < (4, 0):
                    raise ConfigurationError(
                        "Gradebook entries have no identifier before Data Standard 4.0, so none are written here.",
                        hint="Take gradebook out of write, or use a host with Data Standard 4.0 or later.",
                        code="edfi.needs-4.0",
                    )
                places = Places(self.items, self._target, self._session.context.folder, standard)
                bodies = Bodies(self._settings, standard, self.items, places, self.descriptors)
                self._ready = bodies, Order.of(self._session.dependencies())
            return self._ready

    def _bring(self, changes: Sequence[Change]) -> list[Outcome]:
        """Bring the changes of one student, or one change, to the host. Raises what concerns all records."""
        outcomes: dict[str, Outcome] = {}
        wishes: list[_Wish] = []
        for change in changes:
            outcomes[change.key] = Outcome(change.key, OutcomeState.ACCEPTED, remote_id=change.remote_id)
            for part in self._parts(change) if change.action is not Action.KEEP else ():
                try:
                    wishes += (_Wish(change, wanted) for wanted in part)
                except (Unfit, GatewayError) as problem:
                    self._note(outcomes, change, _verdict(problem, change.entity))
        for mine in self._by_item(wishes):
            live = [wish for wish in mine if _goes_on(outcomes[wish.change.key], wish.change)]
            for wish, verdict in self._write(live) if live else ():
                self._note(outcomes, wish.change, verdict)
        self._remember_failed(changes, outcomes)
        return list(outcomes.values())

    def _parts(self, change: Change) -> list[Iterator[Wanted]]:
        """What the change wants, part by part; each raises :class:`Unfit` for itself as it is read."""
        bodies, _ = self._prepared()
        if change.entity == "gpas":
            parts = [gpa_wishes(change, self._target, self.descriptors, bodies.places)]
        else:
            parts = bodies.wishes(change)
        return [self._wishes(change, part) for part in parts]

    def _wishes(self, change: Change, part: Iterable[Wanted]) -> Iterator[Wanted]:
        """One part of what the change wants, with what the ledger says of it. Raises :class:`Unfit`."""
        if change.record.get("line_item_id") in self._failed and change.action is not Action.INACTIVATE:
            raise waits("edfi.waits", "The line item of this record was not accepted, so it is kept back with it.")
        unsure = change.action is Action.INACTIVATE and change.attempted
        ours = change.remote_id is not None or self._target["overwrite"] or unsure
        created = (change.remote_id or "").endswith(CREATED)
        for wanted in part:
            yield replace(wanted, ours=ours, created=created)

    def _by_item(self, wishes: Sequence[_Wish]) -> list[list[_Wish]]:
        """The wishes for each item, items in the host's order (in reverse for what goes)."""
        _, order = self._prepared()
        found: dict[bytes, list[_Wish]] = {}
        for wish in wishes:
            piece = wish.wanted.piece
            found.setdefault(piece.resource.encode() + encoded(piece.identity), []).append(wish)
        return sorted(found.values(), key=lambda mine: order.place(mine[0].wanted.piece.resource, mine[0].wanted.gone))

    def _write(self, mine: Sequence[_Wish]) -> Iterator[tuple[_Wish, Refusal | str]]:
        """Write the wishes for one item: for each its refusal, or the id of the item. If one of several is at fault,
        they are written one by one."""
        try:
            written, before = self._merge_and_send(mine)
        except (Unfit, Foreign, GatewayError) as problem:
            if len(mine) > 1 and isinstance(problem, Unfit | Foreign | RejectedError):
                for wish in mine:
                    yield from self._write([replace(wish, wanted=replace(wish.wanted, read=False))])
                return
            refusal = _verdict(problem, mine[0].wanted.piece.resource)
            self._rights.refused(mine[0].wanted.piece.resource, refusal.code)
            yield from ((wish, refusal) for wish in mine)
        else:
            self._rights.accepted(mine[0].wanted.piece.resource)
            yield from ((wish, _remembered(wish, written, before)) for wish in mine)

    def _merge_and_send(self, mine: Sequence[_Wish]) -> tuple[str, Item | None]:
        """Read, merge and write one item; what is as it shall be is left alone. Returns the host's id of it, and what
        was there before."""
        wanted = [wish.wanted for wish in mine]
        piece = wanted[0].piece
        self._rights.require(piece.resource)
        fresh = all(wish.wanted.piece.own and _is_new(wish.change) for wish in mine)
        for attempt in range(_TRIES):
            found = self._found(wanted[0], again=attempt > 0) if attempt or not fresh else None
            result = drawn(found.body if found else None, wanted)
            if result.waits:
                raise waits("edfi.no-carrier", f"The host has no {piece.resource} yet that could carry this record.")
            try:
                return self._send(piece.resource, found, result.body), found.body if found else None
            except RejectedError as refused:
                refusal = understood(refused)
                if refusal.code not in _AGAIN or attempt == _TRIES - 1:
                    self._kept.keep(piece.resource, refusal, result.body, refused)
                    raise
        raise AssertionError  # the loop returns or raises

    def _found(self, wanted: Wanted, *, again: bool) -> Found | None:
        if wanted.read and not again:
            return wanted.found
        return self.items.find(wanted.piece.resource, wanted.piece.identity)

    def _send(self, resource: str, found: Found | None, body: Item | None) -> str:
        if found is None:
            return "" if body is None else f"{resource}/{self.items.post(resource, body)}{CREATED}"
        if body is None:
            self.items.delete(resource, found)
            return ""
        if body != found.body:
            self.items.put(resource, found, body)
        return f"{resource}/{found.id}"

    def _note(self, outcomes: dict[str, Outcome], change: Change, verdict: Refusal | str) -> None:
        """Add what became of one item to the outcome of its change: the worst counts."""
        before = outcomes[change.key]
        if isinstance(verdict, str):
            primary = self._prepared()[0].primary(change.entity)
            mine = verdict.startswith(f"{primary}/") if primary else change.entity == "gpas"
            if mine and not (before.remote_id or "").startswith(verdict.removesuffix(CREATED)):
                outcomes[change.key] = replace(before, remote_id=verdict)
        elif _WORST[verdict.state] > _WORST[before.state]:
            outcomes[change.key] = Outcome(change.key, verdict.state, verdict.code, verdict.message)

    def _remember_failed(self, changes: Sequence[Change], outcomes: Mapping[str, Outcome]) -> None:
        for change in changes:
            if change.entity == "line_items" and outcomes[change.key].state is not OutcomeState.ACCEPTED:
                self._failed.add(change.id)


class _Rights:
    """Counts refusals for want of a right, so that a resource that is closed to us is not asked thousands of times."""

    def __init__(self) -> None:
        self._refused: Counter[str] = Counter()
        self._open: set[str] = set()

    def accepted(self, resource: str) -> None:
        self._open.add(resource)

    def refused(self, resource: str, code: str) -> None:
        self._refused[resource] += code in _RIGHTS

    def require(self, resource: str) -> None:
        """Raises :class:`Unfit` (``edfi.claim-set``) for a resource that was refused so often."""
        if self._refused[resource] >= _PATIENCE and resource not in self._open:
            raise Unfit(
                "edfi.claim-set",
                f"The host refused the first {_PATIENCE} writes to {resource}, so no more were sent.",
                OutcomeState.FAILED,
            )


def _goes_on(outcome: Outcome, change: Change) -> bool:
    """Whether further items of a change are written: those of a result are independent of each other."""
    return change.entity == "results" or outcome.state is OutcomeState.ACCEPTED


def _remembered(wish: _Wish, written: str, before: Item | None) -> str:
    """The id by which an item is ours from now on, or nothing: a transcript line or an average that stood there and
    said the same is not ours, unless we may have written it when a push was cut off."""
    change = wish.change
    if not written or written.endswith(CREATED) or change.entity not in ("course_attempts", "gpas"):
        return written
    if change.entity == "course_attempts":
        return f"{written}{CREATED}" if change.attempted else ""
    if change.attempted or wish.wanted.ours or before is None:
        return written
    return "" if said_already(before, wish.wanted) else written


def _is_new(change: Change) -> bool:
    return change.action is Action.CREATE and not change.attempted and change.remote_id is None


def _verdict(problem: Unfit | Foreign | GatewayError, resource: str) -> Refusal:
    """What a problem means for its record. Raises what concerns all records."""
    if isinstance(problem, Unfit):
        return Refusal(problem.state, problem.code, problem.reason)
    if isinstance(problem, Foreign):
        return Refusal(
            OutcomeState.REJECTED,
            "edfi.owned",
            f"Another system wrote another value in {problem.member}, and it stays: use a type or namespace of your "
            "own, or set overwrite.",
        )
    if isinstance(problem, RejectedError):
        return understood(problem)
    if isinstance(problem, AuthorizationError) and problem.code == "http.forbidden":
        return Refusal(
            OutcomeState.REJECTED, "edfi.claim-set", f"These credentials may not read what {resource} needs."
        )
    if isinstance(problem, TransientError) and problem.code not in _FOR_ALL:
        return Refusal(OutcomeState.FAILED, problem.code, problem.message)
    if isinstance(problem, IncompletePullError):
        return Refusal(OutcomeState.FAILED, problem.code, problem.message)
    raise problem


def _neighbourhoods(changes: Iterable[Change]) -> Iterator[tuple[str, list[Change]]]:
    """Changes that follow each other and are about the same student, a few at a time."""
    for (lane, _, _, _), group in groupby(enumerate(changes), key=_Neighbour()):
        yield lane, [change for _, change in group]


class _Neighbour:
    """The key of neighbours: lane, kind, direction, and a number that rises when there are too many of them."""

    def __init__(self) -> None:
        self._last: tuple[str, str, bool] | None = None
        self._count = 0
        self._number = 0

    def __call__(self, numbered: tuple[int, Change]) -> tuple[str, str, bool, int]:
        _, change = numbered
        this = (_lane(change), change.entity, change.action is Action.INACTIVATE)
        self._count = self._count + 1 if this == self._last else 0
        if self._count % _NEIGHBOURS == 0:
            self._number += 1
        self._last = this
        return (*this, self._number)


def _lane(change: Change) -> str:
    student: Any = change.record.get("student_id")
    return str(student or change.id)
