"""The gradebook's plan: which line items a class has, when they are due and what they assess.

Every class of a subject follows the same plan. A *slot* is one thing to hand in. Most slots are one line item for the
whole class; a differentiated slot is four, from two performance levels below the class's grade to one above it, and
each student is given the one that fits. Summative line items have a second one for re-takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from gateway.sample.calendar import Calendar
from gateway.sample.draws import Draws, texts
from gateway.sample.framework_words import LEVELS
from gateway.sample.schools import HOMEROOM, KINDS
from gateway.sample.targets import TargetPool

CATEGORIES = ("Formative", "Homework", "Summative", "Performance Task", "Habits of Work")
WEIGHTS = (10, 0, 50, 40, 0)
FORMATIVE, HOMEWORK, SUMMATIVE, TASK, HABITS = range(5)
_CYCLE = (
    FORMATIVE, HOMEWORK, FORMATIVE, SUMMATIVE, HOMEWORK, FORMATIVE, TASK, FORMATIVE, HOMEWORK, SUMMATIVE, FORMATIVE,
)  # fmt: skip
_WORDS = ("exit ticket", "practice", "assessment", "performance task", "check-in")
_OBJECTIVES = (1, 1, 2, 3, 1)
LOWEST, HIGHEST = -2, 1
"""How far below and above the grade differentiated line items go."""
COMMON = 4
RETAKE = 8
"""``variant`` of a line item: 0 to 3 for a differentiated one, ``COMMON``, and ``RETAKE`` added for its re-take."""
_ACADEMIC_SHARE, _HABITS_SHARE = 11, 6
_EVERY = 3
"""Of so many slots, the last is differentiated."""
_LOCAL_SHARE = 0.2
_PERCENT_KINDS = ("MATH", "SCI")
FOUR_POINT, PERCENT, LETTER = range(3)
"""How a line item is scored."""
MAXIMUM = ("4", "100", None)


@dataclass(frozen=True, slots=True)
class Pacing:
    """``slots``: ``kind``, ``slot``, ``differentiated``; ``line_items``: one row for each variant of each slot."""

    slots: pl.DataFrame
    line_items: pl.DataFrame


def make_pacing(kinds: Sequence[int], calendar: Calendar, *, results_per_student: int) -> Pacing:
    """Spread ``results_per_student`` over the subjects ``kinds``, and each subject's slots over the year."""
    shares = {kind: _HABITS_SHARE if kind == HOMEROOM else _ACADEMIC_SHARE for kind in kinds}
    slots: list[tuple[int, int, bool]] = []
    line_items: list[tuple[int, int, int, int, int, int]] = []
    for kind, share in shares.items():
        count = max(1, round(results_per_student * share / sum(shares.values())))
        for slot in range(count):
            planned = (slot + 1) * calendar.days // (count + 1)
            category = HABITS if kind == HOMEROOM else _CYCLE[slot % len(_CYCLE)]
            differentiated = kind != HOMEROOM and slot % _EVERY == _EVERY - 1
            slots.append((kind, slot, differentiated))
            for variant, step in _variants(category, differentiated=differentiated):
                line_items.append((kind, slot, variant, step, category, planned))
    item_columns = ("kind", "slot", "variant", "step", "category", "planned")
    return Pacing(
        pl.DataFrame(slots, schema={"kind": pl.Int64, "slot": pl.Int64, "differentiated": pl.Boolean}, orient="row"),
        pl.DataFrame(line_items, schema=dict.fromkeys(item_columns, pl.Int64), orient="row"),
    )


def _variants(category: int, *, differentiated: bool) -> list[tuple[int, int]]:
    """Each variant of a slot and how many performance levels it goes above the class's grade."""
    steps = range(LOWEST, HIGHEST + 1)
    first = [(step - LOWEST, step) for step in steps] if differentiated else [(COMMON, 0)]
    again = [(variant + RETAKE, step) for variant, step in first] if category == SUMMATIVE else []
    return first + again


