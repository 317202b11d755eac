"""Course attempts of a course file, with the result that a transcript wants: passed, failed, incomplete or withdrawn.

The result is what the status says, or a mark that is a word for a status (``W``, ``I``); else a grade that earns credit
under the policy is a pass, and one that does not a fail. What is in progress or audited is no attempt of a transcript
yet; and where the result cannot be told (a grade that the policy does not know, none at all), none is guessed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl

from gateway.core.gpa.counting import Why, count_courses
from gateway.core.gpa.courses import ROW, prepare_courses
from gateway.core.gpa.filters import canonical, lookup
from gateway.core.gpa.policy import CourseFilter, Credit, Policy
from gateway.core.gpa.problems import Problem
from gateway.core.mapping.rounding import MICROS
from gateway.core.model import SCORE, SCORE_PLACES

_NOT_YET = ("in_progress", "audit")
_SAID = ("incomplete", "withdrawn", *_NOT_YET)
UNTOLD = "untold"
"""The result of an attempt of which none can be told."""
_GRADED = (Why.USED, Why.CREDIT_ONLY, Why.NOT_EARNED)


def attempts_of_courses(courses: pl.DataFrame, policy: Policy, *, as_of: date) -> pl.DataFrame:
    """A row for each row of a course file: the columns of ``course_attempts`` that it tells, and ``result``.

    ``result`` is empty for what is no attempt yet, and :data:`UNTOLD` where nothing can be told.
    """
    prepared = prepare_courses(courses)
    # neither a course's level and credit nor whether it belongs into this GPA say whether it was passed
    plain = replace(policy, weighting=None, courses=CourseFilter(), credit=Credit(basis="each_course"))
    counted = count_courses(plain, prepared, as_of=as_of).rows.select(ROW, "why", "fault", "earned")
    rows = prepared.rows.drop("fault").join(counted, on=ROW, how="left", maintain_order="left")
    words = {
        name: [canonical(policy, "status", word) for word in prepared.vocabulary[name]] for name in ("status", "grade")
    }
    said = pl.coalesce(
        _among(words["status"], "status_code", _SAID), _among(words["grade"], "grade_code", ("incomplete", "withdrawn"))
    )
    passed = pl.col("earned") > 0
    result = (
        pl.when(said.is_in(_NOT_YET)).then(None)
        .when(said.is_not_null()).then(said)
        .when(pl.col("fault") == Problem.GRADE_WAITS.number).then(pl.lit("incomplete"))
        .when((pl.col("fault") == 0) & pl.col("why").is_in([int(each) for each in _GRADED]))
        .then(pl.when(passed).then(pl.lit("pass")).otherwise(pl.lit("fail")))
        .otherwise(pl.lit(UNTOLD))
    )  # fmt: skip
    credit = _exact("credit_micros")
    made = rows.with_columns(result.alias("result"))
    subject = lookup("subject_code", prepared.vocabulary["subject"], pl.String())
    return made.select(
        "student_id", "school_id", pl.col("year").cast(pl.String).alias("school_year"),
        lookup("term_code", prepared.vocabulary["term"], pl.String()).alias("term"), "course_code", "title",
        pl.when(subject.is_not_null()).then(pl.concat_list(subject)).alias("subjects"),
        lookup("level_code", prepared.vocabulary["level"], pl.String()).alias("level"),
        lookup("grade_code", prepared.vocabulary["grade"], pl.String()).alias("grade"),
        _exact("score_micros").alias("score"), credit.alias("credit"),
        pl.when(pl.col("result") == "pass").then(credit).otherwise(pl.lit(0, SCORE)).alias("credit_earned"),
        pl.col("level_of_student").cast(pl.String).alias("grade_level"), pl.col("completed").alias("completed_on"),
        "result",
    )  # fmt: skip


def _among(words: list[str], codes: str, wanted: tuple[str, ...]) -> pl.Expr:
    return lookup(codes, [word if word in wanted else None for word in words], pl.String())


def _exact(micros: str) -> pl.Expr:
    """Micros as the decimal that they are."""
    return (pl.col(micros).cast(pl.Decimal(38, SCORE_PLACES)) / MICROS).cast(SCORE)
