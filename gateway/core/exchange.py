"""What passes between the gateway and a connector: streams and pages in, changes and outcomes out.

A connector is a class with a name, a settings schema, and one or both of the roles :class:`Source` and :class:`Target`.
It keeps no state between calls that the gateway would have to know of: cursors are strings that the gateway stores.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import polars as pl

from gateway.core.model import LINE, SOURCE

REJECTS = "_rejects"
"""The name under which a page's frames may carry what could not become a row of any table."""

REJECTS_SCHEMA: Mapping[str, pl.DataType] = {
    "table": pl.String(),
    "id": pl.String(),
    "code": pl.String(),
    "field": pl.String(),
    "reason": pl.String(),
    SOURCE: pl.String(),
    LINE: pl.UInt32(),
}
"""One row per reject: the table it was meant for, a stable code and a plain reason, never the content itself."""


class PullMode(StrEnum):
    """``FULL``: absence means gone. ``DELTA``: only what changed is delivered, deletions as ``tobedeleted`` rows."""

    FULL = "full"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class Stream:
    """One thing to pull by pages, such as an endpoint or a file, and the tables that its pages fill."""

    name: str
    tables: tuple[str, ...]
    mode: PullMode = PullMode.FULL


@dataclass(frozen=True, slots=True)
class Page:
    """One page: raw frames by table (see :mod:`gateway.core.model`), and how to go on.

    ``resume`` continues the pull after this page, also in a later process; it is ``None`` on the last page.
    ``warnings`` are sentences for the run's report (a deviation that was tolerated), without personal data.
    """

    frames: Mapping[str, pl.DataFrame]
    resume: str | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One line of a connection test: what was tried, whether it worked, and what to do when it did not."""

    what: str
    ok: bool
    message: str = ""
    hint: str = ""


class Source(ABC):
    """A system that is pulled from."""

    @abstractmethod
    def check(self) -> Sequence[CheckItem]:
        """Test the connection without changing anything; problems are items, not exceptions."""

    @abstractmethod
    def streams(self, since: datetime | None) -> Sequence[Stream]:
        """What can be pulled, parents first. ``since``: the start of the last complete pull (less an overlap), for
        connectors that can deliver changes only; ``None`` asks for everything. A stream that the system does not offer
        is left out: what is not delivered is unknown, not empty."""

    @abstractmethod
    def pull(self, stream: Stream, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        """The pages of ``stream``, one at a time, in bounded memory; ``resume`` as an earlier page gave it.

        Raises :class:`~gateway.core.errors.IncompletePullError` (or one of its siblings) rather than ending early:
        an iterator that ends normally has delivered everything.
        """


class Action(StrEnum):
    """What a plan does with one record at the target."""

    CREATE = "create"
    UPDATE = "update"
    INACTIVATE = "inactivate"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Change:
    """One record to bring to the target.

    ``record`` holds canonical columns as Python values (``Decimal``, ``date``, aware ``datetime``, ``bool``, ``str``,
    ``None``); the rows of tables that are part of it stand under their table's name as a list of such mappings. It is
    the last known content for ``INACTIVATE``. ``attempted`` says that an earlier run may have sent this very change
    without learning the answer: a target that is not idempotent looks before it sends.
    ``remote_id`` is the id that the target allocated earlier, if it does not take ours; ``remote_references`` are the
    ids that it allocated for records to which this one refers, by our id.
    """

    entity: str
    id: str
    action: Action
    key: str
    record: Mapping[str, object]
    attempted: bool = False
    remote_id: str | None = None
    remote_references: Mapping[str, str] = field(default_factory=dict)


class OutcomeState(StrEnum):
    """``ACCEPTED``: in effect. ``REJECTED``: refused for good, needs a person. ``FAILED``: not now; the next run
    tries again."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change. ``code`` groups alike failures; ``message`` is plain and free of personal data."""

    key: str
    state: OutcomeState
    code: str = ""
    message: str = ""
    remote_id: str | None = None


class Target(ABC):
    """A system that is pushed to."""

    wants_unchanged: bool = False
    """True if a push must contain the unchanged records too (``KEEP``), as a bulk file does."""

    @abstractmethod
    def check(self) -> Sequence[CheckItem]:
        """Test the connection without changing anything."""

    @abstractmethod
    def entities(self) -> Sequence[str]:
        """The canonical tables that can be pushed, parents first (inactivations run in the reverse order)."""

    @abstractmethod
    def push(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        """Send ``changes`` (one entity after the other) and yield exactly one outcome each, soon after it is known.

        Re-sending a change has no further effect. A refused record never stops the others; only an error that
        concerns all of them (credentials, host down) is raised.
        """

    @abstractmethod
    def read_back(self, entity: str, ids: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        """The records as the target holds them now, canonical, for those ``ids`` that it has (inactive ones absent).

        Columns that the target cannot carry are left out of the records, so that nobody takes them for lost."""
