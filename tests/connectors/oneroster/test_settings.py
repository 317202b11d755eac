"""What may stand in the settings of a OneRoster connection, and that the manual lists all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields, missing

from connectors.oneroster import OneRosterConnector
from connectors.oneroster.presets import PRESETS
from connectors.oneroster.settings import Profile, SettingsSchema, service_addresses
from gateway.core.errors import ConfigurationError
from gateway.testing.fake_oneroster import FakeOneRoster
from tests.connectors.oneroster.stand import connect

ROOT = Path(__file__).resolve().parents[3]
MANUAL = (ROOT / "docs" / "connectors" / "oneroster.md").read_text()
URL = {"base_url": "https://sis.example"}
BEARER = {"type": "bearer", "token": "t"}
OAUTH2 = {"type": "oauth2", "token_url": "https://sis.example/token", "client_id": "i", "client_secret": "s"}
SECRETS = {"oauth2": OAUTH2, "oauth1": {"type": "oauth1", "key": "k", "secret": "s"}, "bearer": BEARER}


@pytest.mark.parametrize(
    ("settings", "at_fault"),
    [
        ({"auth": BEARER}, "base_url"),
        (URL, "auth"),
        ({**URL, "auth": BEARER, "typo": 1}, "typo"),
        ({**URL, "auth": BEARER, "preset": "infinite-campus"}, "preset"),
        ({"base_url": "http://sis.example", "auth": BEARER}, "base_url"),
        ({"base_url": "https://u:p@sis.example", "auth": BEARER}, "base_url"),
        ({"base_url": "sis.example", "auth": BEARER}, "base_url"),
        ({"base_url": "https://sis.example/ims/oneroster/v1p1", "auth": BEARER}, "base_url"),
        ({"services": {"rostering": "/path/only"}, "auth": BEARER}, "base_url"),
        ({**URL, "services": {"resources": "/x"}, "auth": BEARER}, "services"),
        ({**URL, "services": {"rostering": "http://sis.example/x"}, "auth": BEARER}, "services"),
        ({**URL, "version": "1.0", "auth": BEARER}, "version"),
        ({**URL, "auth": {"type": "bearer"}}, "auth"),
        ({**URL, "auth": {"type": "oauth1", "key": "k"}}, "auth"),
        ({**URL, "auth": {**OAUTH2, "token_url": None}}, "auth"),
        ({**URL, "auth": {**OAUTH2, "style": "cookie"}}, "auth"),
        ({**URL, "auth": BEARER, "profile": {"page_size": 0}}, "profile"),
        ({**URL, "auth": BEARER, "profile": {"exclude": ["terms"]}}, "profile"),
        ({**URL, "auth": BEARER, "profile": {"merge_users_by": "givenName"}}, "profile"),
        ({**URL, "auth": BEARER, "profile": {"delta": True, "filters": False}}, "profile"),
        ({**URL, "auth": BEARER, "profile": {"headers": {"X Y": "1"}}}, "profile"),
        ({**URL, "auth": BEARER, "profile": {"typo": 1}}, "profile"),
    ],
)
def test_settings_that_cannot_work_are_refused_where_they_stand(settings: dict[str, Any], at_fault: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SettingsSchema().load(settings)
    assert set(caught.value.normalized_messages()) == {at_fault}


def test_a_preset_that_is_misspelt_is_told_the_nearest() -> None:
    with pytest.raises(ValidationError, match=r"Did you mean \"synergy\"\?"):
        SettingsSchema().load({**URL, "auth": BEARER, "preset": "synergi"})


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_needs_no_more_than_an_address_and_credentials(name: str) -> None:
    kind = PRESETS[name].settings.get("auth", BEARER)["type"]
    loaded = SettingsSchema().load({**URL, "preset": name, "auth": SECRETS[kind]})
    assert loaded["version"] == PRESETS[name].settings["version"]
    assert Profile(**loaded["profile"]).page_size
    assert set(service_addresses(loaded)) == {"rostering", "gradebook"}


def test_what_a_person_writes_wins_over_the_preset_key_by_key() -> None:
    own = {"preset": "infinite-campus-1.1", "version": "1.2", "profile": {"user_prefixes": ["x"]}}
    loaded = SettingsSchema().load({**URL, **own, "auth": {**OAUTH2, "style": "body"}})
    assert (loaded["version"], loaded["auth"]["style"]) == ("1.2", "body")
    assert loaded["profile"]["user_prefixes"] == ["x"]
    assert loaded["profile"]["merge_users_by"] == "sourcedId"


@pytest.mark.parametrize(
    ("settings", "rostering", "gradebook"),
    [
        ({}, "https://sis.example/ims/oneroster/rostering/v1p2", "https://sis.example/ims/oneroster/gradebook/v1p2"),
        ({"version": "1.1"}, "https://sis.example/ims/oneroster/v1p1", "https://sis.example/ims/oneroster/v1p1"),
        ({"path_version": "1.1"}, "https://sis.example/ims/oneroster/v1p1", "https://sis.example/ims/oneroster/v1p1"),
        ({"base_url": "https://sis.example/aeries/", "version": "1.1", "services": {"gradebook": "https://g.example/"}},
         "https://sis.example/aeries/ims/oneroster/v1p1", "https://g.example"),
        ({"base_url": None, "services": {"rostering": "https://r.example/x"}}, "https://r.example/x", None),
    ],
)  # fmt: skip
def test_each_service_has_its_address(settings: dict[str, Any], rostering: str, gradebook: str | None) -> None:
    addresses = service_addresses(SettingsSchema().load({**URL, "auth": BEARER, **settings}))
    assert (addresses.get("rostering"), addresses.get("gradebook")) == (rostering, gradebook)


def test_a_push_without_a_gradebook_is_a_clear_error() -> None:
    fake = FakeOneRoster()
    connector = connect(fake, base_url=None, services={"rostering": fake.rostering_url})
    with pytest.raises(ConfigurationError) as caught:
        connector.read_back("results", ["r"])
    assert caught.value.code == "oneroster.no-service"


# The manual ----------------------------------------------------------------------------------------------------------


def listed(schema: Schema, prefix: str = "") -> Iterator[tuple[str, fields.Field[Any]]]:
    for name, field in schema.fields.items():
        path = f"{prefix}{field.data_key or name}"
        yield path, field
        if isinstance(field, fields.Nested):
            yield from listed(field.schema, f"{path}.")


SETTINGS = dict(listed(OneRosterConnector.Settings()))


def default(field: fields.Field[Any]) -> str:
    """The default as the manual shows it; nothing for none and for an empty one."""
    value = field.load_default() if callable(field.load_default) else field.load_default
    if value is missing or value in (None, [], {}) or isinstance(field, fields.Nested):
        return ""
    words = {True: "true", False: "false"}
    return f"`{words[value] if isinstance(value, bool) else ', '.join(value) if isinstance(value, list) else value}`"


@pytest.mark.parametrize("name", SETTINGS)
def test_the_manual_lists_every_setting_with_its_meaning_and_default(name: str) -> None:
    field = SETTINGS[name]
    row = f"| `{name}` | {field.metadata['description']} | {default(field)} |".replace("|  |", "| |")
    assert row in MANUAL.splitlines()


def test_the_manual_lists_no_setting_that_is_none() -> None:
    table = MANUAL.split("## Settings")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z0-9_.]+)` \|", table, re.MULTILINE)) == set(SETTINGS)


@pytest.mark.parametrize("name", PRESETS)
def test_the_manual_tells_of_every_preset(name: str) -> None:
    preset = PRESETS[name]
    assert f"| `{name}` | {preset.title} | {preset.note} |" in MANUAL.splitlines()


def test_the_manual_lists_every_code_that_the_connector_uses() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "connectors" / "oneroster").glob("*.py"))
    codes = set(re.findall(r'"(oneroster\.[a-z0-9.-]+)"', sources))
    assert {"oneroster.filter-ignored", "oneroster.needs-1.2"} <= codes
    assert {code for code in codes if f"`{code}`" not in MANUAL} == set()
