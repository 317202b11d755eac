"""``approve`` and ``apply``: what a person does with a saved plan."""

from __future__ import annotations

import click

from gateway.cli.command import Command
from gateway.cli.invocation import Invocation, now
from gateway.cli.progress import shown_progress

_DECISIONS = ("approve", "additions-and-updates", "discard")


@click.command(cls=Command)
@click.argument("plan_id", metavar="PLAN")
@click.option("--by", required=True, help="Who decides: a person's name.")
@click.option("--reason", required=True, help="Why; kept with the plan.")
@click.option(
    "--decision",
    type=click.Choice(_DECISIONS),
    default="approve",
    show_default=True,
    help="Push all, once; push all but the inactivations; or push nothing.",
)
@click.pass_obj
def approve(invocation: Invocation, plan_id: str, by: str, reason: str, decision: str) -> int:
    """Decide on PLAN, which a guard holds. Pushes nothing yet: `mastery-gateway apply PLAN` does."""
    from gateway.sync import decide

    district = invocation.load()
    with invocation.store(district) as store:
        plan = decide(store, district, plan_id, decision, by=by, reason=reason, now=now)
    told = {"plan": plan.plan_id, "state": plan.state.value, "by": by, "reason": reason}
    lines = [f"Plan {plan.plan_id}: {decision}, decided by {by}."]
    if decision != "discard":
        lines.append(f"Push it with: mastery-gateway apply {plan.plan_id}")
    invocation.answer(told, lines)
    return 0


@click.command(cls=Command)
@click.argument("plan_id", metavar="PLAN")
@click.pass_obj
def apply(invocation: Invocation, plan_id: str) -> int:
    """Push PLAN, if no guard holds it and no newer pull has overtaken it."""
    from gateway.stopping import stop_on_signals
    from gateway.sync import apply_plan

    district = invocation.load()
    with invocation.store(district) as store, stop_on_signals() as stop, shown_progress() as progress:
        report = apply_plan(district, plan_id, store=store, now=now, progress=progress, stop=stop)
    invocation.answer(report.as_dict(), report.lines())
    return report.exit_code
