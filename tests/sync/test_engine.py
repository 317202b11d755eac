"""The engines: the same bytes here and on two workers of a real Dask cluster, and plain words for trouble."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from gateway.cli.main import main
from gateway.core.errors import ConfigurationError, GatewayError, MappingError, TransientError
from gateway.engine import EngineName, LocalEngine, open_engine
from gateway.evidence_file import map_parts, open_evidence
from gateway.mapped_file import Format, TableWriter
from gateway.mappings import load_mapping
from gateway.settings import load_district
from tests.sync.stand import MAPPINGS, Nights, make_platform, write_district

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler with two workers, each a process of its own."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address


def written(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def write_evidence(path: Path) -> Path:
    codes = pl.read_csv(MAPPINGS / "crosswalks" / "lakeside.csv")["standard"].to_list()
    rows = [
        {"student_id": f"s{n * 7 % 61:03}", "score": str(n % 9 / 2), "scored_at": f"2026-0{n % 8 + 1}-{n % 27 + 1:02}",
         "standard": codes[n % 40] if n % 50 else "UNKNOWN", "category": ("Summative", "Homework")[n % 2],
         "result_id": f"r{n:05}"}
        for n in range(6_000)
    ]  # fmt: skip
    pl.DataFrame(rows).write_csv(path)
    return path


def test_two_workers_write_the_bytes_that_one_process_writes(scheduler: str, tmp_path: Path) -> None:
    mapping = load_mapping(MAPPINGS / "schools" / "lakeside.yaml")
    evidence = write_evidence(tmp_path / "evidence.csv")
    for name, size in ((EngineName.LOCAL, 10_000), (EngineName.DASK, 500)):
        with (
            open_engine(name, scheduler) as engine,
            open_evidence(evidence, rows_per_part=size) as parts,
            TableWriter(tmp_path / name, Format.PARQUET) as writer,
        ):
            for mapped in map_parts(mapping, parts, engine=engine):
                writer.add(mapped)
    tables = written(tmp_path / "local")
    assert len(tables) == 5
    assert writer.rows["levels"] > 1000
    assert written(tmp_path / "dask") == tables


def test_the_command_takes_a_scheduler(scheduler: str, tmp_path: Path) -> None:
    evidence, mapping = write_evidence(tmp_path / "evidence.csv"), MAPPINGS / "schools" / "lakeside.yaml"
    for out, more in (("local", []), ("dask", ["--engine", "dask", "--scheduler", scheduler])):
        arguments = ["map", "apply", str(mapping), "--evidence", str(evidence), "--out", str(tmp_path / out), *more]
        assert main(arguments) == 3  # one code is unknown
    assert written(tmp_path / "dask") == written(tmp_path / "local")


def test_a_night_on_two_workers_pushes_what_a_night_in_one_process_pushes(
    scheduler: str, sample: Path, tmp_path: Path
) -> None:
    found = []
    for name in ("local", "dask"):
        platform = make_platform(sample)
        file = write_district(tmp_path / name, sample, address=platform.host)
        if name == "dask":
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("target: lms", f"target: lms\n    engine: dask\n    scheduler: {scheduler}"))
        nights = Nights(file, platform)
        report = nights.run(until="plan")
        [run] = (nights.folder / "data" / "runs").iterdir()
        found.append((report.run.state, written(run / "map"), written(run / "desired")))
    assert found[1] == found[0]
    assert len(found[0][1]) >= 4


def fail_on_three(shared: int, part: int) -> int:
    if part == 3:
        raise MappingError("Three is no number.", hint="Take two.", code="mapping.invalid")
    return shared * part


def end_once(shared: str, part: int) -> int:
    """Kills the worker at the first try of the first part."""
    mark = Path(shared) / "tried"
    if part == 0 and not mark.exists():
        mark.touch()
        os._exit(1)
    return part


@pytest.mark.parametrize("name", EngineName)
def test_faults_of_the_work_come_as_they_are(scheduler: str, name: EngineName) -> None:
    with open_engine(name, scheduler) as engine:
        results = engine.each(fail_on_three, 2, range(9))
        assert [next(results), next(results), next(results)] == [0, 2, 4]
        with pytest.raises(MappingError, match="Three is no number") as told:
            next(results)
    assert (told.value.code, told.value.hint) == ("mapping.invalid", "Take two.")


def test_a_worker_that_dies_is_made_good(scheduler: str, tmp_path: Path) -> None:
    with open_engine(EngineName.DASK, scheduler) as engine:
        assert list(engine.each(end_once, str(tmp_path), range(6))) == list(range(6))


def test_no_part_is_kept_beyond_its_turn() -> None:
    assert list(LocalEngine().each(fail_on_three, 5, [1, 2])) == [5, 10]


@pytest.mark.parametrize(
    ("scheduler_given", "kind", "code"),
    [
        (None, ConfigurationError, "engine.scheduler"),
        ("somewhere", ConfigurationError, "engine.scheduler"),
        ("tcp://host:notaport", ConfigurationError, "engine.scheduler"),
        ("tcp://127.0.0.1:1", TransientError, "engine.unreachable"),
    ],
)
def test_a_scheduler_that_is_not_there_is_told(
    scheduler_given: str | None, kind: type[GatewayError], code: str
) -> None:
    with pytest.raises(kind) as told, open_engine(EngineName.DASK, scheduler_given):
        pass
    assert told.value.code == code
    assert told.value.hint


def test_a_scheduler_without_workers_is_told() -> None:
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as cluster,
        pytest.raises(TransientError) as told,
        open_engine(EngineName.DASK, cluster.scheduler_address),
    ):
        pass
    assert told.value.code == "engine.no-workers"


def test_workers_of_another_version_are_refused(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.engine.version", lambda name: "0.0.1")
    with pytest.raises(ConfigurationError) as told, open_engine(EngineName.DASK, scheduler):
        pass
    assert told.value.code == "engine.versions"


def test_the_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigurationError, match="cluster") as told, open_engine(EngineName.DASK, "tcp://h:1"):
        pass
    assert told.value.code == "engine.not-installed"


def test_a_sync_on_dask_names_its_scheduler(nights: Nights) -> None:
    text = nights.file.read_text(encoding="utf-8")
    for more, words in (
        ("engine: dask", "scheduler"),
        ("engine: spark", "local or dask"),
        ("scheduler: tcp://user:secret@host:1", "tcp://host:8786"),
    ):
        nights.file.write_text(text.replace("target: lms", f"target: lms\n    {more}"), encoding="utf-8")
        with pytest.raises(ConfigurationError, match=words):
            load_district(nights.file)
