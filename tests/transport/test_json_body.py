"""Pages of JSON: strict, and a bad record does not stop its neighbours."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType

from gateway.core.errors import IncompletePullError
from gateway.transport.json_body import Records, decode_page, decode_records


class Ref(Struct):
    sourcedId: str | UnsetType = UNSET


class Plain(Struct):
    """Nothing in it grows when it is written again: the length alone tells that a page is sound."""

    sourcedId: str | int | bool | UnsetType | None = UNSET
    score: list[str | int | None] | str | UnsetType | None = UNSET


class Result(Struct):
    sourcedId: str | UnsetType = UNSET
    lineItem: Ref | UnsetType = UNSET
    score: float | str | UnsetType | None = UNSET
    comment: str | UnsetType | None = UNSET


class Loose(Struct):
    sourcedId: str | UnsetType = UNSET
    metadata: Any = UNSET


def page(*records: str) -> bytes:
    return ('{"results": [' + ", ".join(records) + "]}").encode()


def read(body: bytes, type_: type = Result) -> Records[Any]:
    return decode_records(body, type_, ("results", "data"), source="results page 3")


def ids(records: Records[Any]) -> list[object]:
    return [record.sourcedId for record in records.items]


@pytest.mark.parametrize(
    "body",
    [
        page('{"sourcedId":"a","score":3.5}', '{"sourcedId":"b","score":null}'),
        b' {"results" : [ { "sourcedId" : "a" } , { "sourcedId" : "b" } ] } ',
        b'{"results":[{"sourcedId":"a","more":{"x":[1,{"y":2}]}},{"sourcedId":"b"}],"total":2}',
        page('{"sourcedId":"a","comment":"\\u003a \\u0022:\\" [[[{{{"}', '{"sourcedId":"b"}'),
        page('{"sourcedId":"a","comment":"12:30:00"}', '{"sourcedId":"\\u0062"}'),
        b'{"data":[{"sourcedId":"a"},{"sourcedId":"b"}]}',
        b'\xef\xbb\xbf{"results":[{"sourcedId":"a"},{"sourcedId":"b"}]}',
    ],
    ids=["plain", "spaced", "unknown fields", "escapes", "colons", "second name", "byte order mark"],
)
def test_sound_pages_are_read_whole(body: bytes) -> None:
    records = read(body)
    assert (ids(records), list(records.numbers), records.faults) == (["a", "b"], [1, 2], ())


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('{"sourcedId":"x","score":NaN}', "NaN"),
        ('{"sourcedId":"x","more":-Infinity}', "Infinity"),
        ('{"sourcedId":"x","score":1e999}', "out of range"),
        ('{"sourcedId":"x","sourcedId":"y"}', '"sourcedId" twice'),
        ('{"sourcedId":"x","sourcedId":"x"}', '"sourcedId" twice'),
        ('{"sourcedId":"x","score":1,"scor\\u0065":2}', '"score" twice'),
        ('{"sourcedId":"x","lineItem":{"sourcedId":"l","sourcedId":"m"}}', '"sourcedId" twice'),
        ('{"sourcedId":"x","more":[{"a":1,"a":2}]}', '"a" twice'),
        ('{"sourcedId":"x","comment":"\\u003a","score":1,"score":2}', '"score" twice'),
        ('{"sourcedId":"x","Emma Johnson 4711":1,"Emma Johnson 4711":2}', "has a key twice"),
        ('{"sourcedId":{"not":"a text"}}', "sourcedId"),
        ("7", "not an object"),
        ("null", "not an object"),
        ("[]", "not an object"),
    ],
)
def test_a_bad_record_is_set_aside_and_its_neighbours_stay(bad: str, reason: str) -> None:
    records = read(page('{"sourcedId":"a"}', bad, '{"sourcedId":"b","score":2.50}'))
    assert (ids(records), list(records.numbers)) == (["a", "b"], [1, 3])
    assert [fault.number for fault in records.faults] == [2]
    assert reason in records.faults[0].reason
    assert "Emma" not in records.faults[0].reason


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"", "page.not-json", "is empty"),
        (b" \n", "page.not-json", "is empty"),
        (b"<!DOCTYPE html><html></html>", "page.not-json", "log in"),
        (b"\n<HTML>", "page.not-json", "log in"),
        (b"<?xml version='1.0'?>", "page.not-json", "XML"),
        (b'{"results": [{"sourcedId": "a"}, {"so', "page.not-json", "cut off"),
        (b'{"results": []} {', "page.not-json", "JSON"),
        (b"Service unavailable", "page.not-json", "not JSON"),
        (b'{"results": [{"sourcedId": "\xff"}]}', "page.not-json", "UTF-8"),
        (b'{"imsx_codeMajor": "failure"}', "page.envelope", '"results" or "data"'),
        (b'{"results": null}', "page.envelope", '"results"'),
        (b'{"results": {"sourcedId": "a"}}', "page.envelope", '"results"'),
        (b"[]", "page.envelope", '"results"'),
        (b"null", "page.envelope", '"results"'),
        (b'{"results": [], "results": []}', "page.unsound", '"results" twice'),
        (b'{"results": [' + b"[" * 70 + b"]" * 70 + b"]}", "page.too-deep", "64"),
        (b'{"results": ' + b"[" * 100_000, "page.too-deep", "64"),
        (page('{"sourcedId": "a", "metadata": ' + "[" * 64 + "]" * 64 + "}"), "page.too-deep", "64"),
    ],
)
@pytest.mark.parametrize("type_", [Result, Loose])
def test_what_is_no_page_is_incomplete_and_never_empty(body: bytes, code: str, words: str, type_: type) -> None:
    with pytest.raises(IncompletePullError) as caught:
        read(body, type_)
    assert (caught.value.code, words in caught.value.message) == (code, True)
    assert caught.value.place is not None
    assert caught.value.hint


def test_an_empty_page_is_a_page() -> None:
    assert read(b'{"results": []}').items == []


@pytest.mark.parametrize(
    "body", [b'{"metadata": {"a": [[], {"b": "]]["}]}}', b'{"metadata": ' + b"[" * 60 + b"]" * 60 + b"}"]
)
def test_what_fits_anything_is_taken_as_it_is(body: bytes) -> None:
    assert decode_page(body, Loose, source="x").metadata == json.loads(body)["metadata"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"score": "a", "score": "b"}', "page.unsound"),
        (b'{"lineItem": {"sourcedId": "a", "x": NaN}}', "page.unsound"),
        (b'{"sourcedId": 7}', "page.shape"),
        (b"[]", "page.shape"),
        (b"<html>", "page.not-json"),
        (b'{"other": ' + b'{"a":' * 70 + b"1" + b"}" * 70 + b"}", "page.too-deep"),
    ],
)
def test_a_document_is_right_as_a_whole_or_refused(body: bytes, code: str) -> None:
    with pytest.raises(IncompletePullError) as caught:
        decode_page(body, Result, source="token")
    assert caught.value.code == code


def test_types_that_would_hide_doubled_keys_are_refused() -> None:
    class Defaulted(Struct):
        score: float | None = None

    class Omitting(Struct, omit_defaults=True):
        sourcedId: str = ""
        score: float | None = None

    with pytest.raises(TypeError):
        read(page("{}"), Defaulted)
    assert len(read(page('{"score": 1, "score": 2}', '{"sourcedId": "a"}', '{"score": null}'), Omitting).faults) == 1


def test_a_number_may_keep_its_digits() -> None:
    class Digits(Struct):
        score: msgspec.Raw | UnsetType = UNSET

    assert [bytes(record.score) for record in read(page('{"score": 2.50}', '{"score": 1}'), Digits).items] == [
        b"2.50",
        b"1",
    ]


KEYS = st.sampled_from(["sourcedId", "score", "comment", "lineItem", "metadata", "x:y", 'q"', "\\", "["])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(KEYS, inner), max_size=3).map(tuple),
    max_leaves=8,
)


def encode(value: object, *, spaces: bool) -> str:
    """JSON of ``value``, in which a tuple is an object by pairs: keys may come twice."""
    colon, comma = (" : ", " , ") if spaces else (":", ",")
    if isinstance(value, tuple):
        return "{" + comma.join(json.dumps(key) + colon + encode(inner, spaces=spaces) for key, inner in value) + "}"
    if isinstance(value, list):
        return "[" + comma.join(encode(inner, spaces=spaces) for inner in value) + "]"
    return json.dumps(value)


def doubled(value: object) -> bool:
    if isinstance(value, tuple):
        return len({key for key, _ in value}) < len(value) or any(doubled(inner) for _, inner in value)
    return isinstance(value, list) and any(doubled(inner) for inner in value)


@given(records=st.lists(st.lists(st.tuples(KEYS, VALUES), max_size=4).map(tuple), max_size=4), spaces=st.booleans())
def test_doubled_keys_are_found_wherever_they_are(records: list[tuple[Any, ...]], spaces: bool) -> None:
    body = f'{{"results": {encode(records, spaces=spaces)}}}'.encode()
    for type_ in (dict[str, Any], Loose, Plain):
        found = read(body, type_)
        faulty = {fault.number for fault in found.faults if "twice" in fault.reason}
        assert faulty == {number for number, record in enumerate(records, start=1) if doubled(record)}
