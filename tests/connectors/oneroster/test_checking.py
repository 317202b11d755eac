"""The connection test: what it tries, what it says, and that it never writes."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.oneroster.endpoints import ENDPOINTS
from gateway.core.exchange import CheckItem
from gateway.testing.fake_oneroster import FakeOneRoster, GradebookManners
from gateway.testing.fake_service import Reply, Striking
from gateway.testing.faults import Fault, FaultKind
from tests.connectors.oneroster.stand import connect


class Described(FakeOneRoster):
    """A provider that publishes its description."""

    def answer(self, environ: Any, body: bytes, striking: Striking) -> Reply:
        if environ["PATH_INFO"].endswith("/discovery/imsorv1p2_rostering_openapi3_v1p0.json"):
            return Reply(200, {"openapi": "3.0.1", "info": {"title": "Rosters", "version": "1.2"}})
        return super().answer(environ, body, striking)


def items(fake: FakeOneRoster, **settings: Any) -> dict[str, CheckItem]:
    return {item.what: item for item in connect(fake, **settings).check()}


def test_each_list_is_tried_with_one_record() -> None:
    fake = FakeOneRoster()
    found = items(fake)
    assert set(found) == {*ENDPOINTS, "writing to the gradebook"}
    assert all(item.ok and item.message for item in found.values())
    assert fake.writes == 0


def test_a_list_without_records_is_said_to_be_empty() -> None:
    fake = FakeOneRoster()
    fake.tables["orgs"].clear()
    assert items(fake)["orgs"].message == "The list can be read; it is empty."


def test_a_list_that_is_refused_names_its_scope_and_the_others_are_tried() -> None:
    fake = FakeOneRoster()
    fake.inject(Fault(FaultKind.ERROR, "403", path="/orgs", times=None))
    found = items(fake)
    assert not found["orgs"].ok
    assert "roster.readonly" in found["orgs"].hint
    assert found["results"].ok


def test_demographics_that_are_refused_are_no_failure() -> None:
    fake = FakeOneRoster()
    fake.inject(Fault(FaultKind.ERROR, "403", path="/demographics", times=None))
    item = items(fake)["demographics"]
    assert item.ok
    assert "left out" in item.message


@pytest.mark.parametrize(("filters", "ok"), [(True, True), (False, False)])
def test_the_filter_is_tried_where_changes_are_to_be_pulled(filters: bool, ok: bool) -> None:
    fake = FakeOneRoster(manners=GradebookManners(filters=filters))
    assert items(fake, profile={"delta": True})["pull of changes"].ok is ok


def test_the_version_is_told_where_the_provider_publishes_it() -> None:
    assert items(Described())["rostering version"].message == "The provider describes its version as 1.2."


def test_a_provider_that_is_away_is_one_item_and_not_eleven() -> None:
    fake = FakeOneRoster()
    fake.inject(Fault(FaultKind.HANG_UP, times=None))
    (item,) = items(fake).values()
    assert not item.ok
    assert item.hint


def test_a_connection_that_may_only_read_is_content_and_says_so() -> None:
    fake = FakeOneRoster()
    fake.inject(Fault(FaultKind.ERROR, "403", path="/token", after=1, times=None))
    item = items(fake)["writing to the gradebook"]
    assert item.ok
    assert "can only be read" in item.message
