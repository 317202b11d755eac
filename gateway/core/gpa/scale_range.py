"""The lowest and the highest GPA that a policy can give: without them a bare 4.2 cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from gateway.core.gpa.policy import Policy, Scale, Weigh
from gateway.core.mapping.rounding import MICROS, Rounding, from_micros, round_half_up


def gpa_range(policy: Policy) -> tuple[Decimal, Decimal]:
    """The bounds of a GPA under ``policy``, as far as its tables of grades and weights set them.

    The highest is that of a student with the best grade and the largest weight in every course; a cap on how many
    courses are weighted does not lower it.
    """
    points = [each for scale in policy.scales for each in _points(scale)]
    lowest, highest = min(points), max(points)
    weighting = policy.weighting
    if weighting is not None:
        weights = [*weighting.levels.values(), *([] if weighting.other_levels is None else [weighting.other_levels])]
        weight = max(weights, default=0)
        if weighting.at_most is not None:
            weight = min(weight, weighting.at_most)
        if weighting.how is Weigh.MULTIPLY:
            raised = round_half_up(Fraction(highest * weight, MICROS))
        else:
            raised = highest + weight
        if weighting.points_at_most is not None:
            raised = min(raised, max(weighting.points_at_most, highest))
        highest = max(highest, raised)
    return from_micros(lowest), from_micros(highest)


def _points(scale: Scale) -> Iterator[int]:
    """Every points value that a course can get before its weight; of rising ranges both ends."""
    yield from scale.points.values()
    for band in scale.bands:
        yield from (each for each in (band.points, band.points_low) if each is not None)
    if scale.times is not None:
        for end in (scale.lowest, scale.highest):
            yield round_half_up(Fraction(end * scale.times, MICROS)) + scale.plus


def shown_range(policy: Policy) -> tuple[str, str]:
    """The bounds with the places of the policy's GPA, as they stand in documents."""
    rounding: Rounding = policy.round_gpa
    lowest, highest = gpa_range(policy)
    return f"{lowest:.{rounding.places}f}", f"{highest:.{rounding.places}f}"
