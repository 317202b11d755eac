"""The client says exactly what the contract says: each operation is one method, each field has its name and type."""

from __future__ import annotations

import copy
import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

import msgspec
import pytest

from gateway.api.problems import TYPES
from gateway.client import Client, problems
from gateway.client.jobs import MEDIA_TYPES

CONVENIENCES = {"all_jobs", "all_deliveries", "all_audit", "wait_for_job", "result_rows", "ask", "send"}
"""Methods that are no operations."""
_WORDS = {str: "text", int: "integer", bool: "boolean", Decimal: "decimal", datetime: "time", date: "day", Any: "any"}
_UNIONS = {
    frozenset({Decimal, int, str}): "number",
    frozenset({datetime, date, str}): "day or time",
}
Schema = Mapping[str, Any]


def operations(contract: Schema) -> Iterator[tuple[Schema, list[Schema]]]:
    """Every operation of ``/v1`` with all of its parameters."""
    for path, methods in contract["paths"].items():
        if path.startswith("/v1/"):
            for method, operation in methods.items():
                if method != "parameters":
                    yield operation, [*methods.get("parameters", []), *operation.get("parameters", [])]


def resolved(contract: Schema, schema: Schema) -> Schema:
    """What a reference refers to."""
    if "$ref" not in schema:
        return schema
    found: Any = contract
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def told(contract: Schema, schema: Schema) -> str:
    """A schema in a few words, with all fields of objects."""
    schema = resolved(contract, schema)
    choices = [each for each in schema.get("anyOf", ()) if "type" in each or "$ref" in each]
    if choices and "type" not in schema:
        real = [each for each in choices if each.get("type") != "null"]
        return " or ".join(told(contract, each) for each in real) + (" or null" if len(real) < len(choices) else "")
    kinds = schema.get("type", "string" if "enum" in schema else "any")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    plain = [kind for kind in kinds if kind != "null"]
    word = _told_kind(contract, schema, plain)
    return word + (" or null" if len(plain) < len(kinds) else "")


def _told_kind(contract: Schema, schema: Schema, kinds: Sequence[str]) -> str:
    if len(kinds) > 1 or schema.get("pattern", "").startswith("^-?[0-9]{"):
        return "number"
    if kinds[0] == "string":
        if "anyOf" in schema:
            return "day or time"
        if schema.get("pattern", "").startswith("^-?[0-9]+("):
            return "decimal"
        return {"date": "day", "date-time": "time"}.get(schema.get("format", ""), "text")
    if kinds[0] == "array":
        return f"list of {told(contract, schema['items'])}"
    if kinds[0] != "object":
        return kinds[0]
    if "properties" not in schema:
        return f"map of {told(contract, schema.get('additionalProperties') or {})}"
    required = schema.get("required", [])
    return _object({(name, name in required): told(contract, each) for name, each in schema["properties"].items()})


def _object(members: Mapping[tuple[str, bool], str]) -> str:
    return (
        "{" + ", ".join(f"{name}{'' if must else '?'}: {each}" for (name, must), each in sorted(members.items())) + "}"
    )


def spelled(hint: Any) -> str:
    """A type of the client in the same words."""
    if get_origin(hint) in (Union, types.UnionType):
        members = frozenset(get_args(hint)) - {type(None)}
        null = " or null" if type(None) in get_args(hint) else ""
        return (_UNIONS[members] if len(members) > 1 else spelled(*members)) + null
    if get_origin(hint) in (tuple, Sequence):
        return f"list of {spelled(get_args(hint)[0])}"
    if get_origin(hint) in (dict, Mapping):
        return f"map of {spelled(get_args(hint)[1])}"
    if is_typeddict(hint):
        hints = get_type_hints(hint, include_extras=True)
        members = {(name, hint.__total__ or get_origin(each) is Required): each for name, each in hints.items()}
        return _object({each: spelled(_bare(member)) for each, member in members.items()})
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        hints = get_type_hints(hint)
        fields = {field.name: field.required for field in msgspec.structs.fields(hint)}
        return _object({(name, must): spelled(hints[name]) for name, must in fields.items()})
    return _WORDS[hint]


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Required else hint


def differences(contract: Schema, client: type) -> list[str]:
    """Where the client is not what the contract says."""
    found = {operation["operationId"]: (operation, parameters) for operation, parameters in operations(contract)}
    methods = {name for name, _ in inspect.getmembers(client, inspect.isfunction) if not name.startswith("_")}
    wrong = [f"{name}: no method, or no operation" for name in sorted((methods - CONVENIENCES) ^ set(found))]
    for name in sorted(set(found) & methods):
        operation, parameters = found[name]
        method = getattr(client, name)
        wrong += [f"{name}: {each}" for each in _of_request(contract, operation, parameters, method)]
        wrong += [f"{name}: {each}" for each in _of_answer(contract, operation, method)]
    return wrong


