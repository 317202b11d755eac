"""Reads the ``scales`` of a mapping. Gaps, overlaps and levels beyond a scale are faults of the file, found when it is
checked and not when a student meets them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from gateway.core.framework import Framework
from gateway.core.mapping.language import State
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import MICROS, read_rounding, to_micros
from gateway.core.mapping.scales import Band, Scale, check_level, plain, read_number

Path: TypeAlias = tuple[str | int, ...]


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
    marks = _marks(path, data, reader, framework)
    numeric: dict[str, Any] | None = data.get("numeric")
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
    _check_words(path, data, reader)
    if numeric is not None:
        _check_numeric((*path, "numeric"), numeric, reader)
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
        names=_names((*path, "names"), data.get("names", {}), lowest, highest, reader),
        round_score=read_rounding(data["round_score"]) if "round_score" in data else None,
        modified=bool(data.get("modified")),
        score_scale=bool(data.get("score_scale")),
    )


def _marks(path: Path, data: dict[str, Any], reader: Reader, framework: Framework) -> dict[str, int]:
    """The marks and their levels, those of a rubric first; each is known in any case."""
    marks = _rubric_marks((*path, "rubric"), data["rubric"], reader, framework) if "rubric" in data else {}
    stated: Mapping[str, Decimal] = data.get("marks", {})
    for mark, count in Counter(mark.casefold() for mark in stated).items():
        if count > 1:
            hint = "Keep one of them: marks are read in upper and lower case alike."
            reader.note((*path, "marks"), f'The mark "{mark}" stands there {count} times.', hint, "scale")
    for mark, level in stated.items():
        if marks.setdefault(mark.casefold(), to_micros(level)) != to_micros(level) and "rubric" in data:
            reader.note((*path, "marks", mark), f'The rubric has another level for "{mark}".', "Delete it.", "scale")
    return marks


def _check_numeric(path: Path, data: Mapping[str, Decimal], reader: Reader) -> None:
    """The ends must be in order, and the highest level a step of the scale."""
    low, high = data["lowest"], data["highest"]
    if low >= high:
        reader.note(path, f"The scale ends at {plain(high)}, before it begins.", "Exchange `from` and `to`.", "scale")
    elif "step" in data and (to_micros(high) - to_micros(low)) % to_micros(data["step"]):
        message = f"No number of steps of {plain(data['step'])} leads from {plain(low)} to {plain(high)}."
        reader.note((*path, "step"), message, "Correct the step or an end.", "scale")


def _check_levels(path: Path, data: dict[str, Any], levels: list[int], onto: Scale | None, reader: Reader) -> None:
    if onto:
        for level in sorted(set(levels)):
            check_level(level, onto, path, reader)


def _check_words(path: Path, data: dict[str, Any], reader: Reader) -> None:
    """Words that exclude or need each other."""
    both = {mark.casefold() for mark in data.get("marks", {})} & {mark.casefold() for mark in data.get("states", {})}
    for mark in sorted(both):
        reader.note((*path, "states"), f'The mark "{mark}" is a level and a state.', "Keep one of the two.", "scale")
    if data.get("score_scale") and "numeric" not in data and "bands" not in data:
        reader.note((*path, "score_scale"), "`score_scale` needs `numeric` or `bands`.", "", "scale")
    if data.get("rescale") and "numeric" not in data:
        reader.note((*path, "rescale"), "`rescale` needs `numeric`.", "Say `numeric: {from: 0, to: 4}`.", "scale")
    if data.get("percent_of_maximum") and "bands" not in data:
        reader.note((*path, "percent_of_maximum"), "`percent_of_maximum` needs `bands`.", "", "scale")
    if "maximum" in data and not data.get("rescale") and not data.get("percent_of_maximum"):
        hint = "Add `percent_of_maximum` or `rescale`, or delete it."
        reader.note((*path, "maximum"), "Nothing is divided by this `maximum`.", hint, "scale")


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
        reader.note((*path, "proficient"), "The threshold is beyond the scale.", "Correct it.", "level-beyond-scale")
    return threshold


def _names(path: Path, data: Mapping[str, str], lowest: int, highest: int, reader: Reader) -> dict[int, str]:
    names: dict[int, str] = {}
    for level, word in data.items():
        number = read_number(level)
        if number is None:
            reader.note((*path, level), f'"{level}" is not a level.', 'Write it as `"3": Meets`.', "scale")
        elif not lowest <= to_micros(number) <= highest:
            reader.note((*path, level), f"The level {level} is beyond the scale.", "Correct it.", "level-beyond-scale")
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
    if data.get("percent_of_maximum") and bands and bands[0].at_most is not None and bands[0].at_most < 100:
        hint = "Use `at_least` for the highest band."
        reader.note(path, f"Percents above {plain(bands[0].at_most)} fall into no band.", hint, "bands-gap")
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
