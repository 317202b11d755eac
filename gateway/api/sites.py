"""The districts that one server serves: each with its settings, its database, and its compiled mappings and policies.

A caller's credential says which district it is for; no address names one, so that none can be asked for by mistake.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gateway.api.catalogue import Catalogue
from gateway.core.errors import ConfigurationError
from gateway.settings import District, database_url, load_district
from gateway.store import Store, open_store
from gateway.store.clients import Known, recognise


@dataclass(frozen=True, slots=True)
class Site:
    """One district as the API serves it."""

    district: District
    store: Store
    catalogue: Catalogue

    @property
    def id(self) -> str:
        return self.district.id

    @property
    def folder(self) -> Path:
        """Where the API keeps files: uploads, results, its key."""
        return self.district.data / "api"


@dataclass(slots=True)
class Sites:
    """All districts of a server, by id; one database may hold several of them."""

    by_id: Mapping[str, Site]
    _stores: Sequence[Store] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._stores = list({id(site.store): site.store for site in self.by_id.values()}.values())

    def recognise(self, credential: str, now: datetime) -> tuple[Site, Known] | None:
        """The district and the client that a key or token belongs to."""
        for store in self._stores:
            known = recognise(store, credential, now=now)
            if known is not None and known.client.district in self.by_id:
                return self.by_id[known.client.district], known
        return None

    def close(self) -> None:
        with ExitStack() as stack:
            for store in self._stores:
                stack.callback(store.close)


def open_sites(files: Iterable[Path]) -> Sites:
    """Open the districts in ``files``.

    Raises :class:`ConfigurationError` for a faulty file, or for two districts of one id (``district.twice``).
    """
    districts = [load_district(path) for path in files]
    found: dict[str, Site] = {}
    stores: dict[str, Store] = {}
    for district in districts:
        if district.id in found:
            raise ConfigurationError(
                f'Two files are about the district "{district.id}".',
                hint="Name each district once.",
                code="district.twice",
            )
        url = database_url(district)
        stores[url] = stores.get(url) or open_store(url)
        found[district.id] = Site(district, stores[url], Catalogue(district))
    return Sites(found)
