"""``gpa push``: computed GPAs to a connection that takes them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from gateway.cli.command import Command
from gateway.cli.gpa_compute import gpa_options
from gateway.cli.gpa_courses import Gradebook, course_file, gradebook_options, students_with_schools
from gateway.cli.gpa_inputs import Inputs, input_options
from gateway.cli.invocation import now
from gateway.cli.progress import shown_progress


@click.command(cls=Command)
@click.argument("policies", metavar="POLICY...", nargs=-1, required=True)
@input_options("courses", "transcripts", "catalogue", "levels", "convert_by", "students", "calendar")
@gradebook_options
@click.option("--target", "connection", metavar="CONNECTION", required=True, help="The connection that takes them.")
@click.option("--school-year", metavar="YEAR", required=True, help="The school year of the record, such as 2027.")
@click.option("--term", metavar="TERM", required=True, help="The term of the record, as the connection's settings say.")
@click.option("--school", metavar="ID", help="The school of students for whom --students names none.")
@click.option(
    "--periods", metavar="LIST", default="cumulative", show_default=True, help="Of cumulative, term: that of --term."
)
@click.option(
    "--withdraw",
    is_flag=True,
    help="Take back what was sent for the same schools, year, term and policies, and is no longer computed.",
)
@click.option("--dry-run", is_flag=True, help="Plan only, and say what would be sent; `apply` pushes the plan.")
def push(
    inputs: Inputs,
    *,
    policies: tuple[str, ...],
    gradebook: Gradebook,
    connection: str,
    school_year: str,
    term: str,
    school: str | None,
    periods: str,
    withdraw: bool,
    dry_run: bool,
) -> int:
    """Compute each student's GPA by every POLICY and bring it to CONNECTION, beside what others wrote there.

    Only whole GPAs travel, and none of a policy whose school aggregates no GPA. What was accepted before and is
    unchanged is not sent again; nothing is withdrawn without --withdraw.
    """
    import polars as pl

    from gateway.gpa_batch import compute_file
    from gateway.stopping import stop_on_signals
    from gateway.sync.gpa_push import RecordPlace, desired_gpas, kept_back
    from gateway.sync.telling import GPAS, tell

    found = [inputs.policy(name) for name in policies]
    options = gpa_options(inputs, found, periods=periods, approximate=False, trace=False)
    if {each.value for each in options.periods} - {"cumulative", "term"}:
        raise click.BadParameter("Only cumulative and term GPAs can be sent.", param_hint="--periods")
    district = inputs.invocation.load()
    with tempfile.TemporaryDirectory(prefix="gpa-") as folder, course_file(inputs, found, gradebook) as (courses, _):
        out = Path(folder) / "gpas.parquet"
        compute_file(options, courses, out)
        place = RecordPlace(school_year, term, inputs.as_of, school)
        students = students_with_schools(inputs, options, courses, school)
        computed = pl.read_parquet(out)
        rows = desired_gpas(computed, students, found, place, district=district.id)
    with inputs.invocation.store(district) as store, stop_on_signals() as stop, shown_progress() as progress:
        report = tell(
            district, connection, GPAS, rows, store=store, now=now, withdraw=withdraw, dry_run=dry_run,
            progress=progress, stop=stop,
        )  # fmt: skip
    closed = [each.title for each in found if each.aggregate != "always"]
    notes = [f"{title} aggregates no GPA: nothing of it was sent." for title in closed]
    partial = kept_back(computed, found)
    notes += [f"{title}: {count:,} GPAs are not whole and were not sent." for title, count in partial.items()]
    inputs.invocation.answer({**report.as_dict(), "not_sent": closed, "not_whole": partial}, [*notes, *report.lines()])
    return report.exit_code
