"""Paging: by rows received, to a proven end, or an error (fault matrix F30 and F31)."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import GatewayError, IncompletePullError
from gateway.testing.clock import FakeClock
from gateway.testing.fake_auth import Entry, Gate
from gateway.testing.fake_oneroster import FakeOneRoster, GradebookManners
from gateway.testing.faults import Fault, FaultKind
from gateway.transport.http import Answer, HttpClient
from gateway.transport.json_body import decode_records
from gateway.transport.paging import PageRequest, Received, fetch_pages, follow_offsets, next_link

ROWS = 20


class Stand:
    def __init__(self, rows: int = ROWS, **manners: bool | int) -> None:
        records = [{"sourcedId": f"g-{number:03d}", "status": "active"} for number in range(rows)]
        self.remote = FakeOneRoster({"categories": records}, gate=Gate(Entry.NONE), manners=GradebookManners(**manners))  # type: ignore[arg-type]
        self.client = HttpClient(
            base_url=self.remote.gradebook_url, adapters=self.remote.adapters, sleep=FakeClock().sleep
        )

    def fetch(self, request: PageRequest) -> Received[list[str]]:
        answer = self.client.request("GET", request.path, params=request.params)
        records = decode_records(answer.body, dict, ("categories",), source=f"categories page {request.number}")
        ids = [record["sourcedId"] for record in records.items]
        return Received(answer, ids, ids)

    def pull(self, first: PageRequest | None = None, limit: int = 6) -> list[tuple[list[str], PageRequest | None]]:
        start = first or PageRequest("categories", {"limit": str(limit), "offset": "0"})
        return [(page.content, after) for page, after in fetch_pages(start, self.fetch, follow_offsets)]

    def ids(self, limit: int = 6) -> list[str]:
        return [id_ for content, _ in self.pull(limit=limit) for id_ in content]


def expected(rows: int = ROWS) -> list[str]:
    return [f"g-{number:03d}" for number in range(rows)]


@given(
    rows=st.integers(0, 30),
    limit=st.integers(1, 12),
    most_rows=st.none() | st.integers(1, 8),
    links=st.booleans(),
    totals=st.booleans(),
)
def test_every_row_comes_once_whatever_the_provider_announces(
    rows: int, limit: int, most_rows: int | None, links: bool, totals: bool
) -> None:
    stand = Stand(rows, links=links, totals=totals, most_rows=most_rows)
    assert stand.ids(limit) == expected(rows)


@given(rows=st.integers(1, 20), links=st.booleans(), totals=st.booleans(), stop=st.integers(0, 19))
def test_a_pull_is_taken_up_from_its_cursor(rows: int, links: bool, totals: bool, stop: int) -> None:
    stand = Stand(rows, links=links, totals=totals)
    pages = stand.pull(limit=3)
    content, after = pages[stop % len(pages)]
    if after is None:
        return
    rest = stand.pull(PageRequest.from_cursor(after.cursor()))
    assert rest == pages[pages.index((content, after)) + 1 :]


@pytest.mark.parametrize("manners", [{}, {"links": False}, {"totals": False}], ids=["all", "no links", "no totals"])
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault(FaultKind.SHRUNKEN_PAGE), None),
        (Fault(FaultKind.CLAMPED_LIMIT, "2", times=None), None),
        (Fault(FaultKind.OVERLAPPING_PAGE), None),
        (Fault(FaultKind.SHUFFLED_PAGE), None),
        (Fault(FaultKind.LOGIN_PAGE), None),
        (Fault(FaultKind.NO_ENVELOPE), None),
        (Fault(FaultKind.CUT_OFF), None),
        (Fault(FaultKind.NO_ENVELOPE, times=2), "page.envelope"),
        (Fault(FaultKind.LOGIN_PAGE, times=2), "page.not-json"),
        (Fault(FaultKind.REPEATED_PAGE), "paging.repeated-page"),
    ],
    ids=lambda value: f"{value.kind} {value.times}" if isinstance(value, Fault) else None,
)
def test_a_page_that_deviates_costs_no_row_or_ends_the_pull(
    fault: Fault, outcome: str | None, manners: dict[str, bool]
) -> None:
    stand = Stand(**manners)
    stand.remote.inject(Fault(fault.kind, fault.value, after=1, times=fault.times))
    if outcome is None:
        assert sorted(set(stand.ids())) == expected()
    else:
        assert failure(stand) == outcome


@pytest.mark.parametrize(
    ("fault", "manners", "code"),
    [
        (Fault(FaultKind.TOTAL_CHANGES, after=1), {}, "paging.total-changed"),
        (Fault(FaultKind.TOTAL_CHANGES, after=2, times=None), {"links": False}, "paging.total-changed"),
        (Fault(FaultKind.LOST_ROWS, times=None), {}, "paging.short"),
        (Fault(FaultKind.LOST_ROWS, times=None), {"links": False}, "paging.short"),
        (Fault(FaultKind.EMPTY_PAGE, after=1), {"links": False}, "paging.short"),
        (Fault(FaultKind.EMPTY_PAGE, after=1, times=None), {}, "paging.loop"),
        (Fault(FaultKind.LINK_LOOP, after=1), {}, "paging.loop"),
        (Fault(FaultKind.FOREIGN_LINK, after=1), {}, "paging.other-origin"),
    ],
    ids=lambda value: str(value.kind) if isinstance(value, Fault) else None,
)
def test_an_end_that_is_none_is_an_error(fault: Fault, manners: dict[str, bool], code: str) -> None:
    stand = Stand(**manners)
    stand.remote.inject(fault)
    assert failure(stand) == code


@pytest.mark.parametrize("limit", range(3, 7))
def test_a_row_that_the_list_has_twice_in_a_row_does_not_stop_the_pull(limit: int) -> None:
    rows = ["a", "b", "b", "c", "d", "e", "f", "f"]

    def fetch(request: PageRequest) -> Received[list[str]]:
        start = int(request.params["offset"])
        made = Answer(200, {"X-Total-Count": "8"}, b"", "https://sis.example/x", None)  # type: ignore[arg-type]
        return Received(made, rows[start : start + limit], rows[start : start + limit])

    pages = fetch_pages(PageRequest("x", {"offset": "0"}), fetch, follow_offsets)
    assert {id_ for page, _ in pages for id_ in page.content} == set(rows)


def failure(stand: Stand) -> str:
    with pytest.raises(IncompletePullError) as caught:
        stand.pull()
    assert caught.value.hint
    return caught.value.code


def test_an_empty_page_in_the_middle_is_not_the_end_while_links_go_on() -> None:
    stand = Stand()
    stand.remote.inject(Fault(FaultKind.EMPTY_PAGE, after=1))
    assert stand.ids() == expected()


def test_a_provider_that_ignores_the_offset_is_found_out() -> None:
    def fetch(request: PageRequest) -> Received[None]:
        return Received(Answer(200, {}, b"", "https://sis.example/x", None), ["a", "b"], None)  # type: ignore[arg-type]

    with pytest.raises(IncompletePullError) as caught:
        list(fetch_pages(PageRequest("x"), fetch, follow_offsets))
    assert caught.value.code == "paging.repeated-page"


def test_the_number_of_pages_is_capped() -> None:
    stand = Stand()
    first = PageRequest("categories", {"limit": "1", "offset": "0"})
    with pytest.raises(IncompletePullError) as caught:
        list(fetch_pages(first, stand.fetch, follow_offsets, most_pages=5))
    assert caught.value.code == "paging.too-many-pages"
    assert stand.remote.reads("/categories") == 5


def test_one_page_is_fetched_at_a_time() -> None:
    stand = Stand()
    pages = fetch_pages(PageRequest("categories", {"limit": "2"}), stand.fetch, follow_offsets)
    for number in range(1, 5):
        next(pages)
        assert stand.remote.reads("/categories") == number


def answer(*, link: str = "", url: str = "https://sis.example/ims/users?offset=0") -> Answer:
    headers = {"Link": link} if link else {}
    return Answer(200, headers, b"", url, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("", None),
        ('<https://sis.example/a>; rel="first", </b?offset=2>; rel="next"', "https://sis.example/b?offset=2"),
        ('<?offset=2>; rel="last next"', "https://sis.example/ims/users?offset=2"),
        ("<https://sis.example:443/a>; rel=NEXT", "https://sis.example:443/a"),
        ('<https://sis.example/a>; rel="last"', None),
        ("nonsense", None),
        ('<>; rel="next"', None),
        (", ;,", None),
    ],
)
def test_the_next_link_is_read(link: str, url: str | None) -> None:
    assert next_link(answer(link=link)) == url


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "http://sis.example/", "//elsewhere.example/", "https://[::1/"]
)
def test_a_link_out_of_the_origin_is_refused(target: str) -> None:
    with pytest.raises(IncompletePullError) as caught:
        next_link(answer(link=f'<{target}>; rel="next"'))
    assert caught.value.code == "paging.other-origin"


@pytest.mark.parametrize(
    "cursor", ["", "x", "[]", "{}", "[1]", json.dumps(["x", 7, 1, 1, 1]), '["x", {}, "a", null, 1]']
)
def test_a_cursor_that_cannot_be_read_is_an_error(cursor: str) -> None:
    with pytest.raises(GatewayError) as caught:
        PageRequest.from_cursor(cursor)
    assert caught.value.code == "paging.cursor"


@pytest.mark.parametrize("total", ["", "many", "-1", "7.0", "٣", "9" * 40])
def test_a_total_that_is_no_number_counts_as_none(total: str) -> None:
    pages: list[Sequence[str]] = [["a"], ["b"], []]

    def fetch(request: PageRequest) -> Received[None]:
        made = Answer(200, {"X-Total-Count": total}, b"", "https://sis.example/x", None)  # type: ignore[arg-type]
        return Received(made, pages[request.number - 1], None)

    assert len(list(fetch_pages(PageRequest("x"), fetch, follow_offsets))) == 3
