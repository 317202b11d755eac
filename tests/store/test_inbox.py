"""What clients wrote is kept on both databases: the last good content under what cannot be used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.store import inbox
from gateway.store.inbox import InboxState, Verdict, Written

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def written(id: str, state: InboxState, record: dict[str, object] | None, **more: object) -> Written:
    return Written("results", id, '{"score":1}', Verdict(state, record, **more))


def test_a_good_content_stays_under_what_cannot_be_used_and_one_that_waited_does_not(store):
    good, bad, waiting = InboxState.ACCEPTED, InboxState.QUARANTINED, InboxState.WAITING
    for number, (given, kept) in enumerate([(good, "0"), (bad, "0"), (bad, "0"), (waiting, "3"), (bad, None)]):
        record = None if given is bad else {"score": str(number)}
        new = inbox.put(store, "d", "c", [written("r", given, record)], now=NOON + timedelta(hours=number))
        assert new == [number == 0]
        item = inbox.find(store, "d", "c", "results", "r")
        assert item is not None
        assert (item.verdict.state, (item.verdict.record or {}).get("score")) == (given, kept)
        assert (item.created_at, item.changed_at) == (NOON, NOON + timedelta(hours=number))
        assert inbox.last_revision(store, "d", "c") == number + 1
        assert [item.record_id for item in inbox.since(store, "d", "c", number)] == ["r"]
        assert inbox.since(store, "d", "c", number + 1) == []


def test_records_of_clients_and_districts_are_their_own(store):
    for district, client in (("d", "a"), ("d", "b"), ("e", "a")):
        inbox.put(store, district, client, [written("r", InboxState.ACCEPTED, {"id": "r"})], now=NOON)
    assert [item.client_id for item in inbox.listed(store, "d")] == ["a", "b"]
    assert [item.client_id for item in inbox.listed(store, "d", after=("a", "results", "r"))] == ["b"]
    assert inbox.find(store, "e", "b", "results", "r") is None
    assert [row["records"] for row in inbox.counts(store, "d")] == [1, 1]


def test_waiting_records_are_found_by_what_they_wait_for(store):
    many = [
        written(f"r-{number:05}", InboxState.WAITING, {}, waits_for=f"line_items/{number % 2}")
        for number in range(6_000)
    ]
    assert inbox.put(store, "d", "c", many, now=NOON) == [True] * 6_000
    assert inbox.put(store, "d", "c", many, now=NOON) == [False] * 6_000
    assert len(inbox.waiting_for(store, "d", "c", ["line_items/1", "line_items/9"])) == 3_000
    assert len(inbox.among(store, "d", "c", "results", [each.record_id for each in many])) == 6_000
