"""``gpa compute`` and ``gpa rank``: GPAs of a whole course file, or of the newest pull, into files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.command import Command
from gateway.cli.gpa_courses import Gradebook, course_file, gradebook_options
from gateway.cli.gpa_inputs import OUT_FILE, Inputs, input_options
from gateway.cli.gpa_stated import set_beside_stated
from gateway.core.errors import EXIT_WARNINGS

if TYPE_CHECKING:
    from gateway.core.gpa.policy import Policy
    from gateway.gpa_batch import Computed, Options

PERIODS = ("cumulative", "year", "term", "projected")
_FILES = {
    "out": "Written to", "trace": "Line by line:", "problems": "What waits, and why:",
    "stated": "Beside what is stated:",
}  # fmt: skip
_UNDONE = ("pending", "refused")

_policies = click.argument("policies", metavar="POLICY...", nargs=-1, required=True)
_stated = click.option(
    "--stated", metavar="POLICY=TYPE", multiple=True,
    help="With --transcripts: set the GPAs of this type that the system states beside those of POLICY.",
)  # fmt: skip
_approximate = click.option(
    "--approximate", is_flag=True, help="Make the approximation where a school aggregates no GPA; never stored."
)
_workers = click.option(
    "--workers", type=click.IntRange(1, 64), default=min(2, os.cpu_count() or 1), show_default=True, help="Processes."
)
_out = click.option("--out", type=OUT_FILE, required=True, help="The result: CSV, XLSX or Parquet.")


@click.command(cls=Command)
@_policies
@input_options("courses", "transcripts", "catalogue", "levels", "convert_by", "students", "calendar")
@gradebook_options
@_stated
@_out
@click.option(
    "--trace",
    type=OUT_FILE,
    is_flag=False,
    flag_value=Path("-"),
    help="Also a row a course: FILE, or beside the result.",
)
@click.option(
    "--periods", metavar="LIST", default="cumulative", show_default=True, help="Of cumulative, year, term, projected."
)
@_approximate
@_workers
def compute(
    inputs: Inputs,
    *,
    policies: tuple[str, ...],
    gradebook: Gradebook,
    stated: tuple[str, ...],
    out: Path,
    trace: Path | None,
    periods: str,
    approximate: bool,
    workers: int,
) -> int:
    """Compute each student's GPA by every POLICY (a name, or a file) and write one row a student and policy.

    What cannot be told waits, with student, course and line, in a file of problems beside the result; exit code 3.
    """
    from gateway.gpa_batch import compute_file

    found = [inputs.policy(name) for name in policies]
    if trace == Path("-"):
        trace = out.with_name(f"{out.stem}.trace{out.suffix}")
    options = gpa_options(inputs, found, periods=periods, approximate=approximate, trace=trace is not None)
    with course_file(inputs, found, gradebook) as (courses, notes):
        computed = compute_file(options, courses, out, trace=trace, workers=workers)
    lacking = list(_lacking(found, computed, options))
    files = {"out": out, "trace": trace, "problems": computed.problems}
    if stated:
        files["stated"], told = set_beside_stated(inputs, found, stated, out)
        notes = [*notes, *told]
    _answer(inputs, found, computed, notes, lacking, files)
    return EXIT_WARNINGS if any(states.get(each) for states in computed.states.values() for each in _UNDONE) else 0


@click.command(cls=Command)
@click.argument("policy_name", metavar="POLICY")
@input_options("courses", "transcripts", "catalogue", "levels", "convert_by", "students", "calendar")
@_out
@_workers
def rank(inputs: Inputs, *, policy_name: str, out: Path, workers: int) -> int:
    """Compute each student's GPA by POLICY, and rank, percentile and decile within the groups that it names.

    The groups (school_id, grade_level) are those of --students, else of each student's newest courses.
    """
    from gateway.gpa_rank import rank_file

    policy = inputs.policy(policy_name)
    options = gpa_options(inputs, [policy], periods="cumulative", approximate=False, trace=False)
    with course_file(inputs, [policy]) as (courses, notes):
        ranked = rank_file(options, courses, out, workers=workers)
    told = {
        "policy": policy.name, "version": policy.version, "digest": policy.digest, "students": ranked.students,
        "ranked": ranked.ranked, "groups": ranked.groups, "unranked": ranked.unranked, "notes": notes,
        "files": {"out": str(out)},
    }  # fmt: skip
    inputs.invocation.answer(told, [*notes, *ranked.lines(policy), f"Written to {out}"])
    return EXIT_WARNINGS if ranked.computed.states.get(policy.name, {}).get("pending") else 0


def _lacking(policies: list[Policy], computed: Computed, options: Options) -> Iterator[str]:
    """Which columns a policy needs to tell the courses that count, where neither file nor catalogue has them."""
    from gateway.core.gpa.filters import columns_lacking

    given = {*computed.match.matched.values(), *(options.catalogue.columns if options.catalogue is not None else ())}
    for policy in policies:
        if lacking := columns_lacking(policy, given):
            yield f"{policy.name} needs what these courses do not have: {', '.join(lacking)}. Add it, or a --catalogue."


def gpa_options(inputs: Inputs, policies: list[Policy], *, periods: str, approximate: bool, trace: bool) -> Options:
    """What the options say of a computation."""
    from gateway.core.gpa.compute import Period
    from gateway.gpa_batch import Options

    named = list(dict.fromkeys(each.strip() for each in periods.split(",") if each.strip()))
    for each in named:
        if each not in PERIODS:
            raise click.BadParameter(
                f"There is no period {each!r}; there are {', '.join(PERIODS)}", param_hint="--periods"
            )
    return Options(
        policies=tuple(policies),
        as_of=inputs.as_of,
        students=inputs.student_facts(),
        calendar=inputs.days(),
        periods=tuple(Period(each) for each in named),
        approximate=approximate,
        trace=trace,
        catalogue=inputs.read_catalogue(),
        overrides=inputs.overrides(),
    )


def _answer(
    inputs: Inputs,
    policies: list[Policy],
    computed: Computed,
    notes: list[str],
    lacking: list[str],
    files: Mapping[str, Path | None],
) -> None:
    told = {
        "as_of": inputs.as_of,
        "policies": [
            {
                "policy": each.name, "version": each.version, "digest": each.digest, "title": each.title,
                "label": each.label, "states": computed.states.get(each.name, {}),
            }
            for each in policies
        ],
        "columns": asdict(computed.match),
        "notes": [*notes, *lacking],
        "unknown_courses": computed.unknown_courses,
        "storable": computed.storable,
        "rows": computed.rows,
        "files": {name: str(path) for name, path in files.items() if path is not None},
    }  # fmt: skip
    inputs.invocation.answer(told, _lines(inputs, policies, computed, notes, lacking, files))


def _lines(
    inputs: Inputs,
    policies: list[Policy],
    computed: Computed,
    notes: list[str],
    lacking: list[str],
    files: Mapping[str, Path | None],
) -> Iterator[str]:
    yield from notes if inputs.levels or not inputs.courses else computed.match.report()
    for each in policies:
        yield f"{each.title} ({each.name} {each.version}, {each.digest[:12]}) on {inputs.as_of}"
        for state, count in sorted(computed.states.get(each.name, {}).items()):
            yield f"  {count:>9,}  {state.replace('_', ' ')}"
        if each.label:
            yield f"  {each.label}"
    yield from lacking
    if computed.unknown_courses:
        shown = ", ".join(computed.unknown_courses[:10])
        yield f"{len(computed.unknown_courses):,} courses are not in the catalogue: {shown}"
    if not computed.storable:
        yield "A school of these policies aggregates no GPA: keep and send only the others."
    for name, path in files.items():
        if path is not None:
            yield _FILES[name] + f" {path}"
