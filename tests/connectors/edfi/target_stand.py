"""A host with a small district, our settings for it, and the changes that a sync would hand over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.core.connector import Context
from gateway.core.exchange import Action, Change, Outcome, Target
from gateway.registry import load_connector
from gateway.testing.clock import FakeClock
from gateway.testing.edfi import EdFiGate, FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.edfi.sample import LEA, uri

NAMESPACE = "uri://example.org/Gateway"
ASSIGNED = datetime(2026, 8, 24, tzinfo=UTC)
DUE = datetime(2026, 12, 17, tzinfo=UTC)
SCORED = date(2026, 9, 16)
STUDENTS = [f"{604800 + number}" for number in range(6)]
COMPETENCIES = ("0bb3f5d6-7c1a-4c2f-8a4e-000000000001", "0bb3f5d6-7c1a-4c2f-8a4e-000000000002")
"""The identifiers of two competencies that the host has as objectives and as standards."""


def make_host(version: str = "7.3", **more: Any) -> FakeEdFi:
    """A host with a district, and the objectives and standards of our competencies."""
    host = furnished(FakeEdFi(version, **more))
    for number, competency in enumerate(COMPETENCIES):
        host.seed("competencyObjectives", {
            "educationOrganizationReference": {"educationOrganizationId": LEA}, "objective": f"Objective {number}",
            "objectiveGradeLevelDescriptor": uri("gradeLevel", "Ninth grade"), "competencyObjectiveId": competency,
        })  # fmt: skip
        host.seed("learningStandards", {
            "learningStandardId": f"STD-{number}", "namespace": "uri://example.org/Lakeside", "description": "…",
            "contentStandard": {"title": "State"}, "uri": f"https://case.example/items/{competency}",
            "academicSubjects": [{"academicSubjectDescriptor": uri("academicSubject", "Mathematics")}],
            "gradeLevels": [{"gradeLevelDescriptor": uri("gradeLevel", "Ninth grade")}],
        })  # fmt: skip
    return host


def settings_for(remote: FakeEdFi, *write: str, page_size: int = 500, **target: Any) -> dict[str, Any]:
    return {
        "base_url": remote.base_url,
        "auth": {"client_id": remote.gate.key, "client_secret": remote.gate.secret},
        "page_size": page_size,
        "write": list(write),
        "target": {
            "namespace": NAMESPACE,
            "levels": {"Proficient": "Proficient", "Beginning": "Basic"},
            **target,
        },
    }


class Stand:
    """A target at a host; what the gateway would remember of outcomes is remembered here."""

    def __init__(self, host: FakeEdFi, folder: Path, *write: str, concurrency: int = 4, **target: Any) -> None:
        self.host = host
        self.clock = FakeClock()
        self.folder = folder
        self.settings = {**settings_for(host, *write, **target), "push_concurrency": concurrency}
        self.remote_ids: dict[str, str] = {}

    def target(self) -> Target:
        kind = load_connector("edfi")
        context = Context(
            "lakeside", "ods", self.folder, self.folder, self.clock.now, self.host.adapters, self.clock.sleep
        )
        made = kind(kind.Settings().load(self.settings), context)
        assert isinstance(made, Target)
        return made

    def push(self, *changes: Change) -> dict[str, Outcome]:
        """The outcomes by the changes' ids."""
        names = {change.key: change.id for change in changes}
        outcomes = {names[outcome.key]: outcome for outcome in self.target().push(changes)}
        assert set(outcomes) == set(names.values())
        self.remote_ids |= {id_: outcome.remote_id for id_, outcome in outcomes.items() if outcome.remote_id}
        return outcomes


def change(entity: str, record: Mapping[str, object], action: Action = Action.CREATE, **more: Any) -> Change:
    return Change(entity, str(record["id"]), action, f"d/t/{entity}/{record['id']}/{action.value}", record, **more)


def line_item(id_: str = "entry-1", **more: object) -> dict[str, object]:
    return {
        "id": id_, "title": "Numbers – Learner continuum", "assign_date": ASSIGNED, "due_date": DUE,
        "class_id": "ALG-1-01", "category_id": "category", "result_value_max": Decimal("4.000000"),
        "line_item_learning_objectives": [{"source": "case", "learning_objective_id": each} for each in COMPETENCIES],
        **more,
    }  # fmt: skip


def result(
    student: str, id_: str = "", *, competencies: Iterable[str] = COMPETENCIES, **more: object
) -> dict[str, Any]:
    return {
        "id": id_ or student, "line_item_id": "entry-1", "student_id": student, "class_id": "ALG-1-01",
        "score_status": "fully graded", "score": Decimal("3.500000"), "text_score": "Proficient",
        "score_date": SCORED,
        "result_learning_objectives": [
            {"source": "case", "learning_objective_id": each, "score": Decimal(3), "text_score": "Proficient"}
            for each in competencies
        ],
        **more,
    }  # fmt: skip


def gate(**claims: Any) -> EdFiGate:
    return EdFiGate(**claims)
