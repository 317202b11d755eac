"""``sample-district``: a realistic district for trying things out."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from gateway.cli.command import Command
from gateway.cli.invocation import Invocation
from gateway.cli.progress import shown_progress
from gateway.core.errors import ConfigurationError

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(cls=Command, name="sample-district")
@click.option("--out", type=_FOLDER, required=True, help="The folder to write; it must be empty or not exist.")
@click.option("--students", type=int, help="How many students, 100 to 1,000,000 (default: 1,000).")
@click.option("--seed", type=int, default=1, show_default=True, help="Equal seeds give equal districts.")
@click.option("--roster", type=_FOLDER, help="Grow the gradebook over this OneRoster bundle instead.")
@click.option("--framework", type=click.Path(path_type=Path, dir_okay=False), help="Align to this CASE package.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The last day with scores.")
@click.option("--results-per-student", type=int, default=100, show_default=True, help="Results in a whole year.")
@click.option("--clean", is_flag=True, help="Without the mess of real life.")
@click.pass_obj
def sample_district(
    invocation: Invocation,
    out: Path,
    students: int | None,
    seed: int,
    roster: Path | None,
    framework: Path | None,
    as_of: datetime | None,
    results_per_student: int,
    clean: bool,
) -> int:
    """Write a deterministic sample district: a OneRoster 1.2 CSV bundle, a CASE framework, a crosswalk, a summary.

    Nobody in it is real. It has late, missing and excused work, re-takes, co-taught classes, movers and some broken
    records, all counted in summary.json.
    """
    from gateway.sample import CLEAN, Mess, write_sample_district

    if out.exists() and any(out.iterdir()):
        raise ConfigurationError(
            f"The folder {out} is not empty.", hint="Name another one, or empty it first.", code="sample.not-empty"
        )
    with shown_progress() as progress:
        summary = write_sample_district(
            out,
            seed=seed,
            students=students,
            roster=roster,
            framework=framework,
            mess=CLEAN if clean else Mess(),
            as_of=_day(as_of),
            results_per_student=results_per_student,
            progress=lambda done, total: progress("students", done, total),
        )
    rows = [f"  {name:<28}{count:>12,}" for name, count in summary.rows.items()]
    planted = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in summary.planted.items() if count)
    lines = [f"{summary.students:,} students, school year {summary.school_year}, in {out}", *rows]
    invocation.answer(summary.as_dict() | {"out": str(out)}, [*lines, f"  Planted: {planted or 'nothing'}."])
    return 0


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
