"""What the host answers when it refuses: RFC 9457 problem details (7.2 and later) and the older message.

Types, titles and statuses are those of the published error catalogue; the sentences are ours. The texts of the older
form stand for what hosts before 7.2 say and are *not verified*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from gateway.testing.fake_service import Refusal

_NUMBERS = count(1)


class Problem(Refusal):
    """A refusal: ``kind`` is the type behind ``urn:ed-fi:api:``, ``v8_kind`` that of v8 where it differs; ``errors``
    and ``validation`` say more; ``older`` is the message of older hosts where it is not made of these."""

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str,
        errors: Sequence[str] = (),
        validation: Mapping[str, Sequence[str]] | None = None,
        html: bool = False,
        older: str = "",
        v8_kind: str = "",
    ) -> None:
        super().__init__(status, kind, detail)
        self.title = title
        self.errors = list(errors)
        self.validation = validation
        self.html = html
        self.older = older
        self.v8_kind = v8_kind or kind

    def details(self, *, v8: bool = False) -> dict[str, Any]:
        """The body of 7.2 and later. In v8 both lists are there even when empty."""
        document: dict[str, Any] = {
            "detail": self.description,
            "type": f"urn:ed-fi:api:{self.v8_kind if v8 else self.code}",
            "title": self.title,
            "status": self.status,
            "correlationId": f"{next(_NUMBERS):08x}-fake",
        }
        if self.validation is not None or v8:
            document["validationErrors"] = self.validation or {}
        if self.errors or v8:
            document["errors"] = self.errors
        return document

    def message(self) -> dict[str, Any]:
        """The body of hosts before 7.2."""
        if self.validation is None or self.older:
            return {"message": self.older or " ".join([self.description, *self.errors])}
        state = {path.replace("$", "request", 1): list(texts) for path, texts in self.validation.items()}
        return {"message": "The request is invalid.", "modelState": state}


def invalid(errors: Mapping[str, Sequence[str]]) -> Problem:
    return Problem(
        400,
        "bad-request:data-validation-failed",
        "Data Validation Failed",
        "Data validation failed. See 'validationErrors' for details.",
        validation=errors,
    )


def missing_descriptors(missing: Mapping[str, str]) -> Problem:
    """``missing``: the value by path. The member's name stands for the kind of the descriptor in the texts."""
    names = {path: path.rpartition(".")[2] for path in missing}
    problem = invalid(
        {path: [f"{_capital(names[path])} value '{value}' does not exist."] for path, value in missing.items()}
    )
    path, value = next(iter(missing.items()))
    problem.v8_kind = "bad-request"
    problem.older = f"Unable to resolve value '{value}' to an existing '{_capital(names[path])}' resource."
    return problem


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def bad_parameter(text: str) -> Problem:
    return Problem(
        400,
        "bad-request:parameter-validation-failed",
        "Parameter Validation Failed",
        "The request could not be processed. See 'errors' for details.",
        [text],
    )


def bad_request(text: str) -> Problem:
    return Problem(400, "bad-request", "Bad Request", "The request could not be processed.", [text])


def bad_data(text: str) -> Problem:
    return Problem(
        400,
        "bad-request:data-validation-failed",
        "Data Validation Failed",
        "The request data was constructed incorrectly.",
        [text],
    )


def key_change(resource: str) -> Problem:
    return Problem(
        400,
        "bad-request:data-validation-failed:key-change-not-supported",
        "Key Change Not Supported",
        f"The key values of '{resource}' cannot be changed. Delete the item and create it anew.",
    )


def unauthenticated(text: str) -> Problem:
    return Problem(
        401,
        "security:authentication",
        "Authentication Failed",
        "The caller could not be authenticated.",
        [text],
    )


def forbidden(case: str, text: str) -> Problem:
    """``case`` is what stands behind ``security:authorization``, with its colon; empty for a relationship."""
    return Problem(
        403,
        f"security:authorization{case}",
        "Authorization Denied",
        "Access to the resource could not be authorized.",
        [text],
    )


def not_granted(claim_set: str, resource: str, action: str, case: str = ":access-denied:action") -> Problem:
    return forbidden(case, f"The claim set '{claim_set}' must grant the action '{action}' on '{resource}'.")


def not_found(text: str = "The specified resource item could not be found.") -> Problem:
    return Problem(404, "not-found", "Not Found", text)


def no_snapshot() -> Problem:
    return Problem(404, "not-found:snapshot", "Snapshot Not Found", "No snapshot was found for this context.")


def not_allowed(text: str) -> Problem:
    return Problem(405, "method-not-allowed", "Method Not Allowed", "The request construction was invalid.", [text])


def unresolved(name: str) -> Problem:
    return Problem(
        409,
        "data-conflict:unresolved-reference",
        "Unresolved Reference",
        f"The referenced '{name}' item does not exist.",
    )


def dependents(name: str) -> Problem:
    return Problem(
        409,
        "data-conflict:dependent-item-exists",
        "Dependent Item Exists",
        f"The requested action cannot be performed because this item is referenced by existing '{name}' items.",
    )


def not_unique() -> Problem:
    return Problem(
        409,
        "data-conflict:non-unique-identity",
        "Identifying Values Are Not Unique",
        "The identifying values of the resource item are the same as another item that already exists.",
    )


def stale() -> Problem:
    return Problem(
        412,
        "optimistic-lock-failed",
        "Optimistic Lock Failed",
        "The item has been modified by another user.",
        ["The value of the 'If-Match' header differs from the item's current etag."],
    )


def unsupported_media() -> Problem:
    return Problem(415, "unsupported-media-type", "Unsupported Media Type", "The body must be application/json.")


def failed(status: int) -> Problem:
    """An error of the host or, as HTML, of a gateway in front of it."""
    return Problem(status, "system", "System Error", "An unexpected problem occurred.", html=status in (502, 503, 504))
