"""The plan: what the target should hold, less what it is known to hold. Pure comparison of two tables.

*Desired* records come from the mapping; *known* ones from the ledger of what the target accepted. A record whose last
attempt has no known answer, was refused or failed is sent again: pushing is repeatable by key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum

import polars as pl

from gateway.core.exchange import Action


class LedgerState(StrEnum):
    """What the ledger knows of one record at one target."""

    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"
    INACTIVE = "inactive"


KNOWN_SCHEMA: Mapping[str, pl.DataType] = {
    "id": pl.String(),
    "state": pl.String(),
    "digest": pl.String(),
    "accepted_digest": pl.String(),
    "remote_id": pl.String(),
}
"""One row per record of an entity: the digest last attempted and the digest in effect (null: none)."""

CHANGES_SCHEMA: Mapping[str, pl.DataType] = {
    "action": pl.String(),
    "id": pl.String(),
    "digest": pl.String(),
    "key": pl.String(),
    "attempted": pl.Boolean(),
    "remote_id": pl.String(),
}


def compare(desired: pl.DataFrame, known: pl.DataFrame, *, prefix: str) -> pl.DataFrame:
    """The changes of one entity, sorted by id.

    ``desired`` has ``id`` and ``digest``; ``known`` has :data:`KNOWN_SCHEMA`. ``prefix`` is
    ``district/target/entity``; a change's key is ``prefix/id/digest`` (``…/gone`` for an inactivation).
    """
    both = desired.select("id", "digest").join(
        known.rename({"digest": "sent_digest"}), on="id", how="full", coalesce=True
    )
    wanted, state = pl.col("digest").is_not_null(), pl.col("state")
    in_effect = pl.col("accepted_digest").is_not_null() & (state != LedgerState.INACTIVE)
    maybe_there = in_effect | (state == LedgerState.SENDING)
    action = (
        pl.when(wanted & in_effect & (state == LedgerState.ACCEPTED) & (pl.col("accepted_digest") == pl.col("digest")))
        .then(pl.lit(Action.KEEP.value))
        .when(wanted & in_effect)
        .then(pl.lit(Action.UPDATE.value))
        .when(wanted)
        .then(pl.lit(Action.CREATE.value))
        .when(maybe_there)
        .then(pl.lit(Action.INACTIVATE.value))
    )
    attempted = (state == LedgerState.SENDING) & pl.col("sent_digest").eq_missing(pl.col("digest"))
    return (
        both.with_columns(action.alias("action"), attempted.fill_null(False).alias("attempted"))
        .filter(pl.col("action").is_not_null())
        .with_columns(
            pl.concat_str(pl.lit(prefix), "id", pl.col("digest").fill_null("gone"), separator="/").alias("key")
        )
        .select(list(CHANGES_SCHEMA))
        .sort("id")
    )


def count_actions(changes: pl.DataFrame) -> dict[Action, int]:
    """How many changes of each kind."""
    counts = dict(changes["action"].value_counts().iter_rows())
    return {action: counts[action.value] for action in Action if action.value in counts}


def plan_digest(changes: Mapping[str, pl.DataFrame]) -> str:
    """What identifies a plan: every action, id and content digest of every entity."""
    digest = hashlib.sha256()
    for entity in sorted(changes):
        digest.update(entity.encode())
        for key in (
            changes[entity]
            .filter(pl.col("action") != Action.KEEP.value)
            .select(pl.concat_str("action", "id", pl.col("digest").fill_null(""), separator="\x1f"))
            .to_series()
        ):
            digest.update(key.encode() + b"\n")
    return digest.hexdigest()
