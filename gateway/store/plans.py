"""Saved plans: the changes as Parquet files in the run's folder, totals and state in the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from gateway.core.errors import ConfigurationError
from gateway.core.exchange import Action, Change
from gateway.core.guard import Reason
from gateway.core.model import FRAMEWORK_TABLES, TABLES
from gateway.core.plan import CHANGES_SCHEMA
from gateway.store.database import Store
from gateway.store.schema import decisions, plans

CHANGES_A_READ = 5_000
"""Changes in memory at a time; plan files are written in row groups of this size."""


class PlanState(StrEnum):
    """``READY``: may be applied. ``HELD``: a person decides, which makes it approved, additions-and-updates or
    discarded. ``SUPERSEDED``: a later run made a newer plan."""

    READY = "ready"
    HELD = "held"
    APPROVED = "approved"
    ADDITIONS = "additions-and-updates"
    DISCARDED = "discarded"
    SUPERSEDED = "superseded"
    APPLIED = "applied"


APPLICABLE = (PlanState.READY, PlanState.APPROVED, PlanState.ADDITIONS)


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan as stored. ``base``: the good snapshot it was made against; ``snapshot``: the candidate it comes from."""

    district: str
    plan_id: str
    run_id: str
    sync: str
    target: str
    digest: str
    state: PlanState
    created_at: datetime
    counts: Mapping[str, Mapping[Action, int]]
    reasons: tuple[Reason, ...]
    base: str | None
    snapshot: str


def insert(connection: Connection, plan: SavedPlan) -> None:
    """Save a plan, in the caller's transaction; a plan of the same run is replaced."""
    mine = sa.and_(plans.c.district == plan.district, plans.c.plan_id == plan.plan_id)
    connection.execute(sa.delete(plans).where(mine))
    values = {name: getattr(plan, name) for name in SavedPlan.__slots__}
    values["counts"] = {e: {a.value: n for a, n in actions.items()} for e, actions in plan.counts.items()}
    values["reasons"] = [{n: getattr(reason, n) for n in Reason.__slots__} for reason in plan.reasons]
    connection.execute(sa.insert(plans).values(**values))


def found(store: Store, district: str, plan_id: str) -> SavedPlan | None:
    row = store.row(sa.select(plans).where(plans.c.district == district, plans.c.plan_id == plan_id))
    return _plan(row) if row else None


def waiting(store: Store, district: str) -> list[SavedPlan]:
    """The plans that a person has to decide on, newest first."""
    query = sa.select(plans).where(plans.c.district == district, plans.c.state == PlanState.HELD.value)
    return [_plan(row) for row in store.rows(query.order_by(plans.c.created_at.desc()))]


def set_state(
    connection: Connection, district: str, plan_id: str, state: PlanState, *, of: PlanState | None = None
) -> bool:
    """Change a plan's state; with ``of`` only if it still is in that one. True if it was changed."""
    query = sa.update(plans).where(plans.c.district == district, plans.c.plan_id == plan_id)
    if of is not None:
        query = query.where(plans.c.state == of.value)
    return connection.execute(query.values(state=state.value)).rowcount == 1


def supersede(connection: Connection, district: str, sync: str, newer: str) -> None:
    """Plans of a sync that were ready or held give way to a newer one."""
    connection.execute(
        sa.update(plans)
        .where(
            plans.c.district == district,
            plans.c.sync == sync,
            plans.c.plan_id != newer,
            plans.c.state.in_([PlanState.READY.value, PlanState.HELD.value]),
        )
        .values(state=PlanState.SUPERSEDED.value)
    )


def record_decision(
    connection: Connection, district: str, plan_id: str, decision: PlanState, *, by: str, reason: str, now: datetime
) -> None:
    """Who decided what and why, once. Raises :class:`ConfigurationError` (``plan.decided``) the second time."""
    try:
        connection.execute(
            sa.insert(decisions).values(
                district=district, plan_id=plan_id, decision=decision.value, by=by, reason=reason, at=now
            )
        )
    except IntegrityError:
        raise ConfigurationError(
            f"The plan {plan_id} has been decided already.",
            hint=f"See `mastery-gateway runs show {plan_id}`.",
            code="plan.decided",
        ) from None


def decision_on(store: Store, district: str, plan_id: str) -> dict[str, Any] | None:
    return store.row(sa.select(decisions).where(decisions.c.district == district, decisions.c.plan_id == plan_id))


def read_changes(
    path: Path, entity: str, actions: tuple[Action, ...], *, only: Sequence[str] | None = None
) -> Iterator[tuple[Change, str | None]]:
    """The changes of an entity (of the ids ``only``) with the digest of their content, in bounded memory."""
    wanted = pl.col("action").is_in([action.value for action in actions])
    if only is not None:
        wanted = wanted & pl.col("id").is_in(list(only))
    saved = pl.scan_parquet(path)
    for start in range(0, saved.select(pl.len()).collect().item(), CHANGES_A_READ):
        rows = saved.slice(start, CHANGES_A_READ).collect().filter(wanted)
        content = [name for name in rows.columns if name not in CHANGES_SCHEMA or name == "id"]
        for row in rows.iter_rows(named=True):
            yield (
                Change(
                    entity=entity,
                    id=row["id"],
                    action=Action(row["action"]),
                    key=row["key"],
                    record={name: row[name] for name in content},
                    attempted=row["attempted"],
                    remote_id=row["remote_id"],
                ),
                row["digest"],
            )


def in_order(entities: list[str]) -> list[str]:
    """Entities parents first, as the canonical model declares them; those of a framework before all others."""
    named = [name for name in TABLES if name in entities]
    return sorted(named, key=lambda name: name not in FRAMEWORK_TABLES)


def _plan(row: Mapping[str, Any]) -> SavedPlan:
    return SavedPlan(
        **{
            **row,
            "state": PlanState(row["state"]),
            "counts": {e: {Action(a): n for a, n in actions.items()} for e, actions in row["counts"].items()},
            "reasons": tuple(Reason(**reason) for reason in row["reasons"]),
        }
    )
