"""``runs list`` and ``runs show``: what happened in past runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.command import LazyGroup
from gateway.cli.invocation import Invocation

if TYPE_CHECKING:
    from gateway.settings import District
    from gateway.sync import RunReport


@click.group(cls=LazyGroup)
def runs() -> None:
    """List past runs, or show one."""


@runs.command(name="list")
@click.option("--sync", "sync_name", metavar="NAME", help="Only the runs of this sync.")
@click.option("--count", type=click.IntRange(1, 10_000), default=30, show_default=True, help="How many, newest first.")
@click.pass_obj
def list_(invocation: Invocation, sync_name: str | None, count: int) -> int:
    """List the runs, newest first: when, what became of it, quarantine, warnings."""
    from gateway.sync import list_runs

    district = invocation.load()
    if sync_name is not None:
        district.sync(sync_name)
    with invocation.store(district) as store:
        reports = list_runs(store, district, sync=sync_name, most=count)
    lines = [_line(district, report) for report in reports] or ["There are no runs yet."]
    invocation.answer({"runs": [report.as_dict() for report in reports]}, lines)
    return 0


def _line(district: District, report: RunReport) -> str:
    run = report.run
    started = run.started_at.astimezone(district.time_zone)
    counts = [(report.quarantined, "in quarantine"), (report.unmatched, "unmatched"), (report.refused, "refused")]
    told = "".join(f", {count:,} {what}" for count, what in counts if count)
    return f"{run.run_id}  {started:%a %Y-%m-%d %H:%M}  {run.sync}  {report.state.value}{told}"


@runs.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@click.pass_obj
def show(invocation: Invocation, run_id: str | None) -> int:
    """Show the report of RUN, or of the latest run."""
    from gateway.sync import list_runs, show_run

    district = invocation.load()
    with invocation.store(district) as store:
        latest = [] if run_id else list_runs(store, district, most=1)
        if not run_id and not latest:
            invocation.answer({"run": None}, ["There are no runs yet."])
            return 0
        report = show_run(store, district, run_id) if run_id else latest[0]
    invocation.answer(
        report.as_dict(), [*report.lines(), *(f"  Note         {warning}" for warning in report.warnings)]
    )
    return 0
