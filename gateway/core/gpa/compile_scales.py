"""Compiles the table of grades, and looks for gaps, overlaps and grades that can never be given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.core.document import Path
from gateway.core.gpa.policy import Do, NumberBand, Scale
from gateway.core.gpa.words import plain_grade
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import Rounding, from_micros, read_rounding, to_micros


def compile_scale(data: Mapping[str, Any], at: Path, reader: Reader) -> Scale:
    """One table of grades; faults are noted with ``reader``."""
    points = {plain_grade(grade): to_micros(value) for grade, value in data.get("points", {}).items()}
    if len(points) != len(data.get("points", {})):
        reader.note((*at, "points"), "One grade stands twice.", "Keep one of the two.", "two")
    numbers = "bands" in data or "linear" in data
    if not points and not numbers:
        reader.note(at, "Nothing says what grades are worth.", "Add `points`, `bands` or `linear`.")
    if "bands" in data and "linear" in data:
        reader.note((*at, "linear"), "`bands` and `linear` are two rules for one case.", "Keep one of the two.", "two")
    if numbers and not ("lowest" in data and "highest" in data):
        reader.note(at, "A scale of numbers needs `lowest` and `highest`.", "Numbers outside it are refused.")
    years = data.get("school_years", {})
    scale = Scale(
        points=points,
        ignore_signs=data["plus_minus"] == "ignore",
        failing=_failing(data.get("failing", ()), points, at, reader),
        bands=_bands(data, at, points, reader),
        times=to_micros(data["linear"]["times"]) if "linear" in data else None,
        plus=to_micros(data["linear"]["plus"]) if "linear" in data else 0,
        lowest=to_micros(data.get("lowest", 0)),
        highest=to_micros(data.get("highest", 0)),
        round=read_rounding(data["round"]) if "round" in data else None,
        prefer_score=data["prefer"] == "score",
        empty=Do(data["empty"]),
        first_year=years.get("first"),
        last_year=years.get("last"),
    )
    if scale.bands and "highest" in data and "lowest" in data:
        check_bands(scale.bands, scale.lowest, scale.highest, scale.round, (*at, "bands"), reader)
    return scale


def _failing(said: Iterable[str], points: Mapping[str, int], at: Path, reader: Reader) -> frozenset[str]:
    failing = frozenset(plain_grade(grade) for grade in said)
    for grade in sorted(failing - points.keys()):
        reader.unknown((*at, "failing"), "grade", grade, points, "unknown-grade")
    return failing


def _bands(data: Mapping[str, Any], at: Path, points: Mapping[str, int], reader: Reader) -> tuple[NumberBand, ...]:
    bands: list[NumberBand] = []
    for position, band in enumerate(data.get("bands", ())):
        path = (*at, "bands", position)
        grade = plain_grade(band["grade"]) if "grade" in band else None
        if grade is not None and grade not in points:
            reader.unknown(path, "grade", grade, points, "unknown-grade")
        top = band.get("points_to", band.get("points"))
        bands.append(
            NumberBand(
                low=to_micros(band["low"] if "low" in band else band["at_least"]),
                high=to_micros(band["high"]) if "high" in band else None,
                grade=grade,
                points=None if top is None else to_micros(top),
                points_low=to_micros(band["points_from"]) if "points_from" in band else None,
                wait="then" in band,
                path=path,
            )
        )
    return tuple(bands)


def check_bands(
    bands: Sequence[NumberBand], lowest: int, highest: int, rounding: Rounding | None, at: Path, reader: Reader
) -> None:
    """Note gaps, overlaps, bands in the wrong order and bands that nothing can reach."""
    step = rounding.unit if rounding else 1
    above = highest + step
    for band in bands:
        low = band.low if band.low is not None else lowest
        high = above - step if band.high is None else band.high
        if low > high or low >= above:
            message = "This band can never be reached: the bands above it take all its numbers."
            reader.note(band.path, message, "Order the bands from the highest to the lowest.", "unreachable-band")
            continue
        if high >= above:
            reader.note(band.path, "This band overlaps the one above it.", f"End it below {_plain(above)}.", "overlap")
        if high < above - step:
            between = f"between {_plain(high)} and {_plain(above)}" if above <= highest else f"above {_plain(high)}"
            hint = "Say `round` for the number first, close the gap, or add a band with `then: wait`."
            reader.note(band.path, f"There is a gap {between}: such a number has no grade.", hint, "gap")
        above = low
    if above > lowest:
        message = f"There is a gap below {_plain(above)}: the scale begins at {_plain(lowest)}."
        reader.note(at, message, "Add a last band.", "gap")


def _plain(micros: int) -> str:
    text = format(from_micros(micros), "f").rstrip("0")
    return text.rstrip(".")
