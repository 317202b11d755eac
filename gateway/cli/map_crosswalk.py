"""``map crosswalk export`` and ``import``: the crosswalk as a workbook that people review, and back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.command import LazyGroup
from gateway.cli.ground import FILE, MAPPING, evidence_options, open_ground, shown
from gateway.cli.invocation import Invocation
from gateway.core.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from gateway.core.mapping import CompiledMapping
    from gateway.crosswalk_review import Review

_MOST = 30
_OUT = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=LazyGroup)
def crosswalk() -> None:
    """The crosswalk as a workbook to review, and back."""


@crosswalk.command()
@MAPPING
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--out", type=_OUT, required=True, help="The workbook (.xlsx) to write.")
@evidence_options
@click.pass_obj
def export(
    invocation: Invocation, mapping: Path, name: str | None, out: Path, evidence: Path | None, sync_name: str | None
) -> int:
    """Write the crosswalk NAME of MAPPING (or the only one) as a workbook to review: each code with the competency and
    its statement, and a column for the review.

    With --evidence or --sync also how many results and students carry each code, and the codes that match nothing, the
    most frequent first, each with the nearest known one.
    """
    from gateway.crosswalk_file import competency_table, crosswalk_table, write_crosswalk

    if out.suffix.lower() != ".xlsx":
        raise ConfigurationError(f"{out.name} is no workbook.", hint="Let its name end in .xlsx.", code="map.file")
    if evidence or sync_name:
        with open_ground(invocation, evidence, sync_name) as ground:
            compiled = ground.load(mapping)
            chosen = _choose(compiled, name)
            table = crosswalk_table(compiled, chosen, ground.parts)
    else:
        from gateway.mappings import load_mapping

        compiled = load_mapping(mapping)
        chosen = _choose(compiled, name)
        table = crosswalk_table(compiled, chosen)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_crosswalk(table, out, competency_table(compiled))
    states = dict(table["review"].value_counts(sort=True).rows())
    told = ", ".join(f"{count:,} {state}" for state, count in states.items())
    invocation.answer(
        {"crosswalk": chosen, "file": str(out), "lines": table.height, "states": states},
        [
            f"{out}: {table.height:,} lines of {chosen}: {told or 'none'}",
            f"Review it, save it, then: mastery-gateway map crosswalk import {out} --out {Path(chosen).stem}.csv",
        ],
    )
    return 0


def _choose(mapping: CompiledMapping, name: str | None) -> str:
    """The crosswalk with this name, file name or stem, or the only one."""
    ways = mapping.document.value("align")
    written = [way.get("crosswalk") for way in ways if isinstance(way, dict)] if isinstance(ways, list) else []
    known = list(dict.fromkeys(str(each) for each in written if each))
    if not known:
        hint = "Nothing under `align` says `crosswalk`."
        raise ConfigurationError("The mapping names no crosswalk.", hint=hint, code="mapping.unknown-crosswalk")
    if name is None and len(known) == 1:
        return known[0]
    found = [each for each in known if name in (each, Path(each).name, Path(each).stem)]
    if len(found) == 1:
        return found[0]
    if name is None:
        message, hint = f"The mapping names {len(known)} crosswalks.", f"Name one: {', '.join(known)}."
    else:
        message = f'The mapping names no crosswalk "{name}".'
        hint = (
            did_you_mean(name, [*known, *(Path(each).stem for each in known)]).strip()
            or f"There are: {', '.join(known)}."
        )
    raise ConfigurationError(message, hint=hint, code="mapping.unknown-crosswalk")


@crosswalk.command(name="import")
@click.argument("workbook", type=FILE)
@click.option("--out", type=_OUT, required=True, help="The crosswalk (.csv) to write; the one that the mapping names.")
@click.pass_obj
def import_(invocation: Invocation, workbook: Path, out: Path) -> int:
    """Check a reviewed WORKBOOK, say what the review changed, and write it as the crosswalk that a mapping names.

    Nothing is written if a line is wrong: a code that the framework does not have, a weight that is no positive number,
    a line that stands twice. A line marked `wrong` is kept without its competency.
    """
    from gateway.crosswalk_review import read_review, write_crosswalk_csv

    if out.suffix.lower() != ".csv":
        raise ConfigurationError(f"{out.name} is no CSV file.", hint="Let its name end in .csv.", code="map.file")
    review = read_review(workbook)
    write_crosswalk_csv(review.table, out)
    told = {
        "file": str(out),
        "lines": review.table.height,
        "states": dict(review.counts),
        "withdrawn": review.withdrawn,
        "changes": None if review.changes is None else [asdict(change) for change in review.changes],
    }
    invocation.answer(told, [*_lines(review), f"Written to {out}; check with `mastery-gateway map lint MAPPING`."])
    return 0


def _lines(review: Review) -> list[str]:
    states = ", ".join(f"{count:,} {state}" for state, count in review.counts.items() if count)
    lines = [f"{review.table.height:,} lines: {states or 'none'}"]
    if review.withdrawn:
        lines.append(f"{review.withdrawn:,} marked wrong: kept without their competency")
    if review.changes is None:
        return [*lines, "What was changed is not known: this is no workbook that was exported."]
    if not review.changes:
        return [*lines, "The review changed nothing."]
    rows = [f"  {'line ' + str(each.line) if each.line else '':<10} {each}" for each in review.changes]
    return [*lines, f"{len(rows):,} changes:", *shown(len(rows), rows, most=_MOST, more="use --json")]
