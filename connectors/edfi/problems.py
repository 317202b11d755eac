"""What to do about a refusal, by the ``type`` of the host's problem details (7.2 and later; older hosts tell none).

Source: the error response knowledge base of docs.ed-fi.org.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

_URN = "urn:ed-fi:api:"

HINTS: Mapping[str, str] = MappingProxyType(
    {
        "bad-request:data-validation-failed:key-change-not-supported": "The key of such a record cannot change; the "
        "old record has to be withdrawn and a new one sent.",
        "bad-request:data-validation-failed": "Correct the record, or the descriptors in the settings.",
        "bad-request:parameter-validation-failed": "Lower page_size, or report it: the host does not take a parameter.",
        "profile": "The API client has a profile that leaves elements out; ask the host's operator for one without.",
        "security:authentication": "Check the key and the secret of this connection.",
        "security:authorization:access-denied:action": "Ask the host's operator for a claim set that allows this.",
        "security:authorization:access-denied:resource": "Ask the host's operator for a claim set with this resource.",
        "security:authorization:namespace": "Ask the host's operator to give the API client this namespace's prefix, "
        "or use your own namespace.",
        "security:authorization:ownership": "Another system owns this record; ask the host's operator.",
        "security:authorization": "The API client may not write about this student or organization; an enrolment may "
        "be missing, or the client's education organizations.",
        "security:data-policy": "Ask the host's operator which data policy stands against it.",
        "data-conflict:unresolved-reference": "Send what it refers to first, or correct the reference.",
        "data-conflict:dependent-item-exists": "Other records refer to it; they have to go first.",
        "data-conflict:non-unique-identity": "Another record has this key; look at it on the host.",
        "optimistic-lock-failed": "Somebody else has changed the record meanwhile; it is read and merged again.",
        "not-found:snapshot": "The host offers no snapshot.",
        "not-found": "Check school_year, tenant and instance; the record may also be gone.",
        "method-not-allowed": "The host does not offer this.",
        "system": "Try later; ask the host's operator if it stays.",
    }
)
"""What to do, by the beginning of the problem's type."""


def kind_of(body: bytes) -> str:
    """The type of a problem without its prefix: ``data-conflict:unresolved-reference``; empty for older hosts."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    told = document.get("type") if isinstance(document, dict) else None
    return told.removeprefix(_URN) if isinstance(told, str) and told.startswith(_URN) else ""


def hint_of(body: bytes) -> str:
    """What to do about a refusal with this body; empty where its type is not known."""
    kind = kind_of(body)
    fitting = [known for known in HINTS if kind == known or kind.startswith(f"{known}:")]
    return HINTS[max(fitting, key=len)] if fitting else ""
