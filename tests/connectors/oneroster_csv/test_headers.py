"""Header rows as real exports write them: tolerated where the meaning is sure, told, and refused where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.oneroster_csv.headers import match_header, merged_file
from gateway.core.errors import DataError
from gateway.core.oneroster import CSV_FILES
from tests.connectors.oneroster_csv.bundles import connect, make, manifest, pull


def match(name: str, cells: list[str], version: str = "1.2") -> tuple[dict[str, int], tuple[str, ...]]:
    found = match_header(merged_file(name, version), cells, name=f"{name}.csv", line=1, version=version)
    return dict(found.places), found.warnings


def headers(name: str, version: str = "1.2", **renamed: str) -> list[str]:
    return [renamed.get(header, header) for header in CSV_FILES[version][name].header]


@pytest.mark.parametrize(
    ("name", "column", "spelled"),
    [
        ("orgs", "sourcedId", "SourcedID"),
        ("orgs", "sourcedId", "sourced_id"),
        ("orgs", "parentSourcedId", "parentSorcedId"),
        ("orgs", "parentSourcedId", "parentSuorcedId"),
        ("orgs", "parentSourcedId", "parentSourcedIdd"),
        ("users", "grades", "grade"),
        ("users", "userIds", "userId"),
        ("users", "familyName", "Family Name"),
        ("demographics", "sourcedId", "userSourcedId"),
        ("enrollments", "classSourcedId", "class_sourced_id"),
    ],
)
def test_a_misspelled_column_is_read_and_told(name: str, column: str, spelled: str) -> None:
    places, warnings = match(name, headers(name, **{column: spelled}))
    assert places[column] == CSV_FILES["1.2"][name].header.index(column)
    assert warnings == (f'{name}.csv spells the column {column} "{spelled}".',)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("name", ["users", "results", "lineItems", "demographics"])
def test_an_exact_header_is_worth_no_word(name: str, version: str) -> None:
    places, warnings = match(name, headers(name, version), version)
    assert [places[header] for header in CSV_FILES[version][name].header] == list(range(len(places)))
    assert warnings == ()


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["metadata.city", *headers("orgs")], "extension columns before the end"),
        ([*headers("orgs"), "", ""], "without a name at the end"),
        (["sourcedId", "", *headers("orgs")[1:]], "column without a name"),
        ([*headers("orgs"), "principal"], '"principal", which OneRoster does not know'),
        ([*headers("orgs"), "name"], "the column name twice"),
        (list(reversed(headers("orgs"))), "in another order"),
        (["sourcedId", "name", "type"], "no columns status, dateLastModified, identifier, parentSourcedId"),
    ],
)
def test_what_is_odd_but_harmless_is_read_and_told(cells: list[str], words: str) -> None:
    places, warnings = match("orgs", cells)
    assert places["name"] == cells.index("name")
    assert [warning for warning in warnings if words in warning and warning.startswith("orgs.csv")] == list(warnings)
    assert len(warnings) == 1


def test_extension_columns_at_the_end_are_what_the_binding_allows() -> None:
    assert match("orgs", [*headers("orgs"), "metadata.city", "ext_zip", "ext.x"])[1] == ()


def test_columns_of_the_other_version_are_read() -> None:
    cells = [*headers("results", "1.1"), "textScore", "late"]
    places, warnings = match("results", cells, "1.1")
    assert (places["late"], warnings) == (len(cells) - 1, ())


def test_short_names_are_not_guessed_at() -> None:
    places, warnings = match("demographics", headers("demographics", sex="sax"))
    assert "sex" not in places
    assert len(warnings) == 2


def test_a_name_near_two_columns_is_not_guessed_at() -> None:
    cells = [header for header in headers("classes") if header not in ("subjects", "subjectCodes")]
    places, _ = match("classes", [*cells, "subjectCods"])
    assert (places.get("subjectCodes"), "subjects" in places) == (len(cells), False)


def test_a_missing_column_is_an_error_that_says_what_is_there() -> None:
    with pytest.raises(DataError) as caught:
        match("enrollments", headers("enrollments", classSourcedId="classroomSourcedId"))
    error = caught.value
    assert error.code == "csv.missing-column"
    assert str(error.place) == "enrollments.csv:1 (classSourcedId)"
    assert error.message == 'The column "classSourcedId" is missing. Is it meant by "classroomSourcedId"?'
    assert "userSourcedId" in error.hint


@pytest.mark.parametrize(
    ("name", "other"), [("enrollments", "users"), ("orgs", "academicSessions"), ("users", "classes")]
)
def test_a_file_with_the_content_of_another_is_recognized(name: str, other: str) -> None:
    with pytest.raises(DataError) as caught:
        match(name, headers(other))
    assert caught.value.code == "csv.other-file"
    assert f"the columns of {other}.csv" in caught.value.message


def test_rows_without_a_header_are_recognized_and_not_shown() -> None:
    with pytest.raises(DataError) as caught:
        match("users", ["u1", "active", "2026-09-01", "true", "ada", "", "Ada", "Lovelace"])
    assert caught.value.code == "csv.header"
    assert "Lovelace" not in str(caught.value)


def test_a_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    files = {
        "manifest.csv": manifest(orgs="bulk", users="bulk"),
        "orgs.csv": "\n".join(["sourcedId,name,type", "o1,One,school"]),
    }
    path = make(tmp_path, {**files, "users.csv": "id;name\n"})
    connector = connect(path, tmp_path / "w")
    orgs, users = connector.streams(None)
    assert [page.frames["orgs"].height for page in connector.pull(orgs, since=None, resume=None)] == [1]
    with pytest.raises(DataError):
        list(connector.pull(users, since=None, resume=None))


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    content = "\ufeff" + ",".join(headers("orgs")) + "\no1,,,One,school,,\n"
    pulled = pull(make(tmp_path, {"manifest.csv": manifest(orgs="bulk"), "orgs.csv": content}), tmp_path / "w")
    assert (pulled.column("orgs", "id"), pulled.warnings) == (["o1"], [])
