"""GPAs on their way to an Ed-Fi host: planned against the ledger, judged by the guards, merged with what is there."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from gateway.core.errors import ConfigurationError
from gateway.core.gpa.policy import Policy
from gateway.policies import find_policy
from gateway.store.runs import RunState
from gateway.sync import RunReport, apply_plan, decide
from gateway.sync.gpa_push import RecordPlace, desired_gpas, kept_back
from gateway.sync.telling import GPAS, tell
from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.sample import SCHOOL
from gateway.testing.faults import Fault, FaultKind
from tests.sync.stand import Nights

POLICIES = ("school-weighted", "ncaa-d1")
CONNECTION = """\
  ods:
    connector: edfi
    settings:
      base_url: {address}
      auth: {{client_id: "${{file:client-id}}", client_secret: "${{file:client-secret}}"}}
      target:
        namespace: uri://example.org/Lakeside
        create_descriptors: true
        gpa:
          types: {{school-weighted: Weighted, ncaa-d1: "uri://example.org/Lakeside#NCAA core"}}
          term_types: {{school-weighted: "uri://example.org/Lakeside#Term weighted"}}
          terms: {{Fall: Fall Semester}}
syncs:
"""
PLACE = RecordPlace("2027", "Fall", date(2026, 12, 18), str(SCHOOL))


def policy(name: str) -> Policy:
    return find_policy(name, [Path("mappings/gpa")], date(2026, 12, 18))


def results(values: dict[str, str], policies: tuple[str, ...] = POLICIES, state: str = "computed") -> pl.DataFrame:
    rows = [
        {"student_id": student, "policy": name, "version": "2026", "gpa": value, "state": state, "period": "cumulative"}
        for student, value in values.items()
        for name in policies
    ]
    return pl.DataFrame(rows)


def desired(values: dict[str, str], **more: tuple[str, ...]) -> pl.DataFrame:
    found = results(values, **more)
    named = [policy(name) for name in found["policy"].unique().sort()]
    return desired_gpas(found, None, named, PLACE, district="lakeside")


class Host:
    """A host with a furnished district, and the nights of a district that pushes to it."""

    def __init__(self, nights: Nights, students: int = 6) -> None:
        self.fake = furnished(FakeEdFi("7.3"), students=students)
        self.nights = nights
        for name, text in (("client-id", self.fake.gate.key), ("client-secret", self.fake.gate.secret)):
            (nights.folder / name).write_text(text, encoding="utf-8")
        nights.replace("syncs:\n", CONNECTION.format(address=self.fake.base_url))

    def push(self, rows: pl.DataFrame, *, dry_run: bool = False, withdraw: bool = False) -> RunReport:
        self.nights.time += timedelta(days=1)
        store = self.nights.open()
        try:
            return tell(
                self.nights.district, "ods", GPAS, rows, store=store, now=self.nights.now, dry_run=dry_run,
                withdraw=withdraw, adapters=self.fake.adapters,
            )  # fmt: skip
        finally:
            store.close()

    def apply(self, plan: str, *, decision: str = "") -> RunReport:
        store = self.nights.open()
        district, now = self.nights.district, self.nights.now
        try:
            if decision:
                decide(store, district, plan, decision, by="Ada", reason="A new term.", now=now)
            return apply_plan(district, plan, store=store, now=now, adapters=self.fake.adapters)
        finally:
            store.close()

    def averages(self) -> list[dict[str, Decimal]]:
        return [
            {
                each["gradePointAverageTypeDescriptor"].partition("#")[2]: each["gradePointAverageValue"]
                for each in row["gradePointAverages"]
            }
            for row in self.fake.rows("studentAcademicRecords")
        ]


@pytest.fixture
def host(nights: Nights) -> Host:
    return Host(nights)


def test_gpas_reach_the_records_of_others_and_a_second_time_nothing_is_written(host: Host) -> None:
    rows = desired({"604800": "3.875", "604801": "3.5"})
    report = host.push(rows)
    assert report.state is RunState.DONE
    assert host.averages()[:3] == [
        {"Unweighted": Decimal("3.25"), "Weighted": Decimal("3.875"), "NCAA core": Decimal("3.875")},
        {"Unweighted": Decimal("3.25"), "Weighted": Decimal("3.5"), "NCAA core": Decimal("3.5")},
        {"Unweighted": Decimal("3.25")},
    ]
    writes = host.fake.writes
    again = host.push(rows)
    assert "4 unchanged" in "\n".join(again.lines())
    assert host.fake.writes == writes


def test_a_dry_run_writes_nothing_and_its_plan_can_be_applied(host: Host) -> None:
    report = host.push(desired({"604800": "3.875"}), dry_run=True)
    assert report.state is RunState.PLANNED
    assert host.fake.writes == 0
    assert host.apply(report.run.plan_id or "").state is RunState.DONE
    assert host.averages()[0]["Weighted"] == Decimal("3.875")


def test_a_push_that_changes_nearly_all_values_waits_for_a_person(nights: Nights) -> None:
    host = Host(nights, students=30)
    students = [f"{604800 + number}" for number in range(30)]
    host.push(desired(dict.fromkeys(students, "3.5")))
    held = host.push(desired(dict.fromkeys(students, "3.6")))
    assert held.state is RunState.HELD
    assert host.averages()[0]["Weighted"] == Decimal("3.5")
    assert host.apply(held.run.plan_id or "", decision="approve").state is RunState.DONE
    assert host.averages()[29]["Weighted"] == Decimal("3.6")


def test_a_push_that_broke_off_goes_on_without_sending_again_what_was_accepted(nights: Nights) -> None:
    host = Host(nights, students=8)
    rows = desired({f"{604800 + number}": "3.5" for number in range(8)})
    host.fake.inject(Fault(FaultKind.THROTTLED, "86400", method="PUT", after=5, times=None))
    assert host.push(rows).state is RunState.INCOMPLETE
    host.fake.faults.clear()
    assert host.push(rows).state is RunState.DONE
    counts = [n for (resource, _), n in host.fake.effects.items() if resource == "studentAcademicRecords"]
    assert counts == [1] * 8


def test_what_is_not_whole_or_not_to_be_told_is_not_pushed() -> None:
    assert desired({"604800": "3.5"}, policies=("tilton",)).is_empty()
    pending = results({"604800": "3.5"}, state="pending")
    assert desired_gpas(pending, None, [policy(name) for name in POLICIES], PLACE, district="lakeside").is_empty()
    title = policy("ncaa-d1").title
    partial = results({"604800": "3.5", "604801": "3"}, ("ncaa-d1", "tilton"), "so_far")
    assert kept_back(partial, [policy("ncaa-d1"), policy("tilton")]) == {title: 2}


def test_a_student_without_a_school_stops_the_push() -> None:
    nowhere = RecordPlace("2027", "Fall", date(2026, 12, 18))
    students = pl.DataFrame({"student_id": ["604800"], "school_id": ["1"]})
    named = [policy(name) for name in POLICIES]
    with pytest.raises(ConfigurationError, match="2 GPAs") as caught:
        desired_gpas(results({"604800": "3.5", "604801": "3"}), students, named, nowhere, district="lakeside")
    assert caught.value.code == "gpa.no-school"


def test_a_connection_that_takes_no_gpas_is_named(host: Host) -> None:
    store = host.nights.open()
    try:
        with pytest.raises(ConfigurationError) as caught:
            tell(host.nights.district, "lms", GPAS, desired({"604800": "3"}), store=store, now=host.nights.now)
    finally:
        store.close()
    assert caught.value.code == "gpa.target"


def test_a_gpa_that_is_no_longer_computed_goes_only_if_a_person_says_so(host: Host) -> None:
    host.push(desired({"604800": "3.875", "604801": "3.5"}))
    fewer = desired({"604800": "3.875"})
    host.push(fewer)
    assert host.averages()[1] == {
        "Unweighted": Decimal("3.25"),
        "Weighted": Decimal("3.5"),
        "NCAA core": Decimal("3.5"),
    }
    report = host.push(fewer, withdraw=True)
    assert "2 to inactivate" in "\n".join(report.lines())
    assert host.averages()[:2] == [
        {"Unweighted": Decimal("3.25"), "Weighted": Decimal("3.875"), "NCAA core": Decimal("3.875")},
        {"Unweighted": Decimal("3.25")},
    ]
    writes = host.fake.writes
    assert "2 unchanged" in "\n".join(host.push(fewer, withdraw=True).lines())
    assert host.fake.writes == writes


def test_a_withdrawal_leaves_other_policies_and_other_terms_alone(host: Host) -> None:
    host.push(desired({"604800": "3.875", "604801": "3.5"}))
    spring = desired_gpas(
        results({"604800": "3.9"}), None, [policy(name) for name in POLICIES],
        RecordPlace("2027", "Spring Semester", date(2027, 6, 1), str(SCHOOL)), district="lakeside",
    )  # fmt: skip
    host.push(spring, withdraw=True)
    host.push(desired({"604800": "3.875"}, policies=("ncaa-d1",)), withdraw=True)
    assert [set(each) for each in host.averages()[:2]] == [
        {"Unweighted", "Weighted", "NCAA core"}, {"Unweighted", "Weighted"}
    ]  # fmt: skip


def test_a_withdrawal_of_nearly_all_waits_for_a_person(nights: Nights) -> None:
    host = Host(nights, students=30)
    students = [f"{604800 + number}" for number in range(30)]
    host.push(desired(dict.fromkeys(students, "3.5")))
    held = host.push(desired({students[0]: "3.5"}), withdraw=True)
    assert held.state is RunState.HELD
    assert host.averages()[29]["Weighted"] == Decimal("3.5")
    assert host.apply(held.run.plan_id or "", decision="approve").state is RunState.DONE
    assert [len(each) for each in host.averages()[:3]] == [3, 1, 1]


def test_the_gpa_of_a_term_stands_beside_the_cumulative_one(host: Host) -> None:
    found = results({"604800": "3.875"}, policies=("school-weighted",))
    term = found.with_columns(pl.lit("2027 fall").alias("period"), pl.lit("4.25").alias("gpa"))
    other = found.with_columns(pl.lit("2026 Fall").alias("period"))
    rows = desired_gpas(
        pl.concat([found, term, other]), None, [policy("school-weighted")], PLACE, district="lakeside"
    )  # fmt: skip
    assert rows["id"].n_unique() == 2
    assert host.push(rows).state is RunState.DONE
    (record,) = [each for each in host.fake.rows("studentAcademicRecords") if len(each["gradePointAverages"]) == 3]
    told = {
        each["gradePointAverageTypeDescriptor"].partition("#")[2]: (each["gradePointAverageValue"],
                                                                    each.get("isCumulative"))
        for each in record["gradePointAverages"]
    }  # fmt: skip
    assert told == {
        "Unweighted": (Decimal("3.25"), None), "Weighted": (Decimal("3.875"), True),
        "Term weighted": (Decimal("4.25"), False),
    }  # fmt: skip
