"""Guards: what stops a plan until a person decides, with the figure, the limit and the reason in plain words.

Two moments are judged: what a pull did to the last good snapshot, table by table, and what the plan would do to the
target, entity by entity. The defaults are the market's norm made a little stricter (ten percent of deletions, with a
floor of five rows; 500 rows; three quarters updated; two percent in quarantine; one percent re-keyed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.core.exchange import Action


@dataclass(frozen=True, slots=True)
class Limits:
    """When to hold. Shares are fractions (``Decimal("0.10")`` is ten percent); ``None`` switches a guard off."""

    gone_share: Decimal | None = Decimal("0.10")
    gone_at_least: int = 5
    gone_rows: int | None = 500
    updated_share: Decimal | None = Decimal("0.75")
    updated_at_least: int = 20
    quarantine_share: Decimal | None = Decimal("0.02")
    quarantine_at_least: int = 5
    rekeyed_share: Decimal | None = Decimal("0.01")
    rekeyed_at_least: int = 5
    empty: bool = True


@dataclass(frozen=True, slots=True)
class Guards:
    """The limits of a sync: a default, and tables or entities of their own."""

    default: Limits = Limits()
    tables: Mapping[str, Limits] | None = None

    def limits(self, table: str) -> Limits:
        return (self.tables or {}).get(table, self.default)


@dataclass(frozen=True, slots=True)
class Churn:
    """What one pull did to one table, in rows. ``before`` and ``after`` count rows that are present."""

    before: int = 0
    after: int = 0
    delivered: int = 0
    added: int = 0
    updated: int = 0
    rekeyed: int = 0
    gone: int = 0
    returned: int = 0
    quarantined: int = 0

    def __add__(self, other: Churn) -> Churn:
        return Churn(*(getattr(self, n) + getattr(other, n) for n in self.__dataclass_fields__))

    def with_quarantined(self, quarantined: int) -> Churn:
        """The same churn with its quarantined records, which were delivered too."""
        return replace(self, quarantined=quarantined, delivered=self.delivered + quarantined)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a guard held: its code, the table or entity, a sentence with figure and limit, and what to look at."""

    code: str
    table: str
    message: str
    hint: str


def judge_pull(churns: Mapping[str, Churn], guards: Guards) -> Sequence[Reason]:
    """The guards on what was pulled; an empty list lets the run go on."""
    reasons: list[Reason] = []
    for table, churn in churns.items():
        limits = guards.limits(table)
        reasons += [
            *_gone(table, churn.gone, churn.before, limits, "are missing from this pull"),
            *_share(
                "guard.updated", table, churn.updated, churn.before, limits.updated_share, limits.updated_at_least,
                "changed since the last good pull", "Look whether the source now writes its columns differently.",
            ),
            *_share(
                "guard.rekeyed", table, churn.rekeyed, churn.before, limits.rekeyed_share, limits.rekeyed_at_least,
                "changed an identifier, an e-mail address or what they refer to",
                "Look whether the source was re-keyed or a column was emptied; ids must stay stable.",
            ),
            *_share(
                "guard.quarantine", table, churn.quarantined, churn.delivered, limits.quarantine_share,
                limits.quarantine_at_least, "went to quarantine",
                "See `mastery-gateway quarantine list`; one cause usually explains most of them.",
            ),
        ]  # fmt: skip
        if limits.empty and churn.delivered == 0 and churn.before > 0:
            reasons.append(
                Reason(
                    "guard.empty",
                    table,
                    f"The source delivered no {_words(table)} at all; the last good pull had {churn.before}.",
                    "Look at the source's export; an empty file usually is a failed export.",
                )
            )
    return reasons


def judge_plan(counts: Mapping[str, Mapping[Action, int]], guards: Guards) -> Sequence[Reason]:
    """The guards on what would be pushed, measured against what the target is known to hold."""
    reasons: list[Reason] = []
    for entity, actions in counts.items():
        limits = guards.limits(entity)
        gone = actions.get(Action.INACTIVATE, 0)
        updated = actions.get(Action.UPDATE, 0)
        before = gone + updated + actions.get(Action.KEEP, 0)
        reasons += _gone(entity, gone, before, limits, "would be inactivated at the target")
        reasons += _share(
            "guard.updated", entity, updated, before, limits.updated_share, limits.updated_at_least,
            "would be changed at the target", "Look whether the mapping was changed; `map diff` shows who changes.",
        )  # fmt: skip
    return reasons


def _gone(table: str, gone: int, before: int, limits: Limits, what: str) -> list[Reason]:
    share = _share(
        "guard.gone", table, gone, before, limits.gone_share, limits.gone_at_least, what,
        "If the year is rolling over or a school left, approve; otherwise look at the source's export.",
    )  # fmt: skip
    if share or limits.gone_rows is None or gone <= limits.gone_rows:
        return share
    return [
        Reason(
            "guard.gone",
            table,
            f"{gone} of {before} {_words(table)} {what}; the limit is {limits.gone_rows} rows.",
            "If the year is rolling over or a school left, approve; otherwise look at the source's export.",
        )
    ]


def _share(
    code: str, table: str, count: int, of: int, limit: Decimal | None, at_least: int, what: str, hint: str
) -> list[Reason]:
    """Held when more than ``limit`` of ``of`` rows, and more than the floor of ``at_least`` rows, are concerned."""
    if limit is None or of <= 0 or count <= at_least or count <= limit * of:
        return []
    message = f"{count} of {of} {_words(table)} {what} ({_percent(count, of)}); the limit is {limit * 100:f} %."
    return [Reason(code, table, message.replace(".00 %", " %"), hint)]


def _percent(count: int, of: int) -> str:
    return f"{Decimal(100 * count) / of:.1f} %"


def _words(table: str) -> str:
    return table.replace("_", " ")
