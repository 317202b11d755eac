"""Checks where secrets stand in a connector's settings, and puts the real ones in at the moment of use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marshmallow import Schema, fields

from gateway.core.document import Document
from gateway.core.document import Path as KeyPath
from gateway.core.errors import ConfigurationError
from gateway.settings.secrets import looks_like_reference, parse_reference

_EXAMPLE = "Write ${env:NAME} for an environment variable, or ${file:path} for a file."


def check_references(schema: Schema, document: Document, path: KeyPath) -> list[ConfigurationError]:
    """The faults of the settings at ``path``: literal secrets, and references where no secret is expected."""
    found = []
    for at, value, secret in leaves(schema, document.value(*path)):
        message = _fault(value, secret=secret)
        if message:
            place = document.place(*path, *at)
            found.append(ConfigurationError(message, hint=_EXAMPLE, code="configuration.secret", place=place))
    return found


def _fault(value: Any, *, secret: bool) -> str:
    if secret and value is not None and parse_reference(value) is None:
        if looks_like_reference(value):
            return "This is not a reference to a secret."
        return "A secret stands here in plain text."
    if not secret and looks_like_reference(value):
        return "A reference stands here, but this setting is not a secret."
    return ""


def leaves(owner: Any, data: Any, at: KeyPath = ()) -> Iterator[tuple[KeyPath, Any, bool]]:
    """Every single value of ``data`` with its path, and whether ``owner`` (a schema or a field) marks it as secret."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from leaves(_owner_of(owner, key), value, (*at, key))
    elif isinstance(data, list):
        for position, value in enumerate(data):
            yield from leaves(owner.inner if isinstance(owner, fields.List) else owner, value, (*at, position))
    else:
        yield at, data, is_secret(owner)


def is_secret(owner: Any) -> bool:
    """Does this field hold a secret?"""
    return isinstance(owner, fields.Field) and bool(owner.metadata.get("secret"))


def _owner_of(owner: Any, key: str) -> Any:
    if is_secret(owner):
        return owner
    if isinstance(owner, fields.Nested):
        owner = owner.schema
    if isinstance(owner, Schema):
        return next((field for name, field in owner.fields.items() if (field.data_key or name) == key), None)
    return owner.value_field if isinstance(owner, fields.Dict) else None


def replaced(data: Any, replace: Callable[[KeyPath, Any], Any], at: KeyPath = ()) -> Any:
    """A copy of ``data`` with every single value passed through ``replace``."""
    if isinstance(data, Mapping):
        return {key: replaced(value, replace, (*at, key)) for key, value in data.items()}
    if isinstance(data, list):
        return [replaced(value, replace, (*at, position)) for position, value in enumerate(data)]
    return replace(at, data)
