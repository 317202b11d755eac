"""What keeps GPAs waiting, told by student, line and course."""

from __future__ import annotations

import polars as pl

from gateway.core.gpa.courses import OVERRIDE_PROBLEM, PROBLEM, ROW, STUDENT, UNREAD, Courses
from gateway.core.gpa.frames import added, selected
from gateway.core.gpa.policy import Policy
from gateway.core.gpa.problems import BY_NUMBER, TOLD_BY_ROW
from gateway.core.gpa.result import NO_PROBLEMS, State


def problem_table(policy: Policy, rows: pl.DataFrame, courses: Courses) -> pl.DataFrame:
    faulty = rows.filter(pl.col("fault") > 0)
    if faulty.is_empty():
        return NO_PROBLEMS
    problems = [BY_NUMBER[number] for number in faulty["fault"]]
    said = selected(courses.rows, pl.coalesce(UNREAD, OVERRIDE_PROBLEM, PROBLEM)).to_series()
    detail = said.gather(faulty[ROW]).to_list()
    names = courses.students.gather(faulty[STUDENT]) if len(courses.students) else faulty[STUDENT].cast(pl.String)
    return pl.DataFrame(
        {
            "student_id": names,
            "line": faulty["line"],
            "course_code": faulty["course_code"],
            "code": [problem.value for problem in problems],
            "message": [
                (said if problem in TOLD_BY_ROW else None) or problem.sentence
                for problem, said in zip(problems, detail, strict=True)
            ],
            "hint": [problem.hint for problem in problems],
        },
        schema_overrides={"code": pl.String, "message": pl.String, "hint": pl.String},
    ).select("student_id", pl.lit(policy.name).alias("policy"), pl.lit(policy.version).alias("version"),
             "line", "course_code", "code", "message", "hint").sort("student_id", "line")  # fmt: skip


def with_reasons(found: pl.DataFrame, problems: pl.DataFrame) -> pl.DataFrame:
    """The first problem of each waiting student in words, and how many more there are."""
    first = problems.group_by("student_id").agg(
        pl.format("line {}, {}: {}", pl.col("line").first(), pl.col("course_code").first().fill_null("?"),
                  pl.col("message").first()).first().alias("first"),
        (pl.len() - 1).alias("more"),
    )  # fmt: skip
    also = pl.when(pl.col("more") > 0).then(pl.format(" And {} more.", "more")).otherwise(pl.lit(""))
    first = first.select("student_id", (pl.col("first") + also).alias("first"))
    joined = found.join(first, on="student_id", how="left", maintain_order="left")
    reason = pl.when(pl.col("state") == State.PENDING).then("first").alias("reason")
    return added(joined, reason)
