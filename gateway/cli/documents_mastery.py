"""``documents mastery-transcript``: credits, competencies and evidence, without a grade."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from gateway.cli.command import Command
from gateway.cli.documents_inputs import Given, issuing_options, make_and_tell
from gateway.cli.invocation import Invocation

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(cls=Command)
@click.argument("mapping", type=_FILE)
@click.option("--evidence", required=True, type=click.Path(path_type=Path, exists=True),
              help="The evidence: CSV, XLSX, NDJSON or Parquet.")  # fmt: skip
@click.option("--student", "wanted", multiple=True, metavar="ID", help="Whose document; may come often.")
@click.option("--all", "everybody", is_flag=True, help="A document for every student of the file.")
@click.option("--students", type=_FILE, help="Names: student_id and name, or given_name and family_name.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="As of the end of this day; all evidence otherwise.")
@issuing_options
@click.pass_obj
def mastery_transcript(
    invocation: Invocation,
    mapping: Path,
    evidence: Path,
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
    from gateway.evidence_file import open_evidence
    from gateway.mappings import load_mapping

    if bool(wanted) == everybody:
        raise click.UsageError("Name students with --student, or take --all.")
    compiled = load_mapping(mapping)
    with open_evidence(evidence) as parts:
        rows = pl.concat(list(parts), how="diagonal_relaxed")
    known = known_students(rows, read_named_students(students) if students else None, wanted, place="the evidence")
    orders = transcript_orders(compiled, rows, known, as_of=as_of.date() if as_of else None)
    with given.desk(invocation) as desk:
        return make_and_tell(invocation, desk, orders)
