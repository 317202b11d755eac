"""A district's file: what it says, and how its faults are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.core.errors import ConfigurationError
from gateway.core.guard import Limits
from gateway.settings import load_district
from gateway.settings.schema import LimitsSchema

Write = Callable[..., Path]


def test_a_good_file_becomes_values(district_file: Write) -> None:
    path = district_file()
    district = load_district(path)
    assert (district.id, district.name) == ("lakeside", "Lakeside School District")
    assert district.time_zone == ZoneInfo("America/New_York")
    assert district.data == path.parent / "data"
    assert district.database == f"sqlite:///{path.parent}/data/gateway.db"
    assert district.connections["sis"].connector == "sample_source"
    sync = district.sync()
    assert (sync.source, sync.target, sync.framework) == ("sis", "lms", None)
    assert sync.mapping == path.parent / "mappings/lakeside.yaml"
    assert (sync.grace, sync.overlap) == (timedelta(hours=6), timedelta(hours=1))
    assert (sync.missing_pulls, sync.read_back) == (2, 20)
    assert sync.guards.default == Limits()
    assert district.retention.snapshots == 30


FAULTS = [
    ("time_zone: America/New_York", "time_zone: New_York", 3, "time zone is not known"),
    ("time_zone: America/New_York", "time_zone: ../etc/passwd", 3, "time zone is not known"),
    ("time_zone: America/New_York", "timezone: America/New_York", 3, 'Did you mean "time_zone"?'),
    ("time_zone: America/New_York\n", "", 1, '"time_zone" is missing'),
    ("district: lakeside", "district: 17", 1, '"district" must be text'),
    ("district: lakeside", "district: Lake Side", 1, "small letters"),
    ("connector: sample_source", "connector: sample_sorce", 6, 'Did you mean "sample_source"?'),
    ("      base_url: https://sis.example.org/\n", "", 7, '"base_url" is missing'),
    ("base_url: https://sis.example.org/", "base_url: sis", 8, "must be a web address"),
    ("base_url: https://sis.example.org/", "baseurl: https://sis.example.org/", 8, 'Did you mean "base_url"?'),
    ("client_id: gateway", "client_idd: gateway", 10, 'Did you mean "client_id"?'),
    ("client_id: gateway", "client_id: 0", 10, '"client_id" must be text'),
    ("      auth:\n", "      page_size: 1.5\n      auth:\n", 9, '"page_size" must be a whole number'),
    ("      auth:\n", "      schools: [a, 7]\n      auth:\n", 9, "This item must be text"),
    ("source: sis", "source: sjs", 17, 'Did you mean "sis"?'),
    ("source: sis", "source: lms", 17, "cannot be pulled from"),
    ("target: lms", "target: sis", 18, "cannot be pushed to"),
    ("    mapping: mappings/lakeside.yaml\n", "", 16, '"mapping" is missing'),
    ("    mapping:", "    graces: 6h\n    mapping:", 19, 'Did you mean "grace"?'),
    ("    mapping:", "    grace: 6 hours\n    mapping:", 19, "number and m, h or d"),
    ("    mapping:", "    guards: {gone_percent: 101}\n    mapping:", 19, '"gone_percent" must be greater'),
    ("    mapping:", "    guards: {tables: {user: {empty: false}}}\n    mapping:", 19, "no table of this name"),
    ("    mapping:", "    guards:\n      tables:\n        users: {gone: 1}\n    mapping:", 21, "Did you mean"),
    ("30 1 * * mon-fri", "30 1 * * 1", 20, '"mon" instead of 1'),
    ("30 1 * * mon-fri", "30 1 * * 7", 20, '"sun" instead of 7'),
    ("30 1 * * mon-fri", "30 1 * * 1-5", 20, "by name"),
    ("30 1 * * mon-fri", "30 1 * * */2", 20, "by name"),
    ("30 1 * * mon-fri", "'*/5 1 * * *'", 20, "The minute must be one number"),
    ("30 1 * * mon-fri", "0 1,13 * * *", 20, "The hour must be one number"),
    ("30 1 * * mon-fri", '"0 24 * * *"', 20, "The hour must be one number"),
    ("30 1 * * mon-fri", "30 1 * *", 20, "five fields"),
    ("30 1 * * mon-fri", "30 1 31 feb *", 20, "The schedule has a fault"),
    ("30 1 * * mon-fri", "30 1 * * mon-funday", 20, "by name"),
    ("30 1 * * mon-fri", "30 1 * * mox", 20, "The schedule has a fault"),
    ("  nightly:", "  Every Night:", 16, "name cannot be used"),
    ("name: Lakeside School District", "name: x\ndatabase: mysql://host/x", 3, "not a database URL"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), FAULTS)
def test_a_fault_is_told_with_its_line(district_file: Write, old: str, new: str, line: int, words: str) -> None:
    path = district_file((old, new))
    with pytest.raises(ConfigurationError) as caught:
        load_district(path)
    told = {str(problem.place).split(" ")[0]: str(problem) for problem in caught.value.problems or [caught.value]}
    assert words in told[f"{path}:{line}"]


def test_all_faults_are_told_in_one_pass(district_file: Write) -> None:
    path = district_file(
        ("time_zone: America/New_York", "time_zone: nowhere"),
        ("connector: sample_source", "connector: unheard_of"),
        ("client_secret: ${env:SIS_SECRET}", "client_secret: hunter2"),
        ("target: lms", "target: lsm"),
        ("30 1 * * mon-fri", "30 1 * * 1"),
    )
    with pytest.raises(ConfigurationError) as caught:
        load_district(path)
    assert sorted(problem.place.line or 0 for problem in caught.value.problems if problem.place) == [3, 6, 18, 20]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("${env:SIS_SECRET}", "hunter2", 11),
        ("${env:SIS_SECRET}", '"hunter2 ${env:SIS_SECRET}"', 11),
        ("${env:SIS_SECRET}", "${env:hunter2 }", 11),
        ("${env:SIS_SECRET}", "${vault:hunter2}", 11),
        ("      auth:\n", "      headers: {X-Key: hunter2}\n      auth:\n", 9),
        ("client_id: gateway", "client_id: ${env:hunter2}", 10),
        ("name: Lakeside School District", "name: x\ndatabase: postgresql://u:hunter2@host/x", 3),
    ],
)
def test_secrets_stand_only_by_reference_and_are_never_shown(
    district_file: Write, old: str, new: str, line: int
) -> None:
    path = district_file((old, new))
    with pytest.raises(ConfigurationError) as caught:
        load_district(path)
    assert caught.value.place is not None
    assert caught.value.place.line == line
    assert "hunter2" not in str(caught.value) + repr(caught.value.as_dict()) + caught.value.detail


def test_guards_of_sync_and_table_win_over_those_of_the_district(district_file: Write) -> None:
    district = load_district(
        district_file(
            ("syncs:\n", "guards:\n  gone_percent: 20\n  gone_rows: null\n  tables: {users: {empty: false}}\nsyncs:\n"),
            ("    mapping:", "    guards: {gone_percent: 12.5, tables: {results: {gone_percent: null}}}\n    mapping:"),
        )
    )
    guards = district.sync("nightly").guards
    assert guards.default == Limits(gone_share=Decimal("0.125"), gone_rows=None)
    assert guards.limits("users") == Limits(gone_share=Decimal("0.125"), gone_rows=None, empty=False)
    assert guards.limits("results").gone_share is None
    assert guards.limits("orgs") == guards.default


def test_every_limit_can_be_set() -> None:
    assert {name.replace("_percent", "_share") for name in LimitsSchema().fields} == set(Limits.__dataclass_fields__)


def test_asking_for_an_unknown_sync_names_the_nearest(district_file: Write) -> None:
    district = load_district(district_file())
    with pytest.raises(ConfigurationError, match='Did you mean "nightly"'):
        district.sync("nightli")
    with pytest.raises(ConfigurationError, match='Did you mean "sis"'):
        district.connection("siss")
