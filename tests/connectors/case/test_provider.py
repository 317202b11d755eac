"""Frameworks from a provider: listed, chosen, fetched from safe places, kept while unchanged, never lost in silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.case import CONNECTOR, CaseConnector
from gateway.sdk import (
    AuthorizationError,
    ConfigurationError,
    Context,
    GatewayError,
    IncompletePullError,
    Page,
    RejectedError,
    TransientError,
)
from gateway.testing.clock import FakeClock
from gateway.testing.fake_auth import Entry, Gate
from gateway.testing.fake_case import FakeCase, FrameworkManners, sample_packages
from gateway.testing.fake_service import Reply
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.wsgi import WsgiAdapter

EVERYTHING = None
CHANGES = datetime(2026, 11, 1, tzinfo=UTC)
Open = Callable[..., CaseConnector]


class CaseWithUris(FakeCase):
    """A provider whose documents say where their packages are; ``None`` says nothing."""

    def __init__(self, uri: object, packages: Any = None) -> None:
        super().__init__(packages, gate=Gate(Entry.NONE))
        self.uri = uri

    def _document(self, package: Mapping[str, Any]) -> dict[str, Any]:
        return super()._document(package) | {"CFPackageURI": self.uri}


def provider(packages: Any = None, *, gate: Gate | None = None, **more: Any) -> FakeCase:
    """A provider that is open to everybody, unless it has a gate."""
    return FakeCase(packages, gate=gate or Gate(Entry.NONE), **more)


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def make(fake: FakeCase, adapters: Mapping[str, Any] | None = None, **settings: Any) -> CaseConnector:
        clock = FakeClock()
        context = Context(
            "lakeside",
            "frameworks",
            tmp_path,
            tmp_path / "work",
            clock.now,
            {**fake.adapters, **(adapters or {})},
            clock.sleep,
        )
        return CONNECTOR(
            CONNECTOR.Settings().load({"base_url": fake.host, "version": fake.version, **settings}), context
        )

    return make


def pull(connector: CaseConnector, since: datetime | None = EVERYTHING, resume: str | None = None) -> list[Page]:
    (stream,) = connector.streams(since)
    return list(connector.pull(stream, since=since, resume=resume))


def titles(pages: list[Page]) -> list[str]:
    return [title for page in pages for title in page.frames["frameworks"]["title"]]


ALL = [f"Framework {number}" for number in range(5)]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("manners", [FrameworkManners(), FrameworkManners(wrapped_packages=True, uris_inside=True)])
def test_every_framework_is_one_page_and_the_last_one_ends_the_pull(opened, version, manners):
    pages = pull(opened(provider(version=version, manners=manners)))
    assert titles(pages) == ALL
    assert [page.resume is None for page in pages] == [False] * 4 + [True]
    assert [page.frames["competencies"].height for page in pages] == [4] * 5
    assert [page.frames["rubric_levels"].height for page in pages] == [4] * 5
    assert all(page.warnings == () for page in pages)


@pytest.mark.parametrize(
    "manners",
    [
        FrameworkManners(links=False),
        FrameworkManners(links=False, totals=False),
        FrameworkManners(most_rows=2),
        FrameworkManners(links=False, totals=False, most_rows=1),
    ],
    ids=["no links", "neither links nor totals", "clamped limit", "one by one"],
)
def test_the_list_is_followed_to_its_end_whatever_the_provider_announces(opened, manners):
    assert titles(pull(opened(provider(manners=manners), page_size=3))) == ALL


def test_documents_are_chosen_by_identifier_in_any_form_or_by_title(opened):
    fake = provider()
    first = min(fake.packages)
    chosen = opened(fake, documents=["Framework 3", f"urn:uuid:{first.upper()}", first])
    assert titles(pull(chosen)) == ["Framework 0", "Framework 3"]
    assert sum(count for (_, path), count in fake.requests.items() if "CFPackages" in path) == 2


def test_an_unknown_document_is_named_with_its_nearest_title(opened):
    with pytest.raises(ConfigurationError, match='Did you mean "Framework 3"') as caught:
        pull(opened(provider(), documents=["Frmework 3"]))
    assert caught.value.code == "case.unknown-document"


def test_a_title_that_two_frameworks_have_is_refused_with_their_identifiers(opened):
    packages = sample_packages(2)
    packages[1]["CFDocument"]["title"] = "Framework 0"
    with pytest.raises(ConfigurationError) as caught:
        pull(opened(provider(packages), documents=["Framework 0"]))
    assert caught.value.code == "case.ambiguous-document"
    assert all(package["CFDocument"]["identifier"] in caught.value.hint for package in packages)


def test_an_interrupted_pull_goes_on_with_the_next_framework(opened):
    fake = provider()
    whole = pull(opened(fake))
    assert titles(pull(opened(fake), resume=whole[2].resume)) == ALL[3:]


def test_an_interrupted_pull_starts_anew_when_the_list_has_changed(opened):
    fake = provider()
    resume = pull(opened(fake))[2].resume
    fake.packages[max(fake.packages)]["CFDocument"]["lastChangeDateTime"] = "2026-07-07T00:00:00Z"
    with pytest.raises(IncompletePullError) as caught:
        pull(opened(fake), resume=resume)
    assert caught.value.code == "paging.list-changed"


def test_a_provider_without_frameworks_says_so_in_one_empty_page(opened):
    (page,) = pull(opened(provider([])))
    assert page.resume is None
    assert page.warnings == ("The provider lists no frameworks.",)
    assert all(frame.is_empty() for frame in page.frames.values())


# ---- what is fetched again ----


def fetched(fake: FakeCase) -> int:
    return sum(count for (_, path), count in fake.requests.items() if "/CFPackages/" in path)


def test_an_unchanged_package_is_not_fetched_again_and_brings_the_same(opened):
    fake = provider()
    first = pull(opened(fake))
    again = pull(opened(fake), CHANGES)
    assert fetched(fake) == 5
    assert all(a.frames[name].equals(b.frames[name]) for a, b in zip(first, again, strict=True) for name in a.frames)


def test_a_pull_of_everything_fetches_everything(opened):
    fake = provider()
    pull(opened(fake))
    pull(opened(fake), EVERYTHING)
    assert fetched(fake) == 10


def test_a_changed_package_is_fetched_and_the_old_copy_forgotten(opened, tmp_path):
    fake = provider()
    pull(opened(fake))
    package = fake.packages[min(fake.packages)]
    package["CFDocument"]["lastChangeDateTime"] = "2026-07-07T00:00:00Z"
    package["CFItems"][0]["fullStatement"] = "Changed"
    pages = pull(opened(fake), CHANGES)
    assert fetched(fake) == 6
    assert pages[0].frames["competencies"]["statement"][0] == "Changed"
    assert len(list((tmp_path / "work" / "packages").iterdir())) == 5


def test_a_package_without_a_time_is_always_fetched(opened):
    fake = provider()
    for package in fake.packages.values():
        del package["CFDocument"]["lastChangeDateTime"]
    pull(opened(fake))
    pull(opened(fake), CHANGES)
    assert fetched(fake) == 10


def test_a_damaged_copy_is_fetched_again(opened, tmp_path):
    fake = provider()
    pull(opened(fake))
    for copy in (tmp_path / "work" / "packages").iterdir():
        copy.write_bytes(b"{")
    assert titles(pull(opened(fake), CHANGES)) == ALL
    assert fetched(fake) == 10


# ---- where packages are fetched from ----


@pytest.mark.parametrize("form", [str, lambda uri: {"title": "x", "identifier": "y", "uri": uri}])
def test_the_announced_place_of_the_same_provider_is_used(opened, form):
    packages = sample_packages(1)
    id = packages[0]["CFDocument"]["identifier"] = "abcdef00-0000-4000-8000-000000000000"
    elsewhere = CaseWithUris(None, packages)
    elsewhere.uri = form(f"{elsewhere.base_url}/CFPackages/{id.upper()}")
    pull(opened(elsewhere))
    assert elsewhere.reads(f"/CFPackages/{id.upper()}") == 1
    assert elsewhere.reads(f"/CFPackages/{id}") == 0


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        {},
        7,
        "/CFPackages/1",
        "http://case.example/x",
        "https://localhost/x",
        "https://other.example/x",
        "file:///x",
        "https://case.example:99999999/x",
        "https://[case.example/x",
    ],
)
def test_any_other_place_is_never_asked(opened, uri):
    fake = CaseWithUris(uri)
    other = provider()
    assert titles(pull(opened(fake, {"https://other.example": WsgiAdapter(other)}))) == ALL
    assert not other.requests


class Watched(FakeCase):
    """A provider that remembers what credentials it was shown."""

    def __init__(self, packages: Any) -> None:
        super().__init__(packages, gate=Gate(Entry.NONE))
        self.shown: list[str | None] = []

    def answer(self, environ: Any, body: bytes, striking: Any) -> Reply:
        self.shown.append(environ.get("HTTP_AUTHORIZATION"))
        return super().answer(environ, body, striking)


@pytest.mark.parametrize(("scheme", "asked"), [("https", 1), ("http", 0)])
def test_an_allowed_host_is_asked_over_tls_and_without_our_credentials(opened, scheme, asked):
    packages = sample_packages(1)
    id = packages[0]["CFDocument"]["identifier"]
    fake = CaseWithUris(f"{scheme}://packages.example/ims/case/v1p1/CFPackages/{id}", packages)
    fake.gate = Gate(Entry.BEARER)
    other = Watched(packages)
    connector = opened(
        fake, {f"{scheme}://packages.example": WsgiAdapter(other)}, package_hosts=["Packages.example"],
        auth={"type": "bearer", "token": fake.gate.bearer},
    )  # fmt: skip
    assert titles(pull(connector)) == ["Framework 0"]
    assert other.shown == [None] * asked
    assert fetched(fake) == 1 - asked


def test_a_missing_announced_place_gives_way_to_the_usual_one(opened):
    fake = CaseWithUris("https://case.example/ims/case/v1p1/CFPackages/ffffffff-0000-0000-0000-000000000000")
    assert titles(pull(opened(fake))) == ALL


# ---- what goes wrong ----


def test_a_listed_framework_without_a_package_is_explained(opened):
    fake = provider()
    fake.inject(Fault(FaultKind.ERROR, "404", path=max(fake.packages), times=None))
    with pytest.raises(RejectedError, match='lists the framework "Framework 4" but has no package of it') as caught:
        pull(opened(fake))
    assert caught.value.code == "case.no-package"


def test_a_wrong_version_or_address_is_explained(opened):
    with pytest.raises(ConfigurationError, match="no CASE service at") as caught:
        pull(opened(provider(version="1.0"), version="1.1"))
    assert caught.value.code == "case.no-service"


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.NO_ENVELOPE, FaultKind.LOGIN_PAGE, FaultKind.EMPTY_BODY, FaultKind.CUT_OFF, FaultKind.TRUNCATED,
        FaultKind.REPEATED_PAGE, FaultKind.LOST_ROWS, FaultKind.LINK_LOOP, FaultKind.FOREIGN_LINK, FaultKind.NAN,
        FaultKind.DOUBLED_KEY, FaultKind.TOTAL_CHANGES,
    ],
)  # fmt: skip
def test_a_damaged_list_never_becomes_a_short_one(opened, kind):
    fake = provider(manners=FrameworkManners(most_rows=2))
    fake.inject(Fault(kind, path="CFDocuments", after=1, times=None))
    with pytest.raises((IncompletePullError, TransientError)):
        pull(opened(fake))


@pytest.mark.parametrize("kind", [FaultKind.SHRUNKEN_PAGE, FaultKind.CLAMPED_LIMIT, FaultKind.OVERLAPPING_PAGE])
def test_an_odd_but_whole_list_is_taken(opened, kind):
    fake = provider(manners=FrameworkManners(most_rows=2))
    fake.inject(Fault(kind, "1", path="CFDocuments", after=1, times=None))
    assert titles(pull(opened(fake))) == ALL


@pytest.mark.parametrize("kind", [FaultKind.LOGIN_PAGE, FaultKind.EMPTY_BODY, FaultKind.CUT_OFF, FaultKind.NAN])
@pytest.mark.parametrize("where", ["list", "package"])
def test_a_damaged_answer_is_asked_for_once_more(opened, kind, where):
    fake = provider()
    path = "CFDocuments" if where == "list" else min(fake.packages)
    fake.inject(Fault(kind, path=path))
    assert titles(pull(opened(fake))) == ALL


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FaultKind.LOGIN_PAGE, "page.not-json"), (FaultKind.CUT_OFF, "page.not-json"), (FaultKind.NAN, "page.unsound"),
        (FaultKind.DOUBLED_KEY, "page.unsound"),
    ],
)  # fmt: skip
def test_a_damaged_package_stops_the_pull_after_the_good_ones(opened, kind, code):
    fake = provider()
    fake.inject(Fault(kind, path=max(fake.packages), times=None))
    pages = []
    connector = opened(fake)
    with pytest.raises(IncompletePullError) as caught:
        for page in connector.pull(connector.streams(None)[0], since=None, resume=None):
            pages.append(page)
    assert caught.value.code == code
    assert titles(pages) == ALL[:4]
    fake.faults.clear()
    assert titles(pull(opened(fake), resume=pages[-1].resume)) == ALL[4:]


def test_an_answer_that_is_no_package_is_incomplete_and_never_empty(opened):
    fake = provider()
    fake._single = lambda name, id_: Reply(200, {"imsx_codeMajor": "failure"})
    with pytest.raises(IncompletePullError) as caught:
        pull(opened(fake))
    assert caught.value.code == "page.not-a-package"


def test_the_package_of_another_framework_is_refused(opened):
    fake = provider()
    first, second = sorted(fake.packages)[:2]
    original = fake._single
    fake._single = lambda name, id_: original(name, second if id_ == first else id_)
    with pytest.raises(IncompletePullError) as caught:
        pull(opened(fake))
    assert caught.value.code == "page.other-framework"


def test_a_package_above_the_limit_is_not_taken_in(opened):
    packages = sample_packages(1)
    packages[0]["CFItems"][0]["fullStatement"] = "x" * (1024 * 1024)
    with pytest.raises(IncompletePullError) as caught:
        pull(opened(provider(packages), max_megabytes=1))
    assert caught.value.code == "http.too-large"


@pytest.mark.parametrize(
    ("kind", "value"), [(FaultKind.THROTTLED, "3"), (FaultKind.ERROR, "503"), (FaultKind.HANG_UP, "")]
)
def test_a_moment_of_weakness_is_waited_out(opened, kind, value):
    fake = provider()
    fake.inject(Fault(kind, value, after=2, times=2))
    assert titles(pull(opened(fake))) == ALL


# ---- credentials ----


OAUTH2 = {
    "type": "oauth2",
    "token_url": f"{FakeCase.host}/token",
    "client_id": Gate().key,
    "client_secret": Gate().secret,
}


@pytest.mark.parametrize(
    ("style", "entry"), [("header", Entry.OAUTH2_HEADER), ("body", Entry.OAUTH2_BODY), ("query", Entry.OAUTH2_QUERY)]
)
def test_a_token_is_fetched_and_renewed_in_the_middle_of_a_pull(opened, style, entry):
    fake = provider(gate=Gate(entry))
    fake.inject(Fault(FaultKind.EXPIRED_TOKEN, path=sorted(fake.packages)[2]))
    assert titles(pull(opened(fake, auth={**OAUTH2, "style": style}))) == ALL


@pytest.mark.parametrize("auth", [None, {"type": "bearer", "token": "wr0ng"}, {**OAUTH2, "client_secret": "wr0ng"}])
def test_wrong_credentials_are_told_without_showing_them(opened, auth):
    fake = provider(gate=Gate())
    with pytest.raises(AuthorizationError) as caught:
        pull(opened(fake, auth=auth))
    told = f"{caught.value} {caught.value.detail} {caught.value!r}"
    assert not [secret for secret in ("wr0ng", *fake.secrets) if secret in told]


# ---- the connection test ----


def test_the_check_says_what_it_found(opened):
    items = opened(provider(), documents=["Framework 1"]).check()
    assert [(item.what, item.ok) for item in items] == [
        ("list of frameworks", True), ("chosen frameworks", True), ("first package", True)
    ]  # fmt: skip
    assert "Framework 0, Framework 1" in items[0].message
    assert items[1].message == "1 of 5"
    assert items[2].message == "Framework 1 (items: 4)"


@pytest.mark.parametrize(
    ("fault", "settings", "failing"),
    [
        (Fault(FaultKind.ERROR, "403", path="CFDocuments", times=None), {}, "list of frameworks"),
        (None, {"version": "1.0"}, "list of frameworks"),
        (None, {"documents": ["Nothing"]}, "chosen frameworks"),
        (Fault(FaultKind.ERROR, "404", path="0000", times=None), {}, "first package"),
    ],
)
def test_the_check_stops_at_the_first_failure_and_says_what_to_do(opened, fault, settings, failing):
    fake = provider()
    if fault:
        fake.inject(fault)
    last = opened(fake, **settings).check()[-1]
    assert (last.what, last.ok) == (failing, False)
    assert last.message
    assert last.hint


def test_errors_are_of_the_gateway_whatever_the_provider_does(opened):
    for kind in FaultKind:
        fake = provider()
        fake.inject(Fault(kind, after=3, times=None))
        try:
            assert titles(pull(opened(fake))) == ALL, kind
        except GatewayError as error:
            assert error.code, kind
