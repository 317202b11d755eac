"""When a request is tried again, and what its failure means: the tables behind :mod:`gateway.transport.http`.

Each outcome that is not a 2xx has a :class:`Resolution`: what to do, the stable code, and two sentences for people.
Whatever stands in no table is not tried again.

Source: RFC 9110 sections 10.2.3 and 15; the retry table of the product's reference on reliability.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from types import MappingProxyType

import requests
import urllib3.exceptions


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, how often and how much. Seconds and bytes.

    An *attempt* is one try, from its sending to the last byte of its answer; a *request* is all its attempts and waits.
    Requests in a row that all tries could not save open the circuit, and the client then refuses at once: ``failures``
    without an answer (or 429, 503), ``server_errors`` of all kinds.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    attempt_seconds: float = 120.0
    request_seconds: float = 900.0
    retry_after_seconds: float = 300.0
    wait_seconds: float = 60.0
    tries: int = 6
    failures: int = 3
    server_errors: int = 25
    redirects: int = 5
    body_bytes: int = 64 * 1024 * 1024
    decoded_bytes: int = 256 * 1024 * 1024
    connections: int = 8


class Reaction(StrEnum):
    """What happens next."""

    RETRY = "retry"
    """Wait and try again; a :class:`~gateway.core.errors.TransientError` when the tries are used up."""
    GIVE_UP = "give up"
    """Not now: a transient error at once."""
    RENEW = "renew"
    """Renew the credentials once, then try again; an authorization error the second time."""
    DENY = "deny"
    """A right is lacking: an authorization error for a read, a rejected record for a write."""
    REJECT = "reject"
    """Refused for good."""
    CONFIGURE = "configure"
    """A person changes a setting, or a certificate."""
    INCOMPLETE = "incomplete"
    """The answer cannot be taken in."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What one kind of failure means. ``sentence`` follows the name of the host: "answered 500"."""

    reaction: Reaction
    sentence: str
    hint: str = ""
    code: str = field(kw_only=True)


_CREDENTIALS = "Check the key, the secret and the scopes of this connection; they may have expired or been renewed."
_LATER = "The next run goes on where this one stopped."
_RECORD = "Look at the record, and at what the other system asks of it; a person has to decide."
_OFFER = "Ask the provider what the service offers, and set this connection's settings accordingly."
_URL = "Check the address in the settings of this connection."


def _status(reaction: Reaction, words: str, hint: str = "", *, code: str) -> Resolution:
    return Resolution(reaction, f"answered {words}", hint, code=code)


STATUS: Mapping[int, Resolution] = MappingProxyType(
    {
        400: _status(Reaction.REJECT, "400 (bad request)", _RECORD, code="http.refused"),
        401: _status(Reaction.RENEW, "401 (not authorized)", _CREDENTIALS, code="http.unauthorized"),
        403: _status(
            Reaction.DENY, "403 (forbidden)", "Ask for the right or the scope that is lacking.", code="http.forbidden"
        ),
        404: _status(Reaction.REJECT, "404 (not found)", _URL, code="http.not-found"),
        405: _status(Reaction.REJECT, "405 (method not allowed)", _OFFER, code="http.not-offered"),
        408: _status(Reaction.RETRY, "408 (request timeout)", _LATER, code="http.unavailable"),
        409: _status(Reaction.REJECT, "409 (conflict)", _RECORD, code="http.conflict"),
        410: _status(Reaction.REJECT, "410 (gone)", _URL, code="http.not-found"),
        413: _status(Reaction.REJECT, "413 (too large)", _RECORD, code="http.refused"),
        422: _status(Reaction.REJECT, "422 (unprocessable)", _RECORD, code="http.refused"),
        429: _status(Reaction.RETRY, "429 (too many requests)", _LATER, code="http.throttled"),
        500: _status(Reaction.RETRY, "500 (internal error)", _LATER, code="http.unavailable"),
        502: _status(Reaction.RETRY, "502 (bad gateway)", _LATER, code="http.unavailable"),
        503: _status(Reaction.RETRY, "503 (unavailable)", _LATER, code="http.unavailable"),
        504: _status(Reaction.RETRY, "504 (gateway timeout)", _LATER, code="http.unavailable"),
    }
)

_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
)
_CERTIFICATE = "Have the certificate corrected, or name the authority's certificates in this connection's settings."

