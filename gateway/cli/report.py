"""``report``: how scorers compare, which students somebody should look at, and how groups of students grow."""

from __future__ import annotations

import click

from gateway.cli.command import LazyGroup

_COMMANDS = {
    "consistency": ("gateway.cli.report_consistency", "Compare scorers, and their agreement on the same work."),
    "pace": ("gateway.cli.report_pace", "List students without progress, behind, not scored, or with gaps."),
    "growth": ("gateway.cli.report_growth", "Sum up growth and pace by school, domain, grade or cohort."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def report() -> None:
    """Report on consistency of scoring, on pace, and on growth."""
