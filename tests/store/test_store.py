"""What the gateway remembers, on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from gateway.core.errors import ConfigurationError, LockedError
from gateway.core.exchange import Action, Change, Outcome, OutcomeState, Page, Stream
from gateway.store import (
    api_schema,  # noqa: F401
    gpa_overrides,  # noqa: F401
    ledger,
    open_store,
    plans,
    runs,
    staging,
)
from gateway.store.leases import LEASE_FOR, Lease, hold
from gateway.store.schema import leases, metadata
from gateway.store.schema import runs as runs_table

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_the_migrations_build_what_the_schema_declares(store):
    with store.begin(read=True) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_store_opens_twice_and_refuses_a_newer_one(store, store_url):
    open_store(store_url).close()
    with store.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="newer version"):
        open_store(store_url)


def test_a_url_that_is_none():
    with pytest.raises(ConfigurationError) as caught:
        open_store("mongo//nowhere")
    assert caught.value.code == "store.url"


def test_one_run_per_local_date(store):
    first = runs.begin(store, "d", "nightly", now=NOON, since=None, run_key="2026-11-22", until="push")
    with pytest.raises(IntegrityError):
        runs.begin(store, "d", "nightly", now=NOON, since=None, run_key="2026-11-22", until="push")
    runs.begin(store, "other", "nightly", now=NOON, since=None, run_key="2026-11-22", until="push")
    assert runs.by_key(store, "d", "nightly", "2026-11-22") == first
    assert runs.last_keys(store, "d") == {"nightly": "2026-11-22"}


def test_runs_without_a_key_are_not_limited(store):
    for _ in range(2):
        runs.begin(store, "d", "nightly", now=NOON, since=None, run_key=None, until="push")
    assert len(runs.listed(store, "d")) == 2


def change(record_id="r1", action=Action.CREATE):
    return Change("results", record_id, action, f"d/t/results/{record_id}/x", {"id": record_id})


def test_the_ledger_knows_what_is_on_its_way_and_what_was_answered(store):
    sent = [(change("r1"), "digest1"), (change("r2"), "digest2")]
    with store.begin() as connection:
        ledger.mark_sending(connection, "d", "t", "run1", sent, NOON)
    assert sorted(ledger.sent_by(store, "d", "t", "results", "run1")) == [
        ("r1", "sending", "digest1"), ("r2", "sending", "digest2"),
    ]  # fmt: skip
    answers = [
        (sent[0][0], "digest1", Outcome("k1", OutcomeState.ACCEPTED, remote_id="theirs")),
        (sent[1][0], "digest2", Outcome("k2", OutcomeState.REJECTED, "http.422", "The grading window is closed.")),
    ]
    with store.begin() as connection:
        ledger.mark_answered(connection, "d", "t", answers, NOON)
    known = ledger.known(store, "d", "t", "results").sort("id").rows()
    assert known == [
        ("r1", "accepted", "digest1", "digest1", "theirs"),
        ("r2", "rejected", "digest2", None, None),
    ]
    assert ledger.failures(store, "d", "t", "another run") == []
    (failure,) = ledger.failures(store, "d", "t", "run1")
    assert (failure["code"], failure["records"]) == ("http.422", 1)


def test_an_inactivated_record_is_inactive_and_keeps_its_remote_id(store):
    for action, digest in ((Action.CREATE, "digest1"), (Action.INACTIVATE, None)):
        one = change(action=action)
        with store.begin() as connection:
            ledger.mark_sending(connection, "d", "t", "run1", [(one, digest)], NOON)
        remote = "theirs" if digest else None
        with store.begin() as connection:
            answer = Outcome(one.key, OutcomeState.ACCEPTED, remote_id=remote)
            ledger.mark_answered(connection, "d", "t", [(one, digest, answer)], NOON)
    assert ledger.known(store, "d", "t", "results").rows() == [("r1", "inactive", None, None, "theirs")]


def test_districts_and_targets_do_not_see_each_other(store):
    with store.begin() as connection:
        ledger.mark_sending(connection, "d", "t", "run1", [(change(), "digest")], NOON)
    assert ledger.known(store, "e", "t", "results").is_empty()
    assert ledger.known(store, "d", "u", "results").is_empty()


def test_a_lease_keeps_others_out_and_is_given_back(store):
    with hold(store, "d", ["sis", "lms"], lambda: NOON):
        with pytest.raises(LockedError, match="sis") as caught, hold(store, "d", ["sis"], lambda: NOON):
            pass
        assert caught.value.exit_code == 75
        with hold(store, "other", ["sis"], lambda: NOON):
            pass
    with hold(store, "d", ["sis"], lambda: NOON):
        pass


def test_half_a_lease_is_not_taken(store):
    with hold(store, "d", ["lms"], lambda: NOON):
        with pytest.raises(LockedError), hold(store, "d", ["sis", "lms"], lambda: NOON):
            pass
        with hold(store, "d", ["sis"], lambda: NOON):
            pass


def test_a_sleeper_that_wakes_up_is_fenced_off(store):
    with hold(store, "d", ["sis"], lambda: NOON) as sleeper:
        later = NOON + LEASE_FOR + timedelta(minutes=1)
        with hold(store, "d", ["sis"], lambda: later) as other:
            with pytest.raises(LockedError) as caught, store.begin() as connection:
                connection.execute(sa.insert(runs_table).values(_run_values()))
                sleeper.renew(connection)
            assert caught.value.code == "lease.lost"
            with store.begin() as connection:
                other.renew(connection)
    assert runs.listed(store, "d") == []


def _run_values():
    return {
        "district": "d", "run_id": "x", "sync": "s", "state": "running", "step": "begin", "until": "push",
        "started_at": NOON, "report": {},
    }  # fmt: skip


def test_the_lease_of_a_dead_process_is_free_at_once(store):
    dead = {"district": "d", "connection": "sis", "owner": f"{_host()}/999999999/x", "fencing": 3}
    with store.begin() as connection:
        connection.execute(sa.insert(leases).values(**dead, expires_at=NOON + LEASE_FOR))
    with hold(store, "d", ["sis"], lambda: NOON) as lease:
        assert lease.fencing == {"sis": 4}


def _host():
    import socket

    return socket.gethostname()


def test_of_many_who_want_one_lease_at_once_one_gets_it(store):
    won: list[Lease] = []
    lost: list[LockedError] = []
    start, done = threading.Barrier(4, timeout=120), threading.Barrier(4, timeout=120)

    def compete():
        start.wait()
        try:
            with hold(store, "d", ["sis"], lambda: NOON) as lease:
                won.append(lease)
                done.wait()
        except LockedError as error:
            lost.append(error)
            done.wait()

    threads = [threading.Thread(target=compete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 3)


def page(*ids, resume=None):
    return Page({"users": pl.DataFrame({"id": list(ids)})}, resume, ("odd header",))


def test_staged_pages_count_from_their_commit(store, tmp_path):
    stream = Stream("users", ("users",))
    files = staging.write_page(tmp_path, stream, 1, page("a", "b", resume="2"))
    assert staging.staged(store, "d", "run", tmp_path) == {}
    with store.begin() as connection:
        staging.commit_page(connection, "d", "run", stream, 1, page("a", "b", resume="2"), files)
    half = staging.staged(store, "d", "run", tmp_path)["users"]
    assert (half.resume, half.complete, half.rows, half.pages) == ("2", False, 2, 1)
    files = staging.write_page(tmp_path, stream, 2, page("c"))
    with store.begin() as connection:
        staging.commit_page(connection, "d", "run", stream, 2, page("c"), files)
    whole = staging.staged(store, "d", "run", tmp_path)["users"]
    assert (whole.resume, whole.complete, whole.rows) == (None, True, 3)
    assert [staging.read_page(f)["id"].to_list() for f in whole.files["users"]] == [["a", "b"], ["c"]]
    with store.begin() as connection:
        staging.forget(connection, "d", "run", "users")
    assert staging.staged(store, "d", "run", tmp_path) == {}


def test_a_decision_is_recorded_once(store):
    with store.begin() as connection:
        plans.record_decision(
            connection, "d", "p", plans.PlanState.APPROVED, by="Kim", reason="New school year", now=NOON
        )
    with pytest.raises(ConfigurationError) as caught, store.begin() as connection:
        plans.record_decision(connection, "d", "p", plans.PlanState.DISCARDED, by="Lee", reason="No", now=NOON)
    assert caught.value.code == "plan.decided"
    assert plans.decision_on(store, "d", "p")["by"] == "Kim"
