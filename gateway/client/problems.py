"""What can go wrong with a call.

::

    ClientError
    ├── UnreachableError          no answer, however often it was tried
    ├── TokenRefusedError         /oauth/token gave no token
    ├── JobNotDoneError           a job that was waited for failed, was cancelled, or took too long
    └── ProblemError              the API told of a problem; a class for each of its types
        ├── BadRequestError, InvalidError, TooLargeError, UnsupportedMediaTypeError, MethodNotAllowedError,
        │   NotAcceptableError    the request must change
        ├── UnauthorizedError, ForbiddenError
        ├── NotFoundError, GoneError
        ├── ConflictError, PreconditionFailedError, IdempotencyKeyReusedError
        └── TooManyRequestsError, InternalError, UnavailableError
"""

from __future__ import annotations

import msgspec
import requests

from gateway.client.records import Fault, Job, Problem

PROBLEM = "application/problem+json"


class ClientError(Exception):
    """Whatever goes wrong with a call."""


class UnreachableError(ClientError):
    """No whole answer came."""


class TokenRefusedError(ClientError):
    """``/oauth/token`` refused; ``error`` is its code (RFC 6749, section 5.2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}" if description else error)
        self.error = error


class JobNotDoneError(ClientError):
    """A job has no results, or none yet; ``job`` is how it was last seen."""

    def __init__(self, job: Job, words: str) -> None:
        super().__init__(words)
        self.job = job


class ProblemError(ClientError):
    """A problem that the API told of. Its text holds no value that was sent.

    ``code`` is stable and finer than ``type``; ``hint`` says what to do; ``errors`` names single values.
    """

    def __init__(self, problem: Problem, request_id: str, retry_after: str | None = None) -> None:
        super().__init__(" ".join(each for each in (problem.detail, problem.hint) if each))
        self.status = problem.status
        self.type = problem.type.rpartition("/")[2]
        self.title = problem.title
        self.detail = problem.detail
        self.code = problem.code
        self.hint = problem.hint
        self.errors: tuple[Fault, ...] = problem.errors
        self.request_id = request_id
        self.retry_after = retry_after


class BadRequestError(ProblemError):
    """The request cannot be read."""


class UnauthorizedError(ProblemError):
    """The credential is missing, unknown, expired or revoked."""


class ForbiddenError(ProblemError):
    """The credential lacks a scope."""


class NotFoundError(ProblemError):
    """There is no such thing, or it belongs to someone else."""


class MethodNotAllowedError(ProblemError):
    """The address does not take the method."""


class NotAcceptableError(ProblemError):
    """The answer cannot be given in a form that was asked for."""


class ConflictError(ProblemError):
    """The request does not fit the present state."""


class GoneError(ProblemError):
    """What was there has expired."""


class PreconditionFailedError(ProblemError):
    """It was changed in the meantime."""


class TooLargeError(ProblemError):
    """The request is too large; large data travels as a job."""


class UnsupportedMediaTypeError(ProblemError):
    """The body is not of a form that is taken."""


class InvalidError(ProblemError):
    """Some values cannot be used; ``errors`` says which."""


class IdempotencyKeyReusedError(ProblemError):
    """The idempotency key came with another request before."""


class TooManyRequestsError(ProblemError):
    """More requests than this client may make."""


class InternalError(ProblemError):
    """A fault of the gateway; its operator wants the ``request_id``."""


class UnavailableError(ProblemError):
    """The gateway cannot answer now."""


TYPES: dict[str, type[ProblemError]] = {
    "bad-request": BadRequestError,
    "unauthorized": UnauthorizedError,
    "forbidden": ForbiddenError,
    "not-found": NotFoundError,
    "method-not-allowed": MethodNotAllowedError,
    "not-acceptable": NotAcceptableError,
    "conflict": ConflictError,
    "gone": GoneError,
    "precondition-failed": PreconditionFailedError,
    "too-large": TooLargeError,
    "unsupported-media-type": UnsupportedMediaTypeError,
    "invalid": InvalidError,
    "idempotency-key-reused": IdempotencyKeyReusedError,
    "too-many-requests": TooManyRequestsError,
    "internal": InternalError,
    "unavailable": UnavailableError,
}
"""The class of each type of problem."""


def read_problem(answer: requests.Response) -> ProblemError:
    """The problem that an answer tells of, also where something between says it in a form of its own."""
    headers = (answer.headers.get("X-Request-Id", ""), answer.headers.get("Retry-After"))
    if answer.headers.get("Content-Type", "").startswith(PROBLEM):
        try:
            problem = msgspec.json.decode(answer.content, type=Problem)
        except msgspec.DecodeError:
            pass
        else:
            return TYPES.get(problem.type.rpartition("/")[2], ProblemError)(problem, *headers)
    words = f"Answered {answer.status_code} {answer.reason or ''}".rstrip() + "."
    return ProblemError(
        Problem(
            type="about:blank", title=answer.reason or "", status=answer.status_code, detail=words, code="", instance=""
        ),
        *headers,
    )
