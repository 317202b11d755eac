"""Ed-Fi's bulk-load XML as the bodies of the API, record by record, in the shapes that a version's resources have.

An element has the name of its member with a capital; a descriptor's lacks the word, an item's is singular and may have
words before it; what wraps scalars alone (``Name``, ``BirthData``) stands in the body itself. A reference holds an
identity, nested as deep as its key, or the ``ref`` of an element before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from gateway.testing.edfi.model import Model, Node, Reference
from gateway.testing.edfi.notation import plural, singular

Element = Any
_WHOLE = ("int32", "int64")


def records(file: Path, model: Model) -> Iterator[tuple[str, dict[str, Any]]]:
    """Resource and body of each record that the model has; one element in memory at a time."""
    named: dict[str, Element] = {}
    root = None
    for event, element in etree.iterparse(str(file), events=("start", "end"), remove_comments=True):
        root = element if root is None else root
        if event != "end" or element.getparent() is not root:
            continue
        tag = _tag(element)
        resource = plural(tag[0].lower() + tag[1:])
        if "id" in element.attrib:
            named[element.get("id")] = {_tag(each): (each.text or "").strip() for each in element}
        if resource in model.resources:
            yield resource, _body(element, model.resources[resource].node, named)
        element.clear()


def _tag(element: Element) -> str:
    return str(etree.QName(element).localname)


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _body(element: Element, node: Node, named: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if len(element) == 0 and element.text and element.text.strip():  # an item that is nothing but a descriptor
        (name,) = node.descriptors
        return {name: element.text.strip()}
    for child in element:
        _take(child, _tag(child), node, named, found)
    return found


def _take(child: Element, tag: str, node: Node, named: dict[str, Any], found: dict[str, Any]) -> None:
    for name, member in node.scalars.items():
        if tag == _capital(name):
            found[name] = _value(child.text, member.kind)
            return
    for name in node.descriptors:
        if tag == _capital(name).removesuffix("Descriptor"):
            found[name] = (child.text or "").strip()
            return
    for name, reference in node.references.items():
        if tag == _capital(name):
            found[name] = _reference(child, reference, named)
            return
    for name, below in node.objects.items():
        if tag == _capital(name):
            found[name] = _body(child, below, named)
            return
    for name, below in node.collections.items():
        if tag.endswith(_capital(singular(name))):
            found.setdefault(name, []).append(_body(child, below, named))
            return
        if tag == _capital(f"{singular(name)}Reference"):
            (inner,) = below.references.items()
            found.setdefault(name, []).append({inner[0]: _reference(child, inner[1], named)})
            return
    if len(child) and not tag.endswith("Reference"):
        for inner in child:
            _take(inner, _tag(inner), node, named, found)


def _reference(element: Element, reference: Reference, named: dict[str, Any]) -> dict[str, Any]:
    told = dict(named.get(element.get("ref"), {}))
    told |= {_tag(each): (each.text or "").strip() for each in element.iter() if len(each) == 0 and each is not element}
    kinds = {_capital(name).removesuffix("Descriptor"): (name, kind) for name, kind in reference.parts}
    return {name: _value(told[tag], kind) for tag, (name, kind) in kinds.items() if tag in told}


def _value(text: str | None, kind: str) -> Any:
    said = (text or "").strip()
    if kind in _WHOLE:
        return int(said.rpartition("-")[2])  # a school year is written 2021-2022
    if kind == "boolean":
        return said in ("true", "1")
    return Decimal(said) if kind.startswith("dec") else said
