"""Checks a document against a marshmallow schema, with every fault on its line and in plain words.

marshmallow names a fault by keys and positions; the document knows the lines. Values are never shown: one of them
might be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields

from gateway.core.document import Document, Path
from gateway.core.errors import ConfigurationError, did_you_mean

_PLAIN_WORDS = {
    "Field may not be null.": "must not be empty",
    "Not a valid string.": "must be text; put it in quotes",
    "Not a valid integer.": "must be a whole number",
    "Not a valid number.": "must be a number",
    "Not a valid boolean.": "must be true or false",
    "Not a valid list.": "must be a list",
    "Not a valid mapping type.": "must hold keys with values",
    "Invalid type.": "must hold keys with values",
    "Invalid input type.": "must hold keys with values",
    "Not a valid URL.": "must be a web address such as https://sis.example.org",
    "Not a valid date.": "must be a date such as 2026-08-15",
    "Special numeric values (nan or infinity) are not permitted.": "must be a number",
}
_UNKNOWN = "Unknown field."
_MISSING = "Missing data for required field."


def validate(
    schema: Schema,
    document: Document,
    path: Path = (),
    *,
    error: type[ConfigurationError] = ConfigurationError,
    code: str = "configuration.invalid",
) -> tuple[Any, list[ConfigurationError]]:
    """Load the part of ``document`` at ``path``: the schema's result (``None`` if there are faults), and the faults.

    A part that is not there counts as one without keys.
    """
    data: Any = document.value(*path)
    try:
        return schema.load({} if data is None else data), []
    except ValidationError as invalid:
        return None, list(problems(invalid, schema, document, path, error=error, code=code))


def problems(
    invalid: ValidationError,
    schema: Schema,
    document: Document,
    path: Path = (),
    *,
    error: type[ConfigurationError] = ConfigurationError,
    code: str = "configuration.invalid",
) -> Iterator[ConfigurationError]:
    """Each fault that marshmallow found, as an error on its line."""
    for at, message, known in _faults(invalid.messages, schema, ()):
        words, hint = _words(at, message, known)
        yield error(words, hint=hint, code=code, place=document.place(*path, *at))


def _faults(messages: Any, owner: Any, at: Path) -> Iterator[tuple[Path, str, list[str]]]:
    """Flatten marshmallow's nested messages into (path, message, names known there)."""
    if isinstance(messages, Mapping):
        in_dict = isinstance(owner, fields.Dict)
        for key, nested in messages.items():
            inner = _inner(owner, key)
            if key == "_schema":
                yield from _faults(nested, owner, at)
            elif in_dict and isinstance(nested, Mapping) and nested.keys() <= {"key", "value"}:
                for part, faults in nested.items():
                    yield from _faults(faults, owner.value_field if part == "value" else None, (*at, key))
            else:
                names = _names(owner)
                yield from ((p, m, k or names) for p, m, k in _faults(nested, inner, (*at, key)))
    elif isinstance(messages, list | tuple):
        for message in messages:
            yield from _faults(message, owner, at)
    else:
        yield at, str(messages), []


def _inner(owner: Any, key: Any) -> Any:
    if isinstance(owner, fields.Nested):
        owner = owner.schema
    if isinstance(owner, fields.List):
        return owner.inner
    if isinstance(owner, Schema):
        return next((field for name, field in owner.fields.items() if (field.data_key or name) == key), None)
    return None


def _names(owner: Any) -> list[str]:
    if isinstance(owner, fields.Nested):
        owner = owner.schema
    return [field.data_key or name for name, field in owner.fields.items()] if isinstance(owner, Schema) else []


def _words(at: Path, message: str, known: list[str]) -> tuple[str, str]:
    name = str(at[-1]) if at else ""
    if message == _UNKNOWN:
        listed = f"Known here: {', '.join(sorted(known))}." if known else "Delete it."
        return f'There is no setting "{name}" here.{did_you_mean(name, known)}', listed
    if message == _MISSING:
        return f'The setting "{name}" is missing.', "Add it."
    plain = _PLAIN_WORDS.get(message)
    if plain is None:
        said = message.rstrip(".")
        plain = said[:1].lower() + said[1:] if re.match(r"(Must|Length|Shorter|Longer) ", said) else ""
        if not plain:
            return message, ""
    return (f'"{name}" {plain}.' if name and isinstance(at[-1], str) else f"This item {plain}."), ""
