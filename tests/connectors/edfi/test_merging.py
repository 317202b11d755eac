"""Merging: nothing of others is ever lost, what is ours ends as it shall be, and doing it twice is doing it once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.edfi.merging import STATEMENT, Foreign, Mark, Part, Piece, Wanted, drawn, merged, stripped, withdrawn

MARK = Mark("Ours", "0000000a")
OTHER_RECORD = Mark("Ours", "0000000b")
KEY = ("standard", "id")
IDENTITY = {"student": {"id": "s1"}}
TYPE = ("type",)

names = st.sampled_from([f"n{number}" for number in range(6)])
values = st.one_of(st.integers(0, 9), st.decimals(0, 4, places=2), st.text("abc", max_size=3), st.booleans())
unknown = st.dictionaries(st.sampled_from(["_ext", "classRanking", "honours"]), st.dictionaries(names, values))
statements = st.sampled_from([None, "A teacher's words", MARK.statement(["0000000a"]), MARK.statement(["0000000b"]),
                              MARK.statement(["0000000a", "0000000b"])])  # fmt: skip


def item(name: str, value: Any, statement: str | None, extra: dict[str, Any]) -> dict[str, Any]:
    made = {"standard": {"id": name}, "score": value, **extra}
    return made if statement is None else {**made, STATEMENT: statement}


collections = st.lists(
    st.builds(item, names, values, statements, unknown), unique_by=lambda each: each["standard"]["id"], max_size=6
)
there = st.builds(lambda extra, items: {**IDENTITY, **extra, "items": items}, unknown, collections)
wanted = st.dictionaries(names, values, max_size=4)


def piece(scores: dict[str, Any]) -> Piece:
    items = tuple({"standard": {"id": name}, "score": score} for name, score in scores.items())
    return Piece("grades", IDENTITY, parts=(Part("items", KEY, items, MARK),))


def of_others(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Items that bear no mark of ours, or that of another record of ours too."""
    return [each for each in body["items"] if MARK.tags(each) is None]


def scores_of(body: dict[str, Any], mark: Mark = MARK) -> dict[str, Any]:
    return {each["standard"]["id"]: each["score"] for each in body["items"] if mark.tag in (mark.tags(each) or ())}


@given(there, wanted)
def test_a_merge_loses_nothing_of_others_and_leaves_ours_as_it_shall_be(
    before: dict[str, Any], scores: dict[str, Any]
) -> None:
    try:
        after = merged(before, piece(scores))
    except Foreign:
        clash = {each["standard"]["id"]: each["score"] for each in of_others(before)}
        assert any(clash.get(name, score) != score for name, score in scores.items())
        return
    assert of_others(after) == of_others(before)
    assert {name: value for name, value in after.items() if name != "items"} == {
        name: value for name, value in before.items() if name != "items"
    }
    said_by_others = {each["standard"]["id"] for each in of_others(before)}
    assert scores_of(after) == {name: score for name, score in scores.items() if name not in said_by_others}
    assert scores_of(before, OTHER_RECORD).keys() == scores_of(after, OTHER_RECORD).keys()
    assert merged(after, piece(scores)) == after


@given(there, wanted)
def test_withdrawing_takes_back_our_part_alone(before: dict[str, Any], scores: dict[str, Any]) -> None:
    after = withdrawn(before, piece(scores), created=False)
    assert after is not None
    assert of_others(after) == of_others(before)
    assert scores_of(after) == {}
    assert scores_of(before, OTHER_RECORD) == scores_of(after, OTHER_RECORD)
    assert withdrawn(after, piece(scores), created=False) == after


@given(st.lists(st.sampled_from([MARK, OTHER_RECORD]), max_size=8), st.lists(st.booleans(), min_size=8, max_size=8))
def test_a_level_of_two_records_stays_until_both_have_withdrawn_it(marks: list[Mark], gone: list[bool]) -> None:
    body: dict[str, Any] | None = None
    standing: set[str] = set()
    for mark, goes in zip(marks, gone, strict=False):
        level = Piece("levels", IDENTITY, {"level": "Proficient"}, mark=mark)
        body = drawn(body, [Wanted(level, gone=goes)]).body
        standing = standing - {mark.tag} if goes else standing | {mark.tag}
        assert (body is None) == (not standing)
        assert body is None or mark.tags(body) == standing


