"""The snapshot of a host from which reads are of one moment."""

from __future__ import annotations

import msgspec

from connectors.edfi.session import Session
from gateway.sdk import ConfigurationError, RejectedError


def newest_snapshot(session: Session) -> str:
    """The name of the last snapshot that a host up to 6.x lists. Raises :class:`ConfigurationError`
    (``edfi.no-snapshot``)."""
    try:
        found = msgspec.json.decode(session.changes("snapshots").body)
        return str(found[-1]["snapshotIdentifier"])
    except (RejectedError, msgspec.DecodeError, LookupError, TypeError) as error:
        raise no_snapshot() from error


def no_snapshot() -> ConfigurationError:
    """What is wrong where a snapshot is asked for and there is none."""
    return ConfigurationError(
        "The host has no snapshot to read from.",
        hint="Ask the host's operator to make one, or set snapshot to false.",
        code="edfi.no-snapshot",
    )
