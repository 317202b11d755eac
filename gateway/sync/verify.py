"""The verify step: read a sample back from the target and compare it with what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from gateway.core.exchange import Action, Change, Target
from gateway.core.model import TABLES
from gateway.store import ledger
from gateway.store.plans import SavedPlan, in_order, read_changes
from gateway.sync.work import Work

IGNORED = frozenset({"id", "date_last_modified", "status"})


@dataclass(frozen=True, slots=True)
class ReadBack:
    """How many records of an entity were read back, how many are missing, and how many differ in which column."""

    entity: str
    read: int
    missing: int
    differing: Mapping[str, int]

    @property
    def warnings(self) -> list[str]:
        name = self.entity.replace("_", " ")
        found = [f"{self.missing} of {self.read} {name} read back are not at the target."] if self.missing else []
        return found + [
            f"{count} of {self.read} {name} read back differ in {column}." for column, count in self.differing.items()
        ]


def verify(work: Work, plan: SavedPlan, target: Target) -> list[ReadBack]:
    """An even sample of what this run created or updated, compared column by column."""
    found = []
    allocated = bool(ledger.remote_ids(work.store, work.district.id, work.sync.target))
    for entity in in_order(list(plan.counts)):
        sample = _sample(work, entity)
        if not sample:
            continue
        there = target.read_back(entity, list(sample))
        differing: dict[str, int] = {}
        for record_id, change in sample.items():
            ignored = _references(entity) if allocated else frozenset[str]()
            for column in _differences(change.record, there.get(record_id), ignored | IGNORED):
                differing[column] = differing.get(column, 0) + 1
        missing = sum(record_id not in there for record_id in sample)
        found.append(ReadBack(entity, len(sample), missing, differing))
    return found


def _references(entity: str) -> frozenset[str]:
    """Columns that come back with the target's ids where it allocates its own."""
    return frozenset(c.name for c in TABLES[entity].columns if c.references) | set(TABLES)


def _sample(work: Work, entity: str) -> dict[str, Change]:
    """Some of what this run sent, by the id under which the target has it."""
    chosen = dict(
        ledger.accepted_sample(
            work.store, work.district.id, work.sync.target, entity, work.run.run_id, work.sync.read_back
        )
    )
    if not chosen:
        return {}
    path = work.folder / "plan" / f"{entity}.parquet"
    changes = read_changes(path, entity, (Action.CREATE, Action.UPDATE), only=sorted(chosen))
    return {chosen[change.id] or change.id: change for change, _ in changes}


def _differences(sent: Mapping[str, object], there: Mapping[str, object] | None, ignored: frozenset[str]) -> list[str]:
    """Columns that were sent with a value and came back with another one; a column that the target cannot carry is not
    in what it gives back."""
    if there is None:
        return []
    return [
        column
        for column, value in sent.items()
        if value is not None and column not in ignored and column in there and not _same(value, there[column])
    ]


def _same(sent: object, there: object) -> bool:
    if isinstance(sent, Decimal) and isinstance(there, Decimal | int):
        return sent == there
    if isinstance(sent, datetime | date) and isinstance(there, datetime | date):
        return sent.isoformat()[:10] == there.isoformat()[:10]
    if isinstance(sent, list) and isinstance(there, list):
        return len(sent) == len(there) and all(any(_row(a, b) for b in there) for a in sent)
    return sent == there


def _row(sent: object, there: object) -> bool:
    """A nested row is the same if all that was sent of it came back."""
    if isinstance(sent, Mapping) and isinstance(there, Mapping):
        return all(value is None or _same(value, there.get(name)) for name, value in sent.items())
    return sent == there
