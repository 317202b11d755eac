"""The program in a process of its own, which starts in no time.

A server that has imported what a sync needs, and has done nothing yet, forks a process for each start: two seconds of
imports are paid once. What runs is the program's own entry point, and it can be killed as any process can.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
from collections.abc import Sequence
from pathlib import Path

from gateway.transport import crash

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__, "gateway.cli.sync", "gateway.sync", "gateway.store", "gateway.settings"])


def start(file: Path, crash_at: str = "", words: Sequence[str] = ("sync",)) -> int:
    """Run a command on the district in ``file`` and return its exit code; ``crash_at`` is ``GW_CRASH_AT``."""
    process = _FORKS.Process(target=_run, args=(file, crash_at, words))
    process.start()
    process.join()
    code = process.exitcode
    assert code is not None
    process.close()
    return code


def _run(file: Path, crash_at: str, words: Sequence[str]) -> None:
    os.environ["GW_CRASH_AT"] = crash_at
    importlib.reload(crash)  # which reads the environment when it is imported
    os.chdir(file.parent)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    from gateway.cli.main import main

    raise SystemExit(main(["--district", str(file), "--json", *words]))
