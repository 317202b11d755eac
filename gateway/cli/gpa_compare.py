"""``gpa compare``: who changes, and why, when a policy or its version changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.gpa_inputs import OUT_FILE, Inputs, input_options
from gateway.core.errors import ConfigurationError

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.gpa.policy import Policy

_COUNTS = ("higher", "lower", "other_state", "other_standing")


@click.command(cls=Command)
@click.argument("old_name", metavar="OLD")
@click.argument("new_name", metavar="NEW")
@input_options("courses", "transcripts", "catalogue", "levels", "convert_by", "students", "calendar")
@click.option("--out", type=OUT_FILE, help="All students, as CSV, XLSX or Parquet.")
@click.option("--approximate", is_flag=True, help="Compare also where a school aggregates no GPA.")
def compare(inputs: Inputs, *, old_name: str, new_name: str, out: Path | None, approximate: bool) -> int:
    """Compare the GPAs by the policies OLD and NEW (names, files, or NAME@VERSION), by school, and say what changes.

    A version need not be in force.
    """
    from gateway.core.gpa.comparison import compare_policies
    from gateway.core.gpa.overrides import override_courses
    from gateway.course_files import check_ending, write_table

    if out is not None:
        check_ending(out)
    old, new = (_version(inputs, name) for name in (old_name, new_name))
    courses, _ = inputs.read_courses([old, new])
    courses = override_courses(courses, inputs.overrides())
    found = compare_policies(
        old, new, courses, as_of=inputs.as_of, students=inputs.student_facts(), calendar=inputs.days(),
        approximate=approximate,
    )  # fmt: skip
    schools = _by_school(found)
    if out is not None:
        places = max(old.round_gpa.places, new.round_gpa.places)
        write_table(_shown(found, places), out, title="Comparison")
    told = {
        "old": _head(old), "new": _head(new), "students": found.height, "changed": int(found["changed"].sum()),
        "schools": schools.to_dicts(), "changes": found.filter("changed").head(1000).to_dicts(),
        "out": str(out) if out else None,
    }  # fmt: skip
    inputs.invocation.answer(told, _lines(old, new, found, schools, out))
    return 0


def _version(inputs: Inputs, name: str) -> Policy:
    """A policy by name, by file, or by name and version."""
    from gateway.policies import load_policy, policy_versions

    wanted, at, version = name.partition("@")
    if name.endswith((".yaml", ".yml")):
        return load_policy(Path(name))
    if not at:
        return inputs.policy(name)
    versions = policy_versions(wanted, inputs.folders)
    for each in versions:
        if each.version == version:
            return each
    known = ", ".join(each.version for each in versions)
    raise ConfigurationError(
        f"The policy {wanted} has no version {version}.", hint=f"There are: {known}.", code="policy.versions"
    )


def _head(policy: Policy) -> dict[str, Any]:
    return {"policy": policy.name, "version": policy.version, "digest": policy.digest, "label": policy.label}


def _by_school(found: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    number = pl.col("difference")
    return (
        found.group_by("school_id")
        .agg(
            pl.len().alias("students"),
            pl.col("changed").sum(),
            (number > 0).sum().alias("higher"),
            (number < 0).sum().alias("lower"),
            pl.col("old_state").ne_missing(pl.col("new_state")).sum().alias("other_state"),
            pl.col("old_standing").ne_missing(pl.col("new_standing")).sum().alias("other_standing"),
        )
        .sort("school_id", nulls_last=True)
    )


def _shown(found: pl.DataFrame, places: int) -> pl.DataFrame:
    import polars as pl

    return found.with_columns(pl.col("old_gpa", "new_gpa", "difference").cast(pl.Decimal(18, places)))


def _lines(old: Policy, new: Policy, found: pl.DataFrame, schools: pl.DataFrame, out: Path | None) -> Iterator[str]:
    yield f"{old.name} {old.version} → {new.name} {new.version}: {found['changed'].sum():,} of {found.height:,} change"
    for row in schools.iter_rows(named=True):
        counts = [f"{row[name]:,} {name.replace('other_', 'another ')}" for name in _COUNTS if row[name]]
        told = f": {', '.join(counts)}" if counts else ""
        yield f"  {row['school_id'] or 'no school'}: {row['changed']:,} of {row['students']:,} change{told}"
    for row in found.filter("changed").head(20).iter_rows(named=True):
        gpas = [_one(policy, row, side) for policy, side in ((old, "old"), (new, "new"))]
        yield f"  {row['student_id']}: {gpas[0]} → {gpas[1]}: {row['why']}"
    yield from (policy.label for policy in (old, new) if policy.label)
    if out is not None:
        yield f"Written to {out}"


def _one(policy: Policy, row: dict[str, Any], side: str) -> str:
    from gateway.core.gpa.explain import gpa_text

    standing = f", {row[f'{side}_standing']}" if row[f"{side}_standing"] else ""
    return (gpa_text(policy, row[f"{side}_gpa"]) or row[f"{side}_state"].replace("_", " ")) + standing
