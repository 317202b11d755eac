"""Pulling from a provider: what the profile says about it, and what it does otherwise than the standard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from connectors.oneroster import OneRosterConnector
from connectors.oneroster.endpoints import ENDPOINTS
from connectors.oneroster.provider import default_scopes
from connectors.oneroster.settings import Profile, ProfileSchema
from gateway.core.errors import AuthorizationError, ConfigurationError, IncompletePullError, RejectedError
from gateway.core.exchange import Page, PullMode
from gateway.testing.clock import FakeClock
from gateway.testing.fake_auth import Entry, Gate
from gateway.testing.fake_oneroster import FakeOneRoster, GradebookManners
from gateway.testing.fake_oneroster_data import ref, sample_records
from gateway.testing.fake_service import Headers, Reply, Striking
from gateway.testing.faults import Fault, FaultKind
from tests.connectors.oneroster.stand import connect, pull, rows

SINCE = datetime(2026, 9, 1, tzinfo=UTC)


class Listener(FakeOneRoster):
    """Remembers the query and the headers of every list request."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.queries: list[tuple[str, dict[str, str]]] = []
        self.headers: list[str | None] = []

    def answer(self, environ: Any, body: bytes, striking: Striking) -> Reply:
        name = environ["PATH_INFO"].rsplit("/", 1)[-1]
        self.queries.append((name, dict(parse_qsl(environ.get("QUERY_STRING", "")))))
        self.headers.append(environ.get("HTTP_X_VENDOR_KEY"))
        return super().answer(environ, body, striking)


class Enveloped(FakeOneRoster):
    """A self-built server: one path for everything, lists as ``{"data": […], "total": …}``."""

    def _base(self, service: str) -> str:
        return "/ims/oneroster/v1p2"

    def list_reply(self, environ: Any, key: str, records: Any, striking: Striking) -> Reply:
        reply = super().list_reply(environ, key, records, striking)
        rows = reply.document[key]
        headers: Headers = []
        return Reply(200, {"data": rows, "total": len(records), "limit": 5, "offset": 0}, headers)


def delta(connector: OneRosterConnector, name: str) -> list[Page]:
    stream = next(stream for stream in connector.streams(SINCE) if stream.name == name)
    assert stream.mode is PullMode.DELTA
    return list(connector.pull(stream, since=SINCE, resume=None))


