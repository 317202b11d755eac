"""``report pace``: the students somebody should look at, and why."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.invocation import Invocation
from gateway.cli.report_source import (
    Chosen,
    about_material,
    hand_out,
    opened_material,
    report_options,
    with_titles,
)

if TYPE_CHECKING:
    import polars as pl


_WORDS = {
    "no_progress": "no progress in {0.no_progress_weeks} weeks",
    "behind": "{0.levels_behind} or more performance levels below the grade",
    "nothing_scored": "nothing scored since {since}",
    "gaps": "{0.gaps} or more gaps below the performance level",
    "advancing": "a pace of {0.advancing_pace} or more levels a school year",
}


@click.command(cls=Command)
@report_options
@click.option(
    "--no-progress", "weeks", type=click.IntRange(1, 520), default=6, show_default=True, metavar="WEEKS",
    help="List who stands where they stood so many weeks ago.",
)  # fmt: skip
@click.option(
    "--behind", type=click.IntRange(1, 20), default=2, show_default=True, metavar="LEVELS",
    help="List who works so many performance levels below the grade.",
)  # fmt: skip
@click.option(
    "--not-scored", "silent", type=click.IntRange(1, 520), default=4, show_default=True, metavar="WEEKS",
    help="List who has had no score for so many weeks.",
)  # fmt: skip
@click.option("--not-scored-since", "since", type=click.DateTime(["%Y-%m-%d"]), help="The same, as a day.")
@click.option(
    "--gaps", type=click.IntRange(1, 1000), default=1, show_default=True, metavar="COUNT",
    help="List who has so many gaps below the performance level.",
)  # fmt: skip
@click.option(
    "--advancing", type=click.IntRange(1, 20), default=2, show_default=True, metavar="PACE",
    help="List who gains so many performance levels a school year.",
)  # fmt: skip
@click.option(
    "--by",
    type=click.Choice(["school", "class", "teacher", "advisor"]),
    default="school",
    show_default=True,
    help="Sum up by this on the screen.",
)
@click.pass_obj
def pace(
    invocation: Invocation,
    /,
    weeks: int,
    behind: int,
    silent: int,
    since: datetime | None,
    gaps: int,
    advancing: int,
    by: str,
    **shared: Any,
) -> int:
    """List the students somebody should look at, domain by domain, with the facts of each reason.

    The file names single students: it is for those who teach and advise them, and no small numbers are hidden in it.
    """
    import polars as pl

    from gateway.core.reports.pace import Thresholds, count_exceptions, find_exceptions, sorted_exceptions

    chosen = Chosen(**shared)
    limits = Thresholds(weeks, Decimal(behind), silent, since.date() if since else None, gaps, Decimal(advancing))
    with opened_material(invocation, chosen) as material:
        found = [
            find_exceptions(material.mapping, evidence, students, material.as_of, limits)
            for evidence, students in material.parts
        ]
        rows = sorted_exceptions(pl.concat(found))
        counts = count_exceptions(rows)
        told = {name: words.format(limits, since=limits.scored_by(material.as_of)) for name, words in _WORDS.items()}
        about = about_material("pace", material, **told)
        tables = {
            "exceptions": with_titles(rows, material, "school_id", "class_id"),
            "counts": with_titles(counts, material, "id"),
        }
    hand_out(invocation, chosen, tables, about, _lines(rows, tables["counts"], told, by))
    return 0


def _lines(rows: pl.DataFrame, counts: pl.DataFrame, told: dict[str, str], by: str) -> list[str]:
    lines = [f"{rows['student_id'].n_unique():,} students on the list"]
    for name, words in told.items():
        mine = rows.filter(rows["exception"] == name)
        lines.append(f"  {mine['student_id'].n_unique():>9,}  {words}")
    mine = counts.filter(counts["by"] == by)
    for _, group in mine.group_by("id", maintain_order=True):
        first = group.row(0, named=True)
        said = ", ".join(f"{row['students']:,} {row['exception']}" for row in group.iter_rows(named=True))
        lines.append(f"{by} {first.get('title') or first['id']}: {said}".replace("_", " "))
    return lines
