"""``audit``: who did what with the district's data, and whether that record is whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from gateway.cli.command import LazyGroup
from gateway.cli.invocation import Invocation
from gateway.core.errors import DataError


@click.group(cls=LazyGroup)
def audit() -> None:
    """Show who did what through the API, and check that nothing of it was changed."""


@audit.command()
@click.option("--count", type=click.IntRange(1, 10_000), default=30, show_default=True, help="How many entries.")
@click.option("--after", type=click.IntRange(0), metavar="NUMBER", help="Those behind this entry; otherwise the last.")
@click.pass_obj
def show(invocation: Invocation, count: int, after: int | None) -> int:
    """Show entries, oldest first: number, time, who, what, about how many students."""
    from gateway.store import audit as record

    district = invocation.load()
    with invocation.store(district) as store:
        behind = max(0, record.last_number(store, district.id) - count) if after is None else after
        entries = record.read(store, district.id, after=behind, limit=count)
    lines = [_line(each) for each in entries] or ["There are no entries."]
    invocation.answer({"entries": entries}, lines)
    return 0


@audit.command()
@click.pass_obj
def verify(invocation: Invocation) -> int:
    """Check that every entry is as it was written, and none is missing in between."""
    from gateway.store import audit as record

    district = invocation.load()
    with invocation.store(district) as store:
        broken = record.first_break(store, district.id)
        last = record.last_number(store, district.id)
    if broken is not None:
        raise DataError(
            f"The audit was tampered with: entry {broken} is not as it was written, or the one before it is missing.",
            hint="Compare it with a backup; do not trust what it says from that entry on.",
            code="audit.broken",
        )
    invocation.answer({"entries": last, "whole": True}, [f"The audit is whole: {last:,} entries."])
    return 0


def _line(entry: Mapping[str, Any]) -> str:
    detail = " ".join(f"{name}={value}" for name, value in entry["detail"].items())
    about = f"students={entry['subjects']} " if entry["subjects"] else ""
    return (
        f"{entry['number']:>6}  {entry['at']:%Y-%m-%d %H:%M:%S}  {entry['actor']}  {entry['action']}  {about}{detail}"
    )
