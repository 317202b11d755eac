"""``sync``, ``plan`` and ``pull``: one run, as far as asked."""

from __future__ import annotations

import click

from gateway.cli.command import Command
from gateway.cli.invocation import Invocation, now
from gateway.cli.progress import shown_progress


def run_and_report(invocation: Invocation, name: str | None, until: str, *, retry: bool = False) -> int:
    """Run the sync and answer with its report; Ctrl-C and SIGTERM stop it after the page or batch at hand."""
    from gateway.stopping import stop_on_signals
    from gateway.sync import run_sync

    district = invocation.load()
    with invocation.store(district) as store, stop_on_signals() as stop, shown_progress() as progress:
        report = run_sync(district, name, store=store, now=now, progress=progress, stop=stop, until=until, retry=retry)
    invocation.answer(report.as_dict(), report.lines())
    return report.exit_code


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("--dry-run", is_flag=True, help="Make and save the plan, push nothing.")
@click.pass_obj
def sync(invocation: Invocation, name: str | None, dry_run: bool) -> int:
    """Run the sync NAME (or the only one) now: pull, map, plan, push, verify.

    A run that was interrupted goes on where it stopped. A run that a guard holds pushes nothing; the report says
    why, and how to decide.
    """
    return run_and_report(invocation, name, "plan" if dry_run else "push")


@click.command(cls=Command)
@click.argument("name", required=False)
@click.pass_obj
def plan(invocation: Invocation, name: str | None) -> int:
    """Pull, map and save a plan for the sync NAME (or the only one); push nothing.

    `mastery-gateway apply` pushes the plan.
    """
    return run_and_report(invocation, name, "plan")


@click.command(cls=Command)
@click.argument("name", required=False)
@click.pass_obj
def pull(invocation: Invocation, name: str | None) -> int:
    """Pull and check the source of the sync NAME (or the only one); push nothing."""
    return run_and_report(invocation, name, "pull")
