"""From the levels of a course's competencies to its grade: the first rule that fits, over a mean and counts.

The four families of published conversions are rules of one kind: bands on the mean (``mean_at_least``), floors
(``lowest_at_least``), counting (``half_at_least``, ``most_at_least``), and points that stand on the level itself.
"""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from gateway.core.errors import DataError
from gateway.core.gpa.courses import PROBLEM
from gateway.core.gpa.policy import Conversion, Policy, Rule
from gateway.core.gpa.words import plain_grade
from gateway.core.mapping.reading import Reader
from gateway.core.mapping.rounding import MICROS, read_rounding, to_micros
from gateway.core.model import LINE, SCORE

LEVEL_COLUMNS = ("student_id", "course_code", "competency", "level")
"""The columns that a table of levels must have; ``school_year``, ``term`` and ``weight_as`` are used when there."""

_KEYS = ("student_id", "course_code", "school_year", "term")
_WHEN = ("grade_level", "school_id", "completed_on")
_MOST_LEVELS = 5
_MOST_PROBES = 20_000


def convert_levels(policy: Policy, courses: pl.DataFrame, levels: pl.DataFrame) -> pl.DataFrame:
    """``courses`` with ``grade`` and ``score`` (the rounded mean) from ``levels``, one row a competency.

    A course whose levels are too few, missing or off the scale gets no grade but the reason, so that its student's GPA
    waits; a course without any level keeps the grade that it has. Raises :class:`DataError` (``gpa.columns``).
    """
    conversion = policy.conversion
    if conversion is None:
        raise DataError(
            f"The policy {policy.name} converts no levels.", hint="It has no `from_levels`.", code="gpa.levels"
        )
    missing = [column for column in LEVEL_COLUMNS if column not in levels.columns]
    if missing:
        raise DataError(f"The table of levels lacks {', '.join(missing)}.", hint="Add it.", code="gpa.columns")
    levels = _academic(conversion, levels)
    keys = [key for key in _KEYS if key in levels.columns and key in courses.columns]
    texts = [pl.col(key).cast(pl.String) for key in keys]
    graded = _graded(conversion, _summarised(conversion, levels.with_columns(texts), keys)).select(
        *keys,
        pl.col("new_grade"),
        _decimal(pl.col("mean")).alias("new_score"),
        pl.col("said"),
        pl.lit(True).alias("has"),
    )
    given = courses.with_columns(texts)
    joined = given.join(graded, on=keys, how="left", maintain_order="left", nulls_equal=True)
    has = pl.col("has").fill_null(False)
    old = [pl.col(c).cast(t) if c in courses.columns else pl.lit(None, t) for c, t in
           (("grade", pl.String()), ("score", SCORE), (PROBLEM, pl.String()))]  # fmt: skip
    return joined.with_columns(
        pl.when(has).then("new_grade").otherwise(old[0]).alias("grade"),
        pl.when(has).then("new_score").otherwise(old[1]).alias("score"),
        pl.when(has).then("said").otherwise(old[2]).alias(PROBLEM),
    ).drop("new_grade", "new_score", "said", "has")


def _academic(conversion: Conversion, levels: pl.DataFrame) -> pl.DataFrame:
    """The levels without those of competencies that are no part of a grade."""
    if not conversion.leave_out:
        return levels
    codes = levels["competency"].cast(pl.String).unique().to_list()
    out = [code for code in codes if any(fnmatch.fnmatchcase(code or "", each) for each in conversion.leave_out)]
    return levels.filter(~pl.col("competency").cast(pl.String).is_in(out).fill_null(False))


def courses_of_levels(levels: pl.DataFrame) -> pl.DataFrame:
    """One course attempt for each student, course, school year and term of ``levels``, still without credit."""
    keys = [key for key in (*_KEYS, *_WHEN) if key in levels.columns]
    own = [pl.col(key).cast(pl.String) for key in keys if key not in _WHEN]
    rows = levels.group_by(own, maintain_order=True).agg(
        *(pl.col(key).cast(pl.String).drop_nulls().last() for key in keys if key in _WHEN),
        *([pl.col(LINE).first().cast(pl.Int64)] if LINE in levels.columns else []),
    )
    return rows.with_columns(pl.lit(None, pl.String).alias("credit"), pl.lit(None, pl.String).alias("grade"))


