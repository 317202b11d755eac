"""What every target promises, for an Ed-Fi host: gradebook entries and the scores of students."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.core.exchange import Action, Change, Outcome
from gateway.testing.contract import Stand
from gateway.testing.contracts import HttpTargetContract
from gateway.testing.edfi import FakeEdFi
from gateway.testing.fake_service import FakeService
from tests.connectors.edfi.target_stand import STUDENTS, change, line_item, make_host, result, settings_for


class TestTarget(HttpTargetContract):
    """Records are remembered under the host's ids, as the gateway does: outcomes say them, later changes bear them.

    A result has the id of its student here, so that a fault that names it strikes its requests and no others.
    """

    connector = "edfi"
    version = "7.3"

    def make_remote(self, folder: Path) -> FakeEdFi:
        self.remote_ids: dict[str, str] = {}
        return make_host(self.version)

    def make_settings(self, remote: FakeEdFi) -> Mapping[str, Any]:
        return settings_for(remote, "gradebook")

    def make_changes(self) -> Sequence[Change]:
        category = {"id": "category", "title": "Learner continuum"}
        results = [result(student) for student in STUDENTS[:4]]
        return [
            change("categories", category),
            change("line_items", line_item()),
            *(change("results", each) for each in results),
        ]

    def _push(self, stand: Stand, changes: Iterable[Change]) -> dict[str, Outcome]:
        known = [
            replace(each, remote_id=self.remote_ids.get(each.id)) if each.action is not Action.CREATE else each
            for each in changes
        ]
        outcomes = super()._push(stand, known)
        ids = {each.key: each.id for each in known}
        self.remote_ids |= {ids[key]: outcome.remote_id for key, outcome in outcomes.items() if outcome.remote_id}
        return outcomes

    def _read_back(self, stand: Stand, changes: Iterable[Change]) -> dict[tuple[str, str], Mapping[str, object]]:
        known = [replace(each, id=self.remote_ids.get(each.id, each.id)) for each in changes]
        names = {remote: own for own, remote in self.remote_ids.items()}
        found = super()._read_back(stand, known)
        return {(entity, names.get(id_, id_)): _whole(entity, record) for (entity, id_), record in found.items()}

    def _effects_each(self, remote: FakeService) -> set[int]:
        entries = [count for (resource, _), count in remote.effects.items() if resource == "gradebookEntries"]
        scores = [count for (resource, _), count in remote.effects.items() if resource == "studentGradebookEntries"]
        assert len(entries) == 1
        assert len(scores) == 4
        return {*entries, *scores}


def _whole(entity: str, record: Mapping[str, object]) -> Mapping[str, object]:
    """What the host cannot carry, put in from what was sent: the contract compares whole records."""
    sent = {"categories": {"id": "category", "title": "Learner continuum"}, "line_items": line_item()}
    if entity == "results":
        return {**result(str(record["student_id"])), **record}
    return {**sent[entity], **record}


class TestTargetOf6(TestTarget):
    """The older form of error bodies."""

    connector = "edfi"
    version = "6.1"


class TestTargetOf8(TestTarget):
    """Long tokens, and a PUT that wants the id."""

    connector = "edfi"
    version = "8.0"
