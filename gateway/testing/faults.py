"""What can go wrong at the other side, as switches that the fake providers understand."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class FaultKind(StrEnum):
    """One way to fail. The value of a :class:`Fault` means what stands behind the dash."""

    THROTTLED = "throttled"  # 429 – the Retry-After header; empty for none
    ERROR = "error"  # – the status to answer, with an error body
    HANG_UP = "hang up"  # the connection breaks before anything is done
    ANSWER_LOST = "answer lost"  # the request takes effect, and the connection breaks before the answer
    EXPIRED_TOKEN = "expired token"  # 401, once for each token that was given out
    SLOW = "slow"  # – the seconds that pass before the answer
    OTHER_WRITER = "other writer"  # somebody else writes the record just before (Ed-Fi)
    ROWS_MOVE = "rows move"  # after the page its first row changes, or is deleted – "update" or "delete" (Ed-Fi)
    REFUSED_RECORD = "refused record"  # 422 for one record – its id ("the grading window is closed")
    NO_ENVELOPE = "no envelope"  # 200 with an object that lacks its list
    LOGIN_PAGE = "login page"  # 200 with HTML
    EMPTY_BODY = "empty body"  # 200 without a body
    TRUNCATED = "truncated"  # half the body, with the length of the whole
    CUT_OFF = "cut off"  # half the body, with a length that fits
    NAN = "nan"  # one record of the page holds NaN
    DOUBLED_KEY = "doubled key"  # one record of the page has a key twice
    BAD_RECORD = "bad record"  # one record of the page has an object where a text is due
    SHRUNKEN_PAGE = "shrunken page"  # fewer rows than asked for, though there are more
    CLAMPED_LIMIT = "clamped limit"  # – the rows that a page has at most, whatever was asked for
    EMPTY_PAGE = "empty page"  # a page without rows, though more follow
    REPEATED_PAGE = "repeated page"  # the page before, again
    OVERLAPPING_PAGE = "overlapping page"  # the page begins with the last row of the page before
    SHUFFLED_PAGE = "shuffled page"  # the rows of the page backwards
    TOTAL_CHANGES = "total changes"  # the total announced is one less
    LOST_ROWS = "lost rows"  # the total announced is more than there is
    LINK_LOOP = "link loop"  # the link to the next page leads to this one
    FOREIGN_LINK = "foreign link"  # the link to the next page leads to another host


@dataclass(slots=True)
class Fault:
    """A failure of requests whose path contains ``path`` and whose method is ``method``; empty means any.

    The first ``after`` such requests are answered well, then ``times`` of them fail; ``times=None``: all from there on.
    ``share`` below 1 lets that share of them fail, by a generator with a fixed seed.
    """

    kind: FaultKind
    value: str = ""
    path: str = ""
    method: str = ""
    after: int = 0
    times: int | None = 1
    share: float = 1.0
    seen: int = field(default=0, init=False)
    _random: Random = field(default_factory=lambda: Random(7), init=False, repr=False)

    def strikes(self, method: str, path: str) -> bool:
        """Whether this request fails; counts it."""
        if (self.method and method != self.method) or self.path not in path:
            return False
        self.seen += 1
        due = self.after < self.seen and (self.times is None or self.seen <= self.after + self.times)
        return due and (self.share >= 1 or self._random.random() < self.share)


class FaultPlan:
    """The faults to come; safe for several threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        self._faults.extend(faults)

    @property
    def any(self) -> bool:
        return bool(self._faults)

    def clear(self) -> None:
        self._faults.clear()

    def striking(self, method: str, path: str) -> dict[FaultKind, Fault]:
        """The faults that strike this request, the last added of each kind."""
        if not self._faults:
            return {}
        with self._lock:
            return {fault.kind: fault for fault in self._faults if fault.strikes(method, path)}
