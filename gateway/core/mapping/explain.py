"""Opens any level to its evidence, its rule and that rule's version: as data for programs, as sentences for people."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import polars as pl

from gateway.core.errors import MappingError
from gateway.core.mapping.collect import NO_TIME
from gateway.core.mapping.explain_text import sentences
from gateway.core.mapping.portfolio import Portfolio
from gateway.core.mapping.portfolio_explain import portfolio_workings
from gateway.core.mapping.rounding import from_micros
from gateway.core.mapping.rules import Reason
from gateway.core.mapping.scales import plain
from gateway.core.mapping.summary import Summary
from gateway.core.mapping.trace import Item, Level, Trace, said_score, trace

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
        return "\n".join(sentences(self.data)) + "\n"


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
    portfolio = _portfolio(mapping, mine, as_of)
    framework = mapping.framework
    return Explanation(
        {
            "student_id": student_id,
            "as_of": None if as_of is None else str(as_of),
            "mapping": {"name": mapping.name, "version": mapping.version, "digest": mapping.digest},
            "framework": {"id": framework.id, "title": framework.title, "digest": framework.digest},
            "asked": _asked(mapping, found, wanted) if wanted else None,
            "levels": levels,
            "continuum": [_plain_row(row) for row in continuum],
            "portfolio": [unit for unit in portfolio if wanted is None or unit["domain"] == domain],
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


def _asked(mapping: CompiledMapping, found: Trace, wanted: str) -> dict[str, Any]:
    """The competency that was asked for, and the levels below it."""
    below = [found.levels[id] for id in mapping.framework.descendants(wanted) if id in found.levels]
    return {
        "competency": mapping.label(wanted),
        "id": wanted,
        "statement": mapping.framework.competencies[wanted].statement,
        "below": [
            {"competency": mapping.label(level.competency), "level": _shown_level(mapping, level),
             "state": str(level.state)}
            for level in below
        ],
    }  # fmt: skip


def _portfolio(mapping: CompiledMapping, mine: pl.DataFrame, as_of: datetime.date | None) -> list[dict[str, Any]]:
    """The workings of a portfolio, with times as texts."""
    if not isinstance(mapping.continuum, Portfolio) or mine.is_empty():
        return []
    units = portfolio_workings(mapping.continuum, mapping.collect(mine, as_of=as_of))
    for each in (each for unit in units for skill in unit["skills"] for each in skill["demonstrations"]):
        each["scored_at"] = _time(each.pop("time"))
    return units


def _shown_level(mapping: CompiledMapping, level: Level) -> str | None:
    return None if level.level is None else str(from_micros(level.level, mapping.places))


def _level(mapping: CompiledMapping, level: Level) -> dict[str, Any]:
    item = mapping.framework.competencies[level.competency]
    scale = level.summary.scale
    proficient = None if level.level is None or scale.proficient is None else level.level >= scale.proficient
    return {
        "competency": mapping.label(item.id),
        "id": item.id,
        "statement": item.statement,
        "level": _shown_level(mapping, level),
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
