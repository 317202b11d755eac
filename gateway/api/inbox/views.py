"""Writing into the gradebook over OneRoster 1.2: PUT, POST and DELETE, where the district has an inbox.

Source: OneRoster 1.2 gradebook service. An answer to PUT carries the object as it is kept, which the standard does not
ask for and consumers of 1.1 expect.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request

from gateway.api import roles
from gateway.api.access import caller, needs, note, now
from gateway.api.encoding import UnsoundJsonError, decoded
from gateway.api.idempotency import once
from gateway.api.inbox.frames import table_of
from gateway.api.inbox.objects import UnreadableError, scalar
from gateway.api.inbox.room import Room
from gateway.api.inbox.writing import GRADEBOOK, Desk, as_json
from gateway.api.oneroster import views as reading
from gateway.api.oneroster.lists import COMMON, LISTINGS, Listing
from gateway.api.oneroster.records import encode
from gateway.api.oneroster.tables import Served
from gateway.api.problems import Problem, not_found
from gateway.core.records import NAMESPACE
from gateway.store.inbox import InboxState, Verdict

STATE = "X-Inbox-State"
LONGEST_ID = 255
LARGEST = 64 * 1024
"""Bytes of one record."""
_POSTED: Sequence[tuple[str, str, Mapping[str, str]]] = (
    ("classes/<id>/lineItems", "lineItems", {"id": "class"}),
    ("schools/<id>/lineItems", "lineItems", {"id": "school"}),
    ("lineItems/<id>/results", "results", {"id": "lineItem"}),
    ("classes/<id>/academicSessions/<session_id>/results", "results", {"id": "class", "session_id": ""}),
)
"""Where records are posted: below a parent, whose id stands for the field that is named; or only has to exist."""
_PARENTS = {"class": "classes", "school": "orgs", "lineItem": "line_items", "": "academic_sessions"}

Given = Mapping[str, Any]


def install(app: Flask) -> None:
    """Add the addresses that write."""
    blueprint = Blueprint("inbox", __name__)
    for listing in GRADEBOOK.values():
        path = f"{reading.GRADEBOOK}/{listing.name}/{reading.GRADEBOOK_ID}"
        blueprint.add_url_rule(path, f"{listing.name}-put", needs(roles.GRADEBOOK_PUT)(_put(listing)), methods=["PUT"])
        blueprint.add_url_rule(
            path, f"{listing.name}-delete", needs(roles.GRADEBOOK_DELETE)(_delete(listing)), methods=["DELETE"]
        )
    for path, name, parents in _POSTED:
        view = needs(roles.GRADEBOOK_POST)(_post(LISTINGS[name], parents))
        endpoint = path.translate({ord(sign): "-" for sign in "/<>"})
        blueprint.add_url_rule(f"{reading.GRADEBOOK}/{path}", f"{endpoint}-post", view, methods=["POST"])
    app.register_blueprint(blueprint)
    app.extensions["gateway-inbox-room"] = Room()


def _put(listing: Listing) -> Callable[..., Response]:
    def put(id: str) -> Response:
        """Keep one record under the id of the address."""
        desk = _desk()
        given = _objects(listing)
        if len(given) != 1:
            raise _refused("A PUT takes one record.", "inbox.one")
        own = _own_id(given[0])
        if own is not None and own != id:
            raise _refused("The sourcedId of the body is not that of the address.", "inbox.id-differs")
        _usable(id)

        def act() -> Response:
            _take_room(listing, [id])
            _note("put", listing, given, record=hashlib.sha256(id.encode()).hexdigest()[:16])
            ((verdict, new),) = desk.keep(listing, [(id, given[0])], now=now())
            return _answer(listing, id, verdict, new=new)

        return once(_digest(), act)

    return put


def _post(listing: Listing, parents: Mapping[str, str]) -> Callable[..., Response]:
    def post(**ids: str) -> Response:
        """Keep records under ids that the gateway gives."""
        desk = _desk()
        for name, field in parents.items():
            if not desk.beside.known(_PARENTS[field], [ids[name]]):
                raise not_found("There is no such record.")
        filled = {field: ids[name] for name, field in parents.items() if field}
        given = [{**filled, **each} for each in _objects(listing)]
        supplied = [_own_id(each) for each in given]
        named = [each for each in supplied if each is not None]
        if len(set(named)) != len(named):
            raise _refused("Two records of the body have one sourcedId.", "inbox.id-twice")

        def act() -> Response:
            allocated = [_allocated(listing, each) for each in supplied]
            _take_room(listing, allocated)
            _note("post", listing, given)
            kept = desk.keep(listing, list(zip(allocated, given, strict=True)), now=now())
            pairs = [
                {"suppliedSourcedId": theirs or ours, "allocatedSourcedId": ours}
                for theirs, ours in zip(supplied, allocated, strict=True)
            ]
            states = Counter(verdict.state for verdict, _ in kept)
            return _json(
                encode({"sourcedIdPairs": pairs}), 201, ", ".join(f"{name}={states[name]}" for name in sorted(states))
            )

        return once(_digest(), act)

    return post


def _delete(listing: Listing) -> Callable[..., Response]:
    def delete(id: str) -> Response:
        """Mark a record as deleted."""
        desk = _desk()
        _usable(id)

        def act() -> Response:
            _take_room(listing, [id])
            _note("delete", listing, [{}], record=hashlib.sha256(id.encode()).hexdigest()[:16])
            if not desk.withdraw(listing, id, now=now()):
                raise not_found("There is no such record.")
            return Response(status=204)

        return once("", act)

    return delete


def _desk() -> Desk:
    """Raises :class:`Problem` (``forbidden``) where the district takes nothing."""
    who = caller()
    if not who.site.district.api.inbox:
        raise Problem("forbidden", "This district takes no gradebook records.", code="inbox.closed",
                      hint="The district's IT staff can allow it: `api.inbox`.")  # fmt: skip
    served: Served = current_app.extensions["gateway-oneroster"]
    return Desk(who.site, served.tables(who.site), who.client_id)


def _objects(listing: Listing) -> list[Given]:
    """The objects of the body, with or without an envelope."""
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise Problem("unsupported-media-type", "Send the body as application/json.")
    try:
        body = decoded(request.get_data())
    except UnsoundJsonError as error:
        raise Problem("bad-request", str(error), code="body.unsound") from None
    if isinstance(body, dict):
        body = next((body[name] for name in (listing.single, listing.name) if name in body), body)
    found = body if isinstance(body, list) else [body]
    if not found or not all(isinstance(each, dict) and each for each in found):
        raise _refused(f'The body must hold an object "{listing.single}", or a list of them.', "inbox.body")
    try:
        as_json({"": found})
    except UnicodeEncodeError:
        raise Problem("bad-request", "The body holds half of a character.", code="body.unsound") from None
    except OverflowError:
        raise Problem("bad-request", "The body holds a number of absurd length.", code="body.unsound") from None
    if (request.content_length or LARGEST + 1) > LARGEST and any(
        len(as_json(each).encode()) > LARGEST for each in found
    ):
        raise Problem("too-large", f"A record has at most {LARGEST // 1024} KiB.", code="inbox.large")
    return found


def _take_room(listing: Listing, ids: Sequence[str]) -> None:
    room: Room = current_app.extensions["gateway-inbox-room"]
    room.take(caller().site, caller().client_id, listing.table, ids)


def _own_id(given: Given) -> str | None:
    try:
        own = (scalar(given.get("sourcedId")) or "").strip()
    except UnreadableError:
        raise _refused("The sourcedId of the body is no text.", "inbox.id") from None
    return own or None


def _usable(id: str) -> None:
    if len(id.encode()) > LONGEST_ID or not id.isprintable():
        raise _refused(f"A sourcedId has at most {LONGEST_ID} bytes, all of them printable.", "inbox.id")


def _refused(words: str, code: str) -> Problem:
    return Problem("invalid", words, code=code)


def _allocated(listing: Listing, supplied: str | None) -> str:
    """The same id for the same record of the same client, so that a POST sent twice doubles nothing."""
    who = caller()
    if supplied is None:
        return str(uuid.uuid4())
    return str(uuid.uuid5(NAMESPACE, "\0".join((who.site.id, who.client_id, listing.table, supplied))))


def _note(what: str, listing: Listing, given: Sequence[Given], **more: str) -> None:
    subjects = len(given) if listing.table == "results" else 0
    note(f"inbox.{what}", subjects=subjects, list=listing.name, rows=len(given), **more)


def _digest() -> str:
    return hashlib.sha256(request.get_data()).hexdigest()


def _answer(listing: Listing, id: str, verdict: Verdict, *, new: bool) -> Response:
    if verdict.record is None:
        return _json(encode(_set_aside(verdict)), 202, verdict.state)
    rows = table_of(listing, [verdict.record])
    shown = reading.records(reading.GRADEBOOK, (*COMMON, *listing.fields)).single(listing.single, rows)
    return _json(shown, 201 if new else 200, verdict.state)


def _set_aside(verdict: Verdict) -> Mapping[str, Any]:
    """What is told of a record that is kept and cannot be used."""
    return {
        "imsx_codeMajor": "processing",
        "imsx_severity": "warning",
        "imsx_description": f"The record is kept, and not used. {verdict.field}: {verdict.reason}",
        "imsx_CodeMinor": {
            "imsx_codeMinorField": [
                {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": "invaliddata"}
            ]
        },
    }


def _json(body: bytes, status: int, state: str | InboxState) -> Response:
    return Response(body, status, {STATE: str(state)}, content_type="application/json")
