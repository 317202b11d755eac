"""``documents pesc``: a student's transcript as the XML that states and colleges read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.command import Command
from gateway.cli.documents_gpa import Computed, compute_for_documents
from gateway.cli.documents_inputs import Given, issuing_options, make_and_tell
from gateway.cli.gpa_inputs import Inputs, input_options
from gateway.documents.pesc.words import CREDIT_UNITS

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.gpa.compute import GpaResult
    from gateway.core.gpa.policy import Policy

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command(cls=Command)
@click.argument("policies", metavar="[POLICY]...", nargs=-1)
@click.option("--student", "student_id", required=True, metavar="ID", help="Whose transcript.")
@click.option("--to-code", required=True, metavar="KIND:CODE", help="The receiver's code, such as ATP:123456 (CEEB).")
@click.option("--competencies", type=_FILE, help="Levels of competencies by course: student_id, course_code, "
              "competency, level; also title, proficient, last_scored_at.")  # fmt: skip
@click.option(
    "--credit-unit", type=click.Choice(CREDIT_UNITS), default="Units", show_default=True, help="What a credit is."
)
@click.option("--rank/--no-rank", default=True, show_default=True, help="State the class rank, where a policy ranks.")
@click.option("--birth-date", is_flag=True, help="State the date of birth, for a receiver who needs it.")
@click.option("--approximate", is_flag=True, help="Make an approximation where the school aggregates no GPA.")
@click.option("--schema", type=_FOLDER, help="Validate against PESC's schema files in this folder; a transcript that "
              "is not valid is not issued.")  # fmt: skip
@issuing_options
@input_options("courses", "catalogue", "levels", "convert_by", "students", "calendar")
def pesc(
    inputs: Inputs,
    policies: tuple[str, ...],
    student_id: str,
    to_code: str,
    competencies: Path | None,
    credit_unit: str,
    rank: bool,
    birth_date: bool,
    approximate: bool,
    schema: Path | None,
    given: Given,
) -> int:
    """Issue a PESC High School Transcript 1.5.0 with the GPA under every POLICY; without one, a transcript without GPA.

    The first POLICY is the school's own: it says which credit was earned, and which attempt of a repeated course
    counts. Needs the school's CEEB code in the district's file.
    """
    from gateway.core.gpa.compute import prepare_courses
    from gateway.documents.pesc.document import person_of, ranks_of, read_organization, transcript_order
    from gateway.documents.pesc.record import build_record
    from gateway.documents.pesc.schema import load_schema
    from gateway.documents.pesc.transcript import Organization
    from gateway.table_file import read_table

    if schema is not None:
        load_schema(schema)
    named = [inputs.policy(name) for name in policies]
    computed = compute_for_documents(inputs, named, [student_id], everybody=False, approximate=approximate)
    levels = read_table(competencies) if competencies else None
    facts = _facts(computed, student_id)
    ranks = ranks_of(_everybody(inputs, named), computed.facts, student_id) if rank else {}
    record = build_record(
        computed.results,
        prepare_courses(computed.courses),
        student_id,
        grade_level=str(facts.get("grade_level") or ""),
        units=credit_unit,
        ranks=ranks,
        levels=levels,
        terms=_terms(inputs, named, computed, approximate=approximate),
    )
    person = person_of(student_id, computed.students[student_id].name, facts, birth_date=birth_date)
    tables = [each for each in (computed.courses, computed.facts, levels) if each is not None]
    destination = read_organization(to_code, given.recipient)
    with given.desk(inputs.invocation) as desk:
        order = transcript_order(
            computed.results, record, person, source=Organization("ATP", desk.school.ceeb, desk.school.name),
            destination=destination, tables=tables, schema=schema,
        )  # fmt: skip
        return make_and_tell(inputs.invocation, desk, [order], remarks=_remarks(schema))


def _facts(computed: Computed, student_id: str) -> dict[str, object]:
    import polars as pl

    if computed.facts is None:
        return {}
    rows = computed.facts.filter(pl.col("student_id").cast(pl.String) == student_id).to_dicts()
    return rows[0] if rows else {}


def _terms(inputs: Inputs, policies: Sequence[Policy], computed: Computed, *, approximate: bool) -> list[GpaResult]:
    """The school's own GPAs by term; what others define is over the whole record."""
    from gateway.core.gpa.compute import Period, compute_gpa
    from gateway.documents.pesc.record import summary_type

    return [
        compute_gpa(policy, computed.courses, as_of=inputs.as_of, students=inputs.student_facts(),
                    calendar=inputs.days(), periods=(Period.TERM,), approximate=approximate)
        for policy in policies
        if summary_type(policy) != "UserDefined"
    ]  # fmt: skip


def _everybody(inputs: Inputs, policies: Sequence[Policy]) -> list[GpaResult]:
    """All students' GPAs under the policies that rank."""
    from gateway.core.gpa.compute import compute_gpa

    ranking = [policy for policy in policies if policy.rank is not None]
    if not ranking or inputs.students is None:
        return []
    courses: pl.DataFrame = inputs.read_courses(policies)[0]
    return [
        compute_gpa(policy, courses, as_of=inputs.as_of, students=inputs.student_facts(), calendar=inputs.days())
        for policy in ranking
    ]


def _remarks(schema: Path | None) -> list[str]:
    if schema is not None:
        return [f"Checked against the schema in {schema}."]
    return ["The order of elements was checked, but not the schema: name PESC's files with --schema."]
