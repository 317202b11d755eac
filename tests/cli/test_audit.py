"""``audit show`` and ``audit verify``."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.store import audit, open_store
from tests.cli.conftest import Call

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def acted(call: Call, tmp_path: Path) -> Path:
    """A district with three entries; its database."""
    assert call("init", "--id", "lakeside", "--time-zone", "UTC").code == 0
    database = tmp_path / "data" / "gateway.db"
    with closing(open_store(f"sqlite:///{database}")) as store:
        for n in range(3):
            audit.note(store, "lakeside", audit.Entry(NOON, "client_1", "gpa.compute", n, {"policies": ["uc"]}))
    return database


def test_the_last_entries_are_shown_oldest_first(call: Call, acted: Path) -> None:
    shown = call("audit", "show", "--count", "2")
    assert [line.split()[0] for line in shown.out.splitlines()] == ["2", "3"]
    assert "2026-11-22 12:00:00  client_1  gpa.compute  students=1 policies=['uc']" in shown.out
    after = json.loads(call("audit", "show", "--after", "1", "--json").out)
    assert [entry["number"] for entry in after["entries"]] == [2, 3]


def test_a_whole_audit_is_told_so_and_a_changed_one_is_not(call: Call, acted: Path) -> None:
    assert call("audit", "verify").out == "The audit is whole: 3 entries.\n"
    with closing(sqlite3.connect(acted)) as database, database:
        database.execute("UPDATE audit SET subjects = 0 WHERE number = 2")
    broken = call("audit", "verify")
    assert broken.code == 1
    assert "entry 2 is not as it was written" in broken.err
