"""The source, held to the contract of all sources, on a host that pages by cursor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from gateway.testing.contracts import HttpSourceContract
from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.faults import Fault, FaultKind


class TestEdFiSource(HttpSourceContract):
    connector: ClassVar[str] = "edfi"
    stream: ClassVar[str] = "gradebook"
    list_path: ClassVar[str] = "ed-fi/studentGradebookEntries"
    cannot_happen: ClassVar[frozenset[FaultKind]] = frozenset({FaultKind.FOREIGN_LINK})

    def make_remote(self, folder: Path) -> FakeEdFi:
        return furnished(FakeEdFi("7.3"), students=6)

    def make_settings(self, remote: FakeEdFi) -> Mapping[str, Any]:
        return {
            "base_url": remote.base_url,
            "auth": {"client_id": remote.gate.key, "client_secret": remote.gate.secret},
            "page_size": 2,
        }

    def _at_second_page(self, fault: Fault) -> Fault:
        """The list's total is asked for before its first page."""
        return replace(fault, path=self.list_path, method="GET", after=2)