def make_line_items(
    draws: Draws, pacing: Pacing, pool: TargetPool, calendar: Calendar, classes: pl.DataFrame
) -> pl.DataFrame:
    """The line items of ``classes`` (``class``, an unsigned number; ``class_id``, ``school_id``, ``kind``, ``grade``,
    ``letters``), with what their results are made from.

    ``item_gap`` is the performance level assessed less that of the class's grade; ``aims`` how many targets, which
    stand in rows ``aim_0`` to ``aim_2`` of the pool; ``local``: only a local code in the title tells the target.
    """
    lowest, highest = LEVELS[0], LEVELS[-1]
    of_grade = pl.col("grade").clip(lowest, highest)
    items = (
        classes.join(pacing.line_items, on="kind", maintain_order="left_right")
        .with_columns(level=(of_grade + pl.col("step")).clip(lowest, highest))
        .join(pool.ranges, on=["kind", "level"], maintain_order="left")
    )
    key = draws.word("line item", pl.col("class"), pl.col("slot") * 16 + pl.col("variant"))
    items = items.with_columns(
        line=key,
        item_gap=pl.col("level") - of_grade,
        retake=pl.col("variant") >= RETAKE,
        scoring=_scoring(),
        aims=pl.min_horizontal(_of_category(_OBJECTIVES), (pl.col("count") + 2) // 3),
        local=draws.chance(_LOCAL_SHARE, "local code", pl.col("kind"), pl.col("level"), pl.col("slot"))
        & ~pl.col("category").is_in([TASK, HABITS]),
        **{f"aim_{n}": _aim(n) for n in range(3)},
    )
    items = draws.with_uuid(items, "line_id", "lineItems", pl.col("line"))
    return _with_titles(_with_days(draws, items, calendar), pool)


def _scoring() -> pl.Expr:
    percent = (pl.col("category") == HOMEWORK) & pl.col("kind").is_in([KINDS.index(kind) for kind in _PERCENT_KINDS])
    return pl.when("letters").then(LETTER).when(percent).then(PERCENT).otherwise(FOUR_POINT)


def _of_category(numbers: tuple[int, ...]) -> pl.Expr:
    return pl.lit(pl.Series(numbers, dtype=pl.Int64)).gather(pl.col("category"))


def _aim(number: int) -> pl.Expr:
    """Go through a level's targets strand by strand (three targets a strand), so that each strand comes up all year."""
    step = pl.col("slot") * 3 + pl.col("slot") // 4 + number * 3
    return pl.col("first") + step % pl.col("count")


def _with_days(draws: Draws, items: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """Days are numbers from the first day of the school year on."""
    around = (pl.col("planned") + draws.below(7, "due", pl.col("class"), pl.col("slot")) - 3).clip(4, None)
    due = calendar.school_days(around + pl.when("retake").then(14).otherwise(0))
    items = items.with_columns(due=due)
    assigned = pl.col("due") - draws.below(8, "assigned", pl.col("class"), pl.col("slot")) - 2
    return items.with_columns(assigned=calendar.school_days(assigned))


def _with_titles(items: pl.DataFrame, pool: TargetPool) -> pl.DataFrame:
    topic = pl.lit(pool.rows["topic"]).gather(pl.col("aim_0"))
    code = pl.lit(pool.rows["local"]).gather(pl.col("aim_0"))
    week = pl.format("Week {}", pl.col("due") // 7 + 1)
    unit = pl.when(pl.col("category") == HABITS).then(week).otherwise(pl.format("Unit {}", pl.col("slot") // 4 + 1))
    words = pl.format("{} {}", unit, texts(_WORDS, pl.col("category")))
    words = words + pl.when("retake").then(pl.lit(" (re-take)")).otherwise(pl.lit(""))
    plain = pl.format("{}: {}", words, topic)
    return items.with_columns(title=pl.when("local").then(pl.format("{} [{}]", words, code)).otherwise(plain))
