"""Leases: one run per connection, and a sleeping worker that wakes up late finds itself fenced off."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from gateway.core.errors import LockedError
from gateway.store.database import Store
from gateway.store.schema import leases

LEASE_FOR = timedelta(minutes=10)
"""How long a lease lives without a commit of its run; every commit renews it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What a run holds: its connections and the fencing number of each."""

    district: str
    owner: str
    fencing: dict[str, int]
    now: Callable[[], datetime]

    def renew(self, connection: Connection) -> None:
        """Part of every commit of a run: raises :class:`LockedError` (``lease.lost``) if another run took over."""
        for name, fencing in sorted(self.fencing.items()):
            mine = sa.update(leases).where(
                leases.c.district == self.district,
                leases.c.connection == name,
                leases.c.owner == self.owner,
                leases.c.fencing == fencing,
            )
            if connection.execute(mine.values(expires_at=self.now() + LEASE_FOR)).rowcount != 1:
                raise LockedError(
                    f'Another run has taken over the connection "{name}" while this one stood still.',
                    hint="Nothing was written after that. The other run goes on; see `mastery-gateway runs list`.",
                    code="lease.lost",
                )


def owner_name() -> str:
    """Machine, process and a random part, to tell people who holds a lease."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"


@contextmanager
def hold(store: Store, district: str, connections: Iterable[str], now: Callable[[], datetime]) -> Iterator[Lease]:
    """Hold the leases of ``connections`` for the length of the block.

    Raises :class:`LockedError` (``lease.held``), which says who holds one and until when.
    """
    owner = owner_name()
    fencing: dict[str, int] = {}
    lease = Lease(district, owner, fencing, now)
    try:
        with store.begin() as connection:
            for name in sorted(set(connections)):
                fencing[name] = _take(connection, district, name, owner, now())
        yield lease
    finally:
        _release(store, lease)


def _take(connection: Connection, district: str, name: str, owner: str, now: datetime) -> int:
    """The fencing number of the lease, taken. Its row is locked until the transaction ends, so nobody comes between."""
    insert = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(leases)
    free = {"owner": owner, "fencing": 0, "expires_at": now - timedelta(seconds=1)}
    connection.execute(insert.values(district=district, connection=name, **free).on_conflict_do_nothing())
    mine = (leases.c.district == district) & (leases.c.connection == name)
    held = connection.execute(sa.select(leases).where(mine).with_for_update()).mappings().one()
    if held["expires_at"] > now and _alive(held["owner"]):
        raise LockedError(
            f'Another run works on the connection "{name}" ({held["owner"]}, until {held["expires_at"]:%H:%M} UTC'
            " at the latest).",
            hint="Wait until it is done, or stop it; then run again.",
            code="lease.held",
        )
    fencing = int(held["fencing"]) + 1
    connection.execute(sa.update(leases).where(mine).values(owner=owner, fencing=fencing, expires_at=now + LEASE_FOR))
    return fencing


def _alive(owner: str) -> bool:
    """False only if the owner was a process of this machine that is no more: after a crash nobody has to wait."""
    host, process, _ = owner.rsplit("/", 2)
    if host != socket.gethostname() or not process.isdigit():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _release(store: Store, lease: Lease) -> None:
    with store.begin() as connection:
        for name, fencing in lease.fencing.items():
            connection.execute(
                sa.update(leases)
                .where(
                    leases.c.district == lease.district,
                    leases.c.connection == name,
                    leases.c.owner == lease.owner,
                    leases.c.fencing == fencing,
                )
                .values(expires_at=lease.now() - timedelta(seconds=1))
            )
