"""The mapping language as JSON Schema, so that editors can complete and check a file while it is written."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields
from marshmallow.fields import Field

from gateway.core.mapping.language import MappingSchema
from gateway.core.mapping.values import Count, Day, Flag, Number, Text, Texts, Word


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a mapping file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A mapping of mastery-gateway",
        **_object(MappingSchema()),
    }


def _object(schema: Schema) -> dict[str, Any]:
    properties = {field.data_key or name: _field(field) for name, field in schema.fields.items()}
    required = [field.data_key or name for name, field in schema.fields.items() if field.required]
    described = {"description": _first_sentence(schema)} if schema.__doc__ else {}
    found: dict[str, Any] = {"type": "object", **described, "properties": properties, "additionalProperties": False}
    return {**found, "required": required} if required else found


def _first_sentence(schema: Schema) -> str:
    return " ".join((schema.__doc__ or "").split("\n\n")[0].split())


def _field(field: Field[Any]) -> dict[str, Any]:
    found = _kind(field)
    if field.allow_none and "type" in found:
        return {**found, "type": [found["type"], "null"]}
    return found


def _kind(field: Field[Any]) -> dict[str, Any]:
    if isinstance(field, Word):
        return {"type": "string", "enum": list(field.words)}
    if isinstance(field, Number):
        bounds = {"minimum": field.at_least, "maximum": field.at_most}
        return {"type": "number", **{name: float(bound) for name, bound in bounds.items() if bound is not None}}
    if isinstance(field, Count):
        return {"type": "integer", "minimum": field.least}
    if isinstance(field, Texts):
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
    if isinstance(field, fields.Nested):
        return _object(field.schema)
    if isinstance(field, fields.List):
        return {"type": "array", "items": _field(field.inner)}
    if isinstance(field, fields.Dict):
        inner = _field(field.value_field) if field.value_field else True
        return {"type": "object", "additionalProperties": inner}
    simple = {Flag: {"type": "boolean"}, Day: {"type": "string", "format": "date"}, Text: {"type": "string"}}
    return next((dict(shape) for kind, shape in simple.items() if isinstance(field, kind)), {})
