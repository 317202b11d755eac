"""Commands on a district that need no run: doctor, connect test, schedule next, and what a bad file gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli.doctor import conflicts
from tests.cli.conftest import Call
from tests.settings.conftest import district_file

__all__ = ["district_file"]
Write = Callable[..., Path]


def test_the_districts_file_is_found_here_by_option_and_by_environment(
    call: Call, district_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = district_file()
    assert call("schedule", "next").code == 0
    elsewhere = path.rename(path.with_name("elsewhere.yaml"))
    assert "mastery-gateway init" in call("schedule", "next").err
    assert call("schedule", "next", "--district", elsewhere).code == 0
    assert call("--district", elsewhere, "schedule", "next").code == 0
    monkeypatch.setenv("MASTERY_GATEWAY_DISTRICT", str(elsewhere))
    assert call("schedule", "next").code == 0
    assert call("schedule", "next", "--district", "nowhere.yaml").err.startswith("nowhere.yaml: This file does not")


def test_the_coming_runs_are_told_in_the_districts_zone(call: Call, district_file: Write) -> None:
    district_file(("  nightly:", "  by-hand: {source: sis, target: lms, mapping: m.yaml}\n  nightly:"))
    answer = call("schedule", "next", "--count", "3")
    assert answer.code == 0
    assert answer.out.count("01:30 E") == 3
    assert "mastery-gateway sync by-hand" in answer.out
    told = call("schedule", "next", "--json").data
    assert told["time_zone"] == "America/New_York"
    assert [run["sync"] for run in told["runs"]] == ["nightly"] * 5
    assert told["unscheduled"] == ["by-hand"]


def test_a_bad_file_is_told_fault_by_fault(call: Call, district_file: Write) -> None:
    path = district_file(("target: lms", "target: lsm"), ("mon-fri", "1-5"))
    answer = call("schedule", "next")
    assert answer.code == 1
    assert f"{path.name}:18" in answer.err
    assert f"{path.name}:20" in answer.err
    told = call("schedule", "next", "--json").data
    assert [problem["line"] for problem in told["problems"]] == [18, 20]


def test_connections_are_tested_one_by_one(call: Call, district_file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIS_SECRET", raising=False)
    district_file()
    answer = call("connect", "test")
    assert answer.code == 1
    assert "FAIL  open the connection: The environment variable SIS_SECRET is not set." in answer.out
    assert call("connect", "test", "lms").code == 0
    unknown = call("connect", "test", "lsm")
    assert unknown.code == 1
    assert 'Did you mean "lms"?' in unknown.err
    told = call("connect", "test", "--json").data
    assert told["connections"]["lms"] == []
    assert told["connections"]["sis"][0]["ok"] is False


def test_the_doctor_tells_what_is_missing(
    call: Call, district_file: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SIS_SECRET", raising=False)
    district_file()
    answer = call("doctor", "--offline")
    assert answer.code == 1
    assert "FAIL  secret: gateway.yaml:11" in answer.out
    assert "ok    database: sqlite" in answer.out
    assert "ok    Python" in answer.out
    monkeypatch.setenv("SIS_SECRET", "hunter2")
    healthy = call("doctor")
    assert healthy.code == 0
    assert "hunter2" not in healthy.out
    assert {"this machine", "the district", "connection sis"} <= call("doctor", "--json").data["findings"].keys()


def test_the_doctor_tells_who_else_can_read_a_secret(call: Call, district_file: Write, tmp_path: Path) -> None:
    district_file(("${env:SIS_SECRET}", "${file:key}"))
    key = tmp_path / "key"
    key.write_text("hunter2\n")
    key.chmod(0o644)
    assert f"chmod 600 {key}" in call("doctor", "--offline").out
    key.chmod(0o600)
    assert call("doctor", "--offline").code == 0


def test_the_doctor_works_without_a_district(call: Call) -> None:
    answer = call("doctor")
    assert answer.code == 1
    assert "FAIL  its file: There is no gateway.yaml in this folder." in answer.out


def test_the_doctor_names_a_package_that_has_overwritten_ours() -> None:
    found = list(conflicts({"gateway": ["mastery-gateway", "gateway-tools"], "connectors": ["mastery-gateway"]}))
    assert [(finding.ok, "gateway-tools" in finding.message) for finding in found] == [(False, True), (True, False)]


def test_the_log_is_in_the_data_folder_and_holds_json_lines(call: Call, district_file: Write, tmp_path: Path) -> None:
    district_file()
    call("schedule", "next")
    call("schedule", "next", "--debug")
    for line in (tmp_path / "data" / "logs" / "gateway.log").read_text().splitlines():
        assert json.loads(line)["level"]
