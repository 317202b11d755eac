"""Finds connectors by name: the modules of the ``connectors`` package, and third-party entry points.

A built-in connector is a module (or package) ``connectors.<name>`` with a class ``CONNECTOR``. A third-party
distribution announces its class under the entry-point group ``mastery_gateway.connectors``. Modules are imported when
first asked for.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from gateway.core.connector import Connector
from gateway.core.errors import ConfigurationError, did_you_mean

ENTRY_POINT_GROUP = "mastery_gateway.connectors"


def connector_names() -> list[str]:
    """The names of all connectors that can be loaded, sorted."""
    package = importlib.import_module("connectors")
    built_in = {module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")}
    return sorted(built_in | _announced(tuple(sys.path)).keys())


@lru_cache(maxsize=4)
def _announced(path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    """The entry points of the distributions on ``path``, which is ``sys.path``: to find them, all are read."""
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        points.setdefault(point.name, point)
    return points


def load_connector(name: str) -> type[Connector]:
    """The connector class called ``name``.

    Raises :class:`ConfigurationError` (``connector.unknown``) with the nearest name.
    """
    names = connector_names()
    if name not in names:
        raise ConfigurationError(
            f'There is no connector called "{name}".{did_you_mean(name, names)}',
            hint=f"Use one of: {', '.join(names)}.",
            code="connector.unknown",
        )
    point = _announced(tuple(sys.path)).get(name)
    found = point.load() if point else importlib.import_module(f"connectors.{name}").CONNECTOR
    if not (isinstance(found, type) and issubclass(found, Connector)):
        raise ConfigurationError(
            f'The connector "{name}" is not a connector class.',
            hint="Its package must offer a subclass of gateway.sdk.Connector.",
            code="connector.invalid",
        )
    return found
