"""What a connector is, and what the gateway hands to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import Schema


@dataclass(frozen=True, slots=True)
class Context:
    """Everything around a connector that is not its settings.

    ``now`` tells the time (aware, UTC). ``folder`` is where relative paths of the settings start (the folder of the
    district's file). ``work`` is a directory of this connection for files in progress. ``adapters`` are transport
    adapters by URL prefix, with which tests put a fake in the place of the network; ``sleep`` waits for some seconds
    before a request is tried again.
    """

    district: str
    connection: str
    folder: Path
    work: Path
    now: Callable[[], datetime]
    adapters: Mapping[str, Any] = field(default_factory=dict)
    sleep: Callable[[float], None] = time.sleep


class Connector:
    """The base of every connector.

    A connector names itself, publishes a marshmallow schema of its settings (secret fields carry
    ``metadata={"secret": True}``; unknown settings are refused), and implements
    :class:`~gateway.core.exchange.Source`, :class:`~gateway.core.exchange.Target` or both. The constructor only stores.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    Settings: ClassVar[type[Schema]]

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        self.settings = settings
        self.context = context

    def close(self) -> None:
        """Give back what is held open, such as connections. The gateway calls it once, when it is done."""
