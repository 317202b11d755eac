"""Repeated courses: which attempts are the same course, and which of them count.

Only rows that can belong to a repeat are looked at: a code that stands twice, a filled ``repeat_of``, and what that
names. All other rows pass by.
"""

from __future__ import annotations

import polars as pl

from gateway.core.gpa.counting import Counted, Why
from gateway.core.gpa.courses import ROW, SHARED, STUDENT, Courses
from gateway.core.gpa.filters import canonical, lookup
from gateway.core.gpa.frames import added, kept, spread
from gateway.core.gpa.policy import Policy, Repeats
from gateway.core.gpa.problems import Problem
from gateway.core.gpa.words import folded

AVERAGED = "averaged"
"""How many attempts share the credit of one course; 1 where nothing is averaged."""
ATTEMPTS = "attempts"
"""The number of the course that several attempts belong to; empty where there is one."""

MOST_AVERAGED = 10
"""So many attempts can be averaged; more wait for a person."""

_ROUNDS = 8
_SEASONS = {"fall": 1, "autumn": 1, "winter": 2, "spring": 3, "summer": 4, "sum": 4, "su": 4, "ss": 4}


def resolve_repeats(policy: Policy, courses: Courses, counted: Counted) -> pl.DataFrame:
    """The counted rows with :data:`AVERAGED` and :data:`ATTEMPTS`; attempts that do not count are set aside."""
    rows, repeats = counted.rows, policy.repeats
    plain = [pl.lit(1, pl.Int64).alias(AVERAGED), pl.lit(None, pl.UInt32).alias(ATTEMPTS)]
    if repeats is None or rows.is_empty():
        return added(rows, plain)
    part = _candidates(policy, repeats, rows, courses)
    if part is None:
        return added(rows, plain)
    grouped = _grouped(part, repeats).with_columns(term_order(courses.vocabulary["term"]))
    decided = _decide(repeats, grouped, counted.grades)
    new = {name: pl.lit(spread(decided, name, ROW, len(rows))) for name in decided.columns if name != ROW}
    fault = pl.when((new["new_fault"] > 0) & (pl.col("fault") == 0)).then(new["new_fault"]).otherwise("fault")
    why = pl.when(new["new_why"].is_not_null() & (fault == 0)).then(new["new_why"]).otherwise("why")
    return added(
        rows,
        new[AVERAGED].fill_null(1).alias(AVERAGED),
        new[ATTEMPTS].alias(ATTEMPTS),
        fault.alias("fault"),
        why.alias("why"),
        pl.when(new["credited"].fill_null(True)).then("earned").otherwise(0).alias("earned"),
    )


def _candidates(policy: Policy, repeats: Repeats, rows: pl.DataFrame, courses: Courses) -> pl.DataFrame | None:
    """The rows that may belong to a repeat, with the name by which courses are compared."""
    statuses = courses.vocabulary["status"]
    codes = [code for code, word in enumerate(statuses) if canonical(policy, "status", word) == "repeat"]
    marked = pl.col("status_code").is_in(codes).fill_null(False) if codes else pl.lit(False)
    by_code = "course_code" in repeats.same
    if by_code and not codes and not rows[SHARED].any() and rows["repeat_of"].null_count() == len(rows):
        return None
    if by_code:
        rows, twice = added(rows, pl.col("course_code").alias("name")), pl.col(SHARED)
    else:
        rows = added(rows, courses.rows["title"].gather(rows[ROW]).alias("name"))
        twice = pl.struct(STUDENT, "name").is_duplicated() & pl.col("name").is_not_null()
    chosen = twice | pl.col("repeat_of").is_not_null() | marked
    if rows["repeat_of"].null_count() < len(rows):
        targets = (
            rows.filter(pl.col("repeat_of").is_not_null()).select(pl.struct(STUDENT, "repeat_of").hash()).to_series()
        )
        chosen = chosen | pl.struct(STUDENT, "name").hash().is_in(targets.implode())
    part = kept(rows, chosen)
    return None if part.is_empty() else added(part, marked.alias("said_repeat"))


def _grouped(part: pl.DataFrame, repeats: Repeats) -> pl.DataFrame:
    """Each row with ``target`` (the first course's name), ``slot`` (its term, if terms tell courses apart)."""
    part = added(part, pl.coalesce("repeat_of", "name").alias("target"))
    for _ in range(_ROUNDS):
        links = part.filter(pl.col("repeat_of").is_not_null()).select(
            STUDENT, pl.col("name").alias("target"), pl.col("target").alias("further")
        )
        links = links.filter(pl.col("target") != pl.col("further")).unique([STUDENT, "target"], keep="first")
        part = part.join(links, on=[STUDENT, "target"], how="left", maintain_order="left")
        if part["further"].null_count() == len(part):
            part = part.drop("further")
            break
        part = added(part, pl.coalesce("further", "target").alias("target")).drop("further")
    by_term = "term" in repeats.same
    term = pl.col("term_code").cast(pl.Int64).fill_null(-1) if by_term else pl.lit(0, pl.Int64)
    part = added(part, term.alias("slot"))
    firsts = (
        part.filter(pl.col("repeat_of").is_null())
        .group_by(STUDENT, pl.col("name").alias("target"))
        .agg(pl.col("slot").unique().alias("slots"))
    )
    part = part.join(firsts, on=[STUDENT, "target"], how="left", maintain_order="left")
    explicit = pl.col("repeat_of").is_not_null()
    matches = pl.col("slots").list.contains(pl.col("slot")).fill_null(False)
    alone = pl.col("slots").list.len() == 1
    slot = pl.when(explicit & ~matches & alone).then(pl.col("slots").list.first()).otherwise("slot")
    fault = (
        pl.when(explicit & pl.col("slots").is_null()).then(Problem.REPEAT_WITHOUT_FIRST.number)
        .when(explicit & ~matches & ~alone).then(Problem.REPEAT_UNCLEAR.number)
        .otherwise(0)
    )  # fmt: skip
    return added(part, slot.alias("slot"), fault.cast(pl.UInt8).alias("new_fault"))


