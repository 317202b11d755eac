"""A district's night from a CSV bundle: the first plan, the first push, an unchanged second night.

    python -m benchmarks.nightly [--students 10000] [--results-per-student 100] [--folder DIR]

Prints one JSON line. The target is a CSV delta bundle, so that what is measured is the gateway and not a server.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import print_line, run

PROGRAM = Path(sys.executable).parent / "mastery-gateway"
SETTINGS = """
district: benchmark
name: Benchmark district
time_zone: America/New_York
connections:
  sis: {connector: oneroster_csv, settings: {path: sample/oneroster}}
  lms: {connector: oneroster_csv, settings: {path: out/delta.zip, mode: delta, version: "1.2"}}
syncs:
  nightly: {source: sis, target: lms, mapping: mappings/schools/lakeside.yaml}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=10_000)
    parser.add_argument("--results-per-student", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="where to work; a sample that is there already is used again")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="gateway-nightly-"))
    try:
        return measure(folder, arguments.students, arguments.results_per_student)
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, students: int, results: int) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "sample" / "summary.json").exists():
        sample = ["--students", str(students), "--results-per-student", str(results), "--out", "sample"]
        run([PROGRAM, "sample-district", *sample], cwd=folder)
    for left in ("data", "out"):
        shutil.rmtree(folder / left, ignore_errors=True)
    (folder / "out").mkdir()
    (folder / "gateway.yaml").write_text(SETTINGS, encoding="utf-8")
    shutil.rmtree(folder / "mappings", ignore_errors=True)
    shutil.copytree(Path(__file__).parent.parent / "mappings", folder / "mappings")
    plan = run([PROGRAM, "--json", "plan"], cwd=folder)
    planned = json.loads(plan.output)
    apply = run([PROGRAM, "--json", "apply", planned["run"]], cwd=folder)
    second = run([PROGRAM, "--json", "sync"], cwd=folder)
    night = json.loads(second.output)
    print_line(
        "nightly",
        students=students,
        results=planned["check"]["tables"]["results"]["rows"],
        records=sum(actions.get("create", 0) for actions in planned["plan"]["counts"].values()),
        first_plan=plan,
        first_push=apply,
        second_night=second,
        second_night_pushes=night["push"]["accepted"],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
