"""What a mapping does with evidence, in plain sentences made from the mapping itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from gateway.core.errors import MappingError, Place
from gateway.core.mapping import CompiledMapping, run_examples
from gateway.core.mapping.methods import Parameters
from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.scales import plain
from gateway.core.mapping.summary import Summary
from gateway.documents.sections import Block, Items, Paragraph, Table

_METHODS = {
    "most_recent": "the newest level stands",
    "highest": "the highest level stands",
    "mean": "the mean of all levels",
    "weighted_mean": "the mean of all levels, each with the weight of its kind of evidence",
    "median": "the middle level, or the mean of the two middle ones",
    "mode": "the most frequent level",
    "mean_of_most_recent": "the mean of the {count} newest levels, or of all if there are fewer",
    "median_of_most_recent": "the median of the {count} newest levels, or of all if there are fewer",
    "mean_of_highest": "the mean of the {count} highest levels, or of all if there are fewer",
    "times_at_mastery": "the mean of all levels of {mastery} or more, if there are at least {count}",
    "sum": "the sum of all levels",
    "decaying_average": "a mean in which each newer level counts {newest} % and all before it the rest",
    "weighted_average": "{newest} % of the newest level and the rest of the mean of all before it",
    "power_law": "the trend of the levels by a power law, at the newest",
    "linear_trend": "the trend of the levels by a straight line, at the newest",
    "best_fit": "the best fitting of a straight line, a power law and the mean, at the newest",
    "higher_of_mean_and_power_law": "the higher of the mean and the trend by a power law",
}


def levels_block(mapping: CompiledMapping) -> Iterator[Block]:
    """The scale on which levels lie, its names, and what "proficient" means."""
    scale = mapping.scale
    low, high = plain(from_micros(scale.lowest)), plain(from_micros(scale.highest))
    yield Paragraph(f"Competencies are reported as levels from {low} to {high}.")
    names = scale.names or {level: mark.title() for mark, level in scale.marks.items() if not _is_number(mark)}
    if names:
        rows = tuple((plain(from_micros(level)), name) for level, name in sorted(names.items(), reverse=True))
        yield Table("What the levels mean", ("Level", "Meaning"), rows)
    if scale.proficient is not None:
        threshold = plain(from_micros(scale.proficient))
        named = f" ({names[scale.proficient]})" if scale.proficient in names else ""
        yield Paragraph(f"A competency is met with a level of {threshold}{named} or more.")


def evidence_blocks(mapping: CompiledMapping) -> Iterator[Block]:
    """How the levels of single pieces of evidence become the level of a competency, with one example.

    Raises :class:`MappingError` (``documents.example``) if an example of the mapping does not hold.
    """
    summaries = mapping.summarizer.summaries
    yield Paragraph(
        "Every piece of evidence is judged against one competency or more. The level of a competency is made of the "
        "levels of its evidence, oldest to newest:"
    )
    yield Items(tuple(summary_words(mapping, rule) for rule in summaries.rules))
    if summaries.roll_ups:
        yield Paragraph("Levels of larger areas are made of the levels below them:")
        yield Items(tuple(_method_words(each.summary) for each in summaries.roll_ups))
    yield Paragraph("Work that is missing, excused or not yet assessed has no level; it is never a zero.")
    failed = next(iter(run_examples(mapping)), None)
    if failed is not None:
        raise MappingError(
            f"An example of the mapping {mapping.name} does not hold: {failed.example}.",
            hint="See `mastery-gateway map lint`.",
            code="documents.example",
            place=failed.place or Place(mapping.document.name),
        )
    example = next((each for each in mapping.examples if each.get("expect")), None)
    if example is not None:
        yield Paragraph(_example_words(example))


def summary_words(mapping: CompiledMapping, rule: Summary) -> str:
    """One summary rule as a sentence."""
    if rule.name == "default":
        what = "Competencies" if len(mapping.summarizer.summaries.rules) == 1 else "All other competencies"
    else:
        what = f"{rule.name}{_title(mapping, rule.name)}"
    return f"{what}: {_method_words(rule)}"


def _title(mapping: CompiledMapping, code: str) -> str:
    found = next((each for each in mapping.framework.competencies.values() if each.label == code), None)
    return f" ({found.statement})" if found is not None else ""


def _method_words(rule: Summary) -> str:
    method = _METHODS[rule.method.name].format(**_parameters(rule.parameters))
    least = f"; at least {rule.at_least} pieces of evidence are needed" if rule.at_least > 1 else ""
    return f"{method}, rounded to {rule.rounding.words}{least}."


def _parameters(given: Parameters) -> Mapping[str, str]:
    percent = None if given.newest is None else given.newest * 100
    return {
        "count": str(given.count),
        "newest": "" if percent is None else plain(Decimal(percent.numerator) / Decimal(percent.denominator)),
        "mastery": "" if given.mastery is None else plain(from_micros(given.mastery)),
    }


def _example_words(example: Mapping[str, Any]) -> str:
    """An example of the mapping, which was just run."""
    scores = ", ".join(f"{row.get('score')} ({row.get('standard', '')})" for row in example["evidence"])
    gives = ", ".join(f"{code}: {_shown(value)}" for code, value in example["expect"].items())
    return f"Example ({example['name']}): the scores {scores}, oldest first, give {gives}."


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("level", value.get("state", ""))
    if isinstance(value, Decimal | int):
        return plain(Decimal(value))
    return str(value).replace("_", " ")


def _is_number(mark: str) -> bool:
    return mark.replace(".", "", 1).isdigit()
