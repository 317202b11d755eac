"""Students' data that leave the district by OneRoster: who is told of them stands in the audit, and in the record of
disclosures.

The audit has every call. The record of disclosures has one row for each client, list and snapshot, written before the
first page is told: a client that pulls every night makes some rows a night, not one for each page or student.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field

import polars as pl
import sqlalchemy as sa

from gateway.api.access import Caller, now
from gateway.api.oneroster.lists import Listing
from gateway.documents.code import new_code
from gateway.store import clients, disclosures
from gateway.store.disclosures import DocumentRecord
from gateway.store.schema import disclosures as table

KIND = "oneroster"
_STUDENT = {"users": "id", "demographics": "id", "enrollments": "user_id", "results": "student_id"}
"""The tables that speak of single students, and where."""


def students_of(listing: Listing, page: pl.DataFrame) -> int:
    """About how many people a page is."""
    column = _STUDENT.get(listing.table)
    return page[column].n_unique() if column in page.columns else 0


@dataclass(slots=True)
class Disclosing:
    """Writes the record of disclosures for one server. Several threads may use it."""

    _written: set[tuple[str, str, str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, who: Caller, listing: Listing, snapshot: str) -> None:
        """The caller is about to be told of a list of a snapshot."""
        key = (who.site.id, who.client_id, listing.name, snapshot)
        if listing.table not in _STUDENT or key in self._written:
            return
        with self._lock:
            if key not in self._written:
                self._write(who, listing, snapshot)
                self._written.add(key)

    def _write(self, who: Caller, listing: Listing, snapshot: str) -> None:
        told = hashlib.sha256("\0".join((who.client_id, listing.name, snapshot)).encode()).hexdigest()
        mine = (table.c.district == who.site.id) & (table.c.kind == KIND) & (table.c.inputs_digest == told)
        if who.site.store.row(sa.select(table.c.sequence).where(mine)) is not None:
            return
        client = clients.find(who.site.store, who.site.id, who.client_id)
        record = DocumentRecord(
            code=new_code(), kind=KIND, student_id=None, rules=(), approximate=False, inputs_digest=told,
            content_sha256=hashlib.sha256(snapshot.encode()).hexdigest(),
            file_name=f"{listing.name} of {snapshot}"[:255], recipient=f"{client.name} ({who.client_id})"[-255:],
            purpose=f"Read over the API: OneRoster {listing.name}", issued_by="the API", issued_at=now(),
        )  # fmt: skip
        with who.site.store.begin() as connection:
            disclosures.add(connection, who.site.id, [record])
