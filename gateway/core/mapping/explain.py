"""Opens any level to its evidence, its rule and that rule's version: as data for programs, as sentences for people."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import polars as pl

from gateway.core.errors import MappingError
from gateway.core.mapping.collect import NO_TIME
from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.rules import Reason
from gateway.core.mapping.scales import plain
from gateway.core.mapping.summary import Summary
from gateway.core.mapping.trace import Item, Level, said_score, trace

if TYPE_CHECKING:
    from gateway.core.mapping.compiled import CompiledMapping


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was asked, and all that the answer stands on; every value is text, a number as text, a flag or nothing."""

    data: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(self.data)

    def text(self) -> str:
        """For people."""
        return "\n".join(_sentences(self.data)) + "\n"


def explain(
    mapping: CompiledMapping,
    evidence: pl.DataFrame,
    student_id: str,
    *,
    competency: str | None = None,
    as_of: datetime.date | None = None,
) -> Explanation:
    """Why a student has the levels that the mapping gives, for one competency (code or id) or all.

    Raises :class:`MappingError` if there is no such competency.
    """
    wanted = _find(mapping, competency) if competency else None
    found = trace(mapping, evidence, student_id, as_of)
    mine = evidence.filter(pl.col("student_id").cast(pl.String) == student_id)
    mapped = mapping.apply(mine, as_of=as_of)
    ids = sorted(found.levels, key=lambda id: mapping.collector.numbers[id])
    levels = [_level(mapping, found.levels[id]) for id in ids if wanted in (None, id)]
    domain = mapping.continuum.domain_of[mapping.collector.numbers[wanted]] if wanted and mapping.continuum else None
    continuum = [row for row in mapped.continuum.rows(named=True) if wanted is None or row["domain"] == domain]
    framework = mapping.framework
    return Explanation(
        {
            "student_id": student_id,
            "as_of": None if as_of is None else str(as_of),
            "mapping": {"name": mapping.name, "version": mapping.version, "digest": mapping.digest},
            "framework": {"id": framework.id, "title": framework.title, "digest": framework.digest},
            "levels": levels,
            "continuum": [_plain_row(row) for row in continuum],
            "credits": [_plain_row(row) for row in mapped.credits.rows(named=True)] if wanted is None else [],
            "without_competency": [_item(item) for item in found.unplaced] if wanted is None else [],
        }
    )


def _find(mapping: CompiledMapping, word: str) -> str:
    found = mapping.framework.find(word)
    if found is None:
        raise MappingError(
            f'"{word}" is no competency of {mapping.framework.title}.',
            hint=mapping.framework.suggest(word).strip(),
            code="mapping.unknown-competency",
        )
    return found.id


def _level(mapping: CompiledMapping, level: Level) -> dict[str, Any]:
    item = mapping.framework.competencies[level.competency]
    scale = level.summary.scale
    proficient = None if level.level is None or scale.proficient is None else level.level >= scale.proficient
    return {
        "competency": mapping.label(item.id),
        "id": item.id,
        "statement": item.statement,
        "level": None if level.level is None else str(from_micros(level.level, mapping.places)),
        "level_name": scale.names.get(level.level) if level.level is not None else None,
        "state": str(level.state),
        "proficient": proficient,
        "threshold": _number(scale.proficient),
        "scale": scale.name,
        "evidence_count": level.count,
        "first_scored_at": _time(level.first),
        "last_scored_at": _time(level.last),
        **_method(level.summary),
        "calculation": level.calculation or None,
        "exact": None if level.exact is None else _fraction(level.exact),
        "brought_back_to_the_scale": level.clamped,
        "used": [_item(each) for each in level.used],
        "inputs": [_input(mapping, level, each) for each in level.inputs],
        "unmet": _unmet(mapping, level),
        "override": _override(level),
        "set_aside": [_item(each) for each in level.set_aside],
    }


