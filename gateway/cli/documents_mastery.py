"""``documents mastery-transcript``: credits, competencies and evidence, without a grade."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from gateway.cli.command import Command
from gateway.cli.documents_inputs import Given, issuing_options, make_and_tell
from gateway.cli.ground import evidence_options, open_ground
from gateway.cli.invocation import Invocation

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(cls=Command)
@click.argument("mapping", type=_FILE)
@evidence_options
@click.option("--student", "wanted", multiple=True, metavar="ID", help="Whose document; may come often.")
@click.option("--all", "everybody", is_flag=True, help="A document for every student of the evidence.")
@click.option("--students", type=_FILE, help="Names: student_id and name, or given_name and family_name.")
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="As of the end of this day (a pull: of its own; a file: all)."
)
@issuing_options
@click.pass_obj
def mastery_transcript(
    invocation: Invocation,
    mapping: Path,
    evidence: Path | None,
    sync_name: str | None,
    wanted: tuple[str, ...],
    everybody: bool,
    students: Path | None,
    as_of: datetime | None,
    given: Given,
) -> int:
    """Issue mastery transcripts made by MAPPING: credits, competencies and evidence. No level, letter or GPA stands on
    them; see `documents gpa-statement`.

    Evidence may have `line_item_title`, `class_title` and `evidence_url` for readers.
    """
    import polars as pl

    from gateway.documents.gpa_orders import known_students, read_named_students
    from gateway.documents.mastery_transcript import transcript_orders

    if bool(wanted) == everybody:
        raise click.UsageError("Name students with --student, or take --all.")
    only = wanted[0] if len(wanted) == 1 else None
    with open_ground(invocation, evidence, sync_name, student=only) as ground:
        compiled = ground.load(mapping)
        rows = pl.concat(list(ground.parts), how="diagonal_relaxed")
    known = known_students(rows, read_named_students(students) if students else None, wanted, place="the evidence")
    orders = transcript_orders(compiled, rows, known, as_of=ground.as_of(as_of))
    with given.desk(invocation) as desk:
        return make_and_tell(invocation, desk, orders)
