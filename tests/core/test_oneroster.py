"""The CSV binding's declarations and the pure translations of its peculiar cells."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.model import TABLES
from gateway.core.oneroster import (
    CSV_FILES,
    ROLE_IN_1_1,
    ROLES_1_1,
    CsvFile,
    FileMode,
    Form,
    ScaleValue,
    format_joined_id,
    format_list,
    format_objective,
    format_score_scale,
    format_user_ids,
    joined_id,
    manifest_rows,
    parse_score_scale,
    roles_of_users,
    split_list,
    split_user_ids,
    strip_urn,
)

FILES = [
    pytest.param(file, id=f"{version} {name}") for version, files in CSV_FILES.items() for name, file in files.items()
]
UUID = "0f2b6a1e-3d62-4f5c-9a58-3f1f5a2d7c10"


def cells(function: object, *values: str | None) -> list[object]:
    frame = pl.DataFrame({"cell": values}, schema={"cell": pl.String})
    return frame.select(function(pl.col("cell"))).to_series().to_list()  # type: ignore[operator]


def test_the_versions_have_the_files_of_their_bindings() -> None:
    assert [len(files) for files in CSV_FILES.values()] == [13, 21]
    assert set(CSV_FILES["1.1"]) < set(CSV_FILES["1.2"])


@pytest.mark.parametrize("file", FILES)
def test_every_column_that_is_taken_in_is_canonical(file: CsvFile) -> None:
    for column in file.columns:
        table = column.table or file.table
        if column.column is not None:
            assert column.column in TABLES[str(table)].names
    assert len(set(file.header)) == len(file.header)
    assert file.header[:3] == ("sourcedId", "status", "dateLastModified")


@pytest.mark.parametrize("name", [name for name, file in CSV_FILES["1.2"].items() if file.table])
def test_version_1_2_carries_every_column_of_the_canonical_tables(name: str) -> None:
    file = CSV_FILES["1.2"][name]
    assert {c.column for c in file.columns if c.column} == set(TABLES[str(file.table)].names)


@pytest.mark.parametrize("file", FILES)
def test_passwords_and_profiles_are_not_taken_in(file: CsvFile) -> None:
    taken = {column.header for column in file.columns if column.column}
    assert not taken & {"password", "credentialType", "userProfileSourcedId"}
    if file.name == "userProfiles":
        assert taken == set()


@pytest.mark.parametrize("file", FILES)
def test_lists_are_lists_in_the_model_and_nowhere_else(file: CsvFile) -> None:
    for column in file.columns:
        if column.column is not None and column.table is None:
            listed = TABLES[str(file.table)].raw_schema[column.column] == pl.List(pl.String)
            assert listed == (column.form in (Form.LIST, Form.USER_IDS))


def test_the_manifest_names_every_file_of_the_version() -> None:
    rows = manifest_rows("1.1", {"users": FileMode.BULK, "results": FileMode.DELTA}, system_name="SIS")
    assert rows[:3] == [
        ("manifest.version", "1.0"),
        ("oneroster.version", "1.1"),
        ("file.academicSessions", "absent"),
    ]
    assert ("file.users", "bulk") in rows
    assert ("file.results", "delta") in rows
    assert rows[-1] == ("source.systemName", "SIS")
    assert len(rows) == 2 + 13 + 1


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ("a", ["a"]),
        ("PHY123, ASV120", ["PHY123", "ASV120"]),
        (" , a,,b ,", ["a", "b"]),
        ('"Science, general",Art', ["Science, general", "Art"]),
        ('5" nails,hammers', ['5" nails', "hammers"]),
        ('"a" b, c', ['"a" b', "c"]),
        ("", None),
        (" , ", None),
        (None, None),
    ],
)
def test_a_list_cell_is_split(cell: str | None, items: list[str] | None) -> None:
    assert cells(split_list, cell) == [items]


WORD = (
    st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(',"{}:/% '), min_size=1)
    .map(lambda text: text.strip().strip("\x1c\x1d\x1e\x1f"))
    .filter(bool)
)


@settings(deadline=None)
@given(st.lists(WORD, min_size=1, max_size=4))
def test_a_written_list_is_read_back(items: list[str]) -> None:
    assert cells(split_list, format_list(items)) == [items]


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ("{LDAP:12},{SIS:7}", ["LDAP:12", "SIS:7"]),
        ("{ LDAP:12 } , {SIS:7}", ["LDAP:12", "SIS:7"]),
        ("LDAP:12, SIS:7", ["LDAP:12", "SIS:7"]),
        ("{}", None),
        (None, None),
    ],
)
def test_user_ids_lose_their_braces(cell: str | None, items: list[str] | None) -> None:
    assert cells(split_user_ids, cell) == [items]


@settings(deadline=None)
@given(st.lists(WORD.filter(lambda text: not set(text) & set("{}")), min_size=1, max_size=4))
def test_written_user_ids_are_read_back(items: list[str]) -> None:
    assert cells(split_user_ids, format_user_ids(items)) == [items]


def test_a_user_id_with_a_brace_is_not_written() -> None:
    with pytest.raises(ValueError, match="brace"):
        format_user_ids(["a}b"])


@pytest.mark.parametrize(
    ("cell", "objective"), [(f"urn:uuid:{UUID}", UUID), (f"URN:UUID:{UUID}", UUID), (UUID, UUID), ("LKS.1", "LKS.1")]
)
def test_an_objective_loses_its_urn(cell: str, objective: str) -> None:
    assert cells(strip_urn, cell) == [objective]


def test_only_a_uuid_is_written_as_a_urn() -> None:
    assert format_objective(UUID) == f"urn:uuid:{UUID}"
    assert format_objective("LKS.1") == "LKS.1"


@settings(deadline=None)
@given(st.lists(st.tuples(WORD, WORD), min_size=2, max_size=4, unique=True))
def test_joined_ids_differ_where_their_parts_differ(pairs: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(pairs, schema=["one", "two"], orient="row")
    ids = frame.select(joined_id(pl.col("one"), pl.col("two"))).to_series().to_list()
    assert ids == [format_joined_id(*pair) for pair in pairs]
    assert len(set(ids)) == len(pairs)


def test_roles_of_1_1_users_are_rows_of_their_own() -> None:
    users = pl.DataFrame(
        {
            "id": ["u1", "u2", None],
            "status": ["active", None, "active"],
            "date_last_modified": [None, None, None],
            "role": ["teacher", None, "student"],
            "org_id": [["o1", "o/2"], None, ["o1"]],
            "_source": ["users.csv"] * 3,
            "_line": [2, 3, 4],
        },
        schema_overrides={"date_last_modified": pl.String, "_line": pl.UInt32},
    )
    roles = roles_of_users(users)
    assert roles.schema == pl.Schema(TABLES["roles"].raw_schema)
    assert roles.select("id", "user_id", "role", "org_id", "role_type", "status", "_line").rows() == [
        ("u1/o1", "u1", "teacher", "o1", "primary", "active", 2),
        ("u1/o%2F2", "u1", "teacher", "o/2", "primary", "active", 2),
        ("u2", "u2", None, None, "primary", None, 3),
    ]


def test_1_1_knows_the_administrators_of_1_2_as_administrators() -> None:
    assert set(ROLE_IN_1_1.values()) == set(ROLES_1_1)
    assert ROLE_IN_1_1["principal"] == "administrator"
    assert "counselor" not in ROLE_IN_1_1


@pytest.mark.parametrize(
    ("cell", "steps"),
    [
        ("{A:94},{B:84}", [("94", "A"), ("84", "B")]),
        ("{94:A},{84:B}", [("94", "A"), ("84", "B")]),
        ("{90 - 100:A}, {80 - 89.5:B}", [("90 - 100", "A"), ("80 - 89.5", "B")]),
        ("{4:93},{3:80}", [("93", "4"), ("80", "3")]),
        ("{M:Mastered}", [("Mastered", "M")]),
        ("{A+:97%}", [("97%", "A+")]),
    ],
)
def test_the_numeric_side_of_a_scale_is_the_bound(cell: str, steps: list[tuple[str, str]]) -> None:
    assert [(value.lhs, value.rhs) for value in parse_score_scale(cell)] == steps


@pytest.mark.parametrize(
    "cell", ["", "A:94", "{A:94}{B:84}", "{A:94},", "{A:}", "{:94}", "{A}", "{A:{94}}", "{A:94};{B:84}"]
)
def test_a_scale_in_another_form_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="step"):
        parse_score_scale(cell)


LABEL = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="{}:,"), min_size=1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.decimals(0, 100, places=2).map(str), LABEL), min_size=1, max_size=5))
def test_a_written_scale_is_read_back(steps: list[tuple[str, str]]) -> None:
    values = tuple(ScaleValue(lhs, rhs) for lhs, rhs in steps)
    assert parse_score_scale(format_score_scale(values)) == values


@pytest.mark.parametrize("step", [("", "A"), ("94", ""), ("9}4", "A"), ("94", "a:b")])
def test_a_step_that_the_form_cannot_carry_is_not_written(step: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        format_score_scale([ScaleValue(*step)])
