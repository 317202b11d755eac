"""The group ``map``: which commands work on mappings; each stands in a module of its own."""

from __future__ import annotations

import click

from gateway.cli.command import LazyGroup

COMMANDS = {
    "apply": ("gateway.cli.map_apply", "Levels, continuum and credits of a file of evidence or of a pull."),
    "explain": ("gateway.cli.map_explain", "Why a student has this level."),
    "history": ("gateway.cli.map_history", "What past runs said about a student."),
    "lint": ("gateway.cli.map_check", "Check mapping files, run their examples, remark what is odd."),
    "test": ("gateway.cli.map_check", "Run the examples of mapping files, one by one."),
    "coverage": ("gateway.cli.map_coverage", "Which competencies the gradebook covers."),
    "diff": ("gateway.cli.map_diff", "Who changes if one mapping takes the place of another."),
    "crosswalk": ("gateway.cli.map_crosswalk", "The crosswalk as a workbook to review, and back."),
    "schema": ("gateway.cli.map_check", "JSON Schema of mapping files, for editors."),
}


@click.group(cls=LazyGroup, name="map", lazy=COMMANDS)
def map() -> None:
    """Try, check, compare and explain mappings. Pushes nothing."""
