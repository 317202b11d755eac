"""CASE packages as raw canonical tables (CASE 1.0 and 1.1), with the tolerance that real exports need.

Every real 1.0 export fails the strict 1.1 schema, so nothing is validated here beyond what the tables need. Rows keep
the source's text; types, required values and doubled identifiers are judged by :mod:`gateway.core.check`, which sets
the faulty row aside and keeps the others. Identifiers become lower case, because systems differ in the case of the
very same identifier. Titles of links are never data: exporters cut them, or write placeholders.

Sources: 1EdTech CASE 1.1 information model; OpenSALT and OpenCASE exports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from gateway.core.check import find_duplicates, fingerprints, leave_out, read_rows
from gateway.core.competency import UUID, generated_id, normal_id
from gateway.core.errors import DataError, Place
from gateway.core.exchange import REJECTS_SCHEMA
from gateway.core.model import FRAMEWORK_TABLES, LINE, SOURCE, TABLES

ASSOCIATION_TYPES = (
    "isChildOf", "isPartOf", "isPeerOf", "exactMatchOf", "isRelatedTo", "precedes", "replacedBy", "exemplar",
    "hasSkillLevel", "isTranslationOf",
)  # fmt: skip
"""The association types of CASE 1.1 (1.0 lacks the last); ``ext:`` types are private and kept."""

_NAMES = {name.lower(): name for name in ASSOCIATION_TYPES} | {"isexactmatchof": "exactMatchOf"}
_LEVELS = {"K": "KG", "KINDERGARTEN": "KG", "PRE-K": "PK", "PREK": "PK"}
_TOLD = 20
_NOT_AN_OBJECT = "This is not a JSON object."


@dataclass(frozen=True, slots=True)
class CasePackages:
    """What was read: raw frames of all framework tables, sentences about what was tolerated, and what is no record."""

    frames: Mapping[str, pl.DataFrame]
    warnings: tuple[str, ...]
    rejects: pl.DataFrame


@dataclass(frozen=True, slots=True)
class CheckedPackages:
    """Typed framework tables, ready for :meth:`~gateway.core.framework.Framework.from_tables`, and what was set aside
    (see :data:`~gateway.core.check.QUARANTINE_SCHEMA`)."""

    tables: Mapping[str, pl.DataFrame]
    quarantine: pl.DataFrame


@dataclass(slots=True)
class Rows:
    """Raw rows of the framework tables under construction, with what is to be said about them."""

    source: str
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in FRAMEWORK_TABLES})
    rejects: list[dict[str, Any]] = field(default_factory=list)
    tolerated: Counter[str] = field(default_factory=Counter)

    def add(self, table: str, line: int, *, part: str = "", **values: object) -> None:
        self.rows[table].append({**values, SOURCE: f"{self.source}{part}", LINE: line})

    def reject(
        self, table: str, code: str, reason: str, line: int, *, part: str = "", field: str | None = None
    ) -> None:
        row = {"table": table, "id": None, "code": code, "field": field, "reason": reason}
        self.rejects.append({**row, SOURCE: f"{self.source}{part}", LINE: line})

    def finish(self) -> CasePackages:
        """The frames, warnings and rejects."""
        frames = {
            name: pl.DataFrame(
                {column: [row.get(column) for row in rows] for column in TABLES[name].raw_schema},
                schema=TABLES[name].raw_schema,
            )
            for name, rows in self.rows.items()
        }
        rejects = pl.DataFrame(self.rejects, schema=dict(REJECTS_SCHEMA), orient="row")
        warnings = tuple(sentence.replace("COUNT", str(count), 1) for sentence, count in self.tolerated.items())
        return CasePackages(frames, warnings, rejects)


def read_packages(data: object, *, source: str) -> CasePackages:
    """Decoded JSON as framework tables: one package, one wrapped as ``{"CFPackage": …}``, or a list of either.

    ``source`` names the file or the request in every row. Raises :class:`DataError` if there is no package in it.
    """
    rows = Rows(source)
    packages = list(_packages(data, Place(source)))
    for number, package in enumerate(packages, start=1):
        _read_package(package, rows, f"#{number}/" if len(packages) > 1 else "#")
    return rows.finish()


def check_packages(frames: Mapping[str, pl.DataFrame]) -> CheckedPackages:
    """The raw tables of one reading as typed tables, by the rules of :mod:`gateway.core.check`."""
    tables: dict[str, pl.DataFrame] = {}
    quarantine: list[pl.DataFrame] = []
    for name in FRAMEWORK_TABLES:
        table = TABLES[name]
        read = read_rows(frames[name], table)
        single = leave_out(read.rows, table, 0, find_duplicates(fingerprints(read.rows, table, 0)))
        tables[name] = single.rows.select(table.names)
        quarantine += [read.quarantine, single.quarantine]
    return CheckedPackages(tables, pl.concat(quarantine))


def _packages(data: object, place: Place) -> Iterator[Mapping[str, Any]]:
    if isinstance(data, list) and data:
        for each in data:
            yield from _packages(each, place)
        return
    package = data.get("CFPackage", data) if isinstance(data, dict) else None
    document = package.get("CFDocument") if isinstance(package, dict) else None
    if not isinstance(package, dict) or not isinstance(document, dict):
        raise DataError(
            "This is not a CASE package: there is no CFDocument in it.",
            hint="Ask for the framework's CFPackage; a list of documents or of items is not enough.",
            code="case.not-a-package",
            place=place,
        )
    if case_identifier(document) is None:
        raise DataError(
            "The package's CFDocument has no identifier.",
            hint="The framework cannot be told from others without one; have it exported again.",
            code="case.no-identifier",
            place=Place(place.source, None, "CFDocument.identifier"),
        )
    yield package


def _read_package(package: Mapping[str, Any], rows: Rows, part: str) -> None:
    document = package["CFDocument"]
    framework = case_identifier(document)
    named = _Definitions(package.get("CFDefinitions"))
    rows.add(
        "frameworks", 1, part=f"{part}CFDocument", id=framework,
        date_last_modified=text(document, "lastChangeDateTime"), title=text(document, "title"),
        creator=text(document, "creator"), version=text(document, "version"), language=text(document, "language"),
        adoption_status=text(document, "adoptionStatus"), framework_type=text(document, "frameworkType"),
        description=text(document, "description"), subjects=named.subjects(document),
        license=named.license(document), uri=text(document, "uri"),
    )  # fmt: skip
    for line, item in _objects(package, "CFItems", "competencies", rows, part):
        _read_item(item, line, rows, f"{part}CFItems", framework, named)
    for line, association in _objects(package, "CFAssociations", "associations", rows, part):
        _read_association(association, line, rows, f"{part}CFAssociations", framework)
    for line, rubric in _objects(package, "CFRubrics", "rubrics", rows, part):
        _read_rubric(rubric, line, rows, part, framework)


def _objects(
    holder: Mapping[str, Any], name: str, table: str, rows: Rows, part: str
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The objects in one of the package's lists with their numbers; what is no object is rejected."""
    values = holder.get(name)
    if values is None:
        return
    if not isinstance(values, list):
        values = [values]
    for line, value in enumerate(values, start=1):
        if isinstance(value, dict):
            yield line, value
        else:
            rows.reject(table, "case.not-an-object", _NOT_AN_OBJECT, line, part=f"{part}{name}")


