"""What a job does: a large file through a mapping or through GPA policies, by the code of the nightly run.

It runs in a process of its own, so that its memory is given back, and a cancelled one can be ended at any point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from gateway.api.catalogue import Catalogue, NotInCatalogueError
from gateway.core.errors import ConfigurationError, GatewayError, InternalError, code_lines
from gateway.settings import load_district

Progress = Callable[[int], None]
"""Called with the rows that are done."""

UPLOAD, RESULTS = "upload", "results"


def folder_of(data: Path, job_id: str) -> Path:
    """Where a job's upload and results lie."""
    return data / "api" / "jobs" / job_id


def work_in_process(district_file: Path, job: Mapping[str, Any], tell: Any) -> None:
    """Do the job, and tell of it through ``tell`` (a pipe): ``("rows", n)``, then ``("done", tables)`` or
    ``("failed", error)``. ``job`` has ``job_id``, ``kind``, ``request`` and ``today``."""
    try:
        district = load_district(district_file)
        folder = folder_of(district.data, job["job_id"])
        work = {"mapping": _map, "gpa": _gpa}[job["kind"]]
        tables = work(Catalogue(district), folder, job, lambda rows: tell.send(("rows", rows)))
        tell.send(("done", tables))
    except GatewayError as error:
        tell.send(("failed", _told(error)))
    except NotInCatalogueError as error:
        tell.send(("failed", {"code": "not-found", "message": str(error), "hint": ""}))
    except Exception as error:
        fault = InternalError("The gateway met a fault of its own.", hint="Tell the gateway's operator the job's id.")
        tell.send(("failed", _told(fault) | {"trace": code_lines(error)}))


def _map(catalogue: Catalogue, folder: Path, job: Mapping[str, Any], progress: Progress) -> dict[str, int]:
    from gateway.evidence_file import map_parts, open_evidence
    from gateway.mapped_file import Format, TableWriter

    asked = job["request"]
    mapping = catalogue.mapping(asked["mapping"], asked.get("version"))
    as_of = date.fromisoformat(asked["as_of"]) if asked.get("as_of") else None
    with (
        open_evidence(_upload(folder)) as parts,
        TableWriter(folder / RESULTS, Format(asked.get("format", "csv"))) as writer,
    ):
        for part in map_parts(mapping, parts, as_of=as_of):
            writer.add(part)
            progress(writer.evidence)
    return dict(writer.rows)


def _gpa(catalogue: Catalogue, folder: Path, job: Mapping[str, Any], progress: Progress) -> dict[str, int]:
    from gateway.gpa_batch import Options, compute_file

    asked = job["request"]
    day = date.fromisoformat(asked.get("as_of") or job["today"])
    policies = tuple(catalogue.policy(name, day) for name in asked["policies"])
    options = Options(policies, day, trace=bool(asked.get("trace")), approximate=bool(asked.get("approximate")))
    ending = asked.get("format", "csv")
    results = folder / RESULTS
    trace = results / f"trace.{ending}" if options.trace else None
    done = compute_file(options, _upload(folder), results / f"gpas.{ending}", trace=trace)
    if done.problems is not None:
        done.problems.rename(results / "problems.csv")
    progress(done.rows)
    return {path.stem: _rows(path) for path in sorted(results.iterdir())}


def _rows(path: Path) -> int:
    table = pl.scan_parquet(path) if path.suffix == ".parquet" else pl.scan_csv(path, infer_schema=False)
    return int(table.select(pl.len()).collect(engine="streaming").item())


def _upload(folder: Path) -> Path:
    found = sorted(folder.glob(f"{UPLOAD}.*"))
    if not found:
        raise ConfigurationError("The upload is gone.", hint="Send the file again.", code="job.upload")
    return found[0]


def _told(error: GatewayError) -> dict[str, Any]:
    """An error without the server's own paths."""
    told = error.as_dict()
    return {name: told[name] for name in ("code", "message", "hint", "line")}
