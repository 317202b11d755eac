"""``sample-district`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Call


def test_a_sample_district_is_written_and_summed_up(call: Call, tmp_path: Path) -> None:
    answer = call("sample-district", "--students", "100", "--seed", "7", "--out", "district", "--json")
    assert answer.code == 0
    assert answer.data["students"] == 100
    assert answer.data | {"out": "district"} == json.loads((tmp_path / "district/summary.json").read_text()) | {
        "out": "district"
    }
    assert "students" in answer.err


def test_nothing_is_overwritten(call: Call, tmp_path: Path) -> None:
    (tmp_path / "district").mkdir()
    (tmp_path / "district/mine.txt").write_text("x")
    answer = call("sample-district", "--out", "district")
    assert answer.code == 1
    assert "is not empty" in answer.err


def test_a_wrong_size_is_refused(call: Call) -> None:
    assert "99" in call("sample-district", "--students", "99", "--out", "district").err
