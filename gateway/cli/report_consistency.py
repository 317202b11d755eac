"""``report consistency``: each scorer's levels beside those of the others on the same target."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.command import Command
from gateway.cli.invocation import Invocation
from gateway.cli.report_source import (
    Chosen,
    about_material,
    hand_out,
    minimum_option,
    opened_material,
    report_options,
    with_titles,
)

if TYPE_CHECKING:
    import polars as pl

    from gateway.core.reports.consistency import Consistency

_SHOWN = 10


class _Step(click.ParamType[Decimal]):
    """A positive decimal number of levels."""

    name = "levels"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            step = Decimal(str(value))
        except ArithmeticError:
            step = Decimal(0)
        if not step.is_finite() or not 0 < step <= 1000 or step != round(step, 6):
            self.fail(f"{value} is no step of levels.", param, ctx)
        return step


@click.command(cls=Command)
@report_options
@click.option(
    "--target",
    type=click.Choice(["competency", "domain"]),
    default="competency",
    show_default=True,
    help="On what scorers are compared.",
)
@click.option(
    "--within",
    type=click.Choice(["district", "school", "course"]),
    default="district",
    show_default=True,
    help="Among whom they are compared.",
)
@click.option("--step", type=_Step(), help="Cut levels down to multiples of this, for scales with many levels.")
@click.option(
    "--work",
    metavar="COLUMN",
    default="line_item_id",
    show_default=True,
    help="The column of the evidence that tells which piece of work was scored.",
)
@minimum_option
@click.pass_obj
def consistency(
    invocation: Invocation,
    /,
    target: str,
    within: str,
    step: Decimal | None,
    work: str,
    minimum: int,
    **shared: Any,
) -> int:
    """Compare each scorer's levels with those of the others on the same target, and agreement on the same work.

    Different scorers have different students: a difference is a reason to look at work together, not a finding.
    """
    from gateway.core.mapping.rounding import to_micros
    from gateway.core.reports.agreement import agree, count_pairs, sum_pairs
    from gateway.core.reports.consistency import Target, Within, compare_scorers, count_levels, sum_levels
    from gateway.core.reports.scored import scored, step_of

    chosen = Chosen(**shared)
    grid = None if step is None else to_micros(step)
    with opened_material(invocation, chosen) as material:
        levels, pairs = [], []
        for evidence, _ in material.parts:
            scores = scored(material.mapping, evidence, as_of=material.as_of, work=work, step=grid)
            levels.append(count_levels(scores, target=Target(target), within=Within(within)))
            pairs.append(count_pairs(scores, target=Target(target)))
            levels, pairs = [sum_levels(levels)], [sum_pairs(pairs)]
        steps = {name: grid or step_of(scale) for name, scale in material.mapping.scales.items()}
        found = compare_scorers(levels[0], minimum=minimum)
        agreement = agree(pairs[0], steps, minimum=minimum)
        about = about_material(
            "consistency", material, target=target, within=within, step=step, work=work, minimum=minimum
        )
    within_school = ("within",) if within == Within.SCHOOL else ()
    tables = {
        "scorers": with_titles(found.scorers, material, *within_school),
        "levels": with_titles(found.distribution, material, *within_school),
        "agreement": agreement,
    }
    hand_out(invocation, chosen, tables, about, _lines(found, tables["scorers"], agreement, minimum))
    return 0


def _lines(found: Consistency, scorers: pl.DataFrame, agreement: pl.DataFrame, minimum: int) -> list[str]:
    hidden, all_cells = int(found.distribution["hidden"].sum()), found.distribution.height
    lines = [
        f"{found.scorers['scorer_id'].n_unique():,} scorers compared on {found.scorers['target'].n_unique():,} targets",
        f"  {hidden:>9,}  of {all_cells:,} numbers hidden: they, or what they give away, tell of fewer than {minimum}",
        f"  {found.too_few:>9,}  times a scorer had fewer than {minimum} students on a target and was left out",
        f"  {found.alone:>9,}  times a scorer was alone on a target",
        f"  {found.unnamed:>9,}  scores without a scorer",
    ]
    far = scorers.drop_nulls("distance").sort(
        "distance", "within", "target", "scorer_id", descending=[True, False, False, False], nulls_last=True
    )
    if far.height:
        lines.append("Farthest from the others (of 100 scores so many at other levels; mean rank higher or lower)")
    for row in far.head(_SHOWN).iter_rows(named=True):
        place = row.get("title") or row["within"]
        target = f"{place}, {row['target']}" if place else row["target"]
        lines.append(
            f"  {row['distance']:>9}  {row['mean_rank_difference']:+4}  {target}: {row['scorer_id']}, "
            f"{row['scores']:,} scores beside {row['others_scores']:,}"
        )
    return [*lines, *_agreement_lines(agreement)]


def _agreement_lines(agreement: pl.DataFrame) -> list[str]:
    if agreement.is_empty():
        return ["No work was scored by two people."]
    lines = ["Work scored by two people"]
    for row in agreement.filter(agreement["by"] == "all").iter_rows(named=True):
        if row["hidden"]:
            lines.append(f"  {row['scale']}: too few students")
        else:
            lines.append(
                f"  {row['scale']}: {row['pairs']:,} pairs, {_percent(row['exact_share'])} equal, "
                f"{_percent(row['adjacent_share'])} at most one step apart, kappa {_number(row['kappa'])}, "
                f"weighted {_number(row['weighted_kappa'])}"
            )
    return lines


def _percent(share: Decimal) -> str:
    return f"{share * 100:.1f} %"


def _number(value: Decimal | None) -> str:
    return "none, as all levels are equal" if value is None else f"{value:.2f}"
