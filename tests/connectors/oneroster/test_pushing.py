"""Pushing to a provider: the bodies, the provider's own ids, and what happens when it refuses or goes away."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oneroster.bodies import BodyWriter, UnfitRecord, plain
from connectors.oneroster.endpoints import PUSHED
from gateway.core.errors import AuthorizationError, ConfigurationError, TransientError
from gateway.core.exchange import Action, Change, Outcome, OutcomeState
from gateway.testing.fake_oneroster import FakeOneRoster, GradebookManners
from gateway.testing.fake_oneroster_data import COMPETENCIES
from gateway.testing.fake_service import Refusal, Reply, Striking
from gateway.testing.faults import Fault, FaultKind
from tests.connectors.oneroster.stand import connect
from tests.connectors.oneroster.test_contract import gradebook_changes

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
ADDRESSES = {"rostering": "https://sis.example/r", "gradebook": "https://sis.example/g"}
COMMON = {"status": "active", "dateLastModified": "2026-11-02T03:00:00.000Z"}
LINE_ITEM: Mapping[str, Any] = {
    "title": "Numbers", "assign_date": datetime(2026, 9, 1, tzinfo=UTC), "due_date": datetime(2026, 9, 15, tzinfo=UTC),
    "class_id": "k/0", "category_id": "c", "academic_session_id": "t", "school_id": "o",
    "result_value_min": Decimal("0.000000"), "result_value_max": Decimal("100.000000"),
}  # fmt: skip
RESULT: Mapping[str, Any] = {
    "line_item_id": "l", "student_id": "u", "score_status": "fully graded", "score": Decimal("3.530000"),
    "score_date": date(2026, 9, 16),
}  # fmt: skip


def body(entity: str, record: Mapping[str, Any], version: str = "1.2") -> dict[str, Any]:
    """The object in the body of a PUT, without the fields that every object has."""
    endpoint = PUSHED[entity]
    written = BodyWriter(version, ADDRESSES, lambda: NOW).single(endpoint, "own", record, {"l": "theirs"})
    made: dict[str, Any] = json.loads(written, parse_float=Decimal)[endpoint.single]
    assert made.pop("sourcedId") == "own"
    return {name: value for name, value in made.items() if (name, value) not in COMMON.items()}


def to(path: str, kind: str) -> dict[str, str]:
    service, _, own = path.rpartition("/")
    return {"href": f"https://sis.example/{service}/{own}", "sourcedId": own.replace("%2F", "/"), "type": kind}


def test_a_category_carries_its_weight_in_1_2_only() -> None:
    record = {"title": "Tests", "weight": Decimal("0.500000")}
    assert body("categories", record) == {"title": "Tests", "weight": Decimal("0.5")}
    assert body("categories", record, "1.1") == {"title": "Tests"}


def test_a_scale_carries_its_steps_in_their_order() -> None:
    steps = [{"position": 2, "lhs": "3", "rhs": "B"}, {"position": 1, "lhs": "4", "rhs": "A"}]
    record = {"title": "Levels", "type": "mastery", "class_id": "k/0", "org_id": "o", "score_scale_values": steps}
    assert body("score_scales", record) == {
        "title": "Levels",
        "type": "mastery",
        "class": to("r/classes/k%2F0", "class"),
        "scoreScaleValue": [
            {"itemValueLHS": "4", "itemValueRHS": "A"},
            {"itemValueLHS": "3", "itemValueRHS": "B"},
        ],
    }


LINE_ITEM_1_1 = {
    "title": "Numbers",
    "assignDate": "2026-09-01T00:00:00.000Z",
    "dueDate": "2026-09-15T00:00:00.000Z",
    "class": to("r/classes/k%2F0", "class"),
    "category": to("g/categories/c", "category"),
    "gradingPeriod": to("r/academicSessions/t", "academicSession"),
    "resultValueMin": 0,
    "resultValueMax": 100,
}


def test_a_line_item_names_its_session_twice_and_groups_its_objectives() -> None:
    objectives = [
        {"source": "case", "learning_objective_id": COMPETENCIES[0]},
        {"source": None, "learning_objective_id": "local"},
        {"source": "case", "learning_objective_id": COMPETENCIES[1]},
    ]
    links = [{"score_scale_id": "s"}]
    record = {**LINE_ITEM, "line_item_learning_objectives": objectives, "line_item_score_scales": links}
    assert body("line_items", record) == LINE_ITEM_1_1 | {
        "academicSession": to("r/academicSessions/t", "academicSession"),
        "school": to("r/orgs/o", "org"),
        "scoreScale": to("g/scoreScales/s", "scoreScale"),
        "learningObjectiveSet": [
            {"source": "case", "learningObjectiveIds": [COMPETENCIES[0], COMPETENCIES[1]]},
            {"source": "unknown", "learningObjectiveIds": ["local"]},
        ],
    }
    assert body("line_items", LINE_ITEM, "1.1") == LINE_ITEM_1_1


def test_a_date_that_is_missing_is_the_other_one() -> None:
    made = body("line_items", {**LINE_ITEM, "assign_date": None})
    assert made["assignDate"] == made["dueDate"] == "2026-09-15T00:00:00.000Z"


def test_a_result_carries_a_score_for_each_objective() -> None:
    scored = [
        {"source": "case", "learning_objective_id": COMPETENCIES[0], "score": Decimal("3.500000"), "text_score": "M"},
        {"source": "case", "learning_objective_id": COMPETENCIES[1], "score": None, "text_score": "B"},
    ]
    flags = {"late": True, "missing": False, "incomplete": None}
    record = {**RESULT, **flags, "text_score": "Met", "class_id": "k", "result_learning_objectives": scored}
    assert body("results", record) == {
        "lineItem": to("g/lineItems/theirs", "lineItem"),
        "student": to("r/users/u", "user"),
        "class": to("r/classes/k", "class"),
        "scoreStatus": "fully graded",
        "score": Decimal("3.53"),
        "textScore": "Met",
        "scoreDate": "2026-09-16",
        "late": "true",
        "missing": "false",
        "learningObjectiveSet": [
            {
                "source": "case",
                "learningObjectiveResults": [
                    {"learningObjectiveId": COMPETENCIES[0], "score": Decimal("3.5"), "textScore": "M"},
                    {"learningObjectiveId": COMPETENCIES[1], "textScore": "B"},
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    ("entity", "record", "without", "named", "version"),
    [
        ("line_items", LINE_ITEM, "school_id", "school", "1.2"),
        ("line_items", LINE_ITEM, "category_id", "category", "1.2"),
        ("line_items", LINE_ITEM, "academic_session_id", "gradingPeriod", "1.1"),
        ("results", RESULT, "score_date", "scoreDate", "1.2"),
        ("results", RESULT, "score_status", "scoreStatus", "1.2"),
        ("results", RESULT, "score", "score", "1.1"),
    ],
)
def test_what_the_standard_requires_must_be_there(
    entity: str, record: Mapping[str, Any], without: str, named: str, version: str
) -> None:
    with pytest.raises(UnfitRecord) as caught:
        body(entity, {**record, without: None}, version)
    assert caught.value.code == "oneroster.required"
    assert f"requires {named} " in caught.value.reason


@pytest.mark.parametrize(
    "more",
    [
        {"result_learning_objectives": [{"source": "case", "learning_objective_id": "x"}]},
        {"result_score_scales": [{"score_scale_id": "s"}]},
        {"score": None, "text_score": "Met"},
    ],
)
def test_what_1_1_cannot_carry_is_refused_and_not_dropped(more: Mapping[str, Any]) -> None:
    with pytest.raises(UnfitRecord) as caught:
        body("results", {**RESULT, **more}, "1.1")
    assert caught.value.code == "oneroster.needs-1.2"


@given(st.decimals(min_value=-(10**11), max_value=10**11, allow_nan=False, places=6))
def test_a_decimal_is_written_exactly_and_without_an_exponent(value: Decimal) -> None:
    written = str(plain(value))
    assert Decimal(written) == value
    assert "E" not in written
    assert "." not in written or not written.endswith("0")


# Outcomes ------------------------------------------------------------------------------------------------------------


def push(fake: FakeOneRoster, changes: Iterable[Change], **settings: Any) -> dict[str, Outcome]:
    return {outcome.key: outcome for outcome in connect(fake, **settings).push(changes)}


def states(outcomes: Mapping[str, Outcome]) -> set[OutcomeState]:
    return {outcome.state for outcome in outcomes.values()}


def new_results(count: int) -> list[Change]:
    return [
        Change("results", f"n-{n}", Action.CREATE, f"n-{n}",
               {**RESULT, "id": f"n-{n}", "line_item_id": "l-0", "student_id": f"u-s{n % 12:02d}"})
        for n in range(count)
    ]  # fmt: skip


def test_unfit_records_are_refused_without_asking_the_provider() -> None:
    fake = FakeOneRoster()
    changes = [replace(c, record={**c.record, "score_date": None}) for c in new_results(2)]
    outcomes = push(fake, changes)
    assert states(outcomes) == {OutcomeState.REJECTED}
    assert fake.writes == 0


def test_changes_are_taken_no_further_ahead_than_the_workers_need() -> None:
    taken = 0

    def changes() -> Iterator[Change]:
        nonlocal taken
        for change in new_results(100):
            taken += 1
            yield change

    for known, _ in enumerate(connect(FakeOneRoster(), profile={"push_concurrency": 2}).push(changes()), start=1):
        assert taken - known <= 2 * 4


def test_a_push_that_is_left_half_way_ends() -> None:
    outcomes = connect(FakeOneRoster()).push(new_results(50))
    assert isinstance(outcomes, Iterator)
    assert next(outcomes).state is OutcomeState.ACCEPTED
    del outcomes


def test_parents_are_known_before_their_children_are_sent() -> None:
    fake = FakeOneRoster()
    assert states(push(fake, gradebook_changes(), profile={"push_concurrency": 16})) == {OutcomeState.ACCEPTED}


def test_credentials_that_fail_half_way_stop_the_push_with_what_is_known() -> None:
    fake = FakeOneRoster()
    known: list[Outcome] = []
    with pytest.raises(AuthorizationError):
        for outcome in connect(fake).push(new_results(60)):
            known.append(outcome)
            if len(known) == 10:
                fake.gate.change_locks()
    assert {outcome.state for outcome in known} == {OutcomeState.ACCEPTED}
    assert len(known) >= 10
    assert set(fake.effects.values()) == {1}


def test_a_host_that_went_down_stops_the_push_after_some_failures() -> None:
    fake = FakeOneRoster()
    fake.inject(Fault(FaultKind.HANG_UP, method="PUT", after=10, times=None))
    outcomes: list[Outcome] = []
    with pytest.raises(TransientError) as caught:
        outcomes.extend(connect(fake).push(new_results(200)))
    assert caught.value.code == "http.circuit-open"


def test_outcomes_are_yielded_before_the_error_that_stops_the_push() -> None:
    fake = FakeOneRoster()
    fake.inject(Fault(FaultKind.HANG_UP, method="PUT", after=10, times=None))
    known: Counter[OutcomeState] = Counter()
    with pytest.raises(TransientError):
        for outcome in connect(fake).push(new_results(200)):
            known[outcome.state] += 1
    assert known[OutcomeState.ACCEPTED] == 10
    assert known[OutcomeState.FAILED] >= 3
    assert known.total() < 50


@pytest.mark.parametrize("status", ["403", "404", "405"])
def test_a_right_that_is_lacking_stops_the_push_and_names_the_scope(status: str) -> None:
    fake = FakeOneRoster()
    fake.inject(Fault(FaultKind.ERROR, status, method="PUT", times=None))
    with pytest.raises(AuthorizationError) as caught:
        push(fake, new_results(100))
    assert caught.value.code == "oneroster.no-right-to-write"
    assert "gradebook.createput" in caught.value.hint
    assert fake.writes < 50


def test_single_records_that_are_forbidden_do_not_stop_the_others() -> None:
    fake = FakeOneRoster()
    fake.inject(Fault(FaultKind.ERROR, "403", path="/n-7", times=None))
    outcomes = push(fake, new_results(40))
    assert outcomes["n-7"].state is OutcomeState.REJECTED
    assert sum(outcome.state is OutcomeState.ACCEPTED for outcome in outcomes.values()) == 39


class Answering(FakeOneRoster):
    """Answers every PUT with a body of its own, and 200."""

    def __init__(self, document: Any) -> None:
        super().__init__()
        self.document = document

    def answer(self, environ: Any, body: bytes, striking: Striking) -> Reply:
        reply = super().answer(environ, body, striking)
        return Reply(200, self.document) if environ["REQUEST_METHOD"] == "PUT" else reply


def test_a_failure_in_the_body_of_a_success_is_a_refusal() -> None:
    outcomes = push(Answering({"imsx_codeMajor": "failure"}), new_results(1))
    assert [(o.state, o.code) for o in outcomes.values()] == [(OutcomeState.REJECTED, "oneroster.failure")]


def test_a_login_page_in_the_place_of_an_answer_is_no_success() -> None:
    fake = FakeOneRoster(manners=GradebookManners(put_echoes=True))
    for change in new_results(1):
        push(fake, [change])
    fake.inject(Fault(FaultKind.LOGIN_PAGE, method="PUT", times=None))
    outcomes = push(fake, new_results(1))
    assert [(o.state, o.code) for o in outcomes.values()] == [(OutcomeState.FAILED, "oneroster.not-an-answer")]


# Withdrawing ---------------------------------------------------------------------------------------------------------


def gone(change: Change) -> Change:
    return Change(change.entity, change.id, Action.INACTIVATE, f"{change.key}/gone", {}, remote_id=change.remote_id)


@pytest.mark.parametrize("style", ["delete", "tobedeleted"])
def test_a_record_that_is_gone_already_is_withdrawn(style: str) -> None:
    fake = FakeOneRoster()
    outcomes = push(fake, [gone(new_results(1)[0])], profile={"inactivate": style})
    assert states(outcomes) == {OutcomeState.ACCEPTED}
    assert fake.effects == {}


def test_a_record_that_is_marked_as_deleted_keeps_all_the_provider_holds_of_it() -> None:
    fake = FakeOneRoster(manners=GradebookManners(takes_deletes=False))
    fake.tables["results"]["r-0-00"]["extra"] = {"kept": 3.25}
    before = dict(fake.tables["results"]["r-0-00"])
    push(fake, [gone(Change("results", "r-0-00", Action.UPDATE, "k", {}))], profile={"inactivate": "tobedeleted"})
    after = fake.tables["results"]["r-0-00"]
    changed = {name for name in before if before[name] != after[name]}
    assert (after["status"], changed) == ("tobedeleted", {"status", "dateLastModified"})


# The provider's own ids ----------------------------------------------------------------------------------------------

POST = {"write_style": "post"}


@pytest.mark.parametrize("as_object", [False, True])
def test_posted_records_go_by_the_providers_ids(as_object: bool) -> None:
    fake = FakeOneRoster(manners=GradebookManners(pairs_as_object=as_object))
    changes = gradebook_changes()
    outcomes = push(fake, changes, profile=POST)
    assert states(outcomes) == {OutcomeState.ACCEPTED}
    item = next(outcomes[c.key].remote_id for c in changes if c.entity == "line_items")
    results = [outcomes[c.key].remote_id for c in changes if c.entity == "results"]
    assert item is not None and item.startswith("allocated-")
    assert {fake.tables["results"][str(own)]["lineItem"]["sourcedId"] for own in results} == {item}
    assert [outcomes[c.key].remote_id for c in changes if c.entity in ("categories", "score_scales")] == [None, None]


def test_a_later_push_refers_to_parents_by_the_providers_ids() -> None:
    fake = FakeOneRoster()
    changes = gradebook_changes()
    parents = push(fake, changes[:3], profile=POST)
    references = {"p-item": str(parents[changes[2].key].remote_id)}
    later = [replace(change, remote_references=references) for change in changes[3:]]
    assert states(push(fake, later, profile=POST)) == {OutcomeState.ACCEPTED}
    assert fake.requests[("POST", f"/ims/oneroster/gradebook/v1p2/lineItems/{references['p-item']}/results")] == 4


def test_an_update_is_put_under_the_providers_id() -> None:
    fake = FakeOneRoster()
    first = new_results(1)[0]
    remote_id = push(fake, [first], profile=POST)[first.key].remote_id
    changed = replace(first, action=Action.UPDATE, remote_id=remote_id, record={**first.record, "score": Decimal(1)})
    assert push(fake, [changed], profile=POST)[first.key].remote_id == remote_id
    assert fake.tables["results"][str(remote_id)]["score"] == 1
    assert connect(fake).read_back("results", [str(remote_id)])[str(remote_id)]["score"] == 1
    push(fake, [gone(changed)], profile=POST)
    assert connect(fake).read_back("results", [str(remote_id)]) == {}


@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize("entity", ["line_items", "results"])
def test_a_record_that_may_have_been_posted_is_looked_up_first(filters: bool, entity: str) -> None:
    fake = FakeOneRoster(manners=GradebookManners(filters=filters))
    fake.tables["results"].clear()
    changes = [change for change in gradebook_changes() if change.entity == entity]
    changes = [replace(c, record={**c.record, "line_item_id": "l-0", "category_id": "g-0", "title": "O'Neil's task",
                                  "line_item_score_scales": []}) for c in changes]  # fmt: skip
    first = push(fake, changes, profile=POST)
    held = len(fake.active(PUSHED[entity].name))
    again = push(fake, [replace(c, attempted=True) for c in changes], profile={**POST, "filters": filters})
    assert {key: outcome.remote_id for key, outcome in again.items()} == {k: o.remote_id for k, o in first.items()}
    assert len(fake.active(PUSHED[entity].name)) == held


@pytest.mark.parametrize("filters", [True, False])
def test_posted_records_whose_answers_were_lost_are_found_at_once(filters: bool) -> None:
    fake = FakeOneRoster()
    fake.tables["results"].clear()
    fake.inject(Fault(FaultKind.ANSWER_LOST, method="POST", path="/results", times=2))
    outcomes = push(fake, new_results(3), profile={**POST, "filters": filters, "push_concurrency": 1})
    assert states(outcomes) == {OutcomeState.ACCEPTED}
    assert {outcome.remote_id for outcome in outcomes.values()} == set(fake.tables["results"])
    assert fake.effects.total() == 3


class Silent(FakeOneRoster):
    """Answers a POST without the ids that it allocated, or (``gone``) without keeping anything."""

    gone = False

    def _post(self, steps: list[str], body: bytes) -> Reply:
        if not self.gone:
            super()._post(steps, body)
        return Reply(201)


def test_a_provider_that_does_not_tell_its_ids_is_asked_for_them() -> None:
    fake = Silent()
    fake.tables["results"].clear()
    assert {o.remote_id for o in push(fake, new_results(2), profile=POST).values()} == set(fake.tables["results"])


def test_a_posted_record_that_cannot_be_found_stops_the_push() -> None:
    fake = Silent()
    fake.gone = True
    with pytest.raises(ConfigurationError) as caught:
        push(fake, new_results(2)[1:], profile=POST)
    assert caught.value.code == "oneroster.no-allocated-id"


def test_a_deleted_record_is_not_taken_for_the_one_that_was_sent() -> None:
    fake = FakeOneRoster(manners=GradebookManners(filters=False))
    fake.tables["results"].clear()
    change = new_results(1)[0]
    first = push(fake, [change], profile=POST)[change.key].remote_id
    fake.tables["results"][str(first)]["status"] = "inactive"
    again = push(fake, [replace(change, attempted=True)], profile=POST)[change.key].remote_id
    assert again not in (None, first)


def test_a_post_that_did_not_arrive_fails_for_now() -> None:
    fake = FakeOneRoster()
    fake.inject(Fault(FaultKind.HANG_UP, method="POST", path="/results", times=1))
    change = new_results(2)[1]
    assert states(push(fake, [change], profile=POST)) == {OutcomeState.FAILED}
    assert fake.effects.total() == 0


def test_a_post_of_which_nothing_can_be_learned_stays_without_an_outcome() -> None:
    fake = FakeOneRoster()
    fake.inject(
        Fault(FaultKind.ANSWER_LOST, method="POST", path="/results", times=1),
        Fault(FaultKind.HANG_UP, method="GET", path="/results", times=None),
    )
    known: list[Outcome] = []
    with pytest.raises(TransientError):
        known.extend(connect(fake, profile=POST).push(new_results(1)))
    assert known == []
    assert fake.effects.total() == 1


class Renaming(FakeOneRoster):
    """Keeps what is PUT under ids of its own and tells them in its answer."""

    def _put(self, name: str, id_: str, body: bytes) -> Reply:
        if id_.startswith("own-"):
            return super()._put(name, id_, body)
        record = json.loads(body)["result"]
        if record["sourcedId"] != id_:
            raise Refusal(400, "invaliddata")
        self._store(name, {**record, "sourcedId": f"own-{id_}"})
        return Reply(201, {"result": self.tables[name][f"own-{id_}"]})


def test_an_id_in_the_answer_to_a_put_is_kept_where_the_profile_says_so() -> None:
    change = new_results(1)[0]
    assert push(Renaming(), [change])[change.key].remote_id is None
    profile = {"put_returns_id": True}
    assert push(Renaming(), [change], profile=profile)[change.key].remote_id == "own-n-0"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_the_entities_are_those_of_the_version(version: str) -> None:
    entities = connect(FakeOneRoster(version=version), version=version).entities()
    scales = ["score_scales"] if version == "1.2" else []
    assert list(entities) == ["categories", *scales, "line_items", "results"]
