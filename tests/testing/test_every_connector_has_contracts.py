"""No connector without a contract: for each of its roles, a class in ``tests/connectors`` that inherits the suite."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import tests.connectors
from gateway.core.exchange import Source, Target
from gateway.registry import connector_names, load_connector
from gateway.testing.contracts import Contract, SourceContract, TargetContract

ROLES: tuple[tuple[type, type[Contract]], ...] = ((Source, SourceContract), (Target, TargetContract))


def subclasses(kind: type) -> Iterator[type]:
    for found in kind.__subclasses__():
        yield found
        yield from subclasses(found)


def held(contract: type[Contract]) -> set[str]:
    """The connectors that a test class in ``tests/connectors`` holds to ``contract``."""
    for module in pkgutil.walk_packages(tests.connectors.__path__, "tests.connectors."):
        importlib.import_module(module.name)
    found = [each for each in subclasses(contract) if each.__module__.startswith("tests.connectors.")]
    return {each.connector for each in found if each.__test__}


@pytest.mark.parametrize(("role", "contract"), ROLES, ids=["source", "target"])
def test_every_connector_is_held_to_the_contract_of_its_roles(role: type, contract: type[Contract]) -> None:
    playing = {name for name in connector_names() if issubclass(load_connector(name), role)}
    assert playing
    assert playing - held(contract) == set()


def test_every_connector_has_a_role() -> None:
    assert [name for name in connector_names() if not issubclass(load_connector(name), Source | Target)] == []