def _method(summary: Summary) -> dict[str, Any]:
    given = summary.parameters
    parameters = {
        "newest": given.newest and _fraction(given.newest),
        "count": given.count,
        "mastery": _number(given.mastery),
        "tie": given.tie and str(given.tie),
        "zeros": given.zeros and str(given.zeros),
        "floor": _number(given.floor),
        "cap": given.cap and _fraction(given.cap),
    }
    needs = (*summary.method.needs, "floor", *(("cap",) if summary.method.name == "weighted_mean" else ()))
    return {
        "rule": summary.name,
        "method": summary.method.name,
        "formula": summary.method.formula,
        "parameters": {name: value for name, value in parameters.items() if value is not None and name in needs},
        "rounding": summary.rounding.words,
        "minimum_evidence": summary.at_least,
    }


def _item(item: Item) -> dict[str, Any]:
    row = item.row
    return {
        "result_id": row.get("result_id"),
        "line_item_id": row.get("line_item_id"),
        "title": row.get("line_item_title"),
        "code": row.get("standard") or row.get("competency"),
        "scored_at": _time(row["time"]),
        "score": said_score(item) or None,
        "max_score": _number(row.get("max_score")),
        "scale": item.scale.name if item.scale else None,
        "conversion": item.how or None,
        "level": _number(item.level),
        "weight": _number(item.weight),
        "capped": bool(item.rule and item.rule.capped),
        "evidence_rule": item.rule.name if item.rule else None,
        "aligned_by": item.way or None,
        "reason": None if item.reason is Reason.USED else str(item.reason),
        "note": item.note or None,
    }


def _input(mapping: CompiledMapping, level: Level, given: Level) -> dict[str, Any]:
    sources = dict(level.roll_up.sources[level.competency]) if level.roll_up else {}
    return {
        "competency": mapping.label(given.competency),
        "level": _number(given.level),
        "weight": _number(sources.get(given.competency)),
    }


def _unmet(mapping: CompiledMapping, level: Level) -> str | None:
    """Which condition of a roll-up is not met, in words."""
    if level.unmet is None or level.roll_up is None:
        return None
    name = mapping.label(level.unmet)
    given = next((each.level for each in level.inputs if each.competency == level.unmet), None)
    if given is None:
        return f"{name} is required and has no level"
    return f"{name} is {_number(given)}, and at least {_number(level.roll_up.minimum)} is required"


def _override(level: Level) -> dict[str, Any] | None:
    if level.by_hand is None:
        return None
    row = level.by_hand.row
    return {
        "level": _number(level.by_hand.level),
        "by": row.get("override_by"),
        "reason": row.get("override_reason"),
        "on": _time(level.by_hand.time),
        "calculated": _number(level.calculated),
        "result_id": row.get("result_id"),
    }


def _number(micros: int | None) -> str | None:
    return None if micros is None else plain(from_micros(micros))


def _fraction(value: Fraction) -> str:
    """An exact number: as a decimal if it has at most twelve places, as a fraction otherwise."""
    scaled = value * 10**12
    if scaled.denominator == 1:
        text = f"{abs(scaled.numerator):013d}"
        decimal = f"{text[:-12]}.{text[-12:]}".rstrip("0").rstrip(".")
        return f"-{decimal}" if value < 0 else decimal
    return f"{value.numerator}/{value.denominator}" if value.denominator < 10**9 else f"{float(value):.12f}…"


def _time(milliseconds: int | None) -> str | None:
    if milliseconds is None or milliseconds == NO_TIME:
        return None
    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(milliseconds=milliseconds)
    midnight = moment.time() == datetime.time()
    return moment.date().isoformat() if midnight else moment.isoformat(timespec="seconds")


def _plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, bool | None) else str(value) for name, value in row.items()}


def _sentences(data: Mapping[str, Any]) -> Iterator[str]:
    mapping = data["mapping"]
    yield f"Student {data['student_id']}" + (f", as of {data['as_of']}" if data["as_of"] else "")
    yield f"Mapping {mapping['name']} {mapping['version']}, digest {mapping['digest'][:12]}"
    if not data["levels"]:
        yield ""
        yield "There is no evidence here."
    for level in data["levels"]:
        yield ""
        yield from _level_sentences(level)
    for row in data["continuum"]:
        yield ""
        yield from _continuum_sentences(row)
    if data["credits"]:
        yield ""
        yield "Credits:"
        yield from (_credit(row) for row in data["credits"])
    if data["without_competency"]:
        yield ""
        yield "Results that reached no competency:"
        yield from (_unplaced(item) for item in data["without_competency"])


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