def _of_request(
    contract: Schema, operation: Schema, parameters: Sequence[Schema], method: Callable[..., Any]
) -> Iterator[str]:
    taken = dict(list(inspect.signature(method).parameters.items())[1:])
    hints = get_type_hints(method)
    expected: dict[str, tuple[str, bool, Any]] = {}
    for parameter in (resolved(contract, each) for each in parameters):
        name = "idempotency_key" if parameter["name"] == "Idempotency-Key" else parameter["name"]
        schema = parameter["schema"]
        expected[name] = (told(contract, schema), parameter.get("required", False), schema.get("default"))
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = resolved(contract, content["application/json"]["schema"])
        for name, schema in body["properties"].items():
            must = name in body.get("required", ())
            expected[name] = (told(contract, schema), must, resolved(contract, schema).get("default"))
    elif content:
        if not set(content) <= set(MEDIA_TYPES.values()):
            yield "a media type that the client does not know"
        taken.pop("upload")
        expected["media_type"] = ("text", False, None)
    if "application/json" not in _success(operation).get("content", {"application/json": None}):
        taken.pop("to")
    for name in sorted(set(expected) ^ set(taken)):
        yield f"{name} stands on one side only"
    for name in sorted(set(expected) & set(taken)):
        word, must, default = expected[name]
        has = taken[name].default
        if must is not (has is inspect.Parameter.empty):
            yield f"{name} is required on one side only"
        if not must and has != default:
            yield f"{name} is {has} unless given, not {default}"
        ours = spelled(hints[name])
        if ours != word and ours != f"{word} or null":
            yield f"{name} is {ours}, not {word}"


def _success(operation: Schema) -> Schema:
    (answer,) = [each for status, each in operation["responses"].items() if status.startswith("2")]
    return dict(answer)


def _of_answer(contract: Schema, operation: Schema, method: Callable[..., Any]) -> Iterator[str]:
    content = _success(operation).get("content", {})
    hint = get_type_hints(method)["return"]
    if "application/json" in content:
        ours, theirs = spelled(hint), told(contract, content["application/json"]["schema"])
        if ours != theirs:
            yield f"gives {ours}, not {theirs}"
    elif not content and hint is not type(None):
        yield "gives something where nothing comes"


@pytest.fixture
def contract(http: Any) -> dict[str, Any]:
    return dict(http.get("/v1/openapi.json").json)


def test_every_operation_is_one_method_with_its_names_and_types(contract):
    assert differences(contract, Client) == []


def test_the_client_reads_problems_as_the_contract_has_them(contract):
    assert spelled(problems.Problem) == told(contract, {"$ref": "#/components/schemas/Problem"})
    assert set(problems.TYPES) == set(TYPES)


NEW = {"type": "string"}


def _schema(contract: Schema, name: str) -> Any:
    return contract["components"]["schemas"][name]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c["paths"]["/v1/jobs"].update(put={**c["paths"]["/v1/jobs"]["get"], "operationId": "new"}), "new:"),
        (lambda c: c["paths"]["/v1/jobs"].pop("get"), "list_jobs: no method, or no operation"),
        (lambda c: _schema(c, "Level")["properties"].update(new=NEW), "apply_mapping: gives"),
        (lambda c: _schema(c, "Level")["required"].remove("state"), "apply_mapping: gives"),
        (lambda c: _schema(c, "Level")["properties"].update(state={"type": "integer"}), "apply_mapping: gives"),
        (lambda c: _schema(c, "Evidence")["properties"].update(new=NEW), "explain_level: evidence is"),
        (lambda c: _schema(c, "Compute")["properties"].update(new=NEW), "compute_gpas: new stands"),
        (lambda c: _schema(c, "Compute")["required"].append("as_of"), "compute_gpas: as_of is required"),
        (lambda c: _schema(c, "Compute")["properties"]["trace"].update(default=True), "trace is False"),
        (lambda c: c["paths"]["/v1/jobs"]["get"]["parameters"].pop(), "list_jobs: cursor stands on one side only"),
        (lambda c: c["paths"]["/v1/webhooks"]["post"]["parameters"].pop(), "create_webhook: idempotency_key"),
    ],
)
def test_a_change_of_the_contract_is_noticed(contract, change, says):
    changed = copy.deepcopy(contract)
    change(changed)
    assert any(says in each for each in differences(changed, Client))
