"""What every connector promises, for OneRoster of both versions and with every kind of credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.core.exchange import Action, Change
from gateway.testing.contracts import HttpSourceContract, HttpTargetContract
from gateway.testing.fake_auth import Entry, Gate
from gateway.testing.fake_oneroster import FakeOneRoster, GradebookManners
from gateway.testing.fake_oneroster_data import COMPETENCIES
from tests.connectors.oneroster.stand import auth_for


class TestSource12(HttpSourceContract):
    connector = "oneroster"
    stream = "results"
    list_path = "/results"

    def make_remote(self, folder: Path) -> FakeOneRoster:
        return FakeOneRoster()

    def make_settings(self, remote: FakeOneRoster) -> Mapping[str, Any]:
        return {"base_url": remote.host, "auth": auth_for(remote), "profile": {"page_size": 5}}


class TestSource11(HttpSourceContract):
    """OAuth 1, and a path before the standard's."""

    connector = "oneroster"
    stream = "results"
    list_path = "/results"

    def make_remote(self, folder: Path) -> FakeOneRoster:
        return FakeOneRoster(version="1.1", gate=Gate(Entry.OAUTH1_SHA256), prefix="/api")

    def make_settings(self, remote: FakeOneRoster) -> Mapping[str, Any]:
        return {
            "base_url": f"{remote.host}/api",
            "version": "1.1",
            "auth": auth_for(remote),
            "profile": {"page_size": 5},
        }

    def test_an_expired_token_is_renewed_once(self) -> None:
        """OAuth 1 has no tokens."""


ASSIGNED = datetime(2026, 9, 1, tzinfo=UTC)
DUE = datetime(2026, 9, 15, tzinfo=UTC)


def gradebook_changes(*, objectives: bool = True) -> list[Change]:
    """A category, a scale, a line item and four results."""
    records: list[tuple[str, dict[str, object]]] = [
        ("categories", {"id": "p-category", "title": "Learner continuum"}),
        ("line_items", {
            "id": "p-item", "title": "Numbers – Learner continuum", "assign_date": ASSIGNED, "due_date": DUE,
            "class_id": "k-0", "category_id": "p-category", "academic_session_id": "t-1",
            "result_value_min": Decimal("0.000000"), "result_value_max": Decimal("4.000000"),
        }),
        *(("results", {
            "id": f"p-result-{number}", "line_item_id": "p-item", "student_id": f"u-s{number:02d}",
            "score_status": "fully graded", "score": Decimal("3.530000"), "score_date": date(2026, 9, 16),
        }) for number in range(4)),
    ]  # fmt: skip
    if objectives:
        records.insert(1, ("score_scales", {
            "id": "p-scale", "title": "Levels", "type": "mastery", "class_id": "k-0",
            "score_scale_values": [{"position": 1, "lhs": "1", "rhs": "Beginning"},
                                   {"position": 2, "lhs": "3", "rhs": "Proficient"}],
        }))  # fmt: skip
        objective = {"source": "case", "learning_objective_id": COMPETENCIES[0]}
        records[2][1]["school_id"] = "o-1"
        records[2][1]["line_item_learning_objectives"] = [objective]
        records[2][1]["line_item_score_scales"] = [{"score_scale_id": "p-scale"}]
        for _, result in records[3:]:
            result["text_score"] = "Proficient"
            result["result_learning_objectives"] = [
                {**objective, "score": Decimal("3.500000"), "text_score": "Proficient"}
            ]
    return [Change(entity, str(r["id"]), Action.CREATE, f"d/t/{entity}/{r['id']}/1", r) for entity, r in records]


class TestTarget12(HttpTargetContract):
    connector = "oneroster"

    def make_remote(self, folder: Path) -> FakeOneRoster:
        return FakeOneRoster()

    def make_settings(self, remote: FakeOneRoster) -> Mapping[str, Any]:
        return {"base_url": remote.host, "auth": auth_for(remote)}

    def make_changes(self) -> Sequence[Change]:
        return gradebook_changes()


class TestTarget12ThatEchoesAndTakesNoDeletes(TestTarget12):
    """The secret in the query; PUT answers with the object; a record is withdrawn by its status."""

    connector = "oneroster"

    def make_remote(self, folder: Path) -> FakeOneRoster:
        manners = GradebookManners(put_status=201, put_echoes=True, takes_deletes=False)
        return FakeOneRoster(gate=Gate(Entry.OAUTH2_QUERY), manners=manners)

    def make_settings(self, remote: FakeOneRoster) -> Mapping[str, Any]:
        profile = {"inactivate": "tobedeleted", "put_returns_id": True, "push_concurrency": 1}
        return {"base_url": remote.host, "auth": auth_for(remote), "profile": profile}


class TestTarget11(HttpTargetContract):
    connector = "oneroster"

    def make_remote(self, folder: Path) -> FakeOneRoster:
        return FakeOneRoster(version="1.1", gate=Gate(Entry.OAUTH2_BODY))

    def make_settings(self, remote: FakeOneRoster) -> Mapping[str, Any]:
        return {"base_url": remote.host, "version": "1.1", "auth": auth_for(remote)}

    def make_changes(self) -> Sequence[Change]:
        return gradebook_changes(objectives=False)
