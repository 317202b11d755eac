"""Which change version each pull began with, kept in the connection's work folder.

The gateway says since when it wants changes; the host counts in change versions. The version that fits is the first one
noted since then: the last complete pull noted it as it began. It is trusted only if an earlier note shows that notes
have been kept without a gap; otherwise everything is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from gateway.sdk import atomic_file

_MOST = 400


class ChangeNotes:
    """The notes of one connection."""

    def __init__(self, file: Path, now: Callable[[], datetime]) -> None:
        self._file = file
        self._now = now

    def note(self, newest: int) -> None:
        """A pull begins, and the host's newest change version is this."""
        notes = [*self._read(), (self._now(), newest)][-_MOST:]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(self._file) as out:
            out.write(json.dumps([[moment.isoformat(), version] for moment, version in notes]).encode())

    def since(self, since: datetime | None, newest: int | None) -> int | None:
        """The change version that the pull since then began with; ``None``: not known, or the host has been set back
        (its ``newest`` is lower), so that everything has to be read."""
        notes = self._read()
        if since is None or not notes or notes[0][0] >= since:
            return None
        version = next((version for moment, version in notes if moment >= since), None)
        if version is None or (newest is not None and newest < max(noted for _, noted in notes)):
            return None
        return version

    def _read(self) -> list[tuple[datetime, int]]:
        try:
            found = json.loads(self._file.read_bytes())
            return [(datetime.fromisoformat(moment), int(version)) for moment, version in found]
        except (OSError, ValueError, TypeError):
            return []
