"""The record of disclosures on both databases: it only grows, in one chain a district."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from gateway.core.errors import TransientError
from gateway.store import disclosures
from gateway.store.disclosures import DocumentRecord, Rules

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def record(code, student="s1"):
    rules = (Rules("school-weighted", "2026.1", "d" * 64),)
    return DocumentRecord(
        code,
        "gpa-report",
        student,
        rules,
        False,
        "1",
        "2",
        f"{code}.pdf",
        "José, Université",
        "admission",
        "R. M.",
        NOON,
    )


def add(store, *codes, district="lakeside"):
    with store.begin() as connection:
        disclosures.add(connection, district, [record(code) for code in codes])


def test_what_was_recorded_is_found_as_it_was(store):
    add(store, "A", "B")
    assert disclosures.found(store, "lakeside", "A") == record("A")
    assert disclosures.found(store, "riverside", "A") is None
    assert [each.code for each in disclosures.listed(store, "lakeside")] == ["B", "A"]
    assert disclosures.first_broken(store, "lakeside") is None


@pytest.mark.parametrize("change", ["UPDATE disclosures SET recipient = 'Nobody'", "DELETE FROM disclosures"])
def test_the_database_refuses_to_change_the_record(store, change):
    add(store, "A", "B")
    with pytest.raises((sa.exc.DBAPIError, TransientError), match="only grows"), store.begin() as connection:
        connection.execute(sa.text(change))
    assert disclosures.newest(store, "lakeside")[0] == 2
    assert disclosures.first_broken(store, "lakeside") is None


def test_many_at_once_make_one_chain(store):
    def work(number):
        for part in range(5):
            add(store, f"{number}-{part}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert disclosures.newest(store, "lakeside")[0] == 20
    assert disclosures.first_broken(store, "lakeside") is None
