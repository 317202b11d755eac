"""Descriptors: the values of a mapping as the host writes them, checked against those that it has.

A value is a code of the standard (``Proficient``), or one of a namespace of one's own: ``uri://district.example#4``
becomes ``uri://district.example/CompetencyLevelDescriptor#4``, whichever kind is asked for. Values of one's own
namespace can be created, if the settings allow it; those of the standard never are.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from connectors.edfi.items import Items
from connectors.edfi.refusals import understood
from gateway.sdk import GatewayError, OutcomeState, RejectedError

_STANDARD = "uri://ed-fi.org"


class Unfit(Exception):
    """A record that cannot be sent: for good (``REJECTED``), or until something else is there (``FAILED``)."""

    def __init__(self, code: str, reason: str, state: OutcomeState = OutcomeState.REJECTED) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.state = state


def descriptor(kind: str, value: str) -> str:
    """The whole address of a value; ``kind`` is such as ``CompetencyLevel``."""
    owner, mark, code = value.rpartition("#")
    if not mark:
        return f"{_STANDARD}/{kind}Descriptor#{value}"
    if owner.endswith("Descriptor"):
        return value
    return f"{owner.rstrip('/')}/{kind}Descriptor#{code}"


class Descriptors:
    """The values that the host has, by kind; each list is read once. Several threads may use it.

    ``namespace``: values below it are created when they are missing and ``creates`` is set.
    """

    def __init__(self, items: Items, namespace: str, *, creates: bool) -> None:
        self._items = items
        self._namespace = namespace
        self._creates = creates
        self._lock = threading.Lock()
        self._known: dict[str, set[str]] = {}
        self._refused: dict[str, Unfit] = {}

    def value(self, kind: str, text: str) -> str:
        """The whole address of a value that the host has. Raises :class:`Unfit` (``edfi.descriptor``)."""
        whole = descriptor(kind, text)
        with self._lock:
            known = self._values(kind)
            if whole not in known:
                if not self._is_own(whole):
                    raise Unfit("edfi.descriptor", missing(kind, whole))
                self._create(kind, whole)
                known.add(whole)
        return whole

    def missing(self, wanted: Mapping[str, set[str]]) -> list[tuple[str, str]]:
        """The kinds and whole addresses that the host lacks and that will not be created."""
        with self._lock:
            return [
                (kind, whole)
                for kind, texts in sorted(wanted.items())
                for whole in sorted({descriptor(kind, text) for text in texts} - self._values(kind))
                if not self._is_own(whole)
            ]

    def _values(self, kind: str) -> set[str]:
        if kind not in self._known:
            listed = self._items.listed(f"{kind[0].lower()}{kind[1:]}Descriptors")
            self._known[kind] = {f"{each.get('namespace')}#{each.get('codeValue')}" for each in listed}
        return self._known[kind]

    def _is_own(self, whole: str) -> bool:
        return self._creates and bool(self._namespace) and whole.startswith(f"{self._namespace.rstrip('/')}/")

    def _create(self, kind: str, whole: str) -> None:
        owner, _, code = whole.rpartition("#")
        body = {"namespace": owner, "codeValue": code, "shortDescription": code[:75]}
        if whole in self._refused:
            raise self._refused[whole]
        try:
            self._items.post(f"{kind[0].lower()}{kind[1:]}Descriptors", body)
        except GatewayError as refused:
            why = understood(refused).message if isinstance(refused, RejectedError) else refused.message
            unfit = Unfit("edfi.descriptor", f"{missing(kind, whole)} It was not created: {why}")
            if isinstance(refused, RejectedError):  # it would be refused for each record
                self._refused[whole] = unfit
            raise unfit from None


def missing(kind: str, whole: str) -> str:
    """The sentence for a value that is not there."""
    return f"The host has no {kind} value {whole}: correct the mapping to its descriptors, or have it added."
