"""Equal arguments give equal bytes; more students, or a later day, only add; memory does not grow."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from gateway.sample import Mess
from gateway.sample.mess import BAD
from tests.sample.conftest import Grow, Sample

NOTHING_BAD = Mess(**dict.fromkeys(BAD, 0), mover=0.2)

WRITE = """
import json, resource, sys
from pathlib import Path
from gateway.sample import write_sample_district
write_sample_district(Path(sys.argv[1]), **json.loads(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def write_apart(folder: Path, *, environment: dict[str, str] | None = None, **arguments: int) -> int:
    """Write a district in a process of its own; its peak of memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(folder), json.dumps(arguments)],
        check=True, capture_output=True, text=True, env={**os.environ, **(environment or {})},
    )  # fmt: skip
    return int(done.stdout)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def missing_in(larger: Sample, smaller: Sample, name: str) -> pl.DataFrame:
    rows = smaller.read(name)
    return rows.join(larger.read(name), on=rows.columns, how="anti", nulls_equal=True)


def test_equal_arguments_give_equal_bytes_whatever_the_machine_is_like(tmp_path: Path) -> None:
    arguments = {"students": 300, "seed": 5, "results_per_student": 30}
    write_apart(
        tmp_path / "a", environment={"PYTHONHASHSEED": "1", "POLARS_MAX_THREADS": "1", "LC_ALL": "C"}, **arguments
    )
    write_apart(tmp_path / "b", environment={"PYTHONHASHSEED": "2", "POLARS_MAX_THREADS": "4"}, **arguments)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert len(digests(tmp_path / "a")) == 20


def test_another_seed_is_another_district_with_the_same_framework(grow: Grow) -> None:
    one, other = (grow(str(seed), students=100, seed=seed, results_per_student=10) for seed in (1, 2))
    assert not set(one.read("users")["sourcedId"]) & set(other.read("users")["sourcedId"])
    assert (one.folder / "framework.json").read_bytes() == (other.folder / "framework.json").read_bytes()


def test_writing_again_replaces_what_was_there(grow: Grow) -> None:
    grow("same", students=400, results_per_student=10)
    again = grow("same", students=100, results_per_student=10)
    fresh = grow("fresh", students=100, results_per_student=10)
    assert digests(again.folder) == digests(fresh.folder)


def test_a_larger_district_contains_the_smaller_one(grow: Grow) -> None:
    small = grow("small", students=500, mess=NOTHING_BAD, results_per_student=20)
    large = grow("large", students=1_800, mess=NOTHING_BAD, results_per_student=20)
    assert small.summary.planted["mover"] > 0
    for name in small.summary.rows:
        assert missing_in(large, small, name).is_empty(), name


def test_a_later_day_only_adds_results(grow: Grow) -> None:
    one, next_day = (
        grow(f"{day}", students=300, as_of=date(2026, 2, day), mess=NOTHING_BAD, results_per_student=50)
        for day in (3, 4)
    )
    for name in one.summary.rows:
        added = next_day.summary.rows[name] - one.summary.rows[name]
        assert missing_in(next_day, one, name).is_empty(), name
        assert added >= 0 if name.startswith("result") else added == 0, name
    assert next_day.summary.rows["results"] > one.summary.rows["results"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_district(tmp_path: Path) -> None:
    small = write_apart(tmp_path / "small", students=2_000, seed=5, results_per_student=10)
    large = write_apart(tmp_path / "large", students=20_000, seed=5, results_per_student=10)
    assert large < small + 60


def test_progress_is_told_after_every_school(grow: Grow) -> None:
    told: list[tuple[int, int | None]] = []
    grow("told", students=500, results_per_student=5, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (500, 500)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(told) == 4
