"""Reading bundles: versions, modes, places, what is tolerated and what is set aside."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from gateway.core.errors import DataError, IncompletePullError
from gateway.core.exchange import PullMode
from gateway.core.model import TABLES
from gateway.core.oneroster import CSV_FILES
from tests.connectors.oneroster_csv.bundles import connect, file, header, make, manifest, pull, record

USER_1_1 = record(
    "users", "1.1", sourcedId="u1", enabledUser="true", orgSourcedIds='"o1, o2"', role="teacher", givenName="Ada",
    familyName="L", username="ada", userIds='"{LDAP:12},{SIS:7}"', grades='"09,10"', password="secret",
)  # fmt: skip
RESULT = record(
    "results", sourcedId="r1", lineItemSourcedId="l1", studentSourcedId="s1", scoreStatus="fully graded", score=" 3.5 ",
    scoreDate="2026-10-01", comment='"well, done"',
)  # fmt: skip


@pytest.mark.parametrize("zipped", [False, True])
def test_every_raw_frame_has_its_declared_schema(tmp_path: Path, zipped: bool) -> None:
    names = [name for name, declared in CSV_FILES["1.2"].items() if declared.table]
    path = make(
        tmp_path,
        {
            "manifest.csv": manifest(**dict.fromkeys(names, "bulk")),
            **{f"{name}.csv": file(name, record(name, sourcedId="x1")) for name in names if name != "scoreScales"},
            "scoreScales.csv": file("scoreScales", record("scoreScales", sourcedId="x1", scoreScaleValue="{A:1}")),
        },
        zipped=zipped,
    )
    pulled = pull(path, tmp_path / "work")
    assert list(pulled.streams) == sorted(names, key=lambda n: list(TABLES).index(str(CSV_FILES["1.2"][n].table)))
    for table, frame in pulled.frames.items():
        assert frame.schema == pl.Schema(TABLES[table].raw_schema)
        assert frame.height == 1
        assert frame["_line"].to_list() == [2]
    assert {table for stream in pulled.streams.values() for table in stream.tables} == set(pulled.frames)
    assert pulled.warnings == []


def test_cells_are_trimmed_and_empty_ones_are_null(tmp_path: Path) -> None:
    pulled = pull(
        make(tmp_path, {"manifest.csv": manifest(results="bulk"), "results.csv": file("results", RESULT)}),
        tmp_path / "w",
    )
    row = pulled.frames["results"].row(0, named=True)
    assert (row["score"], row["comment"], row["text_score"], row["_source"]) == (
        "3.5",
        "well, done",
        None,
        "results.csv",
    )


def test_users_of_1_1_give_users_and_roles_and_no_password(tmp_path: Path) -> None:
    path = make(
        tmp_path, {"manifest.csv": manifest("1.1", users="bulk"), "users.csv": file("users", USER_1_1, version="1.1")}
    )
    pulled = pull(path, tmp_path / "w")
    user = pulled.frames["users"].row(0, named=True)
    assert (user["user_ids"], user["grades"]) == (["LDAP:12", "SIS:7"], ["09", "10"])
    assert "secret" not in str(pulled.frames)
    assert pulled.streams["users"].tables == ("users", "roles")
    assert pulled.frames["roles"].select("id", "user_id", "role", "org_id").rows() == [
        ("u1/o1", "u1", "teacher", "o1"),
        ("u1/o2", "u1", "teacher", "o2"),
    ]


def test_roles_of_1_2_come_from_their_own_file(tmp_path: Path) -> None:
    role = record("roles", sourcedId="x", userSourcedId="u1", role="student", orgSourcedId="o1", roleType="primary")
    user = record("users", sourcedId="u1", givenName="Ada")
    files = {"manifest.csv": manifest(users="bulk", roles="bulk")}
    files |= {"users.csv": file("users", user), "roles.csv": file("roles", role)}
    pulled = pull(make(tmp_path, files), tmp_path / "w")
    assert pulled.streams["users"].tables == ("users",)
    assert pulled.column("roles", "id") == ["x"]


def test_what_only_the_csv_binding_writes_so_is_normalized(tmp_path: Path) -> None:
    uuid = "0f2b6a1e-3d62-4f5c-9a58-3f1f5a2d7c10"
    files = {
        "manifest.csv": manifest(scoreScales="bulk", lineItemLearningObjectiveIds="bulk"),
        "scoreScales.csv": file(
            "scoreScales", record("scoreScales", sourcedId="s1", scoreScaleValue='"{A:94},{B:84}"')
        ),
        "lineItemLearningObjectiveIds.csv": file(
            "lineItemLearningObjectiveIds",
            record("lineItemLearningObjectiveIds", sourcedId="x", learningObjectiveId=f"urn:uuid:{uuid}"),
        ),
    }
    pulled = pull(make(tmp_path, files), tmp_path / "w")
    assert pulled.frames["score_scale_values"].select("score_scale_id", "position", "lhs", "rhs").rows() == [
        ("s1", "1", "94", "A"),
        ("s1", "2", "84", "B"),
    ]
    assert pulled.column("line_item_learning_objectives", "learning_objective_id") == [uuid]


def test_the_grading_period_of_1_1_is_the_academic_session(tmp_path: Path) -> None:
    item = record("lineItems", "1.1", sourcedId="l1", gradingPeriodSourcedId="g1")
    files = {"manifest.csv": manifest("1.1", lineItems="bulk"), "lineItems.csv": file("lineItems", item, version="1.1")}
    assert pull(make(tmp_path, files), tmp_path / "w").column("line_items", "academic_session_id") == ["g1"]


def test_a_scale_that_cannot_be_read_is_set_aside_and_the_others_stay(tmp_path: Path) -> None:
    good = record("scoreScales", sourcedId="s2", scoreScaleValue="{A:94}")
    bad = record("scoreScales", sourcedId="s1", scoreScaleValue="A=94")
    files = {"manifest.csv": manifest(scoreScales="bulk"), "scoreScales.csv": file("scoreScales", bad, good)}
    pulled = pull(make(tmp_path, files), tmp_path / "w")
    assert pulled.column("score_scales", "id") == ["s2"]
    assert pulled.rejects() == [
        ("score_scales", "s1", "record.not-a-score-scale", "scoreScaleValue", "scoreScales.csv", 2)
    ]


# What is delivered ---------------------------------------------------------------------------------------------------


def test_the_manifest_says_which_files_are_complete_and_which_are_changes(tmp_path: Path) -> None:
    files = {
        "manifest.csv": manifest(users="bulk", results="delta", orgs="absent", classes="bulk"),
        **{f"{name}.csv": file(name) for name in ("users", "results", "orgs", "courses")},
    }
    pulled = pull(make(tmp_path, files), tmp_path / "w")
    assert {name: stream.mode for name, stream in pulled.streams.items()} == {
        "users": PullMode.FULL,
        "courses": PullMode.FULL,
        "results": PullMode.DELTA,
    }
    told = " ".join(pulled.warnings)
    assert "orgs.csv is absent, but it is there" in told
    assert "bulk for classes.csv, but it is not there" in told
    assert "does not mention courses.csv" in told


def test_a_mode_that_nobody_knows_deletes_nothing(tmp_path: Path) -> None:
    pulled = pull(make(tmp_path, {"manifest.csv": manifest(orgs="partial"), "orgs.csv": file("orgs")}), tmp_path / "w")
    assert pulled.streams["orgs"].mode is PullMode.DELTA
    assert 'manifest.csv says "partial" for orgs.csv; it is taken as changes only.' in pulled.warnings


def test_a_zip_with_a_folder_and_other_capitals_is_read_and_told(tmp_path: Path) -> None:
    org = file("orgs", record("orgs", sourcedId="o1"))
    path = make(tmp_path, {"export/Manifest.csv": manifest(orgs="bulk"), "export/Orgs.csv": org}, zipped=True)
    pulled = pull(path, tmp_path / "w")
    assert pulled.column("orgs", "_source") == ["Orgs.csv"]
    assert pulled.warnings == [
        'The file orgs.csv is named "Orgs.csv".',
        "The files stand in a folder of the zip instead of at its top.",
    ]


def test_a_roles_file_wins_over_a_manifest_that_says_1_1(tmp_path: Path) -> None:
    user = file("users", record("users", sourcedId="u1"))
    files = {"manifest.csv": manifest("1.1", users="bulk", roles="bulk"), "users.csv": user, "roles.csv": file("roles")}
    pulled = pull(make(tmp_path, files), tmp_path / "w")
    assert pulled.column("users", "id") == ["u1"]
    assert pulled.streams["users"].tables == ("users",)


def test_a_file_that_is_not_there_is_no_stream(tmp_path: Path) -> None:
    pulled = pull(make(tmp_path, {"manifest.csv": manifest(orgs="bulk"), "orgs.csv": file("orgs")}), tmp_path / "w")
    assert list(pulled.streams) == ["orgs"]


@pytest.mark.parametrize(("content", "words"), [("", "is empty"), (header("orgs") + "\n", "a header and no records")])
def test_an_empty_file_is_an_empty_page_and_a_warning(tmp_path: Path, content: str, words: str) -> None:
    pulled = pull(make(tmp_path, {"manifest.csv": manifest(orgs="bulk"), "orgs.csv": content}), tmp_path / "w")
    assert pulled.frames["orgs"].height == 0
    assert pulled.frames["orgs"].schema == pl.Schema(TABLES["orgs"].raw_schema)
    assert any(words in warning for warning in pulled.warnings)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_without_a_manifest_the_columns_tell_the_version(tmp_path: Path, version: str) -> None:
    names = ("users", "orgs", "lineItems")
    pulled = pull(make(tmp_path, {f"{name}.csv": file(name, version=version) for name in names}), tmp_path / "w")
    assert any(f"the columns look like {version}" in warning for warning in pulled.warnings)
    assert pulled.streams["users"].tables == (("users", "roles") if version == "1.1" else ("users",))


def test_a_folder_without_a_oneroster_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        pull(make(tmp_path, {"grades.csv": "a,b\n"}), tmp_path / "w")
    assert caught.value.code == "bundle.nothing"


def test_files_that_are_not_oneroster_are_named_with_the_nearest_that_is(tmp_path: Path) -> None:
    files = {"orgs.csv": file("orgs"), "enrollment.csv": file("enrollments")}
    warnings = pull(make(tmp_path, files), tmp_path / "w").warnings
    assert any('"enrollment.csv" is no OneRoster file' in w and '"enrollments.csv"' in w for w in warnings)


def test_the_newest_bundle_by_name_is_read(tmp_path: Path) -> None:
    for day, org in (("2026-09-01", "old"), ("2026-09-02", "new")):
        folder = tmp_path / f"export-{day}"
        folder.mkdir()
        (folder / "orgs.csv").write_text(file("orgs", record("orgs", sourcedId=org)))
    assert pull(tmp_path / "export-*", tmp_path / "w").column("orgs", "id") == ["new"]


# Bad rows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "identity", "code", "field"),
    [
        (b"bad,,,Caf\xe9,school,,", "bad", "csv.not-utf8", "name"),
        (b"bad,,,A\0B,school,,", "bad", "csv.nul", "name"),
        (b"bad,,,A,school", "bad", "csv.too-few-cells", None),
        (b"bad,,,A, B,school,,9", "bad", "csv.too-many-cells", None),
        (b'bad,,,"A,school,,', "bad", "csv.unbalanced-quote", "name"),
        (b"b\xe9d,,,A,school,,", None, "csv.not-utf8", "sourcedId"),
    ],
)
def test_a_bad_row_is_set_aside_with_file_line_field_and_id(
    tmp_path: Path, bad: bytes, identity: str | None, code: str, field: str | None
) -> None:
    content = header("orgs").encode() + b"\no1,,,One,school,,\n" + bad + b"\no2,,,Two,school,,\n"
    pulled = pull(make(tmp_path, {"manifest.csv": manifest(orgs="bulk"), "orgs.csv": content}), tmp_path / "w")
    assert pulled.frames["orgs"].select("id", "_line").rows() == [("o1", 2), ("o2", 4)]
    assert pulled.rejects() == [("orgs", identity, code, field, "orgs.csv", 3)]


def test_cp1252_is_read_when_the_settings_say_so_and_told(tmp_path: Path) -> None:
    content = header("orgs").encode() + "\no1,,,Café,school,,\n".encode("cp1252")
    path = make(tmp_path, {"manifest.csv": manifest(orgs="bulk"), "orgs.csv": content})
    pulled = pull(path, tmp_path / "w", fallback_encoding="cp1252")
    assert pulled.column("orgs", "name") == ["Café"]
    assert any("fallback encoding" in warning and "line 2" in warning for warning in pulled.warnings)


@pytest.mark.parametrize("zipped", [False, True])
def test_utf_16_is_read(tmp_path: Path, zipped: bool) -> None:
    content = "\ufeff" + file("orgs", record("orgs", sourcedId="o1", name="Café"))
    path = make(
        tmp_path, {"manifest.csv": manifest(orgs="bulk"), "orgs.csv": content.encode("utf-16-le")}, zipped=zipped
    )
    assert pull(path, tmp_path / "w").column("orgs", "name") == ["Café"]


def test_odd_forms_are_told_once_with_their_first_line(tmp_path: Path) -> None:
    rows = ["o1,active,,One,school,,", "o2,,,Two,school,,,,", ",,,,,,", 'o3,active,,Th"ree,school,,']
    path = make(tmp_path, {"manifest.csv": manifest(orgs="bulk"), "orgs.csv": file("orgs", *rows)})
    pulled = pull(path, tmp_path / "w")
    assert pulled.column("orgs", "id") == ["o1", "o2", "o3"]
    told = sorted(pulled.warnings)
    assert [warning.rsplit("line ", 1)[1] for warning in told] == ["2).", "4).", "5).", "3)."]


def test_a_delta_without_status_is_told(tmp_path: Path) -> None:
    path = make(tmp_path, {"manifest.csv": manifest(orgs="delta"), "orgs.csv": file("orgs", "o1,,,One,school,,")})
    assert any("without status or dateLastModified" in warning for warning in pull(path, tmp_path / "w").warnings)


# Going on ------------------------------------------------------------------------------------------------------------


def large(tmp_path: Path, *, zipped: bool) -> Path:
    rows = [record("results", sourcedId=f"r{n}", comment="x" * 400) for n in range(21_000)]
    return make(
        tmp_path, {"manifest.csv": manifest(results="bulk"), "results.csv": file("results", *rows)}, zipped=zipped
    )


@pytest.mark.parametrize("zipped", [False, True])
def test_a_killed_pull_continues_at_the_page_reached(tmp_path: Path, zipped: bool) -> None:
    path = large(tmp_path, zipped=zipped)
    connector = connect(path, tmp_path / "w")
    (stream,) = connector.streams(None)
    whole = list(connector.pull(stream, since=None, resume=None))
    assert len(whole) > 2
    assert [page.resume is None for page in whole] == [False] * (len(whole) - 1) + [True]
    for number, page in enumerate(whole[:-1]):
        again = connect(path, tmp_path / f"w{number}")
        rest = list(again.pull(stream, since=None, resume=page.resume))
        frames = [p.frames["results"] for p in (*whole[: number + 1], *rest)]
        assert pl.concat(frames).select("id", "_line").rows() == [(f"r{n}", n + 2) for n in range(21_000)]


@pytest.mark.parametrize("zipped", [False, True])
def test_a_changed_file_is_never_continued(tmp_path: Path, zipped: bool) -> None:
    path = large(tmp_path, zipped=zipped)
    connector = connect(path, tmp_path / "w")
    (stream,) = connector.streams(None)
    pages = connector.pull(stream, since=None, resume=None)
    first = next(pages)
    os.utime(path if zipped else path / "results.csv", (1, 1))
    with pytest.raises(IncompletePullError) as caught:
        list(pages)
    assert caught.value.code == "paging.file-changed"
    with pytest.raises(IncompletePullError):
        next(connect(path, tmp_path / "w").pull(stream, since=None, resume=first.resume))


def test_the_copies_of_a_zip_stay_in_the_work_folder(tmp_path: Path) -> None:
    path = make(tmp_path, {"orgs.csv": file("orgs")}, zipped=True)
    pull(path, tmp_path / "work")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["bundle.zip", "work"]


# The connection test -------------------------------------------------------------------------------------------------


def test_the_check_names_every_file_and_what_is_wrong(tmp_path: Path) -> None:
    path = make(tmp_path, {"manifest.csv": manifest(orgs="bulk"), "orgs.csv": file("orgs"), "users.csv": "a,b\n1,2\n"})
    items = {item.what: item for item in connect(path, tmp_path / "w").check()}
    assert items["orgs.csv"].ok
    assert not items["users.csv"].ok
    assert items["users.csv"].hint


def test_the_check_of_a_path_to_nothing_fails_with_a_hint(tmp_path: Path) -> None:
    (item,) = connect(tmp_path / "gone", tmp_path / "w").check()
    assert (item.ok, bool(item.hint)) == (False, True)
