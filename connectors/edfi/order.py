"""The order in which resources are written, as the host tells it; the usual one for what it does not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.sdk import Answer

_USUAL = (
    "assessments", "objectiveAssessments", "gradebookEntries", "studentGradebookEntries", "competencyObjectives",
    "studentCompetencyObjectives", "grades", "reportCards", "studentAcademicRecords", "studentAssessments",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """The step of each resource."""

    steps: Mapping[str, int]

    @classmethod
    def of(cls, answer: Answer | None) -> Order:
        """The order that a host tells; *not verified*: that a resource which comes twice is first created."""
        told: dict[str, int] = {}
        for row in _rows(answer):
            resource, step = str(row.get("resource") or "").rpartition("/")[2], row.get("order")
            if resource and isinstance(step, int):
                told.setdefault(resource, step)
        return cls(told or {name: number for number, name in enumerate(_USUAL)})

    def place(self, resource: str, gone: bool) -> tuple[bool, int]:
        """Where an item of the resource comes: what goes is taken away first, in reverse."""
        step = self.steps.get(resource, len(self.steps))
        return (not gone, -step if gone else step)


def _rows(answer: Answer | None) -> list[dict[str, Any]]:
    try:
        rows = msgspec.json.decode(answer.body) if answer else []
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
