"""A district's nights, one after the other: what is pushed, what is held, who is inactivated and when."""

from __future__ import annotations

import csv
import errno
import json
import os
from datetime import timedelta

import polars as pl
import pytest

from gateway.core.errors import ConfigurationError, HeldError, LockedError
from gateway.core.exchange import Action
from gateway.store import plans
from gateway.store.leases import hold
from gateway.store.runs import RunState
from gateway.store.schema import ledger
from gateway.sync import apply_plan, decide, list_quarantine, list_runs, show_quarantine
from gateway.testing.faults import Fault, FaultKind
from tests.sync.stand import held, setting, without


def planned(report, action):
    return sum(actions.get(action, 0) for actions in report.run.report["plan"]["counts"].values())


def first_student(nights):
    """A student with results at the platform after the first night."""
    results = nights.platform.active("results").values()
    return min(record["student"]["sourcedId"] for record in results)


def results_of(nights, student):
    return [r for r in nights.platform.active("results").values() if r["student"]["sourcedId"] == student]


def test_the_second_night_pushes_only_what_changed(nights):
    first = nights.run()
    assert (first.state, first.exit_code) == (RunState.DONE, 0)
    assert set(nights.platform.effects.values()) == {1}
    assert planned(first, "create") == len(nights.platform.effects)
    before, writes = held(nights.platform), nights.platform.writes
    second = nights.run()
    assert second.state is RunState.DONE
    assert (nights.platform.writes, held(nights.platform)) == (writes, before)
    assert planned(second, "keep") == planned(first, "create")

    student = first_student(nights)
    levels = pl.read_parquet(first.folder / "map" / "levels" / "*.parquet")
    assert student in levels["student_id"].to_list()
    nights.edit("results.csv", setting({"studentSourcedId": student}, score="4"))
    third = nights.run()
    changed = {id_ for (name, id_), count in nights.platform.effects.items() if name == "results" and count == 2}
    assert third.state is RunState.DONE
    assert changed == {record["sourcedId"] for record in results_of(nights, student)} & changed
    assert 0 < planned(third, "update") == nights.platform.writes - writes


def test_what_is_pushed_carries_levels_by_case_identifier(nights):
    nights.run()
    framework = json.loads((nights.folder / "sis" / "framework.json").read_text(encoding="utf-8"))
    items = {item["identifier"] for item in framework["CFItems"]}
    for result in nights.platform.active("results").values():
        (objectives,) = result["learningObjectiveSet"]
        assert objectives["source"] == "case"
        for one in objectives["learningObjectiveResults"]:
            assert one["learningObjectiveId"] in items
            assert 0 <= one["score"] <= 4


def test_a_vanished_student_is_inactivated_after_two_complete_pulls(nights):
    nights.run()
    student = first_student(nights)
    nights.edit("users.csv", without(sourcedId=student))
    nights.edit("enrollments.csv", without(userSourcedId=student))
    nights.edit("roles.csv", without(userSourcedId=student))
    nights.edit("demographics.csv", without(sourcedId=student))
    nights.edit("results.csv", without(studentSourcedId=student))
    second = nights.run()
    assert (second.state, planned(second, "inactivate")) == (RunState.DONE, 0)
    mine = {record["sourcedId"] for record in results_of(nights, student)}
    assert mine
    third = nights.run()
    assert third.state is RunState.DONE
    assert planned(third, "inactivate") == len(mine)
    assert results_of(nights, student) == []
    assert all(nights.platform.tables["results"][id_]["status"] == "tobedeleted" for id_ in mine)
    assert nights.run().run.report["push"]["accepted"] == 0


def test_a_student_who_returns_gets_the_same_records_back(nights):
    nights.run()
    student = first_student(nights)
    mine = {record["sourcedId"] for record in results_of(nights, student)}
    whole = (nights.bundle / "enrollments.csv").read_text(encoding="utf-8")
    nights.edit("enrollments.csv", without(userSourcedId=student))
    nights.run()
    nights.run()
    assert results_of(nights, student) == []
    (nights.bundle / "enrollments.csv").write_text(whole, encoding="utf-8")
    nights.run()
    assert {record["sourcedId"] for record in results_of(nights, student)} == mine


