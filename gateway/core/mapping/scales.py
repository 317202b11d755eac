"""Scales: how a score of the gradebook becomes a level.

A scale is asked once for each distinct combination of score, text and maximum, never per row.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from gateway.core.framework import Framework
from gateway.core.mapping.language import State
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import MICROS, Rounding, from_micros, read_rounding, to_micros

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """Scores of at least ``at_least`` have ``level`` (micros); ``at_most`` is set where the file states it."""

    at_least: Decimal
    at_most: Decimal | None
    level: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a scale made of a score: a level in micros, a state, or the reason why it made nothing; and how."""

    level: int | None = None
    state: State | None = None
    problem: str | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """One scale. ``report`` names the scale on which its levels lie: its own name, or that of ``onto``.

    ``lowest``, ``highest`` and ``proficient`` are micros; ``grid`` divides every level that the scale can give.
    """

    name: str
    report: str
    lowest: int
    highest: int
    proficient: int | None
    grid: int
    step: int | None = None
    numeric: bool = False
    rescale: bool = False
    percent: bool = False
    maximum: Decimal | None = None
    marks: Mapping[str, int] = field(default_factory=dict)
    bands: tuple[Band, ...] = ()
    states: Mapping[str, State] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    round_score: Rounding | None = None
    modified: bool = False
    score_scale: bool = False
    """Whether a mark is read as the number that the gradebook's own score scale gives for it."""

    @property
    def spoken(self) -> str:
        """The scale's name with its ends, for messages."""
        return f'"{self.name}" ({plain(from_micros(self.lowest))} to {plain(from_micros(self.highest))})'

    @property
    def needs_maximum(self) -> bool:
        return self.rescale or self.percent

    def state_of(self, score: Decimal | None, text: str | None) -> tuple[State, str] | None:
        """The state that a mark (or a number that is one, such as 0) means, and the mark, if it means one."""
        number = score if score is not None else read_number(text.strip() if text else "")
        for mark in (text.strip() if text else "", "" if number is None else plain(number)):
            state = self.states.get(mark.casefold())
            if state is not None:
                return state, mark
        return None

    def convert(self, score: Decimal | None, text: str | None, maximum: Decimal | None) -> Conversion:
        """The level of one score. A text counts before a number, as it is what the teacher wrote."""
        mark = text.strip().casefold() if text else ""
        found = self.state_of(score, text)
        if found is not None:
            return Conversion(state=found[0], how=f'"{found[1]}" means {found[0]}')
        number = score if score is not None else read_number(mark)
        for known in (mark, "" if number is None else plain(number)):
            if known in self.marks:
                return Conversion(level=self.marks[known], how=f'mark "{known}"')
        if number is None and not mark:
            return Conversion(state=State.NOT_ASSESSED, how="there is no score")
        if number is None or not (self.numeric or self.bands):
            return Conversion(problem="the scale has no such mark")
        return self._number(number, maximum)

    def _number(self, number: Decimal, maximum: Decimal | None) -> Conversion:
        value, how = Fraction(number), plain(number)
        if self.needs_maximum:
            whole = maximum if maximum is not None and maximum > 0 else self.maximum
            if whole is None:
                return Conversion(problem="the maximum score is not known")
            full = Fraction(100) if self.percent else Fraction(self.highest, MICROS)
            value = value / Fraction(whole) * full
            how = f"{plain(number)} of {plain(whole)}"
            how += f" = {plain(from_micros(to_micros(value)))}{' %' if self.percent else ''}"
        if self.round_score is not None:
            value = Fraction(self.round_score.exactly(value * MICROS), MICROS)
            how += f", rounded to {plain(from_micros(to_micros(value)))}"
        return self._band(value, how) if self.bands else self._level(value, how)

    def _level(self, value: Fraction, how: str) -> Conversion:
        level = to_micros(value)
        if not self.lowest <= level <= self.highest:
            return Conversion(problem="the score is beyond the scale")
        if self.step and (level - self.lowest) % self.step:
            return Conversion(problem="the score is not a step of the scale")
        return Conversion(level=level, how=how)

    def _band(self, value: Fraction, how: str) -> Conversion:
        for band in self.bands:
            if value >= band.at_least:
                if band.at_most is not None and value > band.at_most:
                    return Conversion(problem="the score is beyond the bands")
                return Conversion(level=band.level, how=f"{how}, at least {plain(band.at_least)}")
        return Conversion(problem="the score is below the bands")


