"""The source: whole collections by pages, full or only what changed.

Every collection is pulled from its own endpoint. A filtered list is trusted only after the provider has shown that it
honours the filter: asked for what changed after the year 9000, it must deliver nothing.
Source: OneRoster 1.2 on paging, filtering and ``dateLastModified``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.oneroster.endpoints import ENDPOINTS, Endpoint
from connectors.oneroster.frames import frames_of, ids_of, unreadable_ids
from connectors.oneroster.people import People, find_people
from connectors.oneroster.provider import Provider
from connectors.oneroster.records import written
from gateway.sdk import (
    REJECTS,
    AuthorizationError,
    ConfigurationError,
    Page,
    PageRequest,
    PullMode,
    Received,
    Records,
    RejectedError,
    Stream,
    decode_records,
    fetch_pages,
    follow_offsets,
)

_FAR_FUTURE = "9000-01-01T00:00:00.000Z"
NOT_OFFERED = ("http.forbidden", "http.not-found", "http.not-offered")
"""How a provider refuses a list that it does not have, or not for us."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A page: its records, its number, and the ids of records that could not be read."""

    records: Records[Any]
    number: int
    unreadable: Mapping[int, str]


class Puller:
    """Pulls from one provider."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.profile = provider.profile
        self._people: People | None = None

    def streams(self, since: datetime | None) -> list[Stream]:
        """What the provider offers. The lists that the profile calls optional are tried with one record."""
        mode = PullMode.DELTA if since is not None and self.profile.delta else PullMode.FULL
        return [Stream(e.name, e.tables, mode) for e in self.provider.endpoints() if self._offered(e)]

    def pull(self, stream: Stream, *, since: datetime | None, resume: str | None) -> Iterator[Page]:
        """The pages of one list; see :meth:`gateway.sdk.Source.pull`."""
        endpoint = ENDPOINTS[stream.name]
        delta = stream.mode is PullMode.DELTA and since is not None
        if resume is not None:
            first = PageRequest.from_cursor(resume)
        else:
            first = PageRequest(endpoint.name, self._params(endpoint, since if delta else None))
            if delta:
                self.require_filter(endpoint)
        for found, after in self._pages(endpoint, first):
            yield self._page(endpoint, found, after)

    def one_record(self, endpoint: Endpoint) -> Records[Any]:
        """The first record of a list, to see whether it can be had."""
        return self._read(endpoint, PageRequest(endpoint.name, {"limit": "1", "offset": "0"})).content.records

    def all_records(self, endpoint: Endpoint, params: Mapping[str, str]) -> Iterator[Any]:
        """Every record that can be read of a list, whole or filtered."""
        first = PageRequest(endpoint.name, {**self._params(endpoint, None), **params})
        for found, _ in self._pages(endpoint, first):
            yield from found.records.items

    def _offered(self, endpoint: Endpoint) -> bool:
        if endpoint.name not in self.profile.optional:
            return True
        try:
            self.one_record(endpoint)
        except (AuthorizationError, RejectedError) as refusal:
            if refusal.code in NOT_OFFERED:
                return False
            raise
        return True

    def _params(self, endpoint: Endpoint, since: datetime | None) -> dict[str, str]:
        params = {"limit": str(self.profile.page_size), "offset": "0"}
        if self.profile.sort:
            params |= {"sort": "sourcedId", "orderBy": "asc"}
        if since is not None:
            start = since - timedelta(minutes=self.profile.delta_overlap_minutes)
            params["filter"] = f"dateLastModified>='{written(start)}'"
        return params

    def require_filter(self, endpoint: Endpoint) -> None:
        """Raises :class:`ConfigurationError` unless the provider honours a filter on this list."""
        params = {"limit": "1", "offset": "0", "filter": f"dateLastModified>='{_FAR_FUTURE}'"}
        try:
            found = self._read(endpoint, PageRequest(endpoint.name, params)).content.records
            problem = "ignores" if found.items or found.faults else ""
        except RejectedError:
            problem = "refuses"
        if problem:
            raise ConfigurationError(
                f"The provider {problem} the filter on dateLastModified for {endpoint.name}, so a pull of changes "
                "cannot be trusted.",
                hint="Set delta to false in the profile of this connection; every pull is then complete.",
                code="oneroster.filter-ignored",
            )

    def _pages(self, endpoint: Endpoint, first: PageRequest) -> Iterator[tuple[_Found, PageRequest | None]]:
        def fetch(request: PageRequest) -> Received[_Found]:
            return self._read(endpoint, request)

        for received, after in fetch_pages(first, fetch, follow_offsets):
            yield received.content, after

    def _read(self, endpoint: Endpoint, request: PageRequest) -> Received[_Found]:
        answer = self.provider.read(endpoint, request.path, request.params)
        keys = self.profile.list_names(endpoint.name)
        records = decode_records(answer.body, endpoint.record, keys, source=_place(endpoint, request.number))
        unreadable = unreadable_ids(answer.body, keys, records.faults)
        return Received(answer, ids_of(records, unreadable), _Found(records, request.number, unreadable))

    def _page(self, endpoint: Endpoint, found: _Found, after: PageRequest | None) -> Page:
        frames = frames_of(endpoint, found.records, _place(endpoint, found.number), found.unreadable)
        people = self._merged()
        if people is not None:
            frames = {name: f if name == REJECTS else people.rename(name, f) for name, f in frames.items()}
        return Page(frames, None if after is None else after.cursor())

    def _merged(self) -> People | None:
        """Who is who, from all user records; ``None`` where the provider has one record a person."""
        if self.profile.merge_users_by is None and not self.profile.user_prefixes:
            return None
        if self._people is None:
            self._people = find_people(self.all_records(ENDPOINTS["users"], {}), self.profile)
        return self._people


def _place(endpoint: Endpoint, number: int) -> str:
    return f"{endpoint.name} page {number}"
