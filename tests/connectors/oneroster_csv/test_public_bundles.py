"""Public bundles are read as they are, and their known deviations are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.exchange import REJECTS
from tests.connectors.oneroster_csv.bundles import pull

HABIT = "fills status or dateLastModified, which a bulk file leaves empty; they are read"
RUBEN = {"academic_sessions": 5, "orgs": 1, "classes": 2, "users": 6, "roles": 6, "enrollments": 6}
BUNDLES = {
    "ruben-cooper/Test_full_data_set": RUBEN,
    "ruben-cooper/Test_full_data_set.zip": RUBEN,
    "ruben-cooper/Test_minimal_data_set": RUBEN,
    "ruben-cooper/Test_minimal_data_set.zip": RUBEN,
    "nicelion": dict.fromkeys((*RUBEN, "courses"), 0),
    "gospelnerd-1.1/school-small": {
        "academic_sessions": 2, "orgs": 1, "courses": 42, "classes": 42, "users": 79, "roles": 79, "enrollments": 546,
        "demographics": 72,
    },
    "gospelnerd-1.1/district-medium": {
        "academic_sessions": 2, "orgs": 9, "courses": 91, "classes": 364, "users": 837, "roles": 837,
        "enrollments": 5810, "demographics": 778,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", BUNDLES)
def test_a_public_bundle_is_read_whole(shared_data: Path, tmp_path: Path, name: str) -> None:
    pulled = pull(shared_data / "oneroster" / name, tmp_path / "work")
    assert {table: frame.height for table, frame in pulled.frames.items()} == BUNDLES[name]
    assert REJECTS not in pulled.frames
    for table, frame in pulled.frames.items():
        assert frame.height == 0 or frame["id"].null_count() == 0, table


def test_a_bulk_bundle_with_statuses_is_told_of_file_by_file(shared_data: Path, tmp_path: Path) -> None:
    pulled = pull(shared_data / "oneroster/gospelnerd-1.1/school-small", tmp_path / "work")
    assert sorted(pulled.warnings) == sorted(f"{name}.csv {HABIT} (first on line 2)." for name in pulled.streams)
    assert set(pulled.column("academic_sessions", "school_year")) == {"2026-2027"}
    assert "administrator" in pulled.column("roles", "role")


def test_raw_values_are_left_to_the_check(shared_data: Path, tmp_path: Path) -> None:
    pulled = pull(shared_data / "oneroster/ruben-cooper/Test_full_data_set", tmp_path / "work")
    assert "TRUE" in pulled.column("users", "enabled_user")
    assert "Scheduled" in pulled.column("classes", "class_type")
    assert {"active", "tobedeleted"} <= set(pulled.column("academic_sessions", "status"))
    assert pulled.column("classes", "subject_codes")[0] == ["PHY123", "ASV120"]
    assert pulled.column("classes", "periods")[1] == ["1", "2", "3"]


def test_header_only_files_are_told_of_and_unannounced_ones_passed_over(shared_data: Path, tmp_path: Path) -> None:
    pulled = pull(shared_data / "oneroster/nicelion", tmp_path / "work")
    assert "demographics" not in pulled.streams
    assert (
        pulled.warnings[0] == "manifest.csv says that demographics.csv is absent, but it is there; it is passed over."
    )
    assert pulled.warnings[1:] == [f"{name}.csv holds a header and no records." for name in pulled.streams]