@pytest.mark.parametrize(("links", "totals"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("most_rows", [None, 4, 7])
def test_nothing_is_lost_whatever_the_provider_tells_about_its_pages(
    links: bool, totals: bool, most_rows: int | None
) -> None:
    fake = FakeOneRoster(manners=GradebookManners(links=links, totals=totals, most_rows=most_rows))
    pages = pull(connect(fake, profile={"page_size": 10}), "results")
    assert set(rows(pages, "results")["id"]) == set(fake.tables["results"])


def test_every_collection_is_pulled_whole_and_no_view_of_it() -> None:
    fake = Listener()
    connector = connect(fake)
    for stream in connector.streams(None):
        for page in connector.pull(stream, since=None, resume=None):
            for table, frame in page.frames.items():
                assert table in stream.tables
                assert frame.height or table in ("line_item_score_scales", "result_score_scales")
    assert {name for name, _ in fake.queries} == set(ENDPOINTS)


def test_lists_are_asked_for_in_a_fixed_order() -> None:
    fake = Listener()
    pull(connect(fake), "orgs")
    assert fake.queries[-1] == ("orgs", {"limit": "1000", "offset": "0", "sort": "sourcedId", "orderBy": "asc"})
    pull(connect(fake, profile={"sort": False, "page_size": 7}), "orgs")
    assert fake.queries[-1] == ("orgs", {"limit": "7", "offset": "0"})


def test_a_self_built_servers_lists_are_found_under_their_alias() -> None:
    fake = Enveloped()
    pages = pull(connect(fake, preset="self-built", profile={"page_size": 5}), "results")
    assert set(rows(pages, "results")["id"]) == set(fake.tables["results"])


def test_a_self_built_servers_single_objects_are_found_under_their_alias() -> None:
    class Single(Enveloped):
        def answer(self, environ: Any, body: bytes, striking: Striking) -> Reply:
            reply = super().answer(environ, body, striking)
            return Reply(200, {"data": reply.document["result"]}) if "/results/" in environ["PATH_INFO"] else reply

    assert set(connect(Single(), preset="self-built").read_back("results", ["r-0-00", "nobody"])) == {"r-0-00"}
    with pytest.raises(IncompletePullError):
        connect(Single(), preset="self-built", profile={"single_envelopes": {"*": []}}).read_back("results", ["r-0-00"])


def test_an_envelope_that_nobody_named_is_no_empty_list() -> None:
    fake = Enveloped()
    services = {"rostering": "/ims/oneroster/v1p2", "gradebook": "/ims/oneroster/v1p2"}
    with pytest.raises(IncompletePullError) as caught:
        pull(connect(fake, services=services, profile={"sort": False, "optional": []}), "results")
    assert caught.value.code == "page.envelope"


@pytest.mark.parametrize("status", ["403", "404"])
def test_demographics_that_are_refused_are_left_out(status: str) -> None:
    fake = FakeOneRoster()
    fake.inject(Fault(FaultKind.ERROR, status, path="/demographics", times=None))
    names = [stream.name for stream in connect(fake).streams(None)]
    assert set(names) == set(ENDPOINTS) - {"demographics"}


@pytest.mark.parametrize(("status", "error"), [("403", AuthorizationError), ("404", RejectedError)])
def test_any_other_list_that_is_refused_is_an_error_that_says_what_to_do(
    status: str, error: type[AuthorizationError | RejectedError]
) -> None:
    fake = FakeOneRoster()
    fake.inject(Fault(FaultKind.ERROR, status, path="/enrollments", times=None))
    with pytest.raises(error) as caught:
        pull(connect(fake), "enrollments")
    assert "exclude" in caught.value.hint


def test_lists_can_be_chosen() -> None:
    fake = FakeOneRoster()
    chosen = connect(fake, profile={"include": ["orgs", "users"], "exclude": ["users"]})
    assert [stream.name for stream in chosen.streams(None)] == ["orgs"]
    only_rostering = connect(fake, base_url=None, services={"rostering": fake.rostering_url})
    assert {ENDPOINTS[stream.name].service for stream in only_rostering.streams(None)} == {"rostering"}
    assert "scoreScales" not in {stream.name for stream in connect(fake, version="1.1").streams(None)}


# Changes only --------------------------------------------------------------------------------------------------------


def changed_gradebook(**manners: Any) -> Listener:
    fake = Listener(manners=GradebookManners(**manners))
    for id_, status in (("r-0-00", "active"), ("r-0-03", "tobedeleted")):
        fake.tables["results"][id_] |= {"status": status, "dateLastModified": "2026-09-02T00:00:00.000Z"}
    return fake


def test_a_pull_of_changes_brings_what_changed_and_what_was_deleted() -> None:
    fake = changed_gradebook()
    found = rows(delta(connect(fake, profile={"delta": True}), "results"), "results")
    assert dict(found.select("id", "status").iter_rows()) == {"r-0-00": "active", "r-0-03": "tobedeleted"}


def test_a_pull_of_changes_starts_earlier_by_the_overlap() -> None:
    fake = changed_gradebook()
    delta(connect(fake, profile={"delta": True, "delta_overlap_minutes": 30}), "results")
    start = (SINCE - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert fake.queries[-1][1]["filter"] == f"dateLastModified>='{start}'"


def test_a_provider_that_ignores_the_filter_is_found_out() -> None:
    with pytest.raises(ConfigurationError) as caught:
        delta(connect(changed_gradebook(filters=False), profile={"delta": True}), "results")
    assert caught.value.code == "oneroster.filter-ignored"
    assert "delta to false" in caught.value.hint


def test_a_provider_that_refuses_the_filter_is_found_out() -> None:
    fake = changed_gradebook()
    fake.inject(Fault(FaultKind.ERROR, "400", path="/results", times=None))
    with pytest.raises(ConfigurationError) as caught:
        delta(connect(fake, profile={"delta": True}), "results")
    assert caught.value.code == "oneroster.filter-ignored"


@pytest.mark.parametrize(("profile", "since"), [({}, SINCE), ({"delta": True}, None)])
def test_a_pull_is_complete_unless_changes_are_wanted_and_possible(
    profile: Mapping[str, Any], since: datetime | None
) -> None:
    connector = connect(changed_gradebook(), profile=profile)
    assert {stream.mode for stream in connector.streams(since)} == {PullMode.FULL}


# One person, several records -----------------------------------------------------------------------------------------


def campus(**extra: str) -> FakeOneRoster:
    """Infinite Campus 1.1: Ann teaches and administrates; Bo is a student, and an aide."""
    common = {"givenName": "Same", "familyName": "Name", "enabledUser": "true", "status": "active"}
    orgs = {"orgs": [ref("o-1", "org")]}
    records = sample_records("1.1")
    records["users"] = [
        {**common, **orgs, "sourcedId": "t+7", "role": "teacher", "identifier": "7", **extra},
        {**common, **orgs, "sourcedId": "a+7", "role": "administrator", "identifier": "7", **extra},
        {**common, **orgs, "sourcedId": "s+12", "role": "student", "identifier": "12", "agents": [ref("t+7", "user")]},
        {**common, **orgs, "sourcedId": "a+12", "role": "aide", "identifier": "12"},
        {**common, **orgs, "sourcedId": "x", "role": "aide"},
        {**common, **orgs, "sourcedId": "y", "role": "aide", "identifier": " "},
    ]
    records["enrollments"] = [
        {"sourcedId": "e", "status": "active", "role": "student", "user": ref("a+12", "user"),
         "class": ref("k-0", "class"), "school": ref("o-1", "org")},
    ]  # fmt: skip
    return FakeOneRoster(records, version="1.1")


def test_prefixes_are_taken_away_and_the_records_of_a_person_merged() -> None:
    profile = {"user_prefixes": ["s+", "t+", "a+"], "merge_users_by": "sourcedId", "page_size": 2}
    connector = connect(campus(), version="1.1", profile=profile)
    users = pull(connector, "users")
    assert sorted(rows(users, "users")["id"]) == ["12", "7", "x", "y"]
    roles = rows(users, "roles").select("user_id", "role").rows()
    assert sorted(roles) == [
        ("12", "aide"), ("12", "student"), ("7", "administrator"), ("7", "teacher"), ("x", "aide"), ("y", "aide"),
    ]  # fmt: skip
    assert rows(users, "users").filter(id="12")["agent_ids"].to_list() == [["7"]]
    assert rows(pull(connector, "enrollments"), "enrollments")["user_id"].to_list() == ["12"]


def test_records_are_merged_by_an_identifier_and_never_by_a_name() -> None:
    connector = connect(campus(), version="1.1", profile={"merge_users_by": "identifier"})
    found = rows(pull(connector, "users"), "users")
    assert sorted(found["id"]) == ["a+7", "s+12", "x", "y"]
    assert rows(pull(connector, "enrollments"), "enrollments")["user_id"].to_list() == ["s+12"]


def test_an_active_record_stands_for_a_person_before_a_deleted_one() -> None:
    fake = campus()
    fake.tables["users"]["s+12"]["status"] = "tobedeleted"
    connector = connect(fake, version="1.1", profile={"merge_users_by": "identifier"})
    assert "a+12" in rows(pull(connector, "users"), "users")["id"].to_list()


def test_a_pull_that_goes_on_in_a_new_process_merges_alike() -> None:
    fake = campus()
    profile = {"merge_users_by": "identifier", "page_size": 2}
    pages = pull(connect(fake, version="1.1", profile=profile), "users")
    later = connect(fake, version="1.1", profile=profile)
    stream = next(stream for stream in later.streams(None) if stream.name == "users")
    rest = list(later.pull(stream, since=None, resume=pages[0].resume))
    assert rows(rest, "users").equals(rows(pages[1:], "users"))


# Pace, headers, rights -----------------------------------------------------------------------------------------------


def test_no_more_requests_a_minute_than_the_profile_says() -> None:
    clock = FakeClock()
    connector = connect(FakeOneRoster(), profile={"page_size": 5, "requests_per_minute": 60}, clock=clock)
    pull(connector, "results")
    assert len(clock.waits) >= 6
    assert all(wait > 0 for wait in clock.waits)


def test_a_vendors_header_is_sent_with_every_request() -> None:
    fake = Listener()
    pull(connect(fake, profile={"headers": {"X-Vendor-Key": "abc"}}), "orgs")
    assert set(fake.headers) == {"abc"}


def test_a_session_cookie_of_the_token_is_sent_along() -> None:
    fake = FakeOneRoster(gate=Gate(Entry.OAUTH2_BODY, cookie="JSESSIONID=1"))
    assert pull(connect(fake), "orgs")


@pytest.mark.parametrize("entry", list(Entry))
def test_every_kind_of_credentials_opens(entry: Entry) -> None:
    if entry is not Entry.NONE:
        assert pull(connect(FakeOneRoster(gate=Gate(entry))), "orgs")


@pytest.mark.parametrize(
    ("version", "profile", "writes", "expected"),
    [
        ("1.2", {}, False, ["roster.readonly", "roster-demographics.readonly", "gradebook.readonly"]),
        ("1.1", {"exclude": ["demographics"]}, False, ["roster.readonly", "gradebook.readonly"]),
        ("1.2", {}, True, ["gradebook.readonly", "gradebook.createput", "gradebook.delete"]),
        ("1.2", {"write_style": "post", "inactivate": "tobedeleted"}, True,
         ["gradebook.readonly", "gradebook.createput", "gradebook.createpost"]),
    ],
)  # fmt: skip
def test_no_more_rights_are_asked_for_than_are_needed(
    version: str, profile: dict[str, Any], writes: bool, expected: list[str]
) -> None:
    loaded = Profile(**ProfileSchema().load(profile))
    pulled = [endpoint for endpoint in ENDPOINTS.values() if endpoint.name not in loaded.excluded]
    prefix = f"https://purl.imsglobal.org/spec/or/v1p{version[-1]}/scope/"
    assert default_scopes(version, pulled, loaded, writes=writes) == [prefix + name for name in expected]


def test_a_page_of_results_is_json_that_was_not_touched() -> None:
    """The oracle for all of the above: what the fake holds is what arrives."""
    fake = FakeOneRoster()
    found = rows(pull(connect(fake), "results"), "results").select("id", "score", "comment").rows()
    held = [(r["sourcedId"], json.dumps(r["score"]), r["comment"]) for r in fake.tables["results"].values()]
    assert sorted(found) == sorted(held)
