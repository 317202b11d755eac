"""The target: gradebook records, several at a time, an outcome for each.

PUT under our own ids is repeatable. POST is not: a record that may have been sent already is looked up first, and one
whose answer was lost is looked up at once. Records of one kind are all sent before the next kind begins.
Source: OneRoster 1.2 gradebook service; deviations as the profile says.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.oneroster.bodies import BodyWriter, UnfitRecord
from connectors.oneroster.endpoints import PUSHED, Endpoint
from connectors.oneroster.existing import Existing, canonical, quoted
from connectors.oneroster.provider import Provider, scope
from gateway.sdk import (
    Action,
    Answer,
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

_FOR_ALL = ("http.circuit-open", "http.retry-after", "oneroster.unsettled")
"""Transient errors that concern every record, not the one that met them."""
_REFUSED_ALL = ("http.forbidden", "http.not-found", "http.not-offered")
_PATIENCE = 20
"""After so many records refused so, and none accepted, the push is stopped: it is not for the records."""
_POSTED_BELOW: Mapping[str, tuple[str, str]] = {
    "line_items": ("classes", "class_id"),
    "results": ("lineItems", "line_item_id"),
}


class Pusher:
    """Pushes to one provider."""

    def __init__(self, provider: Provider, context: Context) -> None:
        self.provider = provider
        self.profile = provider.profile
        self._bodies = BodyWriter(provider.version, provider.addresses, context.now)
        self._existing = Existing(provider)
        self._allocated: dict[str, str] = {}

    def entities(self) -> list[str]:
        """What the provider's version of the standard can take, parents first."""
        return [table for table, endpoint in PUSHED.items() if endpoint.in_1_1 or self.provider.version != "1.1"]

    def push(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        """See :meth:`gateway.sdk.Target.push`."""
        watch = _Watch(self.provider)
        kind: tuple[str, bool] | None = None
        with Lanes(self.profile.push_concurrency, self._outcome, name="oneroster-push") as lanes:
            for change in changes:
                this = (change.entity, change.action is Action.INACTIVATE)
                if this != kind:
                    yield from watch.judged(lanes.rest())
                    kind = this
                yield from watch.judged(lanes.give(change))
                if lanes.error or watch.error:
                    lanes.stop()
                    break
            yield from watch.judged(lanes.rest())
        error = lanes.error or watch.error
        if error:
            raise error

    def read_back(self, entity: str, ids: Sequence[str]) -> dict[str, Mapping[str, object]]:
        """See :meth:`gateway.sdk.Target.read_back`."""
        endpoint = PUSHED[entity]
        with ThreadPoolExecutor(self.profile.push_concurrency) as pool:
            found = list(pool.map(lambda own: self._existing.get(endpoint, own, endpoint.record), ids))
        return canonical(endpoint, [record for record in found if record is not None])

    def _outcome(self, change: Change) -> Outcome:
        """Bring one record to the provider. Raises what concerns all records."""
        try:
            return self._send(change)
        except UnfitRecord as unfit:
            return Outcome(change.key, OutcomeState.REJECTED, unfit.code, unfit.reason)
        except RejectedError as refusal:
            return Outcome(change.key, OutcomeState.REJECTED, refusal.code, refusal.message)
        except TransientError as error:
            if error.code in _FOR_ALL:
                raise
            return Outcome(change.key, OutcomeState.FAILED, error.code, error.message)
        except IncompletePullError as error:
            return Outcome(change.key, OutcomeState.FAILED, error.code, error.message)

    def _send(self, change: Change) -> Outcome:
        endpoint = PUSHED[change.entity]
        if change.action is Action.KEEP:
            return Outcome(change.key, OutcomeState.ACCEPTED)
        if change.action is Action.INACTIVATE:
            return self._withdraw(endpoint, change)
        remote_id = change.remote_id
        if remote_id is None and self._is_posted(change):
            if change.attempted:
                remote_id = self._existing.find(change, self._remote_ids(change))
            if remote_id is None:
                return self._post(endpoint, change)
        return self._put(endpoint, change, remote_id)

    def _is_posted(self, change: Change) -> bool:
        return self.profile.write_style == "post" and change.entity in _POSTED_BELOW

    def _remote_ids(self, change: Change) -> Mapping[str, str]:
        return ChainMap(self._allocated, dict(change.remote_references))

    def _put(self, endpoint: Endpoint, change: Change, remote_id: str | None) -> Outcome:
        sourced_id = remote_id or change.id
        body = self._bodies.single(endpoint, sourced_id, change.record, self._remote_ids(change))
        answer = self.provider.request("PUT", endpoint, f"{endpoint.name}/{quoted(sourced_id)}", body=body)
        _require_success(answer)
        if self.profile.put_returns_id:
            remote_id = _returned_id(answer, self.profile.single_names(endpoint.single)) or remote_id
        return self._accepted(change, remote_id)

    def _post(self, endpoint: Endpoint, change: Change) -> Outcome:
        collection, column = _POSTED_BELOW[change.entity]
        parent = change.record[column]
        if not isinstance(parent, str):
            raise UnfitRecord(
                f"A {endpoint.single} is posted below its parent, and has none.", code="oneroster.required"
            )
        remote_ids = self._remote_ids(change)
        path = f"{collection}/{quoted(remote_ids.get(parent, parent))}/{endpoint.name}"
        body = self._bodies.several(endpoint, change.id, change.record, remote_ids)
        try:
            answer = self.provider.request("POST", endpoint, path, body=body)
        except TransientError as lost:
            remote_id = self._settle(change, remote_ids)
            if remote_id is None:
                raise lost from None
        else:
            _require_success(answer)
            remote_id = _allocated_id(answer, change.id) or self._settle(change, remote_ids)
        if remote_id is None:
            raise ConfigurationError(
                "The provider does not say under which id it keeps a new record, and the record cannot be found.",
                hint="Set write_style to put in the profile of this connection, if the provider takes our ids.",
                code="oneroster.no-allocated-id",
            )
        return self._accepted(change, remote_id)

    def _settle(self, change: Change, remote_ids: Mapping[str, str]) -> str | None:
        """The id of a record that was posted without an answer, if it is there. When that cannot be learned, the push
        stops without an outcome for it, so that the next run looks before it sends."""
        try:
            return self._existing.find(change, remote_ids, again=True)
        except (TransientError, RejectedError, IncompletePullError) as error:
            raise TransientError(error.message, hint=error.hint, code="oneroster.unsettled") from error

    def _accepted(self, change: Change, remote_id: str | None) -> Outcome:
        if remote_id is not None and change.entity != "results":  # nothing that is pushed refers to a result
            self._allocated[change.id] = remote_id
        return Outcome(change.key, OutcomeState.ACCEPTED, remote_id=remote_id)

    def _withdraw(self, endpoint: Endpoint, change: Change) -> Outcome:
        """A record that the provider no longer has is withdrawn already."""
        sourced_id = change.remote_id or change.id
        path = f"{endpoint.name}/{quoted(sourced_id)}"
        try:
            if self.profile.inactivate == "delete":
                self.provider.request("DELETE", endpoint, path)
            else:
                there = self._existing.get(endpoint, sourced_id, dict[str, Any])
                if there is not None:
                    self.provider.request("PUT", endpoint, path, body=self._bodies.withdrawn(endpoint, there))
        except RejectedError as refusal:
            if refusal.status not in (404, 410):
                raise
        return Outcome(change.key, OutcomeState.ACCEPTED, remote_id=change.remote_id)


@dataclass(slots=True)
class _Watch:
    """Watches the outcomes for a right that is lacking."""

    provider: Provider
    error: GatewayError | None = None
    accepted: bool = False
    denied: int = 0

    def judged(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        for outcome in outcomes:
            self._judge(outcome)
            yield outcome

    def _judge(self, outcome: Outcome) -> None:
        self.accepted = self.accepted or outcome.state is OutcomeState.ACCEPTED
        self.denied += outcome.code in _REFUSED_ALL
        if self.denied >= _PATIENCE and not self.accepted and self.error is None:
            right = scope(self.provider.version, "gradebook.createput")
            self.error = AuthorizationError(
                f"The provider refused the first {self.denied} records: {outcome.message}",
                hint=f"Check the address of the gradebook service, and that the credentials have the scope {right}.",
                code="oneroster.no-right-to-write",
            )


def _require_success(answer: Answer) -> None:
    """A 2xx whose body is a failure, or a web page, is no success."""
    if b"imsx_codeMajor" in answer.body and _document(answer).get("imsx_codeMajor") == "failure":
        raise RejectedError(
            "The provider answered with success and with a failure in its body.", code="oneroster.failure"
        )
    if answer.body.lstrip()[:1] == b"<":
        raise TransientError("The provider answered with a web page instead of data.", code="oneroster.not-an-answer")


def _returned_id(answer: Answer, names: Sequence[str]) -> str | None:
    """The id of the object in the answer to a PUT, if it has one."""
    document = _document(answer)
    found = next((document[name] for name in names if isinstance(document.get(name), dict)), None)
    own = found.get("sourcedId") if found else None
    return own if isinstance(own, str) and own else None


def _allocated_id(answer: Answer, supplied: str) -> str | None:
    """The id that the provider gave to the one record that was posted; pairs come as a list or as an object."""
    pairs = _document(answer).get("sourcedIdPairs")
    listed = [pair for pair in (pairs if isinstance(pairs, list) else [pairs]) if isinstance(pair, dict)]
    fitting = [pair for pair in listed if pair.get("suppliedSourcedId") == supplied] or listed
    own = fitting[0].get("allocatedSourcedId") if len(fitting) == 1 else None
    return own if isinstance(own, str) and own else None


def _document(answer: Answer) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(answer.body) if answer.body else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
