"""``documents gpa-report``, ``letter``, ``ncaa-worksheet`` and ``gpa-statement``: documents made from policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.command import Command
from gateway.cli.documents_inputs import Given, issuing_options, make_and_tell
from gateway.cli.gpa_inputs import Inputs, input_options

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.gpa.compute import GpaResult
    from gateway.core.gpa.courses import Courses
    from gateway.core.gpa.policy import Policy
    from gateway.documents.gpa_report import Student

_SOURCES = ("courses", "catalogue", "levels", "convert_by", "students", "calendar")
_STUDENT = click.option("--student", "wanted", multiple=True, metavar="ID", help="Whose document; may come often.")
_ALL = click.option("--all", "everybody", is_flag=True, help="A document for every student of the file.")
_APPROXIMATE = click.option(
    "--approximate", is_flag=True, help="Make an approximation where the school aggregates no GPA; it is marked as one."
)


@dataclass(frozen=True, slots=True)
class Computed:
    """GPAs with traces, and what they were computed from."""

    results: Sequence[GpaResult]
    courses: pl.DataFrame
    prepared: Courses
    facts: pl.DataFrame | None
    students: dict[str, Student]


def compute_for_documents(
    inputs: Inputs, policies: Sequence[Policy], wanted: Sequence[str], *, everybody: bool, approximate: bool
) -> Computed:
    """Read the inputs and compute every policy for the wanted students, with the overrides that are kept."""
    import polars as pl

    from gateway.core.gpa.compute import compute_gpa, prepare_courses
    from gateway.core.gpa.overrides import override_courses, override_gpas
    from gateway.documents.gpa_orders import known_students, read_named_students
    from gateway.documents.issue import check_aggregates

    if bool(wanted) == everybody:
        raise click.UsageError("Name students with --student, or take --all.")
    check_aggregates(policies, approximate=approximate)
    courses, _ = inputs.read_courses(policies)
    facts = read_named_students(inputs.students) if inputs.students else None
    students = known_students(courses, facts, wanted)
    mine = courses.filter(pl.col("student_id").cast(pl.String).is_in(list(students)))
    overrides = inputs.overrides()
    if overrides:
        mine = override_courses(mine, overrides)
    prepared = prepare_courses(mine)
    results = [
        compute_gpa(policy, prepared, as_of=inputs.as_of, trace=True, students=inputs.student_facts(),
                    calendar=inputs.days(), approximate=approximate)
        for policy in policies
    ]  # fmt: skip
    if overrides:
        results = [override_gpas(result, overrides) for result in results]
    return Computed(results, mine, prepared, facts, students)


@click.command(cls=Command)
@click.argument("policies", metavar="POLICY...", nargs=-1, required=True)
@_STUDENT
@_ALL
@click.option("--format", "ending", type=click.Choice(("pdf", "xlsx", "csv")), default="pdf", show_default=True,
              help="The form of the report.")  # fmt: skip
@_APPROXIMATE
@issuing_options
@input_options(*_SOURCES)
def gpa_report(
    inputs: Inputs,
    policies: tuple[str, ...],
    wanted: tuple[str, ...],
    everybody: bool,
    ending: str,
    approximate: bool,
    given: Given,
) -> int:
    """Issue GPA reports: every POLICY's GPA of a student with its worked lines, a file a student.

    The table of students (--students) may have name, or given_name and family_name, for the head of the report.
    """
    from gateway.documents.gpa_orders import report_orders, waiting

    computed = compute_for_documents(
        inputs, [inputs.policy(name) for name in policies], wanted, everybody=everybody, approximate=approximate
    )
    orders = report_orders(
        computed.results, computed.courses, computed.students, computed.facts, ending=ending, approximate=approximate
    )
    late = waiting(computed.results, computed.students)
    notes = [f"{len(late)} of {len(orders)} reports say that a GPA waits, and why."] if late else []
    with given.desk(inputs.invocation) as desk:
        return make_and_tell(inputs.invocation, desk, orders, notes=notes)


@click.command(cls=Command)
@click.argument("policy_name", metavar="POLICY")
@click.option("--mapping", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="The mapping that makes the levels; the letter explains it too.")  # fmt: skip
@issuing_options
@input_options()
def letter(inputs: Inputs, policy_name: str, mapping: Path | None, given: Given) -> int:
    """Issue the letter that explains how levels become grades and points, made from POLICY itself.

    This is what the NCAA's grading-scale task and colleges ask for.
    """
    from gateway.documents.letter import letter_order
    from gateway.mappings import load_mapping

    order = letter_order(inputs.policy(policy_name), load_mapping(mapping) if mapping else None)
    with given.desk(inputs.invocation) as desk:
        return make_and_tell(inputs.invocation, desk, [order])


@click.command(cls=Command)
@click.argument("policy_name", metavar="[POLICY]", default="ncaa-d1")
@_STUDENT
@_ALL
@issuing_options
@input_options(*_SOURCES)
def ncaa_worksheet(inputs: Inputs, policy_name: str, wanted: tuple[str, ...], everybody: bool, given: Given) -> int:
    """Issue NCAA worksheets by POLICY (ncaa-d1): core courses by area, the 16 units chosen, the requirements, 10/7.

    An estimate: only the NCAA Eligibility Center certifies.
    """
    from gateway.documents.gpa_orders import waiting
    from gateway.documents.ncaa_worksheet import worksheet_orders

    policy = inputs.policy(policy_name)
    computed = compute_for_documents(inputs, [policy], wanted, everybody=everybody, approximate=False)
    result = computed.results[0]
    orders = worksheet_orders(result, computed.courses, computed.prepared, computed.students, inputs.student_facts())
    late = waiting(computed.results, computed.students)
    notes = [f"{len(late)} of {len(orders)} worksheets say that the GPA waits, and why."] if late else []
    with given.desk(inputs.invocation) as desk:
        return make_and_tell(inputs.invocation, desk, orders, notes=notes)


@click.command(cls=Command)
@click.argument("policy_name", metavar="POLICY")
@_STUDENT
@_ALL
@_APPROXIMATE
@issuing_options
@input_options(*_SOURCES)
def gpa_statement(
    inputs: Inputs, policy_name: str, wanted: tuple[str, ...], everybody: bool, approximate: bool, given: Given
) -> int:
    """Issue GPA statements by POLICY beside mastery transcripts, each naming the student's newest transcript."""
    from gateway.documents.gpa_orders import waiting
    from gateway.documents.gpa_statement import newest_transcript, statement_orders

    policy = inputs.policy(policy_name)
    computed = compute_for_documents(inputs, [policy], wanted, everybody=everybody, approximate=approximate)
    late = waiting(computed.results, computed.students)
    notes = [f"{len(late)} of {len(computed.students)} statements say that the GPA waits, and why."] if late else []
    with given.desk(inputs.invocation) as desk:
        district, recipient = desk.release.district, desk.release.recipient
        transcripts = {id: newest_transcript(desk.store, district, id, recipient) for id in computed.students}
        orders = statement_orders(computed.results[0], computed.courses, computed.students, transcripts, desk.zone)
        return make_and_tell(inputs.invocation, desk, orders, notes=notes)
