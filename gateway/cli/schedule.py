"""``schedule next``: when the syncs run."""

from __future__ import annotations

import click

from gateway.cli.command import LazyGroup
from gateway.cli.invocation import Invocation, now


@click.group(cls=LazyGroup)
def schedule() -> None:
    """Show when the syncs run next."""


@schedule.command(name="next")
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many runs to show.")
@click.pass_obj
def next_runs(invocation: Invocation, count: int) -> int:
    """Print the coming runs of all syncs, in the district's time zone."""
    from gateway.schedule import upcoming

    district = invocation.load()
    zone = district.time_zone
    nights = sorted(night for sync in district.syncs.values() for night in upcoming(sync, zone, now(), count))[:count]
    runs = [
        {"sync": night.sync, "date": night.key, "at": night.at.astimezone(zone).isoformat(timespec="minutes")}
        for night in nights
    ]
    lines = [f"{night.at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}  {night.sync}" for night in nights]
    never = [name for name, sync in district.syncs.items() if sync.schedule is None]
    lines += [f"{name} has no schedule; start it with `mastery-gateway sync {name}`." for name in never]
    invocation.answer({"time_zone": str(zone), "runs": runs, "unscheduled": never}, lines)
    return 0
