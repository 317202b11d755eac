"""Records into the inbox: judged, kept, and whatever waited for them judged again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec

from gateway.api.encoding import decoded
from gateway.api.inbox.beside import Beside
from gateway.api.inbox.frames import as_texts
from gateway.api.inbox.judging import judge
from gateway.api.oneroster.lists import LISTINGS, Listing
from gateway.api.oneroster.tables import Tables
from gateway.api.sites import Site
from gateway.store import inbox
from gateway.store.inbox import InboxState, Item, Verdict, Written

GRADEBOOK: Mapping[str, Listing] = {each.table: each for each in LISTINGS.values() if each.gradebook}
"""The tables of the inbox, parents first."""

PER_REVIEW = 5_000
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a client's records are judged and kept. ``tables``: what the district has; none before its first pull."""

    site: Site
    tables: Tables | None
    client_id: str

    @property
    def beside(self) -> Beside:
        return Beside(self.site, self.tables, self.client_id)

    def keep(
        self, listing: Listing, given: Sequence[tuple[str, Mapping[str, Any]]], *, now: datetime
    ) -> list[tuple[Verdict, bool]]:
        """Keep records: each with its id, as the object that came. The verdict on each, and whether it is new."""
        verdicts = judge(listing, given, self.beside, now=now)
        written = [
            Written(listing.table, id, as_json(each), verdict, _withdrawn(verdict))
            for (id, each), verdict in zip(given, verdicts, strict=True)
        ]
        new = inbox.put(self.site.store, self.site.id, self.client_id, written, now=now)
        self._release(written, now)
        return list(zip(verdicts, new, strict=True))

    def find(self, listing: Listing, id: str) -> Item | None:
        """The client's own record."""
        return inbox.find(self.site.store, self.site.id, self.client_id, listing.table, id)

    def withdraw(self, listing: Listing, id: str, *, now: datetime) -> bool:
        """Mark a record as deleted, the client's own or, for this client, the district's; false if there is none."""
        item = self.find(listing, id)
        if item is not None:
            written = Written(listing.table, id, item.received, item.verdict, withdrawn=True)
        else:
            row = self.beside.row(listing.table, id)
            if row is None:
                return False
            received = as_json({"sourcedId": id, "status": "tobedeleted"})
            written = Written(listing.table, id, received, Verdict(InboxState.ACCEPTED, as_texts(row)), withdrawn=True)
        inbox.put(self.site.store, self.site.id, self.client_id, [written], now=now)
        return True

    def review(self, *, now: datetime) -> int:
        """Judge all records again, parents first, by what is there now; how many verdicts changed."""
        return sum(
            len(self._judge_again(items, now)) for listing in GRADEBOOK.values() for items in self._batches(listing)
        )

    def _batches(self, listing: Listing) -> Iterator[list[Item]]:
        after = None
        while items := inbox.listed(
            self.site.store, self.site.id, self.client_id, entity=listing.table, after=after, limit=PER_REVIEW
        ):
            yield items
            after = (self.client_id, listing.table, items[-1].record_id)

    def _release(self, written: Sequence[Written], now: datetime) -> None:
        """Judge again what waited for records that are accepted now."""
        while written:
            accepted = [f"{each.entity}/{each.record_id}" for each in written if _in_use(each)]
            waiting = inbox.waiting_for(self.site.store, self.site.id, self.client_id, accepted) if accepted else []
            written = self._judge_again(waiting, now)

    def _judge_again(self, items: Sequence[Item], now: datetime) -> list[Written]:
        """Records whose verdict has changed, kept with the new one."""
        changed: list[Written] = []
        there = [item for item in items if not item.withdrawn]
        for table, group in groupby(there, key=lambda item: item.entity):
            mine = [*group]
            given = [(item.record_id, decoded(item.received.encode())) for item in mine]
            verdicts = judge(GRADEBOOK[table], given, self.beside, now=now)
            changed += [
                Written(table, item.record_id, item.received, verdict, _withdrawn(verdict))
                for item, verdict in zip(mine, verdicts, strict=True)
                if _gist(item.verdict) != _gist(verdict)
            ]
        if changed:
            inbox.put(self.site.store, self.site.id, self.client_id, changed, now=now)
        return changed


def as_json(given: Mapping[str, Any]) -> str:
    """An object as it came. Raises :class:`UnicodeEncodeError` for text that is none."""
    return _encode(given).decode()


def _withdrawn(verdict: Verdict) -> bool:
    return verdict.record is not None and verdict.record.get("status") == "tobedeleted"


def _in_use(written: Written) -> bool:
    return written.verdict.state is InboxState.ACCEPTED and not written.withdrawn


def _gist(verdict: Verdict) -> tuple[str | None, ...]:
    return (verdict.state, verdict.code, verdict.field, verdict.waits_for)
