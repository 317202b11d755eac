"""``quarantine list``, ``show`` and ``retry``: records that were set aside, why, and another chance for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from gateway.cli.command import LazyGroup
from gateway.cli.invocation import Invocation

_SYNC = click.option("--sync", "sync_name", metavar="NAME", help="Of this sync (default: the only one).")


@click.group(cls=LazyGroup)
def quarantine() -> None:
    """List, show and retry records that were set aside."""


@quarantine.command(name="list")
@_SYNC
@click.option("--table", metavar="NAME", help="Only records of this table.")
@click.option("--code", metavar="CODE", help="Only faults of this kind.")
@click.option("--all", "every", is_flag=True, help="Every record instead of a summary by cause.")
@click.option("--count", type=click.IntRange(1), default=100, show_default=True, help="With --all: how many records.")
@click.pass_obj
def list_(
    invocation: Invocation, sync_name: str | None, table: str | None, code: str | None, every: bool, count: int
) -> int:
    """What the newest pull set aside: by cause, most frequent first, each with its first place."""
    from gateway.sync import list_quarantine, summarise

    district = invocation.load()
    with invocation.store(district) as store:
        rows = list_quarantine(store, district, sync_name, table=table, code=code)
    causes = summarise(rows)
    told: dict[str, Any] = {"total": rows.height, "causes": causes}
    lines = [_cause(cause) for cause in causes] or ["Nothing is in quarantine."]
    if every:
        told["records"] = rows.head(count).to_dicts()
        lines = [_record(row) for row in told["records"]] or lines
        if rows.height > count:
            lines.append(f"… and {rows.height - count:,} more; use --count.")
    invocation.answer(told, lines)
    return 0


def _cause(cause: Mapping[str, Any]) -> str:
    field = f".{cause['field']}" if cause["field"] else ""
    told = f"{cause['records']:>7,}  {cause['table']}{field}  {cause['reason']}"
    return f"{told}  [{cause['code']}]  first: {cause['first']}"


def _record(row: Mapping[str, Any]) -> str:
    line = f":{row['_line']}" if row["_line"] is not None else ""
    waits = f"  waits for {row['waits_for']}" if row["waits_for"] else ""
    return f"{row['table']}  {row['id']}  {row['_source']}{line}  {row['field'] or ''}  {row['reason']}{waits}"


@quarantine.command()
@click.argument("table")
@click.argument("record_id", metavar="ID")
@_SYNC
@click.pass_obj
def show(invocation: Invocation, table: str, record_id: str, sync_name: str | None) -> int:
    """Show why the record ID of TABLE is in quarantine, and what waits for it."""
    from gateway.sync import show_quarantine

    district = invocation.load()
    with invocation.store(district) as store:
        told = show_quarantine(store, district, table, record_id, sync_name)
    lines = [_record({"table": table, "id": record_id, **fault}) for fault in told["faults"]]
    lines.append("Its last good version stays in use." if told["last_good_version"] else "It never had a good version.")
    lines += [f"{row['table']} {row['id']} waits for it." for row in told["waiting"]]
    invocation.answer(told, lines)
    return 0


@quarantine.command()
@_SYNC
@click.option("--dry-run", is_flag=True, help="Make and save the plan, push nothing.")
@click.pass_obj
def retry(invocation: Invocation, sync_name: str | None, dry_run: bool) -> int:
    """Check again what is set aside, without a new pull, and push what has become good.

    Of use after a setting was mended; what the source has mended comes with its next pull anyway.
    """
    from gateway.cli.sync import run_and_report

    return run_and_report(invocation, sync_name, "plan" if dry_run else "push", retry=True)
