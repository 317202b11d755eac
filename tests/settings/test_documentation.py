"""No setting without its place in the example and in the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from marshmallow import Schema

from gateway.registry import connector_names, load_connector
from gateway.settings import load_district
from gateway.settings.schema import ConnectionSchema, DistrictSchema, SyncSchema
from gateway.transport.yaml_file import read_document
from tests.settings.reference import PAGE, page_with_tables, schema_paths

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "gateway.example.yaml"
CONNECTORS = connector_names()


def written_paths(data: object, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*at, key)
            yield from written_paths(value, (*at, key))
    elif isinstance(data, list):
        for value in data:
            yield from written_paths(value, at)


def missing_from(written: list[object], schema: Schema) -> list[str]:
    """The settings of ``schema`` that none of the ``written`` parts has. What may have any name counts once."""
    found = {path for part in written for path in written_paths(part)}
    return [".".join(path) for path in schema_paths(schema) if "*" not in path and path not in found]


def test_the_example_is_a_good_file() -> None:
    load_district(EXAMPLE)


def test_the_example_shows_every_setting() -> None:
    data = read_document(EXAMPLE).data
    connections, syncs = data["connections"], data["syncs"]
    assert isinstance(connections, dict)
    assert isinstance(syncs, dict)
    assert missing_from([data], DistrictSchema()) == []
    assert missing_from(list(connections.values()), ConnectionSchema()) == []
    shown = [path for path in missing_from(list(syncs.values()), SyncSchema()) if not path.startswith("guards.")]
    assert shown == []  # the guards of a sync are those of the district, shown there


@pytest.mark.parametrize("name", CONNECTORS)
def test_the_example_shows_every_setting_of_the_connector(name: str) -> None:
    connections = read_document(EXAMPLE).data["connections"]
    assert isinstance(connections, dict)
    mine = [one["settings"] for one in connections.values() if isinstance(one, dict) and one["connector"] == name]
    assert missing_from(mine, load_connector(name).Settings()) == []


@pytest.mark.parametrize("name", CONNECTORS)
def test_the_connectors_page_describes_every_setting(name: str) -> None:
    page = (ROOT / "docs" / "connectors" / f"{name.replace('_', '-')}.md").read_text(encoding="utf-8")
    paths = [path for path in schema_paths(load_connector(name).Settings()) if "*" not in path]
    assert [path for path in paths if f"`{path[-1]}`" not in page and f"`{'.'.join(path)}`" not in page] == []


def test_the_reference_tables_are_those_of_the_schemas() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_tables(page), "run: python -m tests.settings.reference"


def test_the_starter_file_is_a_good_file() -> None:
    load_district(ROOT / "config" / "starter" / "gateway.yaml")