averages = st.dictionaries(st.sampled_from(["Weighted", "Unweighted", "own#NCAA", "own#UC"]), values, max_size=4)


def average(kind: str, value: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, "_ext": {"kept": "as it is"}}


def own(kind: str, value: Any) -> Piece:
    items = ({"type": kind, "value": value},)
    keys = frozenset({kind} if kind.startswith("own#") else ())
    return Piece("records", IDENTITY, parts=(Part("averages", TYPE, items, own_keys=keys),))


@given(averages, unknown, averages)
def test_averages_of_our_own_types_stand_beside_those_of_others(
    theirs: dict[str, Any], extra: dict[str, Any], ours: dict[str, Any]
) -> None:
    before = {**IDENTITY, **extra, "averages": [average(kind, value) for kind, value in theirs.items()]}
    mine = {kind: value for kind, value in ours.items() if kind.startswith("own#")}
    after = drawn(before, [Wanted(own(kind, value)) for kind, value in mine.items()]).body
    assert after is not None
    found = {each["type"]: each["value"] for each in after["averages"]}
    assert found == {**theirs, **mine}
    assert all(each["_ext"] == {"kept": "as it is"} for each in after["averages"] if each["type"] in theirs)
    back = drawn(after, [Wanted(own(kind, value), gone=True) for kind, value in mine.items()]).body
    assert back is not None
    assert {each["type"] for each in back["averages"]} == theirs.keys() - mine.keys()


def test_a_value_of_the_standards_type_is_written_only_where_there_is_none_or_it_is_ours() -> None:
    there = {**IDENTITY, "averages": [average("Unweighted", Decimal("3.25"))]}
    with pytest.raises(Foreign, match=r"averages\.value"):
        merged(there, own("Unweighted", Decimal("3.5")))
    assert merged(there, own("Unweighted", Decimal("3.2500"))) == there
    again = merged(there, own("Unweighted", Decimal("3.5")), ours=True)
    assert again["averages"] == [average("Unweighted", Decimal("3.5"))]
    assert merged(IDENTITY, own("Unweighted", Decimal("3.5")))["averages"] == [
        {"type": "Unweighted", "value": Decimal("3.5")}
    ]


def test_a_standards_value_that_another_has_changed_since_is_not_withdrawn() -> None:
    there = {**IDENTITY, "averages": [average("Unweighted", Decimal("3.25"))]}
    assert withdrawn(there, own("Unweighted", Decimal("3.5")), created=True) == there
    gone = withdrawn(there, own("Unweighted", Decimal("3.25")), created=False)
    assert gone == {**IDENTITY, "averages": []}


def test_an_item_goes_only_if_we_made_it_and_nobody_added_to_it() -> None:
    ours = merged(None, own("own#UC", Decimal("4.1")))
    assert withdrawn(ours, own("own#UC", Decimal("4.1")), created=True) is None
    assert withdrawn(ours, own("own#UC", Decimal("4.1")), created=False) == {**IDENTITY, "averages": []}
    ranked = {**ours, "classRanking": {"classRank": 3}}
    assert withdrawn(ranked, own("own#UC", Decimal("4.1")), created=True) == {**ranked, "averages": []}


def test_a_level_to_which_another_system_added_loses_our_mark_and_stays() -> None:
    level = Piece("levels", IDENTITY, {"level": "Proficient"}, mark=MARK)
    added = {**merged(None, level), "programs": [{"name": "p"}]}
    assert withdrawn(added, level, created=True) == {**IDENTITY, "level": "Proficient", "programs": [{"name": "p"}]}


def test_what_the_host_adds_is_not_sent_back() -> None:
    link = {"rel": "Student", "href": "/ed-fi/students/1"}
    read = {
        "id": "1", "_etag": "5", "_lastModifiedDate": "2026", "student": {"id": "s1", "link": link},
        "items": [{"standard": {"id": "n1", "link": link}}], "_ext": {"state": {"link": "kept"}},
    }  # fmt: skip
    assert stripped(read) == {
        "student": {"id": "s1"}, "items": [{"standard": {"id": "n1"}}], "_ext": {"state": {"link": "kept"}},
    }  # fmt: skip
