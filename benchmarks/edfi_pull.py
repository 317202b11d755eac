"""Pulling grades from the fake Ed-Fi host, which runs in a process of its own: one JSON line.

    python -m benchmarks.edfi_pull                        # 20,000 students, by cursor
    python -m benchmarks.edfi_pull --students 5000 --version 6.1

Rows are those of the canonical tables. The fake is in memory; it shares the processors with the pull.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.measure import print_line
from connectors.edfi import EdFiConnector
from gateway.core.connector import Context
from gateway.testing.edfi import FakeEdFi
from gateway.testing.edfi.district import furnished
from gateway.testing.wsgi import serve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=20_000)
    parser.add_argument("--version", default="7.3")
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    host = multiprocessing.Process(target=_host, args=(theirs, options.version, options.students), daemon=True)
    host.start()
    settings = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        print_line("edfi pull", students=options.students, version=options.version, **_pull(settings, Path(folder)))
    host.terminate()


def _host(pipe: Connection, version: str, students: int) -> None:
    remote = furnished(FakeEdFi(version), students=students)
    with serve(remote) as url:
        pipe.send({
            "base_url": f"{url}{remote.addresses.root}",
            "auth": {"client_id": remote.gate.key, "client_secret": remote.gate.secret},
        })  # fmt: skip
        pipe.recv()


def _pull(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    context = Context("lakeside", "ods", folder, folder, lambda: datetime.now(UTC))
    loaded: Any = EdFiConnector.Settings().load(settings)
    source = EdFiConnector(loaded, context)
    rows, peaks = 0, []
    began = time.perf_counter()
    for stream in source.streams(None):
        for page in source.pull(stream, since=None, resume=None):
            rows += sum(frame.height for frame in page.frames.values())
        peaks.append(round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
    took = time.perf_counter() - began
    return {"rows": rows, "wall_s": round(took, 2), "rows_per_s": round(rows / took), "peak_mb": max(peaks)}


if __name__ == "__main__":
    main()