EXCEPTIONS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Resolution], ...] = (
    (
        ssl.SSLCertVerificationError,
        Resolution(
            Reaction.CONFIGURE, "shows a certificate that cannot be trusted", _CERTIFICATE, code="http.certificate"
        ),
    ),
    (
        ssl.SSLEOFError,
        Resolution(Reaction.RETRY, "broke off the secure connection", _LATER, code="http.unreachable"),
    ),
    (
        ssl.SSLError,
        Resolution(Reaction.CONFIGURE, "offers no secure connection of TLS 1.2 or later", _URL, code="http.tls"),
    ),
    (
        urllib3.exceptions.NameResolutionError,
        Resolution(Reaction.RETRY, "has a name that cannot be resolved", _URL, code="http.unreachable"),
    ),
    (
        urllib3.exceptions.NewConnectionError,  # a kind of ConnectTimeoutError
        Resolution(Reaction.RETRY, "does not take the connection", _LATER, code="http.unreachable"),
    ),
    (
        urllib3.exceptions.ConnectTimeoutError,
        Resolution(Reaction.RETRY, "does not take the connection in time", _LATER, code="http.unreachable"),
    ),
    (
        TimeoutError,
        Resolution(Reaction.RETRY, "did not finish its answer in time", _LATER, code="http.timeout"),
    ),
    (
        urllib3.exceptions.TimeoutError,
        Resolution(Reaction.RETRY, "did not finish its answer in time", _LATER, code="http.timeout"),
    ),
    (requests.Timeout, Resolution(Reaction.RETRY, "did not answer in time", _LATER, code="http.timeout")),
    (
        http.client.IncompleteRead,  # urllib3's is one as well
        Resolution(Reaction.RETRY, "cut its answer off", _LATER, code="http.truncated"),
    ),
    (
        _ADDRESS,
        Resolution(Reaction.CONFIGURE, "was not asked: the address is malformed", _URL, code="http.address"),
    ),
    (
        urllib3.exceptions.ProtocolError,
        Resolution(Reaction.RETRY, "broke off the connection", _LATER, code="http.reset"),
    ),
    (requests.ConnectionError, Resolution(Reaction.RETRY, "cannot be reached", _LATER, code="http.unreachable")),
    (
        OSError,
        Resolution(Reaction.GIVE_UP, "could not be asked for a fault of the network", _LATER, code="http.network"),
    ),
    (
        urllib3.exceptions.HTTPError,
        Resolution(Reaction.GIVE_UP, "does not answer in proper HTTP", _URL, code="http.protocol"),
    ),
)
"""What an exception of the network means: the first class that it, or one of its causes, is an instance of."""

HEADER = Resolution(Reaction.CONFIGURE, "was not asked: a header would be malformed", _CREDENTIALS, code="http.header")
UNKNOWN = Resolution(Reaction.GIVE_UP, "could not be asked", _LATER, code="http.network")
TOO_LARGE = Resolution(
    Reaction.INCOMPLETE, "sent more than is taken in", "Ask for smaller pages.", code="http.too-large"
)
ENCODING = Resolution(
    Reaction.INCOMPLETE, "sent a compressed answer that cannot be unpacked", _OFFER, code="http.encoding"
)
TRUNCATED = Resolution(Reaction.RETRY, "cut its answer off", _LATER, code="http.truncated")
REDIRECT = Resolution(Reaction.REJECT, "sends us elsewhere, where we do not follow", _URL, code="http.redirect")


def resolve_status(status: int) -> Resolution:
    """What an HTTP status other than 2xx means."""
    if status in STATUS:
        return STATUS[status]
    if 300 <= status < 400:
        return REDIRECT
    reaction = Reaction.GIVE_UP if status >= 500 else Reaction.REJECT
    return _status(reaction, str(status), _LATER if status >= 500 else _RECORD, code="http.unexpected")


def resolve_exception(error: BaseException) -> Resolution:
    """What an exception of requests, urllib3 or the socket means."""
    causes = list(_causes(error))
    for kind, resolution in EXCEPTIONS:
        if any(isinstance(cause, kind) for cause in causes):
            return resolution
    return UNKNOWN


def certificate_fault(error: BaseException) -> str:
    """Why a certificate was refused ("certificate has expired"), in OpenSSL's words; empty for other errors."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all it wraps: requests and urllib3 keep the first cause in arguments and ``reason``."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            waiting += [getattr(item, "reason", None), item.__cause__, item.__context__, *item.args]


def retry_after(header: str | None, now: datetime) -> float | None:
    """The seconds that ``Retry-After`` asks for (delta-seconds or HTTP-date); ``None`` when absent or malformed."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 12 else float(10**11)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def backoff(tries: int, chance: float, longest: float) -> float:
    """Full jitter: between 1 second and 2, 4, 8 … at most ``longest``, after ``tries`` failed attempts.

    ``chance`` is a random number of [0, 1).
    """
    return 1.0 + chance * (min(longest, 2.0**tries) - 1.0)
