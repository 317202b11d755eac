"""An existing OneRoster roster (1.1 or 1.2, a folder) as the ground for a gradebook.

The roster's rows are carried into a 1.2 bundle with their content unchanged. A 1.1 roster needs two changes of form:
``role`` and ``orgSourcedIds`` of a user become rows of ``roles.csv``, and ``administrator``, which 1.2 no longer has,
is a ``districtAdministrator`` at an org of type district and a ``siteAdministrator`` elsewhere. Columns that the
binding does not know are left behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gateway.core.errors import DataError, Place
from gateway.core.oneroster import CSV_FILES, VERSIONS, split_list
from gateway.sample.bundle import BundleWriter
from gateway.sample.draws import Draws, key_of

FILES = ("academicSessions", "orgs", "courses", "classes", "users", "roles", "enrollments", "demographics")
_OPTIONAL = ("demographics", "roles", "courses")
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "academicSessions": ("title", "type", "startDate", "endDate"),
    "orgs": ("type",),
    "courses": ("title",),
    "classes": ("title", "schoolSourcedId"),
    "enrollments": ("classSourcedId", "userSourcedId", "role"),
}
"""Columns, beside ``sourcedId``, without which there is no gradebook."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The files of a roster by name, as text in the columns of the binding."""

    folder: Path
    files: Mapping[str, pl.DataFrame]

    @property
    def is_1_1(self) -> bool:
        return {"role", "orgSourcedIds"} <= set(self.files["users"].columns)


def read_roster(folder: Path) -> Roster:
    """Read the roster files of ``folder``, header cells in any case and order.

    Raises :class:`DataError` if a file that is needed is missing, empty or lacks its key columns.
    """
    files: dict[str, pl.DataFrame] = {}
    present = {path.name.lower(): path for path in folder.iterdir()} if folder.is_dir() else {}
    for name in FILES:
        path = present.get(f"{name}.csv".lower())
        if path is not None:
            files[name] = _read_file(path, name)
        elif name not in _OPTIONAL:
            raise DataError(
                f"The roster has no {name}.csv.",
                hint="Give the folder of an unpacked OneRoster CSV bundle.",
                code="sample.roster",
                place=Place(str(folder)),
            )
    return Roster(folder, files)


def _read_file(path: Path, name: str) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path, infer_schema=False, encoding="utf8-lossy", truncate_ragged_lines=True)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            "The file cannot be read as CSV.", hint="Export it again.", code="sample.roster", place=Place(path.name),
            detail=str(error),
        ) from None  # fmt: skip
    given = {column.strip().lower(): column for column in frame.columns}
    headers = dict.fromkeys(
        header for version in VERSIONS if name in CSV_FILES[version] for header in CSV_FILES[version][name].header
    )
    chosen = {header: given[header.lower()] for header in headers if header.lower() in given}
    missing = [header for header in ("sourcedId", *_NEEDED.get(name, ())) if header not in chosen]
    if missing:
        raise DataError(
            f"The file has no column {missing[0]}.", hint="Its first line must be OneRoster's header.",
            code="sample.roster", place=Place(path.name, 1),
        )  # fmt: skip
    return frame.select(pl.col(column).str.strip_chars().alias(header) for header, column in chosen.items())


def copy_roster(draws: Draws, roster: Roster, writer: BundleWriter) -> None:
    """Write the roster files as those of a 1.2 bundle."""
    files = dict(roster.files)
    if roster.is_1_1:
        users = files["users"]
        files["users"] = users.with_columns(primaryOrgSourcedId=split_list(pl.col("orgSourcedIds")).list.first())
        files["roles"] = _roles(draws, users, files["orgs"])
    for name, frame in files.items():
        writer.write(name, frame.select(header for header in CSV_FILES["1.2"][name].header if header in frame.columns))


def _roles(draws: Draws, users: pl.DataFrame, orgs: pl.DataFrame) -> pl.DataFrame:
    """A row for each org of each user, the first of them primary."""
    districts = orgs.filter(pl.col("type").str.to_lowercase() == "district")["sourcedId"].to_list()
    rows = users.with_columns(orgSourcedId=split_list(pl.col("orgSourcedIds"))).explode("orgSourcedId")
    rows = rows.filter(pl.col("orgSourcedId").is_not_null()).rename({"sourcedId": "userSourcedId"})
    administrator = pl.when(pl.col("orgSourcedId").is_in(districts)).then(pl.lit("districtAdministrator"))
    rows = rows.select(
        *(column for column in ("status", "dateLastModified") if column in rows.columns),
        *("userSourcedId", "orgSourcedId"),
        role=pl.when(pl.col("role").str.to_lowercase() == "administrator")
        .then(administrator.otherwise(pl.lit("siteAdministrator")))
        .otherwise("role"),
        roleType=pl.when(pl.col("userSourcedId").is_first_distinct()).then(pl.lit("primary")).otherwise(pl.lit("secondary")),
        user=keys_of(rows["userSourcedId"]),
        org=keys_of(rows["orgSourcedId"]),
    )  # fmt: skip
    return draws.with_uuid(rows, "sourcedId", "roles/roster", pl.col("user"), pl.col("org")).drop("user", "org")


def keys_of(ids: pl.Series) -> pl.Series:
    """Numbers in the place of ids, for draws."""
    known = {id: key_of(id) for id in ids.unique().drop_nulls()}
    return pl.Series("key", [known.get(id) for id in ids], dtype=pl.UInt64)
