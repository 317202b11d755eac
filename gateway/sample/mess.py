"""The mess of real life, how much of it a sample district gets."""

from __future__ import annotations

from dataclasses import dataclass, fields

from gateway.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Mess:
    """Rates of what is normal, and counts of what is wrong.

    Rates, each a share between 0 and 1: results that are ``late``, ``excused`` (exempt, no score), ``missing`` (not
    submitted, no score) or ``ungraded`` (submitted, no score yet); summative results below proficient that are
    repeated in a ``retake``; classes that are ``co_taught``; students who are a ``mover`` between two schools of a
    level; enrollments with a blank begin (``blank_begin``) or end (``blank_end``).

    Counts of bad records: a score above its maximum, text as a score, an unknown score status, a result for a line item
    that is not there, the same record twice, two records of one id, a d/m/Y date, a class without a term.
    """

    late: float = 0.04
    excused: float = 0.015
    missing: float = 0.03
    ungraded: float = 0.005
    retake: float = 0.3
    co_taught: float = 0.1
    mover: float = 0.04
    blank_begin: float = 0.05
    blank_end: float = 0.05
    above_maximum: int = 3
    text_score: int = 3
    unknown_status: int = 3
    unknown_line_item: int = 3
    duplicate_same: int = 3
    duplicate_changed: int = 3
    day_month_date: int = 3
    class_without_term: int = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0 or (field.name in RATES and value > 1):
                raise ConfigurationError(
                    f"The sample district cannot have {field.name} = {value}.",
                    hint="Give a rate between 0 and 1." if field.name in RATES else "Give a count of 0 or more.",
                    code="sample.mess",
                )


RATES = ("late", "excused", "missing", "ungraded", "retake", "co_taught", "mover", "blank_begin", "blank_end")
BAD_RESULTS = (
    "above_maximum", "text_score", "unknown_status", "unknown_line_item", "duplicate_same", "duplicate_changed",
    "day_month_date",
)  # fmt: skip
BAD = (*BAD_RESULTS, "class_without_term")

CLEAN = Mess(
    late=0, excused=0, missing=0, ungraded=0, retake=0, co_taught=0, mover=0, blank_begin=0, blank_end=0,
    above_maximum=0, text_score=0, unknown_status=0, unknown_line_item=0, duplicate_same=0, duplicate_changed=0,
    day_month_date=0, class_without_term=0,
)  # fmt: skip
"""No mess at all."""
