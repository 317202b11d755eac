"""The lists that are pulled and the objects that are pushed, each under its name in the standard.

Only the collections themselves are used, never ``/terms`` or a list below another object: some providers answer 404 for
all of those, and some type every term as a semester, so that ``/terms`` is empty.

Source: OneRoster 1.2 OpenAPI, paths and envelope keys; OneRoster 1.1 for what that version lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from connectors.oneroster import records
from connectors.oneroster.records import Record


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One collection. ``name`` is its path and the key of its envelope, ``single`` the key of one object's;
    ``tables`` are the canonical tables that its records fill, their own first."""

    name: str
    single: str
    service: str
    tables: tuple[str, ...]
    record: type[Record]
    in_1_1: bool = True

    @property
    def table(self) -> str:
        return self.tables[0]


ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {
        endpoint.name: endpoint
        for endpoint in (
            Endpoint(
                "academicSessions", "academicSession", "rostering", ("academic_sessions",), records.AcademicSession
            ),
            Endpoint("orgs", "org", "rostering", ("orgs",), records.Org),
            Endpoint("courses", "course", "rostering", ("courses",), records.Course),
            Endpoint("classes", "class", "rostering", ("classes",), records.Class),
            Endpoint("users", "user", "rostering", ("users", "roles"), records.User),
            Endpoint("enrollments", "enrollment", "rostering", ("enrollments",), records.Enrollment),
            Endpoint("demographics", "demographics", "rostering", ("demographics",), records.Demographics),
            Endpoint("categories", "category", "gradebook", ("categories",), records.Category),
            Endpoint(
                "scoreScales",
                "scoreScale",
                "gradebook",
                ("score_scales", "score_scale_values"),
                records.ScoreScale,
                in_1_1=False,
            ),
            Endpoint(
                "lineItems",
                "lineItem",
                "gradebook",
                ("line_items", "line_item_learning_objectives", "line_item_score_scales"),
                records.LineItem,
            ),
            Endpoint(
                "results",
                "result",
                "gradebook",
                ("results", "result_learning_objectives", "result_score_scales"),
                records.Result,
            ),
        )
    }
)
"""By name, parents before those that refer to them."""

PUSHED: Mapping[str, Endpoint] = MappingProxyType(
    {endpoint.table: endpoint for endpoint in ENDPOINTS.values() if endpoint.service == "gradebook"}
)
"""The endpoints of the records that can be pushed, by canonical table."""
