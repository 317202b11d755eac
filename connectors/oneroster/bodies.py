"""Canonical gradebook records as bodies of PUT and POST requests.

References are absolute addresses with the type words of 1.2; booleans are texts; scores are JSON numbers with the very
digits of their decimals; what is empty is left out. What the standard requires must be there: a record without it is
refused here, with its reason, instead of by the provider without one.
Source: OneRoster 1.2 OpenAPI, gradebook service; OneRoster 1.1 for the narrower bodies of that version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec

from connectors.oneroster.endpoints import ENDPOINTS, Endpoint
from connectors.oneroster.records import written

Row: TypeAlias = "Mapping[str, Any]"
Body: TypeAlias = "dict[str, Any]"
_encoder = msgspec.json.Encoder(decimal_format="number")

_REQUIRED: Mapping[str, Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "1.1": {
            "categories": ("title",),
            "lineItems": (
                "title", "assignDate", "dueDate", "class", "category", "gradingPeriod", "resultValueMin",
                "resultValueMax",
            ),
            "results": ("lineItem", "student", "scoreStatus", "score", "scoreDate"),
        },
        "1.2": {
            "categories": ("title",),
            "scoreScales": ("title", "type", "class", "scoreScaleValue"),
            "lineItems": ("title", "assignDate", "dueDate", "class", "category", "school"),
            "results": ("lineItem", "student", "scoreStatus", "scoreDate"),
        },
    }
)  # fmt: skip
_PARTS_OF_1_2 = (
    "line_item_learning_objectives",
    "line_item_score_scales",
    "result_learning_objectives",
    "result_score_scales",
)


class UnfitRecord(Exception):
    """A record that the standard cannot carry; ``code`` and ``reason`` say why."""

    def __init__(self, reason: str, *, code: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class BodyWriter:
    """Writes bodies for one provider. ``addresses`` are those of its services."""

    def __init__(self, version: str, addresses: Mapping[str, str], now: Callable[[], datetime]) -> None:
        self.version = version
        self._now = now
        gradebook = addresses.get("gradebook", "")
        services = {"gradebook": gradebook, "rostering": addresses.get("rostering", gradebook)}
        self._collections = {e.single: f"{services[e.service]}/{e.name}/" for e in ENDPOINTS.values()}

    def single(self, endpoint: Endpoint, sourced_id: str, record: Row, remote_ids: Mapping[str, str]) -> bytes:
        """The body of a PUT. ``remote_ids``: the provider's ids of records that this one refers to, by ours.

        Raises :class:`UnfitRecord`.
        """
        return _encoder.encode({endpoint.single: self._object(endpoint, sourced_id, record, remote_ids)})

    def several(self, endpoint: Endpoint, sourced_id: str, record: Row, remote_ids: Mapping[str, str]) -> bytes:
        """The body of a POST with one record. Raises :class:`UnfitRecord`."""
        return _encoder.encode({endpoint.name: [self._object(endpoint, sourced_id, record, remote_ids)]})

    def withdrawn(self, endpoint: Endpoint, found: Mapping[str, Any]) -> bytes:
        """An object as the provider holds it, as the body of a PUT which marks it as deleted."""
        gone = {**found, "status": "tobedeleted", "dateLastModified": written(self._now())}
        return _encoder.encode({endpoint.single: gone})

    def _object(self, endpoint: Endpoint, sourced_id: str, record: Row, remote_ids: Mapping[str, str]) -> Body:
        if self.version == "1.1":
            _refuse_parts_of_1_2(record)

        def refer(single: str, own: Any) -> Body | None:
            return self._reference(single, own, remote_ids)

        made = {
            "sourcedId": sourced_id,
            "status": "active",
            "dateLastModified": written(self._now()),
            **_FIELDS[endpoint.name](record, refer, self.version),
        }
        body = {name: value for name, value in made.items() if value is not None}
        for name in _REQUIRED[self.version][endpoint.name]:
            if name not in body:
                reason = f"OneRoster {self.version} requires {name} in a {endpoint.single}, and this one has none."
                raise UnfitRecord(reason, code="oneroster.required")
        return body

    def _reference(self, single: str, own: Any, remote_ids: Mapping[str, str]) -> Body | None:
        if own is None:
            return None
        theirs = remote_ids.get(own, own)
        kind = "academicSession" if single == "gradingPeriod" else single
        return {"href": self._collections[kind] + quote(theirs, safe=""), "sourcedId": theirs, "type": kind}


Refer: TypeAlias = Callable[[str, Any], "Body | None"]


def _category(record: Row, refer: Refer, version: str) -> Body:
    return {"title": record["title"], "weight": plain(record.get("weight")) if version != "1.1" else None}


def _score_scale(record: Row, refer: Refer, version: str) -> Body:
    values = sorted(_rows(record, "score_scale_values"), key=lambda row: row["position"])
    return {
        "title": record["title"],
        "type": record.get("type"),
        "course": refer("course", record.get("course_id")),
        "class": refer("class", record.get("class_id")),
        "scoreScaleValue": [{"itemValueLHS": row["lhs"], "itemValueRHS": row["rhs"]} for row in values] or None,
    }


def _line_item(record: Row, refer: Refer, version: str) -> Body:
    body = {
        "title": record["title"],
        "description": record.get("description"),
        "assignDate": _time(record.get("assign_date") or record.get("due_date")),
        "dueDate": _time(record.get("due_date") or record.get("assign_date")),
        "class": refer("class", record.get("class_id")),
        "category": refer("category", record.get("category_id")),
        "gradingPeriod": refer("gradingPeriod", record.get("academic_session_id")),
        "resultValueMin": plain(record.get("result_value_min")),
        "resultValueMax": plain(record.get("result_value_max")),
    }
    if version == "1.1":
        return body
    return body | {
        "academicSession": refer("academicSession", record.get("academic_session_id")),
        "school": refer("org", record.get("school_id")),
        "scoreScale": _scale(record, "line_item_score_scales", refer),
        "learningObjectiveSet": _grouped(
            _rows(record, "line_item_learning_objectives"), "learningObjectiveIds", _objective
        ),
    }


def _result(record: Row, refer: Refer, version: str) -> Body:
    body = {
        "lineItem": refer("lineItem", record.get("line_item_id")),
        "student": refer("user", record.get("student_id")),
        "scoreStatus": record.get("score_status"),
        "score": plain(record.get("score")),
        "scoreDate": _date(record.get("score_date")),
        "comment": record.get("comment"),
    }
    if version == "1.1":
        return body
    flags = ((name, column) for name, column in _FLAGS if record.get(column) is not None)
    return (
        body
        | {
            "class": refer("class", record.get("class_id")),
            "textScore": record.get("text_score"),
            "scoreScale": _scale(record, "result_score_scales", refer),
            "learningObjectiveSet": _grouped(
                _rows(record, "result_learning_objectives"), "learningObjectiveResults", _scored_objective
            ),
        }
        | {name: "true" if record[column] else "false" for name, column in flags}
    )


_FLAGS = (("inProgress", "in_progress"), ("incomplete", "incomplete"), ("late", "late"), ("missing", "missing"))
_FIELDS: Mapping[str, Callable[[Row, Refer, str], Body]] = MappingProxyType(
    {"categories": _category, "scoreScales": _score_scale, "lineItems": _line_item, "results": _result}
)


def _refuse_parts_of_1_2(record: Row) -> None:
    if any(_rows(record, name) for name in _PARTS_OF_1_2):
        reason = "OneRoster 1.1 cannot carry learning objectives or score scales."
        raise UnfitRecord(reason, code="oneroster.needs-1.2")
    if record.get("text_score") is not None and record.get("score") is None:
        raise UnfitRecord("OneRoster 1.1 cannot carry a score that is a text.", code="oneroster.needs-1.2")


def _rows(record: Row, table: str) -> Sequence[Row]:
    return record.get(table) or ()


def _grouped(rows: Iterable[Row], name: str, item: Callable[[Row], Any]) -> list[Body] | None:
    """Learning objectives by their source."""
    groups: dict[str, list[Any]] = {}
    for row in rows:
        groups.setdefault(row.get("source") or "unknown", []).append(item(row))
    return [{"source": source, name: items} for source, items in groups.items()] or None


def _objective(row: Row) -> str:
    return str(row["learning_objective_id"])


def _scored_objective(row: Row) -> Body:
    scored = {
        "learningObjectiveId": row["learning_objective_id"],
        "score": plain(row.get("score")),
        "textScore": row.get("text_score"),
    }
    return {name: value for name, value in scored.items() if value is not None}


def _scale(record: Row, table: str, refer: Refer) -> Body | None:
    """The first of the linked scales: REST has a place for one."""
    links = sorted(str(row["score_scale_id"]) for row in _rows(record, table))
    return refer("scoreScale", links[0]) if links else None


def plain(value: Decimal | None) -> Decimal | None:
    """A decimal as people write it: 3.500000 as 3.5, 300 as 300, never 3E+2."""
    if value is None:
        return None
    short = value.normalize()
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else short


def _time(value: datetime | None) -> str | None:
    return None if value is None else written(value)


def _date(value: date | None) -> str | None:
    return None if value is None else value.isoformat()
