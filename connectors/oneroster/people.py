"""One person, several user records: some providers of version 1.1 keep a record per role, each under its own sourcedId.

The records of a person have one field in common that the profile names (never a name). One of them stands for the
person: an active one before a deleted one, the student's before the others', then the smallest sourcedId. Its id, with
a role's prefix taken away, is the person's id wherever users are referred to; the other records only add roles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from connectors.oneroster.frames import text
from connectors.oneroster.settings import Profile
from gateway.sdk import TABLES, Kind

_FIELDS: Mapping[str, str] = {
    "identifier": "identifier",
    "userMasterIdentifier": "user_master_identifier",
    "email": "email",
    "username": "username",
}


def without_prefix(sourced_id: str, prefixes: Iterable[str]) -> str:
    """``s+123`` as ``123``; a prefix counts only where a digit follows."""
    for prefix in prefixes:
        rest = sourced_id.removeprefix(prefix)
        if rest != sourced_id and rest[:1].isdigit():
            return rest
    return sourced_id


@dataclass(frozen=True, slots=True)
class People:
    """Which user records stand for whom: ``sourced_ids`` and the id of the person for each, and those of the records
    that stand for a person (``leading``)."""

    sourced_ids: pl.Series
    persons: pl.Series
    leading: pl.Series

    def rename(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        """``frame`` with every reference to a user as the person's id; of ``users`` the leading records only."""
        if table == "users":
            frame = frame.filter(pl.col("id").is_null() | pl.col("id").is_in(self.leading.implode()))
        names = [
            column
            for column in TABLES[table].columns
            if column.references == "users" or (table == "users" and column.name in ("id", "agent_ids"))
        ]
        return frame.with_columns(self._renamed(column.name, column.kind) for column in names)

    def _renamed(self, name: str, kind: Kind) -> pl.Expr:
        if kind is Kind.TEXT_LIST:
            return pl.col(name).list.eval(pl.element().replace(self.sourced_ids, self.persons))
        return pl.col(name).replace(self.sourced_ids, self.persons)


def find_people(users: Iterable[Any], profile: Profile) -> People:
    """People out of all user records of the provider."""
    groups: dict[str, list[tuple[bool, bool, str]]] = {}
    for user in users:
        own = text(user.sourced_id)
        if own is None:
            continue
        rank = (text(user.status) not in (None, "active"), not _is_student(user), own)
        groups.setdefault(_common(user, own, profile), []).append(rank)
    persons: dict[str, str] = {}
    leading: list[str] = []
    for group in groups.values():
        leader = min(group)[2]
        leading.append(leader)
        persons |= dict.fromkeys((own for _, _, own in group), without_prefix(leader, profile.user_prefixes))
    return People(_texts(persons), _texts(persons.values()), _texts(leading))


def _texts(values: Iterable[str]) -> pl.Series:
    return pl.Series(list(values), dtype=pl.String)


def _is_student(user: Any) -> bool:
    return text(user.role) == "student" or any(text(role.role) == "student" for role in user.roles or ())


def _common(user: Any, own: str, profile: Profile) -> str:
    """What the records of a person have in common; a record without it stands alone."""
    plain = without_prefix(own, profile.user_prefixes)
    field = _FIELDS.get(profile.merge_users_by or "")
    value = (text(getattr(user, field)) or "").strip() if field else ""
    if not value:
        return f"id {plain}"
    return f"{field} {value.lower() if field == 'email' else value}"
