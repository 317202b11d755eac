"""Rows that move while they are read: a pull is whole, or it says that it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.errors import IncompletePullError
from gateway.core.exchange import PullMode
from gateway.testing.edfi import FakeEdFi, Profile
from gateway.testing.edfi.district import furnished
from gateway.testing.faults import Fault, FaultKind
from tests.connectors.edfi.source_stand import SourceStand, ids

STUDENTS = 9


def host(version: str, *, changes: bool = True) -> FakeEdFi:
    major, minor = (int(part) for part in version.split("."))
    profile = Profile.of((major, minor))
    profile = type(profile)(**{name: getattr(profile, name) for name in profile.__slots__} | {"changes": changes})
    return furnished(FakeEdFi(version, profile=profile), students=STUDENTS)


def lasting(remote: FakeEdFi) -> set[str]:
    """The grades that are still there: by their students, each of whom has one."""
    return {each["studentSectionAssociationReference"]["studentUniqueId"] for each in remote.rows("grades")}


@pytest.mark.parametrize("version", ["5.3", "6.1", "7.1", "7.3", "8.0"])
@pytest.mark.parametrize("how", ["update", "delete"])
@pytest.mark.parametrize("times", [1, 4])
def test_what_is_there_all_the_time_is_delivered(version: str, how: str, times: int, tmp_path: Path) -> None:
    remote = host(version)
    remote.inject(Fault(FaultKind.ROWS_MOVE, how, path="ed-fi/grades?", method="GET", after=2, times=times))
    pulled = SourceStand(remote, tmp_path, streams=["gradebook"]).pull()
    graded = pulled["results"].filter(pulled["results"]["id"].str.starts_with("grade:"))
    assert lasting(remote) <= {each.removeprefix("student:") for each in graded["student_id"]}


def test_without_change_queries_and_cursors_rows_that_are_lost_are_told(tmp_path: Path) -> None:
    remote = host("7.1", changes=False)
    remote.inject(Fault(FaultKind.ROWS_MOVE, "delete", path="ed-fi/grades?", method="GET", after=2))
    with pytest.raises(IncompletePullError) as caught:
        SourceStand(remote, tmp_path, streams=["gradebook"]).pull()
    assert caught.value.code.startswith("paging.")


@pytest.mark.parametrize(("version", "changes"), [("6.1", True), ("7.1", False), ("7.3", True)])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.CLAMPED_LIMIT, "1", times=None),
        Fault(FaultKind.SHRUNKEN_PAGE),
        Fault(FaultKind.EMPTY_PAGE),
        Fault(FaultKind.SHUFFLED_PAGE, times=None),
        Fault(FaultKind.THROTTLED, "1", times=2),
        Fault(FaultKind.ERROR, "504"),
    ],
    ids=lambda fault: str(fault.kind),
)
def test_pages_that_are_not_as_asked_cost_nothing(version: str, changes: bool, fault: Fault, tmp_path: Path) -> None:
    remote = host(version, changes=changes)
    expected = ids(SourceStand(remote, tmp_path / "1", streams=["enrollments"], page_size=4).pull(), "enrollments")
    fault.path, fault.method, fault.after = "ed-fi/studentSectionAssociations", "GET", 2
    remote.inject(fault)
    pulled = SourceStand(remote, tmp_path / "2", streams=["enrollments"], page_size=4).pull()["enrollments"]
    assert set(pulled["id"]) == expected
    assert pulled["id"].is_unique().all()


@pytest.mark.parametrize("version", ["6.1", "7.3"])
def test_a_total_that_times_out_does_not_stop_the_pull(version: str, tmp_path: Path) -> None:
    remote = host(version)
    expected = ids(SourceStand(remote, tmp_path / "1", streams=["enrollments"]).pull(), "enrollments")
    remote.inject(Fault(FaultKind.ERROR, "504", path="totalCount=true", times=2))
    assert ids(SourceStand(remote, tmp_path / "2", streams=["enrollments"]).pull(), "enrollments") == expected


def test_a_list_with_more_than_a_window_holds_is_cut_by_change_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.edfi.paging.WINDOW_ROWS", 5)
    remote = host("6.1")
    pulled = SourceStand(remote, tmp_path, streams=["enrollments"]).pull()["enrollments"]
    assert len(ids({"enrollments": pulled}, "enrollments")) == pulled.height == STUDENTS + 1


@pytest.mark.parametrize("version", ["6.1", "7.1", "7.3"])
def test_the_third_night_reads_only_what_changed(version: str, tmp_path: Path) -> None:
    remote = host(version)
    stand = SourceStand(remote, tmp_path, streams=["users", "enrollments", "gradebook"], delta=True)
    _, first = stand.night()
    assert stand.modes["gradebook"] is PullMode.FULL
    _, second = stand.night(first)
    assert stand.modes["gradebook"] is PullMode.FULL, "nothing shows that no note was lost before the first night"
    gone, changed = list(remote.items("studentGradebookEntries").items())[:2]
    remote.remove("studentGradebookEntries", gone[0])
    remote.replace("studentGradebookEntries", changed[0], {**changed[1], "letterGradeEarned": "A"})
    pulled, _ = stand.night(second)
    assert stand.modes == {
        "users": PullMode.FULL, "enrollments": PullMode.DELTA, "gradebook": PullMode.DELTA
    }  # fmt: skip
    told = dict(pulled["results"].select("student_id", "status").iter_rows()) | {}
    withdrawn = pulled["results"].filter(pulled["results"]["status"] == "tobedeleted")["id"].to_list()
    assert [each.rpartition(":")[2] for each in withdrawn] == [gone[1]["studentReference"]["studentUniqueId"]]
    assert told[f"student:{changed[1]['studentReference']['studentUniqueId']}"] is None
    assert pulled["results"].height == 2


def test_a_key_that_changes_withdraws_the_old_record(tmp_path: Path) -> None:
    remote = host("7.3")
    stand = SourceStand(remote, tmp_path, streams=["enrollments"], delta=True)
    _, first = stand.night()
    _, second = stand.night(first)
    id_, moved = next(iter(remote.items("studentSectionAssociations").items()))
    remote.remove("grades", next(iter(remote.items("grades"))))
    remote.replace("studentSectionAssociations", id_, {**moved, "beginDate": "2026-08-25"})
    rows = stand.night(second)[0]["enrollments"]
    assert sorted(rows.select("status", "begin_date").iter_rows(), key=str) == [
        ("tobedeleted", None), (None, "2026-08-25")
    ]  # fmt: skip


def test_a_deleted_test_or_a_host_that_was_set_back_is_read_as_a_whole(tmp_path: Path) -> None:
    remote = host("7.3")
    stand = SourceStand(remote, tmp_path, streams=["enrollments", "gradebook"], delta=True)
    _, first = stand.night()
    _, second = stand.night(first)
    remote.remove("studentAssessments", next(iter(remote.items("studentAssessments"))))
    _, third = stand.night(second)
    assert stand.modes == {"enrollments": PullMode.DELTA, "gradebook": PullMode.FULL}
    remote.data.store.newest -= 5
    stand.night(third)
    assert set(stand.modes.values()) == {PullMode.FULL}


@pytest.mark.parametrize("version", ["6.1", "7.3"])
def test_a_snapshot_is_read_where_one_is_asked_for(version: str, tmp_path: Path) -> None:
    remote = host(version)
    remote.take_snapshot("" if version == "7.3" else "nightly")
    before = len(remote.rows("grades"))
    remote.remove("grades", next(iter(remote.items("grades"))))
    rows = SourceStand(remote, tmp_path, streams=["gradebook"], snapshot=True).pull()["results"]
    assert rows.filter(rows["id"].str.starts_with("grade:")).height == before