def _decide(repeats: Repeats, part: pl.DataFrame, grades: tuple[str, ...]) -> pl.DataFrame:
    """``new_why``, ``new_fault``, :data:`AVERAGED`, :data:`ATTEMPTS`, and whether the row earns credit, by row."""
    group = [STUDENT, "target", "slot"]
    counts = (pl.col("why") == int(Why.USED)) & (pl.col("fault") == 0) & (pl.col("new_fault") == 0)
    alone = pl.col("said_repeat") & (pl.len().over(group) == 1) & pl.col("repeat_of").is_null()
    lonely = pl.when(alone).then(pl.lit(Problem.REPEAT_WITHOUT_FIRST.number, pl.UInt8)).otherwise("new_fault")
    part = added(part, lonely.alias("new_fault"))
    tries = part.filter(counts).with_columns(pl.len().over(group).alias("tries")).filter(pl.col("tries") > 1)
    tries = added(tries, pl.struct(group).rank("dense").cast(pl.UInt32).alias(ATTEMPTS))
    when = [pl.col("year"), pl.col("completed"), pl.col("term_order")]
    ordered = tries.sort([ATTEMPTS, *when, "units", "base", "line"], nulls_last=True, maintain_order=True)
    ordered = added(ordered, pl.int_range(pl.len()).over(ATTEMPTS).alias("turn"))
    same_time = pl.struct("year", "completed", "term_order").n_unique().over(ATTEMPTS) < pl.col("tries")
    unordered = same_time | (pl.col("year").is_null() & pl.col("completed").is_null()).any().over(ATTEMPTS)
    needs_order = repeats.keep == "latest" or repeats.only_after is not None
    ordered = added(ordered, _kept(repeats).alias("kept"), _applies(repeats, grades).alias("applies"))
    credited = pl.col("kept") & (pl.struct(-pl.col("earned"), "turn").rank("ordinal").over(ATTEMPTS, "kept") == 1)
    too_many = pl.col("applies") & (repeats.keep == "average") & (pl.col("tries") > MOST_AVERAGED)
    why = pl.when(pl.col("applies") & ~pl.col("kept")).then(pl.lit(int(Why.REPEATED), pl.UInt8))
    fault = (
        pl.when(unordered & needs_order).then(pl.lit(Problem.REPEAT_ORDER.number, pl.UInt8))
        .when(too_many).then(pl.lit(Problem.REPEAT_UNCLEAR.number, pl.UInt8))
        .otherwise("new_fault")
    )  # fmt: skip
    shares = pl.when(pl.col("applies") & (repeats.keep == "average")).then("tries").otherwise(1).cast(pl.Int64)
    decided = ordered.select(
        ROW, why.alias("new_why"), fault.alias("new_fault"), shares.alias(AVERAGED),
        pl.when("applies").then(ATTEMPTS).alias(ATTEMPTS), (credited | ~pl.col("applies")).alias("credited"),
    )  # fmt: skip
    rest = part.join(decided, on=ROW, how="anti").filter(pl.col("new_fault") > 0)
    empty = [pl.lit(None, pl.UInt8).alias("new_why"), pl.col("new_fault"), pl.lit(1, pl.Int64).alias(AVERAGED)]
    last = [pl.lit(None, pl.UInt32).alias(ATTEMPTS), pl.lit(True).alias("credited")]
    return pl.concat([decided, rest.select(ROW, *empty, *last)])


def season(term: str) -> int:
    """The place of a season in the calendar; 0 for other terms."""
    return _SEASONS.get(folded(term), 0)


def term_order(terms: list[str]) -> pl.Expr:
    """Terms of one school year in their order: seasons by the calendar, others by their text."""
    ordered = sorted(range(len(terms)), key=lambda code: (season(terms[code]), terms[code]))
    ranks = [ordered.index(code) for code in range(len(terms))]
    return lookup("term_code", ranks, pl.Int64()).alias("term_order")


def _kept(repeats: Repeats) -> pl.Expr:
    """Whether an attempt counts where the rule applies; among equal grades the larger credit, then the earlier."""
    if repeats.keep == "average":
        return pl.lit(True)
    if repeats.keep == "latest":
        return pl.col("turn") == pl.col("tries") - 1
    best = pl.struct(-pl.col("points"), -pl.col("base"), -pl.col("units"), pl.col("turn"))
    return best.rank("ordinal").over(ATTEMPTS) == 1


def _applies(repeats: Repeats, grades: tuple[str, ...]) -> pl.Expr:
    if repeats.only_after is None:
        return pl.lit(True)
    positions = [number for number, grade in enumerate(grades) if grade in repeats.only_after]
    first = pl.col("grade_number").filter(pl.col("turn") == 0).first().over(ATTEMPTS)
    return first.is_in(positions).fill_null(False)
