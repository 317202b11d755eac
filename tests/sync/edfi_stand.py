"""The districts of the page on Ed-Fi, as they stand there, and the host that they talk to."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from gateway.testing.edfi import FakeEdFi
from tests.sync.stand import MAPPINGS, ROOT

PAGE = ROOT / "docs" / "connectors" / "edfi.md"
ADDRESS = "https://api.example.org/v7.3/api"


def blocks(start: str) -> list[str]:
    """The YAML blocks of the page that begin with these words."""
    found = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [block for block in found if block.startswith(start)]


def write_forth(folder: Path, sample: Path, address: str) -> Path:
    """The district that goes from OneRoster files to Ed-Fi; returns its file."""
    shutil.copytree(sample, folder / "sis")
    shutil.copytree(MAPPINGS, folder / "mappings")
    return _written(folder, 0, address)


def write_back(folder: Path, address: str) -> Path:
    """The district that goes from Ed-Fi to OneRoster files; returns its file."""
    (folder / "mappings").mkdir(parents=True)
    (mapping,) = blocks("mapping: ")
    (folder / "mappings" / "standards.yaml").write_text(mapping, encoding="utf-8")
    return _written(folder, 1, address)


def _written(folder: Path, number: int, address: str) -> Path:
    text = blocks("district: ")[number]
    assert ADDRESS in text
    file = folder / "gateway.yaml"
    file.write_text(text.replace(ADDRESS, address), encoding="utf-8")
    return file


def effects(host: FakeEdFi) -> Mapping[str, Counter[int]]:
    """By resource: how many items had how many effects."""
    found: dict[str, Counter[int]] = {}
    for (resource, _), count in host.effects.items():
        found.setdefault(resource, Counter())[count] += 1
    return found
