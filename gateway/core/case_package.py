"""Canonical framework tables as one CASE 1.1 package that passes the standard's strict package schema.

Source: 1EdTech CASE 1.1, CFPackage (no ``CFDocumentURI`` in items and associations, no ``CFPackageURI`` in the
document, nothing is ``null``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import polars as pl

from gateway.core.case import ASSOCIATION_TYPES
from gateway.core.competency import UUID, generated_id, package_identifier
from gateway.core.framework_build import choose_document, own, read_table

Json: TypeAlias = dict[str, Any]

_PRIVATE = re.compile(r"ext:[A-Za-z0-9._-]+")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_NOBODY = "Unknown"


def case_package(
    tables: Mapping[str, pl.DataFrame], *, base_uri: str, framework_id: str | None = None
) -> dict[str, object]:
    """The framework of the typed ``tables`` as a package; ``framework_id`` chooses when they hold several.

    ``base_uri`` ends in ``/ims/case/v1p1`` and begins the address of everything that has none of its own. Ids that are
    no UUID are replaced by one, always the same. What has no date carries the framework's.
    """
    document = choose_document(tables, framework_id)
    writer = _Writer(base_uri.rstrip("/"), document, document["date_last_modified"] or _BEGINNING)
    return writer.package(tables)


@dataclass(slots=True)
class _Writer:
    base: str
    document: Mapping[str, Any]
    changed: datetime
    links: dict[str, Json] = field(default_factory=dict)

    def package(self, tables: Mapping[str, pl.DataFrame]) -> dict[str, object]:
        items = self._own(tables, "competencies")
        self.links = {row["id"]: self._item_link(row) for row in items}
        self.links[self.document["id"]] = {
            "title": self.document["title"], "identifier": package_identifier(self.document["id"]),
            "uri": self._document_uri(),
        }  # fmt: skip
        written: dict[str, object] = {
            "CFDocument": self._document(),
            "CFItems": [self._item(row) for row in items],
            "CFAssociations": [self._association(row) for row in self._own(tables, "associations")],
        }
        if self.document["license"]:
            written["CFDefinitions"] = {"CFLicenses": [self._license()]}
        rubrics = self._rubrics(tables)
        if rubrics:
            written["CFRubrics"] = rubrics
        return written

    def _own(self, tables: Mapping[str, pl.DataFrame], name: str) -> Sequence[Json]:
        return read_table(tables, name).filter(own(self.document["id"])).rows(named=True)

    def _head(self, row: Mapping[str, Any], kind: str) -> Json:
        id = package_identifier(row["id"])
        return {
            "identifier": id,
            "uri": row.get("uri") or f"{self.base}/{kind}/{id}",
            "lastChangeDateTime": _time(row["date_last_modified"] or self.changed),
        }

    def _document_uri(self) -> str:
        return self.document["uri"] or f"{self.base}/CFDocuments/{package_identifier(self.document['id'])}"

    def _document(self) -> Json:
        row = self.document
        return self._head(row, "CFDocuments") | {"caseVersion": "1.1", "creator": row["creator"] or _NOBODY} | _present(
            title=row["title"], version=row["version"], language=row["language"], frameworkType=row["framework_type"],
            adoptionStatus=row["adoption_status"], description=row["description"], subject=row["subjects"],
            licenseURI=_link(self._license()) if row["license"] else None,
        )  # fmt: skip

    def _license(self) -> Json:
        license = self.document["license"]
        row = {"id": generated_id("license", license), "date_last_modified": None}
        return self._head(row, "CFLicenses") | {"title": license, "licenseText": license}

    def _item_link(self, row: Mapping[str, Any]) -> Json:
        return {"title": row["code"] or row["statement"]} | _link(self._head(row, "CFItems"))

    def _item(self, row: Mapping[str, Any]) -> Json:
        return self._head(row, "CFItems") | _present(
            fullStatement=row["statement"], humanCodingScheme=row["code"], CFItemType=row["item_type"],
            abbreviatedStatement=row["abbreviated_statement"], listEnumeration=row["list_enumeration"],
            educationLevel=row["education_levels"], subject=row["subjects"], language=row["language"],
        )  # fmt: skip

    def _association(self, row: Mapping[str, Any]) -> Json:
        return self._head(row, "CFAssociations") | _present(
            associationType=_type(row["type"]), sequenceNumber=row["sequence_number"],
            originNodeURI=self._end(row["origin_id"]), destinationNodeURI=self._end(row["destination_id"]),
        )  # fmt: skip

    def _end(self, id: str) -> Json:
        """A link to an item or the document, or to what lies outside the package under its own name."""
        outside = id if "://" in id else f"urn:uuid:{id}" if UUID.fullmatch(id) else f"{self.base}/CFItems/{id}"
        return self.links.get(id) or {"title": id, "identifier": id, "uri": outside}

    def _rubrics(self, tables: Mapping[str, pl.DataFrame]) -> list[Json]:
        criteria = _by_parent(tables, "rubric_criteria", "rubric_id")
        levels = _by_parent(tables, "rubric_levels", "criterion_id")
        return [
            self._head(rubric, "CFRubrics")
            | _present(title=rubric["title"], description=rubric["description"])
            | {"CFRubricCriteria": [self._criterion(row, levels[row["id"]]) for row in criteria[rubric["id"]]]}
            for rubric in self._own(tables, "rubrics")
        ]

    def _criterion(self, row: Mapping[str, Any], levels: Sequence[Json]) -> Json:
        item = row["competency_id"]
        link = item and {
            "title": item,
            "uri": f"urn:uuid:{package_identifier(item)}",
            "identifier": package_identifier(item),
        }
        return self._head(row, "CFRubricCriteria") | _present(
            category=row["category"], description=row["description"], CFItemURI=self.links.get(item, link),
            weight=_number(row["weight"]), position=row["position"], rubricId=package_identifier(row["rubric_id"]),
            CFRubricCriterionLevels=[self._level(level) for level in levels],
        )  # fmt: skip

    def _level(self, row: Mapping[str, Any]) -> Json:
        return self._head(row, "CFRubricCriterionLevels") | _present(
            description=row["description"], quality=row["quality"], score=_number(row["score"]),
            position=row["position"], rubricCriterionId=package_identifier(row["criterion_id"]),
        )  # fmt: skip


def _by_parent(tables: Mapping[str, pl.DataFrame], name: str, parent: str) -> Mapping[str, list[Json]]:
    found: defaultdict[str, list[Json]] = defaultdict(list)
    for row in read_table(tables, name).rows(named=True):
        found[row[parent]].append(row)
    return found


def _present(**values: object) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _link(target: Mapping[str, Any]) -> Json:
    return {name: target[name] for name in ("title", "identifier", "uri") if name in target}


def _type(kind: str) -> str:
    """A type that CASE knows, or a private one."""
    if kind in ASSOCIATION_TYPES or _PRIVATE.fullmatch(kind):
        return kind
    return "ext:" + re.sub(r"[^A-Za-z0-9._-]", "_", kind)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)
