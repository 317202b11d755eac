"""What targets promise. See :mod:`gateway.testing.contracts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.core.exchange import Action, Change, Outcome, OutcomeState
from gateway.core.model import TABLES
from gateway.testing.contract import Contract, HttpContract, Stand, fault_name
from gateway.testing.fake_service import FakeService
from gateway.testing.faults import Fault, FaultKind


class TargetContract(Contract):
    """What targets promise."""

    def make_changes(self) -> Sequence[Change]:
        """Some creations that the remote takes, parents first, at least three of the last entity."""
        raise NotImplementedError

    def _push(self, stand: Stand, changes: Iterable[Change]) -> dict[str, Outcome]:
        given = list(changes)
        outcomes = list(stand.target().push(given))
        assert Counter(outcome.key for outcome in outcomes) == Counter(change.key for change in given)
        return {outcome.key: outcome for outcome in outcomes}

    def _accept(self, stand: Stand, changes: Iterable[Change]) -> None:
        outcomes = self._push(stand, changes)
        assert [outcome for outcome in outcomes.values() if outcome.state is not OutcomeState.ACCEPTED] == []

    def _read_back(self, stand: Stand, changes: Iterable[Change]) -> dict[tuple[str, str], Mapping[str, object]]:
        target = stand.target()
        found: dict[tuple[str, str], Mapping[str, object]] = {}
        by_entity: dict[str, list[str]] = {}
        for change in changes:
            by_entity.setdefault(change.entity, []).append(change.id)
        for entity, ids in by_entity.items():
            found |= {(entity, id_): record for id_, record in target.read_back(entity, ids).items()}
        return found

    def test_entities_are_known_tables(self, stand: Stand) -> None:
        entities = stand.target().entities()
        assert entities
        assert set(entities) <= set(TABLES)
        assert {change.entity for change in self.make_changes()} <= set(entities)

    def test_every_change_has_one_outcome(self, stand: Stand) -> None:
        self._accept(stand, self.make_changes())

    def test_nothing_to_push_is_no_error(self, stand: Stand) -> None:
        assert self._push(stand, []) == {}

    def test_what_was_pushed_is_read_back(self, stand: Stand) -> None:
        changes = self.make_changes()
        self._accept(stand, changes)
        found = self._read_back(stand, changes)
        for change in changes:
            assert _comparable(change.record) == _comparable(found[change.entity, change.id], like=change.record)

    def test_unknown_records_are_absent_from_what_is_read_back(self, stand: Stand) -> None:
        entity = self.make_changes()[-1].entity
        assert stand.target().read_back(entity, ["nobody-knows-this"]) == {}

    def test_pushing_again_changes_nothing(self, stand: Stand, remote: FakeService | None) -> None:
        changes = self.make_changes()
        self._accept(stand, changes)
        before = self._read_back(stand, changes)
        effects = remote.effects.total() if remote else 0
        self._accept(stand, [replace(change, attempted=True) for change in changes])
        assert self._read_back(stand, changes) == before
        assert (remote.effects.total() if remote else 0) == effects

    def test_an_update_takes_effect(self, stand: Stand) -> None:
        changes = self.make_changes()
        self._accept(stand, changes)
        changed = _altered(changes[-1])
        self._accept(stand, self._with_unchanged(stand, changes[:-1], [changed]))
        found = self._read_back(stand, [changed])[changed.entity, changed.id]
        assert _comparable(changed.record) == _comparable(found, like=changed.record)

    def test_what_is_inactivated_is_gone_and_stays_so(self, stand: Stand) -> None:
        changes = self.make_changes()
        self._accept(stand, changes)
        gone = replace(changes[-1], action=Action.INACTIVATE, key=f"{changes[-1].key}/gone")
        for _ in range(2):
            self._accept(stand, self._with_unchanged(stand, changes[:-1], [gone]))
            assert (gone.entity, gone.id) not in self._read_back(stand, changes)
            assert len(self._read_back(stand, changes)) == len(changes) - 1

    def _with_unchanged(self, stand: Stand, unchanged: Sequence[Change], changes: Sequence[Change]) -> list[Change]:
        """``changes``, beside what a target that is sent everything must be sent as well."""
        if not stand.target().wants_unchanged:
            return list(changes)
        return [*(replace(change, action=Action.KEEP) for change in unchanged), *changes]


class HttpTargetContract(HttpContract, TargetContract):
    """What targets over HTTP promise: one effect for each change, whatever happens to requests and answers."""

    def _act(self, stand: Stand) -> None:
        list(stand.target().push(self.make_changes()))

    def _effects_each(self, remote: FakeService) -> set[int]:
        counts = {id_: count for (_, id_), count in remote.effects.items()}
        return {counts.get(change.id, 0) for change in self.make_changes()}

    def test_a_refused_record_does_not_stop_the_others(self, stand: Stand, remote: FakeService) -> None:
        changes = self.make_changes()
        refused = changes[-2]
        remote.inject(Fault(FaultKind.REFUSED_RECORD, refused.id, path=refused.id, times=None))
        outcomes = self._push(stand, changes)
        states = {key: outcome.state for key, outcome in outcomes.items()}
        assert states.pop(refused.key) is OutcomeState.REJECTED
        assert set(states.values()) == {OutcomeState.ACCEPTED}
        assert outcomes[refused.key].code
        assert outcomes[refused.key].message
        assert refused.id not in outcomes[refused.key].message

    def test_a_record_that_fails_for_now_does_not_stop_the_others(self, stand: Stand, remote: FakeService) -> None:
        changes = self.make_changes()
        failing = changes[-2]
        remote.inject(Fault(FaultKind.ERROR, "500", path=failing.id, times=None))
        states = {key: outcome.state for key, outcome in self._push(stand, changes).items()}
        assert states.pop(failing.key) is OutcomeState.FAILED
        assert set(states.values()) == {OutcomeState.ACCEPTED}

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(FaultKind.ANSWER_LOST),
            Fault(FaultKind.HANG_UP),
            Fault(FaultKind.THROTTLED, "2"),
            Fault(FaultKind.ERROR, "503", times=2),
            Fault(FaultKind.EXPIRED_TOKEN),
        ],
        ids=fault_name,
    )
    def test_a_fault_in_mid_push_leaves_one_effect_each(self, fault: Fault, stand: Stand, remote: FakeService) -> None:
        changes = self.make_changes()
        remote.inject(replace(fault, path=changes[-2].id))
        self._accept(stand, changes)
        assert self._effects_each(remote) == {1}

    def test_a_change_whose_answers_were_all_lost_has_one_effect(self, stand: Stand, remote: FakeService) -> None:
        changes = self.make_changes()
        remote.inject(Fault(FaultKind.ANSWER_LOST, path=changes[-2].id, times=None))
        states = {key: outcome.state for key, outcome in self._push(stand, changes).items()}
        assert states[changes[-2].key] is OutcomeState.FAILED
        remote.faults.clear()
        self._accept(stand, [replace(changes[-2], attempted=True)])
        assert self._effects_each(remote) == {1}


def _altered(change: Change) -> Change:
    """The change with another title or score."""
    record = dict(change.record)
    if record.get("score") is not None:
        record["score"] = Decimal("1.5")
    else:
        record["title"] = f"{record['title']} (changed)"
    return replace(change, action=Action.UPDATE, key=f"{change.key}/changed", record=record)


def _comparable(record: Mapping[str, object], like: Mapping[str, object] | None = None) -> dict[str, object]:
    """A record without what a target sets itself, and without what is null; of ``like``'s columns only."""
    own = {"status", "date_last_modified"}
    names = [name for name, value in (like or record).items() if name not in own and value not in (None, [], ())]
    return {name: _value(record.get(name)) for name in names}


def _value(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _value(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return sorted((_value(inner) for inner in value), key=repr)
    return value
