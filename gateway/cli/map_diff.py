"""``map diff``: who changes, and by how much, before a mapping goes live."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.ground import AS_OF, FILE, Ground, evidence_options, open_ground, shown
from gateway.cli.invocation import Invocation

if TYPE_CHECKING:
    import polars as pl

_MOST = 20
_SHOWN = 1000
_COUNTS = ("up", "down", "gained", "lost", "newly_proficient", "no_longer_proficient")


@click.command(cls=Command)
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@evidence_options
@AS_OF
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every change, and the summary, as .csv, .xlsx or .parquet.",
)
@click.pass_obj
def diff(
    invocation: Invocation,
    old: Path,
    new: Path,
    evidence: Path | None,
    sync_name: str | None,
    as_of: datetime | None,
    out: Path | None,
) -> int:
    """Say who changes, and by how much, if the mapping NEW takes the place of OLD: by school and competency, and level
    by level with --out or --json.

    Both are applied to the same evidence. Nothing is pushed.
    """
    import polars as pl

    from gateway.core.mapping import diff as compare
    from gateway.core.mapping.coverage import CHANGES, SUMMARY, sum_summaries
    from gateway.report_file import check_report_path, write_report

    if out is not None:
        check_report_path(out)
    with open_ground(invocation, evidence, sync_name) as ground, tempfile.TemporaryDirectory() as work:
        before, after = ground.load(old), ground.load(new)
        names = [f"{each.name} {each.version} ({path})" for each, path in ((before, old), (after, new))]
        summaries, students, files = [pl.DataFrame(schema=dict(SUMMARY))], 0, []
        for n, part in enumerate(ground.parts):
            found = compare(before, after, part, as_of=ground.as_of(as_of))
            files.append(Path(work) / f"{n:06}.parquet")
            found.changes.write_parquet(files[-1])
            summaries.append(found.summary)
            students += found.changes["student_id"].n_unique()
        changes = pl.scan_parquet(files) if files else pl.LazyFrame(schema=dict(CHANGES))
        changes = changes.sort("school_id", "competency", "student_id")
        summary = sum_summaries(summaries)
        written: list[Path] = []
        if out is not None:
            about = {"old": names[0], "new": names[1], "on": ground.what}
            written = write_report({"changes": changes.collect(), "summary": summary}, about, out)
        first = changes.head(_SHOWN).collect()
        count = int(changes.select(pl.len()).collect().item())
    told = {
        "old": {"mapping": before.name, "version": before.version, "digest": before.digest},
        "new": {"mapping": after.name, "version": after.version, "digest": after.digest},
        "of": ground.what,
        "changes": count,
        "students": students,
        "summary": summary.to_dicts(),
        "first_changes": first.to_dicts(),
    }
    invocation.answer(told, [*_lines(names, ground, count, students, summary), *_written(written, count)])
    return 0


def _lines(names: list[str], ground: Ground, count: int, students: int, summary: pl.DataFrame) -> Iterator[str]:
    yield f"From {names[0]}"
    yield f"to   {names[1]}"
    yield f"on   {ground.what}"
    if not count:
        yield "Nothing changes."
        return
    totals = {name: int(summary[name].sum()) for name in _COUNTS}
    yield f"{count:,} level{'' if count == 1 else 's'} of {students:,} student{'' if students == 1 else 's'} change."
    yield f"  {totals['up']:,} rise, {totals['down']:,} fall, {totals['gained']:,} are gained, {totals['lost']:,} lost"
    yield f"  {totals['newly_proficient']:,} newly proficient, {totals['no_longer_proficient']:,} no longer"
    yield ""
    yield f"  {'school':<24} {'competency':<20} {'students':>8} {'up':>6} {'down':>6} {'gained':>6} {'lost':>6}  by"
    ordered = summary.sort("students", descending=True, maintain_order=True)
    rows = [_row(row, ground.schools) for row in ordered.head(_MOST + 1).rows(named=True)]
    yield from shown(summary.height, rows, most=_MOST, more="use --json or --out")


def _row(row: dict[str, Any], schools: Mapping[str, str]) -> str:
    counts = " ".join(f"{row[name]:>6,}" for name in _COUNTS[:4])
    school = schools.get(row["school_id"], row["school_id"]) or "(unknown)"
    return f"  {school[:24]:<24} {row['competency'][:20]:<20} {row['students']:>8,} {counts}  {_by(row)}"


def _by(row: dict[str, Any]) -> str:
    if row["least"] is None:
        return ""
    low, high = (f"{row[name].normalize():+f}" for name in ("least", "greatest"))
    return low if low == high else f"{low} to {high}"


def _written(files: list[Path], count: int) -> Iterator[str]:
    if files:
        yield f"Written to {' and '.join(map(str, files))}"
    elif count:
        yield "Every change, student by student: --out changes.xlsx"
