"""Scales: how a score of the gradebook becomes a level.

A scale is asked once for each distinct combination of score, text and maximum, never per row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from gateway.core.mapping.language import State
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import MICROS, Rounding, from_micros, to_micros

NO_MARK = "the scale has no such mark"
"""What is wrong with a text that is neither a mark, nor a number, nor a state of its scale."""

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
            return Conversion(problem=NO_MARK)
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


def check_threshold(wanted: object, scales: Iterable[Scale], path: Path, reader: Reader, code: str) -> None:
    """Note a threshold (``proficient``, or a level) that nobody can reach on one of ``scales``."""
    for scale in {each.name: each for each in scales}.values():
        if isinstance(wanted, int | Decimal) and not isinstance(wanted, bool):
            check_level(to_micros(wanted), scale, path, reader)
        elif wanted == "proficient" and scale.proficient is None:
            message = f'Nothing is ever proficient on the scale "{scale.name}".'
            reader.note(path, message, "Add `proficient:` to the scale, or say a level here.", code)


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
