"""Deliveries of webhooks, checked by their receiver.

Source: Standard Webhooks specification (``webhook-id``, ``webhook-timestamp``, ``webhook-signature``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

TOLERANCE = 300
"""Seconds that a delivery's clock may be off."""


class UnverifiedError(Exception):
    """A delivery that is not from the gateway, or too old to be believed."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What happened. ``id`` is the same each time the event is delivered: take it once."""

    type: str
    timestamp: datetime
    data: dict[str, Any]
    id: str = ""


def verify_webhook(
    body: bytes, headers: Mapping[str, str], secrets: str | Sequence[str], *, now: float | None = None
) -> Event:
    """The event of a delivery. ``body``: as it came; ``secrets``: the webhook's, or the old and the new one while it is
    being changed; ``now``: seconds since 1970, the clock's otherwise.

    Raises :class:`UnverifiedError`.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        id, at, signatures = (lower[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError:
        raise UnverifiedError("The headers webhook-id, webhook-timestamp and webhook-signature are needed.") from None
    if not (at.isascii() and at.isdecimal()) or abs((time.time() if now is None else now) - int(at)) > TOLERANCE:
        raise UnverifiedError(f"The timestamp is more than {TOLERANCE} s off.")
    signed = f"{id}.{at}.".encode() + body
    known = [_signature(each, signed) for each in ([secrets] if isinstance(secrets, str) else secrets)]
    told = [each.encode() for each in signatures.split()]
    if not any(hmac.compare_digest(ours, theirs) for ours in known for theirs in told):
        raise UnverifiedError("The signature is not that of the body under this secret.")
    try:
        return msgspec.structs.replace(msgspec.json.decode(body, type=Event), id=id)
    except msgspec.DecodeError as error:
        raise UnverifiedError("The body is no event.") from error


def _signature(secret: str, signed: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError("A signing secret looks like whsec_… and base64.") from None
    return b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
