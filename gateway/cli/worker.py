"""``worker``: the syncs at their times, until a signal."""

from __future__ import annotations

import logging

import click

from gateway.cli.command import Command
from gateway.cli.invocation import Invocation, now, on_terminal


@click.command(cls=Command)
@click.pass_obj
def worker(invocation: Invocation) -> int:
    """Run the district's syncs at their times, until stopped.

    SIGTERM or Ctrl-C stops it after the page or batch at hand; the next start goes on from there. A night that was
    missed is caught up within the sync's grace. Several workers may run; each night is run once.
    """
    from gateway.cli.logs import log_to_terminal
    from gateway.schedule import Night
    from gateway.stopping import stop_on_signals
    from gateway.sync import run_sync
    from gateway.sync.report import RunReport
    from gateway.worker import Worker

    log_to_terminal(level=logging.INFO, lines_as_json=invocation.as_json or not on_terminal())
    district = invocation.load()
    with invocation.store(district) as store, stop_on_signals() as stop:

        def run(night: Night) -> RunReport:
            return run_sync(district, night.sync, store=store, now=now, stop=stop, run_key=night.key)

        Worker(district, store, run, now=now, stop=stop).work()
    return 0
