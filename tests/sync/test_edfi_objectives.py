"""A host without competency objectives: those of the framework are made, and the levels find their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.settings import load_district
from gateway.store import open_store
from gateway.store.runs import RunState
from gateway.sync import RunReport, run_sync
from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.roster import furnished_from
from gateway.testing.edfi.sample import LEA
from tests.sync.edfi_stand import effects, write_forth
from tests.sync.stand import NOON


def night(file: Path, host: FakeEdFi) -> RunReport:
    store = open_store(f"sqlite:///{file.parent}/gateway.db")
    try:
        return run_sync(load_district(file), None, store=store, now=lambda: NOON, adapters=host.adapters)
    finally:
        store.close()


def test_the_frameworks_competencies_are_made_once_and_the_levels_stand_under_them(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = furnished_from(FakeEdFi("7.3"), sample / "oneroster", sample / "framework.json")
    for id_ in host.items("competencyObjectives"):
        host.remove("competencyObjectives", id_)
    monkeypatch.setenv("EDFI_KEY", host.gate.key)
    monkeypatch.setenv("EDFI_SECRET", host.gate.secret)
    file = write_forth(tmp_path / "district", sample, host.base_url)
    text = file.read_text(encoding="utf-8").replace("write: [gradebook, competencies]", "write: [competencies]")
    text = text.replace("target:\n        ", f"target:\n        create_objectives: {{organization: {LEA}}}\n        ")
    file.write_text(text, encoding="utf-8")
    first = night(file, host)
    assert first.state is RunState.DONE, first.lines()
    assert first.as_dict()["push"]["rejected"] == first.as_dict()["push"]["failed"] == 0
    assert first.as_dict()["verify"]["warnings"] == []
    made = {row["objective"]: row for row in host.rows("competencyObjectives")}
    levels = {
        row["objectiveCompetencyObjectiveReference"]["objective"] for row in host.rows("studentCompetencyObjectives")
    }
    assert len(levels) > 10
    assert levels <= set(made)
    assert all(row["description"] and row["competencyObjectiveId"] for row in made.values())
    assert set(effects(host)["competencyObjectives"]) == {1}
    writes = host.writes
    assert night(file, host).state is RunState.DONE
    assert host.writes == writes
