"""From OneRoster files through the mapping to an Ed-Fi host: two nights, and a push that broke off."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from gateway.mappings import load_mapping
from gateway.store.runs import RunState
from gateway.sync import RunReport, run_sync
from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.sample import LEA, SCHOOL, organizations, uri
from gateway.testing.faults import Fault, FaultKind
from tests.sync.stand import Nights

CONNECTION = """\
  ods:
    connector: edfi
    settings:
      base_url: {address}
      auth: {{client_id: "${{file:client-id}}", client_secret: "${{file:client-secret}}"}}
      write: [gradebook, competencies]
      target:
        namespace: uri://example.org/Lakeside
        create_descriptors: true
        students: students.csv
        levels: {{{levels}}}
syncs:
"""
SESSION = {"schoolId": SCHOOL, "schoolYear": 2026, "sessionName": "Year"}
OFFERING = {"localCourseCode": "ALL", **SESSION}
NINTH = uri("gradeLevel", "Ninth grade")


def rows(nights: Nights, file: str) -> list[dict[str, str]]:
    with (nights.bundle / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def unique(row: Mapping[str, str]) -> str:
    """The unique id of a student at the host: 32 characters, where the roster's id has 36."""
    return row["sourcedId"].replace("-", "")


def make_host(nights: Nights, competencies: list[str]) -> FakeEdFi:
    """A host that knows the sample's students, its classes as sections, and the competencies as objectives."""
    host = FakeEdFi("7.3")
    school = {"schoolReference": {"schoolId": SCHOOL}, "schoolYearTypeReference": {"schoolYear": 2026}}
    days = {"beginDate": "2025-07-01", "endDate": "2026-07-31", "totalInstructionalDays": 180}
    for resource in ("localEducationAgencies", "schools"):
        host.seed(resource, *organizations()[resource])
    host.seed("sessions", {**school, **days, "sessionName": "Year", "termDescriptor": uri("term", "Year Round")})
    period = {"gradingPeriodDescriptor": uri("gradingPeriod", "End of Year"), "gradingPeriodName": "Year"}
    host.seed("gradingPeriods", {**school, **days, **period, "periodSequence": 1})
    owner = {"educationOrganizationReference": {"educationOrganizationId": LEA}}
    system = uri("courseIdentificationSystem", "LEA course code")
    host.seed("courses", {
        **owner, "courseCode": "ALL", "courseTitle": "All", "numberOfParts": 1,
        "identificationCodes": [{"courseIdentificationSystemDescriptor": system, "identificationCode": "ALL"}],
    })  # fmt: skip
    host.seed("courseOfferings", {
        "courseReference": {"courseCode": "ALL", "educationOrganizationId": LEA}, "localCourseCode": "ALL",
        "schoolReference": {"schoolId": SCHOOL}, "sessionReference": SESSION,
    })  # fmt: skip
    host.seed("sections", *(
        {"courseOfferingReference": OFFERING, "sectionIdentifier": row["sourcedId"]}
        for row in rows(nights, "classes.csv")
    ))  # fmt: skip
    host.seed("students", *(
        {"studentUniqueId": unique(row), "firstName": "A", "lastSurname": "B", "birthDate": "2010-05-01"}
        for row in rows(nights, "users.csv")
    ))  # fmt: skip
    host.seed("competencyObjectives", *(
        {**owner, "objective": f"Objective {number}", "competencyObjectiveId": each,
         "objectiveGradeLevelDescriptor": NINTH}
        for number, each in enumerate(competencies)
    ))  # fmt: skip
    return host


class Lakes:
    """The nights of a district whose target is an Ed-Fi host."""

    def __init__(self, nights: Nights) -> None:
        self.nights = nights
        compiled = load_mapping(nights.district.sync("nightly").mapping)
        self.host = make_host(nights, list(compiled.ids))
        for name, text in (("client-id", self.host.gate.key), ("client-secret", self.host.gate.secret)):
            (nights.folder / name).write_text(text, encoding="utf-8")
        named = "\n".join(f"{row['sourcedId']},{unique(row)}" for row in rows(nights, "users.csv"))
        (nights.folder / "students.csv").write_text(f"student_id,studentUniqueId\n{named}\n", encoding="utf-8")
        steps = [str(level // 1_000_000) for level in compiled.scale.names]
        levels = ", ".join(f'"{step}": "uri://example.org/Lakeside#{step}"' for step in steps)
        nights.replace("syncs:\n", CONNECTION.format(address=self.host.base_url, levels=levels))
        nights.replace("target: lms", "target: ods")

    def run(self) -> RunReport:
        self.nights.time += timedelta(days=1)
        store = self.nights.open()
        try:
            return run_sync(
                self.nights.district, None, store=store, now=self.nights.now, adapters=self.host.adapters
            )  # fmt: skip
        finally:
            store.close()

    def effects(self) -> Mapping[str, Counter[int]]:
        """By resource: how many items had how many effects."""
        found: dict[str, Counter[int]] = {}
        for (resource, _), count in self.host.effects.items():
            found.setdefault(resource, Counter())[count] += 1
        return found


@pytest.fixture
def lakes(nights: Nights) -> Lakes:
    return Lakes(nights)


def counts(report: RunReport) -> dict[str, Any]:
    return {name: report.as_dict()["push"][name] for name in ("accepted", "rejected", "failed")}


def test_levels_reach_the_host_and_a_second_night_writes_nothing(lakes: Lakes) -> None:
    first = lakes.run()
    assert first.state is RunState.DONE, first.lines()
    assert counts(first)["rejected"] == counts(first)["failed"] == 0, first.as_dict()["push"]
    assert first.as_dict()["verify"]["read"] > 20
    assert first.as_dict()["verify"]["warnings"] == []
    found = lakes.effects()
    assert found["studentGradebookEntries"][1] > 100
    assert found["studentCompetencyObjectives"][1] > 100
    writes = lakes.host.writes
    second = lakes.run()
    assert second.state is RunState.DONE
    assert lakes.host.writes == writes


def test_a_push_that_broke_off_goes_on_and_nothing_has_two_effects(lakes: Lakes) -> None:
    lakes.host.inject(Fault(FaultKind.THROTTLED, "86400", path="studentGradebookEntries", after=40, times=None))
    assert lakes.run().state is RunState.INCOMPLETE
    lakes.host.faults.clear()
    assert lakes.run().state is RunState.DONE
    found = lakes.effects()
    assert set(found["studentGradebookEntries"]) == {1}
    assert set(found["gradebookEntries"]) == {1}
