"""The settings, and the page that documents them and every code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from marshmallow import ValidationError

from connectors.oneroster_csv import OneRosterCsv
from gateway.transport import csv_rows

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/connectors/oneroster-csv.md").read_text()


def test_the_page_lists_every_setting_with_its_default() -> None:
    table = PAGE.split("## Settings")[1].split("## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (?:`(.+)`)? ?\|$", table, re.MULTILINE)
    fields = OneRosterCsv.Settings().fields
    assert dict(rows) == {
        name: field.load_default or "" if not field.required else "" for name, field in fields.items()
    }


def test_the_page_lists_every_code_that_the_connector_and_its_files_use() -> None:
    sources = [*(ROOT / "connectors/oneroster_csv").glob("*.py"), ROOT / "gateway/transport/bundle.py"]
    sources += (ROOT / "gateway/transport").glob("csv_*.py")
    text = "\n".join(path.read_text() for path in sources)
    used = set(re.findall(r'"((?:csv|bundle|disk|delta|oneroster|record|paging)\.[a-z0-9-]+)"', text))
    assert csv_rows.NOT_UTF8 in used
    files = {code for code in used if code.endswith(".csv")}
    assert {code for code in used - files if f"`{code}`" not in PAGE} == set()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"path": ""},
        {"path": "x", "mode": "full"},
        {"path": "x", "version": "1.0"},
        {"path": "x", "fallback_encoding": "utf-16"},
        {"path": "x", "fallback_encoding": "klingon"},
        {"path": "x", "fallback_encoding": "base64"},
        {"path": "x", "surprise": 1},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OneRosterCsv.Settings().load(settings)


@pytest.mark.parametrize("encoding", ["cp1252", "iso-8859-15", "mac-roman"])
def test_encodings_that_extend_ascii_are_taken(encoding: str) -> None:
    assert OneRosterCsv.Settings().load({"path": "x", "fallback_encoding": encoding})["fallback_encoding"] == encoding
