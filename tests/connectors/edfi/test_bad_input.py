"""Hosts and records that are not as they should be: each is named, and none stops the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gateway.core.errors import IncompletePullError
from gateway.core.exchange import OutcomeState
from gateway.testing.edfi import Claims, EdFiGate, FakeEdFi, Profile
from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.store import Row, Table
from gateway.testing.faults import Fault, FaultKind
from tests.connectors.edfi.source_stand import SourceStand, ids
from tests.connectors.edfi.target_stand import (
    COMPETENCIES,
    NAMESPACE,
    STUDENTS,
    Stand,
    change,
    line_item,
    make_host,
    result,
)
from tests.connectors.edfi.test_source_moving import host

LIST = "studentSectionAssociations"


def reordered(monkeypatch: pytest.MonkeyPatch, order: Callable[[int, list[Row]], list[Row]]) -> None:
    """The list comes in another order at each request."""
    listing, asked = Table.listing, [0]

    def other(self: Table, *args: Any) -> list[Row]:
        rows = listing(self, *args)
        if self.name != LIST:
            return rows
        asked[0] += 1
        return order(asked[0], rows)

    monkeypatch.setattr(Table, "listing", other)


@pytest.mark.parametrize(("version", "changes"), [("6.1", True), ("7.1", False)])
def test_a_host_that_sorts_anew_at_each_request_never_gives_a_short_pull_that_looks_whole(
    version: str, changes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = host(version, changes=changes)
    whole = ids(SourceStand(remote, tmp_path / "whole", streams=["enrollments"]).pull(), "enrollments")
    reordered(monkeypatch, lambda asked, rows: rows[asked * 3 % len(rows) :] + rows[: asked * 3 % len(rows)])
    with pytest.raises(IncompletePullError) as caught:
        SourceStand(remote, tmp_path / "moved", streams=["enrollments"]).pull()
    assert caught.value.code in ("paging.short", "paging.repeated-page")
    assert caught.value.hint
    rest = SourceStand(remote, tmp_path / "rest", streams=["users"]).pull()
    assert rest["users"].height > 0, "the other lists are not the worse for it"
    monkeypatch.undo()
    assert ids(SourceStand(remote, tmp_path / "again", streams=["enrollments"]).pull(), "enrollments") == whole


@pytest.mark.parametrize("version", ["6.1", "7.1", "7.3"])
def test_a_list_that_is_sorted_backwards_is_read_as_it_is(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = host(version)
    whole = ids(SourceStand(remote, tmp_path / "whole", streams=["enrollments"]).pull(), "enrollments")
    if version != "7.3":  # a cursor goes by the host's own numbers
        reordered(monkeypatch, lambda asked, rows: rows[::-1])
    assert ids(SourceStand(remote, tmp_path / "back", streams=["enrollments"]).pull(), "enrollments") == whole


@pytest.mark.parametrize("version", ["6.1", "7.3"])
def test_a_page_that_comes_twice_is_named(version: str, tmp_path: Path) -> None:
    remote = host(version)
    remote.inject(Fault(FaultKind.REPEATED_PAGE, path=f"ed-fi/{LIST}?", method="GET", after=3, times=None))
    with pytest.raises(IncompletePullError) as caught:
        SourceStand(remote, tmp_path, streams=["enrollments"]).pull()
    assert caught.value.code in ("paging.repeated-page", "paging.loop", "paging.short")


@pytest.mark.parametrize("version", ["5.3", "6.1", "7.1", "7.3"])
def test_a_key_that_changes_in_mid_pull_loses_nothing_and_is_settled_by_the_next_night(
    version: str, tmp_path: Path
) -> None:
    remote = host(version)
    stand = SourceStand(remote, tmp_path, streams=["enrollments"])
    source = stand.connector()
    (stream,) = source.streams(None)
    id_, moved = list(remote.items(LIST).items())[-1]
    for grade, body in remote.items("grades").items():
        if (
            body["studentSectionAssociationReference"]["studentUniqueId"]
            == moved["studentReference"]["studentUniqueId"]
        ):
            remote.remove("grades", grade)
    found = []
    for number, page in enumerate(source.pull(stream, since=None, resume=None)):
        found.append(page.frames.get("enrollments", pl.DataFrame()))
        if number == 0:
            remote.replace(LIST, id_, {**moved, "beginDate": "2026-08-25"})
    begun = set(pl.concat([frame for frame in found if frame.height])["begin_date"])
    assert "2026-08-25" in begun
    after = SourceStand(remote, tmp_path / "after", streams=["enrollments"]).pull()["enrollments"]
    mine = after.filter(pl.col("user_id") == f"student:{moved['studentReference']['studentUniqueId']}")
    assert mine["begin_date"].to_list() == ["2026-08-25"]


def test_a_year_that_is_closed_is_named_and_does_not_stop_another(tmp_path: Path) -> None:
    closed = EdFiGate(claims=Claims(closed_years=frozenset({2026})))
    remote = make_host(gate=closed, years=[2026, 2027])
    outcomes = {}
    for year in (2026, 2027):
        stand = Stand(remote, tmp_path / str(year), "gradebook")
        stand.settings["school_year"] = year
        assert all(item.ok for item in stand.target().check()), "a closed year can be read"
        outcomes[year] = stand.push(change("line_items", line_item()), change("results", result(STUDENTS[0], "r-1")))
    assert {id_: (each.state, each.code) for id_, each in outcomes[2026].items()} == {
        "entry-1": (OutcomeState.REJECTED, "edfi.claim-set"),
        "r-1": (OutcomeState.FAILED, "edfi.waits"),
    }
    assert "year" in outcomes[2026]["entry-1"].message
    assert {each.state for each in outcomes[2027].values()} == {OutcomeState.ACCEPTED}


def test_a_record_that_another_system_owns_is_named_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    profile = Profile.of((7, 3))
    owned = Profile(**{name: getattr(profile, name) for name in Profile.__slots__} | {"owned": True})
    stand = Stand(make_host(profile=owned), tmp_path, "grades", "competencies")
    outcomes = stand.push(*(change("results", result(each, f"r-{each}")) for each in STUDENTS[:2]))
    assert {each.code for each in outcomes.values()} == {"edfi.not-owner"}
    levels = [row for row in stand.host.rows("studentCompetencyObjectives") if "diagnosticStatement" in row]
    assert len(levels) == 4, "the levels, which nobody else owns, are there all the same"


def test_a_competency_without_an_objective_holds_back_no_other_and_nothing_goes_meanwhile(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "gradebook", "competencies", "grades")
    stand.push(change("line_items", line_item()), change("results", result(STUDENTS[0], "r-1")))
    host = stand.host
    first = change("results", result(STUDENTS[1], "r-2", competencies=["unheard-of", COMPETENCIES[0]]))
    later = change("results", result(STUDENTS[0], "r-1", competencies=["unheard-of"]))
    outcomes = stand.push(change("line_items", line_item()), first, later)
    for id_ in ("r-1", "r-2"):
        assert (outcomes[id_].state, outcomes[id_].code) == (OutcomeState.FAILED, "edfi.no-objective")
    told = [row for row in host.rows("studentCompetencyObjectives") if "diagnosticStatement" in row]
    by_student = Counter(row["studentReference"]["studentUniqueId"] for row in told)
    assert by_student == {STUDENTS[0]: 2, STUDENTS[1]: 1}, "the other level is told, and none is taken back"
    scored = {row["studentReference"]["studentUniqueId"] for row in host.rows("studentGradebookEntries")
              if row["gradebookEntryReference"]["namespace"] == NAMESPACE}  # fmt: skip
    assert scored == set(STUDENTS[:2]), "the gradebook does not wait for it"


def test_a_claim_set_that_forbids_a_list_is_named_with_what_to_do(tmp_path: Path) -> None:
    denied = EdFiGate(claims=Claims(denied=frozenset({("grades", "*"), ("sections", "Read")})))
    remote = furnished(FakeEdFi("7.3", gate=denied), students=2)
    failed = {item.what: item.hint for item in SourceStand(remote, tmp_path).connector().check() if not item.ok}
    assert set(failed) == {"grades", "sections"}
    assert all("exclude" in hint and "claim set" in hint for hint in failed.values())


def test_totals_that_never_come_in_time_are_done_without_where_they_can_be(tmp_path: Path) -> None:
    remote = host("7.3")
    whole = ids(SourceStand(remote, tmp_path / "1", streams=["enrollments"]).pull(), "enrollments")
    remote.inject(Fault(FaultKind.ERROR, "504", path="totalCount=true", times=None))
    assert ids(SourceStand(remote, tmp_path / "2", streams=["enrollments"]).pull(), "enrollments") == whole
    older = host("6.1")
    older.inject(Fault(FaultKind.ERROR, "504", path="totalCount=true", times=None))
    with pytest.raises(IncompletePullError) as caught:
        SourceStand(older, tmp_path / "3", streams=["enrollments"]).pull()
    assert caught.value.code == "edfi.count"
