"""Two nights over a public roster onto a public framework, through the program's own commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.testing.wsgi import serve
from tests.sync.stand import SETTINGS, make_platform

PROGRAM = Path(sys.executable).parent / "mastery-gateway"
MAPPING = """\
# ACT Holistic Framework, mathematics: what the grown gradebook of a public sample roster says of it.
mapping: public
version: "2026.1"
framework: framework.json
scale: four-point
scales:
  four-point:
    proficient: 3
    numeric: {from: 0, to: 4, step: 0.5}
    names: {"1": Beginning, "2": Developing, "3": Proficient, "4": Extending}
  percent:
    onto: four-point
    percent_of_maximum: true
    bands: [{at_least: 90, level: 4}, {at_least: 75, level: 3}, {at_least: 60, level: 2}, {at_least: 0, level: 1}]
evidence:
  - {name: points, when: {max_score: 100}, scale: percent}
  - {name: levels, scale: four-point}
align:
  - learning_objectives: case
  - crosswalk: crosswalk.csv
    from: {column: line_item_title, after: "[", before: "]"}
summarize:
  default: {method: decaying_average, newest: 0.65}
"""


def run(folder: Path, *arguments: str) -> dict:
    command = [PROGRAM, "--json", "--district", "gateway.yaml", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 3), done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_public_roster_syncs_twice_onto_a_public_framework(shared_data, tmp_path):
    roster = shared_data / "oneroster" / "gospelnerd-1.1" / "district-medium"
    framework = shared_data / "case" / "opensalt" / "Ordering.json"
    run(tmp_path, "sample-district", "--roster", roster, "--framework", framework, "--out", "sis")
    for name in ("framework.json", "crosswalk.csv"):
        (tmp_path / "sis" / name).rename(tmp_path / name)
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    for name, text in (("client-id", "key"), ("client-secret", "s3cret-of-the-platform")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    platform = make_platform(tmp_path / "sis")
    with serve(platform) as address:
        settings = SETTINGS.format(address=address).replace("mappings/schools/lakeside.yaml", "mapping.yaml")
        (tmp_path / "gateway.yaml").write_text(settings, encoding="utf-8")
        first = run(tmp_path, "sync")
        pushed = sum(platform.effects.values())
        second = run(tmp_path, "sync")
    assert (first["state"], second["state"]) == ("done", "done")
    assert first["check"]["tables"]["users"]["rows"] == 837
    assert first["check"]["tables"]["results"]["rows"] > 75_000
    assert first["push"]["accepted"] == pushed > 500
    assert set(platform.effects.values()) == {1}
    assert second["push"]["accepted"] == 0
    assert sum(platform.effects.values()) == pushed
    assert first["unmatched"] == 0
