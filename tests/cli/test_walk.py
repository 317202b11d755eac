"""``docs/mapping-tools.md``: its commands answer as it says, and it names every column of evidence and of tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.core.mapping.coverage import CHANGES, COVERAGE, SUMMARY
from gateway.core.mapping.language import EVIDENCE_COLUMNS
from gateway.core.mapping.result import CONTINUUM, CREDITS, LEVELS, PLACEMENT, UNMATCHED
from tests.cli.walk import PAGE, page_with_outputs

TEXT = PAGE.read_text(encoding="utf-8")
TABLES = {
    "levels": LEVELS, "continuum": CONTINUUM, "credits": CREDITS, "placement": PLACEMENT, "unmatched": UNMATCHED,
    "changes": CHANGES, "summary": SUMMARY, "coverage": COVERAGE,
}  # fmt: skip


def lines_of(name: str) -> list[str]:
    found = re.search(rf"(?s)<!-- {name} -->\n(.*?)<!-- end -->", TEXT)
    assert found
    return found[1].splitlines()[2:]


def test_the_commands_answer_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASTERY_GATEWAY_DISTRICT", raising=False)
    assert page_with_outputs(TEXT, tmp_path) == TEXT, "run: python -m tests.cli.walk"


def test_every_column_of_evidence_is_told() -> None:
    told = [name for line in lines_of("evidence columns") for name in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert sorted(told) == sorted(EVIDENCE_COLUMNS)


def test_every_column_of_the_tables_is_told_in_its_order() -> None:
    told = {}
    for line in lines_of("output columns"):
        _, table, _, columns, _ = line.split("|")
        told[re.findall(r"`(\w+)`", table)[0]] = re.findall(r"`(\w+)`", columns)
    assert told == {name: list(schema) for name, schema in TABLES.items()}
