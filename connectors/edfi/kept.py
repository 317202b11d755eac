"""What was refused: each item as it was sent and what the host answered, in a file that only its owner may read.

The file stands in the connection's folder (``refused/<time>.jsonl``, a line an item), apart from all logs, because it
holds personal data. One file a push; the newest ones are kept.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from connectors.edfi.merging import Item
from connectors.edfi.refusals import Refusal
from gateway.sdk import RejectedError

FILES = 10
LARGEST = 64 * 1024 * 1024
"""Bytes after which a file takes no more: a push that is refused as a whole says the same again and again."""


class Kept:
    """Keeps what one push was refused. Several threads may use it."""

    def __init__(self, work: Path, now: Callable[[], datetime]) -> None:
        self._folder = work / "refused"
        self._now = now
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._size = 0

    def keep(self, resource: str, refusal: Refusal, sent: Item | None, refused: RejectedError) -> None:
        """Add one item to the file."""
        line = {
            "at": self._now(),
            "resource": resource,
            "cause": refusal.code,
            "words": refusal.message,
            "status": refused.status,
            "sent": sent,
            "answered": refused.answer.decode("utf-8", "replace"),
        }
        text = msgspec.json.encode(line) + b"\n"
        with self._lock:
            if self._size + len(text) <= LARGEST:
                self._size += len(text)
                descriptor = os.open(self._file(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                with os.fdopen(descriptor, "ab") as stream:
                    stream.write(text)

    def _file(self) -> Path:
        if self._path is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for old in sorted(self._folder.glob("*.jsonl"))[: -(FILES - 1)]:
                old.unlink(missing_ok=True)
            self._path = self._folder / f"{self._now():%Y%m%dT%H%M%S}.jsonl"
        return self._path
