"""The CSV connector keeps what every source and every target promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.core.exchange import Change
from gateway.core.oneroster import CSV_FILES
from gateway.testing.contracts import SourceContract, TargetContract
from tests.connectors.oneroster_csv.bundles import file, make, manifest, record
from tests.connectors.oneroster_csv.changes import ALL

KEYS = {
    "lineItemLearningObjectiveIds": "lineItemSourcedId",
    "lineItemScoreScales": "lineItemSourcedId",
    "resultLearningObjectiveIds": "resultSourcedId",
    "resultScoreScales": "resultSourcedId",
}


def records(name: str, count: int) -> list[str]:
    key = KEYS.get(name, "sourcedId")
    scale = {"scoreScaleValue": "{A:1}"} if name == "scoreScales" else {}
    return [record(name, **{"sourcedId": f"x{n}", key: f"x{n}"}, **scale) for n in range(count)]


class TestFolder(SourceContract):
    connector = "oneroster_csv"

    def make_remote(self, folder: Path) -> None:
        files = {name: declared for name, declared in CSV_FILES["1.2"].items() if declared.table}
        counts = {"results": 60_000}
        make(
            folder,
            {
                "manifest.csv": manifest(**dict.fromkeys(files, "bulk")),
                **{f"{name}.csv": file(name, *records(name, counts.get(name, 3)), "too,few") for name in files},
            },
        )

    def make_settings(self, remote: None) -> Mapping[str, Any]:
        return {"path": "bundle"}


class TestZip(SourceContract):
    connector = "oneroster_csv"

    def make_remote(self, folder: Path) -> None:
        make(folder, {"orgs.csv": file("orgs", *records("orgs", 3), version="1.1")}, zipped=True)

    def make_settings(self, remote: None) -> Mapping[str, Any]:
        return {"path": "*.zip"}


class TestBulkTarget(TargetContract):
    connector = "oneroster_csv"

    def make_remote(self, folder: Path) -> None:
        """Nothing is there before the first push."""

    def make_settings(self, remote: None) -> Mapping[str, Any]:
        return {"path": "out/gradebook", "mode": "bulk"}

    def make_changes(self) -> Sequence[Change]:
        return ALL


class TestBulkZipTarget(TestBulkTarget):
    def make_settings(self, remote: None) -> Mapping[str, Any]:
        return {"path": "gradebook-{date}.zip", "mode": "bulk"}


class TestDeltaTarget(TestBulkTarget):
    def make_settings(self, remote: None) -> Mapping[str, Any]:
        return {"path": "gradebook.zip", "mode": "delta"}


class TestDeltaFolderTarget(TestBulkTarget):
    def make_settings(self, remote: None) -> Mapping[str, Any]:
        return {"path": "gradebook-{time}", "mode": "delta"}