def grade_of_levels(policy: Policy, levels: Sequence[Any]) -> tuple[str | None, str | None]:
    """The grade of one course with these levels, or ``None`` and the reason."""
    rows = pl.DataFrame(
        {"student_id": ["s"] * len(levels), "course_code": ["c"] * len(levels), "competency": [str(n) for n in
         range(len(levels))], "level": [None if each is None else str(each) for each in levels]},
        schema_overrides={"level": pl.String},
    )  # fmt: skip
    course = pl.DataFrame({"student_id": ["s"], "course_code": ["c"]})
    row = convert_levels(policy, course, rows).row(0, named=True)
    return row["grade"], row[PROBLEM]


def _decimal(micros: pl.Expr) -> pl.Expr:
    return (micros.cast(pl.Decimal(38, 6)) / MICROS).cast(SCORE)


def _summarised(conversion: Conversion, levels: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """For each course: how many levels, their mean, lowest and highest, and how many reach each threshold."""
    micros = pl.col("level").cast(pl.String).cast(SCORE, strict=False).to_physical().cast(pl.Int64)
    weight: pl.Expr = pl.lit(MICROS, pl.Int64)
    if conversion.weights and "weight_as" in levels.columns:
        names, values = list(conversion.weights), list(conversion.weights.values())
        default = conversion.weights.get("default", MICROS)
        weight = pl.col("weight_as").replace_strict(names, values, default=default, return_dtype=pl.Int64)
    rows = levels.with_columns(micros.alias("micros"), weight.alias("weight"))
    lowest, highest = conversion.levels[0], conversion.levels[-1]
    among = pl.col("micros").is_in(list(conversion.levels))
    on_scale = pl.col("micros").is_between(lowest, highest) if conversion.in_between else among
    rows = rows.with_columns(on_scale.fill_null(False).alias("on_scale"))
    return rows.group_by(keys, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("count"),
        pl.col("level").is_null().any().alias("missing"),
        (~pl.col("on_scale") & pl.col("level").is_not_null()).any().alias("off_scale"),
        (pl.col("micros") * pl.col("weight")).sum().alias("total"),
        pl.col("weight").sum().alias("weights"),
        pl.col("micros").min().alias("lowest"),
        pl.col("micros").max().alias("highest"),
        *(
            (pl.col("micros") >= level).sum().cast(pl.Int64).alias(f"reach_{level}")
            for level in _thresholds(conversion)
        ),
    )


def _thresholds(conversion: Conversion) -> list[int]:
    return sorted({rule.tests[test] for rule in conversion.rules for test in ("half_at_least", "most_at_least")
                   if test in rule.tests})  # fmt: skip


def _graded(conversion: Conversion, summary: pl.DataFrame) -> pl.DataFrame:
    mean = conversion.round.ratio(pl.col("total"), pl.when(pl.col("weights") > 0).then("weights"))
    summary = summary.with_columns(mean.cast(pl.Int64).alias("mean"))
    usable = ~pl.col("missing") & ~pl.col("off_scale") & (pl.col("count") >= conversion.at_least)
    rule = pl.when(usable).then(_first_rule(conversion))
    grades = [each.grade for each in conversion.rules]
    summary = summary.with_columns(rule.alias("rule")).with_columns(
        pl.lit(pl.Series(grades, dtype=pl.String)).gather(pl.col("rule")).alias("new_grade")
        if grades
        else pl.lit(None, pl.String).alias("new_grade")
    )
    said = (
        pl.when("missing").then(pl.lit("A competency of the course has no level."))
        .when("off_scale").then(pl.lit("A level is not on the policy's scale."))
        .when(pl.col("count") < conversion.at_least).then(pl.lit("The course has too few levels."))
        .when(pl.lit(bool(conversion.rules)) & pl.col("new_grade").is_null())
        .then(pl.lit("The policy leaves these levels to a person."))
    )  # fmt: skip
    return summary.with_columns(said.alias("said"))


def _first_rule(conversion: Conversion) -> pl.Expr:
    found = pl.lit(None, pl.Int64)
    for position, rule in reversed(list(enumerate(conversion.rules))):
        found = pl.when(_fits(rule)).then(pl.lit(position, pl.Int64)).otherwise(found)
    return found


def _fits(rule: Rule) -> pl.Expr:
    tests: dict[str, Callable[[int], pl.Expr]] = {
        "mean_at_least": lambda level: pl.col("mean") >= level,
        "mean_above": lambda level: pl.col("mean") > level,
        "mean_at_most": lambda level: pl.col("mean") <= level,
        "mean_below": lambda level: pl.col("mean") < level,
        "lowest_at_least": lambda level: pl.col("lowest") >= level,
        "lowest_below": lambda level: pl.col("lowest") < level,
        "highest_at_least": lambda level: pl.col("highest") >= level,
        "highest_below": lambda level: pl.col("highest") < level,
        "half_at_least": lambda level: pl.col(f"reach_{level}") * 2 >= pl.col("count"),
        "most_at_least": lambda level: pl.col(f"reach_{level}") * 2 > pl.col("count"),
    }
    return pl.all_horizontal([pl.lit(True), *(tests[test](level) for test, level in rule.tests.items())])


def compile_conversion(data: Mapping[str, Any] | None, grades: frozenset[str], reader: Reader) -> Conversion | None:
    """The conversion that a policy states; gaps and grades that nothing can reach are noted with ``reader``."""
    if data is None:
        return None
    rules = []
    for position, item in enumerate(data["rules"]):
        path = ("from_levels", "rules", position)
        grade = plain_grade(item["grade"]) if "grade" in item else None
        if grade is not None and grade not in grades:
            reader.unknown(path, "grade", grade, grades, "unknown-grade")
        tests = {test: to_micros(value) for test, value in item.items() if test not in ("grade", "then")}
        rules.append(Rule(grade, "then" in item, tests, path))
    conversion = Conversion(
        levels=tuple(sorted(to_micros(level) for level in data["levels"])),
        round=read_rounding(data["round"]),
        at_least=data["at_least"],
        weights={name: to_micros(weight) for name, weight in data.get("weights", {}).items()},
        rules=tuple(rules),
        in_between=data["in_between"] == "keep",
        leave_out=tuple(data["leave_out"]),
    )
    if rules:
        _check_rules(conversion, reader)
    return conversion


def _check_rules(conversion: Conversion, reader: Reader) -> None:
    """Try every combination of a few levels: each must find a rule, and each rule must be found."""
    summary = _summarised(conversion, _probes(conversion), ["student_id"])
    mean = pl.int_range(conversion.levels[0], conversion.levels[-1] + 1, conversion.round.unit, eager=True)
    found = _graded(conversion, summary).filter(pl.col("count") >= conversion.at_least)["rule"]
    if all(test.startswith("mean_") for rule in conversion.rules for test in rule.tests):
        found = pl.concat([found, pl.DataFrame({"mean": mean}).select(_first_rule(conversion)).to_series()])
    if found.null_count():
        path = ("from_levels", "rules")
        reader.note(path, "Some combinations of levels fit no rule.", "Add a last rule without conditions.", "gap")
    reached = set(found.drop_nulls().unique())
    for position, rule in enumerate(conversion.rules):
        if position not in reached:
            message = "No combination of levels can reach this rule: earlier rules take them all."
            reader.note(rule.path, message, "Change the order, or remove it.", "unreachable-rule")


def _probed(conversion: Conversion) -> list[int]:
    """The levels, and one between each two of them where such levels count."""
    levels = conversion.levels
    between = [(one + other) // 2 for one, other in itertools.pairwise(levels)] if conversion.in_between else []
    return sorted([*levels, *between])


def _probes(conversion: Conversion) -> pl.DataFrame:
    """All combinations of up to five levels (fewer on long scales), one ``student_id`` each."""
    combinations: list[tuple[int, ...]] = []
    for size in range(1, _MOST_LEVELS + 1):
        more = list(itertools.combinations_with_replacement(_probed(conversion), size))
        if len(combinations) + len(more) > _MOST_PROBES:
            break
        combinations += more
    names = [str(number) for number, levels in enumerate(combinations) for _ in levels]
    levels = [level for levels in combinations for level in levels]
    micros = pl.Series(levels, dtype=pl.Int64)
    return pl.DataFrame({"student_id": names, "level": micros}).with_columns(_decimal(pl.col("level")).alias("level"))
