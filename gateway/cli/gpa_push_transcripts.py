"""``gpa push-transcripts``: course attempts to a connection that keeps transcripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.command import Command
from gateway.cli.gpa_courses import Gradebook, course_file, gradebook_options
from gateway.cli.gpa_inputs import Inputs, input_options
from gateway.cli.invocation import now
from gateway.cli.progress import shown_progress

if TYPE_CHECKING:
    import polars as pl


@click.command(cls=Command)
@click.argument("policy_name", metavar="[POLICY]", required=False)
@input_options("courses", "transcripts", "catalogue", "levels", "convert_by", "students")
@gradebook_options
@click.option("--target", "connection", metavar="CONNECTION", required=True, help="The connection that takes them.")
@click.option("--school-year", metavar="YEAR", help="Only the attempts of this school year, such as 2027.")
@click.option("--term", metavar="TERM", help="Only those of this term.")
@click.option("--school", metavar="ID", help="The school of rows and students that name none.")
@click.option(
    "--withdraw", is_flag=True, help="Take back what was sent for the same schools and terms, and is no longer there."
)
@click.option("--dry-run", is_flag=True, help="Plan only, and say what would be sent; `apply` pushes the plan.")
def push_transcripts(
    inputs: Inputs,
    *,
    policy_name: str | None,
    gradebook: Gradebook,
    connection: str,
    school_year: str | None,
    term: str | None,
    school: str | None,
    withdraw: bool,
    dry_run: bool,
) -> int:
    """Bring course attempts to CONNECTION, a line of a transcript each, beside what others wrote there.

    POLICY says which grades fail; attempts of pulled transcripts (--transcripts) have their results already. What was
    accepted before and is unchanged is not sent again.
    """
    from gateway.stopping import stop_on_signals
    from gateway.sync.attempt_push import desired_attempts
    from gateway.sync.telling import ATTEMPTS, tell

    district = inputs.invocation.load()
    rows, left = desired_attempts(
        _of_term(_attempts(inputs, gradebook, policy_name, school), school_year, term), district=district.id
    )
    with inputs.invocation.store(district) as store, stop_on_signals() as stop, shown_progress() as progress:
        report = tell(
            district, connection, ATTEMPTS, rows, store=store, now=now, withdraw=withdraw, dry_run=dry_run,
            progress=progress, stop=stop,
        )  # fmt: skip
    notes = [f"{count:,} course attempts {why} are not sent." for why, count in left.items()]
    inputs.invocation.answer({**report.as_dict(), "not_sent": left}, [*notes, *report.lines()])
    return report.exit_code


def _attempts(inputs: Inputs, gradebook: Gradebook, policy_name: str | None, school: str | None) -> pl.DataFrame:
    import polars as pl

    from gateway.core.gpa.attempt_results import attempts_of_courses
    from gateway.sync.gpa_push import with_schools
    from gateway.sync.transcripts import attempts_of

    if inputs.transcripts is not None and inputs.levels is None:
        with inputs.pulled_transcripts() as snapshot:
            return attempts_of(snapshot).with_columns(pl.col("school_id").fill_null(pl.lit(school, pl.String)))
    if policy_name is None:
        raise click.UsageError("Name the POLICY that says which grades fail.")
    policy = inputs.policy(policy_name)
    if gradebook.sync is None:
        courses, _ = inputs.read_courses([policy])
    else:
        with course_file(inputs, [policy], gradebook) as (path, _):
            courses = inputs.completed(pl.read_parquet(path))
    made = attempts_of_courses(courses, policy, as_of=inputs.as_of)
    elsewhere = with_schools(made.select("student_id").unique(), inputs.student_facts(), school)
    return made.join(elsewhere.rename({"school_id": "_usual"}), on="student_id", how="left").with_columns(
        pl.coalesce("school_id", "_usual").alias("school_id")
    ).drop("_usual")  # fmt: skip


def _of_term(attempts: pl.DataFrame, school_year: str | None, term: str | None) -> pl.DataFrame:
    import polars as pl

    from gateway.core.gpa.cells import read_year
    from gateway.core.gpa.words import folded

    if school_year is not None:
        year = read_year(school_year)
        attempts = attempts.filter(pl.col("school_year") == (school_year if year is None else str(year)))
    if term is not None:
        fitting = [each for each in attempts["term"].unique().drop_nulls() if folded(each) == folded(term)]
        attempts = attempts.filter(pl.col("term").is_in(fitting))
    return attempts
