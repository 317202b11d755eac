"""A typed client of the API, for vendors: ``Client(address, key)``. It needs ``requests`` and ``msgspec`` alone.

Every operation of ``/v1`` is one method, by its name in the contract. Requests are tried again where that is safe: a
write carries an idempotency key, so that it takes effect once. What goes wrong is a :class:`ClientError`.
"""

from __future__ import annotations

from gateway.client.calculations import Calculations
from gateway.client.events import Events
from gateway.client.jobs import Jobs, Upload
from gateway.client.problems import (
    ClientError,
    JobNotDoneError,
    ProblemError,
    TokenRefusedError,
    UnreachableError,
)
from gateway.client.retry import Retries
from gateway.client.webhook import Event, UnverifiedError, verify_webhook

__all__ = [
    "Client",
    "ClientError",
    "Event",
    "JobNotDoneError",
    "ProblemError",
    "Retries",
    "TokenRefusedError",
    "UnreachableError",
    "UnverifiedError",
    "Upload",
    "verify_webhook",
]


class Client(Calculations, Jobs, Events):
    """The API for one client of a district. See :class:`~gateway.client.wire.Wire` for what it is made of."""
