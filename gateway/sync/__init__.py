"""The shell around the core: a district's sync as a run of steps, and what people do with runs and plans."""

from __future__ import annotations

from gateway.sync.decide import apply_plan, decide, find_plan
from gateway.sync.quarantine import list_quarantine, show_quarantine, summarise
from gateway.sync.report import RunReport
from gateway.sync.run import list_runs, run_sync, show_run

__all__ = [
    "RunReport",
    "apply_plan",
    "decide",
    "find_plan",
    "list_quarantine",
    "list_runs",
    "run_sync",
    "show_quarantine",
    "show_run",
    "summarise",
]
