"""The ledger: what was pushed to which target, with the digest of its content and the target's answer.

A row is written before the call and completed after it, batch by batch, so that a run killed at any point knows what
may be in effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from gateway.core.exchange import Action, Change, Outcome, OutcomeState
from gateway.core.model import TABLES
from gateway.core.plan import KNOWN_SCHEMA, LedgerState
from gateway.store.database import Store
from gateway.store.schema import ledger


def known(store: Store, district: str, target: str, entity: str) -> pl.DataFrame:
    """What the ledger knows of an entity at a target, as :func:`gateway.core.plan.compare` wants it."""
    names = list(KNOWN_SCHEMA)
    query = sa.select(*(ledger.c[name] for name in names)).where(
        ledger.c.district == district, ledger.c.target == target, ledger.c.entity == entity
    )
    with store.begin(read=True) as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    return pl.DataFrame(rows, schema=dict(KNOWN_SCHEMA), orient="row")


def remote_ids(store: Store, district: str, target: str) -> dict[str, str]:
    """The ids that a target allocated for those of our records to which others refer, by ours; empty for a target that
    takes ours."""
    query = sa.select(ledger.c.id, ledger.c.remote_id).where(
        ledger.c.district == district,
        ledger.c.target == target,
        ledger.c.entity.in_(_REFERRED),
        ledger.c.remote_id.is_not(None),
    )
    with store.begin(read=True) as connection:
        return {row[0]: row[1] for row in connection.execute(query) if row[0] != row[1]}


_REFERRED = sorted(
    {
        column.references
        for table in TABLES.values()
        for column in table.columns
        if column.references and (table.part_of is None or column.references != table.part_of[0])
    }
)
"""Entities to which records of others refer: few records, where results are many."""


def accepted_sample(
    store: Store, district: str, target: str, entity: str, run_id: str, size: int
) -> list[tuple[str, str | None]]:
    """The id and the target's own id of up to ``size`` records that a run brought to the target, evenly by id."""
    accepted = sa.and_(
        ledger.c.district == district,
        ledger.c.target == target,
        ledger.c.entity == entity,
        ledger.c.run_id == run_id,
        ledger.c.state == LedgerState.ACCEPTED.value,
    )
    with store.begin(read=True) as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(ledger).where(accepted)).scalar_one()
        place = (sa.func.row_number().over(order_by=ledger.c.id) - 1).label("place")
        numbered = sa.select(ledger.c.id, ledger.c.remote_id, place).where(accepted).subquery()
        even = numbered.c.place % max(1, count // max(1, size)) == 0
        query = sa.select(numbered.c.id, numbered.c.remote_id).where(even).order_by(numbered.c.place).limit(size)
        return [(row[0], row[1]) for row in connection.execute(query)]


def sent_by(store: Store, district: str, target: str, entity: str, run_id: str) -> list[tuple[str, str, str | None]]:
    """Id, state and digest of each record of an entity that a run has announced or sent."""
    query = sa.select(ledger.c.id, ledger.c.state, ledger.c.digest).where(
        ledger.c.district == district,
        ledger.c.target == target,
        ledger.c.entity == entity,
        ledger.c.run_id == run_id,
    )
    with store.begin(read=True) as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def mark_sending(
    connection: Connection,
    district: str,
    target: str,
    run_id: str,
    batch: Sequence[tuple[Change, str | None]],
    now: datetime,
) -> None:
    """Before the call: each change (with the digest of its content, ``None`` for an inactivation) is on its way."""
    rows = [
        {
            "district": district,
            "target": target,
            "entity": change.entity,
            "id": change.id,
            "state": LedgerState.SENDING.value,
            "digest": digest,
            "run_id": run_id,
            "sent_at": now,
        }
        for change, digest in batch
    ]
    insert = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(ledger)
    updated = {name: insert.excluded[name] for name in ("state", "digest", "run_id", "sent_at")}
    keys = [ledger.c.district, ledger.c.target, ledger.c.entity, ledger.c.id]
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=updated), rows)


def mark_answered(
    connection: Connection,
    district: str,
    target: str,
    answers: Sequence[tuple[Change, str | None, Outcome]],
    now: datetime,
) -> None:
    """After the call: what the target answered to each change."""
    for accepted in (True, False):
        rows = [_answer(*a, now=now) for a in answers if (a[2].state is OutcomeState.ACCEPTED) is accepted]
        if not rows:
            continue
        values: dict[str, Any] = {
            name: sa.bindparam(f"new_{name}") for name in ("state", "code", "message", "answered_at")
        }
        if accepted:
            values |= {
                "accepted_digest": sa.bindparam("new_digest"),
                "remote_id": sa.func.coalesce(sa.bindparam("new_remote_id", type_=sa.String), ledger.c.remote_id),
            }
        connection.execute(
            sa.update(ledger)
            .where(
                ledger.c.district == district,
                ledger.c.target == target,
                ledger.c.entity == sa.bindparam("the_entity"),
                ledger.c.id == sa.bindparam("the_id"),
            )
            .values(values),
            rows,
        )


def _answer(change: Change, digest: str | None, outcome: Outcome, *, now: datetime) -> Mapping[str, Any]:
    state = LedgerState(outcome.state.value)
    if state is LedgerState.ACCEPTED and change.action is Action.INACTIVATE:
        state = LedgerState.INACTIVE
    return {
        "the_entity": change.entity,
        "the_id": change.id,
        "new_state": state.value,
        "new_digest": digest,
        "new_remote_id": outcome.remote_id,
        "new_code": outcome.code or None,
        "new_message": outcome.message or None,
        "new_answered_at": now,
    }


def failures(store: Store, district: str, target: str, run_id: str, *, most: int = 20) -> list[dict[str, Any]]:
    """What a run sent and was refused or failed, by entity, state and code, most frequent first, one message each."""
    grouped = (ledger.c.entity, ledger.c.state, ledger.c.code)
    return store.rows(
        sa.select(*grouped, sa.func.count().label("records"), sa.func.min(ledger.c.message).label("message"))
        .where(
            ledger.c.district == district,
            ledger.c.target == target,
            ledger.c.run_id == run_id,
            ledger.c.state.in_([LedgerState.REJECTED.value, LedgerState.FAILED.value]),
        )
        .group_by(*grouped)
        .order_by(sa.func.count().desc())
        .limit(most)
    )
