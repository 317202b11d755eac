"""Single items of a host: found by natural key, read with their etag, created, replaced and deleted.

A filter that an older host does not know is ignored, and then the whole list comes: so every item that is returned is
compared with what was asked for before anything is done with it.

Decimals keep the digits in which the host wrote them; they never pass through floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from connectors.edfi.merging import Found, Item, same, stripped
from gateway.sdk import Answer, IncompletePullError, RejectedError

Way = tuple[str, ...]
_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_STUDENT: Way = ("studentReference", "studentUniqueId")
_SECTION = "studentSectionAssociationReference"
_ASSESSMENT = "assessmentReference"

FILTERS: Mapping[str, Mapping[str, Way]] = MappingProxyType(
    {
        "gradebookEntries": {
            "gradebookEntryIdentifier": ("gradebookEntryIdentifier",), "namespace": ("namespace",),
        },
        "studentGradebookEntries": {
            "gradebookEntryIdentifier": ("gradebookEntryReference", "gradebookEntryIdentifier"),
            "namespace": ("gradebookEntryReference", "namespace"), "studentUniqueId": _STUDENT,
        },
        "studentCompetencyObjectives": {"studentUniqueId": _STUDENT},
        "grades": {
            "studentUniqueId": (_SECTION, "studentUniqueId"), "sectionIdentifier": (_SECTION, "sectionIdentifier"),
            "gradeTypeDescriptor": ("gradeTypeDescriptor",),
        },
        "assessments": {"assessmentIdentifier": ("assessmentIdentifier",), "namespace": ("namespace",)},
        "objectiveAssessments": {
            "assessmentIdentifier": (_ASSESSMENT, "assessmentIdentifier"),
            "identificationCode": ("identificationCode",), "namespace": (_ASSESSMENT, "namespace"),
        },
        "studentAssessments": {
            "studentAssessmentIdentifier": ("studentAssessmentIdentifier",), "studentUniqueId": _STUDENT,
        },
        "competencyObjectives": {"objective": ("objective",)},
        "studentAcademicRecords": {
            "educationOrganizationId": ("educationOrganizationReference", "educationOrganizationId"),
            "schoolYear": ("schoolYearTypeReference", "schoolYear"), "studentUniqueId": _STUDENT,
            "termDescriptor": ("termDescriptor",),
        },
        "reportCards": {
            "educationOrganizationId": ("educationOrganizationReference", "educationOrganizationId"),
            "studentUniqueId": _STUDENT,
        },
        "courseTranscripts": {
            "courseCode": ("courseReference", "courseCode"),
            "studentUniqueId": ("studentAcademicRecordReference", "studentUniqueId"),
        },
    }
)  # fmt: skip
"""By resource: the filters that narrow a list down to an item or a few, and where their values stand in a body."""


class Data(Protocol):
    """Sends a request below the address of the host's resources; see :meth:`connectors.edfi.session.Session.data`."""

    def __call__(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Answer: ...


class Items:
    """Reads and writes single items. Several threads may use it."""

    def __init__(self, data: Data, page_size: int) -> None:
        self._data = data
        self._page_size = page_size

    def find(self, resource: str, identity: Item) -> Found | None:
        """The item with this natural key. Raises :class:`IncompletePullError` (``edfi.filter-ignored``)."""
        wanted = {name: _at(identity, way) for name, way in FILTERS[resource].items()}
        return next((each for each in self.select(resource, wanted) if each.has(identity)), None)

    def select(self, resource: str, wanted: Mapping[str, Any]) -> list[Found]:
        """The items of which the filters say so; each is compared."""
        ways = FILTERS[resource]
        found = []
        for item in self.listed(resource, {name: str(value) for name, value in wanted.items()}):
            if any(not same(_at(item, ways[name]), value) for name, value in wanted.items()):
                raise IncompletePullError(
                    f"The host answered a question for one record of {resource} with others: it ignores the filter.",
                    hint="Report it; nothing is written to records that were not asked for.",
                    code="edfi.filter-ignored",
                )
            found.append(_found(item))
        return found

    def listed(self, resource: str, params: Mapping[str, str] | None = None) -> Iterator[Item]:
        """All items of a list, by pages; an item that a page repeats comes once."""
        seen: set[str] = set()
        offset = 0
        while True:
            page = {**(params or {}), "offset": str(offset), "limit": str(self._page_size)}
            rows = _rows(self._data("GET", resource, params=page).body, resource)
            new = [row for row in rows if row.get("id") not in seen]
            yield from new
            if not new or (params and len(rows) < self._page_size):
                return
            seen.update(str(row.get("id")) for row in new)
            offset += len(rows)

    def get(self, resource: str, id_: str) -> Found | None:
        """The item with the host's id."""
        try:
            answer = self._data("GET", f"{resource}/{id_}")
        except RejectedError as refused:
            if refused.status in (404, 410):
                return None
            raise
        return _found(_rows(b"[" + answer.body + b"]", resource)[0])

    def post(self, resource: str, body: Item) -> str:
        """Create the item, or replace the one with its key; returns the host's id. Posting twice is posting once."""
        answer = self._data("POST", resource, body=encoded(body), repeatable=True)
        return answer.headers.get("Location", "").rpartition("/")[2]

    def put(self, resource: str, found: Found, body: Item) -> None:
        """Replace the item, if it still is as it was read."""
        sent = encoded({"id": found.id, **body})
        self._data("PUT", f"{resource}/{found.id}", body=sent, headers={"If-Match": found.etag})

    def delete(self, resource: str, found: Found) -> None:
        """Delete the item, if it still is as it was read; one that is gone already is no error."""
        try:
            self._data("DELETE", f"{resource}/{found.id}", headers={"If-Match": found.etag})
        except RejectedError as refused:
            if refused.status not in (404, 410):
                raise


def encoded(body: Item) -> bytes:
    """A body as JSON, decimals as numbers with their digits."""
    return _ENCODER.encode(body)


def _found(item: Item) -> Found:
    return Found(str(item.get("id", "")), str(item.get("_etag", "")), stripped(item))


def _at(item: Item, way: Way) -> Any:
    value: Any = item
    for name in way:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _rows(body: bytes, resource: str) -> list[Item]:
    try:
        rows = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise IncompletePullError(
            f"The host's answer is no list of {resource}.",
            hint="Check that base_url leads to the host itself and not to a login page; the next run tries again.",
            code="edfi.not-an-answer",
        )
    return rows
