"""Changes to push, small and typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from gateway.core.exchange import Action, Change
from gateway.core.model import TABLES

UUID = "0f2b6a1e-3d62-4f5c-9a58-3f1f5a2d7c10"
OBJECTIVE = {"source": "case", "learning_objective_id": UUID}


def create(entity: str, identity: str, /, **values: object) -> Change:
    record = {**dict.fromkeys(TABLES[entity].names), **values, "id": identity}
    return Change(entity, identity, Action.CREATE, f"{entity}/{identity}", record)


def inactivate(change: Change) -> Change:
    return replace(change, action=Action.INACTIVATE, key=f"{change.key}/gone")


def update(change: Change, values: Mapping[str, object]) -> Change:
    return replace(change, action=Action.UPDATE, key=f"{change.key}/changed", record={**change.record, **values})


CATEGORY = create("categories", "c1", title="Competencies", weight=Decimal("1.500000"))
SCALE = create(
    "score_scales",
    "s1",
    title="Four point",
    type="level",
    class_id="k1",
    score_scale_values=[
        {"position": 2, "lhs": "2", "rhs": "Developing"},
        {"position": 1, "lhs": "1", "rhs": "Emerging"},
    ],
)
LINE_ITEM = create(
    "line_items",
    "l1",
    title='Fractions, "unlike"',
    assign_date=datetime(2026, 9, 1, tzinfo=UTC),
    due_date=datetime(2027, 1, 31, tzinfo=UTC),
    class_id="k1",
    category_id="c1",
    result_value_max=Decimal("4.000000"),
    line_item_learning_objectives=[OBJECTIVE],
    line_item_score_scales=[{"score_scale_id": "s1"}],
)
RESULTS = [
    create(
        "results",
        f"r{number}",
        line_item_id="l1",
        student_id=f"u{number}",
        score_status="fully graded",
        score=Decimal("2.250000"),
        score_date=date(2026, 10, number),
        comment="=SUM(A1)",
        late=False,
        result_learning_objectives=[
            {**OBJECTIVE, "score": Decimal("3.500000")},
            {"source": "local", "learning_objective_id": "LKS.1", "text_score": "met, fully"},
        ],
    )
    for number in (1, 2, 3)
]
ALL = [CATEGORY, SCALE, LINE_ITEM, *RESULTS]
