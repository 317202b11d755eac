"""The CASE connector keeps what every source promises, from files and from a provider."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.testing.contracts import HttpSourceContract, SourceContract
from gateway.testing.fake_auth import Gate
from gateway.testing.fake_case import FakeCase, sample_packages


class TestFiles(SourceContract):
    connector = "case"

    def make_remote(self, folder: Path) -> None:
        for number, package in enumerate(sample_packages(3)):
            (folder / f"{number}.json").write_text(json.dumps(package))
        (folder / "sheet.csv").write_text("humanCodingScheme,fullStatement,parent\nS,Sum,\nS.1,Add,S\n")

    def make_settings(self, remote: None) -> Mapping[str, Any]:
        return {"path": "."}


class TestProvider(HttpSourceContract):
    connector = "case"
    stream = "frameworks"
    list_path = "/CFDocuments"
    page_path = "/CFPackages"
    records_stand_alone = False

    def make_remote(self, folder: Path) -> FakeCase:
        return FakeCase(gate=Gate())

    def make_settings(self, remote: FakeCase) -> Mapping[str, Any]:
        auth = {
            "type": "oauth2", "token_url": remote.token_url, "client_id": remote.gate.key,
            "client_secret": remote.gate.secret,
        }  # fmt: skip
        return {"base_url": remote.host, "page_size": 2, "auth": auth}
