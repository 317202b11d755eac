"""``map apply``: a mapping tried on evidence."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.command import Command
from gateway.cli.ground import AS_OF, MAPPING, Ground, declared, evidence_options, open_ground, shown
from gateway.cli.invocation import Invocation, now
from gateway.core.errors import EXIT_WARNINGS

if TYPE_CHECKING:
    from gateway.core.mapping import CompiledMapping
    from gateway.mapped_file import Tally

_MOST = 20


@click.command(cls=Command)
@MAPPING
@evidence_options
@AS_OF
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write the tables into this folder.")
@click.option(
    "--format", "form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True, help="With --out."
)
@click.option(
    "--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True, help="Where it is worked out."
)
@click.option("--scheduler", metavar="ADDRESS", help="With --engine dask: tcp://HOST:PORT of its scheduler.")
@click.pass_obj
def apply(
    invocation: Invocation,
    mapping: Path,
    evidence: Path | None,
    sync_name: str | None,
    as_of: datetime | None,
    out: Path | None,
    form: str,
    engine: str,
    scheduler: str | None,
) -> int:
    """Apply MAPPING to a file of evidence, or to the newest pull, and sum up what it gives. Pushes nothing.

    The tables are levels, continuum, credits, placement, and unmatched: what found no competency or no level, and why.
    Their columns are told in docs/mapping-tools.md. Evidence of any size needs little memory.
    """
    from gateway.engine import EngineName, open_engine
    from gateway.evidence_file import map_parts
    from gateway.mapped_file import Format, TableWriter, Tally
    from gateway.mappings import in_force

    with (
        open_ground(invocation, evidence, sync_name) as ground,
        open_engine(EngineName(engine), scheduler) as workers,
    ):
        compiled = ground.load(mapping)
        mapped = map_parts(compiled, ground.parts, as_of=ground.as_of(as_of), engine=workers)
        if out is None:
            tally = Tally()
            for part in mapped:
                tally.add(part)
        else:
            with TableWriter(out, Format(form)) as tally:
                for part in mapped:
                    tally.add(part)
        notes = [note.as_dict() for note in ground.notes(declared(compiled))]
        fault = in_force(compiled, ground.as_of(as_of) or now().date())
    notes += [{**fault.as_dict(), "rows": 0}] if fault else []
    _answer(invocation, compiled, ground, tally, notes, out)
    troubled = tally.unmatched.height or any(note["rows"] for note in notes) or fault
    return EXIT_WARNINGS if troubled else 0


def _answer(
    invocation: Invocation,
    mapping: CompiledMapping,
    ground: Ground,
    tally: Tally,
    notes: list[dict[str, str | int | None]],
    out: Path | None,
) -> None:
    name = f"{mapping.name} {mapping.version}"
    told = {
        "mapping": name,
        "digest": mapping.digest,
        "of": ground.what,
        "evidence": tally.evidence,
        "used": tally.used,
        "set_aside": dict(sorted(tally.set_aside.items())),
        "tables": tally.rows,
        "unmatched": tally.unmatched.to_dicts(),
        "notes": notes,
    }
    unmatched = [
        f"  {row['rows']:>9,}  unmatched {row['kind']} {row['value'] or '(nothing)'}: {row['reason']}"
        + (f". {row['suggestion']}" if row["suggestion"] else "")
        for row in tally.unmatched.head(_MOST).iter_rows(named=True)
    ]
    lines = [
        f"{name} on {ground.what}: {tally.evidence:,} results, {tally.used:,} used",
        *(f"  {count:>9,}  {each}" for each, count in tally.rows.items() if each != "unmatched"),
        *(f"  {count:>9,}  set aside: {reason}" for reason, count in sorted(tally.set_aside.items())),
        *shown(tally.unmatched.height, unmatched, most=_MOST, more="use --out or --json"),
        *(f"Note: {_note(note)}" for note in notes),
    ]
    if out is not None:
        lines.append(f"Written to {out}")
    invocation.answer(told, lines)


def _note(note: dict[str, str | int | None]) -> str:
    line = f":{note['line']}" if note["line"] else ""
    hint = f" {note['hint']}" if note["hint"] else ""
    return f"{note['file']}{line}: {note['message']}{hint}"
