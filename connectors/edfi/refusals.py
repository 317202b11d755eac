"""What a host means when it refuses a write: the two forms of its error bodies as a cause in plain words.

7.2 and later answer RFC 9457 problem details with a ``type``; older hosts a ``message`` and a ``modelState``. Only
names of members and resources are taken out of either, never a value: the words may be told to anybody.

Source: docs.ed-fi.org, error response knowledge base. The sentences of the older form are *not verified*; what they do
not tell is told by the status alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.sdk import OutcomeState, RejectedError

_TYPE = "urn:ed-fi:api:"
_NAME = re.compile(r"'([A-Za-z]{3,60})'")
_MEMBER = re.compile(r"^(?:\$|request)\.([A-Za-z_.\[\]0-9]{1,120})$")
_LACKING = re.compile(r"(?:^|[^A-Za-z])([A-Za-z]{3,80})Descriptor value '|to an existing '([A-Za-z]{3,80})' resource")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a host refused, by its code, and what follows: refused for good, or to be sent again some other night.
    ``member`` names what is missing or wrong, if the host says so."""

    state: OutcomeState
    code: str
    message: str
    member: str = ""


_GOOD, _LATER = OutcomeState.REJECTED, OutcomeState.FAILED
_WORDS: Mapping[str, tuple[OutcomeState, str]] = MappingProxyType(
    {
        "edfi.descriptor": (_GOOD, "The host has no such {member} value: correct the mapping to its descriptors."),
        "edfi.invalid": (_GOOD, "The host finds fault with {member}."),
        "edfi.missing-reference": (_LATER, "The host does not have the {member} that this record refers to (yet)."),
        "edfi.not-related": (
            _LATER,
            "The host lets us write about a student only once an enrolment ties the student to our organizations.",
        ),
        "edfi.namespace": (_GOOD, "The host lets these credentials not write in this namespace."),
        "edfi.not-owner": (_GOOD, "The host says that another system owns this record."),
        "edfi.claim-set": (
            _GOOD,
            "The claim set of these credentials does not grant writing this resource, or the "
            "school year is closed to it.",
        ),
        "edfi.key-change": (_GOOD, "The host does not let the key of this record change."),
        "edfi.in-use": (_LATER, "Records of the kind {member} still refer to this record, so it cannot be deleted."),
        "edfi.not-unique": (_GOOD, "Another record of the host has the same key already."),
        "edfi.changed": (_LATER, "Somebody else changed this record while it was being merged."),
        "edfi.gone": (_LATER, "The record was deleted at the host meanwhile."),
    }
)
_BY_TYPE: tuple[tuple[str, str], ...] = (
    ("bad-request:data-validation-failed:key-change", "edfi.key-change"),
    ("bad-request", "edfi.invalid"),
    ("data-conflict:unresolved-reference", "edfi.missing-reference"),
    ("data-conflict:dependent-item-exists", "edfi.in-use"),
    ("data-conflict:non-unique-identity", "edfi.not-unique"),
    ("security:authorization:namespace", "edfi.namespace"),
    ("security:authorization:ownership", "edfi.not-owner"),
    ("security:authorization:access-denied", "edfi.claim-set"),
    ("security:authorization", "edfi.not-related"),
    ("security:data-policy", "edfi.claim-set"),
    ("profile", "edfi.claim-set"),
    ("optimistic-lock-failed", "edfi.changed"),
    ("not-found", "edfi.gone"),
)
_BY_STATUS: Mapping[int, str] = MappingProxyType(
    {400: "edfi.invalid", 403: "edfi.claim-set", 404: "edfi.gone", 405: "edfi.claim-set", 412: "edfi.changed"}
)
_BY_OLD_WORDS: tuple[tuple[int, str, str], ...] = (
    (403, "namespace", "edfi.namespace"),
    (403, "owned", "edfi.not-owner"),
    (403, "relationship", "edfi.not-related"),
    (403, "education organization", "edfi.not-related"),
    (409, "referenced by", "edfi.in-use"),
    (409, "does not exist", "edfi.missing-reference"),
    (409, "not unique", "edfi.not-unique"),
    (409, "same as another", "edfi.not-unique"),
    (400, "key values", "edfi.key-change"),
)


def understood(refused: RejectedError) -> Refusal:
    """The cause of a refusal, by its body if that tells one, else by its status."""
    document = _document(refused.answer)
    lacking = _lacking_descriptor(document) if refused.status == 400 else ""
    if lacking:
        return _told("edfi.descriptor", lacking)
    kind = str(document.get("type") or "").removeprefix(_TYPE)
    code = next((code for prefix, code in _BY_TYPE if kind.startswith(prefix)), "") or _by_words(refused, document)
    if not code:
        return Refusal(_GOOD, refused.code, refused.message)
    return _told(code, ", ".join(_members(document)) if code == "edfi.invalid" else _named(document))


def _told(code: str, member: str) -> Refusal:
    state, words = _WORDS[code]
    return Refusal(state, code, words.format(member=member or "what was sent"), member)


def _by_words(refused: RejectedError, document: Mapping[str, Any]) -> str:
    """The code by the status and the words of the older form."""
    told = str(document.get("message") or "").lower()
    found = next((code for status, words, code in _BY_OLD_WORDS if status == refused.status and words in told), "")
    return found or _BY_STATUS.get(refused.status or 0, "")


def _lacking_descriptor(document: Mapping[str, Any]) -> str:
    """The kind of descriptor (``CompetencyLevel``) of which the host lacks a value."""
    for text in _texts(document):
        found = _LACKING.search(text)
        if found and ("does not exist" in text or "Unable to resolve" in text):
            return (found[1] or found[2]).removesuffix("Descriptor")
    return ""


def _texts(document: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(document.get(name) or "") for name in ("detail", "message"))
    errors = document.get("errors")
    yield from (str(each) for each in (errors if isinstance(errors, list) else ()))
    for listed in _faults(document).values():
        yield from (str(each) for each in (listed if isinstance(listed, list) else [listed]))


def _faults(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found = document.get("validationErrors") or document.get("modelState")
    return found if isinstance(found, dict) else {}


def _members(document: Mapping[str, Any]) -> list[str]:
    """The members that the host names, without indexes, at most five."""
    found = (_MEMBER.match(path) for path in _faults(document))
    return list(dict.fromkeys(re.sub(r"\[\d+\]", "", match[1]) for match in found if match))[:5]


def _named(document: Mapping[str, Any]) -> str:
    """The first resource that the host names in quotes."""
    return next((match[1] for text in _texts(document) if (match := _NAME.search(text))), "")


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = msgspec.json.decode(body) if body else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
