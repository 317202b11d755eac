"""The host's metadata: the order in which to write, and the OpenAPI documents, as far as clients read them.

*Not verified*: that hosts before 7.0 tell Swagger 2.0 (``definitions``) and later ones OpenAPI 3.0 (``components``).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from gateway.testing.edfi.model import ORGANIZATIONS, Model, Node, Reference, model_of
from gateway.testing.edfi.notation import Need, singular

_TYPES = {"int32": "integer", "int64": "integer", "boolean": "boolean"}
_FORMATS = {"int32": "int32", "int64": "int64", "date": "date", "datetime": "date-time"}


def targets(node: Node) -> Iterator[str]:
    """The resources that an object refers to, directly and below."""
    for reference in node.references.values():
        target = reference.member.target
        yield from ORGANIZATIONS if target == "educationOrganizations" else (target,)
    for below in (*node.objects.values(), *node.collections.values()):
        yield from targets(below)


@cache
def orders(standard: str) -> dict[str, int]:
    """For each resource the step in which it can be written: after all that it refers to."""
    model = model_of(standard)
    found: dict[str, int] = dict.fromkeys(model.descriptors, 1)

    def order(name: str, seen: tuple[str, ...]) -> int:
        if name not in found:
            below = {each for each in targets(model.resources[name].node) if each in model.resources} - {name, *seen}
            found[name] = max((order(each, (*seen, name)) for each in below), default=1) + 1
        return found[name]

    for name in model.resources:
        order(name, ())
    return found


def dependencies(standard: str) -> list[dict[str, Any]]:
    """The dependency list. A student can be created before the enrolment, and updated after it."""
    found = orders(standard)
    steps: list[dict[str, Any]] = []
    for name, order in sorted(found.items(), key=lambda each: (each[1], each[0])):
        operations = ["Create"] if name == "students" else ["Create", "Update"]
        steps.append({"resource": f"/ed-fi/{name}", "order": order, "operations": operations})
    enrolled = found["studentSchoolAssociations"] + 1
    steps.append({"resource": "/ed-fi/students", "order": enrolled, "operations": ["Update"]})
    return sorted(steps, key=lambda step: step["order"])


@cache
def open_api(standard: str, section: str, *, swagger_2: bool) -> dict[str, Any]:
    """The OpenAPI document of ``resources`` or of ``descriptors``, without addresses."""
    model = model_of(standard)
    names = [name for name in model.resources if name.endswith("Descriptors") == (section == "descriptors")]
    schemas: dict[str, Any] = {}
    prefix = "#/definitions/" if swagger_2 else "#/components/schemas/"
    for name in names:
        _schema(model.resources[name].node, f"edFi_{singular(name)}", prefix, schemas)
        schemas[f"edFi_{singular(name)}"]["properties"]["id"] = {"type": "string"}
        schemas[f"edFi_{singular(name)}"]["properties"]["_etag"] = {"type": "string"}
    document: dict[str, Any] = {
        "info": {"title": f"Ed-Fi {section} (fake host)", "version": "3"},
        "paths": {path: item for name in names for path, item in _paths(model, name, prefix)},
        "tags": [{"name": name, "description": f"The {name} of the fake host."} for name in names],
    }
    if swagger_2:
        return {"swagger": "2.0", **document, "definitions": schemas}
    return {"openapi": "3.0.1", **document, "components": {"schemas": schemas}}


def _schema(node: Node, name: str, prefix: str, schemas: dict[str, Any]) -> None:
    properties: dict[str, Any] = {}
    schemas[name] = {"type": "object", "properties": properties, "required": sorted(node.required | node.filled)}
    for member in (*node.scalars.values(), *node.descriptors.values()):
        properties[member.name] = _type(member.kind, member.need is Need.KEY)
    for each in node.references.values():
        target = singular(each.member.target)
        properties[each.member.name] = {"$ref": f"{prefix}edFi_{target}Reference"}
        schemas[f"edFi_{target}Reference"] = _reference(each)
    for below_name, below in node.objects.items():
        properties[below_name] = {"$ref": f"{prefix}{name}_{below_name}"}
        _schema(below, f"{name}_{below_name}", prefix, schemas)
    for below_name, below in node.collections.items():
        item = f"{name}_{singular(below_name)}"
        properties[below_name] = {"type": "array", "items": {"$ref": f"{prefix}{item}"}}
        _schema(below, item, prefix, schemas)


def _reference(reference: Reference) -> dict[str, Any]:
    properties = {name: _type(kind, True) for name, kind in reference.parts}
    properties["link"] = {"type": "object", "properties": {"rel": {"type": "string"}, "href": {"type": "string"}}}
    return {"type": "object", "properties": properties, "required": [name for name, _ in reference.parts]}


def _type(kind: str, identity: bool) -> dict[str, Any]:
    described: dict[str, Any] = {"type": "number" if kind.startswith("dec") else _TYPES.get(kind, "string")}
    if kind in _FORMATS:
        described["format"] = _FORMATS[kind]
    if kind.startswith("str"):
        described["maxLength"] = int(kind[3:])
    if identity:
        described["x-Ed-Fi-isIdentity"] = True
    return described


def _paths(model: Model, name: str, prefix: str) -> Iterator[tuple[str, Any]]:
    resource = model.resources[name]
    paging = ("offset", "limit", "totalCount", "minChangeVersion", "maxChangeVersion", "pageToken", "pageSize", "id")
    parameters = [{"name": each, "in": "query"} for each in (*paging, *resource.queries)]
    schema = {"$ref": f"{prefix}edFi_{singular(name)}"}
    body = {"content": {"application/json": {"schema": schema}}}
    yield f"/ed-fi/{name}", {"get": {"tags": [name], "parameters": parameters}, "post": {"requestBody": body}}
    put: dict[str, Any] = {"requestBody": body}
    if resource.rekeyed:
        put["x-Ed-Fi-isUpdatable"] = True
    yield f"/ed-fi/{name}/{{id}}", {"get": {}, "put": put, "delete": {}}
    yield f"/ed-fi/{name}/deletes", {"get": {}}
    if resource.rekeyed:
        yield f"/ed-fi/{name}/keyChanges", {"get": {}}
