"""``gpa override``: decisions of people on GPAs and courses, kept in the district's database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import LazyGroup
from gateway.cli.gpa_inputs import IN_FILE
from gateway.cli.invocation import Invocation, now
from gateway.core.errors import ConfigurationError, Place

if TYPE_CHECKING:
    from gateway.settings import District
    from gateway.store.gpa_overrides import KeptOverride


@click.group(cls=LazyGroup)
def override() -> None:
    """Keep what people decide on GPAs and courses; every later GPA shows it, with person and reason."""


@override.command()
@click.argument("file", type=IN_FILE)
@click.pass_obj
def record(invocation: Invocation, file: Path) -> int:
    """Keep the decisions in FILE (CSV or XLSX), one a row; each needs a person and a reason.

    Columns: student_id, person, reason, and on; either policy and gpa, or course_code (and school_year, term), column
    and value.
    """
    from gateway.gpa_tables import read_overrides
    from gateway.store.gpa_overrides import record_overrides

    district = invocation.load()
    overrides = read_overrides(file, on=now().astimezone(district.time_zone).date())
    _check_policies(file, {each.policy for each in overrides if each.policy and each.gpa is not None}, district)
    with invocation.store(district) as store:
        numbers = record_overrides(store, district.id, overrides, now=now())
    told = [f"{len(numbers):,} kept, as {', '.join(map(str, numbers))}" if numbers else "The file has no override."]
    invocation.answer({"numbers": numbers}, told)
    return 0


@override.command(name="list")
@click.option("--student", metavar="ID", help="Only those of this student.")
@click.option("--all", "withdrawn", is_flag=True, help="Those that were withdrawn, too.")
@click.pass_obj
def list_(invocation: Invocation, student: str | None, *, withdrawn: bool) -> int:
    """List the decisions that hold: number, student, what, by whom, when and why."""
    from gateway.store.gpa_overrides import kept_overrides

    district = invocation.load()
    with invocation.store(district) as store:
        kept = kept_overrides(store, district.id, withdrawn=withdrawn)
    kept = [each for each in kept if student in (None, each.override.student_id)]
    invocation.answer({"overrides": [_told(each) for each in kept]}, [_line(each) for each in kept] or ["None."])
    return 0


@override.command()
@click.argument("number", type=int)
@click.option("--by", "person", metavar="NAME", required=True, help="Who withdraws it.")
@click.option("--reason", metavar="TEXT", required=True, help="Why.")
@click.pass_obj
def withdraw(invocation: Invocation, number: int, person: str, reason: str) -> int:
    """Let the decision NUMBER no longer hold; it stays on record."""
    from gateway.store.gpa_overrides import withdraw_override

    district = invocation.load()
    with invocation.store(district) as store:
        withdraw_override(store, district.id, number, person=person, reason=reason, now=now())
    invocation.answer({"withdrawn": number}, [f"Override {number} no longer holds."])
    return 0


def _check_policies(file: Path, names: Iterable[str], district: District) -> None:
    """That each policy is there, and is of a school that aggregates a GPA: another one is never stored."""
    from gateway.core.gpa.policy import Aggregate
    from gateway.policies import policy_folders, policy_versions

    for name in sorted(names):
        versions = policy_versions(name, policy_folders(district.policies))
        if any(policy.aggregate is Aggregate.ON_REQUEST_ONLY for policy in versions):
            raise ConfigurationError(
                f"The school aggregates no GPA ({name}): none is stored, and so none is overridden.",
                hint="Leave the row out; nothing of the file was kept.",
                code="gpa.override",
                place=Place(str(file)),
            )


def _told(kept: KeptOverride) -> dict[str, Any]:
    each = kept.override
    return {
        "number": kept.number, "student_id": each.student_id, "policy": each.policy, "gpa": each.gpa,
        "course": each.course, "values": each.values, "person": each.person, "reason": each.reason, "on": each.on,
        "recorded_at": kept.recorded_at.isoformat(), "withdrawn_by": kept.withdrawn_by,
        "withdrawn_why": kept.withdrawn_why,
        "withdrawn_at": kept.withdrawn_at.isoformat() if kept.withdrawn_at else None,
    }  # fmt: skip


def _line(kept: KeptOverride) -> str:
    each = kept.override
    values = ", ".join(f"{column} is {value or 'empty'}" for column, value in (each.values or {}).items())
    what = f"{each.what}: {values}" if each.values else f"GPA {each.gpa} by {each.policy}"
    gone = f"; withdrawn by {kept.withdrawn_by}: {kept.withdrawn_why}" if kept.withdrawn_at else ""
    return f"{kept.number:>5}  {each.student_id}  {what}; {each.words}{gone}"
