"""What past runs said: kept run by run, read by student, and out of reach of what mappings say today."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from gateway.core.errors import ConfigurationError
from gateway.store.runs import RunState
from gateway.sync.history import history, past_runs, run_as_of
from tests.cli.conftest import Answer, Call
from tests.sync.stand import NOON, Nights, make_platform, setting, write_district, write_sample

MAPPING = "mappings/schools/lakeside.yaml"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "sis"
    write_sample(folder, results_per_student=10)
    return folder


@pytest.fixture(scope="module")
def lived(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Three nights: one, one after a mark was corrected, and one by a newer version of the mapping."""
    platform = make_platform(sample)
    folder = tmp_path_factory.mktemp("lived") / "district"
    nights = Nights(write_district(folder, sample, address=platform.host), platform)
    nights.replace("syncs:", "retention: {snapshots: 2}\nsyncs:")
    nights.replace("schedule:", "guards: {updated_percent: 100, gone_percent: 100, gone_rows: 100000}\n    schedule:")
    assert nights.run().state is RunState.DONE
    nights.edit("results.csv", setting({"sourcedId": corrected(nights)["sourcedId"]}, score="1", comment="corrected"))
    assert nights.run().state is RunState.DONE
    path = nights.folder / MAPPING
    text = path.read_text().replace("newest: 0.65", "newest: 0.65, at_least: 2").replace('"2026.1"', '"2026.2"')
    path.write_text(text)
    assert nights.run().state is RunState.DONE
    return nights


def corrected(nights: Nights) -> dict[str, str]:
    """The result that is corrected: the first with a 4, or the one that was."""
    with (nights.bundle / "results.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["scoreStatus"] == "fully graded"]
    return next(
        (row for row in rows if row["comment"] == "corrected"), next(row for row in rows if row["score"] == "4")
    )


@pytest.fixture
def student(lived: Nights) -> str:
    return corrected(lived)["studentSourcedId"]


def data(answer: Answer) -> Any:
    assert answer.code == 0, answer.err + answer.out
    return answer.data


def test_each_change_is_told_with_run_date_version_and_digest(call: Call, lived: Nights, student: str) -> None:
    runs = data(call("--district", lived.file, "runs", "list", "--json"))["runs"][::-1]
    told = data(call("--district", lived.file, "map", "history", "--student", student, "--json"))["history"]
    assert {entry["run"] for entry in told} <= {run["run"] for run in runs}
    assert [entry["started_at"] for entry in told if entry["about"] == told[0]["about"]] == sorted(
        entry["started_at"] for entry in told if entry["about"] == told[0]["about"]
    )
    versions = {entry["run"]: (entry["version"], entry["digest"]) for entry in told}
    assert versions[runs[0]["run"]][0] == "2026.1"
    assert versions[runs[2]["run"]][0] == "2026.2"
    assert versions[runs[0]["run"]][1] != versions[runs[2]["run"]][1]
    assert all(entry["row"]["version"] == entry["version"] for entry in told if entry["row"])
    assert 0 < sum(entry["run"] == runs[1]["run"] for entry in told) < 10  # the corrected mark, and what stands on it
    text = call("--district", lived.file, "map", "history", "--student", student).out
    assert f"[lakeside 2026.2, digest {versions[runs[2]['run']][1][:12]}]" in text


def test_a_night_without_a_change_is_told_only_with_all(call: Call, lived: Nights, student: str) -> None:
    line = ("--district", lived.file, "map", "history", "--student", student, "--domain", "MATH", "--json")
    assert len(data(call(*line))["history"]) < len(data(call(*line, "--all"))["history"]) == 3


def test_past_runs_can_be_read_in_full_by_run_and_by_day(call: Call, lived: Nights, student: str) -> None:
    runs = [run["run"] for run in data(call("--district", lived.file, "runs", "list", "--json"))["runs"]][::-1]
    line = ("--district", lived.file, "map", "history", "--student", student, "--json")
    first = data(call(*line, "--as-of-run", runs[0]))
    assert (first["run"], first["version"], first["state"]) == (runs[0], "2026.1", "done")
    assert data(call(*line, "--as-of", (NOON.date()).replace(day=11).isoformat()))["rows"] == first["rows"]
    last = data(call(*line, "--as-of", "2026-12-31"))
    assert (last["run"], last["version"]) == (runs[2], "2026.2")
    assert last["rows"] != first["rows"]
    (one,) = data(call(*line, "--as-of-run", runs[0], "--competency", first["rows"][0]["competency"]))["rows"]
    assert one == first["rows"][0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--student", "nobody"], "Nothing was said about this"),
        (["--as-of-run", "unknown"], "There is no run unknown."),
        (["--as-of", "2020-01-01"], "No run went to the target by 2020-01-01."),
        (["--competency", "NOWHERE"], "Nothing was said about this"),
        (["--competency", "MATH.1", "--domain", "MATH"], "either --competency or --domain"),
    ],
)
def test_what_was_never_said_is_told_plainly(
    call: Call, lived: Nights, student: str, options: list[str], words: str
) -> None:
    answer = call("--district", lived.file, "map", "history", "--student", student, *options)
    assert answer.code in (1, 2)
    assert words in answer.err


def test_what_was_said_outlives_snapshots_and_plans(lived: Nights, student: str) -> None:
    assert len(list((lived.folder / "data" / "snapshots" / "sis").iterdir())) == 2
    store = lived.open()
    try:
        oldest = past_runs(store, lived.district, None)[-1]
    finally:
        store.close()
    assert {each.name for each in oldest.folder.parent.iterdir()} == {"map", "report.json", "report.txt"}
    for table in ("levels", "continuum", "placement"):
        assert list(history([oldest], student, table=table))
    assert oldest.read("levels") is not None


def test_a_mapping_out_of_force_stops_the_night_before_it_plans(call: Call, sample: Path, tmp_path: Path) -> None:
    platform = make_platform(sample)
    nights = Nights(write_district(tmp_path / "district", sample, address=platform.host), platform)
    path = nights.folder / MAPPING
    text = path.read_text()
    path.write_text(text.replace("framework:", "effective: {from: 2025-08-15, to: 2026-06-11}\nframework:", 1))
    assert nights.run(until="plan").state is RunState.PLANNED  # 11 June, the last day
    report = nights.run()
    assert (report.state, report.as_dict()["problem"]["code"]) == (RunState.FAILED, "mapping.not-in-force")
    assert "from 2025-08-15 until 2026-06-11, not on 2026-06-12" in "\n".join(report.lines())
    assert not platform.active("results")
    store = nights.open()
    try:
        with pytest.raises(ConfigurationError, match="has mapped nothing"):
            run_as_of(store, nights.district, None, run_id=report.run.run_id)
    finally:
        store.close()
    checked = call("--district", nights.file, "check", "--json")
    assert checked.code == 1
    assert [each["code"] for each in checked.data["checked"][1]["problems"]] == ["mapping.not-in-force"]
