"""The framework of the sample district: "Lakeside", a CASE 1.1 package of our own making.

Document → domain (``MATH``) → performance level (``MATH.8``) → competency (``MATH.8.PS``) → target (``MATH.8.PS.2``);
habits of work have no levels (``HOW.EN.1``). ``precedes`` runs from each performance level, and each competency, to the
same one of the next level. Identifiers depend on the codes only: the framework is the same for every seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.sample.draws import name_uuid
from gateway.sample.framework_words import DOMAINS, LEVELS, QUALITIES, QUALITY_TEXTS, REACH, Domain, Strand

CHANGED = "2025-07-01T00:00:00.000Z"
TITLE = "Lakeside Competencies"
BASE = "https://lakeside.example/ims/case/v1p1"
LOCAL_PREFIX = "LKS."


@dataclass(frozen=True, slots=True)
class Item:
    """One node of the framework. ``level`` is a performance level, or ``None``; ``strand`` numbers the strands."""

    code: str
    kind: str
    title: str
    statement: str
    parent: str
    sequence: int
    domain: str
    level: int | None
    strand: int | None = None

    @property
    def id(self) -> str:
        return item_id(self.code)

    @property
    def grades(self) -> list[str]:
        """Education levels as CEDS codes."""
        return [f"{level:02}" for level in (LEVELS if self.level is None else (self.level,))]


def item_id(code: str) -> str:
    """The identifier of the item with this code."""
    return name_uuid(f"lakeside/item/{code}")


def lakeside_items() -> Iterator[Item]:
    """Every item, parents first."""
    strands = 0
    for number, domain in enumerate(DOMAINS, start=1):
        statement = f"What a learner at Lakeside can do in {domain.title.lower()}."
        yield Item(domain.code, "Domain", domain.title, statement, "", number, domain.code, None)
        for level in LEVELS if domain.leveled else (None,):
            parent = domain.code
            if level is not None:
                parent = f"{domain.code}.{level}"
                title = f"{domain.title}, level {level}"
                reach = f"Works {REACH[level - 1]}."
                yield Item(parent, "Performance Level", title, reach, domain.code, level, domain.code, level)
            for offset, strand in enumerate(domain.strands):
                yield from _strand_items(domain, strand, parent, level, offset, strands + offset)
        strands += len(domain.strands)


def _strand_items(
    domain: Domain, strand: Strand, parent: str, level: int | None, offset: int, number: int
) -> Iterator[Item]:
    reach = REACH[level - 1] if level else ""
    code = f"{parent}.{strand.code}"
    statement = strand.statement.format(level=reach)
    yield Item(code, "Competency", strand.title, statement, parent, offset + 1, domain.code, level, number)
    for position, target in enumerate(strand.targets, start=1):
        text = target.format(level=reach)
        title = f"{strand.title} {position}"
        yield Item(f"{code}.{position}", "Target", title, text, code, position, domain.code, level, number)


def lakeside_package() -> dict[str, object]:
    """The framework as a CASE 1.1 CFPackage."""
    items = list(lakeside_items())
    return {
        "CFDocument": _document(),
        "CFItems": [_item(item) for item in items],
        "CFAssociations": [*(_child_of(item) for item in items), *_precedes(items)],
        "CFDefinitions": {"CFItemTypes": [_item_type(kind, text) for kind, text in _KINDS.items()]},
        "CFRubrics": [_rubric(domain, items) for domain in DOMAINS],
    }


_KINDS = {
    "Domain": "A field of learning.",
    "Performance Level": "A stage of a domain, about a school year wide.",
    "Competency": "What is summed up and reported.",
    "Target": "What is practised and assessed.",
}


def document_id() -> str:
    """The identifier of the framework."""
    return name_uuid("lakeside/document")


def _node(kind: str, id: str) -> dict[str, object]:
    return {"identifier": id, "uri": f"{BASE}/{kind}/{id}", "lastChangeDateTime": CHANGED}


def _link(kind: str, id: str, title: str) -> dict[str, str]:
    return {"title": title, "identifier": id, "uri": f"{BASE}/{kind}/{id}"}


def _document() -> dict[str, object]:
    return {
        **_node("CFDocuments", document_id()),
        "creator": "Lakeside Sample District",
        "title": TITLE,
        "description": "A made-up framework for demonstrations and tests.",
        "subject": [domain.title for domain in DOMAINS],
        "language": "en",
        "version": "2025.1",
        "caseVersion": "1.1",
        "frameworkType": "Competency framework",
        "adoptionStatus": "Adopted",
        "statusStartDate": CHANGED[:10],
    }


def _item_type(kind: str, text: str) -> dict[str, object]:
    node = _node("CFItemTypes", name_uuid(f"lakeside/type/{kind}"))
    return {**node, "title": kind, "description": text, "hierarchyCode": str(list(_KINDS).index(kind) + 1)}


def _item(item: Item) -> dict[str, object]:
    return {
        **_node("CFItems", item.id),
        "fullStatement": item.statement,
        "humanCodingScheme": item.code,
        "abbreviatedStatement": item.title,
        "listEnumeration": str(item.sequence),
        "CFItemType": item.kind,
        "CFItemTypeURI": _link("CFItemTypes", name_uuid(f"lakeside/type/{item.kind}"), item.kind),
        "subject": [next(domain.title for domain in DOMAINS if domain.code == item.domain)],
        "language": "en",
        "educationLevel": item.grades,
    }


def _association(kind: str, origin: str, destination: dict[str, str], sequence: int) -> dict[str, object]:
    return {
        **_node("CFAssociations", name_uuid(f"lakeside/{kind}/{origin}/{destination['identifier']}")),
        "associationType": kind,
        "originNodeURI": _link("CFItems", item_id(origin), origin),
        "destinationNodeURI": destination,
        "sequenceNumber": sequence,
    }


def _child_of(item: Item) -> dict[str, object]:
    document = _link("CFDocuments", document_id(), TITLE)
    parent = _link("CFItems", item_id(item.parent), item.parent) if item.parent else document
    return _association("isChildOf", item.code, parent, item.sequence)


def _precedes(items: list[Item]) -> Iterator[dict[str, object]]:
    """From each performance level and competency to the same one of the next level."""
    codes = {item.code for item in items}
    for item in items:
        if item.level is None or item.kind not in ("Performance Level", "Competency"):
            continue
        head = f"{item.domain}.{item.level}"
        later = f"{item.domain}.{item.level + 1}{item.code.removeprefix(head)}"
        if later in codes:
            yield _association("precedes", item.code, _link("CFItems", item_id(later), later), item.level)


def _rubric(domain: Domain, items: list[Item]) -> dict[str, object]:
    node = _node("CFRubrics", name_uuid(f"lakeside/rubric/{domain.code}"))
    competencies = [item for item in items if item.domain == domain.code and item.kind == "Competency"]
    return {
        **node,
        "title": f"{domain.title}: four-point scale",
        "description": "Scores 1 to 4; 3 is proficient; half points are allowed between the levels.",
        "CFRubricCriteria": [
            _criterion(str(node["identifier"]), item, position) for position, item in enumerate(competencies, start=1)
        ],
    }


def _criterion(rubric: str, item: Item, position: int) -> dict[str, object]:
    node = _node("CFRubricCriteria", name_uuid(f"lakeside/criterion/{item.code}"))
    levels = [
        {
            **_node("CFRubricCriterionLevels", name_uuid(f"lakeside/criterion/{item.code}/{score}")),
            "quality": quality,
            "description": text,
            "score": score,
            "position": score,
            "rubricCriterionId": node["identifier"],
        }
        for score, (quality, text) in enumerate(zip(QUALITIES, QUALITY_TEXTS, strict=True), start=1)
    ]
    return {
        **node,
        "category": item.title,
        "description": item.statement,
        "CFItemURI": _link("CFItems", item.id, item.code),
        "weight": 1.0,
        "position": position,
        "rubricId": rubric,
        "CFRubricCriterionLevels": levels,
    }
