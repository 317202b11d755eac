"""What may stand in the settings of a CASE connection, and that the manual lists all of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields, missing

from connectors.case import CONNECTOR

MANUAL = Path(__file__).resolve().parents[3] / "docs" / "connectors" / "case.md"
URL = {"base_url": "https://case.example"}
OAUTH2 = {"type": "oauth2", "token_url": "https://case.example/t", "client_id": "i", "client_secret": "s"}


@pytest.mark.parametrize(
    ("settings", "at_fault"),
    [
        ({}, "base_url"),
        ({**URL, "path": "x"}, "base_url"),
        ({"base_url": "http://case.example"}, "base_url"),
        ({"base_url": "https://u:p@case.example"}, "base_url"),
        ({"base_url": "https://case.example/ims/case/v1p0"}, "base_url"),
        ({"base_url": "case.example"}, "base_url"),
        ({**URL, "version": "2.0"}, "version"),
        ({**URL, "typo": 1}, "typo"),
        ({**URL, "page_size": 0}, "page_size"),
        ({**URL, "framework_title": "T"}, "framework_title"),
        ({"path": "x", "documents": ["a"]}, "documents"),
        ({"path": "x", "auth": {"type": "bearer", "token": "t"}}, "auth"),
        ({**URL, "auth": {"type": "bearer"}}, "auth"),
        ({**URL, "auth": {"type": "none"}}, "auth"),
        ({**URL, "auth": {**OAUTH2, "client_secret": ""}}, "auth"),
        ({**URL, "package_hosts": ["https://other.example/"]}, "package_hosts"),
    ],
)
def test_settings_that_cannot_work_are_refused_where_they_stand(settings, at_fault):
    with pytest.raises(ValidationError) as caught:
        CONNECTOR.Settings().load(settings)
    assert set(caught.value.normalized_messages()) == {at_fault}


@pytest.mark.parametrize(
    "settings", [URL, {"path": "frameworks"}, {**URL, "auth": OAUTH2}, {"base_url": "http://localhost:8080/tenant"}]
)
def test_settings_that_can_work_are_taken(settings):
    assert CONNECTOR.Settings().load(settings)["version"] == "1.1"


def listed(schema: Schema, prefix: str = "") -> Iterator[tuple[str, fields.Field[Any]]]:
    for name, field in schema.fields.items():
        yield f"{prefix}{name}", field
        if isinstance(field, fields.Nested):
            yield from listed(field.schema, f"{prefix}{name}.")


@pytest.mark.parametrize(
    ("name", "field"), [*listed(CONNECTOR.Settings())], ids=lambda v: v if isinstance(v, str) else ""
)
def test_the_manual_lists_every_setting_with_its_meaning_and_default(name, field):
    default = field.load_default
    value = "" if default in (missing, None, list) else f"`{default}`"
    assert f"| `{name}` | {field.metadata['description']} | {value} |".replace("|  |", "| |") in MANUAL.read_text(
        "utf-8"
    )


def test_secrets_are_marked_and_nothing_else():
    secrets = {name for name, field in listed(CONNECTOR.Settings()) if field.metadata.get("secret")}
    assert secrets == {"auth.client_id", "auth.client_secret", "auth.token"}