def _read_item(
    item: Mapping[str, Any], line: int, rows: Rows, part: str, framework: str | None, named: _Definitions
) -> None:
    rows.add(
        "competencies", line, part=part, id=case_identifier(item), date_last_modified=text(item, "lastChangeDateTime"),
        framework_id=framework, code=text(item, "humanCodingScheme"), statement=text(item, "fullStatement"),
        abbreviated_statement=text(item, "abbreviatedStatement"), item_type=named.item_type(item),
        list_enumeration=text(item, "listEnumeration"), education_levels=_education_levels(item),
        subjects=named.subjects(item), language=text(item, "language"), uri=text(item, "uri"),
    )  # fmt: skip


def _read_association(association: Mapping[str, Any], line: int, rows: Rows, part: str, framework: str | None) -> None:
    kind = association_type(text(association, "associationType"))
    if kind is not None and kind not in ASSOCIATION_TYPES and not kind.startswith("ext:"):
        named = f'the type "{kind[:40]}"' if len(rows.tolerated) < _TOLD else "further types"
        rows.tolerated[f"Associations of {named}, which CASE does not know: COUNT; kept."] += 1
    origin = link_id(association.get("originNodeURI"))
    destination = link_id(association.get("destinationNodeURI"))
    id = case_identifier(association)
    if id is None and kind and origin and destination:
        id = generated_id(framework or "", kind, origin, destination)
        rows.tolerated["Associations without an identifier: COUNT; each got one made from what it links."] += 1
    rows.add(
        "associations", line, part=part, id=id, date_last_modified=text(association, "lastChangeDateTime"),
        framework_id=framework, type=kind, origin_id=origin, destination_id=destination,
        sequence_number=text(association, "sequenceNumber"),
    )  # fmt: skip


