"""``map explain``: a level opened to its evidence, its rule and that rule's version."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from gateway.cli.command import Command
from gateway.cli.ground import AS_OF, MAPPING, STUDENT, evidence_options, open_ground
from gateway.cli.invocation import Invocation
from gateway.core.errors import ConfigurationError


@click.command(cls=Command)
@MAPPING
@STUDENT
@click.option("--competency", metavar="CODE", help="Only this competency, by code or identifier.")
@evidence_options
@AS_OF
@click.pass_obj
def explain(
    invocation: Invocation,
    mapping: Path,
    student: str,
    competency: str | None,
    evidence: Path | None,
    sync_name: str | None,
    as_of: datetime | None,
) -> int:
    """Explain the levels that MAPPING gives a student: every score that was used or set aside and why, its conversion
    and weight, the formula with its numbers, the rounding, the mapping's version and digest.

    As text, or with --json as data. It names source records by their ids.
    """
    import polars as pl

    from gateway.core.mapping import explain as explain_levels

    with open_ground(invocation, evidence, sync_name, student=student) as ground:
        compiled = ground.load(mapping)
        rows = pl.concat(list(ground.parts))
    if rows.is_empty() and not any(each.student_id == student for each in compiled.summarizer.overrides):
        raise ConfigurationError(
            f"There is no result of this student in {ground.what}.",
            hint="Write the id as it stands there; leading zeros and capital letters count.",
            code="map.no-student",
        )
    found = explain_levels(compiled, rows, student, competency=competency, as_of=ground.as_of(as_of))
    invocation.answer({**found.as_dict(), "of": ground.what}, [found.text().rstrip(), "", f"From {ground.what}"])
    return 0
