"""What sources promise. See :mod:`gateway.testing.contracts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar

import polars as pl
import pytest

from gateway.core.errors import GatewayError, IncompletePullError, TransientError
from gateway.core.exchange import REJECTS, REJECTS_SCHEMA, Page, Source, Stream
from gateway.core.model import LINE, SOURCE, TABLES
from gateway.testing.contract import Contract, HttpContract, Stand, fault_name
from gateway.testing.fake_service import FakeService
from gateway.testing.faults import Fault, FaultKind

_Rows = Counter[tuple[str, str]]


class SourceContract(Contract):
    """What sources promise."""

    def test_streams_fill_known_tables(self, stand: Stand) -> None:
        streams = stand.source().streams(None)
        assert streams
        assert len({stream.name for stream in streams}) == len(streams)
        assert {table for stream in streams for table in stream.tables} <= set(TABLES)

    def test_pages_fit_the_raw_schema_and_say_where_rows_come_from(self, stand: Stand) -> None:
        for stream, page in _all_pages(stand.source()):
            rejects = page.frames.get(REJECTS)
            assert rejects is None or dict(rejects.schema) == dict(REJECTS_SCHEMA)
            for table, frame in _tables(page):
                assert table in stream.tables
                assert dict(frame.schema) == TABLES[table].raw_schema
                assert frame[SOURCE].null_count() == frame[LINE].null_count() == 0

    def test_something_is_pulled(self, stand: Stand) -> None:
        assert sum(_rows(page for _, page in _all_pages(stand.source())).values()) > 0

    def test_keys_are_unique_and_never_empty(self, stand: Stand) -> None:
        keys: Counter[tuple[object, ...]] = Counter()
        for _, page in _all_pages(stand.source()):
            for table, frame in _tables(page):
                keys.update((table, *row) for row in frame.select(TABLES[table].key).iter_rows())
        assert [key for key, count in keys.items() if count > 1 or not key[1]] == []

    def test_pulling_twice_gives_the_same(self, stand: Stand) -> None:
        first, second = ([page for _, page in _all_pages(stand.source())] for _ in range(2))
        assert _rows(first) == _rows(second)

    def test_only_the_last_page_has_nothing_after_it(self, stand: Stand) -> None:
        source = stand.source()
        for stream in source.streams(None):
            pages = list(source.pull(stream, since=None, resume=None))
            assert [page.resume is None for page in pages] == [False] * (len(pages) - 1) + [True]

    def test_a_pull_goes_on_after_any_page(self, stand: Stand) -> None:
        source = stand.source()
        for stream in source.streams(None):
            pages = list(source.pull(stream, since=None, resume=None))
            for number, page in enumerate(pages[:-1], start=1):
                later = stand.source()
                again = next(each for each in later.streams(None) if each.name == stream.name)
                rest = list(later.pull(again, since=None, resume=page.resume))
                assert _rows(rest) == _rows(pages[number:])


_HARMLESS = (
    Fault(FaultKind.THROTTLED, "2"),
    Fault(FaultKind.THROTTLED, "Mon, 02 Nov 2026 03:00:30 GMT"),
    Fault(FaultKind.THROTTLED, times=3),
    Fault(FaultKind.ERROR, "500", times=2),
    Fault(FaultKind.ERROR, "502"),
    Fault(FaultKind.ERROR, "503"),
    Fault(FaultKind.ERROR, "504"),
    Fault(FaultKind.ERROR, "500", times=None, share=0.2),
    Fault(FaultKind.HANG_UP, times=2),
    Fault(FaultKind.EXPIRED_TOKEN),
    Fault(FaultKind.LOGIN_PAGE),
    Fault(FaultKind.EMPTY_BODY),
    Fault(FaultKind.TRUNCATED),
    Fault(FaultKind.CUT_OFF),
    Fault(FaultKind.NO_ENVELOPE),
    Fault(FaultKind.SHRUNKEN_PAGE),
    Fault(FaultKind.CLAMPED_LIMIT, "2", times=None),
    Fault(FaultKind.EMPTY_PAGE),
    Fault(FaultKind.OVERLAPPING_PAGE),
    Fault(FaultKind.SHUFFLED_PAGE),
)

_FATAL: tuple[tuple[Fault, type[GatewayError]], ...] = (
    (Fault(FaultKind.ERROR, "500", times=None), TransientError),
    (Fault(FaultKind.ERROR, "599", times=None), TransientError),
    (Fault(FaultKind.HANG_UP, times=None), TransientError),
    (Fault(FaultKind.TRUNCATED, times=None), TransientError),
    (Fault(FaultKind.LOGIN_PAGE, times=None), IncompletePullError),
    (Fault(FaultKind.EMPTY_BODY, times=None), IncompletePullError),
    (Fault(FaultKind.CUT_OFF, times=None), IncompletePullError),
    (Fault(FaultKind.NO_ENVELOPE, times=None), IncompletePullError),
    (Fault(FaultKind.REPEATED_PAGE), IncompletePullError),
    (Fault(FaultKind.TOTAL_CHANGES, times=None), IncompletePullError),
    (Fault(FaultKind.LOST_ROWS, times=None), IncompletePullError),
    (Fault(FaultKind.LINK_LOOP), IncompletePullError),
    (Fault(FaultKind.FOREIGN_LINK), IncompletePullError),
)


class HttpSourceContract(HttpContract, SourceContract):
    """What sources over HTTP promise. The settings must make the list of at least three pages.

    ``stream`` is the stream under fault, ``list_path`` what the path of its list's requests contains, ``page_path``
    what that of its pages does (the same, unless a page is fetched apart). ``records_stand_alone``: one bad record in
    the list is set aside; ``False``: it may make the pull incomplete, where a record is the key to more.
    ``cannot_happen`` are faults that the other system has no way to show, such as links where it pages without any.
    """

    stream: ClassVar[str]
    list_path: ClassVar[str]
    page_path: ClassVar[str] = ""
    records_stand_alone: ClassVar[bool] = True
    cannot_happen: ClassVar[frozenset[FaultKind]] = frozenset()

    def _act(self, stand: Stand) -> None:
        self._pull(stand)

    def _pull(self, stand: Stand) -> list[Page]:
        source = stand.source()
        stream = next(each for each in source.streams(None) if each.name == self.stream)
        return list(source.pull(stream, since=None, resume=None))

    def _at_second_page(self, fault: Fault) -> Fault:
        return replace(fault, path=self.list_path, method="GET", after=1)

    def test_the_list_has_several_pages(self, stand: Stand, remote: FakeService) -> None:
        self._pull(stand)
        assert remote.reads(self.list_path) >= 3

    def test_pulling_changes_nothing(self, stand: Stand, remote: FakeService) -> None:
        for _ in _all_pages(stand.source()):
            continue
        assert remote.writes == 0

    def test_pages_are_not_fetched_ahead(self, stand: Stand, remote: FakeService) -> None:
        source = stand.source()
        stream = next(each for each in source.streams(None) if each.name == self.stream)
        path = self.page_path or self.list_path
        before = remote.reads(path)
        for number, _ in enumerate(source.pull(stream, since=None, resume=None), start=1):
            assert remote.reads(path) - before <= number + 1

    @pytest.mark.parametrize("fault", _HARMLESS, ids=fault_name)
    def test_a_fault_in_mid_pull_costs_no_record(self, fault: Fault, stand: Stand, remote: FakeService) -> None:
        expected = _rows(self._pull(stand))
        remote.inject(self._at_second_page(fault))
        assert set(_rows(self._pull(stand))) == set(expected)

    def test_an_expired_token_is_renewed_once(self, stand: Stand, remote: FakeService) -> None:
        remote.inject(self._at_second_page(Fault(FaultKind.EXPIRED_TOKEN)))
        self._pull(stand)
        assert remote.gate.tokens_given == (2 if remote.gate.gives_tokens else 0)

    @pytest.mark.parametrize(("fault", "error"), _FATAL, ids=fault_name)
    def test_a_lasting_fault_is_an_error_and_never_an_end(
        self, fault: Fault, error: type[GatewayError], stand: Stand, remote: FakeService
    ) -> None:
        if fault.kind in self.cannot_happen:
            return
        remote.inject(self._at_second_page(fault))
        with pytest.raises(error) as caught:
            self._pull(stand)
        assert caught.value.hint

    @pytest.mark.parametrize("kind", [FaultKind.NAN, FaultKind.DOUBLED_KEY, FaultKind.BAD_RECORD])
    def test_a_bad_record_does_not_cost_its_neighbours(
        self, kind: FaultKind, stand: Stand, remote: FakeService
    ) -> None:
        expected = set(_keys(self._pull(stand)))
        remote.inject(replace(self._at_second_page(Fault(kind)), times=None))
        try:
            pages = self._pull(stand)
        except IncompletePullError:
            assert not self.records_stand_alone
            return
        damaged = remote.reads(self.list_path)
        missing = expected - set(_keys(pages))
        rejected = sum(page.frames[REJECTS].height for page in pages if REJECTS in page.frames)
        assert len({key for key in missing if key[0] in _ENTITIES}) <= rejected <= damaged


_ENTITIES = frozenset(name for name, table in TABLES.items() if "id" in table.key)


def _all_pages(source: Source) -> Iterator[tuple[Stream, Page]]:
    for stream in source.streams(None):
        for page in source.pull(stream, since=None, resume=None):
            yield stream, page


def _tables(page: Page) -> Iterator[tuple[str, pl.DataFrame]]:
    return ((table, frame) for table, frame in page.frames.items() if table != REJECTS)


def _rows(pages: Iterable[Page]) -> _Rows:
    """Every row of the pages with its table, wherever it stood."""
    return Counter(
        (table, repr(row))
        for page in pages
        for table, frame in page.frames.items()
        for row in frame.drop(SOURCE, LINE).iter_rows()
    )


def _keys(pages: Iterable[Page]) -> Iterator[tuple[object, ...]]:
    for page in pages:
        for table, frame in _tables(page):
            yield from ((table, *row) for row in frame.select(TABLES[table].key).iter_rows())
