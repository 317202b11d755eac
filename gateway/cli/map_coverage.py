"""``map coverage``: which competencies the gradebook covers, and how far."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.ground import MAPPING, evidence_options, open_ground
from gateway.cli.invocation import Invocation

if TYPE_CHECKING:
    import polars as pl

_MOST = 10


@click.command(cls=Command)
@MAPPING
@evidence_options
@click.option("--all", "every", is_flag=True, help="Every competency instead of a summary by domain.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the table as .csv, .xlsx or .parquet."
)
@click.pass_obj
def coverage(
    invocation: Invocation, mapping: Path, evidence: Path | None, sync_name: str | None, every: bool, out: Path | None
) -> int:
    """Say what the evidence covers of the framework of MAPPING: by competency the results that count, students with
    evidence, with a level, and proficient; and which competencies have none."""
    from gateway.core.mapping.coverage import coverage as cover
    from gateway.core.mapping.coverage import sum_coverage
    from gateway.report_file import check_report_path, write_report

    if out is not None:
        check_report_path(out)

    with open_ground(invocation, evidence, sync_name) as ground:
        compiled = ground.load(mapping)
        table = sum_coverage([cover(compiled, part) for part in ground.parts])
    name = f"{compiled.name} {compiled.version}"
    told = {"mapping": name, "digest": compiled.digest, "of": ground.what, "competencies": table.to_dicts()}
    leaves = {compiled.label(id) for id in compiled.framework.leaves}
    covered = table.filter(table["students"] > 0).height
    lines = [f"{name} on {ground.what}: {covered:,} of {table.height:,} competencies have evidence"]
    lines += [_row(row) for row in table.iter_rows(named=True)] if every else list(_by_domain(table, leaves))
    if out is not None:
        write_report({"coverage": table}, {"mapping": name, "digest": compiled.digest, "of": ground.what}, out)
        lines.append(f"Written to {out}")
    invocation.answer(told, lines)
    return 0


def _row(row: dict[str, Any]) -> str:
    counts = f"{row['results']:>9,} {row['students']:>9,} {row['with_level']:>9,} {row['proficient']:>9,}"
    return f"{counts}  {row['competency']}  {row['statement'] or ''}"[:120]


def _by_domain(table: pl.DataFrame, leaves: set[str]) -> Iterator[str]:
    """Sums by domain; results are not summed, for a level that is rolled up stands on those below it."""
    import polars as pl

    sums = table.group_by("domain", maintain_order=True).agg(
        pl.len().alias("all"), (pl.col("students") > 0).sum().alias("covered"), pl.col("with_level", "proficient").sum()
    )
    yield f"  {'covered':>15} {'levels':>11} {'proficient':>11}  domain"
    for row in sums.rows(named=True):
        covered = f"{row['covered']:,} of {row['all']:,}"
        yield f"  {covered:>15} {row['with_level']:>11,} {row['proficient']:>11,}  {row['domain'] or '(none)'}"
    none = table.filter(pl.col("students") == 0)["competency"]
    without = [label for label in none if label in leaves]
    if without:
        more = f" and {len(without) - _MOST:,} more; use --all or --out" if len(without) > _MOST else ""
        yield f"Without evidence: {', '.join(without[:_MOST])}{more}"