def check_level(level: int | None, scale: Scale, path: Path, reader: Reader) -> None:
    """Note a level (micros) that no score can have, as it lies beyond the scale."""
    if level is not None and not scale.lowest <= level <= scale.highest:
        message = f"The level {plain(from_micros(level))} is beyond the scale {scale.spoken}."
        reader.note(path, message, "Correct it.", "level-beyond-scale")


def plain(number: Decimal) -> str:
    """A number as people write it: no exponent, no trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_number(text: str) -> Decimal | None:
    """A plain decimal number, or ``None``."""
    if not text or text.strip("+-.0123456789"):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def compile_scales(data: Mapping[str, dict[str, Any]], reader: Reader, framework: Framework) -> dict[str, Scale]:
    """All scales of a mapping; faults are noted with ``reader``."""
    scales: dict[str, Scale] = {}
    own = {name: each for name, each in data.items() if "onto" not in each}
    for name, each in own.items():
        scale = _compile(name, each, None, reader, framework)
        if scale:
            scales[name] = scale
    for name, each in data.items():
        if "onto" not in each:
            continue
        path: Path = ("scales", name)
        onto = reader.one_of((*path, "onto"), "scale of its own", each["onto"], scales, "unknown-scale")
        scale = _compile(name, each, onto, reader, framework) if onto else None
        if scale:
            scales[name] = scale
    return {name: scales[name] for name in data if name in scales}


def _compile(name: str, data: dict[str, Any], onto: Scale | None, reader: Reader, framework: Framework) -> Scale | None:
    path: Path = ("scales", name)
    marks = {mark.casefold(): to_micros(level) for mark, level in data.get("marks", {}).items()}
    numeric: dict[str, Any] | None = data.get("numeric")
    if "rubric" in data:
        marks |= _rubric_marks((*path, "rubric"), data["rubric"], reader, framework)
    bands = _bands((*path, "bands"), data, reader) if "bands" in data else ()
    if not marks and numeric is None and not bands:
        reader.note(
            path, f'The scale "{name}" says no levels.', "Add `numeric`, `marks`, `bands` or `rubric`.", "scale"
        )
        return None
    if numeric is not None and bands:
        reader.note(path, f'The scale "{name}" has `numeric` and `bands`.', "Keep one of the two.", "scale")
        return None
    levels = [*marks.values(), *(band.level for band in bands)]
    step = to_micros(numeric["step"]) if numeric and "step" in numeric else None
    if numeric is not None:
        levels += [to_micros(numeric["lowest"]), to_micros(numeric["highest"])]
    lowest, highest = (onto.lowest, onto.highest) if onto else (min(levels), max(levels))
    if numeric is not None and not data.get("rescale"):
        lowest, highest = to_micros(numeric["lowest"]), to_micros(numeric["highest"])
    _check_levels(path, data, levels, onto, reader)
    free = bool(data.get("rescale")) or (numeric is not None and step is None)
    return Scale(
        name=name,
        report=onto.name if onto else name,
        lowest=lowest,
        highest=highest,
        proficient=_proficient(path, data, onto, min(levels), max(levels), reader),
        grid=1 if free else math.gcd(*levels, step or 0) or 1,
        step=step,
        numeric=numeric is not None,
        rescale=bool(data.get("rescale")),
        percent=bool(data.get("percent_of_maximum")),
        maximum=data.get("maximum"),
        marks=marks,
        bands=bands,
        states={mark.casefold(): State(state) for mark, state in data.get("states", {}).items()},
        names=_names((*path, "names"), data.get("names", {}), reader),
        round_score=read_rounding(data["round_score"]) if "round_score" in data else None,
        modified=bool(data.get("modified")),
        score_scale=bool(data.get("score_scale")),
    )


def _check_levels(path: Path, data: dict[str, Any], levels: list[int], onto: Scale | None, reader: Reader) -> None:
    if onto:
        for level in sorted(set(levels)):
            check_level(level, onto, path, reader)
    both = {mark.casefold() for mark in data.get("marks", {})} & {mark.casefold() for mark in data.get("states", {})}
    for mark in sorted(both):
        reader.note((*path, "states"), f'The mark "{mark}" is a level and a state.', "Keep one of the two.", "scale")
    if data.get("score_scale") and "numeric" not in data and "bands" not in data:
        reader.note((*path, "score_scale"), "`score_scale` needs `numeric` or `bands`.", "", "scale")
    if data.get("rescale") and "numeric" not in data:
        reader.note((*path, "rescale"), "`rescale` needs `numeric`.", "Say `numeric: {from: 0, to: 4}`.", "scale")
    if data.get("percent_of_maximum") and "bands" not in data:
        reader.note((*path, "percent_of_maximum"), "`percent_of_maximum` needs `bands`.", "", "scale")


def _proficient(
    path: Path, data: dict[str, Any], onto: Scale | None, lowest: int, highest: int, reader: Reader
) -> int | None:
    if onto:
        if "proficient" in data and to_micros(data["proficient"]) != onto.proficient:
            reader.note(
                (*path, "proficient"), f'The scale "{onto.name}" names another threshold.', "Delete it.", "scale"
            )
        return onto.proficient
    if "proficient" not in data:
        return None
    threshold = to_micros(data["proficient"])
    if not lowest <= threshold <= highest:
        reader.note((*path, "proficient"), "The threshold is beyond the scale.", "", "level-beyond-scale")
    return threshold


def _names(path: Path, data: Mapping[str, str], reader: Reader) -> dict[int, str]:
    names = {}
    for level, word in data.items():
        number = read_number(level)
        if number is None:
            reader.note((*path, level), f'"{level}" is not a level.', 'Write it as `"3": Meets`.', "scale")
        else:
            names[to_micros(number)] = word
    return names


def _bands(path: Path, data: dict[str, Any], reader: Reader) -> tuple[Band, ...]:
    """The bands from the highest down; overlaps and gaps are faults."""
    items = data["bands"]
    starts = [(item["at_least"] if "at_least" in item else item["lowest"], n) for n, item in enumerate(items)]
    order = sorted(starts, reverse=True)
    bands = []
    for start, n in order:
        item = items[n]
        bands.append(Band(start, item.get("highest"), to_micros(item["level"])))
        if "highest" in item and item["highest"] < start:
            reader.note((*path, n), "The band ends before it starts.", "Exchange `from` and `to`.", "bands")
    unit = Fraction(read_rounding(data["round_score"]).unit, MICROS) if "round_score" in data else Fraction(0)
    for (above, n), (below, m), band in zip(order, order[1:], bands[1:], strict=False):
        if above == below:
            reader.note(
                (*path, max(n, m)), f"Two bands start at {plain(above)}.", "Delete one of them.", "bands-overlap"
            )
        elif band.at_most is not None:
            _check_border((*path, m), band.at_most, above, unit, reader)
    if bands and bands[-1].at_least > 0:
        lowest = plain(bands[-1].at_least)
        hint = "Add a band `{at_least: 0, level: …}`."
        reader.note(path, f"Scores below {lowest} fall into no band.", hint, "bands-gap")
    return tuple(bands)


def _check_border(path: Path, end: Decimal, start: Decimal, unit: Fraction, reader: Reader) -> None:
    """A band that ends at ``end``, below one that starts at ``start``; scores lie ``unit`` apart."""
    if end >= start:
        reader.note(path, f"The bands overlap from {plain(start)} to {plain(end)}.", "", "bands-overlap")
    elif unit == 0 or Fraction(start) - Fraction(end) > unit:
        hint = "Use `at_least`, or say with `round_score` to how many places scores are rounded first."
        reader.note(path, f"Scores between {plain(end)} and {plain(start)} fall into no band.", hint, "bands-gap")


def _rubric_marks(path: Path, word: str, reader: Reader, framework: Framework) -> dict[str, int]:
    """The qualities and scores of a CASE rubric, named by its id or title, as marks."""
    titles = {c.rubric_title or c.rubric_id: c.rubric_id for c in framework.criteria}
    known = titles | {c.rubric_id: c.rubric_id for c in framework.criteria}
    rubric = reader.one_of(path, "rubric of the framework", word, known, "unknown-rubric")
    marks: dict[str, int] = {}
    for criterion in framework.criteria:
        for level in criterion.levels if criterion.rubric_id == rubric else ():
            score = level.score if level.score is not None else level.position
            if score is None:
                reader.note(path, f'A level of the rubric "{word}" has neither score nor position.', "", "rubric")
                continue
            for mark in filter(None, (level.quality, plain(Decimal(score)))):
                before = marks.setdefault(mark.strip().casefold(), to_micros(Decimal(score)))
                if before != to_micros(Decimal(score)):
                    reader.note(path, f'"{mark}" has two scores in the rubric "{word}".', "", "rubric")
    return marks