def _read_rubric(rubric: Mapping[str, Any], line: int, rows: Rows, part: str, framework: str | None) -> None:
    id = case_identifier(rubric)
    rows.add(
        "rubrics", line, part=f"{part}CFRubrics", id=id, date_last_modified=text(rubric, "lastChangeDateTime"),
        framework_id=framework, title=text(rubric, "title"), description=text(rubric, "description"),
    )  # fmt: skip
    inside = f"{part}CFRubrics/{line}/"
    for number, criterion in _objects(rubric, "CFRubricCriteria", "rubric_criteria", rows, inside):
        _read_criterion(criterion, number, rows, inside, id)


def _read_criterion(criterion: Mapping[str, Any], line: int, rows: Rows, part: str, rubric: str | None) -> None:
    id = case_identifier(criterion)
    rows.add(
        "rubric_criteria", line, part=f"{part}CFRubricCriteria", id=id,
        date_last_modified=text(criterion, "lastChangeDateTime"), rubric_id=rubric,
        category=text(criterion, "category"), description=text(criterion, "description"),
        competency_id=link_id(criterion.get("CFItemURI")), weight=text(criterion, "weight"),
        position=text(criterion, "position"),
    )  # fmt: skip
    inside = f"{part}CFRubricCriteria/{line}/"
    for number, level in _objects(criterion, "CFRubricCriterionLevels", "rubric_levels", rows, inside):
        rows.add(
            "rubric_levels", number, part=f"{inside}CFRubricCriterionLevels", id=case_identifier(level),
            date_last_modified=text(level, "lastChangeDateTime"), criterion_id=id, quality=text(level, "quality"),
            description=text(level, "description"), score=text(level, "score"), position=text(level, "position"),
        )  # fmt: skip


class _Definitions:
    """The package's definitions, by which links to subjects, licences and item types get their names."""

    def __init__(self, definitions: object) -> None:
        held = definitions if isinstance(definitions, dict) else {}
        self._titles = {
            id: title
            for name in ("CFSubjects", "CFLicenses", "CFItemTypes")
            for each in (held.get(name) or ())
            if isinstance(each, dict) and (id := case_identifier(each)) and (title := text(each, "title"))
        }

    def subjects(self, holder: Mapping[str, Any]) -> list[str] | None:
        links = holder.get("subjectURI")
        linked = (self._titles.get(link_id(link) or "") for link in (links if isinstance(links, list) else [links]))
        return texts(holder, "subject") or [title for title in linked if title] or None

    def license(self, document: Mapping[str, Any]) -> str | None:
        link = document.get("licenseURI")
        id = link_id(link)
        return self._titles.get(id, _link_uri(link)) if id else None

    def item_type(self, item: Mapping[str, Any]) -> str | None:
        return text(item, "CFItemType") or self._titles.get(link_id(item.get("CFItemTypeURI")) or "")


def text(holder: Mapping[str, Any], name: str) -> str | None:
    """A scalar as text, as it stands; ``null``, empty text, lists and objects are nothing."""
    value = holder.get(name)
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float | Decimal):
        return format(Decimal(str(value)), "f")
    return None


def texts(holder: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts; a single text counts as a list of one."""
    value = holder.get(name)
    values: Sequence[object] = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str) and each]


def _education_levels(item: Mapping[str, Any]) -> list[str] | None:
    found = texts(item, "educationLevel") or texts(item, "educationalLevel")
    return education_levels(",".join(found))


def education_levels(listed: str) -> list[str] | None:
    """A comma list of grade levels in the words of CEDS: ``K`` is ``KG``, ``3`` is ``03``."""
    parts = (part.strip() for part in listed.split(","))
    levels = [_LEVELS.get(part.upper(), part.zfill(2) if part.isdecimal() else part) for part in parts if part]
    return list(dict.fromkeys(levels)) or None


def association_type(name: str | None) -> str | None:
    """The standard's spelling of an association type, if it is one of its."""
    return name and _NAMES.get(name.replace(" ", "").lower(), name)


def case_identifier(holder: Mapping[str, Any]) -> str | None:
    """The identifier in lower case, or the one at the end of its ``uri``."""
    own = text(holder, "identifier")
    return normal_id(own) if own and own.strip() else _id_in(text(holder, "uri"))


def link_id(link: object) -> str | None:
    """What a link points at: an identifier in lower case, else the web address, for ends that are no CASE item."""
    if isinstance(link, dict):
        return case_identifier(link) or text(link, "uri")
    if isinstance(link, str) and link.strip():
        return _id_in(link) or normal_id(link)
    return None


def _link_uri(link: object) -> str | None:
    return text(link, "uri") if isinstance(link, dict) else link if isinstance(link, str) else None


def _id_in(uri: str | None) -> str | None:
    last = (uri or "").rstrip("/").rpartition("/")[2]
    last = last.removeprefix("urn:uuid:")
    return last.lower() if UUID.fullmatch(last) else None
