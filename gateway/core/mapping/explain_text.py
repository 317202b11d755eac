"""An explanation's data as sentences for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.core.mapping.portfolio_explain import portfolio_sentences


def sentences(data: Mapping[str, Any]) -> Iterator[str]:
    """The lines of an explanation, from its data alone."""
    mapping = data["mapping"]
    yield f"Student {data['student_id']}" + (f", as of {data['as_of']}" if data["as_of"] else "")
    yield f"Mapping {mapping['name']} {mapping['version']}, digest {mapping['digest'][:12]}"
    if not data["levels"]:
        yield ""
        yield from _without_level(data["asked"])
    for level in data["levels"]:
        yield ""
        yield from _level_sentences(level)
    for row in data["continuum"]:
        yield ""
        yield from _continuum_sentences(row)
        yield from (line for unit in data["portfolio"] if unit["domain"] == row["domain"]
                    for line in portfolio_sentences(unit))  # fmt: skip
    if data["credits"]:
        yield ""
        yield "Credits:"
        yield from (_credit(row) for row in data["credits"])
    if data["without_competency"]:
        yield ""
        yield "Results that reached no competency:"
        yield from (_unplaced(item) for item in data["without_competency"])


def _without_level(asked: Mapping[str, Any] | None) -> Iterator[str]:
    if asked is None:
        yield "No score of this student reaches a competency."
        return
    yield f"{asked['competency']}  {asked['statement']}"
    if not asked["below"]:
        yield "  No level: no score reaches it."
        return
    yield "  No level of its own: no score reaches it, and nothing is rolled up to it. Below it:"
    for each in asked["below"]:
        level = f"level {each['level']}, " if each["level"] is not None else "no level, "
        yield f"  - {each['competency']}: {level}{each['state'].replace('_', ' ')}"


def _credit(row: Mapping[str, Any]) -> str:
    required = f" of {row['required']}, {row['remaining']} remaining" if row["required"] else ""
    return f"  - {row['credit']}, {row['part']}: {row['earned']} earned{required}"


def _level_sentences(level: Mapping[str, Any]) -> Iterator[str]:
    yield f"{level['competency']}  {level['statement']}"
    if level["level"] is None:
        yield f"  No level: {level['state'].replace('_', ' ')}."
    else:
        named = f" ({level['level_name']})" if level["level_name"] else ""
        yield f"  Level {level['level']}{named} on the scale {level['scale']}, {level['state']}{_threshold(level)}."
    yield from _override_sentences(level["override"])
    if level["calculation"]:
        yield from _calculation(level)
    if level["unmet"]:
        yield f"  Not met: {level['unmet']}."
    if level["minimum_evidence"] > 1:
        yield f"  At least {level['minimum_evidence']} pieces of evidence are needed."
    for n, item in enumerate(level["used"], start=1):
        yield f"  {n}. {_used(item)}"
    for given in level["inputs"]:
        weight = "" if given["weight"] == "1" else f", weight {given['weight']}"
        yield f"  - {given['competency']}: level {given['level']}{weight}"
    if level["set_aside"]:
        yield "  Set aside:"
        yield from (_aside(item) for item in level["set_aside"])


def _threshold(level: Mapping[str, Any]) -> str:
    if level["proficient"] is None:
        return ""
    return f", {'' if level['proficient'] else 'not '}proficient (from {level['threshold']})"


def _override_sentences(override: Mapping[str, Any] | None) -> Iterator[str]:
    if override:
        calculated = f"; calculated was {override['calculated']}" if override["calculated"] else ""
        on = f" on {override['on']}" if override["on"] else ""
        yield f"  Set by {override['by']}{on}: {override['reason']}{calculated}."


def _calculation(level: Mapping[str, Any]) -> Iterator[str]:
    parameters = ", ".join(f"{name} {value}" for name, value in level["parameters"].items())
    said = f" ({parameters})" if parameters else ""
    yield f"  {level['method'].replace('_', ' ').capitalize()}{said}: {level['formula']}"
    yield f"  {level['calculation']}"
    back = ", brought back to the scale" if level["brought_back_to_the_scale"] else ""
    yield f"  = {level['exact']}, rounded to {level['rounding']}{back}"


def _used(item: Mapping[str, Any]) -> str:
    weight = "" if item["weight"] == "1" else f", weight {item['weight']}"
    origin = ", ".join(filter(None, (item["evidence_rule"], item["aligned_by"], _record(item))))
    note = f", {item['note']}" if item["note"] else ""
    score = item["score"] or "no score"
    made = f"{score} is level {item['level']} ({item['conversion']}{note}){weight}"
    return f"{item['scored_at'] or 'no date'}: {made}; {origin}"


def _unplaced(item: Mapping[str, Any]) -> str:
    """A result without a competency, with the code that found none."""
    what = item["code"] or item["title"]
    return _aside({**item, "score": (item["score"] or "no score") + (f" for {what}" if what else "")})


def _aside(item: Mapping[str, Any]) -> str:
    detail = "; ".join(filter(None, (item["note"], item["conversion"], _record(item))))
    said = f"{item['scored_at'] or 'no date'}: {item['score'] or 'no score'}: {item['reason']}"
    return f"  - {said}" + (f" ({detail})" if detail else "")


def _record(item: Mapping[str, Any]) -> str:
    return f"result {item['result_id']}" if item["result_id"] else ""


def _continuum_sentences(row: Mapping[str, Any]) -> Iterator[str]:
    yield f"{row['domain']}: performance level {row['performance_level'] or 'none'}, progress {row['progress']}"
    words: Sequence[tuple[str, str]] = (
        ("complete", "complete"), ("next", "next"), ("gaps", "gaps below"), ("baseline", "baseline"),
        ("growth", "growth"), ("pace", "pace per school year"),
    )  # fmt: skip
    for name, said in words:
        if row[name]:
            yield f"  {said}: {row[name]}"
