"""``map history``: what past runs said about a student."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.ground import DATE, STUDENT
from gateway.cli.invocation import Invocation
from gateway.core.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.settings import District
    from gateway.sync.history import PastRun, Said

TABLES = ("levels", "continuum", "credits", "placement")


@click.command(cls=Command)
@STUDENT
@click.option("--competency", metavar="CODE", help="Only the levels of this competency.")
@click.option("--domain", metavar="CODE", help="The learner continuum in this domain instead of levels.")
@click.option(
    "--table", type=click.Choice(TABLES), help="Which table (default: levels, with --domain the learner continuum)."
)
@click.option("--sync", "sync_name", metavar="NAME", help="Of this sync (default: the only one).")
@click.option("--as-of-run", metavar="RUN", help="All that this run said, instead of what changed from run to run.")
@click.option("--as-of", type=DATE, help="All that was said on this day: by the last run until its end.")
@click.option("--all", "every", is_flag=True, help="Every run, also those that pushed nothing and changed nothing.")
@click.pass_obj
def history(
    invocation: Invocation,
    student: str,
    competency: str | None,
    domain: str | None,
    table: str | None,
    sync_name: str | None,
    as_of_run: str | None,
    as_of: datetime | None,
    every: bool,
) -> int:
    """Say what past runs told about a student, with run, date, mapping version and digest: each time that it changed,
    or with --as-of-run or --as-of all that held at that time.

    Every run keeps its levels, learner continuum, credits and placement; nothing is calculated again.
    """
    from gateway.sync.history import history as trail
    from gateway.sync.history import past_runs, run_as_of

    if (competency and domain) or (competency and table not in (None, "levels")):
        raise click.UsageError("Choose either --competency or --domain.")
    chosen, about = table or ("continuum" if domain else "levels"), competency or domain
    district = invocation.load()
    with invocation.store(district) as store:
        if as_of_run or as_of:
            past = run_as_of(store, district, sync_name, run_id=as_of_run, day=as_of.date() if as_of else None)
            return _one(invocation, district, past, student, chosen, about)
        runs = past_runs(store, district, sync_name, every=every)
    said = list(trail(runs, student, table=chosen, about=about, every=every))
    if not said:
        raise _nothing(f"in {len(runs)} runs")
    names = dict.fromkeys(each.about for each in said)
    told = {"student_id": student, "table": chosen, "history": [_as_dict(each) for each in said]}
    invocation.answer(told, [line for name in names for line in _trail(district, name, said, chosen)])
    return 0


def _one(invocation: Invocation, district: District, past: PastRun, student: str, table: str, about: str | None) -> int:
    from gateway.sync.history import history as trail

    said = list(trail([past], student, table=table, about=about))
    if not said:
        raise _nothing(f"in the run {past.run.run_id}")
    told = {**past.as_dict(), "student_id": student, "table": table, "rows": [_plain(each.row) for each in said]}
    head = f"Student {student}, as of the run {_run(district, past)}"
    invocation.answer(told, [head, _mapping(past), *(f"  {each.about:<24} {_words(table, each.row)}" for each in said)])
    return 0


def _nothing(where: str) -> ConfigurationError:
    return ConfigurationError(
        f"Nothing was said about this {where}.",
        hint="Write student and code as the tables do; `mastery-gateway runs list` lists the runs.",
        code="map.no-history",
    )


def _trail(district: District, name: str, said: list[Said], table: str) -> Iterator[str]:
    yield name
    for each in said:
        if each.about == name:
            digest = str(each.past.said.get("digest", ""))[:12]
            version = f"{each.past.said.get('mapping')} {each.past.said.get('version')}, digest {digest}"
            yield f"  {_run(district, each.past)}  {_words(table, each.row)}  [{version}]"


def _run(district: District, past: PastRun) -> str:
    started = past.run.started_at.astimezone(district.time_zone)
    state = "" if past.run.state.value == "done" else f" ({past.run.state.value})"
    return f"{past.run.run_id}  {started:%Y-%m-%d %H:%M}{state}"


def _mapping(past: PastRun) -> str:
    said = past.said
    return f"Mapping {said.get('mapping')} {said.get('version')}, digest {str(said.get('digest', ''))[:12]}"


def _words(table: str, row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "no longer there"
    if table == "levels":
        level = "no level" if row["level"] is None else f"level {row['level']}"
        proficient = ", proficient" if row["proficient"] else ""
        return f"{level} ({row['state'].replace('_', ' ')}{proficient}), {row['evidence_count']} results"
    left_out = ("student_id", "domain", "credit")
    return ", ".join(
        f"{name.replace('_', ' ')} {value}"
        for name, value in row.items()
        if name not in left_out and value not in (None, "")
    )


def _as_dict(said: Said) -> dict[str, Any]:
    return {**said.past.as_dict(), "about": said.about, "row": _plain(said.row)}


def _plain(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {name: value for name, value in row.items() if name != "student_id"}
