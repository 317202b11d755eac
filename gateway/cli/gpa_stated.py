"""``gpa compute --stated``: the GPAs that the student information system states beside those that were computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.gpa_inputs import Inputs

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.gpa.policy import Policy


def set_beside_stated(
    inputs: Inputs, policies: Sequence[Policy], pairs: Sequence[str], out: Path
) -> tuple[Path, list[str]]:
    """Write the comparison beside the result ``out``; returns its file and what is to be said of it."""
    from gateway.core.gpa.stated import beside_stated
    from gateway.course_files import write_table
    from gateway.sync.transcripts import stated_gpas

    if inputs.transcripts is None:
        raise click.UsageError("--stated needs --transcripts.")
    types = _types(pairs, [each.name for each in policies])
    with inputs.pulled_transcripts() as snapshot:
        stated = stated_gpas(snapshot)
    found = beside_stated(_results(out), stated, types)
    path = out.with_name(f"{out.stem}.stated{out.suffix}")
    write_table(found, path, title="Stated")
    counts = found.group_by("policy", "found").len().sort("policy", "found").rows()
    return path, [f"{policy}, {types[policy]} as stated: {number:,} {word}" for policy, word, number in counts]


def _types(pairs: Sequence[str], names: Sequence[str]) -> Mapping[str, str]:
    types = {}
    for pair in pairs:
        policy, equals, kind = pair.partition("=")
        if not equals or policy.strip() not in names:
            raise click.BadParameter(
                f"Write POLICY=TYPE, with one of the policies {', '.join(names)}, instead of {pair!r}.",
                param_hint="--stated",
            )
        types[policy.strip()] = kind.strip()
    return types


def _results(out: Path) -> pl.DataFrame:
    """The results as they were written; the apostrophe before what a spreadsheet takes for a formula goes again."""
    import polars as pl

    from gateway.table_file import read_table

    if out.suffix.lower() == ".parquet":
        return pl.read_parquet(out)
    rows = read_table(out)
    return rows.with_columns(pl.col("student_id").str.replace(r"^'([=+\-@\t\r])", "${1}"))
