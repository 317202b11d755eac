"""The inbox on its way: a client's accepted records as changes for a target, such as a OneRoster CSV bundle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gateway.api.inbox.beside import records_of
from gateway.api.inbox.frames import table_of
from gateway.api.inbox.writing import GRADEBOOK, PER_REVIEW
from gateway.api.sites import Site
from gateway.core.exchange import Action, Change
from gateway.store import inbox
from gateway.store.inbox import InboxState, Item


def changes(site: Site, client_id: str, *, since: datetime | None = None) -> Iterator[Change]:
    """What is in use of a client's records, parents first; ``since``: only what it changed from then on.

    A quarantined record counts with its last good content.
    """
    for table, listing in GRADEBOOK.items():
        after = None
        while items := inbox.listed(site.store, site.id, client_id, entity=table, after=after, limit=PER_REVIEW):
            after = (client_id, table, items[-1].record_id)
            kept = {item.record_id: item for item in items if _goes_on(item, since)}
            for row in table_of(listing, records_of([*kept.values()])).iter_rows(named=True):
                gone = kept[row["id"]].withdrawn
                action = Action.INACTIVATE if gone else Action.CREATE
                yield Change(table, row["id"], action, f"{table}/{row['id']}", row)


def _goes_on(item: Item, since: datetime | None) -> bool:
    in_use = item.verdict.record is not None and item.verdict.state is not InboxState.WAITING
    return in_use and (since is None or item.changed_at >= since)
