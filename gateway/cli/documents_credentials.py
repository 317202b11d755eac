"""``documents credentials``: Open Badges and learner records, signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.documents_gpa import Computed, compute_for_documents
from gateway.cli.documents_inputs import Given, issuing_options, make_and_tell
from gateway.cli.gpa_inputs import Inputs, input_options
from gateway.core.errors import ConfigurationError

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.mapping import CompiledMapping
    from gateway.documents.pesc.record import Record

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(cls=Command)
@click.argument("policies", metavar="[POLICY]...", nargs=-1)
@click.option("--student", "student_id", required=True, metavar="ID", help="Whose credentials.")
@click.option("--competencies", type=_FILE, help="The student's levels: levels.csv of `map apply --out`; with a column "
              "course_code, courses are shown as the parents of their competencies.")  # fmt: skip
@click.option("--mapping", type=_FILE, help="The mapping that gave these levels.")
@click.option("--separate", is_flag=True, help="One file for each badge, instead of one learner record around them.")
@click.option("--token", is_flag=True, help="Sign as VC-JWT, instead of with a proof inside (eddsa-rdfc-2022).")
@click.option("--learner", default="", metavar="DID", help="The student's own id; else a salted hash of the number.")
@click.option("--approximate", is_flag=True, help="Make an approximation where the school aggregates no GPA.")
@issuing_options
@input_options("courses", "catalogue", "levels", "convert_by", "students", "calendar")
def credentials(
    inputs: Inputs,
    policies: tuple[str, ...],
    student_id: str,
    competencies: Path | None,
    mapping: Path | None,
    separate: bool,
    token: bool,
    learner: str,
    approximate: bool,
    given: Given,
) -> int:
    """Issue a student's mastered competencies, passed courses and the GPA under every POLICY as signed credentials.

    Open Badges 3.0 in a CLR 2.0. Without a POLICY there are competencies only. The first POLICY is the school's own: it
    says which courses are passed.
    """
    from gateway.documents.credentials.claims import all_claims
    from gateway.documents.credentials.document import credential_orders, issuer_key
    from gateway.documents.gpa_orders import is_approximation, read_named_students
    from gateway.documents.issue import rules_of
    from gateway.store.disclosures import Rules
    from gateway.table_file import read_table

    if (competencies is None) != (mapping is None):
        raise click.UsageError("Name --competencies and --mapping together.")
    if competencies is None and not policies:
        raise click.UsageError("Name a POLICY with --courses, or --competencies with --mapping.")
    if inputs.district is None:
        raise ConfigurationError(
            "Credentials are issued by a district.", hint="Run this where its gateway.yaml is.", code="district.missing"
        )
    key = issuer_key(inputs.district)
    compiled = _mapping(mapping)
    levels = read_table(competencies) if competencies else None
    computed = _computed(inputs, policies, student_id, approximate=approximate)
    results = computed.results if computed else []
    claims = all_claims(
        inputs.district.id, student_id, mapping=compiled, levels=levels, results=results,
        record=_record(computed, student_id) if computed else None,
    )  # fmt: skip
    if computed is None and inputs.students is not None:
        names: dict[str, Any] = _row(read_named_students(inputs.students), student_id)
        name = names.get("name") or " ".join(filter(None, (names.get("given_name"), names.get("family_name"))))
    else:
        name = computed.students[student_id].name if computed else ""
    rules = [rules_of(each.policy) for each in results]
    if compiled is not None:
        rules.append(Rules(compiled.name, compiled.version, compiled.digest))
    tables = [each for each in (computed.courses if computed else None, levels) if each is not None]
    orders = credential_orders(
        claims, key=key, contexts=inputs.district.credentials.contexts, student_id=student_id, name=str(name or ""),
        learner=learner, token=token, separate=separate, rules=rules, tables=tables,
        approximate=is_approximation(results),
    )  # fmt: skip
    with given.desk(inputs.invocation) as desk:
        return make_and_tell(inputs.invocation, desk, orders, alone=True)


def _mapping(path: Path | None) -> CompiledMapping | None:
    from gateway.mappings import load_mapping

    return load_mapping(path) if path else None


def _computed(inputs: Inputs, policies: tuple[str, ...], student_id: str, *, approximate: bool) -> Computed | None:
    if not policies:
        return None
    named = [inputs.policy(name) for name in policies]
    return compute_for_documents(inputs, named, [student_id], everybody=False, approximate=approximate)


def _record(computed: Computed, student_id: str) -> Record:
    from gateway.core.gpa.compute import prepare_courses
    from gateway.documents.pesc.record import build_record

    return build_record(computed.results, prepare_courses(computed.courses), student_id)


def _row(facts: pl.DataFrame, student_id: str) -> dict[str, Any]:
    import polars as pl

    rows = facts.filter(pl.col("student_id").cast(pl.String) == student_id).to_dicts()
    return rows[0] if rows else {}
