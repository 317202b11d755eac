"""The demo, as a newcomer runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Call


@pytest.mark.slow
def test_the_demo_tells_of_two_nights_and_leaves_everything_to_look_at(call: Call, tmp_path: Path) -> None:
    answer = call("demo", "--students", "100")
    assert answer.code == 0, answer.err
    for words in ("Pulled", "Mapped", "Quarantined", "Pushed", "The second night", "Where to look"):
        assert words in answer.out
    again = call("demo", "--students", "100", "--json").data
    first, second = again["nights"]
    assert first["push"]["accepted"] == sum(again["at_the_platform"].values())
    assert (second["state"], second["push"]["accepted"]) == ("done", 0)
    results = json.loads((tmp_path / "demo/lms/results.json").read_text())
    assert len(results) == again["at_the_platform"]["results"]
    assert call("--district", "demo/gateway.yaml", "runs", "list").out.count("done") == 2


def test_the_demo_deletes_nothing_that_is_not_its_own(call: Call, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/mine.txt").touch()
    assert call("demo").code == 1
    assert (tmp_path / "demo/mine.txt").exists()
