"""From the JSON of a page to raw rows: nothing is lost, nothing is changed, a bad record costs itself alone."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oneroster.endpoints import ENDPOINTS
from connectors.oneroster.frames import frames_of, ids_of, role_id, unreadable_ids
from gateway.core.exchange import REJECTS
from gateway.core.model import LINE, SOURCE, TABLES
from gateway.transport.json_body import decode_records


def read(name: str, body: bytes) -> dict[str, pl.DataFrame]:
    endpoint = ENDPOINTS[name]
    page = decode_records(body, endpoint.record, (name,), source="page")
    unreadable = unreadable_ids(body, (name,), page.faults)
    assert len(ids_of(page, unreadable)) == len(page.items) + len(page.faults)
    return frames_of(endpoint, page, f"{name} page 7", unreadable)


def page(name: str, *records: Any) -> bytes:
    return json.dumps({name: records}).encode()


def only(frame: pl.DataFrame) -> dict[str, Any]:
    assert frame.height == 1
    return frame.row(0, named=True)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("3.50", "3.50"),
        ("3", "3"),
        ('"3.50"', "3.50"),
        ('"3,5"', "3,5"),
        ("123456789012.123456", "123456789012.123456"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("1.5e2", "150"),
        ("25E-2", "0.25"),
        ("1e999999", "1e999999"),
        ("null", None),
        ('""', ""),
        ('"A\\u002b"', "A+"),
        ("true", "true"),
        ('{"value": 3}', '{"value": 3}'),
    ],
)
def test_a_score_keeps_its_own_digits(written: str, expected: str | None) -> None:
    body = b'{"results": [{"sourcedId": "r", "score": %s}]}' % written.encode()
    assert only(read("results", body)["results"])["score"] == expected


@given(st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=6))
def test_any_decimal_comes_through_exactly(score: Decimal) -> None:
    body = b'{"results":[{"sourcedId":"r","score":%s}]}' % f"{score:f}".encode()
    assert Decimal(only(read("results", body)["results"])["score"]) == score


@pytest.mark.parametrize(("written", "expected"), [(True, "true"), ("TRUE", "TRUE"), ("false", "false"), (None, None)])
def test_a_boolean_may_be_a_text(written: object, expected: str | None) -> None:
    assert only(read("results", page("results", {"sourcedId": "r", "late": written}))["results"])["late"] == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"href": "relative/u-1", "sourcedId": "u-1", "type": "student", "more": 1}, "u-1"),
        ({"sourcedId": "u-1"}, "u-1"),
        ("u-1", "u-1"),
        (17, "17"),
        (None, None),
        ({}, None),
    ],
)
def test_a_reference_may_be_an_object_a_bare_id_or_nothing(written: object, expected: str | None) -> None:
    record = {"sourcedId": "r", "student": written}
    assert only(read("results", page("results", record))["results"])["student_id"] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"academicSession": {"sourcedId": "a"}, "gradingPeriod": {"sourcedId": "g"}}, "a"),
        ({"gradingPeriod": {"sourcedId": "g"}}, "g"),
        ({"academicSession": None, "gradingPeriod": "g"}, "g"),
        ({}, None),
    ],
)
def test_the_academic_session_wins_over_the_grading_period(fields: dict[str, Any], expected: str | None) -> None:
    frames = read("lineItems", page("lineItems", {"sourcedId": "l", **fields}))
    assert only(frames["line_items"])["academic_session_id"] == expected


def test_every_table_has_its_raw_schema_and_says_where_its_rows_come_from() -> None:
    for name, endpoint in ENDPOINTS.items():
        for body in (page(name), page(name, {"sourcedId": "x"})):
            frames = read(name, body)
            assert set(frames) == set(endpoint.tables)
            for table, frame in frames.items():
                assert dict(frame.schema) == TABLES[table].raw_schema
    row = only(read("orgs", page("orgs", {"sourcedId": "x"}))["orgs"])
    assert (row[SOURCE], row[LINE]) == ("orgs page 7", 1)


def test_a_user_of_1_1_has_its_one_role_in_each_org() -> None:
    user = {"sourcedId": "u", "status": "active", "role": "teacher", "orgs": [{"sourcedId": "a"}, {"sourcedId": "b"}]}
    roles = read("users", page("users", user))["roles"]
    assert roles["org_id"].to_list() == ["a", "b"]
    assert roles["role"].to_list() == ["teacher", "teacher"]
    assert roles["role_type"].to_list() == ["primary", "primary"]
    assert roles["status"].to_list() == ["active", "active"]
    assert roles["id"].to_list() == ["u/a/teacher", "u/b/teacher"]


def test_a_user_without_an_org_keeps_a_row_with_the_gap() -> None:
    row = only(read("users", page("users", {"sourcedId": "u", "role": "student"}))["roles"])
    assert (row["user_id"], row["role"], row["org_id"]) == ("u", "student", None)


def test_the_roles_of_1_2_have_ids_that_do_not_change() -> None:
    roles = [
        {"roleType": "primary", "role": "teacher", "org": {"sourcedId": "a/b"}, "beginDate": "2026-08-10"},
        {"roleType": "secondary", "role": "teacher", "org": {"sourcedId": "a/b"}},
    ]
    frame = read("users", page("users", {"sourcedId": "u", "roles": roles, "role": "student"}))["roles"]
    assert frame["id"].to_list() == ["u/a%2Fb/teacher", "u/a%2Fb/teacher/2"]
    assert frame["begin_date"].to_list() == ["2026-08-10", None]


@given(st.tuples(st.text("ab/%", max_size=4), st.text("ab/%", max_size=4), st.text("ab/%", max_size=4)),
       st.tuples(st.text("ab/%", max_size=4), st.text("ab/%", max_size=4), st.text("ab/%", max_size=4)))  # fmt: skip
def test_different_roles_have_different_ids(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (role_id(*one) == role_id(*other)) == (one == other)


def test_passwords_and_profiles_are_never_taken_in() -> None:
    user = {
        "sourcedId": "u", "password": "hunter2", "username": "ann",
        "userProfiles": [{"profileId": "p", "credentials": [{"type": "x", "username": "ann2", "password": "hunter3"}]}],
    }  # fmt: skip
    everything = "".join(str(frame.to_dicts()) for frame in read("users", page("users", user)).values())
    assert "ann" in everything
    assert not any(secret in everything for secret in ("hunter", "ann2"))


def test_a_users_names_grades_and_ids_go_where_the_model_has_them() -> None:
    user = {
        "sourcedId": "u", "preferredFirstName": "Kim", "preferredLastName": "Lee", "grades": ["05", 6],
        "userIds": [{"type": "LDAP", "identifier": 12}, "plain"], "agents": [{"sourcedId": "g"}, "h"],
    }  # fmt: skip
    row = only(read("users", page("users", user))["users"])
    assert (row["preferred_given_name"], row["preferred_family_name"]) == ("Kim", "Lee")
    assert (row["grades"], row["user_ids"], row["agent_ids"]) == (["05", "6"], ["LDAP:12", "plain"], ["g", "h"])


def test_early_versions_have_one_grade_and_one_user_id() -> None:
    row = only(read("users", page("users", {"sourcedId": "u", "grade": "09", "userId": "77"}))["users"])
    assert (row["grades"], row["user_ids"]) == (["09"], ["77"])


def test_objectives_lose_the_urn_and_keep_their_scores() -> None:
    scored = [
        {"learningObjectiveId": "urn:uuid:0bb3f5d6-7c1a-4c2f-8a4e-000000000001", "score": 3.50, "textScore": 3.5},
        {"learningObjectiveId": "local-7", "textScore": "M"},
    ]
    sets = [{"source": "case", "learningObjectiveResults": scored}, {"source": "unknown"}]
    frames = read("results", page("results", {"sourcedId": "r", "learningObjectiveSet": sets}))
    found = frames["result_learning_objectives"].select("source", "learning_objective_id", "score", "text_score")
    assert found.rows() == [
        ("case", "0bb3f5d6-7c1a-4c2f-8a4e-000000000001", "3.5", "3.5"),
        ("case", "local-7", None, "M"),
    ]


def test_the_steps_of_a_scale_are_numbered_as_they_stand() -> None:
    steps = [{"itemValueLHS": "94", "itemValueRHS": "A"}, {"itemValueLHS": 84.5, "itemValueRHS": "B"}]
    frames = read("scoreScales", page("scoreScales", {"sourcedId": "s", "scoreScaleValue": steps}))
    found = frames["score_scale_values"].select("score_scale_id", "position", "lhs", "rhs").rows()
    assert found == [("s", "1", "94", "A"), ("s", "2", "84.5", "B")]


@pytest.mark.parametrize("scale", [{"sourcedId": "s"}, [{"sourcedId": "s"}], "s"])
def test_the_scale_of_a_result_is_a_link(scale: object) -> None:
    frames = read("results", page("results", {"sourcedId": "r", "scoreScale": scale}))
    assert frames["result_score_scales"].select("result_id", "score_scale_id").rows() == [("r", "s")]


GOOD = b'{"sourcedId": "good-%d", "score": 2, "metadata": {"x": [1]}, "unknown": {"a": 1}}'
BAD = [
    b'{"sourcedId": "bad", "score": NaN}',
    b'{"sourcedId": "bad", "score": 1, "score": 2}',
    b'{"sourcedId": "bad", "unknown": {"a": 1, "a": 2}}',
    b'{"sourcedId": "bad", "student": {"sourcedId": "a", "sourcedId": "b"}}',
    b'{"sourcedId": "bad", "status": {"not": "a text"}}',
    b'{"sourcedId": "bad", "learningObjectiveSet": {"source": "case"}}',
    b'{"sourcedId": "bad", "lineItem": [1]}',
    b'{"sourcedId": "bad", "comment": "\\ud800"}',
]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("separators", [b", ", b","])
def test_a_bad_record_is_set_aside_and_its_neighbours_stay(bad: bytes, separators: bytes) -> None:
    body = b'{"results": [' + separators.join([GOOD % 1, bad, GOOD % 3]) + b"]}"
    body = body if separators == b", " else body.replace(b": ", b":").replace(b", ", b",")
    frames = read("results", body)
    assert frames["results"]["id"].to_list() == ["good-1", "good-3"]
    assert frames["results"][LINE].to_list() == [1, 3]
    reject = only(frames[REJECTS])
    assert (reject["table"], reject["id"], reject[LINE]) == ("results", "bad", 2)
    assert reject["code"] == "oneroster.unreadable"
    assert reject["reason"].startswith("This record ")
    assert "not a text" not in reject["reason"].removeprefix("This record is not of the expected shape")


def test_an_id_that_cannot_be_told_is_left_out() -> None:
    frames = read("results", b'{"results": [{"sourcedId": "\\ud800"}, {"sourcedId": "good"}]}')
    assert frames["results"]["id"].to_list() == ["good"]
    assert only(frames[REJECTS])["id"] is None


def test_what_is_not_a_record_is_set_aside() -> None:
    frames = read("results", b'{"results": [17, {"sourcedId": "good"}, null, "x"]}')
    assert frames["results"]["id"].to_list() == ["good"]
    assert frames[REJECTS][LINE].to_list() == [1, 3, 4]
    assert frames[REJECTS]["id"].to_list() == [None, None, None]
