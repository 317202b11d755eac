"""``gpa``: grade point averages by policies; each command in a module of its own, imported when called."""

from __future__ import annotations

import click

from gateway.cli.command import LazyGroup

COMMANDS = {
    "compute": ("gateway.cli.gpa_compute", "Compute GPAs of a course file or of the newest pull."),
    "rank": ("gateway.cli.gpa_compute", "Compute GPAs and rank the classes."),
    "explain": ("gateway.cli.gpa_explain", "Show one student's GPA line by line."),
    "what-if": ("gateway.cli.gpa_explain", "Show what other courses or grades would change."),
    "compare": ("gateway.cli.gpa_compare", "Compare two policies or versions, by school."),
    "policies": ("gateway.cli.gpa_policies", "List the policies: source, dates, open questions."),
    "lint": ("gateway.cli.gpa_policies", "Check policy files and run their examples."),
    "push": ("gateway.cli.gpa_push", "Bring GPAs to a connection, beside what others wrote."),
    "push-transcripts": ("gateway.cli.gpa_push_transcripts", "Bring course attempts to a connection's transcripts."),
    "override": ("gateway.cli.gpa_override", "Keep decisions of people: record, list, withdraw."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def gpa() -> None:
    """Turn grades or competency levels into GPAs, by policies, exactly, each number with its worked lines."""
