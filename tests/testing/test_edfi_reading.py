"""Lists, cursors, change queries and snapshots of the fake Ed-Fi host, and what goes wrong with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.testing.edfi import FakeEdFi, Profile
from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.sample import uri
from gateway.testing.faults import Fault, FaultKind
from tests.testing.edfi_client import Client

STUDENTS = 60
SMALL = replace(Profile.of((7, 3)), most_rows=5)


def students(count: int) -> list[dict[str, str]]:
    return [
        {"studentUniqueId": f"{n:04d}", "firstName": "A", "lastSurname": f"B{n % 2}", "birthDate": "2011-05-01"}
        for n in range(count)
    ]


@pytest.fixture
def remote() -> FakeEdFi:
    host = FakeEdFi(profile=SMALL)
    host.seed("students", *students(STUDENTS))
    return host


@pytest.fixture
def client(remote: FakeEdFi) -> Client:
    return Client(remote)


def keys(rows: list[dict[str, Any]]) -> list[str]:
    return [row["studentUniqueId"] for row in rows]


def by_offset(client: Client, **params: object) -> list[str]:
    """Page forward, as naive clients do."""
    found: list[str] = []
    while page := client.get("students", offset=len(found), limit=5, **params).json():
        found += keys(page)
    return found


def by_cursor(client: Client, **params: object) -> list[str]:
    found: list[str] = []
    answer = client.get("students", **params)
    while page := answer.json():
        found += keys(page)
        token = answer.headers["Next-Page-Token"]
        answer = client.get("students", pageToken=token, pageSize=5, **params)
    assert "Next-Page-Token" not in answer.headers
    return found


ALL = [f"{n:04d}" for n in range(STUDENTS)]


def test_pages_by_offset_and_by_cursor_hold_every_row_once(client: Client) -> None:
    assert by_offset(client) == by_cursor(client) == ALL


def test_the_default_page_has_25_rows_and_the_total_is_told_when_asked_for() -> None:
    host = FakeEdFi()
    host.seed("students", *students(30))
    client = Client(host)
    answer = client.get("students")
    assert (len(answer.json()), "Total-Count" in answer.headers) == (25, False)
    answer = client.get("students", totalCount="true", limit=0)
    assert (answer.json(), answer.headers["Total-Count"]) == ([], "30")
    assert len(client.get("students", limit=500).json()) == 30


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 6},
        {"limit": -1},
        {"limit": "many"},
        {"offset": -1},
        {"limit": 1, "pageToken": "x"},
        {"offset": 0, "pageSize": 1},
        {"pageToken": "!"},
        {"pageSize": 6},
        {"minChangeVersion": 9, "maxChangeVersion": 8},
        {"minChangeVersion": "then"},
    ],
)
def test_bad_parameters_are_refused(client: Client, params: dict[str, object]) -> None:
    answer = client.get("students", **params)
    assert (answer.status_code, answer.json()["type"]) == (
        400,
        "urn:ed-fi:api:bad-request:parameter-validation-failed",
    )


def test_no_total_with_a_page_token(client: Client) -> None:
    token = client.get("students").headers["Next-Page-Token"]
    assert client.get("students", pageToken=token, totalCount="true").status_code == 400


def test_partitions_share_the_rows(client: Client) -> None:
    tokens = client.get("students/partitions", number=2).json()["pageTokens"]
    assert len(tokens) == 2
    found: list[str] = []
    for token in tokens:
        answer = client.get("students", pageToken=token, pageSize=5)
        while page := answer.json():
            found += keys(page)
            answer = client.get("students", pageToken=answer.headers["Next-Page-Token"], pageSize=5)
    assert found == ALL
    assert len(client.get("students/partitions", number=9).json()["pageTokens"]) < 9
    assert client.get("students/partitions", number=0).status_code == 400


def test_there_is_no_cursor_before_7_3() -> None:
    host = FakeEdFi("7.2")
    host.seed("students", *students(30))
    client = Client(host)
    answer = client.get("students", pageToken="x", pageSize=5)
    assert (len(answer.json()), "Next-Page-Token" in answer.headers) == (25, False)
    assert client.get("students/partitions").status_code == 404


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"studentUniqueId": "0007"}, 1),
        ({"STUDENTuniqueid": "0007"}, 1),
        ({"lastSurname": "B1", "limit": 5}, 5),
        ({"lastSurname": "B1", "firstName": "A", "studentUniqueId": "0007"}, 1),
        ({"lastSurname": "B1", "studentUniqueId": "0008"}, 0),
        ({"studentUniqueId": "none"}, 0),
    ],
)
def test_any_member_is_a_filter(client: Client, params: dict[str, object], count: int) -> None:
    assert len(client.get("students", **params).json()) == count


def test_keys_of_references_and_descriptors_are_filters() -> None:
    client = Client(furnished(FakeEdFi(), students=3))
    assert len(client.get("grades", studentUniqueId="604801", schoolYear=2027).json()) == 1
    assert len(client.get("grades", gradeTypeDescriptor=uri("gradeType", "Grading Period")).json()) == 3
    assert len(client.get("grades", gradingPeriodName="Q2").json()) == 0
    item = client.get("grades").json()[0]
    assert client.one("grades", id=item["id"]) == item


def test_an_unknown_filter_returns_the_whole_set_or_is_refused(client: Client) -> None:
    assert len(client.get("students", studentId="0007", limit=5).json()) == 5
    strict = Client(FakeEdFi(profile=replace(SMALL, refuses_unknown_filters=True)))
    assert strict.get("students", studentId="0007").status_code == 400


def test_items_carry_ids_etags_dates_and_links() -> None:
    client = Client(furnished(FakeEdFi(), students=1))
    grade = client.one("grades")
    assert set(grade) > {"id", "_etag", "_lastModifiedDate"}
    assert grade["learningStandardGrades"][0]["learningStandardReference"]["link"]["rel"] == "LearningStandard"
    link = grade["gradingPeriodReference"]["link"]
    assert link["rel"] == "GradingPeriod"
    assert client.get(link["href"].removeprefix("/ed-fi/")).json()["gradingPeriodName"] == "Q1"


def test_rows_that_leave_a_window_are_lost_by_paging_forward_and_kept_by_paging_backward(
    client: Client, remote: FakeEdFi
) -> None:
    newest = remote.data.store.newest
    window = {"minChangeVersion": 0, "maxChangeVersion": newest}
    remote.inject(Fault(FaultKind.ROWS_MOVE, "update", times=3))
    assert len(by_offset(client, **window)) < STUDENTS
    remote.faults.clear()
    newest = remote.data.store.newest
    remote.inject(Fault(FaultKind.ROWS_MOVE, "update", path="limit=5", times=3))
    window = {"minChangeVersion": 0, "maxChangeVersion": newest}
    found: set[str] = set()
    for offset in range(STUDENTS - 5, -1, -5):
        found |= set(keys(client.get("students", offset=offset, limit=5, **window).json()))
    assert found == set(ALL)


def test_rows_deleted_while_reading_are_lost_to_offsets_and_not_to_cursors(client: Client, remote: FakeEdFi) -> None:
    remote.inject(Fault(FaultKind.ROWS_MOVE, "delete", times=4))
    left = set(by_offset(client)) | {"0000"}
    assert len(left) < STUDENTS
    remote.faults.clear()
    there = set(keys(remote.rows("students")))
    remote.inject(Fault(FaultKind.ROWS_MOVE, "delete", times=4))
    assert there <= set(by_cursor(client))


def test_changes_deletes_and_the_newest_version(client: Client, remote: FakeEdFi) -> None:
    changes = f"{remote.base_url}/changeQueries/v1/availableChangeVersions"
    saved = client.session.get(changes).json()["newestChangeVersion"]
    first, second, *_ = remote.items("students").items()
    remote.replace("students", first[0], {**first[1], "firstName": "Eve"})
    remote.remove("students", second[0])
    assert keys(client.get("students", minChangeVersion=saved + 1).json()) == ["0000"]
    (gone,) = client.get("students/deletes", minChangeVersion=saved + 1).json()
    assert (gone["id"], gone["keyValues"]) == (second[0], {"studentUniqueId": "0001"})
    newest = client.session.get(changes).json()["newestChangeVersion"]
    assert newest == gone["changeVersion"] == saved + 2
    assert client.get("students/deletes", minChangeVersion=newest + 1).json() == []
    remote.seed("students", second[1])
    assert client.get("students/deletes").json() == []


def test_a_snapshot_stays_as_it_was(client: Client, remote: FakeEdFi) -> None:
    header = {"Use-Snapshot": "true"}
    answer = client.get("students", headers=header)
    assert (answer.status_code, answer.json()["title"]) == (404, "Snapshot Not Found")
    remote.take_snapshot()
    remote.remove("students", next(iter(remote.items("students"))))
    remote.seed("students", {**students(1)[0], "studentUniqueId": "new"})
    assert keys(client.get("students", headers=header).json())[0] == "0000"
    assert keys(client.get("students").json())[0] == "0001"
    total = client.get("students", headers=header, totalCount="true", limit=0).headers["Total-Count"]
    assert total == str(STUDENTS)
    assert client.post("students", students(1)[0], headers=header).status_code == 405


def test_snapshots_up_to_6_x_have_names() -> None:
    host = FakeEdFi("6.1")
    host.take_snapshot("s-1")
    client = Client(host)
    assert client.session.get(f"{host.base_url}/changeQueries/v1/snapshots").json() == [{"snapshotIdentifier": "s-1"}]
    assert client.get("students", headers={"Snapshot-Identifier": "s-1"}).status_code == 200
    assert client.get("students", headers={"Snapshot-Identifier": "s-2"}).status_code == 404


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(FaultKind.CLAMPED_LIMIT, "2"), ALL[5:7]),
        (Fault(FaultKind.SHRUNKEN_PAGE), ALL[5:7]),
        (Fault(FaultKind.EMPTY_PAGE), []),
        (Fault(FaultKind.REPEATED_PAGE), ALL[:5]),
        (Fault(FaultKind.OVERLAPPING_PAGE), ALL[4:9]),
        (Fault(FaultKind.SHUFFLED_PAGE), ALL[9:4:-1]),
        (Fault(FaultKind.SLOW, "0"), ALL[5:10]),
    ],
)
def test_pages_go_wrong_on_demand(client: Client, remote: FakeEdFi, fault: Fault, expected: list[str]) -> None:
    first = client.get("students")
    remote.inject(replace(fault, times=2))
    token = first.headers["Next-Page-Token"]
    assert keys(client.get("students", pageToken=token, pageSize=5).json()) == expected
    assert keys(client.get("students", offset=5, limit=5).json()) == expected


def test_a_cursor_that_loops_gives_the_same_token_again(client: Client, remote: FakeEdFi) -> None:
    token = client.get("students").headers["Next-Page-Token"]
    remote.inject(Fault(FaultKind.LINK_LOOP))
    assert client.get("students", pageToken=token).headers["Next-Page-Token"] == token


def test_an_empty_page_in_the_middle_does_not_lose_the_place(client: Client, remote: FakeEdFi) -> None:
    token = client.get("students").headers["Next-Page-Token"]
    remote.inject(Fault(FaultKind.EMPTY_PAGE))
    answer = client.get("students", pageToken=token, pageSize=5)
    assert answer.json() == []
    again = client.get("students", pageToken=answer.headers["Next-Page-Token"], pageSize=5)
    assert keys(again.json()) == ALL[5:10]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FaultKind.NAN, '"damaged":NaN'),
        (FaultKind.DOUBLED_KEY, '"id":"doubled"'),
        (FaultKind.BAD_RECORD, '"studentUniqueId":{"not":"a text"}'),
        (FaultKind.NO_ENVELOPE, '{"value":['),
        (FaultKind.LOGIN_PAGE, "<html>"),
    ],
)
def test_bodies_go_wrong_on_demand(client: Client, remote: FakeEdFi, kind: FaultKind, text: str) -> None:
    remote.inject(Fault(kind))
    assert text in client.get("students").text


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(["insert", "update", "delete", "nothing"]), st.integers(0, 39)), max_size=12))
def test_a_cursor_returns_what_stays_exactly_once_whatever_happens_meanwhile(actions: list[tuple[str, int]]) -> None:
    remote = FakeEdFi(profile=SMALL)
    remote.seed("students", *students(40))
    client = Client(remote)
    answer, found, gone, todo = client.get("students"), list[str](), set[str](), list(actions)
    while page := answer.json():
        found += keys(page)
        kind, number = todo.pop() if todo else ("nothing", 0)
        there = {row["studentUniqueId"]: id_ for id_, row in remote.items("students").items()}
        key = f"{number:04d}"
        if kind == "insert":
            remote.seed("students", {**students(1)[0], "studentUniqueId": f"new-{len(todo)}"})
        elif kind == "update" and key in there:
            remote.replace("students", there[key], {**students(1)[0], "studentUniqueId": key, "firstName": "Eve"})
        elif kind == "delete" and key in there:
            remote.remove("students", there[key])
            gone.add(key)
        answer = client.get("students", pageToken=answer.headers["Next-Page-Token"], pageSize=5)
    assert len(found) == len(set(found))
    assert set(ALL[:40]) - gone <= set(found)
