"""Records as the host holds them now, by the id under which the gateway remembers them: ``resource/id``.

Only columns that an item carries come back. Categories and score scales have no item: nothing of them can be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.edfi.items import Items
from connectors.edfi.merging import Body

_HUNDREDTHS = -2
_THOUSANDTHS = -3
_DESCRIPTION = 1024


class ReadBack:
    """Reads records of one connection. ``primary``: the resource that carries the records of the entity."""

    def __init__(self, items: Items, primary: str, target: Mapping[str, Any]) -> None:
        self._items = items
        self._primary = primary
        self._target = target

    def record(self, entity: str, own: str) -> Mapping[str, object] | None:
        """The record; ``None`` if the host has none."""
        resource, _, id_ = own.removesuffix("/created").rpartition("/")
        unnamed = not resource and (not self._primary or entity == "course_attempts")
        if entity in ("categories", "score_scales") or unnamed:
            return {}
        if not resource or "/" in resource:
            return None
        found = self._items.get(resource, id_)
        if found is None:
            return None
        return _READ.get(resource, _nothing)(found.body, self._target)


def _nothing(body: Body, target: Mapping[str, Any]) -> dict[str, object]:
    return {}


def _entry(body: Body, target: Mapping[str, Any]) -> dict[str, object]:
    return {
        "id": body["gradebookEntryIdentifier"],
        "title": body.get("title"),
        "description": body.get("description"),
        "assign_date": _midnight(body.get("dateAssigned")),
        "due_date": _midnight(body.get("dueDate")),
        **_exact("result_value_max", body.get("maxPoints")),
    }


def _result(body: Body, target: Mapping[str, Any]) -> dict[str, object]:
    day = body.get("dateFulfilled")
    students = {} if target["students"] else {"student_id": body["studentReference"]["studentUniqueId"]}
    return {
        "line_item_id": body["gradebookEntryReference"]["gradebookEntryIdentifier"],
        **students,
        **_exact("score", body.get("numericGradeEarned")),
        **({"text_score": body["letterGradeEarned"]} if "letterGradeEarned" in body else {}),
        "score_date": date.fromisoformat(day) if day else None,
        "comment": body.get("diagnosticStatement"),
    }


def _objective(body: Body, target: Mapping[str, Any]) -> dict[str, object]:
    said = body.get("description") or ""
    return {} if len(said) >= _DESCRIPTION else {"statement": said}


def _attempt(body: Body, target: Mapping[str, Any]) -> dict[str, object]:
    return {
        "course_code": body["courseReference"]["courseCode"],
        "grade": body.get("finalLetterGradeEarned"),
        **_exact("score", body.get("finalNumericGradeEarned")),
        **_exact("credit", body.get("attemptedCredits"), _THOUSANDTHS),
        **_exact("credit_earned", body.get("earnedCredits"), _THOUSANDTHS),
    }


_READ = {
    "gradebookEntries": _entry, "studentGradebookEntries": _result, "competencyObjectives": _objective,
    "courseTranscripts": _attempt,
}  # fmt: skip


def _midnight(day: str | None) -> datetime | None:
    return None if day is None else datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)


def _exact(column: str, value: Any, most: int = _HUNDREDTHS) -> dict[str, object]:
    """A number, unless it has as many decimals as Ed-Fi keeps: then it may have been rounded, and says nothing."""
    if value is None:
        return {column: None}
    number = Decimal(value)
    exponent = number.normalize().as_tuple().exponent
    return {} if isinstance(exponent, int) and exponent <= most else {column: number}
