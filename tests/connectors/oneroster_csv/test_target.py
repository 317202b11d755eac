"""Writing bundles: exact form, all or nothing, bulk and delta, and nothing that a version cannot carry."""

from __future__ import annotations

import csv
import os
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import ConfigurationError, RejectedError
from gateway.core.exchange import Action, Change, Outcome, OutcomeState
from gateway.core.model import TABLES, Column, Kind
from gateway.core.oneroster import CSV_FILES, Form
from tests.connectors.oneroster_csv.bundles import NOW, connect, pull
from tests.connectors.oneroster_csv.changes import (
    ALL,
    CATEGORY,
    LINE_ITEM,
    RESULTS,
    SCALE,
    UUID,
    create,
    inactivate,
    update,
)


def push(path: Path, changes: Iterable[Change], **settings: object) -> list[Outcome]:
    settings = {"mode": "bulk", **settings}
    return list(connect(path, path.parent / "work", **settings).push(changes))


def cells(path: Path, name: str) -> list[dict[str, str]]:
    with (path / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def codes(outcomes: Iterable[Outcome]) -> dict[str, str]:
    return {outcome.key: outcome.code for outcome in outcomes if outcome.state is OutcomeState.REJECTED}


# The form ------------------------------------------------------------------------------------------------------------


def test_a_bulk_bundle_has_the_exact_form_of_the_binding(tmp_path: Path) -> None:
    path = tmp_path / "out"
    outcomes = push(path, ALL, system_name="Lakeside", system_code="lks")
    assert {outcome.state for outcome in outcomes} == {OutcomeState.ACCEPTED}
    for name in ("categories", "scoreScales", "lineItems", "results", "resultLearningObjectiveIds"):
        content = (path / f"{name}.csv").read_bytes()
        assert content.startswith(",".join(CSV_FILES["1.2"][name].header).encode() + b"\r\n")
        assert content.endswith(b"\r\n")
    manifest = (path / "manifest.csv").read_text().splitlines()
    assert manifest[0] == "propertyName,value"
    assert "oneroster.version,1.2" in manifest
    assert {line for line in manifest if line.endswith(",bulk")} == {
        f"file.{name.stem},bulk" for name in path.iterdir() if name.stem != "manifest"
    }
    assert manifest[-2:] == ["source.systemName,Lakeside", "source.systemCode,lks"]


def test_the_cells_of_a_bulk_bundle_are_as_the_binding_wants_them(tmp_path: Path) -> None:
    path = tmp_path / "out"
    push(path, ALL)
    (item,) = cells(path, "lineItems")
    assert (item["status"], item["dateLastModified"]) == ("", "")
    assert (item["title"], item["assignDate"], item["resultValueMax"]) == ('Fractions, "unlike"', "2026-09-01", "4")
    assert cells(path, "scoreScales")[0]["scoreScaleValue"] == "{Emerging:1},{Developing:2}"
    assert [row["learningObjectiveId"] for row in cells(path, "lineItemLearningObjectiveIds")] == [f"urn:uuid:{UUID}"]
    objectives = cells(path, "resultLearningObjectiveIds")
    assert [(row["learningObjectiveId"], row["score"], row["textScore"]) for row in objectives[:2]] == [
        (f"urn:uuid:{UUID}", "3.5", ""),
        ("LKS.1", "", "met, fully"),
    ]
    assert len({row["sourcedId"] for row in objectives}) == 6
    assert [row["late"] for row in cells(path, "results")] == ["false"] * 3


def test_what_looks_like_a_formula_stays_as_it_is(tmp_path: Path) -> None:
    push(tmp_path / "out", ALL)
    assert cells(tmp_path / "out", "results")[0]["comment"] == "=SUM(A1)"


def test_equal_content_makes_an_equal_zip(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        push(tmp_path / name, ALL)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert "results.csv" in archive.namelist()


def test_the_name_may_carry_the_date_and_the_time(tmp_path: Path) -> None:
    push(tmp_path / "{date}" / "gradebook-{date}-{time}.zip", [CATEGORY])
    assert (tmp_path / "{date}" / f"gradebook-2026-09-01-{NOW:%Y%m%dT%H%M%SZ}.zip").is_file()


# Bulk and delta ------------------------------------------------------------------------------------------------------


def test_a_bulk_bundle_leaves_out_what_is_gone_but_keeps_its_file(tmp_path: Path) -> None:
    push(tmp_path / "out", [CATEGORY, inactivate(RESULTS[0])])
    assert cells(tmp_path / "out", "results") == []
    assert pull(tmp_path / "out", tmp_path / "w").frames["results"].height == 0


def test_a_delta_says_what_is_active_and_what_is_gone(tmp_path: Path) -> None:
    outcomes = push(tmp_path / "out", [RESULTS[0], inactivate(RESULTS[1])], mode="delta")
    assert len(outcomes) == 2
    rows = cells(tmp_path / "out", "results")
    assert [(row["sourcedId"], row["status"], row["dateLastModified"]) for row in rows] == [
        ("r1", "active", "2026-09-01T02:15:00.000Z"),
        ("r2", "tobedeleted", "2026-09-01T02:15:00.000Z"),
    ]
    assert {row["status"] for row in cells(tmp_path / "out", "resultLearningObjectiveIds")} == {"active", "tobedeleted"}
    assert "file.results,delta" in (tmp_path / "out" / "manifest.csv").read_text()


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_delta_that_nobody_collected_is_added_to(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    push(path, [CATEGORY, *RESULTS], mode="delta")
    changed = update(RESULTS[0], {"score": Decimal(1), "result_learning_objectives": []})
    push(path, [changed, inactivate(RESULTS[1])], mode="delta")
    pulled = pull(path, tmp_path / "w")
    assert sorted(pulled.frames["results"].select("id", "status", "score").rows()) == [
        ("r1", "active", "1"),
        ("r2", "tobedeleted", "2.25"),
        ("r3", "active", "2.25"),
    ]
    assert pulled.column("categories", "id") == ["c1"]
    assert sorted(set(pulled.column("result_learning_objectives", "result_id"))) == ["r2", "r3"]


def test_only_a_bulk_target_wants_what_is_unchanged(tmp_path: Path) -> None:
    for mode in ("bulk", "delta"):
        assert connect(tmp_path / "out", tmp_path, mode=mode).wants_unchanged == (mode == "bulk")


def test_a_target_must_say_how_it_writes(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        list(connect(tmp_path / "out", tmp_path).push([CATEGORY]))
    assert caught.value.code == "oneroster_csv.mode"


# All or nothing ------------------------------------------------------------------------------------------------------


def failing(changes: Iterable[Change]) -> Iterator[Change]:
    yield from changes
    raise RuntimeError


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_push_that_dies_leaves_the_former_bundle(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    push(path, [CATEGORY])
    with pytest.raises(RuntimeError):
        push(path, failing(ALL))
    assert list(pull(path, tmp_path / "w").streams) == ["categories"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([name, "w", "work"])


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_no_outcome_is_told_before_the_bundle_is_in_place(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    outcomes = connect(path, tmp_path / "work", mode="bulk").push(ALL)
    assert not path.exists()
    next(iter(outcomes))
    assert path.exists()


def test_a_folder_with_other_files_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.mkdir()
    (path / "thesis.docx").write_bytes(b"x")
    with pytest.raises(ConfigurationError) as caught:
        push(path, ALL)
    assert "thesis.docx" in caught.value.message
    assert os.listdir(path) == ["thesis.docx"]
    assert not connect(path, tmp_path / "w", mode="bulk").check()[0].ok


@pytest.mark.parametrize("name", ["out-*.zip", "notes.txt"])
def test_a_target_needs_a_plain_name_of_a_folder_or_zip(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_bytes(b"x")
    with pytest.raises(ConfigurationError):
        push(tmp_path / name, ALL)


# What cannot be carried ----------------------------------------------------------------------------------------------


def test_1_1_refuses_what_it_has_no_place_for(tmp_path: Path) -> None:
    plain = create("results", "r9", line_item_id="l1", student_id="u1", score=Decimal(3), class_id="k1", late=False)
    late = create("results", "r8", line_item_id="l1", student_id="u1", late=True)
    outcomes = push(tmp_path / "out", [LINE_ITEM, RESULTS[0], plain, late, SCALE], version="1.1")
    assert codes(outcomes) == dict.fromkeys(
        ("line_items/l1", "results/r1", "results/r8", "score_scales/s1"), "oneroster.version"
    )
    assert [outcome.message for outcome in outcomes][:2] == [
        'OneRoster 1.1 has no learning objectives; set version "1.2".'
    ] * 2
    assert [row["sourcedId"] for row in cells(tmp_path / "out", "results")] == ["r9"]
    assert tuple(cells(tmp_path / "out", "results")[0]) == CSV_FILES["1.1"]["results"].header
    assert "score_scales" not in connect(tmp_path / "out", tmp_path, mode="bulk", version="1.1").entities()


def test_1_1_users_carry_their_role_and_orgs(tmp_path: Path) -> None:
    user = create("users", "u1", given_name="Ada", user_ids=["LDAP:12"], enabled_user=True)
    given_roles = {"o1": ("u1", "principal"), "o,2": ("u1", "siteAdministrator")}
    given_roles |= {"o3": ("u1", "teacher"), "o4": ("u2", "counselor")}
    roles = [create("roles", f"x{org}", user_id=who, org_id=org, role=role) for org, (who, role) in given_roles.items()]
    outcomes = push(tmp_path / "out", [user, *roles], version="1.1")
    assert codes(outcomes) == {"roles/xo3": "oneroster.version", "roles/xo4": "oneroster.version"}
    (row,) = cells(tmp_path / "out", "users")
    assert (row["role"], row["orgSourcedIds"], row["userIds"]) == ("administrator", 'o1,"o,2"', "{LDAP:12}")
    pulled = pull(tmp_path / "out", tmp_path / "w")
    assert pulled.column("roles", "org_id") == ["o1", "o,2"]
    entities = connect(tmp_path / "out", tmp_path, mode="delta", version="1.1").entities()
    assert not {"users", "roles"} & set(entities)


@pytest.mark.parametrize(
    "record",
    [
        create("categories", "c2", title="a\0b"),
        create("categories", "c2", title="\ud800"),
        create("score_scales", "c2", title="x", score_scale_values=[{"position": 1, "lhs": "1", "rhs": "{"}]),
        create("users", "c2", given_name="x", user_ids=["a}b"]),
    ],
)
def test_a_record_that_no_file_can_hold_is_refused_and_the_others_are_written(tmp_path: Path, record: Change) -> None:
    outcomes = push(tmp_path / "out", [CATEGORY, record])
    assert codes(outcomes) == {record.key: "csv.unwritable"}
    assert cells(tmp_path / "out", "categories")[0]["sourcedId"] == "c1"


@pytest.mark.parametrize("action", [Action.UPDATE, Action.KEEP])
def test_a_bulk_bundle_with_a_gap_that_would_delete_is_not_written(tmp_path: Path, action: Action) -> None:
    broken = Change("categories", "c2", action, "k", {"title": "a\0b"})
    with pytest.raises(RejectedError) as caught:
        push(tmp_path / "out", [CATEGORY, broken])
    assert caught.value.code == "bundle.incomplete"
    assert not (tmp_path / "out").exists()
    assert codes(push(tmp_path / "out", [CATEGORY, broken], mode="delta")) == {"k": "csv.unwritable"}


# There and back ------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20) | st.text(
    st.sampled_from(',"\r\n{}= é;'), min_size=1, max_size=8
)
TRIMMED = TEXT.map(str.strip).filter(bool)
ID = st.text(st.sampled_from('abcé01,"/%-_ ;'), min_size=1, max_size=12).map(str.strip).filter(bool)
MIDNIGHT = st.dates(date(1990, 1, 1), date(2100, 1, 1)).map(
    lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC)
)
VALUES = {
    Kind.TEXT: TRIMMED,
    Kind.TEXT_LIST: st.lists(TRIMMED, min_size=1, max_size=3),
    Kind.INTEGER: st.integers(1, 9),
    Kind.DECIMAL: st.decimals(-9999, 9999, places=6),
    Kind.DATE: st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    Kind.TIME: MIDNIGHT,
    Kind.BOOLEAN: st.booleans(),
}
PLAIN_ITEMS = st.lists(TRIMMED.filter(lambda text: not set(text) & set("{}")), min_size=1, max_size=3)


def value_of(table: str, column: Column) -> st.SearchStrategy[object]:
    file = next(file for file in CSV_FILES["1.2"].values() if file.table == table)
    form = next(each.form for each in file.columns if each.column == column.name)
    if column.vocabulary:
        return st.sampled_from(column.vocabulary)
    if form is Form.USER_IDS:
        return PLAIN_ITEMS
    if form is Form.OBJECTIVE:
        return st.uuids().map(str) | ID
    if column.name == "id" or column.references:
        return st.lists(ID, min_size=1, max_size=3) if column.kind is Kind.TEXT_LIST else ID
    return VALUES[column.kind]


def records(table: str, *, without: frozenset[str] = frozenset()) -> st.SearchStrategy[dict[str, object]]:
    columns = [c for c in TABLES[table].columns if c.name not in without | {"status", "date_last_modified"}]
    return st.fixed_dictionaries(
        {c.name: value_of(table, c) if c.name == "id" else st.none() | value_of(table, c) for c in columns}
    )


SINGLE = [
    name
    for name, table in TABLES.items()
    if not table.part_of and any(f.table == name for f in CSV_FILES["1.2"].values())
]
LINKS = ["line_item_learning_objectives", "result_learning_objectives"]


@pytest.mark.parametrize("table", [name for name in SINGLE if name != "score_scales"])
@settings(deadline=None, max_examples=10)
@given(data=st.data())
def test_whatever_is_written_is_read_back_unchanged(
    tmp_path_factory: pytest.TempPathFactory, table: str, data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(records(table), min_size=1, max_size=4, unique_by=lambda record: record["id"]))
    path = tmp_path_factory.mktemp("there") / "out"
    target = connect(path, path.parent / "work", mode="bulk")
    list(target.push(create(table, str(record["id"]), **record) for record in drawn))
    found = target.read_back(table, [str(record["id"]) for record in drawn])
    for record in drawn:
        back = dict(found[str(record["id"])])
        assert {name: back[name] for name in record} == record
    assert len(found) == len(drawn)


@pytest.mark.parametrize("link", LINKS)
@settings(deadline=None, max_examples=10)
@given(data=st.data())
def test_what_is_part_of_a_record_is_read_back_unchanged(
    tmp_path_factory: pytest.TempPathFactory, link: str, data: st.DataObject
) -> None:
    parent, column = TABLES[link].part_of or ("", "")
    rows = st.lists(records(link, without=frozenset({column})), min_size=1, max_size=3)
    drawn = data.draw(rows.filter(lambda rows: all(row["learning_objective_id"] for row in rows)))
    path = tmp_path_factory.mktemp("there") / "out"
    target = connect(path, path.parent / "work", mode="bulk")
    list(target.push([create(parent, "p/1%", **{link: drawn})]))
    assert target.read_back(parent, ["p/1%"])["p/1%"][link] == drawn
