"""Competencies that the host lacks become competency objectives, and levels then find their place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.edfi.objectives import LONGEST, objective_title
from gateway.core.exchange import Action, Change, OutcomeState
from gateway.testing.edfi import Claims, EdFiGate
from gateway.testing.edfi.sample import LEA, SCHOOL, uri
from tests.connectors.edfi.target_stand import COMPETENCIES, STUDENTS, Stand, change, make_host, result

NEW = "0bb3f5d6-7c1a-4c2f-8a4e-00000000000a"
CREATE = {"create_objectives": {"organization": LEA}}
STATEMENT = "Solve linear equations and inequalities in one variable, with letters for coefficients"


def competency(id_: str = NEW, **more: object) -> dict[str, object]:
    return {"id": id_, "code": "A-REI.B.3", "statement": STATEMENT, "education_levels": ["09"], **more}


def objectives(stand: Stand) -> dict[str, dict[str, Any]]:
    return {
        row["competencyObjectiveId"]: row
        for row in stand.host.rows("competencyObjectives")
        if "competencyObjectiveId" in row
    }


def again(stand: Stand, each: Change, action: Action) -> Change:
    return replace(each, action=action, remote_id=stand.remote_ids[each.id], key=f"{each.key}/{action}")


def test_a_competency_that_the_host_lacks_is_made_and_carries_levels(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "competencies", **CREATE)
    assert stand.target().entities()[0] == "competencies"
    level = change("results", result(STUDENTS[0], "r-1", competencies=[NEW]))
    outcomes = stand.push(change("competencies", competency()), level)
    assert {each.state for each in outcomes.values()} == {OutcomeState.ACCEPTED}
    made = objectives(stand)[NEW]
    assert made["objective"] == objective_title(competency())
    assert made["description"] == STATEMENT
    assert made["objectiveGradeLevelDescriptor"] == uri("gradeLevel", "Ninth grade")
    assert made["objective"] in {
        row["objectiveCompetencyObjectiveReference"]["objective"]
        for row in stand.host.rows("studentCompetencyObjectives")
    }


def test_what_is_there_stays_as_it_is_and_a_second_push_writes_nothing(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "competencies", **CREATE)
    before = objectives(stand)
    stand.push(change("competencies", competency()), change("competencies", competency(COMPETENCIES[0])))
    assert objectives(stand)[COMPETENCIES[0]] == before[COMPETENCIES[0]]
    writes = stand.host.writes
    assert writes == 1
    stand.push(again(stand, change("competencies", competency()), Action.UPDATE))
    stand.push(change("competencies", competency()))
    assert stand.host.writes == writes


def test_what_the_framework_says_anew_changes_the_description_and_never_the_title(tmp_path: Path) -> None:
    stand = Stand(make_host(), tmp_path, "competencies", **CREATE)
    stand.push(change("competencies", competency()))
    title = objectives(stand)[NEW]["objective"]
    changed = change("competencies", competency(statement="Solve equations", education_levels=["10"]))
    stand.push(again(stand, changed, Action.UPDATE))
    made = objectives(stand)[NEW]
    assert (made["objective"], made["description"]) == (title, "Solve equations")
    stand.push(again(stand, changed, Action.INACTIVATE))
    assert NEW in objectives(stand), "levels of earlier years may refer to it"


def test_a_title_that_another_objective_has_is_told_apart(tmp_path: Path) -> None:
    host = make_host()
    owner = {"educationOrganizationReference": {"educationOrganizationId": LEA}}
    host.seed("competencyObjectives", {
        **owner, "objective": "Add", "objectiveGradeLevelDescriptor": uri("gradeLevel", "Ungraded"),
    })  # fmt: skip
    stand = Stand(host, tmp_path, "competencies", **CREATE)
    plain = {"code": None, "statement": "Add", "education_levels": ["01", "02"]}
    outcomes = stand.push(
        change("competencies", competency("c-1", **plain)), change("competencies", competency("c-2", **plain))
    )
    assert {each.state for each in outcomes.values()} == {OutcomeState.ACCEPTED}
    titles = {row["objective"] for row in objectives(stand).values() if row["objective"].startswith("Add")}
    assert len(titles) == 2
    assert "Add" not in titles


@pytest.mark.parametrize(
    ("record", "target", "code"),
    [
        ({"id": "x" * 61}, {}, "edfi.invalid"),
        ({"education_levels": []}, {"grade_level": "No such grade"}, "edfi.descriptor"),
        ({}, {"organization": SCHOOL + 99}, "edfi.missing-reference"),
    ],
)
def test_a_competency_that_cannot_be_made_is_named_and_does_not_stop_the_rest(
    record: dict[str, Any], target: dict[str, Any], code: str, tmp_path: Path
) -> None:
    stand = Stand(make_host(), tmp_path, "competencies", create_objectives={"organization": LEA, **target})
    bad = competency(**{"id_": NEW, **{("id_" if name == "id" else name): value for name, value in record.items()}})
    outcomes = stand.push(change("competencies", bad), change("results", result(STUDENTS[0], "good")))
    assert outcomes[str(bad["id"])].code == code
    assert outcomes["good"].state is OutcomeState.ACCEPTED


def test_a_claim_set_that_forbids_objectives_keeps_their_levels_back(tmp_path: Path) -> None:
    gate = EdFiGate(claims=Claims(denied=frozenset({("competencyObjectives", "Create")})))
    stand = Stand(make_host(gate=gate), tmp_path, "competencies", **CREATE)
    level = change("results", result(STUDENTS[0], "r-1", competencies=[NEW]))
    outcomes = stand.push(change("competencies", competency()), level)
    assert outcomes[NEW].code == "edfi.claim-set"
    assert (outcomes["r-1"].state, outcomes["r-1"].code) == (OutcomeState.FAILED, "edfi.missing-reference")


def test_without_an_organization_no_competencies_are_asked_for(tmp_path: Path) -> None:
    assert "competencies" not in Stand(make_host(), tmp_path, "competencies").target().entities()


TEXTS = st.text(min_size=1, max_size=200)


@given(statement=TEXTS, code=st.none() | TEXTS, ids=st.tuples(st.uuids(), st.uuids()))
def test_titles_fit_are_stable_and_can_be_told_apart(statement: str, code: str | None, ids: tuple[UUID, UUID]) -> None:
    records = [{"id": str(id_), "code": code, "statement": statement} for id_ in ids]
    titles = [objective_title(each) for each in records]
    assert all(len(title) <= LONGEST for title in titles)
    assert titles == [objective_title(each) for each in records]
    apart = [objective_title(each, told_apart=True) for each in records]
    assert all(len(title) <= LONGEST for title in apart)
    assert (apart[0] == apart[1]) == (ids[0] == ids[1])