def halve(nights, name="users.csv"):
    nights.edit(name, lambda rows: rows[: len(rows) // 2])


def test_a_bad_file_is_held_and_can_be_discarded(nights):
    nights.run()
    before, writes = held(nights.platform), nights.platform.writes
    good = (nights.bundle / "users.csv").read_bytes()
    halve(nights)
    night = nights.run()
    assert (night.state, night.exit_code) == (RunState.HELD, 4)
    assert nights.platform.writes == writes
    codes = {(reason["code"], reason["table"]) for reason in night.run.report["plan"]["reasons"]}
    assert ("guard.gone", "users") in codes
    assert any("approve" in line for line in night.lines())
    store = nights.open()
    with pytest.raises(HeldError):
        apply_plan(nights.district, night.run.plan_id, store=store, now=nights.now, adapters=nights.platform.adapters)
    decide(store, nights.district, night.run.plan_id, "discard", by="Kim", reason="Broken export", now=nights.now)
    with pytest.raises(ConfigurationError) as caught:
        decide(store, nights.district, night.run.plan_id, "approve", by="Lee", reason="No", now=nights.now)
    assert caught.value.code == "plan.decided"
    assert list_runs(store, nights.district)[0].state is RunState.DISCARDED
    store.close()
    (nights.bundle / "users.csv").write_bytes(good)
    after = nights.run()
    assert (after.state, nights.platform.writes, held(nights.platform)) == (RunState.DONE, writes, before)


def decided(nights, night, decision):
    store = nights.open()
    try:
        decide(store, nights.district, night.run.plan_id, decision, by="Kim", reason="A test", now=nights.now)
        return apply_plan(
            nights.district, night.run.plan_id, store=store, now=nights.now, adapters=nights.platform.adapters
        )
    finally:
        store.close()


def test_additions_and_updates_only_forgives_the_absences(nights):
    nights.run()
    before = held(nights.platform)
    student = first_student(nights)
    nights.edit("results.csv", setting({"studentSourcedId": student}, score="0"))
    gone = [r["sourcedId"] for r in rows_of(nights, "enrollments.csv") if r["userSourcedId"] != student]
    nights.edit("enrollments.csv", lambda rows: [r for r in rows if r["sourcedId"] not in set(gone[::2])])
    night = nights.run()
    assert night.state is RunState.HELD
    applied = decided(nights, night, "additions-and-updates")
    assert applied.state is RunState.DONE
    assert set(held(nights.platform)["results"]) == set(before["results"])
    assert held(nights.platform)["results"] != before["results"]
    again = nights.run()
    assert again.state is RunState.HELD  # still missing, still new: it is asked again, not inactivated silently
    assert planned(again, "inactivate") == 0


def test_approved_once_the_next_plan_is_judged_again(nights):
    nights.run()
    halve(nights, "enrollments.csv")
    night = nights.run()
    assert decided(nights, night, "approve").state is RunState.DONE
    next_night = nights.run()
    assert next_night.state is RunState.HELD
    assert planned(next_night, "inactivate") > 0
    before = len(nights.platform.active("results"))
    assert decided(nights, next_night, "approve").state is RunState.DONE
    assert len(nights.platform.active("results")) < before
    assert nights.run().state is RunState.DONE


def rows_of(nights, name):
    with (nights.bundle / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("emptied", ["users.csv", "results.csv", "classes.csv"])
def test_a_header_only_file_is_held(nights, emptied):
    nights.run()
    writes = nights.platform.writes
    nights.edit(emptied, lambda rows: [])
    night = nights.run()
    assert night.state is RunState.HELD
    assert "guard.empty" in {reason["code"] for reason in night.run.report["plan"]["reasons"]}
    assert nights.platform.writes == writes


def test_a_missing_file_is_unknown_not_empty(nights):
    nights.run()
    writes = nights.platform.writes
    (nights.bundle / "results.csv").unlink()
    night = nights.run()
    assert night.state is RunState.DONE
    assert nights.platform.writes == writes


def test_a_bad_record_is_quarantined_and_its_last_good_version_stays(nights):
    nights.run()
    before, writes = held(nights.platform), nights.platform.writes
    student = first_student(nights)
    nights.edit("results.csv", setting({"studentSourcedId": student}, score="3,5"))
    night = nights.run()
    assert (night.state, night.exit_code) == (RunState.DONE, 3)
    assert (held(nights.platform), nights.platform.writes) == (before, writes)
    store = nights.open()
    rows = list_quarantine(store, nights.district, table="results")
    assert rows["code"].unique().to_list() == ["record.not-a-number"]
    assert rows["value"].unique().to_list() == ["9,9"]
    shown = show_quarantine(store, nights.district, "results", rows["id"][0])
    assert shown["last_good_version"] is True
    store.close()


def test_what_waits_for_a_bad_record_is_released_with_it(nights):
    student = min(row["sourcedId"] for row in rows_of(nights, "users.csv") if row["grades"])
    good = (nights.bundle / "users.csv").read_bytes()
    nights.edit("users.csv", setting({"sourcedId": student}, givenName=""))
    first = nights.run()
    assert first.exit_code == 3
    store = nights.open()
    waiting = list_quarantine(store, nights.district).filter(pl.col("code") == "record.waiting")
    assert f"users/{student}" in set(waiting.filter(pl.col("table") == "results")["waits_for"])
    links = waiting.filter(pl.col("table") == "result_learning_objectives")["waits_for"]
    assert set(links) <= {f"results/{id_}" for id_ in waiting.filter(pl.col("table") == "results")["id"]}
    store.close()
    assert results_of(nights, student) == []
    (nights.bundle / "users.csv").write_bytes(good)
    assert nights.run().exit_code == 0
    assert results_of(nights, student)


def test_quarantine_can_be_tried_again_without_a_pull(nights):
    student = min(row["sourcedId"] for row in rows_of(nights, "users.csv") if row["grades"])
    result = next(row for row in rows_of(nights, "results.csv") if row["studentSourcedId"] == student and row["score"])
    nights.edit("results.csv", setting({"sourcedId": result["sourcedId"]}, score="5"))
    first = nights.run()
    assert first.quarantined == 1
    pulls = nights.platform.writes
    again = nights.run(retry=True)
    assert (again.state, again.quarantined, nights.platform.writes) == (RunState.DONE, 1, pulls)
    nights.replace("settings: {path: sis/oneroster}", "settings: {path: sis/oneroster}\n    extra_credit: true")
    released = nights.run(retry=True)
    assert (released.state, released.quarantined) == (RunState.DONE, 0)
    assert released.run.report["check"]["tables"]["results"]["added"] == 1


def test_a_record_that_the_target_refuses_does_not_stop_the_others(nights):
    nights.run()
    refused = min(nights.platform.active("results"))
    nights.platform.tables["results"].clear()
    nights.platform.effects.clear()
    nights.platform.inject(Fault(FaultKind.REFUSED_RECORD, value=refused, times=None))
    store = nights.open()
    with store.begin() as connection:
        connection.execute(ledger.delete())
    store.close()
    night = nights.run()
    assert (night.state, night.exit_code, night.refused) == (RunState.DONE, 3, 1)
    assert refused not in nights.platform.active("results")
    assert any("grading window" in line for line in night.lines())
    nights.platform.faults.clear()
    mended = nights.run()
    assert (mended.exit_code, mended.run.report["push"]["accepted"]) == (0, 1)
    assert refused in nights.platform.active("results")


def test_a_dry_run_pushes_nothing_and_can_be_applied(nights):
    night = nights.run(until="plan")
    assert (night.state, night.exit_code) == (RunState.PLANNED, 0)
    assert nights.platform.writes == 0
    store = nights.open()
    applied = apply_plan(
        nights.district, night.run.plan_id, store=store, now=nights.now, adapters=nights.platform.adapters
    )
    assert applied.state is RunState.DONE
    assert len(nights.platform.effects) == planned(night, "create")
    with pytest.raises(ConfigurationError) as caught:
        apply_plan(nights.district, night.run.plan_id, store=store, now=nights.now)
    assert caught.value.code == "plan.stale"
    store.close()


def test_a_plan_that_was_overtaken_is_refused(nights):
    old = nights.run(until="plan")
    nights.run()
    store = nights.open()
    with pytest.raises(ConfigurationError) as caught:
        apply_plan(nights.district, old.run.plan_id, store=store, now=nights.now)
    assert caught.value.code == "plan.stale"
    assert plans.found(store, "lakeside", old.run.plan_id).state is plans.PlanState.SUPERSEDED
    store.close()


def test_a_plan_whose_files_were_changed_is_refused(nights):
    night = nights.run(until="plan")
    file = night.folder / "plan" / "results.parquet"
    pl.read_parquet(file).head(1).write_parquet(file)
    store = nights.open()
    report = apply_plan(
        nights.district, night.run.plan_id, store=store, now=nights.now, adapters=nights.platform.adapters
    )
    assert (report.state, report.run.report["problem"]["code"]) == (RunState.FAILED, "plan.changed")
    assert nights.platform.writes == 0
    store.close()


def test_one_run_per_local_date(nights):
    first = nights.run(run_key="2026-06-11")
    again = nights.run(run_key="2026-06-11")
    assert again.run.run_id == first.run.run_id
    assert nights.run(run_key="2026-06-12").run.run_id != first.run.run_id


def test_a_second_start_says_who_holds_the_connection(nights):
    store = nights.open()
    tomorrow = nights.time + timedelta(days=1)
    with hold(store, "lakeside", ["sis"], lambda: tomorrow), pytest.raises(LockedError) as caught:
        nights.run()
    assert caught.value.exit_code == 75
    store.close()


def test_a_host_that_is_down_leaves_the_run_to_the_next_start(nights):
    nights.platform.inject(Fault(FaultKind.THROTTLED, value="86400", path="results"))
    night = nights.run()
    assert (night.state, night.exit_code) == (RunState.INCOMPLETE, 1)
    nights.platform.faults.clear()
    nights.time -= timedelta(hours=23)  # an hour later, not a day
    again = nights.run()
    assert again.run.run_id == night.run.run_id
    assert again.state is RunState.DONE
    assert set(nights.platform.effects.values()) == {1}


def test_what_cannot_change_does_not_change_by_itself(nights):
    """Nothing in a record depends on the day of the run."""
    nights.run()
    report = nights.run()
    assert {action for actions in report.run.report["plan"]["counts"].values() for action in actions} == {
        Action.KEEP.value
    }


def test_a_framework_can_be_pulled_instead_of_named(nights):
    nights.run()
    before, writes = held(nights.platform), nights.platform.writes
    nights.replace("syncs:", "  standards:\n    connector: case\n    settings: {path: sis/framework.json}\nsyncs:")
    nights.replace("    target: lms", "    target: lms\n    framework: standards")
    (nights.folder / "mappings" / "frameworks" / "lakeside.json").unlink()
    night = nights.run()
    assert night.state is RunState.DONE
    assert (held(nights.platform), nights.platform.writes) == (before, writes)
    assert (night.folder / "map" / "framework.json").exists()


def test_old_snapshots_and_bulky_files_are_cleared_away(nights):
    nights.replace("syncs:", "retention: {snapshots: 2}\nsyncs:")
    reports = [nights.run() for _ in range(4)]
    ids = [report.run.run_id for report in reports]
    assert {folder.name for folder in (nights.folder / "data" / "snapshots" / "sis").iterdir()} == set(ids[-2:])
    assert [(report.folder / "plan").exists() for report in reports] == [False, False, True, True]
    assert all((report.folder / "map" / "levels").exists() for report in reports)
    assert all((report.folder / "report.txt").exists() for report in reports)
    assert not any((report.folder / "stage").exists() for report in reports)


BULK = """\
  lms:
    connector: oneroster_csv
    settings: {path: out, mode: bulk, version: "1.2"}
"""


def written(nights):
    with (nights.folder / "out" / "results.csv").open(encoding="utf-8", newline="") as stream:
        return {row["sourcedId"] for row in csv.DictReader(stream)}


def test_a_bulk_file_keeps_what_must_not_be_inactivated(nights):
    text = nights.file.read_text(encoding="utf-8")
    start, end = text.index("  lms:"), text.index("syncs:")
    nights.file.write_text(text[:start] + BULK + text[end:], encoding="utf-8")
    nights.run()
    before = written(nights)
    chosen = {row["userSourcedId"] for row in rows_of(nights, "enrollments.csv")[::5]}
    nights.edit("enrollments.csv", lambda rows: [r for r in rows if r["userSourcedId"] not in chosen])
    assert decided(nights, nights.run(), "approve").state is RunState.DONE
    assert written(nights) == before
    second = nights.run()
    assert (second.state, planned(second, "inactivate") > 0) == (RunState.HELD, True)
    nights.edit("results.csv", lambda rows: [{**r, "score": "1" if r["score"] else ""} for r in rows])
    third = nights.run()
    assert third.state is RunState.HELD
    assert decided(nights, third, "additions-and-updates").state is RunState.DONE
    assert written(nights) == before


def test_where_the_target_allocates_ids_later_records_name_them(nights):
    nights.replace(
        f"base_url: {nights.platform.host}",
        f"base_url: {nights.platform.host}\n      profile: {{write_style: post}}",
    )
    first = nights.run()
    assert (first.exit_code, first.refused) == (0, 0)
    student = first_student(nights)
    rolled = [r for r in rows_of(nights, "results.csv") if r["studentSourcedId"] == student]
    nights.edit("results.csv", setting({"studentSourcedId": student}, score="4"))
    assert rolled
    second = nights.run()
    assert (second.exit_code, second.refused) == (0, 0)
    assert planned(second, "update") > 0
    third = nights.run()
    assert planned(third, "update") + planned(third, "create") == 0


def test_a_full_disk_stops_the_run_and_the_next_start_goes_on(nights, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        night = nights.run()
    assert (night.state, night.run.report["problem"]["code"]) == (RunState.INCOMPLETE, "disk.full")
    assert nights.platform.writes == 0
    assert not [file for file in night.folder.rglob("*") if file.is_file() and file.suffix not in (".json", ".txt")]
    nights.time -= timedelta(hours=23)
    again = nights.run()
    assert (again.run.run_id, again.state) == (night.run.run_id, RunState.DONE)
