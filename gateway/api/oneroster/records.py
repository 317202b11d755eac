"""Rows of tables as the objects of the standard: references with addresses, texts for booleans, numbers as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from gateway.api.oneroster.lists import Field, How

Row = Mapping[str, Any]
Writer = Callable[[Any], Any]

encode = msgspec.json.Encoder(decimal_format="number").encode
_PATHS = {
    "academicSession": "academicSessions", "org": "orgs", "course": "courses", "class": "classes", "user": "users",
    "category": "categories", "lineItem": "lineItems", "scoreScale": "scoreScales",
}  # fmt: skip
_OF_GRADEBOOK = frozenset({"category", "lineItem", "scoreScale"})


class Records:
    """Writes records for one service address. ``rostering`` and ``gradebook`` are the addresses of the two services."""

    def __init__(self, rostering: str, gradebook: str, fields: Sequence[Field]) -> None:
        self._bases = {
            kind: f"{gradebook if kind in _OF_GRADEBOOK else rostering}/{path}/" for kind, path in _PATHS.items()
        }
        self._columns = [(field.name, field.column, self._writer(field), field.fallback) for field in fields]

    def objects(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """The records; what is empty is left out, unless the standard requires it."""
        made = []
        for row in rows:
            record: dict[str, Any] = {}
            for name, column, write, fallback in self._columns:
                value = row[column]
                if value is not None and value != []:
                    record[name] = write(value)
                elif fallback is not None:
                    record[name] = fallback
            made.append(record)
        return made

    def reference(self, kind: str, id: str) -> dict[str, str]:
        return {"href": self._bases[kind] + quote(id, safe=""), "sourcedId": id, "type": kind}

    def _writer(self, field: Field) -> Writer:
        kind = field.kind
        writers: Mapping[How, Writer] = {
            How.PLAIN: _plain,
            How.TIME: _time,
            How.FLAG: lambda value: "true" if value else "false",
            How.REFERENCE: lambda value: self.reference(kind, value),
            How.REFERENCES: lambda value: [self.reference(kind, each) for each in value],
            How.USER_IDS: _user_ids,
            How.OBJECTIVES: _objectives,
            How.OBJECTIVE_RESULTS: _objective_results,
            How.SCALE: lambda value: self.reference("scoreScale", value[0]["score_scale_id"]),
            How.SCALE_VALUES: _scale_values,
            How.ROLES: self._roles,
            How.FIRST_ROLE: _first_role,
            How.ROLE_ORGS: lambda value: [
                self.reference("org", id) for id in dict.fromkeys(r["org_id"] for r in value)
            ],
        }
        return writers[field.how]

    def _roles(self, value: Sequence[Row]) -> list[dict[str, Any]]:
        made = []
        for row in value:
            role = {"roleType": row["role_type"] or "primary", "role": row["role"]}
            role["org"] = self.reference("org", row["org_id"])
            role |= {name: row[column].isoformat() for name, column in _ROLE_DATES if row[column] is not None}
            made.append(role)
        return made


def _first_role(value: Sequence[Row]) -> str:
    """The primary role, in the words of 1.1."""
    first = min(value, key=lambda row: row["role_type"] != "primary")
    return _ROLES_11.get(first["role"], str(first["role"]))


_ROLES_11 = {
    "counselor": "aide", "principal": "administrator", "districtAdministrator": "administrator",
    "siteAdministrator": "administrator", "systemAdministrator": "administrator",
}  # fmt: skip
"""Roles that 1.1 does not know, by the nearest that it does."""

_ROLE_DATES = (("beginDate", "begin_date"), ("endDate", "end_date"))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _time(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"


def _user_ids(value: Sequence[str]) -> list[dict[str, str]]:
    """``{type:identifier}`` of the CSV binding as objects."""
    found = []
    for each in value:
        kind, _, identifier = each.strip("{}").partition(":")
        found.append({"type": kind, "identifier": identifier})
    return found


def _objectives(value: Sequence[Row]) -> list[dict[str, Any]]:
    return [
        {"source": source, "learningObjectiveIds": [row["learning_objective_id"] for row in rows]}
        for source, rows in _by_source(value)
    ]


def _objective_results(value: Sequence[Row]) -> list[dict[str, Any]]:
    return [
        {"source": source, "learningObjectiveResults": [_objective_result(row) for row in rows]}
        for source, rows in _by_source(value)
    ]


def _objective_result(row: Row) -> dict[str, Any]:
    found = {"learningObjectiveId": row["learning_objective_id"]}
    found |= {"score": row["score"]} if row["score"] is not None else {}
    return found | ({"textScore": row["text_score"]} if row["text_score"] is not None else {})


def _by_source(value: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in value:
        found.setdefault(row["source"] or "unknown", []).append(row)
    return list(found.items())


def _scale_values(value: Sequence[Row]) -> list[dict[str, str]]:
    return [{"itemValueLHS": row["lhs"], "itemValueRHS": row["rhs"]} for row in value]
