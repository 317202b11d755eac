"""``report growth``: growth and pace of groups of students, since their baseline or between two past runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.invocation import Invocation
from gateway.cli.report_source import (
    Chosen,
    Material,
    about_material,
    hand_out,
    minimum_option,
    opened_material,
    report_options,
    with_titles,
)
from gateway.core.errors import ConfigurationError

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.reports.growth import By, GrowthCounts
    from gateway.sync.kept import KeptRun

_LINES = 40


@click.command(cls=Command)
@report_options
@click.option(
    "--by",
    type=click.Choice(["school", "domain", "grade", "cohort"]),
    multiple=True,
    default=("school", "domain"),
    show_default="school and domain",
    help="Group by this; may be given several times.",
)
@click.option("--from", "start", metavar="RUN", help="Growth between two past runs: the id of the first, or a day.")
@click.option("--to", "end", metavar="RUN", help="The second run, or a day (default: the newest run).")
@click.option(
    "--cohorts",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A table with student_id and cohort, for groups of your own.",
)
@minimum_option
@click.pass_obj
def growth(
    invocation: Invocation,
    /,
    by: tuple[str, ...],
    start: str | None,
    end: str | None,
    cohorts: Path | None,
    minimum: int,
    **shared: Any,
) -> int:
    """Sum up growth and pace by school, domain, grade or cohort: how many, quartiles, and who grew by a year or more.

    Growth is told since each student's baseline, or, with --from, as the difference between two past runs.
    """
    from gateway.core.reports.growth import By, count_growth, growth_table, sum_growth

    chosen = Chosen(**shared)
    groups = list(dict.fromkeys(By(each) for each in by))
    if end is not None and start is None:
        raise click.UsageError("--to needs --from.")
    if start is not None and (chosen.evidence is not None or chosen.as_of is not None):
        raise click.UsageError("--from compares past runs: it does not go with --evidence or --as-of.")
    with opened_material(invocation, chosen) as material:
        if start is None:
            basis = Basis(_since_baseline(material), material.as_of, {"growth since": "the baseline"})
        else:
            basis = _between_runs(invocation, chosen, material, start, end)
        total: list[GrowthCounts] = []
        for rows, students in basis.parts:
            total = [sum_growth([*total, count_growth(rows, _in_cohorts(students, cohorts), groups, basis.day)])]
        table = with_titles(growth_table(total[0], groups, minimum=minimum), material, "school_id")
        about = about_material("growth", material, by=", ".join(groups), minimum=minimum) | dict(basis.notes)
    hand_out(invocation, chosen, {"growth": table}, about, _lines(table, groups, basis, minimum))
    return 0


@dataclass(frozen=True, slots=True)
class Basis:
    """Growth and students part by part; the day whose school year tells cohorts; what the reader must know."""

    parts: Iterator[tuple[pl.DataFrame, pl.DataFrame]]
    day: date
    notes: Mapping[str, str]


def _since_baseline(material: Material) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    from gateway.core.reports.growth import growth_since_baseline
    from gateway.core.reports.standing import needs_continuum

    needs_continuum(material.mapping)
    for evidence, students in material.parts:
        mapped = material.mapping.apply(evidence, as_of=material.as_of)
        yield growth_since_baseline(mapped.continuum), students


def _between_runs(invocation: Invocation, chosen: Chosen, material: Material, start: str, end: str | None) -> Basis:
    from gateway.sync.kept import kept_run

    district = invocation.load()
    with invocation.store(district) as store:
        first = kept_run(store, district, chosen.sync_name, start)
        last = kept_run(store, district, chosen.sync_name, end)
    if first.id == last.id or first.day > last.day:
        raise ConfigurationError(
            f"The run {last.id} does not come after the run {first.id}.",
            hint="Name an earlier one with --from; see `mastery-gateway runs list`.",
            code="report.same-run",
        )
    notes = {"growth since": f"run {first.id} ({first.day})", "until": f"run {last.id} ({last.day})"}
    if {first.digest, last.digest} != {material.mapping.digest}:
        notes["note"] = "The mapping has changed since one of these runs; part of the growth may come from that."
    return Basis(_differences(material, first, last), last.day, notes)


def _differences(material: Material, first: KeptRun, last: KeptRun) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    from gateway.core.reports.growth import growth_between

    days, parts = (last.day - first.day).days, last.parts()
    for part in range(parts):
        rows = growth_between(material.mapping, first.continuum(part, parts), last.continuum(part, parts), days)
        yield rows, material.roster


def _in_cohorts(students: pl.DataFrame, path: Path | None) -> pl.DataFrame:
    """``students`` with the cohorts of a table, if one was named: student_id and cohort, one line for each student."""
    if path is None:
        return students
    from gateway.table_file import read_table

    table = read_table(path)
    missing = {"student_id", "cohort"} - set(table.columns)
    if missing:
        raise ConfigurationError(
            f"{path.name} has no column {' and no column '.join(sorted(missing))}.",
            hint="It needs student_id and cohort.",
            code="report.cohorts",
        )
    if table["student_id"].is_duplicated().any():
        raise ConfigurationError(
            f"{path.name} names {int(table['student_id'].is_duplicated().sum())} lines of students more than once.",
            hint="Leave one line for each student.",
            code="report.cohorts",
        )
    return students.join(table.select("student_id", "cohort"), on="student_id", how="left")


def _lines(table: pl.DataFrame, groups: Sequence[By], basis: Basis, minimum: int) -> list[str]:
    hidden = int(table["hidden"].sum())
    lines = [", ".join(f"{name} {text}" for name, text in basis.notes.items() if name != "note").capitalize()]
    lines += [text for name, text in basis.notes.items() if name == "note"]
    lines.append("  students   lower  median   upper  a year   pace: median  a year   (growth in performance levels)")
    shown = table.filter(~table["hidden"])
    for row in shown.head(_LINES).iter_rows(named=True):
        names = [str(row.get(each) or row.get(f"{each}_id") or "-") for each in groups]
        told = [row[f"growth_{name}"] for name in ("lower_quartile", "median", "upper_quartile")]
        pace = "-" if row["pace_median"] is None else row["pace_median"]
        lines.append(
            f"  {row['growth_students']:>8,}" + "".join(f"{value:>8}" for value in told)
            + f"{_percent(row['growth_a_year_share']):>8}{pace:>15}{_percent(row['pace_a_year_share']):>8}   "
            + ("all" if row["of"] == "all" else ", ".join(names))
        )  # fmt: skip
    if shown.height > _LINES:
        lines.append(f"  and {shown.height - _LINES:,} more; --out writes them all")
    if hidden:
        lines.append(f"  {hidden:,} groups hidden, as they or their neighbours have fewer than {minimum} students")
    return lines


def _percent(share: Decimal | None) -> str:
    return "-" if share is None else f"{share * 100:.0f} %"
