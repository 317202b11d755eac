"""``map lint`` and ``map apply``: mappings checked, and tried out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.command import LazyGroup
from gateway.cli.invocation import Invocation
from gateway.core.errors import EXIT_ERROR, EXIT_WARNINGS, ConfigurationError

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.mapping import Mapped
    from gateway.settings import District

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
OUTPUTS = ("levels", "continuum", "credits", "unmatched")


@click.group(cls=LazyGroup, name="map")
def map() -> None:
    """Try a mapping on a pull, or check mapping files."""


@map.command()
@click.argument("mappings", metavar="[MAPPING]...", type=_FILE, nargs=-1)
@click.pass_obj
def lint(invocation: Invocation, mappings: tuple[Path, ...]) -> int:
    """Check each MAPPING and run its examples; without one, all that `check` checks but the district's file."""
    from gateway.cli.lint import lint_district, lint_mappings

    checked = lint_mappings(mappings) if mappings else lint_district(invocation.load())
    invocation.answer(
        {"checked": [one.as_dict() for one in checked]}, [line for one in checked for line in one.lines()]
    )
    return EXIT_ERROR if any(one.problems for one in checked) else 0


@map.command()
@click.argument("mapping", type=_FILE)
@click.option("--evidence", type=_FILE, help="A CSV or XLSX file with evidence, instead of the newest pull.")
@click.option("--sync", "sync_name", metavar="NAME", help="The sync whose newest pull is used (default: the only one).")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="As of the end of this day; all evidence otherwise.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Write the tables as CSV files into this folder."
)
@click.pass_obj
def apply(
    invocation: Invocation,
    mapping: Path,
    evidence: Path | None,
    sync_name: str | None,
    as_of: datetime | None,
    out: Path | None,
) -> int:
    """Apply MAPPING to the newest pull, or to a file of evidence, and sum up what it gives. Pushes nothing.

    The tables are levels, continuum, credits, and unmatched: what found no competency or no level, and why.
    """
    from gateway.cli.lint import last_framework
    from gateway.core.mapping import merge_mapped
    from gateway.mappings import load_mapping

    if evidence is not None:
        compiled = load_mapping(mapping)
        frames = _evidence_file(evidence)
    else:
        district = invocation.load()
        compiled = load_mapping(mapping, framework=last_framework(district, district.sync(sync_name)))
        frames = _newest_pull(invocation, district, sync_name)
    day = as_of.date() if as_of else None
    found = merge_mapped(compiled.apply(frame, as_of=day) for frame in frames)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name in OUTPUTS:
            getattr(found, name).write_csv(out / f"{name}.csv")
    _answer(invocation, found, f"{compiled.name} {compiled.version}", out)
    return EXIT_WARNINGS if found.unmatched.height else 0


def _evidence_file(path: Path) -> Iterator[pl.DataFrame]:
    from gateway.core.model import LINE
    from gateway.table_file import read_table

    yield read_table(path).drop(LINE, strict=False)


def _newest_pull(invocation: Invocation, district: District, sync_name: str | None) -> Iterator[pl.DataFrame]:
    """The evidence of the newest checked pull, part by part; each part holds all results of its students."""
    from gateway.core.mapping import gather_evidence
    from gateway.core.partition import STUDENT_TABLES
    from gateway.sync.mapping import SHARED_TABLES
    from gateway.sync.quarantine import latest_snapshot

    with invocation.store(district) as store:
        snapshot = latest_snapshot(store, district, sync_name)
    if snapshot is None:
        raise ConfigurationError(
            "Nothing has been pulled yet.", hint="Run `mastery-gateway pull`, or use --evidence.", code="map.no-pull"
        )
    gone_after = district.sync(sync_name).missing_pulls
    shared = {name: snapshot.read(name, gone_after=gone_after) for name in SHARED_TABLES if snapshot.has(name)}
    for part in range(snapshot.parts):
        own = {
            name: snapshot.read(name, gone_after=gone_after, part=part) for name in STUDENT_TABLES if snapshot.has(name)
        }
        yield gather_evidence({**shared, **own})


def _answer(invocation: Invocation, found: Mapped, name: str, out: Path | None) -> None:
    counts = {each: getattr(found, each).height for each in OUTPUTS}
    told = {
        "mapping": name,
        "evidence": found.evidence,
        "used": found.used,
        "set_aside": dict(found.set_aside),
        "tables": counts,
        "unmatched": found.unmatched.to_dicts(),
    }
    lines = [
        f"{name}: {found.evidence:,} results, {found.used:,} used",
        *(f"  {count:>9,}  {each}" for each, count in counts.items() if each != "unmatched"),
        *(f"  {count:>9,}  set aside: {reason}" for reason, count in found.set_aside.items()),
        *(
            f"  {row['rows']:>9,}  unmatched {row['kind']} {row['value']}: {row['reason']}"
            + (f" {row['suggestion']}" if row["suggestion"] else "")
            for row in found.unmatched.head(20).iter_rows(named=True)
        ),
    ]
    if out is not None:
        lines.append(f"Written to {out}")
    invocation.answer(told, lines)
