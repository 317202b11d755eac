"""Every error of the gateway, in one tree, classed by what happens next.

GatewayError
├── ConfigurationError    a person changes a file; nothing was started
│   └── MappingError      … a mapping, a framework or a policy
├── AuthorizationError    a person renews a credential or a right at the other system
├── TransientError        tried often enough for now; the next run goes on where this one stopped
├── IncompletePullError   a source did not deliver all that it announced; nothing is deleted, the next run goes on
├── RejectedError         the other system refused one request for good
├── DataError             one file or record cannot be read; it goes to quarantine or stops its file
├── HeldError             a guard stopped the plan; a person decides
├── LockedError           another run holds the connection; try later
└── InternalError         a fault of the gateway itself; nothing is retried

Each carries two texts: ``message`` and ``hint`` are plain sentences for people (what is wrong and where; what to do);
``detail`` is for the log. None of them ever holds a secret or personal data.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_WARNINGS = 3
EXIT_HELD = 4
EXIT_LOCKED = 75


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file (or an endpoint's page), a line (or a record's number), a field."""

    source: str
    line: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        where = self.source if self.line is None else f"{self.source}:{self.line}"
        return where if self.field is None else f"{where} ({self.field})"


class GatewayError(Exception):
    """The root. ``code`` is stable and documented in ``docs/errors.md``."""

    exit_code: ClassVar[int] = EXIT_ERROR
    default_code: ClassVar[str] = "gateway"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str | None = None,
        place: Place | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code
        self.place = place
        self.detail = detail

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.message}" + (f" {self.hint}" if self.hint else "")

    def as_dict(self) -> dict[str, str | int | None]:
        """The error as the ``--json`` output and the API show it."""
        place = self.place
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "file": place.source if place else None,
            "line": place.line if place else None,
            "field": place.field if place else None,
        }


class ConfigurationError(GatewayError):
    """A file that people write is wrong; it says where.

    ``problems`` are all faults found in one go, when there are several; see :func:`raise_problems`.
    """

    default_code = "configuration"
    problems: Sequence[ConfigurationError] = ()


class MappingError(ConfigurationError):
    """A mapping, framework, crosswalk or policy is wrong."""

    default_code = "mapping"


class AuthorizationError(GatewayError):
    """The other system does not accept our credentials, or they lack a right. ``answer``: see
    :class:`RejectedError`."""

    default_code = "authorization"
    answer: bytes = b""


class TransientError(GatewayError):
    """The other system is unreachable, overloaded or broken for now."""

    default_code = "transient"


class IncompletePullError(GatewayError):
    """A source delivered less than it announced, or an answer that is not one."""

    default_code = "incomplete-pull"


class RejectedError(GatewayError):
    """The other system refused one request for good (400, 404, 409, 422 …).

    ``status`` is the HTTP status, where there was one; ``reason`` what the other system gave as its reason: a few
    words, without anything that we had sent. ``answer`` is its whole answer, for a connector that knows its form; it
    may hold personal data and is shown to nobody.
    """

    default_code = "rejected"
    status: int | None = None
    reason: str = ""
    answer: bytes = b""


class DataError(GatewayError):
    """A file or a record that cannot be read as what it claims to be."""

    default_code = "data"


class HeldError(GatewayError):
    """A guard stopped the plan until a person decides."""

    exit_code = EXIT_HELD
    default_code = "held"


class LockedError(GatewayError):
    """Another run works on the same connection."""

    exit_code = EXIT_LOCKED
    default_code = "locked"


class InternalError(GatewayError):
    """A fault of the gateway itself."""

    default_code = "internal"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence with the nearest known word, or nothing: ``' Did you mean "bands"?'``."""
    nearest = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f' Did you mean "{nearest[0]}"?' if nearest else ""


def raise_problems(problems: Sequence[ConfigurationError]) -> None:
    """Raise nothing, the one problem, or one error that lists them all, so that a person mends a file in one pass."""
    if not problems:
        return
    if len(problems) == 1:
        raise problems[0]
    summary = type(problems[0])(
        f"{len(problems)} problems:\n" + "\n".join(f"  {problem}" for problem in problems),
        code=problems[0].code,
    )
    summary.problems = tuple(problems)
    raise summary


def code_lines(error: BaseException) -> list[str]:
    """Type and code lines of an exception and its causes, without their texts."""
    found = []
    cause: BaseException | None = error
    while cause is not None:
        frames = traceback.extract_tb(cause.__traceback__)
        found.append(type(cause).__name__ + " at " + ", ".join(f"{f.filename}:{f.lineno}" for f in frames))
        cause = cause.__cause__ or cause.__context__
    return found
