"""What every connector promises, as pytest classes that its tests inherit.

A connector's test names the connector, puts something at the other side, and gives the settings::

    class TestSource(HttpSourceContract):
        connector = "oneroster"
        stream = "results"
        list_path = "/results"

        def make_remote(self, folder):
            return FakeOneRoster()

        def make_settings(self, remote):
            return {"base_url": remote.host, "page_size": 5, ...}

``SourceContract`` and ``TargetContract`` are for connectors of files, ``HttpSourceContract`` and ``HttpTargetContract``
for those that talk over HTTP, which must then survive what networks and providers do. Which of them a connector
inherits is its declaration, and the contract holds it to that: whoever sends a request must inherit the HTTP contract.
"""

from __future__ import annotations

from gateway.testing.contract import Contract
from gateway.testing.source_contract import HttpSourceContract, SourceContract
from gateway.testing.target_contract import HttpTargetContract, TargetContract

__all__ = ["Contract", "HttpSourceContract", "HttpTargetContract", "SourceContract", "TargetContract"]
