"""The settings as the schemas have them, and the reference tables of the documentation made from them.

``python -m tests.settings.reference`` writes the tables into ``docs/configuration.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields, missing

from gateway.core.guard import Limits
from gateway.settings.schema import (
    ApiSchema,
    ConnectionSchema,
    ContactSchema,
    CredentialsSchema,
    DistrictSchema,
    GuardsSchema,
    LimitsSchema,
    PushSchema,
    RetentionSchema,
    SchoolSchema,
    SyncSchema,
)

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
TABLES: dict[str, type[Schema]] = {
    "district": DistrictSchema,
    "school": SchoolSchema,
    "contact": ContactSchema,
    "credentials": CredentialsSchema,
    "api": ApiSchema,
    "connections": ConnectionSchema,
    "syncs": SyncSchema,
    "push": PushSchema,
    "guards": GuardsSchema,
    "retention": RetentionSchema,
}


def schema_paths(schema: Schema, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every setting; below a field that takes any names, ``*`` stands for the name."""
    for name, field in schema.fields.items():
        path = (*at, field.data_key or name)
        yield path
        yield from _inner_paths(field, path)


def _inner_paths(field: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(field, fields.Nested):
        yield from schema_paths(field.schema, path)
    elif isinstance(field, fields.List):
        yield from _inner_paths(field.inner, path)
    elif isinstance(field, fields.Dict) and field.value_field is not None:
        yield from _inner_paths(field.value_field, (*path, "*"))


def table(schema: type[Schema]) -> str:
    """One line a setting: its name, what it means, its default."""
    lines = ["| setting | meaning | default |", "|---|---|---|"]
    for name, field in schema().fields.items():
        assert field.metadata.get("description"), f"{schema.__name__}.{name} has no description"
        lines.append(
            f"| `{field.data_key or name}` | {field.metadata['description']} | {_default(schema, name, field)} |"
        )
    return "\n".join(lines)


def _default(schema: type[Schema], name: str, field: fields.Field[Any]) -> str:
    if field.required:
        return "**required**"
    default = field.load_default
    if issubclass(schema, LimitsSchema) and name != "tables":
        value = getattr(Limits(), name.replace("_percent", "_share"))
        default = f"{value * 100:f}".removesuffix(".00") if name.endswith("_percent") else value
    if default is missing or default is None or default == "" or callable(default):
        return "–"
    if isinstance(default, timedelta):
        hours = int(default.total_seconds() // 3600)
        return f"`{hours}h`"
    if isinstance(default, Enum | bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`"


def page_with_tables(page: str) -> str:
    """The page with the tables between its marks made anew."""
    for name, schema in TABLES.items():
        marks = rf"(<!-- settings: {name} -->\n).*?(<!-- end -->)"
        assert re.search(marks, page, flags=re.DOTALL), f"docs/configuration.md has no place for {name}"
        made = table(schema)
        page = re.sub(marks, lambda match, made=made: f"{match[1]}{made}\n{match[2]}", page, flags=re.DOTALL)
    return page


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
